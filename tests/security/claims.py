"""Who may hold what: sessions, tickets, forms and prompts, told in plain Python beside the server.

The model knows what the protocol and the documents promise, and nothing of how casduo keeps it. Times are in minutes of
the set clock, in steps that stay clear of every limit by two minutes of real time.
"""

from __future__ import annotations

from dataclasses import dataclass, field

SETTINGS = """
login: {form_lifetime: 57m, flow_lifetime: 9m}
session: {idle: 110m, lifetime: 477m}
tickets: {service_ticket: 5m}
logout: {wait: 0.1s}
"""
FORM, FLOW, IDLE, HARD, TICKET = 57, 9, 110, 477, 5
STEPS = (6, 60, 126)
"""Minutes by which time goes on."""

SERVICES = {
    name: f"https://{name}.example.edu/start" for name in ("library", "payroll", "staff", "wiki", "portal", "stranger")
}
"""Addresses of services; of ``stranger`` nobody knows."""
_REGISTRY = """
services:
  - {{id: library, name: Library, url: "https://library.example.edu/**"}}
  - {{id: payroll, name: Payroll, url: "https://payroll.example.edu/**", requires_duo: true}}
  - {{id: staff, name: Staff room, url: "https://staff.example.edu/**", access: {{groups: [staff]}}}}
  - {{id: wiki, name: Wiki, url: "https://wiki.example.edu/**", enabled: {enabled}, requires_duo: {duo}}}
  - id: portal
    name: Portal
    url: "https://portal.example.edu/**"
    proxy: {{allow: true, callback: "{callback}", private_addresses: true}}
"""


@dataclass
class Session:
    """A session that somebody was given: whose it is, and what Duo said in it.

    :param duo: ``yes``, ``passed`` where Duo lets the person pass unasked, or empty
    """

    cookie: str
    owner: str
    duo: str
    opened: int
    used: int
    ended: bool = False


@dataclass
class Ticket:
    """A service or proxy ticket: for which service and session, and whether a password was given for it."""

    id: str
    service: str
    session: Session
    primary: bool
    made: int
    taken: bool = False

    @property
    def proxied(self) -> bool:
        return self.id.startswith("PT-")


@dataclass
class Form:
    """A form for name and password that a browser was shown."""

    key: str
    mark: str
    service: str
    renew: bool
    made: int
    used: bool = False


@dataclass
class Prompt:
    """A way to Duo's own page on which somebody was sent.

    :param session: the one that asks for more, ``None`` where the password was given just now
    """

    address: str
    mark: str
    owner: str
    service: str
    session: Session | None
    made: int
    used: bool = False
    ended: bool = False
    way: str = ""
    """What the browser came back with from there."""


@dataclass
class Granting:
    """A proxy-granting ticket that the portal was brought."""

    id: str
    session: Session


@dataclass
class World:
    """Everything that was ever given out, and what holds of it now."""

    callback: str
    now: int = 0
    wiki_enabled: bool = True
    wiki_duo: bool = False
    sessions: dict[str, Session] = field(default_factory=dict)
    tickets: dict[str, Ticket] = field(default_factory=dict)
    forms: dict[str, Form] = field(default_factory=dict)
    prompts: list[Prompt] = field(default_factory=list)
    grantings: list[Granting] = field(default_factory=list)

    def registry(self) -> str:
        """Return the registry as it is now."""
        enabled, duo = str(self.wiki_enabled).lower(), str(self.wiki_duo).lower()
        return _REGISTRY.format(enabled=enabled, duo=duo, callback=self.callback)

    # -- what holds

    def live(self, cookie: str) -> Session | None:
        """Return the live session behind a cookie."""
        session = self.sessions.get(cookie)
        return session if session is not None and self.lives(session) else None

    def lives(self, session: Session) -> bool:
        return not session.ended and self.now - session.opened < HARD and self.now - session.used < IDLE

    def known(self, service: str) -> bool:
        """Whether a service is registered and switched on."""
        return service in SERVICES and service != "stranger" and (service != "wiki" or self.wiki_enabled)

    def demands_duo(self, service: str) -> bool:
        return service == "payroll" or (service == "wiki" and self.wiki_duo)

    def open_to(self, owner: str, service: str) -> bool:
        """Whether a person may use a service, Duo aside."""
        return self.known(service) and (service != "staff" or owner == "grace")

    def paid(self, session: Session, service: str) -> bool:
        """Whether what Duo said in a session is enough for a service."""
        return not self.demands_duo(service) or session.duo != ""

    def form_is_good(self, form: Form, mark: str) -> bool:
        return not form.used and form.mark == mark and self.now - form.made < FORM

    def prompt_is_good(self, prompt: Prompt, mark: str) -> bool:
        return not prompt.used and not prompt.ended and prompt.mark == mark and self.now - prompt.made < FLOW

    def may_validate(self, ticket: Ticket, service: str, *, renew: bool, proxies: bool) -> bool:
        """Whether validation of a ticket has to succeed now; where this says no it has to fail."""
        session = ticket.session
        return (
            not ticket.taken
            and self.now - ticket.made < TICKET
            and ticket.service == service
            and self.lives(session)
            and self.open_to(session.owner, service)
            and self.paid(session, service)
            and (ticket.primary or not renew)
            and (proxies or not ticket.proxied)
        )

    def may_proxy(self, granting: Granting, service: str) -> bool:
        session = granting.session
        return self.lives(session) and self.open_to(session.owner, service) and self.paid(session, service)

    # -- what happens

    def end_all(self, owner: str) -> None:
        """All sessions of a person end, and logins that wait behind a password too."""
        for prompt in self.prompts:
            prompt.ended |= prompt.owner == owner and prompt.session is None
        for session in self.sessions.values():
            if session.owner == owner:
                session.ended = True
