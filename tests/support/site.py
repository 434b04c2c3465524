"""A whole casduo in the test's own process: real settings files, a real Redis, a clock that the test sets."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, quote, urlsplit

from argon2 import PasswordHasher
from webtest import TestApp
from webtest.response import TestResponse

from casduo.compose import Composed, compose
from casduo.events.model import Event
from casduo.settings import load_settings
from casduo.store import Batch
from tests.support.scattered import Scattered, how_many

ORIGIN = "https://sso.example.edu"
BASE = f"{ORIGIN}/cas"
LIBRARY = "https://library.example.edu/catalogue?q=a&q=b"
PAYROLL = "https://payroll.example.edu/slips"
PASSWORDS = {"ada": "Analytical-Engine", "grace": "Nanosecond-1952", "linus": "just-for-fun", "alan": "Bombe-1940"}

_HASH = PasswordHasher(memory_cost=8, time_cost=1, parallelism=1)

REGISTRY = """
services:
  - id: library
    name: Library catalogue
    url: https://library.example.edu/**
    attributes: [mail, displayName]
  - id: payroll
    name: Payroll
    url: https://payroll.example.edu/**
    requires_duo: true
    enrollment_url: https://kb.example.edu/duo
  - id: timesheets
    name: Timesheets
    url: https://timesheets.example.edu/**
    requires_duo: {fail: open}
  - id: staff
    name: Staff room
    url: https://staff.example.edu/**
    access: {groups: [staff], reason: Staff only.}
  - id: solo
    name: Examination
    url: https://solo.example.edu/**
    single_sign_on: false
  - id: closed
    name: Old system
    url: https://closed.example.edu/**
    enabled: false
    disabled_reason: Replaced by Payroll.
"""


class SetClock:
    """A clock that stands until it is moved."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class Recorder:
    """Keeps events for the test to look at."""

    events: list[Event] = field(default_factory=list)

    def write(self, event: Event, batch: Batch | None = None) -> None:
        self.events.append(event)

    def attach(self, event: Event, batch: Batch, when: str) -> None:
        pass

    def note(self, event: Event) -> None:
        self.events.append(event)

    def named(self, name: str) -> list[Any]:
        return [event for event in self.events if event.name == name]


@dataclass
class Site:
    """A server with its clock and its journal."""

    composed: Composed
    clock: SetClock
    journal: Recorder
    settings_file: Path = Path()

    def browser(self) -> Browser:
        """Return a browser with empty pockets."""
        return Browser(self)

    def validate(
        self, ticket: str, service: str = LIBRARY, path: str = "/p3/serviceValidate", **extra: str
    ) -> TestResponse:
        """Validate as an application does: without cookies."""
        query = "&".join(
            f"{name}={quote(value, safe='')}" for name, value in {**extra, "service": service, "ticket": ticket}.items()
        )
        return self.browser().get(f"{path}?{query}")


class Browser:
    """A browser at the server, with cookies; forms are filled in as the page really has them."""

    def __init__(self, site: Site) -> None:
        self.site = site
        environ = {"wsgi.url_scheme": "https", "HTTP_HOST": "sso.example.edu", "REMOTE_ADDR": "192.0.2.7"}
        self.app = TestApp(site.composed.wsgi, extra_environ=environ)

    def get(self, path: str, **options: Any) -> TestResponse:
        address = path if path.startswith("http") else BASE + path
        return self.app.get(address, status="*", **options)

    def post(self, path: str, fields: Any, **options: Any) -> TestResponse:
        return self.app.post(BASE + path, fields, status="*", **options)

    def login_page(self, service: str = LIBRARY, **parameters: str) -> TestResponse:
        return self.get("/login" + query(service=service, **parameters))

    def fill(self, page: TestResponse, username: str, password: str | None = None, **fields: Any) -> TestResponse:
        form = page.forms["login"]
        form["username"] = username
        form["password"] = PASSWORDS[username] if password is None else password
        for name, value in fields.items():
            form[name] = value
        return self.follow(form.submit(status="*"))

    def follow(self, answer: TestResponse) -> TestResponse:
        """Go where the answer leads, as long as that is another page of the server."""
        while answer.status_int in (302, 303) and answer.headers["Location"].startswith("/cas/"):
            answer = self.get(ORIGIN + answer.headers["Location"])
        return answer

    def sign_in(self, username: str = "ada", service: str = LIBRARY, **parameters: str) -> TestResponse:
        return self.fill(self.login_page(service, **parameters), username)

    def forget_session(self) -> None:
        """Lose the TGC and nothing else, as when the session's time is over."""
        for cookie in list(self.app.cookiejar):
            if cookie.name == "TGC-casduo":
                self.app.cookiejar.clear(cookie.domain, cookie.path, cookie.name)

    @property
    def session(self) -> str:
        """The TGC the browser holds, empty for none."""
        return str(self.app.cookies.get("TGC-casduo", "")).strip('"')


def query(**parameters: str) -> str:
    given = {name: value for name, value in parameters.items() if value != ""}
    return "?" + "&".join(f"{name}={quote(value, safe='')}" for name, value in given.items()) if given else ""


def ticket_of(answer: TestResponse) -> str:
    """Return the ticket of a redirect to a service."""
    assert answer.status_int in (302, 303), answer.status + heading(answer)
    found = parse_qs(urlsplit(answer.headers["Location"]).query)
    return found["ticket"][0]


def has_ticket(answer: TestResponse) -> bool:
    return answer.status_int in (302, 303) and "ticket=" in answer.headers["Location"]


def heading(answer: TestResponse) -> str:
    """Return the text of the page's heading."""
    found = re.search(r"<h1[^>]*>(.*?)</h1>", answer.text, re.S)
    return unescape(re.sub(r"<[^>]+>", "", found[1])).strip() if found else ""


def words(answer: TestResponse) -> str:
    """Return all words of a page, markup taken away."""
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


Build = Callable[..., Site]


def write_site(
    directory: Path,
    redis_url: str,
    registry: str = REGISTRY,
    settings: str = "",
    url: str = BASE,
    handlers: str = "",
) -> Path:
    """Write settings, registry and users into ``directory`` and return the settings file's path.

    :param handlers: more handlers behind the users file, such as ``- {type: ucm_pin}``
    """
    (directory / "registry.yaml").write_text(textwrap.dedent(registry), encoding="utf-8")
    people = []
    for name, password in PASSWORDS.items():
        groups = "[staff]" if name == "grace" else "[students]"
        attributes = f"{{mail: {name}@example.edu, displayName: {name.title()} L, groups: {groups}}}"
        people.append(f"{name}: {{password: '{_HASH.hash(password)}', attributes: {attributes}}}")
    users = directory / "users.yaml"
    users.write_text("\n".join(people) + "\n", encoding="utf-8")
    users.chmod(0o600)
    path = directory / "casduo.yaml"
    path.write_text(
        f"server: {{url: {url}, state_directory: {directory}/state}}\n"
        f"redis: {{url: '{redis_url}'}}\n"
        f"secret_key: {'k' * 40}\n"
        "authentication:\n"
        "  - {type: users_file, path: users.yaml, argon2: {memory_kib: 8, time_cost: 1, parallelism: 1}}\n"
        + textwrap.indent(handlers, "  ")
        + textwrap.dedent(settings),
        encoding="utf-8",
    )
    return path


def build_site(
    directory: Path,
    redis_url: str,
    now: float,
    registry: str = REGISTRY,
    settings: str = "",
    url: str = BASE,
    handlers: str = "",
) -> Site:
    """Build a server from files in ``directory``."""
    clock, journal = SetClock(now), Recorder()
    path = write_site(directory, redis_url, registry, settings, url, handlers)
    nodes = [compose(load_settings(path, {}), clock=clock, journal=journal, watch=False) for _ in range(how_many())]
    # It has all that a server has, and more than one of them.
    composed = nodes[0] if len(nodes) == 1 else cast(Composed, Scattered(nodes))
    return Site(composed, clock, journal, path)
