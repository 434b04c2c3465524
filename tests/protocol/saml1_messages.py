"""SAML 1.1 requests as clients write them, what comes with a ticket, and answers to them, for the tests."""

from __future__ import annotations

from pathlib import Path

from casduo.mfa.strength import Strength
from casduo.protocol.entitlement import DuoStanding
from casduo.protocol.errors import InvalidService, InvalidTicket, ProtocolError
from casduo.protocol.mismatch import Mismatch
from casduo.protocol.saml1 import saml_failure, saml_success
from casduo.protocol.validation import ValidatedTicket
from casduo.services.model import RegisteredService
from casduo.services.release import Released
from casduo.tickets.model import TicketGrantingTicket

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
PROTOCOL = "urn:oasis:names:tc:SAML:1.0:protocol"
ASSERTION = "urn:oasis:names:tc:SAML:1.0:assertion"
PREFIXES = {"soap": SOAP, "sp": PROTOCOL, "sa": ASSERTION}

BODIES = Path(__file__).parent / "saml1_bodies"
TICKET = "ST-k3Yt-0a1B2c3D4e5F6g7H8i9J0k"
SERVICE = "https://library.example.edu/shelf?a=1&b=2"
ISSUER = "https://sso.example.edu/cas"
NOW = 1_772_600_777.9
"""2026-03-04, 05:06:17 UTC and a bit; the password was given ten seconds before."""

LIBRARY = RegisteredService.model_validate(
    {"id": "library", "name": "Library", "url": "https://library.example.edu/**"}
)
FAILURES = sorted(
    [ProtocolError, *ProtocolError.__subclasses__(), *InvalidTicket.__subclasses__()], key=lambda kind: kind.__name__
)


def validated(
    attributes: dict[str, tuple[str, ...]] | None = None, user: str = "ada", *, primary: bool = True
) -> ValidatedTicket:
    session = TicketGrantingTicket("ada", {}, "users_file", NOW - 10, strength=Strength())
    return ValidatedTicket(LIBRARY, session, Released(user, attributes or {}), primary, DuoStanding())


def success(ticket: ValidatedTicket | None = None, *, recipient: str = SERVICE, request_id: str = "_a1") -> bytes:
    ticket = ticket or validated({"mail": ("ada@example.edu",), "memberOf": ("staff", "faculty")})
    return saml_success(ticket, recipient=recipient, request_id=request_id, issuer=ISSUER, now=NOW)


def failure(kind: type[ProtocolError] = InvalidTicket, *, request_id: str = "_a1") -> bytes:
    return saml_failure(error_of(kind), request_id=request_id, now=NOW)


def error_of(kind: type[ProtocolError]) -> ProtocolError:
    """A failure of a kind; what the log may know of it names a ticket."""
    if issubclass(kind, InvalidService):
        return kind(Mismatch("path", "https://library.example.edu/ST-1", SERVICE, "path", "library"))
    return kind("the log may know ST-1")


def request(artifact: str, *, before: str = "", inside: str = "", after: str = "") -> bytes:
    """The request of phpCAS and mod_auth_cas, which put the ticket into it as it came."""
    return (
        f'{before}<SOAP-ENV:Envelope xmlns:SOAP-ENV="{SOAP}"><SOAP-ENV:Header/><SOAP-ENV:Body>'
        f'<samlp:Request xmlns:samlp="{PROTOCOL}" MajorVersion="1" MinorVersion="1" RequestID="_r1">{inside}'
        f"<samlp:AssertionArtifact>{artifact}</samlp:AssertionArtifact></samlp:Request>"
        f"</SOAP-ENV:Body></SOAP-ENV:Envelope>{after}"
    ).encode()


NOT_XML = "not well-formed XML without a document type"
ENCODING = "neither UTF-8 nor UTF-16"
DECLARED = "declares an encoding other than UTF-8 and UTF-16"
NOT_SOAP = "not a SOAP 1.1 envelope"
DEEP = "nested too deeply"
NO_ARTIFACT = "no artifact"
TWO = "more than one artifact"
ELSEWHERE = "an artifact in the wrong namespace or place"
MARKUP = "markup within the artifact"

TWO_BY_TICKET = "ST-1</samlp:AssertionArtifact>{}<samlp:AssertionArtifact{}>ST-2"

INJECTED = {
    "a second artifact": (TWO_BY_TICKET.format("", ""), TWO),
    "the same artifact again": ("ST-1</samlp:AssertionArtifact><samlp:AssertionArtifact>ST-1", TWO),
    "an empty artifact first": ("</samlp:AssertionArtifact><samlp:AssertionArtifact>ST-2", TWO),
    "a second artifact in another namespace": (TWO_BY_TICKET.format("", ' xmlns:samlp="urn:x"'), ELSEWHERE),
    "a second request": (
        TWO_BY_TICKET.format("</samlp:Request><samlp:Request xmlns:samlp='" + PROTOCOL + "'>", ""),
        TWO,
    ),
    "a second body": (
        TWO_BY_TICKET.format(
            f'</samlp:Request></SOAP-ENV:Body><SOAP-ENV:Body><samlp:Request xmlns:samlp="{PROTOCOL}">', ""
        ),
        TWO,
    ),
    "a second artifact within an element": (
        "ST-1</samlp:AssertionArtifact><x><samlp:AssertionArtifact>ST-2</samlp:AssertionArtifact></x>"
        "<samlp:AssertionArtifact>",
        ELSEWHERE,
    ),
    "an element": ("ST-<evil/>1", MARKUP),
    "an element around it": ("<evil>ST-1</evil>", MARKUP),
    "an artifact within the artifact": ("<samlp:AssertionArtifact>ST-1</samlp:AssertionArtifact>", MARKUP),
    "a comment": ("ST-1<!-- -->", MARKUP),
    "a comment in the middle": ("ST-<!--evil-->1", MARKUP),
    "an instruction": ("ST-1<?evil?>", MARKUP),
    "a comment that hides the rest": ("ST-1<!--", NOT_XML),
    "parameters": ("ST-1&renew=true", NOT_XML),
}
