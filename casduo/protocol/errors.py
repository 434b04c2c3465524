"""The failures an application is told of, one class per wire code (CAS protocol 2.5.3 and 3.0).

Texts are fixed, in English and never blank: java-cas-client takes an empty failure for none at all. No text repeats
anything of the request: an echoed ticket could turn a failure into a success for clients that search the body.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import ClassVar, Literal

from casduo.approvals.model import Phase, Standing
from casduo.errors import CasduoError, UpstreamError
from casduo.protocol.mismatch import Kind, Mismatch

Cause = Literal[
    "unreadable",
    "incomplete",
    "malformed",
    "format",
    "foreign",
    "unknown",
    "ended",
    "renew",
    "stale",
    "proxy_ticket",
    "unregistered",
    "disabled",
    "protocol",
    "plain_http",
    "access",
    "approval",
    "username",
    "unauthorized",
    "duo",
    "proxying",
    "callback",
    "fault",
    Kind,
]
"""Why exactly a validation fails. Of failures with one wire code there are several causes, each with its own remedy."""


class ProtocolError(CasduoError):
    """A failure on the wire.

    ``code`` is the wire code and ``text`` what stands beside it. ``why`` is for the log of the server: what the owner
    of the application needs to know, without any secret. ``cause`` is the same as a fixed word; without one, the usual
    cause of the class. ``granted_entry`` is the id of the registry entry that the ticket was granted for, where the
    service that was presented has none to tell.
    """

    code = "INTERNAL_ERROR"
    text: ClassVar[str] = "The server could not answer; try again"
    usual: ClassVar[Cause] = "fault"

    def __init__(self, why: str = "", cause: Cause | None = None, granted_entry: str = "") -> None:
        super().__init__(why or self.text)
        self.why = why
        self.cause: Cause = cause or self.usual
        self.granted_entry = granted_entry


class InvalidRequest(ProtocolError):
    """A parameter is missing, unreadable, repeated with another value, or asks for an unknown format."""

    code = "INVALID_REQUEST"
    text = "A required parameter is missing or cannot be read"
    usual: ClassVar[Cause] = "unreadable"


class InvalidTicket(ProtocolError):
    """No such ticket: never made, used, expired, its session ended, or not from a new login where ``renew`` asks so."""

    code = "INVALID_TICKET"
    text = "Ticket not recognized"
    usual: ClassVar[Cause] = "unknown"


class NotFromNewLogin(InvalidTicket):
    """``renew`` was asked for and the ticket stems from a session (the specification names INVALID_TICKET)."""

    text = "Ticket was not issued from a new login"
    usual: ClassVar[Cause] = "renew"


class InvalidTicketSpec(ProtocolError):
    """A proxy ticket at an endpoint for service tickets."""

    code = "INVALID_TICKET_SPEC"
    text = "A proxy ticket was presented where only service tickets are accepted"
    usual: ClassVar[Cause] = "proxy_ticket"


class InvalidService(ProtocolError):
    """The ticket was made for another service. ``mismatch`` tells how the two differ, without any secret."""

    code = "INVALID_SERVICE"
    text = "Ticket was issued for another service"
    usual: ClassVar[Cause] = "host"

    def __init__(self, why: str = "", mismatch: Mismatch | None = None) -> None:
        if mismatch is None:
            super().__init__(why)
        else:
            super().__init__(why or str(mismatch), mismatch.kind, mismatch.granted_entry)
        self.mismatch = mismatch


class UnauthorizedService(ProtocolError):
    """The service is not registered (any more), or the person may not use it."""

    code = "UNAUTHORIZED_SERVICE"
    text = "Service is not authorized"
    usual: ClassVar[Cause] = "unauthorized"


class NotApproved(UnauthorizedService):
    """Somebody has to approve that the person uses the service, and has not, or not for now.

    ``principal`` is whom it is about, ``service`` the registry id of what is not open, ``standing`` how they stand with
    it.
    """

    usual: ClassVar[Cause] = "approval"

    def __init__(self, principal: str, service: str, standing: Standing) -> None:
        super().__init__(_NOT_APPROVED[standing.phase])
        self.principal = principal
        self.service = service
        self.standing = standing


_NOT_APPROVED: Mapping[Phase, str] = {
    "none": "nobody has approved it",
    "pending": "nobody has approved it yet",
    "early": "the time that was approved has not begun",
    "open": "it was not approved when it was asked for",
    "over": "the time that was approved is over",
}


class InvalidAuthenticationContext(ProtocolError):
    """The service demands a second factor that the session does not have."""

    code = "INVALID_AUTHENTICATION_CONTEXT"
    text = "The required authentication was not performed"
    usual: ClassVar[Cause] = "duo"


class UnauthorizedServiceProxy(ProtocolError):
    """The service may not act for its users towards others."""

    code = "UNAUTHORIZED_SERVICE_PROXY"
    text = "Service is not authorized to use proxy authentication"
    usual: ClassVar[Cause] = "proxying"


class InvalidProxyCallback(ProtocolError):
    """The callback of the service is not one the registry allows, or did not take the proxy-granting ticket."""

    code = "INVALID_PROXY_CALLBACK"
    text = "The proxy callback could not be used; it must answer while this validation is under way"
    usual: ClassVar[Cause] = "callback"


class InternalError(ProtocolError):
    """Our own fault, or that of somebody we depend on."""


@contextmanager
def faults_as_internal_error(doing: str) -> Iterator[None]:
    """Let nothing but a ``ProtocolError`` out: what fails otherwise becomes an ``InternalError`` about ``doing``."""
    try:
        yield
    except ProtocolError:
        raise
    except UpstreamError as error:
        raise InternalError(str(error)) from error
    except Exception as error:
        # The class only: the text of an unexpected error may hold anything.
        raise InternalError(f"{type(error).__name__} while {doing}") from error
