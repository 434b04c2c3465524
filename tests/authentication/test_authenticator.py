from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from casduo.authentication import Authenticated, Authenticator, Credential, Outcome, Principal, Reason, Rejected
from casduo.authentication.authenticator import MAX_PASSWORD, MAX_USERNAME
from casduo.errors import UpstreamMisconfigured, UpstreamUnavailable

NOW = 1_800_000_000.0
ADA = Credential("ada", "ada's password")


class Store:
    """A handler that answers as it is told and writes down what it was asked."""

    def __init__(self, name: str, answer: Callable[[Credential], Outcome], max_waiting: int = 0) -> None:
        self.name = name
        self.max_waiting = max_waiting
        self.ledger: list[str] = []
        self._answer = answer

    def authenticate(self, credential: Credential, now: float) -> Outcome:
        self.ledger.append("asked")
        return self._answer(credential)

    def spend(self, credential: Credential, now: float, *, asked: bool) -> None:
        self.ledger.append("spent after asking" if asked else "spent")


def knows(name: str) -> Store:
    return Store(name, lambda credential: Authenticated(Principal(credential.username), name))


def rejects(name: str, reason: Reason, *, proved: bool = False) -> Store:
    return Store(name, lambda credential: Rejected(reason, name, proved=proved))


def breaks(name: str) -> Store:
    def answer(credential: Credential) -> Outcome:
        raise UpstreamUnavailable(name, "no server answers")

    return Store(name, answer)


def test_the_first_handler_that_knows_the_user_decides() -> None:
    chain = Authenticator([rejects("file", "unknown"), knows("ldap"), knows("other")], limit=4)

    assert chain.authenticate(ADA, NOW) == Authenticated(Principal("ada"), "ldap")


@pytest.mark.parametrize("reason", ["wrong", "locked", "disabled", "expired", "must_change", "not_permitted_now"])
def test_a_refusal_is_final_even_if_a_later_handler_would_accept(reason: Reason) -> None:
    later = knows("later")

    outcome = Authenticator([rejects("first", reason), later], limit=4).authenticate(ADA, NOW)

    assert outcome == Rejected(reason, "first")
    assert "asked" not in later.ledger


def test_a_user_nobody_knows_is_unknown() -> None:
    outcome = Authenticator([rejects("file", "unknown"), rejects("ldap", "unknown")], limit=4).authenticate(ADA, NOW)

    assert isinstance(outcome, Rejected)
    assert outcome.reason == "unknown"


@pytest.mark.parametrize("order", [["ldap", "file"], ["file", "ldap"]])
def test_unknown_elsewhere_does_not_hide_that_a_directory_is_down(order: list[str]) -> None:
    stores = {"ldap": breaks("ldap"), "file": rejects("file", "unknown")}

    outcome = Authenticator([stores[name] for name in order], limit=4).authenticate(ADA, NOW)

    assert outcome == Rejected("unavailable", "ldap", "UPSTREAM_UNAVAILABLE")


def test_people_of_another_store_get_in_while_a_directory_is_down() -> None:
    outcome = Authenticator([breaks("ldap"), knows("file")], limit=4).authenticate(ADA, NOW)

    assert outcome == Authenticated(Principal("ada"), "file")


def test_a_wrong_password_stays_wrong_while_another_directory_is_down() -> None:
    outcome = Authenticator([breaks("ldap"), rejects("file", "wrong")], limit=4).authenticate(ADA, NOW)

    assert outcome == Rejected("wrong", "file")


def test_a_misconfigured_directory_lets_nobody_in_and_says_what_it_is() -> None:
    def answer(credential: Credential) -> Outcome:
        raise UpstreamMisconfigured("ldap", "bind_dn refused")

    outcome = Authenticator([Store("ldap", answer)], limit=4).authenticate(ADA, NOW)

    assert outcome == Rejected("unavailable", "ldap", "UPSTREAM_MISCONFIGURED")


def test_only_allowed_handlers_are_asked_or_spent() -> None:
    file, ldap = rejects("file", "unknown"), rejects("ldap", "wrong")

    outcome = Authenticator([file, ldap], limit=4).authenticate(ADA, NOW, allowed=["ldap"])

    assert outcome == Rejected("wrong", "ldap")
    assert file.ledger == []


def test_a_service_that_allows_no_known_handler_lets_nobody_in() -> None:
    outcome = Authenticator([knows("ldap")], limit=4).authenticate(ADA, NOW, allowed=["ucm_pin"])

    assert outcome == Rejected("unavailable", detail="no handler allowed")


@pytest.mark.parametrize(
    "credential",
    [
        Credential("ada", ""),
        Credential("ada", "pass\0word"),
        Credential("ada", "p" * (MAX_PASSWORD + 1)),
        Credential("ada", "é" * (MAX_PASSWORD // 2 + 1)),
        Credential("ada", "\udc80"),
        Credential("", "password"),
        Credential("   ", "password"),
        Credential("ada\0", "password"),
        Credential("ada\n", "password"),
        Credential("ada\u200b", "password"),
        Credential("\ud800", "password"),
        Credential("a" * (MAX_USERNAME + 1), "password"),
    ],
    ids=ascii,
)
def test_what_cannot_be_a_credential_is_wrong_and_no_handler_sees_it(credential: Credential) -> None:
    store = knows("ldap")

    outcome = Authenticator([store], limit=4).authenticate(credential, NOW)

    assert outcome == Rejected("wrong", detail="malformed")
    assert store.ledger == []


@pytest.mark.parametrize(
    "credential",
    [
        Credential("a" * MAX_USERNAME, "p" * MAX_PASSWORD),
        Credential("żółć", "é" * (MAX_PASSWORD // 2)),
        Credential("ada", " "),
    ],
)
def test_the_longest_and_oddest_credentials_reach_the_handler(credential: Credential) -> None:
    assert isinstance(Authenticator([knows("ldap")], limit=4).authenticate(credential, NOW), Authenticated)


def checks(store: Store, knowing: bool) -> int:
    """Count the password checks a store spent: asking costs one if it knows the user, spending always does."""
    return sum(1 for entry in store.ledger if entry.startswith("spent") or knowing)


@pytest.mark.parametrize("knowing", ["first", "second", "third", "nobody"])
def test_every_failure_costs_one_check_in_every_store(knowing: str) -> None:
    stores = [rejects(name, "wrong" if name == knowing else "unknown") for name in ("first", "second", "third")]

    Authenticator(stores, limit=4).authenticate(ADA, NOW)

    assert [checks(store, store.name == knowing) for store in stores] == [1, 1, 1]


def test_a_store_is_told_whether_it_was_asked_before() -> None:
    stores = [rejects("first", "unknown"), rejects("second", "wrong"), rejects("third", "unknown")]

    Authenticator(stores, limit=4).authenticate(ADA, NOW)

    assert [store.ledger for store in stores] == [["asked", "spent after asking"], ["asked"], ["spent"]]


def test_success_and_a_reason_that_is_told_anyway_spend_nothing_extra() -> None:
    for decides in (knows("second"), rejects("second", "expired", proved=True)):
        stores = [rejects("first", "unknown"), decides, rejects("third", "unknown")]

        Authenticator(stores, limit=4).authenticate(ADA, NOW)

        assert [store.ledger for store in stores] == [["asked"], ["asked"], []]


def test_a_store_that_cannot_spend_does_not_change_the_answer() -> None:
    class Down(Store):
        def spend(self, credential: Credential, now: float, *, asked: bool) -> None:
            raise UpstreamUnavailable("ldap")

    chain = Authenticator([rejects("file", "wrong"), Down("ldap", lambda _: Rejected("unknown", "ldap"))], limit=4)

    assert chain.authenticate(ADA, NOW) == Rejected("wrong", "file")


class Hanging:
    """A handler that stays inside until it is let go."""

    name = "ldap"

    def __init__(self, max_waiting: int = 0) -> None:
        self.max_waiting = max_waiting
        self.inside = threading.Semaphore(0)
        self.let_go = threading.Event()

    def authenticate(self, credential: Credential, now: float) -> Outcome:
        self.inside.release()
        assert self.let_go.wait(10)
        return Authenticated(Principal(credential.username), self.name)

    def spend(self, credential: Credential, now: float, *, asked: bool) -> None:
        raise AssertionError("nobody is refused here")


@pytest.mark.parametrize(("limit", "max_waiting"), [(1, 0), (8, 1)])
def test_a_hanging_store_is_busy_for_the_next_and_others_go_on(limit: int, max_waiting: int) -> None:
    hanging = Hanging(max_waiting)
    chain = Authenticator([hanging, knows("file")], limit)
    first: list[Outcome] = []
    thread = threading.Thread(target=lambda: first.append(chain.authenticate(ADA, NOW, ["ldap"])))
    thread.start()
    assert hanging.inside.acquire(timeout=10)

    refused = chain.authenticate(ADA, NOW, ["ldap"])
    elsewhere = chain.authenticate(ADA, NOW)
    hanging.let_go.set()
    thread.join(10)

    assert refused == Rejected("busy", "ldap")
    assert elsewhere == Authenticated(Principal("ada"), "file")
    assert first == [Authenticated(Principal("ada"), "ldap")]


def test_handlers_need_different_names() -> None:
    with pytest.raises(ValueError, match="different names"):
        Authenticator([knows("ldap"), knows("ldap")], limit=4)


def test_without_a_handler_nobody_gets_in() -> None:
    assert Authenticator([], limit=4).authenticate(ADA, NOW) == Rejected("unavailable", detail="no handler allowed")


def test_names_are_told_in_order() -> None:
    assert Authenticator([knows("file"), knows("ldap")], limit=4).names == ("file", "ldap")
