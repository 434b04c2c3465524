"""The simulated Webex as one object: started and stopped, filled with people and spaces, steered by tests and demo."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from casduo.simulators.certificates import CertificateAuthority, CertificateFault, LeafFiles
from casduo.simulators.clock import VirtualClock
from casduo.simulators.files import write_file
from casduo.simulators.transport import TransportFaults
from casduo.simulators.webex import snapshot
from casduo.simulators.webex.api import Api
from casduo.simulators.webex.delivery import Deliveries, Delivery
from casduo.simulators.webex.directory import HOME, Directory, new_token
from casduo.simulators.webex.faults import WebexFaults
from casduo.simulators.webex.ids import Ids
from casduo.simulators.webex.limits import Limit, RateLimit
from casduo.simulators.webex.model import CARD_TYPE, Action, Card, Message, Person, Room, Webhook
from casduo.simulators.webex.pages import Pages
from casduo.simulators.webex.pressing import button_titled, gather
from casduo.simulators.webex.requests_log import RequestLog
from casduo.simulators.webex.settings import Settings
from casduo.simulators.webex.spaces import Draft, Spaces
from casduo.simulators.webex.web import VERSION, Site, WebexServer, WebexWeb
from casduo.simulators.webex.webhooks import Webhooks


class WebexSimulator:
    """Webex for one organisation, on a socket of this machine.

    :param clock: the time by which messages are dated, limits let go and webhooks are given up, epoch seconds; None is
        the real time
    :param certificate: for TLS; None speaks plain HTTP
    :param host: the name clients and browsers use; it must be in the certificate
    :param port: TCP port; 0 takes a free one
    :param seed: ids are the same for the same seed, if the same is done
    :param authority: who signed ``certificate``; needed by :meth:`show_certificate` only
    """

    def __init__(
        self,
        clock: Callable[[], float] | None = None,
        *,
        certificate: LeafFiles | None = None,
        host: str = "localhost",
        port: int = 0,
        seed: str = "casduo",
        authority: CertificateAuthority | None = None,
    ) -> None:
        self._clock = time.time if clock is None else clock
        self._certificate = certificate
        self._authority = authority
        self._lock = threading.RLock()
        self._ids = Ids(seed)
        self._limit = RateLimit()
        self._listening = False
        self.settings = Settings()
        """Limits and open points, changeable at any time."""
        self.faults = WebexFaults()
        """Switches for wrong answers and wrong deliveries."""
        self.requests = RequestLog()
        """The calls so far: ``requests("POST", "/messages")``."""
        self._directory = Directory(self._ids)
        self._deliveries = Deliveries(self.settings, self.faults, self._clock, self._delivered)
        self._webhooks = Webhooks(self._directory, self._ids, self.settings, self._deliveries.send)
        self._spaces = Spaces(self._directory, self._ids, self.settings, self._webhooks.tell)
        site = Site(self._ids, self._directory, self._limit, self.faults, self.requests, self._lock, self._clock)
        api = Api(self._directory, self._spaces, self._webhooks, self.settings)
        pages = Pages(self._spaces, self._directory, self.settings, self._lock, self._clock, host)
        self._web = WebexWeb(site, api, pages)
        self._server = WebexServer(self._web, certificate=certificate, host=host, port=port, name="webex-simulator")
        if certificate is not None:
            self.trust(certificate.ca)

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the port, answer and deliver. See :meth:`SimulatorServer.start`."""
        self._server.start()
        self._listening = True
        self._web.base_url = self._server.url
        self._deliveries.start()

    def stop(self) -> None:
        """Close the port and every connection, and deliver no more. Harmless when not started."""
        self._listening = False
        self.faults.release()
        self._server.stop()
        self._deliveries.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def base_url(self) -> str:
        """What stands before the paths of the API, with a slash at the end."""
        return f"{self._server.url}{VERSION}/"

    @property
    def page_url(self) -> str:
        """The page for people."""
        return f"{self._server.url}/"

    @property
    def ca_file(self) -> Path:
        """PEM file a client must trust. :raises ValueError: the simulator speaks plain HTTP"""
        if self._certificate is None:
            raise ValueError("a simulator without a certificate has no authority")
        return self._certificate.ca

    @property
    def transport(self) -> TransportFaults:
        """Switches for what happens below HTTP, by exact paths such as ``/v1/messages``."""
        return self._server.faults

    @property
    def listening(self) -> bool:
        """Whether connections are accepted."""
        return self._listening

    def stop_listening(self) -> None:
        """Refuse connections from now on, and drop those that exist: an outage."""
        self._listening = False
        self.faults.release()
        self._server.stop_listening()

    def listen_again(self) -> None:
        """Accept connections again, on the same port."""
        self._server.listen_again()
        self._listening = True

    def show_certificate(self, fault: CertificateFault | None) -> None:
        """Show a certificate on new connections that clients must refuse; None shows the right one again.

        :raises ValueError: the simulator speaks plain HTTP, or was not told its authority
        """
        if self._certificate is None or self._authority is None:
            raise ValueError("only a simulator with a certificate and its authority can show wrong ones")
        self._server.use_certificate(self._certificate if fault is None else self._authority.issue_wrong(fault))
        self._server.drop_connections()

    def advance(self, seconds: float) -> None:
        """Let time pass at once. :raises ValueError: the clock cannot be moved"""
        if not isinstance(self._clock, VirtualClock):
            raise ValueError("only a VirtualClock can be moved")
        self._clock.advance(seconds)

    def save(self, path: Path) -> None:
        """Write all that there is to a file that only its owner can read: it holds tokens."""
        with self._lock:
            document = snapshot.take(self._ids, self._directory, self._spaces, self._webhooks)
        write_file(path, document)

    def load(self, path: Path) -> None:
        """Put what :meth:`save` wrote in the place of all that there is.

        :raises OSError: the file cannot be read
        :raises SnapshotUnreadable: it is something else
        """
        document = path.read_bytes()
        with self._lock:
            snapshot.restore(document, self._ids, self._directory, self._spaces, self._webhooks)

    # -- people ------------------------------------------------------------------------------------------------------

    def add_person(
        self,
        email: str,
        display_name: str = "",
        *,
        org: str | None = None,
        emails: Iterable[str] = (),
        token: str | None = None,
    ) -> Person:
        """Make somebody known.

        :param display_name: empty for what stands before the @
        :param org: name of the organisation; None is the one everybody is in
        :param emails: further addresses
        :param token: None makes one
        :raises ValueError: an address or the token is somebody's already
        """
        others = tuple(each for each in emails if each.lower() != email.lower())
        return self._add("person", (email, *others), display_name, org, token)

    def add_bot(
        self, name: str, *, email: str | None = None, org: str | None = None, token: str | None = None
    ) -> Person:
        """Make a bot known; the arguments are those of :meth:`add_person`.

        :param email: None for ``NAME@webex.bot``
        """
        return self._add("bot", (f"{name.lower()}@webex.bot" if email is None else email,), name, org, token)

    def people(self) -> list[Person]:
        """Return everybody, bots too, in the order they came."""
        with self._lock:
            return self._directory.everybody()

    def person(self, email: str) -> Person:
        """Return somebody by any of their addresses. :raises KeyError: nobody has it"""
        with self._lock:
            return self._directory.named(email)

    def remove_person(self, person: Person) -> None:
        """Forget somebody; their token is not valid and nothing can be sent to them any more.

        :raises KeyError: they are gone already
        """
        with self._lock:
            for room in self._spaces.rooms_of(person):
                self._leave(room, person)
            self._directory.remove(person.id)

    def revoke(self, token: str) -> None:
        """Have a token refused from now on. :raises KeyError: nobody has it"""
        with self._lock:
            self._directory.revoke(token)

    def renew_token(self, person: Person, token: str | None = None) -> Person:
        """Give somebody another token and have the old one refused. Returns the person with it."""
        with self._lock:
            return self._directory.renew(person, token or new_token())

    # -- spaces ------------------------------------------------------------------------------------------------------

    def add_room(
        self,
        title: str,
        members: Iterable[Person] = (),
        *,
        announcement_only: bool = False,
        read_only: bool = False,
        moderators: Iterable[Person] = (),
    ) -> Room:
        """Make a group space.

        :param announcement_only: only moderators can post
        :param read_only: nobody can post
        :param moderators: they can delete what others wrote, too
        """
        with self._lock:
            return self._spaces.add_room(
                title,
                members,
                self._clock(),
                announcement_only=announcement_only,
                read_only=read_only,
                moderators=tuple(person.id for person in moderators),
            )

    def rooms(self) -> list[Room]:
        """Return every space, 1:1 spaces too, in the order they were made."""
        with self._lock:
            return list(self._spaces.rooms.values())

    def room(self, room_id: str) -> Room:
        """Return a space as it is now. :raises KeyError: there is none"""
        with self._lock:
            return self._spaces.rooms[room_id]

    def change_room(self, room_id: str, **changes: Any) -> Room:
        """Change fields of a space, for instance ``announcement_only`` or ``title_unreadable``.

        :raises KeyError: there is none
        """
        with self._lock:
            return self._spaces.change_room(self._spaces.rooms[room_id], **changes)

    def add_member(self, room_id: str, person: Person) -> None:
        """Let somebody into a space. :raises KeyError: there is none"""
        with self._lock:
            room = self._spaces.rooms[room_id]
            self._spaces.change_room(room, members=tuple(dict.fromkeys((*room.members, person.id))))

    def remove_member(self, room_id: str, person: Person) -> None:
        """Take somebody out of a space. :raises KeyError: there is none"""
        with self._lock:
            self._leave(self._spaces.rooms[room_id], person)

    def remove_room(self, room_id: str) -> None:
        """Delete a space with all that was said in it. :raises KeyError: there is none"""
        with self._lock:
            for message in self._spaces.in_room(room_id):
                del self._spaces.messages[message.id]
            del self._spaces.rooms[room_id]

    # -- messages ----------------------------------------------------------------------------------------------------

    def post(
        self, email: str, room_id: str, markdown: str = "", *, card: Card | None = None, parent_id: str | None = None
    ) -> Message:
        """Post as somebody, without the API's checks of size and form. :raises KeyError: nobody has that address"""
        attachments = () if card is None else ({"contentType": CARD_TYPE, "content": card},)
        with self._lock:
            draft = Draft(markdown=markdown, attachments=attachments, parent_id=parent_id)
            return self._spaces.post(self._directory.named(email), room_id, draft, self._clock())

    def message(self, message_id: str) -> Message:
        """Return a message, a deleted one too. :raises KeyError: there is none"""
        with self._lock:
            return self._spaces.messages[message_id]

    def messages_in(self, room_id: str, *, deleted: bool = False) -> list[Message]:
        """Return the messages of a space in the order they came. :param deleted: those that are deleted too"""
        with self._lock:
            return [message for message in self._spaces.in_room(room_id) if deleted or not message.deleted]

    def direct_messages(self, email: str, *, deleted: bool = False) -> list[Message]:
        """Return what others wrote to somebody in 1:1 spaces, in the order it came.

        :raises KeyError: nobody has that address
        """
        with self._lock:
            person = self._directory.named(email)
            rooms = {room.id for room in self._spaces.rooms_of(person) if room.type == "direct"}
            return [
                message
                for message in self._spaces.messages.values()
                if message.room_id in rooms and message.person_id != person.id and (deleted or not message.deleted)
            ]

    @property
    def deleted(self) -> list[Message]:
        """The messages that were deleted, in the order in which that was done."""
        with self._lock:
            found = (self._spaces.messages.get(each) for each in self._spaces.deletions)
            return [message for message in found if message is not None]

    # -- cards -------------------------------------------------------------------------------------------------------

    def press(
        self,
        message_id: str,
        email: str,
        button: str | Mapping[str, Any],
        inputs: Mapping[str, str] | None = None,
    ) -> str:
        """Press a button of a card as a client does it: every input of the card is sent, and the button's data over it.

        :param button: title of an ``Action.Submit`` anywhere in the card, or members of its ``data``
        :param inputs: what is typed, by the ids of inputs; the others keep what the card gave them
        :returns: the id of the action
        :raises KeyError: there is no such person, message, button or input
        :raises InputsRefused: an input is missing or of the wrong form
        :raises WebexRefusal: they are not in the space, or the message is deleted
        """
        with self._lock:
            person, message = self._directory.named(email), self._spaces.messages[message_id]
            found = button_titled(message.card or {}, button)
            sent = gather(found, inputs or {}, data_as_text=self.settings.data_as_text)
            return self._spaces.act(person, message_id, sent, self._clock(), button=found.title).id

    def submit(self, email: str, message_id: str, inputs: Mapping[str, Any]) -> str:
        """Send any inputs at all for a card, as a member of its space can. Returns the id of the action.

        :raises KeyError: nobody has that address
        :raises WebexRefusal: as :meth:`press`
        """
        with self._lock:
            return self._spaces.act(self._directory.named(email), message_id, inputs, self._clock()).id

    def actions(self, message_id: str | None = None) -> list[Action]:
        """Return what was sent for a card, or for all of them, in the order it came."""
        with self._lock:
            return [each for each in self._spaces.actions.values() if message_id in (None, each.message_id)]

    # -- webhooks ----------------------------------------------------------------------------------------------------

    @property
    def webhooks(self) -> list[Webhook]:
        """Everybody's webhooks, the oldest first."""
        with self._lock:
            return list(self._webhooks.all.values())

    @property
    def deliveries(self) -> list[Delivery]:
        """What was, is being or will be delivered, in the order of the events."""
        return self._deliveries.record()

    def wait_for_deliveries(self, timeout: float = 10.0) -> None:
        """Return once every delivery that is due has succeeded or failed; what faults hold back does not count.

        :param timeout: real seconds
        :raises TimeoutError: that takes longer
        """
        self._deliveries.wait(timeout)

    def release_deliveries(self) -> None:
        """Deliver now what faults hold back."""
        self._deliveries.release()

    def trust(self, ca_file: Path) -> None:
        """Deliver to receivers whose certificates this authority signed; without a word it is the simulator's own.

        :raises OSError: the file cannot be read
        """
        self._deliveries.trust(ca_file)

    # -- what goes wrong ---------------------------------------------------------------------------------------------

    def fail(
        self,
        endpoint: str,
        status: int,
        *,
        times: int | None = 1,
        retry_after: int | str | None = None,
        message: str = "",
        done: bool = False,
    ) -> None:
        """Answer calls with a status instead of the right answer. See :meth:`WebexFaults.fail`.

        :param endpoint: for instance ``POST /messages``, ``DELETE /messages/{id}``; ``*`` for every one
        :param times: how many calls; None for all until ``faults.clear()``
        """
        self.faults.fail(endpoint, status, times=times, retry_after=retry_after, message=message, done=done)

    @property
    def rate_limit(self) -> Limit | None:
        """How many calls a token can make in a time; one more is answered with 429. None is no limit."""
        return self._limit.limit

    @rate_limit.setter
    def rate_limit(self, limit: Limit | None) -> None:
        self._limit.set(limit)

    # -- inside ------------------------------------------------------------------------------------------------------

    def _add(
        self, kind: Literal["person", "bot"], emails: tuple[str, ...], name: str, org: str | None, token: str | None
    ) -> Person:
        with self._lock:
            return self._directory.add(
                Person(
                    id=self._ids.new("PEOPLE"),
                    emails=emails,
                    display_name=name or emails[0].partition("@")[0],
                    org_id=self._ids.organization(HOME if org is None else org),
                    type=kind,
                    created=self._clock(),
                    token=token or new_token(),
                )
            )

    def _leave(self, room: Room, person: Person) -> None:
        self._spaces.change_room(room, members=tuple(each for each in room.members if each != person.id))

    def _delivered(self, webhook_id: str, succeeded: bool, at: float) -> None:
        with self._lock:
            self._webhooks.delivered(webhook_id, succeeded, at)
