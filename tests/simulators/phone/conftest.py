"""A phone service of a few lines that says whatever a test wants, and phones that use it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from casduo.simulators.clock import VirtualClock
from casduo.simulators.phone import IpPhone
from casduo.simulators.server import SimulatorServer

DEVICE = "SEP001122334455"
XML = "text/xml; charset=utf-8"
PAST = ("Expires", "Thu, 01 Jan 2015 00:00:00 GMT")

Headers = Iterable[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Seen:
    """A request as the service saw it."""

    method: str
    path: str
    query: str
    headers: dict[str, str]
    body: bytes
    peer: str


@dataclass(slots=True)
class Service:
    """Pages by path; ``{base}`` in them becomes the server's own address."""

    base: str = ""
    seen: list[Seen] = field(default_factory=list)
    answers: dict[str, tuple[str, list[tuple[str, str]], bytes]] = field(default_factory=dict)
    called: Callable[[str], None] = lambda path: None
    """Called with the path of each request before it is answered."""

    def put(self, path: str, document: str, *headers: tuple[str, str], encoding: str = "utf-8") -> None:
        """Answer a path with an object that is complete but for its XML declaration."""
        text = f'<?xml version="1.0" encoding="{encoding}"?>\n{document}'.replace("{base}", self.base)
        placed = [(name, value.replace("{base}", self.base)) for name, value in headers]
        kind = ("Content-Type", f"text/xml; charset={encoding}")
        self.answers[path] = ("200 OK", [kind, *placed], text.encode(encoding))

    def put_raw(
        self, path: str, body: bytes, kind: str = XML, *headers: tuple[str, str], status: str = "200 OK"
    ) -> None:
        """Answer a path with exactly this."""
        self.answers[path] = (status, [*([("Content-Type", kind)] if kind else []), *headers], body)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., object]) -> list[bytes]:
        headers = {name.lower(): value for name, value in environ["casduo.simulators.headers"]}
        path = environ["PATH_INFO"]
        self.seen.append(
            Seen(
                environ["REQUEST_METHOD"],
                path,
                environ["QUERY_STRING"],
                headers,
                environ["wsgi.input"].read(),
                environ["REMOTE_ADDR"],
            )
        )
        self.called(path)
        status, answer_headers, body = self.answers.get(path, ("404 Not Found", [("Content-Type", "text/plain")], b""))
        start_response(status, answer_headers)
        return [body]


def text(words: str, inside: str = "", *, title: str = "Extension Mobility") -> str:
    """A text page; ``inside`` follows the text."""
    return (
        f"<CiscoIPPhoneText><Title>{title}</Title><Prompt>Ready</Prompt><Text>{words}</Text>{inside}</CiscoIPPhoneText>"
    )


def menu(*items: tuple[str, str], inside: str = "") -> str:
    """A menu of names and addresses."""
    lines = "".join(f"<MenuItem><Name>{name}</Name><URL>{url}</URL></MenuItem>" for name, url in items)
    return f"<CiscoIPPhoneMenu><Title>Menu</Title><Prompt>Choose</Prompt>{lines}{inside}</CiscoIPPhoneMenu>"


def form(url: str, *fields: tuple[str, str], method: str = "", inside: str = "", default: str = "") -> str:
    """A form of names and flags."""
    attribute = f' method="{method}"' if method else ""
    items = "".join(
        f"<InputItem><DisplayName>{name.upper()}</DisplayName><QueryStringParam>{name}</QueryStringParam>"
        f"<DefaultValue>{default}</DefaultValue><InputFlags>{flags}</InputFlags></InputItem>"
        for name, flags in fields
    )
    return (
        "<CiscoIPPhoneInput><Title>Log in</Title><Prompt>Who are you?</Prompt>"
        f"<URL{attribute}>{url}</URL>{items}{inside}</CiscoIPPhoneInput>"
    )


def softkey(name: str, url: str, position: int | str) -> str:
    """A softkey."""
    return f"<SoftKeyItem><Name>{name}</Name><URL>{url}</URL><Position>{position}</Position></SoftKeyItem>"


LOGIN = form("{base}/login", ("userid", "A"), ("pin", "NP"), method="post")

MakePhone = Callable[..., IpPhone]


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def server(service: Service) -> Iterator[SimulatorServer]:
    with SimulatorServer(service) as running:
        service.base = running.url
        yield running


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(1_800_000_000.0)


@pytest.fixture
def make_phone(server: SimulatorServer, clock: VirtualClock) -> MakePhone:
    """Makes phones whose service is ``/`` of the running server."""

    def make(model: Any = "8845", path: str = "/", **options: Any) -> IpPhone:
        return IpPhone(DEVICE, model, service_url=f"{server.url}{path}", clock=clock, **options)

    return make


@pytest.fixture
def phone(make_phone: MakePhone) -> IpPhone:
    return make_phone()
