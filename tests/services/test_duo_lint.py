"""What is valid about Duo and cannot be meant."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from casduo.services.duo_lint import LONG_REPORTING
from casduo.services.file import check_registry, read_registry

BEGUN = datetime(2026, 1, 1, tzinfo=UTC).timestamp()


def told(rule: str = "true", now: float = BEGUN, *, more: str = "") -> list[tuple[str, str]]:
    text = f"services: [{{id: a, name: A, url: https://a.example.edu/**, requires_duo: {rule}{more}}}]"
    reading = read_registry(text.encode(), "registry.yaml", None, with_lint=True, now=now)
    assert reading.registry is not None, reading.problems
    assert {problem.level for problem in reading.problems} <= {"warning"}
    return [(problem.path.removeprefix("services[0]."), problem.message) for problem in reading.problems]


@pytest.mark.parametrize(
    "rule",
    [
        "true",
        "false",
        "{fail: open, max_age: 8h}",
        "{mode: report}",
        "{mode: optional, trusted_browser: 30d}",
        "{mode: {report: 2026-12-01, optional: 2027-01-01, required: 2027-02-01}, trusted_browser: 30d}",
        "{mode: {report: 2020-01-01, required: 2030-01-01}}",
        "{trusted_browser: false, max_age: 1h}",
        "{mode: report, trusted_browser: false}",
        "{trusted_browser: 7d, max_age: 7d}",
        "{mode: {report: 2026-02-01, required: 2026-03-01}, from: 2026-02-15, until: 2026-12-01}",
    ],
)
def test_what_makes_sense_is_left_alone(rule: str) -> None:
    assert told(rule) == []


def test_a_link_that_nobody_is_shown() -> None:
    link = ", enrollment_url: https://kb.example.edu/duo"
    sentence = "has no effect: 'unenrolled: refuse' shows nobody the way there"
    assert told(more=f", unenrolled: refuse{link}") == [("enrollment_url", sentence)]
    assert told(more=f", unenrolled: enroll{link}") == []
    assert told(more=", unenrolled: refuse") == []


@pytest.mark.parametrize("mode", ["report", "{report: 2026-01-01}"])
def test_trusted_browsers_where_nobody_is_asked(mode: str) -> None:
    assert told(f"{{mode: {mode}, trusted_browser: 30d}}") == [
        ("requires_duo.trusted_browser", "has no effect: mode report asks nobody")
    ]


def test_trusted_browsers_that_are_asked_sooner_for_another_reason() -> None:
    assert told("{max_age: 8h, trusted_browser: 30d}") == [
        ("requires_duo.trusted_browser", "counts for no longer than max_age, 8h")
    ]


def test_a_rule_that_has_only_reported_for_long() -> None:
    rule = "{mode: {report: 2026-01-01}}"
    assert told(rule, BEGUN + LONG_REPORTING) == []
    assert told(rule, BEGUN + LONG_REPORTING + 1) == [
        ("requires_duo.mode", "has only reported since 2026-01-01: read what it found, then go on")
    ]


def test_a_rule_that_demands_less_as_time_goes_by() -> None:
    assert told("{mode: {required: 2026-01-01, optional: 2026-02-01}}") == [
        (
            "requires_duo.mode.optional",
            "demands less than 'required', which it follows; to end a rule, give it 'until'",
        )
    ]


def test_modes_that_never_hold() -> None:
    assert told("{mode: {report: 2026-02-01, required: 2026-03-01}, from: 2026-03-01, until: 2026-04-01}") == [
        ("requires_duo.mode.report", "never holds: 'from' is not before the next mode begins")
    ]
    assert told("{mode: {report: 2026-02-01, required: 2026-03-01}, until: 2026-03-01}") == [
        ("requires_duo.mode.required", "never holds: 'until' is not later")
    ]


def test_a_check_goes_by_the_clock(tmp_path: Path) -> None:
    path = tmp_path / "registry.yaml"
    path.write_text(
        "services: [{id: a, name: A, url: https://a.example.edu/**, requires_duo: {mode: {report: 2001-01-01}}}]"
    )
    assert [problem.path for problem in check_registry(path, None)] == ["services[0].requires_duo.mode"]
