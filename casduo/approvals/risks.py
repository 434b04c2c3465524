"""What somebody who decides about a request should look at twice: when the time lies, and what was before. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta, tzinfo

from casduo.approvals.model import ApprovalRequest

DAY_BEGINS, DAY_ENDS = time(7), time(19)
"""What counts as ordinary hours, in the zone of the settings."""
MOST_EARLIER = 5
"""Earlier requests that are shown beside one, on the card and on the page."""
_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class Risks:
    """What is out of the ordinary about a request.

    :param first: the person was not given access to this service before, as far as requests are kept
    :param outside_hours: the time lies outside ordinary hours, at least in part
    :param weekend: it touches a Saturday or a Sunday
    :param refused: earlier requests of the person for this service that were refused
    """

    first: bool = False
    outside_hours: bool = False
    weekend: bool = False
    refused: int = 0


def risks_of(request: ApprovalRequest, earlier: Iterable[ApprovalRequest], zone: tzinfo) -> Risks:
    """Return what is out of the ordinary about ``request``.

    :param earlier: the person's earlier requests for the same service, see :func:`earlier_requests`
    :param zone: in which hours and days are counted
    """
    states = [one.state for one in earlier]
    start, end = (datetime.fromtimestamp(moment, zone) for moment in (request.start, request.end))
    return Risks(
        first="approved" not in states,
        outside_hours=_outside_hours(start, end),
        weekend=_touches_weekend(start, end),
        refused=states.count("rejected"),
    )


def earlier_requests(request: ApprovalRequest, all_of_person: Iterable[ApprovalRequest]) -> list[ApprovalRequest]:
    """Return those of a person's requests that were made before ``request`` and for the same service, as they come."""
    return [
        one
        for one in all_of_person
        if one.id != request.id and one.service == request.service and one.created <= request.created
    ]


def _outside_hours(start: datetime, end: datetime) -> bool:
    # What reaches into another day has a night in it.
    return start.date() != end.date() or start.time() < DAY_BEGINS or end.time() > DAY_ENDS


def _touches_weekend(start: datetime, end: datetime) -> bool:
    # The end itself no longer counts: midnight belongs to the day before.
    last = (end - timedelta(microseconds=1)).date()
    days = min((last - start.date()).days, 7)
    return any((start.date() + timedelta(days=ahead)).weekday() >= _SATURDAY for ahead in range(days + 1))
