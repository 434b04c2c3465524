"""The failures an application is told of, one class per wire code (CAS protocol 2.5.3 and 3.0).

Texts are fixed, in English and never blank: java-cas-client takes an empty failure for none at all. No text repeats
anything of the request: an echoed ticket could turn a failure into a success for clients that search the body.
"""

from __future__ import annotations

from typing import ClassVar

from casduo.errors import CasduoError


class ProtocolError(CasduoError):
    """A failure on the wire.

    ``code`` is the wire code and ``text`` what stands beside it. ``why`` is for the log of the server: what the owner
    of the application needs to know, without any secret.
    """

    code = "INTERNAL_ERROR"
    text: ClassVar[str] = "The server could not answer; try again"

    def __init__(self, why: str = "") -> None:
        super().__init__(why or self.text)
        self.why = why


class InvalidRequest(ProtocolError):
    """A parameter is missing, unreadable, repeated with another value, or asks for an unknown format."""

    code = "INVALID_REQUEST"
    text = "A required parameter is missing or cannot be read"


class InvalidTicket(ProtocolError):
    """No such ticket: never made, used, expired, its session ended, or not from a new login where ``renew`` asks so."""

    code = "INVALID_TICKET"
    text = "Ticket not recognized"


class NotFromNewLogin(InvalidTicket):
    """``renew`` was asked for and the ticket stems from a session (the specification names INVALID_TICKET)."""

    text = "Ticket was not issued from a new login"


class InvalidTicketSpec(ProtocolError):
    """A proxy ticket at an endpoint for service tickets."""

    code = "INVALID_TICKET_SPEC"
    text = "A proxy ticket was presented where only service tickets are accepted"


class InvalidService(ProtocolError):
    """The ticket was made for another service."""

    code = "INVALID_SERVICE"
    text = "Ticket was issued for another service"


class UnauthorizedService(ProtocolError):
    """The service is not registered (any more), or the person may not use it."""

    code = "UNAUTHORIZED_SERVICE"
    text = "Service is not authorized"


class InvalidAuthenticationContext(ProtocolError):
    """The service demands a second factor that the session does not have."""

    code = "INVALID_AUTHENTICATION_CONTEXT"
    text = "The required authentication was not performed"


class UnauthorizedServiceProxy(ProtocolError):
    """The service may not act for its users towards others."""

    code = "UNAUTHORIZED_SERVICE_PROXY"
    text = "Service is not authorized to use proxy authentication"


class InternalError(ProtocolError):
    """Our own fault, or that of somebody we depend on."""
