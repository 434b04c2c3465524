"""The server under all simulators speaks HTTP/1.1 properly, and breaks in exactly the ways it is told to."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from casduo.simulators.server import SimulatorServer
from casduo.simulators.wire import AFTER_SENT

Environ = dict[str, Any]
StartResponse = Callable[..., Any]


class Echo:
    """Answers with what it was asked, and remembers what happened after the answer."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.finished = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path == "/fail":
            raise RuntimeError("on purpose")
        self.go_on.wait()
        environ[AFTER_SENT].append(lambda: self.sent.append(path))
        body = environ["wsgi.input"].read()
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [f"{environ['REQUEST_METHOD']} {environ['REQUEST_URI']} ".encode(), body]


@pytest.fixture
def echo() -> Echo:
    return Echo()


@pytest.fixture
def server(echo: Echo) -> Iterator[SimulatorServer]:
    with SimulatorServer(echo) as running:
        yield running


@pytest.fixture
def connection(server: SimulatorServer) -> Iterator[http.client.HTTPConnection]:
    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
    yield client
    client.close()


def ask(connection: http.client.HTTPConnection, path: str, method: str = "GET", body: bytes | None = None) -> bytes:
    connection.request(method, path, body)
    return connection.getresponse().read()


def talk(server: SimulatorServer, sent: bytes) -> bytes:
    """Send bytes and return everything that comes back until the server closes."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as raw:
        raw.sendall(sent)
        return b"".join(iter(lambda: raw.recv(65536), b""))


class TestHttp:
    def test_a_connection_serves_many_requests(self, connection: http.client.HTTPConnection) -> None:
        assert ask(connection, "/a") == b"GET /a "
        kept = connection.sock
        assert ask(connection, "/b", "POST", b"x" * 100_000) == b"POST /b " + b"x" * 100_000
        assert connection.sock is kept

    def test_the_length_of_an_answer_is_told(self, connection: http.client.HTTPConnection) -> None:
        connection.request("GET", "/a")
        response = connection.getresponse()
        assert response.getheader("Content-Length") == str(len(response.read()))
        assert response.getheader("Transfer-Encoding") is None

    def test_head_gets_the_length_and_no_body(self, connection: http.client.HTTPConnection) -> None:
        connection.request("HEAD", "/a")
        response = connection.getresponse()
        assert response.getheader("Content-Length") == "8"
        assert response.read() == b""
        assert ask(connection, "/b") == b"GET /b "

    def test_a_target_in_absolute_form_is_reduced_to_its_path(self, server: SimulatorServer) -> None:
        answer = talk(server, b"GET https://localhost/auth?x=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert answer.endswith(b"GET /auth?x=1 ")

    def test_http_1_0_is_closed_after_one_answer(self, server: SimulatorServer) -> None:
        assert talk(server, b"GET / HTTP/1.0\r\n\r\n").endswith(b"GET / ")

    def test_a_client_that_waits_for_permission_gets_it(self, server: SimulatorServer) -> None:
        answer = talk(
            server,
            b"POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\nConnection: close\r\n\r\nhi",
        )
        assert answer.startswith(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK")

    @pytest.mark.parametrize(
        ("sent", "status"),
        [
            (b"nonsense\r\n\r\n", b"400"),
            (b"GET / SPDY/3\r\n\r\n", b"400"),
            (b"POST / HTTP/1.1\r\nContent-Length: many\r\n\r\n", b"400"),
            (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", b"411"),
            (b"POST / HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n", b"413"),
            (b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 200 + b"\r\n", b"431"),
        ],
    )
    def test_an_unreadable_request_is_refused(self, server: SimulatorServer, sent: bytes, status: bytes) -> None:
        assert talk(server, sent).split()[1] == status

    def test_a_failing_application_answers_500_and_lives_on(
        self, connection: http.client.HTTPConnection, caplog: pytest.LogCaptureFixture
    ) -> None:
        connection.request("GET", "/fail")
        response = connection.getresponse()
        assert (response.status, response.read()) == (500, b"500 Internal Server Error")
        assert "failed on GET /fail" in caplog.text
        assert ask(connection, "/a") == b"GET /a "

    def test_nothing_is_printed(
        self, connection: http.client.HTTPConnection, capsys: pytest.CaptureFixture[str]
    ) -> None:
        ask(connection, "/a")
        assert capsys.readouterr() == ("", "")


class TestAfterSent:
    def test_it_runs_once_the_answer_has_left(self, connection: http.client.HTTPConnection, echo: Echo) -> None:
        ask(connection, "/a")
        ask(connection, "/b")
        assert echo.sent[0] == "/a"

    def test_it_does_not_run_for_a_client_that_hung_up(self, server: SimulatorServer, echo: Echo) -> None:
        echo.go_on.clear()
        impatient = socket.create_connection(("127.0.0.1", server.port))
        impatient.sendall(b"GET /impatient HTTP/1.1\r\n\r\n")
        impatient.close()
        echo.go_on.set()
        patient = http.client.HTTPConnection("127.0.0.1", server.port, timeout=10)
        ask(patient, "/patient")
        patient.close()
        server.stop()
        assert echo.sent == ["/patient"]


class TestFaults:
    def test_a_server_that_does_not_listen_refuses_and_comes_back_on_its_port(
        self, server: SimulatorServer, connection: http.client.HTTPConnection
    ) -> None:
        ask(connection, "/a")
        port = server.port
        server.stop_listening()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        server.listen_again()
        connection.close()
        assert server.port == port
        assert ask(connection, "/b") == b"GET /b "

    def test_stopping_to_listen_drops_kept_connections(
        self, server: SimulatorServer, connection: http.client.HTTPConnection
    ) -> None:
        ask(connection, "/a")
        server.stop_listening()
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
            ask(connection, "/b")

    def test_a_stopped_server_starts_again_on_its_port(self, server: SimulatorServer) -> None:
        port = server.port
        server.stop()
        server.start()
        assert server.port == port

    def test_starting_twice_is_refused(self, server: SimulatorServer) -> None:
        with pytest.raises(RuntimeError, match="already started"):
            server.start()
        with pytest.raises(RuntimeError, match="stop_listening"):
            server.listen_again()

    def test_a_port_that_is_taken_is_reported(self, server: SimulatorServer, echo: Echo) -> None:
        with pytest.raises(OSError, match="in use"):
            SimulatorServer(echo, port=server.port).start()

    def test_a_silent_server_never_answers(self, server: SimulatorServer) -> None:
        server.faults.stay_silent("/slow")
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=0.3)
        with pytest.raises(TimeoutError):
            ask(client, "/slow")
        client.close()
        client.timeout = 10
        assert ask(client, "/other") == b"GET /other "
        client.close()

    def test_silence_can_be_counted(self, server: SimulatorServer) -> None:
        server.faults.stay_silent(times=1)
        client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=0.3)
        with pytest.raises(TimeoutError):
            ask(client, "/a")
        client.close()
        client.timeout = 10
        assert ask(client, "/a") == b"GET /a "
        client.close()

    def test_a_connection_can_be_cut_before_the_first_byte(
        self, server: SimulatorServer, connection: http.client.HTTPConnection
    ) -> None:
        server.faults.cut(times=1)
        with pytest.raises(http.client.RemoteDisconnected):
            ask(connection, "/a")
        assert ask(connection, "/b") == b"GET /b "

    def test_a_connection_can_be_cut_within_the_body(
        self, server: SimulatorServer, connection: http.client.HTTPConnection, echo: Echo
    ) -> None:
        server.faults.cut("/a", after=500)
        connection.request("POST", "/a", b"x" * 1000)
        response = connection.getresponse()
        with pytest.raises(http.client.IncompleteRead):
            response.read()
        server.stop()
        assert echo.sent == []

    def test_a_connection_can_be_reset(self, server: SimulatorServer, connection: http.client.HTTPConnection) -> None:
        server.faults.reset("/a", times=1)
        with pytest.raises(ConnectionResetError):
            ask(connection, "/a")
        connection.close()
        assert ask(connection, "/a") == b"GET /a "

    def test_an_answer_can_be_late(self, server: SimulatorServer, connection: http.client.HTTPConnection) -> None:
        server.faults.delay(0.01, jitter=0.01, path="/late")
        assert server.faults.treatment("/late").delay >= 0.01
        assert server.faults.treatment("/other").delay == 0.0
        assert ask(connection, "/late") == b"GET /late "

    def test_a_delay_ends_without_an_answer_when_the_server_stops(self, server: SimulatorServer, echo: Echo) -> None:
        server.faults.delay(3600.0)
        raw = socket.create_connection(("127.0.0.1", server.port), timeout=10)
        raw.sendall(b"GET / HTTP/1.1\r\n\r\n")
        server.stop()
        with suppress(ConnectionResetError):
            assert raw.recv(1) == b""
        assert echo.sent == []
        raw.close()

    def test_faults_can_be_taken_back(self, server: SimulatorServer, connection: http.client.HTTPConnection) -> None:
        server.faults.stay_silent()
        server.faults.cut()
        server.faults.delay(3600.0)
        server.faults.silent_connections = True
        server.faults.clear()
        assert ask(connection, "/a") == b"GET /a "

    def test_a_count_below_one_is_refused(self, server: SimulatorServer) -> None:
        with pytest.raises(ValueError, match="at least 1"):
            server.faults.cut(times=0)


class TestTls:
    @pytest.fixture
    def server(self, echo: Echo, leaf: LeafFiles) -> Iterator[SimulatorServer]:
        with SimulatorServer(echo, certificate=leaf) as running:
            yield running

    @staticmethod
    def shake_hands(server: SimulatorServer, authority: CertificateAuthority, timeout: float = 10.0) -> None:
        context = ssl.create_default_context(cafile=authority.ca_file)
        with (
            socket.create_connection(("127.0.0.1", server.port), timeout=timeout) as raw,
            context.wrap_socket(raw, server_hostname="localhost"),
        ):
            pass

    def test_a_client_that_trusts_the_authority_is_served(
        self, server: SimulatorServer, authority: CertificateAuthority
    ) -> None:
        context = ssl.create_default_context(cafile=authority.ca_file)
        # The strictest checks OpenSSL has: key usage, key identifiers and all.
        context.verify_flags |= ssl.VERIFY_X509_STRICT
        client = http.client.HTTPSConnection("localhost", server.port, timeout=10, context=context)
        assert ask(client, "/a") == b"GET /a "
        assert ask(client, "/b") == b"GET /b "
        client.close()
        assert server.url == f"https://localhost:{server.port}"

    def test_another_authority_is_not_trusted(
        self, server: SimulatorServer, foreign_authority: CertificateAuthority
    ) -> None:
        with pytest.raises(ssl.SSLCertVerificationError, match="issuer"):
            self.shake_hands(server, foreign_authority)

    def test_a_wrong_name_is_noticed(self, server: SimulatorServer, authority: CertificateAuthority) -> None:
        server.use_certificate(authority.issue(["wrong.example.org"], localhost=False))
        with pytest.raises(ssl.SSLCertVerificationError, match="Hostname mismatch"):
            self.shake_hands(server, authority)

    def test_an_expired_certificate_is_noticed(self, server: SimulatorServer, authority: CertificateAuthority) -> None:
        server.use_certificate(authority.issue(expired=True))
        with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
            self.shake_hands(server, authority)

    def test_a_silent_server_does_not_even_shake_hands(
        self, server: SimulatorServer, authority: CertificateAuthority
    ) -> None:
        server.faults.silent_connections = True
        with pytest.raises(TimeoutError):
            self.shake_hands(server, authority, timeout=0.3)

    def test_somebody_who_speaks_no_tls_does_no_harm(
        self, server: SimulatorServer, authority: CertificateAuthority
    ) -> None:
        with suppress(ConnectionResetError):
            assert not talk(server, b"GET / HTTP/1.1\r\n\r\n").startswith(b"HTTP/1.1 200")
        self.shake_hands(server, authority)
