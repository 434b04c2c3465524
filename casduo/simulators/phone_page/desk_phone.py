"""A phone on a desk: whoever presses its keys, the phone does what it does then, and starts anew after a login."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from casduo.simulators.phone import CannotType, IpPhone, NoSuchKey, Screen
from casduo.simulators.phone_page.display import SOFTKEYS, Display, display_of, idle, next_first_key, restarting
from casduo.simulators.phone_page.facts import Line, Login, PhoneFacts

SETTLING_SECONDS = 4.0
"""From the moment somebody is logged in or out until the phone restarts: the UCM takes a moment to tell it, which is
also the time to read the last page."""

RESTARTING_SECONDS = 2.0
"""For the restart itself."""

_SUBMIT = "SoftKey:Submit"
_NUMBERED = re.compile(r"(soft|item)-(\d{1,3})")


@dataclass(frozen=True, slots=True)
class View:
    """What is to be seen of a phone at one moment.

    :param moment: the phone's time in epoch seconds.
    :param page: another number for another page on the display; one that was only fetched again keeps its number.
    :param occupant: with whose profile it started; None for its own.
    :param violations: what a real phone would have refused.
    """

    moment: float
    page: int
    display: Display
    line: Line
    occupant: Login | None
    violations: tuple[str, ...]

    @property
    def version(self) -> str:
        """A word that is another one when people would see something else."""
        return self.display.version(self.page, self.line, len(self.violations))

    @property
    def clock(self) -> str:
        """The time of day."""
        return time.strftime("%H:%M", time.localtime(self.moment))

    @property
    def date(self) -> str:
        """The day."""
        return time.strftime("%A, %d %B", time.localtime(self.moment))


class DeskPhone:
    """One phone. May be used by several threads.

    :param phone: what does the work.
    :param login_of: who is logged in on a device, as the UCM knows it. It is asked whenever somebody looks.
    :param lines: what the phone shows of its line, by the name of the profile it has.
    :param clock: epoch seconds; the phone's own.
    """

    def __init__(
        self,
        phone: IpPhone,
        facts: PhoneFacts,
        login_of: Callable[[str], Login | None],
        lines: Mapping[str, Line],
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.facts = facts
        self._phone = phone
        self._login_of = login_of
        self._lines = lines
        self._clock = clock
        self._occupant = login_of(facts.device)
        self._restart_at: float | None = None
        self._running_from = 0.0
        self._shape: object = None
        self._page = phone.page
        self._pages = 0
        self._cursor = 0
        self._first_key = 0
        self._complaint = ""
        # Held while the phone makes a request, too.
        self._lock = threading.Lock()

    @property
    def login(self) -> Login | None:
        """Who is logged in, as the UCM knows it. The phone itself shows it after its restart."""
        return self._login_of(self.facts.device)

    def look(self) -> View:
        """Have the phone do what is due, and return what is seen of it."""
        with self._lock:
            self._settle()
            return View(
                self._clock(),
                self._pages,
                self._display(),
                self._line(),
                self._occupant,
                tuple(self._phone.violations),
            )

    def press(self, key: str, typed: Mapping[str, str], at: str = "", page: int | None = None) -> None:
        """Press a key. One that does nothing now does nothing.

        :param key: ``0`` to ``9``, ``*``, ``#``, ``services``, ``back``, ``up``, ``down``, ``select``, ``soft-1`` to
            ``soft-4`` or ``item-1`` and so on.
        :param typed: what stands in the fields of the form on the display: ``field-1`` and so on.
        :param at: the field the person is in.
        :param page: the number of the page the person sees: a key meant for a page that is not there any more, such as
            the second of two quick presses, does nothing. None presses it whatever is on the display.
        """
        with self._lock:
            self._settle()
            if self._is_restarting() or page not in (None, self._pages):
                return
            self._complaint = ""
            try:
                self._type(typed, at)
                self._carry_out(key)
            except NoSuchKey:
                pass
            except CannotType as error:
                # Letters where only digits go.
                self._complaint = str(error)
            self._notice_page()

    # -- what time brings --------------------------------------------------------------------------------------------

    def _settle(self) -> None:
        now = self._clock()
        self._phone.tick()
        self._notice_page()
        login = self.login
        if _profile_of(login) == _profile_of(self._occupant):
            self._restart_at = None
        elif self._restart_at is None:
            self._restart_at = now + SETTLING_SECONDS
        elif now >= self._restart_at:
            self._phone.restart(login.profile if login is not None else "")
            self._occupant, self._restart_at = login, None
            self._running_from = now + RESTARTING_SECONDS
            self._notice_page()

    def _notice_page(self) -> None:
        page = self._phone.page
        if page is self._page:
            return
        self._page = page
        screen, before = self._phone.screen, self._shape
        self._shape = None if screen is None else (screen.kind, screen.title, screen.items, screen.softkeys)
        # A form that comes again, such as after a wrong PIN, is one to begin anew.
        if self._shape != before or (screen is not None and screen.kind == "input"):
            self._pages += 1
            self._cursor = self._first_key = 0

    def _is_restarting(self) -> bool:
        return self._clock() < self._running_from

    # -- what is seen ------------------------------------------------------------------------------------------------

    def _display(self) -> Display:
        if self._is_restarting():
            return restarting()
        screen, page = self._phone.screen, self._phone.page
        error = self._phone.prompt_error or self._complaint
        if screen is None or page is None:
            return idle(error)
        return display_of(screen, error, page.values, self._cursor, self._first_key)

    def _line(self) -> Line:
        if self._occupant is None:
            return Line(self.facts.number, self.facts.place)
        unknown = Line(self.facts.number, self._occupant.profile)
        return self._lines.get(self._occupant.profile, unknown)

    # -- what keys do ------------------------------------------------------------------------------------------------

    def _type(self, typed: Mapping[str, str], at: str) -> None:
        screen = self._phone.screen
        names = [field.name for field in screen.inputs] if screen is not None else []
        places = [place for place in range(len(names)) if f"field-{place + 1}" in typed]
        if at in typed and at in (f"field-{place + 1}" for place in places):
            self._cursor = int(at.removeprefix("field-")) - 1
        # The field typed last is the one the phone's cursor is in.
        for place in sorted(places, key=lambda place: place == self._cursor):
            self._phone.type(**{names[place]: typed[f"field-{place + 1}"]})

    def _carry_out(self, key: str) -> None:
        numbered = _NUMBERED.fullmatch(key)
        if key == "services":
            self._phone.press_services()
            return
        screen = self._phone.screen
        if screen is None:
            return
        if numbered is not None and numbered[1] == "soft":
            self._press_softkey(screen, int(numbered[2]))
        elif numbered is not None:
            self._phone.pick(int(numbered[2]))
        elif key == "back":
            self._phone.back()
        elif screen.kind == "menu":
            self._use_menu(screen, key)
        elif screen.kind == "input":
            self._use_form(screen, key)

    def _press_softkey(self, screen: Screen, place: int) -> None:
        if len(screen.softkeys) > SOFTKEYS:
            if place == SOFTKEYS:
                self._first_key = next_first_key(screen.softkeys, self._first_key)
                return
            place += self._first_key
        self._phone.press_position(place)

    def _use_menu(self, screen: Screen, key: str) -> None:
        if key in ("up", "down"):
            step = 1 if key == "down" else -1
            self._phone.highlight(min(max(1, screen.highlighted + step), len(screen.items)))
        elif key == "select":
            self._phone.pick(screen.highlighted)
        elif key.isdigit():
            self._phone.dial(key)

    def _use_form(self, screen: Screen, key: str) -> None:
        page = self._phone.page
        assert page is not None
        names = [field.name for field in screen.inputs]
        if key in ("up", "down"):
            step = 1 if key == "down" else -1
            self._cursor = min(max(0, self._cursor + step), len(names) - 1)
        elif key == "select":
            empty = next((place for place, name in enumerate(names) if not page.values[name]), None)
            if empty is not None:
                self._cursor = empty
            else:
                self._submit()
        elif key:
            name = names[self._cursor]
            self._phone.type(**{name: page.values[name] + key})

    def _submit(self) -> None:
        page = self._phone.page
        submit = next((each for each in page.keys if each.url == _SUBMIT), None) if page is not None else None
        if submit is not None:
            self._phone.press_position(submit.position)


def _profile_of(login: Login | None) -> tuple[str, str]:
    return ("", "") if login is None else (login.user, login.profile)
