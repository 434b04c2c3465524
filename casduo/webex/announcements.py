"""The texts of messages about requests for access, and of digests, in Webex's Markdown. Pure.

Each names its request by the four characters that its card shows too: a message can come twice, where Webex's answer to
the first one was lost, and people have to see that it is the same.
"""

from __future__ import annotations

from collections.abc import Mapping

from casduo.approvals.model import ApprovalRequest, Decision
from casduo.approvals.wording import LONGEST_REASON
from casduo.webex.cards import Look, outcome_line
from casduo.webex.text import cut, escape, is_request_id, moment

_COUNTED: Mapping[str, tuple[str, str]] = {
    "signin.ok": ("sign-in", "sign-ins"),
    "signout": ("sign-out", "sign-outs"),
    "signout.administrator": ("session ended by an administrator", "sessions ended by an administrator"),
}


def request_text(request: ApprovalRequest, look: Look) -> str:
    """Return what stands beside the card of a request, for notifications and clients without cards."""
    who = escape(request.name or request.principal)
    window = f"from {moment(request.start, look.zone)} to {moment(request.end, look.zone)}"
    reason = f": {escape(request.reason, LONGEST_REASON)}" if request.reason else ""
    return cut(f"Access request {_short(request)}: **{who}** asks for {_what(request)}, {window}{reason}")


def outcome_text(request: ApprovalRequest, look: Look) -> str:
    """Return what stands beside the card of an outcome."""
    who = escape(request.name or request.principal)
    line = escape(outcome_line(request, look), LONGEST_REASON)
    return cut(f"Access request {_short(request)} of **{who}** for {_what(request)}: {line}.{_comment(request)}")


def told_text(request: ApprovalRequest, look: Look) -> str:
    """Return what the person who asked is told of the end of a request."""
    window = f"from {moment(request.start, look.zone)} to {moment(request.end, look.zone)}"
    about = f"{_what(request)}, {window}"
    where = f"Request {_short(request)}{_page(request, look)}"
    decision = request.decision
    if request.state in ("approved", "rejected") and decision is not None:
        by = f"Access application {request.state} by **{_decider(decision)}**"
        return cut(f"{by}: {about}.{_comment(request)} {where}")
    ends = {"expired": "expired: nobody decided it in time", "cancelled": "withdrawn"}
    return cut(f"Access application {ends.get(request.state, 'waits for a decision')}: {about}. {where}")


def untold_text(request: ApprovalRequest) -> str:
    """Return what the space is told when the person who asked cannot be reached."""
    who = escape(request.name or request.principal)
    return cut(f"Access request {_short(request)}: **{who}** could not be told here that it is {request.state}.")


def reminder_text(request: ApprovalRequest, look: Look) -> str:
    """Return the reminder of a request that waits."""
    who = escape(request.name or request.principal)
    until = moment(request.expires, look.zone)
    page = f" {look.url}/approvals/{request.id}" if look.url and is_request_id(request.id) else ""
    return cut(f"Access request {_short(request)} of **{who}** for {_what(request)} still waits, until {until}.{page}")


def digest_text(counts: Mapping[str, int], since: float, until: float, look: Look) -> str:
    """Return one text in place of many notifications.

    :param counts: how many of each kind of event
    :param since, until: when the first and the last of them happened, epoch seconds
    """
    parts = [f"**{count}** {_counted(kind, count)}" for kind, count in sorted(counts.items())]
    return cut(f"{', '.join(parts)}, from {moment(since, look.zone)} to {moment(until, look.zone)}")


def _what(request: ApprovalRequest) -> str:
    target = request.target
    name = f"**{escape(request.service_name or request.service)}**"
    host = " ".join(filter(None, (escape(target.host), f"({escape(target.ip)})" if target.ip else "")))
    machine = " at ".join(filter(None, (escape(target.account), host)))
    return f"{name}, {machine}" if machine else name


def _comment(request: ApprovalRequest) -> str:
    comment = request.decision.comment if request.decision is not None else ""
    return f" Comment: {escape(comment, LONGEST_REASON).rstrip('.')}." if comment else ""


def _decider(decision: Decision) -> str:
    return escape(decision.name) or escape(decision.by) or "somebody"


def _page(request: ApprovalRequest, look: Look) -> str:
    return f", {look.url}/requests/{request.id}" if look.url and is_request_id(request.id) else ""


def _short(request: ApprovalRequest) -> str:
    return escape(request.short)


def _counted(kind: str, count: int) -> str:
    one, many = _COUNTED.get(kind, (escape(kind), escape(kind)))
    return one if count == 1 else many
