"""The pages on which a phone's user answers Duo: a request to wait for, what became of it, other ways, a passcode.

The data are those of the page in browsers, see :func:`casduo.webflow.actions.duo_page.view`; the words are shorter.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from casduo.phone.keys import Keys
from casduo.phone.languages import Text
from casduo.phone.screens import (
    InputField,
    InputScreen,
    MenuItem,
    MenuScreen,
    Refresh,
    Screen,
    SoftKey,
    TextScreen,
    line,
)
from casduo.phone.urls import PhoneUrls

_ERRORS = frozenset(
    {"denied", "timeout", "gone", "passcode", "reused", "unreadable", "throttled", "limited", "no_device", "unfollowed"}
)
_OF_THE_CODE = frozenset({"passcode", "reused", "unreadable", "throttled"})
_OVER: frozenset[str] = frozenset({"denied", "timeout", "limited", "pending", "waiting"})
"""States in which something was asked for before, so that it is asked for again."""
_LONGEST_DEVICE = 40


@dataclass(frozen=True, slots=True)
class DuoScreens:
    """Makes the pages of one state.

    :param data: of the view ``duo_push``
    :param refresh: seconds after which a waiting phone asks for news
    """

    data: Mapping[str, Any]
    text: Text
    urls: PhoneUrls
    keys: Keys
    refresh: int

    def screen(self, *, typing: bool, choosing: bool) -> Screen:
        """Return the page that fits the state, or the part of it that was asked for: the form for a passcode, or the
        menu of ways.
        """
        if choosing and self._ways:
            return self._menu()
        if self._request is None and self._wants_code():
            return self._form(self.keys.cancel())
        if typing:
            return self._form(self.keys.back())
        return self._standing() if self._request is None else self._waiting(self._request)

    @property
    def _request(self) -> Mapping[str, Any] | None:
        request: Mapping[str, Any] | None = self.data["request"]
        return request

    @property
    def _ways(self) -> Sequence[Mapping[str, Any]]:
        ways: Sequence[Mapping[str, Any]] = self.data["ways"]
        return ways

    @property
    def _error(self) -> str:
        """The last word of the error's id, which is also that of the phone's own text for it; empty for none."""
        error = self.data["error"]
        return "" if error is None else str(error["id"]).rpartition(".")[2]

    def _wants_code(self) -> bool:
        """Whether typing a code is what comes next: one was sent or was wrong, or there is nothing else."""
        nothing_else = self.data["state"] == "codes" and not self._ways
        return nothing_else or self._error in _OF_THE_CODE or self._codes_sent()

    def _codes_sent(self) -> bool:
        notice = self.data["notice"]
        return self._error == "" and notice is not None and notice["id"] == "duo_push.notice.sent"

    def _happened(self) -> str:
        """Return what became of the last try in one short sentence, which fits a prompt; empty for nothing."""
        if self._codes_sent():
            return self.text("phone.duo.notice.sent")
        if not self._error:
            return ""
        if self._error == "passcode" and self.data["tries"]:
            return self.text("phone.duo.error.passcode_tries", tries=self.data["tries"])
        if self._error not in _ERRORS:
            return self.text("phone.duo.error.other")
        return self.text(f"phone.duo.error.{self._error}", **self.data["error"]["facts"])

    def _waiting(self, request: Mapping[str, Any]) -> TextScreen:
        left = self.text("phone.duo.left", seconds=request["seconds"]) if request["seconds"] else ""
        heading = "phone.duo.title.phone" if request["factor"] == "phone" else "phone.duo.title"
        return TextScreen(
            title=self.text(heading),
            prompt=self.text("phone.duo.waiting"),
            text=_joined(self._happened(), self._asked(request), left),
            softkeys=(self.keys.passcode("act"), self.keys.update(), self.keys.cancel(), *self._more()),
            refresh=Refresh(self.refresh, self.urls.wait()),
        )

    def _asked(self, request: Mapping[str, Any]) -> str:
        """Return what is to be done on the device."""
        device = self._device(request["device"])
        if request["factor"] == "phone":
            if request["status"] == "answered":
                return self.text("phone.duo.answered")
            return self.text("phone.duo.phone", device=device)
        if request["status"] == "push_failed":
            return self.text("phone.duo.push_failed", device=device)
        if request["code"]:
            return self.text("phone.duo.code", device=device, digits=" ".join(request["code"]))
        return self.text("phone.duo.push", device=device)

    def _standing(self) -> TextScreen:
        """Return the page while nothing is under way."""
        if self.data["state"] == "signed_in":
            following = self.keys.go_on()
            text = self.text("phone.duo.signed_in", key=following.name)
            return self._page(text, (following, self.keys.exit()))
        again = self._again()
        if again is None:
            text, keys = self._codes_only()
        else:
            text, keys = self._offer(again), (again, self.keys.passcode("update"))
        return self._page(_joined(self._happened(), text), (*keys, self.keys.cancel(), *self._more()))

    def _page(self, text: str, keys: tuple[SoftKey, ...]) -> TextScreen:
        return TextScreen(
            title=self.text("phone.duo.title"), prompt=self.text("phone.prompt.keys"), text=text, softkeys=keys
        )

    def _again(self) -> SoftKey | None:
        """Return the key that has something sent to a device, to the one that was asked last if there is one."""
        way = self._first()
        if way is None:
            return None
        if self.data["state"] in _OVER:
            return self.keys.send("retry", way["value"])
        return self.keys.send("call" if way["kind"] == "phone" else "push", way["value"])

    def _first(self) -> Mapping[str, Any] | None:
        """Return the way to begin with. Text messages are for the menu: each of them makes older codes void."""
        ways = [way for way in self._ways if way["kind"] != "sms"]
        last = (way for way in ways if way["value"] == self.data["default_way"])
        return next(last, ways[0] if ways else None)

    def _offer(self, again: SoftKey) -> str:
        passcode = self.keys.passcode("update").name
        state = self.data["state"]
        if state == "pending":
            return self._pending(again.name)
        if state == "limited" or self._error in ("no_device", "unfollowed"):
            return self.text("phone.duo.use_code", passcode=passcode)
        if state in _OVER:
            return self.text("phone.duo.again", key=again.name, passcode=passcode)
        way = self._first()
        assert way is not None
        device = self._device(way["device"])
        return self.text(f"phone.duo.ready.{way['kind']}", device=device, key=again.name, passcode=passcode)

    def _pending(self, key: str) -> str:
        if self.data["other"]:
            return self.text("phone.duo.pending", other=line(self.data["other"], _LONGEST_DEVICE), key=key)
        return self.text("phone.duo.pending_unnamed", key=key)

    def _codes_only(self) -> tuple[str, tuple[SoftKey, ...]]:
        passcode = self.keys.passcode("act")
        if not self._ways:
            return self.text("phone.duo.use_code", passcode=passcode.name), (passcode,)
        return self.text("phone.duo.codes", passcode=passcode.name, more=self.keys.ways().name), (passcode,)

    def _more(self) -> tuple[SoftKey, ...]:
        """Return the key to the menu where it has more than the page itself: another way, or the same once more."""
        first = self._first()
        again = self._request is not None and not self.data["again_in"]
        return (self.keys.ways(),) if any(way != first or again for way in self._ways) else ()

    def _menu(self) -> MenuScreen:
        return MenuScreen(
            title=self.text("phone.duo.ways.title"),
            prompt=self._happened() or self.text("phone.duo.ways.prompt"),
            items=tuple(self._item(way) for way in self._ways),
            softkeys=(self.keys.select(), self.keys.back()),
        )

    def _item(self, way: Mapping[str, Any]) -> MenuItem:
        name = self.text(f"phone.duo.way.{way['kind']}", device=self._device(way["device"]))
        return MenuItem(name, self.urls.push(way["value"]))

    def _form(self, leave: SoftKey) -> InputScreen:
        # The words push, phone and sms may be typed where there is a device for them. Letters make digits slow to type.
        flags = "N" if self.data["digits_only"] else "A"
        label = self.text("phone.duo.passcode")
        return InputScreen(
            title=self.text("phone.duo.title"),
            prompt=self._happened() or self.text("phone.duo.passcode_prompt"),
            url=self.urls.passcode(),
            fields=(InputField("passcode", label, flags),),
            softkeys=(*self.keys.submit(), leave, *((self.keys.ways(),) if self._ways else ())),
        )

    def _device(self, name: str) -> str:
        return line(name, _LONGEST_DEVICE) or self.text("phone.duo.your_device")


def _joined(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
