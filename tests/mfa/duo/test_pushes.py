"""The contract of pushes under way, on Valkey from the wheel and on Debian's Redis 7.0."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from casduo.mfa.duo.gateway import PushStatus
from casduo.mfa.duo.pushes import QUEUE, SETTLED, Push, Pushes, PushLimits, PushName, PushRequest, PushState
from casduo.store import Store
from casduo.store.store import client_for
from casduo.store.streams import StreamQueue
from tests.support.naming import names
from tests.support.redis_servers import CountingRelay

NOW = 1_790_000_000.0
MANY = PushLimits(most=3, window=300.0)
ADA = PushRequest("ada", "", "payroll", "push", "Ada's phone", "192.0.2.7", code="708")
TRANSACTION = "45f7c92b-f45f-4862-8545-e0f58e78075a"
PUSHED = PushStatus(True, False, "pushed", "Pushed a login request to your device...")
ALLOW = PushStatus(False, True, "allow", "Success. Logging you in...")
DENY = PushStatus(False, False, "deny", "Login request denied.")


def pushes_of(store: Store, limits: PushLimits = MANY) -> Pushes:
    return Pushes(store, lambda batch: batch.command("EXISTS", "a worker"), limits)


@pytest.fixture
def pushes(any_store: Store) -> Pushes:
    any_store.command("SET", "a worker", "runs")
    return pushes_of(any_store)


def opened(pushes: Pushes, request: PushRequest = ADA, now: float = NOW, instead: PushName | None = None) -> PushName:
    opening = pushes.open(request, now, instead=instead)
    assert opening.outcome == "opened"
    assert opening.name is not None
    return opening.name


def sent(pushes: Pushes, request: PushRequest = ADA, now: float = NOW, instead: PushName | None = None) -> PushName:
    name = opened(pushes, request, now, instead)
    pushes.sent(name, TRANSACTION, now)
    return name


def state(pushes: Pushes, name: PushName, now: float = NOW) -> str:
    push = pushes.read(name, now)
    return push.state if push is not None else "none"


def queued(store: Store) -> list[dict[str, str]]:
    return [dict(entry.fields) for entry in StreamQueue(store, QUEUE, "a test").read(100, 0.001)]


# -- the life of a push ----------------------------------------------------------------------------------------------


def test_a_push_is_sent_followed_approved_and_taken_once(pushes: Pushes) -> None:
    name = opened(pushes)
    assert state(pushes, name) == "sending"
    pushes.sent(name, TRANSACTION, NOW + 1)
    expected = Push("waiting", "", "", "push", "Ada's phone", "payroll", "", "708", NOW + 1)
    assert pushes.read(name, NOW + 2) == expected
    assert expected.ends_at == NOW + 61
    assert pushes.note(name, PUSHED)
    assert pushes.take(name, NOW + 3) == replace(expected, status="pushed", status_message=PUSHED.status_message)
    assert pushes.settle(name, "allowed", ALLOW, NOW + 4) == "allowed"
    taken = pushes.take(name, NOW + 5)
    assert taken is not None
    assert (taken.state, taken.status, taken.status_message) == ("allowed", "allow", ALLOW.status_message)
    assert pushes.take(name, NOW + 5) is None
    assert pushes.read(name, NOW + 5) is None


def test_what_workers_are_to_follow_is_queued_when_it_was_sent(pushes: Pushes, any_store: Store) -> None:
    name = opened(pushes)
    assert queued(any_store) == []
    pushes.sent(name, TRANSACTION, NOW + 1)
    (entry,) = queued(any_store)
    found = pushes.to_follow(entry)
    assert found is not None
    assert (found.name, found.transaction, found.wanted) == (name, TRANSACTION, True)
    assert found.request == replace(ADA, code="")
    assert found.deadline == NOW + 76


@pytest.mark.parametrize("verdict", sorted(SETTLED))
def test_nobody_follows_a_push_that_has_its_verdict(pushes: Pushes, any_store: Store, verdict: PushState) -> None:
    name = sent(pushes)
    pushes.settle(name, verdict, None, NOW)
    (entry,) = queued(any_store)
    assert pushes.to_follow(entry) is None
    assert state(pushes, name) == verdict


def test_nobody_follows_what_nobody_knows(pushes: Pushes) -> None:
    unknown = PushName("0" * 32, "x" * 22)
    assert pushes.to_follow({"name": unknown.text, "transaction": TRANSACTION}) is None
    assert pushes.to_follow({"name": "nonsense"}) is None
    assert pushes.read(unknown, NOW) is None
    assert pushes.take(unknown, NOW) is None
    assert not pushes.note(unknown, PUSHED)
    assert pushes.settle(unknown, "allowed", ALLOW, NOW) is None
    pushes.drop(unknown)


def test_the_first_verdict_wins(pushes: Pushes) -> None:
    name = sent(pushes)
    assert pushes.settle(name, "denied", DENY, NOW) == "denied"
    assert pushes.settle(name, "allowed", ALLOW, NOW) is None
    assert not pushes.note(name, PUSHED)
    assert state(pushes, name) == "denied"


def test_of_fifty_takers_exactly_one_gets_the_approval(pushes: Pushes) -> None:
    for _ in range(5):
        name = sent(pushes)
        pushes.settle(name, "allowed", ALLOW, NOW)
        gate = threading.Barrier(50)

        def take(name: PushName = name, gate: threading.Barrier = gate) -> bool:
            gate.wait()
            return pushes.take(name, NOW) is not None

        with ThreadPoolExecutor(50) as pool:
            won = [future.result() for future in [pool.submit(take) for _ in range(50)]]
        assert won.count(True) == 1


def test_of_many_verdicts_at_once_one_stands(pushes: Pushes) -> None:
    name = sent(pushes)
    gate = threading.Barrier(20)

    def settle(number: int) -> str | None:
        gate.wait()
        return pushes.settle(name, "allowed" if number % 2 else "denied", None, NOW)

    with ThreadPoolExecutor(20) as pool:
        (stands,) = {found for found in pool.map(settle, range(20)) if found is not None}
    assert state(pushes, name) == stands


# -- one open push for each person -----------------------------------------------------------------------------------


def test_a_second_login_of_the_same_person_waits_for_the_first(pushes: Pushes) -> None:
    sent(pushes)
    opening = pushes.open(replace(ADA, service="library"), NOW + 1)
    assert opening.outcome == "pending"
    assert opening.name is None
    assert opening.other is not None
    assert (opening.other.service, opening.other.state, opening.other.device) == ("payroll", "waiting", "Ada's phone")
    # Those are for who sees the page of the first login.
    assert opening.other.code == ""


@pytest.mark.parametrize("spelling", ["ADA", " ada", "\uff41\uff44\uff41", "ad\u00e0"])
def test_one_person_has_one_place_however_the_name_is_spelled(pushes: Pushes, spelling: str) -> None:
    sent(pushes)
    assert pushes.open(replace(ADA, principal=spelling), NOW).outcome == "pending"


def test_other_people_have_places_of_their_own(pushes: Pushes) -> None:
    sent(pushes)
    sent(pushes, replace(ADA, principal="grace"))


@pytest.mark.parametrize("verdict", sorted(SETTLED))
def test_a_verdict_frees_the_place(pushes: Pushes, verdict: PushState) -> None:
    pushes.settle(sent(pushes), verdict, None, NOW)
    sent(pushes)


def test_of_many_logins_at_once_one_sends(pushes: Pushes) -> None:
    gate = threading.Barrier(20)

    def open_one() -> str:
        gate.wait()
        return pushes.open(ADA, NOW).outcome

    with ThreadPoolExecutor(20) as pool:
        outcomes = [future.result() for future in [pool.submit(open_one) for _ in range(20)]]
    assert sorted(set(outcomes)) == ["opened", "pending"]
    assert outcomes.count("opened") == 1


def test_who_sends_again_gives_up_the_former_push(pushes: Pushes, any_store: Store) -> None:
    former = sent(pushes)
    latter = sent(pushes, instead=former)
    assert state(pushes, former) == "none"
    assert state(pushes, latter) == "waiting"
    assert pushes.settle(former, "allowed", ALLOW, NOW) is None
    assert pushes.take(former, NOW) is None
    assert state(pushes, latter) == "waiting"
    assert any_store.command("HGET", former.key, "code") is None


def test_the_push_of_somebody_else_cannot_be_superseded(pushes: Pushes) -> None:
    theirs = sent(pushes, replace(ADA, principal="grace"))
    sent(pushes, instead=theirs)
    assert state(pushes, theirs) == "waiting"


def test_a_superseded_approval_is_gone(pushes: Pushes) -> None:
    former = sent(pushes)
    pushes.settle(former, "allowed", ALLOW, NOW)
    sent(pushes, instead=former)
    assert pushes.take(former, NOW) is None


def test_another_login_does_not_end_by_a_push_that_was_given_up(pushes: Pushes) -> None:
    former = sent(pushes)
    pushes.drop(former)
    latter = sent(pushes)
    pushes.drop(former)
    assert pushes.settle(former, "denied", DENY, NOW) is None
    assert pushes.open(ADA, NOW).outcome == "pending"
    assert state(pushes, latter) == "waiting"


def test_what_was_dropped_opens_nothing_and_is_followed_all_the_same(pushes: Pushes, any_store: Store) -> None:
    name = sent(pushes)
    pushes.drop(name)
    assert pushes.settle(name, "allowed", ALLOW, NOW) is None
    assert state(pushes, name) == "none"
    assert pushes.take(name, NOW) is None
    (entry,) = queued(any_store)
    found = pushes.to_follow(entry)
    assert found is not None
    assert not found.wanted
    assert found.request.principal == "ada"


def test_what_was_dropped_while_it_was_being_sent_is_followed_too(pushes: Pushes, any_store: Store) -> None:
    name = opened(pushes)
    pushes.drop(name)
    pushes.sent(name, TRANSACTION, NOW)
    assert state(pushes, name) == "none"
    (entry,) = queued(any_store)
    found = pushes.to_follow(entry)
    assert found is not None
    assert not found.wanted


def test_a_verdict_that_is_not_wanted_any_more_can_be_dropped(pushes: Pushes) -> None:
    name = sent(pushes)
    pushes.settle(name, "allowed", ALLOW, NOW)
    pushes.drop(name)
    assert pushes.take(name, NOW) is None


# -- when nobody says anything ---------------------------------------------------------------------------------------


def test_who_dies_while_sending_frees_the_place_after_15_seconds(pushes: Pushes, any_store: Store) -> None:
    name = opened(pushes)
    assert pushes.open(ADA, NOW + 14.9).outcome == "pending"
    assert 14_000 < any_store.command("PTTL", name.place_key) <= 15_000
    latter = opened(pushes, now=NOW + 15)
    # Whoever was only slow has lost the place.
    pushes.sent(name, TRANSACTION, NOW + 16)
    assert state(pushes, name, NOW + 16) == "none"
    assert state(pushes, latter, NOW + 16) == "sending"


def test_who_was_slow_in_sending_keeps_a_place_that_nobody_took(pushes: Pushes, any_store: Store) -> None:
    name = opened(pushes)
    any_store.command("DEL", name.place_key)
    pushes.sent(name, TRANSACTION, NOW + 16)
    assert state(pushes, name, NOW + 16) == "waiting"
    assert pushes.open(ADA, NOW + 16).outcome == "pending"


def test_without_a_verdict_a_push_times_out_after_75_seconds(pushes: Pushes) -> None:
    name = sent(pushes)
    pushes.note(name, PUSHED)
    assert state(pushes, name, NOW + 74.9) == "waiting"
    read = pushes.read(name, NOW + 75)
    assert read is not None
    assert (read.state, read.status, read.status_message) == ("timeout", "", "")
    assert pushes.take(name, NOW + 75) == read
    assert pushes.take(name, NOW + 75) is None


def test_a_push_that_timed_out_unnoticed_frees_the_place(pushes: Pushes) -> None:
    sent(pushes)
    assert pushes.open(ADA, NOW + 74.9).outcome == "pending"
    sent(pushes, now=NOW + 75)


def test_an_approval_that_comes_too_late_opens_nothing(pushes: Pushes) -> None:
    name = sent(pushes)
    assert pushes.settle(name, "allowed", ALLOW, NOW + 75) == "timeout"
    assert pushes.read(name, NOW + 76) == Push("timeout", "", "", "push", "Ada's phone", "payroll", "", "", NOW)


def test_every_key_expires_and_nothing_names_the_transaction(pushes: Pushes, any_store: Store) -> None:
    name = sent(pushes)
    pushes.settle(name, "denied", DENY, NOW)
    sent(pushes)
    keys = [key for key in any_store.command("KEYS", "casduo:*") if key != QUEUE]
    # Two records, the place, the count.
    assert len(keys) == 4
    for key in keys:
        assert 0 < any_store.command("PTTL", key) <= 300_000
        kind = any_store.command("TYPE", key)
        read = {"hash": ("HGETALL", key), "zset": ("ZRANGE", key, 0, -1), "string": ("GET", key)}[kind]
        held = f"{key} {any_store.command(*read)}"
        assert name.id not in held
        assert TRANSACTION not in held
        assert not names(key, "ada")


def test_all_keys_of_a_person_share_a_slot() -> None:
    name = PushName("0" * 32, "x" * 22)
    assert {key[: key.index("}")] for key in (name.key, name.place_key, name.count_key)} == {f"casduo:{{d:{'0' * 32}"}


# -- limits ----------------------------------------------------------------------------------------------------------


def test_a_person_is_sent_so_many_and_then_waits(pushes: Pushes) -> None:
    last = None
    for number in range(3):
        last = sent(pushes, now=NOW + 10 * number, instead=last)
    opening = pushes.open(ADA, NOW + 100, instead=last)
    assert (opening.outcome, opening.wait, opening.name) == ("limited", 200, None)
    assert pushes.open(ADA, NOW + 299.5).wait == 1
    last = sent(pushes, now=NOW + 300)
    assert pushes.open(ADA, NOW + 301, instead=last).wait == 9


def test_a_former_push_is_given_up_also_where_no_other_may_be_sent(any_store: Store) -> None:
    any_store.command("SET", "a worker", "runs")
    pushes = pushes_of(any_store, PushLimits(1, 60))
    former = sent(pushes)
    assert pushes.open(ADA, NOW, instead=former).outcome == "limited"
    assert state(pushes, former) == "none"


def test_an_approval_resets_the_limit_and_other_verdicts_do_not(any_store: Store) -> None:
    any_store.command("SET", "a worker", "runs")
    pushes = pushes_of(any_store, PushLimits(2, 60))
    pushes.settle(sent(pushes), "timeout", None, NOW)
    pushes.settle(sent(pushes), "denied", DENY, NOW)
    assert pushes.open(ADA, NOW).outcome == "limited"
    name = sent(pushes, now=NOW + 60)
    pushes.settle(name, "allowed", ALLOW, NOW + 60)
    for _ in range(2):
        pushes.settle(sent(pushes, now=NOW + 60), "denied", DENY, NOW + 60)
    assert pushes.open(ADA, NOW + 60).outcome == "limited"


def test_what_waits_for_another_login_is_not_counted(any_store: Store) -> None:
    any_store.command("SET", "a worker", "runs")
    pushes = pushes_of(any_store, PushLimits(2, 60))
    name = sent(pushes)
    for _ in range(5):
        assert pushes.open(ADA, NOW).outcome == "pending"
    sent(pushes, instead=name)


def test_what_duo_did_not_send_is_not_counted_and_leaves_no_trace(pushes: Pushes, any_store: Store) -> None:
    for _ in range(5):
        name = opened(pushes)
        pushes.failed(name)
        assert state(pushes, name) == "none"
    assert any_store.command("KEYS", "casduo:*") == []


def test_text_messages_count_with_pushes(pushes: Pushes) -> None:
    pushes.settle(sent(pushes), "timeout", None, NOW)
    assert pushes.count("ADA", NOW + 10) == 0
    assert pushes.count("ada", NOW + 20) == 0
    assert pushes.count("ada", NOW + 30) == 270
    assert pushes.open(ADA, NOW + 30).outcome == "limited"
    assert pushes.count("grace", NOW + 30) == 0


# -- workers ---------------------------------------------------------------------------------------------------------


def test_without_a_worker_nothing_may_be_sent(any_store: Store) -> None:
    pushes = pushes_of(any_store, PushLimits(1, 60))
    for _ in range(3):
        opening = pushes.open(ADA, NOW)
        assert (opening.outcome, opening.name) == ("unfollowed", None)
    assert any_store.command("KEYS", "*") == []


def test_what_duo_says_is_stored_bounded(pushes: Pushes) -> None:
    name = sent(pushes)
    pushes.note(name, PushStatus(True, False, "w" * 1000, "t" * 100_000))
    push = pushes.read(name, NOW)
    assert push is not None
    assert (len(push.status), len(push.status_message)) == (40, 500)


def test_a_restarted_redis_that_forgot_its_scripts_is_no_problem(pushes: Pushes, any_store: Store) -> None:
    any_store.command("SCRIPT", "FLUSH")
    name = sent(pushes)
    any_store.command("SCRIPT", "FLUSH")
    pushes.settle(name, "allowed", ALLOW, NOW)
    any_store.command("SCRIPT", "FLUSH")
    assert pushes.take(name, NOW) is not None


# -- names and round trips -------------------------------------------------------------------------------------------


def test_a_name_is_found_again_by_its_text(pushes: Pushes) -> None:
    name = opened(pushes)
    assert PushName.parse(name.text) == name
    assert len(name.id) == 22


@pytest.mark.parametrize(
    "text", ["", ".", "x" * 32 + "." + "x" * 22, "0" * 32 + "." + "x" * 21, "0" * 32 + ".x}x" + "x" * 19, "0" * 55]
)
def test_nonsense_is_no_name(text: str) -> None:
    assert PushName.parse(text) is None


def test_neither_ids_nor_digits_are_in_representations(pushes: Pushes, any_store: Store) -> None:
    name = sent(pushes)
    (entry,) = queued(any_store)
    shown = f"{name!r} {pushes.read(name, NOW)!r} {pushes.to_follow(entry)!r} {ADA!r}"
    for secret in (name.id, TRANSACTION, "708"):
        assert secret not in shown


def test_every_step_is_one_round_trip(relay: CountingRelay, store: Store) -> None:
    store.command("SET", "a worker", "runs")
    relayed = Store(client_for(relay.url, "", 5.0, 4, ""))
    pushes = pushes_of(relayed)
    relayed.ping()
    steps = []

    def step(function, *arguments):  # type: ignore[no-untyped-def]
        relay.reset()
        answer = function(*arguments)
        steps.append(relay.round_trips)
        return answer

    name = step(pushes.open, ADA, NOW).name
    step(pushes.sent, name, TRANSACTION, NOW)
    step(pushes.read, name, NOW)
    step(pushes.note, name, PUSHED)
    step(pushes.settle, name, "allowed", ALLOW, NOW)
    step(pushes.take, name, NOW)
    step(pushes.drop, name)
    step(pushes.count, "ada", NOW)
    assert steps == [1] * 8
    relayed.close()
