"""Looks over the Duo rule of a valid entry for what cannot be what its author meant."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise

from casduo.errors import Problem
from casduo.fieldtypes import format_duration
from casduo.services.model import DuoRule, RegisteredService
from casduo.services.policies import ALWAYS, MODES
from casduo.yamlfile import Document, KeyPath

LONG_REPORTING = 90 * 86_400.0
"""Seconds after which a rule that still only reports has probably been forgotten."""


def lint_duo(service: RegisteredService, path: KeyPath, document: Document, now: float) -> Iterator[Problem]:
    """Yield a warning for everything about Duo in ``service`` that should be looked at.

    :param path: of the entry in ``document``
    :param now: epoch seconds
    """
    in_browsers = service.channel == "browser"
    if in_browsers and service.unenrolled == "refuse" and service.enrollment_url is not None:
        message = "has no effect: 'unenrolled: refuse' shows nobody the way there"
        yield document.problem((*path, "enrollment_url"), message, "warning")
    rule = service.duo_rule
    if rule is not None:
        for key, message in (*_modes(rule, now), *(_trust(rule) if in_browsers else ())):
            yield document.problem((*path, "requires_duo", *key), message, "warning")


def _trust(rule: DuoRule) -> Iterator[tuple[KeyPath, str]]:
    if not rule.trusted_browser:
        return
    if set(rule.mode) == {"report"}:
        yield ("trusted_browser",), "has no effect: mode report asks nobody"
    elif rule.max_age is not None and rule.trusted_browser > rule.max_age:
        yield ("trusted_browser",), f"counts for no longer than max_age, {format_duration(rule.max_age)}"


def _modes(rule: DuoRule, now: float) -> Iterator[tuple[KeyPath, str]]:
    steps = tuple(rule.mode.items())
    last, since = steps[-1]
    if last == "report" and since != ALWAYS and now - since.timestamp() > LONG_REPORTING:
        yield ("mode",), f"has only reported since {_day(since)}: read what it found, then go on"
    for (earlier, _), (later, start) in pairwise(steps):
        if MODES.index(later) > MODES.index(earlier):
            yield ("mode", later), f"demands less than {earlier!r}, which it follows; to end a rule, give it 'until'"
        if rule.from_ is not None and start <= rule.from_:
            yield ("mode", earlier), "never holds: 'from' is not before the next mode begins"
    for mode, start in steps:
        if start != ALWAYS and rule.until is not None and start >= rule.until:
            yield ("mode", mode), "never holds: 'until' is not later"


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%d")
