"""Three nodes behind HAProxy: restarted one after another, killed, and stopped, under a stream of logins."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import requests

from casduo.simulators.certificates import CertificateAuthority
from tests.faults.conftest import Sound
from tests.faults.front import DRAIN, Front, behind_haproxy
from tests.faults.stream import Clear, ask, sign_in, validate
from tests.support.standstill import Standstill, Visit
from tests.support.waiting import PATIENCE, until

_DOWN = 6.0
"""Seconds after which the proxy takes a node for down at the latest whose port is closed."""


@pytest.fixture(scope="module")
def standstill() -> Iterator[Standstill]:
    """Holds whoever is in no file of users."""
    with Standstill() as found:
        yield found


@pytest.fixture(scope="module")
def running(
    tmp_path_factory: pytest.TempPathFactory, authority: CertificateAuthority, standstill: Standstill
) -> Iterator[Front]:
    with behind_haproxy(tmp_path_factory.mktemp("nodes"), authority.issue(), standstill.handler) as found:
        yield found


@pytest.fixture
def front(running: Front) -> Front:
    """All nodes are there."""
    running.wait()
    return running


def test_nodes_that_are_restarted_one_after_another_fail_no_login(front: Front, rounds: range, sound: Sound) -> None:
    """Or, every other time, read their settings anew: tests/serving shows of a node alone that nobody notices."""
    with front.stream() as stream:
        for number in rounds:
            # The short form leaves one out.
            for node in front.stage.nodes[: 1 + len(rounds)]:
                stream.flows()
                if number % 2:
                    node.reload()
                else:
                    node.end()
                    node.start()
                    node.wait()
        stream.recovers()
        sound(stream, front.stage)
    assert (stream.tally.clear, stream.tally.cut) == ({}, 0)
    assert stream.tally.completed == stream.tally.tried


def test_a_request_that_outlasts_the_drain_is_answered_when_its_node_is_restarted(
    front: Front, standstill: Standstill
) -> None:
    visit = Visit(standstill, front.base, front.ca)
    for node in front.stage.nodes:
        os.kill(node.running.pid, signal.SIGTERM)
    ended = time.monotonic() + DRAIN + _DOWN
    until(lambda: time.monotonic() > ended, "a node whose port is closed is down")
    assert not visit.is_over, visit.page

    standstill.release()
    visit.ends()
    assert visit.status == 503, visit.page
    assert "Passwords cannot be checked right now" in visit.page
    for node in front.stage.nodes:
        assert node.running.wait(PATIENCE) == 0
        node.start()
    for node in front.stage.nodes:
        node.wait()


def test_a_node_that_is_killed_takes_with_it_what_it_had_in_hand_and_no_more(
    front: Front, rounds: range, sound: Sound
) -> None:
    with front.stream() as stream:
        for number in rounds:
            node = front.stage.nodes[number % len(front.stage.nodes)]
            stream.flows()
            killed = time.monotonic()
            node.kill()
            stream.recovers(killed)
            node.start()
            if number + 1 < len(rounds):
                front.wait()
        sound(stream, front.stage, "ticket.validated")


def test_a_node_that_stands_still_is_passed_over_and_does_nothing_twice_when_it_goes_on(
    front: Front, rounds: range, sound: Sound
) -> None:
    with front.stream() as stream:
        for number in rounds:
            node = front.stage.nodes[number % len(front.stage.nodes)]
            stream.flows()
            stopped = time.monotonic()
            node.signal(signal.SIGSTOP)
            # Whoever was waiting for it has been told, for all of them go on.
            stream.recovers(stopped)
            node.signal(signal.SIGCONT)
            front.wait()
        sound(stream, front.stage)


def test_without_redis_people_and_applications_hear_it_from_casduo(front: Front) -> None:
    """The proxy has no node that is ready then, and would say nothing of use."""
    with requests.Session() as browser:
        browser.verify, browser.trust_env = front.ca, False
        service, ticket = sign_in(browser, front.base, "ada")
        before = len(front.proxy.written)
        front.redis.signal(signal.SIGSTOP)
        try:
            none = "backend casduo has no server available"
            until(lambda: none in front.proxy.written[before:], "no node is ready")
            with pytest.raises(Clear, match="INTERNAL_ERROR"):
                validate(browser, front.base, ticket, service)
            with pytest.raises(Clear, match="503 Signing in does not work right now"):
                ask(browser, "GET", f"{front.base}login?service={quote(service, safe='')}")
        finally:
            front.redis.signal(signal.SIGCONT)
