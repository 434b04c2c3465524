"""Advice about failed validations: there is one for every cause, and it fits what happened."""

from __future__ import annotations

import re
from datetime import UTC
from pathlib import Path
from typing import Any, get_args
from zoneinfo import ZoneInfo

import pytest

from casduo.explanation.failures import ADVICE, explain_failures
from casduo.explanation.failures_text import failures_text
from casduo.protocol.errors import Cause, ProtocolError
from casduo.protocol.failures import UNREGISTERED, Failure

NOON = 1_780_315_200.0
"""2026-06-01, 12:00:00 UTC."""


def failure(cause: str = "unknown", at: float = NOON, **facts: Any) -> Failure:
    known: dict[str, Any] = {
        "service_id": "payroll",
        "endpoint": "/p3/serviceValidate",
        "code": "INVALID_TICKET",
        "why": "unknown, expired or used before",
        "address": "10.0.0.5",
        "reference": "K7QF-2M9D",
        "ticket": "ST-…ab12",
        "presented": "https://payroll.example.edu/slips",
    }
    return Failure(at=at, cause=cause, **(known | facts))


def mismatch(cause: str = "https_lost", **facts: Any) -> Failure:
    known = {
        "code": "INVALID_SERVICE",
        "granted": "https://payroll.example.edu/slips?year=[1]",
        "presented": "http://payroll.example.edu/slips?year=[1]",
        "difference": "scheme: https and http",
    }
    return failure(cause, **(known | facts))


def causes() -> set[str]:
    """Return every word that :data:`Cause` allows."""
    return set(get_args(Cause))


def test_there_is_advice_for_every_cause_and_for_no_other() -> None:
    assert ADVICE.keys() == causes()


def test_every_usual_cause_is_one() -> None:
    kinds = [ProtocolError, *ProtocolError.__subclasses__()]
    assert {kind.usual for kind in kinds} <= causes()


@pytest.mark.parametrize("cause", sorted(ADVICE))
def test_advice_is_in_whole_sentences(cause: str) -> None:
    advice = ADVICE[cause]
    for text in (advice.happened, advice.cause, advice.remedy):
        assert re.fullmatch(r"[A-Zc].*[.]", text), text
        assert "  " not in text
    assert len({advice.happened, advice.cause, advice.remedy}) == 3


def test_advice_tells_http_behind_a_proxy_from_people_who_come_by_http() -> None:
    (lost,) = explain_failures([mismatch("https_lost")])
    (added,) = explain_failures([mismatch("https_added")])
    assert "TLS ends at a proxy" in lost.advice.cause
    assert "X-Forwarded-Proto" in lost.advice.remedy
    assert "Send people to https before" in added.advice.remedy


def test_where_a_loose_comparison_would_do_it_is_offered() -> None:
    (loosely,) = explain_failures([mismatch("slash", loosely_same=True)])
    (strictly,) = explain_failures([mismatch("slash", loosely_same=False)])
    assert loosely.advice.remedy.endswith("Or set service_match: loose in the entry, which takes the two for the same.")
    assert "loose" not in strictly.advice.remedy


def test_a_ticket_that_had_failed_before_leads_to_the_earlier_failure() -> None:
    again, first = failure(at=NOON + 1), mismatch(at=NOON)
    explained = explain_failures([again, first])
    assert explained[0].advice.happened == "A ticket that had failed before was presented once more."
    assert explained[1].advice == ADVICE["https_lost"]


@pytest.mark.parametrize(
    ("ticket", "other"),
    [
        ("ST-…ab12", mismatch(at=NOON - 1, ticket="ST-…zz99")),
        ("", mismatch(at=NOON - 1, ticket="")),
        # Of two that were unknown, none is the reason of the other.
        ("ST-…ab12", failure("unknown", at=NOON - 1, address="10.0.0.6", ticket="ST-…ab12")),
    ],
)
def test_other_tickets_and_other_unknown_ones_explain_nothing(ticket: str, other: Failure) -> None:
    assert explain_failures([failure(ticket=ticket), other])[0].advice == ADVICE["unknown"]


def test_a_cause_of_another_version_gets_general_advice() -> None:
    (explained,) = explain_failures([failure("eclipse")])
    assert explained.advice == ADVICE["unauthorized"]


def test_the_same_failure_in_a_row_is_told_once_with_its_count() -> None:
    row = [failure(at=NOON - number, ticket=f"ST-…{number:04}", reference=str(number)) for number in range(4)]
    between = failure("foreign", at=NOON - 5)
    explained = explain_failures([*row, between, failure(at=NOON - 6)])
    assert [(one.failure.cause, one.times, one.since) for one in explained] == [
        ("unknown", 4, NOON - 3),
        ("foreign", 1, NOON - 5),
        ("unknown", 1, NOON - 6),
    ]
    assert explained[0].failure.reference == "0"


@pytest.mark.parametrize(
    "other", [{"address": "10.0.0.6"}, {"endpoint": "/validate"}, {"presented": "https://x/"}, {"why": "status 500"}]
)
def test_what_differs_in_more_than_its_moment_is_told_apart(other: dict[str, str]) -> None:
    assert len(explain_failures([failure(), failure(at=NOON - 1, **other)])) == 2


def test_nothing_failed_is_nothing_to_explain() -> None:
    assert explain_failures([]) == ()
    assert failures_text("No validation has failed.", (), UTC) == "No validation has failed.\n"


# As text


def text(*failures: Failure) -> str:
    return failures_text("Heading.", explain_failures(failures), UTC)


def test_a_mismatch_shows_both_addresses_and_what_differs() -> None:
    shown = text(mismatch()).splitlines()
    assert shown[:11] == [
        "Heading.",
        "",
        "2026-06-01 12:00:00 UTC  INVALID_SERVICE at /p3/serviceValidate",
        "  People came by https, and the application validated as if they had come by http.",
        "  at login      https://payroll.example.edu/slips?year=[1]",
        "  at validation http://payroll.example.edu/slips?year=[1]",
        "  differs       scheme: https and http",
        "  asked by      10.0.0.5",
        "  ticket        ST-…ab12",
        "  in the log    K7QF-2M9D",
        "  likely cause  TLS ends at a proxy in front of the application, which does not know of it.",
    ]
    assert shown[-1] == "[1], [2] ... stand for the values of parameters: the same number for the same value."


def test_a_failure_without_a_mismatch_says_why_and_what_was_presented() -> None:
    shown = text(failure("callback", why="status 500 (payroll.example.edu)"))
    assert "  service       https://payroll.example.edu/slips\n" in shown
    assert "  why           status 500 (payroll.example.edu)\n" in shown
    assert "at login" not in shown
    assert "[1]" not in shown


def test_an_address_without_an_entry_says_so() -> None:
    assert "  entry         no entry of the registry has this address\n" in text(failure(service_id=UNREGISTERED))


def test_a_row_says_how_often_and_since_when() -> None:
    assert "  times         2 in a row, the first at 2026-06-01 11:59:00 UTC\n" in text(
        failure(), failure(at=NOON - 60)
    )


def test_moments_are_told_in_the_zone_of_the_settings() -> None:
    shown = failures_text("Heading.", explain_failures([failure()]), ZoneInfo("Europe/Berlin"))
    assert "2026-06-01 14:00:00 CEST  INVALID_TICKET" in shown


def test_lines_are_short_enough_to_read() -> None:
    everything = text(*(failure(cause, address=str(number)) for number, cause in enumerate(sorted(ADVICE))))
    assert max(map(len, everything.splitlines())) <= 110


def test_what_a_request_brought_cannot_disturb_the_terminal() -> None:
    shown = text(failure(address="10.0.0.5\x1b[2J\nforged line"))
    assert "  asked by      10.0.0.5\\x1b[2J\\nforged line\n" in shown


def test_the_example_of_the_page_is_what_is_written() -> None:
    page = (Path(__file__).parents[2] / "docs" / "explain.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```text\n([^$].*?)```\n", page, re.DOTALL)
    first = mismatch(address="10.1.0.5", ticket="ST-…k7Qd")
    presented = "https://payroll.example.edu/slips?year=[1]"
    again = failure(at=NOON + 1, presented=presented, address="10.1.0.5", ticket="ST-…k7Qd", reference="8MRD-C2XA")
    assert failures_text(example.partition("\n")[0], explain_failures([again, first]), UTC) == example
