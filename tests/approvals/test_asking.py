"""What people type to ask for access, and the request that comes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.approvals.asking import (
    PROBLEMS,
    Problem,
    Problems,
    Window,
    new_request,
    read_window,
    requested_event,
    suggested,
)
from casduo.approvals.model import Target
from casduo.approvals.wording import LONGEST_COMMENT, cleaned, cleaned_comment
from casduo.events.model import Subject
from casduo.services.model import RegisteredService
from casduo.services.policies import ApprovalRule

BERLIN = ZoneInfo("Europe/Berlin")
DAY = 86_400.0
RULE = ApprovalRule(approvers=("grace@example.edu",), max_duration=4 * 3600.0, expires=1800.0)
GOOD = {
    "start_date": "2026-06-01",
    "start_time": "10:00",
    "end_date": "2026-06-01",
    "end_time": "12:00",
    "reason": "to have a look",
}


def moment(text: str) -> float:
    """A moment as people in Berlin write it."""
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp()


MORNING = moment("2026-06-01 09:00")


def typed(now: float = MORNING, rule: ApprovalRule = RULE, **fields: str) -> Window | Problems:
    return read_window({**GOOD, **fields}, rule, now, BERLIN, 30 * DAY)


def window(now: float = MORNING, rule: ApprovalRule = RULE, **fields: str) -> Window:
    found = typed(now, rule, **fields)
    assert isinstance(found, Window), found
    return found


def wrong(now: float = MORNING, rule: ApprovalRule = RULE, **fields: str) -> list[str]:
    found = typed(now, rule, **fields)
    assert not isinstance(found, Window)
    return [f"{problem.field}: {problem.message.removeprefix('approval_form.problem.')}" for problem in found]


# -- times ------------------------------------------------------------------------------------------------------------


def test_times_are_those_of_the_zone() -> None:
    assert window() == Window(moment("2026-06-01 10:00"), moment("2026-06-01 12:00"), "to have a look")


@pytest.mark.parametrize(
    ("time", "read"), [("9:05", "09:05"), (" 10:30 ", "10:30"), ("10:30:15", "10:30:15"), ("11:59:00.000", "11:59")]
)
def test_times_as_browsers_and_people_write_them(time: str, read: str) -> None:
    assert window(start_time=time).start == moment(f"2026-06-01 {read}")


@pytest.mark.parametrize(
    "fields",
    [
        {"start_time": "25:00"},
        {"start_time": "10:60"},
        {"start_time": "ten"},
        {"start_time": "10.30"},
        {"start_time": "\uff11\uff10:00"},
        {"start_date": "1.6.2026"},
        {"start_date": "2026-02-30"},
        {"start_date": "0000-01-01"},
        {"start_date": "99999-01-01"},
        {"start_date": "2026-06-01; DROP"},
    ],
)
def test_what_is_no_time_is_not_guessed_at(fields: dict[str, str]) -> None:
    assert wrong(**fields) == ["start: unreadable"]


def test_an_end_that_is_no_time() -> None:
    assert wrong(end_time="later") == ["end: unreadable"]


@pytest.mark.parametrize("field", ["date", "time"])
@pytest.mark.parametrize("which", ["start", "end"])
def test_a_time_is_date_and_time(which: str, field: str) -> None:
    assert wrong(**{f"{which}_{field}": " "}) == [f"{which}: {which}_missing"]


def test_everything_wrong_is_told_at_once() -> None:
    assert wrong(start_time="", end_time="99:99", reason="") == [
        "start: start_missing",
        "end: unreadable",
        "reason: reason_missing",
    ]
    assert read_window({}, RULE, MORNING, BERLIN, DAY) == (
        Problem("start", "approval_form.problem.start_missing", {}),
        Problem("end", "approval_form.problem.end_missing", {}),
        Problem("reason", "approval_form.problem.reason_missing", {}),
    )


def test_from_now_on_may_have_taken_a_while_to_type() -> None:
    ten = moment("2026-06-01 10:00")
    assert window(ten + 300).start == ten + 300
    assert wrong(ten + 301) == ["start: start_past"]


def test_access_cannot_be_asked_for_from_too_far_ahead() -> None:
    july = {"start_date": "2026-07-01", "end_date": "2026-07-01"}
    assert window(moment("2026-06-01 10:00"), **july).start == moment("2026-07-01 10:00")
    assert wrong(moment("2026-06-01 09:59"), **july) == ["start: too_far"]


def test_an_end_is_after_the_start() -> None:
    assert wrong(end_time="10:00") == wrong(end_date="2026-05-31") == ["end: end_before_start"]
    # What began a while ago begins now, and is over by then.
    assert wrong(moment("2026-06-01 10:04"), end_time="10:03") == ["end: end_before_start"]


def test_access_is_no_longer_than_the_registry_allows() -> None:
    assert window(end_time="14:00").end - window().start == RULE.max_duration
    found = typed(end_time="14:01")
    assert found == (Problem("end", "approval_form.problem.too_long", {"minutes": 240}),)


def test_what_was_allowed_from_the_start_that_was_typed_is_allowed_still() -> None:
    assert window(moment("2026-06-01 10:03"), end_time="14:00").end == moment("2026-06-01 14:00")


# -- nights in which clocks are changed --------------------------------------------------------------------------------

SPRING = {"start_date": "2026-03-29", "end_date": "2026-03-29"}
AUTUMN = {"start_date": "2026-10-25", "end_date": "2026-10-25"}
BEFORE_SPRING, BEFORE_AUTUMN = moment("2026-03-28 12:00"), moment("2026-10-24 12:00")


def utc(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_a_time_that_there_is_not_is_as_much_later() -> None:
    found = window(BEFORE_SPRING, **SPRING, start_time="02:30", end_time="04:00")
    assert (found.start, found.end) == (utc("2026-03-29 01:30"), utc("2026-03-29 02:00"))
    assert window(BEFORE_SPRING, **SPRING, start_time="01:30", end_time="02:30").end == utc("2026-03-29 01:30")


def test_a_time_that_there_is_twice_is_the_first_one() -> None:
    found = window(BEFORE_AUTUMN, **AUTUMN, start_time="02:30", end_time="02:45")
    assert (found.start, found.end) == (utc("2026-10-25 00:30"), utc("2026-10-25 00:45"))


def test_of_a_time_that_there_is_twice_the_one_that_makes_sense() -> None:
    # From the first half past two to the second quarter past.
    found = window(BEFORE_AUTUMN, **AUTUMN, start_time="02:30", end_time="02:15")
    assert (found.start, found.end) == (utc("2026-10-25 00:30"), utc("2026-10-25 01:15"))
    # In the second hour the first one is past.
    found = window(utc("2026-10-25 01:20"), **AUTUMN, start_time="02:30", end_time="03:30")
    assert (found.start, found.end) == (utc("2026-10-25 01:30"), utc("2026-10-25 02:30"))


def test_hours_are_those_that_pass_not_those_on_the_clock() -> None:
    night = {"start_time": "00:00", "end_time": "04:00"}
    assert isinstance(typed(BEFORE_SPRING, **SPRING, **night), Window)
    assert wrong(BEFORE_AUTUMN, **AUTUMN, **night) == ["end: too_long"]


# -- reasons ----------------------------------------------------------------------------------------------------------


def test_a_reason_is_one_line_that_can_be_seen() -> None:
    assert window(reason=" to\r\n have\ta \u202elook\x00\u2069 ").reason == "to have a look"


@pytest.mark.parametrize("reason", ["", "  \n ", "\u202e\u200b\x07"])
def test_a_reason_that_cannot_be_seen_is_none(reason: str) -> None:
    assert wrong(reason=reason) == ["reason: reason_missing"]


def test_a_reason_is_no_novel() -> None:
    assert window(reason="x" * 500).reason == "x" * 500
    assert typed(reason="x" * 501) == (Problem("reason", "approval_form.problem.reason_long", {"limit": 500}),)


def test_letters_of_all_scripts_stay() -> None:
    for text in ("Überprüfung", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "日本語", "👩\u200d💻 fixes it"):
        assert cleaned(text) == text


def test_comments_are_cleaned_and_cut() -> None:
    assert cleaned_comment(" no,\n not\u202e now ") == "no, not now"
    assert len(cleaned_comment("x" * 5000)) == LONGEST_COMMENT


@given(st.text())
def test_what_is_cleaned_is_clean(text: str) -> None:
    found = cleaned(text)
    assert cleaned(found) == found
    assert found == found.strip()
    assert "\n" not in found


# -- as a whole -------------------------------------------------------------------------------------------------------


@given(st.dictionaries(st.sampled_from(list(GOOD)), st.text() | st.sampled_from(list(GOOD.values()))))
def test_any_form_is_a_window_or_told_problems_of(fields: dict[str, str]) -> None:
    found = read_window(fields, RULE, MORNING, BERLIN, 30 * DAY)
    if isinstance(found, Window):
        assert MORNING <= found.start < found.end <= found.start + RULE.max_duration
    else:
        assert found
        assert {problem.message for problem in found} <= set(PROBLEMS)


@pytest.mark.parametrize("longest", [60.0, 600.0, 3600.0, 10 * DAY])
@pytest.mark.parametrize("now", [MORNING + 59.9, BEFORE_SPRING + 14 * 3600 - 61, BEFORE_AUTUMN + 14.5 * 3600])
def test_what_is_suggested_can_be_sent_as_it_is(longest: float, now: float) -> None:
    rule = RULE.model_copy(update={"max_duration": longest})
    fields = suggested(now, rule, BERLIN)
    assert fields["reason"] == ""
    found = read_window({**fields, "reason": "to have a look"}, rule, now, BERLIN, DAY)
    assert isinstance(found, Window), found
    assert found.start == now
    assert 0 < found.end - now <= min(longest, 3600.0)


# -- requests ---------------------------------------------------------------------------------------------------------

WARD = RegisteredService.model_validate(
    {
        "id": "ward",
        "name": "Ward computer",
        "url": "https://ward.example.edu/**",
        "target": {"host": "ward-1", "ip": "10.0.0.7", "account": "root"},
    }
)
WISH = Window(MORNING + 600, MORNING + 1200, "to have a look")


def made(service: RegisteredService = WARD, rule: ApprovalRule = RULE, **more: Any) -> Any:
    facts: dict[str, Any] = {"attributes": {"displayName": ("Ada Lovelace",), "mail": ("Ada@Example.edu",)}, **more}
    words: dict[str, Any] = {"principal": "ada", "url": "https://ward.example.edu/x", "room": "space", "now": MORNING}
    return new_request(service, rule, WISH, **words, **facts)


def test_a_request_says_who_wants_what_where_when_and_why() -> None:
    found = made(address="192.0.2.7", reference="ABCD")
    assert (found.principal, found.name, found.emails) == ("ada", "Ada Lovelace", ("ada@example.edu",))
    assert (found.service, found.service_name, found.url) == ("ward", "Ward computer", "https://ward.example.edu/x")
    assert found.target == Target("ward-1", "10.0.0.7", "root")
    assert (found.start, found.end, found.reason) == (WISH.start, WISH.end, WISH.reason)
    assert (found.created, found.room, found.address, found.reference) == (MORNING, "space", "192.0.2.7", "ABCD")
    assert (found.state, found.decision, found.cards) == ("pending", None, ())


def test_ids_cannot_be_guessed() -> None:
    ids = {made().id for _ in range(100)} | {made().nonce for _ in range(100)}
    assert len(ids) == 200
    assert all(len(name) >= 12 and name.isalnum() for name in ids)


def test_a_request_expires_no_later_than_what_it_asks_for() -> None:
    assert made().expires == WISH.end
    assert made(rule=RULE.model_copy(update={"expires": 300.0})).expires == MORNING + 300.0


def test_all_addresses_of_a_person_are_theirs() -> None:
    attributes = {
        "Mail": ("Ada@example.edu", "no address"),
        "mailAlternateAddress": ("lovelace@example.edu", "ada@example.edu"),
        "userPrincipalName": ("al17@example.edu",),
    }
    assert made(attributes=attributes).emails == ("ada@example.edu", "lovelace@example.edu", "al17@example.edu")


def test_who_has_neither_name_nor_address_is_asked_for_all_the_same() -> None:
    found = made(attributes={"displayName": (" ",)})
    assert (found.name, found.emails) == ("ada", ())


def test_what_people_are_called_turns_nothing_around() -> None:
    assert made(attributes={"displayName": ("\u202e", " Ada\u202e\n Lovelace ")}).name == "Ada Lovelace"


def test_a_service_need_not_be_a_machine() -> None:
    assert made(WARD.model_copy(update={"target": None})).target == Target()


def test_the_event_carries_what_was_asked_for() -> None:
    about = Subject("ABCD", "192.0.2.7", "ada", "ward", "duo")
    event = requested_event(made(), about)
    assert event.about == about
    assert (event.start, event.end, event.reason) == (
        "2026-06-01T07:10:00+00:00",
        "2026-06-01T07:20:00+00:00",
        "to have a look",
    )
