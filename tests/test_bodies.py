"""Bodies that come slowly, from connections that a test fills."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from io import BytesIO
from typing import Any

import pytest

from casduo.bodies import Bodies
from casduo.errors import BadRequest, UpstreamBusy
from tests.support.waiting import PATIENCE, until


class Sender:
    """Sends a body of ten bytes when the test says so. ``plain`` is the environment of a server that keeps its socket
    to itself.
    """

    def __init__(self, stack: ExitStack) -> None:
        self._near, self._far = (stack.enter_context(end) for end in socket.socketpair())
        self.plain = {"wsgi.input": stack.enter_context(self._far.makefile("rb"))}
        self.environ = {**self.plain, "gunicorn.socket": self._far}

    def sends(self) -> None:
        self._near.sendall(b"0123456789")

    def hangs_up(self) -> None:
        self._near.sendall(b"01")
        self._near.close()


@pytest.fixture
def senders() -> Iterator[list[Sender]]:
    with ExitStack() as stack:
        yield [Sender(stack) for _ in range(3)]


def begin(bodies: Bodies, environ: dict[str, Any]) -> tuple[threading.Thread, list[Any]]:
    told: list[Any] = []

    def read() -> None:
        try:
            told.append(bodies.read(environ, 10))
        except (BadRequest, UpstreamBusy) as error:
            told.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread, told


def test_a_body_that_is_there_is_read() -> None:
    bodies = Bodies(1)
    assert [bodies.read({"wsgi.input": BytesIO(b"0123456789")}, 10) for _ in range(100)] == [b"0123456789"] * 100


def test_what_reading_raises_is_raised() -> None:
    class Broken:
        def read(self, size: int) -> bytes:
            raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        Bodies(1).read({"wsgi.input": Broken()}, 10)


def test_those_that_come_slowly_have_their_places_and_one_more_is_refused(senders: list[Sender]) -> None:
    bodies = Bodies(2, at_once=0.1, deadline=PATIENCE)
    slow = [begin(bodies, sender.environ) for sender in senders[:2]]
    until(lambda: bodies.waiting == 2, "both wait")
    with pytest.raises(UpstreamBusy):
        bodies.read(senders[2].environ, 10)

    # Whose body comes at once is read all the same.
    quick = {"wsgi.input": BytesIO(b"0123456789"), "gunicorn.socket": None}
    assert bodies.read(quick, 10) == b"0123456789"
    for sender in senders[:2]:
        sender.sends()
    for thread, told in slow:
        thread.join(PATIENCE)
        assert told == [b"0123456789"]
    assert bodies.waiting == 0


def test_a_body_that_comes_too_late_is_not_waited_for(senders: list[Sender]) -> None:
    bodies = Bodies(2, at_once=0.05, deadline=0.2)
    with pytest.raises(BadRequest) as refused:
        bodies.read(senders[0].environ, 10)
    assert refused.value.reason == "too_slow"
    assert bodies.waiting == 0


def test_what_came_of_a_body_that_was_cut_off_is_returned(senders: list[Sender]) -> None:
    senders[0].hangs_up()
    assert Bodies(2).read(senders[0].environ, 10) == b"01"


def test_where_reading_cannot_be_broken_off_all_count_that_are_read(senders: list[Sender]) -> None:
    bodies = Bodies(2, at_once=0.0, deadline=0.0)
    slow = [begin(bodies, sender.plain) for sender in senders[:2]]
    until(lambda: bodies.waiting == 2, "both are read")
    with pytest.raises(UpstreamBusy):
        bodies.read(senders[2].plain, 10)
    for sender in senders[:2]:
        sender.sends()
    for thread, told in slow:
        thread.join(PATIENCE)
        assert told == [b"0123456789"]
    assert bodies.waiting == 0
