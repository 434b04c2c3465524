"""What is typed into the search of the audit trail becomes a selection, or a word beside the field."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from casduo.admin.audit import read_audit_search

BERLIN = ZoneInfo("Europe/Berlin")


def test_days_are_those_of_the_zone_and_the_last_one_counts() -> None:
    selection = read_audit_search({"from": "2026-03-04", "until": "2026-03-04"}, BERLIN).selection
    assert selection.start == datetime(2026, 3, 3, 23, tzinfo=UTC).timestamp()
    assert selection.end == datetime(2026, 3, 4, 23, tzinfo=UTC).timestamp()


def test_nothing_typed_leaves_nothing_out() -> None:
    asked = read_audit_search({}, BERLIN)
    assert (asked.problems, asked.selection.start, asked.selection.end) == ({}, float("-inf"), float("inf"))


@pytest.mark.parametrize(
    ("field", "text", "message"),
    [
        ("kind", "signin", "kind"),
        ("kind", "nothing.*", "kind"),
        ("kind", "*", "kind"),
        ("kind", ".*", "kind"),
        ("from", "yesterday", "day"),
        ("from", "2026-02-30", "day"),
        ("until", "9999-12-31", "day"),
        ("until", "04.03.2026", "day"),
        ("until", "now", "day"),
    ],
)
def test_what_cannot_be_meant_is_said_beside_its_field(field: str, text: str, message: str) -> None:
    asked = read_audit_search({field: text}, BERLIN)
    assert asked.problems == {field: f"admin.audit.error.{message}"}
    assert asked.typed[field] == text


def test_a_last_day_before_the_first_one_and_a_place_that_is_none_are_said() -> None:
    asked = read_audit_search({"from": "2026-03-04", "until": "2026-03-03"}, BERLIN)
    assert asked.problems == {"until": "admin.audit.error.order"}
    assert read_audit_search({"before": "yesterday"}, BERLIN).problems == {"search": "admin.audit.error.before"}


@pytest.mark.parametrize("typed", ["K7QF-2M9D", "k7qf2m9d", "k7qf 2m9d", " K7QF-2M9D "])
def test_a_reference_is_read_as_people_write_it(typed: str) -> None:
    assert read_audit_search({"reference": typed}, BERLIN).reference == "K7QF-2M9D"
