"""A program that uses the REST protocol: it has a key, an address, and people's passwords."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode

from tests.support.raw import FORM, Answer, call
from tests.support.site import BASE, LIBRARY, PASSWORDS, Site

_PATIENCE = 30.0
KEY = "Pn0wUzX3b7kQeRr2TtYy5HhGgFfDdSsA"
ADDRESS = "192.0.2.50"

SOLO = "https://solo.example.edu/paper"
STAFF = "https://staff.example.edu/"
LAB = "https://lab.example.edu/"
FRESH = "https://fresh.example.edu/"
UNKNOWN = "https://unregistered.example.com/"

NO_SESSION = f"TGT-abcd-{'0' * 43}"
"""An id that could be a session's and is none."""

REST = f"""
rest:
  enabled: true
  clients:
    - {{name: portal, key: {KEY}}}
"""

REGISTRY = """
services:
  - id: library
    name: Library catalogue
    url: https://library.example.edu/**
    attributes: [mail, displayName]
  - id: solo
    name: Examination
    url: https://solo.example.edu/**
    single_sign_on: false
  - id: fresh
    name: Bank
    url: https://fresh.example.edu/**
    session: {lifetime: 5m}
  - id: brief
    name: No remembering
    url: https://brief.example.edu/**
    accept_remember_me: false
  - id: staff
    name: Staff room
    url: https://staff.example.edu/**
    access: {groups: [staff]}
  - id: lab
    name: Laboratory
    url: https://lab.example.edu/**
    access: {networks: [10.0.0.0/8]}
  - id: nameless
    name: Wants a name that nobody has
    url: https://nameless.example.edu/**
    username_attribute: employeeNumber
  - id: mail
    name: Told by mail
    url: https://mail.example.edu/**
    username_attribute: mail
  - id: pairwise
    name: Knows nobody by name
    url: https://pairwise.example.edu/**
    pairwise_id: true
  - id: closed
    name: Old system
    url: https://closed.example.edu/**
    enabled: false
  - id: browsers
    name: Not for programs
    url: https://browsers.example.edu/**
    protocols: [cas2, cas3]
  - id: phones
    name: Extension Mobility
    url: https://phones.example.edu/em/**
    channel: phone
"""

WITH_PHONES = {
    "settings": REST + "ucm: {axl: {servers: '127.0.0.1:9', username: axl, password: nobody-asks}}\n",
    "handlers": "- {type: ucm_pin}\n",
}
"""What the entry for phones needs besides; its UCM is asked nothing."""


@dataclass(frozen=True)
class Program:
    """A program at a server. Without ``key`` it presents none."""

    site: Site
    key: str = KEY
    address: str = ADDRESS

    def call(
        self,
        method: str,
        path: str,
        fields: dict[str, str] | None = None,
        *,
        body: bytes = b"",
        kind: str = FORM,
        query: str = "",
        **environ: str,
    ) -> Answer:
        """Call an address below the server's; ``fields`` become a form."""
        if self.key:
            environ.setdefault("HTTP_AUTHORIZATION", f"Bearer {self.key}")
        environ.setdefault("REMOTE_ADDR", self.address)
        sent = urlencode(fields).encode() if fields else body
        return call(self.site, method, f"/cas{path}", query, sent, kind if sent else "", **environ)

    def post(self, path: str, **fields: str) -> Answer:
        return self.call("POST", path, fields)

    def sign_in(self, username: str = "ada", **fields: str) -> Answer:
        """Ask for a session, with the person's password unless another one is given."""
        return self.post("/v1/tickets", **{"username": username, "password": PASSWORDS.get(username, ""), **fields})

    def session(self, username: str = "ada", **fields: str) -> str:
        """Return the id of a new session."""
        answer = self.sign_in(username, **fields)
        assert answer.status == 201, answer.body
        return ticket_in(answer)

    def ticket(self, session: str, service: str = LIBRARY, **fields: str) -> Answer:
        """Ask for a service ticket."""
        return self.post(f"/v1/tickets/{session}", service=service, **fields)

    def renew(self, session: str, username: str = "ada", service: str = LIBRARY, **fields: str) -> Answer:
        """Ask for a service ticket with the password once more."""
        given = {"username": username, "password": PASSWORDS[username], **fields}
        return self.ticket(session, service, renew="true", **given)

    def look(self, ticket: str) -> int:
        """Return the status of a ticket."""
        return self.call("GET", f"/v1/tickets/{ticket}").status


def ticket_in(answer: Answer) -> str:
    """Return the session's id from the address of a new session."""
    prefix = f"{BASE}/v1/tickets/"
    location = answer.header("Location")
    assert location.startswith(prefix)
    return location.removeprefix(prefix)


def asked(answer: Answer) -> dict[str, str]:
    """Return what an answer says that the person was sent."""
    assert answer.status == 202, answer.body
    found: dict[str, str] = json.loads(answer.body)
    return found


def push_of(answer: Answer) -> str:
    """Return the token that an answer asks to come back with."""
    return asked(answer)["push"]


def answered(repeat: Callable[[], Answer]) -> Answer:
    """Repeat a call about a push, as a program does, until the person has answered. Returns the answer to that."""
    return until(lambda answer: answer.status != 202, repeat)


def until(enough: Callable[[Answer], bool], repeat: Callable[[], Answer]) -> Answer:
    """Repeat a call until its answer is good enough, and return that."""
    deadline = time.monotonic() + _PATIENCE
    while not enough(answer := repeat()):
        assert time.monotonic() < deadline, answer
        time.sleep(0.02)
    return answer


def text(answer: Answer) -> str:
    """Return the body as text, in full."""
    return answer.body.decode()
