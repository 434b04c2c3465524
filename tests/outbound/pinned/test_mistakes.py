"""Pinned requests: our own mistakes are told as such, and no failure tells a secret."""

from __future__ import annotations

import logging
import socket
import traceback
from typing import Any

import pytest

from casduo.errors import UpstreamMisconfigured
from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from tests.outbound.pinned.peers import Client, Names, after_request, failure_of, hold, serve_fine

SECRET = "PGT-a1B2-4711"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://",
        "https:///a",
        "https:portal.example.edu",
        "ftp://localhost/",
        "//localhost/",
        "https://ada@localhost/",
        "https://ada:lovelace@localhost/",
        "https://localhost/#part",
        "https://localhost#",
        "https://localhost:0/",
        "https://localhost:65536/",
        "https://localhost:/",
        "https://localhost:443a/",
        "https://local host/",
        "https://localhost/a b",
        "https://localhost/a\r\nHost: other",
        "https://localhost/a\n",
        "https://localhost\\@other/",
        "https://local%68ost/",
        "https://münchen.example.edu/",
        "https://localho\u017ft/",
        "https://localhost/ü",
        "https://[::1%25lo]/",
        "https://[127.0.0.1]/",
        "https://[cafe.bad]/",
        "https://[::1/",
        "https://::1/",
        "https://.localhost:1/",
    ],
)
def test_a_url_that_is_not_plain_and_whole_is_our_mistake(client: Client, listen: Any, url: str) -> None:
    port = listen("127.0.0.1").getsockname()[1]
    http = client(resolve=Names(["127.0.0.1"]))
    failure = failure_of(lambda: http.send("GET", url.replace(":1/", f":{port}/"), private=True, plain_http=True))
    assert (type(failure), failure.detail) == (UpstreamMisconfigured, "request")


def test_http_is_not_spoken_unless_allowed(make_peer: Any, client: Client) -> None:
    peer = make_peer(serve_fine)
    failure = failure_of(lambda: client().send("GET", peer.url, private=True))
    assert (type(failure), failure.detail) == (UpstreamMisconfigured, "request")
    peer.close()
    assert peer.connections == 0


def test_a_header_that_would_be_two_is_our_mistake(make_peer: Any, client: Client) -> None:
    peer, header = make_peer(serve_fine), {"Content-Type": f"text/plain\r\nX-Ticket: {SECRET}"}
    failure = failure_of(lambda: client().send("GET", peer.url, headers=header, private=True, plain_http=True))
    assert (type(failure), failure.detail) == (UpstreamMisconfigured, "request")


def quoting(peer: Any, connection: socket.socket) -> None:
    connection.sendall(peer.read_request(connection).encode())


@pytest.mark.parametrize(
    "case", ["refused", "dns", "untrusted", "unreadable", "reset", "deadline", "address", "malformed"]
)
def test_no_failure_and_no_log_line_quotes_the_query(
    case: str,
    make_peer: Any,
    client: Client,
    free_port: int,
    leaf: LeafFiles,
    stranger: CertificateAuthority,
    caplog: pytest.LogCaptureFixture,
) -> None:
    base = {
        "refused": lambda: f"https://127.0.0.1:{free_port}",
        "dns": lambda: "https://nobody.invalid",
        "untrusted": lambda: make_peer(serve_fine, stranger.issue()).url,
        "unreadable": lambda: make_peer(quoting, leaf).url,
        "reset": lambda: make_peer(lambda peer, connection: bool(peer.read_request(connection)), leaf).url,
        "deadline": lambda: make_peer(after_request(hold), leaf).url,
        "address": lambda: "https://169.254.169.254",
        "malformed": lambda: "https://localhost/ ",
    }[case]()
    with caplog.at_level(logging.DEBUG):
        failure = failure_of(lambda: client(deadline=0.5).send("GET", f"{base}/?pgtId={SECRET}", private=True))
    told = [str(failure), repr(failure), caplog.text, *traceback.format_exception(failure)]
    assert not [text for text in told if "4711" in text]
