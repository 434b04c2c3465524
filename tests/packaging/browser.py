"""A browser of a few lines, of the standard library only: cookies, redirects and forms."""

from __future__ import annotations

import http.cookiejar
import ssl
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import urlencode, urljoin

TIMEOUT = 20.0


@dataclass
class Form:
    """A form as it came: where it goes, and what it sends when nobody types anything."""

    action: str
    fields: dict[str, str] = field(default_factory=dict)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(found.get("action", "")))
        elif tag == "input" and self.forms and "name" in found and _is_sent(found):
            self.forms[-1].fields[found["name"]] = found.get("value", "")


def _is_sent(attributes: dict[str, str]) -> bool:
    """Return whether a browser sends this input when nobody touches it."""
    return attributes.get("type") not in {"submit", "checkbox", "radio"} or "checked" in attributes


@dataclass(frozen=True)
class Page:
    """Where a request ended after all redirects, and what is there."""

    url: str
    text: str

    def form_with(self, name: str) -> Form:
        """Return the form that has a field of that name."""
        parser = _Forms()
        parser.feed(self.text)
        return next(form for form in parser.forms if name in form.fields)


class Browser:
    """Somebody's browser, which trusts the authority in ``ca_file``."""

    def __init__(self, ca_file: Path | None) -> None:
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=ca_file)),
        )

    def open(self, url: str) -> Page:
        """Go to ``url`` and follow its redirects."""
        return self._fetch(urllib.request.Request(url))

    def submit(self, page: Page, form: Form, **typed: str) -> Page:
        """Send the form with what was typed into it, as a browser does."""
        origin = "/".join(page.url.split("/")[:3])
        body = urlencode(form.fields | typed).encode()
        return self._fetch(urllib.request.Request(urljoin(page.url, form.action), body, {"Origin": origin}))

    def _fetch(self, request: urllib.request.Request) -> Page:
        with self._opener.open(request, timeout=TIMEOUT) as answer:
            return Page(answer.url, answer.read().decode())
