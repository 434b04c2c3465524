"""A request for access and what becomes of it: plain values, and what follows from them at a moment. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from casduo.approvals.events import Decided, Via

State = Literal["pending", "approved", "rejected", "expired", "cancelled"]
Phase = Literal["none", "pending", "early", "open", "over"]
"""How somebody stands with a service: nothing asked, a request that waits, approved and not begun, approved and now,
approved and over. A request that waits does not hide one that is approved.
"""


@dataclass(frozen=True, slots=True)
class Target:
    """The machine behind a service, as the registry had it when access was asked for. Each may be empty."""

    host: str = ""
    ip: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """What was decided, and by whom.

    ``by`` is an e-mail address, ``name`` what they are called, ``person`` their id at Webex or their user name here,
    ``action`` the press it came by, empty on our own page. ``at`` in epoch seconds.
    """

    decision: Decided
    by: str
    name: str
    person: str
    via: Via
    at: float
    comment: str = ""
    action: str = ""


@dataclass(frozen=True, slots=True)
class ApprovalRequest:
    """A request for access, as it is kept.

    :param id: public: it stands in cards and addresses
    :param nonce: in the buttons of its card, to tell them from those of another; no secret
    :param principal: who asks, ``name`` what they are called, ``emails`` all their addresses, the first one for news
    :param service: registry id, ``service_name`` as it was, ``url`` where they wanted to go
    :param start: from when to when, in epoch seconds, ``end`` not counted
    :param expires: when it is no longer worth a decision
    :param room: Webex space, empty for none
    :param address: from where it was asked
    :param cards: ids of messages with its buttons, in the order they were posted
    """

    id: str
    nonce: str
    principal: str
    name: str
    emails: tuple[str, ...]
    service: str
    service_name: str
    url: str
    target: Target
    start: float
    end: float
    reason: str
    created: float
    expires: float
    room: str
    address: str = ""
    reference: str = ""
    state: State = "pending"
    decision: Decision | None = None
    cards: tuple[str, ...] = ()

    @property
    def short(self) -> str:
        """The name by which people tell requests apart: its first four characters."""
        return self.id[:4].upper()


@dataclass(frozen=True, slots=True)
class Line:
    """What is noted of a request for everybody who asks whether a person may enter a service.

    ``at`` is when its state came about. A line vanishes some time after its request is over.
    """

    request: str
    state: State
    start: float
    end: float
    expires: float
    at: float


@dataclass(frozen=True, slots=True)
class Standing:
    """How somebody stands with a service at a moment.

    :param phase: see :data:`Phase`
    :param line: the request that makes it so, ``None`` for none
    :param pending: a request that waits, whatever the phase
    :param refused: requests that were refused of late
    """

    phase: Phase
    line: Line | None = None
    pending: Line | None = None
    refused: int = 0

    @property
    def is_open(self) -> bool:
        """Whether the person may enter now."""
        return self.phase == "open"


def stand(lines: Iterable[Line], now: float, refusal_window: float) -> Standing:
    """Return how somebody stands by what is noted.

    :param now: epoch seconds
    :param refusal_window: seconds for which a refusal counts
    """
    lines = tuple(lines)
    approved = [line for line in lines if line.state == "approved"]
    pending = next((line for line in lines if line.state == "pending" and now < line.expires), None)
    refused = sum(1 for line in lines if line.state == "rejected" and now - line.at < refusal_window)
    # Of several that hold now, the one that holds longest.
    open_now = max((line for line in approved if line.start <= now < line.end), key=lambda line: line.end, default=None)
    if open_now is not None:
        return Standing("open", open_now, pending, refused)
    early = min((line for line in approved if now < line.start), key=lambda line: line.start, default=None)
    if pending is not None:
        return Standing("pending", pending, pending, refused)
    if early is not None:
        return Standing("early", early, None, refused)
    over = max(approved, key=lambda line: line.end, default=None)
    return Standing("over", over, None, refused) if over is not None else Standing("none", None, None, refused)
