"""The cards: a request with its buttons, what became of it, and the violation of a rule. Pure.

Source: Adaptive Cards as Webex shows them: schema 1.3 at most, one column, five actions at most. What people wrote goes
into ``TextRun`` alone, in which Markdown means nothing; texts of ours go into ``TextBlock``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from typing import Any, Literal

from casduo.approvals.model import ApprovalRequest, Decision
from casduo.approvals.risks import MOST_EARLIER
from casduo.approvals.wording import LONGEST_NAME, LONGEST_REASON
from casduo.events.record import EventRecord
from casduo.webex.templates import detail_of
from casduo.webex.text import is_request_id, moment, plain

Card = dict[str, Any]
Fact = tuple[str, str]
"""A label of ours and a value, made harmless."""

LARGEST_CARD = 16 * 1024
"""Bytes of a card's JSON. Webex names no limit; its messages have one, and this is what all clients show at once."""
COMMENT = "comment"
"""The input in which a reason for a refusal is typed."""

_PLAIN, _WITH_LABELS = "1.2", "1.3"
_LONGEST_EARLIER = 100

_RULES: Mapping[str, str] = {
    "outside_window": "access outside the time that was approved",
    "too_many_refusals": "asks again and again and is refused",
    "fraud": "a sign-in was reported as somebody else's",
    "disowned": "an earlier sign-in with the right password was not theirs",
}


@dataclass(frozen=True, slots=True)
class Look:
    """What all cards need to know.

    :param url: of the server, empty for no links
    :param zone: in which times are shown besides UTC
    """

    url: str = ""
    zone: tzinfo = UTC


def approval_card(
    request: ApprovalRequest, look: Look, *, buttons: bool, earlier: Sequence[ApprovalRequest] = ()
) -> Card:
    """Return the card with which a request is posted.

    :param buttons: whether it can be decided by them; otherwise there is the link alone
    :param earlier: requests of the same person for the same service, the newest first
    """
    shown = list(earlier[:MOST_EARLIER])
    while True:
        card = _approval_card(request, look, shown, buttons=buttons)
        if size_of(card) <= LARGEST_CARD or not shown:
            return card
        shown.pop()


def outcome_card(request: ApprovalRequest, look: Look) -> Card:
    """Return the card that says what became of a request."""
    body = [_heading(f"Access request {_short(request)}"), _line(outcome_line(request, look), weight="Bolder")]
    decision = request.decision
    comment = [("Comment", plain(decision.comment, LONGEST_REASON))] if decision and decision.comment else []
    return _card([*body, *_facts([*_request_facts(request, look), *comment])], _links(_review(request, look)))


def violation_card(record: EventRecord, service: str, look: Look) -> Card:
    """Return the card about the violation of a rule.

    :param service: what people call the application
    """
    request = record.text("request")
    rule = record.text("rule")
    facts = [
        ("Rule", plain(_RULES.get(rule, rule))),
        ("User", plain(record.about.principal)),
        ("Application", plain(service)),
        ("Address", plain(record.about.address)),
        ("Request", plain(request[:4].upper())),
        ("Time", moment(record.at, look.zone)),
    ]
    more = [
        ("Detail", plain(detail_of(record), LONGEST_REASON)),
        ("Reference", plain(record.about.reference)),
        ("Event", plain(record.id)),
        ("Kind", plain(record.kind)),
    ]
    open_page = f"/approvals/{request}" if is_request_id(request) else "/approvals"
    actions = [_show("More", _card(_facts(more), [])), *_links(_link("Open in casduo", open_page, look))]
    return _card([_heading("Policy violation", "Attention"), *_facts(facts)], actions)


def outcome_line(request: ApprovalRequest, look: Look) -> str:
    """Return in one sentence what became of a request, for a ``TextRun``."""
    decision = request.decision
    if request.state in ("approved", "rejected") and decision is not None:
        at = moment(decision.at, look.zone)
        return f"Request was {request.state} by {_decider(decision)}, {at}"
    ends: Mapping[str, str] = {
        "expired": "Request has expired: nobody decided it in time",
        "cancelled": "Request was withdrawn",
    }
    return ends.get(request.state, "Request waits for a decision")


def size_of(card: Card) -> int:
    """Return the bytes of a card as it is sent."""
    return len(json.dumps(card, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace"))


# -- the request -----------------------------------------------------------------------------------------------------


def _approval_card(request: ApprovalRequest, look: Look, earlier: Sequence[ApprovalRequest], *, buttons: bool) -> Card:
    facts = [*_request_facts(request, look), ("To be decided by", moment(request.expires, look.zone))]
    body = [_heading(f"Access request {_short(request)}"), *_facts(facts)]
    more = _show("More", _card(_earlier(request, earlier, look), []))
    links = _links(_review(request, look))
    if not buttons:
        return _card(body, [more, *links])
    approve = _submit(f"Approve request {_short(request)}", request, "approve", "positive")
    reject = _submit(f"Reject request {_short(request)}", request, "reject", "destructive")
    reason = {
        "type": "Input.Text",
        "id": COMMENT,
        "label": "Reason (optional)",
        "isMultiline": True,
        "maxLength": LONGEST_REASON,
    }
    # With the two that only open something, these are the five actions that Webex takes.
    actions = [approve, _show("Reject", _card([reason], [reject], _WITH_LABELS)), more, *links]
    return _card(body, actions, _WITH_LABELS)


def _request_facts(request: ApprovalRequest, look: Look) -> list[Fact]:
    target = request.target
    mail = request.emails[0] if request.emails else ""
    names = dict.fromkeys(filter(None, (plain(request.name), plain(request.principal), plain(mail))))
    return [
        ("Requestor", ", ".join(names)),
        ("Application", plain(request.service_name or request.service)),
        ("Start", moment(request.start, look.zone)),
        ("End", moment(request.end, look.zone)),
        ("Host name", plain(target.host)),
        ("IP", plain(target.ip)),
        ("Account", plain(target.account)),
        ("Reason", plain(request.reason, LONGEST_REASON)),
    ]


def _earlier(request: ApprovalRequest, earlier: Sequence[ApprovalRequest], look: Look) -> list[dict[str, Any]]:
    facts = [
        ("Request", plain(request.id)),
        ("Asked", moment(request.created, look.zone)),
        ("Asked from", plain(request.address)),
        ("Reference", plain(request.reference)),
    ]
    if not earlier:
        return [*_facts(facts), _line("No earlier request of this person for this application.")]
    lines = [_line(_earlier_line(each, look)) for each in earlier]
    return [*_facts(facts), _line("Earlier requests of this person for this application:", weight="Bolder"), *lines]


def _earlier_line(request: ApprovalRequest, look: Look) -> str:
    decision = request.decision
    by = f" by {_decider(decision, _LONGEST_EARLIER)}" if decision is not None else ""
    why = f": {plain(request.reason, _LONGEST_EARLIER)}" if request.reason else ""
    return f"{moment(request.created, look.zone)}, {request.state}{by}{why}"


def _decider(decision: Decision, limit: int = LONGEST_NAME) -> str:
    name, mail = plain(decision.name, limit), plain(decision.by, limit)
    return f"{name} ({mail})" if name and mail and name != mail else name or mail or "somebody"


def _review(request: ApprovalRequest, look: Look) -> dict[str, Any] | None:
    # An id is letters and digits; whatever else were in it must not lead elsewhere.
    return _link("Review in casduo", f"/approvals/{request.id}", look) if is_request_id(request.id) else None


def _short(request: ApprovalRequest) -> str:
    return "".join(character for character in request.short if character.isascii() and character.isalnum())


# -- parts of cards --------------------------------------------------------------------------------------------------


def _card(body: Sequence[Mapping[str, Any]], actions: Sequence[Mapping[str, Any]], version: str = _PLAIN) -> Card:
    card: Card = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": version,
        "body": list(body),
    }
    return {**card, "actions": list(actions)} if actions else card


def _heading(text: str, colour: Literal["Default", "Attention"] = "Default") -> dict[str, Any]:
    """Return a heading. ``text`` is ours: Markdown means something in it."""
    return {"type": "TextBlock", "text": text, "size": "Large", "weight": "Bolder", "color": colour, "wrap": True}


def _line(text: str, *, weight: str = "Default") -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text, "weight": weight}]}


def _facts(facts: Iterable[Fact]) -> list[dict[str, Any]]:
    """Return one line for each fact that has a value."""
    return [
        {
            "type": "RichTextBlock",
            "spacing": "Small",
            "inlines": [
                {"type": "TextRun", "text": f"{label}: ", "weight": "Bolder"},
                {"type": "TextRun", "text": value},
            ],
        }
        for label, value in facts
        if value
    ]


def _submit(title: str, request: ApprovalRequest, decision: Literal["approve", "reject"], style: str) -> dict[str, Any]:
    """Return a button. Every member of the space can read its data, and make up others."""
    data = {"casduo": 1, "kind": "approval", "request": request.id, "nonce": request.nonce, "decision": decision}
    return {"type": "Action.Submit", "title": title, "style": style, "data": data}


def _show(title: str, card: Card) -> dict[str, Any]:
    return {"type": "Action.ShowCard", "title": title, "card": card}


def _link(title: str, path: str, look: Look) -> dict[str, Any] | None:
    return {"type": "Action.OpenUrl", "title": title, "url": f"{look.url}{path}"} if look.url else None


def _links(link: dict[str, Any] | None) -> list[dict[str, Any]]:
    return [link] if link is not None else []
