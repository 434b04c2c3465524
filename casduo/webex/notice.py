"""What a delivery of Webex says: that somebody pressed a button, and which press to look up. Pure.

What was chosen is not in it; it has to be fetched (Webex for Developers, "Buttons and Cards": inputs are encrypted and
never part of a webhook). All else in a delivery is a hint at best.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, Literal

LONGEST = 64 * 1024
"""Bytes of a delivery that are looked at. Real ones have about one thousand."""

NoticeFault = Literal["unknown_webhook", "foreign"]
RESOURCE, EVENT = "attachmentActions", "created"
"""What a webhook is registered for: presses of buttons."""
_ID = re.compile(r"[\x21-\x7e]{1,512}")
"""Ids mean nothing to us, but for what no id is."""


class MalformedNotice(ValueError):
    """A delivery that cannot be read."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A delivery: ``webhook`` and ``organisation`` by which it came, ``bot`` who registered that, and the press."""

    webhook: str
    resource: str
    event: str
    organisation: str
    bot: str
    action: str


@dataclass(frozen=True, slots=True)
class Registration:
    """The webhook as Webex has it: its id, the organisation as the answer to our registration named it, the bot that it
    belongs to, and that bot's own organisation, which Webex writes in another way.
    """

    webhook: str
    organisation: str
    bot: str
    bot_organisation: str


def read_notice(body: bytes) -> Notice:
    """Return what a delivery says.

    :param body: as it came, its signature verified
    :raises MalformedNotice: it is no delivery
    """
    try:
        members = json.loads(body.decode("utf-8"))
    except (ValueError, RecursionError):
        raise MalformedNotice("not JSON") from None
    if not isinstance(members, dict) or not isinstance(members.get("data"), dict):
        raise MalformedNotice("not an object with data")
    return Notice(
        webhook=_id(members, "id"),
        resource=_id(members, "resource"),
        event=_id(members, "event"),
        organisation=_id(members, "orgId"),
        bot=_id(members, "createdBy"),
        action=_id(members["data"], "id"),
    )


def notice_fault(notice: Notice, registration: Registration | None) -> NoticeFault | None:
    """Return why a delivery is not one that we asked for, ``None`` where it is.

    While nothing is known of our webhook any press counts: our secret has signed it, Webex tells of it only once and
    has no list of presses, and nothing is done about it before the webhook is known.

    :param notice: its signature verified
    :param registration: what is known of our webhook, ``None`` for nothing
    """
    if registration is not None and notice.webhook != registration.webhook:
        return "unknown_webhook"
    if (notice.resource, notice.event) != (RESOURCE, EVENT):
        return "foreign"
    if registration is not None and (notice.organisation, notice.bot) != (registration.organisation, registration.bot):
        return "foreign"
    return None


def _id(members: dict[str, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or _ID.fullmatch(value) is None:
        raise MalformedNotice(f"{name} is no id")
    return value
