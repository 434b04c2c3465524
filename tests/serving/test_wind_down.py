"""The end of ``casduo serve`` while somebody is in hand: checks are answered until they are."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.faults.stage import Node, on_stage
from tests.support.standstill import Standstill, Visit
from tests.support.waiting import PATIENCE, until

_DRAIN = 1
_CLOSED_BY_THEN = _DRAIN + 3.0
"""Seconds after SIGTERM at which nobody would listen any more, were nobody in hand."""
_SERVERS = pytest.mark.parametrize("server", ["granian", "gunicorn"])


@contextmanager
def node(directory: Path, standstill: Standstill, server: str, shutdown: float = 2 * PATIENCE) -> Iterator[Node]:
    settings = f"server: {server}, threads: 4, shutdown: {shutdown}s"
    with on_stage(directory, "", worker=False, server=settings, handlers=standstill.handler, drain=_DRAIN) as stage:
        yield stage.nodes[0]


def check(node: Node) -> int:
    """Ask as a proxy does. Returns 0 where nobody listens."""
    try:
        return requests.get(f"{node.base}readyz?otherwise=404", timeout=PATIENCE).status_code
    except requests.ConnectionError:
        return 0


def terminate(node: Node) -> float:
    """Ask it to end, and return when."""
    os.kill(node.running.pid, signal.SIGTERM)
    asked = time.monotonic()
    until(lambda: check(node) == 404, "it drains")
    return asked


@_SERVERS
def test_checks_are_answered_until_those_in_hand_are(tmp_path: Path, server: str) -> None:
    with Standstill() as standstill, node(tmp_path, standstill, server) as ending:
        visit = Visit(standstill, ending.base)
        asked = terminate(ending)
        while time.monotonic() < asked + _CLOSED_BY_THEN:
            assert check(ending) == 404
            time.sleep(0.2)
        assert not visit.is_over

        standstill.release()
        visit.ends()
        assert visit.status == 503
        assert "Passwords cannot be checked right now" in visit.page
        assert ending.running.wait(PATIENCE) == 0


@_SERVERS
def test_nobody_is_waited_for_longer_than_the_settings_say(tmp_path: Path, server: str) -> None:
    with Standstill() as standstill, node(tmp_path, standstill, server, shutdown=2) as ending:
        visit = Visit(standstill, ending.base)
        terminate(ending)
        ending.running.wait(PATIENCE)
        visit.ends()
        assert visit.status == 0


@_SERVERS
def test_a_second_signal_ends_the_wait(tmp_path: Path, server: str) -> None:
    with Standstill() as standstill, node(tmp_path, standstill, server) as ending:
        visit = Visit(standstill, ending.base)
        asked = terminate(ending)
        until(lambda: time.monotonic() > asked + _CLOSED_BY_THEN, "the time to drain is over")
        assert check(ending) == 404

        os.kill(ending.running.pid, signal.SIGTERM)
        until(lambda: check(ending) == 0, "nobody listens")
        assert not visit.is_over

        standstill.release()
        visit.ends()
        assert visit.status == 503
        assert ending.running.wait(PATIENCE) == 0
