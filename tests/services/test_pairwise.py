"""Pairwise ids: stable for one person at one service, and of no use to two services that compare notes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casduo.errors import Problem, SettingsError
from casduo.services.pairwise import PairwiseIds, pairwise_id

KEY = "a key of at least thirty-two characters"
# Valid names hold no lone surrogates, which release refuses before anything is made of a name.
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)
SERVICES = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,9}", fullmatch=True)


def test_an_id_never_changes() -> None:
    # Applications keep accounts under these: whatever is done to the code, they must stay.
    assert pairwise_id(KEY, "library", "ada") == "u6vqwf25zk5ttq7h3zextkfsfi3m2a3d"
    assert pairwise_id(KEY, "library", "zoë") == "qjz3flnzckucbv2agav5cftcq2gxgpdu"


@settings(deadline=None)
@given(NAMES, NAMES, SERVICES, SERVICES)
def test_ids_are_equal_for_the_same_person_at_the_same_service_only(
    ada: str, grace: str, library: str, payroll: str
) -> None:
    one, other = pairwise_id(KEY, library, ada), pairwise_id(KEY, payroll, grace)
    assert (one == other) == ((library, ada) == (payroll, grace))
    assert one == pairwise_id(KEY, library, ada)


@settings(deadline=None)
@given(NAMES, SERVICES)
def test_an_id_is_32_letters_and_digits_that_are_safe_everywhere(name: str, service: str) -> None:
    assert re.fullmatch("[a-z2-7]{32}", pairwise_id(KEY, service, name))


@pytest.mark.parametrize(
    ("one", "other"), [(("ab", "c"), ("a", "bc")), (("a", "b\0c"), ("a\0b", "c")), (("", "ab"), ("ab", ""))]
)
def test_service_and_name_are_kept_apart(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert pairwise_id(KEY, *one) != pairwise_id(KEY, *other)


def test_another_key_makes_other_ids() -> None:
    assert pairwise_id(KEY, "library", "ada") != pairwise_id(KEY.replace("a key", "my key"), "library", "ada")


def test_the_key_is_fetched_once_and_when_it_is_needed() -> None:
    fetched: list[str] = []

    def fetch() -> str:
        fetched.append(KEY)
        return KEY

    ids = PairwiseIds(fetch)
    assert fetched == []
    assert ids.of("library", "ada") == pairwise_id(KEY, "library", "ada")
    assert ids.of("payroll", "ada") == pairwise_id(KEY, "payroll", "ada")
    assert fetched == [KEY]


def test_that_there_is_no_key_can_be_learned_at_the_start() -> None:
    def fetch() -> str:
        raise SettingsError((Problem("pairwise_key", 0, 0, "", "cannot be read"),))

    with pytest.raises(SettingsError, match="cannot be read"):
        PairwiseIds(fetch).prepare()


def test_nothing_that_is_printed_of_it_holds_the_key() -> None:
    ids = PairwiseIds(lambda: KEY)
    ids.prepare()
    assert KEY not in repr(ids)
