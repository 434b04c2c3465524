"""``/metrics``: who may ask, what is told, what is never told, and what happens without Redis."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import pytest
from webtest.response import TestResponse

from casduo.metrics.table import INSTRUMENTS
from casduo.simulators.duo import DuoSimulator
from tests.support.redis_servers import CountingRelay
from tests.support.site import PASSWORDS, PAYROLL, Build, Site, has_ticket, ticket_of

HERE = {"REMOTE_ADDR": "127.0.0.1"}
METRICS = "/metrics"


def scrape(site: Site, **environ: str) -> TestResponse:
    return site.browser().get(METRICS, extra_environ={**HERE, **environ})


def value(site: Site, name: str, **labels: str) -> float | None:
    """Return one number of a scrape, ``None`` where there is none."""
    for line in scrape(site).text.splitlines():
        found = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
        if found and found[1] == name and dict(re.findall(r'(\w+)="([^"]*)"', found[2] or "")) == labels:
            return float(found[3])
    return None


@pytest.fixture
def site(build: Build, duo_settings: str) -> Site:
    return build(settings=duo_settings)


# --- who may ask -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["127.0.0.1", "127.8.8.8", "::1"])
def test_this_machine_may_ask(site: Site, address: str) -> None:
    answer = scrape(site, REMOTE_ADDR=address)
    assert answer.status_int == 200
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "environ",
    [
        {"REMOTE_ADDR": "192.0.2.7"},
        {"REMOTE_ADDR": ""},
        # A proxy on this machine that the settings do not know of.
        {"HTTP_X_FORWARDED_FOR": "192.0.2.7"},
        {"HTTP_FORWARDED": "for=192.0.2.7"},
        {"HTTP_X_FORWARDED_FOR": "127.0.0.1"},
    ],
)
def test_others_may_not(site: Site, environ: dict[str, str]) -> None:
    answer = scrape(site, **environ)
    assert answer.status_int == 403
    assert "metrics.networks" in answer.text
    assert "casduo_" not in answer.text


def test_through_a_known_proxy_the_address_of_whoever_asks_counts(build: Build) -> None:
    settings = "metrics: {networks: 192.0.2.0/24}\n"
    site = build(settings=settings, registry="services: []\n")
    assert site.browser().get(METRICS).status_int == 200
    assert scrape(site).status_int == 403


def test_where_it_is_switched_off_there_is_no_such_address(build: Build) -> None:
    site = build(settings="metrics: {enabled: false}\n", registry="services: []\n")
    assert scrape(site).status_int == 404
    assert site.composed.measuring is None


def test_openmetrics_is_spoken_to_those_who_ask_for_it(site: Site) -> None:
    accepted = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
    answer = scrape(site, HTTP_ACCEPT=accepted)
    assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
    assert answer.text.count("# EOF") == 1
    assert answer.text.endswith("# EOF\n")


# --- what is told ----------------------------------------------------------------------------------------------------


def test_a_whole_login_is_counted_and_nobody_is_named(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    ticket = ticket_of(browser.sign_in())
    site.validate(ticket)
    site.validate(ticket)
    site.browser().fill(site.browser().login_page(), "grace", "wrong")
    browser.login_page(PAYROLL)
    browser.get("/requests/AAAABBBBCCCCDDDD")
    browser.get("/v1/tickets/TGT-abcd-0123456789abcdefghij")
    browser.get("/no/such/page-of-ada")
    text = scrape(site).text
    assert value(site, "casduo_validations_total", protocol="cas3", outcome="ok") == 1
    assert value(site, "casduo_validations_total", protocol="cas3", outcome="INVALID_TICKET") == 1
    assert value(site, "casduo_tickets_granted_total", kind="service") == 1
    session = browser.session
    assert session
    secrets = [*PASSWORDS, *PASSWORDS.values(), "192.0.2.7", "127.0.0.1", ticket, session, ticket[-6:], session[-6:]]
    secrets += ["payroll", "library", "example.edu", "AAAABBBB", "page-of"]
    for secret in secrets:
        assert secret not in text, secret


def test_the_time_at_duos_own_page_is_told(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    prompt = browser.sign_in(service=PAYROLL)
    site.clock.advance(9)
    assert has_ticket(browser.get(duo.visit_prompt(prompt.headers["Location"])))
    assert value(site, "casduo_duo_answer_seconds_sum", factor="prompt", outcome="allowed") == 9
    assert value(site, "casduo_duo_asked_total", factor="prompt") == 1
    assert value(site, "casduo_duo_answers_total", outcome="allowed", factor="push") == 1
    called = {"upstream": "duo_prompt", "server": duo.api_host, "outcome": "ok"}
    assert (value(site, "casduo_upstream_seconds_count", **called) or 0) >= 1


def test_every_metric_is_told_and_nothing_else(site: Site) -> None:
    told = set(re.findall(r"^# TYPE (\w+) ", scrape(site).text, re.M))
    known = {each.name for each in INSTRUMENTS}
    assert told <= known
    # Those come with applications of their own, or with a Webex.
    assert known - told == {
        *("casduo_service_tickets_total", "casduo_service_validations_total", "casduo_outbox_waiting"),
        *("casduo_outbox_oldest_seconds", "casduo_outbox_dead", "casduo_outbox_stopped", "casduo_inbox_waiting"),
    }


def test_requests_are_told_by_route_and_status(site: Site) -> None:
    browser = site.browser()
    browser.login_page()
    browser.get("/static/casduo.css")
    for path in ("/requests/AAAABBBBCCCC", "/requests/DDDDEEEEFFFF"):
        browser.get(path)
    browser.get("/nothing/there")
    assert value(site, "casduo_request_seconds_count", route="/login", status="200") == 1
    assert value(site, "casduo_request_seconds_count", route="static", status="200") == 1
    assert value(site, "casduo_request_seconds_count", route="none", status="404") == 1
    text = scrape(site).text
    assert re.search(r'route="/requests/\.\.\.",status="\d+"\} 2\.0', text)
    assert value(site, "casduo_redis_seconds_count")


def test_applications_are_counted_where_the_settings_want_that(build: Build, duo_settings: str) -> None:
    site = build(settings=duo_settings + "metrics: {by_service: true}\n")
    site.validate(ticket_of(site.browser().sign_in()))
    assert value(site, "casduo_service_tickets_total", service="library") == 1
    assert value(site, "casduo_service_validations_total", service="library", outcome="ok") == 1


def test_a_registry_that_cannot_be_used_is_told_beside_the_state_in_force(site: Site) -> None:
    services = site.composed.parts.services
    assert value(site, "casduo_registry_rejected") == 0
    services.path.write_text("services: [\n")
    services.poll()
    assert value(site, "casduo_registry_rejected") == 1
    assert value(site, "casduo_registry_reloads_total", outcome="rejected") == 1
    assert value(site, "casduo_registry_info", version=services.current().version) == 1
    assert value(site, "casduo_registry_services") == len(services.current().services)


# --- Redis -----------------------------------------------------------------------------------------------------------


def test_without_redis_a_scrape_says_so_and_tells_the_rest(
    build: Build, relay: CountingRelay, duo_settings: str
) -> None:
    site = build(relay.url, settings=duo_settings)
    site.browser().login_page()
    relay.cut()
    text = scrape(site).text
    assert "casduo_redis_up 0.0" in text
    assert 'casduo_request_seconds_count{route="/login",status="200"} 1.0' in text
    assert "casduo_events_waiting" not in text
    relay.mend()
    assert "casduo_redis_up 1.0" in scrape(site).text


def test_a_redis_that_keeps_silent_does_not_keep_a_scrape(build: Build, tmp_path: Path, duo_settings: str) -> None:
    with socket.socket(socket.AF_UNIX) as silent:
        silent.bind(str(tmp_path / "silent.sock"))
        silent.listen(8)
        site = build(f"unix://{tmp_path}/silent.sock", settings=duo_settings)
        text = scrape(site).text
        assert "casduo_redis_up 0.0" in text
        entries = site.composed.parts.services.current().services
        assert f"casduo_registry_services {len(entries)}.0" in text


def test_a_scrape_costs_one_round_trip(build: Build, relay: CountingRelay, duo_settings: str) -> None:
    site = build(relay.url, settings=duo_settings)
    scrape(site)
    relay.reset()
    scrape(site)
    assert relay.round_trips == 1
