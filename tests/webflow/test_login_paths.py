"""Every combination of session, renew, gateway, service and owed factor, and what a GET of /login answers (32 rows)."""

from __future__ import annotations

import itertools

import pytest

from casduo.simulators.duo import DuoSimulator
from tests.support.site import LIBRARY, PAYROLL, Browser, Site, has_ticket, heading

FORM, SIGNED_IN, TICKET, BARE, PROMPT = "form", "signed in", "ticket", "back without ticket", "Duo's prompt"


def expected(session: bool, renew: bool, gateway: bool, service: bool, owed: bool) -> str:
    """The table of the protocol (2.1.1) with Duo laid over it, written as a person would say it."""
    if not service:
        # gateway means nothing without a service, and no service owes anything.
        return SIGNED_IN if session and not renew else FORM
    if renew:
        return FORM
    if not session:
        return BARE if gateway else FORM
    if owed:
        return BARE if gateway else PROMPT
    return TICKET


@pytest.mark.parametrize(
    ("session", "renew", "gateway", "service", "owed"), list(itertools.product([False, True], repeat=5))
)
def test_path_through_login(
    site: Site, duo: DuoSimulator, session: bool, renew: bool, gateway: bool, service: bool, owed: bool
) -> None:
    browser = site.browser()
    if session:
        browser.sign_in("ada", "")
    address = (PAYROLL if owed else LIBRARY) if service else ""
    flags = {name: "true" for name, value in (("renew", renew), ("gateway", gateway)) if value}

    answer = browser.login_page(address, **flags)

    assert seen(answer, address, duo) == expected(session, renew, gateway, service, owed)


def seen(answer: object, address: str, duo: DuoSimulator) -> str:
    assert hasattr(answer, "status_int")
    if answer.status_int == 302:
        location = answer.headers["Location"]
        if location.startswith(duo.base_url):
            return PROMPT
        if has_ticket(answer):
            assert location.startswith(address)
            return TICKET
        assert location == address
        return BARE
    assert answer.status_int == 200
    return SIGNED_IN if heading(answer) == "You are signed in" else FORM


def test_password_then_owed_duo_leads_to_the_prompt_and_then_to_the_service(site: Site, duo: DuoSimulator) -> None:
    browser: Browser = site.browser()
    prompt = browser.sign_in("ada", PAYROLL)
    assert prompt.headers["Location"].startswith(duo.base_url)
    back = browser.get(duo.visit_prompt(prompt.headers["Location"]))
    assert has_ticket(back)
