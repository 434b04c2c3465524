"""Actions that hand the person over to the application: asking first, granting the ticket, sending it."""

from __future__ import annotations

import re
from typing import Literal

from casduo.events.journal import Journal
from casduo.events.model import Event, TargetAccessed, TicketGranted, TicketLoop
from casduo.rules import LoginRules
from casduo.services.urls import append_ticket, location
from casduo.services.watch import RegistrySource
from casduo.tickets.registry import Grant, Granting, TicketRegistry
from casduo.webflow.actions import service
from casduo.webflow.actions.facts import service_facts
from casduo.webflow.actions.session import current
from casduo.webflow.context import Context
from casduo.webflow.effects import Form, GoOn, HeaderAnswer, Page, Redirect
from casduo.webflow.engine import Pause

_RETURNED = re.compile(r"[?&](ticket|SAMLart)=")
"""A service that already holds a ticket: the application did not see it for one."""


def warn_wanted(context: Context) -> bool:
    """Whether the person wants to be asked before this application learns who they are. Not right after the password:
    they have just said where they want to go.
    """
    entry = context.required_service
    return entry.warn or (context.scope.ask_before and not context.scope.fresh)


def view_warn(context: Context, services: RegistrySource, rules: LoginRules) -> Pause[Literal["proceed"]]:
    """The page that asks. No ticket exists yet: it would age, and lie in a page, while the person reads."""
    if context.looking and service.check(context, services) != "registered":
        return Pause(GoOn("proceed"))
    data = {"service": service_facts(context.required_service, context.url), "cancel_url": rules.home_url}
    return Pause(Page("warn", data, form=Form(rules.home_url)))


def view_password_warning(context: Context, rules: LoginRules) -> Pause[Literal["proceed"]]:
    """The page about a password that runs out soon."""
    warnings, context.scope.warned = context.scope.warnings, True
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
        permit=context.permit,
        opened=session.ticket,
    )
    events = _events(context, granting, primary=primary)
    for event in events:
        journal.attach(event, context.batch, granting.id.key)
    context.batch.run()
    if granting.outcome is Grant.LOOPING:
        return "looping"
    if not granting.granted:
        context.set_cookie = ""
        context.session = None
        context.notice = "login.notice.signed_out"
        return "sessionEnded"
    context.ticket = str(granting.id)
    for event in events:
        journal.note(event)
    return "success"


def _events(context: Context, granting: Granting, *, primary: bool) -> list[Event]:
    """Return what is to be told once the ticket exists."""
    events: list[Event] = [TicketGranted(context.subject, ticket=granting.id.masked, primary=primary)]
    target = context.required_service.target
    if target is not None:
        request = context.permit.request if context.permit is not None else ""
        host, ip, account = target.host, target.ip or "", target.account or ""
        events.append(TargetAccessed(context.subject, host=host, ip=ip, account=account, request=request))
    return events


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
