"""Clients that send forms byte by byte to a ``casduo serve`` without a proxy, and honest people beside them."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import requests

from casduo.bodies import AT_ONCE, DEADLINE
from casduo.simulators.certificates import CertificateAuthority
from tests.security.slow_clients import slow_body
from tests.support.served import Served, serving_alone
from tests.support.site import LIBRARY
from tests.support.visitor import Visitor
from tests.support.waiting import PATIENCE, until

_THREADS = 8


@pytest.fixture(scope="module", params=["granian", "gunicorn", "gunicorn-tls"])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, authority: CertificateAuthority
) -> Iterator[Served]:
    server, _, secure = request.param.partition("-")
    tls = authority.issue() if secure else None
    with serving_alone(tmp_path_factory.mktemp(request.param), tls=tls, server=server, threads=_THREADS) as found:
        yield found


def breaks_off(served: Served) -> bool:
    """Whether the server lets us stop reading, which gunicorn does and granian does not."""
    return '"server":"gunicorn"' in served.log.read_text(encoding="utf-8")


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as found:
        yield found


def connect(served: Served, stack: ExitStack) -> socket.socket:
    connection = stack.enter_context(socket.create_connection(served.address, timeout=PATIENCE))
    if not served.ca:
        return connection
    context = ssl.create_default_context(cafile=served.ca)
    return stack.enter_context(context.wrap_socket(connection, server_hostname="localhost"))


def begins(served: Served, stack: ExitStack) -> socket.socket:
    """Somebody who has sent the head of a form and a byte of its body."""
    connection = connect(served, stack)
    connection.sendall(slow_body(0) + b"a")
    return connection


def goes_on(connection: socket.socket) -> bytes:
    """Send a byte now and then until there is an answer. Returns its beginning."""
    connection.settimeout(0.3)
    answer = b""
    began = time.monotonic()
    while time.monotonic() - began < PATIENCE and b"\r\n\r\n" not in answer:
        try:
            received = connection.recv(65536)
        except TimeoutError:
            connection.sendall(b"a")
            continue
        if not received:
            break
        answer += received
    return answer


def is_answered(connection: socket.socket) -> bool:
    connection.settimeout(0.01)
    try:
        return connection.recv(1, socket.MSG_PEEK) != b""
    except TimeoutError:
        return False


def sign_in(served: Served) -> str:
    """Sign ada in and return where she is led with her ticket."""
    with Visitor(served.ca) as ada:
        page = ada.step(f"{served.url}login?service={requests.utils.quote(LIBRARY, safe='')}")
        return ada.submit(page).headers["Location"]


def test_forms_that_come_slowly_leave_half_of_the_threads_to_others(served: Served, stack: ExitStack) -> None:
    """CVE-2007-6750: more than there are threads. Others are answered; with gunicorn whoever signs in at once too."""
    slow = [begins(served, stack) for _ in range(4 * _THREADS)]
    for _ in range(5):
        assert requests.get(f"{served.url}login", verify=served.ca or None, timeout=PATIENCE).ok
        if breaks_off(served):
            assert "ticket=ST-" in sign_in(served)

    if breaks_off(served):
        answers = [goes_on(connection) for connection in slow]
        assert {answer[9:12] for answer in answers} == {b"503", b"408"}
    else:
        until(lambda: len([one for one in slow if is_answered(one)]) == 7 * _THREADS // 2, "all others are refused")
        answers = [one.recv(65536) for one in slow if is_answered(one)]
        assert {answer[9:12] for answer in answers} == {b"503"}
    for answer in answers:
        assert (b"\r\nretry-after: 5\r\n" in answer.lower()) == answer.startswith(b"HTTP/1.1 503")


def test_a_form_that_stops_coming_is_given_up_after_a_while(served: Served, stack: ExitStack) -> None:
    """CVE-2007-6750: nothing more comes. With gunicorn whoever sent it is told; granian goes on until they hang up."""
    began = time.monotonic()
    connection = begins(served, stack)
    if not breaks_off(served):
        connection.settimeout(2 * AT_ONCE)
        with pytest.raises(TimeoutError):
            connection.recv(12)
        return
    assert connection.recv(12) == b"HTTP/1.1 408"
    assert time.monotonic() - began >= DEADLINE - AT_ONCE


def test_a_form_that_takes_a_moment_is_taken(served: Served, stack: ExitStack) -> None:
    """CVE-2007-6750: what holds slow ones off holds nobody off whose form takes a second when all is quiet."""
    connection = connect(served, stack)
    body = b"username=ada&password=guess"
    length = b"Content-Length: %d\r\n\r\n" % len(body)
    connection.sendall(slow_body(0).partition(b"Content-Length")[0] + length + body[:9])
    time.sleep(3 * AT_ONCE)
    connection.sendall(body[9:])
    assert connection.recv(12) in (b"HTTP/1.1 200", b"HTTP/1.1 400")
