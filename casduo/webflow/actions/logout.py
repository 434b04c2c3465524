"""Actions of the sign-out."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from casduo.errors import MalformedService
from casduo.events.journal import Journal
from casduo.events.model import SignedOut
from casduo.rules import LoginRules
from casduo.services.index import RegistrySource
from casduo.services.urls import location, parse_service
from casduo.tickets.ids import parse_session_id
from casduo.tickets.model import principal_of
from casduo.tickets.registry import TicketRegistry
from casduo.webflow.context import Context
from casduo.webflow.effects import Form, Page, Redirect
from casduo.webflow.engine import Pause


def find_service(context: Context, services: RegistrySource) -> Literal["success"]:
    """See whether the address to go to afterwards is registered. Nobody is ever sent elsewhere."""
    if context.scope.service:
        try:
            context.url = parse_service(context.scope.service, services.current().schemes)
        except MalformedService:
            return "success"
        entry = services.current().find(context.url)
        if entry is not None and entry.enabled and entry.channel == "browser":
            context.service = entry
    return "success"


def confirmation_needed(context: Context, rules: LoginRules, services: RegistrySource) -> bool:
    """Whether to ask first: a link on somebody else's page must not sign people out.

    An application's own sign-out is recognised by its registered ``service``, or by coming from a registered host.
    Without a session to lose nothing is asked.
    """
    if context.inbound.submitted or not context.inbound.session_cookie or rules.logout_confirm == "never":
        return False
    if rules.logout_confirm == "always":
        return True
    if not context.inbound.cross_site or context.service is not None:
        return False
    return not (context.inbound.referrer_host and services.current().knows_host(context.inbound.referrer_host))


def view_confirm(context: Context, rules: LoginRules) -> Pause[Literal["submit"]]:
    """The page that asks."""
    hidden = (("service", context.scope.service),) if context.scope.service else ()
    return Pause(Page("logout_confirm", form=Form(rules.logout_url, hidden)))


def terminate(context: Context, tickets: TicketRegistry, journal: Journal) -> Literal["success"]:
    """End the session and clear the cookie, also when there is nothing to end: repeating is harmless."""
    context.set_cookie = ""
    session = parse_session_id(context.inbound.session_cookie)
    if session is None:
        return "success"
    closing = tickets.close_session(context.batch, session)
    context.batch.run()
    if closing.value:
        principal = principal_of(closing.value)
        tickets.unindex(context.batch, principal, session)
        journal.write(SignedOut(replace(context.subject, principal=principal), cause="logout"))
    return "success"


def redirect_wanted(context: Context, rules: LoginRules) -> bool:
    """Whether to go on to the application: only to a registered address, and only if redirects are on."""
    return context.service is not None and rules.logout_follow_service


def redirect(context: Context) -> Redirect:
    """Back to the application, without any ticket."""
    return Redirect(location(context.scope.service))


def view_signed_out(context: Context) -> Page:
    """Signed out. The same friendly page when there was nothing to sign out of."""
    return Page("signed_out", {"applications": (), "continue_to": None})
