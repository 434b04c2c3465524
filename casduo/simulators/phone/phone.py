"""The emulated phone: keys and typing in, screens and requests out."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from casduo.simulators.clock import VirtualClock
from casduo.simulators.phone.answers import read_pushed
from casduo.simulators.phone.cookies import CookieJar
from casduo.simulators.phone.errors import NoSuchKey, PhoneRefused, Refusal
from casduo.simulators.phone.exchange import Address, Answer, Network
from casduo.simulators.phone.fetching import Fetcher, Sent
from casduo.simulators.phone.objects import Displayable, Execution
from casduo.simulators.phone.page import Page
from casduo.simulators.phone.presets import PRESETS, Preset
from casduo.simulators.phone.screen import Screen, frame
from casduo.simulators.phone.uris import is_http
from casduo.simulators.phone.window import Window

DEVICE_NAME = "#DEVICENAME#"
"""What the phone replaces with its name in the address of a service."""


class IpPhone:
    """One phone with one subscribed service. May be used by several threads.

    :param device: its name, ``SEP`` and twelve hexadecimal digits.
    :param model: a key of :data:`~casduo.simulators.phone.presets.PRESETS`, or a preset of your own.
    :param service_url: the service's address as the administrator wrote it; ``#DEVICENAME#`` in it is replaced.
    :param ca_file: what TLS servers it trusts: a PEM file. None trusts nobody: phones know no public authority.
    :param clock: the phone's time in epoch seconds. Refreshes are due by it; connections time out by the real time.
    :param source_address: the IP address it sends from.
    :param language: its Accept-Language.
    :param resolve: where a host really is, as address and port, before the system is asked.
    :param timeout: seconds without a byte after which a server is given up. Phones' own value is published nowhere.
    :param service_name: the service's name, the title of a first page without one.
    :param replace_in_pages: replace ``#DEVICENAME#`` in pages too, as some phones do; the vendor promises it only for
        the service's address.

    A page that cannot be shown leaves the page before it on the display, with an error on the prompt line.
    """

    def __init__(
        self,
        device: str,
        model: str | Preset,
        *,
        service_url: str,
        ca_file: Path | str | None = None,
        clock: Callable[[], float] = time.time,
        source_address: str = "127.0.0.1",
        language: str = "en-US",
        resolve: Mapping[str, Address] | None = None,
        timeout: float = 10.0,
        service_name: str = "",
        replace_in_pages: bool = False,
    ) -> None:
        self.device = device
        self.preset = model if isinstance(model, Preset) else PRESETS[model]
        self.profile = ""
        self.restarts = 0
        self._clock = clock
        self._replace_in_pages = replace_in_pages
        network = Network(None if ca_file is None else Path(ca_file), source_address, resolve, timeout)
        self._fetcher = Fetcher(self.preset, language, network, clock, self._prepared)
        self._window = Window(self.preset, self._fetcher, clock, service_url.replace(DEVICE_NAME, device), service_name)
        self._restart_at: tuple[float, str] | None = None
        self._waiting: deque[Callable[[], None]] = deque()
        self._lock = threading.RLock()

    # What is seen

    @property
    def screen(self) -> Screen | None:
        """What is on the display now; None while no service is open."""
        page = self._window.page
        return None if page is None else page.screen(self._clock(), self._window.error)

    @property
    def prompt_error(self) -> str:
        """What the prompt line says about the last answer; empty when it was fine."""
        return self._window.error

    @property
    def page(self) -> Page | None:
        """The page behind the screen with its addresses, for programs that do what a person cannot."""
        return self._window.page

    @property
    def violations(self) -> list[str]:
        """Everything a strict phone does not accept, in the order it came."""
        return self._fetcher.violations

    @property
    def requests(self) -> list[Sent]:
        """What the phone sent for pages, in this order, without secret values."""
        return self._fetcher.requests

    @property
    def performed(self) -> list[str]:
        """URIs carried out that change nothing on this display, such as ``Init:CallHistory`` or ``Play:ring.raw``."""
        return self._window.performed

    @property
    def cookies(self) -> CookieJar:
        """The cookies it holds."""
        return self._fetcher.cookies

    def display(self) -> str:
        """Draw the display with a frame; without a service it shows the device, its profile and the last error."""
        screen = self.screen
        if screen is None:
            idle = self.profile or "No profile"
            screen = Screen("text", self.device, self.prompt_error, idle, (), 0, (), (), None)
        return frame(screen, self.preset.columns)

    def check(self) -> None:
        """Assert that the phone met nothing a strict phone refuses.

        :raises PhoneRefused: with all of :attr:`violations`.
        """
        if self.violations:
            raise PhoneRefused(tuple(self.violations))

    # What a person does

    def press_services(self) -> None:
        """Press the services key: the service opens in a new window."""
        with self._acting():
            self._window.open_service()

    def open(self, url: str, name: str = "") -> None:
        """Fetch any address as if a page had linked it. People cannot do that; whoever attacks a service can.

        :raises ValueError: not an http URL.
        """
        if not is_http(url):
            raise ValueError("not an http URL")
        with self._acting():
            self._window.visit(url, name)

    def type(self, /, **values: str) -> None:
        """Fill fields of the form, by their QueryStringParam.

        :raises CannotType: no such field, or the keypad cannot write the value into it.
        """
        with self._acting():
            for name, value in values.items():
                self._window.shown.type(name, value)

    def press(self, label: str) -> None:
        """Press the softkey with this label.

        :raises NoSuchKey: it is not on the display.
        """
        with self._acting():
            self._window.press(self._window.shown.key(label))

    def press_position(self, place: int) -> None:
        """Press the softkey at this place, from 1; -1 is the Applications button.

        :raises NoSuchKey: nothing is there.
        """
        with self._acting():
            self._window.press(self._window.shown.key_at(place))

    def highlight(self, number: int) -> None:
        """Move the cursor to a menu item, from 1, for softkeys that act on it.

        :raises NoSuchKey: there is no such item.
        """
        with self._acting():
            self._window.shown.highlight(number)

    def pick(self, number: int) -> None:
        """Choose a menu item, from 1.

        :raises NoSuchKey: there is no such item.
        """
        with self._acting():
            self._window.shown.highlight(number)
            self._window.select()

    def dial(self, digits: str) -> None:
        """Choose a menu item with the keypad.

        :raises NoSuchKey: no digits, or there is no such item.
        """
        if not (digits.isascii() and digits.isdigit()):
            raise NoSuchKey("the keypad picks menu items by digits")
        self.pick(int(digits))

    def back(self) -> None:
        """Return to the page before, fetched anew; close the service where there is none. Expired pages are skipped."""
        with self._acting():
            self._window.back()

    def exit(self) -> None:
        """Leave the service: its window closes."""
        with self._acting():
            self._window.close()

    # What time and others do

    def tick(self) -> bool:
        """Do what is due by now: a Refresh, a restart. Returns whether something was.

        After a refresh that failed the phone waits for a key.
        """
        with self._acting():
            now = self._clock()
            if self._restart_at is not None and self._restart_at[0] <= now:
                self._restart(self._restart_at[1])
                return True
            return self._window.refresh(now)

    def pass_time(self, seconds: float) -> None:
        """Advance the phone's virtual clock, with everything that falls due on the way at its own moment.

        :raises TypeError: the phone's clock is not a :class:`~casduo.simulators.clock.VirtualClock`.
        """
        clock = self._clock
        if not isinstance(clock, VirtualClock):
            raise TypeError("only a virtual clock can be moved")
        end = clock() + seconds
        while (due := self._next_due()) is not None and due <= end:
            clock.advance(max(0.0, due - clock()))
            self.tick()
        clock.advance(max(0.0, end - clock()))

    def restart(self, profile: str = "", *, after: float = 0.0) -> None:
        """Start anew, as after a login: nothing is open, nothing is kept, and the profile's name is on the display.

        May be called while the phone waits for an answer; it restarts when that has come.

        :param after: seconds on the phone's clock; more than 0 leaves it to :meth:`tick`.
        """
        if after > 0:
            self._restart_at = (self._clock() + after, profile)
        else:
            self._when_free(lambda: self._restart(profile))

    def examine(self, xml: str) -> Displayable | Execution:
        """Check an object that was sent to the phone.

        :raises Refusal: it is not valid. That is a violation, too.
        """
        try:
            return read_pushed(xml, self.preset, self._remark_push)
        except Refusal as refusal:
            self._remark_push(f"{refusal.prompt}: {refusal}")
            raise

    def take(self, pushed: Displayable | Execution) -> None:
        """Show or carry out an object that was sent to the phone, when no request is under way any more."""
        self._when_free(lambda: self._window.take(pushed))

    def ask(self, url: str, most: int) -> Answer:
        """Fetch what is not a page, such as the answer of an authentication URL.

        :param most: bytes to read of it, and one more where there is more.
        :raises Refusal: nobody answered.
        """
        return self._fetcher.ask(url, most)

    # Inside

    @contextmanager
    def _acting(self) -> Iterator[None]:
        with self._lock:
            try:
                yield
            finally:
                self._do_waiting()

    def _when_free(self, action: Callable[[], None]) -> None:
        """Do something now, or after the request that is under way in another thread.

        Whoever answers that request may be the one who calls: waiting here would have both wait for each other.
        """
        self._waiting.append(action)
        if self._lock.acquire(blocking=False):
            try:
                self._do_waiting()
            finally:
                self._lock.release()

    def _do_waiting(self) -> None:
        while self._waiting:
            self._waiting.popleft()()

    def _restart(self, profile: str) -> None:
        self._restart_at = None
        self._window.close()
        self.cookies.clear()
        self.profile = profile
        self.restarts += 1

    def _next_due(self) -> float | None:
        page = self._window.page
        moments = [self._restart_at[0] if self._restart_at else None, page.due if page else None]
        return min((moment for moment in moments if moment is not None), default=None)

    def _prepared(self, document: str) -> str:
        return document.replace(DEVICE_NAME, self.device) if self._replace_in_pages else document

    def _remark_push(self, text: str) -> None:
        self.violations.append(f"push: {text}")
