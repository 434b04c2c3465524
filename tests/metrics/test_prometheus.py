"""The meter: what it is told becomes the numbers that Prometheus would have made of it one by one."""

from __future__ import annotations

import threading
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram, generate_latest

from casduo.clock import system_clock
from casduo.errors import UpstreamBusy, UpstreamError, UpstreamMisconfigured, UpstreamUnavailable
from casduo.events.model import SignedIn, Subject
from casduo.meter import Meter, measure_with, meter
from casduo.metrics import table
from casduo.metrics.prometheus import PrometheusMeter, upstream_of
from casduo.metrics.table import OTHER
from casduo.outbound import Breaker, BreakerOpen, Bulkhead


@pytest.fixture
def measured() -> PrometheusMeter:
    """A meter that all parts of this process tell."""
    found = PrometheusMeter("server")
    measure_with(found)
    yield found
    measure_with(Meter())


def value(of: PrometheusMeter, name: str, **labels: str) -> float | None:
    of.apply()
    return of.registry.get_sample_value(name, labels)


@given(st.lists(st.floats(0, 100), max_size=50))
def test_many_observations_at_once_are_the_same_as_one_by_one(values: list[float]) -> None:
    ours = PrometheusMeter("server")
    for each in values:
        ours.redis_called(each, answered=True)
    ours.apply()
    registry = CollectorRegistry()
    theirs = Histogram(table.REDIS.name, table.REDIS.what, registry=registry, buckets=table.REDIS.buckets)
    for each in values:
        theirs.observe(each)
    counted = generate_latest(ours.registry).decode()
    for line in generate_latest(registry).decode().splitlines():
        if "_bucket" in line or "_count" in line:
            assert line in counted
    assert ours.registry.get_sample_value("casduo_redis_seconds_sum") == pytest.approx(sum(values))


def test_what_threads_tell_at_once_is_all_there(measured: PrometheusMeter) -> None:
    def tell() -> None:
        for _ in range(500):
            measured.request_began()
            measured.happened(SignedIn(Subject()))
            measured.request_ended("/login", 200, 0.01)
            measured.apply()

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert value(measured, "casduo_signins_total", outcome="ok", reason="") == 2000
    assert value(measured, "casduo_request_seconds_count", route="/login", status="200") == 2000
    measured.look()
    assert value(measured, "casduo_requests_in_flight") == 0


def test_requests_in_hand_are_counted_while_they_are(measured: PrometheusMeter) -> None:
    measured.request_began()
    measured.look()
    assert value(measured, "casduo_requests_in_flight") == 1
    measured.request_ended("/login", 200, 0.1)
    measured.look()
    assert value(measured, "casduo_requests_in_flight") == 0


def test_the_process_itself_is_described(measured: PrometheusMeter) -> None:
    measured.look()
    assert value(measured, "casduo_processes", role="server") == 1
    memory, files = (value(measured, name, role="server") for name in (table.MEMORY.name, table.OPEN_FILES.name))
    assert memory is not None
    assert memory > 10_000_000
    assert files
    assert (value(measured, table.CPU.name, role="server") or 0) > 0


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (None, "ok"),
        (UpstreamUnavailable("x", "timeout"), "timeout"),
        (UpstreamUnavailable("x", "refused"), "unavailable"),
        (UpstreamBusy("x"), "busy"),
        (UpstreamMisconfigured("x"), "misconfigured"),
        (ValueError("who knows"), "error"),
    ],
)
def test_calls_behind_a_breaker_are_counted_by_how_they_end(
    measured: PrometheusMeter, error: Exception | None, outcome: str
) -> None:
    def call() -> None:
        if error is not None:
            raise error

    breaker = Breaker("ldaps://ldap1.example.edu:636", 5)
    with suppress(UpstreamError, ValueError):
        breaker.call(call)
    labels = {"upstream": "ldap", "server": "ldap1.example.edu:636", "outcome": outcome}
    assert value(measured, "casduo_upstream_seconds_count", **labels) == 1


def test_an_open_breaker_and_the_calls_it_spares_are_told(measured: PrometheusMeter) -> None:
    breaker = Breaker("duo prompt api-1.duosecurity.com", 1, clock=system_clock)
    labels = {"upstream": "duo_prompt", "server": "api-1.duosecurity.com"}
    measured.look()
    assert value(measured, "casduo_upstream_breakers_open", **labels) == 0

    def fail() -> None:
        raise UpstreamUnavailable("duo", "refused")

    with pytest.raises(UpstreamUnavailable):
        breaker.call(fail)
    with pytest.raises(BreakerOpen):
        breaker.call(fail)
    assert not breaker.allow(system_clock())
    measured.look()
    assert value(measured, "casduo_upstream_breakers_open", **labels) == 1
    assert value(measured, "casduo_upstream_left_alone_total", **labels) == 2


def test_a_full_bulkhead_is_told(measured: PrometheusMeter) -> None:
    bulkhead = Bulkhead("campus", 1)
    with bulkhead:
        with pytest.raises(UpstreamBusy), bulkhead:
            pass
        measured.look()
        assert value(measured, "casduo_bulkhead_inside", bulkhead="campus") == 1
    assert value(measured, "casduo_bulkhead_places", bulkhead="campus") == 1
    assert value(measured, "casduo_bulkhead_refused_total", bulkhead="campus") == 1


def test_the_first_of_its_kind_is_a_step_that_an_alert_sees(measured: PrometheusMeter) -> None:
    assert value(measured, "casduo_duo_answers_total", outcome="fraud", factor="push") == 0
    assert value(measured, "casduo_signins_total", outcome="refused", reason="unavailable") == 0
    assert value(measured, "casduo_policy_violations_total", rule="disowned") == 0
    _ = Breaker("ldaps://ldap1.example.edu:636"), Bulkhead("campus", 1)
    assert value(measured, "casduo_bulkhead_refused_total", bulkhead="campus") == 0
    labels = {"upstream": "ldap", "server": "ldap1.example.edu:636"}
    assert value(measured, "casduo_upstream_left_alone_total", **labels) == 0


def test_what_is_gone_is_watched_no_more(measured: PrometheusMeter) -> None:
    for _ in range(100):
        Breaker("sign-out message")
    measured.look()
    assert (value(measured, "casduo_upstream_breakers_open", upstream="sign_out", server="") or 0) == 0


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("duo auth api api-1.duosecurity.com", ("duo_auth_api", "api-1.duosecurity.com")),
        ("ucm axl ucm1:8443", ("axl", "ucm1:8443")),
        ("ucm em ucm1:8443", ("em", "ucm1:8443")),
        ("ucm ris ucm1:8443", ("ris", "ucm1:8443")),
        ("ldap://[2001:db8::1]:389", ("ldap", "[2001:db8::1]:389")),
        ("webex", ("webex", "")),
        ("duo admin api", ("duo_admin_api", "")),
        ("proxy callback", ("proxy_callback", "")),
        ("something new api-1", (OTHER, "")),
    ],
)
def test_a_breaker_is_known_by_its_upstream_and_server(name: str, labels: tuple[str, str]) -> None:
    assert upstream_of(name) == labels


def test_answers_of_people_are_timed(measured: PrometheusMeter) -> None:
    measured.duo_answered("duo_push", "allowed", 7.0)
    measured.duo_answered("phone_call", "who knows", -1.0)
    assert value(measured, "casduo_duo_answer_seconds_sum", factor="push", outcome="allowed") == 7.0
    measured.duo_answered("prompt", "denied", 12.0)
    assert value(measured, "casduo_duo_answer_seconds_sum", factor="phone", outcome=OTHER) == 0.0
    assert value(measured, "casduo_duo_answer_seconds_sum", factor="prompt", outcome="denied") == 12.0


def test_without_measuring_nothing_is_kept() -> None:
    measure_with(Meter())
    meter().request_began()
    meter().request_ended("/login", 200, 1.0)
    meter().happened(SignedIn(Subject()))
    assert Breaker("webex").call(lambda: "answer") == "answer"
