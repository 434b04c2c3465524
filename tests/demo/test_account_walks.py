"""My account in a browser, with scripts and without: somebody puts in order where they are signed in, and throws out a
stranger who has their password.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, expect

from casduo.endpoints.account import ACCOUNT_ROUTES
from tests.demo.critic import Critic
from tests.demo.newcomers import PASSWORD, Newcomer
from tests.demo.running import DemoProcess
from tests.demo.walking import EDGE, FIREFOX, SAFARI, Walker, never_seen

PAGES = [*ACCOUNT_ROUTES, "/account/sign-ins/{}"]


@pytest.fixture(scope="module")
def critic() -> Iterator[Critic]:
    """Somebody who looks at each state once, whoever comes by it."""
    critic = Critic()
    yield critic
    assert critic.complaints == []


@pytest.fixture(params=[True, False], ids=["scripts", "no scripts"])
def three(
    demo: DemoProcess, chromium: Browser, critic: Critic, request: pytest.FixtureRequest
) -> Iterator[tuple[Walker, Walker, Walker]]:
    """The browser that somebody sits at, the one in their office, and one that is somebody else's."""
    walkers = [
        Walker.arriving(demo, chromium, critic, scripts=request.param, agent=agent) for agent in (FIREFOX, EDGE, SAFARI)
    ]
    yield walkers[0], walkers[1], walkers[2]
    for walker in walkers:
        walker.context.close()


def test_a_person_puts_their_account_in_order(three: tuple[Walker, Walker, Walker], newcomer: Newcomer) -> None:
    here, office, stranger = three
    arrives(here, newcomer)
    signs_in_elsewhere(here, office, stranger, newcomer)
    ends_one_session_and_then_the_others(here, office, stranger)
    stops_trusting_browsers(here, office)
    says_that_it_was_somebody_else(here, stranger, newcomer)
    asks_duo(here)
    assert never_seen(PAGES, here.been) == []


def arrives(here: Walker, person: Newcomer) -> None:
    here.goes_to("/account")
    here.sees("Sign in")
    here.sign_in(person.username, PASSWORD)
    here.comes_to("My account", "account-alone")
    expect(here.page).to_have_url(f"{here.demo.cas_url}/account/")
    expect(here.page.get_by_text("You are signed in nowhere else.")).to_be_visible()


def signs_in_elsewhere(here: Walker, office: Walker, stranger: Walker, person: Newcomer) -> None:
    stranger.open("Library")
    stranger.sign_in(person.username, "guess")
    stranger.is_told("User name or password is not right.")
    stranger.sign_in(person.username, PASSWORD)
    stranger.is_at("Library", person.name)
    office.signs_in_trusting(person)
    here.open("Timesheets")
    if not here.scripts:
        here.presses("Send the request")
    here.confirms(person.username)
    here.page.get_by_role("button", name="Yes").click()
    here.is_at("Timesheets", person.name)


def ends_one_session_and_then_the_others(here: Walker, office: Walker, stranger: Walker) -> None:
    here.goes_to("/login")
    here.follows("My account")
    here.comes_to("My account", "account-full")
    row = here.page.get_by_role("row").filter(has=here.page.get_by_role("rowheader", name="Microsoft Edge")).first
    expect(row).to_contain_text("Timesheets")
    row.get_by_role("button", name="End session on Microsoft Edge on Windows").click()
    here.hears("The session was ended.")
    here.looks("account-session-ended")
    is_signed_out(office)

    here.follows("End all other sessions")
    here.comes_to("End all other sessions?", "account-sessions-confirm")
    here.follows("Cancel")
    here.sees("My account")
    here.follows("End all other sessions")
    here.sees("End all other sessions?")
    second = here.tab()
    second.goes_to("/account/sessions/end")
    here.presses("End all other sessions")
    here.hears("All other sessions were ended.")
    is_signed_out(stranger)
    second.presses("End all other sessions")
    second.hears("There was nothing left to do")
    second.looks("account-gone")
    second.page.close()


def stops_trusting_browsers(here: Walker, office: Walker) -> None:
    here.follows("Stop trusting all browsers")
    here.comes_to("Stop trusting all browsers?", "account-browsers-confirm")
    here.follows("Cancel")
    here.page.get_by_role("button", name="Stop trusting Microsoft Edge").click()
    here.hears("The browser is no longer trusted.")
    expect(here.page.get_by_role("button", name="Stop trusting")).to_have_count(1)
    here.goes_to("/account/browsers/forget")
    here.presses("Stop trusting all browsers")
    here.hears("No browser is trusted any more.")
    here.looks("account-no-browsers")


def says_that_it_was_somebody_else(here: Walker, stranger: Walker, person: Newcomer) -> None:
    stranger.signs_in_at_library(person)
    here.follows("Recent sign-ins", within="nav")
    here.comes_to("Recent sign-ins", "account-sign-ins")
    here.follows(name_of("Wrong password"))
    here.comes_to("Was this somebody else?", "account-disown-guess")
    here.presses("This was not me")
    here.comes_to("Thank you for telling us", "account-disowned-guess")
    here.follows("Back to recent sign-ins")

    here.follows(name_of("Signed in with password, "))
    here.comes_to("Was this somebody else?", "account-disown")
    here.follows("It was me")
    here.sees("Recent sign-ins")
    here.follows(name_of("Signed in with password, "))
    here.presses("This was not me")
    here.comes_to("Thank you for telling us", "account-disowned")
    here.page.reload()
    here.sees("Thank you for telling us")
    is_signed_out(stranger)
    here.follows("Back to recent sign-ins")
    expect(here.page.get_by_text("You said that this was not you.")).to_have_count(2)
    here.looks("account-sign-ins-disowned")


def asks_duo(here: Walker) -> None:
    here.follows("Duo", within="nav")
    here.comes_to("Duo", "account-duo")
    expect(here.page.get_by_text("Duo knows 1 device of yours.")).to_be_visible()
    here.demo.duo(do="listen", on=False)
    try:
        here.page.reload()
        expect(here.page.get_by_text("Duo cannot be asked at the moment.")).to_be_visible()
        here.looks("account-duo-away")
    finally:
        here.demo.duo(do="listen", on=True)


def is_signed_out(walker: Walker) -> None:
    walker.goes_to("/account/")
    walker.sees("Sign in")


def name_of(what: str) -> str:
    return f"This was not me: {what}"
