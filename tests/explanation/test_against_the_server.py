"""What is explained is what happens: the same people at a whole server, and its answers to the letter."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from webtest.response import TestResponse

from casduo.authentication.lookup import look_up
from casduo.authentication.users_file import UsersFileHandler, UsersFileSettings
from casduo.explanation import Explanation, Person, explain
from casduo.settings import Settings
from casduo.simulators.duo import DuoSimulator
from tests.support.site import BASE, LIBRARY, PAYROLL, Browser, Site, heading, ticket_of

TIMESHEETS = "https://timesheets.example.edu/week"
STAFF = "https://staff.example.edu/"
CLOSED = "https://closed.example.edu/"
ADDRESS = "192.0.2.7"


def explained(site: Site, service: str, username: str, *, fail: str = "closed") -> Explanation:
    source = site.composed.parts.services
    handler = UsersFileHandler(UsersFileSettings(source.path.parent / "users.yaml"))
    found = look_up([handler], ["users_file"], username, site.clock.now)
    assert found.person is not None
    principal = found.person.principal
    person = Person(principal.id, dict(principal.attributes), found.handler)
    settings = Settings.model_validate(
        {
            "server": {"url": BASE},
            "authentication": [{"type": "users_file", "path": "users.yaml"}],
            "duo": {
                "api_host": "api-12345678.duosecurity.com",
                "universal": {"client_id": "D" * 20, "client_secret": "s" * 40},
                "fail": fail,
            },
        }
    )
    return explain(service, source.current(), settings, site.clock.now, person=person, address=ADDRESS)


def answers(explanation: Explanation) -> dict[str, str]:
    assert explanation.service is not None
    return {answer.when: answer.body for answer in explanation.service.answers}


def through_duo(browser: Browser, duo: DuoSimulator, prompt: TestResponse) -> TestResponse:
    return browser.get(duo.visit_prompt(prompt.headers["Location"]))


def test_the_answer_after_the_password(site: Site) -> None:
    explanation = explained(site, LIBRARY, "ada")

    arrived = site.browser().sign_in("ada", LIBRARY)

    assert explanation.verdict == "password"
    assert answers(explanation) == {"after the password": site.validate(ticket_of(arrived), LIBRARY).text}


def test_the_answer_after_duo(site: Site, duo: DuoSimulator) -> None:
    explanation = explained(site, PAYROLL, "ada")
    browser = site.browser()

    arrived = through_duo(browser, duo, browser.sign_in("ada", PAYROLL))

    assert explanation.verdict == "duo"
    assert answers(explanation)["after Duo"] == site.validate(ticket_of(arrived), PAYROLL).text


def test_the_answer_while_duo_cannot_be_reached(site: Site, duo: DuoSimulator) -> None:
    explanation = explained(site, TIMESHEETS, "ada")
    duo.stop()

    arrived = site.browser().sign_in("ada", TIMESHEETS)

    assert answers(explanation)["while Duo cannot be reached"] == site.validate(ticket_of(arrived), TIMESHEETS).text


@pytest.mark.parametrize(
    ("service", "username", "verdict", "page"),
    [
        (STAFF, "ada", "refused", "You may not use Staff room"),
        (CLOSED, "ada", "disabled", "Old system is switched off"),
    ],
)
def test_who_is_refused_sees_that_page(site: Site, service: str, username: str, verdict: str, page: str) -> None:
    browser = site.browser()
    form = browser.login_page(service)

    shown = browser.fill(form, username) if verdict == "refused" else form

    assert explained(site, service, username).verdict == verdict
    assert (shown.status_int, heading(shown)) == (403, page)


@pytest.mark.parametrize(
    ("service", "verdict", "status"),
    [("https://elsewhere.example.edu/", "unregistered", 403), ("https://ada@library.example.edu/", "malformed", 400)],
)
def test_a_url_that_is_nobodys_shows_no_form(site: Site, service: str, verdict: str, status: int) -> None:
    answer = site.browser().get(f"/login?service={quote(service, safe='')}")

    assert explained(site, service, "ada").verdict == verdict
    assert answer.status_int == status
