"""Sees one press of a button through: what was pressed, by whom, and what becomes of the request for access."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import structlog

from casduo.approvals.build import build_requests
from casduo.approvals.deciding import Decider, Moment, may_decide
from casduo.approvals.events import ApprovalRefused, RefusedPress
from casduo.approvals.model import ApprovalRequest, Decision
from casduo.approvals.telling import about_request, decided_event
from casduo.approvals.wording import LONGEST_NAME, cleaned
from casduo.events.messages import Message
from casduo.events.model import Subject
from casduo.events.outbox import Outbox
from casduo.services.policies import ApprovalRule
from casduo.settings import Settings
from casduo.webex.client import WebexClient
from casduo.webex.errors import WebexRefused, WebexUnavailable
from casduo.webex.inbox import Inbox
from casduo.webex.model import CardAction
from casduo.webex.notice import Registration
from casduo.webex.press import Choice, answer_to, choice_in, not_ours, request_named
from casduo.worker.parts import Parts

_log = structlog.get_logger("casduo")

T = TypeVar("T")


class _Refused(Exception):
    """A press decides nothing. ``by`` is who pressed, an address or else an id; ``person`` their id."""

    def __init__(self, reason: RefusedPress, by: str = "", person: str = "", request: ApprovalRequest | None = None):
        super().__init__(reason)
        self.reason: RefusedPress = reason
        self.by = by
        self.person = person
        self.request = request


@dataclass(frozen=True, slots=True)
class _Press:
    """A press, as Webex tells of it when asked, and the request that it is about."""

    action: CardAction
    request: ApprovalRequest
    choice: Choice
    by: Decider


class PressDesk:
    """Sees one press through at a time. Safe to share by threads.

    :param client: the bot
    """

    def __init__(self, parts: Parts, client: WebexClient) -> None:
        self._parts = parts
        self._client = client
        self._inbox = Inbox(parts.store)
        self._requests = build_requests(parts.settings, parts.store)
        self._outbox = Outbox(parts.store)
        webex = parts.settings.webex
        assert webex is not None
        self._organisations = webex.organisations

    def see_through(self, name: str) -> None:
        """Decide by a press, or tell why not.

        :param name: the press's id
        :raises WebexError: Webex gave no answer; nothing was done, and it can be done again
        :raises Stopped: the worker is to end while Redis is away
        """
        try:
            registration = self._parts.insist(self._inbox.registration)
            if registration is None:
                # Redis has forgotten who we are; the watch over the webhook is about to tell it.
                raise WebexUnavailable("no_webhook")
            self._decide(self._looked_up(name, registration), registration)
        except _Refused as refused:
            self._refuse(name, refused)

    # -- what was pressed, by whom -------------------------------------------------------------------------------------

    def _looked_up(self, name: str, registration: Registration) -> _Press:
        action = self._asked(lambda: self._client.action(name), _Refused("unknown_action"))
        somebody = cleaned(action.person)
        request = self._request_of(action, registration, somebody)
        # What follows has the reference under which access was asked for; this leads there from the one of the notice.
        _log.info("press.begun", request=request.id, asked=request.reference)
        choice = choice_in(action, request)
        if not isinstance(choice, Choice):
            raise _Refused(choice, somebody, action.person, request)
        nobody = _Refused("not_a_person", somebody, action.person, request)
        person = self._asked(lambda: self._client.person(action.person), nobody)
        by = Decider(
            person.id,
            cleaned(person.name)[:LONGEST_NAME],
            person.emails,
            "webex",
            kind=person.kind,
            organisation=person.organisation,
        )
        return _Press(action, request, choice, by)

    def _request_of(self, action: CardAction, registration: Registration, somebody: str) -> ApprovalRequest:
        """Return the request whose card was pressed.

        A card of which nobody took note, because a worker died over posting it, is found by what its button says; then
        it has to be a message of ours, in the right space.
        """
        unknown = _Refused("unknown_message", somebody, action.person)
        known = self._parts.insist(lambda: self._requests.request_of_card(action.message))
        named = known or request_named(action)
        request = self._parts.insist(lambda: self._requests.get(named)) if named else None
        if request is None:
            raise unknown
        if not known:
            message = self._asked(lambda: self._client.message(action.message), unknown)
            foreign = not_ours(message, request, registration.bot)
            if foreign is not None:
                raise _Refused(foreign, somebody, action.person, request)
        return request

    def _asked(self, call: Callable[[], T], refused: _Refused) -> T:
        """Ask Webex, and take for an answer that there is no such thing.

        :raises _Refused: there is none
        :raises WebexError: no answer
        """
        try:
            return call()
        except WebexRefused:
            pass
        raise refused

    # -- what becomes of it --------------------------------------------------------------------------------------------

    def _decide(self, press: _Press, registration: Registration) -> None:
        request, by = press.request, press.by
        rule, now = self._rule(request.service), self._parts.clock()
        organisations = (registration.bot_organisation, *self._organisations)
        refused = may_decide(request, rule, by, Moment(now, press.action.created), organisations)
        if refused is not None or rule is None:
            self._lost(press, request, refused or "service_gone")
            return
        if press.action.message not in request.cards:
            # Only now: by whoever may decide, not by whoever can send inputs.
            self._parts.insist(lambda: self._requests.add_card(request.id, press.action.message))
        decision = Decision(
            decision=press.choice.decision,
            by=by.approver_address(rule),
            name=by.name,
            person=by.person,
            via="webex",
            at=now,
            comment=press.choice.comment,
            action=press.action.id,
        )
        event = decided_event(request, decision)
        settled = self._parts.insist(lambda: self._requests.decide(request.id, decision, event))
        if not settled.first:
            over = settled.request
            self._lost(press, over or request, "too_late" if over and over.state == "expired" else "already_decided")
            return
        self._parts.journal.note(event)
        if settled.violation is not None:
            self._parts.journal.note(settled.violation)

    def _lost(self, press: _Press, request: ApprovalRequest, reason: RefusedPress) -> None:
        """Refuse a press, unless it is the very one that decided: a worker died before it could say so."""
        if request.decision is None or request.decision.action != press.action.id:
            by = cleaned(next(iter(press.by.emails), press.by.person))
            raise _Refused(reason, by, press.by.person, request)

    def _refuse(self, name: str, refused: _Refused) -> None:
        """Write the refusal down, and answer to who pressed; both once, whoever does this again."""
        request = refused.request
        event = ApprovalRefused(
            about_request(request) if request is not None else Subject(),
            request=request.id if request is not None else "",
            reason=refused.reason,
            by=refused.by,
            via="webex",
        )
        answer = self._answer(refused, request) if request is not None else None

        def write() -> None:
            batch = self._parts.store.batch()
            self._parts.events.once(batch, event, f"press:{name}")
            if answer is not None:
                self._outbox.enqueue(batch, [answer])
            batch.run()

        self._parts.insist(write)
        self._parts.journal.note(event)

    def _answer(self, refused: _Refused, request: ApprovalRequest) -> Message | None:
        settings = self._parts.settings
        markdown = answer_to(refused.reason, request, _base(settings), settings.zone)
        if not markdown or not refused.person:
            return None
        return Message(
            id=f"press:{request.id}:{refused.person}",
            to=f"person:{refused.person}",
            task="told",
            body={"person": refused.person, "markdown": markdown},
            urgent=True,
            created=self._parts.clock(),
        )

    def _rule(self, service: str) -> ApprovalRule | None:
        """Return who may decide about a service by the registry as it is now."""
        entry = self._parts.services.current().by_id(service)
        return entry.requires_approval if entry is not None else None


def _base(settings: Settings) -> str:
    return (settings.server.url or "").rstrip("/")
