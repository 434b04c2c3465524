"""Webhooks: who is told about what, what they are told, and when Webex gives one up.

The caller holds the lock.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from casduo.simulators.webex.directory import Directory
from casduo.simulators.webex.errors import WebexRefusal
from casduo.simulators.webex.ids import Ids
from casduo.simulators.webex.model import Person, Webhook, iso
from casduo.simulators.webex.settings import Settings
from casduo.simulators.webex.spaces import Event

RESOURCES = ("attachmentActions", "messages", "all")
EVENTS = ("created", "updated", "deleted", "all")
FILTERS = ("roomId", "roomType", "personId", "personEmail", "mentionedPeople")

Deliver = Callable[[Webhook, bytes], None]


class Webhooks:
    """The webhooks of everybody.

    :param deliver: sends a body to a webhook's target, later
    """

    def __init__(self, directory: Directory, ids: Ids, settings: Settings, deliver: Deliver) -> None:
        self.all: dict[str, Webhook] = {}
        self._directory = directory
        self._ids = ids
        self._settings = settings
        self._deliver = deliver

    # -- registrations -----------------------------------------------------------------------------------------------

    def create(self, owner: Person, members: Mapping[str, str], now: float) -> Webhook:
        """Register a webhook.

        :param members: ``name``, ``targetUrl``, ``resource``, ``event``; perhaps ``filter``, ``secret``, ``ownedBy``
        :raises WebexRefusal: 400 something is missing or unknown; 403 for a webhook of the whole organisation
        """
        _check_target(members)
        resource, event = members.get("resource", ""), members.get("event", "")
        if resource not in RESOURCES or event not in EVENTS:
            raise WebexRefusal(400, f"resource is one of {', '.join(RESOURCES)}; event one of {', '.join(EVENTS)}.")
        if members.get("ownedBy", "creator") != "creator":
            raise WebexRefusal(403, "Only an administrator can register webhooks for an organisation.")
        webhook = Webhook(
            id=self._ids.new("WEBHOOK"),
            owner_id=owner.id,
            name=members["name"],
            target_url=members["targetUrl"],
            resource=resource,
            event=event,
            created=now,
            filter=_checked_filter(members.get("filter", "")),
            secret=members.get("secret", ""),
        )
        self.all[webhook.id] = webhook
        return webhook

    def of(self, owner: Person) -> list[Webhook]:
        """Return somebody's webhooks, the newest first."""
        return [webhook for webhook in reversed(self.all.values()) if webhook.owner_id == owner.id]

    def get(self, owner: Person, webhook_id: str) -> Webhook:
        """Return one of somebody's webhooks. :raises WebexRefusal: 404, there is none"""
        webhook = self.all.get(webhook_id)
        if webhook is None or webhook.owner_id != owner.id:
            raise WebexRefusal(404, "There is no such webhook.")
        return webhook

    def change(self, owner: Person, webhook_id: str, members: Mapping[str, str]) -> Webhook:
        """Change a webhook; one that is inactive becomes active with ``status``.

        :param members: ``name`` and ``targetUrl``, and perhaps ``secret`` and ``status``
        :raises WebexRefusal: 404 there is none; 400 something is missing, or another status than ``active``
        """
        webhook = self.get(owner, webhook_id)
        _check_target(members)
        changes: dict[str, Any] = {"name": members["name"], "target_url": members["targetUrl"]}
        if "secret" in members:
            changes["secret"] = members["secret"]
        if "status" in members:
            if members["status"] != "active":
                raise WebexRefusal(400, "status of a webhook can only be set to active.")
            changes |= {"active": True, "failures": ()}
        self.all[webhook.id] = dataclasses.replace(webhook, **changes)
        return self.all[webhook.id]

    def delete(self, owner: Person, webhook_id: str) -> None:
        """Forget a webhook. :raises WebexRefusal: 404, there is none"""
        del self.all[self.get(owner, webhook_id).id]

    def describe(self, webhook: Webhook) -> dict[str, Any]:
        """Return a webhook as the API tells it."""
        described = self._described(webhook)
        return {**described, "secret": webhook.secret} if webhook.secret else described

    # -- events ------------------------------------------------------------------------------------------------------

    def tell(self, event: Event) -> None:
        """Have an event delivered to whom it concerns."""
        for webhook in list(self.all.values()):
            owner = self._directory.get(webhook.owner_id)
            if webhook.active and owner is not None and _concerns(webhook, owner, event, self._data(event)):
                self._deliver(webhook, self._body(webhook, event))

    def delivered(self, webhook_id: str, succeeded: bool, now: float) -> None:
        """Note how a delivery went; too many failures make the webhook inactive."""
        webhook = self.all.get(webhook_id)
        if webhook is None or succeeded or not webhook.active:
            return
        failures = (*(at for at in webhook.failures if now - at < self._settings.deactivate_within), now)
        active = len(failures) < self._settings.deactivate_after
        self.all[webhook.id] = dataclasses.replace(webhook, failures=failures, active=active)

    def _body(self, webhook: Webhook, event: Event) -> bytes:
        body = {
            **self._described(webhook),
            # A webhook for everything is told what it was that happened.
            "resource": event.resource,
            "event": event.happening,
            "actorId": event.actor.id,
            "data": self._data(event),
        }
        return json.dumps(body, separators=(",", ":")).encode()

    def _described(self, webhook: Webhook) -> dict[str, Any]:
        owner = self._directory.get(webhook.owner_id)
        described = {
            "id": webhook.id,
            "name": webhook.name,
            "targetUrl": webhook.target_url,
            "resource": webhook.resource,
            "event": webhook.event,
            "orgId": owner.org_id if owner is not None else "",
            "createdBy": webhook.owner_id,
            "appId": self._ids.application(webhook.owner_id),
            "ownedBy": "creator",
            "status": "active" if webhook.active else "inactive",
            "created": iso(webhook.created),
        }
        return {**described, "filter": webhook.filter} if webhook.filter else described

    def _data(self, event: Event) -> dict[str, Any]:
        """Return what is told of an event. Neither texts nor inputs are: those are encrypted between their ends."""
        message, action = event.message, event.action
        if action is not None:
            return {
                "id": action.id,
                "type": "submit",
                "messageId": action.message_id,
                "personId": action.person_id,
                "roomId": action.room_id,
                "created": iso(action.created),
            }
        author = self._directory.get(message.person_id)
        data: dict[str, Any] = {
            "id": message.id,
            "roomId": message.room_id,
            "roomType": event.room.type,
            "personId": message.person_id,
            "personEmail": author.email if author is not None else "",
            "created": iso(message.created),
        }
        if message.mentioned_people:
            data["mentionedPeople"] = list(message.mentioned_people)
        return data


def _concerns(webhook: Webhook, owner: Person, event: Event, data: Mapping[str, Any]) -> bool:
    if webhook.resource not in (event.resource, "all") or webhook.event not in (event.happening, "all"):
        return False
    if owner.id not in event.room.members:
        return False
    if event.resource == "attachmentActions":
        if event.message.person_id != owner.id:
            return False
    elif owner.type == "bot" and event.room.type == "group" and owner.id not in event.message.mentioned_people:
        return False
    return all(_fits(name, value, owner, data) for name, value in parse_qsl(webhook.filter))


def _fits(name: str, value: str, owner: Person, data: Mapping[str, Any]) -> bool:
    wanted = owner.id if value == "me" else value
    there = data.get(name)
    return wanted in there if isinstance(there, list) else there == wanted


def _check_target(members: Mapping[str, str]) -> None:
    if not members.get("name") or not members.get("targetUrl"):
        raise WebexRefusal(400, "A webhook needs name and targetUrl.")
    try:
        parts = urlsplit(members["targetUrl"])
        usable = parts.scheme in ("https", "http") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise WebexRefusal(400, "targetUrl must be an address on the web.")


def _checked_filter(text: str) -> str:
    pairs = parse_qsl(text, keep_blank_values=True)
    if text and not (pairs and all(name in FILTERS and value for name, value in pairs)):
        raise WebexRefusal(400, f"filter is made of {', '.join(FILTERS)}, as in a query.")
    return text
