"""What a phone tells about itself, and how it reaches servers."""

from __future__ import annotations

from pathlib import Path

import pytest

from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.phone import IpPhone
from casduo.simulators.server import SimulatorServer
from tests.simulators.phone.conftest import DEVICE, MakePhone, Service, text


def test_the_model_is_in_the_headers(make_phone: MakePhone, service: Service) -> None:
    service.put("/", text("Hello"))
    make_phone("8845", language="de-DE").press_services()
    [seen] = service.seen
    assert seen.method == "GET"
    assert seen.headers["x-ciscoipphonemodelname"] == "CP-8845"
    assert seen.headers["x-ciscoipphonedisplay"] == "559, 265, 24, C"
    assert seen.headers["x-ciscoipphonesdkversion"] == "8.5.1"
    assert seen.headers["user-agent"].startswith("Allegro-Software-WebClient/")
    assert seen.headers["accept"].startswith("x-CiscoIPPhone/*")
    assert seen.headers["accept-language"] == "de-DE"
    assert seen.headers["accept-charset"] == "utf-8,iso-8859-1;q=0.8"
    assert seen.headers["host"] == service.base.removeprefix("http://")
    assert not {"accept-encoding", "cookie", "referer"} & seen.headers.keys()


def test_some_models_put_the_address_into_the_host_header(make_phone: MakePhone, service: Service) -> None:
    service.put("/", text("Hello"), encoding="iso-8859-1")
    make_phone("7965").press_services()
    port = service.base.rpartition(":")[2]
    assert service.seen[0].headers["host"] == f"127.0.0.1:{port}"


def test_the_device_name_is_replaced_in_the_address_of_the_service(make_phone: MakePhone, service: Service) -> None:
    service.put("/em/", text("Hello"))
    phone = make_phone(path="/em/?device=#DEVICENAME#")
    phone.press_services()
    phone.check()
    assert service.seen[0].query == f"device={DEVICE}"
    assert str(phone.requests[0]) == f"GET /em/?device={DEVICE}"
    assert phone.requests[0].status == 200


def test_the_address_of_the_service_has_the_limits_of_others(make_phone: MakePhone, service: Service) -> None:
    phone = make_phone(path="/".ljust(300, "x"))
    phone.press_services()
    assert phone.prompt_error == "XML Error [4]"
    assert "characters" in phone.violations[0]
    assert service.seen == []


def test_it_sends_from_its_own_address(make_phone: MakePhone, service: Service) -> None:
    service.put("/", text("Hello"))
    make_phone(source_address="127.0.0.7").press_services()
    assert service.seen[0].peer == "127.0.0.7"


def test_a_host_may_be_somewhere_else(server: SimulatorServer, service: Service) -> None:
    service.put("/em", text("Hello"))
    phone = IpPhone(
        DEVICE,
        "8845",
        service_url="http://sso.example.edu/em",
        resolve={"sso.example.edu": ("127.0.0.1", server.port)},
    )
    phone.press_services()
    phone.check()
    assert service.seen[0].headers["host"] == "sso.example.edu"


def test_whoever_attacks_a_service_opens_any_address(phone: IpPhone, service: Service) -> None:
    service.put("/select", text("Not yours"))
    phone.open(f"{service.base}/select?t={'x' * 300}", "Stolen")
    assert "Not yours" in str(phone.screen)
    assert str(phone.requests[0]) == "GET /select?t=***"
    phone.check()
    with pytest.raises(ValueError, match="not an http URL"):
        phone.open("Init:Services")


def test_an_unknown_host_is_not_found() -> None:
    phone = IpPhone(DEVICE, "8845", service_url="http://nowhere.invalid/em")
    phone.press_services()
    assert phone.prompt_error == "Host not found"
    assert "Host not found" in phone.display()
    phone.check()
    assert phone.requests[0].status == 0


def test_a_server_that_is_down_is_no_violation(make_phone: MakePhone, server: SimulatorServer) -> None:
    server.stop_listening()
    phone = make_phone()
    phone.press_services()
    assert phone.prompt_error == "HTTP Error [10]"
    phone.check()


def test_a_silent_server_is_given_up(make_phone: MakePhone, server: SimulatorServer) -> None:
    server.faults.stay_silent()
    phone = make_phone(timeout=0.1)
    phone.press_services()
    assert phone.prompt_error == "HTTP Error [10]"
    phone.check()


@pytest.mark.parametrize("after", [0, 20, 250])
def test_a_cut_answer_is_a_failed_connection(
    phone: IpPhone, server: SimulatorServer, service: Service, after: int
) -> None:
    service.put("/", text("Hello" * 100))
    server.faults.cut(after=after)
    phone.press_services()
    assert phone.prompt_error == "HTTP Error [10]"


class TestTls:
    @pytest.fixture
    def secure(self, service: Service, authority: CertificateAuthority) -> SimulatorServer:
        return SimulatorServer(service, certificate=authority.issue())

    @staticmethod
    def open(server: SimulatorServer, service: Service, ca_file: Path | None) -> IpPhone:
        service.put("/", text("Hello"))
        phone = IpPhone(DEVICE, "8845", service_url=f"{server.url}/", ca_file=ca_file)
        phone.press_services()
        return phone

    def test_a_trusted_certificate_opens(
        self, secure: SimulatorServer, service: Service, authority: CertificateAuthority
    ) -> None:
        with secure:
            phone = self.open(secure, service, authority.ca_file)
        phone.check()
        assert "Hello" in str(phone.screen)

    def test_phones_know_no_authority_by_themselves(self, secure: SimulatorServer, service: Service) -> None:
        with secure:
            phone = self.open(secure, service, None)
        assert phone.prompt_error == "Host not found"
        assert "the certificate is not trusted" in phone.violations[0]

    def test_a_stranger_s_certificate_is_not_trusted(
        self, secure: SimulatorServer, service: Service, foreign_authority: CertificateAuthority
    ) -> None:
        with secure:
            phone = self.open(secure, service, foreign_authority.ca_file)
        assert phone.prompt_error == "Host not found"
        assert len(phone.violations) == 1

    def test_the_name_has_to_fit(self, service: Service, authority: CertificateAuthority) -> None:
        with SimulatorServer(service, certificate=authority.issue_wrong("wrong_name")) as server:
            phone = self.open(server, service, authority.ca_file)
        assert phone.prompt_error == "Host not found"

    def test_the_name_in_the_url_counts_wherever_the_server_is(
        self, service: Service, authority: CertificateAuthority
    ) -> None:
        service.put("/em", text("Hello"))
        with SimulatorServer(service, certificate=authority.issue(["sso.example.edu"])) as server:
            phone = IpPhone(
                DEVICE,
                "7965",
                service_url="https://sso.example.edu/em",
                ca_file=str(authority.ca_file),
                resolve={"sso.example.edu": ("127.0.0.1", server.port)},
            )
            phone.press_services()
        assert phone.prompt_error == ""
        assert service.seen[0].headers["host"] == "127.0.0.1"

    def test_plain_http_on_a_tls_port_is_a_failed_connection(self, secure: SimulatorServer, service: Service) -> None:
        with secure:
            url = secure.url.replace("https", "http")
            phone = IpPhone(DEVICE, "8845", service_url=f"{url}/")
            phone.press_services()
        assert phone.prompt_error == "HTTP Error [10]"

    def test_tls_on_a_plain_port_finds_no_host(self, server: SimulatorServer, authority: CertificateAuthority) -> None:
        url = server.url.replace("http", "https")
        phone = IpPhone(DEVICE, "8845", service_url=f"{url}/", ca_file=authority.ca_file)
        phone.press_services()
        assert phone.prompt_error == "Host not found"
        phone.check()
