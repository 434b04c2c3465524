"""The demo's ``registry.yaml`` and ``casduo.yaml``: real files, such as a person would write them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from casduo.simulators.certificates import LeafFiles
from casduo.simulators.demo.addresses import ADDRESS, Addresses
from casduo.simulators.demo.applications import ACCOUNT, MACHINE, MACHINE_ADDRESS
from casduo.simulators.demo.people import ADMINISTRATOR, APPROVER, DOMAIN
from casduo.simulators.demo.state import ARGON2, Keys, State
from casduo.simulators.demo.ucm import AXL_USERNAME, EM_USERNAME
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

  # A password and Duo, on Duo's own page. Who has no device yet is shown the way to get one, and comes back by itself.
  - id: payroll
    name: Payroll
    description: Payslips and tax papers
    url: {payroll}/**
    requires_duo: true
    attributes: [mail, displayName, groups]

  # A password and Duo, on casduo's own page: a push goes out by itself, codes work beside it. While Duo cannot be
  # reached a password alone is enough, and a browser of one's own is asked once in a month.
  - id: timesheets
    name: Timesheets
    description: Hours and holidays
    url: {timesheets}/**
    requires_duo: {{prompt: push, fail: open, trusted_browser: 30d}}
    attributes: [displayName]

  # A machine behind a gateway. Besides a password and Duo, somebody has to approve, for a limited time: who asks for
  # access is taken through a form, and what they send appears in Webex and at {cas_url}/approvals.
  - id: oracle-b
    name: {machine}
    description: Database server, as {account}
    url: {database}/**
    requires_duo: true
    requires_approval: {{approvers: [{approver}], max_duration: 2h}}
    target: {{host: {machine}, ip: {machine_address}, account: {account}}}
    attributes: [displayName]

  # Logging in on IP phones: the PIN of the UCM in the place of a password, and Duo.
  - id: extension-mobility
    name: Extension Mobility
    description: One's own line on any phone
    channel: phone
    url: {em_url}/**
    authentication: [ucm_pin]
    requires_duo: true
"""

_SETTINGS = """\
# Written at each start of the demo: changes here are lost. Those in registry.yaml and users.yaml stay.

server:
  url: {cas_url}
  bind: {address}:{port}
  tls_certificate: {certificate}
  tls_key: {key}
  state_directory: {server_directory}
  drain: 0

registry: {registry}

authentication:
  - type: users_file
    path: {users}
    argon2: {{memory_kib: {memory_kib}, time_cost: {time_cost}, parallelism: {parallelism}}}
  # Asked only by services that name it: phones have PINs.
  - type: ucm_pin

# "Keep me signed in" on the sign-in page.
session:
  remember_me: {{enabled: true}}

# Duo, the UCM, Webex and the applications show certificates of the demo's own authority.
outbound:
  ca_file: {ca}

duo:
  api_host: {duo_host}
  universal:
    client_id: {client_id}
    client_secret: {client_secret}
  auth_api:
    integration_key: {api_key}
    secret_key: {api_secret}
  # The next person should not have to wait long when Duo is there again.
  breaker: {{pause: 2s}}

# The UCM behind the phones: one account looks people up, another logs them in.
ucm:
  axl:
    servers: [{ucm_servers}]
    username: {axl_username}
    password: {axl_password}
  em:
    servers: [{ucm_servers}]
    username: {em_username}
    password: {em_password}

# The bot: it posts what happens and requests for access into one space, and hears of pressed buttons.
webex:
  token: {webex_token}
  base_url: {webex_api_url}
  room: {webex_room}
  mail_domain: {domain}
  webhook: {{secret: {webex_webhook_secret}}}
  breaker: {{pause: 2s}}

# The page on which requests for access are decided is for staff.
approvals:
  access: {{groups: [staff]}}

# The administration pages, at {cas_url}/admin/: one may change things there, staff may look.
admin:
  view: {{groups: [staff]}}
  change: {{users: [{administrator}]}}

pages:
  organisation: Example University
  help_text: This is the demo of casduo. It has no help desk.
"""


def write_settings(state: State, addresses: Addresses, certificate: LeafFiles, keys: Keys, webex_room: str) -> None:
    """Write the sign-in server's settings.

    :param webex_room: id of the space to post in.
    """
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
        api_key=keys.duo_api_key,
        api_secret=keys.duo_api_secret,
        ucm_servers=", ".join(f'"{server}"' for server in addresses.ucm_servers),
        axl_username=AXL_USERNAME,
        axl_password=keys.ucm_axl_password,
        em_username=EM_USERNAME,
        em_password=keys.ucm_em_password,
        webex_token=keys.webex_token,
        webex_api_url=addresses.webex_api_url,
        webex_room=webex_room,
        webex_webhook_secret=keys.webex_webhook_secret,
        domain=DOMAIN,
        administrator=ADMINISTRATOR.username,
    )
    write_file(state.settings_file, text.encode())


def write_registry(state: State, addresses: Addresses) -> str:
    """Write the registry, unless somebody edited it.

    :returns: a sentence when the edited file does not fit the addresses of this start, else nothing.
    """
    urls = {app.name: addresses.app_url(app) for app in addresses.apps}
    text = _REGISTRY.format(
        **urls,
        cas_url=addresses.cas_url,
        em_url=addresses.em_url,
        machine=MACHINE,
        machine_address=MACHINE_ADDRESS,
        account=ACCOUNT,
        approver=APPROVER.email,
    )
    path, mark = state.registry_file, state.directory / "registry.yaml.sha256"
    found = _content(path)
    if found is None or _digest(found) == (_content(mark) or b"").decode().strip():
        write_file(path, text.encode())
        write_file(mark, (_digest(text.encode()) + "\n").encode())
        return ""
    wanted = {addresses.app_url(app): app.title for app in addresses.apps} | {addresses.em_url: "IP phones"}
    missing = [f"{url} ({title})" for url, title in wanted.items() if url.encode() not in found]
    if not missing:
        return ""
    named = " and ".join(missing)
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
