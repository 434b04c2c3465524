"""Webex in a browser: choose who to be, look into spaces, press buttons of cards, write. Works without scripts."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from casduo.simulators.pages import from_own_page, see_other, static_file, text
from casduo.simulators.webex.card_view import Toggle
from casduo.simulators.webex.directory import Directory
from casduo.simulators.webex.errors import WebexRefusal
from casduo.simulators.webex.model import Message, Person, Room
from casduo.simulators.webex.pressing import Button, InputsRefused, Json, buttons, gather
from casduo.simulators.webex.rendering import PACKAGE, Renderer
from casduo.simulators.webex.settings import Settings
from casduo.simulators.webex.space_view import Refused, SpaceView
from casduo.simulators.webex.spaces import Draft, Spaces

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self';"
        " form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_OWN_NAMES = ("localhost", "127.0.0.1", "[::1]")
_PORT = re.compile(r":\d+$")

_READ = ("GET",)
_URLS = Map(
    [
        Rule("/", endpoint="people", methods=_READ),
        Rule("/version", endpoint="version", methods=_READ),
        Rule("/static/<name>", endpoint="static", methods=_READ),
        Rule("/as/<email>", endpoint="spaces", methods=_READ),
        Rule("/as/<email>/<room_id>", endpoint="space", methods=("GET", "POST")),
    ],
    strict_slashes=False,
    merge_slashes=False,
)


class Pages:
    """Answers browsers.

    :param host: a name of this machine, beside those every machine has
    :param clock: the simulator's time in epoch seconds
    """

    def __init__(
        self,
        spaces: Spaces,
        directory: Directory,
        settings: Settings,
        lock: threading.RLock,
        clock: Callable[[], float],
        host: str,
    ) -> None:
        self._spaces = spaces
        self._directory = directory
        self._settings = settings
        self._lock = lock
        self._clock = clock
        self._names = (*_OWN_NAMES, host)
        self._view = SpaceView(spaces, directory)
        self._renderer = Renderer()
        self._show: Mapping[str, Callable[..., Response]] = {
            "people": self._show_people,
            "version": lambda request: text(self._version()),
            "static": lambda request, name: static_file(PACKAGE, name),
            "spaces": self._show_spaces,
            "space": self._show_space,
        }

    def respond(self, request: Request) -> Response:
        """Answer a request for a page."""
        with self._lock:
            response = self._answer(request)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def _answer(self, request: Request) -> Response:
        # A page elsewhere could have its own name lead to this machine: it would still be that name that is asked for.
        if _PORT.sub("", request.host) not in self._names:
            return self._message("Address this machine by its own name.", 403)
        try:
            endpoint, arguments = _URLS.bind_to_environ(request.environ).match()
        except NotFound:
            return self._message("There is no such page.", 404)
        except HTTPException as error:
            return text(error.description or "", error.code or 400)
        if request.method == "POST" and not from_own_page(request):
            return self._message("That request came from another site.", 403)
        try:
            return self._show[endpoint](request, **arguments)
        except WebexRefusal as refusal:
            return self._message(refusal.message, refusal.status)

    # -- pages -------------------------------------------------------------------------------------------------------

    def _show_people(self, request: Request) -> Response:
        people = self._directory.everybody()
        entries = {person.id: self._view.entries(person) for person in people}
        return self._page("people.html", people=people, entries=entries)

    def _show_spaces(self, request: Request, email: str) -> Response:
        viewer = self._viewer(email)
        return self._page("spaces.html", viewer=viewer, entries=self._view.entries(viewer), room=None)

    def _show_space(self, request: Request, email: str, room_id: str) -> Response:
        viewer = self._viewer(email)
        room = self._spaces.room_for(viewer, room_id)
        toggles = _toggles(request.args.getlist("toggle"))
        if request.method == "GET":
            return self._space(viewer, room, toggles)
        if "press" in request.form:
            return self._press(viewer, room, request.form, toggles)
        return self._say(viewer, room, request.form.get("text", ""))

    def _space(
        self, viewer: Person, room: Room, toggles: Sequence[Toggle], refused: Refused | None = None, notice: str = ""
    ) -> Response:
        messages = self._view.messages(viewer, room, toggles, refused)
        return self._page(
            "space.html",
            viewer=viewer,
            entries=self._view.entries(viewer),
            room=room,
            title=self._spaces.title(room, viewer),
            names=self._view.names(room, viewer),
            messages=messages,
            # Without scripts the page refreshes itself, which would wipe out what is being typed.
            typing=bool(refused or notice) or any(shown.has_inputs for shown in messages),
            may_post=self._view.may_post(viewer, room),
            notice=notice,
        )

    # -- what people do ----------------------------------------------------------------------------------------------

    def _press(self, viewer: Person, room: Room, form: MultiDict[str, str], toggles: Sequence[Toggle]) -> Response:
        message = self._spaces.message_for(viewer, form.get("message", ""))
        button = _button(message, form["press"])
        typed = {name: _typed(field, form.getlist(f"input:{name}")) for name, field in button.inputs.items()}
        try:
            inputs = gather(button, typed, data_as_text=self._settings.data_as_text)
        except InputsRefused as refused:
            return self._space(viewer, room, toggles, Refused(message.id, typed, refused.problems))
        self._spaces.act(viewer, message.id, inputs, self._clock(), button=button.title)
        return see_other(f"{_address(viewer, room)}#m-{message.id}")

    def _say(self, viewer: Person, room: Room, words: str) -> Response:
        words = words.replace("\r\n", "\n").strip()
        if not words:
            return self._space(viewer, room, (), notice="There is nothing to send yet.")
        if len(words.encode()) > self._settings.max_message_bytes:
            return self._space(viewer, room, (), notice="That is too long for one message.")
        self._spaces.post(viewer, room.id, Draft(markdown=words), self._clock())
        return see_other(f"{_address(viewer, room)}#latest")

    # -- inside ------------------------------------------------------------------------------------------------------

    def _viewer(self, email: str) -> Person:
        found = self._directory.find(email)
        if found is None:
            raise WebexRefusal(404, "Nobody has that address here.")
        return found

    def _version(self) -> str:
        return f"{len(self._directory.everybody())}-{self._spaces.version}"

    def _page(self, template: str, status: int = 200, **values: object) -> Response:
        return self._renderer.page(
            template,
            status,
            version=self._version(),
            address=_address,
            people_page=_people_page,
            hue=self._view.hue,
            **values,
        )

    def _message(self, message: str, status: int) -> Response:
        return self._page("message.html", status, message=message)


def _address(viewer: Person, room: Room) -> str:
    return f"{_people_page(viewer)}/{quote(room.id, safe='')}"


def _people_page(viewer: Person) -> str:
    return f"/as/{quote(viewer.email, safe='@')}"


def _toggles(values: Sequence[str]) -> list[Toggle]:
    return [(message_id, place) for message_id, _, place in (value.partition("~") for value in values)]


def _button(message: Message, place: str) -> Button:
    for button in () if message.card is None else buttons(message.card):
        if button.place == place:
            return button
    raise WebexRefusal(400, "The card has no such button.")


def _typed(field: Json, values: Sequence[str]) -> str:
    """Return what a form says about an input as a client sends it: an empty box is the value for off."""
    if field["type"] == "Input.Toggle":
        name, default = ("valueOn", "true") if values else ("valueOff", "false")
        return str(field.get(name, default))
    return ",".join(values).replace("\r\n", "\n")
