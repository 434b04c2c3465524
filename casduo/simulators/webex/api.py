"""What each endpoint of the API does: arguments in, rules asked, objects out.

Written from Cisco's published description of the messaging API. The caller holds the lock.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from casduo.simulators.webex.call import Call, Result, listed
from casduo.simulators.webex.cards import check_attachments
from casduo.simulators.webex.directory import Directory
from casduo.simulators.webex.errors import WebexRefusal
from casduo.simulators.webex.faults import ENDPOINTS
from casduo.simulators.webex.model import Message, Room
from casduo.simulators.webex.objects import action_object, message_object, person_object, room_object
from casduo.simulators.webex.settings import Settings
from casduo.simulators.webex.spaces import Draft, Spaces
from casduo.simulators.webex.webhooks import Webhooks

Handler = Callable[[Call], Result]

_EMAIL = re.compile(r"[^@\s<>,;]+@[^@\s<>,;.]+(\.[^@\s<>,;.]+)+")
_DESTINATIONS = ("roomId", "toPersonId", "toPersonEmail")
_MOST_ROOMS = 1000
_MOST_MESSAGES = 1000
_DEFAULT_MESSAGES = 50
_MOST_PEOPLE = 1000
_MOST_WEBHOOKS = 100
_SORTING: Mapping[str, Callable[[Room], Any]] = {
    "id": lambda room: room.id,
    "lastactivity": lambda room: -room.last_activity,
    "created": lambda room: -room.created,
}


class Api:
    """The endpoints."""

    def __init__(self, directory: Directory, spaces: Spaces, webhooks: Webhooks, settings: Settings) -> None:
        self._directory = directory
        self._spaces = spaces
        self._webhooks = webhooks
        self._settings = settings
        self._handlers: Mapping[str, Handler] = {
            "GET /messages": self._list_messages,
            "POST /messages": self._post_message,
            "GET /messages/direct": self._list_direct_messages,
            "GET /messages/{id}": lambda call: self._message(self._spaces.message_for(call.person, call.id)),
            "PUT /messages/{id}": self._edit_message,
            "DELETE /messages/{id}": self._delete_message,
            "GET /rooms": self._list_rooms,
            "GET /rooms/{id}": lambda call: Result(
                200, room_object(self._spaces, self._spaces.room_for(call.person, call.id), call.person)
            ),
            "GET /people": self._list_people,
            "GET /people/me": lambda call: Result(200, person_object(call.person)),
            "GET /people/{id}": self._get_person,
            "GET /webhooks": lambda call: listed(
                [self._webhooks.describe(each) for each in self._webhooks.of(call.person)], call, _MOST_WEBHOOKS
            ),
            "POST /webhooks": lambda call: Result(
                200, self._webhooks.describe(self._webhooks.create(call.person, call.texts(), call.now))
            ),
            "GET /webhooks/{id}": lambda call: Result(
                200, self._webhooks.describe(self._webhooks.get(call.person, call.id))
            ),
            "PUT /webhooks/{id}": lambda call: Result(
                200, self._webhooks.describe(self._webhooks.change(call.person, call.id, call.texts()))
            ),
            "DELETE /webhooks/{id}": self._delete_webhook,
            "POST /attachment/actions": self._act,
            "GET /attachment/actions/{id}": lambda call: Result(
                200, action_object(self._spaces.action_for(call.person, call.id))
            ),
        }

    def carry_out(self, endpoint: str, call: Call) -> Result:
        """Do what a call asks for. :raises WebexRefusal: it cannot be done"""
        return self._handlers[endpoint](call)

    # -- messages ----------------------------------------------------------------------------------------------------

    def _post_message(self, call: Call) -> Result:
        named = [(name, value) for name in _DESTINATIONS if (value := call.text(name))]
        if len(named) != 1:
            raise WebexRefusal(400, f"A message needs exactly one of {', '.join(_DESTINATIONS)}.")
        draft = self._draft(call)
        how, value = named[0]
        if how == "roomId":
            return self._message(self._spaces.post(call.person, value, draft, call.now))
        if how == "toPersonEmail" and _EMAIL.fullmatch(value) is None:
            raise WebexRefusal(400, "toPersonEmail must be an e-mail address.")
        return self._message(self._spaces.post_to(call.person, named[0], draft, call.now))

    def _edit_message(self, call: Call) -> Result:
        room_id = call.require("roomId")
        html = call.text("html")
        if html is not None and call.text("markdown") is not None:
            raise WebexRefusal(400, "A message cannot have both html and markdown.")
        if call.body.get("attachments") or call.body.get("files"):
            raise WebexRefusal(400, "Editing messages with files or cards is not supported.")
        draft = Draft(text=call.text("text"), markdown=call.text("markdown"), html=html)
        self._check_content(draft)
        return self._message(self._spaces.edit(call.person, call.id, room_id, draft, call.now))

    def _delete_message(self, call: Call) -> Result:
        self._spaces.delete(call.person, call.id, call.now)
        return Result(204)

    def _list_messages(self, call: Call) -> Result:
        room = self._spaces.room_for(call.person, call.parameter("roomId"))
        mentioned = call.query.get("mentionedPeople", "")
        if call.person.type == "bot" and room.type == "group" and mentioned not in ("me", call.person.id):
            raise WebexRefusal(403, "In a group space a bot can only list messages that mention it.")
        return self._listed(room, call, call.person.id if mentioned == "me" else mentioned)

    def _list_direct_messages(self, call: Call) -> Result:
        person_id, email = call.query.get("personId", ""), call.query.get("personEmail", "")
        if bool(person_id) == bool(email):
            raise WebexRefusal(400, "The call needs one of personId and personEmail.")
        other = self._directory.get(person_id) if person_id else self._directory.find(email)
        room = None if other is None else self._spaces.direct_room(call.person, other)
        if room is None:
            raise WebexRefusal(404, "There is no 1:1 space with that person.")
        return self._listed(room, call, "")

    def _listed(self, room: Room, call: Call, mentioned: str) -> Result:
        """Return messages of a space, the newest first."""
        messages = self._spaces.in_room(room.id)
        limit, parent = call.query.get("beforeMessage", ""), call.query.get("parentId", "")
        if limit:
            messages = messages[: self._place(messages, limit)]
        wanted = [
            message
            for message in reversed(messages)
            if not message.deleted
            and (not mentioned or mentioned in message.mentioned_people)
            and (not parent or message.parent_id == parent)
        ]
        objects = [message_object(each, room, self._directory) for each in wanted]
        before = call.query.get("before", "")
        return listed(
            [each for each in objects if not before or each["created"] < before],
            call,
            _MOST_MESSAGES,
            _DEFAULT_MESSAGES,
        )

    def _place(self, messages: list[Message], message_id: str) -> int:
        for number, message in enumerate(messages):
            if message.id == message_id:
                return number
        raise WebexRefusal(404, "There is no such message in that space.")

    def _draft(self, call: Call) -> Draft:
        draft = Draft(
            text=call.text("text"),
            markdown=call.text("markdown"),
            attachments=check_attachments(call.body.get("attachments"), self._settings),
            files=_files(call.body.get("files")),
            parent_id=call.text("parentId") or None,
        )
        self._check_content(draft)
        return draft

    def _check_content(self, draft: Draft) -> None:
        words = draft.text or draft.markdown
        if not (words or draft.attachments or draft.files):
            raise WebexRefusal(400, "A message needs text, markdown, a file or a card.")
        if draft.attachments and not words and self._settings.card_needs_text:
            raise WebexRefusal(400, "A card needs text or markdown beside it.")
        most = self._settings.max_message_bytes
        for name, value in (("text", draft.text), ("markdown", draft.markdown), ("html", draft.html)):
            if value is not None and len(value.encode()) > most:
                raise WebexRefusal(400, f"{name} is longer than {most} bytes.")

    def _message(self, message: Message) -> Result:
        return Result(200, message_object(message, self._spaces.rooms[message.room_id], self._directory))

    # -- spaces and people -------------------------------------------------------------------------------------------

    def _list_rooms(self, call: Call) -> Result:
        kind, order = call.query.get("type"), call.query.get("sortBy", "lastactivity")
        if kind not in (None, "group", "direct") or order not in _SORTING:
            raise WebexRefusal(400, f"type is group or direct; sortBy is one of {', '.join(_SORTING)}.")
        # No space here belongs to a team.
        rooms = [] if call.query.get("teamId") else self._spaces.rooms_of(call.person)
        rooms = sorted((room for room in rooms if kind in (None, room.type)), key=_SORTING[order])
        return listed([room_object(self._spaces, room, call.person) for room in rooms], call, _MOST_ROOMS)

    def _list_people(self, call: Call) -> Result:
        email, name, ids = (call.query.get(each, "") for each in ("email", "displayName", "id"))
        if not (email or name or ids):
            raise WebexRefusal(400, "The call needs email, displayName or id.")
        if email and _EMAIL.fullmatch(email) is None:
            raise WebexRefusal(400, "email must be an e-mail address.")
        found = [
            person
            for person in self._directory.everybody()
            # Nobody finds people of other organisations.
            if person.org_id == call.person.org_id
            and (not email or person.has_email(email))
            and (not name or person.display_name.lower().startswith(name.lower()))
            and (not ids or person.id in ids.split(","))
        ]
        return listed([person_object(person) for person in found], call, _MOST_PEOPLE)

    def _get_person(self, call: Call) -> Result:
        found = self._directory.get(call.id)
        if found is None:
            raise WebexRefusal(404, "There is no such person.")
        return Result(200, person_object(found))

    # -- webhooks and cards ------------------------------------------------------------------------------------------

    def _delete_webhook(self, call: Call) -> Result:
        self._webhooks.delete(call.person, call.id)
        return Result(204)

    def _act(self, call: Call) -> Result:
        inputs = call.body.get("inputs")
        if call.require("type") != "submit":
            raise WebexRefusal(400, "type must be submit.")
        if not isinstance(inputs, dict):
            raise WebexRefusal(400, "inputs must be an object.")
        action = self._spaces.act(call.person, call.require("messageId"), inputs, call.now)
        return Result(self._settings.action_status, action_object(action))


def find_endpoint(method: str, path: str) -> tuple[str, str]:
    """Return the endpoint that a call is for, and the id at the end of its path.

    :param path: after ``/v1``
    :raises WebexRefusal: 404 there is nothing like that; 405 not with this method
    """
    parent, _, last = path.rpartition("/")
    for template, found_id in ((path, ""), (f"{parent}/{{id}}", last)):
        methods = [each.partition(" ")[0] for each in ENDPOINTS if each.partition(" ")[2] == template]
        if method in methods:
            return f"{method} {template}", found_id
        if methods and (template == path or last):
            raise WebexRefusal(405, f"{path} takes {', '.join(methods)}.")
    raise WebexRefusal(404, "There is nothing at that address.")


def _files(files: object) -> tuple[str, ...]:
    if files is None or files == []:
        return ()
    if not isinstance(files, list) or len(files) != 1 or not isinstance(files[0], str):
        raise WebexRefusal(400, "files must be a list with one address.")
    if urlsplit(files[0]).scheme not in ("https", "http"):
        raise WebexRefusal(400, "files must be an address on the web.")
    return (files[0],)
