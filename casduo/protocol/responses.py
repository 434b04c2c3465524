"""The answers applications read, to the byte: CAS 1.0 text, CAS 2.0 and 3.0 XML, and JSON.

Deployed clients are picky (prefix ``cas:`` literally, ``user`` first, no white space inside values, bare line feeds in
CAS 1.0); each rule here protects one of them. Everything in XML is ASCII: other characters travel as references, so
that a client that guesses the charset still reads them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from casduo.protocol.errors import ProtocolError
from casduo.protocol.validation import ValidatedTicket
from casduo.services.names import LISTED_NAMES, SERVER_NAMES
from casduo.tickets.model import TicketGrantingTicket

TEXT_TYPE = "text/plain; charset=utf-8"
XML_TYPE = "application/xml; charset=utf-8"
JSON_TYPE = "application/json; charset=utf-8"

_SPECIAL = re.compile("[^\x20\x21\x23-\x25\x28-\x3b\x3d\x3f-\x7e]")
"""Everything but printable ASCII without ``& < > " '``."""
_NAMED = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"}
_OPEN = '<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">\n'
_CLOSE = "</cas:serviceResponse>\n"

DUO_CONTEXT = "mfa-duo"
"""What ``authnContextClass`` says when Duo was really asked and said yes; Apereo CAS's id of its Duo provider."""


def cas1_success(user: str) -> bytes:
    """Return ``yes`` and the user's name (CAS protocol 2.4.2)."""
    return f"yes\n{user}\n".encode()


def cas1_failure() -> bytes:
    """Return ``no`` and two line feeds: rubycas-client needs the second line, phpCAS the first line feed."""
    return b"no\n\n"


def xml_success(validated: ValidatedTicket, *, with_attributes: bool) -> bytes:
    """Return the XML of a validated ticket."""
    parts = [_OPEN, "<cas:authenticationSuccess>\n<cas:user>", _escape(validated.released.user), "</cas:user>\n"]
    if with_attributes:
        parts.append("<cas:attributes>\n")
        for name, values in attributes_of(validated).items():
            parts += [f"<cas:{name}>{_escape(value)}</cas:{name}>\n" for value in values]
        parts.append("</cas:attributes>\n")
    parts += ["</cas:authenticationSuccess>\n", _CLOSE]
    return "".join(parts).encode()


def xml_failure(error: ProtocolError) -> bytes:
    """Return the XML of a failure. Nothing of the request appears in it."""
    return (
        f'{_OPEN}<cas:authenticationFailure code="{error.code}">{_escape(error.text)}</cas:authenticationFailure>\n'
        f"{_CLOSE}"
    ).encode()


def json_success(validated: ValidatedTicket, *, with_attributes: bool) -> bytes:
    """Return the JSON of a validated ticket. ``attributes`` is always there (java-cas-client asserts it)."""
    attributes: dict[str, object] = {}
    if with_attributes:
        for name, values in attributes_of(validated).items():
            attributes[name] = _json_value(name, values)
    answer = {"user": validated.released.user, "attributes": attributes}
    return _json({"authenticationSuccess": answer})


def json_failure(error: ProtocolError) -> bytes:
    """Return the JSON of a failure."""
    return _json({"authenticationFailure": {"code": error.code, "description": error.text}})


def attributes_of(validated: ValidatedTicket) -> Mapping[str, Iterable[str]]:
    """Return the attributes of an answer: the protocol's own first, then the released ones.

    ``authnContextClass`` appears only when Duo really said yes. A required Duo that was skipped is named as such, so
    that an application can see it.
    """
    session = validated.session
    attributes: dict[str, tuple[str, ...]] = {
        "authenticationDate": (_instant(session.authenticated_at),),
        "longTermAuthenticationRequestTokenUsed": ("false",),
        "isFromNewLogin": ("true" if validated.primary else "false",),
    }
    if session.strength.level == "duo":
        attributes["authnContextClass"] = (DUO_CONTEXT,)
    elif session.strength.level == "bypassed" and validated.duo_required:
        attributes["bypassMultifactorAuthentication"] = ("true",)
        attributes["bypassedMultifactorAuthenticationProviderId"] = (DUO_CONTEXT,)
    for name in LISTED_NAMES.intersection(validated.service.attributes):
        if value := _told(session, name):
            attributes[name] = (value,)
    for name, values in validated.released.attributes.items():
        # Whatever a directory holds under these names, it does not speak for this server.
        if name not in SERVER_NAMES:
            attributes[name] = values
    return attributes


def _told(session: TicketGrantingTicket, name: str) -> str:
    """Return what the server says of a login only where an entry lists it (``casduo.services.names``)."""
    match name:
        case "authenticationMethod" | "successfulAuthenticationHandlers":
            return session.handler
        case "credentialType":
            return "UsernamePasswordCredential"
        case "clientIpAddress":
            return session.address
        case "userAgent":
            return session.agent
        case "mfaFactor":
            return session.strength.factor
        case "mfaTime" if session.strength.level == "duo":
            return _instant(session.strength.at)
    return ""


def _json_value(name: str, values: Iterable[str]) -> object:
    texts = list(values)
    if name in ("isFromNewLogin", "longTermAuthenticationRequestTokenUsed"):
        return texts[0] == "true"
    return texts[0] if len(texts) == 1 else texts


def _json(answer: Mapping[str, object]) -> bytes:
    return json.dumps({"serviceResponse": answer}, separators=(",", ":")).encode()


def _instant(moment: float) -> str:
    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _escape(text: str) -> str:
    return _SPECIAL.sub(_reference, text)


def _reference(found: re.Match[str]) -> str:
    character = found[0]
    named = _NAMED.get(character)
    if named is not None:
        return named
    code = ord(character)
    if code in (0x9, 0xA, 0xD) or 0x7F <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or code >= 0x10000:
        return f"&#{code};"
    # No reference may name it either: not a character of XML 1.0.
    return ""
