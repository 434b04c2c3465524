"""Spaces, the messages in them and the presses of their cards: who may do what, and what becomes of it.

Decides by the moment it is given. The caller holds the lock.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from casduo.simulators.webex import markdown
from casduo.simulators.webex.directory import Directory
from casduo.simulators.webex.errors import WebexRefusal
from casduo.simulators.webex.ids import Ids
from casduo.simulators.webex.model import Action, Message, Person, Room
from casduo.simulators.webex.settings import Settings

Happening = Literal["created", "updated", "deleted"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that webhooks may tell about.

    :param actor: who did it
    :param message: what it happened to, or the one whose card was pressed
    :param action: the press
    """

    resource: Literal["messages", "attachmentActions"]
    happening: Happening
    actor: Person
    room: Room
    message: Message
    action: Action | None
    at: float


@dataclass(frozen=True, slots=True)
class Draft:
    """What somebody wants to post or to put in the place of what they posted; content has been checked."""

    text: str | None = None
    markdown: str | None = None
    html: str | None = None
    attachments: tuple[Mapping[str, Any], ...] = ()
    files: tuple[str, ...] = ()
    parent_id: str | None = None


class Spaces:
    """Everything that is in spaces.

    :param notify: told about every event
    """

    def __init__(self, directory: Directory, ids: Ids, settings: Settings, notify: Callable[[Event], None]) -> None:
        self.rooms: dict[str, Room] = {}
        self.messages: dict[str, Message] = {}
        self.actions: dict[str, Action] = {}
        self._directory = directory
        self._ids = ids
        self._settings = settings
        self._notify = notify
        self.deletions: list[str] = []
        """Ids of messages in the order in which they were deleted."""
        self._edits = 0

    # -- spaces ------------------------------------------------------------------------------------------------------

    def add_room(self, title: str, members: Iterable[Person], now: float, **fields: Any) -> Room:
        """Make a group space.

        :param fields: further fields of :class:`~casduo.simulators.webex.model.Room`
        """
        ids = tuple(dict.fromkeys(member.id for member in members))
        creator = ids[0] if ids else ""
        room = Room(self._ids.new("ROOM"), title, "group", ids, now, now, creator, **fields)
        self.rooms[room.id] = room
        return room

    def change_room(self, room: Room, **changes: Any) -> Room:
        """Change fields of a space."""
        self.rooms[room.id] = dataclasses.replace(room, **changes)
        return self.rooms[room.id]

    def rooms_of(self, person: Person) -> list[Room]:
        """Return the spaces somebody is a member of, in the order they were made."""
        return [room for room in self.rooms.values() if person.id in room.members]

    def room_for(self, person: Person, room_id: str) -> Room:
        """Return a space that somebody is a member of. :raises WebexRefusal: 404 there is none, 403 not a member"""
        room = self.rooms.get(room_id)
        if room is None:
            raise WebexRefusal(404, "There is no such space.")
        if person.id not in room.members:
            raise WebexRefusal(403, "You are not a member of that space.")
        return room

    def direct_room(self, person: Person, other: Person) -> Room | None:
        """Return the 1:1 space of two people, if there is one."""
        pair = {person.id, other.id}
        return next((room for room in self.rooms.values() if room.type == "direct" and set(room.members) == pair), None)

    def title(self, room: Room, viewer: Person) -> str:
        """Return the title of a space as somebody sees it: a 1:1 space is called as the other one."""
        if room.type == "group":
            return room.title
        others = [self._directory.get(member) for member in room.members if member != viewer.id]
        return next((other.display_name for other in others if other is not None), room.title)

    # -- messages ----------------------------------------------------------------------------------------------------

    def in_room(self, room_id: str) -> list[Message]:
        """Return the messages of a space in the order they came, deleted ones among them."""
        return [message for message in self.messages.values() if message.room_id == room_id]

    def may_see(self, person: Person, message: Message, room: Room) -> bool:
        """Return whether somebody can read a message of a space they are in: bots only what they wrote, or what
        mentions them, except in 1:1 spaces.
        """
        if person.type == "person" or room.type == "direct":
            return True
        return person.id in (message.person_id, *message.mentioned_people)

    def message_for(self, person: Person, message_id: str) -> Message:
        """Return a message that somebody can read. :raises WebexRefusal: 404 there is none, 403 it is not for them"""
        message = self.messages.get(message_id)
        if message is None or message.deleted:
            raise WebexRefusal(404, "There is no such message.")
        room = self.room_for(person, message.room_id)
        if not self.may_see(person, message, room):
            raise WebexRefusal(403, "A bot can only read messages that it wrote or that mention it.")
        return message

    def post(self, author: Person, room_id: str, draft: Draft, now: float) -> Message:
        """Post into a space. :raises WebexRefusal: as :meth:`room_for`; 403 they may not post; 400 a wrong parent"""
        room = self.room_for(author, room_id)
        self._check_may_post(author, room)
        return self._add(author, room, draft, None, now)

    def post_to(self, author: Person, named: tuple[str, str], draft: Draft, now: float) -> Message:
        """Post to somebody, in a 1:1 space that is made if need be.

        :param named: ``toPersonId`` or ``toPersonEmail``, and the value
        :raises WebexRefusal: there is nobody like that (the status is a setting); 400 for oneself
        """
        how, value = named
        other = self._directory.get(value) if how == "toPersonId" else self._directory.find(value)
        if other is None:
            raise WebexRefusal(self._settings.unknown_recipient_status, "There is nobody to send that message to.")
        if other.id == author.id:
            raise WebexRefusal(400, "You cannot send a message to yourself.")
        room = self.direct_room(author, other)
        if room is None:
            members = (author.id, other.id)
            room = Room(self._ids.new("ROOM"), other.display_name, "direct", members, now, now, author.id)
            self.rooms[room.id] = room
        return self._add(author, room, draft, named, now)

    def edit(self, author: Person, message_id: str, room_id: str, draft: Draft, now: float) -> Message:
        """Put other content in the place of a message's.

        :raises WebexRefusal: as :meth:`message_for`; 403 it is not theirs; 400 another space, a card or a file, or
            too many edits
        """
        message = self.message_for(author, message_id)
        if message.person_id != author.id:
            raise WebexRefusal(403, "You can only edit your own messages.")
        if message.room_id != room_id:
            raise WebexRefusal(400, "The message is not in that space.")
        if message.attachments or message.files:
            raise WebexRefusal(400, "Editing messages with files or cards is not supported.")
        if message.edits >= self._settings.max_edits:
            raise WebexRefusal(400, f"A message can be edited {self._settings.max_edits} times at most.")
        changes = {**self._content(draft), "updated": now, "edits": message.edits + 1}
        changed = self.messages[message.id] = dataclasses.replace(message, **changes)
        self._edits += 1
        self._tell("messages", "updated", author, changed, None, now)
        return changed

    def delete(self, person: Person, message_id: str, now: float) -> None:
        """Delete a message.

        :raises WebexRefusal: 404 there is none; 403 not theirs, unless they moderate the space; for one that is
            deleted already, the status that is set
        """
        message = self.messages.get(message_id)
        if message is None:
            raise WebexRefusal(404, "There is no such message.")
        if message.deleted:
            raise WebexRefusal(self._settings.deleted_again_status, "There is no such message any more.")
        room = self.room_for(person, message.room_id)
        if person.id != message.person_id and person.id not in room.moderators:
            raise WebexRefusal(403, "You can only delete your own messages.")
        self._tell("messages", "deleted", person, message, None, now)
        self.messages[message.id] = dataclasses.replace(message, deleted=True)
        self.deletions.append(message.id)

    # -- cards -------------------------------------------------------------------------------------------------------

    def act(
        self, person: Person, message_id: str, inputs: Mapping[str, Any], now: float, *, button: str = ""
    ) -> Action:
        """Send inputs for a card, as any member may, whatever they are.

        :raises WebexRefusal: 404 there is no such message; 403 not a member; 400 it has no card
        """
        message = self.messages.get(message_id)
        if message is None or message.deleted:
            raise WebexRefusal(404, "There is no such message.")
        self.room_for(person, message.room_id)
        if person.type == "bot" and not self._settings.bots_may_press:
            raise WebexRefusal(403, "Bots cannot send inputs for cards.")
        if message.card is None:
            raise WebexRefusal(400, "The message has no card.")
        action = Action(
            self._ids.new("ATTACHMENT_ACTION"), message.id, message.room_id, person.id, dict(inputs), now, button
        )
        self.actions[action.id] = action
        self._tell("attachmentActions", "created", person, message, action, now)
        return action

    def action_for(self, person: Person, action_id: str) -> Action:
        """Return inputs that were sent. :raises WebexRefusal: 404 there are none; 403 not a member of the space"""
        action = self.actions.get(action_id)
        if action is None:
            raise WebexRefusal(404, "There is no such action.")
        self.room_for(person, action.room_id)
        return action

    # -- for pages ---------------------------------------------------------------------------------------------------

    @property
    def version(self) -> str:
        """A text that is another one after every change."""
        parts = (len(self.rooms), len(self.messages), len(self.actions), len(self.deletions), self._edits)
        return "-".join(map(str, parts))

    # -- inside ------------------------------------------------------------------------------------------------------

    def _check_may_post(self, author: Person, room: Room) -> None:
        if room.read_only:
            raise WebexRefusal(403, "The space is read-only.")
        if room.announcement_only and author.id not in room.moderators:
            raise WebexRefusal(403, "Only moderators can post in this space.")

    def _add(self, author: Person, room: Room, draft: Draft, named: tuple[str, str] | None, now: float) -> Message:
        self._check_parent(draft.parent_id, room)
        message = Message(
            id=self._ids.new("MESSAGE"),
            room_id=room.id,
            person_id=author.id,
            created=now,
            attachments=draft.attachments,
            files=draft.files,
            to=named,
            parent_id=draft.parent_id,
            **self._content(draft),
        )
        self.messages[message.id] = message
        self.change_room(room, last_activity=now)
        self._tell("messages", "created", author, message, None, now)
        return message

    def _check_parent(self, parent_id: str | None, room: Room) -> None:
        if parent_id is None:
            return
        parent = self.messages.get(parent_id)
        if parent is None or parent.deleted:
            raise WebexRefusal(404, "There is no such parent message.")
        if parent.room_id != room.id:
            raise WebexRefusal(400, "The parent message is in another space.")

    def _content(self, draft: Draft) -> dict[str, Any]:
        nodes = () if draft.markdown is None else markdown.parse(draft.markdown, self._resolve)
        mentioned = markdown.mentions(nodes)
        shown = None if draft.markdown is None else str(markdown.html(nodes))
        return {
            "text": markdown.plain(nodes) if draft.text is None else draft.text,
            "markdown": draft.markdown,
            "html": draft.html if draft.html is not None else shown,
            "mentioned_people": tuple(each for each in mentioned if each != markdown.ALL),
            "mentioned_groups": tuple(each for each in mentioned if each == markdown.ALL),
        }

    def _resolve(self, how: str, value: str) -> markdown.Mentioned | None:
        found = self._directory.get(value) if how == "personId" else self._directory.find(value)
        return None if found is None else markdown.Mentioned(found.id, found.display_name)

    def _tell(
        self,
        resource: Literal["messages", "attachmentActions"],
        happening: Happening,
        actor: Person,
        message: Message,
        action: Action | None,
        now: float,
    ) -> None:
        self._notify(Event(resource, happening, actor, self.rooms[message.room_id], message, action, now))
