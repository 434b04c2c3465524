"""Findings as lines and as values."""

from __future__ import annotations

import pytest

from casduo.diagnosis.model import Finding, Part, worst
from casduo.diagnosis.text import as_text, as_values, heading, printable, summary

PART = Part("Duo", {"application": ""})
WELL = PART.ok("ping", "answered in 4 ms", milliseconds=4)
LOOK = PART.attention("clock", "is off", "clock_drift", "nobody keeps it")
FAULT = PART.fault("prompt", "refused", "wrong_secret", "mistyped", "copy it anew")


def test_a_finding_is_a_line_with_its_cause_and_what_to_do_below() -> None:
    assert as_text(WELL) == "  ok         ping            answered in 4 ms\n"
    assert as_text(FAULT) == (
        "  fault      prompt          refused\n"
        "                             why: mistyped\n"
        "                             do:  copy it anew\n"
    )


def test_values_leave_out_what_is_not_there() -> None:
    assert as_values(WELL) == {
        "part": "Duo",
        "examined": "ping",
        "level": "ok",
        "found": "answered in 4 ms",
        "facts": {"application": "", "milliseconds": 4},
    }
    assert as_values(Finding("Redis", "clock", "ok", "agrees")).keys() == {"part", "examined", "level", "found"}
    assert as_values(FAULT)["remedy"] == "copy it anew"


@pytest.mark.parametrize(
    ("findings", "level", "line"),
    [
        ([], "ok", "no faults, nothing to look at, 0 well"),
        ([WELL, WELL], "ok", "no faults, nothing to look at, 2 well"),
        ([LOOK, WELL], "attention", "no faults, 1 to look at, 1 well"),
        ([FAULT, LOOK, WELL], "fault", "1 fault, 1 to look at, 1 well"),
        ([FAULT, FAULT], "fault", "2 faults, nothing to look at, 0 well"),
    ],
)
def test_findings_add_up(findings: list[Finding], level: str, line: str) -> None:
    assert worst(findings) == level
    assert summary(findings) == line


def test_a_heading_is_set_off_from_what_comes_before_it() -> None:
    assert heading("Redis", first=True) == "Redis\n"
    assert heading("Duo \x1b[2J", first=False) == "\nDuo \\x1b[2J\n"


def test_what_a_terminal_would_act_on_is_written_as_an_escape() -> None:
    assert printable("a\x1b[2Jb\r\n\u202ec") == "a\\x1b[2Jb\\r\\n\\u202ec"
    assert printable("Grüße, 日本") == "Grüße, 日本"
