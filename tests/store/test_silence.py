"""A Redis that stands still holds one request a second, and no others."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from casduo.errors import UpstreamUnavailable
from casduo.store import Store
from casduo.store.silence import PAUSE, Silence
from casduo.store.store import client_for
from tests.support.redis_servers import CountingRelay, start_debian_redis
from tests.support.site import SetClock

TIMEOUT = 2.0
AT_ONCE = 0.5
"""Seconds, of a machine that is slow: far from the time-out."""


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[bytes], Store]]:
    process, url = start_debian_redis(tmp_path)
    store = Store(client_for(url, "", TIMEOUT, 16, ""))
    store.ping()
    yield process, store
    store.close()
    process.kill()
    process.wait()


def refused_after(store: Store) -> float:
    """The seconds after which a request is refused."""
    began = time.monotonic()
    with pytest.raises(UpstreamUnavailable) as refused:
        store.ping()
    assert refused.value.detail == "TimeoutError"
    return time.monotonic() - began


def test_the_first_after_the_silence_began_tries_at_once_and_then_one_in_each_pause() -> None:
    clock = SetClock(1000.0)
    silence = Silence(clock)
    silence.begin(silence.heard)
    assert silence.lasts
    assert [silence.may_try() for _ in range(3)] == [True, False, False]
    # Those that began before it give up one after the other: nobody tries sooner or later for that.
    silence.begin(silence.heard)
    clock.advance(PAUSE)
    assert [silence.may_try() for _ in range(3)] == [True, False, False]
    silence.end()
    assert not silence.lasts


def test_one_that_others_hear_is_slow_and_not_silent() -> None:
    silence = Silence(SetClock(1000.0))
    asked = silence.heard
    silence.heard += 1
    silence.begin(asked)
    assert not silence.lasts


def test_an_answer_that_comes_too_late_keeps_nobody_out_who_gets_theirs(tmp_path: Path) -> None:
    process, url = start_debian_redis(tmp_path)
    relay = CountingRelay(tmp_path, url)
    store = Store(client_for(relay.url, "", TIMEOUT, 16, ""))
    late = threading.Event()

    def ask() -> None:
        while not late.wait(0.2):
            store.ping()

    try:
        store.ping()
        relay.delay = 0.2
        with ThreadPoolExecutor(10) as pool:
            asking = [pool.submit(ask) for _ in range(10)]
            with pytest.raises(UpstreamUnavailable):
                # Redis answers this when somebody adds to the list, which nobody does.
                store.command("BLPOP", "casduo:test:nobody-adds", 0)
            time.sleep(2 * relay.delay)
            late.set()
            for each in asking:
                each.result()
    finally:
        store.close()
        relay.close()
        process.kill()
        process.wait()


def test_while_it_stands_still_most_are_refused_without_waiting(
    redis: tuple[subprocess.Popen[bytes], Store],
) -> None:
    process, store = redis
    process.send_signal(signal.SIGSTOP)
    # Who finds out, and who tries first.
    assert refused_after(store) >= TIMEOUT - 0.1
    assert refused_after(store) >= TIMEOUT - 0.1
    end = time.monotonic() + 3 * (TIMEOUT + PAUSE)

    def ask(_: int) -> list[float]:
        waits = []
        while time.monotonic() < end:
            waits.append(refused_after(store))
            time.sleep(0.05)
        return waits

    with ThreadPoolExecutor(8) as pool:
        waits = [wait for waits in pool.map(ask, range(8)) for wait in waits]
    assert sum(wait > AT_ONCE for wait in waits) <= 3 * (TIMEOUT + PAUSE) / PAUSE + 1
    assert sum(wait <= AT_ONCE for wait in waits) > 100


def test_once_it_goes_on_it_is_in_use_within_a_pause(redis: tuple[subprocess.Popen[bytes], Store]) -> None:
    process, store = redis
    process.send_signal(signal.SIGSTOP)
    refused_after(store)
    refused_after(store)
    process.send_signal(signal.SIGCONT)
    time.sleep(PAUSE)
    store.ping()
    for _ in range(10):
        store.ping()


def test_one_connection_that_was_silent_keeps_nobody_else_out(
    redis: tuple[subprocess.Popen[bytes], Store],
) -> None:
    """As where a firewall has forgotten a connection that lay idle."""
    process, store = redis
    process.send_signal(signal.SIGSTOP)
    refused_after(store)
    process.send_signal(signal.SIGCONT)
    for _ in range(10):
        store.ping()
