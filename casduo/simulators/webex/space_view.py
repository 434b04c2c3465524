"""What somebody sees of their spaces: the list of them, and the messages of one. Facts for templates."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from casduo.simulators.webex.card_view import CardView, Toggle, visibility
from casduo.simulators.webex.directory import Directory
from casduo.simulators.webex.model import Action, Message, Person, Room
from casduo.simulators.webex.pressing import buttons
from casduo.simulators.webex.spaces import Spaces

NOBODY = "Somebody who left"
_HUES = 8


@dataclass(frozen=True, slots=True)
class Entry:
    """A space in the list of spaces.

    :param hue: which colour its avatar has
    :param preview: who wrote last, and what
    """

    room: Room
    title: str
    hue: int
    sender: str
    preview: str


@dataclass(frozen=True, slots=True)
class Shown:
    """A message.

    :param key: an HTML id
    :param version: another one when the message has to be shown anew
    :param day: the date, where it is the first message of that day
    :param reply_to: whom it replies to; empty when it begins a thread
    :param parent_deleted: what it replies to is not there any more
    :param presses: what the viewer sent for its card
    """

    message: Message
    key: str
    version: str
    author: str
    author_id: str
    bot: bool
    own: bool
    day: str
    reply_to: str
    parent_deleted: bool
    html: Markup
    card: CardView | None
    presses: Sequence[Action]

    @property
    def has_inputs(self) -> bool:
        """Whether something can be typed into its card."""
        return self.message.card is not None and any(button.inputs for button in buttons(self.message.card))


@dataclass(frozen=True, slots=True)
class Refused:
    """Inputs that a client would not send: for which card, what they were, and what is wrong with them."""

    message_id: str
    typed: Mapping[str, str]
    problems: Mapping[str, str]


class SpaceView:
    """Looks at spaces with somebody's eyes. The caller holds the lock."""

    def __init__(self, spaces: Spaces, directory: Directory) -> None:
        self._spaces = spaces
        self._directory = directory

    def entries(self, viewer: Person) -> list[Entry]:
        """Return somebody's spaces, the one in which something happened last first."""
        rooms = sorted(self._spaces.rooms_of(viewer), key=lambda room: room.last_activity, reverse=True)
        return [self._entry(viewer, room) for room in rooms]

    def messages(
        self, viewer: Person, room: Room, toggles: Sequence[Toggle], refused: Refused | None = None
    ) -> list[Shown]:
        """Return the messages of a space, threads together, the oldest first."""
        shown: list[Shown] = []
        day = ""
        for message in self._threaded(room):
            this_day = time.strftime("%A, %d %B %Y", time.localtime(message.created))
            first = this_day != day and message.parent_id is None
            shown.append(self._shown(viewer, message, this_day if first else "", toggles, refused))
            day = this_day if first else day
        return shown

    def hue(self, person_id: str) -> int:
        """Return which colour somebody's avatar has, on every page."""
        ids = [person.id for person in self._directory.everybody()]
        return ids.index(person_id) % _HUES if person_id in ids else 0

    def may_post(self, viewer: Person, room: Room) -> bool:
        """Return whether somebody can post in a space."""
        return not room.read_only and (not room.announcement_only or viewer.id in room.moderators)

    def names(self, room: Room, viewer: Person) -> list[str]:
        """Return the names of the others in a space."""
        people = [self._directory.get(member) for member in room.members if member != viewer.id]
        return [person.display_name for person in people if person is not None]

    def _entry(self, viewer: Person, room: Room) -> Entry:
        messages = [message for message in self._spaces.in_room(room.id) if not message.deleted]
        title, hue = self._spaces.title(room, viewer), self._room_hue(room, viewer)
        if not messages:
            return Entry(room, title, hue, "", "No messages yet")
        last = messages[-1]
        author = self._directory.get(last.person_id)
        name = NOBODY if author is None else author.display_name.partition(" ")[0]
        sender = "You" if last.person_id == viewer.id else name if room.type == "group" else ""
        return Entry(room, title, hue, sender, last.text or "A card")

    def _room_hue(self, room: Room, viewer: Person) -> int:
        others = [member for member in room.members if member != viewer.id]
        if room.type == "direct" and others:
            return self.hue(others[0])
        # Counted from the other end, so that the first spaces and the first people differ.
        return _HUES - 1 - list(self._spaces.rooms).index(room.id) % _HUES

    def _threaded(self, room: Room) -> Iterator[Message]:
        """Return what is not deleted: every message, and after it the replies to it."""
        there = [message for message in self._spaces.in_room(room.id) if not message.deleted]
        known = {message.id for message in there}
        replies: dict[str, list[Message]] = {}
        for message in there:
            if message.parent_id in known:
                replies.setdefault(self._first(message), []).append(message)
        for message in there:
            if message.parent_id not in known:
                yield message
                yield from replies.get(message.id, ())

    def _first(self, message: Message) -> str:
        """Return the id of the message with which a thread begins, as far as it is still there."""
        while message.parent_id is not None and not self._spaces.messages[message.parent_id].deleted:
            message = self._spaces.messages[message.parent_id]
        return message.id

    def _shown(
        self, viewer: Person, message: Message, day: str, toggles: Sequence[Toggle], refused: Refused | None
    ) -> Shown:
        author = self._directory.get(message.person_id)
        presses = [
            action
            for action in self._spaces.actions.values()
            if action.message_id == message.id and action.person_id == viewer.id
        ]
        parent = self._spaces.messages.get(message.parent_id or "")
        return Shown(
            message=message,
            key=f"m-{message.id}",
            version=f"{message.edits}.{len(presses)}.{'' if parent is None else parent.deleted}.{day}",
            author=NOBODY if author is None else author.display_name,
            author_id=message.person_id,
            bot=author is not None and author.type == "bot",
            own=message.person_id == viewer.id,
            day=day,
            reply_to="" if parent is None else self._reply_to(parent, viewer),
            parent_deleted=parent is not None and parent.deleted,
            html=Markup(message.html) if message.markdown is not None and message.html else Markup(""),  # noqa: S704
            card=None if message.card is None else _card(message, toggles, refused),
            presses=presses,
        )

    def _reply_to(self, parent: Message, viewer: Person) -> str:
        if parent.deleted:
            return "a deleted message"
        author = self._directory.get(parent.person_id)
        if parent.person_id == viewer.id:
            return "you"
        return NOBODY if author is None else author.display_name


def _card(message: Message, toggles: Sequence[Toggle], refused: Refused | None) -> CardView | None:
    if message.card is None:
        return None
    mine = refused if refused is not None and refused.message_id == message.id else None
    return CardView(
        card=message.card,
        message_id=message.id,
        key=f"m-{message.id}",
        typed={} if mine is None else mine.typed,
        problems={} if mine is None else mine.problems,
        visible=visibility(message.card, message.id, toggles),
        toggles=toggles,
    )
