"""Decides whether a live session is good enough for a service, or a new password has to be asked for."""

from __future__ import annotations

from casduo.services.model import RegisteredService
from casduo.tickets.model import TicketGrantingTicket


def good_enough(service: RegisteredService, session: TicketGrantingTicket, now: float) -> bool:
    """Say whether ``service`` takes a session without a new password.

    Not where the entry switches single sign-on off, names the handlers that may check passwords for it and another one
    did, refuses remembered sessions and this is one, or wants a session that is younger (``session.lifetime``, since
    the password) or was used more lately (``session.idle``).

    :param now: epoch seconds
    """
    if not service.single_sign_on or (session.remembered and not service.accept_remember_me):
        return False
    if service.authentication and session.handler not in service.authentication:
        return False
    rule = service.session
    if rule.lifetime is not None and now - session.authenticated_at > rule.lifetime:
        return False
    return rule.idle is None or session.used_at == 0 or now - session.used_at <= rule.idle
