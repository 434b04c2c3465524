"""Events of requests for access, for the log, the audit trail and notifications."""

from __future__ import annotations

from typing import ClassVar, Literal

from casduo.events.model import Event
from casduo.values import value_object

Via = Literal["webex", "portal"]
"""Where it was decided: by a button in Webex, or on a page of ours."""
Decided = Literal["approved", "rejected"]
RefusedPress = Literal[
    "unknown_action",
    "unknown_message",
    "other_room",
    "wrong_inputs",
    "not_a_person",
    "other_organisation",
    "not_an_approver",
    "oneself",
    "too_late",
    "already_decided",
    "service_gone",
    "portal_only",
]
"""Why somebody who wanted to decide did not."""


@value_object(frozen=True, slots=True)
class ApprovalEvent(Event):
    """Something about a request for access. ``about`` is who asked and for which service, ``request`` its public id."""

    request: str = ""


@value_object(frozen=True, slots=True)
class ApprovalRequested(ApprovalEvent):
    """Somebody asks for access. ``start`` and ``end`` in ISO 8601."""

    name: ClassVar[str] = "approval.requested"
    start: str = ""
    end: str = ""
    reason: str = ""


@value_object(frozen=True, slots=True)
class ApprovalDecided(ApprovalEvent):
    """A request was decided, by ``by`` (an e-mail address) who is called ``decider``.

    ``person`` is their id at Webex or their user name here, ``action`` the press it came by, empty on our own page.
    """

    name: ClassVar[str] = "approval.decided"
    outcomes: ClassVar[tuple[str, ...]] = ("approval.approved", "approval.rejected")
    decision: Decided = "rejected"
    by: str = ""
    decider: str = ""
    person: str = ""
    via: Via = "portal"
    action: str = ""
    comment: str = ""

    @property
    def kind(self) -> str:
        """By the decision."""
        return f"approval.{self.decision}"


@value_object(frozen=True, slots=True)
class ApprovalExpired(ApprovalEvent):
    """Nobody decided a request in time."""

    name: ClassVar[str] = "approval.expired"


@value_object(frozen=True, slots=True)
class ApprovalCancelled(ApprovalEvent):
    """A request was withdrawn. ``by`` is who did that: ``requester`` or ``administrator``."""

    name: ClassVar[str] = "approval.cancelled"
    by: str = "requester"


@value_object(frozen=True, slots=True)
class ApprovalReminded(ApprovalEvent):
    """A request still waits, and those who may decide are reminded."""

    name: ClassVar[str] = "approval.reminded"


@value_object(frozen=True, slots=True)
class ApprovalRefused(ApprovalEvent):
    """Somebody wanted to decide and may not, or too late. ``by`` is who: an address, or else an id."""

    name: ClassVar[str] = "approval.refused"
    level: ClassVar[str] = "warning"
    reason: RefusedPress = "unknown_action"
    by: str = ""
    via: Via = "webex"
