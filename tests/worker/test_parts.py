"""What jobs share: calls to Redis that are made until they are answered."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest
import structlog

from casduo.account.history import SignInHistory
from casduo.errors import UpstreamUnavailable
from casduo.events.model import DuoAnswered, Subject
from casduo.settings import load_settings
from casduo.worker.parts import Parts, Stopped, build_parts
from tests.worker.working import Site


@pytest.fixture
def parts(site: Site) -> Parts:
    site.write("services: []\n")
    return build_parts(load_settings(site.settings_file, {}), threading.Event())


def test_what_redis_refuses_again_and_again_is_in_the_log_once(parts: Parts) -> None:
    refusals = iter(["ResponseError"] * 3)

    def call() -> str:
        for refusal in refusals:
            raise UpstreamUnavailable("redis", refusal)
        return "done"

    with structlog.testing.capture_logs() as told:
        assert parts.insist(call) == "done"
    assert told == [{"event": "worker.waiting", "upstream": "redis", "detail": "ResponseError", "log_level": "warning"}]


def test_what_goes_well_is_not_in_the_log(parts: Parts) -> None:
    with structlog.testing.capture_logs() as told:
        assert parts.insist(lambda: 7) == 7
    assert told == []


def test_a_worker_that_is_to_end_insists_on_nothing(parts: Parts) -> None:
    ending = replace(parts, stopping=threading.Event())
    ending.stopping.set()

    def call() -> str:
        raise UpstreamUnavailable("redis", "ConnectionError")

    with structlog.testing.capture_logs(), pytest.raises(Stopped):
        ending.insist(call)


def test_what_duo_says_to_a_worker_is_in_the_persons_list_at_once(site: Site, parts: Parts) -> None:
    about = Subject(address="192.0.2.7", principal="ada", service="payroll", agent="Firefox on Linux")
    parts.journal.write(DuoAnswered(about, outcome="denied", factor="duo_push"))
    (line,) = SignInHistory(site.store).of("ada")
    assert (line.told.outcome, line.told.agent, line.told.service) == ("denied", "Firefox on Linux", "payroll")
