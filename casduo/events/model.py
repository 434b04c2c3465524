"""The kinds of event, one class each. Facts only: no secret ever becomes a field here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom and what an event is about.

    ``reference`` is the short text that pages show for the same request, ``address`` where it came from, ``principal``
    who it was or claimed to be, ``service`` a registry id. Each may be empty.
    """

    reference: str = ""
    address: str = ""
    principal: str = ""
    service: str = ""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. ``name`` is *subject.outcome* and never changes."""

    name: ClassVar[str] = "event"
    level: ClassVar[str] = "info"

    about: Subject

    @property
    def reference(self) -> str:
        """The request's reference."""
        return self.about.reference

    @property
    def principal(self) -> str:
        """Who it was or claimed to be."""
        return self.about.principal

    @property
    def service(self) -> str:
        """The registry entry."""
        return self.about.service


@dataclass(frozen=True, slots=True)
class SignedIn(Event):
    """A password was right. ``handler`` is the store that said so, ``ticket`` the masked TGT."""

    name: ClassVar[str] = "signin.ok"
    handler: str = ""


@dataclass(frozen=True, slots=True)
class SignInRefused(Event):
    """Nobody was signed in. ``reason`` is the outcome's word, ``detail`` the directory's code."""

    name: ClassVar[str] = "signin.refused"
    level: ClassVar[str] = "warning"
    reason: str = ""
    handler: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class SignInThrottled(Event):
    """An attempt was not looked at because of earlier failures. ``wait`` in seconds."""

    name: ClassVar[str] = "signin.throttled"
    level: ClassVar[str] = "warning"
    wait: int = 0


@dataclass(frozen=True, slots=True)
class SignedOut(Event):
    """Sessions ended, ``sessions`` of them. ``cause`` is one of :data:`casduo.tickets.signouts.Cause`."""

    name: ClassVar[str] = "signout"
    cause: str = ""
    sessions: int = 1


@dataclass(frozen=True, slots=True)
class TicketGranted(Event):
    """A service ticket was made. ``ticket`` is masked."""

    name: ClassVar[str] = "ticket.granted"
    ticket: str = ""
    primary: bool = False


@dataclass(frozen=True, slots=True)
class TicketLoop(Event):
    """An application got ticket after ticket and validated none. ``host`` is where it runs; ``returned`` says that it
    came back with a ticket in its own address, which it did not recognise.
    """

    name: ClassVar[str] = "ticket.loop"
    level: ClassVar[str] = "warning"
    host: str = ""
    returned: bool = False


@dataclass(frozen=True, slots=True)
class TicketValidated(Event):
    """An application learned who signed in."""

    name: ClassVar[str] = "ticket.validated"
    ticket: str = ""


@dataclass(frozen=True, slots=True)
class ProxyTicketGranted(Event):
    """An application got a ticket to call another one in a person's name. ``ticket`` is masked, ``proxy`` who asked."""

    name: ClassVar[str] = "ticket.proxied"
    ticket: str = ""
    proxy: str = ""


@dataclass(frozen=True, slots=True)
class ValidationRefused(Event):
    """An application was refused. ``code`` is the wire code, ``why`` what an application's owner needs to know."""

    name: ClassVar[str] = "ticket.refused"
    level: ClassVar[str] = "warning"
    code: str = ""
    ticket: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class ServiceRefused(Event):
    """Somebody asked for a service that is not theirs to ask for. ``reason``: unregistered, disabled, malformed or the
    access rule that failed; ``host`` the host name asked for.
    """

    name: ClassVar[str] = "service.refused"
    level: ClassVar[str] = "warning"
    reason: str = ""
    host: str = ""


@dataclass(frozen=True, slots=True)
class DuoAsked(Event):
    """A person was sent to Duo. ``reasons`` say which rule demanded it."""

    name: ClassVar[str] = "duo.asked"
    reasons: str = ""


@dataclass(frozen=True, slots=True)
class DuoAnswered(Event):
    """Duo's verdict, or the lack of one.

    ``outcome``: allowed, bypassed, unenrolled, denied, fraud, timeout, locked_out, unavailable, misconfigured, stale.
    """

    name: ClassVar[str] = "duo.answered"
    outcome: str = ""
    factor: str = ""
    transaction: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class DuoBypassed(Event):
    """Somebody went on to a service that demands Duo without it: Duo could not be asked and the rules allow that."""

    name: ClassVar[str] = "duo.bypassed"
    level: ClassVar[str] = "warning"
    detail: str = ""


@dataclass(frozen=True, slots=True)
class FlowRefused(Event):
    """A flow key was refused. ``code`` is the error's."""

    name: ClassVar[str] = "flow.refused"
    code: str = ""


@dataclass(frozen=True, slots=True)
class RequestRefused(Event):
    """A request that could not be answered as it stands: no such page, not readable, from another site's page.

    ``code`` is the error's, ``detail`` its fixed words.
    """

    name: ClassVar[str] = "request.refused"
    code: str = ""
    detail: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Fault(Event):
    """Something failed that is not the person's doing; ``detail`` names class and place, ``code`` the error's."""

    name: ClassVar[str] = "fault"
    level: ClassVar[str] = "error"
    code: str = ""
    detail: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class ServiceTold(Event):
    """A service answered the message that a session has ended. ``status`` is the HTTP status of its answer, ``ticket``
    masked, ``milliseconds`` what the last attempt took.
    """

    name: ClassVar[str] = "signout.told"
    ticket: str = ""
    status: int = 0
    detail: str = ""
    milliseconds: int = 0
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class ServiceNotTold(Event):
    """A service does not know that a session has ended: it did not answer, refused, or may not be called.

    ``detail`` is the word for why; the other facts are those of :class:`ServiceTold`.
    """

    name: ClassVar[str] = "signout.failed"
    level: ClassVar[str] = "warning"
    ticket: str = ""
    status: int = 0
    detail: str = ""
    milliseconds: int = 0
    attempts: int = 0


@dataclass(frozen=True, slots=True)
class RestAnswered(Event):
    """A program used the REST protocol. Other events with the same reference tell what happened in between.

    ``client`` is its name in the settings, ``call`` what it asked for, ``ticket`` masked, ``code`` and ``why`` those of
    the refusal.
    """

    name: ClassVar[str] = "rest.answered"
    client: str = ""
    call: str = ""
    status: int = 0
    ticket: str = ""
    code: str = ""
    why: str = ""


@dataclass(frozen=True, slots=True)
class RestClientRefused(Event):
    """Somebody that the settings do not name tried. ``why`` is ``no key``, ``key`` or ``network``."""

    name: ClassVar[str] = "rest.refused"
    level: ClassVar[str] = "warning"
    call: str = ""
    why: str = ""
