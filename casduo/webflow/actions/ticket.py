"""Actions that hand the person over to the application: asking first, granting the ticket, sending it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Literal

from casduo.csrf import CsrfTokens
from casduo.events.journal import Journal
from casduo.events.model import TicketGranted, TicketLoop
from casduo.messages import factor_id
from casduo.rules import LoginRules
from casduo.services.access import decide
from casduo.services.index import Registry, RegistrySource
from casduo.services.urls import append_ticket, location
from casduo.tickets.registry import Grant, TicketRegistry
from casduo.webflow.actions.facts import service_facts
from casduo.webflow.actions.session import current
from casduo.webflow.context import Context
from casduo.webflow.effects import Form, HeaderAnswer, Page, Redirect
from casduo.webflow.engine import Pause

_START = re.compile(r"(https?://[^*]+?)\*{0,2}")
"""A pattern whose fixed beginning is an address to open: nothing variable but a trailing ``**``."""
_MOST_APPLICATIONS = 50
_RETURNED = re.compile(r"[?&](ticket|SAMLart)=")
"""A service that already holds a ticket: the application did not see it for one."""


def warn_wanted(context: Context) -> bool:
    """Whether the person wants to be asked before this application learns who they are. Not right after the password:
    they have just said where they want to go.
    """
    entry = context.required_service
    return entry.warn or (context.scope.ask_before and not context.scope.fresh)


def view_warn(context: Context, rules: LoginRules) -> Pause[Literal["proceed"]]:
    """The page that asks. No ticket exists yet: it would age, and lie in a page, while the person reads."""
    data = {"service": service_facts(context.required_service, context.url), "cancel_url": rules.home_url}
    return Pause(Page("warn", data, form=Form(rules.home_url)))


def view_password_warning(context: Context, rules: LoginRules) -> Pause[Literal["proceed"]]:
    """The page about a password that runs out soon."""
    warnings, context.scope.warnings = context.scope.warnings, []
    data = {
        "days": next((warning["days"] for warning in warnings if "days" in warning), None),
        "logins": next((warning["logins"] for warning in warnings if "logins" in warning), None),
    }
    return Pause(Page("password_warning", data, form=Form(rules.home_url)))


def generate_service_ticket(
    context: Context, tickets: TicketRegistry, journal: Journal
) -> Literal["success", "sessionEnded", "looping"]:
    """Grant a ticket for the service on the session; together with the session's opening where it is new.

    A service that gets ticket after ticket and validates none would send the browser to and fro without end: the person
    is shown a page instead.
    """
    session = current(context)
    if session is None:
        context.notice = "login.notice.signed_out"
        return "sessionEnded"
    entry = context.required_service
    primary = context.scope.fresh
    granting = tickets.grant_service_ticket(
        context.batch,
        session.id,
        context.scope.service,
        entry.id,
        primary=primary,
        now=context.inbound.now,
        address=context.inbound.address,
    )
    context.batch.run()
    if granting.outcome is Grant.LOOPING:
        return "looping"
    if not granting.granted:
        context.set_cookie = ""
        context.session = None
        context.notice = "login.notice.signed_out"
        return "sessionEnded"
    context.ticket = str(granting.id)
    journal.write(
        TicketGranted(
            context.subject,
            ticket=granting.id.masked,
            primary=primary,
        )
    )
    return "success"


def view_loop(context: Context, journal: Journal, rules: LoginRules) -> Page:
    """The page of somebody whose browser went to and fro between here and the application (CAS has no word for it)."""
    host = context.url.host if context.url is not None else ""
    returned = _RETURNED.search(context.scope.service) is not None
    journal.write(TicketLoop(context.subject, host=host, returned=returned))
    data = {
        "service": service_facts(context.required_service, context.url),
        "contact": context.required_service.owner or None,
        "returned": returned,
        "retry_url": rules.login_url(context.scope),
    }
    return Page("ticket_loop", data, status=409)


def response_type(context: Context) -> Literal["redirect", "post", "header"]:
    """How the ticket travels: as the registry fixes it, else as the request asks, else by redirect."""
    entry = context.required_service
    asked = context.scope.method.lower() if entry.response_by_request else "get"
    fixed = entry.response
    chosen = asked if asked in ("post", "header") else (fixed or "get")
    return "post" if chosen == "post" else "header" if chosen == "header" else "redirect"


def redirect(context: Context) -> Redirect:
    """Send the browser to the service with its ticket (CAS protocol 2.2.4)."""
    name: Literal["ticket", "SAMLart"] = "SAMLart" if context.scope.ticket_name == "SAMLart" else "ticket"
    return Redirect(location(append_ticket(context.scope.service, name, context.ticket)))


def post(context: Context) -> Page:
    """A page whose form posts the ticket to the service."""
    name = context.scope.ticket_name
    data = {"service": service_facts(context.required_service, context.url)}
    return Page("post_response", data, form=Form(location(context.scope.service), ((name, context.ticket),)))


def header(context: Context) -> HeaderAnswer:
    """Service and ticket as headers of an empty answer."""
    return HeaderAnswer(location(context.scope.service), context.ticket)


def signed_in(context: Context, rules: LoginRules, services: RegistrySource, csrf: CsrfTokens) -> Page:
    """The page of somebody who signed in without wanting to go anywhere."""
    scope, strength = context.scope, context.strength
    token = csrf.make(scope.session, context.inbound.now)
    data = {
        "username": scope.principal_id,
        "display_name": next(iter(context.attributes.get("displayName", ())), None),
        "applications": applications(services.current(), context, rules),
        "logout": Form(rules.logout_url, csrf=token),
        "logout_everywhere": Form(rules.logout_url, (("everywhere", "true"),), csrf=token),
        "session": {
            "since": _iso(scope.authenticated_at),
            "expires": _iso(scope.authenticated_at + rules.lifetime_of(scope.remembered)),
            "strength": "password" if strength.level == "none" else strength.level,
            "factor": factor_id(strength.factor) if strength.factor else None,
        },
    }
    return Page("signed_in", data)


def applications(registry: Registry, context: Context, rules: LoginRules) -> list[dict[str, str]]:
    """Return name and address of applications the person may open, as far as the registry tells a fixed address."""
    found: list[dict[str, str]] = []
    for entry in registry.services:
        url = _START.fullmatch(entry.urls[0])
        if url is None or not entry.enabled or entry.channel != "browser":
            continue
        access = decide(
            entry.access,
            context.attributes,
            context.inbound.address,
            context.inbound.now,
            group_attributes=rules.group_attributes,
        )
        if access.allowed:
            found.append({"name": entry.name, "url": url[1]})
        if len(found) == _MOST_APPLICATIONS:
            break
    return found


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(int(moment), UTC).isoformat()
