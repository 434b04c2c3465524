"""The way to Duo, its certificate and its clock, with every fault that they can have."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from email.utils import formatdate
from typing import Any

import pytest

from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from tests.diagnosis.clinic import PROXY_PASSWORD, Clinic

# --- the way there ---------------------------------------------------------------------------------------------------


def test_a_host_that_refuses_connections(clinic: Clinic) -> None:
    clinic.duo.stop_listening()
    visit = clinic.examine()
    assert visit.at_host("network")["detail"] == "refused"
    assert "duo.api_host" in visit.at_host("network")["cause"]
    assert visit.left_out


def test_a_host_whose_name_is_not_known(clinic: Clinic) -> None:
    clinic.settings["duo"]["api_host"] = "api-12345678.invalid"
    visit = clinic.examine()
    assert visit.at_host("network")["detail"] == "dns"
    assert "duo.api_host is mistyped" in visit.at_host("network")["cause"]


def test_a_host_that_says_nothing(clinic: Clinic) -> None:
    clinic.settings["duo"]["read_timeout"] = "200ms"
    clinic.duo.transport.silent_connections = True
    visit = clinic.examine()
    assert visit.at_host("network")["level"] == "ok"
    assert visit.at_host("certificate")["detail"] == "timeout"
    assert visit.left_out


def test_a_duo_that_does_not_answer_what_it_is_asked(clinic: Clinic) -> None:
    clinic.settings["duo"]["read_timeout"] = "200ms"
    clinic.duo.transport.stay_silent("/auth/v2/ping")
    visit = clinic.examine()
    assert visit.at_host("certificate")["level"] == "ok"
    assert visit.at_host("ping")["detail"] == "timeout"
    assert visit.left_out


@pytest.mark.parametrize(
    ("kind", "detail"),
    [
        ("server_error_json", "server_error"),
        ("html", "unreadable"),
        ("redirect", "unreadable"),
        ("no_stat", "unreadable"),
    ],
)
def test_a_ping_that_is_answered_by_something_else(clinic: Clinic, kind: Any, detail: str) -> None:
    clinic.duo.faults.answer("*", kind)
    visit = clinic.examine()
    assert visit.at_host("ping")["detail"] == detail
    assert visit.left_out


# --- the certificate -------------------------------------------------------------------------------------------------


def test_somebody_in_the_middle_is_named(clinic: Clinic, foreign_leaf: LeafFiles) -> None:
    clinic.duo.use_certificate(foreign_leaf)
    visit = clinic.examine()
    finding = visit.at_host("certificate")
    assert finding["detail"] == "in_the_middle"
    assert "the authority CN=a stranger" in finding["cause"]
    assert visit.left_out


def test_nothing_is_sent_to_somebody_in_the_middle(clinic: Clinic, foreign_leaf: LeafFiles) -> None:
    clinic.duo.use_certificate(foreign_leaf)
    clinic.examine()
    assert clinic.duo.requests() == []


def test_a_company_proxy_that_this_machine_trusts(
    clinic: Clinic, foreign_leaf: LeafFiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(foreign_leaf.ca))
    clinic.duo.use_certificate(foreign_leaf)
    finding = clinic.examine().at_host("certificate")
    assert finding["detail"] == "in_the_middle"
    assert "whom this machine trusts and Duo's clients do not: CN=a stranger" in finding["cause"]


def test_an_authority_of_the_settings_is_enough(clinic: Clinic, foreign_leaf: LeafFiles) -> None:
    clinic.duo.use_certificate(foreign_leaf)
    clinic.settings["duo"]["ca_file"] = str(foreign_leaf.ca)
    finding = clinic.examine().at_host("certificate")
    assert finding["level"] == "ok"
    assert "vouched for by duo.ca_file" in finding["found"]
    del clinic.settings["duo"]["ca_file"]
    clinic.settings["outbound"] = {"ca_file": str(foreign_leaf.ca)}
    assert "vouched for by outbound.ca_file" in clinic.examine().at_host("certificate")["found"]


def test_a_certificate_for_another_name(clinic: Clinic, authority: CertificateAuthority) -> None:
    clinic.duo.use_certificate(authority.issue(["api-87654321.example.edu"], localhost=False))
    finding = clinic.examine().at_host("certificate")
    assert finding["detail"] == "wrong_name"
    assert "it is for api-87654321.example.edu, not for localhost" in finding["cause"]


def test_an_expired_certificate(clinic: Clinic, authority: CertificateAuthority) -> None:
    clinic.duo.use_certificate(authority.issue(expired=True))
    finding = clinic.examine().at_host("certificate")
    assert finding["detail"] == "expired"
    assert "the other side's clock agrees" in finding["cause"]


def test_a_file_of_authorities_that_is_missing(clinic: Clinic) -> None:
    clinic.settings["duo"]["ca_file"] = str(clinic.directory / "missing.pem")
    visit = clinic.examine()
    assert visit.of("section duo", "Duo")["detail"] == "ca_file"
    assert "missing.pem" in visit.of("section duo", "Duo")["cause"]


# --- the clock -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("offset", "level", "words"),
    [
        (20, "ok", ""),
        (45, "attention", "from 60 seconds on"),
        (-45, "attention", "from 60 seconds on"),
        (100, "fault", "after the person has answered the prompt"),
        (-100, "fault", "before anybody is asked"),
        (400, "fault", "every request"),
        (-400, "fault", "every request"),
    ],
)
def test_a_clock_that_is_off(clinic: Clinic, offset: float, level: str, words: str) -> None:
    clinic.duo.faults.clock_offset = offset
    visit = clinic.examine()
    assert visit.at_host("clock")["level"] == level
    assert words in visit.at_host("clock").get("cause", "")
    # The Auth API is more patient than the prompt; and neither blames the keys.
    assert visit.unwell.get("Auth API", "") == ("wrong_clock" if abs(offset) > 300 else "")
    assert visit.unwell.get("prompt", "") == ("wrong_clock" if level == "fault" else "")


# --- a web proxy -----------------------------------------------------------------------------------------------------


class Proxy:
    """A web proxy that wants a password, or refuses in another way."""

    def __init__(self, status: int) -> None:
        self._status = status
        self.heads: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = [self._listener]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        for each in self._open:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listener.accept()
                self._open.append(connection)
                self._spawn(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        # Whoever asked may be gone before the answer.
        with suppress(OSError):
            self._answer(connection)

    def _answer(self, connection: socket.socket) -> None:
        head = b""
        while b"\r\n\r\n" not in head:
            piece = connection.recv(4096)
            if not piece:
                return
            head += piece
        self.heads.append(head.decode())
        if self._status != 200:
            connection.sendall(f"HTTP/1.1 {self._status} No\r\nContent-Length: 0\r\n\r\n".encode())
            connection.shutdown(socket.SHUT_RDWR)
            return
        port = int(self.heads[-1].split(" ")[1].rpartition(":")[2])
        there = socket.create_connection(("127.0.0.1", port))
        self._open.append(there)
        connection.sendall(b"HTTP/1.1 200 Connected\r\n\r\n")
        self._spawn(_splice, there, connection)
        _splice(connection, there)

    def _spawn(self, target: Callable[..., None], *arguments: socket.socket) -> None:
        self._threads.append(threading.Thread(target=target, args=arguments, daemon=True))
        self._threads[-1].start()


def _splice(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(65536):
            other.sendall(data)
    for each in (one, other):
        with suppress(OSError):
            each.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def proxy() -> Iterator[Callable[[int], Proxy]]:
    made: list[Proxy] = []

    def make(status: int = 200) -> Proxy:
        made.append(Proxy(status))
        return made[-1]

    yield make
    for each in made:
        each.close()


def test_everything_goes_by_the_proxy_of_the_settings(clinic: Clinic, proxy: Callable[..., Proxy]) -> None:
    running = proxy()
    clinic.settings["duo"]["proxy"] = f"http://ada:{PROXY_PASSWORD}@localhost:{running.port}"
    visit = clinic.examine()
    assert visit.level == "ok"
    assert f"by way of the web proxy localhost, port {running.port}" in visit.at_host("network")["found"]
    assert all(head.startswith(f"CONNECT {clinic.duo.api_host} ") for head in running.heads)


@pytest.mark.parametrize(
    ("status", "words"), [(407, "a name and a password"), (403, "not allowed"), (503, "cannot reach")]
)
def test_a_proxy_that_refuses(clinic: Clinic, proxy: Callable[..., Proxy], status: int, words: str) -> None:
    clinic.settings["duo"]["proxy"] = f"http://ada:{PROXY_PASSWORD}@localhost:{proxy(status).port}"
    visit = clinic.examine()
    assert visit.at_host("network")["detail"] == "proxy_refused"
    assert words in visit.at_host("network")["cause"]
    assert visit.left_out


def test_a_proxy_that_is_spoken_to_over_tls_is_left_to_the_calls_themselves(clinic: Clinic) -> None:
    clinic.duo.stop_listening()
    clinic.settings["duo"]["proxy"] = f"https://ada:{PROXY_PASSWORD}@localhost:{clinic.duo.port}"
    visit = clinic.examine()
    assert "spoken to over TLS itself" in visit.at_host("network")["found"]
    assert visit.at_host("ping")["detail"] == "proxy"


# --- a clock that makes certificates look expired --------------------------------------------------------------------


def test_an_expired_certificate_may_be_our_own_clock(clinic: Clinic, authority: CertificateAuthority) -> None:
    leaf = authority.issue(expired=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf.cert, leaf.key)
    week_ago = formatdate(time.time() - 7 * 86_400, usegmt=True)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    raw, _ = listener.accept()
                    with suppress(OSError), raw, context.wrap_socket(raw, server_side=True) as connection:
                        if connection.recv(4096):
                            connection.sendall(f"HTTP/1.1 404 No\r\nDate: {week_ago}\r\n\r\n".encode())

        thread = threading.Thread(target=serve)
        thread.start()
        clinic.settings["duo"]["api_host"] = f"localhost:{listener.getsockname()[1]}"
        finding = clinic.examine().at_host("certificate")
        listener.shutdown(socket.SHUT_RDWR)
    thread.join(5)
    assert finding["detail"] == "clock"
    assert "this server's clock is wrong" in finding["cause"]
