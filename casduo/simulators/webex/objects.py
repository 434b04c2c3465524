"""The objects of the API: how people, spaces, messages and presses are written as JSON."""

from __future__ import annotations

from typing import Any

from casduo.simulators.webex.directory import Directory
from casduo.simulators.webex.model import Action, Message, Person, Room, iso
from casduo.simulators.webex.spaces import Spaces


def person_object(person: Person) -> dict[str, Any]:
    """Return somebody. Nobody's token is in it."""
    first, _, last = person.display_name.partition(" ")
    return {
        "id": person.id,
        "emails": list(person.emails),
        "displayName": person.display_name,
        "nickName": first,
        "firstName": first,
        "lastName": last,
        "orgId": person.org_id,
        "created": iso(person.created),
        "type": person.type,
    }


def room_object(spaces: Spaces, room: Room, viewer: Person) -> dict[str, Any]:
    """Return a space as somebody sees it. One whose title cannot be read has ``errors`` in its place."""
    described: dict[str, Any] = {
        "id": room.id,
        "title": spaces.title(room, viewer),
        "type": room.type,
        "isLocked": bool(room.moderators),
        "isAnnouncementOnly": room.announcement_only,
        "isReadOnly": room.read_only,
        "isPublic": False,
        "ownerId": viewer.org_id,
        "creatorId": room.creator_id,
        "lastActivity": iso(room.last_activity),
        "created": iso(room.created),
    }
    if room.title_unreadable:
        del described["title"]
        described["errors"] = {"title": {"code": "kms_failure", "reason": "The title could not be decrypted."}}
    return described


def message_object(message: Message, room: Room, directory: Directory) -> dict[str, Any]:
    """Return a message."""
    author = directory.get(message.person_id)
    described: dict[str, Any] = {
        "id": message.id,
        "roomId": message.room_id,
        "roomType": room.type,
        "text": message.text,
        "personId": message.person_id,
        "personEmail": author.email if author is not None else "",
        "created": iso(message.created),
    }
    if message.to is not None:
        described[message.to[0]] = message.to[1]
    optional = {
        "parentId": message.parent_id,
        "markdown": message.markdown,
        "html": message.html,
        "files": list(message.files),
        "attachments": list(message.attachments),
        "mentionedPeople": list(message.mentioned_people),
        "mentionedGroups": list(message.mentioned_groups),
        "updated": None if message.updated is None else iso(message.updated),
    }
    return described | {name: value for name, value in optional.items() if value}


def action_object(action: Action) -> dict[str, Any]:
    """Return inputs that were sent."""
    return {
        "id": action.id,
        "type": "submit",
        "messageId": action.message_id,
        "inputs": dict(action.inputs),
        "personId": action.person_id,
        "roomId": action.room_id,
        "created": iso(action.created),
    }
