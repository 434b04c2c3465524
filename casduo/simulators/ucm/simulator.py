"""The simulated UCM as one object: started and stopped, filled with people and phones, steered by tests and demo."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from casduo.simulators.clock import VirtualClock
from casduo.simulators.ucm.cluster import Cluster
from casduo.simulators.ucm.credentials import Credential
from casduo.simulators.ucm.logins import Login
from casduo.simulators.ucm.model import ROLES, ApplicationUser, Phone, Profile, Role, User
from casduo.simulators.ucm.node import Node
from casduo.simulators.ucm.policy import Policy
from casduo.simulators.ucm.requests_log import RequestLog
from casduo.simulators.ucm.ris import RateLimit, RisInterface


class UcmSimulator:
    """A UCM cluster: several nodes over one model, each on a socket of this machine.

    :param certificate: for TLS on every node; None speaks plain HTTP, which no real UCM does for these interfaces
    :param nodes: how many; the first is the publisher
    :param clock: the time by which logins end and locks are lifted, epoch seconds. On a
        :class:`~casduo.simulators.clock.VirtualClock` logins end in the moment it is advanced past their end; on any
        other, when somebody asks next.
    :param ports: TCP ports; 0, or none given, takes a free one
    :param host: the name clients use; it must be in the certificate
    :param address: the address to bind
    :param authority: who signed ``certificate``; needed for wrong certificates only
    """

    def __init__(
        self,
        certificate: LeafFiles | None = None,
        *,
        nodes: int = 1,
        clock: Callable[[], float] = time.time,
        ports: Sequence[int] = (),
        host: str = "localhost",
        address: str = "127.0.0.1",
        authority: CertificateAuthority | None = None,
    ) -> None:
        if nodes < 1:
            raise ValueError("a cluster has at least one node")
        self.requests = RequestLog()
        self._certificate = certificate
        self._clock = clock
        self._cluster = Cluster(clock)
        ris = RisInterface(self._cluster, RateLimit(), nodes)
        self.nodes = tuple(
            Node(
                number,
                self._cluster,
                self.requests,
                clock,
                ris=ris,
                certificate=certificate,
                authority=authority,
                host=host,
                port=ports[number] if number < len(ports) else 0,
                address=address,
            )
            for number in range(nodes)
        )
        self._cluster.publisher_up = lambda: self.nodes[0].listening
        if isinstance(clock, VirtualClock):
            clock.on_advance(self.settle)

    # -- running -----------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Open the ports and answer. :raises OSError: one is taken; then none stays open."""
        try:
            for node in self.nodes:
                node.start()
        except OSError:
            self.stop()
            raise

    def stop(self) -> None:
        """Close the ports and every connection. Harmless when not started."""
        for node in self.nodes:
            node.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def servers(self) -> list[str]:
        """``host:port`` of every node, as the settings of a client want them."""
        return [node.address for node in self.nodes]

    @property
    def ca_file(self) -> Path:
        """PEM file a client must trust. :raises ValueError: the simulator speaks plain HTTP"""
        if self._certificate is None:
            raise ValueError("a simulator without a certificate has no authority")
        return self._certificate.ca

    @property
    def policy(self) -> Policy:
        """Settings of the cluster."""
        return self._cluster.policy

    def calls(self, operation: str | None = None, node: int | None = None) -> int:
        """Return how often an operation (``doDeviceLogin``, ``login``) was asked of one node (from 0), or of all."""
        return self.requests.count(operation, node)

    # -- people and phones -------------------------------------------------------------------------------------------

    def add_user(
        self,
        userid: str,
        *,
        pin: str = "",
        password: str = "",
        mail: str = "",
        profiles: Sequence[str] = (),
        default_profile: str = "",
        **fields: Any,
    ) -> User:
        """Make somebody known, and the profiles named as far as they are not.

        :param pin: empty: every PIN is wrong. :param password: for acting for oneself over the Extension Mobility API.
        :param fields: further fields of :class:`~casduo.simulators.ucm.model.User`
        :raises ValueError: the id is taken, in upper or lower case
        """
        user = User(
            userid,
            Credential(pin),
            Credential(password),
            mail,
            profiles=list(profiles),
            default_profile=default_profile,
            **fields,
        )
        with self._cluster.working():
            if self._cluster.user(userid) is not None:
                raise ValueError(f"there is a user {userid!r} already")
            self._cluster.users[userid.lower()] = user
            for name in (*profiles, *user.cti_profiles, *filter(None, (default_profile,))):
                self._cluster.profiles.setdefault(name, Profile(name))
        return user

    def remove_user(self, userid: str) -> None:
        """Forget somebody and end their logins. :raises KeyError: nobody has this id"""
        with self._cluster.working() as now:
            for login in self._cluster.logins_of(userid, now):
                self._cluster.log_out(login.device, now, node=0)
            del self._cluster.users[userid.lower()]

    def user(self, userid: str) -> User:
        """Return somebody; fields may be changed on the spot. :raises KeyError: nobody has this id"""
        return self._cluster.users[userid.lower()]

    def users(self) -> list[User]:
        """Return everybody."""
        return list(self._cluster.users.values())

    def change_pin(self, userid: str, pin: str) -> None:
        """Give somebody another PIN, which also ends a lock. :raises KeyError: nobody has this id"""
        with self._cluster.working() as now:
            self.user(userid).pin.change(pin, now)

    def locked(self, userid: str) -> bool:
        """Return whether somebody's PIN is locked. :raises KeyError: nobody has this id"""
        return self.user(userid).pin.locked(self._clock(), self.policy)

    def add_profile(self, name: str, **fields: Any) -> Profile:
        """Make a device profile known, in the place of one with this name."""
        profile = Profile(name, **fields)
        with self._cluster.working():
            self._cluster.profiles[name] = profile
        return profile

    def remove_profile(self, name: str) -> None:
        """Forget a device profile; whoever had it has it no more. :raises KeyError: there is none"""
        with self._cluster.working():
            del self._cluster.profiles[name]
            for user in self._cluster.users.values():
                user.profiles = [each for each in user.profiles if each != name]
                user.cti_profiles = [each for each in user.cti_profiles if each != name]
                if user.default_profile == name:
                    user.default_profile = ""

    def profiles(self) -> list[Profile]:
        """Return the device profiles."""
        return list(self._cluster.profiles.values())

    def add_phone(self, name: str, *, enabled: bool = True, model: str = "Cisco 8845", **fields: Any) -> Phone:
        """Make a phone known.

        :param enabled: whether people may log in on it
        :param fields: further fields of :class:`~casduo.simulators.ucm.model.Phone`; with an ``address`` it is
            registered, unless they say otherwise
        :raises ValueError: the name is taken
        """
        registered = {"registered": bool(fields.get("address")), "registered_at": self._clock()}
        phone = Phone(name, enabled, model, **{**registered, **fields})
        with self._cluster.working():
            if name in self._cluster.phones:
                raise ValueError(f"there is a phone {name!r} already")
            self._cluster.phones[name] = phone
        return phone

    def remove_phone(self, name: str) -> None:
        """Forget a phone. :raises KeyError: there is none"""
        with self._cluster.working():
            self._cluster.remove_phone(name)

    def phone(self, name: str) -> Phone:
        """Return a phone; fields may be changed on the spot. :raises KeyError: there is none"""
        return self._cluster.phones[name]

    def phones(self) -> list[Phone]:
        """Return the phones."""
        return list(self._cluster.phones.values())

    def add_application_user(self, name: str, password: str, roles: Iterable[Role] = ("axl",)) -> None:
        """Give a program an account, in the place of one with this name.

        :param roles: ``axl`` (everything over AXL), ``axl-read`` (questions only), ``em`` (may log others in and out),
            ``ris`` (may ask where phones are registered)
        :raises ValueError: there is no such role
        """
        wanted = frozenset(roles)
        if not wanted <= set(ROLES):
            raise ValueError(f"roles are {', '.join(ROLES)}")
        with self._cluster.working():
            self._cluster.application_users[name] = ApplicationUser(name, Credential(password), wanted)

    def application_users(self) -> list[ApplicationUser]:
        """Return the accounts of programs."""
        return list(self._cluster.application_users.values())

    # -- logins ------------------------------------------------------------------------------------------------------

    def login_of(self, device: str) -> Login | None:
        """Return who is logged in on a phone."""
        with self._cluster.working() as now:
            return self._cluster.login_on(device, now)

    def logins_of(self, userid: str) -> list[Login]:
        """Return where somebody is logged in, the longest login first."""
        with self._cluster.working() as now:
            return self._cluster.logins_of(userid, now)

    def log_in(self, device: str, userid: str, profile: str | None = None, seconds: float | None = None) -> Login:
        """Log somebody in, as the administrator does: by all rules.

        :param profile: None for the default one
        :param seconds: after which the login ends; None for never
        :raises LoginRefusal: a rule is against it
        """
        with self._cluster.working() as now:
            return self._cluster.log_in(device, userid, profile, now, node=0, by="hand", seconds=seconds)

    def log_out(self, device: str) -> None:
        """Log out whoever is on a phone. :raises LoginRefusal: nobody is"""
        with self._cluster.working() as now:
            self._cluster.log_out(device, now, node=0)

    def settle(self) -> None:
        """End the logins whose time is over."""
        with self._cluster.working():
            pass

    def advance(self, seconds: float) -> None:
        """Let time pass at once. :raises ValueError: the clock cannot be moved"""
        if not isinstance(self._clock, VirtualClock):
            raise ValueError("only a VirtualClock can be moved")
        self._clock.advance(seconds)

    def on_change(self, callback: Callable[[str], None]) -> None:
        """Have ``callback`` called with the device after every change of its login, before the change is answered."""
        self._cluster.listeners.append(callback)
