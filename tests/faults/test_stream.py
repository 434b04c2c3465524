"""The stream and the ledger against a server that lies: what must not be is found, however much else goes well."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from tests.faults import stream as streaming
from tests.faults.ledger import settle
from tests.faults.stage import Stage
from tests.faults.stream import Stream

_FORM = '<h1>Sign in</h1><form id="login" action="/cas/login"><input type="hidden" name="service" value="{}"></form>'
_XML = '<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">{}</cas:serviceResponse>'
_SUCCESS = _XML.format("<cas:authenticationSuccess><cas:user>{}</cas:user></cas:authenticationSuccess>")
_FAILURE = _XML.format('<cas:authenticationFailure code="{}">no</cas:authenticationFailure>')
LATE = 10
"""Logins that go well before the lie."""


class Toy:
    """A server that is as good as its word until a lie is put in the place of one of its methods."""

    def __init__(self, trail: Path) -> None:
        self._trail = trail / "events.jsonl"
        self._people: dict[str, str] = {}
        self._numbers = count(1)
        self._lock = threading.Lock()

    def page(self, service: str) -> tuple[int, str]:
        """Answer who asks for the form."""
        return 200, _FORM.format(service)

    def grant(self, username: str) -> str:
        """Return a ticket."""
        ticket = f"ST-{next(self._numbers):06}"
        with self._lock:
            self._people[ticket] = username
        self.tell("ticket.granted", username, ticket)
        return ticket

    def validate(self, ticket: str) -> str:
        """Return the answer to a validation."""
        with self._lock:
            username = self._people.pop(ticket, "")
        if not username:
            return _FAILURE.format("INVALID_TICKET")
        self.tell("ticket.validated", username, ticket)
        return _SUCCESS.format(username)

    def tell(self, event: str, username: str, ticket: str) -> None:
        """Write an event down."""
        facts = {"ticket": f"ST-...{ticket[-4:]}"}
        self.write(json.dumps({"id": f"{event} {ticket}", "event": event, "principal": username, "facts": facts}))

    def write(self, line: str) -> None:
        """Add a line to the trail."""
        with self._lock, self._trail.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


@contextmanager
def listening(toy: Toy) -> Iterator[str]:
    """Have it answer on a port of its own. Gives its base."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(url.query).items()}
            if url.path == "/cas/login":
                self._answer(*toy.page(asked["service"]))
            else:
                self._answer(200, toy.validate(asked["ticket"]))

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            ticket = toy.grant(form["username"][0])
            self._answer(302, "", f"{form['service'][0]}&ticket={quote(ticket)}")

        def _answer(self, status: int, text: str, location: str = "") -> None:
            self.send_response(status)
            if location:
                self.send_header("Location", location)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/cas/"
        finally:
            server.shutdown()
            serving.join()


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return Toy(tmp_path)


def judged(toy: Toy, tmp_path: Path, more: int = LATE) -> Stream:
    """Send people to it, then look for what was used twice and lost."""
    with listening(toy) as base, Stream([base], threads=2) as stream:
        stream.flows(more)
        settle(stream, Stage([], None, tmp_path))
    return stream


def test_a_server_that_does_not_lie_is_sound(toy: Toy, tmp_path: Path) -> None:
    tally = judged(toy, tmp_path).tally
    tally.assert_sound()
    assert tally.tried == tally.completed >= LATE


def test_a_ticket_that_is_good_twice_is_found(toy: Toy, tmp_path: Path) -> None:
    told: dict[str, str] = {}
    honest = toy.validate

    def lie(ticket: str) -> str:
        # One of them, and once more only.
        return told.pop(ticket) if ticket in told else told.setdefault(ticket, honest(ticket))

    toy.validate = lambda ticket: lie(ticket) if ticket.endswith("5") else honest(ticket)  # type: ignore[method-assign]
    tally = judged(toy, tmp_path).tally
    assert tally.twice
    with pytest.raises(AssertionError, match="tickets used twice 1"):
        tally.assert_sound()


def test_a_ticket_that_is_good_once_more_at_the_end_is_found(toy: Toy, tmp_path: Path) -> None:
    """As after a Redis that came back with what it had before the ticket was taken."""
    honest = toy.validate
    tries: dict[str, int] = {}

    def lie(ticket: str) -> str:
        tries[ticket] = tries.get(ticket, 0) + 1
        return _SUCCESS.format("ada") if ticket.endswith("5") and tries[ticket] == 3 else honest(ticket)

    toy.validate = lie  # type: ignore[method-assign]
    assert judged(toy, tmp_path).tally.twice


def test_an_event_that_was_written_twice_is_found(toy: Toy, tmp_path: Path) -> None:
    honest = toy.write
    told = count(1)
    toy.write = lambda line: [honest(line) for _ in range(1 + (next(told) == 5))]  # type: ignore[assignment,method-assign]
    [what] = judged(toy, tmp_path).tally.wrong
    assert what.startswith("written twice: ticket.")


def test_the_name_of_somebody_else_is_found(toy: Toy, tmp_path: Path) -> None:
    honest = toy.validate

    def lie(ticket: str) -> str:
        answer = honest(ticket)
        return answer.replace(">ada<", ">grace<") if ticket > "ST-000005" else answer

    toy.validate = lie  # type: ignore[method-assign]
    found = judged(toy, tmp_path).tally.wrong
    assert found
    assert all(what.startswith("ada: the ticket of ada is good for grace") for what in found)


@pytest.mark.parametrize(
    ("status", "page", "said"),
    [
        (503, "<h1>Please wait</h1><p>Later.</p>", "without a reference"),
        (503, "Traceback (most recent call last)", "without a sentence"),
        (400, "", "without a sentence"),
        (500, '<h1>Our mistake</h1><p class="reference">ABC</p>', "a mistake of ours"),
        (200, "<h1>Welcome</h1>", "no form to sign in"),
    ],
)
def test_a_page_that_helps_nobody_is_found(toy: Toy, tmp_path: Path, status: int, page: str, said: str) -> None:
    honest = toy.page
    asked = count(1)
    toy.page = lambda service: (status, page) if next(asked) == 5 else honest(service)  # type: ignore[method-assign]
    [what] = judged(toy, tmp_path).tally.wrong
    assert said in what


def test_a_page_with_a_sentence_and_a_reference_is_a_clear_answer(toy: Toy, tmp_path: Path) -> None:
    honest = toy.page
    page = '<h1>Please wait</h1><p class="reference">ABC</p>'
    toy.page = lambda service: (503, page) if next(asked) == 5 else honest(service)  # type: ignore[method-assign]
    asked = count(1)
    tally = judged(toy, tmp_path).tally
    tally.assert_sound()
    assert tally.clear == {"503 Please wait": 1}


def test_an_answer_that_comes_too_late_is_found(toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streaming, "LONGEST", 0.3)
    ended, asked = threading.Event(), count(1)
    honest = toy.page

    def hang(service: str) -> tuple[int, str]:
        if next(asked) == 5:
            ended.wait(30)
        return honest(service)

    toy.page = hang  # type: ignore[method-assign]
    with listening(toy) as base, Stream([base], threads=2) as stream:
        try:
            stream.flows(LATE)
            stream.stop()
        finally:
            ended.set()
    assert any(what.endswith("no answer from /cas/login within 0 s") for what in stream.tally.wrong)


def test_an_event_that_is_lost_is_found(toy: Toy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    honest = toy.tell

    def lie(event: str, username: str, ticket: str) -> None:
        if (event, ticket) != ("ticket.validated", "ST-000005"):
            honest(event, username, ticket)

    toy.tell = lie  # type: ignore[method-assign]
    with listening(toy) as base, Stream([base], threads=2) as stream:
        stream.flows(LATE)
        monkeypatch.setattr("tests.support.waiting.PATIENCE", 0.2)
        settle(stream, Stage([], None, tmp_path))
    [lost] = stream.tally.lost
    assert lost.startswith("ticket.validated")
    assert lost.endswith("0005")
