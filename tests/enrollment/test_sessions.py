"""Sessions of the enrolment pages in Redis: whose they are, how long they last, and who gets a turn."""

from __future__ import annotations

import time
from typing import Any

import pytest

from casduo.enrollment.links import Link
from casduo.enrollment.model import Code, EnrollSession
from casduo.enrollment.sessions import CodeLimit, EnrollSessions, Errand, new_session
from casduo.mfa.strength import Strength
from casduo.signing import fingerprint
from casduo.store import Store
from casduo.tickets.ids import TicketId
from casduo.tickets.model import TicketGrantingTicket
from casduo.tickets.registry import Lifetimes, TicketRegistry

NOW = float(int(time.time()))
ASKED = {"service": "https://payroll.example.edu/slips", "method": "POST"}
CODE = Code("duo://abc-def", "https://m.duo.test/abc", NOW + 600, "DU1")
LINK = Link("name", ASKED, False)


@pytest.fixture
def tickets(any_store: Store) -> TicketRegistry:
    return TicketRegistry(any_store, Lifetimes())


@pytest.fixture
def sessions(any_store: Store) -> EnrollSessions:
    return EnrollSessions(any_store, 1200.0, 1800.0)


def signed_in(store: Store, tickets: TicketRegistry, name: str = "ada", **facts: Any) -> TicketId:
    ticket = TicketGrantingTicket(name, {"mail": (f"{name}@example.edu",)}, "users", NOW - 30, **facts)
    batch = store.batch()
    session = tickets.open_session(batch, ticket, NOW)
    batch.run()
    return session.id


def opened(sessions: EnrollSessions, on: TicketId, principal: str = "ada", errand: Errand | None = None) -> str:
    session = new_session(on)
    assert sessions.open(session, on, principal, errand or Errand(), application="clinic")
    return session


def found(sessions: EnrollSessions, session: str, **options: Any) -> EnrollSession:
    there = sessions.find(session, NOW, **options)
    assert there is not None
    return there


def test_a_session_knows_who_it_is_and_what_they_came_for(
    any_store: Store, tickets: TicketRegistry, sessions: EnrollSessions
) -> None:
    on = signed_in(any_store, tickets, strength=Strength.duo("push", NOW))
    session = opened(sessions, on, errand=Errand(ASKED, "link"))
    there = found(sessions, session)
    assert (there.principal, there.asked, there.link, there.application) == ("ada", ASKED, "link", "clinic")
    assert (there.single_sign_on, there.authenticated_at, there.strength.level) == (on.name, NOW - 30, "duo")
    assert (there.stage, there.code, there.code_state, there.trouble, there.turn) == ("", None, "", "", False)


def test_it_ends_with_the_single_sign_on_session(
    any_store: Store, tickets: TicketRegistry, sessions: EnrollSessions
) -> None:
    on = signed_in(any_store, tickets)
    session = opened(sessions, on)
    batch = any_store.batch()
    tickets.close_session(batch, on.name, "logout", NOW)
    batch.run()
    assert sessions.find(session, NOW) is None


def test_a_second_factor_given_elsewhere_is_known_at_once(
    any_store: Store, tickets: TicketRegistry, sessions: EnrollSessions
) -> None:
    on = signed_in(any_store, tickets)
    session = opened(sessions, on)
    batch = any_store.batch()
    tickets.raise_strength(batch, on, Strength.duo("push", NOW))
    batch.run()
    assert found(sessions, session).strength.level == "duo"


def test_it_is_opened_on_no_session_that_has_ended_or_is_somebody_else_s(
    any_store: Store, tickets: TicketRegistry, sessions: EnrollSessions
) -> None:
    on = signed_in(any_store, tickets)
    session = new_session(on)
    assert not sessions.open(session, on, "grace", Errand())
    batch = any_store.batch()
    tickets.close_session(batch, on.name, "logout", NOW)
    batch.run()
    assert not sessions.open(session, on, "ada", Errand())
    assert sessions.find(session, NOW) is None


def test_it_lives_for_its_time_and_no_longer(
    any_store: Store, tickets: TicketRegistry, sessions: EnrollSessions
) -> None:
    session = opened(sessions, signed_in(any_store, tickets))
    there = found(sessions, session)
    assert 1190_000 < any_store.command("PTTL", there.key) <= 1200_000
    sessions.put_code(there, CODE, "unenrolled")
    assert any_store.command("PTTL", there.key) <= 1200_000


@pytest.mark.parametrize("text", ["", "aaaa", "aaaa-" + "b" * 42, "aaaa-" + "b" * 44, "aa{a-" + "b" * 43])
def test_what_cannot_be_an_id_is_not_looked_up(sessions: EnrollSessions, text: str) -> None:
    assert sessions.find(text, NOW) is None
    assert sessions.leave(text, "ada") == Errand()


def test_a_copy_of_the_data_lets_nobody_in(any_store: Store, tickets: TicketRegistry, sessions: EnrollSessions) -> None:
    session = opened(sessions, signed_in(any_store, tickets))
    there = found(sessions, session)
    assert session not in there.key
    assert there.key.endswith(fingerprint(session))
    assert session not in str(any_store.command("HGETALL", there.key))


def test_what_becomes_of_a_code_is_noted(any_store: Store, tickets: TicketRegistry, sessions: EnrollSessions) -> None:
    session = opened(sessions, signed_in(any_store, tickets))
    there = found(sessions, session)
    sessions.put_code(there, CODE, "unenrolled")
    waiting = found(sessions, session)
    assert (waiting.code, waiting.code_state, waiting.stage) == (CODE, "waiting", "unenrolled")
    assert waiting.code_is_out
    sessions.set_state(there, "claimed")
    assert found(sessions, session).code_is_out
    sessions.set_state(there, "over")
    assert not found(sessions, session).code_is_out
    sessions.set_stage(there, "done")
    done = found(sessions, session)
    assert (done.stage, done.code, done.code_state) == ("done", None, "")


def test_nothing_is_noted_in_a_session_that_has_gone(
    any_store: Store, tickets: TicketRegistry, sessions: EnrollSessions
) -> None:
    session = opened(sessions, signed_in(any_store, tickets))
    there = found(sessions, session)
    sessions.leave(session, "ada")
    sessions.put_code(there, CODE, "")
    assert any_store.command("EXISTS", there.key) == 0


def test_trouble_is_told_for_a_while(any_store: Store, tickets: TicketRegistry, sessions: EnrollSessions) -> None:
    session = opened(sessions, signed_in(any_store, tickets))
    sessions.set_trouble(found(sessions, session), "limited", NOW + 60)
    there = sessions.find(session, NOW + 59)
    assert there is not None
    assert (there.trouble, there.trouble_until) == ("limited", NOW + 60)
    later = sessions.find(session, NOW + 60)
    assert later is not None
    assert later.trouble == ""


def test_of_all_who_ask_one_gets_the_turn_once_in_a_while(
    any_store: Store, tickets: TicketRegistry, sessions: EnrollSessions
) -> None:
    session = opened(sessions, signed_in(any_store, tickets))

    def turns(*moments: float) -> list[bool]:
        return [sessions.find(session, moment, "poll").turn for moment in moments]  # type: ignore[union-attr]

    assert turns(NOW, NOW, NOW + 2.4, NOW + 2.5, NOW + 4.9, NOW + 5.0) == [True, False, False, True, False, True]
    assert found(sessions, session, turn="make").turn
    assert not found(sessions, session, turn="make").turn


def test_a_clock_that_was_ahead_keeps_nobody_from_asking(
    any_store: Store, tickets: TicketRegistry, sessions: EnrollSessions
) -> None:
    session = opened(sessions, signed_in(any_store, tickets))
    assert sessions.find(session, NOW + 3600, "poll").turn  # type: ignore[union-attr]
    assert found(sessions, session, turn="poll").turn


def test_after_trouble_the_next_try_may_begin(
    any_store: Store, tickets: TicketRegistry, sessions: EnrollSessions
) -> None:
    session = opened(sessions, signed_in(any_store, tickets))
    assert found(sessions, session, turn="make").turn
    sessions.set_trouble(found(sessions, session), "", 0)
    assert found(sessions, session, turn="make").turn


def test_what_somebody_came_for_survives_a_new_sign_in(
    any_store: Store, tickets: TicketRegistry, sessions: EnrollSessions
) -> None:
    on = signed_in(any_store, tickets)
    session = opened(sessions, on, errand=Errand(ASKED, "link"))
    sessions.set_stage(found(sessions, session), "elsewhere")
    batch = any_store.batch()
    tickets.close_session(batch, on.name, "renewed", NOW)
    batch.run()
    assert sessions.leave(session, "ada") == Errand(ASKED, "link", "elsewhere")
    assert sessions.leave(session, "ada") == Errand()


def test_what_one_person_came_for_is_nothing_to_the_next(
    any_store: Store, tickets: TicketRegistry, sessions: EnrollSessions
) -> None:
    session = opened(sessions, signed_in(any_store, tickets), errand=Errand(ASKED, "link"))
    assert sessions.leave(session, "grace") == Errand()
    assert sessions.find(session, NOW) is None


def test_a_link_is_for_one_session(any_store: Store, tickets: TicketRegistry, sessions: EnrollSessions) -> None:
    first, second = (opened(sessions, signed_in(any_store, tickets, name), name) for name in ("ada", "grace"))
    assert sessions.arrive(LINK) == Errand(ASKED, "name")
    assert sessions.arrive(LINK) == Errand(ASKED, "name")
    assert sessions.arrived("name", first) == Errand(ASKED, "name")
    assert sessions.arrived("name", first) == Errand(ASKED, "name")
    assert sessions.arrived("name", second) == Errand(ASKED, "name", used=True)
    assert sessions.arrive(LINK, found(sessions, first)) == Errand(ASKED, "name")
    assert sessions.arrive(LINK, found(sessions, second)) == Errand(ASKED, "name", used=True)
    assert sessions.arrive(LINK) == Errand(ASKED, "name", used=True)


def test_who_is_here_already_uses_a_link_up_by_coming(
    any_store: Store, tickets: TicketRegistry, sessions: EnrollSessions
) -> None:
    session = opened(sessions, signed_in(any_store, tickets))
    there = found(sessions, session)
    arrived = sessions.arrive(LINK, there)
    assert not arrived.used
    sessions.attach(there, arrived, "")
    after = found(sessions, session)
    assert (after.asked, after.link, after.application) == (ASKED, "name", "")
    assert sessions.arrive(LINK).used


def test_of_a_link_that_is_forgotten_nothing_is_known(sessions: EnrollSessions) -> None:
    assert sessions.arrived("gone", "aaaa-" + "b" * 43) == Errand()


def test_a_link_is_remembered_as_long_as_it_is_good(any_store: Store, sessions: EnrollSessions) -> None:
    sessions.arrive(LINK)
    (key,) = any_store.command("KEYS", "casduo:{e:*")
    assert "name" not in key
    assert 1790_000 < any_store.command("PTTL", key) <= 1800_000


def test_five_codes_an_hour_and_none_for_what_failed(any_store: Store) -> None:
    limit = CodeLimit(any_store)
    assert [limit.take("ada") for _ in range(5)] == [0] * 5
    assert 3590 <= limit.take("ada") <= 3600
    assert limit.take("grace") == 0
    limit.give_back("ada")
    assert limit.take("ada") == 0
    assert limit.take("ada") > 0


def test_the_hour_ends_and_is_not_begun_anew_by_asking(any_store: Store) -> None:
    limit = CodeLimit(any_store, 1, 100.0)
    assert limit.take("ada") == 0
    (key,) = any_store.command("KEYS", "casduo:{u:*")
    any_store.command("PEXPIRE", key, 5_000)
    assert 1 <= limit.take("ada") <= 5
    any_store.command("DEL", key)
    limit.give_back("ada")
    assert limit.take("ada") == 0
