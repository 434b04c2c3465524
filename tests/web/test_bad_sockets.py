"""Requests as no decent client sends them, byte by byte over real sockets."""

from __future__ import annotations

import socket
from contextlib import ExitStack, suppress
from urllib.parse import urlencode

import pytest

from casduo.openfiles import ask_for_open_files
from tests.support.raw import FORM, exchange
from tests.support.served import Served
from tests.support.wires import envelope


def request(path: str, *headers: str, method: str = "POST", body: bytes = b"", version: str = "1.1") -> bytes:
    lines = [f"{method} {path} HTTP/{version}", "Host: localhost", "Connection: close", *headers]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body


LIBRARY = "https://library.example.edu/"
FORM_HEADER = f"Content-Type: {FORM}"
SAML = "/cas/samlValidate"
MACHINES = {
    **dict.fromkeys(
        ("/cas/serviceValidate", "/cas/proxyValidate", "/cas/p3/serviceValidate", "/cas/p3/proxyValidate"),
        urlencode({"service": LIBRARY, "ticket": "ST-1"}).encode(),
    ),
    "/cas/proxy": urlencode({"targetService": LIBRARY, "pgt": "PGT-1"}).encode(),
    SAML: envelope("ST-1"),
}
"""Applications' addresses but that of CAS 1.0, which knows one failure only, and a body that can be read."""
every_machine = pytest.mark.parametrize("path", MACHINES)


def target(path: str) -> str:
    return f"{path}?{urlencode({'TARGET': LIBRARY})}" if path == SAML else path


def post(path: str, *headers: str, body: bytes) -> bytes:
    return request(target(path), "Content-Type: text/xml" if path == SAML else FORM_HEADER, *headers, body=body)


def unreadable(answer: bytes) -> bool:
    assert answer.startswith(b"HTTP/1.1 200 ")
    return b"INVALID_REQUEST" in answer or b"samlp:Requester" in answer


def refused(answer: bytes) -> bool:
    assert answer.startswith(b"HTTP/1.1 200 ")
    return b"INVALID_TICKET" in answer or b"samlp:RequestDenied" in answer


@every_machine
def test_the_length_decides_where_a_body_ends(served: Served, path: str) -> None:
    body = MACHINES[path]
    assert refused(exchange(served.address, post(path, f"Content-Length: {len(body)}", body=body)))
    for length in (3, 0):
        assert unreadable(exchange(served.address, post(path, f"Content-Length: {length}", body=body)))


@every_machine
def test_a_body_shorter_than_announced_is_an_invalid_request(served: Served, path: str) -> None:
    body = MACHINES[path]
    announced = post(path, f"Content-Length: {len(body) + 50}", body=body)
    assert unreadable(exchange(served.address, announced, half_close=True))


@every_machine
@pytest.mark.parametrize("length", ["-1", "abc", "1 1", "0x10"])
def test_a_length_that_is_none_never_reaches_us(served: Served, length: str, path: str) -> None:
    answer = exchange(served.address, post(path, f"Content-Length: {length}", body=MACHINES[path]))
    assert answer.startswith(b"HTTP/1.1 400 ")


@every_machine
def test_a_chunked_body_is_an_invalid_request(served: Served, path: str) -> None:
    body = MACHINES[path]
    chunks = f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n"
    assert unreadable(exchange(served.address, post(path, "Transfer-Encoding: chunked", body=chunks)))


def push(address: tuple[str, int], data: bytes) -> bytes:
    """Send as much of ``data`` as the server lets us, and return what it says."""
    with socket.create_connection(address, timeout=20) as connection:
        with suppress(BrokenPipeError, ConnectionResetError):
            connection.sendall(data)
        received = b""
        with suppress(ConnectionResetError):
            while chunk := connection.recv(65536):
                received += chunk
        return received


@pytest.mark.parametrize("size", [1_000_000, 10_000_000])
def test_megabytes_are_refused_without_being_kept(served: Served, size: int) -> None:
    body = b"password=" + b"a" * size
    answer = push(served.address, request("/cas/login", FORM_HEADER, f"Content-Length: {len(body)}", body=body))
    assert answer.startswith(b"HTTP/1.1 413 ")
    answer = push(served.address, request("/cas/login?service=" + "a" * size, method="GET"))
    assert answer[9:12] in (b"413", b"414", b"431", b"400")


@every_machine
@pytest.mark.parametrize("size", [1_000_000, 10_000_000])
def test_megabytes_from_an_application_are_an_invalid_request(served: Served, path: str, size: int) -> None:
    body = MACHINES[path] + b" " * size
    assert unreadable(push(served.address, post(path, f"Content-Length: {len(body)}", body=body)))


@every_machine
def test_megabytes_in_chunks_are_an_invalid_request(served: Served, path: str) -> None:
    chunk = f"{1_000_000:x}\r\n".encode() + b"a" * 1_000_000 + b"\r\n"
    body = chunk * 10 + b"0\r\n\r\n"
    assert unreadable(push(served.address, post(path, "Transfer-Encoding: chunked", body=body)))


def test_the_oldest_http_is_spoken(served: Served) -> None:
    answer = exchange(served.address, b"GET /cas/validate?service=x HTTP/1.0\r\n\r\n")
    assert answer.startswith(b"HTTP/1.0 200 ")
    assert answer.endswith(b"\r\n\r\nno\n\n")


@pytest.mark.parametrize(
    ("line", "statuses"),
    [
        (b"GET /cas/../cas/login HTTP/1.1", (b"404", b"400")),
        (b"GET //evil.example.com/cas/login HTTP/1.1", (b"404", b"400")),
        (b"GET /cas/%2e%2e/cas/login HTTP/1.1", (b"404", b"400")),
        (b"GET /cas/static/..%2f..%2fetc/passwd HTTP/1.1", (b"404", b"400")),
        (b"GET /cas/%00login HTTP/1.1", (b"404", b"400")),
        (b"GET /cas/%ff%zz HTTP/1.1", (b"404", b"400")),
        (b"GET /cas/\xff HTTP/1.1", (b"404", b"400")),
        (b"GET /cas/login?service=https://library.example.edu/\xff HTTP/1.1", (b"400",)),
        (b"GET http://evil.example.com/cas/login HTTP/1.1", (b"200",)),
        (b"GET http://evil.example.com/ HTTP/1.1", (b"302",)),
        (b"OPTIONS * HTTP/1.1", (b"404", b"400", b"405")),
        (b"BREW /cas/login HTTP/1.1", (b"405", b"400")),
        (b"nonsense", (b"400",)),
    ],
)
def test_request_lines_from_elsewhere(served: Served, line: bytes, statuses: tuple[bytes, ...]) -> None:
    answer = exchange(served.address, line + b"\r\nHost: evil.example.com\r\nConnection: close\r\n\r\n")
    assert answer[9:12] in statuses
    assert b"ocation: http" not in answer
    assert b"Traceback" not in answer
    assert b"root:" not in answer


def test_broken_cookies_over_a_socket(served: Served) -> None:
    head = b"GET /cas/login HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    for cookie in (b"TGC-casduo=\xff\xfe; casduo-flow=\xe2\x82", b"x=\x80", b"TGC-casduo=" + b"A" * 20_000):
        answer = exchange(served.address, head + b"Cookie: " + cookie + b"\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ")


def test_the_server_is_still_well(served: Served) -> None:
    assert exchange(served.address, b"GET /cas/readyz HTTP/1.0\r\n\r\n").endswith(b"ok\n")
    log = served.log.read_text()
    assert "Traceback" not in log
    assert '"code":"UNEXPECTED"' not in log


def test_more_than_a_thousand_idle_connections_keep_nobody_out(served: Served) -> None:
    """Each of them has been answered once and is kept, as browsers do that look for news every few seconds."""
    idle = min(1300, ask_for_open_files(2000) - 300)
    kept = b"GET /cas/healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with ExitStack() as stack:
        for _ in range(idle):
            connection = stack.enter_context(socket.create_connection(served.address, timeout=10))
            connection.sendall(kept)
            assert connection.recv(12) == b"HTTP/1.1 200"
