"""A phone service in a few lines: a form, a page that waits, a menu, and somebody who is logged in at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from werkzeug.wrappers import Request, Response

PINS: Mapping[str, str] = {"ada": "1815", "grace": "1906"}
PROFILES = ("ada-office", "ada-library")


@dataclass(frozen=True)
class Login:
    """Somebody on a phone."""

    user: str
    profile: str


@dataclass
class DeskService:
    """A WSGI application that speaks Cisco's XML.

    :param base: its address.
    :param logins: who is logged in, by device: what the UCM would know.
    :param approved: whether the person has approved the request that the waiting page is about.
    :param lines: what the waiting page says besides.
    :param many_keys: whether the waiting page brings more softkeys than a phone has.
    :param strange: whether the waiting page holds something that phones do not know.
    :param away: whether it answers with nothing but a status.
    :param forms: what was typed so far.
    """

    base: str = ""
    logins: dict[str, Login] = field(default_factory=dict)
    approved: bool = False
    lines: str = "It comes from this phone."
    many_keys: bool = False
    strange: bool = False
    away: bool = False
    forms: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        if self.away:
            return Response(status=500)(environ, start_response)
        device, _, step = request.path.removeprefix("/em/").partition("/")
        response = getattr(self, f"_{step or 'entry'}")(request, device or request.args.get("device", ""))
        return response(environ, start_response)

    def _entry(self, request: Request, device: str, prompt: str = "User ID and PIN, please") -> Response:
        return _xml(
            "Input",
            f"<Title>Extension Mobility</Title><Prompt>{prompt}</Prompt>"
            f'<URL method="post">{self.base}/em/{device}/login</URL>'
            + _input("User ID", "userid", "A")
            + _input("PIN", "pin", "NP")
            + _keys(("Submit", "SoftKey:Submit"), ("<<", "SoftKey:<<"), ("Cancel", "SoftKey:Cancel")),
        )

    def _login(self, request: Request, device: str) -> Response:
        self.forms.append(request.values.to_dict())
        if PINS.get(request.values["userid"]) != request.values["pin"]:
            return self._entry(request, device, "Login failed. Check user ID and PIN.")
        return self._wait(request, device)

    def _wait(self, request: Request, device: str) -> Response:
        if self.strange:
            return _xml("Text", "<Headline>Hello</Headline><Text>Hello</Text>")
        if self.approved:
            return self._select(request, device)
        keys = [("Update", f"{self.base}/em/{device}/wait"), ("Passcode", f"{self.base}/em/{device}/wait")]
        if self.many_keys:
            keys += [(f"Way {number}", f"{self.base}/em/{device}/wait") for number in range(1, 3)]
        keys.append(("Cancel", "SoftKey:Exit"))
        page = _xml(
            "Text",
            "<Title>Extension Mobility</Title><Prompt>Waiting ...</Prompt>"
            "<Text>Approve the request in Duo Mobile on iPhone.\n"
            f"{self.lines}</Text>" + _keys(*keys),
        )
        page.headers["Refresh"] = f"3; url={self.base}/em/{device}/wait"
        return page

    def _select(self, request: Request, device: str) -> Response:
        items = "".join(
            f"<MenuItem><Name>{name}</Name><URL>{self.base}/em/{device}/done?profile={name}</URL></MenuItem>"
            for name in PROFILES
        )
        keys = _keys(("Select", "SoftKey:Select"), ("Exit", "SoftKey:Exit"))
        return _xml("Menu", f"<Title>Choose a profile</Title><Prompt>Number or Select</Prompt>{items}{keys}")

    def _done(self, request: Request, device: str) -> Response:
        self.logins[device] = Login("ada", request.args["profile"])
        return _xml(
            "Text",
            "<Title>Extension Mobility</Title><Prompt>Done</Prompt><Text>Logged in. The phone restarts now.</Text>"
            + _keys(("Exit", "SoftKey:Exit")),
        )


def _input(label: str, name: str, flags: str) -> str:
    return (
        f"<InputItem><DisplayName>{label}</DisplayName><QueryStringParam>{name}</QueryStringParam>"
        f"<DefaultValue></DefaultValue><InputFlags>{flags}</InputFlags></InputItem>"
    )


def _keys(*keys: tuple[str, str]) -> str:
    return "".join(
        f"<SoftKeyItem><Name>{escape(name)}</Name><URL>{escape(url)}</URL><Position>{place}</Position></SoftKeyItem>"
        for place, (name, url) in enumerate(keys, 1)
    )


def _xml(name: str, content: str) -> Response:
    body = f'<?xml version="1.0" encoding="utf-8"?>\n<CiscoIPPhone{name}>{content}</CiscoIPPhone{name}>\n'
    expired = {"Expires": "Thu, 01 Jan 1998 00:00:00 GMT"}
    return Response(body, 200, expired, content_type="text/xml; charset=utf-8")
