"""The benchmark's HTTP client and its flows: they count what happened, and notice when an answer is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from benchmarks.driver import Flow, SocketDriver, UnexpectedAnswer, parse_answer
from benchmarks.scenarios import hidden_fields


class Greeter(BaseHTTPRequestHandler):
    """Answers every GET with its own path."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        body = self.path.encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Greeter) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield "127.0.0.1", server.server_address[1]
        server.shutdown()
        thread.join()


def ask_for(path: str, expected: bytes) -> Flow:
    answer = yield f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()
    if answer.body != expected:
        raise UnexpectedAnswer(f"got {answer.body!r}")


def test_every_flow_is_run_once_and_counted(address: tuple[str, int]) -> None:
    flows = iter([ask_for(f"/{number}", f"/{number}".encode()) for number in range(50)])
    measurement = SocketDriver(address, 4, lambda: 0.0).run(lambda: next(flows, None), 30.0)
    assert len(measurement.latencies) == 50
    assert measurement.failures == []
    assert measurement.rate > 0


def test_a_wrong_answer_is_a_failure_and_the_others_go_on(address: tuple[str, int]) -> None:
    flows = iter([ask_for("/right", b"/right"), ask_for("/wrong", b"/right"), ask_for("/right", b"/right")])
    measurement = SocketDriver(address, 1, lambda: 0.0).run(lambda: next(flows, None), 30.0)
    assert len(measurement.latencies) == 2
    assert measurement.failures == ["got b'/wrong'"]


def test_no_flow_starts_when_time_is_up(address: tuple[str, int]) -> None:
    measurement = SocketDriver(address, 2, lambda: 0.0).run(lambda: ask_for("/late", b"/late"), 0.0)
    assert measurement.latencies == []


def test_processor_time_is_what_the_clock_says_between_start_and_end(address: tuple[str, int]) -> None:
    readings = iter([3.0, 5.0])
    flows = iter([ask_for("/a", b"/a")])
    measurement = SocketDriver(address, 1, lambda: next(readings)).run(lambda: next(flows, None), 30.0)
    assert (measurement.cpu_seconds, measurement.cpu_rate) == (2.0, 0.5)


def test_only_the_loopback_interface_can_be_a_target() -> None:
    with pytest.raises(ValueError, match="loopback"):
        SocketDriver(("192.0.2.1", 80), 1, lambda: 0.0)


@pytest.mark.parametrize(
    ("data", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", b"hello"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3;x=1\r\nllo\r\n0\r\n\r\n", b"hello"),
        (b"HTTP/1.1 302 Found\r\nLocation: /\r\n\r\n", b""),
    ],
)
def test_an_answer_is_read_when_it_is_complete_and_not_before(data: bytes, body: bytes) -> None:
    answer = parse_answer(data)
    assert answer is not None
    assert answer.body == body
    assert [parse_answer(data[:length]) for length in range(len(data) - 3)] == [None] * (len(data) - 3)


def test_headers_are_found_whatever_their_case_and_removed_cookies_are_empty() -> None:
    answer = parse_answer(
        b"HTTP/1.1 303 See Other\r\nLOCATION: https://a.example/\r\nSet-Cookie: tgc=1; Path=/\r\n"
        b"set-cookie: old=x; Max-Age=0\r\nContent-Length: 0\r\n\r\n"
    )
    assert answer is not None
    assert (answer.status, answer.header("Location")) == (303, "https://a.example/")
    assert answer.cookies() == {"tgc": "1", "old": ""}


def test_hidden_fields_are_those_of_the_form_that_asks_for_a_password() -> None:
    page = (
        b'<form action=\'/language\'><input type="hidden" name="language" value="de"></form>'
        b'<form method="post"><input type="hidden" name="execution" value="a&amp;b">'
        b'<input value="" name="lt" type="hidden"><input name="username"><input type="password" name="password"></form>'
    )
    assert hidden_fields(page) == {"execution": "a&b", "lt": ""}


def test_a_page_without_a_login_form_is_noticed() -> None:
    with pytest.raises(UnexpectedAnswer, match="without a login form"):
        hidden_fields(b"<form><input name='search'></form>")
