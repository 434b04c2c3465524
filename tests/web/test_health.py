"""``/healthz/detail``: who may read it, what it says, what it costs, and what it leaves alone."""

from __future__ import annotations

import json
import threading
import time
from dataclasses import replace
from datetime import datetime
from ipaddress import ip_network
from typing import Any

import pytest
from webtest.response import TestResponse

from casduo.diagnosis.health import KEEP, HealthReports
from casduo.events.messages import Message
from casduo.events.outbox import Outbox
from casduo.simulators.duo import DuoSimulator
from casduo.store import Store
from tests.support.naming import names
from tests.support.redis_servers import CountingRelay
from tests.support.site import Build, Site

DETAIL = "/healthz/detail"
HERE = {"REMOTE_ADDR": "127.0.0.1"}
WORKER = "casduo:worker:alive"
MAIN = "Duo, main application"


def detail(site: Site, **environ: str) -> TestResponse:
    return site.browser().get(DETAIL, extra_environ={**HERE, **environ})


def report(site: Site) -> dict[str, Any]:
    answer = detail(site)
    assert answer.status_int == 200
    return dict(json.loads(answer.text))


def of(site: Site, part: str, examined: str = "duo") -> dict[str, Any]:
    findings = report(site)["findings"]
    return next(each for each in findings if each["part"] == part and each["examined"] == examined)


@pytest.fixture
def site(build: Build, store: Store, duo_settings: str) -> Site:
    """A server whose Redis, worker and Duo are all well."""
    found = build(settings=duo_settings)
    store.command("SET", WORKER, "worker", "PX", 60_000)
    return found


# --- what it says ----------------------------------------------------------------------------------------------------


def test_a_server_that_is_well_says_so(site: Site) -> None:
    answer = detail(site)
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    said = json.loads(answer.text)
    assert said["level"] == "ok"
    assert {(each["part"], each["examined"]): each["level"] for each in said["findings"]} == {
        ("Registry", "file"): "ok",
        ("Redis", "connection"): "ok",
        ("Redis", "clock"): "ok",
        ("Redis", "memory"): "ok",
        ("Worker", "sign of life"): "ok",
        ("Events", "stream"): "ok",
        ("Events", "audit trail"): "ok",
        (MAIN, "duo"): "ok",
    }
    duo = said["findings"][-1]["facts"]
    assert duo.pop("skew") == pytest.approx(0, abs=5)
    assert duo == {"application": "", "state": "ok", "breaker": "closed", "auth_api": True}


def test_the_moment_of_the_report_is_told(site: Site) -> None:
    assert datetime.fromisoformat(report(site)["at"]).timestamp() == site.clock()


def test_the_registry_in_use_is_named_and_what_is_wrong_with_the_file(site: Site) -> None:
    facts = of(site, "Registry", "file")["facts"]
    services = site.composed.parts.services
    assert facts == {"version": services.current().version, "services": len(services.current().services), "problems": 0}
    services.path.write_text("services: [\n")
    services.poll()
    site.clock.advance(KEEP)
    finding = of(site, "Registry", "file")
    assert (finding["level"], finding["detail"]) == ("attention", "rejected")
    assert finding["facts"]["version"] == facts["version"]
    assert "registry.yaml" in finding["cause"]


def test_a_worker_that_is_missed(site: Site, store: Store) -> None:
    store.command("DEL", WORKER)
    finding = of(site, "Worker", "sign of life")
    assert (finding["level"], finding["detail"]) == ("fault", "no_worker")
    assert report(site)["level"] == "fault"


def test_a_redis_that_is_away_is_told_and_the_rest_as_well(
    build: Build, relay: CountingRelay, duo_settings: str
) -> None:
    site = build(relay.url, settings=duo_settings)
    relay.cut()
    finding = of(site, "Redis", "connection")
    assert (finding["level"], finding["detail"]) == ("fault", "unavailable")
    assert of(site, MAIN)["level"] == "ok"


def test_every_duo_application_has_its_finding(build: Build, duo: DuoSimulator, duo_settings: str) -> None:
    keys = duo.add_application("authapi")
    wards = (
        f", applications: {{wards: {{auth_api: {{integration_key: {keys.integration_key}, secret_key: {'x' * 40}}}}}}}"
    )
    site = build(settings=duo_settings.rstrip().removesuffix("}") + wards + "}\n")
    assert of(site, MAIN)["level"] == "ok"
    assert of(site, "Duo, application wards")["facts"]["application"] == "wards"


def test_a_server_without_duo_says_nothing_of_it(build: Build) -> None:
    site = build(registry="services: []\n")
    assert {each["part"] for each in report(site)["findings"]} == {"Registry", "Redis", "Worker", "Events"}


def test_a_server_with_a_webex_tells_how_workers_get_on_with_it(build: Build, store: Store) -> None:
    webhook = f"webhook: {{secret: {'s' * 32}}}"
    site = build(registry="services: []\n", settings=f"webex: {{token: bot-token, room: room-1, {webhook}}}\n")
    assert of(site, "Webex, worker", "sending")["level"] == "ok"
    assert of(site, "Webex, worker", "webhook")["detail"] == "not_checked"
    batch = store.batch()
    Outbox(store).enqueue(batch, [Message("a", "room:room-1", "event", {"markdown": "ada signed in"})])
    batch.run()
    site.clock.advance(KEEP)
    waiting = of(site, "Webex, worker", "outbox")
    assert waiting["facts"]["waiting"] == 1
    assert not names(json.dumps(waiting), "ada")


@pytest.mark.parametrize(
    ("offset", "level", "detail"), [(45, "attention", "clock_drift"), (100, "fault", "clock"), (-400, "fault", "clock")]
)
def test_a_clock_that_is_off(site: Site, duo: DuoSimulator, offset: float, level: str, detail: str) -> None:
    duo.faults.clock_offset = offset
    finding = of(site, MAIN)
    assert (finding["level"], finding["detail"]) == (level, detail)
    assert finding["facts"]["skew"] == pytest.approx(offset, abs=5)


def test_a_wrong_secret_is_a_fault_of_ours(site: Site, duo: DuoSimulator) -> None:
    duo.rotate_secret(duo.applications()[0].integration_key)
    finding = of(site, MAIN)
    assert (finding["detail"], finding["facts"]["state"]) == ("keys", "misconfigured")


def test_an_outage_is_told_and_that_duo_is_left_alone_for_a_while(site: Site, duo: DuoSimulator) -> None:
    duo.stop_listening()
    finding = of(site, MAIN)
    assert (finding["detail"], finding["facts"]["state"]) == ("refused", "unavailable")
    assert finding["facts"]["breaker"] == "closed"
    # The second failure in a row opens the breaker; within its pause the next report asks nobody.
    site.clock.advance(KEEP - 1)
    site.composed.parts.duo.main.health()
    site.clock.advance(1)
    finding = of(site, MAIN)
    assert (finding["detail"], finding["facts"]["breaker"]) == ("breaker_open", "open")


def test_no_secret_is_told(site: Site, duo: DuoSimulator) -> None:
    text = detail(site).text
    for application in duo.applications():
        assert application.secret_key not in text
        assert application.integration_key not in text
    assert "k" * 40 not in text


# --- what it costs ---------------------------------------------------------------------------------------------------


def test_duo_is_asked_once_in_ten_seconds_however_often_one_looks(site: Site, duo: DuoSimulator) -> None:
    first = report(site)
    asked = duo.requests.count()
    assert asked > 0
    for _ in range(20):
        assert report(site) == first
    site.clock.advance(KEEP - 0.5)
    assert report(site) == first
    assert duo.requests.count() == asked
    site.clock.advance(1)
    assert report(site)["at"] != first["at"]
    assert duo.requests.count() == 2 * asked


def impatient(site: Site, patience: float) -> None:
    """Give a server reports that wait less long than usual."""
    application, parts = site.composed.application, site.composed.parts
    networks = [ip_network("127.0.0.0/8")]
    reports = HealthReports(networks, parts.store, parts.services, {"": parts.duo.main}, parts.clock, patience=patience)
    application.server = replace(application.server, health=reports)


def test_a_duo_that_says_nothing_is_not_waited_for(site: Site, duo: DuoSimulator) -> None:
    impatient(site, 0.2)
    duo.transport.stay_silent("/auth/v2/ping", times=1)
    began = time.monotonic()
    finding = of(site, MAIN, "answer")
    assert time.monotonic() - began < 2
    assert (finding["level"], finding["detail"], finding["found"]) == ("fault", "slow", "none within 200ms")
    assert of(site, "Redis", "connection")["level"] == "ok"
    # It is asked again only after it has answered, or failed to.
    asked = duo.requests.count("/auth/v2/ping")
    site.clock.advance(KEEP)
    assert of(site, MAIN, "answer")["detail"] == "slow"
    assert duo.requests.count("/auth/v2/ping") == asked
    duo.transport.clear()
    duo.server.drop_connections()


def test_many_who_look_at_once_share_one_report(site: Site, duo: DuoSimulator) -> None:
    duo.transport.delay(0.2)
    answers: list[str] = []
    threads = [threading.Thread(target=lambda: answers.append(detail(site).text)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 5
    assert len(set(answers)) == 1
    assert duo.requests.count("/auth/v2/ping") == 1


# --- what it leaves alone --------------------------------------------------------------------------------------------


def test_a_duo_that_is_down_does_not_take_the_server_out_of_service(site: Site, duo: DuoSimulator) -> None:
    duo.stop_listening()
    assert report(site)["level"] == "fault"
    assert site.browser().get("/readyz").status_int == 200
    assert site.browser().get("/healthz").status_int == 200


def test_the_report_is_read_and_nothing_else(site: Site) -> None:
    assert site.browser().post(DETAIL, {}, extra_environ=HERE).status_int == 405
    assert site.browser().get(f"{DETAIL}/more", extra_environ=HERE).status_int == 404


# --- who may read it -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.9.10", "::1", "::ffff:127.0.0.1"])
def test_this_machine_may_read_it(site: Site, address: str) -> None:
    assert detail(site, REMOTE_ADDR=address).status_int == 200


@pytest.mark.parametrize("address", ["192.0.2.7", "10.0.0.1", "2001:db8::1", "::ffff:192.0.2.7", "", "localhost"])
def test_others_may_not_and_duo_is_not_asked_for_them(site: Site, duo: DuoSimulator, address: str) -> None:
    answer = detail(site, REMOTE_ADDR=address)
    assert answer.status_int == 403
    assert "health.networks" in answer.text
    assert "Redis" not in answer.text
    assert duo.requests.count() == 0


def test_the_settings_say_who_may(build: Build) -> None:
    site = build(registry="services: []\n", settings="health: {networks: [192.0.2.0/24, '2001:db8::/32']}\n")
    assert detail(site, REMOTE_ADDR="192.0.2.7").status_int == 200
    assert detail(site, REMOTE_ADDR="2001:db8::1").status_int == 200
    assert detail(site).status_int == 403
    nobody = build(registry="services: []\n", settings="health: {networks: []}\n")
    assert detail(nobody).status_int == 403


@pytest.mark.parametrize("header", ["HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED"])
def test_a_proxy_on_this_machine_that_the_settings_do_not_know_lets_nobody_in(site: Site, header: str) -> None:
    assert detail(site, **{header: "192.0.2.7"}).status_int == 403
    assert detail(site, **{header: "127.0.0.1"}).status_int == 403


def test_behind_a_known_proxy_the_callers_own_address_counts(build: Build) -> None:
    site = build(registry="services: []\n", url="https://sso.example.edu/cas, trusted_proxies: 1")
    assert detail(site, HTTP_X_FORWARDED_FOR="192.0.2.7").status_int == 403
    assert detail(site, HTTP_X_FORWARDED_FOR="127.0.0.1, 192.0.2.7").status_int == 403
    assert detail(site, HTTP_X_FORWARDED_FOR="192.0.2.7, 127.0.0.1").status_int == 200
    assert detail(site).status_int == 200
