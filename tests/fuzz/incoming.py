"""Harnesses for what people, phones and applications send."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

from urllib3.util import parse_url

from casduo.accept import accepted
from casduo.addresses import parse_address
from casduo.admin.audit import read_audit_search
from casduo.admin.sessions import page_of
from casduo.agents import agent_named, agent_of, agent_words
from casduo.approvals.wording import cleaned, cleaned_comment
from casduo.authentication.ldap.attributes import read_text
from casduo.authentication.ldap.settings import parse_server
from casduo.authentication.names import MAX_USERNAME, canonical_username, folded_username, lowered_address
from casduo.errors import BadRequest, ForeignOrigin, MalformedService
from casduo.events.audit_search import Cursor
from casduo.fieldtypes import UTC, parse_network, split_address, web_url
from casduo.keyring import KeyRingError, parse_ring
from casduo.languages import best_language
from casduo.mfa.duo.entry import read_entry
from casduo.mfa.duo.pushes import PushName
from casduo.middleware import errors as refusals
from casduo.middleware.request import read_request
from casduo.middleware.urls import public_address, take_check, take_ticket, without_tickets
from casduo.outbound.addresses import Scope, is_public, scope_of
from casduo.phone.models import traits_of
from casduo.protocol.errors import InvalidRequest, ProtocolError
from casduo.protocol.parameters import parse_parameters
from casduo.protocol.rest.forms import read_form
from casduo.protocol.saml1 import parse_saml_request
from casduo.request import Request
from casduo.services.access import group_names, in_networks
from casduo.services.patterns import compile_pattern
from casduo.services.urls import MAX_BYTES, append_ticket, canonical, location, parse_service, same_service
from casduo.signing import Purpose, Signing, SigningKey, TokenInvalid
from casduo.tickets.ids import parse_session_id, parse_ticket_id
from casduo.tickets.signouts import SignOut
from casduo.tracecontext import continue_trace, read_state
from casduo.webex.text import cut, escape, plain
from casduo.webflow.execution import parse_stored
from tests.fuzz.model import NOW, header_of, parts_of, passing, text_of

_SIGNING = Signing(["k" * 40])
_LANGUAGES = ("en", "de", "fr", "es")


def service(data: bytes) -> None:
    raw = text_of(data)
    url = passing(MalformedService, lambda: parse_service(raw))
    if url is None:
        return
    # A canonical form is its own canonical form, and the same service as what it was made of. Written out in full it
    # may be three times as long, and too long for a service.
    if len(url.canonical) <= MAX_BYTES:
        assert canonical(url.canonical) == url.canonical
    assert same_service(raw, url)
    sent = location(append_ticket(raw, "ticket", "ST-abcd-x"))
    assert sent.isascii()
    # Whoever follows the redirect has to come to the very host that was matched.
    host = url.host.strip("[]")
    standard, other = urlsplit(sent), parse_url(sent)
    for another in (standard.hostname or "", other.host or ""):
        read = another.strip("[]").lower()
        assert read == host or (":" in host and ipaddress.ip_address(read) == ipaddress.ip_address(host)), (read, host)
    ports = {"http": 80, "https": 443}
    assert (standard.port or ports[standard.scheme]) == url.port
    assert (other.port or ports[other.scheme or ""]) == url.port
    assert standard.username is None
    assert "ticket=ST-abcd-x" in standard.query


def pattern(data: bytes) -> None:
    written, address = parts_of(data, 2)
    pattern = passing(ValueError, lambda: compile_pattern(text_of(written)))
    if pattern is None:
        return
    assert pattern.covers(pattern) or pattern.is_regex
    assert pattern.overlaps(pattern)
    pattern.width()
    url = passing(MalformedService, lambda: parse_service(text_of(address)))
    if url is not None and pattern.matches(url):
        assert pattern.accepts_host(url.host)
        assert not pattern.host or pattern.host == url.host


def address(data: bytes) -> None:
    text = text_of(data)
    found = parse_address(text)
    in_networks((ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("2001:db8::/32")), text)
    if found is not None:
        scope = scope_of(found)
        assert is_public(found) is (scope is Scope.PUBLIC)
        assert not (scope is Scope.PUBLIC and (found.is_loopback or found.is_link_local or found.is_multicast))
    passing(ValueError, lambda: parse_network(text))
    passing(ValueError, lambda: split_address(text))
    passing(ValueError, lambda: web_url(text))
    passing(ValueError, lambda: parse_server(text))


def request(data: bytes) -> None:
    query, cookie, referrer, origin, body = parts_of(data, 5)
    environ = {
        "REQUEST_METHOD": "POST",
        "QUERY_STRING": header_of(query),
        "HTTP_COOKIE": header_of(cookie),
        "HTTP_REFERER": header_of(referrer),
        "HTTP_ORIGIN": header_of(origin),
        "HTTP_USER_AGENT": header_of(origin),
        "HTTP_ACCEPT_LANGUAGE": header_of(referrer),
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_ADDR": header_of(referrer),
        "wsgi.input": _Body(body),
    }
    for phone in (False, True):
        request = Request(dict(environ), "/cas/login", "https://sso.example.edu", NOW, "AAAA-BBBB")
        passing(ForeignOrigin, request.refuse_foreign_post)
        read = (lambda: request.phone_parameters) if phone else (lambda: request.parameters)  # noqa: B023
        if passing(BadRequest, read) is None:
            continue
        inbound = request.inbound(request.flow_cookie)
        assert len(inbound.agent) <= 200
        request.subject()
        passing(ProtocolError, lambda: read_form(request.parameters))  # noqa: B023


class _Body:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int = -1) -> bytes:
        return self._data if size < 0 else self._data[:size]


def parameters(data: bytes) -> None:
    query, body = parts_of(data, 2)
    for encoding in ("utf-8", "iso-8859-1"):
        found = passing(BadRequest, lambda: parse_parameters(header_of(query), body, encoding=encoding))  # noqa: B023
        if found is not None:
            for name in ("service", "TARGET", "targetService", "pgtUrl"):
                assert found.get(name, "").isprintable() or not any(ord(one) < 32 for one in found[name])
            found.flag("renew")
            read_audit_search(found, UTC)
            page_of(found.get("page", ""), 1000)


def headers(data: bytes) -> None:
    one, two = map(header_of, parts_of(data, 2))
    trace = continue_trace(one, two)
    again = continue_trace(trace.traceparent, trace.state)
    assert (again.trace_id, again.state) == (trace.trace_id, trace.state)
    assert len(read_state(two)) <= 512
    assert best_language(one, _LANGUAGES, "en") in _LANGUAGES
    accepted(one)
    words = agent_words(one)
    agent = agent_named(words)
    assert (agent_of(one).text_id, agent_of(one).facts) == (agent.text_id, agent.facts)
    traits_of({"HTTP_X_CISCOIPPHONEMODELNAME": one, "HTTP_ACCEPT_CHARSET": two}, ("CP-88",))


def names(data: bytes) -> None:
    text = text_of(data)
    name = canonical_username(text, "lower")
    # A longer one has been cut, and is refused.
    assert len(name) > MAX_USERNAME or canonical_username(name, "lower") == name
    folded = folded_username(text)
    assert folded_username(folded) == folded
    lowered_address(text)
    read_entry(text, "[0-9]{6,8}")
    group_names({"groups": (text,), "memberOf": (text,)})
    for clean in (cleaned(text), cleaned_comment(text)):
        assert not any(ord(letter) < 32 and letter not in "\n" for letter in clean)
    read_text(data)
    escape(text)
    assert len(plain(text)) <= len(text) + 3
    assert len(cut(text, 500).encode()) <= 500


def keys(data: bytes) -> None:
    text = text_of(data)
    ticket = parse_ticket_id(text)
    assert ticket is None or (str(ticket) == text and text.isascii() and text.replace("-", "").isalnum())
    session = parse_session_id(text)
    assert session is None or str(session) == text
    stored = parse_stored(text)
    # What is claimed has one spelling: of two keys for one place both could be good.
    assert stored is None or stored.execution == text, (stored.execution, text)
    push = PushName.parse(text)
    assert push is None or push.text == text
    Cursor.parse(text)
    passing(ValueError, lambda: SignOut.parse(text))
    for purpose in Purpose:
        assert passing(TokenInvalid, lambda: _SIGNING.loads(purpose, text, 60.0, NOW)) is None  # noqa: B023
        assert passing(TokenInvalid, lambda: _SIGNING.unsign(purpose, text)) is None  # noqa: B023
    keys = passing(KeyRingError, lambda: parse_ring(text, "keys"))
    assert keys is None or all(isinstance(key, SigningKey) and key.text for key in keys)


def saml(data: bytes) -> None:
    found = passing(InvalidRequest, lambda: parse_saml_request(data))
    assert found is None or found.artifact.strip()


def middleware(data: bytes) -> None:
    query, path, host, cookie = parts_of(data, 4)
    environ = {
        "REQUEST_METHOD": "GET",
        "wsgi.url_scheme": "https",
        "HTTP_HOST": header_of(host),
        "QUERY_STRING": header_of(query),
        "PATH_INFO": "/" + header_of(path),
        "SCRIPT_NAME": "",
        "HTTP_COOKIE": header_of(cookie),
        "HTTP_ORIGIN": header_of(cookie),
        "HTTP_REFERER": header_of(cookie),
    }
    address = passing(refusals.MiddlewareError, lambda: public_address(environ, None, ("app.example.edu",)))
    if address is None:
        address = public_address(environ, "https://app.example.edu", ())
    assert urlsplit(address.clean).hostname == "app.example.edu"
    assert address.clean.isascii()
    read_request(environ, address)
    rest, ticket = take_ticket(address.query)
    assert ticket is None or ticket.isascii()
    assert without_tickets(without_tickets(rest)) == without_tickets(rest)
    take_check(address.query)
