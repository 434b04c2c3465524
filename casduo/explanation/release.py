"""What the application is told about a person: under which names, what is missing, and the answer to the letter."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from casduo.explanation.conditions import Facts, few
from casduo.explanation.model import Answer, Duo, Person, Release, ReleasedAttribute
from casduo.mfa.strength import DUO_BYPASS, NO_STRENGTH, UNAVAILABLE, UNENROLLED, Strength
from casduo.mfa.terms import DuoTerms, duo_defaults
from casduo.protocol.entitlement import EntitlementRules
from casduo.protocol.errors import ProtocolError
from casduo.protocol.responses import cas1_failure, cas1_success, xml_failure, xml_success
from casduo.protocol.validation import ValidationRequest, judge
from casduo.services.index import Registry
from casduo.services.model import Protocol, RegisteredService, ReleaseRule
from casduo.services.names import LISTED_NAMES
from casduo.services.pairwise import PairwiseIds
from casduo.services.policies import SHORTEST_ACCESS
from casduo.services.release import PairwiseKeyMissing, UsernameUnfit, release, shaped
from casduo.services.urls import ServiceUrl
from casduo.settings import Settings
from casduo.tickets.ids import TicketId, TicketKind
from casduo.tickets.model import Permit, ServiceTicket, TakenTicket, TicketGrantingTicket

_UNFIT = {
    "missing": "{0} has no value",
    "several": "{0} has several values, and nobody knows which one is meant",
    "characters": "{0} holds control characters or line breaks",
}


def told(service: RegisteredService, person: Person | None, pairwise: PairwiseIds | None = None) -> Release:
    """Return what ``service`` is told about ``person``; without one, what it would be told about anybody.

    :param pairwise: makes pairwise ids; ``None``: their key is not known
    """
    source = _user_source(service)
    if person is None:
        return Release("", source, "", tuple(_listed(rule) for rule in service.release_rules))
    # What there is to say besides the name is worth knowing, whatever becomes of that.
    nameless = service.model_copy(update={"username_attribute": None, "pairwise_id": False})
    attributes = release(nameless, "nobody", person.attributes).attributes
    user, problem = "", ""
    try:
        user = release(service, person.name, person.attributes, pairwise=pairwise).user
    except UsernameUnfit as error:
        subject = f"attribute {error.attribute}" if error.attribute else "the user name of the sign-in"
        problem = _UNFIT[error.reason].format(subject)
    except PairwiseKeyMissing:
        source += "; the key for that is not known here"
    listed = tuple(_attribute(rule, service, person.attributes, attributes) for rule in service.release_rules)
    return Release(user, source, problem, listed)


def _user_source(service: RegisteredService) -> str:
    rule = service.username_attribute
    source = f"attribute {rule.attribute}" if rule is not None else "the user name of the sign-in"
    if rule is not None and rule.case != "keep":
        source += f", in {rule.case} case"
    return f"pairwise id made of {source}" if service.pairwise_id else source


def _listed(rule: ReleaseRule) -> ReleasedAttribute:
    if rule.name in LISTED_NAMES:
        return ReleasedAttribute(rule.name, "", (), "said by the server about the sign-in")
    why = "the same for everybody" if rule.static else ""
    return ReleasedAttribute(rule.name, rule.source, rule.static, why, _shaping(rule))


def _shaping(rule: ReleaseRule) -> str:
    parts = [f"only what matches {rule.match}"] if rule.match else []
    parts += [f"as {rule.replace}"] if rule.replace is not None else []
    parts += [f"in {rule.case} case"] if rule.case != "keep" else []
    return ", ".join(parts)


def _attribute(
    rule: ReleaseRule,
    service: RegisteredService,
    known: Mapping[str, tuple[str, ...]],
    released: Mapping[str, tuple[str, ...]],
) -> ReleasedAttribute:
    values = released.get(rule.name, ())
    if rule.name in LISTED_NAMES or rule.static:
        why = _listed(rule).why
    elif rule.source not in known:
        why = f"the person has no attribute {rule.source}{_near(rule.source, known)}"
    elif not values:
        why = f"none of the values of {rule.source} is left: {few(known[rule.source])}"
    else:
        left_out = [value for value in known[rule.source] if value and not shaped(value, rule)]
        why = f"left out: {few(left_out)}" if left_out else ""
    why = "; ".join(filter(None, (why, _several(values, service.multivalue))))
    return ReleasedAttribute(rule.name, rule.source, values, why, _shaping(rule))


def _several(values: tuple[str, ...], style: str) -> str:
    """Return what a service that is not told several values as such gets instead; empty where nothing changes."""
    separator = style.removeprefix("join:")
    if style.startswith("join:") and any(separator in value for value in values):
        return f"a value holds the separator {separator}, so it reads as several"
    return f"in XML only {values[0]}" if style == "first" and len(values) > 1 else ""


def _near(source: str, attributes: Mapping[str, tuple[str, ...]]) -> str:
    near = next((name for name in attributes if name.casefold() == source.casefold()), "")
    return f"; upper and lower case count here, so {near} is another one" if near else ""


# --- the answer -----------------------------------------------------------------------------------------------------

_ENDPOINTS: dict[Protocol, str] = {"cas3": "/p3/serviceValidate", "cas2": "/serviceValidate", "cas1": "/validate"}


def answers(
    url: ServiceUrl,
    service: RegisteredService,
    registry: Registry,
    facts: Facts,
    duo: Duo,
    pairwise: PairwiseIds | None,
    settings: Settings,
    *,
    raised: bool = False,
) -> tuple[Answer, ...]:
    """Return what validating would answer for a ticket of a session that begins now; no answer twice. None without a
    person, without a CAS protocol, or where a pairwise id would be needed whose key is not known.

    :param duo: whether Duo is required
    :param pairwise: makes pairwise ids; ``None``: their key is not known
    :param settings: how Duo is asked, and whether CAS 2.0 tells attributes
    :param raised: whether it is the application's request that asks for Duo
    """
    protocol = next((protocol for protocol in _ENDPOINTS if protocol in service.protocols), None)
    if facts.person is None or protocol is None:
        return ()
    defaults = duo_defaults(settings.duo)
    rules = EntitlementRules(facts.group_attributes, defaults)
    cas2_attributes = settings.validation.cas2_attributes
    request = ValidationRequest(url, TicketId(TicketKind.SERVICE, "", ""), False, "", protocol)
    found: dict[str, Answer] = {}
    sign_ins = _sign_ins(facts.now, duo, defaults.terms(service.duo_rule), raised=raised)
    for when, strength, permit in _permitted(service, sign_ins, facts.now):
        session = _session(facts.person, facts, strength)
        ticket = ServiceTicket(service=url.raw, service_id=service.id, primary=True, session="", permit=permit)
        taken = TakenTicket(ticket, session)
        try:
            code, body = _answer(request, taken, registry, facts.now, rules, pairwise, cas2_attributes)
        except PairwiseKeyMissing:
            continue
        found.setdefault(body, Answer(_ENDPOINTS[protocol], when, code, body))
    return tuple(found.values())


def _sign_ins(now: float, duo: Duo, terms: DuoTerms, *, raised: bool) -> Iterator[tuple[str, Strength]]:
    """Yield each way in which a sign-in can end for this service, with the mark that it leaves on the session."""
    if duo.state != "met":
        yield "after the password", NO_STRENGTH
        return
    # At validation nobody knows any more what the request asked for.
    yield "if the request did not ask for Duo" if raised else "before Duo, when no ticket is made yet", NO_STRENGTH
    yield "after Duo", Strength.duo("push", now, terms.application)
    if terms.trusted_browser:
        yield "in a trusted browser", Strength.trusted(now, terms.application)
    if duo.mode == "optional":
        yield "for somebody without a device", Strength.bypassed(UNENROLLED, now)
    if terms.accept_allow:
        yield "for somebody whom Duo lets pass", Strength.bypassed(DUO_BYPASS, now)
    if terms.fail == "open":
        yield "while Duo cannot be reached", Strength.bypassed(UNAVAILABLE, now)


def _permitted(
    service: RegisteredService, sign_ins: Iterable[tuple[str, Strength]], now: float
) -> Iterator[tuple[str, Strength, Permit | None]]:
    """Yield each sign-in with the approval of its ticket, and where one is needed what comes of a ticket without."""
    strength = NO_STRENGTH
    needed = service.requires_approval is not None
    for when, strength in sign_ins:
        yield when, strength, Permit("", now + SHORTEST_ACCESS) if needed else None
    if needed:
        yield "before it is approved, when no ticket is made yet", strength, None


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
    request: ValidationRequest,
    taken: TakenTicket,
    registry: Registry,
    now: float,
    rules: EntitlementRules,
    pairwise: PairwiseIds | None,
    cas2_attributes: bool,
) -> tuple[str, str]:
    """Return code and body of the answer for a ticket that nobody has."""
    try:
        validated = judge(request, taken, registry, now, rules, pairwise)
    except ProtocolError as error:
        body = cas1_failure() if request.protocol == "cas1" else xml_failure(error)
        return error.code, body.decode()
    if request.protocol == "cas1":
        return "", cas1_success(validated.released.user).decode()
    with_attributes = request.protocol == "cas3" or cas2_attributes
    return "", xml_success(validated, with_attributes=with_attributes).decode()
