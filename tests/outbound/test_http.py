from __future__ import annotations

import logging
import socket
import ssl
import struct
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import urllib3

from casduo.errors import UpstreamError, UpstreamMisconfigured, UpstreamUnavailable
from casduo.outbound.failures import UpstreamUntrusted
from casduo.outbound.http import HttpClient, HttpSettings, UpstreamUnreached, transport_failure
from casduo.simulators.certificates import CertificateAuthority

FINE = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 4\r\n\r\nfine"

Client = Callable[..., HttpClient]


@pytest.fixture
def client() -> Iterator[Client]:
    made: list[HttpClient] = []

    def make(monotonic: Callable[[], float] | None = None, **settings: Any) -> HttpClient:
        times = {"connect_timeout": 5.0, "read_timeout": 5.0, "deadline": 10.0, **settings}
        clock = {} if monotonic is None else {"monotonic": monotonic}
        made.append(HttpClient("duo", HttpSettings(**times), **clock))
        return made[-1]

    yield make
    for each in made:
        each.close()


def serve_fine(peer: Any, connection: socket.socket) -> None:
    while peer.read_request(connection):
        connection.sendall(FINE)


def answering(answer: bytes) -> Callable[[Any, socket.socket], None]:
    """Answer every request of a connection with the same bytes, then hang up."""

    def serve(peer: Any, connection: socket.socket) -> None:
        if peer.read_request(connection):
            connection.sendall(answer)

    return serve


def reset(connection: socket.socket) -> None:
    """Close with a TCP reset instead of a polite end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def failure_of(call: Callable[[], object]) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        call()
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value


# -- answers ---------------------------------------------------------------------------------------------------------


def test_an_answer_has_status_headers_and_body(make_peer: Any, client: Client) -> None:
    answer = client().request("GET", make_peer(serve_fine).url)
    assert (answer.status, answer.reason, answer.body) == (200, "OK", b"fine")
    assert answer.headers["content-type"] == "text/plain"
    assert not answer.is_json


def test_connections_are_kept_and_used_again(make_peer: Any, client: Client) -> None:
    peer, http = make_peer(serve_fine), client()
    for _ in range(5):
        http.request("POST", peer.url, form={"a": "1"})
    assert peer.connections == 1


def test_chunked_answers_are_put_together_and_the_connection_is_kept(make_peer: Any, client: Client) -> None:
    def serve(peer: Any, connection: socket.socket) -> None:
        while peer.read_request(connection):
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            connection.sendall(b"4\r\nfine\r\n6\r\n, too.\r\n0\r\n\r\n")

    peer, http = make_peer(serve), client()
    assert [http.request("GET", peer.url).body for _ in range(2)] == [b"fine, too.", b"fine, too."]
    assert peer.connections == 1


def test_forms_and_bodies_are_sent_as_given(make_peer: Any, client: Client) -> None:
    peer, http = make_peer(serve_fine), client()
    http.request("POST", peer.url, form={"name": "zoë & co", "plus": "a+b"})
    http.request("POST", peer.url, body='{"name":"zoë"}', headers={"Content-Type": "application/json"})
    assert peer.requests[0].endswith("\r\n\r\nname=zo%C3%AB+%26+co&plus=a%2Bb")
    assert peer.requests[1].encode("latin-1").endswith('\r\n\r\n{"name":"zoë"}'.encode())


def test_a_body_is_announced_also_where_there_is_none(make_peer: Any, client: Client) -> None:
    peer = make_peer(serve_fine)
    client().request("POST", peer.url)
    assert "content-length: 0" in peer.requests[0].lower()


def test_the_upstream_is_told_who_calls_unless_the_caller_says_so(make_peer: Any, client: Client) -> None:
    peer, http = make_peer(serve_fine), client()
    http.request("GET", peer.url)
    http.request("GET", peer.url, headers={"User-Agent": "Duo API Python"})
    assert "\r\nuser-agent: casduo\r\n" in peer.requests[0].lower()
    assert peer.requests[1].lower().count("user-agent:") == 1


def test_a_fragment_stays_here(make_peer: Any, client: Client) -> None:
    peer = make_peer(serve_fine)
    client().request("GET", f"{peer.url}/page?a=%20b#top")
    assert peer.requests[0].startswith("GET /page?a=%20b HTTP/1.1\r\n")


def test_redirects_are_answers_and_not_followed(make_peer: Any, client: Client) -> None:
    peer = make_peer(answering(b"HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"))
    assert client().request("GET", peer.url).status == 302
    assert len(peer.requests) == 1


def test_cookies_are_not_kept(make_peer: Any, client: Client) -> None:
    def serve(peer: Any, connection: socket.socket) -> None:
        while peer.read_request(connection):
            connection.sendall(FINE.replace(b"\r\n\r\n", b"\r\nSet-Cookie: a=1; Path=/\r\n\r\n"))

    peer, http = make_peer(serve), client()
    http.request("GET", peer.url)
    http.request("GET", peer.url)
    assert "cookie" not in peer.requests[1].lower()


@pytest.mark.usefixtures("netrc")
def test_the_environment_has_no_say(
    make_peer: Any, client: Client, authority: CertificateAuthority, free_port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://localhost:{free_port}")
        monkeypatch.setenv(name.lower(), f"http://localhost:{free_port}")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(authority.ca_file))
    peer = make_peer(serve_fine)
    client().request("GET", peer.url)
    assert "authorization" not in peer.requests[0].lower()
    secure = make_peer(serve_fine, authority.issue())
    assert isinstance(failure_of(lambda: client().request("GET", secure.url)), UpstreamUntrusted)


# -- outages ---------------------------------------------------------------------------------------------------------


def test_a_closed_port_is_refused(client: Client, free_port: int) -> None:
    failure = failure_of(lambda: client().request("GET", f"http://localhost:{free_port}/"))
    assert (type(failure), failure.detail) == (UpstreamUnreached, "refused")


def test_a_name_that_does_not_resolve_is_dns(client: Client) -> None:
    failure = failure_of(lambda: client().request("GET", "http://nobody.invalid/"))
    assert (type(failure), failure.detail) == (UpstreamUnreached, "dns")


def test_silence_is_a_timeout(make_peer: Any, client: Client) -> None:
    peer = make_peer(lambda peer, connection: bool(peer.read_request(connection) and connection.recv(1)))
    failure = failure_of(lambda: client(read_timeout=0.05).request("GET", peer.url))
    assert (type(failure), failure.detail) == (UpstreamUnavailable, "timeout")


def test_silence_instead_of_a_handshake_is_a_timeout(make_peer: Any, client: Client) -> None:
    peer = make_peer(lambda _, connection: bool(connection.recv(1) and connection.recv(65536) and connection.recv(1)))
    http = client(connect_timeout=0.05, read_timeout=0.05)
    assert failure_of(lambda: http.request("GET", f"https://localhost:{peer.port}")).detail == "timeout"


def test_silence_within_the_body_is_a_timeout(make_peer: Any, client: Client) -> None:
    def serve(peer: Any, connection: socket.socket) -> None:
        peer.read_request(connection)
        connection.sendall(FINE[:-2])
        connection.recv(1)

    failure = failure_of(lambda: client(read_timeout=0.05).request("GET", make_peer(serve).url))
    assert failure.detail == "timeout"


@pytest.mark.parametrize(
    ("before", "drop"),
    [
        (b"X-More: ", b"x"),
        (b"Transfer-Encoding: chunked\r\n\r\n", b"0"),
        (b"Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n", b"X-More: x\r\n"),
    ],
    ids=["headers", "the size of a chunk", "trailers"],
)
def test_lines_that_drip_end_at_the_deadline(make_peer: Any, client: Client, before: bytes, drop: bytes) -> None:
    ticks = iter(range(1000))

    def serve(peer: Any, connection: socket.socket) -> None:
        peer.read_request(connection)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(b"HTTP/1.1 200 OK\r\n" + before)
        while True:
            connection.sendall(drop)
            time.sleep(0.005)

    # Each read costs a second. A line that is too long for HTTP comes later.
    http = client(monotonic=lambda: float(next(ticks)), deadline=5.0)
    assert failure_of(lambda: http.request("GET", make_peer(serve).url)).detail == "deadline"


def test_a_body_that_drips_ends_at_the_deadline(make_peer: Any, client: Client) -> None:
    ticks = iter(range(1000))

    def serve(peer: Any, connection: socket.socket) -> None:
        peer.read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n")
        while True:
            connection.sendall(b"x")

    # Each look at this clock costs a second; the deadline comes long before the body's end.
    http = client(monotonic=lambda: float(next(ticks)), deadline=5.0, max_body=10**9)
    peer = make_peer(serve)
    assert failure_of(lambda: http.request("GET", peer.url)).detail == "deadline"


def test_a_body_over_the_cap_is_not_read_to_its_end(make_peer: Any, client: Client) -> None:
    def serve(peer: Any, connection: socket.socket) -> None:
        peer.read_request(connection)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65536)

    assert failure_of(lambda: client(max_body=100_000).request("GET", make_peer(serve).url)).detail == "too_large"


def test_compression_is_not_asked_for_and_not_undone(make_peer: Any, client: Client) -> None:
    peer = make_peer(answering(FINE.replace(b"text/plain", b"text/plain\r\nContent-Encoding: gzip")))
    assert client().request("GET", peer.url).body == b"fine"
    assert "accept-encoding: identity" in peer.requests[0].lower()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(FINE[:-2], id="body cut off"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfi", id="chunk cut off"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n", id="chunk size nonsense"),
        pytest.param(b"220 smtp.example.org ready\r\n", id="another protocol"),
    ],
)
def test_what_is_not_http_is_unreadable(make_peer: Any, client: Client, answer: bytes) -> None:
    failure = failure_of(lambda: client().request("GET", make_peer(answering(answer)).url))
    assert (type(failure), failure.detail) == (UpstreamUnavailable, "unreadable")


@pytest.mark.parametrize("polite", [True, False])
def test_hanging_up_before_the_answer_is_a_reset(make_peer: Any, client: Client, polite: bool) -> None:
    def serve(peer: Any, connection: socket.socket) -> None:
        peer.read_request(connection)
        if not polite:
            reset(connection)

    peer = make_peer(serve)
    assert failure_of(lambda: client().request("POST", peer.url)).detail == "reset"
    assert len(peer.requests) == 1


def test_a_repeatable_request_is_sent_once_more_after_a_reset(make_peer: Any, client: Client) -> None:
    def serve(peer: Any, connection: socket.socket) -> None:
        if peer.read_request(connection) and len(peer.requests) > 1:
            connection.sendall(FINE)

    peer = make_peer(serve)
    assert client().request("POST", peer.url, repeatable=True).body == b"fine"
    assert len(peer.requests) == 2


def test_a_repeatable_request_is_not_sent_a_third_time(make_peer: Any, client: Client) -> None:
    peer = make_peer(lambda peer, connection: bool(peer.read_request(connection)))
    assert failure_of(lambda: client().request("GET", peer.url, repeatable=True)).detail == "reset"
    assert len(peer.requests) == 2


# -- trust -----------------------------------------------------------------------------------------------------------


def test_an_extra_authority_is_trusted(make_peer: Any, client: Client, authority: CertificateAuthority) -> None:
    peer = make_peer(serve_fine, authority.issue())
    assert client(extra_ca_file=str(authority.ca_file)).request("GET", peer.url).status == 200


def test_an_address_may_stand_in_the_certificate(
    make_peer: Any, client: Client, authority: CertificateAuthority
) -> None:
    peer = make_peer(serve_fine, authority.issue())
    http = client(extra_ca_file=str(authority.ca_file))
    assert http.request("GET", f"https://127.0.0.1:{peer.port}").status == 200


def test_pinned_authorities_replace_the_others(
    make_peer: Any, client: Client, authority: CertificateAuthority, stranger: CertificateAuthority
) -> None:
    ours, theirs = make_peer(serve_fine, authority.issue()), make_peer(serve_fine, stranger.issue())
    http = client(ca_file=str(authority.ca_file))
    assert http.request("GET", ours.url).status == 200
    assert isinstance(failure_of(lambda: http.request("GET", theirs.url)), UpstreamUntrusted)


def test_urllib3_adds_no_authorities_of_its_own(
    client: Client, authority: CertificateAuthority, make_peer: Any
) -> None:
    http = client(ca_file=str(authority.ca_file))
    http.request("GET", make_peer(serve_fine, authority.issue()).url)
    context: ssl.SSLContext = http._connections.connection_pool_kw["ssl_context"]
    assert len(context.get_ca_certs()) == 1


@pytest.mark.parametrize(
    "leaf",
    [
        pytest.param(lambda _, stranger: stranger.issue(), id="another authority"),
        pytest.param(lambda ours, _: ours.issue(["duo.example"], localhost=False), id="another name"),
        pytest.param(lambda ours, _: ours.issue(expired=True), id="expired"),
    ],
)
def test_a_certificate_that_does_not_verify_is_never_an_outage(
    make_peer: Any, client: Client, authority: CertificateAuthority, stranger: CertificateAuthority, leaf: Any
) -> None:
    peer = make_peer(serve_fine, leaf(authority, stranger))
    failure = failure_of(lambda: client(extra_ca_file=str(authority.ca_file)).request("GET", peer.url))
    assert isinstance(failure, UpstreamUntrusted)
    assert isinstance(failure, UpstreamMisconfigured)
    assert not isinstance(failure, UpstreamUnavailable)
    assert peer.requests == []


def test_plain_http_where_tls_is_expected_is_never_an_outage(make_peer: Any, client: Client) -> None:
    def serve(_: Any, connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        connection.recv(65536)

    peer = make_peer(serve)
    failure = failure_of(lambda: client().request("GET", f"https://localhost:{peer.port}"))
    assert isinstance(failure, UpstreamUntrusted)


def test_hanging_up_during_the_handshake_is_a_reset(make_peer: Any, client: Client) -> None:
    peer = make_peer(lambda _, connection: bool(connection.recv(1)))
    failure = failure_of(lambda: client().request("GET", f"https://localhost:{peer.port}"))
    assert (type(failure), failure.detail) == (UpstreamUnreached, "reset")


@pytest.mark.parametrize("setting", ["ca_file", "extra_ca_file"])
@pytest.mark.parametrize("content", [None, "", "no certificate\n"])
def test_a_file_of_authorities_that_cannot_be_read_is_refused_at_once(
    tmp_path: Path, setting: str, content: str | None
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    settings: dict[str, Any] = {setting: str(file)}
    with pytest.raises(UpstreamMisconfigured) as caught:
        HttpClient("duo", HttpSettings(1.0, 1.0, 1.0, **settings))
    assert caught.value.detail == "ca_file"


# -- our own mistakes, and secrets -----------------------------------------------------------------------------------


@pytest.mark.parametrize("url", ["https://", "ftp://localhost/", "localhost/", "http://loc alhost/"])
def test_a_request_that_cannot_be_sent_is_our_mistake(client: Client, url: str) -> None:
    failure = failure_of(lambda: client().request("GET", url))
    assert (type(failure), failure.detail) == (UpstreamMisconfigured, "request")


@pytest.mark.parametrize("value", ["a\nb", "ö€"])
def test_a_header_that_cannot_be_sent_is_our_mistake(make_peer: Any, client: Client, value: str) -> None:
    peer = make_peer(serve_fine)
    failure = failure_of(lambda: client().request("GET", peer.url, headers={"Date": value}))
    assert (type(failure), failure.detail) == (UpstreamMisconfigured, "request")
    assert peer.requests == []


def test_a_connection_that_was_given_up_is_not_used_again(make_peer: Any, client: Client) -> None:
    def serve(peer: Any, connection: socket.socket) -> None:
        while peer.read_request(connection):
            connection.sendall(
                FINE.replace(b": 4", b": 4000").replace(b"fine", b"finer") if peer.connections == 1 else FINE
            )

    peer, http = make_peer(serve), client(max_body=4)
    assert failure_of(lambda: http.request("GET", peer.url)).detail == "too_large"
    assert http.request("GET", peer.url).body == b"fine"
    assert peer.connections == 2


def test_settings_do_not_show_the_proxys_password() -> None:
    assert "lovelace" not in repr(HttpSettings(1.0, 1.0, 1.0, proxy="http://ada:lovelace@proxy:3128"))


def test_answers_do_not_show_their_body_and_headers(make_peer: Any, client: Client) -> None:
    assert "fine" not in repr(client().request("GET", make_peer(serve_fine).url))


def test_log_lines_hold_no_query_strings(make_peer: Any, client: Client, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        client().request("GET", f"{make_peer(serve_fine).url}/auth_status?txid=45f7c92b")
    assert "/auth_status" in caplog.text
    assert "45f7c92b" not in caplog.text


def test_errors_do_not_quote_the_url(client: Client, free_port: int) -> None:
    failure = failure_of(lambda: client().request("GET", f"http://localhost:{free_port}/?code=4711"))
    assert "4711" not in str(failure)
    assert "4711" not in repr(failure)


# -- exceptions of the libraries, as they have been seen -------------------------------------------------------------


def wrapped(error: Exception) -> requests.ConnectionError:
    pool: Any = None
    return requests.ConnectionError(urllib3.exceptions.MaxRetryError(pool, "/?code=4711", error))


@pytest.mark.parametrize(
    ("error", "detail"),
    [
        (requests.ConnectTimeout(), "timeout"),
        (requests.ReadTimeout(), "timeout"),
        (TimeoutError(), "timeout"),
        (socket.gaierror(-2, "Name or service not known"), "dns"),
        (ConnectionRefusedError(), "refused"),
        (ConnectionResetError(), "reset"),
        (BrokenPipeError(), "reset"),
        (wrapped(ssl.SSLEOFError()), "reset"),
        (requests.exceptions.ProxyError(), "proxy"),
        (requests.exceptions.ChunkedEncodingError(), "unreadable"),
        (requests.ConnectionError(), "connection"),
        (OSError(101, "Network is unreachable"), "connection"),
    ],
)
def test_outages(error: Exception, detail: str) -> None:
    failure = transport_failure("duo", error)
    assert (type(failure), failure.detail) == (UpstreamUnavailable, detail)


@pytest.mark.parametrize(
    "error",
    [
        ssl.SSLCertVerificationError(),
        ssl.SSLError(1, "WRONG_VERSION_NUMBER"),
        requests.exceptions.SSLError(),
        wrapped(urllib3.exceptions.SSLError(ssl.SSLCertVerificationError())),
    ],
)
def test_broken_trust(error: Exception) -> None:
    assert isinstance(transport_failure("duo", error), UpstreamUntrusted)


@pytest.mark.parametrize(
    ("error", "detail"),
    [(FileNotFoundError(), "ca_file"), (requests.exceptions.InvalidURL(), "request")],
)
def test_our_own_mistakes(error: Exception, detail: str) -> None:
    failure = transport_failure("duo", error)
    assert (type(failure), failure.detail) == (UpstreamMisconfigured, detail)


def test_what_the_caller_was_busy_with_is_not_taken_for_the_cause() -> None:
    error = TimeoutError()
    error.__context__ = ssl.SSLCertVerificationError()
    assert transport_failure("duo", error).detail == "timeout"
