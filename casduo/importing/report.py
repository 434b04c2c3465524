"""Says what an import did: for each service what was taken over, what works in another way, what cannot be said."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Sequence
from typing import Any

from casduo.errors import Problem
from casduo.importing.compare import Comparison
from casduo.importing.document import entry_text
from casduo.importing.entries import is_wide, patterns_of
from casduo.importing.model import Draft, Finding, Import, Kind

_TITLES: dict[Kind, str] = {
    "closed": "CLOSED",
    "lost": "LOST",
    "differs": "differs",
    "taken": "taken",
    "left_out": "left out",
}
_WIDTH = 110
_INDENT = 12

_LEGEND = """\
CLOSED    it kept people out, or decided whose accounts they get, and cannot be said: the entry is disabled
LOST      it cannot be said, and nobody is let in by that
differs   it works in another way here
taken     it is the same
left out  nothing is lost without it
linter    what `casduo check` says of the entry
"""


def totals(result: Import, lint: Sequence[Problem]) -> dict[str, int]:
    """Return the numbers at the end of the report."""
    counts = Counter(finding.kind for draft in result.drafts for finding in draft.findings)
    return {
        "services": len(result.drafts),
        "entries": len(result.entries),
        "need_no_look": sum(not draft.to_look_at() for draft in result.entries),
        "closed_entries": sum(draft.closed for draft in result.entries),
        "wide": sum(map(is_wide, result.entries)),
        "not_written": sum(not draft.entry for draft in result.drafts),
        **{kind: counts[kind] for kind in _TITLES},
        "unreadable": sum(problem.level == "error" for problem in result.problems),
        "lint_warnings": sum(problem.level == "warning" for problem in lint),
    }


def report_text(result: Import, lint: Sequence[Problem]) -> str:
    """Return the report for people.

    :param lint: what the linter says of the registry that was written, with key paths such as ``services[2].url``
    """
    parts = [_LEGEND]
    by_entry = _by_entry(result, lint)
    parts += [f"{problem}\n" for problem in result.problems]
    for draft in result.drafts:
        parts.append(_draft_text(draft, by_entry.get(draft.entry.get("id", ""), [])))
    parts += [f"{problem}\n" for problem in by_entry.get("", [])]
    parts.append(_summary(totals(result, lint)))
    if wide := [draft.entry["id"] for draft in result.entries if is_wide(draft)]:
        parts.append(_line("WIDE", f"tickets go to hosts of anybody: {', '.join(wide)}") + "\n")
    return "\n".join(parts)


def report_data(result: Import, lint: Sequence[Problem]) -> dict[str, Any]:
    """Return the report for programs."""
    by_entry = _by_entry(result, lint)
    return {
        "totals": totals(result, lint),
        "problems": [str(problem) for problem in result.problems],
        "services": [
            {
                "source": draft.source,
                "name": draft.name,
                "expression": draft.expression,
                "id": draft.entry.get("id"),
                "url": patterns_of(draft),
                "enabled": bool(draft.entry) and draft.entry.get("enabled", True),
                "findings": [
                    {"kind": finding.kind, "field": finding.field, "sentence": finding.sentence}
                    for finding in draft.findings
                ],
                "lint": [problem.message for problem in by_entry.get(draft.entry.get("id", ""), [])],
            }
            for draft in result.drafts
        ],
    }


def comparison_text(result: Import, comparison: Comparison) -> str:
    """Return for people what has changed since the import that a registry was made by, with the entries of now."""
    parts = [f"{problem}\n" for problem in result.problems]
    for mark, draft in comparison.changed:
        parts.append(f"changed: {draft.name}, in the registry {mark.entry or 'without an entry'}\n{entry_text(draft)}")
    parts += [f"added: {draft.name}\n{entry_text(draft)}" for draft in comparison.added]
    parts += [f"gone: {mark.source}, in the registry {mark.entry or 'without an entry'}\n" for mark in comparison.gone]
    parts.append(
        f"Unchanged: {comparison.unchanged}. Changed: {len(comparison.changed)}. Added: {len(comparison.added)}. "
        f"Gone: {len(comparison.gone)}.\n"
    )
    return "\n".join(parts)


def comparison_data(result: Import, comparison: Comparison) -> dict[str, Any]:
    """Return the same for programs."""
    return {
        "problems": [str(problem) for problem in result.problems],
        "unchanged": comparison.unchanged,
        "changed": [
            {"source": draft.source, "id": mark.entry or None, "entry": draft.entry or None}
            for mark, draft in comparison.changed
        ],
        "added": [{"source": draft.source, "entry": draft.entry or None} for draft in comparison.added],
        "gone": [{"source": mark.source, "id": mark.entry or None} for mark in comparison.gone],
    }


def _by_entry(result: Import, lint: Sequence[Problem]) -> dict[str, list[Problem]]:
    """Return the linter's words by the id of the entry that they are about."""
    ids = [draft.entry["id"] for draft in result.entries]
    found: dict[str, list[Problem]] = {}
    for problem in lint:
        if problem.level == "note":
            continue
        number = problem.path.removeprefix("services[").partition("]")[0]
        at = int(number) if number.isdigit() and int(number) < len(ids) else -1
        found.setdefault(ids[at] if at >= 0 else "", []).append(problem)
    return found


def _draft_text(draft: Draft, lint: Sequence[Problem]) -> str:
    state = f"-> {draft.entry['id']}" if draft.entry else "-> no entry"
    if draft.entry and not draft.entry.get("enabled", True):
        state += " (disabled)"
    lines = [f"{draft.name or draft.expression[:80]} {state}    {draft.source}"]
    lines += [f"  {'url':9} {pattern}" for pattern in patterns_of(draft)]
    for kind in _TITLES:
        lines += [_line(_TITLES[kind], _said(finding)) for finding in draft.of(kind)]
    lines += [_line("linter", problem.message) for problem in lint]
    return "\n".join(lines) + "\n"


def _said(finding: Finding) -> str:
    return f"{finding.field}: {finding.sentence}"


def _line(title: str, text: str) -> str:
    return textwrap.fill(
        text, _WIDTH, initial_indent=f"  {title:9} ", subsequent_indent=" " * _INDENT, break_on_hyphens=False
    )


def _summary(counts: dict[str, int]) -> str:
    return (
        f"Services: {counts['services']}. Entries: {counts['entries']}, of which {counts['need_no_look']} need no "
        f"look and {counts['closed_entries']} are closed until somebody decides. "
        f"Without an entry: {counts['not_written']}.\n"
        f"Fields: {counts['taken']} taken, {counts['differs']} differ, {counts['lost'] + counts['closed']} cannot be "
        f"said, {counts['left_out']} left out. Could not be read: {counts['unreadable']}. "
        f"Warnings of the linter: {counts['lint_warnings']}.\n"
    )
