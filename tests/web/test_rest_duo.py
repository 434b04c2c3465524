"""Duo and the REST protocol: a password is never enough where Duo is required, a passcode is, an outage is not.

Pushes are in ``test_rest_push.py``.
"""

from __future__ import annotations

from typing import Any

import pytest

from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.faults import ANSWER_KINDS
from casduo.tickets.ids import parse_session_id
from casduo.tickets.model import TicketGrantingTicket
from tests.support.rest import ADDRESS, REST, Program, text
from tests.support.site import LIBRARY, PASSWORDS, PAYROLL, Build, Site

AUTH = "/auth/v2/auth"
TIMESHEETS = "https://timesheets.example.edu/"
HOURLY = "https://hourly.example.edu/"
ELSEWHERE = "https://elsewhere.example.edu/"
UNREADABLE = "passcode is no passcode, and none of the words push, phone and sms\n"

REGISTRY = """
services:
  - id: library
    name: Library catalogue
    url: https://library.example.edu/**
  - id: payroll
    name: Payroll
    url: https://payroll.example.edu/**
    requires_duo: true
    attributes: [mail]
  - id: timesheets
    name: Timesheets
    url: https://timesheets.example.edu/**
    requires_duo: {fail: open}
  - id: hourly
    name: Safe
    url: https://hourly.example.edu/**
    requires_duo: {max_age: 1h}
  - id: elsewhere
    name: Duo only from far away
    url: https://elsewhere.example.edu/**
    requires_duo: {when: {networks: [203.0.113.0/24]}}
  - id: staff
    name: Staff room
    url: https://staff.example.edu/**
    requires_duo: true
    access: {groups: [staff]}
"""


@pytest.fixture
def site(build: Build, duo_settings: str) -> Site:
    return build(registry=REGISTRY, settings=duo_settings + REST)


@pytest.fixture
def portal(site: Site) -> Program:
    return Program(site)


def stored(site: Site, session: str) -> TicketGrantingTicket:
    ticket = parse_session_id(session)
    assert ticket is not None
    found = site.composed.parts.tickets.find_session(ticket)
    assert found is not None
    return found


def sessions(site: Site, principal: str = "ada") -> int:
    return len(site.composed.parts.tickets.sessions_of(principal))


# -- a password alone ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("service", [PAYROLL, TIMESHEETS, HOURLY])
def test_a_password_is_not_enough_for_a_service_that_requires_duo(portal: Program, site: Site, service: str) -> None:
    session = portal.session("ada")
    for answer in (portal.ticket(session, service), portal.renew(session, service=service)):
        assert (answer.status, text(answer).partition(":")[0]) == (403, "the service requires Duo")
    assert portal.ticket(session, LIBRARY).status == 200
    assert stored(site, session).strength.level == "none"


def test_with_the_service_at_sign_in_it_shows_at_once(portal: Program, site: Site) -> None:
    assert portal.sign_in("ada", service=PAYROLL).status == 403
    assert portal.post("/v1/users", username="ada", password=PASSWORDS["ada"], service=PAYROLL).status == 403
    assert sessions(site) == 0


def test_a_rule_about_networks_means_everybody_for_nobody_knows_where_the_person_is(portal: Program) -> None:
    assert portal.ticket(portal.session("ada"), ELSEWHERE).status == 403


def test_a_session_that_passed_while_duo_was_down_is_not_enough(portal: Program, site: Site, duo: DuoSimulator) -> None:
    duo.stop_listening()
    browser = site.browser()
    assert "ticket=ST-" in browser.sign_in("ada", TIMESHEETS).headers["Location"]
    assert stored(site, browser.session).strength.level == "bypassed"
    assert portal.ticket(browser.session, TIMESHEETS).status == 403


# -- a passcode ------------------------------------------------------------------------------------------------------


def test_a_passcode_with_the_ticket_opens_and_stays_with_the_session(
    portal: Program, site: Site, duo: DuoSimulator
) -> None:
    session = portal.session("ada")
    answer = portal.ticket(session, PAYROLL, passcode=duo.phone("ada").passcode())
    assert answer.status == 200
    validated = site.validate(text(answer), PAYROLL).text
    assert "<cas:user>ada</cas:user>" in validated
    assert "<cas:authnContextClass>mfa-duo</cas:authnContextClass>" in validated
    strength = stored(site, session).strength
    assert (strength.level, strength.factor, strength.at) == ("duo", "passcode", site.clock())
    assert portal.ticket(session, TIMESHEETS).status == 200
    [answered] = site.journal.named("duo.answered")
    assert (answered.principal, answered.outcome, answered.factor) == ("ada", "allowed", "passcode")


def test_a_passcode_at_sign_in_makes_a_strong_session(portal: Program, site: Site, duo: DuoSimulator) -> None:
    session = portal.session("ada", passcode=duo.phone("ada").passcode(), service=PAYROLL)
    answer = portal.ticket(session, PAYROLL)
    assert "<cas:user>ada</cas:user>" in site.validate(text(answer), PAYROLL).text
    assert portal.session("ada", passcode=duo.phone("ada").passcode())


def test_who_somebody_is_is_told_to_a_service_with_duo_after_a_passcode(portal: Program, duo: DuoSimulator) -> None:
    fields = {"username": "ada", "password": PASSWORDS["ada"], "service": PAYROLL}
    answer = portal.post("/v1/users", passcode=duo.phone("ada").passcode(), **fields)
    assert (answer.status, answer.body) == (200, b'{"id":"ada","attributes":{"mail":["ada@example.edu"]}}')


def test_a_passcode_counts_for_as_long_as_the_service_says(portal: Program, site: Site, duo: DuoSimulator) -> None:
    session = portal.session("ada", passcode=duo.phone("ada").passcode())
    assert portal.ticket(session, HOURLY).status == 200
    site.clock.advance(3601)
    assert portal.ticket(session, HOURLY).status == 403
    assert portal.ticket(session, PAYROLL).status == 200
    assert portal.ticket(session, HOURLY, passcode=duo.phone("ada").passcode()).status == 200


def test_renew_asks_for_duo_as_well(portal: Program, site: Site, duo: DuoSimulator) -> None:
    session = portal.session("ada", passcode=duo.phone("ada").passcode())
    assert portal.renew(session, service=PAYROLL).status == 403
    answer = portal.renew(session, service=PAYROLL, passcode=duo.phone("ada").passcode())
    assert "<cas:isFromNewLogin>true" in site.validate(text(answer), PAYROLL, renew="true").text
    assert portal.renew(session, service=LIBRARY).status == 200


def test_spaces_between_the_digits_do_no_harm(portal: Program, duo: DuoSimulator) -> None:
    code = duo.phone("ada").passcode()
    assert portal.sign_in("ada", passcode=f" {code[:3]} {code[3:]} ").status == 201


def test_a_bypass_code_is_a_passcode(portal: Program, duo: DuoSimulator) -> None:
    duo.add_user("ada", bypass_codes=["123456789"])
    assert portal.sign_in("ada", passcode="123456789").status == 201
    assert portal.sign_in("ada", passcode="123456789").status == 401


@pytest.mark.parametrize("passcode", ["12345", "12345678901", "12345a", "١٢٣٤٥٦", "-123456", "auto", "push0", "pushed"])
def test_what_cannot_be_a_passcode_is_not_asked_about(portal: Program, duo: DuoSimulator, passcode: str) -> None:
    session = portal.session("ada")
    for answer in (portal.sign_in("ada", passcode=passcode), portal.ticket(session, PAYROLL, passcode=passcode)):
        assert (answer.status, text(answer)) == (400, UNREADABLE)
    assert duo.requests.count(AUTH) == 0


def test_duo_is_asked_only_behind_a_right_password_and_an_open_door(portal: Program, duo: DuoSimulator) -> None:
    assert portal.sign_in("ada", password="wrong", passcode="123456").status == 401
    assert portal.sign_in("ada", service="https://staff.example.edu/", passcode="123456").status == 403
    assert portal.sign_in("ada", service="https://unregistered.example.com/", passcode="123456").status == 403
    session = portal.session("ada")
    assert portal.ticket(session, "https://staff.example.edu/", passcode="123456").status == 403
    assert portal.renew(session, password="wrong", service=PAYROLL, passcode="123456").status == 401
    assert portal.renew(session, "grace", PAYROLL, passcode="123456").status == 401
    assert duo.requests.count(AUTH) == 0


def test_duo_is_not_told_the_programs_address_for_the_persons(portal: Program, duo: DuoSimulator) -> None:
    portal.sign_in("ada", passcode=duo.phone("ada").passcode())
    [asked] = duo.requests(AUTH)
    assert "ipaddr" not in asked.parameters
    assert ADDRESS not in repr(asked.parameters)
    assert (asked.parameters["username"], asked.parameters["factor"]) == ("ada", "passcode")


# -- a passcode that is refused --------------------------------------------------------------------------------------


def test_a_wrong_passcode_gives_neither_session_nor_ticket(portal: Program, site: Site) -> None:
    answer = portal.sign_in("ada", passcode="000000")
    assert (answer.status, text(answer)) == (401, "Duo does not accept the passcode\n")
    assert sessions(site) == 0
    session = portal.session("ada")
    assert portal.ticket(session, PAYROLL, passcode="000000").status == 401
    assert portal.ticket(session, LIBRARY, passcode="000000").status == 401
    assert stored(site, session).strength.level == "none"
    assert {event.outcome for event in site.journal.named("duo.answered")} == {"denied"}
    assert site.journal.named("ticket.granted") == []


def test_a_passcode_works_once(portal: Program, duo: DuoSimulator) -> None:
    code = duo.phone("ada").passcode()
    session = portal.session("ada", passcode=code)
    assert portal.sign_in("ada", passcode=code).status == 401
    assert portal.ticket(session, PAYROLL, passcode=code).status == 401


def test_guessing_passcodes_ends_soon_whatever_password_comes_between(
    portal: Program, site: Site, duo: DuoSimulator
) -> None:
    session = portal.session("ada")
    for _ in range(5):
        assert portal.ticket(session, PAYROLL, passcode="000000").status == 401
        # A right password makes wrong ones forgotten, and only those.
        assert portal.sign_in("ada").status == 201
    asked = duo.requests.count(AUTH)
    right = duo.phone("ada").passcode()
    refused = [
        portal.ticket(session, PAYROLL, passcode=right),
        portal.sign_in("ada", passcode=right),
        portal.renew(session, service=PAYROLL, passcode=right),
    ]
    assert [answer.status for answer in refused] == [429] * 3
    wait = int(refused[0].header("Retry-After"))
    assert duo.requests.count(AUTH) == asked
    assert portal.ticket(session, LIBRARY).status == 200
    site.clock.advance(wait + 1)
    assert portal.ticket(session, PAYROLL, passcode=right).status == 200
    assert portal.ticket(session, PAYROLL, passcode="000000").status == 401


@pytest.mark.parametrize(
    ("username", "status", "why"),
    [("linus", 403, "locked_out"), ("alan", 403, "bypass"), ("grace", 401, "deny")],
)
def test_people_of_whom_duo_takes_no_passcode(
    portal: Program, site: Site, username: str, status: int, why: str
) -> None:
    session = portal.session(username)
    for answer in (
        portal.sign_in(username, passcode="123456"),
        portal.ticket(session, PAYROLL, passcode="123456"),
        portal.ticket(session, TIMESHEETS, passcode="123456"),
    ):
        assert answer.status == status
    assert stored(site, session).strength.level == "none"
    assert [event.detail for event in site.journal.named("duo.answered")] == [f"passcode: {why}"] * 3


def test_somebody_duo_does_not_know_has_no_passcode(portal: Program, site: Site, duo: DuoSimulator) -> None:
    duo.remove_user("ada")
    answer = portal.sign_in("ada", passcode="123456")
    assert (answer.status, text(answer)) == (403, "Duo does not let this person prove anything\n")
    assert site.journal.named("duo.answered")[0].outcome == "unenrolled"


# -- Duo that does not answer ----------------------------------------------------------------------------------------


def assert_closed(site: Site, portal: Program, session: str) -> None:
    """Whatever Duo does: no ticket for a service that requires it, not even for one that fails open."""
    before = len(site.journal.named("ticket.granted"))
    for service in (PAYROLL, TIMESHEETS):
        assert portal.ticket(session, service, passcode="123456").status == 503
        assert portal.renew(session, service=service, passcode="123456").status == 503
        assert portal.ticket(session, service).status == 403
        assert portal.sign_in("ada", service=service).status == 403
        answer = portal.sign_in("ada", service=service, passcode="123456")
        assert (answer.status, answer.header("Retry-After")) == (503, "10")
        assert answer.body == b"the server cannot do this now; try again later\n"
    assert len(site.journal.named("ticket.granted")) == before
    assert stored(site, session).strength.level == "none"
    assert site.journal.named("duo.bypassed") == []
    assert portal.ticket(session, LIBRARY).status == 200


@pytest.mark.parametrize("kind", ANSWER_KINDS)
def test_odd_answers_of_duo_open_nothing(portal: Program, site: Site, duo: DuoSimulator, kind: Any) -> None:
    session = portal.session("ada")
    duo.faults.answer("*", kind)
    assert_closed(site, portal, session)


@pytest.mark.parametrize("code", [40001, 40002, 40101, 40103, 40105, 40301, 40401, 42901, 50000, 99999])
def test_refusals_of_duo_open_nothing(portal: Program, site: Site, duo: DuoSimulator, code: int) -> None:
    session = portal.session("ada")
    duo.faults.refuse(AUTH, code)
    assert_closed(site, portal, session)


def test_a_duo_that_is_down_opens_nothing(portal: Program, site: Site, duo: DuoSimulator) -> None:
    session = portal.session("ada")
    duo.stop_listening()
    # Often enough for the breaker to open: it opens no service.
    assert_closed(site, portal, session)
    assert "breaker_open" in {event.why.removeprefix("duo: ") for event in site.journal.named("rest.answered")}


def test_an_outage_is_no_failure_of_the_person(portal: Program, site: Site, duo: DuoSimulator) -> None:
    session = portal.session("ada")
    duo.faults.break_down(AUTH)
    for _ in range(8):
        assert portal.ticket(session, PAYROLL, passcode="123456").status == 503
    duo.faults.clear()
    # As if the breaker's pause were over, which goes by Redis's clock.
    store = site.composed.parts.store
    store.command("DEL", *store.command("KEYS", "casduo:{breaker:*"))
    site.clock.advance(10)
    assert portal.ticket(session, PAYROLL, passcode=duo.phone("ada").passcode()).status == 200


def test_a_passcode_is_sent_once_whatever_happens_to_it(portal: Program, duo: DuoSimulator) -> None:
    session = portal.session("ada")
    duo.transport.cut(AUTH, after=10)
    assert portal.ticket(session, PAYROLL, passcode=duo.phone("ada").passcode()).status == 503
    assert duo.requests.count(AUTH) <= 1


@pytest.mark.parametrize("factor", [{"passcode": "123456"}, {"passcode": "push"}, {"push": "x"}])
def test_without_duo_there_is_no_second_factor(build: Build, factor: dict[str, str]) -> None:
    site = build(registry="services: [{id: library, name: L, url: 'https://library.example.edu/**'}]", settings=REST)
    portal = Program(site)
    session = portal.session("ada")
    assert portal.ticket(session, LIBRARY, **factor).status == 400
    assert portal.sign_in("ada", **factor).status == 400
    assert portal.ticket(session, LIBRARY).status == 200


def test_no_passcode_is_told_to_the_log(portal: Program, site: Site, duo: DuoSimulator) -> None:
    right = duo.phone("ada").passcode()
    portal.sign_in("ada", passcode="00112233")
    portal.sign_in("ada", passcode=right)
    portal.sign_in("ada", passcode=right)
    duo.faults.break_down(AUTH)
    portal.sign_in("ada", passcode="00112233")
    told = repr(site.journal.events)
    assert "00112233" not in told
    assert right not in told
