"""Entries of the audit trail as people and spreadsheets read them. Pure."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime

from casduo.events.audit_line import AuditEntry

COLUMNS = (
    *("seq", "time", "event", "level", "principal", "service", "address", "strength", "reference", "facts"),
    *("id", "hash"),
)

_FORMULA = re.compile(r"\s*[=+\-@\uff0b\uff0d\uff1d\uff20]|[\t\r\n]")
"""What a spreadsheet may take for the beginning of a formula, in its full-width forms too."""


def csv_row(entry: AuditEntry) -> list[str]:
    """Return an entry as the cells of :data:`COLUMNS`; none of them is a formula to a spreadsheet."""
    record, about = entry.record, entry.record.about
    facts = json.dumps(dict(record.facts), ensure_ascii=False) if record.facts else ""
    cells = (
        *(str(entry.position.seq), moment(record.at), record.kind, record.level, about.principal, about.service),
        *(about.address, about.strength, about.reference, facts, record.id, entry.position.hash),
    )
    return [harmless(cell) for cell in cells]


def csv_line(cells: Iterable[str]) -> bytes:
    """Return a row of a CSV file (RFC 4180), all cells in quotes, in UTF-8."""
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL).writerow(cells)
    return line.getvalue().encode("utf-8", "backslashreplace")


def harmless(cell: str) -> str:
    """Return a cell that a spreadsheet takes for text: an apostrophe goes in front of what could be a formula."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def one_line(entry: AuditEntry) -> str:
    """Return an entry as one line for a person. It may hold what a terminal acts on."""
    record, about = entry.record, entry.record.about
    words = [f"{name}={_value(value)}" for name, value in record.facts.items()]
    words += [f"strength={about.strength}"] * bool(about.strength) + [f"[{about.reference}]"] * bool(about.reference)
    who = f"{about.principal or '-'}  {about.service or '-'}  {about.address or '-'}"
    level = "" if record.level == "info" else f"{record.level.upper()}  "
    return f"{moment(record.at)}  {level}{record.kind}  {who}  {' '.join(words)}".rstrip()


def moment(at: float) -> str:
    """Return a moment in UTC, ISO 8601, to the millisecond."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _value(value: object) -> str:
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return json.dumps(text, ensure_ascii=False) if re.search(r'[\s"]', text) else text
