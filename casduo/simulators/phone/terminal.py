"""An emulated phone worked from a terminal: one command a line in, the display out."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from casduo.simulators.phone.errors import PhoneError
from casduo.simulators.phone.phone import IpPhone

HELP = """\
services             press the services key
type NAME VALUE      fill the field with that QueryStringParam
press LABEL          press a softkey by its label
key NUMBER           press a softkey by its place
pick NUMBER          choose a menu item
highlight NUMBER     move the cursor to a menu item
wait [SECONDS]       let time pass: until the next refresh, or so many seconds
back                 the page before
exit                 leave the service
restart [PROFILE]    start anew, as after a login
requests             what the phone has sent
violations           what a strict phone does not accept
quit                 end"""


class Terminal:
    """Carries out commands on a phone.

    :param write: shows a text.
    :param pause: lets so many seconds pass on the phone's clock.
    :param clock: the phone's clock.
    """

    def __init__(
        self,
        phone: IpPhone,
        write: Callable[[str], None],
        pause: Callable[[float], None],
        clock: Callable[[], float],
    ) -> None:
        self._phone = phone
        self._write = write
        self._pause = pause
        self._clock = clock
        self._commands: dict[str, Callable[[str], None]] = {
            "services": lambda _: phone.press_services(),
            "type": self._type,
            "press": phone.press,
            "key": lambda place: phone.press_position(_number(place)),
            "pick": phone.dial,
            "dial": phone.dial,
            "highlight": lambda number: phone.highlight(_number(number)),
            "wait": self._wait,
            "back": lambda _: phone.back(),
            "exit": lambda _: phone.exit(),
            "restart": phone.restart,
        }
        self._lists: dict[str, Callable[[], str]] = {
            "requests": lambda: "\n".join(f"{sent.status or '---'} {sent}" for sent in phone.requests) or "none",
            "violations": lambda: "\n".join(phone.violations) or "none",
            "help": lambda: HELP,
        }

    def run(self, lines: Iterable[str]) -> None:
        """Carry out commands until ``quit`` or the end of the lines, and show the display after each."""
        self._write(self._phone.display())
        for line in lines:
            word, _, rest = line.strip().partition(" ")
            if word == "quit":
                return
            self._obey(word, rest.strip())

    def _obey(self, word: str, rest: str) -> None:
        if word in self._lists:
            self._write(self._lists[word]())
            return
        # While the person was typing, the phone did what was due.
        self._phone.tick()
        known = len(self._phone.violations)
        try:
            if word in self._commands:
                self._commands[word](rest)
            elif word:
                self._write(f"no command {word!r}; help lists them")
        except (PhoneError, ValueError) as error:
            self._write(str(error))
        self._write(self._phone.display())
        for violation in self._phone.violations[known:]:
            self._write(f"! {violation}")

    def _type(self, rest: str) -> None:
        name, _, value = rest.partition(" ")
        self._phone.type(**{name: value})

    def _wait(self, rest: str) -> None:
        if not rest:
            screen = self._phone.screen
            if screen is None or screen.refresh_in is None:
                raise ValueError("nothing is due; say how many seconds to wait")
            self._pause(screen.refresh_in)
            self._phone.tick()
            return
        until = self._clock() + _number(rest)
        while (left := until - self._clock()) > 0:
            screen = self._phone.screen
            due = None if screen is None else screen.refresh_in
            self._pause(left if due is None else min(left, due))
            self._phone.tick()


def _number(text: str) -> int:
    if not text.removeprefix("-").isdecimal():
        raise ValueError(f"a number, not {text!r}")
    return int(text)
