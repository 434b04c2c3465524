"""Explains a URL: which entry has it, who gets in and how, and what the application is told. Decides nothing itself."""

from __future__ import annotations

from dataclasses import replace

from casduo.authentication.model import Reason
from casduo.explanation import conditions
from casduo.explanation.conditions import Facts
from casduo.explanation.dealings import dealings, proxying, sign_out
from casduo.explanation.matching import entries
from casduo.explanation.model import Condition, Explanation, Person, Reading, Service, State, Verdict
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
_VERDICTS: dict[State, Verdict] = {"met": "duo", "not met": "password", "depends": "depends"}
_ASKED: dict[State, str] = {
    "met": "with the password and Duo",
    "not met": "with the password alone",
    "depends": "with the password; whether Duo is asked for depends on {needed}",
}


def entry_for(given: str, registry: Registry, settings: Settings) -> RegisteredService | None:
    """Return the entry that has the URL, None when it is refused or nobody has it."""
    _, url = read(given, _login_url(settings), registry.schemes)
    return registry.find(url) if url is not None else None


def stores_for(entry: RegisteredService, settings: Settings) -> tuple[str, ...]:
    """Return the names of the handlers that may check a password for ``entry``, in the order in which they are asked.

    PINs are not taken in place of passwords: their handlers are for phones only.
    """
    return tuple(
        handler.name
        for handler in settings.authentication
        if (not entry.authentication or handler.name in entry.authentication)
        and (entry.channel == "phone" or handler.type != "ucm_pin")
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
    reading, url = read(given, _login_url(settings), registry.schemes)
    found = registry.find(url) if url is not None else None
    near, omitted = entries(registry, url, everything=everything) if url is not None else ((), len(registry))
    service = None
    if url is not None and found is not None:
        service = _service(url, found, registry, settings, facts, pairwise)
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


def _login_url(settings: Settings) -> str:
    return f"{settings.server.url}/login" if settings.server.url else ""


def _service(
    url: ServiceUrl,
    service: RegisteredService,
    registry: Registry,
    settings: Settings,
    facts: Facts,
    pairwise: PairwiseIds | None,
) -> Service:
    access = conditions.access(service, facts)
    duo = replace(conditions.duo(service.duo_rule, facts), values=duo_values(service, settings.duo))
    settled = service.channel == "browser" and "depends" not in (access.state, duo.state)
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
        answers=answers(
            url, service, registry, facts, duo, pairwise, cas2_attributes=settings.validation.cas2_attributes
        )
        if settled
        else (),
        without_effect=_without_effect(service),
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
    if service.channel != "browser":
        return "phone", f"{service.name} is for IP phones: to a browser it counts as not registered (403)."
    if not service.enabled:
        because = f": {found.disabled_reason}" if found.disabled_reason else "."
        return "disabled", f"{service.name} is switched off; nobody gets in{because}"
    person = facts.person
    if person is not None and person.refusal is not None:
        return "no_sign_in", f"{person.name} cannot sign in: {_REFUSALS.get(person.refusal, person.refusal)}."
    return _admission(service, facts)


def _admission(service: Service, facts: Facts) -> tuple[Verdict, str]:
    unmet = next((condition for condition in service.access.conditions if condition.state == "not met"), None)
    if unmet is not None:
        who = f"{facts.who} is refused by" if facts.person is not None else "Nobody gets into"
        return "refused", f"{who} {service.name}: {_told(unmet)}."
    if service.release.problem:
        problem = service.release.problem
        return "refused", f"{facts.who} is refused by {service.name}: there is no user name to tell it; {problem}."
    who = facts.who if facts.person is not None else "Whoever signs in"
    asked = _ASKED[service.duo.state].format(needed=conditions.depends_on(service.duo.conditions))
    if service.access.state == "depends":
        wanted = [condition.sentence for condition in service.access.conditions if condition.state == "depends"]
        return "depends", f"{who} gets into {service.name} {asked}, if all of this is met: {'; '.join(wanted)}."
    return _VERDICTS[service.duo.state], f"{who} gets into {service.name} {asked}."


def _told(condition: Condition) -> str:
    return f"{condition.sentence} ({condition.fact})" if condition.fact else condition.sentence
