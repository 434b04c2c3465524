"""What is sent for the REST protocol and what not, and what a push is good for.

No worker follows these pushes: the tests note the verdicts.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from casduo.mfa.duo.pushes import PushState
from casduo.protocol.rest.tokens import PushTokens
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.faults import ANSWER_KINDS
from casduo.simulators.duo.model import Phone
from casduo.tickets.ids import parse_session_id
from casduo.tickets.model import TicketGrantingTicket
from tests.support.raw import Answer
from tests.support.redis_servers import CountingRelay
from tests.support.rest import ADDRESS, KEY, REST, Program, asked, push_of, text
from tests.support.site import LIBRARY, PASSWORDS, PAYROLL, Build, Site

AUTH = "/auth/v2/auth"
PREAUTH = "/auth/v2/preauth"
TIMESHEETS = "https://timesheets.example.edu/"
BATCH_KEY = "zZ9yY8xX7wW6vV5uU4tT3sS2rR1qQ0pP"
NOT_APPROVED = (401, "the person did not approve\n")

REGISTRY = """
services:
  - {id: library, name: Library catalogue, url: "https://library.example.edu/**"}
  - {id: payroll, name: Payroll, url: "https://payroll.example.edu/**", requires_duo: true}
  - {id: timesheets, name: Timesheets, url: "https://timesheets.example.edu/**", requires_duo: {fail: open}}
"""
CLIENTS = f"""
rest:
  enabled: true
  clients:
    - {{name: portal, key: {KEY}}}
    - {{name: batch, key: {BATCH_KEY}}}
"""


@pytest.fixture
def site(build: Build, duo_settings: str) -> Site:
    site = build(registry=REGISTRY, settings=duo_settings + CLIENTS)
    believe_in_a_worker(site)
    return site


@pytest.fixture
def portal(site: Site) -> Program:
    return Program(site)


def believe_in_a_worker(site: Site) -> None:
    """Leave the sign of life that workers leave."""
    site.composed.parts.store.command("SET", "casduo:worker:alive", "1")


def settle(site: Site, push: str, state: PushState) -> None:
    """Note a verdict, as a worker does."""
    parts = site.composed.parts
    name = PushTokens(parts.signing).read(push, site.clock()).name
    assert parts.pushes.settle(name, state, None, site.clock()) == state


def stored(site: Site, session: str) -> TicketGrantingTicket:
    ticket = parse_session_id(session)
    assert ticket is not None
    found = site.composed.parts.tickets.find_session(ticket)
    assert found is not None
    return found


def at_once(count: int, call: Callable[[], Answer]) -> list[int]:
    """Make the same call several times at once, and return the statuses in order."""
    barrier = threading.Barrier(count)

    def come(_: int) -> int:
        barrier.wait()
        return call().status

    with ThreadPoolExecutor(count) as pool:
        return sorted(pool.map(come, range(count)))


def sessions(site: Site, principal: str = "ada") -> int:
    return len(site.composed.parts.tickets.sessions_of(principal))


# -- what is sent ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["push2", "PUSH2", " push 2 "])
def test_a_word_with_a_number_names_the_device(portal: Program, duo: DuoSimulator, word: str) -> None:
    duo.add_user("ada", devices=[Phone(name="Old phone"), Phone(name="New phone")])
    assert asked(portal.sign_in("ada", passcode=word))["device"] == "New phone"
    [sent] = duo.pending("ada")
    assert sent.device is not None
    assert sent.device.id == duo.user("ada").devices[1].id


def test_the_device_shows_application_and_program_and_no_address(portal: Program, duo: DuoSimulator) -> None:
    portal.sign_in("ada", passcode="push", service=PAYROLL)
    [sent] = duo.pending("ada")
    assert sent.details.information == (("Application", "Payroll"), ("Program", "portal"))
    assert sent.details.address == ""
    for request in (*duo.requests(PREAUTH), *duo.requests(AUTH)):
        assert "ipaddr" not in request.parameters
        assert ADDRESS not in repr(request.parameters)


def test_without_a_service_the_device_shows_the_program(portal: Program, duo: DuoSimulator) -> None:
    portal.sign_in("ada", passcode="push")
    [sent] = duo.pending("ada")
    assert sent.details.information == (("Program", "portal"),)


# -- while nobody has answered ---------------------------------------------------------------------------------------


def test_asking_again_costs_one_round_trip(build: Build, relay: CountingRelay, duo_settings: str) -> None:
    site = build(redis_url=relay.url, registry=REGISTRY, settings=duo_settings + CLIENTS)
    believe_in_a_worker(site)
    portal = Program(site)
    session = portal.session("ada")
    push = push_of(portal.ticket(session, PAYROLL, passcode="push"))
    for ask in (
        lambda: portal.ticket(session, PAYROLL, push=push),
        lambda: portal.renew(session, service=PAYROLL, push=push),
        lambda: portal.sign_in("ada", push=push, service=PAYROLL),
    ):
        relay.reset()
        assert ask().status == 202
        assert relay.round_trips == 1


def test_a_person_answers_one_thing_at_a_time(portal: Program, site: Site, duo: DuoSimulator) -> None:
    session = portal.session("ada")
    push = push_of(portal.ticket(session, PAYROLL, passcode="push"))
    for word in ("push", "phone"):
        answer = portal.ticket(session, TIMESHEETS, passcode=word)
        assert (answer.status, answer.header("Retry-After")) == (429, "10")
        assert text(answer) == "the person has another push or call to answer first\n"
    assert len(duo.pending("ada")) == 1
    settle(site, push, "allowed")
    assert portal.ticket(session, PAYROLL, push=push).status == 200


def test_a_push_can_give_way_to_another_one(portal: Program, site: Site) -> None:
    session = portal.session("ada")
    first = push_of(portal.ticket(session, PAYROLL, passcode="push"))
    second = push_of(portal.ticket(session, PAYROLL, passcode="phone", push=first))
    assert text(portal.ticket(session, PAYROLL, push=first)) == NOT_APPROVED[1]
    settle(site, second, "allowed")
    assert portal.ticket(session, PAYROLL, push=second).status == 200


def test_a_right_passcode_makes_a_push_superfluous_and_a_wrong_one_leaves_it(
    portal: Program, site: Site, duo: DuoSimulator
) -> None:
    session = portal.session("ada")
    push = push_of(portal.ticket(session, PAYROLL, passcode="push"))
    assert portal.ticket(session, PAYROLL, passcode="000000", push=push).status == 401
    assert portal.ticket(session, PAYROLL, push=push).status == 202
    assert portal.ticket(session, PAYROLL, passcode=duo.phone("ada").passcode(), push=push).status == 200
    duo.phone("ada").approve()
    assert portal.sign_in("ada", push=push, service=PAYROLL).status == 401
    assert stored(site, session).strength.factor == "passcode"


def test_beside_a_passcode_an_old_push_does_no_harm(portal: Program, site: Site, duo: DuoSimulator) -> None:
    session = portal.session("ada")
    push = push_of(portal.ticket(session, PAYROLL, passcode="push"))
    site.clock.advance(121)
    assert portal.ticket(session, PAYROLL, passcode=duo.phone("ada").passcode(), push=push).status == 200


# -- what a token is good for ----------------------------------------------------------------------------------------


def test_a_yes_is_good_for_one_call(portal: Program, site: Site) -> None:
    push = push_of(portal.sign_in("ada", passcode="push"))
    settle(site, push, "allowed")
    assert portal.sign_in("ada", push=push).status == 201
    answer = portal.sign_in("ada", push=push)
    assert (answer.status, text(answer)) == NOT_APPROVED
    assert site.journal.named("rest.answered")[-1].why == "gone"
    assert sessions(site) == 1


def test_of_many_who_come_for_a_yes_one_gets_it(portal: Program, site: Site) -> None:
    session = portal.session("ada")
    push = push_of(portal.ticket(session, PAYROLL, passcode="push"))
    settle(site, push, "allowed")
    assert at_once(8, lambda: portal.ticket(session, PAYROLL, push=push)) == [200] + [401] * 7
    assert len(site.journal.named("ticket.granted")) == 1


def test_of_two_who_sign_in_by_one_yes_one_gets_a_session(portal: Program, site: Site) -> None:
    push = push_of(portal.sign_in("ada", passcode="push"))
    settle(site, push, "allowed")
    assert at_once(2, lambda: portal.sign_in("ada", push=push)) == [201, 401]
    assert sessions(site) == 1


def test_a_token_without_the_password_opens_nothing_and_is_not_used_up(portal: Program, site: Site) -> None:
    push = push_of(portal.sign_in("ada", passcode="push"))
    settle(site, push, "allowed")
    answer = portal.sign_in("ada", password="wrong", push=push)
    assert (answer.status, text(answer)) == (401, "user name or password is wrong\n")
    assert sessions(site) == 0
    assert portal.sign_in("ada", push=push).status == 201


def test_a_token_is_good_for_its_program_person_and_service_only(
    portal: Program, site: Site, duo: DuoSimulator
) -> None:
    session, hers = portal.session("ada"), portal.session("grace")
    push = push_of(portal.ticket(session, PAYROLL, passcode="push"))
    settle(site, push, "allowed")
    batch = Program(site, BATCH_KEY)
    for answer in (
        batch.ticket(session, PAYROLL, push=push),
        batch.sign_in("ada", service=PAYROLL, push=push),
        portal.ticket(hers, PAYROLL, push=push),
        portal.sign_in("grace", service=PAYROLL, push=push),
        portal.ticket(session, TIMESHEETS, push=push),
        portal.ticket(session, LIBRARY, push=push),
        portal.sign_in("ada", push=push),
        portal.ticket(session, TIMESHEETS, push=push, passcode=duo.phone("ada").passcode()),
        portal.ticket(session, TIMESHEETS, push=push, passcode="push"),
    ):
        assert (answer.status, text(answer)) == (400, "push belongs to another program, person or service\n")
    assert site.journal.named("ticket.granted") == []
    assert stored(site, session).strength.level == stored(site, hers).strength.level == "none"
    assert portal.ticket(session, PAYROLL, push=push).status == 200


def test_another_program_does_not_learn_whether_somebody_has_answered(portal: Program, site: Site) -> None:
    push = push_of(portal.sign_in("ada", passcode="push"))
    assert Program(site, BATCH_KEY).sign_in("ada", push=push).status == 400


@pytest.mark.parametrize("push", ["x", "123456", "push", "a.b.c", "\u0661" * 20, '"><img src=x>', "A" * 9000])
def test_what_is_no_token_is_a_bad_request(portal: Program, site: Site, push: str) -> None:
    session = portal.session("ada")
    for answer in (portal.sign_in("ada", push=push), portal.ticket(session, PAYROLL, push=push)):
        assert (answer.status, text(answer)) == (400, "push is not what was answered to an earlier call\n")


def test_the_name_of_a_push_is_no_token_and_a_changed_token_is_none(portal: Program, site: Site) -> None:
    push = push_of(portal.sign_in("ada", passcode="push"))
    name = PushTokens(site.composed.parts.signing).read(push, site.clock()).name
    settle(site, push, "allowed")
    assert portal.sign_in("ada", push=name.text).status == 400
    changed = push.replace(push[9], "A" if push[9] != "A" else "B", 1)
    assert portal.sign_in("ada", push=changed).status == 400
    assert sessions(site) == 0


def test_a_yes_is_taken_within_two_minutes_or_not_at_all(portal: Program, site: Site) -> None:
    push = push_of(portal.sign_in("ada", passcode="push"))
    settle(site, push, "allowed")
    site.clock.advance(121)
    answer = portal.sign_in("ada", push=push)
    assert (answer.status, text(answer)) == NOT_APPROVED


# -- every other answer ----------------------------------------------------------------------------------------------


def test_a_push_without_a_verdict_has_run_out_some_time(portal: Program, site: Site) -> None:
    push = push_of(portal.sign_in("ada", passcode="push"))
    site.clock.advance(76)
    assert (portal.sign_in("ada", push=push).status, site.journal.named("rest.answered")[-1].why) == (401, "timeout")
    assert portal.sign_in("ada", push=push).status == 401
    assert sessions(site) == 0


@pytest.mark.parametrize(
    ("state", "status", "told"),
    [
        ("denied", 401, NOT_APPROVED[1]),
        ("timeout", 401, NOT_APPROVED[1]),
        ("fraud", 401, NOT_APPROVED[1]),
        ("locked_out", 403, "Duo does not let this person prove anything\n"),
        ("unavailable", 503, "the server cannot do this now; try again later\n"),
    ],
)
def test_every_verdict_but_one_opens_nothing(
    portal: Program, site: Site, state: PushState, status: int, told: str
) -> None:
    session = portal.session("ada")
    push = push_of(portal.ticket(session, PAYROLL, passcode="push"))
    settle(site, push, state)
    answer = portal.ticket(session, PAYROLL, push=push)
    assert (answer.status, text(answer), answer.header("Retry-After")) == (status, told, "10" if status == 503 else "")
    assert portal.ticket(session, PAYROLL, push=push).status == 401
    assert stored(site, session).strength.level == "none"
    assert site.journal.named("ticket.granted") == []


# -- nothing is sent -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["push", "phone"])
def test_without_a_worker_nothing_is_sent_but_codes(
    build: Build, duo_settings: str, duo: DuoSimulator, word: str
) -> None:
    site = build(registry=REGISTRY, settings=duo_settings + REST)
    portal = Program(site)
    session = portal.session("ada")
    answer = portal.ticket(session, PAYROLL, passcode=word)
    assert (answer.status, answer.header("Retry-After")) == (503, "10")
    assert duo.requests.count(AUTH) == 0
    assert site.journal.named("fault")[0].detail == "no worker runs to follow a push"
    assert asked(portal.ticket(session, PAYROLL, passcode="sms"))
    assert portal.ticket(session, PAYROLL, passcode=duo.phone("ada").passcode()).status == 200


def test_a_person_is_sent_so_much_and_no_more(portal: Program, site: Site, duo: DuoSimulator) -> None:
    session = portal.session("ada")
    for word in ("sms", "push", "phone"):
        sent = asked(portal.ticket(session, PAYROLL, passcode=word))
        if "push" in sent:
            settle(site, sent["push"], "denied")
    asked_for = duo.requests.count(AUTH)
    for word in ("push", "phone", "sms"):
        refused = portal.sign_in("ada", passcode=word)
        assert (refused.status, text(refused)) == (429, "the person was sent too much; try again later\n")
    assert duo.requests.count(AUTH) == asked_for
    assert portal.ticket(session, PAYROLL, passcode=duo.phone("ada").passcode()).status == 200
    site.clock.advance(int(refused.header("Retry-After")))
    assert asked(portal.sign_in("ada", passcode="push"))


@pytest.mark.parametrize(
    ("username", "outcome", "why"),
    [
        ("linus", "denied", "preauth deny"),
        ("alan", "denied", "preauth allow"),
        ("grace", "unenrolled", "preauth enroll"),
    ],
)
@pytest.mark.parametrize("word", ["push", "phone", "sms"])
def test_people_whom_duo_asks_nothing(
    portal: Program, site: Site, duo: DuoSimulator, username: str, outcome: str, why: str, word: str
) -> None:
    session = portal.session(username)
    for answer in (
        portal.sign_in(username, passcode=word),
        portal.ticket(session, PAYROLL, passcode=word),
        portal.ticket(session, TIMESHEETS, passcode=word),
    ):
        assert (answer.status, text(answer)) == (403, "Duo does not let this person prove anything\n")
    assert [(event.outcome, event.detail) for event in site.journal.named("duo.answered")] == [(outcome, why)] * 3
    assert stored(site, session).strength.level == "none"
    assert duo.requests.count(AUTH) == 0


@pytest.mark.parametrize("word", ["push2", "phone3", "sms9"])
def test_a_device_that_is_not_there_cannot_be_asked(portal: Program, duo: DuoSimulator, word: str) -> None:
    answer = portal.sign_in("ada", passcode=word)
    assert (answer.status, text(answer)) == (403, "the person has no device for this\n")
    assert duo.requests.count(AUTH) == 0


def test_who_has_only_codes_is_told_so(portal: Program, duo: DuoSimulator) -> None:
    duo.add_user("ada", devices=[Phone(capabilities=("mobile_otp",))])
    for word in ("push", "phone", "sms"):
        assert text(portal.sign_in("ada", passcode=word)) == "the person has no device for this\n"
    assert portal.sign_in("ada", passcode=duo.phone("ada").passcode()).status == 201


@pytest.mark.parametrize(
    ("detail", "status"), [("username", 403), ("device", 403), ("no capable device", 403), ("factor", 503)]
)
@pytest.mark.parametrize("word", ["push", "sms"])
def test_what_duo_refuses_to_send_was_not_sent(
    portal: Program, duo: DuoSimulator, detail: str, status: int, word: str
) -> None:
    duo.faults.refuse(AUTH, 40002, detail)
    assert portal.sign_in("ada", passcode=word).status == status
    duo.faults.clear()
    assert asked(portal.sign_in("ada", passcode=word))


@pytest.mark.parametrize("path", [PREAUTH, AUTH])
@pytest.mark.parametrize("kind", ANSWER_KINDS)
def test_odd_answers_of_duo_open_nothing_and_take_no_place(
    portal: Program, site: Site, duo: DuoSimulator, kind: Any, path: str
) -> None:
    session = portal.session("ada")
    duo.faults.answer(path, kind)
    for word in ("push", "sms"):
        answer = portal.ticket(session, TIMESHEETS, passcode=word)
        assert (answer.status, answer.header("Retry-After")) == (503, "10")
    duo.faults.clear()
    # As if the breaker's pause were over, which goes by Redis's clock.
    store = site.composed.parts.store
    for key in store.command("KEYS", "casduo:{breaker:*"):
        store.command("DEL", key)
    site.clock.advance(11)
    assert asked(portal.ticket(session, TIMESHEETS, passcode="push"))
    assert site.journal.named("ticket.granted") == []


def test_duo_is_asked_only_behind_a_right_password(portal: Program, duo: DuoSimulator) -> None:
    session = portal.session("ada")
    for word in ("push", "phone", "sms"):
        assert portal.sign_in("ada", password="wrong", passcode=word).status == 401
        assert portal.sign_in("ada", service="https://unregistered.example.com/", passcode=word).status == 403
        assert portal.renew(session, "grace", PAYROLL, passcode=word).status == 401
    assert duo.requests.count(AUTH) == duo.requests.count(PREAUTH) == 0


# -- the log ---------------------------------------------------------------------------------------------------------


def test_the_token_belongs_in_the_body(portal: Program, site: Site) -> None:
    push = push_of(portal.sign_in("ada", passcode="push"))
    settle(site, push, "allowed")
    fields = {"username": "ada", "password": PASSWORDS["ada"]}
    answer = portal.call("POST", "/v1/tickets", fields, query=f"push={push}")
    assert (answer.status, b"belong in the body" in answer.body) == (400, True)
    assert portal.sign_in("ada", push=push).status == 201
