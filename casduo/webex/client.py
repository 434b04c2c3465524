"""Webex's API for messages, as far as casduo uses it: one call each, never repeated, never waited for.

Source: Webex's API reference (messages, people, attachment actions, rooms, webhooks). Every failure is a
:class:`~casduo.webex.errors.WebexError`; what is to become of it, :mod:`casduo.webex.remedies` says.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from casduo.clock import Clock
from casduo.errors import UpstreamMisconfigured, UpstreamUnavailable
from casduo.outbound import Breaker, BreakerOpen
from casduo.outbound.http import HttpAnswer, HttpClient, UpstreamUnreached
from casduo.webex import model
from casduo.webex.answers import failure_of, next_page, tracking_of
from casduo.webex.errors import (
    WebexError,
    WebexLeftAlone,
    WebexMisconfigured,
    WebexPaused,
    WebexRefused,
    WebexThrottled,
    WebexUnavailable,
)
from casduo.webex.model import CardAction, Posted, PostedMessage, Room, WebexPerson, Webhook
from casduo.webex.pauses import Pauses

T = TypeVar("T")

CARD_TYPE = "application/vnd.microsoft.card.adaptive"
_GONE = (404, 410)
_PAGE = {"rooms": 1000, "webhooks": 100}
"""Most members of one part of a list, by Webex's reference."""
_MOST_PAGES = 20
"""Parts of a list that are read: an answer must not be able to lead us in circles."""
_LONGEST_NUMBER = 20
"""Digits."""


class WebexClient:
    """One bot. Safe to share by threads.

    :param token: of the bot; in no ``repr``, no log line and no error
    :param base_url: ends with a slash
    :param http: what carries the calls
    :param breaker: of all calls with this token
    :param patience: seconds for which the breaker leaves Webex alone
    :param pauses: asked before each call, and told when Webex has had too many
    """

    def __init__(
        self,
        token: str,
        base_url: str,
        http: HttpClient,
        breaker: Breaker,
        patience: float,
        clock: Clock,
        pauses: Pauses,
    ) -> None:
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._base = base_url
        self._http = http
        self._breaker = breaker
        self._patience = patience
        self._clock = clock
        self._pauses = pauses

    # -- messages ------------------------------------------------------------------------------------------------------

    def create_message(
        self,
        *,
        room: str = "",
        email: str = "",
        person: str = "",
        markdown: str = "",
        card: Mapping[str, Any] | None = None,
        parent: str = "",
    ) -> Posted:
        """Post a message (``POST /messages``). There is no way to do so once only: see ``ambiguous`` of the error.

        :param room, email, person: exactly one: the space, or whom to write to
        :param markdown: at most 7439 bytes of UTF-8; shown in place of the card where cards are not
        :param card: an Adaptive Card
        :param parent: a message of the same space that this one replies to
        :raises WebexError: it was not posted, or nobody knows
        """
        to = {"roomId": room, "toPersonEmail": email, "toPersonId": person}
        if sum(map(bool, to.values())) != 1:
            raise ValueError("a message goes to one room or one person")
        body: dict[str, Any] = {name: value for name, value in to.items() if value}
        body |= {name: value for name, value in (("markdown", markdown), ("parentId", parent)) if value}
        if card is not None:
            body["attachments"] = [{"contentType": CARD_TYPE, "content": card}]
        return self._ask("POST", "messages", model.posted, body=body)

    def message(self, message: str) -> PostedMessage:
        """Return a message (``GET /messages/{id}``).

        :raises WebexRefused: 404: there is none, or no longer
        """
        return self._ask("GET", f"messages/{_segment(message)}", model.posted_message, others=True)

    def delete_message(self, message: str) -> None:
        """Delete a message of the bot's (``DELETE /messages/{id}``). One that is gone already counts as deleted."""
        self._delete(f"messages/{_segment(message)}")

    # -- people and presses --------------------------------------------------------------------------------------------

    def me(self) -> WebexPerson:
        """Return the bot itself (``GET /people/me``)."""
        return self._ask("GET", "people/me", model.person)

    def person(self, person: str) -> WebexPerson:
        """Return whom an id belongs to (``GET /people/{id}``)."""
        return self._ask("GET", f"people/{_segment(person)}", model.person)

    def action(self, action: str) -> CardAction:
        """Return a press of a button (``GET /attachment/actions/{id}``).

        :raises WebexRefused: 404: there is none
        """
        return self._ask("GET", f"attachment/actions/{_segment(action)}", model.card_action, others=True)

    # -- spaces --------------------------------------------------------------------------------------------------------

    def rooms(self, most: int = 1000) -> list[Room]:
        """Return the spaces that the bot is in (``GET /rooms``).

        :param most: how many at most
        """
        return self._list("rooms", model.room, most)

    # -- webhooks ------------------------------------------------------------------------------------------------------

    def webhooks(self, most: int = 1000) -> list[Webhook]:
        """Return the bot's webhooks (``GET /webhooks``).

        :param most: how many at most
        """
        return self._list("webhooks", model.webhook, most)

    def create_webhook(self, *, name: str, target: str, resource: str, event: str, secret: str) -> Webhook:
        """Register a webhook (``POST /webhooks``).

        :param target: where Webex is to send what happens
        :param resource, event: what is to be told of, such as ``attachmentActions`` and ``created``
        :param secret: signs what it sends
        """
        body = {"name": name, "targetUrl": target, "resource": resource, "event": event, "secret": secret}
        return self._ask("POST", "webhooks", model.webhook, body=body)

    def update_webhook(
        self, webhook: str, *, name: str, target: str, secret: str = "", active: bool = False
    ) -> Webhook:
        """Change a webhook (``PUT /webhooks/{id}``).

        :param secret: a new one; empty leaves the old one
        :param active: have one send again that Webex has given up
        """
        body = {"name": name, "targetUrl": target}
        body |= {name: value for name, value in (("secret", secret), ("status", "active" if active else "")) if value}
        return self._ask("PUT", f"webhooks/{_segment(webhook)}", model.webhook, body=body)

    def delete_webhook(self, webhook: str) -> None:
        """Delete a webhook (``DELETE /webhooks/{id}``). One that is gone already counts as deleted."""
        self._delete(f"webhooks/{_segment(webhook)}")

    # -- calls ---------------------------------------------------------------------------------------------------------

    def close(self) -> None:
        """Close the kept connections."""
        self._http.close()

    def _ask(
        self,
        method: str,
        path: str,
        read: Callable[[Any], T],
        *,
        body: Mapping[str, Any] | None = None,
        others: bool = False,
    ) -> T:
        """Make one call.

        :param others: whether the answer holds what any member of a space can make up. One that is too much to be read
            is refused then: it must not look like Webex in trouble, for which everything waits.
        """

        def call() -> T:
            answer = self._exchange(method, self._base + path, body, others=others)
            return self._read(answer, read, method, others=others)

        return self._guarded(call)

    def _delete(self, path: str) -> None:
        try:
            self._guarded(lambda: self._exchange("DELETE", self._base + path))
        except WebexRefused as refusal:
            if refusal.status not in _GONE:
                raise

    def _list(self, name: str, read: Callable[[Any], T], most: int) -> list[T]:
        url = f"{self._base}{name}?{urlencode({'max': min(most, _PAGE[name])})}"
        found: list[T] = []
        for _ in range(_MOST_PAGES):
            part, url = self._guarded(partial(self._part, url, read))
            found += part
            if not url or len(found) >= most:
                break
        return found[:most]

    def _part(self, url: str, read: Callable[[Any], T]) -> tuple[list[T], str]:
        answer = self._exchange("GET", url)
        members = self._read(answer, lambda said: [read(member) for member in model.items(said)], "GET")
        return members, next_page(answer.headers.get("Link"), self._base)

    def _read(self, answer: HttpAnswer, read: Callable[[Any], T], method: str, *, others: bool = False) -> T:
        too_deep = False
        try:
            return read(json.loads(answer.body, parse_int=_number))
        except ValueError:
            pass
        except RecursionError:
            too_deep = others
        tracking = tracking_of(answer.headers)
        if too_deep:
            raise WebexRefused("too_deep", status=answer.status, tracking=tracking)
        # A POST that was answered has been carried out, most likely; nobody knows by what id.
        raise WebexUnavailable("unreadable", ambiguous=method == "POST", status=answer.status, tracking=tracking)

    def _exchange(
        self, method: str, url: str, body: Mapping[str, Any] | None = None, *, others: bool = False
    ) -> HttpAnswer:
        writes = method == "POST"
        headers, content = self._headers, None
        if body is not None:
            headers = {**headers, "Content-Type": "application/json; charset=utf-8"}
            content = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        failure: WebexError
        try:
            answer = self._http.request(method, url, body=content, headers=headers, repeatable=not writes)
        except UpstreamUnreached as error:
            failure = WebexUnavailable(error.detail)
        except UpstreamUnavailable as error:
            too_much = others and error.detail == "too_large"
            failure = WebexRefused(error.detail) if too_much else WebexUnavailable(error.detail, ambiguous=writes)
        except UpstreamMisconfigured as error:
            failure = WebexMisconfigured(error.detail)
        else:
            found = failure_of(answer.status, answer.headers, answer.body, self._clock(), writes=writes)
            if found is None:
                return answer
            failure = found
        # Raised out here, it drags nothing along that knows the headers.
        raise failure

    def _guarded(self, call: Callable[[], T]) -> T:
        left = self._pauses.left(self._clock())
        if left > 0:
            raise WebexPaused(left)
        try:
            return self._breaker.call(call)
        except WebexThrottled as error:
            self._pauses.pause(self._clock(), error.after)
            raise
        except BreakerOpen:
            pass
        raise WebexLeftAlone(self._patience)


def _number(digits: str) -> int | float:
    """Return a number of an answer. Python refuses to read very long ones, and Webex has none that mean anything."""
    return int(digits) if len(digits) <= _LONGEST_NUMBER else float(digits)


def _segment(name: str) -> str:
    """Return an id as one segment of a path. Ids may come from others, and could otherwise lead elsewhere."""
    if not name or name.strip(".") == "":
        raise WebexRefused("no id")
    return quote(name, safe="")
