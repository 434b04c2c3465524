"""What is kept of a sign-in, and how a list of them is read."""

from __future__ import annotations

import pytest

from casduo.account.signins import ListedSignIn, SignIn, listed, sign_in_of
from casduo.events.model import (
    DuoAnswered,
    DuoAsked,
    Event,
    SignedIn,
    SignedOut,
    SignInRefused,
    SignInThrottled,
    Subject,
)
from casduo.events.phone import PhoneLoggedIn, PhoneLoginRefused

NOW = 1_790_000_000.0
ABOUT = Subject("K7QF-2M9D", "192.0.2.7", "ada", "payroll", "duo", "Firefox on Linux")
AT_PHONE = Subject("K7QF-2M9D", "192.0.2.8", "ada", "phones", "duo", "IP phone")


def line(outcome: str, at: float = NOW, times: int = 1, **facts: str) -> ListedSignIn:
    told = SignIn(outcome, **{"address": "192.0.2.7", **facts})  # type: ignore[arg-type]
    return ListedSignIn(f"{outcome}-{at}", told, times, at, at)


@pytest.mark.parametrize(
    ("event", "outcome"),
    [
        (SignedIn(ABOUT), "signed_in"),
        (SignInRefused(ABOUT, reason="wrong"), "refused"),
        (SignInRefused(ABOUT, reason="unknown"), "refused"),
        (SignInRefused(ABOUT, reason="locked"), "barred"),
        (SignInRefused(ABOUT, reason="must_change"), "expired"),
        (DuoAnswered(ABOUT, outcome="allowed", factor="duo_push"), "confirmed"),
        (DuoAnswered(ABOUT, outcome="denied", factor="duo_push"), "denied"),
        (DuoAnswered(ABOUT, outcome="denied", factor="passcode"), "code"),
        (DuoAnswered(ABOUT, outcome="fraud"), "fraud"),
        (DuoAnswered(ABOUT, outcome="timeout"), "timeout"),
        (DuoAnswered(ABOUT, outcome="locked_out"), "locked_out"),
        (PhoneLoggedIn(AT_PHONE, device="SEP001122334455"), "phone"),
        (PhoneLoginRefused(AT_PHONE, device="SEP001122334455"), "phone_refused"),
    ],
)
def test_what_tells_of_a_sign_in_makes_a_line(event: Event, outcome: str) -> None:
    told = sign_in_of(event)
    assert told is not None
    assert (told.outcome, told.address, told.agent) == (outcome, event.about.address, event.about.agent)
    assert SignIn.parse(told.text) == told


@pytest.mark.parametrize(
    "event",
    [
        SignedOut(ABOUT),
        DuoAsked(ABOUT),
        SignInThrottled(ABOUT),
        SignInRefused(ABOUT, reason="unavailable"),
        DuoAnswered(ABOUT, outcome="unenrolled"),
        DuoAnswered(ABOUT, outcome="allowed", factor="trusted_browser"),
        PhoneLoggedIn(AT_PHONE, already=True),
        SignedIn(AT_PHONE),
    ],
)
def test_other_events_make_none(event: Event) -> None:
    assert sign_in_of(event) is None


def test_duos_yes_is_told_with_the_sign_in_that_it_was_for() -> None:
    (only,) = listed([line("confirmed", NOW - 2, factor="duo_push"), line("signed_in", strength="duo")], 0)
    assert (only.told.outcome, only.told.factor) == ("signed_in", "duo_push")


def test_duos_yes_is_told_with_the_login_on_a_phone_that_it_was_for() -> None:
    (only,) = listed([line("confirmed", NOW - 2, factor="duo_push"), line("phone", device="SEP001122334455")], 0)
    assert (only.told.outcome, only.told.factor) == ("phone", "duo_push")


@pytest.mark.parametrize(
    "other",
    [
        line("signed_in", strength="none"),
        line("signed_in", strength="duo", address="192.0.2.9"),
        line("signed_in", NOW + 3600, strength="duo"),
        line("signed_in", NOW - 60, strength="duo"),
    ],
)
def test_duos_yes_in_a_session_that_was_there_is_a_line_of_its_own(other: ListedSignIn) -> None:
    assert sorted(one.told.outcome for one in listed([line("confirmed", NOW - 2), other], 0)) == [
        "confirmed",
        "signed_in",
    ]


def test_the_newest_comes_first_and_what_is_too_old_not_at_all() -> None:
    lines = [line("refused", NOW - 10), line("signed_in", NOW), line("fraud", NOW - 99)]
    assert [one.told.outcome for one in listed(lines, NOW - 50)] == ["signed_in", "refused"]


def test_however_many_guess_what_happened_is_seen() -> None:
    guesses = [line("refused", NOW + number, address=f"192.0.2.{number}") for number in range(20)]
    found = listed([*guesses, line("signed_in"), line("denied", NOW - 9)], 0)
    assert [one.told.outcome for one in found[-2:]] == ["signed_in", "denied"]
    assert len(found) == 12
    assert [one.told.outcome for one in listed(found, 0, 1, 1)] == ["refused", "signed_in"]


@pytest.mark.parametrize("text", ["", "{}", "[]", "[1]", '["signed_in"]', '["other","","","","","",""]', "\ud800"])
def test_what_another_version_wrote_is_left_out(text: str) -> None:
    assert SignIn.parse(text) is None
