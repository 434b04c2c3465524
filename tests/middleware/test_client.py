"""Validation over real HTTP and TLS: timed, without redirects, and with nothing in logs or errors."""

from __future__ import annotations

import logging
import socket
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from casduo.middleware.client import CasClient
from casduo.middleware.errors import CasUnavailable, InvalidResponse
from casduo.middleware.response import Failure, Success
from casduo.simulators.certificates import CertificateAuthority

SERVICE = "https://app.example.edu/a?b=1&c=%26"


def validator(url: str, **options: Any) -> CasClient:
    return CasClient(url, **({"ca_file": None, "connect_timeout": 2.0, "read_timeout": 2.0} | options))


def reason_of(asked: CasClient, ticket: str = "ST-secret-0001") -> str:
    with pytest.raises(CasUnavailable) as caught:
        asked.validate(ticket, SERVICE, renew=False)
    assert ticket not in repr(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value.reason


def script(status: int = 200, body: bytes = b"", *headers: tuple[str, str]) -> Callable[[Any], None]:
    return lambda handler: handler.reply(status, body, *headers)


def test_a_good_ticket_gives_user_and_attributes(cas: Any) -> None:
    verdict = validator(cas.url).validate(cas.issue(SERVICE), SERVICE, renew=False)
    assert isinstance(verdict, Success)
    assert verdict.user == "ada"
    assert verdict.attributes["mail"] == ("ada@example.edu",)
    assert cas.validations[0]["service"] == [SERVICE]


def test_a_used_ticket_is_refused_with_the_servers_code(cas: Any) -> None:
    asked, ticket = validator(cas.url), cas.issue(SERVICE)
    asked.validate(ticket, SERVICE, renew=False)
    verdict = asked.validate(ticket, SERVICE, renew=False)
    assert isinstance(verdict, Failure)
    assert verdict.code == "INVALID_TICKET"


def test_renew_is_asked_for(cas: Any) -> None:
    asked = validator(cas.url)
    assert isinstance(asked.validate(cas.issue(SERVICE), SERVICE, renew=True), Failure)
    assert isinstance(asked.validate(cas.issue(SERVICE, primary=True), SERVICE, renew=True), Success)
    assert cas.validations[0]["renew"] == ["true"]


def test_connections_are_kept_and_cookies_are_not(cas: Any) -> None:
    seen: list[str | None] = []

    def answer(handler: Any) -> None:
        seen.append(handler.headers["Cookie"])
        handler.reply(200, cas.validate({"ticket": ["x"]}), ("Set-Cookie", "TGC=somebody; Path=/"))

    cas.script = answer
    asked = validator(cas.url)
    for _ in range(5):
        asked.validate("ST-1", SERVICE, renew=False)
    assert cas.connections == 1
    assert seen == [None] * 5


def test_a_kept_connection_that_was_closed_meanwhile_does_no_harm(cas: Any) -> None:
    asked = validator(cas.url)
    asked.validate(cas.issue(SERVICE), SERVICE, renew=False)

    def hang_up_once(handler: Any) -> None:
        cas.script = None
        handler.close_connection = True

    cas.script = hang_up_once
    assert isinstance(asked.validate(cas.issue(SERVICE), SERVICE, renew=False), Success)


def test_many_threads_may_ask_at_once(cas: Any) -> None:
    asked, verdicts = validator(cas.url), []
    tickets = [cas.issue(SERVICE, f"user{number}") for number in range(40)]

    def ask(ticket: str) -> None:
        verdicts.append(asked.validate(ticket, SERVICE, renew=False))

    threads = [threading.Thread(target=ask, args=(ticket,)) for ticket in tickets]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {verdict.user for verdict in verdicts} == {f"user{number}" for number in range(40)}


@pytest.mark.parametrize("status", [204, 301, 302, 307, 400, 404, 500, 503])
def test_only_status_200_is_an_answer(cas: Any, status: int) -> None:
    cas.script = script(status, b"", ("Location", f"{cas.url}/other"))
    assert reason_of(validator(cas.url)) == f"status {status}"


def test_a_redirect_is_not_followed(cas: Any) -> None:
    cas.script = script(302, b"", ("Location", f"{cas.url}/p3/serviceValidate?elsewhere"))
    reason_of(validator(cas.url))
    assert len(cas.raw_validations) == 1


@pytest.mark.parametrize("body", [b"", b"<html>login</html>", b"yes\nada\n", b"\x00" * 100])
def test_an_answer_that_is_none_is_invalid(cas: Any, body: bytes) -> None:
    cas.script = script(200, body)
    with pytest.raises(InvalidResponse):
        validator(cas.url).validate("ST-1", SERVICE, renew=False)


def test_a_compressed_answer_is_not_unpacked(cas: Any) -> None:
    cas.script = script(200, b"\x1f\x8b\x08\x00" + b"\x00" * 20, ("Content-Encoding", "gzip"))
    with pytest.raises(InvalidResponse):
        validator(cas.url).validate("ST-1", SERVICE, renew=False)


def test_an_endless_answer_is_cut_off(cas: Any) -> None:
    def pour(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True
        try:
            while True:
                handler.wfile.write(b" " * 65536)
        except OSError:
            pass

    cas.script = pour
    assert reason_of(validator(cas.url)) == "answer too long"


def test_an_answer_that_comes_in_drops_runs_into_the_time_limit(cas: Any) -> None:
    stop = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True
        try:
            while not stop.wait(0.02):
                handler.wfile.write(b" ")
        except OSError:
            pass

    cas.script = drip
    assert reason_of(validator(cas.url, connect_timeout=0.1, read_timeout=0.2)) == "timeout"
    stop.set()


def test_a_server_that_says_nothing_runs_into_the_time_limit(cas: Any) -> None:
    stop = threading.Event()
    cas.script = lambda handler: stop.wait(5)
    assert reason_of(validator(cas.url, read_timeout=0.1)) == "timeout"
    stop.set()


def test_nobody_listening_is_unreachable() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    assert reason_of(validator(f"http://127.0.0.1:{port}/cas")) == "unreachable"


def test_a_name_that_does_not_exist_is_unreachable() -> None:
    assert reason_of(validator("https://no-such-host.invalid/cas")) == "unreachable"


def test_an_answer_that_is_not_http_is_unreachable(cas: Any) -> None:
    def gibberish(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"SSH-2.0-x\r\n\r\n")
        handler.close_connection = True

    cas.script = gibberish
    assert reason_of(validator(cas.url)) == "unreachable"


def test_an_answer_cut_short_is_unreachable(cas: Any) -> None:
    def cut(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(b"<cas:")
        handler.close_connection = True

    cas.script = cut
    assert reason_of(validator(cas.url)) == "unreachable"


def test_who_accepts_no_proxies_does_not_believe_in_any(cas: Any) -> None:
    body = (
        b'<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas"><cas:authenticationSuccess><cas:user>ada</cas:user>'
        b"<cas:proxies><cas:proxy>https://portal.example.edu/pgt</cas:proxy></cas:proxies>"
        b"</cas:authenticationSuccess></cas:serviceResponse>"
    )
    cas.script = script(200, body)
    with pytest.raises(InvalidResponse, match="came through a proxy"):
        validator(cas.url).validate("ST-1", SERVICE, renew=False)


class TestProxyTickets:
    """The same wire as for validations: what is true of those is not tested again for each."""

    PGT = "PGT-secret-0001"

    @classmethod
    def reason(cls, asked: CasClient) -> str:
        with pytest.raises(CasUnavailable) as caught:
            asked.proxy_ticket(cls.PGT, SERVICE)
        assert cls.PGT not in repr(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        return caught.value.reason

    def test_the_target_is_sent_as_one_value(self, cas: Any) -> None:
        seen: list[str] = []
        body = b'<r xmlns="http://www.yale.edu/tp/cas"/>'.replace(b"r ", b"serviceResponse ")

        def answer(handler: Any) -> None:
            seen.append(handler.path)
            handler.reply(200, body)

        cas.script = answer
        with pytest.raises(InvalidResponse):
            validator(cas.url).proxy_ticket(self.PGT, SERVICE)
        assert parse_qs(urlsplit(seen[0]).query) == {"pgt": [self.PGT], "targetService": [SERVICE]}

    @pytest.mark.parametrize("status", [302, 404, 503])
    def test_only_status_200_is_an_answer(self, cas: Any, status: int) -> None:
        cas.script = script(status, b"", ("Location", f"{cas.url}/other"))
        assert self.reason(validator(cas.url)) == f"status {status}"

    def test_an_answer_too_long_is_cut_off(self, cas: Any) -> None:
        cas.script = script(200, b" " * (1024 * 1024 + 1))
        assert self.reason(validator(cas.url)) == "answer too long"

    def test_a_server_that_says_nothing_runs_into_the_time_limit(self, cas: Any) -> None:
        stop = threading.Event()
        cas.script = lambda handler: stop.wait(5)
        assert self.reason(validator(cas.url, read_timeout=0.1)) == "timeout"
        stop.set()

    def test_a_page_is_no_answer(self, cas: Any) -> None:
        with pytest.raises(InvalidResponse):
            validator(cas.url).proxy_ticket(self.PGT, SERVICE)

    def test_the_ticket_it_is_bought_with_stands_in_no_log(self, cas: Any, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.DEBUG)
        cas.script = lambda handler: setattr(handler, "close_connection", True)
        self.reason(validator(cas.url))
        cas.script = script(404)
        self.reason(validator(cas.url))
        lines = [record.getMessage() for record in caplog.records]
        assert any("GET /cas/proxy" in line for line in lines)
        assert not any(self.PGT in line for line in lines)


class TestTls:
    @pytest.fixture
    def authority(self, tmp_path: Path) -> CertificateAuthority:
        return CertificateAuthority.create(tmp_path / "ours", "ours")

    @staticmethod
    def context(leaf: Any) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(leaf.cert, leaf.key)
        return context

    def test_a_trusted_certificate_with_the_right_name_is_accepted(self, make_cas: Any, authority: Any) -> None:
        cas = make_cas(tls=self.context(authority.issue()), host="localhost")
        verdict = validator(cas.url, ca_file=str(authority.ca_file)).validate(cas.issue(SERVICE), SERVICE, renew=False)
        assert isinstance(verdict, Success)

    def test_an_unknown_authority_is_refused(self, make_cas: Any, authority: Any) -> None:
        cas = make_cas(tls=self.context(authority.issue()), host="localhost")
        assert reason_of(validator(cas.url)) == "certificate"
        assert cas.raw_validations == []

    def test_another_name_is_refused(self, make_cas: Any, authority: Any) -> None:
        leaf = authority.issue(["other.example.edu"], localhost=False)
        cas = make_cas(tls=self.context(leaf), host="localhost")
        assert reason_of(validator(cas.url, ca_file=str(authority.ca_file))) == "certificate"
        assert cas.raw_validations == []

    def test_an_expired_certificate_is_refused(self, make_cas: Any, authority: Any) -> None:
        cas = make_cas(tls=self.context(authority.issue(expired=True)), host="localhost")
        assert reason_of(validator(cas.url, ca_file=str(authority.ca_file))) == "certificate"

    def test_the_environment_does_not_choose_whom_to_trust(
        self, make_cas: Any, authority: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.ca_file))
        monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
        cas = make_cas(tls=self.context(authority.issue()), host="localhost")
        assert reason_of(validator(cas.url)) == "certificate"

    def test_plain_http_on_a_tls_address_is_an_error(self, cas: Any) -> None:
        assert reason_of(validator(cas.url.replace("http:", "https:"))) in ("certificate", "unreachable")


def test_no_ticket_stands_in_any_log(cas: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    ticket = cas.issue(SERVICE)
    validator(cas.url).validate(ticket, SERVICE, renew=False)
    cas.script = lambda handler: setattr(handler, "close_connection", True)
    reason_of(validator(cas.url), ticket)
    lines = [record.getMessage() for record in caplog.records]
    assert any("serviceValidate" in line for line in lines)
    assert not any(ticket in line for line in lines)
