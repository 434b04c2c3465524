"""What Webex tells of: people, spaces, messages, presses of buttons, webhooks. Plain values, read defensively. Pure.

Source: Webex's API reference for messaging. Ids are opaque; members that an answer lacks are empty. Half a character,
which JSON can name and nobody can send, becomes a ``?``: members of a space make up inputs and choose their names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from casduo.authentication.names import lowered_address


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that was posted: its id and its space."""

    id: str
    room: str


@dataclass(frozen=True, slots=True)
class PostedMessage:
    """A message. ``person`` wrote it, ``parent`` is the one it replies to, ``created`` in epoch seconds."""

    id: str
    room: str
    person: str
    parent: str = ""
    created: float = 0.0


@dataclass(frozen=True, slots=True)
class WebexPerson:
    """Somebody, or a bot.

    :param emails: in lower case
    :param kind: ``person``, ``bot`` or ``appuser``; empty where Webex does not say
    :param organisation: id of their organisation
    """

    id: str
    emails: tuple[str, ...]
    name: str
    kind: str
    organisation: str


@dataclass(frozen=True, slots=True)
class CardAction:
    """A press of a button. Whatever is in ``inputs`` any member of the space may have made up.

    :param message: the message whose card was pressed
    :param inputs: the values of inputs and of the button's data, as texts
    :param created: epoch seconds
    """

    id: str
    message: str
    person: str
    room: str
    inputs: Mapping[str, str] = field(repr=False)
    created: float


@dataclass(frozen=True, slots=True)
class Room:
    """A space that the bot is in. ``kind`` is ``group`` or ``direct``; ``title`` may be unreadable, and empty then."""

    id: str
    title: str
    kind: str
    locked: bool = False
    announcement_only: bool = False
    read_only: bool = False


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook of the bot. ``organisation`` and ``creator`` stand in each of its deliveries."""

    id: str
    name: str
    target: str
    resource: str
    event: str
    active: bool
    organisation: str = ""
    creator: str = ""


def posted(answer: Any) -> Posted:
    """Read the answer to a new message.

    :raises ValueError: it has no id
    """
    return Posted(_id(answer), _text(answer, "roomId"))


def posted_message(answer: Any) -> PostedMessage:
    """Read a message.

    :raises ValueError: it has no id
    """
    return PostedMessage(
        id=_id(answer),
        room=_text(answer, "roomId"),
        person=_text(answer, "personId"),
        parent=_text(answer, "parentId"),
        created=_moment(answer),
    )


def person(answer: Any) -> WebexPerson:
    """Read a person.

    :raises ValueError: it has no id
    """
    emails = answer.get("emails") if isinstance(answer, Mapping) else None
    known = emails if isinstance(emails, list) else []
    return WebexPerson(
        id=_id(answer),
        emails=tuple(lowered_address(_whole(each)) for each in known if isinstance(each, str)),
        name=_text(answer, "displayName"),
        kind=_text(answer, "type"),
        organisation=_text(answer, "orgId"),
    )


def card_action(answer: Any) -> CardAction:
    """Read a press.

    :raises ValueError: it has no id
    """
    inputs = answer.get("inputs") if isinstance(answer, Mapping) else None
    given = inputs if isinstance(inputs, Mapping) else {}
    return CardAction(
        id=_id(answer),
        message=_text(answer, "messageId"),
        person=_text(answer, "personId"),
        room=_text(answer, "roomId"),
        inputs={_whole(str(name)): as_text(value) for name, value in given.items()},
        created=_moment(answer),
    )


def room(answer: Any) -> Room:
    """Read a space.

    :raises ValueError: it has no id
    """
    return Room(
        id=_id(answer),
        title=_text(answer, "title"),
        kind=_text(answer, "type"),
        locked=answer.get("isLocked") is True,
        announcement_only=answer.get("isAnnouncementOnly") is True,
        read_only=answer.get("isReadOnly") is True,
    )


def webhook(answer: Any) -> Webhook:
    """Read a webhook.

    :raises ValueError: it has no id
    """
    return Webhook(
        id=_id(answer),
        name=_text(answer, "name"),
        target=_text(answer, "targetUrl"),
        resource=_text(answer, "resource"),
        event=_text(answer, "event"),
        active=_text(answer, "status") == "active",
        organisation=_text(answer, "orgId"),
        creator=_text(answer, "createdBy"),
    )


def items(answer: Any) -> list[Any]:
    """Return the members of a list.

    :raises ValueError: it is none
    """
    match answer:
        case {"items": list(found)}:
            return found
    raise ValueError("not a list of Webex's")


def as_text(value: object) -> str:
    """Return a value of JSON as a text: a button's data may come back as it was sent."""
    return _whole(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _id(answer: Any) -> str:
    match answer:
        case {"id": str(found)} if found:
            return _whole(found)
    raise ValueError("nothing of Webex's: it has no id")


def _text(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    return _whole(value) if isinstance(value, str) else ""


def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")


def _moment(answer: Mapping[str, Any]) -> float:
    try:
        moment = datetime.fromisoformat(_text(answer, "created"))
        # Without a zone it would be taken for this machine's.
        return moment.timestamp() if moment.tzinfo is not None else 0.0
    except (ValueError, OverflowError):
        return 0.0
