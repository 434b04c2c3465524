"""What is measured: flows of a browser and of an application, the same for every CAS server.

All flows check what they are answered: a login page without a form, a redirect without a ticket or a validation without
the user's name is a failure, so a subject cannot be fast by being wrong.
"""

from __future__ import annotations

import html
import itertools
import re
import secrets
from collections.abc import Callable, Generator
from dataclasses import dataclass
from string import ascii_letters, digits
from urllib.parse import quote, urlencode, urlsplit

from benchmarks.driver import Answer, Driver, Flow, Measurement, UnexpectedAnswer

SERVICE = "https://application.example.edu/start"
"""The application people sign in to; it is never called, its tickets are taken from the redirect."""

PAGE_LENGTH = 600
"""Length in bytes of the page that the reference applications answer with."""

SIGN_IN_SECONDS = 60.0
"""Bound on the sign-ins before a timed part."""

FORGED_LENGTH = 12
"""Characters at the end of a real ticket that a forged one has of its own."""

_INPUT = re.compile(rb"<input\b[^>]*>", re.IGNORECASE)
_ATTRIBUTE = re.compile(rb"""\b(name|value|type)\s*=\s*(?:"([^"]*)"|'([^']*)')""", re.IGNORECASE)
_FORM = re.compile(rb"<form\b.*?</form>", re.IGNORECASE | re.DOTALL)

Step = Generator[bytes, Answer, str]


@dataclass(frozen=True, slots=True)
class Target:
    """Where a CAS server listens and who may sign in there.

    ``path`` is its prefix, ``""`` or ``/cas``; ``processes`` are the ids of the processes that it consists of, without
    those that they started themselves; ``start_seconds`` is how long it took to the first answer.
    """

    address: tuple[str, int]
    processes: tuple[int, ...] = ()
    start_seconds: float = 0.0
    path: str = ""
    usernames: tuple[str, ...] = ()
    password: str = ""

    @property
    def host(self) -> str:
        """What the ``Host`` header says."""
        return f"{self.address[0]}:{self.address[1]}"


def hidden_fields(page: bytes) -> dict[str, str]:
    """Return the hidden fields of the login form, the one that asks for a password, as a browser would send them."""
    form = next((found for found in _FORM.findall(page) if b"password" in found), None)
    if form is None:
        raise UnexpectedAnswer("a page without a login form")
    fields = {}
    for element in _INPUT.findall(form):
        found = {key.lower(): html.unescape((a or b).decode()) for key, a, b in _ATTRIBUTE.findall(element)}
        if found.get(b"type", "").lower() == "hidden" and found.get(b"name"):
            fields[found[b"name"]] = found.get(b"value", "")
    return fields


class Browser:
    """The requests of one person at ``target``: a cookie jar and the pages of a login to ``service``."""

    def __init__(self, target: Target, service: str = SERVICE) -> None:
        self._target = target
        self._service = service
        self._cookies: dict[str, str] = {}
        self._login = f"{target.path}/login?service={quote(service, safe='')}"

    def get_page(self, path: str) -> Generator[bytes, Answer, Answer]:
        """Get ``path`` and keep the cookies of the answer."""
        head = f"GET {path} HTTP/1.1\r\nHost: {self._target.host}\r\nAccept: text/html\r\n{self._cookie_header()}\r\n"
        return self._keep_cookies((yield head.encode()))

    def post_form(self, path: str, fields: dict[str, str]) -> Generator[bytes, Answer, Answer]:
        """Post ``fields`` as a browser does, with ``Origin`` and ``Referer`` of the same server."""
        body = urlencode(fields)
        head = (
            f"POST {path} HTTP/1.1\r\nHost: {self._target.host}\r\nAccept: text/html\r\n"
            f"Origin: http://{self._target.host}\r\nReferer: http://{self._target.host}{self._login}\r\n"
            f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n"
            f"{self._cookie_header()}\r\n"
        )
        return self._keep_cookies((yield head.encode() + body.encode()))

    def sign_in(self, username: str) -> Step:
        """Go through the login form and return the service ticket of the redirect."""
        return self.ticket_in((yield from self.send_password(username)))

    def send_password(self, username: str) -> Generator[bytes, Answer, Answer]:
        """Go through the login form and return what comes of it, which need not be the end."""
        page = yield from self.get_page(self._login)
        fields = hidden_fields(page.body) | {"username": username, "password": self._target.password}
        return (yield from self.post_form(self._login, fields))

    def ask_for_ticket(self) -> Step:
        """Ask for a service ticket on the session this browser has, and return the ticket."""
        return self.ticket_in((yield from self.get_page(self._login)))

    def ticket_in(self, answer: Answer) -> str:
        """Return the ticket in the redirect back to the application."""
        location = answer.header("Location")
        if answer.status not in {302, 303} or not location.startswith(self._service):
            raise UnexpectedAnswer(f"status {answer.status} in place of a redirect to the application")
        _, found, ticket = urlsplit(location).query.partition("ticket=")
        if not found:
            raise UnexpectedAnswer("a redirect without a ticket")
        return ticket.partition("&")[0]

    def _cookie_header(self) -> str:
        pairs = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        return f"Cookie: {pairs}\r\n" if pairs else ""

    def _keep_cookies(self, answer: Answer) -> Answer:
        for name, value in answer.cookies().items():
            if value:
                self._cookies[name] = value
            else:
                self._cookies.pop(name, None)
        return answer


def validate(target: Target, ticket: str, *, expected: bytes, service: str = SERVICE) -> Flow:
    """Validate ``ticket`` as an application does; ``expected`` has to be in the answer."""
    query = f"service={quote(service, safe='')}&ticket={quote(ticket, safe='')}"
    answer = yield f"GET {target.path}/p3/serviceValidate?{query} HTTP/1.1\r\nHost: {target.host}\r\n\r\n".encode()
    if answer.status != 200 or expected not in answer.body:
        raise UnexpectedAnswer(f"status {answer.status} and no {expected.decode()!r} in the answer to a validation")


def whole_login(target: Target, driver: Driver, seconds: float) -> Measurement:
    """Form, password, redirect and validation, with a fresh browser each time."""
    people = itertools.cycle(target.usernames)

    def flow(username: str) -> Flow:
        ticket = yield from Browser(target).sign_in(username)
        yield from validate(target, ticket, expected=user_element(username))

    return driver.run(lambda: flow(next(people)), seconds)


def live_session(target: Target, driver: Driver, seconds: float) -> Measurement:
    """A ticket on a session that exists, then its validation. The sign-ins before it are not timed."""
    sessions = itertools.cycle(_signed_in(target, driver))

    def flow(session: Session) -> Flow:
        ticket = yield from session.browser.ask_for_ticket()
        yield from validate(target, ticket, expected=user_element(session.username))

    return driver.run(lambda: flow(next(sessions)), seconds)


def validation(target: Target, driver: Driver, seconds: float) -> Measurement:
    """The validation of good tickets alone. They are made before it, untimed, for ``seconds`` as fast as they come."""
    sessions = itertools.cycle(_signed_in(target, driver))
    tickets: list[tuple[str, str]] = []

    def minting(session: Session) -> Flow:
        tickets.append(((yield from session.browser.ask_for_ticket()), session.username))

    driver.run(lambda: minting(next(sessions)), seconds)
    flows = (validate(target, ticket, expected=user_element(username)) for ticket, username in tickets)
    return driver.run(lambda: next(flows, None), seconds)


def refused_validation(target: Target, driver: Driver, seconds: float) -> Measurement:
    """The validation of tickets that never existed, of the form of real ones: others a server need not look up."""
    samples: list[str] = []

    def minting(session: Session) -> Flow:
        samples.append((yield from session.browser.ask_for_ticket()))

    flows = (minting(session) for session in _signed_in(target, driver))
    driver.run(lambda: next(flows, None), SIGN_IN_SECONDS)
    real = itertools.cycle(samples)
    return driver.run(lambda: validate(target, forged(next(real)), expected=b"INVALID_TICKET"), seconds)


def forged(ticket: str) -> str:
    """Return the ticket with other letters and digits at its end."""
    tail = "".join(secrets.choice(ascii_letters + digits) for _ in range(FORGED_LENGTH))
    return ticket[:-FORGED_LENGTH] + tail


def one_page(target: Target, driver: Driver, seconds: float) -> Measurement:
    """One GET of the reference applications' only page."""
    browser = Browser(target)

    def flow() -> Flow:
        answer = yield from browser.get_page("/")
        if answer.status != 200 or len(answer.body) != PAGE_LENGTH:
            raise UnexpectedAnswer(f"status {answer.status} from a reference application")

    return driver.run(flow, seconds)


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody who is signed in."""

    username: str
    browser: Browser


def _signed_in(target: Target, driver: Driver) -> list[Session]:
    """Return a live session for each connection. Raises ``UnexpectedAnswer`` when a sign-in fails."""
    people = itertools.islice(itertools.cycle(target.usernames), driver.connections)
    waiting = [Session(name, Browser(target)) for name in people]

    def flow(session: Session) -> Flow:
        yield from session.browser.sign_in(session.username)

    flows = (flow(session) for session in waiting)
    failures = driver.run(lambda: next(flows, None), SIGN_IN_SECONDS).failures
    if failures:
        raise UnexpectedAnswer(failures[0])
    return waiting


def user_element(username: str) -> bytes:
    """Return what the answer to a validation has to hold."""
    return f"{username}</cas:user>".encode()


SCENARIOS: dict[str, Callable[[Target, Driver, float], Measurement]] = {
    "login": whole_login,
    "session": live_session,
    "validation": validation,
    "refused": refused_validation,
}
"""What is measured of every CAS server, in this order."""
