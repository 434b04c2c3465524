"""The answers applications read, to the byte: CAS 1.0 text, CAS 2.0 and 3.0 XML, and JSON.

Deployed clients are picky (prefix ``cas:`` literally, ``user`` first, no white space inside values, bare line feeds in
CAS 1.0); each rule here protects one of them. Everything in XML is ASCII: other characters travel as references, so
that a client that guesses the charset still reads them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache

from casduo.protocol.errors import ProtocolError
from casduo.protocol.validation import ValidatedTicket
from casduo.protocol.xml import escape
from casduo.services.names import LISTED_NAMES, SERVER_NAMES

TEXT_TYPE = "text/plain; charset=utf-8"
XML_TYPE = "application/xml; charset=utf-8"
JSON_TYPE = "application/json; charset=utf-8"

_OPEN = '<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">\n'
_CLOSE = "</cas:serviceResponse>\n"

_LONG_TERM = "longTermAuthenticationRequestTokenUsed"

DUO_CONTEXT = "mfa-duo"
"""What ``authnContextClass`` says when Duo said yes; Apereo CAS's id of its Duo provider."""

TRUSTED_BROWSER = "trusted_browser"
"""What ``mfaFactor`` says where Duo said yes earlier, in a browser that has been trusted since."""


def cas1_success(user: str) -> bytes:
    """Return ``yes`` and the user's name (CAS protocol 2.4.2)."""
    return f"yes\n{user}\n".encode()


def cas1_failure() -> bytes:
    """Return ``no`` and two line feeds: rubycas-client needs the second line, phpCAS the first line feed."""
    return b"no\n\n"


def xml_success(validated: ValidatedTicket, *, with_attributes: bool) -> bytes:
    """Return the XML of a validated ticket, its parts in the order of the schema (CAS protocol 3.0, appendix A).

    :param with_attributes: ``False`` for the bare answer of CAS 2.0; of a remembered session it says that all the same
        (CAS protocol 3.0, 4.1.3)
    """
    parts = [_OPEN, "<cas:authenticationSuccess>\n<cas:user>", escape(validated.released.user), "</cas:user>\n"]
    attributes = attributes_of(validated) if with_attributes else _attributes_of_bare_answer(validated)
    if attributes or with_attributes:
        parts.append("<cas:attributes>\n")
        style = validated.service.multivalue
        for name, values in attributes.items():
            parts += [f"<cas:{name}>{escape(value)}</cas:{name}>\n" for value in _styled(values, style)]
        parts.append("</cas:attributes>\n")
    if validated.iou:
        parts.append(f"<cas:proxyGrantingTicket>{escape(validated.iou)}</cas:proxyGrantingTicket>\n")
    if validated.proxies:
        parts.append("<cas:proxies>\n")
        parts += [f"<cas:proxy>{escape(proxy)}</cas:proxy>\n" for proxy in validated.proxies]
        parts.append("</cas:proxies>\n")
    parts += ["</cas:authenticationSuccess>\n", _CLOSE]
    return "".join(parts).encode()


def xml_failure(error: ProtocolError) -> bytes:
    """Return the XML of a failure. Nothing of the request appears in it."""
    return _xml_failure("authenticationFailure", error)


def json_success(validated: ValidatedTicket, *, with_attributes: bool) -> bytes:
    """Return the JSON of a validated ticket. ``attributes`` is always there (java-cas-client asserts it), and there is
    no key that the specification does not know (it refuses those).
    """
    attributes = attributes_of(validated) if with_attributes else _attributes_of_bare_answer(validated)
    lists = validated.service.json_values == "list"
    answer: dict[str, object] = {
        "user": validated.released.user,
        "attributes": {name: _json_value(name, values, lists=lists) for name, values in attributes.items()},
    }
    if validated.iou:
        answer["proxyGrantingTicket"] = validated.iou
    if validated.proxies:
        answer["proxies"] = validated.proxies
    return _json({"authenticationSuccess": answer})


def json_failure(error: ProtocolError) -> bytes:
    """Return the JSON of a failure."""
    return _json({"authenticationFailure": {"code": error.code, "description": error.text}})


def proxy_success_xml(ticket: str) -> bytes:
    """Return the XML of a proxy ticket that was granted (CAS protocol 2.7.2)."""
    return (
        f"{_OPEN}<cas:proxySuccess>\n<cas:proxyTicket>{escape(ticket)}</cas:proxyTicket>\n</cas:proxySuccess>\n{_CLOSE}"
    ).encode()


def proxy_failure_xml(error: ProtocolError) -> bytes:
    """Return the XML of a proxy ticket that was not granted. Nothing of the request appears in it."""
    return _xml_failure("proxyFailure", error)


def proxy_success_json(ticket: str) -> bytes:
    """Return the JSON of a proxy ticket that was granted."""
    return _json({"proxySuccess": {"proxyTicket": ticket}})


def proxy_failure_json(error: ProtocolError) -> bytes:
    """Return the JSON of a proxy ticket that was not granted, which is that of a validation (CAS protocol 2.7.2)."""
    return json_failure(error)


def _xml_failure(element: str, error: ProtocolError) -> bytes:
    return f'{_OPEN}<cas:{element} code="{error.code}">{escape(error.text)}</cas:{element}>\n{_CLOSE}'.encode()


def attributes_of(validated: ValidatedTicket) -> Mapping[str, tuple[str, ...]]:
    """Return the attributes of an answer: the protocol's own first, then the released ones.

    ``authnContextClass`` appears only when Duo said yes, in a way that is good enough for this service. A required Duo
    that did not happen is named as such, with the reason, so that an application can see it.
    """
    session = validated.session
    attributes: dict[str, tuple[str, ...]] = {
        "authenticationDate": (instant(session.authenticated_at),),
        _LONG_TERM: ("true" if session.remembered else "false",),
        "isFromNewLogin": ("true" if validated.primary else "false",),
    }
    if validated.duo.confirmed:
        attributes["authnContextClass"] = (DUO_CONTEXT,)
    elif validated.duo.bypassed:
        attributes["bypassMultifactorAuthentication"] = ("true",)
        attributes["bypassedMultifactorAuthenticationProviderId"] = (DUO_CONTEXT,)
        if validated.duo.why:
            attributes["bypassedMultifactorAuthenticationReason"] = (validated.duo.why,)
    for name in LISTED_NAMES.intersection(validated.service.attributes):
        if value := _told(validated, name):
            attributes[name] = (value,)
    for name, values in validated.released.attributes.items():
        # Whatever a directory holds under these names, it does not speak for this server.
        if name not in SERVER_NAMES:
            attributes[name] = values
    return attributes


def _told(validated: ValidatedTicket, name: str) -> str:
    """Return what the server says of a login only where an entry lists it (``casduo.services.names``)."""
    session = validated.session
    match name:
        case "authenticationMethod" | "successfulAuthenticationHandlers":
            return session.handler
        case "credentialType":
            return "UsernamePasswordCredential"
        case "clientIpAddress":
            return session.address
        case "userAgent":
            return session.agent
        # Beside a bypass they would tell of another login than this one.
        case "mfaFactor" if validated.duo.confirmed:
            return TRUSTED_BROWSER if session.strength.level == "trusted" else session.strength.factor
        case "mfaTime" if validated.duo.confirmed:
            return instant(session.strength.at)
    return ""


def _attributes_of_bare_answer(validated: ValidatedTicket) -> Mapping[str, tuple[str, ...]]:
    """Return what even an answer without attributes says: nothing, unless somebody was only remembered."""
    return {_LONG_TERM: ("true",)} if validated.session.remembered else {}


def _styled(values: Sequence[str], style: str) -> Iterable[str]:
    """Return the values of one attribute as the entry's ``multivalue`` says."""
    if style == "repeat" or len(values) < 2:
        return values
    return values[:1] if style == "first" else (style.removeprefix("join:").join(values),)


def _json_value(name: str, values: Sequence[str], *, lists: bool) -> object:
    told: Sequence[object] = values
    if name in (_LONG_TERM, "isFromNewLogin"):
        told = [value == "true" for value in values]
    return told[0] if len(told) == 1 and not lists else told


def _json(answer: Mapping[str, object]) -> bytes:
    return json.dumps({"serviceResponse": answer}, separators=(",", ":")).encode()


@lru_cache(maxsize=4096)
def instant(moment: float) -> str:
    """Return epoch seconds as the protocol writes instants: ``xs:dateTime``, UTC, whole seconds."""
    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
