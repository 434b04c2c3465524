"""Explains a URL: which entry has it, who gets in and how, and what the application is told. Decides nothing itself."""

from __future__ import annotations

from dataclasses import replace

from casduo.authentication.model import Reason
from casduo.explanation import conditions
from casduo.explanation.approvals import approval, condition_of, target
from casduo.explanation.conditions import Facts
from casduo.explanation.dealings import dealings, proxying, sign_out
from casduo.explanation.matching import entries
from casduo.explanation.model import Condition, Duo, Explanation, Person, Reading, Service, State, Verdict
from casduo.explanation.phone import NO_MAIL, on_phones
from casduo.explanation.reading import read
from casduo.explanation.release import answers, told
from casduo.explanation.values import duo_values
from casduo.fieldtypes import format_duration
from casduo.services.index import Registry
from casduo.services.lint import Entry, notes
from casduo.services.model import RegisteredService
from casduo.services.pairwise import PairwiseIds
from casduo.services.urls import ServiceUrl
from casduo.settings import Settings
from casduo.yamlfile import Document

_REFUSALS: dict[Reason, str] = {
    "locked": "the account is locked",
    "disabled": "the account is disabled",
    "expired": "the password has run out",
    "must_change": "the password must be changed first",
}


def entry_for(given: str, registry: Registry, settings: Settings) -> RegisteredService | None:
    """Return the entry that has the URL, None when it is refused or nobody has it."""
    _, url = _read(given, registry, settings)
    return registry.find(url) if url is not None else None


def stores_for(entry: RegisteredService, settings: Settings) -> tuple[str, ...]:
    """Return the names of the handlers that may check a password for ``entry`` or, at phones, a PIN, in the order in
    which they are asked. Neither is taken in place of the other.
    """
    at_phones = entry.channel == "phone"
    return tuple(
        handler.name
        for handler in settings.authentication
        if (not entry.authentication or handler.name in entry.authentication)
        and (handler.type == "ucm_pin") == at_phones
    )


def explain(
    given: str,
    registry: Registry,
    settings: Settings,
    now: float,
    *,
    person: Person | None = None,
    address: str | None = None,
    pairwise: PairwiseIds | None = None,
    everything: bool = False,
) -> Explanation:
    """Explain the URL ``given`` for ``person``, or for whoever comes.

    :param given: a service URL, or the address of the login page with one in it
    :param now: epoch seconds: of the sign-in, the second factor and the validation
    :param address: of the browser; None: not known
    :param pairwise: makes pairwise ids; None: their key is not known
    :param everything: tell about every entry of the registry, not only those near the URL
    """
    facts = Facts(person, address, now, settings.login.group_attributes)
    reading, url = _read(given, registry, settings)
    found = registry.find(url) if url is not None else None
    near, omitted = entries(registry, url, everything=everything) if url is not None else ((), len(registry))
    service = None
    if url is not None and found is not None:
        raised = reading.asks_for_duo and found.channel == "browser"
        service = _service(url, found, registry, settings, facts, pairwise, raised=raised)
    verdict, sentence = _verdict(reading, service, found, facts)
    return Explanation(
        verdict=verdict,
        sentence=sentence,
        reading=reading,
        person=person,
        groups=tuple(sorted(facts.groups)),
        address=address or "",
        registry=registry.version,
        entries=near,
        omitted=omitted,
        service=service,
    )


def _read(given: str, registry: Registry, settings: Settings) -> tuple[Reading, ServiceUrl | None]:
    login_url = f"{settings.server.url}/login" if settings.server.url else ""
    duo_parameter = (settings.duo.request_parameter or "") if settings.duo is not None else ""
    return read(given, login_url, registry.schemes, duo_parameter)


def _service(
    url: ServiceUrl,
    service: RegisteredService,
    registry: Registry,
    settings: Settings,
    facts: Facts,
    pairwise: PairwiseIds | None,
    *,
    raised: bool,
) -> Service:
    at_phones = service.channel == "phone"
    access = conditions.access(service.access, facts, enabled=service.enabled)
    unasked = conditions.duo(service.duo_rule, facts)
    raised = raised and not (unasked.state == "met" and unasked.mode == "required")
    duo = conditions.duo(service.duo_rule, facts, raised=True) if raised else unasked
    if at_phones:
        duo = replace(duo, reasons=tuple(reason.replace("a password", "a PIN") for reason in duo.reasons))
    duo = replace(duo, values=duo_values(service, settings, unasked, facts))
    settled = not at_phones and "depends" not in (access.state, duo.state)
    session = service.session
    return Service(
        id=service.id,
        name=service.name,
        enabled=service.enabled,
        channel=service.channel,
        handlers=stores_for(service, settings),
        single_sign_on=service.single_sign_on,
        accept_remember_me=service.accept_remember_me,
        session_lifetime=format_duration(session.lifetime) if session.lifetime is not None else "",
        session_idle=format_duration(session.idle) if session.idle is not None else "",
        warn=service.warn,
        access=access,
        duo=duo,
        release=told(service, facts.person, pairwise),
        dealings=dealings(service),
        proxying=proxying(service),
        sign_out=sign_out(service),
        answers=answers(url, service, registry, facts, duo, pairwise, settings, raised=raised) if settled else (),
        without_effect=_without_effect(service),
        phone=on_phones(url, service, settings, facts) if at_phones else None,
        approval=approval(service, settings, facts) if not at_phones else None,
        target=target(service),
        own_handlers=bool(service.authentication),
    )


def _without_effect(service: RegisteredService) -> tuple[str, ...]:
    # The notes of the linter, for a registry of this one entry.
    return tuple(
        note.path.removeprefix("services[0].") for note in notes([Entry(0, service)], Document("the registry"))
    )


# --- the verdict ----------------------------------------------------------------------------------------------------


def _verdict(
    reading: Reading, service: Service | None, found: RegisteredService | None, facts: Facts
) -> tuple[Verdict, str]:
    """Return what comes of it, by the order in which the login flow asks."""
    if reading.reason:
        return "malformed", f"The URL is refused: {reading.problem}."
    if service is None or found is None:
        return "unregistered", "No entry of the registry has this URL: people see that it is not registered (403)."
    if service.phone is not None and reading.url != reading.given:
        return "phone", f"{service.name} is for IP phones: to a browser it counts as not registered (403)."
    if not service.enabled:
        because = f": {found.disabled_reason}" if found.disabled_reason else "."
        return "disabled", f"{service.name} is switched off; nobody gets in{because}"
    person = facts.person
    if person is not None and person.refusal is not None:
        return "no_sign_in", f"{person.name} cannot sign in: {_refusal(person.refusal, service)}."
    return _admission(service, facts)


def _refusal(reason: Reason, service: Service) -> str:
    if service.phone is not None and reason == "not_permitted_now":
        return NO_MAIL
    return _REFUSALS.get(reason, reason)


def _admission(service: Service, facts: Facts) -> tuple[Verdict, str]:
    demands = service.demands
    unmet = next((condition for condition in demands if condition.state == "not met"), None)
    if unmet is not None:
        who = f"{facts.who} is refused by" if facts.person is not None else "Nobody gets into"
        return "refused", f"{who} {service.name}: {_told(unmet)}."
    if service.release.problem:
        problem = service.release.problem
        return "refused", f"{facts.who} is refused by {service.name}: there is no user name to tell it; {problem}."
    who = facts.who if facts.person is not None else "Whoever signs in"
    secret: Verdict = "pin" if service.phone is not None else "password"
    asked = _asked(service.duo, "PIN" if service.phone is not None else "password")
    if service.approval is not None:
        asked += f", {condition_of(service.approval)}"
    wanted = [condition.sentence for condition in demands if condition.state == "depends"]
    if wanted:
        return "depends", f"{who} gets into {service.name} {asked}, if all of this is met: {'; '.join(wanted)}."
    verdicts: dict[State, Verdict] = {"met": "duo", "not met": secret, "depends": "depends"}
    optional = service.duo.state == "met" and service.duo.mode == "optional"
    return "duo_optional" if optional else verdicts[service.duo.state], f"{who} gets into {service.name} {asked}."


def _asked(duo: Duo, secret: str) -> str:
    """Return what is asked for besides ``secret``, as the end of a sentence."""
    if duo.state == "depends":
        return f"with the {secret}; whether Duo is asked for depends on {conditions.depends_on(duo.conditions)}"
    if duo.state == "met":
        return f"with the {secret}" + (", and Duo if there is a device" if duo.mode == "optional" else " and Duo")
    return f"with the {secret} alone" + ("; that Duo would be required is only reported" if duo.reported else "")


def _told(condition: Condition) -> str:
    return f"{condition.sentence} ({condition.fact})" if condition.fact else condition.sentence
