"""The parsers of outside input, one row each: what is read, the errors that are documented, and examples.

A harness takes bytes. It passes over the errors that its parser documents; whatever else is raised is a find, and so is
an ``assert`` of its own that fails. To add a target add a row to ``TARGETS``.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree

from urllib3.util import parse_url

from casduo.accept import accepted
from casduo.addresses import parse_address
from casduo.admin.audit import read_audit_search
from casduo.admin.sessions import page_of
from casduo.agents import agent_named, agent_of, agent_words
from casduo.approvals.wording import cleaned, cleaned_comment
from casduo.authentication.ldap.attributes import read_text
from casduo.authentication.ldap.password_policy import decode
from casduo.authentication.ldap.settings import parse_server
from casduo.authentication.names import canonical_username, folded_username, lowered_address
from casduo.authentication.users_document import read_users
from casduo.errors import BadRequest, CasduoError, ForeignOrigin, MalformedService, SettingsError
from casduo.events.audit_line import DamagedLine, read_line
from casduo.events.audit_search import Cursor
from casduo.events.audit_verify import verify
from casduo.events.outbox_model import DeadLetter, message_in
from casduo.events.record import EventRecord
from casduo.fieldtypes import UTC, format_duration, parse_delay, parse_duration, parse_network, split_address, web_url
from casduo.importing.apereo import import_apereo
from casduo.importing.django_cas_server import import_django_cas_server
from casduo.importing.mama_cas import import_mama_cas
from casduo.keyring import KeyRingError, parse_ring
from casduo.languages import best_language
from casduo.mfa.duo import answers as duo
from casduo.mfa.duo.entry import read_entry
from casduo.mfa.duo.errors import DuoFailure
from casduo.mfa.duo.pushes import PushName
from casduo.mfa.strength import Strength
from casduo.middleware import errors as middleware
from casduo.middleware.logout import logout_message, session_index
from casduo.middleware.request import read_request
from casduo.middleware.response import parse_proxy_response, parse_service_response
from casduo.middleware.session import session_from_json
from casduo.middleware.steps import attempt_from_json
from casduo.middleware.urls import public_address, take_check, take_ticket, without_tickets
from casduo.nodes.model import Member
from casduo.outbound.addresses import Scope, is_public, scope_of
from casduo.outbound.http import HttpAnswer
from casduo.phone.answers import answer_of, orders_of
from casduo.phone.models import Traits, traits_of
from casduo.phone.screens import TextScreen
from casduo.protocol.errors import InvalidRequest, ProtocolError
from casduo.protocol.parameters import parse_parameters
from casduo.protocol.rest.forms import read_form
from casduo.protocol.saml1 import parse_saml_request
from casduo.request import Request
from casduo.services.access import group_names, in_networks
from casduo.services.file import read_registry
from casduo.services.patterns import compile_pattern
from casduo.services.urls import append_ticket, canonical, location, parse_service, same_service
from casduo.settings.load import read_settings
from casduo.signing import Purpose, Signing, SigningKey, TokenInvalid
from casduo.tickets.ids import parse_session_id, parse_ticket_id
from casduo.tickets.signouts import SignOut
from casduo.tracecontext import continue_trace, read_state
from casduo.ucm import axl_answers, emapi_documents, ris_documents
from casduo.ucm.soap import Unreadable
from casduo.webex.answers import next_page, retry_after, tracking_of
from casduo.webex.notice import MalformedNotice, read_notice
from casduo.webex.signature import signature_fault
from casduo.webex.text import cut, escape, plain
from casduo.webflow.execution import parse_stored

NOW = 1_790_000_000.0
_SIGNING = Signing(["k" * 40])
_LANGUAGES = ("en", "de", "fr", "es")


@dataclass(frozen=True)
class Target:
    """A parser.

    :param reads: what it reads, in a few words
    :param harness: takes any bytes; what it raises is a find
    :param seeds: examples to begin with, of the kind that it is made for
    :param longest: bytes that are tried at most: a little more than the parser itself takes, or enough to see that its
        time grows with the length and no faster
    """

    name: str
    reads: str
    harness: Callable[[bytes], None]
    seeds: tuple[bytes, ...]
    longest: int = 16_384


def _text(data: bytes) -> str:
    """As text comes out of a form."""
    return data.decode("utf-8", "replace")


def _header(data: bytes) -> str:
    """As WSGI hands headers over."""
    return data.decode("latin-1")


def _parts(data: bytes, count: int) -> list[bytes]:
    """Several values in one input, each on a line."""
    found = data.split(b"\n", count - 1)
    return found + [b""] * (count - len(found))


def _passing(errors: type[Exception] | tuple[type[Exception], ...], read: Callable[[], Any]) -> Any:
    """Return what is read, ``None`` where it is refused with one of the errors."""
    try:
        return read()
    except errors:
        return None


# -- addresses


def _service(data: bytes) -> None:
    raw = _text(data)
    url = _passing(MalformedService, lambda: parse_service(raw))
    if url is None:
        return
    # A canonical form is its own canonical form, and the same service as what it was made of.
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


def _pattern(data: bytes) -> None:
    written, address = _parts(data, 2)
    pattern = _passing(ValueError, lambda: compile_pattern(_text(written)))
    if pattern is None:
        return
    assert pattern.covers(pattern) or pattern.is_regex
    assert pattern.overlaps(pattern)
    pattern.width()
    url = _passing(MalformedService, lambda: parse_service(_text(address)))
    if url is not None and pattern.matches(url):
        assert pattern.accepts_host(url.host)
        assert not pattern.host or pattern.host == url.host


def _address(data: bytes) -> None:
    text = _text(data)
    found = parse_address(text)
    in_networks((ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("2001:db8::/32")), text)
    if found is not None:
        scope = scope_of(found)
        assert is_public(found) is (scope is Scope.PUBLIC)
        assert not (scope is Scope.PUBLIC and (found.is_loopback or found.is_link_local or found.is_multicast))
    _passing(ValueError, lambda: parse_network(text))
    _passing(ValueError, lambda: split_address(text))
    _passing(ValueError, lambda: web_url(text))
    _passing(ValueError, lambda: parse_server(text))


# -- requests


def _request(data: bytes) -> None:
    query, cookie, referrer, origin, body = _parts(data, 5)
    environ = {
        "REQUEST_METHOD": "POST",
        "QUERY_STRING": _header(query),
        "HTTP_COOKIE": _header(cookie),
        "HTTP_REFERER": _header(referrer),
        "HTTP_ORIGIN": _header(origin),
        "HTTP_USER_AGENT": _header(origin),
        "HTTP_ACCEPT_LANGUAGE": _header(referrer),
        "CONTENT_TYPE": "application/x-www-form-urlencoded",
        "CONTENT_LENGTH": str(len(body)),
        "REMOTE_ADDR": _header(referrer),
        "wsgi.input": _Body(body),
    }
    for phone in (False, True):
        request = Request(dict(environ), "/cas/login", "https://sso.example.edu", NOW, "AAAA-BBBB")
        _passing(ForeignOrigin, request.refuse_foreign_post)
        read = (lambda: request.phone_parameters) if phone else (lambda: request.parameters)  # noqa: B023
        if _passing(BadRequest, read) is None:
            continue
        inbound = request.inbound(request.flow_cookie)
        assert len(inbound.agent) <= 200
        request.subject()
        _passing(ProtocolError, lambda: read_form(request.parameters))  # noqa: B023


class _Body:
    def __init__(self, data: bytes) -> None:
        self._data = data

    def read(self, size: int = -1) -> bytes:
        return self._data if size < 0 else self._data[:size]


def _parameters(data: bytes) -> None:
    query, body = _parts(data, 2)
    for encoding in ("utf-8", "iso-8859-1"):
        found = _passing(BadRequest, lambda: parse_parameters(_header(query), body, encoding=encoding))  # noqa: B023
        if found is not None:
            for name in ("service", "TARGET", "targetService", "pgtUrl"):
                assert found.get(name, "").isprintable() or not any(ord(one) < 32 for one in found[name])
            found.flag("renew")
            read_audit_search(found, UTC)
            page_of(found.get("page", ""), 1000)


def _headers(data: bytes) -> None:
    one, two = map(_header, _parts(data, 2))
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


def _names(data: bytes) -> None:
    text = _text(data)
    name = canonical_username(text, "lower")
    assert canonical_username(name, "lower") == name
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


# -- tickets and signed values


def _keys(data: bytes) -> None:
    text = _text(data)
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
    _passing(ValueError, lambda: SignOut.parse(text))
    for purpose in Purpose:
        assert _passing(TokenInvalid, lambda: _SIGNING.loads(purpose, text, 60.0, NOW)) is None  # noqa: B023
        assert _passing(TokenInvalid, lambda: _SIGNING.unsign(purpose, text)) is None  # noqa: B023
    keys = _passing(KeyRingError, lambda: parse_ring(text, "keys"))
    assert keys is None or all(isinstance(key, SigningKey) and key.text for key in keys)


# -- XML


def _saml(data: bytes) -> None:
    found = _passing(InvalidRequest, lambda: parse_saml_request(data))
    assert found is None or found.artifact.strip()


def _ucm(data: bytes) -> None:
    fault = axl_answers.read_fault(data)
    assert fault is None or isinstance(fault.text, str)
    for operation in ("doAuthenticateUser", "getUser", "getPhone", "executeSQLQuery", "getCCMVersion", "updatePhone"):
        found = _passing(Unreadable, lambda: axl_answers.read_answer(operation, data))  # noqa: B023
        if found is None:
            continue
        answer = axl_answers.pin_answer(found)
        assert isinstance(answer.right, bool)
        for read in (
            lambda: axl_answers.user_of(found, "ada"),  # noqa: B023
            lambda: axl_answers.phone_of(found, "SEP001122334455"),  # noqa: B023
            lambda: axl_answers.was_written(found),  # noqa: B023
            lambda: axl_answers.column(found, "name"),  # noqa: B023
            lambda: axl_answers.phone_names(found),  # noqa: B023
            lambda: axl_answers.version_of(found),  # noqa: B023
        ):
            _passing((Unreadable, CasduoError), read)
    found = _passing(Unreadable, lambda: ris_documents.read_registrations(data))
    assert found is None or all(parse_address(one) is not None for all_ in found.addresses.values() for one in all_)
    ris_documents.is_throttled(data)
    for read in (
        lambda: emapi_documents.read_outcome(data, "node"),
        lambda: emapi_documents.read_device_user(data, "SEP001122334455", "node"),
        lambda: emapi_documents.read_user_devices(data, "ada", "node"),
    ):
        _passing(CasduoError, read)


def _cas_answers(data: bytes) -> None:
    for proxied in (False, True):
        found = _passing(middleware.InvalidResponse, lambda: parse_service_response(data, proxied=proxied))  # noqa: B023
        assert found is None or proxied or not getattr(found, "proxies", ())
    _passing(middleware.InvalidResponse, lambda: parse_proxy_response(data))
    message = _passing(middleware.InvalidLogoutRequest, lambda: logout_message(data))
    for text in (message, _text(data)):
        if text is not None:
            _passing(middleware.InvalidLogoutRequest, lambda: session_index(text))  # noqa: B023


def _phone_pages(data: bytes) -> None:
    title, prompt, text = map(_text, _parts(data, 3))
    for charset in ("utf-8", "iso-8859-1"):
        traits = Traits(charset=charset)  # type: ignore[arg-type]
        body, headers = answer_of(TextScreen(title=title, prompt=prompt, softkeys=(), text=text), traits, _render())
        # A phone shows nothing at all of a page that is not well-formed.
        assert ElementTree.fromstring(body).tag == "CiscoIPPhoneText"  # noqa: S314
        assert dict(headers)["Content-Length"] == str(len(body))
        body, _ = orders_of((f"https://sso.example.edu/em?{quote(text)}",), traits, _render())
        assert ElementTree.fromstring(body).tag == "CiscoIPPhoneExecute"  # noqa: S314


@cache
def _render() -> Callable[..., str]:
    from casduo.paths import views_directory
    from casduo.templating import environment, read_views

    made = environment(read_views(views_directory()))
    return lambda template, **more: made.get_template(template).render(more)


# -- JSON


def _duo(data: bytes) -> None:
    answer = _passing(ValueError, HttpAnswer(200, "OK", {}, data).json)
    for read in (
        duo.read_time,
        duo.read_preauth,
        duo.read_passcode,
        duo.read_transaction,
        duo.read_codes,
        duo.read_enrollment,
        duo.read_enrollment_state,
    ):
        _passing(DuoFailure, lambda: read(answer))  # noqa: B023
    if isinstance(answer, dict):
        verdict = duo.read_verdict(answer)
        result = answer.get("auth_result")
        assert verdict.allowed is (isinstance(result, dict) and result.get("result") == "allow")
        status = duo.read_push_status(answer)
        assert not (status.waiting and status.allowed)
        Strength.from_fields({str(key): str(value) for key, value in answer.items()})


def _webex(data: bytes) -> None:
    _passing(MalformedNotice, lambda: read_notice(data))
    one, two, rest = _parts(data, 3)
    assert signature_fault(rest, _header(one), _header(two), ("secret" * 6,)) is not None
    assert 0 < retry_after(_header(one), NOW) < 86_400
    found = tracking_of({"trackingId": _header(one)}, rest)
    assert found.isascii()
    page = next_page(_header(one), "https://webexapis.com/v1")
    if page:
        assert urlsplit(page).hostname == "webexapis.com"
        assert (parse_url(page).host or "") == "webexapis.com"
        assert urlsplit(page).scheme == "https"


def _records(data: bytes) -> None:
    text = _text(data)
    for read in (EventRecord.from_json, DeadLetter.from_json, message_in, Member.from_json):
        _passing(ValueError, lambda: read(text))  # noqa: B023
    value = _passing(ValueError, lambda: json.loads(text))
    session_from_json(value)
    attempt_from_json(value, NOW)


def _audit(data: bytes) -> None:
    for line in data.splitlines(keepends=True):
        _passing(DamagedLine, lambda: read_line(line))  # noqa: B023
        # As somebody writes it who knows how lines are sealed.
        body = b'{"seq":1,"prev":"","x":' + line.strip()
        seal = hashlib.sha256(body + b"}").hexdigest().encode()
        _passing(DamagedLine, lambda: read_line(body + b',"hash":"' + seal + b'"}\n'))  # noqa: B023
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "audit-000000000001.jsonl"
        path.write_bytes(data)
        verify([path])


# -- files that people write


def _registry(data: bytes) -> None:
    reading = read_registry(data, "registry.yaml", None)
    assert reading.registry is not None or reading.problems
    for problem in reading.problems:
        assert str(problem)


def _settings(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "casduo.yaml"
        path.write_bytes(data)
        found, problems = read_settings(path, {})
    assert found is not None or problems
    _passing(SettingsError, lambda: read_users(_text(data), "users.yaml"))


def _imports(data: bytes) -> None:
    for name in ("Some-1.json", "Some-1.yml"):
        _passing(SettingsError, lambda: import_apereo([(name, data)]))  # noqa: B023
    _passing(SettingsError, lambda: import_django_cas_server("dump.json", data))
    _passing(SettingsError, lambda: import_mama_cas("settings.py", data))


def _sizes(data: bytes) -> None:
    text = _text(data)
    for read in (parse_duration, parse_delay):
        seconds = _passing(ValueError, lambda: read(text))  # noqa: B023
        if seconds is not None and seconds >= 0.001:
            assert abs(parse_duration(format_duration(seconds)) - seconds) <= 0.0006
    policy = _passing(ValueError, lambda: decode(data))
    assert policy is None or policy.grace_logins is None or isinstance(policy.grace_logins, int)


# -- the middleware


def _middleware(data: bytes) -> None:
    query, path, host, cookie = _parts(data, 4)
    environ = {
        "REQUEST_METHOD": "GET",
        "wsgi.url_scheme": "https",
        "HTTP_HOST": _header(host),
        "QUERY_STRING": _header(query),
        "PATH_INFO": "/" + _header(path),
        "SCRIPT_NAME": "",
        "HTTP_COOKIE": _header(cookie),
        "HTTP_ORIGIN": _header(cookie),
        "HTTP_REFERER": _header(cookie),
    }
    address = _passing(middleware.MiddlewareError, lambda: public_address(environ, None, ("app.example.edu",)))
    if address is None:
        address = public_address(environ, "https://app.example.edu", ())
    assert urlsplit(address.clean).hostname == "app.example.edu"
    assert address.clean.isascii()
    read_request(environ, address)
    rest, ticket = take_ticket(address.query)
    assert ticket is None or ticket.isascii()
    assert without_tickets(without_tickets(rest)) == without_tickets(rest)
    take_check(address.query)


_DEEP = b"[" * 5_000
_LIBRARY = b"https://library.example.edu/catalogue?q=a&q=b"
_SAML = (
    b'<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Header/><SOAP-ENV:Body>'
    b'<samlp:Request xmlns:samlp="urn:oasis:names:tc:SAML:1.0:protocol" MajorVersion="1" MinorVersion="1"'
    b' RequestID="_r1">'
    b"<samlp:AssertionArtifact>ST-abcd-aaaaaaaaaaaaaaaaaaaaaaaa</samlp:AssertionArtifact></samlp:Request>"
    b"</SOAP-ENV:Body></SOAP-ENV:Envelope>"
)
_ANSWER = (
    b'<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas"><cas:authenticationSuccess><cas:user>ada</cas:user>'
    b"<cas:attributes><cas:mail>a@b</cas:mail></cas:attributes><cas:proxies><cas:proxy>https://p/</cas:proxy>"
    b"</cas:proxies></cas:authenticationSuccess></cas:serviceResponse>"
)
_LOGOUT = (
    b"logoutRequest=%3Csamlp%3ALogoutRequest+xmlns%3Asamlp%3D%22urn%3Aoasis%3Anames%3Atc%3ASAML%3A2.0%3Aprotocol%22%3E"
    b"%3Csamlp%3ASessionIndex%3EST-abcd-aaaaaaaaaaaaaaaaaaaaaaaa%3C%2Fsamlp%3ASessionIndex%3E%3C%2Fsamlp%3ALogoutRequest%3E"
)
_AXL = (
    b'<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    b'<ns:doAuthenticateUserResponse xmlns:ns="http://www.cisco.com/AXL/API/14.0"><return><userAuthenticated>true'
    b"</userAuthenticated><code>0</code><daysToExpiry>3</daysToExpiry><isWarningNeeded>true</isWarningNeeded></return>"
    b"</ns:doAuthenticateUserResponse></soapenv:Body></soapenv:Envelope>"
)
_SERVICE = (
    b'{"@class": "org.apereo.cas.services.RegexRegisteredService", "serviceId": "^https://(a|b)[.]example[.]edu/.*",'
    b' "name": "Some", "id": 1, "accessStrategy": {"@class":'
    b' "org.apereo.cas.services.DefaultRegisteredServiceAccessStrategy", "enabled": true}}'
)

TARGETS: tuple[Target, ...] = (
    Target("service", "service URLs", _service, (_LIBRARY, b"https://[2001:db8::1]:8443/a;jsessionid=x?ticket=ST-1#f")),
    Target(
        "pattern",
        "patterns of the registry, against an address",
        _pattern,
        (
            b"https://*.example.edu/**\n" + _LIBRARY,
            b"regex:^https://(www\\.)?library\\.example\\.edu/.*$\n" + _LIBRARY,
            b"https://library.example.edu:*/a/*/b?x=*&**\n" + _LIBRARY,
        ),
    ),
    Target(
        "address",
        "IP addresses, networks, addresses of servers in settings",
        _address,
        (b"192.0.2.7", b"::ffff:10.0.0.1", b"64:ff9b::1.2.3.4", b"10.0.0.0/8", b"ldaps://d:636", b"host:443"),
    ),
    Target(
        "request",
        "requests as request.py reads them: query, cookies, referrer, origin, form; also as phones send them",
        _request,
        (
            b"service=https%3A%2F%2Fa\nTGC-casduo=TGT-abcd-x; casduo-flow=abc\nhttps://a/\nnull\n"
            b"username=ada&password=x&execution=s.abc",
            b"device=SEP001122334455&userid=%FC\n\n\n\n",
        ),
        80_000,
    ),
    Target(
        "parameters",
        "queries and forms, and what pages of the administration search by",
        _parameters,
        (b"service=a&renew=1&ticket=ST-1\npgtUrl=https%3A%2F%2Fa&from=2026-01-31&until=2026-02-01&page=2",),
        80_000,
    ),
    Target(
        "headers",
        "trace context, Accept-Language, user agents, models of phones",
        _headers,
        (
            b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\ncongo=t61rcWkgMzE,rojo=1",
            b"de-CH;q=0.9, fr;q=0.1, *\nutf-8",
            b"Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 Chrome/126.0.0.0 Safari/537.36\n",
        ),
    ),
    Target(
        "names",
        "user names, passcodes, groups, words that people write",
        _names,
        ("\uff21da ".encode(), b"push2", b"123 456", b"cn=st\\2cff,ou=g,dc=x", "e\u0301\u202e".encode()),
    ),
    Target(
        "keys",
        "ids of tickets, keys of flows and pushes, signed values, files of keys",
        _keys,
        (
            b"ST-abcd-" + b"A" * 24,
            b"TGT-abcd-" + b"A" * 43,
            b"r.abcd." + b"x" * 26 + b".1",
            b"s.WzEsMl0.aaaa",
            b"k" * 40 + b" 2026-01-31T00:00:00Z",
        ),
    ),
    Target("saml", "requests of SAML 1.1", _saml, (_SAML, _SAML.decode().encode("utf-16")), 70_000),
    Target("ucm", "answers of the UCM: AXL, RIS, Extension Mobility", _ucm, (_AXL, b"<response><success/></response>")),
    Target("cas-answers", "the middleware: answers of validation, sign-outs", _cas_answers, (_ANSWER, _LOGOUT)),
    Target(
        "phone-pages",
        "texts of others on pages for phones, which have to stay well-formed",
        _phone_pages,
        (b"Title\nPrompt\nText & <b>\xc3\xbc</b>", "\ufffe\n\u20ac\n\ud7ff".encode()),
    ),
    Target(
        "duo",
        "answers of Duo, Auth API and verified tokens",
        _duo,
        (
            _DEEP,
            b'{"result": "auth", "status_msg": "x", "devices": [{"device": "D1", "capabilities": ["push"]}]}',
            b'{"auth_result": {"result": "allow"}, "auth_context": {"factor": "duo_push"}, "time": 1, "waiting": true}',
            b'{"user_id": "U1", "activation_code": "c", "expiration": 1790000000}',
        ),
    ),
    Target(
        "webex",
        "deliveries, signatures and headers of Webex",
        _webex,
        (
            _DEEP,
            b'{"id": "w", "resource": "attachmentActions", "event": "created", "data": {"id": "a"}}',
            b'<https://webexapis.com/v1/people?cursor=x>; rel="next"\nsha256=00\n{}',
            b"Wed, 21 Oct 2026 07:28:00 GMT\n\n",
        ),
    ),
    Target(
        "records",
        "events, messages and processes as lines in Redis, sessions of the middleware",
        _records,
        (
            b'{"id": "e", "at": 1.5, "event": "login.failed", "level": "info", "principal": "ada", "facts": {"a": 1}}',
            b'{"node": "n", "process": 1, "role": "server", "version": "1"}',
        ),
    ),
    Target(
        "audit",
        "files of the audit trail",
        _audit,
        (
            _DEEP,
            b'{"seq":1,"prev":"","id":"e","hash":"00"}\n',
        ),
    ),
    Target(
        "registry",
        "registry.yaml",
        _registry,
        (b"services:\n  - {id: a, name: A, url: 'https://a.example.edu/**', requires_duo: {fail: open}}\n",),
    ),
    Target(
        "settings",
        "casduo.yaml and users.yaml",
        _settings,
        (b"server: {url: https://sso.example.edu/cas}\nsecret_key: " + b"k" * 40, b"ada: {password: '$argon2id$x'}"),
    ),
    Target("imports", "registries of other servers", _imports, (_SERVICE, b"{a: 1", b"MAMA_CAS_SERVICES = []", b"[]")),
    Target(
        "sizes",
        "times, sizes, and the password policy of directories",
        _sizes,
        (b"1h30m", b"0.5s", b"0\x03\x81\x01\x01"),
    ),
    Target(
        "middleware",
        "the middleware: addresses, hosts, tickets in queries",
        _middleware,
        (b"a=b&ticket=ST-1-x&casduo_check=sign-in\npath\napp.example.edu\nsession=x",),
    ),
)
