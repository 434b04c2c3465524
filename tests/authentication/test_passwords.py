from __future__ import annotations

import argon2
import pytest

from casduo.authentication import passwords as module
from casduo.authentication.passwords import Argon2Settings, Passwords, is_hash
from casduo.errors import UpstreamUnavailable

CHEAP = Argon2Settings(memory_kib=8, time_cost=1, parallelism=1)


def test_a_hash_matches_its_password_and_no_other() -> None:
    passwords = Passwords(CHEAP)
    encoded = passwords.hash("correct horse")

    assert passwords.matches(encoded, "correct horse")
    assert not passwords.matches(encoded, "correct horse ")
    assert not passwords.matches(encoded, "")


def test_two_hashes_of_one_password_differ() -> None:
    passwords = Passwords(CHEAP)

    assert passwords.hash("same") != passwords.hash("same")


def test_a_hash_of_another_cost_still_matches() -> None:
    encoded = Passwords(Argon2Settings(memory_kib=64, time_cost=2, parallelism=2)).hash("old")

    assert Passwords(CHEAP).matches(encoded, "old")


def test_the_hash_spent_on_unknown_users_has_the_configured_cost() -> None:
    settings = Argon2Settings(memory_kib=72, time_cost=3, parallelism=2)
    decoy = module._random_hash(settings)
    real = Passwords(settings).hash("anything")

    assert argon2.extract_parameters(decoy) == argon2.extract_parameters(real)
    assert is_hash(decoy)


def test_spending_finds_nothing_even_for_the_oddest_password() -> None:
    for password in ("", "x" * 1024, "żółć"):
        Passwords(CHEAP).spend(password)


def test_a_hash_that_cannot_be_computed_is_neither_right_nor_wrong() -> None:
    # 4 TiB: the library cannot allocate it.
    impossible = Passwords(CHEAP).hash("x").replace("m=8", "m=4294967295")

    with pytest.raises(UpstreamUnavailable):
        Passwords(CHEAP).matches(impossible, "x")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "plain text",
        "$argon2i$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA",
        "$argon2id$v=19$m=8,t=1,p=1$***$***",
        "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ",
        "$2b$12$abcdefghijklmnopqrstuv",
        "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA\n",
    ],
)
def test_what_is_not_an_argon2id_hash_is_told_apart(text: str) -> None:
    assert not is_hash(text)


@pytest.mark.parametrize("values", [(7, 1, 1), (8, 0, 1), (8, 1, 0), (8, 1, 2)])
def test_costs_that_argon2_cannot_do_are_refused_at_start(values: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="argon2 needs"):
        Argon2Settings(*values)
