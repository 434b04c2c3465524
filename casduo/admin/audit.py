"""What the page about the audit trail is asked for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from urllib.parse import urlencode

from casduo.admin.sessions import MOST_TYPED
from casduo.events.audit_reading import Selection
from casduo.events.audit_search import Cursor
from casduo.events.catalogue import KINDS

FIELDS = ("user", "service", "kind", "reference", "from", "until")
_REFERENCE_LENGTH = 8


@dataclass(frozen=True, slots=True)
class AuditAsked:
    """A search as it was typed.

    :param typed: by field
    :param problems: what is wrong: the id of a text for each field
    :param before: where an earlier search stopped
    """

    typed: Mapping[str, str]
    selection: Selection = field(default_factory=Selection)
    reference: str = ""
    before: Cursor | None = None
    problems: Mapping[str, str] = field(default_factory=dict)

    def address(self, url: str, before: Cursor | None = None) -> str:
        """Return the address of the same search, from ``before`` on."""
        given = {name: value for name, value in self.typed.items() if value}
        if before is not None:
            given["before"] = before.text
        return f"{url}?{urlencode(given)}" if given else url


def read_audit_search(parameters: Mapping[str, str], zone: tzinfo) -> AuditAsked:
    """Read the fields of a search from an address.

    :param zone: of the days that are given
    """
    typed = {name: parameters.get(name, "").strip()[:MOST_TYPED] for name in FIELDS}
    problems: dict[str, str] = {}
    if typed["kind"] and not _known_kind(typed["kind"]):
        problems["kind"] = "admin.audit.error.kind"
    start, end = _day(typed["from"], zone), _day(typed["until"], zone, after=True)
    problems |= {name: "admin.audit.error.day" for name, moment in (("from", start), ("until", end)) if moment is None}
    if start and end and end <= start:
        problems["until"] = "admin.audit.error.order"
    selection = Selection(
        (typed["kind"],) if typed["kind"] else (),
        (typed["user"],) if typed["user"] else (),
        (typed["service"],) if typed["service"] else (),
        start if typed["from"] and start is not None else float("-inf"),
        end if typed["until"] and end is not None else float("inf"),
    )
    place = parameters.get("before", "")
    before = Cursor.parse(place)
    if place and before is None:
        # The newest entries must not pass for those that were asked for. There is no field for it: the button searches.
        problems["search"] = "admin.audit.error.before"
    return AuditAsked(typed, selection, _reference(typed["reference"]), before, problems)


def _known_kind(kind: str) -> bool:
    if kind.endswith(".*"):
        return any(known.startswith(kind[:-1]) for known in KINDS)
    return kind in KINDS


def _day(text: str, zone: tzinfo, *, after: bool = False) -> float | None:
    """Return the first moment of a day, or of the day after it; 0 for no text, ``None`` for what is no day."""
    if not text:
        return 0.0
    try:
        day = date.fromisoformat(text) + timedelta(days=after)
        return datetime.combine(day, time(), zone).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _reference(typed: str) -> str:
    """Return a reference as the trail has it, from one that was read aloud or typed without its dash."""
    letters = typed.upper().replace("-", "").replace(" ", "")
    return f"{letters[:4]}-{letters[4:]}" if len(letters) == _REFERENCE_LENGTH else typed
