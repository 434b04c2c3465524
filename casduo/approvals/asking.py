"""Asking for access: what people type, read as a time and a reason, and the request that comes of it. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Final, Literal

from casduo.approvals.events import ApprovalRequested
from casduo.approvals.model import ApprovalRequest, Target
from casduo.approvals.wording import LONGEST_REASON, cleaned
from casduo.authentication.names import lowered_address
from casduo.events.model import Subject
from casduo.services.model import RegisteredService
from casduo.services.policies import ApprovalRule
from casduo.signing import random_text

Field = Literal["start", "end", "reason"]

PROBLEMS: Final = tuple(
    f"approval_form.problem.{word}"
    for word in (
        *("start_missing", "end_missing", "unreadable", "start_past", "too_far"),
        *("end_before_start", "too_long", "reason_missing", "reason_long"),
    )
)
"""Ids of all messages that tell what is wrong with a form."""

_LATE = 300.0
"""Seconds that a form may take to be filled in, for whoever asks for access from now on."""
_SUGGESTED = 3600.0
_ID_LENGTH = 16
_NONCE_LENGTH = 12
_DATE = re.compile(r"([12][0-9]{3})-([0-9]{1,2})-([0-9]{1,2})")
_TIME = re.compile(r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]{1,3})?)?")
_NAMES = ("displayname", "cn")
_ADDRESSES = ("mail", "email", "mailalternateaddress", "maillocaladdress", "userprincipalname")
"""Attributes with addresses of a person, in lower case."""


@dataclass(frozen=True, slots=True)
class Window:
    """The time for which access is asked for, in epoch seconds, ``end`` not counted, and why."""

    start: float
    end: float
    reason: str


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that is wrong with what was typed. ``message`` is an id, ``facts`` are what its text needs."""

    field: Field
    message: str
    facts: Mapping[str, int]


Problems = tuple[Problem, ...]
"""At least one, in the order of the form, and one for each of its fields at most."""


def read_window(
    fields: Mapping[str, str], rule: ApprovalRule, now: float, zone: tzinfo, ahead: float
) -> Window | Problems:
    """Return the time and the reason that somebody asks for, or all that is wrong with them.

    Times are read in ``zone``. One that there is twice, in the night when clocks are put back, is the first of the two
    that makes sense; one that there is not, in the night when they are put forward, is as much later.

    :param fields: ``start_date``, ``start_time``, ``end_date``, ``end_time`` and ``reason``, as they were typed
    :param now: epoch seconds
    :param ahead: seconds into the future for which access can be asked for
    """
    start = _read_start(fields, now, zone, ahead)
    end = _read_end(fields, now if isinstance(start, Problem) else start, zone)
    if isinstance(end, float) and isinstance(start, float) and end - start > rule.max_duration:
        end = _problem("end", "too_long", minutes=int(rule.max_duration / 60))
    reason = _read_reason(fields)
    if isinstance(start, float) and isinstance(end, float) and isinstance(reason, str):
        return Window(start, end, reason)
    return tuple(found for found in (start, end, reason) if isinstance(found, Problem))


def suggested(now: float, rule: ApprovalRule, zone: tzinfo) -> dict[str, str]:
    """Return what an empty form begins with: from now on for an hour, or for as long as is allowed."""
    start = now - now % 60
    fields = {"reason": ""}
    for name, moment in (("start", start), ("end", start + min(rule.max_duration, _SUGGESTED))):
        local = datetime.fromtimestamp(moment, zone)
        fields |= {f"{name}_date": local.date().isoformat(), f"{name}_time": local.strftime("%H:%M")}
    return fields


def new_request(
    service: RegisteredService,
    rule: ApprovalRule,
    window: Window,
    *,
    principal: str,
    attributes: Mapping[str, Sequence[str]],
    url: str,
    room: str,
    now: float,
    address: str = "",
    reference: str = "",
) -> ApprovalRequest:
    """Return a request that waits. It expires with the time that is asked for, if not before.

    :param attributes: of the person, from where the password was checked: for name and addresses
    :param url: where the person wanted to go
    :param room: Webex space, empty for none
    :param now: epoch seconds
    """
    target = service.target
    return ApprovalRequest(
        id=random_text(_ID_LENGTH),
        nonce=random_text(_NONCE_LENGTH),
        principal=principal,
        name=next(filter(None, map(cleaned, _values(attributes, _NAMES))), principal),
        emails=addresses_of(attributes),
        service=service.id,
        service_name=service.name,
        url=url,
        target=Target(target.host, target.ip or "", target.account or "") if target is not None else Target(),
        start=window.start,
        end=window.end,
        reason=window.reason,
        created=now,
        expires=min(now + rule.expires, window.end),
        room=room,
        address=address,
        reference=reference,
    )


def requested_event(request: ApprovalRequest, about: Subject) -> ApprovalRequested:
    """Return the event that tells of a new request.

    :param about: who asked, from where, for which service
    """
    start, end = _iso(request.start), _iso(request.end)
    return ApprovalRequested(about, request=request.id, start=start, end=end, reason=request.reason)


def addresses_of(attributes: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return all e-mail addresses of a person in lower case, by their attributes; news goes to the first one."""
    found = map(lowered_address, _values(attributes, _ADDRESSES))
    return tuple(dict.fromkeys(address for address in found if "@" in address))


def _read_start(fields: Mapping[str, str], now: float, zone: tzinfo, ahead: float) -> float | Problem:
    moments = _moments(fields, "start", zone)
    if isinstance(moments, Problem):
        return moments
    start = next((moment for moment in moments if moment >= now - _LATE), None)
    if start is None:
        return _problem("start", "start_past")
    return max(start, now) if start <= now + ahead else _problem("start", "too_far")


def _read_end(fields: Mapping[str, str], start: float, zone: tzinfo) -> float | Problem:
    moments = _moments(fields, "end", zone)
    if isinstance(moments, Problem):
        return moments
    end = next((moment for moment in moments if moment > start), None)
    return end if end is not None else _problem("end", "end_before_start")


def _read_reason(fields: Mapping[str, str]) -> str | Problem:
    reason = cleaned(fields.get("reason", ""))
    if len(reason) > LONGEST_REASON:
        return _problem("reason", "reason_long", limit=LONGEST_REASON)
    return reason or _problem("reason", "reason_missing")


def _moments(fields: Mapping[str, str], name: Literal["start", "end"], zone: tzinfo) -> tuple[float, ...] | Problem:
    """Return what a date and a time can mean, the first meaning first."""
    date, time = fields.get(f"{name}_date", "").strip(), fields.get(f"{name}_time", "").strip()
    if not date or not time:
        return _problem(name, f"{name}_missing")
    day, hour = _DATE.fullmatch(date), _TIME.fullmatch(time)
    if day is None or hour is None:
        return _problem(name, "unreadable")
    try:
        local = datetime(*(int(part or 0) for part in (*day.groups(), *hour.groups())), tzinfo=zone)  # type: ignore[arg-type, misc]
    except ValueError:
        return _problem(name, "unreadable")
    # In a time that there is not the second meaning is the earlier one, and before the clocks are put forward.
    return tuple(dict.fromkeys((local.timestamp(), max(local.timestamp(), local.replace(fold=1).timestamp()))))


def _problem(field: Field, word: str, **facts: int) -> Problem:
    return Problem(field, f"approval_form.problem.{word}", facts)


def _values(attributes: Mapping[str, Sequence[str]], names: Iterable[str]) -> Iterator[str]:
    by_name = {name.lower(): values for name, values in attributes.items()}
    return (value for name in names for value in by_name.get(name, ()) if value.strip())


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(int(moment), UTC).isoformat()
