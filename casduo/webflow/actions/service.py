"""Actions about the requested service: recognising it, who may use it, and what the checks came to."""

from __future__ import annotations

from typing import Literal

from casduo.errors import MalformedService
from casduo.events.journal import Journal
from casduo.events.model import ServiceRefused
from casduo.rules import LoginRules
from casduo.services.access import decide
from casduo.services.index import RegistrySource
from casduo.services.release import UsernameUnfit, username
from casduo.services.urls import parse_service
from casduo.webflow.actions.facts import service_facts
from casduo.webflow.context import Context, Refusal, Verdict
from casduo.webflow.effects import Page


def check(
    context: Context, services: RegistrySource
) -> Literal["noService", "registered", "unregistered", "disabled", "malformed"]:
    """Find the registry entry of the requested service: before anything else, so that nobody types a password for, or
    is sent to, an application that is not registered.
    """
    if not context.scope.service:
        return "noService"
    registry = services.current()
    try:
        context.url = parse_service(context.scope.service, registry.schemes)
    except MalformedService as error:
        context.facts["reason"] = error.reason
        return "malformed"
    context.service = registry.find(context.url)
    channel = "phone" if context.on_phone else "browser"
    if context.service is None or context.service.channel != channel:
        return "unregistered"
    return "registered" if context.service.enabled else "disabled"


def access_check(context: Context, rules: LoginRules) -> Literal["noService", "granted", "denied"]:
    """Apply the access rules of the service to the person."""
    if context.service is None:
        return "noService"
    access = decide(
        context.service.access,
        context.attributes,
        context.inbound.address,
        context.inbound.now,
        group_attributes=rules.group_attributes,
    )
    reason: str = access.reason
    if access.allowed:
        try:
            username(context.service, context.scope.principal_id, context.attributes)
        except UsernameUnfit:
            # Better here, where a person can read it, than when the application asks who came.
            reason = "attribute"
        else:
            return "granted"
    context.facts["refusal"] = reason
    context.verdict = "denied"
    return "denied"


def verdict(context: Context) -> Verdict:
    """Say what the checks of this run came to."""
    return context.verdict


def refusal(context: Context) -> Refusal:
    """Say why there is no ticket."""
    assert context.verdict != "granted"
    return context.verdict


def show_by_get(context: Context) -> bool:
    """Whether the page to come would answer a form. It is shown by a request of its own then: a browser that comes back
    to the answer to a form only offers to send the form once more.
    """
    # Where every visit asks for the password, the second request would show the form and not the page. And once Duo has
    # offered a factor, it must not be the second request that decides to do without.
    quiet = context.service is None or context.service.single_sign_on
    return context.inbound.posted and context.scope.fresh and quiet and not context.scope.duo_offered


def requested(context: Context) -> bool:
    """Whether the person is on the way to an application."""
    return context.service is not None


def unregistered(context: Context, journal: Journal) -> Page:
    """The page for a service that nobody registered: its host as text, no link, no redirect ever."""
    host = context.url.host if context.url is not None else ""
    journal.write(ServiceRefused(context.subject, reason="unregistered", host=host))
    return Page("service_unregistered", {"host": host}, status=403)


def malformed(context: Context, journal: Journal) -> Page:
    """The page for a service that is not a URL we accept."""
    journal.write(ServiceRefused(context.subject, reason=f"malformed: {context.facts['reason']}", host=""))
    return Page("bad_request", {}, status=400)


def disabled(context: Context, journal: Journal) -> Page:
    """The page for a service that is switched off, with the reason its entry gives."""
    entry = context.required_service
    journal.write(ServiceRefused(context.subject, reason="disabled", host=context.url.host if context.url else ""))
    data = {"service": service_facts(entry, context.url), "reason": entry.disabled_reason or None}
    return Page("service_disabled", data, status=403)


def denied(context: Context, journal: Journal, rules: LoginRules) -> Page:
    """The page for a person who may not use the service; their session exists, other applications work."""
    entry = context.required_service
    reason = context.facts["refusal"]
    journal.write(ServiceRefused(context.subject, reason=reason, host=context.url.host if context.url else ""))
    facts: dict[str, object] = {}
    if reason == "not_yet" and entry.access.from_ is not None:
        facts["start"] = entry.access.from_.isoformat()
    if reason == "expired" and entry.access.until is not None:
        facts["end"] = entry.access.until.isoformat()
    data = {
        "service": service_facts(entry, context.url),
        "reason": f"service_denied.reason.{reason}",
        "facts": facts,
        "explanation": entry.access.reason,
        "contact": entry.owner or None,
        "switch_url": rules.login_url(context.scope, renew=True),
    }
    return Page("service_denied", data, status=403)
