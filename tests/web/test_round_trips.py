"""How many times a request waits for Redis: counted on the wire, on connections and scripts that are warm, and cold."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from webtest.response import TestResponse

from casduo.diagnosis.readiness import KEEP
from casduo.simulators.duo import DuoSimulator
from tests.support.redis_servers import CountingRelay
from tests.support.site import LIBRARY, PASSWORDS, PAYROLL, Browser, Build, Site, has_ticket, heading, query, ticket_of

Count = Callable[[Callable[[], object]], int]


@pytest.fixture
def far(build: Build, relay: CountingRelay, duo: DuoSimulator, duo_settings: str) -> Site:
    """A server whose connection is open and whose scripts Redis knows."""
    site = build(redis_url=relay.url, settings=duo_settings)
    browser = site.browser()
    browser.sign_in("ada", LIBRARY)
    back_from_duo(browser, duo, browser.login_page(PAYROLL))
    site.validate(ticket_of(browser.login_page(LIBRARY)))
    browser.get("/logout")
    browser.fill(browser.login_page(), "ada", "wrong")
    return site


@pytest.fixture
def count(relay: CountingRelay) -> Count:
    def counted(step: Callable[[], object]) -> int:
        relay.reset()
        step()
        return relay.round_trips

    return counted


def back_from_duo(browser: Browser, duo: DuoSimulator, prompt: TestResponse) -> None:
    assert prompt.status_int == 302, prompt.text
    assert has_ticket(browser.get(duo.visit_prompt(prompt.headers["Location"])))


def test_the_form_without_a_session_costs_none(far: Site, count: Count) -> None:
    browser = far.browser()
    assert count(lambda: browser.login_page(LIBRARY)) == 0
    assert count(lambda: browser.login_page("")) == 0
    assert count(lambda: browser.login_page(LIBRARY, gateway="true")) == 0
    assert count(lambda: browser.login_page("https://unregistered.example.com/")) == 0
    browser.app.set_cookie("TGC-casduo", "nonsense")
    assert count(lambda: browser.login_page(LIBRARY)) == 0


def test_a_password_and_its_ticket_cost_two(far: Site, count: Count) -> None:
    browser = far.browser()
    page = browser.login_page(LIBRARY)
    assert count(lambda: browser.fill(page, "ada")) == 2
    assert browser.session


def test_a_password_without_a_service_costs_two_and_the_page_after_it_one(far: Site, count: Count) -> None:
    browser = far.browser()
    page = browser.login_page("")
    fields = {**dict(page.forms["login"].submit_fields()), "username": "ada", "password": PASSWORDS["ada"]}
    assert count(lambda: browser.post("/login", fields)) == 2
    assert count(lambda: browser.get("/login")) == 1


def test_a_wrong_password_costs_two(far: Site, count: Count) -> None:
    browser = far.browser()
    page = browser.login_page(LIBRARY)
    assert count(lambda: browser.fill(page, "grace", "wrong")) == 2


def test_an_empty_form_costs_one(far: Site, count: Count) -> None:
    browser = far.browser()
    page = browser.login_page(LIBRARY)
    assert count(lambda: browser.fill(page, "ada", "")) == 1


def test_a_ticket_on_a_live_session_costs_two(far: Site, count: Count) -> None:
    browser = far.browser()
    browser.sign_in("ada", "")
    assert count(lambda: browser.login_page(LIBRARY)) == 2
    assert count(lambda: browser.login_page(LIBRARY, gateway="true")) == 2


def test_pages_on_a_live_session_cost_one(far: Site, count: Count) -> None:
    browser = far.browser()
    browser.sign_in("ada", "")
    assert count(lambda: browser.login_page("")) == 1
    assert count(lambda: browser.login_page(LIBRARY, renew="true")) == 1
    assert count(lambda: browser.login_page("https://staff.example.edu/")) == 1


@pytest.mark.parametrize("path", ["/validate", "/serviceValidate", "/p3/serviceValidate"])
def test_any_validation_costs_one(far: Site, count: Count, path: str) -> None:
    browser = far.browser()
    browser.sign_in("ada", "")
    ticket = ticket_of(browser.login_page(LIBRARY))
    assert count(lambda: far.validate(ticket, path=path)) == 1
    assert count(lambda: far.validate(ticket, path=path)) == 1
    wrong_service = ticket_of(browser.login_page(LIBRARY))
    assert count(lambda: far.validate(wrong_service, PAYROLL, path)) == 1
    renewed = ticket_of(browser.login_page(LIBRARY))
    assert count(lambda: far.validate(renewed, path=path, renew="true")) == 1


def test_what_cannot_be_a_ticket_costs_none(far: Site, count: Count) -> None:
    assert count(lambda: far.validate("ST-1")) == 0
    assert count(lambda: far.validate("")) == 0


def test_signing_out_costs_two_and_once_more_one(far: Site, count: Count) -> None:
    browser = far.browser()
    browser.sign_in("ada", "")
    session = browser.session
    assert count(lambda: browser.get("/logout" + query(service=LIBRARY))) == 2
    assert count(lambda: browser.get("/logout")) == 0
    browser.app.set_cookie("TGC-casduo", session)
    assert count(lambda: browser.get("/logout")) == 1


ASKED_DUO = 1
"""Each call to Duo asks Redis first whether Duo is known to be down."""


def test_a_password_that_leads_to_duo_costs_two_and_the_way_back_two(
    far: Site, count: Count, duo: DuoSimulator
) -> None:
    browser = know_duo_to_be_well(far)
    page = browser.login_page(PAYROLL)
    answers = []
    assert count(lambda: answers.append(browser.fill(page, "ada"))) == 2 + ASKED_DUO
    callback = duo.visit_prompt(answers[0].headers["Location"])
    assert count(lambda: answers.append(browser.get(callback))) == 2 + ASKED_DUO
    assert has_ticket(answers[1])
    assert count(lambda: browser.get(callback)) == 1


def test_a_step_up_in_a_live_session_costs_two_and_the_way_back_two(far: Site, count: Count, duo: DuoSimulator) -> None:
    browser = know_duo_to_be_well(far)
    browser.sign_in("ada", LIBRARY)
    answers = []
    assert count(lambda: answers.append(browser.login_page(PAYROLL))) == 2 + ASKED_DUO
    callback = duo.visit_prompt(answers[0].headers["Location"])
    assert count(lambda: answers.append(browser.get(callback))) == 2 + ASKED_DUO
    assert has_ticket(answers[1])


def know_duo_to_be_well(far: Site) -> Browser:
    """Let somebody else ask how Duo is; that is known for some seconds then. Returns another browser."""
    far.browser().sign_in("alan", PAYROLL)
    return far.browser()


def test_scripts_that_redis_has_forgotten_cost_one_more_once(far: Site, count: Count) -> None:
    store = far.composed.parts.store
    browser = far.browser()
    page = browser.login_page(LIBRARY)
    # The texts of all scripts go along, in several packets. That Redis begins to answer before it has them all looks
    # like one round trip more, or two.
    store.command("SCRIPT", "FLUSH")
    assert count(lambda: browser.fill(page, "ada")) in (3, 4, 5)
    store.command("SCRIPT", "FLUSH")
    answers = []
    # The session is read by a plain command.
    assert count(lambda: answers.append(browser.login_page(LIBRARY))) in (3, 4, 5)
    store.command("SCRIPT", "FLUSH")
    assert count(lambda: far.validate(ticket_of(answers[0]))) in (2, 3, 4)
    assert heading(browser.login_page("")) == "You are signed in"


def test_probes_cost_one_at_most(far: Site, count: Count) -> None:
    browser = far.browser()
    browser.get("/readyz")
    far.clock.advance(KEEP)
    assert count(lambda: browser.get("/readyz")) == 1
    assert count(lambda: browser.get("/readyz")) == 0, "an answer of Redis is good for a second"
    assert count(lambda: browser.get("/healthz")) == 0
