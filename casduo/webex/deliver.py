"""Delivers messages to Webex: notifications, and what belongs to requests for access.

What a request's messages say is read when they are delivered, not when they were ordered: a card for what has been
decided meanwhile is not posted, and an outcome tells who decided.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from casduo.approvals.model import ApprovalRequest
from casduo.approvals.requests import ApprovalRequests
from casduo.approvals.risks import earlier_requests
from casduo.clock import Clock
from casduo.errors import UpstreamUnavailable
from casduo.events.journal import Journal
from casduo.events.messages import Delivered, Message, NotDelivered
from casduo.events.model import Fault, Subject
from casduo.services.index import Registry
from casduo.settings.webex import WebexSettings
from casduo.webex.announcements import (
    digest_text,
    outcome_text,
    reminder_text,
    request_text,
    told_text,
    untold_text,
)
from casduo.webex.cards import Card, Look, approval_card, outcome_card
from casduo.webex.client import WebexClient
from casduo.webex.errors import WebexError, WebexRefused
from casduo.webex.model import Posted
from casduo.webex.remedies import remedy_for
from casduo.webex.templates import DIGESTIBLE
from casduo.webex.text import cut

_Outcome = Delivered | NotDelivered


class WebexDeliverer:
    """A :class:`~casduo.events.messages.Deliverer`.

    :param registry: gives the services as they are now
    :param settings: the section ``webex``
    :param look: address and time zone of the server
    """

    def __init__(
        self,
        client: WebexClient,
        requests: ApprovalRequests,
        registry: Callable[[], Registry],
        settings: WebexSettings,
        look: Look,
        journal: Journal,
        clock: Clock,
    ) -> None:
        self._client = client
        self._requests = requests
        self._registry = registry
        self._settings = settings
        self._look = look
        self._journal = journal
        self._clock = clock
        self._tasks: Mapping[str, Callable[[Message], _Outcome]] = {
            "event": self._event,
            "violation": self._event,
            "digest": self._digest,
            "told": self._told,
            "approval.card": self._of_request(self._post_card),
            "approval.noted": self._of_request(self._note_card),
            "approval.outcome": self._of_request(self._post_outcome),
            "approval.withdraw": self._withdraw,
            "approval.told": self._of_request(self._tell_requester),
            "approval.untold": self._of_request(self._post_untold),
            "approval.reminder": self._of_request(self._remind),
        }

    def deliver(self, message: Message) -> _Outcome:
        """Deliver one message; see :class:`~casduo.events.messages.Deliverer`."""
        task = self._tasks.get(message.task)
        if task is None:
            return NotDelivered("never", detail="unknown task")
        try:
            return task(message)
        except WebexError as error:
            return remedy_for(error)
        except UpstreamUnavailable as error:
            # Redis, which is asked before anything is sent.
            return NotDelivered("retry", detail=f"{error.upstream} does not answer")
        except _Unreadable:
            return NotDelivered("never", detail="unreadable message")

    def digestible(self, message: Message) -> bool:
        """Whether it is one of many that one line can count; see :class:`~casduo.events.messages.Deliverer`."""
        return message.task == "event" and message.body.get("kind") in DIGESTIBLE

    def digest(self, messages: Sequence[Message]) -> Message | None:
        """Return one message that counts these; see :class:`~casduo.events.messages.Deliverer`."""
        if len(messages) < 2:
            return None
        counts: dict[str, int] = {}
        for each in messages:
            counts[each.body["kind"]] = counts.get(each.body["kind"], 0) + 1
        first, moments = messages[0], [each.created for each in messages]
        body = {"counts": counts, "since": min(moments), "until": max(moments)}
        return Message(first.id, first.to, "digest", body, created=min(moments))

    def buried(self, message: Message) -> tuple[Message, ...]:
        """Have the space told that a requester could not be; see :class:`~casduo.events.messages.Deliverer`."""
        request_id = message.body.get("request")
        if message.task != "approval.told" or not isinstance(request_id, str) or not request_id:
            return ()
        request = self._requests.get(request_id)
        if request is None or request.state == "pending":
            return ()
        return self._not_told(message, request, "NOT_DELIVERED", "it could not be sent in time").then

    # -- notifications -------------------------------------------------------------------------------------------------

    def _event(self, message: Message) -> _Outcome:
        return _done(self._send(message.to, _text(message, "markdown"), message.body.get("card")))

    def _digest(self, message: Message) -> _Outcome:
        match message.body:
            case {"counts": dict(counts), "since": int() | float() as since, "until": int() | float() as until}:
                return _done(self._send(message.to, digest_text(counts, since, until, self._look)))
        raise _Unreadable

    def _told(self, message: Message) -> _Outcome:
        markdown = cut(_text(message, "markdown"))
        match message.body:
            case {"email": str(email)} if email:
                return _done(self._client.create_message(email=email, markdown=markdown))
            case {"person": str(person)} if person:
                return _done(self._client.create_message(person=person, markdown=markdown))
        raise _Unreadable

    def _send(self, to: str, markdown: str, card: Card | None = None) -> Posted:
        kind, _, name = to.partition(":")
        if kind not in ("room", "person") or not name:
            raise _Unreadable
        by = "room" if kind == "room" else "email" if "@" in name else "person"
        whom = {by: name}
        return self._client.create_message(**whom, markdown=cut(markdown), card=card)

    # -- requests for access -------------------------------------------------------------------------------------------

    def _of_request(self, deliver: Callable[[Message, ApprovalRequest], _Outcome]) -> Callable[[Message], _Outcome]:
        """Return a task that is done where the request it is about is no longer kept."""

        def task(message: Message) -> _Outcome:
            request = self._requests.get(_text(message, "request"))
            return deliver(message, request) if request is not None else Delivered(asked=False)

        return task

    def _post_card(self, message: Message, request: ApprovalRequest) -> _Outcome:
        if not self._waits(request):
            return Delivered(asked=False)
        card = approval_card(
            request, self._look, buttons=self._decided_by_buttons(request), earlier=self._earlier(request)
        )
        markdown = request_text(request, self._look)
        posted = self._client.create_message(room=request.room, markdown=markdown, card=card)
        try:
            self._requests.add_card(request.id, posted.id)
        except UpstreamUnavailable:
            # It is there: to try the whole once more would post it twice.
            body = {"request": request.id, "message": posted.id}
            return Delivered(posted.id, (self._then(message, "noted", message.to, "approval.noted", body),))
        return Delivered(posted.id)

    def _note_card(self, message: Message, request: ApprovalRequest) -> _Outcome:
        self._requests.add_card(request.id, _text(message, "message"))
        return Delivered(asked=False)

    def _post_outcome(self, message: Message, request: ApprovalRequest) -> _Outcome:
        if request.state == "pending" or not request.room:
            return Delivered(asked=False)
        replies = self._settings.on_decision == "reply"
        card, markdown = outcome_card(request, self._look), outcome_text(request, self._look)
        posted = self._post(request, markdown, card, under_card=replies)
        # Only now: if the outcome could not be posted, the card would be all that there is of the request.
        cards = () if replies else request.cards
        withdrawals = (
            self._then(message, f"withdraw:{each}", message.to, "approval.withdraw", {"message": each})
            for each in cards
        )
        return Delivered(posted.id, tuple(withdrawals))

    def _withdraw(self, message: Message) -> _Outcome:
        self._client.delete_message(_text(message, "message"))
        return Delivered()

    def _remind(self, message: Message, request: ApprovalRequest) -> _Outcome:
        if not self._waits(request):
            return Delivered(asked=False)
        return _done(self._post(request, reminder_text(request, self._look), under_card=True))

    def _tell_requester(self, message: Message, request: ApprovalRequest) -> _Outcome:
        if request.state == "pending":
            return Delivered(asked=False)
        if not request.emails:
            return replace(self._not_told(message, request, "NO_ADDRESS", "no e-mail address is known"), asked=False)
        try:
            markdown = told_text(request, self._look)
            return _done(self._client.create_message(email=request.emails[0], markdown=markdown))
        except WebexRefused as refusal:
            return self._not_told(message, request, refusal.code, refusal.told)

    def _not_told(self, message: Message, request: ApprovalRequest, code: str, why: str) -> Delivered:
        """Say where others see it that a person will not hear of the end of their request."""
        about = Subject(principal=request.principal, service=request.service, reference=request.reference)
        detail = f"who asked for request {request.id} could not be told: {why}"
        self._journal.write(Fault(about, code=code, detail=detail, path=message.task))
        if not request.room:
            return Delivered()
        to, body = f"room:{request.room}", {"request": request.id}
        return Delivered("", (self._then(message, "untold", to, "approval.untold", body),))

    def _post_untold(self, message: Message, request: ApprovalRequest) -> _Outcome:
        return _done(self._client.create_message(room=request.room, markdown=untold_text(request)))

    def _post(self, request: ApprovalRequest, markdown: str, card: Card | None = None, *, under_card: bool) -> Posted:
        """Post in the space of a request, as a reply to its last card where that is still there."""
        parent = request.cards[-1] if under_card and request.cards else ""
        if parent:
            try:
                return self._client.create_message(room=request.room, markdown=markdown, card=card, parent=parent)
            except WebexRefused:
                # Somebody may have deleted the card.
                pass
        return self._client.create_message(room=request.room, markdown=markdown, card=card)

    def _waits(self, request: ApprovalRequest) -> bool:
        """Say whether a request has a space and is still to be decided."""
        return request.state == "pending" and bool(request.room) and self._clock() < request.expires

    def _decided_by_buttons(self, request: ApprovalRequest) -> bool:
        """Say whether a press would come to anything: it is allowed, and Webex can tell us of it."""
        service = self._registry().by_id(request.service)
        rule = service.requires_approval if service is not None else None
        return rule is not None and rule.approve_in == "anywhere" and self._settings.webhook.secret is not None

    def _earlier(self, request: ApprovalRequest) -> list[ApprovalRequest]:
        return earlier_requests(request, self._requests.of_person(request.principal))

    def _then(self, message: Message, effect: str, to: str, task: str, body: Mapping[str, Any]) -> Message:
        return Message(f"{message.id}:{effect}", to, task, body, urgent=True, created=self._clock())


class _Unreadable(Exception):
    """A message that no version of casduo writes."""


def _text(message: Message, name: str) -> str:
    value = message.body.get(name)
    if not isinstance(value, str) or not value:
        raise _Unreadable
    return value


def _done(posted: Posted) -> Delivered:
    return Delivered(posted.id)
