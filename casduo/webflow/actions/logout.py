"""Actions of the sign-out."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from casduo.errors import MalformedService
from casduo.events.journal import Journal
from casduo.events.model import SignedOut
from casduo.mfa.trust import TrustedBrowsers
from casduo.rules import LoginRules
from casduo.services.index import RegistrySource
from casduo.services.urls import location, parse_service
from casduo.signing import Signing
from casduo.tickets.answers import SignOutAnswers
from casduo.tickets.ids import parse_session_id
from casduo.tickets.registry import TicketRegistry
from casduo.webflow.actions.told import front_channel, signed_out_page, told_url
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


def terminate(
    context: Context, tickets: TicketRegistry, trusted: TrustedBrowsers, journal: Journal
) -> Literal["success"]:
    """End the session and clear the cookie, also when there is nothing to end: repeating is harmless."""
    context.set_cookie = ""
    session = parse_session_id(context.inbound.session_cookie)
    if session is None:
        return "success"
    now = context.inbound.now
    closing = tickets.close_session(context.batch, session.name, "logout", now)
    context.batch.run()
    if not closing.closed:
        return "success"
    context.closing = closing
    subject = replace(context.subject, principal=closing.principal_id)
    tickets.unindex(context.batch, closing.principal_id, session.name)
    journal.write(SignedOut(subject, cause="logout"), context.batch)
    if context.scope.everywhere:
        trusted.forget_all(closing.principal_id)
        others = tickets.close_sessions_of(closing.principal_id, "user", now)
        journal.write(SignedOut(subject, cause="user", sessions=others), context.batch)
    return "success"


def redirect_wanted(context: Context, rules: LoginRules, services: RegistrySource) -> bool:
    """Whether to go on to the application: only to a registered address, and only if redirects are on."""
    if context.service is None or not rules.logout_follow_service:
        return False
    return context.closing is None or not front_channel(context.closing, services.current(), context.inbound.now)


def redirect(context: Context) -> Redirect:
    """Back to the application, without any ticket."""
    return Redirect(location(context.scope.service))


def await_answers(context: Context, answers: SignOutAnswers) -> Literal["success"]:
    """Give applications a moment to answer; those that take longer are told behind the page."""
    if context.closing is not None and context.closing.telling:
        context.told = answers.settle(context.closing.sign_out)
    return "success"


def view_signed_out(context: Context, rules: LoginRules, services: RegistrySource, signing: Signing) -> Page:
    """Signed out. The same friendly page when there was nothing to sign out of."""
    registry, now, closing = services.current(), context.inbound.now, context.closing
    going_on = None
    if context.service is not None and rules.logout_follow_service:
        going_on = {"name": context.service.name, "url": location(context.scope.service)}
    if closing is None or not closing.telling:
        return signed_out_page((), registry, again_url="", continue_to=going_on)
    again_url = told_url(closing.sign_out, rules, signing, now) if going_on is None else ""
    frames = front_channel(closing, registry, now)
    return signed_out_page(context.told, registry, again_url=again_url, frames=frames, continue_to=going_on)
