"""Writes explained failures for reading at a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from datetime import datetime, tzinfo

from casduo.explanation.failures import ExplainedFailure
from casduo.protocol.failures import UNREGISTERED

_WIDTH = 110
_LABEL = 13


def failures_text(heading: str, failures: Sequence[ExplainedFailure], zone: tzinfo) -> str:
    """Return ``failures`` as text that ends with a line feed, under the sentence ``heading``. Control characters are
    written as escapes, for what a request brought is not to be trusted with a terminal.

    :param zone: in which moments are told
    """
    return "".join(f"{_printable(line)}\n" for line in _lines(heading, failures, zone))


def _lines(heading: str, failures: Sequence[ExplainedFailure], zone: tzinfo) -> Iterator[str]:
    yield heading
    for explained in failures:
        failure = explained.failure
        yield ""
        yield f"{_moment(failure.at, zone)}  {failure.code} at {failure.endpoint}"
        yield from _wrapped(explained.advice.happened, "  ")
        for label, text in _rows(explained, zone):
            if text:
                yield f"  {label:<{_LABEL}} {text}"
        for label, text in (("likely cause", explained.advice.cause), ("remedy", explained.advice.remedy)):
            yield from _wrapped(text, f"  {label:<{_LABEL}} ")
    if any("=[" in explained.failure.presented + explained.failure.granted for explained in failures):
        yield ""
        yield "[1], [2] ... stand for the values of parameters: the same number for the same value."


def _rows(explained: ExplainedFailure, zone: tzinfo) -> Iterator[tuple[str, str]]:
    failure = explained.failure
    yield "at login", failure.granted
    yield ("at validation" if failure.granted else "service"), failure.presented
    yield "entry", "no entry of the registry has this address" if failure.service_id == UNREGISTERED else ""
    yield "differs", failure.difference
    yield "why", "" if failure.difference else failure.why
    yield "asked by", failure.address
    yield "ticket", failure.ticket
    yield "in the log", failure.reference
    if explained.times > 1:
        yield "times", f"{explained.times} in a row, the first at {_moment(explained.since, zone)}"


def _wrapped(text: str, beginning: str) -> list[str]:
    return textwrap.wrap(
        text, _WIDTH, initial_indent=beginning, subsequent_indent=" " * len(beginning), break_on_hyphens=False
    )


def _moment(at: float, zone: tzinfo) -> str:
    return f"{datetime.fromtimestamp(at, zone):%Y-%m-%d %H:%M:%S %Z}"


def _printable(line: str) -> str:
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in line)
