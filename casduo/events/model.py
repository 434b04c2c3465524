"""The kinds of event, one class each. Facts only: no secret ever becomes a field here."""

from __future__ import annotations

from dataclasses import field
from typing import ClassVar, Literal

from casduo import cause
from casduo.values import value_object


@value_object(frozen=True, slots=True)
class Subject:
    """Whom and what an event is about.

    ``reference`` is the short text that pages show for the same request, by default that of the request which the work
    at hand is done for (:mod:`casduo.cause`), ``address`` where it came from, ``principal`` who it was or claimed to
    be, ``service`` a registry id, ``strength`` what a second factor has proved in the session (``none``, ``bypassed``,
    ``duo`` ...), ``agent`` the browser in words of ours, as :mod:`casduo.agents` has them.
    Each may be empty.
    """

    reference: str = field(default_factory=cause.reference)
    address: str = ""
    principal: str = ""
    service: str = ""
    strength: str = ""
    agent: str = ""


@value_object(frozen=True, slots=True)
class Event:
    """Something that happened. ``name`` is *subject.outcome* and never changes.

    ``kinds`` are what it is told apart by where that matters, as in the audit trail and for notifications: mostly the
    name alone, otherwise a word for each outcome. ``when_full`` says of an event that it is written in a Redis that is
    full too, for what it tells of has freed memory.
    """

    name: ClassVar[str] = "event"
    level: ClassVar[str] = "info"
    outcomes: ClassVar[tuple[str, ...]] = ()
    when_full: ClassVar[bool] = False

    about: Subject

    @classmethod
    def kinds(cls) -> tuple[str, ...]:
        """Return every value that ``kind`` can have."""
        return cls.outcomes or (cls.name,)

    @property
    def kind(self) -> str:
        """Which of ``kinds`` this one is."""
        return self.name

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


@value_object(frozen=True, slots=True)
class SignedIn(Event):
    """A password was right. ``handler`` is the store that said so."""

    name: ClassVar[str] = "signin.ok"
    handler: str = ""


@value_object(frozen=True, slots=True)
class SignInRefused(Event):
    """Nobody was signed in. ``reason`` is the outcome's word, ``detail`` the directory's code."""

    name: ClassVar[str] = "signin.refused"
    level: ClassVar[str] = "warning"
    reason: str = ""
    handler: str = ""
    detail: str = ""


@value_object(frozen=True, slots=True)
class SignInThrottled(Event):
    """An attempt was not looked at because of earlier failures. ``wait`` in seconds."""

    name: ClassVar[str] = "signin.throttled"
    level: ClassVar[str] = "warning"
    wait: int = 0


@value_object(frozen=True, slots=True)
class SignedOut(Event):
    """Sessions ended, ``sessions`` of them. ``cause`` is one of :data:`casduo.tickets.signouts.Cause`; ``by`` is the
    administrator where one did it on the administration pages, or the account on the machine where a command did.
    """

    name: ClassVar[str] = "signout"
    outcomes: ClassVar[tuple[str, ...]] = ("signout", "signout.administrator")
    when_full: ClassVar[bool] = True
    cause: str = ""
    sessions: int = 1
    by: str = ""

    @property
    def kind(self) -> str:
        """Apart from the others: what an administrator ended."""
        return "signout.administrator" if self.cause == "administrator" else self.name


@value_object(frozen=True, slots=True)
class TicketGranted(Event):
    """A service ticket was made. ``ticket`` is masked."""

    name: ClassVar[str] = "ticket.granted"
    ticket: str = ""
    primary: bool = False


@value_object(frozen=True, slots=True)
class TicketLoop(Event):
    """An application got ticket after ticket and validated none. ``host`` is where it runs; ``returned`` says that it
    came back with a ticket in its own address, which it did not recognise.
    """

    name: ClassVar[str] = "ticket.loop"
    level: ClassVar[str] = "warning"
    host: str = ""
    returned: bool = False


@value_object(frozen=True, slots=True)
class TicketValidated(Event):
    """An application learned who signed in. ``protocol`` is how it asked: ``cas1``, ``cas2``, ``cas3``, ``saml1``, or
    ``phone`` for us ourselves at a phone.
    """

    name: ClassVar[str] = "ticket.validated"
    ticket: str = ""
    protocol: str = ""


@value_object(frozen=True, slots=True)
class ProxyTicketGranted(Event):
    """An application got a ticket to call another one in a person's name. ``ticket`` is masked, ``proxy`` who asked."""

    name: ClassVar[str] = "ticket.proxied"
    ticket: str = ""
    proxy: str = ""


@value_object(frozen=True, slots=True)
class ValidationRefused(Event):
    """An application was refused. ``code`` is the wire code, ``why`` what an application's owner needs to know,
    ``protocol`` that of :class:`TicketValidated`, or ``proxy`` where it wanted a proxy ticket.
    """

    name: ClassVar[str] = "ticket.refused"
    level: ClassVar[str] = "warning"
    code: str = ""
    ticket: str = ""
    why: str = ""
    protocol: str = ""


@value_object(frozen=True, slots=True)
class ServiceRefused(Event):
    """Somebody asked for a service that is not theirs to ask for. ``reason``: unregistered, disabled, malformed or the
    access rule that failed; ``host`` the host name asked for.
    """

    name: ClassVar[str] = "service.refused"
    level: ClassVar[str] = "warning"
    reason: str = ""
    host: str = ""


@value_object(frozen=True, slots=True)
class DuoAsked(Event):
    """A person was asked by Duo. ``factor`` is how: ``prompt`` (Duo's own page), ``push``, ``phone`` or ``sms``;
    ``reasons`` say which rule demanded it.
    """

    name: ClassVar[str] = "duo.asked"
    factor: str = ""
    reasons: str = ""


@value_object(frozen=True, slots=True)
class DuoAnswered(Event):
    """Duo's verdict, or the lack of one.

    ``outcome``: allowed, bypassed, unenrolled, denied, fraud, timeout, locked_out, unavailable, misconfigured, stale.
    """

    name: ClassVar[str] = "duo.answered"
    outcomes: ClassVar[tuple[str, ...]] = tuple(
        f"duo.{outcome}"
        for outcome in (
            *("allowed", "not_asked", "unenrolled", "denied", "fraud", "timeout"),
            *("locked_out", "unavailable", "misconfigured", "stale"),
        )
    )
    outcome: str = ""
    factor: str = ""
    transaction: str = ""
    detail: str = ""

    @property
    def kind(self) -> str:
        """``duo.`` and the outcome. That Duo lets somebody pass unasked is another thing than doing without Duo."""
        return "duo.not_asked" if self.outcome == "bypassed" else f"duo.{self.outcome}"


@value_object(frozen=True, slots=True)
class DuoBypassed(Event):
    """Somebody went on to a service that demands Duo without it: Duo could not be asked and the rules allow that."""

    name: ClassVar[str] = "duo.bypassed"
    level: ClassVar[str] = "warning"
    detail: str = ""


@value_object(frozen=True, slots=True)
class FlowRefused(Event):
    """A flow key was refused. ``code`` is the error's."""

    name: ClassVar[str] = "flow.refused"
    code: str = ""


@value_object(frozen=True, slots=True)
class RequestRefused(Event):
    """A request that could not be answered as it stands: no such page, not readable, from another site's page.

    ``code`` is the error's, ``detail`` its fixed words.
    """

    name: ClassVar[str] = "request.refused"
    code: str = ""
    detail: str = ""
    path: str = ""


@value_object(frozen=True, slots=True)
class Fault(Event):
    """Something failed that is not the person's doing; ``detail`` names class and place, ``code`` the error's."""

    name: ClassVar[str] = "fault"
    level: ClassVar[str] = "error"
    code: str = ""
    detail: str = ""
    path: str = ""


@value_object(frozen=True, slots=True)
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


@value_object(frozen=True, slots=True)
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


@value_object(frozen=True, slots=True)
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


@value_object(frozen=True, slots=True)
class RestClientRefused(Event):
    """Somebody that the settings do not name tried. ``why`` is ``no key``, ``key`` or ``network``."""

    name: ClassVar[str] = "rest.refused"
    level: ClassVar[str] = "warning"
    call: str = ""
    why: str = ""


@value_object(frozen=True, slots=True)
class DuoWouldHave(Event):
    """What Duo would have made of somebody at a service whose rule is only to be reported; nobody was asked or refused.

    ``outcome``: ``auth`` (asked for a factor), ``enroll`` (has no device), ``allow`` (let pass unasked), ``deny``, or
    ``unavailable``, then ``detail`` says why. ``reasons`` say which rule would have demanded Duo.
    """

    name: ClassVar[str] = "duo.would_have"
    outcome: str = ""
    reasons: str = ""
    detail: str = ""


@value_object(frozen=True, slots=True)
class RegistryChanged(Event):
    """Another state of the registry is in force. ``version`` is its fingerprint."""

    name: ClassVar[str] = "registry.changed"
    version: str = ""
    services: int = 0


@value_object(frozen=True, slots=True)
class RegistryRejected(Event):
    """The registry file cannot be used; the state of ``version`` stays in force. ``first`` is the first problem."""

    name: ClassVar[str] = "registry.rejected"
    level: ClassVar[str] = "error"
    version: str = ""
    problems: int = 0
    first: str = ""


@value_object(frozen=True, slots=True)
class RegistryEdited(Event):
    """Somebody changed the registry file with casduo: at the administration pages, or by ``casduo registry``.

    The principal is who did it, the service which entry it is about (empty: the whole file). ``change`` is what was
    done (``changed``, ``added``, ``moved``, ``enabled``, ``disabled``, ``deleted``, ``returned``), ``number`` its
    number in the history; ``before`` and ``version`` are the fingerprints of the two states.
    """

    name: ClassVar[str] = "registry.edited"
    change: str = ""
    number: int = 0
    reason: str = ""
    before: str = ""
    version: str = ""


@value_object(frozen=True, slots=True)
class TargetAccessed(Event):
    """A ticket for the machine behind a service was given out: somebody goes there.

    ``host``, ``ip`` and ``account`` are the registry's, ``request`` the approval by which it is open, if it needs one.
    """

    name: ClassVar[str] = "target.accessed"
    host: str = ""
    ip: str = ""
    account: str = ""
    request: str = ""


ViolatedRule = Literal["outside_window", "too_many_refusals", "fraud", "disowned"]
"""``outside_window``: access before or after the time that was approved; ``too_many_refusals``: somebody asks again and
again and is refused; ``fraud``: a question of Duo's was reported as somebody else's doing; ``disowned``: a person says
of an earlier sign-in with the right password that it was not them.
"""


@value_object(frozen=True, slots=True)
class PolicyViolation(Event):
    """Somebody did what somebody should look at. ``rule`` is which, ``request`` the approval it is about, if any,
    ``detail`` a fixed sentence with the figures.
    """

    name: ClassVar[str] = "policy.violation"
    level: ClassVar[str] = "warning"
    rule: ViolatedRule = "fraud"
    request: str = ""
    detail: str = ""
