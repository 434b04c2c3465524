"""What the settings say about requests for access, as plain values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, tzinfo


@dataclass(frozen=True, slots=True)
class ApprovalTerms:
    """The terms for all services; what differs from one to the next is in its registry entry.

    :param zone: in which people write and read times, ``zone_name`` its name for them
    :param ahead: seconds into the future for which access can be asked for
    :param most_open: requests of one person that may wait at a time
    :param refusals: refused requests for one service, within ``refusal_window`` seconds, after which none are taken
    :param room: Webex space for services that name none, empty for none
    """

    zone: tzinfo = UTC
    zone_name: str = "UTC"
    ahead: float = 30 * 86400.0
    most_open: int = 5
    refusals: int = 3
    refusal_window: float = 86400.0
    room: str = ""
