"""A ward at shift change: casduo on a real socket, a UCM of three nodes, a Duo, and IP phones in front of them.

One clock, which tests move, for all of them: the server, its worker, UCM, Duo and the phones.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, fields
from itertools import chain, repeat
from typing import Any, TypeVar

from casduo.mfa.duo.pushes import QUEUE
from casduo.mfa.duo.reports import REPORTS
from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.account import AccountSettings
from casduo.simulators.duo.model import Application, Device, UserStatus
from casduo.simulators.phone import IpPhone
from casduo.simulators.server import SimulatorServer
from casduo.simulators.ucm import UcmSimulator
from casduo.simulators.ucm.logins import Login
from casduo.simulators.ucm.policy import Policy
from casduo.tickets.signouts import ORDERS
from tests.support.pushing import wait_for, working
from tests.support.site import ORIGIN, Build, Recorder, Site

T = TypeVar("T")

BASE = f"{ORIGIN}/em"
HOST = "sso.example.edu"
PHONE, OTHER_PHONE, OLD_PHONE = "SEP001122334455", "SEP00AABBCCDDEE", "SEP0017596E1A2B"
MODELS = {PHONE: "8845", OTHER_PHONE: "7841", OLD_PHONE: "7965"}
PINS = {"ada": "24680", "grace": "13579", "linus": "86420", "alan": "97531", "edsger": "11235", "mary": "31415"}

EXTENSION_MOBILITY = f"""
  - id: extension-mobility
    name: Extension Mobility
    url: {BASE}/**
    channel: phone
    authentication: [ucm_pin]
    requires_duo: true
"""

_AGES = 400.0
"""Seconds after which nothing is remembered of Duo's health, of pushes and of flows."""
_PATIENCE = 30.0
"""Real seconds."""
_KEPT = ("casduo:worker", QUEUE, ORDERS, REPORTS)
"""What the keys begin with that a worker holds on to."""


def entry(**keys: str) -> str:
    """Return the entry of the registry with other values, in YAML; ``access`` and the like come to what there is."""
    lines = EXTENSION_MOBILITY.rstrip("\n").split("\n")
    kept = [line for line in lines if line.strip().partition(":")[0] not in keys]
    return "\n".join([*kept, *(f"    {name}: {value}" for name, value in keys.items())]) + "\n"


def at_once(*acts: Callable[[], T]) -> list[T]:
    """Do several things at the same moment, each in a thread, and return what came of them."""
    barrier, results = threading.Barrier(len(acts)), {}

    def do(place: int, act: Callable[[], T]) -> None:
        barrier.wait()
        results[place] = act()

    crew = [threading.Thread(target=do, args=pair, daemon=True) for pair in enumerate(acts)]
    for member in crew:
        member.start()
    for member in crew:
        member.join()
    return [results[place] for place in range(len(acts))]


@dataclass
class Ward:
    """Everything there is. People: ada has one profile, edsger none, mary three; linus, grace and alan one.

    For Duo ada, mary and edsger have a device, grace has none, linus is locked out and alan is let pass.

    ``keys`` is Duo's application for the built-in page, ``worked`` what the worker has written down.
    """

    site: Site
    ucm: UcmSimulator
    duo: DuoSimulator
    keys: Application
    leaf: LeafFiles
    server: SimulatorServer
    time: VirtualClock
    worked: Recorder = field(default_factory=Recorder)
    phones: list[IpPhone] = field(default_factory=list)

    # -- people and phones -------------------------------------------------------------------------------------------

    def hire(
        self,
        name: str,
        *,
        pin: str = "24680",
        profiles: Sequence[str] | None = None,
        default: str = "",
        status: UserStatus | None = "bypass",
        devices: Sequence[Device] | None = None,
        **fields: Any,
    ) -> None:
        """Make somebody known to UCM and, unless ``status`` is None, to Duo, which lets them pass by default."""
        profiles = [f"{name}-ward"] if profiles is None else profiles
        mail = f"{name}@example.edu"
        self.ucm.add_user(name, pin=pin, mail=mail, profiles=profiles, default_profile=default, **fields)
        if status is not None:
            self.duo.add_user(name, status, devices)

    def phone(self, device: str = PHONE, model: str = "", base: str = BASE, **options: Any) -> IpPhone:
        """Return a phone of the ward, whose services key has not been pressed yet."""
        address = ("127.0.0.1", self.server.port)
        found = IpPhone(
            device,
            model or MODELS.get(device, "8845"),
            service_url=f"{base}/?device=#DEVICENAME#",
            ca_file=self.leaf.ca,
            clock=self.time,
            resolve={HOST: address},
            **options,
        )
        self.phones.append(found)
        return found

    def opened(self, device: str = PHONE, **options: Any) -> IpPhone:
        """Return a phone whose services key has been pressed."""
        phone = self.phone(device, **options)
        phone.press_services()
        assert phone.screen is not None, phone.prompt_error
        return phone

    def at_form(self, device: str = PHONE, **options: Any) -> IpPhone:
        """Return a phone that shows the form."""
        phone = self.opened(device, **options)
        assert phone.screen is not None
        assert phone.screen.kind == "input", str(phone.screen)
        return phone

    def submitted(self, user: str = "ada", device: str = PHONE, pin: str = "", **options: Any) -> IpPhone:
        """Return a phone at which somebody has just sent user id and PIN."""
        phone = self.at_form(device, **options)
        self.submit(phone, user, pin)
        return phone

    def submit(self, phone: IpPhone, user: str = "ada", pin: str = "", *, key: str = "Submit") -> None:
        phone.type(userid=user, pin=pin or PINS.get(user, "24680"))
        phone.press(key)

    def login(self, device: str = PHONE) -> tuple[str, str] | None:
        """Return who is logged in on a phone, and with which profile."""
        found: Login | None = self.ucm.login_of(device)
        return (found.user, found.profile) if found is not None else None

    def login_writes(self) -> int:
        """How often UCM was asked to log somebody in, by either interface."""
        return self.ucm.calls("login") + self.ucm.calls("doDeviceLogin")

    def logout_writes(self) -> int:
        """How often UCM was asked to log somebody out, by either interface."""
        return self.ucm.calls("logout") + self.ucm.calls("doDeviceLogout")

    def pin_checks(self) -> int:
        """How often UCM looked at a PIN."""
        return sum(request.status == 200 for request in self.ucm.requests("doAuthenticateUser"))

    def pushes_sent(self) -> int:
        """How often Duo was asked to do something."""
        return self.duo.requests.count("/auth/v2/auth")

    # -- time and answers --------------------------------------------------------------------------------------------

    def pass_time(self, seconds: float) -> None:
        """Let time pass for all, and have phones ask for what is due."""
        self.site.clock.advance(seconds)
        self.time.advance(seconds)
        for phone in self.phones:
            phone.tick()

    def pass_time_unseen(self, seconds: float) -> None:
        """Let time pass while no phone asks for anything."""
        self.site.clock.advance(seconds)
        self.time.advance(seconds)

    def answer_push(self, user: str = "ada", reply: str = "approve") -> None:
        """Answer the request on the person's own device, and wait until the worker has written that down."""
        wait_for(lambda: self.duo.pending(user) != [], self._shown)
        told = len(self.verdicts())
        getattr(self.duo.phone(user), reply)()
        wait_for(lambda: len(self.verdicts()) > told)

    def _shown(self) -> list[str]:
        return [f"{phone.prompt_error} {phone.screen}" for phone in self.phones] + self.verdicts()

    def verdicts(self) -> list[str]:
        """What became of pushes and calls so far, by the worker's word."""
        return [event.outcome for event in self.worked.named("duo.answered")]

    def outlast_push(self) -> None:
        """Let a request at Duo run out, while no phone asks."""
        told = len(self.verdicts())
        self.pass_time_unseen(61)
        wait_for(lambda: len(self.verdicts()) > told)

    def await_screen(self, phone: IpPhone, wanted: Callable[[str], bool]) -> str:
        """Let the phone ask for news until its display is as wanted."""
        deadline, steps = time.monotonic() + _PATIENCE, chain(repeat(3.0, 6), repeat(0.2))
        while time.monotonic() < deadline:
            shown = str(phone.screen)
            if wanted(shown):
                return shown
            # Less and less, so that nothing runs out while others are slow.
            self.pass_time(next(steps))
            time.sleep(0.02)
        raise AssertionError(f"{phone.prompt_error} {phone.screen}")

    def logged_in(self, phone: IpPhone) -> str:
        """Let the phone ask for news until it says that somebody is logged in."""
        return self.await_screen(phone, lambda shown: shown.startswith("Logged in"))

    @contextmanager
    def registered(self, entries: str) -> Iterator[None]:
        """Have another registry in force for a while.

        :param entries: of the registry, as for :func:`running_ward`
        """
        services, file = self.site.composed.parts.services, self.site.settings_file.with_name("registry.yaml")
        before = file.read_text(encoding="utf-8")
        try:
            file.write_text("services:\n" + entries, encoding="utf-8")
            assert services.poll()
            yield
        finally:
            file.write_text(before, encoding="utf-8")
            services.poll()

    # -- between tests -----------------------------------------------------------------------------------------------

    def check_phones(self) -> None:
        """Every page that any phone was given was one that a strict phone takes."""
        for phone in self.phones:
            phone.check()

    def renew(self) -> None:
        """Make everything as new, but for the processes that run."""
        self.phones.clear()
        with suppress(RuntimeError):
            # It listens.
            self.duo.listen_again()
        self.duo.faults.clear()
        self.duo.transport.clear()
        # Requests under way run out.
        self.pass_time_unseen(_AGES)
        store = self.site.composed.parts.store
        wait_for(lambda: not store.command("XLEN", QUEUE))
        for key in store.command("KEYS", "*"):
            if not key.startswith(_KEPT):
                store.command("DEL", key)
        self._renew_ucm()
        self._renew_duo()
        fill(self.ucm, self.duo)
        self.site.journal.events.clear()
        self.worked.events.clear()

    def _renew_ucm(self) -> None:
        for node in self.ucm.nodes:
            node.faults.clear()
            node.transport.clear()
            if not node.listening:
                node.listen_again()
        for phone in self.ucm.phones():
            self.ucm.remove_phone(phone.name)
        for user in self.ucm.users():
            self.ucm.remove_user(user.userid)
        for profile in self.ucm.profiles():
            self.ucm.remove_profile(profile.name)
        _reset(self.ucm.policy, Policy())
        self.ucm.requests.clear()

    def _renew_duo(self) -> None:
        self.duo.use_certificate(self.leaf)
        for user in self.duo.users():
            self.duo.remove_user(user.username)
        _reset(self.duo.settings, AccountSettings())
        self.duo.put_application(self.keys)
        self.duo.requests.clear()


@contextmanager
def running_ward(
    build: Build,
    authority: CertificateAuthority,
    *,
    registry: str = EXTENSION_MOBILITY,
    em: bool = True,
    settings: str = "",
    ucm_settings: str = "",
    duo_settings: str = "",
    handlers: str = "- {type: ucm_pin}\n",
    worker: bool = True,
) -> Iterator[Ward]:
    """Run a ward.

    :param registry: entries of the registry
    :param em: whether logins go through the Extension Mobility API, else by AXL
    :param ucm_settings, duo_settings: more keys of those sections, as in ``{...}``; ``NODES`` are those of the UCM
    :param handlers: of PINs, see :func:`tests.support.site.write_site`
    """
    with ExitStack() as stack:
        clock, leaf, worked = VirtualClock(float(int(time.time()))), authority.issue([HOST]), Recorder()
        local = authority.issue()
        ucm = stack.enter_context(UcmSimulator(local, nodes=3, clock=clock, authority=authority))
        duo = stack.enter_context(DuoSimulator(local, clock, wall_clock=time.time, authority=authority))
        fill(ucm, duo)
        keys = duo.add_application("authapi")
        text = settings_for(ucm, duo, keys, leaf, em=em, ucm_settings=ucm_settings, duo_settings=duo_settings)
        site = build(registry="services:\n" + registry, settings=text + settings, handlers=handlers)
        site.clock.now = clock()
        server = stack.enter_context(SimulatorServer(site.composed.wsgi, certificate=leaf, host=HOST, name="casduo"))
        if worker:
            stack.enter_context(working(site, clock=clock, journal=worked))
            # What is still waited for at Duo runs out, so that the worker can end.
            stack.callback(clock.advance, _AGES)
        yield (ward := Ward(site, ucm, duo, keys, leaf, server, clock, worked))
        ward.check_phones()


def settings_for(
    ucm: UcmSimulator,
    duo: DuoSimulator,
    keys: Application,
    leaf: LeafFiles,
    *,
    em: bool = True,
    ucm_settings: str = "",
    duo_settings: str = "",
) -> str:
    """Return the settings with which a casduo finds UCM and Duo; ``keys`` are those of the built-in page."""
    web = duo.add_application(redirect_uris=[f"{ORIGIN}/cas/duo/callback"])
    nodes = ", ".join(f"'{node.address}'" for node in ucm.nodes)
    em_account = f"em: {{servers: [{nodes}], username: emproxy, password: proxy-secret}}, " if em else ""
    return (
        f"outbound: {{ca_file: {leaf.ca}}}\n"
        f"ucm: {{axl: {{servers: [{nodes}], username: axlreader, password: axl-secret}}, {em_account}"
        f"{ucm_settings.replace('NODES', nodes)}}}\n"
        f"duo: {{api_host: '{duo.api_host}', prompt: push, breaker: {{failures: 2, pause: 10s}}, {duo_settings}"
        f" universal: {{client_id: {web.integration_key}, client_secret: {web.secret_key}}},"
        f" auth_api: {{integration_key: {keys.integration_key}, secret_key: {keys.secret_key}}}}}\n"
    )


def fill(ucm: UcmSimulator, duo: DuoSimulator) -> None:
    """Make the people and phones of the ward known."""
    ucm.add_application_user("axlreader", "axl-secret", roles={"axl"})
    ucm.add_application_user("emproxy", "proxy-secret", roles={"em"})
    ucm.add_application_user("risreader", "ris-secret", roles={"ris"})
    for name, pin in PINS.items():
        profiles = [f"{name}-ward"]
        if name == "edsger":
            profiles = []
        elif name == "mary":
            profiles = ["mary-clinic", "mary-ward", "mary-office"]
        default = "mary-ward" if name == "mary" else (profiles[0] if profiles else "")
        ucm.add_user(name, pin=pin, mail=f"{name}@example.edu", profiles=profiles, default_profile=default)
    for device in MODELS:
        ucm.add_phone(device, enabled=True)
    for name in ("ada", "mary", "edsger"):
        duo.add_user(name)
    duo.add_user("grace", devices=[])
    duo.add_user("linus", "locked out")
    duo.add_user("alan", "bypass")


def _reset(settings: Any, fresh: Any) -> None:
    """Give an object of settings, which others hold, the values of a new one."""
    for each in fields(fresh):
        setattr(settings, each.name, getattr(fresh, each.name))
