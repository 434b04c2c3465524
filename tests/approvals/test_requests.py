"""Requests for access as they are kept, on both servers."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from casduo.approvals.keys import ALL, WAITING, lines_key, person_key, record_key
from casduo.approvals.model import ApprovalRequest, Line
from casduo.approvals.requests import Settled
from casduo.approvals.telling import decided_event
from casduo.events.model import PolicyViolation, Subject
from casduo.store import Store
from casduo.store.store import client_for
from tests.approvals.asked import HOUR, KEPT, NOW, TERMINAL, WINDOW, Desk, decision, later, request
from tests.support.naming import names
from tests.support.redis_servers import CountingRelay

# -- asking -----------------------------------------------------------------------------------------------------------


def test_a_new_request_waits_and_is_found_again(desk: Desk) -> None:
    asked = desk.asked()
    assert desk.requests.get(asked.id) == asked
    assert desk.requests.of_person("ada") == desk.requests.waiting() == desk.requests.recent() == [asked]
    standing = desk.requests.standing("ada", "ward", NOW)
    assert (standing.phase, standing.pending) == (
        "pending",
        Line("first", "pending", asked.start, asked.end, asked.expires, NOW),
    )
    assert not standing.is_open


def test_a_new_request_is_told_of_with_all_that_was_asked_for(desk: Desk) -> None:
    desk.asked()
    (record,) = desk.events()
    assert (record.kind, record.at, record.about) == (
        "approval.requested",
        NOW,
        Subject(principal="ada", service="ward"),
    )
    assert record.facts == {
        "request": "first",
        "start": "2026-09-21T14:13:20+00:00",
        "end": "2026-09-21T15:13:20+00:00",
        "reason": "to have a look",
    }


def test_there_is_no_request_that_nobody_made(desk: Desk) -> None:
    assert desk.requests.get("none") is None
    assert desk.requests.get("") is None
    assert desk.requests.get("x" * 5000) is None
    assert desk.requests.many(["none"]) == desk.requests.of_person("ada") == desk.requests.waiting() == []
    assert desk.requests.standing("ada", "ward", NOW).phase == "none"


def test_of_one_person_for_one_service_only_one_waits(desk: Desk) -> None:
    first = desk.asked()
    assert desk.ask(request("second")) == "pending"
    assert desk.requests.get("second") is None
    assert desk.kinds() == ["approval.requested"]
    desk.asked("elsewhere", service="crypt")
    desk.asked("grace's", person="grace")
    desk.cancel(first)
    desk.asked("second")


def test_one_that_expired_is_in_nobodys_way_even_if_nobody_has_noted_that_yet(desk: Desk) -> None:
    first = desk.asked()
    at = first.expires
    assert desk.requests.standing("ada", "ward", at).phase == "none"
    second = desk.asked("second", now=at)
    assert desk.requests.standing("ada", "ward", at).pending == Line(
        "second", "pending", second.start, second.end, second.expires, at
    )


def test_only_so_many_of_one_person_wait(desk: Desk) -> None:
    for number in range(3):
        desk.asked(f"request-{number}", service=f"service-{number}")
    assert desk.ask(request("too many", service="service-3")) == "limit"
    assert desk.ask(request("graces", person="grace", service="service-3")) == "created"
    desk.decide(request("request-0"), decision())
    assert desk.ask(request("again", service="service-3")) == "created"


def test_those_that_expired_do_not_count_as_waiting(desk: Desk) -> None:
    for number in range(3):
        desk.asked(f"request-{number}", service=f"service-{number}")
    assert desk.ask(request("next", service="service-3", now=NOW + HOUR)) == "created"


def test_whoever_cancels_and_asks_anew_comes_to_an_end(desk: Desk) -> None:
    for number in range(50):
        desk.cancel(desk.asked(f"request-{number}"))
    assert desk.ask(request("one more")) == "limit"
    assert desk.ask(request("elsewhere", service="crypt")) == "created"
    assert desk.ask(request("a day later", now=NOW + WINDOW)) == "created"
    assert int(desk.store.command("HLEN", lines_key("ada", "ward"))) == 1


def test_what_is_asked_for_is_one_person_s_to_the_letter_and_limits_take_spellings_together(desk: Desk) -> None:
    desk.asked(person="Ada")
    assert desk.requests.standing("ADA", "ward", NOW).phase == "none"
    assert desk.requests.of_person("\uff21da") == []
    desk.asked("second", person="ADA")
    desk.asked("third", person="\uff21da")
    assert desk.ask(request("too many", person="\u00e0da")) == "limit"


def test_keys_hold_no_names_and_share_a_slot(desk: Desk) -> None:
    asked = desk.asked()
    desk.requests.add_card(asked.id, "message")
    desk.decide(asked, decision())
    keys = desk.store.command("KEYS", "*")
    assert all("{events}" in key for key in keys)
    assert not any(names(key, word) for key in keys for word in ("ada", "ward", "message"))


def test_sent_once_more_a_request_is_there_once(desk: Desk) -> None:
    asked = desk.asked()
    assert desk.ask(asked) == "created"
    assert desk.kinds() == ["approval.requested"]


# -- deciding ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["approved", "rejected"])
def test_a_decision_is_kept_and_told_of(desk: Desk, word: Any) -> None:
    asked = desk.asked()
    made = decision(word, NOW + 60)
    settled = desk.decide(asked, made)
    assert settled == Settled(True, later(asked, state=word, decision=made))
    assert desk.requests.get(asked.id) == settled.request
    assert desk.requests.waiting() == []
    assert desk.requests.recent() == desk.requests.of_person("ada") == [settled.request]
    record = desk.events()[-1]
    assert (record.kind, record.at) == (f"approval.{word}", NOW + 60)
    assert record.facts == {
        "request": "first",
        "decision": word,
        "by": "grace@example.edu",
        "decider": "Grace",
        "person": made.person,
        "via": "webex",
        "action": "press",
    }
    # Nobody visits where a button is pressed: the visit in which access was asked for finds it.
    assert record.about.reference == asked.reference != ""


def test_what_was_written_in_a_decision_is_kept_cleaned_and_cut(desk: Desk) -> None:
    made = replace(decision("rejected"), name="Gr\u202eace", comment="no,\n" + "x" * 5000)
    settled = desk.decide(desk.asked(), made)
    assert settled.request is not None
    assert settled.request.decision is not None
    assert settled.request.decision.name == desk.events()[-1].text("decider") == "Grace"
    assert settled.request.decision.comment == desk.events()[-1].text("comment") == "no, " + "x" * 496


def test_who_comes_second_learns_what_was_decided(desk: Desk) -> None:
    asked = desk.asked()
    first = desk.decide(asked, decision("rejected", by="grace"))
    second = desk.decide(asked, decision("approved", by="linus", via="portal"))
    assert (second.first, second.request) == (False, first.request)
    assert desk.cancel(asked) == desk.expire(asked) == Settled(False, first.request)
    assert desk.kinds() == ["approval.requested", "approval.rejected"]
    assert desk.requests.standing("ada", "ward", NOW).phase == "none"


def test_what_nobody_asked_for_cannot_be_decided(desk: Desk) -> None:
    asked = request()
    assert desk.decide(asked, decision()) == desk.cancel(asked) == desk.expire(asked) == Settled(False, None)
    assert desk.events() == []


@pytest.mark.parametrize("step", ["cancel", "expire"])
def test_what_is_over_without_a_decision_has_none(desk: Desk, step: str) -> None:
    asked = desk.asked()
    settled = getattr(desk, step)(asked, NOW + 5)
    state = {"cancel": "cancelled", "expire": "expired"}[step]
    assert settled == Settled(True, later(asked, state=state))
    assert not desk.decide(asked, decision()).first
    assert desk.kinds() == ["approval.requested", f"approval.{state}"]
    assert desk.requests.standing("ada", "ward", NOW + 5).phase == "none"


def test_the_store_leaves_it_to_others_whether_it_is_too_late(desk: Desk) -> None:
    asked = desk.asked()
    assert desk.decide(asked, decision(at=asked.expires + 60)).first


def test_access_begins_and_ends_with_its_time(desk: Desk) -> None:
    asked = later(request(), start=NOW + 600, end=NOW + 1200)
    desk.ask(asked)
    desk.decide(asked, decision())
    phases = [
        desk.requests.standing("ada", "ward", NOW + moment).phase for moment in (0, 599.9, 600, 1199.9, 1200, 9999)
    ]
    assert phases == ["early", "early", "open", "open", "over", "over"]
    assert desk.requests.standing("ada", "ward", asked.end + WINDOW).phase == "none"
    assert desk.requests.standing("ada", "crypt", NOW + 600).phase == "none"
    assert desk.requests.standing("grace", "ward", NOW + 600).phase == "none"


def test_a_standing_can_be_read_along_with_something_else(desk: Desk) -> None:
    desk.decide(desk.asked(), decision())
    batch = desk.store.batch()
    reading = desk.requests.reading(batch, "ada", "ward")
    batch.run()
    assert reading.standing(NOW).is_open
    assert reading.standing(NOW + HOUR).phase == "over"


def test_what_was_approved_long_ago_opens_when_its_time_comes(desk: Desk) -> None:
    next_week = later(request("next week"), start=NOW + 7 * 86_400, end=NOW + 7 * 86_400 + HOUR)
    desk.ask(next_week)
    desk.decide(next_week, decision())
    desk.cancel(desk.asked("in between", now=NOW + 3 * 86_400))
    assert desk.requests.standing("ada", "ward", NOW + 3 * 86_400).phase == "early"
    assert desk.requests.standing("ada", "ward", next_week.start).is_open


def test_a_request_for_later_does_not_close_what_is_open(desk: Desk) -> None:
    desk.decide(desk.asked(), decision())
    tomorrow = later(request("tomorrow"), start=NOW + 86_400, end=NOW + 90_000)
    assert desk.ask(tomorrow) == "created"
    standing = desk.requests.standing("ada", "ward", NOW)
    assert standing.is_open
    assert standing.pending is not None
    assert standing.pending.request == "tomorrow"


# -- refusals ---------------------------------------------------------------------------------------------------------


def refuse(desk: Desk, name: str, at: float, person: str = "ada") -> Settled:
    return desk.decide(desk.asked(name, person, now=at), decision("rejected", at))


def test_one_refusal_too_many_is_a_violation_written_along_with_it(any_store: Store) -> None:
    desk = Desk.of(any_store, refusals=3)
    assert [refuse(desk, name, NOW).violation for name in ("one", "two")] == [None, None]
    violation = refuse(desk, "three", NOW + 60).violation
    assert violation == PolicyViolation(
        Subject("ABCD", principal="ada", service="ward"),
        rule="too_many_refusals",
        request="three",
        detail="3 requests or more of this person for this service refused in a short time",
    )
    assert desk.kinds()[-2:] == ["approval.rejected", "policy.violation"]
    assert desk.kinds().count("policy.violation") == 1
    assert desk.requests.standing("ada", "ward", NOW + 60).refused == 3


def test_refusals_count_for_a_while_and_for_one_person_and_service(any_store: Store) -> None:
    desk = Desk.of(any_store, refusals=2)
    refuse(desk, "one", NOW)
    refuse(desk, "grace's", NOW, "grace")
    desk.decide(desk.asked("crypt", service="crypt"), decision("rejected"))
    assert refuse(desk, "two", NOW + WINDOW).violation is None
    assert desk.requests.standing("ada", "ward", NOW + WINDOW).refused == 1
    assert refuse(desk, "three", NOW + WINDOW + 1).violation is not None


def test_approved_expired_and_cancelled_ones_are_no_refusals(any_store: Store) -> None:
    desk = Desk.of(any_store, refusals=1)
    assert desk.decide(desk.asked("one"), decision()).violation is None
    desk.expire(desk.asked("two"))
    desk.cancel(desk.asked("three"))
    assert "policy.violation" not in desk.kinds()


def test_without_a_limit_no_refusal_is_a_violation(desk: Desk) -> None:
    for number in range(10):
        refuse(desk, f"request-{number}", NOW)
    assert "policy.violation" not in desk.kinds()


def test_a_violation_is_written_once_for_a_request_and_phase(desk: Desk) -> None:
    asked = desk.asked()
    event = PolicyViolation(Subject(principal="ada", service="ward"), rule="outside_window", request="first")
    told = [
        desk.requests.warn_once(asked.id, "early", event, NOW),
        desk.requests.warn_once(asked.id, "early", event, NOW + 1),
        desk.requests.warn_once(asked.id, "over", event, NOW + 2),
        desk.requests.warn_once("none", "over", event, NOW),
    ]
    assert told == [True, False, True, False]
    assert desk.kinds() == ["approval.requested", "policy.violation", "policy.violation"]
    # What it has been told of is no part of what it is.
    assert desk.requests.get(asked.id) == asked


# -- cards ------------------------------------------------------------------------------------------------------------


def test_a_message_leads_to_its_request(desk: Desk) -> None:
    asked = desk.asked()
    assert desk.requests.add_card(asked.id, "one")
    assert desk.requests.add_card(asked.id, "two")
    assert desk.requests.add_card(asked.id, "one")
    found = desk.requests.get(asked.id)
    assert found is not None
    assert found.cards == ("one", "two")
    assert [desk.requests.request_of_card(message) for message in ("one", "two", "three", "")] == [
        "first",
        "first",
        "",
        "",
    ]


def test_a_message_may_come_late(desk: Desk) -> None:
    asked = desk.asked()
    desk.decide(asked, decision())
    assert desk.requests.add_card(asked.id, "late")
    assert desk.requests.request_of_card("late") == "first"
    assert not desk.requests.add_card("none", "other")
    assert desk.requests.request_of_card("other") == ""


# -- lists ------------------------------------------------------------------------------------------------------------


def test_lists_are_in_order_and_no_longer_than_asked_for(desk: Desk) -> None:
    for number in (2, 3, 1):
        asked = later(request(f"r{number}", service=f"s{number}", now=NOW + number), expires=NOW + 1000 - number)
        desk.ask(asked)
    assert [found.id for found in desk.requests.of_person("ada")] == ["r3", "r2", "r1"]
    assert [found.id for found in desk.requests.recent(2)] == ["r3", "r2"]
    assert [found.id for found in desk.requests.waiting(2)] == ["r3", "r2"]


def test_what_redis_has_forgotten_is_in_no_list(desk: Desk) -> None:
    asked = desk.asked()
    desk.store.command("DEL", record_key(asked.id))
    assert desk.requests.of_person("ada") == desk.requests.waiting() == desk.requests.recent() == []
    assert desk.expire(asked) == Settled(False, None)
    assert desk.store.command("ZCARD", WAITING) == 0


def test_one_that_cannot_be_read_hides_no_other(desk: Desk) -> None:
    desk.store.command("HSET", record_key(desk.asked("broken", service="crypt").id), "record", "{}")
    asked = desk.asked()
    assert desk.requests.recent() == [asked]
    with pytest.raises(ValueError, match="not a request for access"):
        desk.requests.get("broken")


def test_what_a_newer_version_has_noted_besides_is_left_out(desk: Desk) -> None:
    asked = desk.asked()
    text = desk.store.command("HGET", record_key(asked.id), "record")
    desk.store.command("HSET", record_key(asked.id), "record", text.replace("{", '{"mood":"fine",'), "weather", "rain")
    assert desk.requests.get(asked.id) == asked


def test_everything_but_two_lists_and_the_stream_is_forgotten_in_time(desk: Desk) -> None:
    asked = desk.asked()
    desk.requests.add_card(asked.id, "message")
    desk.decide(asked, decision())
    kept = {key: desk.store.command("PTTL", key) / 1000 for key in desk.store.command("KEYS", "*approval:*")}
    for_ever = {key.rpartition(":")[2] for key, seconds in kept.items() if seconds < 0}
    assert for_ever == {"all", "deadlines"}
    assert kept[record_key("first")] == pytest.approx(HOUR + KEPT + 86_400, abs=60)
    assert kept[person_key("ada")] == pytest.approx(HOUR + KEPT + 86_400, abs=60)
    assert kept[lines_key("ada", "ward")] == pytest.approx(HOUR + WINDOW + 86_400, abs=60)
    assert desk.store.command("ZCARD", ALL) == 1


def test_a_step_is_one_round_trip(relay: CountingRelay, store: Store) -> None:
    through = Store(client_for(relay.url, "", 5.0, 4, ""))
    desk, asked = Desk.of(through, refusals=1), request()
    desk.ask(asked)
    through.ping()
    before = relay.round_trips
    desk.decide(asked, decision("rejected"))
    assert relay.round_trips - before == 1
    desk.requests.standing("ada", "ward", NOW)
    assert relay.round_trips - before == 2
    through.close()


# -- at the same moment -----------------------------------------------------------------------------------------------

ROUNDS = 100


def test_of_two_who_decide_at_the_same_moment_one_does(desk: Desk) -> None:
    barrier = threading.Barrier(2)

    def press(asked: ApprovalRequest, by: str) -> Settled:
        made = decision("approved" if by == "grace" else "rejected", by=by)
        barrier.wait()
        return desk.requests.decide(asked.id, made, decided_event(asked, made))

    with ThreadPoolExecutor(2) as people:
        for number in range(ROUNDS):
            asked = desk.asked(f"round-{number}", person=f"person-{number}")
            settled = list(people.map(press, (asked, asked), ("grace", "linus")))
            assert sorted(one.first for one in settled) == [False, True]
            assert settled[0].request == settled[1].request
    told = desk.events(*TERMINAL)
    assert sorted(record.text("request") for record in told) == sorted(f"round-{number}" for number in range(ROUNDS))


def test_of_two_requests_at_the_same_moment_one_is_taken(desk: Desk) -> None:
    barrier = threading.Barrier(2)

    def ask(asked: ApprovalRequest) -> str:
        barrier.wait()
        return desk.ask(asked)

    with ThreadPoolExecutor(2) as windows:
        for number in range(20):
            both = [request(f"{number}-{window}", person=f"person-{number}") for window in range(2)]
            assert sorted(windows.map(ask, both)) == ["created", "pending"]


class Twice(Store):
    """Sends each script twice, as after a connection that broke before the answer came."""

    def call(self, *words: Any) -> Any:
        super().call(*words)
        return super().call(*words)


def test_a_step_whose_answer_was_lost_is_the_first_when_it_is_sent_again(desk: Desk, any_redis_url: str) -> None:
    store = Twice(client_for(any_redis_url, "", 5.0, 4, ""))
    again = Desk.of(store, refusals=1)
    asked = again.asked()
    settled = again.decide(asked, decision("rejected"))
    assert settled.first
    assert settled.violation is not None
    assert desk.kinds() == ["approval.requested", "approval.rejected", "policy.violation"]
    store.close()
