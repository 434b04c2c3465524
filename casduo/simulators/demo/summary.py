"""What the demo says about itself: a table for people and the same as JSON for scripts."""

from __future__ import annotations

import json
import shlex
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from casduo.simulators.demo.addresses import Addresses
from casduo.simulators.demo.people import ADMINISTRATOR, PEOPLE
from casduo.simulators.demo.state import State
from casduo.simulators.demo.ucm import PHONES
from casduo.simulators.demo.webex import SPACE

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
            {
                "username": person.username,
                "password": person.password,
                "pin": person.pin,
                "duo": person.duo,
                "profiles": [profile.name for profile in person.profiles],
            }
            for person in PEOPLE
        ],
        "apps": [
            {"name": app.title, "url": f"{addresses.app_url(app)}/", "requires_duo": app.requires_duo}
            for app in addresses.apps
        ],
        "duo_url": addresses.phones_url,
        "duo_control_url": addresses.control_url,
        "phone_url": addresses.ip_phones_url,
        "phones": [{"device": phone.device, "model": phone.model, "name": phone.place} for phone in PHONES],
        "em_service_url": addresses.em_service_url,
        "ucm_servers": list(addresses.ucm_servers),
        "ucm_control_url": addresses.ucm_control_url,
        "webex_url": addresses.webex_url,
        "webex_control_url": addresses.webex_control_url,
        "webex_space": SPACE,
        "admin_url": f"{addresses.cas_url}/admin/",
        "settings_file": str(facts.state.settings_file),
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
    about = (
        "a password is enough",
        "asks for Duo on Duo's page",
        "asks for Duo on the sign-in page, opens while Duo is down",
        "asks for Duo, and for somebody who approves it for a while",
    )
    for app, what in zip(addresses.apps, about, strict=True):
        yield app.title, f"{addresses.app_url(app)}/", what
    yield "Sign-in", f"{addresses.cas_url}/login", "the server that the four ask"
    yield "Phones", addresses.phones_url, "everybody's own phone, with Duo Mobile: approve, deny, report"
    yield "IP phones", addresses.ip_phones_url, "phones on desks: log in with a PIN and Duo, and they become yours"
    yield "Webex", addresses.webex_url, f"everybody's spaces: news and requests for access are in {SPACE}"
    yield "Requests", f"{addresses.cas_url}/approvals", "the sign-in server's own page to decide about access"
    yield (
        "Admin",
        f"{addresses.cas_url}/admin/",
        f"who is signed in, and more: {ADMINISTRATOR.username} may change things",
    )


def _people() -> Iterable[Sequence[str]]:
    yield "User name", "Password", "PIN", "With Duo", "Profiles for IP phones"
    for person in PEOPLE:
        profiles = ", ".join(profile.name for profile in person.profiles)
        yield person.username, person.password, person.pin, f"{person.duo}: {person.story}", profiles or "none"


def _steps(facts: Facts) -> Iterable[str]:
    yield "Open Library as ada, then Payroll: only Duo is asked for. Approve it under Phones."
    yield "Sign out of Library, then reload Payroll: signing out told every application that was open."
    yield "Open Timesheets as ada in another browser: a push goes out by itself; the phone's page also has codes."
    yield "Say there that the browser is yours, sign out and in: Timesheets asks for no Duo, Payroll still does."
    yield "Open Payroll as grace: she has no device, but Library opens. Register one, and Payroll goes on by itself."
    yield "Open Payroll as edsger, who refuses; as alan, who is not asked; as linus, who is locked out."
    yield "Give a wrong password six times."
    yield "Open IP phones, pick one, press Services. Log in as ada with her PIN, approve under Phones, pick a profile."
    yield "Wait until that phone has restarted with her line. Log in as ada on a second one: she has to log out first."
    yield "Press Services on the first phone again, and log her out there."
    yield "Log in there as margaret, who has no profile; as edsger, who refuses: Retry, or a passcode from Phones."
    yield "Open Database server as ada, approve under Phones, ask for access, and leave the page open."
    yield f"Press Approve as margaret in {SPACE} of Webex: ada's page goes on by itself. See what ada was told."
    yield "Ask as alan in another browser. Press Approve as edsger, who may not; reject it as margaret under Requests."
    yield f"Sign out, open Payroll as ada, report the push as fraud under Phones, and look into {SPACE}."
    yield "Open Admin as ada, look for alan's sign-ins and end them; his applications were told."
    stop = _stop_node(facts.addresses)
    yield f"Stop a node of the UCM, the system behind the IP phones, and log in; true starts it again:\n   {stop}"
    yield f"Stop Duo and open Payroll and Timesheets as ada; true starts it again:\n   {_stop_duo(facts.addresses)}"
    commands = "\n   ".join(_commands(facts.state))
    yield f"Read what was written down, check that nobody changed it, and see what waits to be posted:\n   {commands}"
    yield f"Write requires_duo: true at Library in {facts.state.registry_file.name} and open Library again."


def _stop_duo(addresses: Addresses) -> str:
    return _curl(addresses.control_url, {"do": "listen", "on": False})


def _stop_node(addresses: Addresses) -> str:
    return _curl(addresses.ucm_control_url, {"do": "listen", "node": 1, "on": False})


def _commands(state: State) -> Iterable[str]:
    """Return the commands that read the demo's audit trail and outbox."""
    for group, command in (("audit", "tail"), ("audit", "verify"), ("outbox", "status")):
        yield shlex.join([sys.executable, "-m", "casduo", group, "--config", str(state.settings_file), command])


def _curl(url: str, command: Mapping[str, object]) -> str:
    return f"curl -H 'Content-Type: application/json' -d '{json.dumps(command)}' {url}"


def _files(facts: Facts) -> Iterable[Sequence[str]]:
    state = facts.state
    yield "CA", str(facts.ca_file), "one warning, or none if your browser trusts this"
    yield "Settings", str(state.settings_file), "for casduo doctor --config, also while Duo is stopped"
    yield "Services", str(state.registry_file), ""
    yield "Logs", str(state.serve_log), ""
    yield "", str(state.apps_log), ""


def _columns(rows: Iterable[Sequence[str]]) -> list[str]:
    """Align cells; the last column is as wide as it likes."""
    rows = list(rows)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
