"""The table of who is on the phone, where the user is, and what the settings want: every combination."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Literal

import pytest

from casduo.phone.plan import LoginTerms, Plan, plan, reached, same_user
from casduo.ucm.model import PhoneState

HERE, THERE, ALSO = "SEP001122334455", "SEP00AABBCCDDEE", "SEP00AABBCCDDFF"

OtherUser = Literal["refuse", "take_over"]
Elsewhere = Literal["ucm", "allow", "refuse", "move"]

TERMS = [
    LoginTerms(other_user, elsewhere, has_policy)
    for other_user, elsewhere, has_policy in product(
        ("refuse", "take_over"), ("ucm", "allow", "refuse", "move"), (True, False)
    )
]
PLACES: list[tuple[str, ...]] = [(), (HERE,), (THERE,), (THERE, HERE), (THERE, ALSO)]
"""Where the user is, as UCM tells: with this phone among them or not."""

FREE = PhoneState(HERE)
SAME = PhoneState(HERE, user="ada", profile="ada-ward")
SAME_CAPITALS = PhoneState(HERE, user="ADA", profile="ada-ward")
OTHER_PROFILE = PhoneState(HERE, user="ada", profile="ada-office")
PROFILE_CAPITALS = PhoneState(HERE, user="ada", profile="Ada-Ward")
UNKNOWN_PROFILE = PhoneState(HERE, user="ada")
OTHER_USER = PhoneState(HERE, user="grace", profile="ada-ward")
OTHER_USER_UNKNOWN_PROFILE = PhoneState(HERE, user="grace")


@dataclass(frozen=True)
class Row:
    """One line of the table: who is on the phone, and what is written where the user's other phones allow it.
    ``occupied`` is what ``other_user: refuse`` makes of it.
    """

    state: PhoneState
    log_out: tuple[str, ...] = ()
    done: bool = False
    occupied: bool = False


ROWS = [
    Row(FREE),
    Row(SAME, done=True),
    Row(SAME_CAPITALS, done=True),
    Row(OTHER_PROFILE, (HERE,)),
    Row(PROFILE_CAPITALS, (HERE,)),
    Row(UNKNOWN_PROFILE, (HERE,)),
    Row(OTHER_USER, (HERE,), occupied=True),
    Row(OTHER_USER_UNKNOWN_PROFILE, (HERE,), occupied=True),
]

ELSEWHERE: dict[tuple[Elsewhere, bool], Literal["ignored", "refused", "moved"]] = {
    ("ucm", True): "ignored",
    ("ucm", False): "refused",
    ("allow", True): "ignored",
    ("allow", False): "ignored",
    ("refuse", True): "refused",
    ("refuse", False): "refused",
    ("move", True): "moved",
    ("move", False): "moved",
}
"""What becomes of the user's logins on other phones, by setting and by whether UCM has a policy of its own."""


def expected(row: Row, places: tuple[str, ...], terms: LoginTerms) -> Plan:
    if row.done:
        return Plan("done")
    if row.occupied and terms.other_user == "refuse":
        return Plan("occupied")
    others = tuple(place for place in places if place != HERE)
    match ELSEWHERE[terms.elsewhere, terms.has_policy]:
        case "refused" if others:
            return Plan("elsewhere", places=others)
        case "moved":
            return Plan("write", (*others, *row.log_out))
    return Plan("write", row.log_out)


@pytest.mark.parametrize("terms", TERMS, ids=lambda terms: f"{terms.other_user}-{terms.elsewhere}-{terms.has_policy}")
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.state.user or 'free'}-{row.state.profile}")
@pytest.mark.parametrize("places", PLACES, ids=len)
def test_every_row_under_every_setting(row: Row, places: tuple[str, ...], terms: LoginTerms) -> None:
    assert plan(row.state, places, "ada", "ada-ward", terms) == expected(row, places, terms)


@pytest.mark.parametrize("terms", TERMS)
@pytest.mark.parametrize("row", ROWS)
def test_a_phone_that_may_be_used_is_as_good_as_one_of_which_nobody_knows(row: Row, terms: LoginTerms) -> None:
    enabled = PhoneState(HERE, enabled=True, user=row.state.user, profile=row.state.profile)
    assert plan(enabled, (), "ada", "ada-ward", terms) == plan(row.state, (), "ada", "ada-ward", terms)


@pytest.mark.parametrize("terms", TERMS)
@pytest.mark.parametrize("row", ROWS)
def test_nothing_is_written_on_a_phone_that_is_not_there_or_not_enabled(row: Row, terms: LoginTerms) -> None:
    gone = PhoneState(HERE, known=False)
    closed = PhoneState(HERE, enabled=False, user=row.state.user, profile=row.state.profile)
    assert plan(gone, None, "ada", "ada-ward", terms) == Plan("no_device")
    assert plan(closed, None, "ada", "ada-ward", terms) == Plan("not_enabled")


@pytest.mark.parametrize("terms", TERMS)
def test_nobody_has_to_ask_where_the_user_is_unless_the_terms_say_so(terms: LoginTerms) -> None:
    assert terms.looks_elsewhere == (ELSEWHERE[terms.elsewhere, terms.has_policy] != "ignored")
    if terms.looks_elsewhere:
        with pytest.raises(ValueError, match="need to know"):
            plan(FREE, None, "ada", "ada-ward", terms)
    else:
        assert plan(FREE, None, "ada", "ada-ward", terms) == Plan("write")
    # What is decided at the phone itself needs no further question.
    assert plan(SAME, None, "ada", "ada-ward", terms) == Plan("done")


def test_this_phone_is_not_another_one_however_it_is_spelled() -> None:
    terms = LoginTerms("refuse", "refuse", has_policy=False)
    assert plan(OTHER_PROFILE, (HERE.lower(),), "ada", "ada-ward", terms) == Plan("write", (HERE,))


def test_the_phone_in_hand_is_logged_out_last() -> None:
    terms = LoginTerms("take_over", "move", has_policy=False)
    assert plan(OTHER_USER, (THERE, ALSO), "ada", "ada-ward", terms).log_out == (THERE, ALSO, HERE)


def test_user_ids_are_compared_as_ucm_does() -> None:
    assert same_user("ada", "ADA")
    assert same_user("Müller", "mÜLLER")
    assert not same_user("ada", "adá")
    assert not same_user("strasse", "straße")
    assert not same_user("ada", "ada ")
    assert not same_user("", "")


@pytest.mark.parametrize(
    ("state", "there"),
    [
        (FREE, False),
        (SAME, True),
        (SAME_CAPITALS, True),
        (OTHER_PROFILE, False),
        (PROFILE_CAPITALS, False),
        (UNKNOWN_PROFILE, True),
        (OTHER_USER, False),
        (OTHER_USER_UNKNOWN_PROFILE, False),
        (PhoneState(HERE, known=False), False),
    ],
)
def test_a_login_whose_answer_was_lost_is_recognised(state: PhoneState, there: bool) -> None:
    assert reached(state, "ada", "ada-ward") is there
