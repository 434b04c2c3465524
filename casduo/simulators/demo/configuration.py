"""The demo's ``registry.yaml`` and ``casduo.yaml``: real files, such as a person would write them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from casduo.simulators.certificates import LeafFiles
from casduo.simulators.demo.addresses import ADDRESS, Addresses
from casduo.simulators.demo.state import ARGON2, Keys, State
from casduo.simulators.files import write_file

_REGISTRY = """\
# The services of the demo: who may send people to sign in, and for whom Duo is asked.
# The running server reads this file again by itself: change something, save, and try it in the browser.
# While you leave it alone, the demo writes it anew at each start; once edited, it is yours.

services:
  # A password is enough. To see the difference, write "requires_duo: true" below.
  - id: library
    name: Library
    description: Loans and reading rooms
    url: {library}/**
    attributes: [mail, displayName]

  # A password and Duo. Who has no device yet is shown the way to enrolment.
  - id: payroll
    name: Payroll
    description: Payslips and tax papers
    url: {payroll}/**
    requires_duo: true
    attributes: [mail, displayName, groups]

  # A password and Duo, but while Duo cannot be reached a password alone.
  - id: timesheets
    name: Timesheets
    description: Hours and holidays
    url: {timesheets}/**
    requires_duo: {{fail: open}}
    attributes: [displayName]
"""

_SETTINGS = """\
# Written at each start of the demo: changes here are lost. Those in registry.yaml and users.yaml stay.

server:
  url: {cas_url}
  bind: {address}:{port}
  tls_certificate: {certificate}
  tls_key: {key}
  state_directory: {server_directory}

registry: {registry}

authentication:
  - type: users_file
    path: {users}
    argon2: {{memory_kib: {memory_kib}, time_cost: {time_cost}, parallelism: {parallelism}}}

# "Keep me signed in" on the sign-in page.
session:
  remember_me: {{enabled: true}}

# Duo and the applications show certificates of the demo's own authority.
outbound:
  ca_file: {ca}

duo:
  api_host: {duo_host}
  universal:
    client_id: {client_id}
    client_secret: {client_secret}
  # The next person should not have to wait long when Duo is there again.
  breaker: {{pause: 2s}}

pages:
  organisation: Example University
  help_text: This is the demo of casduo. It has no help desk.
"""


def write_settings(state: State, addresses: Addresses, certificate: LeafFiles, keys: Keys) -> None:
    """Write the sign-in server's settings."""
    text = _SETTINGS.format(
        cas_url=addresses.cas_url,
        address=ADDRESS,
        port=addresses.first,
        certificate=_quoted(certificate.cert),
        key=_quoted(certificate.key),
        server_directory=_quoted(state.server_directory),
        registry=_quoted(state.registry_file),
        users=_quoted(state.users_file),
        memory_kib=ARGON2.memory_kib,
        time_cost=ARGON2.time_cost,
        parallelism=ARGON2.parallelism,
        duo_host=addresses.duo_host,
        ca=_quoted(certificate.ca),
        client_id=keys.duo_client_id,
        client_secret=keys.duo_client_secret,
    )
    write_file(state.settings_file, text.encode())


def write_registry(state: State, addresses: Addresses) -> str:
    """Write the registry, unless somebody edited it.

    :returns: a sentence when the edited file does not fit the addresses of this start, else nothing.
    """
    text = _REGISTRY.format(**{app.title.lower(): addresses.app_url(app) for app in addresses.apps})
    path, mark = state.registry_file, state.directory / "registry.yaml.sha256"
    found = _content(path)
    if found is None or _digest(found) == (_content(mark) or b"").decode().strip():
        write_file(path, text.encode())
        write_file(mark, (_digest(text.encode()) + "\n").encode())
        return ""
    missing = [app for app in addresses.apps if addresses.app_url(app).encode() not in found]
    if not missing:
        return ""
    named = " and ".join(f"{addresses.app_url(app)} ({app.title})" for app in missing)
    return f"{path} was edited and does not name {named}: change it, or delete it to get a new one."


def _quoted(path: Path) -> str:
    # A JSON string is a YAML string, whatever characters a path has.
    return json.dumps(str(path))


def _content(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
