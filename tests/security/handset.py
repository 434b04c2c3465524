"""What stands in for a phone where an adversary is at work: any request, from any address, for any device."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlencode, urlsplit

from defusedxml.ElementTree import fromstring

from tests.support.pushing import wait_for
from tests.support.raw import FORM, Answer, call
from tests.support.site import Site
from tests.support.ward import BASE, PHONE, PINS, Ward

GiveWard = Callable[..., Ward]
"""Gives a ward by its terms, as new."""

HERE, ELSEWHERE = "10.0.0.7", "10.0.9.66"
"""Where phones of the ward are, and where somebody is who has no business there."""
NOT_OURS = "Please start again"
"""The heading of every answer to a token that is no good here."""
STEPS = {
    "wait": {},
    "passcode": {"passcode": "123456"},
    "push": {"factor": "push:DP"},
    "select": {"profile": "0"},
    "cancel": {},
    "logout": {"pin": "24680"},
}
"""Every step of a login that waits, with what it is sent."""
HOSTILE = "</Text><SoftKeyItem><Name>&<\"'>]]><!--<?x?>\x00\x1b[2J\x07\u202e\u2028\ufffe{{7919*7919}}%s"
"""Markup, control characters, marks that turn text around, and what templates would carry out."""


@dataclass(frozen=True)
class Shown:
    """One answer, read as a phone reads it: a page that is none fails the test."""

    answer: Answer

    def __post_init__(self) -> None:
        assert self.answer.status == 200, self.answer
        assert self.answer.header("content-type").startswith("text/xml"), self.answer
        assert self.root.tag.startswith("CiscoIPPhone")

    @property
    def root(self) -> Any:
        return fromstring(self.answer.body)

    @property
    def text(self) -> str:
        """Everything there is to read."""
        told = [element.text or "" for element in self.root.iter() if element.tag not in ("URL", "Position")]
        return " ".join(" ".join(told).split())

    @property
    def urls(self) -> list[str]:
        """Every address of ours in it: of keys, items, the form, and where it refreshes."""
        found = [element.text or "" for element in self.root.iter("URL")] + [self.refresh]
        return [url for url in found if url.startswith("http")]

    @property
    def refresh(self) -> str:
        return self.answer.header("refresh").partition("url=")[2]

    @property
    def token(self) -> str:
        """The token in its addresses, empty for none."""
        found = {token for url in self.urls for token in parse_qs(urlsplit(url).query).get("t", [])}
        assert len(found) <= 1
        return found.pop() if found else ""

    @property
    def cookie(self) -> str:
        """The mark it sets, empty for none."""
        found = re.match(r"casduo-em=([^;]*)", self.answer.header("set-cookie"))
        return found[1] if found else ""

    def key(self, name: str) -> str:
        """The address of a softkey or of an item of a menu."""
        for item in (*self.root.iter("SoftKeyItem"), *self.root.iter("MenuItem")):
            if item.findtext("Name") == name:
                return str(item.findtext("URL"))
        raise AssertionError(f"no key {name} in {self.answer.body.decode()}")


@dataclass
class Handset:
    """Somebody who speaks for ``device`` from ``address``. ``cookie`` is what the last page set, empty for none."""

    site: Site
    device: str = PHONE
    address: str = HERE
    cookie: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: {"HTTP_X_CISCOIPPHONEMODELNAME": "CP-8845"})

    def raw(self, path: str = "", query: str = "", form: Mapping[str, str] | None = None, **environ: Any) -> Answer:
        """Ask for ``path`` below the service's address; ``query`` and ``environ`` as in :func:`call`."""
        whole: dict[str, Any] = {**self.headers, "REMOTE_ADDR": self.address, **environ}
        if self.cookie:
            whole.setdefault("HTTP_COOKIE", f"casduo-em={self.cookie}")
        more = {"method": "POST", "body": urlencode(form).encode(), "kind": FORM} if form is not None else {}
        return call(self.site, path=f"{urlsplit(BASE).path}{path}", query=query, **{**more, **whole})

    def get(self, step: str = "", **fields: str) -> Shown:
        """Ask for a step, with fields in the query."""
        return self._keep(Shown(self.raw(f"/{self.device}/{step}", urlencode(fields))))

    def open(self, url: str) -> Shown:
        """Ask for an address of a page, as it stands there."""
        parts = urlsplit(url)
        path = unquote(parts.path.removeprefix(urlsplit(BASE).path))
        return self._keep(Shown(self.raw(path, parts.query)))

    def submit(self, user: str = "ada", pin: str = "") -> Shown:
        """Send user id and PIN, as models do that post."""
        pin = pin or PINS[user]
        return self._keep(Shown(self.raw(f"/{self.device}/login", form={"userid": user, "pin": pin})))

    def until(self, token: str, text: str) -> Shown:
        """Ask for news until they hold ``text``."""
        shown: list[Shown] = []

        def come() -> bool:
            shown.append(self.get("wait", t=token))
            return text in shown[-1].text

        wait_for(come)
        return shown[-1]

    def _keep(self, shown: Shown) -> Shown:
        self.cookie = shown.cookie or self.cookie
        return shown


def approved(ward: Ward, handset: Handset, token: str, user: str = "ada") -> Shown:
    """Approve the push on the person's device and let the phone come for its result."""
    ward.answer_push(user)
    return handset.until(token, "logged in")


def writes(ward: Ward) -> int:
    """How often UCM was asked to log somebody in."""
    return ward.ucm.calls("login") + ward.ucm.calls("doDeviceLogin")


def pushes(ward: Ward) -> int:
    """How often Duo was asked to send something."""
    return ward.duo.requests.count("/auth/v2/auth")


def tries(handset: Handset, token: str) -> list[Shown]:
    """What comes of a token at every step."""
    return [handset.get(step, t=token, **fields) for step, fields in STEPS.items()]


def under_way(ward: Ward, handset: Handset, token: str, user: str = "ada") -> None:
    """The login goes on as if nothing had been."""
    assert "You are logged in" in approved(ward, handset, token, user).text
    login = ward.ucm.login_of(handset.device)
    assert login is not None
    assert login.user == user
