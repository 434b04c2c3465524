"""The list of sign-ins of each person, on Valkey and Redis 7.0: bounded, counted, and nobody's to flood."""

from __future__ import annotations

import pytest

from casduo.account.history import KEPT, HistoryJournal, SignInHistory
from casduo.account.signins import HOUR, MOST, ListedSignIn, SignIn
from casduo.events.model import SignedIn, SignedOut, SignInRefused, Subject
from casduo.signing import fingerprint
from casduo.store import Store
from tests.support.site import Recorder

NOW = 1_790_000_100.0
INSIDE = SignIn("signed_in", "Firefox on Linux", "192.0.2.7")
WRONG = SignIn("refused", "", "203.0.113.9")
KEY = f"casduo:{{u:{fingerprint('ada')[:32]}}}:signins"


@pytest.fixture
def history(any_store: Store) -> SignInHistory:
    return SignInHistory(any_store)


def note(store: Store, history: SignInHistory, *told: SignIn, at: float = NOW, name: str = "ada") -> None:
    batch = store.batch()
    for number, one in enumerate(told):
        history.note(batch, name, one, at, f"{at}-{number}")
    batch.run()


def outcomes(history: SignInHistory) -> list[tuple[str, int]]:
    return [(line.told.outcome, line.times) for line in history.of("ada")]


def test_what_was_noted_is_read(any_store: Store, history: SignInHistory) -> None:
    note(any_store, history, INSIDE)
    assert history.of("ada") == [ListedSignIn(INSIDE.name("ada", NOW), INSIDE, 1, NOW, NOW)]
    assert history.of("grace") == []


def test_what_is_alike_within_an_hour_is_counted_in_one_line(any_store: Store, history: SignInHistory) -> None:
    begin = NOW - NOW % HOUR
    for minute in range(0, 90, 10):
        note(any_store, history, WRONG, at=begin + 60 * minute)
    late, early = history.of("ada")
    assert (early.times, early.first, early.last) == (6, begin, begin + 3000)
    assert (late.times, late.first) == (3, begin + HOUR)


def test_the_same_request_counts_once_however_often_it_is_sent(any_store: Store, history: SignInHistory) -> None:
    for _ in range(3):
        note(any_store, history, WRONG)
    assert outcomes(history) == [("refused", 1)]


def test_who_is_spelled_with_capital_letters_sees_what_was_tried_with_the_name_as_it_is_typed(
    any_store: Store, history: SignInHistory
) -> None:
    note(any_store, history, INSIDE, name="Ada.Lovelace")
    note(any_store, history, WRONG, name="ada.lovelace")
    found = history.of("Ada.Lovelace")
    assert [line.told for line in found] == [INSIDE, WRONG]
    assert history.disown("Ada.Lovelace", found[1].name, NOW)
    # What showed a right password is of one spelling alone.
    assert [line.told for line in history.of("ada.lovelace")] == [WRONG]


def test_guesses_from_many_addresses_do_not_push_out_what_happened(any_store: Store, history: SignInHistory) -> None:
    note(any_store, history, INSIDE, SignIn("denied", address="192.0.2.8"))
    note(any_store, history, *(SignIn("refused", address=f"2001:db8::{number:x}") for number in range(300)))
    found = outcomes(history)
    assert [one for one in found if one[0] != "refused"] == [("denied", 1), ("signed_in", 1)]
    assert len(found) == 2 + MOST


def test_whoever_knows_the_password_cannot_make_the_list_grow(any_store: Store, history: SignInHistory) -> None:
    for number in range(100):
        note(any_store, history, SignIn("signed_in", address=f"192.0.2.{number}"), at=NOW + number)
    assert len(history.of("ada")) == 2 * MOST
    assert history.of("ada")[0].told.address == "192.0.2.99"


def test_lists_expire_and_that_of_a_name_nobody_uses_sooner(any_store: Store, history: SignInHistory) -> None:
    note(any_store, history, WRONG)
    assert 0 < int(any_store.command("PTTL", f"{KEY}.guessed")) <= 86_400_000
    note(any_store, history, INSIDE, WRONG)
    for key in (KEY, f"{KEY}.guessed"):
        assert 86_400_000 < int(any_store.command("PTTL", key)) <= KEPT * 1000


def test_no_key_and_no_line_names_anybody(any_store: Store, history: SignInHistory) -> None:
    note(any_store, history, INSIDE, WRONG, name="somebody-else")
    for key in any_store.command("KEYS", "*"):
        assert "somebody-else" not in f"{key} {any_store.command('LRANGE', key, 0, -1)}"


def test_a_line_is_disowned_once_and_what_comes_after_begins_a_new_one(
    any_store: Store, history: SignInHistory
) -> None:
    note(any_store, history, INSIDE, WRONG)
    name = INSIDE.name("ada", NOW)
    assert [history.disown("ada", name, NOW + 5) for _ in range(2)] == [True, False]
    assert not history.disown("ada", "0" * 16, NOW)
    assert not history.disown("grace", name, NOW)
    note(any_store, history, INSIDE, at=NOW + 6)
    note(any_store, history, INSIDE, at=NOW + 7)
    lines = {line.name: line for line in history.of("ada") if line.told == INSIDE}
    assert (lines[name].times, lines[name].disowned) == (1, NOW + 5)
    assert (lines[f"{name}x"].times, lines[f"{name}x"].disowned) == (2, 0.0)


def test_what_cannot_be_read_is_left_out(any_store: Store, history: SignInHistory) -> None:
    any_store.command("LPUSH", KEY, "", "a b c", "n 1 2 3 0 r {}", "n one 2 3 0 r x")
    note(any_store, history, INSIDE)
    assert outcomes(history) == [("signed_in", 1)]


def test_events_go_on_and_are_noted_with_their_change_or_later(any_store: Store, history: SignInHistory) -> None:
    journal, late = Recorder(), []
    written = HistoryJournal(journal, history, late.append, lambda: NOW)
    about = Subject("R", "192.0.2.7", "ada")
    batch = any_store.batch()
    written.write(SignedIn(about), batch)
    assert history.of("ada") == []
    batch.run()
    assert outcomes(history) == [("signed_in", 1)]
    written.write(SignInRefused(about, reason="wrong"))
    written.write(SignInRefused(Subject("R", "192.0.2.7"), reason="wrong"))
    written.write(SignedOut(about))
    assert outcomes(history) == [("signed_in", 1)]
    (one,) = late
    one(batch)
    batch.run()
    assert outcomes(history) == [("signed_in", 1), ("refused", 1)]
    assert [event.name for event in journal.events] == ["signin.ok", "signin.refused", "signin.refused", "signout"]
