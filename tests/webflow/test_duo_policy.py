"""What entries may say about Duo besides yes: modes of a roll-out, several applications in Duo, requests that ask for
more, who is asked again after an outage.
"""

from __future__ import annotations

import pytest

from casduo.mfa.duo.reports import REPORTS
from casduo.simulators.duo import DuoSimulator
from tests.support.pushing import press, working
from tests.support.rest import REST, Program
from tests.support.site import BASE, LIBRARY, Browser, Build, Site, has_ticket, ticket_of, words

REPORTED = "https://reported.example.edu/"
OPTIONAL = "https://optional.example.edu/"
ROLLING = "https://rolling.example.edu/"
VAULT = "https://vault.example.edu/"
STRICT = "https://strict.example.edu/"
HOURLY = "https://hourly.example.edu/"
REGISTRY = """
services:
  - {id: library, name: Library catalogue, url: "https://library.example.edu/**"}
  - {id: reported, name: Reported, url: "https://reported.example.edu/**", requires_duo: {mode: report}}
  - {id: optional, name: Optional, url: "https://optional.example.edu/**",
     requires_duo: {mode: optional, prompt: push}}
  - {id: rolling, name: Rolling, url: "https://rolling.example.edu/**",
     requires_duo: {prompt: push, mode: {report: 2026-12-01, optional: 2027-01-01, required: 2027-02-01}}}
  - {id: vault, name: Vault, url: "https://vault.example.edu/**", requires_duo: {prompt: push}}
  - {id: strict, name: Strict, url: "https://strict.example.edu/**", requires_duo: {prompt: push, application: strict}}
  - {id: hourly, name: Hourly, url: "https://hourly.example.edu/**",
     requires_duo: {prompt: push, max_age: 1h, fail: open}}
"""


@pytest.fixture
def site(build: Build, duo: DuoSimulator, duo_settings: str) -> Site:
    keys = duo.add_application(redirect_uris=[f"{BASE}/duo/callback"])
    strict = f"{{universal: {{client_id: {keys.integration_key}, client_secret: {keys.secret_key}}}}}"
    settings = duo_settings.replace(
        "duo: {", f"duo: {{request_parameter: authn_method, applications: {{strict: {strict}}}, "
    )
    return build(registry=REGISTRY, settings=settings + REST)


def attributes(site: Site, answer: object, service: str) -> dict[str, object]:
    told = site.validate(ticket_of(answer), service, format="json").json["serviceResponse"]  # type: ignore[arg-type]
    found: dict[str, object] = told["authenticationSuccess"]["attributes"]
    return found


def queued(site: Site) -> int:
    return int(site.composed.parts.store.command("XLEN", REPORTS))


def with_code(browser: Browser, duo: DuoSimulator, service: str, **parameters: str) -> object:
    """Sign ada in with a code at the built-in page."""
    return press(browser, browser.sign_in("ada", service, **parameters), passcode=duo.phone("ada").passcode())


# Modes


def test_report_mode_asks_nobody_and_has_a_worker_ask_what_would_have_been(site: Site, duo: DuoSimulator) -> None:
    assert has_ticket(site.browser().sign_in("ada", REPORTED))
    assert not len(duo.requests)
    assert queued(site) == 1
    assert has_ticket(site.browser().sign_in("ada", REPORTED))
    assert queued(site) == 1


def test_report_mode_covers_programs_too(site: Site) -> None:
    program = Program(site)
    assert program.ticket(program.session("ada"), REPORTED).status == 200
    assert queued(site) == 1


def test_optional_mode_asks_who_has_a_device_and_nobody_else(site: Site, duo: DuoSimulator) -> None:
    grace = site.browser().sign_in("grace", OPTIONAL)
    told = attributes(site, grace, OPTIONAL)
    assert "authnContextClass" not in told
    assert told["bypassedMultifactorAuthenticationReason"] == "unenrolled"
    browser = site.browser()
    assert not has_ticket(browser.sign_in("ada", OPTIONAL))
    browser = site.browser()
    done = with_code(browser, duo, OPTIONAL)
    assert attributes(site, done, OPTIONAL)["authnContextClass"] == "mfa-duo"


def test_who_passed_an_optional_service_without_a_device_gets_into_no_stricter_one(site: Site) -> None:
    browser = site.browser()
    assert has_ticket(browser.sign_in("grace", OPTIONAL))
    refused = browser.follow(browser.login_page(VAULT))
    assert refused.status_int == 403
    assert "You have none yet" in words(refused)


def test_each_mode_holds_from_its_date(site: Site) -> None:
    day = 86400.0
    for date, asked_of_grace, reported in (
        (1_795_996_800.0, False, False),  # 30 November 2026
        (1_796_083_200.0 + day, False, True),  # 2 December
        (1_798_761_600.0 + day, False, True),  # 2 January 2027: grace has no device
        (1_801_440_000.0 + day, True, True),  # 2 February
    ):
        site.clock.now = date
        answer = site.browser().sign_in("grace", ROLLING)
        assert has_ticket(answer) is not asked_of_grace, date
        assert (queued(site) == 1) is reported, date


# Several applications in Duo


def test_a_service_with_an_application_of_its_own_accepts_no_others_yes(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    assert has_ticket(with_code(browser, duo, VAULT))
    page = browser.follow(browser.login_page(STRICT))
    assert page.status_int == 200
    assert not has_ticket(page)
    done = press(browser, page, passcode=duo.phone("ada").passcode())
    assert attributes(site, done, STRICT)["authnContextClass"] == "mfa-duo"
    assert has_ticket(browser.login_page(VAULT))


# Requests that ask for more


def test_an_application_may_ask_for_duo_where_its_entry_does_not(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    prompt = browser.sign_in("ada", LIBRARY, authn_method="mfa-duo")
    assert prompt.headers["Location"].startswith(duo.base_url)
    done = browser.get(duo.visit_prompt(prompt.headers["Location"]))
    assert attributes(site, done, LIBRARY)["authnContextClass"] == "mfa-duo"


@pytest.mark.parametrize("asked", ["", "mfa-none", "password", "MFA-DUO"])
def test_a_request_never_lowers_what_an_entry_demands(site: Site, asked: str) -> None:
    assert not has_ticket(site.browser().sign_in("ada", VAULT, authn_method=asked))


def test_without_the_setting_the_parameter_says_nothing(build: Build, duo_settings: str) -> None:
    site = build(settings=duo_settings)
    assert has_ticket(site.browser().sign_in("ada", LIBRARY, authn_method="mfa-duo"))


def test_what_was_asked_for_survives_a_way_that_was_lost(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    page = browser.login_page(LIBRARY, authn_method="mfa-duo")
    browser.fill(page, "ada")
    again = browser.fill(page, "ada")
    assert not has_ticket(again)


# After an outage


def test_who_was_let_in_during_an_outage_is_asked_when_duo_is_back(site: Site, duo: DuoSimulator) -> None:
    duo.stop_listening()
    browser = site.browser()
    told = attributes(site, browser.sign_in("ada", HOURLY), HOURLY)
    assert told["bypassedMultifactorAuthenticationReason"] == "unavailable"
    duo.listen_again()
    store = site.composed.parts.store
    for key in store.command("KEYS", "casduo:{breaker:*"):
        store.command("DEL", key)
    site.clock.advance(11)
    with working(site):
        page = browser.follow(browser.login_page(HOURLY))
        assert not has_ticket(page)
        assert has_ticket(press(browser, page, passcode=duo.phone("ada").passcode()))
