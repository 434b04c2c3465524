"""Redis is away, or loses connections: what still works, what says so, that nothing opens, and that it mends itself."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from casduo.diagnosis.readiness import KEEP
from casduo.simulators.duo import DuoSimulator
from tests.support.redis_servers import CountingRelay
from tests.support.site import LIBRARY, PASSWORDS, PAYROLL, Build, Site, has_ticket, heading, query, ticket_of, words

OUT_OF_ORDER = "Signing in does not work right now"
REGISTRY = """
services:
  - {id: library, name: Library, url: "https://library.example.edu/**"}
"""


@pytest.fixture
def far(build: Build, relay: CountingRelay) -> Site:
    """A server whose Redis stands behind a relay that can be cut."""
    return build(redis_url=relay.url, registry=REGISTRY)


def test_the_form_is_shown_without_redis(far: Site, relay: CountingRelay) -> None:
    relay.cut()
    page = far.browser().login_page()
    assert page.status_int == 200
    assert page.forms["login"]["service"].value == LIBRARY
    assert far.browser().get("/healthz").status_int == 200


def test_a_password_sent_while_redis_is_away_is_not_looked_at_and_the_page_leads_back(
    far: Site, relay: CountingRelay
) -> None:
    browser = far.browser()
    page = browser.login_page()
    relay.cut()
    answer = browser.fill(page, "ada")
    assert (answer.status_int, heading(answer)) == (503, OUT_OF_ORDER)
    assert answer.headers["Retry-After"] == "10"
    assert answer.headers["Cache-Control"] == "no-store"
    assert not browser.session
    assert not far.journal.named("signin.ok")
    (retry,) = [link.get("href") for link in answer.html.find_all("a") if "service=" in link.get("href")]
    relay.mend()
    assert has_ticket(browser.fill(browser.get("https://sso.example.edu" + retry), "ada"))


def test_the_same_form_works_when_redis_is_back(far: Site, relay: CountingRelay) -> None:
    browser = far.browser()
    page = browser.login_page()
    relay.cut()
    browser.fill(page, "ada")
    relay.mend()
    assert has_ticket(browser.fill(page, "ada"))


def test_a_live_session_gets_no_ticket_and_is_not_lost(far: Site, relay: CountingRelay) -> None:
    browser = far.browser()
    browser.sign_in("ada", "")
    session = browser.session
    relay.cut()
    for extra in ({}, {"gateway": "true"}, {"renew": "true"}):
        answer = browser.login_page(LIBRARY, **extra)
        assert (answer.status_int, heading(answer)) == (503, OUT_OF_ORDER)
        assert "Location" not in answer.headers
    assert browser.session == session
    relay.mend()
    assert has_ticket(browser.login_page(LIBRARY))


@pytest.mark.parametrize("path", ["/validate", "/serviceValidate", "/p3/serviceValidate"])
@pytest.mark.parametrize("format_", ["", "JSON"])
def test_a_validation_says_that_it_is_our_fault_and_leaves_the_ticket(
    far: Site, relay: CountingRelay, path: str, format_: str
) -> None:
    ticket = ticket_of(far.browser().sign_in("ada", LIBRARY))
    relay.cut()
    answer = far.validate(ticket, path=path, format=format_)
    assert answer.status_int == 200
    if path == "/validate":
        assert answer.body == b"no\n\n"
    elif format_:
        assert answer.body == (
            b'{"serviceResponse":{"authenticationFailure":{"code":"INTERNAL_ERROR",'
            b'"description":"The server could not answer; try again"}}}'
        )
    else:
        assert answer.body == (
            b'<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">\n'
            b'<cas:authenticationFailure code="INTERNAL_ERROR">The server could not answer; try again'
            b"</cas:authenticationFailure>\n</cas:serviceResponse>\n"
        )
    assert far.journal.named("ticket.refused")[-1].code == "INTERNAL_ERROR"
    relay.mend()
    told = far.validate(ticket, path=path, format=format_).text
    assert told.startswith("yes\n") or "authenticationSuccess" in told


def test_logout_says_that_it_did_not_happen_and_can_be_tried_again(far: Site, relay: CountingRelay) -> None:
    browser = far.browser()
    browser.sign_in("ada", "")
    relay.cut()
    answer = browser.get("/logout" + query(service=LIBRARY))
    assert (answer.status_int, heading(answer)) == (503, OUT_OF_ORDER)
    assert "Location" not in answer.headers
    # The session lives, so its cookie stays: without it nobody could end the session any more.
    assert browser.session
    assert "/cas/logout" in [link.get("href") for link in answer.html.find_all("a")]
    relay.mend()
    assert heading(browser.get("/logout")) == "You are signed out"
    assert not has_ticket(browser.login_page(LIBRARY))


def test_logout_without_a_session_needs_no_redis(far: Site, relay: CountingRelay) -> None:
    relay.cut()
    assert heading(far.browser().get("/logout")) == "You are signed out"


def test_duo_said_yes_while_redis_was_away_and_the_return_can_be_repeated(
    build: Build, relay: CountingRelay, duo: DuoSimulator, duo_settings: str
) -> None:
    site = build(redis_url=relay.url, settings=duo_settings)
    browser = site.browser()
    callback = duo.visit_prompt(browser.sign_in("ada", PAYROLL).headers["Location"])
    relay.cut()
    answer = browser.get(callback)
    assert (answer.status_int, heading(answer)) == (503, OUT_OF_ORDER)
    assert not browser.session
    relay.mend()
    # The flow was not claimed and Duo was not asked, so loading the page again goes on.
    assert has_ticket(browser.get(callback))


def test_readiness_follows_redis_and_liveness_does_not(far: Site, relay: CountingRelay) -> None:
    browser = far.browser()
    for _ in range(2):
        assert (browser.get("/readyz").status_int, browser.get("/readyz").text) == (200, "ok\n")
        relay.cut()
        far.clock.advance(KEEP)
        assert (browser.get("/readyz").status_int, browser.get("/readyz").text) == (503, "redis\n")
        assert browser.get("/healthz").text == "ok\n"
        relay.mend()
        far.clock.advance(KEEP)


def test_failed_logins_are_not_forgotten_over_an_outage(far: Site, relay: CountingRelay) -> None:
    browser = far.browser()
    for _ in range(5):
        browser.fill(browser.login_page(), "ada", "wrong")
    relay.cut()
    browser.fill(browser.login_page(), "ada", "wrong")
    relay.mend()
    assert browser.fill(browser.login_page(), "ada").status_int == 429


def test_each_fault_is_in_the_log_under_the_reference_of_its_page(far: Site, relay: CountingRelay) -> None:
    browser = far.browser()
    page = browser.login_page()
    relay.cut()
    answer = browser.fill(page, "ada")
    (fault,) = far.journal.named("fault")
    assert fault.reference in words(answer)
    assert (fault.code, fault.level) == ("UPSTREAM_UNAVAILABLE", "error")
    assert fault.detail.startswith("redis: ")


def test_connections_that_died_while_nobody_used_them_are_replaced_unseen(far: Site, relay: CountingRelay) -> None:
    browsers = [far.browser() for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        # Two each: more attempts of one person at once would be taken for guessing.
        list(pool.map(lambda browser, name: browser.sign_in(name, ""), browsers, list(PASSWORDS) * 2))
    tickets = [ticket_of(browser.login_page(LIBRARY)) for browser in browsers]

    def end_all_connections() -> None:
        relay.cut()
        relay.mend()

    end_all_connections()
    assert all("authenticationSuccess" in far.validate(ticket).text for ticket in tickets)
    end_all_connections()
    assert has_ticket(browsers[0].login_page(LIBRARY))
    end_all_connections()
    assert has_ticket(far.browser().sign_in("grace", LIBRARY))
    end_all_connections()
    assert heading(browsers[0].get("/logout")) == "You are signed out"
    end_all_connections()
    assert far.browser().get("/readyz").status_int == 200
    assert not far.journal.named("fault")


def test_a_restarted_redis_that_knows_no_scripts_is_noticed_by_nobody(far: Site) -> None:
    store = far.composed.parts.store
    browser = far.browser()
    for step in (
        lambda: browser.sign_in("ada", LIBRARY),
        lambda: browser.login_page(LIBRARY),
        lambda: browser.fill(browser.login_page(LIBRARY, renew="true"), "ada"),
    ):
        store.command("SCRIPT", "FLUSH")
        answer = step()
        store.command("SCRIPT", "FLUSH")
        assert "authenticationSuccess" in far.validate(ticket_of(answer)).text


def test_a_restarted_redis_that_was_told_one_script_is_noticed_by_nobody(far: Site) -> None:
    """With its data Redis has live sessions again: the first request may need one script, the next login more."""
    store = far.composed.parts.store
    browser = far.browser()
    browser.sign_in("ada", "")
    store.command("SCRIPT", "FLUSH")
    assert has_ticket(browser.login_page(LIBRARY))
    assert has_ticket(far.browser().sign_in("grace", LIBRARY))


class DyingRelay(CountingRelay):
    """A relay that is cut by itself when the answer number ``limit`` + 1 comes: Redis has done it, nobody is told."""

    limit: int | None = None
    _count = 0

    @property
    def round_trips(self) -> int:
        return self._count

    @round_trips.setter
    def round_trips(self, value: int) -> None:
        self._count = value
        if self.limit is not None and value > self.limit:
            self._cut = True
            for item in list(self._open):
                with contextlib.suppress(OSError):
                    item.shutdown(socket.SHUT_RDWR)


@pytest.fixture
def dying(tmp_path: Path, valkey_url: str) -> Iterator[DyingRelay]:
    found = DyingRelay(tmp_path, valkey_url)
    yield found
    found.close()


def die_after(relay: DyingRelay, steps: int) -> None:
    relay.reset()
    relay.limit = steps


def come_back(relay: DyingRelay) -> None:
    relay.limit = None
    relay.mend()


@pytest.mark.parametrize("steps", [0, 1])
def test_a_login_that_redis_dies_in_tells_nobody_of_a_session(build: Build, dying: DyingRelay, steps: int) -> None:
    site = build(redis_url=dying.url, registry=REGISTRY)
    site.browser().sign_in("grace", LIBRARY)
    browser = site.browser()
    page = browser.login_page()
    die_after(dying, steps)
    answer = browser.fill(page, "ada")
    assert (answer.status_int, heading(answer)) == (503, OUT_OF_ORDER)
    assert "Set-Cookie" not in answer.headers
    come_back(dying)
    # The key of the form may be used up; the next one works.
    again = browser.fill(page, "ada")
    assert has_ticket(again) or has_ticket(browser.fill(again, "ada"))


def test_a_validation_whose_answer_was_lost_never_succeeds_twice(build: Build, dying: DyingRelay) -> None:
    site = build(redis_url=dying.url, registry=REGISTRY)
    browser = site.browser()
    browser.sign_in("ada", "")
    assert "authenticationSuccess" in site.validate(ticket_of(browser.login_page(LIBRARY))).text
    ticket = ticket_of(browser.login_page(LIBRARY))
    die_after(dying, 0)
    assert 'code="INTERNAL_ERROR"' in site.validate(ticket).text
    come_back(dying)
    assert 'code="INVALID_TICKET"' in site.validate(ticket).text


@pytest.mark.parametrize("steps", [0, 1])
def test_a_return_from_duo_that_redis_dies_in_opens_nothing(
    build: Build, dying: DyingRelay, duo: DuoSimulator, duo_settings: str, steps: int
) -> None:
    site = build(redis_url=dying.url, settings=duo_settings)
    warm = site.browser()
    warm.get(duo.visit_prompt(warm.sign_in("ada", PAYROLL).headers["Location"]))
    browser = site.browser()
    callback = duo.visit_prompt(browser.sign_in("ada", PAYROLL).headers["Location"])
    die_after(dying, steps)
    answer = browser.get(callback)
    assert (answer.status_int, heading(answer)) == (503, OUT_OF_ORDER)
    assert not browser.session
    come_back(dying)
    again = browser.get(callback)
    assert not has_ticket(again)
    (retry,) = [link.get("href") for link in again.html.find_all("a") if "service=" in link.get("href")]
    assert not has_ticket(browser.get("https://sso.example.edu" + retry))
