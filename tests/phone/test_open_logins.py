"""Which login is under way at a phone, on Valkey and Redis 7.0."""

from __future__ import annotations

from casduo.phone.open_logins import OpenLogin, OpenLogins
from casduo.store import Store

PHONE = "SEP001122334455"
LOGINS = OpenLogins(60.0)


def begin(
    store: Store, userid: str, execution: str, instead: OpenLogin | None = None, phone: str = PHONE
) -> OpenLogin | None:
    return LOGINS.begin(store.batch(), phone, userid, execution, instead)


def test_the_first_one_is_noted_and_told_to_those_that_follow(any_store: Store) -> None:
    assert begin(any_store, "ada", "first") is None
    second, other = begin(any_store, "ada", "second"), begin(any_store, "Ada", "third")
    assert second is not None
    assert (second.execution, second.same_person) == ("first", True)
    assert other is not None
    assert (other.execution, other.same_person) == ("first", False)
    assert begin(any_store, "ada", "elsewhere", phone="SEP00AABBCCDDEE") is None


def test_what_is_sent_once_more_finds_its_own_note(any_store: Store) -> None:
    assert begin(any_store, "ada", "first") is None
    assert begin(any_store, "ada", "first") is None


def test_of_several_that_find_the_same_one_over_one_takes_its_place(any_store: Store) -> None:
    begin(any_store, "ada", "over")
    found = [begin(any_store, "ada", "second"), begin(any_store, "ada", "third")]
    assert begin(any_store, "ada", "second", found[0]) is None
    instead = begin(any_store, "ada", "third", found[1])
    assert instead is not None
    assert (instead.execution, instead.same_person) == ("second", True)


def test_a_note_goes_with_the_time_that_a_login_may_take_and_holds_no_name(any_store: Store) -> None:
    begin(any_store, "ada", "first")
    (key,) = any_store.command("KEYS", "*")
    assert 59_000 < any_store.command("PTTL", key) <= 60_000
    assert "ada" not in f"{key} {any_store.command('GET', key)}"
