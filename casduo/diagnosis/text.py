"""Findings as lines for a terminal, and as values for JSON."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from casduo.diagnosis.model import Finding

_LEVEL, _EXAMINED = 9, 14
"""Widths of the first two columns."""
_INDENT = " " * (2 + _LEVEL + 2 + _EXAMINED + 2)


def heading(part: str, *, first: bool) -> str:
    """Return the line above the findings of a part, set off from what comes before it; it ends with a line feed."""
    return f"{'' if first else chr(10)}{printable(part)}\n"


def as_text(finding: Finding) -> str:
    """Return a finding as one line, with two more where it has a cause and a remedy; each ends with a line feed.

    Control characters are written as escapes: certificates, directories and Duo are not to be trusted with a terminal.
    """
    return "".join(f"{printable(line).rstrip()}\n" for line in _lines(finding))


def summary(findings: Sequence[Finding]) -> str:
    """Return a line that counts the findings by level."""
    faults, attentions, well = (
        sum(finding.level == level for finding in findings) for level in ("fault", "attention", "ok")
    )
    return f"{faults or 'no'} fault{'' if faults == 1 else 's'}, {attentions or 'nothing'} to look at, {well} well"


def as_values(finding: Finding) -> dict[str, Any]:
    """Return a finding as values for JSON; what it does not have is left out."""
    return {
        "part": finding.part,
        "examined": finding.examined,
        "level": finding.level,
        "found": finding.found,
        **{name: value for name in ("detail", "cause", "remedy") if (value := getattr(finding, name))},
        **({"facts": dict(finding.facts)} if finding.facts else {}),
    }


def printable(line: str) -> str:
    """Return ``line`` with every character that a terminal might act on written as an escape."""
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode() for character in line
    )


def _lines(finding: Finding) -> Iterator[str]:
    yield f"  {finding.level:<{_LEVEL}}  {finding.examined:<{_EXAMINED}}  {finding.found}"
    if finding.cause:
        yield f"{_INDENT}why: {finding.cause}"
    if finding.remedy:
        yield f"{_INDENT}do:  {finding.remedy}"
