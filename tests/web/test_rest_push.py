"""Pushes, calls and text messages by the REST protocol, with a worker and somebody who answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from casduo.protocol.rest.tokens import PushTokens
from casduo.simulators.duo import DuoSimulator
from casduo.tickets.ids import parse_session_id
from casduo.tickets.model import TicketGrantingTicket
from tests.support.pushing import working
from tests.support.raw import Answer
from tests.support.rest import KEY, REST, Program, answered, asked, push_of, text, ticket_in, until
from tests.support.served import serving_alone
from tests.support.site import LIBRARY, PASSWORDS, PAYROLL, Build, Site

AUTH = "/auth/v2/auth"
TIMESHEETS = "https://timesheets.example.edu/"
WARDS = "https://wards.example.edu/"
NOT_APPROVED = (401, "the person did not approve\n")

REGISTRY = """
services:
  - {id: library, name: Library catalogue, url: "https://library.example.edu/**"}
  - {id: payroll, name: Payroll, url: "https://payroll.example.edu/**", requires_duo: true, attributes: [mail]}
  - {id: timesheets, name: Timesheets, url: "https://timesheets.example.edu/**", requires_duo: {fail: open}}
"""


@pytest.fixture
def duo(duo: DuoSimulator) -> DuoSimulator:
    duo.settings.poll_hold = 0.3
    return duo


@pytest.fixture
def site(build: Build, duo_settings: str) -> Iterator[Site]:
    site = build(registry=REGISTRY, settings=duo_settings + REST)
    with working(site):
        yield site


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


# -- a push ----------------------------------------------------------------------------------------------------------


def test_a_push_is_answered_at_once_and_its_approval_gives_a_ticket(
    portal: Program, site: Site, duo: DuoSimulator
) -> None:
    session = portal.session("ada")
    sent = portal.ticket(session, PAYROLL, passcode="push")
    assert (sent.status, sent.header("Retry-After"), sent.header("Cache-Control")) == (202, "2", "no-store")
    assert sent.header("Content-Type") == "application/json; charset=utf-8"
    assert asked(sent) == {"factor": "push", "device": "iPhone", "push": push_of(sent)}
    duo.phone("ada").approve()
    answer = answered(lambda: portal.ticket(session, PAYROLL, push=push_of(sent)))
    assert answer.status == 200
    validated = site.validate(text(answer), PAYROLL).text
    assert "<cas:user>ada</cas:user>" in validated
    assert "<cas:authnContextClass>mfa-duo</cas:authnContextClass>" in validated
    strength = stored(site, session).strength
    assert (strength.level, strength.factor, strength.at) == ("duo", "duo_push", site.clock())
    assert portal.ticket(session, TIMESHEETS).status == 200
    [event] = site.journal.named("duo.asked")
    assert (event.principal, event.service, event.factor) == ("ada", "payroll", "push")


@pytest.mark.parametrize("service", [{}, {"service": PAYROLL}])
def test_a_push_at_sign_in_makes_a_strong_session(
    portal: Program, site: Site, duo: DuoSimulator, service: dict[str, str]
) -> None:
    push = push_of(portal.sign_in("ada", passcode="push", **service))
    assert sessions(site) == 0
    duo.phone("ada").approve()
    session = ticket_in(answered(lambda: portal.sign_in("ada", push=push, **service)))
    assert stored(site, session).strength.factor == "duo_push"
    assert portal.ticket(session, PAYROLL).status == 200
    assert sessions(site) == 1


def test_who_somebody_is_is_told_after_a_push(portal: Program, duo: DuoSimulator) -> None:
    fields = {"username": "ada", "password": PASSWORDS["ada"], "service": PAYROLL}
    push = push_of(portal.post("/v1/users", passcode="push", **fields))
    duo.phone("ada").approve()
    answer = answered(lambda: portal.post("/v1/users", push=push, **fields))
    assert (answer.status, answer.body) == (200, b'{"id":"ada","attributes":{"mail":["ada@example.edu"]}}')


def test_renew_goes_by_push_as_well(portal: Program, site: Site, duo: DuoSimulator) -> None:
    session = portal.session("ada")
    push = push_of(portal.renew(session, service=PAYROLL, passcode="push"))
    duo.phone("ada").approve()
    answer = answered(lambda: portal.renew(session, service=PAYROLL, push=push))
    assert "<cas:isFromNewLogin>true" in site.validate(text(answer), PAYROLL, renew="true").text


def test_a_call_is_answered_and_opens(portal: Program, site: Site, duo: DuoSimulator) -> None:
    session = portal.session("ada")
    sent = portal.ticket(session, PAYROLL, passcode="phone")
    assert asked(sent)["factor"] == "phone"
    [call] = duo.pending("ada")
    assert call.factor == "phone"
    duo.phone("ada").approve()
    assert answered(lambda: portal.ticket(session, PAYROLL, push=push_of(sent))).status == 200
    assert stored(site, session).strength.factor == "phone_call"


def test_codes_are_sent_and_one_of_them_opens(portal: Program, site: Site, duo: DuoSimulator) -> None:
    session = portal.session("ada")
    sent = portal.ticket(session, PAYROLL, passcode="sms")
    assert asked(sent) == {"factor": "sms", "device": "iPhone"}
    assert sent.header("Retry-After") == ""
    code = duo.phone("ada").messages()[0]
    assert portal.ticket(session, PAYROLL, passcode=code).status == 200
    assert [event.factor for event in site.journal.named("duo.asked")] == ["sms"]


def test_the_digits_of_a_verified_push_are_for_the_program_to_show(
    portal: Program, site: Site, duo: DuoSimulator
) -> None:
    duo.change_application(duo.applications()[0].integration_key, verified_push=True)
    sent = portal.sign_in("ada", passcode="push")
    digits = asked(sent)["code"]
    assert asked(portal.sign_in("ada", push=push_of(sent)))["code"] == digits
    assert duo.phone("ada").enter_code(digits)
    assert answered(lambda: portal.sign_in("ada", push=push_of(sent))).status == 201
    assert digits not in re.findall(r"\d+", repr(site.journal.events))
    assert "code" not in asked(portal.sign_in("ada", passcode="phone"))


def test_asking_again_sends_nothing_again_and_looks_at_no_password(
    portal: Program, site: Site, duo: DuoSimulator
) -> None:
    sent = portal.sign_in("ada", passcode="push", service=PAYROLL)
    push = push_of(sent)
    events = len(site.journal.events)
    for password in (PASSWORDS["ada"], "wrong", "wrong", "wrong", "wrong", "wrong", "wrong"):
        again = portal.sign_in("ada", password=password, push=push, service=PAYROLL)
        assert (again.status, again.body, again.header("Retry-After")) == (202, sent.body, "2")
    told = site.journal.events[events:]
    assert {(event.name, event.principal, event.service) for event in told} == {("rest.answered", "ada", "payroll")}
    assert duo.requests.count(AUTH) == 1
    duo.phone("ada").approve()
    assert answered(lambda: portal.sign_in("ada", push=push, service=PAYROLL)).status == 201


def test_a_yes_of_one_duo_application_is_none_of_another(build: Build, duo: DuoSimulator, duo_settings: str) -> None:
    keys = duo.add_application("authapi")
    more = f"applications: {{wards: {{auth_api: {{integration_key: {keys.integration_key}, "
    more += f"secret_key: {keys.secret_key}}}}}}},"
    wards = f"""  - {{id: wards, name: Wards, url: "{WARDS}**", requires_duo: {{application: wards}}}}\n"""
    site = build(registry=REGISTRY + wards, settings=duo_settings.replace("breaker:", f"{more} breaker:") + REST)
    portal = Program(site)
    with working(site):
        session = portal.session("ada")
        push = push_of(portal.ticket(session, PAYROLL, passcode="push"))
        duo.phone("ada").approve()
        assert answered(lambda: portal.ticket(session, PAYROLL, push=push)).status == 200
        assert portal.ticket(session, WARDS).status == 403
        push = push_of(portal.ticket(session, WARDS, passcode="push"))
        [sent] = duo.pending("ada")
        assert sent.integration_key == keys.integration_key
        duo.phone("ada").approve()
        assert answered(lambda: portal.ticket(session, WARDS, push=push)).status == 200
        assert stored(site, session).strength.application == "wards"


# -- every other answer ----------------------------------------------------------------------------------------------


def test_a_refusal_gives_neither_session_nor_ticket(portal: Program, site: Site, duo: DuoSimulator) -> None:
    session = portal.session("ada")
    push = push_of(portal.ticket(session, PAYROLL, passcode="push"))
    duo.phone("ada").deny()
    answer = answered(lambda: portal.ticket(session, PAYROLL, push=push))
    assert (answer.status, text(answer), answer.header("WWW-Authenticate")) == (*NOT_APPROVED, "")
    assert site.journal.named("rest.answered")[-1].why == "denied"
    assert stored(site, session).strength.level == "none"
    assert portal.ticket(session, LIBRARY).status == 200
    push = push_of(portal.sign_in("ada", passcode="push"))
    duo.phone("ada").deny()
    assert answered(lambda: portal.sign_in("ada", push=push)).status == 401
    assert sessions(site) == 1


def test_no_answer_in_time_is_a_refusal(portal: Program, site: Site, duo: DuoSimulator) -> None:
    duo.settings.request_timeout = 0.5
    push = push_of(portal.sign_in("ada", passcode="push"))
    answer = answered(lambda: portal.sign_in("ada", push=push))
    assert (answer.status, text(answer)) == NOT_APPROVED
    assert site.journal.named("rest.answered")[-1].why == "timeout"
    assert sessions(site) == 0


def test_a_reported_push_ends_every_session_and_nobody_is_told_why(
    portal: Program, site: Site, duo: DuoSimulator
) -> None:
    session = portal.session("ada")
    other = portal.session("ada")
    push = push_of(portal.sign_in("ada", passcode="push"))
    duo.phone("ada").report_fraud()
    answer = answered(lambda: portal.sign_in("ada", push=push))
    assert (answer.status, text(answer)) == NOT_APPROVED
    assert site.journal.named("rest.answered")[-1].why == "fraud"
    assert sessions(site) == 0
    assert [portal.look(each) for each in (session, other)] == [404, 404]


def test_a_reported_push_ends_the_session_it_was_for(portal: Program, duo: DuoSimulator) -> None:
    session = portal.session("ada")
    push = push_of(portal.ticket(session, PAYROLL, passcode="push"))
    duo.phone("ada").report_fraud()
    assert answered(lambda: portal.ticket(session, PAYROLL, push=push)).status in (401, 404)
    assert portal.ticket(session, LIBRARY).status == 404


def test_a_duo_that_goes_away_meanwhile_opens_nothing(portal: Program, site: Site, duo: DuoSimulator) -> None:
    session = portal.session("ada")
    push = push_of(portal.ticket(session, TIMESHEETS, passcode="push"))
    duo.rotate_secret(duo.applications()[0].integration_key)
    assert answered(lambda: portal.ticket(session, TIMESHEETS, push=push)).status == 503
    assert site.journal.named("ticket.granted") == []


def test_an_approval_makes_what_was_sent_forgotten(portal: Program, duo: DuoSimulator) -> None:
    for _ in range(5):
        push = push_of(portal.sign_in("ada", passcode="push"))
        duo.phone("ada").approve()
        assert answered(lambda push=push: portal.sign_in("ada", push=push)).status == 201  # type: ignore[misc]


# -- the log ---------------------------------------------------------------------------------------------------------


def test_no_token_is_told_to_the_log(portal: Program, site: Site, duo: DuoSimulator) -> None:
    push = push_of(portal.sign_in("ada", passcode="push"))
    name = PushTokens(site.composed.parts.signing).read(push, site.clock()).name
    portal.sign_in("ada", push=push)
    portal.sign_in("grace", push=push)
    portal.call("POST", "/v1/tickets", {"username": "ada", "password": PASSWORDS["ada"]}, query=f"push={push}")
    [sent] = duo.pending("ada")
    duo.phone("ada").approve()
    assert answered(lambda: portal.sign_in("ada", push=push)).status == 201
    portal.sign_in("ada", push=push)
    told = repr(site.journal.events)
    for secret in (push, push[:20], name.text, name.id, sent.txid):
        assert secret not in told
    first = site.journal.named("rest.answered")[0]
    assert (first.status, first.code, first.why) == (202, "REST_ASKED", "push")
    assert (first.principal, first.service) == ("ada", "")


def test_over_the_wire_no_token_reaches_the_log(tmp_path: Path, duo: DuoSimulator, duo_settings: str) -> None:
    duo.phone("ada").script("approve", after=0.5)
    served_at = serving_alone(tmp_path, registry=REGISTRY, settings=duo_settings + REST, worker=True)
    with served_at as served, requests.Session() as program:
        program.headers["Authorization"] = f"Bearer {KEY}"
        person = {"username": "ada", "password": PASSWORDS["ada"], "service": PAYROLL}

        def ask(**factor: str) -> Answer:
            answer = program.post(f"{served.url}v1/tickets", data={**person, **factor}, timeout=10)
            return Answer(answer.status_code, list(answer.headers.items()), answer.content)

        # The worker begins a moment after the server.
        push = push_of(until(lambda answer: answer.status != 503, lambda: ask(passcode="push")))
        assert answered(lambda: ask(push=push)).status == 201
    # Only now has the worker, which ends with the server, written all it had to say.
    log = served.log.read_text()
    assert '"duo.asked"' in log
    assert '"duo.answered"' in log
    for secret in (push, push[:20], PASSWORDS["ada"]):
        assert secret not in log
