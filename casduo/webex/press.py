"""What a press of a button on a request's card says, and what is answered to who may not decide. Pure.

Any member of the space can send any inputs for any card, also without pressing anything: they choose between approving
and rejecting, for the request that the card belongs to, and say nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo

from casduo.approvals.events import Decided, RefusedPress
from casduo.approvals.model import ApprovalRequest
from casduo.approvals.wording import cleaned_comment
from casduo.webex.cards import COMMENT
from casduo.webex.model import CardAction, PostedMessage
from casduo.webex.text import escape, moment

KIND = "approval"
"""What the data of the buttons calls itself."""
_DECISIONS: Mapping[str, Decided] = {"approve": "approved", "reject": "rejected"}
_CLOCKS_DIFFER = 300.0
"""Seconds by which Webex's clock may be behind that of the server at which access was asked for."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What somebody wants: to approve or to reject, and why."""

    decision: Decided
    comment: str = ""


def request_named(action: CardAction) -> str:
    """Return the id of the request that the inputs name, empty for none that could be."""
    name = action.inputs.get("request", "")
    return name if name.isascii() and name.isalnum() else ""


def choice_in(action: CardAction, request: ApprovalRequest) -> Choice | RefusedPress:
    """Return what somebody wants with a request, or why their press is not about it.

    :param request: the one whose card was pressed
    """
    if action.room != request.room:
        return "other_room"
    inputs = action.inputs
    decision = _DECISIONS.get(inputs.get("decision", ""))
    named = (inputs.get("kind"), inputs.get("request"), inputs.get("nonce"))
    if decision is None or named != (KIND, request.id, request.nonce):
        return "wrong_inputs"
    if action.created < request.created - _CLOCKS_DIFFER:
        # No card was there yet.
        return "wrong_inputs"
    return Choice(decision, cleaned_comment(inputs.get(COMMENT, "")) if decision == "rejected" else "")


def not_ours(message: PostedMessage, request: ApprovalRequest, bot: str) -> RefusedPress | None:
    """Return why a message cannot be a card of a request's of which nobody took note, ``None`` where it can.

    :param bot: our id at Webex
    """
    if message.person != bot or message.created < request.created - _CLOCKS_DIFFER:
        return "unknown_message"
    return "other_room" if message.room != request.room else None


def answer_to(reason: RefusedPress, request: ApprovalRequest, url: str, zone: tzinfo) -> str:
    """Return what is answered to who pressed a button and decided nothing, in Webex's Markdown; empty for nothing.

    :param url: of the server
    :param zone: in which times are shown besides UTC
    """
    about = f"request {escape(request.short)} for {escape(request.service_name)}"
    match reason:
        case "not_an_approver" | "other_organisation":
            return f"You are not an approver for {about}: nothing was decided."
        case "oneself":
            return f"You cannot decide about your own request: {about} waits for somebody else."
        case "too_late":
            return f"It is too late: {about} has expired."
        case "already_decided":
            return f"Nothing was changed: {about} {_outcome(request, zone)}."
        case "portal_only":
            return f"Not by a button: {about} is decided in casduo only, at {url}/approvals/{request.id}"
        case "service_gone":
            return f"Nothing was decided: {about} needs no decision any more."
    return ""


def _outcome(request: ApprovalRequest, zone: tzinfo) -> str:
    decision = request.decision
    if decision is None:
        return "was withdrawn"
    who = escape(decision.name) or escape(decision.by)
    return f"was already {request.state} by {who} at {moment(decision.at, zone)}"
