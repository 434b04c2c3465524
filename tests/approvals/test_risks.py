"""What is out of the ordinary about a request, by its time and by what was before."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from casduo.approvals.model import ApprovalRequest, State, Target
from casduo.approvals.risks import earlier_requests, risks_of

BERLIN = ZoneInfo("Europe/Berlin")
REQUEST = ApprovalRequest(
    *("now", "nonce", "ada", "Ada", ("ada@example.edu",), "oracle-b", "Oracle", "https://oracle.example.edu/"),
    *(Target(), 0.0, 0.0, "Disk", 1000.0, 2000.0, ""),
)


def lasting(start: str, end: str, zone: ZoneInfo = BERLIN) -> ApprovalRequest:
    """Return a request for a time in ``zone``. 2 March 2026 is a Monday."""
    moments = (datetime.fromisoformat(f"2026-03-{text}").replace(tzinfo=zone).timestamp() for text in (start, end))
    return replace(REQUEST, start=next(moments), end=next(moments))


def before(state: State, **changes: object) -> ApprovalRequest:
    """Return an earlier request of the same person for the same service."""
    return replace(REQUEST, **{"id": f"{state}-{changes}", "state": state, "created": 500.0, **changes})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("start", "end", "outside", "weekend"),
    [
        ("04T07:00", "04T19:00", False, False),
        ("04T06:59", "04T08:00", True, False),
        ("04T18:00", "04T19:01", True, False),
        ("04T18:00", "05T08:00", True, False),
        ("04T23:00", "05T00:00", True, False),
        ("07T10:00", "07T11:00", False, True),
        ("08T10:00", "08T11:00", False, True),
        ("06T22:00", "07T00:00", True, False),
        ("06T22:00", "07T00:01", True, True),
        ("06T10:00", "09T10:00", True, True),
        ("02T08:00", "30T08:00", True, True),
    ],
)
def test_the_time_is_judged_where_the_people_are(start: str, end: str, outside: bool, weekend: bool) -> None:
    found = risks_of(lasting(start, end), (), BERLIN)
    assert (found.outside_hours, found.weekend) == (outside, weekend)


def test_the_zone_matters() -> None:
    asked = lasting("04T18:30", "04T18:45")
    assert not risks_of(asked, (), BERLIN).outside_hours
    assert risks_of(asked, (), ZoneInfo("Asia/Tokyo")).outside_hours
    assert not risks_of(asked, (), UTC).outside_hours


@pytest.mark.parametrize(
    ("states", "first", "refused"),
    [
        ((), True, 0),
        (("approved",), False, 0),
        (("rejected", "expired", "cancelled", "rejected"), True, 2),
        (("rejected", "approved"), False, 1),
    ],
)
def test_what_was_before_counts(states: tuple[State, ...], first: bool, refused: int) -> None:
    found = risks_of(lasting("04T10:00", "04T11:00"), [before(state) for state in states], BERLIN)
    assert (found.first, found.refused) == (first, refused)


def test_earlier_ones_are_those_for_the_same_service_that_were_made_before() -> None:
    listed = [
        before("approved", created=1001.0),
        REQUEST,
        before("rejected"),
        before("approved", service="payroll"),
        before("expired", created=100.0),
    ]
    assert [one.state for one in earlier_requests(REQUEST, listed)] == ["rejected", "expired"]
