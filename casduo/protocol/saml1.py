"""SAML 1.1 as CAS speaks it: the SOAP request to ``/samlValidate`` and the SOAP answer (CAS protocol 3.0, 4.2).

What is read: any prefixes and default namespaces, comments before the root, white space around the artifact. Versions,
``IssueInstant`` and the form of ``RequestID`` are not checked: clients send dates of 2002, none, and local time without
a zone. The artifact itself must be plain text: some clients put the ticket of the browser into their XML as it comes,
so whatever markup it brought along must not decide which ticket is validated.

What is written: one line of ASCII without white space between elements, for clients read texts untrimmed and find
elements by their position.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from defusedxml.ElementTree import DefusedXMLParser, ParseError

from casduo.protocol.errors import InternalError, InvalidRequest, ProtocolError
from casduo.protocol.responses import attributes_of, instant
from casduo.protocol.validation import ValidatedTicket
from casduo.protocol.xml import escape
from casduo.services.names import is_ncname

SAML_TYPE = "text/xml; charset=utf-8"

MAX_REQUEST = 64 * 1024
"""Longest request that is looked at, in bytes. Those of known clients have fewer than 1,000."""
_MAX_DEPTH = 32
"""Elements within elements. The artifact is the fourth; a signed request has ten or so."""
_MAX_ID = 256
"""Longest request id that an answer repeats, in characters. Those of known clients have fewer than 40."""

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_PROTOCOL = "urn:oasis:names:tc:SAML:1.0:protocol"
_ASSERTION = "urn:oasis:names:tc:SAML:1.0:assertion"
_REQUEST_PATH = [f"{{{_SOAP}}}Envelope", f"{{{_SOAP}}}Body", f"{{{_PROTOCOL}}}Request"]
_ARTIFACT_PATH = [*_REQUEST_PATH, f"{{{_PROTOCOL}}}AssertionArtifact"]
_WHITE = " \t\r\n"

_UTF16_STARTS = {b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16", b"<\0": "utf-16-le", b"\0<": "utf-16-be"}
"""First bytes that tell UTF-16 (XML 1.0, appendix F.1)."""
_DECLARED = re.compile(r"""\ufeff?<\?xml\s[^>]*?\bencoding\s*=\s*["']([^"'>]*)["']""")
_ENCODINGS = frozenset({"utf-8", "utf-16", "us-ascii", "iso-8859-1"})
"""What a request may declare. The last two say the same as UTF-8 where all is ASCII, as in every ticket."""

_VALID_BEFORE = 30
_VALID_AFTER = 60
"""Seconds around now in which an assertion counts: clients' clocks differ, and Java allows for one second only."""


@dataclass(frozen=True, slots=True)
class SamlRequest:
    """What a request asks for: ``artifact`` is the ticket, not yet looked at and never empty.

    ``request_id`` is what the answer refers to: the ``RequestID`` of the request, or empty when that is missing,
    endless, or no XML name, which an answer could not repeat.
    """

    artifact: str = field(repr=False)
    request_id: str


def parse_saml_request(body: bytes) -> SamlRequest:
    """Read the body of a request.

    :param body: the raw body, UTF-8 or UTF-16, at most :data:`MAX_REQUEST` bytes
    :raises InvalidRequest: it is anything else than a SOAP 1.1 envelope with one ``AssertionArtifact`` in its place;
        nothing of the body appears in the error
    """
    if len(body) > MAX_REQUEST:
        raise InvalidRequest("longer than 64 KiB")
    text = _decoded(body)
    reader = _Reader()
    parser = DefusedXMLParser(target=reader, forbid_dtd=True)
    try:
        parser.feed(text)
        parser.close()
    except (ParseError, ValueError):
        # Without its cause: that quotes the document.
        raise InvalidRequest("not well-formed XML without a document type") from None
    artifact = reader.artifact.strip(_WHITE)
    if not artifact:
        raise InvalidRequest("no artifact")
    return SamlRequest(artifact, _repeatable(reader.request_id))


def saml_success(validated: ValidatedTicket, *, recipient: str, request_id: str, issuer: str, now: float) -> bytes:
    """Return the answer for a validated ticket.

    :param recipient: the service as the request named it (``TARGET``)
    :param request_id: that of the :class:`SamlRequest`; empty for none
    :param issuer: this server's name for itself
    :param now: epoch seconds
    """
    subject = _subject(validated.released.user)
    # The order of the example in the specification: mod_auth_cas 1.0.9 takes attributes from the first statement only.
    statements = _attribute_statement(subject, attributes_of(validated)) + _authentication_statement(
        subject, validated.session.authenticated_at
    )
    assertion = (
        f'<saml:Assertion xmlns:saml="{_ASSERTION}" MajorVersion="1" MinorVersion="1" AssertionID="{_identifier()}"'
        f' Issuer="{escape(issuer)}" IssueInstant="{instant(now)}">'
        f'<saml:Conditions NotBefore="{instant(now - _VALID_BEFORE)}" NotOnOrAfter="{instant(now + _VALID_AFTER)}">'
        f"<saml:AudienceRestrictionCondition><saml:Audience>{escape(recipient)}</saml:Audience>"
        "</saml:AudienceRestrictionCondition></saml:Conditions>"
        f"{statements}</saml:Assertion>"
    )
    return _envelope(_status("Success") + assertion, request_id=request_id, recipient=recipient, now=now)


def saml_failure(error: ProtocolError, *, request_id: str, now: float) -> bytes:
    """Return the answer for a ticket that was refused, or for a request that could not be read.

    It names nobody: phpCAS takes any ``NameIdentifier`` for a success. Of the request it repeats its id only, which is
    an XML name and can be nothing else.

    :param request_id: that of the :class:`SamlRequest`; empty for none
    :param now: epoch seconds
    """
    return _envelope(_status(_status_of(error), error.text), request_id=request_id, recipient="", now=now)


class _Reader:
    """Takes what the parser meets, and keeps the one artifact and the id of the request it stands in."""

    def __init__(self) -> None:
        self._path: list[str] = []
        self._found = False
        self._current_id = ""
        self.artifact = ""
        self.request_id = ""

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self._refuse_within_artifact()
        self._path.append(tag)
        if len(self._path) > _MAX_DEPTH:
            raise InvalidRequest("nested too deeply")
        if self._path[0] != _REQUEST_PATH[0]:
            raise InvalidRequest("not a SOAP 1.1 envelope")
        if self._path == _REQUEST_PATH:
            self._current_id = attributes.get("RequestID", "")
        # By its name alone: one in another namespace or place is what a ticket full of markup leaves behind.
        if tag.rpartition("}")[2] == "AssertionArtifact":
            self._begin_artifact()

    def end(self, tag: str) -> None:
        self._path.pop()

    def data(self, text: str) -> None:
        if self._path == _ARTIFACT_PATH:
            self.artifact += text

    def comment(self, text: str) -> None:
        self._refuse_within_artifact()

    def pi(self, target: str, data: str) -> None:
        self._refuse_within_artifact()

    def _begin_artifact(self) -> None:
        if self._path != _ARTIFACT_PATH:
            raise InvalidRequest("an artifact in the wrong namespace or place")
        if self._found:
            raise InvalidRequest("more than one artifact")
        self._found = True
        self.request_id = self._current_id

    def _refuse_within_artifact(self) -> None:
        if self._path == _ARTIFACT_PATH:
            raise InvalidRequest("markup within the artifact")


def _decoded(body: bytes) -> str:
    """Return the text. The bytes alone say which encoding it is, so that no declaration can make a parser read other
    characters than everybody else would; .NET declares UTF-16 in what it then sends as UTF-8.
    """
    try:
        text = body.decode(_UTF16_STARTS.get(body[:2], "utf-8"))
    except UnicodeDecodeError:
        raise InvalidRequest("neither UTF-8 nor UTF-16") from None
    # No character of XML, and one from which expat would guess UTF-16 although it is told otherwise.
    if "\0" in text:
        raise InvalidRequest("neither UTF-8 nor UTF-16")
    declared = _DECLARED.match(text)
    if declared is not None and declared[1].lower() not in _ENCODINGS:
        raise InvalidRequest("declares an encoding other than UTF-8 and UTF-16")
    return text


def _repeatable(request_id: str) -> str:
    """Return the id if an answer may repeat it: a name of XML holds neither markup nor line breaks."""
    return request_id if len(request_id) <= _MAX_ID and is_ncname(request_id) else ""


def _status_of(error: ProtocolError) -> str:
    if isinstance(error, InvalidRequest):
        return "Requester"
    if error.code == InternalError.code:
        return "Responder"
    # A second level below Requester in SAML; CAS servers have always written it alone.
    return "RequestDenied"


def _status(code: str, message: str = "") -> str:
    # mod_auth_cas 1.0.9 compares the whole value, prefix and all.
    told = f"<samlp:StatusMessage>{escape(message)}</samlp:StatusMessage>" if message else ""
    return f'<samlp:Status><samlp:StatusCode Value="samlp:{code}"/>{told}</samlp:Status>'


def _subject(user: str) -> str:
    return (
        f"<saml:Subject><saml:NameIdentifier>{escape(user)}</saml:NameIdentifier>"
        "<saml:SubjectConfirmation><saml:ConfirmationMethod>urn:oasis:names:tc:SAML:1.0:cm:artifact"
        "</saml:ConfirmationMethod></saml:SubjectConfirmation></saml:Subject>"
    )


def _attribute_statement(subject: str, attributes: Mapping[str, Iterable[str]]) -> str:
    """Return the statement, or nothing: it must have an attribute, and each of those a value (SAML 1.1, 2.4.4)."""
    written = "".join(_attribute(name, values) for name, values in attributes.items())
    return f"<saml:AttributeStatement>{subject}{written}</saml:AttributeStatement>" if written else ""


def _attribute(name: str, values: Iterable[str]) -> str:
    texts = [text for text in map(escape, values) if text]
    if not texts:
        return ""
    written = "".join(f"<saml:AttributeValue>{text}</saml:AttributeValue>" for text in texts)
    return (
        f'<saml:Attribute AttributeName="{escape(name)}" AttributeNamespace="http://www.ja-sig.org/products/cas/">'
        f"{written}</saml:Attribute>"
    )


def _authentication_statement(subject: str, authenticated_at: float) -> str:
    return (
        '<saml:AuthenticationStatement AuthenticationMethod="urn:oasis:names:tc:SAML:1.0:am:password"'
        f' AuthenticationInstant="{instant(authenticated_at)}">{subject}</saml:AuthenticationStatement>'
    )


def _envelope(content: str, *, request_id: str, recipient: str, now: float) -> bytes:
    optional = {"InResponseTo": escape(request_id), "Recipient": escape(recipient)}
    known = "".join(f' {name}="{value}"' for name, value in optional.items() if value)
    # mod_auth_cas 1.0.9 skips the first element of the envelope, whatever it is: the empty header is not optional.
    return (
        f'<SOAP-ENV:Envelope xmlns:SOAP-ENV="{_SOAP}"><SOAP-ENV:Header/><SOAP-ENV:Body>'
        f'<samlp:Response xmlns:samlp="{_PROTOCOL}" MajorVersion="1" MinorVersion="1"'
        f' ResponseID="{_identifier()}" IssueInstant="{instant(now)}"{known}>'
        f"{content}</samlp:Response></SOAP-ENV:Body></SOAP-ENV:Envelope>"
    ).encode("ascii")


def _identifier() -> str:
    """Return an id that nobody can guess and that begins as XML ids must (SAML 1.1, 1.2.3)."""
    return f"_{secrets.token_hex(16)}"
