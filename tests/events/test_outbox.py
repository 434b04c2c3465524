"""The outbox in Redis, step by step: order, tokens, pace, pauses, and workers that lose what they hold."""

from __future__ import annotations

from functools import partial

import pytest

from casduo.events.messages import Message
from casduo.events.outbox import OUTBOX, UNREADABLE, Outbox
from casduo.events.outbox_desk import OutboxDesk
from casduo.events.outbox_rules import Terms
from casduo.events.stream import STREAM, EventReader
from casduo.store import Store
from tests.events.outboxes import NOW, OTHER, ROOM, Hand, events, message, put

DAY = 86_400.0
near = partial(pytest.approx, abs=1e-4)
"""To the millisecond, which the moments in Redis are."""


@pytest.fixture
def hand(any_store: Store) -> Hand:
    return Hand(any_store)


def keys(store: Store) -> set[str]:
    return set(store.command("KEYS", f"{OUTBOX}*"))


def test_messages_are_delivered_in_their_order_and_nothing_is_left_but_that_they_were(hand: Hand) -> None:
    put(hand.store, *(message(number) for number in range(5)))
    assert hand.deliver_all() == ["m0", "m1", "m2", "m3", "m4"]
    left = keys(hand.store) - {f"{OUTBOX}:mark:m{number}" for number in range(5)}
    assert left <= {f"{OUTBOX}:ready", f"{OUTBOX}:channel", f"{OUTBOX}:pace:{ROOM}"}
    assert hand.store.command("XLEN", f"{OUTBOX}:ready") == 0
    assert 6 * DAY < hand.store.command("TTL", f"{OUTBOX}:mark:m0") <= 7 * DAY
    assert hand.store.command("GET", f"{OUTBOX}:mark:m0") == "sent receipt"


def test_a_message_that_waits_was_delivered_or_is_dead_is_not_enqueued_again(hand: Hand) -> None:
    put(hand.store, message(1), message(1))
    put(hand.store, message(1))
    assert hand.deliver_all() == ["m1"]
    put(hand.store, message(1), message(2))
    token = hand.token()
    attempt = hand.begun(token)
    assert (attempt.first.message.id, attempt.waiting) == ("m2", 1)
    assert hand.bury(attempt) is False
    put(hand.store, message(2))
    assert hand.tokens() == []


def test_a_destination_has_one_token_however_much_waits_for_it(hand: Hand) -> None:
    for number in range(10):
        put(hand.store, message(number), message(f"o{number}", OTHER))
    tokens = hand.tokens()
    assert [token.destination for token in tokens] == [ROOM, OTHER]
    put(hand.store, message(10))
    assert hand.tokens() == []
    for token in tokens:
        hand.outbox.put_off(hand.begun(token), NOW + 5, counts=True, failed=True)
    put(hand.store, message(11), message("o11", OTHER))
    assert hand.tokens() == []
    assert hand.outbox.move(NOW + 4.9) == near(0.1)
    assert hand.tokens() == []
    assert hand.outbox.move(NOW + 5) is None
    assert sorted(token.destination for token in hand.tokens()) == [ROOM, OTHER]


def test_what_is_urgent_has_a_queue_and_an_order_of_its_own(hand: Hand) -> None:
    put(hand.store, message(1), message("u1", urgent=True), message(2), message("u2", urgent=True))
    assert hand.deliver_all("urgent") == ["mu1", "mu2"]
    assert hand.deliver_all("calm") == ["m1", "m2"]


def test_what_becomes_due_by_a_delivery_is_enqueued_with_it(hand: Hand) -> None:
    put(hand.store, message("card"))
    attempt = hand.begun(hand.token())
    then = [message("withdraw"), message("told", "person:ada@example.edu", urgent=True)]
    assert hand.done(attempt, then=then) is True
    assert hand.done(attempt, then=then) is True
    assert hand.begun(attempt.token).first.message == then[0]
    assert hand.deliver_all("urgent") == ["mtold"]


def test_a_message_keeps_what_it_is_made_of(hand: Hand) -> None:
    sent = Message("ä:1", ROOM, "card", {"text": "ünï [x](y) \u202e", "list": [1, {"a": None}]}, True, 12.5, NOW + DAY)
    put(hand.store, sent)
    assert hand.begun(hand.token("urgent")).first.message == sent


def test_one_that_failed_stays_first_with_its_tries(hand: Hand) -> None:
    put(hand.store, message(1), message(2))
    attempt = hand.begun(hand.token())
    assert (attempt.tries, attempt.fails) == (1, 0)
    hand.outbox.put_off(attempt, NOW + 1, counts=False, failed=True)
    hand.outbox.move(NOW + 1)
    attempt = hand.begun(hand.token(), NOW + 1)
    assert (attempt.first.message.id, attempt.tries, attempt.fails) == ("m1", 1, 1)
    hand.outbox.put_off(attempt, NOW + 2, counts=True, failed=True, upto="5-5")
    hand.outbox.move(NOW + 2)
    attempt = hand.begun(hand.token(), NOW + 2)
    assert (attempt.first.message.id, attempt.tries, attempt.fails, attempt.upto) == ("m1", 2, 2, "5-5")
    assert hand.done(attempt)
    attempt = hand.begun(attempt.token, NOW + 2)
    assert (attempt.first.message.id, attempt.tries, attempt.fails, attempt.upto) == ("m2", 1, 0, "")


def test_whoever_takes_over_begins_with_the_same_message_and_it_counts(hand: Hand) -> None:
    grace = Hand(hand.store, "grace")
    put(hand.store, message(1))
    hand.begun(hand.token())
    (token,) = grace.claimed()
    attempt = grace.begun(token)
    assert (attempt.first.message.id, attempt.tries) == ("m1", 2)


def test_a_worker_that_lost_its_token_does_nothing_with_it(hand: Hand) -> None:
    grace = Hand(hand.store, "grace")
    put(hand.store, message(1), message(2))
    mine = hand.begun(hand.token())
    (token,) = grace.claimed()
    assert hand.outbox.take(mine.token, NOW) is None
    hand.outbox.put_off(mine, NOW + 99, counts=True, failed=True)
    hand.outbox.step_back(mine.token)
    theirs = grace.begun(token)
    assert theirs.fails == 0
    assert grace.done(theirs) is True
    assert hand.bury(mine) is False
    assert OutboxDesk(hand.store, told=True).status().dead == 0
    assert events(hand.store) == []
    assert grace.begun(token).first.message.id == "m2"


def test_a_worker_that_delivered_after_it_lost_its_token_is_believed(hand: Hand) -> None:
    grace = Hand(hand.store, "grace")
    put(hand.store, message(1))
    mine = hand.begun(hand.token())
    (token,) = grace.claimed()
    assert hand.done(mine) is False
    assert grace.outbox.take(token, NOW) is None
    put(hand.store, message(1))
    assert grace.tokens() == []
    assert hand.store.command("SCARD", f"{OUTBOX}:tokens") == 0


def test_a_token_of_long_ago_is_worth_nothing(hand: Hand) -> None:
    put(hand.store, message(1))
    token = hand.token()
    assert hand.done(hand.begun(token)) is False
    put(hand.store, message(2))
    assert hand.outbox.take(token, NOW) is None
    assert hand.deliver_all() == ["m2"]


def test_after_a_turn_others_get_theirs(hand: Hand) -> None:
    put(hand.store, message(1), message(2))
    token = hand.token()
    hand.done(hand.begun(token))
    put(hand.store, message("o", OTHER))
    hand.outbox.step_back(token)
    assert [token.destination for token in hand.tokens()] == [OTHER, ROOM]


def test_to_one_space_there_is_a_second_between_two_messages(any_store: Store) -> None:
    hand = Hand(any_store, terms=Terms(per_space=1, per_token=1e9))
    put(any_store, *(message(number) for number in range(3)))
    token = hand.token()
    assert hand.done(hand.begun(token)) is True
    assert hand.outbox.take(token, NOW) is None
    assert hand.outbox.move(NOW + 0.9) == near(0.1)
    hand.outbox.move(NOW + 1)
    token = hand.token()
    assert hand.done(hand.begun(token, NOW + 1.2)) is True
    assert hand.wait(token, NOW + 1.8) == near(0.4)
    hand.begun(token, NOW + 2.2)


def test_the_pace_of_a_space_is_kept_over_a_time_without_messages_and_between_urgent_and_calm(any_store: Store) -> None:
    hand = Hand(any_store, terms=Terms(per_space=1, per_token=1e9))
    put(any_store, message(1))
    hand.done(hand.begun(hand.token()))
    put(any_store, message(2), message("u", urgent=True))
    urgent, calm = hand.token("urgent"), hand.token("calm")
    assert hand.wait(urgent, NOW + 0.5) == near(0.5)
    assert hand.outbox.take(calm, NOW + 0.5) is None
    hand.done(hand.begun(urgent, NOW + 1))
    hand.outbox.move(NOW + 1.9)
    assert hand.tokens() == []
    hand.outbox.move(NOW + 2)
    assert hand.begun(hand.token(), NOW + 2).first.message.id == "m2"


def test_in_all_there_are_five_messages_a_second(any_store: Store) -> None:
    hand = Hand(any_store, terms=Terms(per_space=1e9, per_token=5))
    put(any_store, *(message(number, f"room:r{number}") for number in range(4)))
    first, *others = hand.tokens()
    hand.begun(first)
    assert [hand.wait(token, NOW) for token in others] == near([0.2, 0.4, 0.6])
    assert [hand.wait(token, NOW + 0.1) for token in others] == near([0.1, 0.3, 0.5])
    for token in others:
        hand.begun(token, NOW + 0.6)


def test_a_pause_holds_for_all_and_the_longest_counts(hand: Hand) -> None:
    grace = Hand(hand.store, "grace")
    put(hand.store, message(1), message("o", OTHER))
    mine, theirs = hand.tokens()
    attempt = hand.begun(mine)
    hand.outbox.pause(attempt, NOW + 60, NOW)
    hand.outbox.pause(attempt, NOW + 30, NOW)
    assert hand.outbox.take(theirs, NOW + 59) is None
    put(hand.store, message("n", "room:r3"))
    assert grace.outbox.take(grace.token(), NOW + 59) is None
    assert grace.outbox.move(NOW + 59) == near(1)
    assert grace.tokens() == []
    grace.outbox.move(NOW + 60)
    tokens = grace.tokens()
    assert sorted(token.destination for token in tokens) == [ROOM, OTHER, "room:r3"]
    assert {grace.begun(token, NOW + 60).tries for token in tokens} == {1}


def test_what_a_wrong_clock_wrote_does_not_hold_forever(any_store: Store) -> None:
    hand = Hand(any_store, terms=Terms(per_space=1, per_token=5))
    put(any_store, message(1), message(2))
    token = hand.token()
    hand.begun(token, NOW + 365 * DAY)
    hand.outbox.pause(hand.begun(token, NOW + 366 * DAY), NOW + 366 * DAY + 60, NOW + 366 * DAY)
    hand.outbox.move(NOW)
    again = hand.begun(hand.token(), NOW)
    hand.outbox.pause(again, NOW + 10, NOW)
    assert hand.outbox.move(NOW) == near(10)


def test_a_token_that_a_wrong_clock_laid_down_is_not_kept_for_as_long_as_that_was_wrong(hand: Hand) -> None:
    put(hand.store, message(1), message("o", OTHER))
    ours, theirs = hand.tokens()
    hand.outbox.put_off(hand.begun(ours, NOW + 365 * DAY), NOW + 365 * DAY + 10, counts=True, failed=True)
    # As long as anybody may ask for.
    hand.outbox.put_off(hand.begun(theirs), NOW + 3600, counts=False, failed=True)
    assert hand.outbox.move(NOW) == near(3600)
    assert hand.begun(hand.token()).first.message.id == "m1"


def test_a_stopped_channel_is_tried_once_a_minute_and_goes_on_by_itself(hand: Hand) -> None:
    put(hand.store, *(message(number, f"room:r{number}") for number in range(3)))
    tokens = hand.tokens()
    assert hand.stop(hand.begun(tokens[0])) is True
    assert events(hand.store) == ["webex.stopped"]
    for token in tokens[1:]:
        assert hand.outbox.take(token, NOW + 1) is None
    assert hand.outbox.move(NOW + 59) == near(1)
    hand.outbox.move(NOW + 60)
    probe = hand.begun(hand.token(), NOW + 60)
    assert probe.probe
    assert (probe.tries, probe.first.message.id) == (1, "m0")
    hand.outbox.move(NOW + 60)
    assert hand.tokens() == []
    assert hand.stop(probe, NOW + 60) is False
    hand.outbox.move(NOW + 119)
    assert hand.tokens() == []
    hand.outbox.move(NOW + 120)
    hand.done(hand.begun(hand.token(), NOW + 120))
    assert events(hand.store) == ["webex.stopped", "webex.resumed"]
    hand.outbox.move(NOW + 120)
    assert len(hand.tokens()) == 2


def test_a_new_message_tries_a_stopped_channel_where_nobody_else_does(hand: Hand) -> None:
    put(hand.store, message(1))
    attempt = hand.begun(hand.token())
    hand.stop(attempt)
    put(hand.store, message("o", OTHER))
    token = hand.token()
    assert hand.begun(token, NOW + 60).probe
    hand.outbox.move(NOW + 60)
    assert hand.tokens() == []


def test_whoever_refuses_one_message_works_again(hand: Hand) -> None:
    put(hand.store, message(1))
    hand.stop(hand.begun(hand.token()))
    hand.outbox.move(NOW + 60)
    hand.bury(hand.begun(hand.token(), NOW + 60), answered=False)
    assert events(hand.store) == ["webex.stopped", "message.dead"]
    assert OutboxDesk(hand.store, told=True).status().stopped_since == NOW
    put(hand.store, message(2))
    hand.bury(hand.begun(hand.token(), NOW + 120))
    assert events(hand.store)[2:] == ["message.dead", "webex.resumed"]
    assert OutboxDesk(hand.store, told=True).status().stopped_since == 0


def test_a_message_that_another_version_wrote_is_handed_out_under_a_name_of_its_own(hand: Hand) -> None:
    put(hand.store, message(1))
    hand.done(hand.begun(hand.token()))
    hand.store.command("XADD", f"{OUTBOX}:to:{ROOM}", "*", "message", '{"version": 9}')
    put(hand.store, message(2))
    attempt = hand.begun(hand.token())
    assert attempt.first.message.task == UNREADABLE
    assert attempt.first.message.body == {"text": '{"version": 9}'}
    assert hand.bury(attempt) is True
    assert hand.begun(attempt.token).first.message.id == "m2"


def reader(store: Store, worker: str) -> EventReader:
    return EventReader(store, "outbox", ("outbox",), worker)


def test_events_are_done_with_when_their_messages_wait_and_not_before(any_store: Store) -> None:
    store, outbox = any_store, Outbox(any_store)
    last = [store.command("XADD", STREAM, "*", "record", "{}") for _ in range(3)][1]
    ada, grace = reader(store, "ada"), reader(store, "grace")
    assert ada.lead(60)
    assert outbox.fan_out(grace, last, [message("no")]) is False
    assert store.command("XLEN", STREAM) == 3
    assert outbox.fan_out(ada, last, [message(1), message(2)]) is True
    assert len(ada.read(10)) == 1
    assert store.command("XLEN", STREAM) == 1
    assert outbox.fan_out(ada, last, [message(1), message(2)]) is True
    assert Hand(store).deliver_all() == ["m1", "m2"]


def test_events_stay_for_the_audit_trail(any_store: Store) -> None:
    last = any_store.command("XADD", STREAM, "*", "record", "{}")
    ada = EventReader(any_store, "outbox", ("audit", "outbox"), "ada")
    assert ada.lead(60)
    assert Outbox(any_store).fan_out(ada, last, []) is True
    assert ada.read(10) == []
    assert any_store.command("XLEN", STREAM) == 1


@pytest.mark.parametrize("half", ["m\ud800", "\udfffm"])
def test_half_a_character_anywhere_keeps_nothing_waiting(any_store: Store, half: str) -> None:
    sent = Message(half, f"room:{half}", "event", {half: half}, created=NOW)
    put(any_store, sent, sent, message(1))
    hand, whole = Hand(any_store), half.replace("\ud800", "?").replace("\udfff", "?")
    assert sorted(hand.deliver_all()) == sorted(["m1", whole])
    last = any_store.command("XADD", STREAM, "*", "record", "{}")
    ada = reader(any_store, "ada")
    assert ada.lead(60)
    assert Outbox(any_store).fan_out(ada, last, [Message(f"2{half}", half, "event", {})]) is True
    assert hand.bury(hand.begun(hand.token()), then=[Message(f"3{half}", half, half, {})]) is True
    assert hand.store.command("XLEN", f"{OUTBOX}:to:{whole}") == 1


def test_a_look_shows_what_is_first_and_uses_nothing_up(any_store: Store) -> None:
    hand = Hand(any_store, terms=Terms(per_space=1, per_token=1))
    put(any_store, message(1), message(2))
    token = hand.token()
    found = hand.outbox.look(token)
    assert found is not None
    assert (found.first.message, found.waiting, found.tries, found.fails, found.upto) == (message(1), 2, 0, 0, "")
    assert hand.bury(found) is True
    attempt = hand.begun(token)
    assert (attempt.first.message, attempt.tries) == (message(2), 1)
    again = hand.outbox.look(token)
    assert again is not None
    assert again.tries == 1
    grace = Hand(any_store, "grace")
    assert grace.claimed() == [token]
    assert hand.outbox.look(token) is None
    assert grace.bury(attempt) is False
    assert grace.outbox.look(token) is None
    assert keys(any_store) & {f"{OUTBOX}:tokens", f"{OUTBOX}:state:{ROOM}"} == set()


def test_what_becomes_due_by_a_burial_is_enqueued_with_it_and_only_where_it_came_about(hand: Hand) -> None:
    put(hand.store, message("told", "person:ada", urgent=True), message("more", "person:ada", urgent=True))
    first = hand.begun(hand.token("urgent"))
    assert hand.bury(first, then=[message("untold", urgent=True)]) is True
    second = hand.begun(first.token)
    hand.done(second)
    hand.bury(second, then=[message("never", urgent=True)])
    assert hand.deliver_all("urgent") == ["muntold"]


def test_of_many_destinations_those_are_listed_that_have_waited_longest(hand: Hand) -> None:
    rooms = [f"room:{number}" for number in range(20)]
    for number, room in enumerate(reversed(rooms)):
        hand.store.command("XADD", f"{OUTBOX}:to:{room}", f"{1000 * number + 1}-0", "message", "{}")
        hand.store.command("SADD", f"{OUTBOX}:tokens", room)
    found = OutboxDesk(hand.store, told=True).destinations(3)
    assert [line.destination for line in found] == ["room:19", "room:18", "room:17"]


def test_no_pause_is_longer_than_an_hour(hand: Hand) -> None:
    put(hand.store, message(1))
    hand.outbox.pause(hand.begun(hand.token()), NOW + DAY, NOW)
    assert hand.outbox.move(NOW) == near(3600)


def test_nothing_to_enqueue_is_no_call(any_store: Store) -> None:
    batch = any_store.batch()
    Outbox(any_store).enqueue(batch, [])
    assert len(batch) == 0
