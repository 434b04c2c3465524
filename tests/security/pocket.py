"""A browser reduced to what the server can know it by: two cookies. Whoever holds them is that browser."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from html import unescape
from urllib.parse import urlencode, urlsplit

from casduo.request import FLOW_COOKIE, SESSION_COOKIE
from tests.support.raw import FORM, Answer, call
from tests.support.site import Site

_TICKET = re.compile(r"\b[SP]T-[A-Za-z0-9-]+")
_EXECUTION = re.compile(r'name="execution" value="([^"]*)"')
_CSRF = re.compile(r'name="csrf" value="([^"]*)"')
_COOKIE = re.compile(r"([^=;]+)=\"?([^;\"]*)")
_MOST_HOPS = 5


@dataclass
class Pocket:
    """The cookies of one browser, and where it stands."""

    address: str
    session: str = ""
    mark: str = ""

    proxy: str = ""
    """The address of a proxy that tells where the browser is; empty for none."""

    def ask(
        self, site: Site, path: str, query: Mapping[str, str] | str = "", form: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request and keep the cookies of its answer.

        :param path: below the server's
        :param form: of a POST
        """
        text = query if isinstance(query, str) else urlencode(query)
        cookies = {SESSION_COOKIE: self.session, FLOW_COOKIE: self.mark}
        header = "; ".join(f"{name}={value}" for name, value in cookies.items() if value)
        more = {"HTTP_COOKIE": header} if header else {}
        more |= {"HTTP_X_FORWARDED_FOR": self.address} if self.proxy else {}
        body = urlencode(form).encode() if form is not None else b""
        method, kind = ("POST", FORM) if form is not None else ("GET", "")
        answer = call(site, method, f"/cas{path}", text, body, kind, REMOTE_ADDR=self.proxy or self.address, **more)
        for name, value in answer.headers:
            if name.lower() == "set-cookie" and (found := _COOKIE.match(value)) is not None:
                if found[1] == SESSION_COOKIE:
                    self.session = found[2]
                elif found[1] == FLOW_COOKIE:
                    self.mark = found[2]
        return answer

    def go(
        self, site: Site, path: str, query: Mapping[str, str] | str = "", form: Mapping[str, str] | None = None
    ) -> Answer:
        """The same, and on as long as the answer leads to another page of the server."""
        answer = self.ask(site, path, query, form)
        for _ in range(_MOST_HOPS):
            parts = urlsplit(answer.header("Location"))
            if parts.netloc or not parts.path.startswith("/cas/"):
                return answer
            answer = self.ask(site, parts.path.removeprefix("/cas"), parts.query)
        raise AssertionError("a loop of redirects")


def tickets_in(answer: Answer) -> set[str]:
    """Return every service or proxy ticket that an answer holds, wherever it stands."""
    text = "\n".join([answer.body.decode(), *(value for _, value in answer.headers)])
    return set(_TICKET.findall(text))


def login_key(answer: Answer) -> str:
    """Return the key of a form for name and password; empty where the page has none."""
    text = answer.body.decode()
    found = _EXECUTION.search(text)
    return unescape(found[1]) if found is not None and 'name="password"' in text else ""


def csrf_in(answer: Answer) -> str:
    found = _CSRF.search(answer.body.decode())
    return unescape(found[1]) if found is not None else ""
