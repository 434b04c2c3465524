"""What there is in Webex: people and bots, spaces, messages, presses of buttons, webhooks. Values that never change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

Card = Mapping[str, Any]
"""The JSON object of an Adaptive Card."""

CARD_TYPE = "application/vnd.microsoft.card.adaptive"


def iso(moment: float) -> str:
    """Return epoch seconds the way Webex writes times: ISO 8601, UTC, milliseconds."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, or a bot.

    :param emails: the first is the one Webex shows
    :param token: what calls are authenticated with
    """

    id: str
    emails: tuple[str, ...]
    display_name: str
    org_id: str
    type: Literal["person", "bot"]
    created: float
    token: str = field(repr=False)

    @property
    def email(self) -> str:
        """The first of the addresses."""
        return self.emails[0]

    def has_email(self, email: str) -> bool:
        """Return whether an address is this person's, in upper or lower case."""
        return email.lower() in {each.lower() for each in self.emails}


@dataclass(frozen=True, slots=True)
class Room:
    """A space.

    :param members: ids of people, in the order they came
    :param moderators: ids of those who may post when only moderators may, and delete what others wrote
    :param title_unreadable: lists show an error in the place of the title
    """

    id: str
    title: str
    type: Literal["group", "direct"]
    members: tuple[str, ...]
    created: float
    last_activity: float
    creator_id: str
    moderators: tuple[str, ...] = ()
    announcement_only: bool = False
    read_only: bool = False
    title_unreadable: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """A message.

    :param text: what clients without rich text show; derived from ``markdown`` where only that was sent
    :param markdown: None where none was sent
    :param html: what ``markdown`` becomes; None without one
    :param attachments: as they were sent; at most one, a card
    :param to: how the recipient of a direct message was named: ``toPersonId`` or ``toPersonEmail``, and the value
    :param mentioned_people: ids
    :param deleted: it is gone for everybody but the tests
    """

    id: str
    room_id: str
    person_id: str
    created: float
    text: str = ""
    markdown: str | None = None
    html: str | None = None
    attachments: tuple[Mapping[str, Any], ...] = ()
    files: tuple[str, ...] = ()
    to: tuple[str, str] | None = None
    parent_id: str | None = None
    mentioned_people: tuple[str, ...] = ()
    mentioned_groups: tuple[str, ...] = ()
    updated: float | None = None
    edits: int = 0
    deleted: bool = False

    @property
    def card(self) -> Card | None:
        """The card, if there is one."""
        content = self.attachments[0]["content"] if self.attachments else None
        return content if isinstance(content, Mapping) else None


@dataclass(frozen=True, slots=True)
class Action:
    """Inputs that somebody sent for a card.

    :param button: title of the button that was pressed on the page or by a test; empty where only inputs are known
    """

    id: str
    message_id: str
    room_id: str
    person_id: str
    inputs: Mapping[str, Any]
    created: float
    button: str = ""


@dataclass(frozen=True, slots=True)
class Webhook:
    """A registration for events.

    :param filter: in the form of a query, empty for everything
    :param secret: deliveries are signed with it; empty leaves them unsigned
    :param failures: when deliveries failed, as far as that counts towards becoming inactive
    """

    id: str
    owner_id: str
    name: str
    target_url: str
    resource: str
    event: str
    created: float
    filter: str = ""
    secret: str = field(default="", repr=False)
    active: bool = True
    failures: tuple[float, ...] = ()
