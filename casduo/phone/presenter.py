"""Which screen a page of the flow becomes on a phone. Pure: what is shown depends on nothing but the arguments.

The flow leaves views and data that know no phone; here they get words, softkeys and addresses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from casduo.phone.duo_screens import DuoScreens
from casduo.phone.keys import Keys
from casduo.phone.languages import Text
from casduo.phone.models import Traits
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

REFRESH = 3
"""Seconds after which a waiting phone asks for news, if nothing else is said."""

_LONGEST_FACT = 40
_TITLES = {
    "logged_in": "logged_in",
    "already": "logged_in",
    "logged_out": "logged_out",
    "nobody": "logged_out",
    "cancelled": "cancelled",
    "expired": "start_again",
    "moved_on": "start_again",
    "wrong_device": "start_again",
    "disabled": "later",
    "unavailable": "later",
    "duo_unavailable": "later",
    "busy": "later",
    "throttled": "later",
    "unsure": "unsure",
    "refused": "not_possible",
    "error": "not_possible",
    "device_unknown": "not_possible",
    "device_refused": "not_possible",
    "device_unproved": "not_possible",
    "unregistered": "not_possible",
    "unsupported": "not_possible",
}
"""What a page that ends something is headed with, by the last word of its text; else that nobody was logged in."""

_NEW_LOGIN = frozenset({"logged_out", "nobody", "cancelled"})
"""After these there is nothing to repeat: who goes on logs in."""

_UNNAMED = {"occupied": ("user", ".unnamed"), "elsewhere": ("places", ".unnamed"), "logged_in": ("profile", ".plain")}
"""Texts that go without a fact where it is not known or not to be told."""


def screen_of(
    view: str,
    data: Mapping[str, Any],
    urls: PhoneUrls,
    traits: Traits,
    text: Text,
    reference: str,
    typing: bool = False,
    refresh: int = REFRESH,
    *,
    choosing: bool = False,
) -> Screen:
    """Return the screen for a page of the flow.

    :param view: and ``data``: of the flow's :class:`~casduo.webflow.effects.Page`
    :param text: in the phone's language, see :func:`casduo.phone.languages.texts`
    :param reference: of this request, for the help desk; shown where something is wrong
    :param typing: of the view ``duo_push``, the form for a passcode is asked for
    :param refresh: seconds after which a phone that waits for Duo asks for news
    :param choosing: of the view ``duo_push``, the menu of ways is asked for
    """
    screens = _Screens(text, urls, reference)
    if view == "duo_push":
        screen = DuoScreens(data, text, urls, screens.keys, refresh).screen(typing=typing, choosing=choosing)
    else:
        screen = screens.of(view, data)
    if isinstance(screen, InputScreen) and not traits.has_input:
        return screens.unsupported()
    return screen


class _Screens:
    def __init__(self, text: Text, urls: PhoneUrls, reference: str) -> None:
        self.keys = Keys(text, urls)
        self._text = text
        self._urls = urls
        self._reference = reference

    def of(self, view: str, data: Mapping[str, Any]) -> Screen:
        match view:
            case "phone_form":
                return self._form(data)
            case "phone_occupied":
                return self._occupied(data)
            case "phone_profiles":
                return self._profiles(data)
            case "phone_logout":
                return self._logout_with_pin(data) if data["pin"] else self._logout(data)
            case "phone_moment":
                return self._moment(data)
            case "phone_told":
                return self._told(data)
        raise ValueError(f"no phone shows the view {view!r}")

    def unsupported(self) -> TextScreen:
        """What a phone shows that knows no forms."""
        return self._told({"text": "phone.told.unsupported", "facts": {}, "keys": ("exit",)})

    def _form(self, data: Mapping[str, Any]) -> InputScreen:
        error, userid = data["error"], data["userid"]
        return InputScreen(
            title=data["service"].name,
            prompt=self._text("phone.form.prompt") if error is None else self._text(error["id"], **error["facts"]),
            url=self._urls.login(),
            fields=(InputField("userid", self._text("phone.form.userid"), "A", userid), self._pin()),
            softkeys=(*self.keys.submit(), self.keys.exit()),
            kept=error is None and not userid,
        )

    def _pin(self) -> InputField:
        return InputField("pin", self._text("phone.form.pin"), "NP")

    def _occupied(self, data: Mapping[str, Any]) -> TextScreen:
        logout = self.keys.logout()
        facts = {"user": _short(data["user"]), "logout": logout.name}
        words = "own" if data["own"] else "other"
        if not facts["user"]:
            words = "own_unnamed" if data["own"] else "unnamed"
            del facts["user"]
        text = self._text(f"phone.occupied.{words}", **facts)
        login = (self.keys.form(),) if data.get("take_over") else ()
        return self._page("phone.occupied.title", text, logout, self.keys.exit(), *login)

    def _profiles(self, data: Mapping[str, Any]) -> MenuScreen:
        items = [MenuItem(each["name"], self._urls.select(each["index"])) for each in data["profiles"]]
        if data["next"] is not None:
            items.append(MenuItem(self._text("phone.profiles.more"), self._urls.more_profiles(data["next"])))
        return MenuScreen(
            title=self._text("phone.profiles.title"),
            prompt=self._text("phone.profiles.prompt"),
            items=tuple(items),
            softkeys=(self.keys.select(), self.keys.cancel()),
        )

    def _logout(self, data: Mapping[str, Any]) -> TextScreen:
        user = _short(data["user"])
        asked = self._text("phone.logout.ask", user=user) if user else self._text("phone.logout.ask_unnamed")
        return self._page("phone.logout.title", asked, self.keys.log_out(), self.keys.cancel())

    def _logout_with_pin(self, data: Mapping[str, Any]) -> InputScreen:
        user = _short(data["user"])
        title = self._text("phone.logout.ask", user=user) if user else self._text("phone.logout.title")
        return InputScreen(
            title=title,
            prompt=self._logout_prompt(data["error"]),
            url=self._urls.log_out(),
            fields=(self._pin(),),
            softkeys=(*self.keys.submit(), self.keys.cancel()),
        )

    def _logout_prompt(self, error: Mapping[str, Any] | None) -> str:
        """Return what to do. The errors are those of the login's form, but here nobody types a user id."""
        if error is None or error["id"] == "phone.form.error.missing":
            return self._text("phone.logout.prompt")
        if error["id"] == "phone.form.error.credentials":
            return self._text("phone.logout.error.credentials")
        return self._text(error["id"], **error["facts"])

    def _moment(self, data: Mapping[str, Any]) -> TextScreen:
        places = {"entry": self._urls.entry, "logout": self._urls.logout}
        again = places.get(data.get("again", ""), self._urls.wait)()
        return TextScreen(
            title=self._text("phone.moment.title"),
            prompt=self._text("phone.moment.title"),
            text=self._text("phone.moment"),
            softkeys=(self.keys.update(again), self.keys.exit()),
            refresh=Refresh(data["seconds"], again),
        )

    def _told(self, data: Mapping[str, Any]) -> TextScreen:
        name, facts = data["text"], {each: _short(value) for each, value in data["facts"].items()}
        word = name.removeprefix("phone.told.")
        fact, ending = _UNNAMED.get(word, ("", ""))
        if fact and not facts.get(fact):
            facts.pop(fact, None)
            name += ending
        said = self._text(name, **facts)
        if data.get("problem") and self._reference:
            said += "\n\n" + self._text("phone.reference", reference=self._reference)
        title = f"phone.title.{_TITLES.get(word, 'not_logged_in')}"
        return self._page(title, said, *self._told_keys(word, data["keys"]))

    def _told_keys(self, word: str, names: Sequence[str]) -> list[SoftKey]:
        """Return the keys by name. The way out is always there: without it, a phone has no keys at all but ours."""
        keys = [self.keys.exit()]
        if "again" in names:
            keys.append(self.keys.begin("login" if word in _NEW_LOGIN else "retry"))
        if "logout" in names:
            keys.append(self.keys.logout("update" if "again" in names else "act"))
        return keys

    def _page(self, title: str, text: str, *keys: SoftKey) -> TextScreen:
        return TextScreen(title=self._text(title), prompt=self._text("phone.prompt.keys"), text=text, softkeys=keys)


def _short(fact: Any) -> Any:
    """Return a fact as it fits a small display: texts cut, several of them in a row."""
    if isinstance(fact, str):
        return line(fact, _LONGEST_FACT)
    if isinstance(fact, list | tuple):
        return line(", ".join(map(str, fact)), _LONGEST_FACT)
    return fact
