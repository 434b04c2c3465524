"""A simulated Webex with people, a bot and a space; a client that sees status and body; a receiver of webhooks."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from werkzeug.wrappers import Request, Response

from casduo.simulators.clock import VirtualClock
from casduo.simulators.server import SimulatorServer
from casduo.simulators.webex import Person, Room, WebexSimulator

START = 1_778_442_060.1
"""10 May 2026, 19:41 UTC, and 100 ms."""

SECRET = "a secret of at least thirty-two bytes, for webhooks"


@dataclass(slots=True)
class Api:
    """Calls the API as one person does."""

    base_url: str
    token: str
    session: requests.Session = field(default_factory=requests.Session)

    def __call__(self, method: str, path: str, **arguments: Any) -> requests.Response:
        headers = {"Authorization": f"Bearer {self.token}", **arguments.pop("headers", {})}
        return self.session.request(
            method, self.base_url + path, headers=headers, timeout=arguments.pop("timeout", 10), **arguments
        )

    def post(self, **body: Any) -> requests.Response:
        """Post a message."""
        return self("POST", "messages", json=body)


@dataclass(slots=True)
class Receiver:
    """A receiver of webhooks. ``answers`` are the statuses of the next ones; 204 when there are none left."""

    received: list[tuple[Mapping[str, str], bytes]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)
    url: str = ""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        request = Request(environ)
        with self.lock:
            self.received.append((dict(request.headers), request.get_data()))
            status = self.answers.pop(0) if self.answers else 204
        return Response(status=status)(environ, start_response)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def webex(clock: VirtualClock) -> Iterator[WebexSimulator]:
    with WebexSimulator(clock) as simulator:
        yield simulator


@pytest.fixture
def bot(webex: WebexSimulator) -> Person:
    return webex.add_bot("casduo")


@pytest.fixture
def luke(webex: WebexSimulator) -> Person:
    return webex.add_person("luke@example.edu", "Luke Skywalker", emails=["l.skywalker@example.edu"])


@pytest.fixture
def yoda(webex: WebexSimulator) -> Person:
    return webex.add_person("yoda@example.edu", "Yoda")


@pytest.fixture
def room(webex: WebexSimulator, bot: Person, luke: Person) -> Room:
    return webex.add_room("Access requests", [bot, luke])


@pytest.fixture
def client(webex: WebexSimulator) -> Iterator[Callable[[Person], Api]]:
    """Makes clients with the token of somebody."""
    made: list[Api] = []

    def make(person: Person) -> Api:
        made.append(Api(webex.base_url, person.token))
        return made[-1]

    yield make
    for each in made:
        each.session.close()


@pytest.fixture
def as_bot(client: Callable[[Person], Api], bot: Person) -> Api:
    return client(bot)


@pytest.fixture
def as_luke(client: Callable[[Person], Api], luke: Person) -> Api:
    return client(luke)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    with SimulatorServer(receiver, name="webhook-receiver") as server:
        receiver.url = f"{server.url}/webex/hook"
        yield receiver


def card(*actions: Mapping[str, Any], version: str = "1.3", body: Iterable[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """Return a card, as an approval request is one when no actions are given."""
    return {
        "type": "AdaptiveCard",
        "version": version,
        "body": [{"type": "TextBlock", "text": "Access request 7F3K", "wrap": True}, *body],
        "actions": list(actions or (submit("Approve", decision="approve"), REJECT)),
    }


def submit(title: str, **data: Any) -> dict[str, Any]:
    """Return a button that sends something."""
    return {"type": "Action.Submit", "title": title, "data": data}


REJECT: dict[str, Any] = {
    "type": "Action.ShowCard",
    "title": "Reject",
    "card": {
        "type": "AdaptiveCard",
        "version": "1.3",
        "body": [{"type": "Input.Text", "id": "reason", "label": "Why not?", "maxLength": 20}],
        "actions": [submit("Reject request", decision="reject", casduo=1)],
    },
}


def attached(content: Any) -> list[dict[str, Any]]:
    """Return a card as an attachment of a message."""
    return [{"contentType": "application/vnd.microsoft.card.adaptive", "content": content}]


@pytest.fixture
def posted_card(as_bot: Api, room: Room) -> str:
    """The id of a message with an approval request."""
    answer = as_bot.post(roomId=room.id, text="Access request 7F3K", attachments=attached(card()))
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])
