"""What the demo says about itself: a table for people and the same as JSON for scripts."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from casduo.simulators.demo.addresses import Addresses
from casduo.simulators.demo.people import PEOPLE
from casduo.simulators.demo.state import State

_INDENT = "  "


@dataclass(frozen=True, slots=True)
class Facts:
    """What is where.

    :param redis_url: where the sign-in server keeps its sessions.
    :param note: something to know about this start; mostly nothing.
    """

    addresses: Addresses
    state: State
    ca_file: Path
    redis_url: str
    note: str = ""


def ready_document(facts: Facts) -> str:
    """Return addresses, people and files as JSON."""
    addresses = facts.addresses
    document = {
        "cas_url": addresses.cas_url,
        "ca_file": str(facts.ca_file),
        "redis_url": facts.redis_url,
        "users": [
            {"username": person.username, "password": person.password, "pin": person.pin, "duo": person.duo}
            for person in PEOPLE
        ],
        "apps": [
            {"name": app.title, "url": f"{addresses.app_url(app)}/", "requires_duo": app.requires_duo}
            for app in addresses.apps
        ],
        "duo_url": addresses.phones_url,
        "duo_control_url": addresses.control_url,
        "registry_file": str(facts.state.registry_file),
        "log_files": [str(facts.state.serve_log), str(facts.state.apps_log)],
    }
    return json.dumps(document, indent=2) + "\n"


def table(facts: Facts) -> str:
    """Return addresses, people and what to try, laid out for a terminal."""
    parts = [
        ("Open", _columns(_places(facts.addresses))),
        ("People", _columns(_people())),
        ("Try", [f"{number}. {step}" for number, step in enumerate(_steps(facts), 1)]),
        ("Files", _columns(_files(facts))),
    ]
    if facts.note:
        parts.append(("Note", textwrap.wrap(facts.note, 100, break_long_words=False, break_on_hyphens=False)))
    body = "\n\n".join(f"{heading}\n" + textwrap.indent("\n".join(lines), _INDENT) for heading, lines in parts)
    return f"{body}\n\nThe demo runs. Ctrl-C ends it.\n"


def _places(addresses: Addresses) -> Iterable[Sequence[str]]:
    about = ("a password is enough", "asks for Duo", "asks for Duo, opens while Duo is down")
    for app, what in zip(addresses.apps, about, strict=True):
        yield app.title, f"{addresses.app_url(app)}/", what
    yield "Sign-in", f"{addresses.cas_url}/login", "the server that the three ask"
    yield "Phones", addresses.phones_url, "everybody's phone: approve, deny, report"


def _people() -> Iterable[Sequence[str]]:
    yield "User name", "Password", "PIN", "With Duo"
    for person in PEOPLE:
        yield person.username, person.password, person.pin, f"{person.duo}: {person.story}"


def _steps(facts: Facts) -> Iterable[str]:
    yield "Open Library as ada, then Payroll: only Duo is asked for. Approve it under Phones."
    yield "Sign out of Library, then reload Payroll: signing out told every application that was open."
    yield "Open Payroll as grace: she has no device, but Library opens. Set one up and continue to Payroll."
    yield "Open Payroll as edsger, who refuses; as alan, who is not asked; as linus, who is locked out."
    yield "Give a wrong password six times."
    yield f"Stop Duo and open Payroll and Timesheets as ada; true starts it again:\n   {_stop_duo(facts.addresses)}"
    yield f"Write requires_duo: true at Library in {facts.state.registry_file.name} and open Library again."


def _stop_duo(addresses: Addresses) -> str:
    command = """-d '{"do": "listen", "on": false}'"""
    return f"curl -H 'Content-Type: application/json' {command} {addresses.control_url}"


def _files(facts: Facts) -> Iterable[Sequence[str]]:
    state = facts.state
    yield "CA", str(facts.ca_file), "one warning, or none if your browser trusts this"
    yield "Services", str(state.registry_file), ""
    yield "Logs", str(state.serve_log), ""
    yield "", str(state.apps_log), ""


def _columns(rows: Iterable[Sequence[str]]) -> list[str]:
    """Align cells; the last column is as wide as it likes."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
