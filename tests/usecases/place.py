"""A whole site for the use cases: casduo as processes of its own, Duo, Webex and applications, all behind TLS."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from casduo.authentication.passwords import Argon2Settings, Passwords
from casduo.authentication.users_editor import add_user
from casduo.clock import Clock
from casduo.compose import compose
from casduo.middleware import CasMiddleware
from casduo.settings import load_settings
from casduo.simulators.certificates import LeafFiles
from casduo.simulators.clock import VirtualClock
from casduo.simulators.demo.applications import ACCOUNT, DATABASE, MACHINE, MACHINE_ADDRESS
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.sample_apps import LIBRARY, PAYROLL, SampleApp
from casduo.simulators.server import SimulatorServer
from casduo.simulators.webex import Room, WebexSimulator
from casduo.store.embedded import EmbeddedValkey
from casduo.worker.parts import build_parts
from casduo.worker.process import run_jobs
from tests.support.ports import free_ports
from tests.support.served import Served, serving
from tests.support.waiting import PATIENCE

PASSWORD = "correct horse battery staple"
DOMAIN = "example.edu"
NAMES = {
    name.partition(" ")[0].lower(): name
    for name in (
        "Barbara Liskov",
        "Claude Shannon",
        "Dennis Ritchie",
        "Evelyn Granville",
        "Frances Allen",
        "Hedy Lamarr",
        "Ida Rhodes",
        "Katherine Johnson",
        "Margaret Hamilton",
        "Mary Jackson",
        "Radia Perlman",
    )
}
"""Who can sign in, by user name; their password is :data:`PASSWORD`. Each use case has somebody of its own."""
UNKNOWN_TO_DUO = "frances"
APPROVER = "margaret"
SPACE = "Security operations"

GATEWAY = replace(DATABASE, name="gateway", title="Backup server")
"""A machine that nobody has to approve."""
APPS = (LIBRARY, PAYROLL, GATEWAY, DATABASE)
GATEWAY_MACHINE = "Backup_SystemA"

_CHEAP = Argon2Settings(memory_kib=8)
_HANDLERS = "- {type: users_file, name: people, path: people.yaml, argon2: {memory_kib: 8, time_cost: 1}}\n"
_WEBHOOK_SECRET = "webhook-secret-of-32-characters-"
_APPS_SECRET = "of the applications' cookies, only here"

_REGISTRY = f"""
services:
  - id: library
    name: Library
    url: {{library}}/**
    attributes: [displayName]
  - id: payroll
    name: Payroll
    url: {{payroll}}/**
    requires_duo: true
    attributes: [displayName]
  - id: backup-a
    name: {GATEWAY_MACHINE}
    url: {{gateway}}/**
    requires_duo: true
    target: {{{{host: {GATEWAY_MACHINE}, ip: 172.16.200.54, account: operator}}}}
    attributes: [displayName]
  - id: oracle-b
    name: {MACHINE}
    url: {{database}}/**
    requires_duo: true
    requires_approval: {{{{approvers: [{APPROVER}@{DOMAIN}], max_duration: 2h}}}}
    target: {{{{host: {MACHINE}, ip: {MACHINE_ADDRESS}, account: {ACCOUNT}}}}}
    attributes: [displayName]
"""


def email(username: str) -> str:
    """Return somebody's address, at Webex too."""
    return f"{username}@{DOMAIN}"


@dataclass(frozen=True)
class Place:
    """All that runs.

    :param duo: goes by a clock that stands until it is moved.
    :param room: the space in which the bot posts.
    :param apps: addresses by the names of the applications, with a slash at the end.
    """

    directory: Path
    certificate: LeafFiles
    served: Served
    duo: DuoSimulator
    webex: WebexSimulator
    room: Room
    apps: Mapping[str, str]
    _processes: ExitStack

    @property
    def cas_url(self) -> str:
        """Address of the sign-in server, without a slash at the end."""
        return self.served.url.rstrip("/")

    def asked(self, *paths: str) -> list[str]:
        """Return which of these calls Duo had so far, in order."""
        return [request.path for request in self.duo.requests() if request.path in paths]

    @contextmanager
    def started_again(self, clock: Clock) -> Iterator[None]:
        """End casduo's processes, and run server and worker in this one on the same port, by another clock."""
        self._processes.close()
        settings, stopping = load_settings(self.directory / "casduo.yaml", {}), threading.Event()
        composed = compose(settings, clock=clock, watch=False)
        worker = threading.Thread(target=run_jobs, args=(build_parts(settings, stopping, clock),))
        port = self.served.address[1]
        with SimulatorServer(composed.wsgi, certificate=self.certificate, port=port, name="casduo"):
            worker.start()
            try:
                yield
            finally:
                stopping.set()
                worker.join(PATIENCE)
                composed.close()
        assert not worker.is_alive()


@contextmanager
def running_place(directory: Path, certificate: LeafFiles) -> Iterator[Place]:
    """Run everything, and end it afterwards."""
    ports = dict(zip((app.name for app in APPS), free_ports(len(APPS)), strict=True))
    registry = _REGISTRY.format(**{name: f"https://localhost:{port}" for name, port in ports.items()})
    _write_people(directory / "people.yaml")
    with (
        EmbeddedValkey(directory / "valkey") as valkey,
        _duo(certificate) as duo,
        WebexSimulator(certificate=certificate) as webex,
        ExitStack() as processes,
        ExitStack() as apps,
    ):
        bot, room = _fill(webex)
        settings = _settings(duo, webex, bot, room, certificate)
        site = serving(
            directory,
            valkey.url,
            tls=certificate,
            registry=registry,
            settings=settings,
            handlers=_HANDLERS,
            worker=True,
        )
        served = processes.enter_context(site)
        for app in APPS:
            apps.enter_context(_app_server(app, ports[app.name], served, certificate))
        addresses = {name: f"https://localhost:{port}/" for name, port in ports.items()}
        yield Place(directory, certificate, served, duo, webex, room, addresses, processes)


def _write_people(path: Path) -> None:
    password = Passwords(_CHEAP).hash(PASSWORD)
    for username, name in NAMES.items():
        add_user(path, username, password, name=name, attributes={"mail": (email(username),)})


@contextmanager
def _duo(certificate: LeafFiles) -> Iterator[DuoSimulator]:
    with DuoSimulator(certificate, VirtualClock(), wall_clock=time.time) as duo:
        for username in NAMES:
            if username != UNKNOWN_TO_DUO:
                duo.add_user(username)
        yield duo


def _fill(webex: WebexSimulator) -> tuple[str, Room]:
    """Put people and the space into Webex; returns the bot's token and the space."""
    bot = webex.add_bot("casduo")
    people = {username: webex.add_person(email(username), name) for username, name in NAMES.items()}
    return bot.token, webex.add_room(SPACE, [bot, people[APPROVER]])


def _settings(duo: DuoSimulator, webex: WebexSimulator, token: str, room: Room, certificate: LeafFiles) -> str:
    keys = duo.add_application()
    return (
        f"outbound: {{ca_file: {certificate.ca}}}\n"
        f"duo: {{api_host: '{duo.api_host}', prompt: push, breaker: {{failures: 2, pause: 1s}},\n"
        f"  universal: {{client_id: {keys.integration_key}, client_secret: {keys.secret_key}}}}}\n"
        f"webex: {{token: '{token}', base_url: '{webex.base_url}', room: {room.id}, mail_domain: {DOMAIN},\n"
        f"  webhook: {{secret: '{_WEBHOOK_SECRET}'}}, per_space: 100, per_token: 100}}\n"
    )


def _app_server(app: SampleApp, port: int, served: Served, certificate: LeafFiles) -> SimulatorServer:
    options = dict(app.middleware_options)
    options.pop("require_context", None)
    protected = CasMiddleware(
        app,
        cas_url=served.url,
        service_url=f"https://localhost:{port}",
        ca_file=str(certificate.ca),
        secret_key=_APPS_SECRET,
        **options,
    )
    return SimulatorServer(protected, certificate=certificate, port=port, name=app.name)
