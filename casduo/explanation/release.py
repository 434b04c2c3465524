"""What the application is told about a person: under which names, what is missing, and the answer to the letter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from casduo.explanation.conditions import Facts, few
from casduo.explanation.model import Answer, Person, Release, ReleasedAttribute
from casduo.mfa.strength import NO_STRENGTH, UNAVAILABLE, Strength
from casduo.protocol.errors import ProtocolError
from casduo.protocol.responses import xml_failure, xml_success
from casduo.protocol.validation import FailMode, ValidationRequest, judge
from casduo.services.index import Registry
from casduo.services.model import RegisteredService, ReleaseRule
from casduo.services.names import LISTED_NAMES
from casduo.services.release import Released, UsernameUnfit, release
from casduo.services.urls import ServiceUrl
from casduo.tickets.ids import TicketId, TicketKind
from casduo.tickets.model import ServiceTicket, TakenTicket, TicketGrantingTicket

_UNFIT = {
    "missing": "{0} has no value",
    "several": "{0} has several values, and nobody knows which one is meant",
    "characters": "{0} holds control characters or line breaks",
}


def told(service: RegisteredService, person: Person | None) -> Release:
    """Return what ``service`` is told about ``person``; without one, what it would be told about anybody."""
    rule = service.username_attribute
    source = f"attribute {rule.attribute}" if rule is not None else "the user name of the sign-in"
    if rule is not None and rule.case != "keep":
        source += f", in {rule.case} case"
    if person is None:
        return Release("", source, "", tuple(_listed(rule) for rule in service.release_rules))
    released, problem = Released("", {}), ""
    try:
        released = release(service, person.name, person.attributes)
    except UsernameUnfit as error:
        subject = f"attribute {error.attribute}" if error.attribute else "the user name of the sign-in"
        problem = _UNFIT[error.reason].format(subject)
        # The rest is worth knowing all the same.
        released = release(service.model_copy(update={"username_attribute": None}), "nobody", person.attributes)
        released = Released("", released.attributes)
    attributes = tuple(_attribute(rule, person.attributes, released) for rule in service.release_rules)
    return Release(released.user, source, problem, attributes)


def _listed(rule: ReleaseRule) -> ReleasedAttribute:
    if rule.name in LISTED_NAMES:
        return ReleasedAttribute(rule.name, "", (), "said by the server about the sign-in")
    return ReleasedAttribute(rule.name, rule.source, rule.static, "the same for everybody" if rule.static else "")


def _attribute(rule: ReleaseRule, attributes: Mapping[str, tuple[str, ...]], released: Released) -> ReleasedAttribute:
    values = released.attributes.get(rule.name, ())
    if rule.name in LISTED_NAMES or rule.static:
        why = _listed(rule).why
    elif rule.source not in attributes:
        why = f"the person has no attribute {rule.source}{_near(rule.source, attributes)}"
    elif not values:
        why = f"none of the values of {rule.source} is left: {few(attributes[rule.source])}"
    else:
        why = ""
    return ReleasedAttribute(rule.name, rule.source, values, why)


def _near(source: str, attributes: Mapping[str, tuple[str, ...]]) -> str:
    near = next((name for name in attributes if name.casefold() == source.casefold()), "")
    return f"; upper and lower case count here, so {near} is another one" if near else ""


# --- the answer -----------------------------------------------------------------------------------------------------


def answers(
    url: ServiceUrl, service: RegisteredService, registry: Registry, facts: Facts, *, duo: bool, fails_open: bool
) -> tuple[Answer, ...]:
    """Return what ``/p3/serviceValidate`` would answer for a ticket of a session that begins now; no answer twice.

    :param duo: whether Duo is required
    :param fails_open: whether the service is used without Duo while Duo cannot be reached
    """
    if facts.person is None:
        return ()
    found: dict[str, Answer] = {}
    for when, strength in _sign_ins(facts.now, duo=duo, fails_open=fails_open):
        session = _session(facts.person, facts, strength)
        ticket = ServiceTicket(service=url.raw, service_id=service.id, primary=True, session="")
        code, xml = _answer(url, TakenTicket(ticket, session), registry, facts, "open" if fails_open else "closed")
        found.setdefault(xml, Answer(when, code, xml))
    return tuple(found.values())


def _sign_ins(now: float, *, duo: bool, fails_open: bool) -> Iterator[tuple[str, Strength]]:
    yield ("before Duo, when no ticket is made yet" if duo else "after the password"), NO_STRENGTH
    if duo:
        yield "after Duo", Strength.duo("push", now)
    if duo and fails_open:
        yield "while Duo cannot be reached", Strength.bypassed(UNAVAILABLE, now)


def _session(person: Person, facts: Facts, strength: Strength) -> TicketGrantingTicket:
    return TicketGrantingTicket(
        principal_id=person.name,
        attributes=person.attributes,
        handler=person.handler,
        authenticated_at=facts.now,
        strength=strength,
        address=facts.address or "",
    )


def _answer(
    url: ServiceUrl, taken: TakenTicket, registry: Registry, facts: Facts, duo_fail: FailMode
) -> tuple[str, str]:
    """Return code and XML of the answer for a ticket that nobody has."""
    request = ValidationRequest(url, TicketId(TicketKind.SERVICE, "", ""), renew=False, proxy_callback="")
    try:
        validated = judge(
            request, taken, registry, facts.now, group_attributes=facts.group_attributes, duo_fail=duo_fail
        )
    except ProtocolError as error:
        return error.code, xml_failure(error).decode()
    return "", xml_success(validated, with_attributes=True).decode()
