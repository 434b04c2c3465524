"""XML, JSON and lines of text: what people and applications are called never becomes markup, and nothing that comes in
is more than text.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from casduo.middleware.errors import InvalidLogoutRequest, InvalidResponse
from casduo.middleware.logout import session_index
from casduo.middleware.response import parse_proxy_response, parse_service_response
from casduo.protocol.slo import logout_body, logout_request, new_message_id
from tests.security.steps import TELLER, good, names, opened, session_of
from tests.support.portal import Portal, ask_proxy, proxies_of, proxy_granting, proxy_ticket
from tests.support.site import LIBRARY, Site, ticket_of
from tests.support.wires import SAML, SAML_TYPE, WIRES, Wire, every_wire, fresh, proxying_wires

HOSTILE = [
    "</cas:user><cas:user>mallory",
    "ada</cas:user><cas:proxyGrantingTicket>PGTIOU-1",
    "ada<!-- ",
    "ada]]>",
    "<![CDATA[mallory]]>",
    "&lt;b&gt;",
    "&#109;allory",
    "&mallory;",
    '" onload="x',
    '","user":"mallory',
    "</saml:NameIdentifier><saml:NameIdentifier>mallory",
    "<?xml version='1.0'?>",
    "{{7*7}}${7*7}",
    "\\u006dallory",
]
"""Names and values that a careless answer would take for markup."""

LINES = [
    "ada\nmallory",
    "ada\r\nyes\r\nmallory",
    "yes\nmallory\n\n",
    "ada\x0bb",
    "ada\x85b",
    "ada\u2028b",
    "ada\u2029b",
]
LOST = ["ada\x00", "ada\x01", "\x1bada", "ada\ufffe", "\uffffada", "a\ufffeda"]
"""What is left of these, once all is left out that XML cannot carry, is another person's name."""


def told(wire: Wire, body: bytes, name: str) -> list[str]:
    """Every value of an attribute, or of ``user``, that a strict reader finds in an answer."""
    if wire.path == "/validate":
        return body.decode().splitlines()[1:] if name == "user" else []
    if wire.format == "JSON":
        answer = json.loads(body)["serviceResponse"]["authenticationSuccess"]
        found = answer["user"] if name == "user" else answer["attributes"].get(name, [])
        return [found] if isinstance(found, str) else list(found)
    root = ElementTree.fromstring(body)  # noqa: S314
    if wire is SAML:
        assertion = "{urn:oasis:names:tc:SAML:1.0:assertion}"
        if name == "user":
            return sorted({each.text or "" for each in root.iter(f"{assertion}NameIdentifier")})
        attributes = [each for each in root.iter(f"{assertion}Attribute") if each.attrib["AttributeName"] == name]
        return [value.text or "" for each in attributes for value in each]
    assert [child.tag.rpartition("}")[2] for child in root] == ["authenticationSuccess"]
    return [each.text or "" for each in root.iter(f"{{http://www.yale.edu/tp/cas}}{name}")]


# What goes out


@every_wire
def test_a_name_stays_one_name(plain: Site, wire: Wire) -> None:
    """CVE-2017-1000071 (phpCAS) and rubycas-client's pattern of CAS 1.0, by the name of a user instead of a ticket."""
    for name in HOSTILE:
        asked = {"service": LIBRARY, "ticket": ticket_of(opened(plain, name).login_page(LIBRARY))}
        assert told(wire, wire.ask(plain, asked).body, "user") == [name]


@pytest.mark.parametrize("name", [*LINES, *LOST])
def test_nobody_gets_a_ticket_under_a_name_that_answers_cannot_carry(plain: Site, name: str) -> None:
    """CVE-2017-1000071 once more: a second line, or a character lost on the way, makes another person of one."""
    answer = opened(plain, name).login_page(LIBRARY)
    assert (answer.status_int, "Location" in answer.headers) == (403, False)


@every_wire
def test_a_name_that_answers_cannot_carry_is_told_to_nobody(plain: Site, wire: Wire) -> None:
    """The same, where a ticket exists all the same, as from before the directory said so."""
    parts = plain.composed.parts
    for name in (*LINES, *LOST):
        batch = parts.store.batch()
        granting = parts.tickets.grant_service_ticket(
            batch, session_of(plain, name), LIBRARY, "library", primary=False, now=plain.clock()
        )
        batch.run()
        answer = wire.ask(plain, {"service": LIBRARY, "ticket": str(granting.id)})
        assert not wire.accepts(answer), name
        assert not names(answer)
        assert not names(answer, "mallory")


@every_wire
def test_a_value_stays_one_value(plain: Site, wire: Wire) -> None:
    """omniauth-cas, java-cas-client and phpCAS read attributes into what says who somebody is: no value may end one."""
    values = (*HOSTILE, "two\nlines", "a\r\nb\tc", "\u2028", "Zoë", "\U0001f600")
    browser = opened(plain, "ada", {"note": values})
    answer = wire.ask(plain, {"service": TELLER, "ticket": ticket_of(browser.login_page(TELLER))})
    assert told(wire, answer.body, "user") == ["ada"]
    if wire.path != "/validate":
        assert told(wire, answer.body, "note") == list(values)
    assert not re.search(rb"(?m)^(yes|no)\r?$", answer.body.removeprefix(b"yes\n"))


@every_wire
def test_a_value_that_answers_cannot_carry_does_not_become_another(plain: Site, wire: Wire) -> None:
    """The same as for names: an application that goes by the mail address knows one person under another's."""
    attributes = {"mail": tuple(f"{name}@example.edu" for name in (*LOST, "ada\ud800")), "displayName": ("Ada",)}
    browser = opened(plain, "ada", attributes)
    answer = wire.ask(plain, {"service": TELLER, "ticket": ticket_of(browser.login_page(TELLER))})
    assert told(wire, answer.body, "user") == ["ada"]
    assert told(wire, answer.body, "mail") == []
    assert told(wire, answer.body, "displayName") == ([] if wire.path == "/validate" else ["Ada"])


@proxying_wires
def test_the_address_of_a_proxy_stays_one_address(plain: Site, portal: Portal, wire: Wire) -> None:
    """CVE-2017-1000071 by the list of proxies: the callback's address is what a proxy wrote."""
    if not wire.takes_proxy_tickets:
        # No proxies in such answers; the IOU is all that a callback leaves there.
        pages = [f"{portal.callback}/?x=<cas:user>mallory</cas:user>"]
    else:
        pages = [f"{portal.callback}/?x={text}" for text in HOSTILE if "#" not in text] + [
            f"{portal.callback}/\ufffe\uffff",
            f"{portal.callback}/ü",
        ]
    for callback in pages:
        pgt = proxy_granting(plain, portal, callback=callback)
        asked = {"service": LIBRARY, "ticket": proxy_ticket(plain, pgt)}
        answer = wire.ask(plain, asked)
        if wire.takes_proxy_tickets:
            kept = callback if wire.format else re.sub("[\ufffe\uffff]", "", callback)
            assert proxies_of(answer) == [kept]
            assert told(wire, answer.body, "user") == ["ada"]
        assert wire.format or not names(answer, "mallory")


def test_the_service_stays_one_service_in_a_saml_answer(plain: Site) -> None:
    """mod_auth_cas issue 79, the other way round: of the request, SAML answers repeat service and id."""
    service = "https://library.example.edu/?q=\"><saml:NameIdentifier>mallory</saml:NameIdentifier>&r='"
    asked = fresh(plain, service)
    body = SAML.ask(plain, asked).body
    root = ElementTree.fromstring(body)  # noqa: S314
    response = next(root.iter("{urn:oasis:names:tc:SAML:1.0:protocol}Response"))
    assert response.attrib["Recipient"] == service
    assert [each.text for each in root.iter("{urn:oasis:names:tc:SAML:1.0:assertion}Audience")] == [service]
    assert told(SAML, body, "user") == ["ada"]


@pytest.mark.parametrize("request_id", ["a&quot; b", "&lt;x&gt;", "a b", "a&#10;yes", "1", "x:y", "", "_" + "a" * 999])
def test_the_id_of_a_saml_request_comes_back_as_a_name_or_not_at_all(plain: Site, request_id: str) -> None:
    """mod_auth_cas issue 79 and CVE-2017-1000071: markup in what an answer repeats."""
    body = _envelope("<samlp:AssertionArtifact>ST-x</samlp:AssertionArtifact>").replace(b"_r1", request_id.encode())
    answer = SAML.ask(plain, {"service": LIBRARY, "ticket": ""}, body=body)
    assert b"InResponseTo" not in answer.body
    ElementTree.fromstring(answer.body)  # noqa: S314


def test_answers_and_messages_carry_no_document_type(plain: Site, portal: Portal) -> None:
    """java-cas-client issue 191: clients resolved entities of what they read."""
    bodies = [wire.ask(plain, asked).body for wire in WIRES for asked in [fresh(plain)] for _ in range(2)]
    pgt = proxy_granting(plain, portal)
    bodies += [ask_proxy(plain, {"pgt": pgt, "targetService": target}).body for target in (LIBRARY, "https://x.test/")]
    bodies.append(logout_request("ST-abcd-x", new_message_id(), plain.clock()).encode())
    assert not any(b"<!" in body or b"<?" in body for body in bodies)


@pytest.mark.parametrize("ticket", ["ST-x</samlp:SessionIndex>", "ST-x&amp;", "ST-%3C", "", 'ST-"'])
def test_a_sign_out_message_names_a_ticket_and_nothing_else(ticket: str) -> None:
    """phpCAS decodes the message twice and looks for the ticket with a pattern; mod_auth_cas cuts it at 1024 bytes."""
    with pytest.raises(ValueError, match="letters, digits and hyphens"):
        logout_request(ticket, new_message_id(), 0.0)
    body = logout_body("ST-abcd-" + "x" * 24, new_message_id(), 0.0)
    assert len(body) < 1024
    assert b"%25" not in body
    message = logout_request("ST-x", new_message_id(), 0.0, name_id="a</saml:NameID><samlp:SessionIndex>ST-y+%3C")
    assert session_index(message) == "ST-x"
    assert not set("+%") & set(message)


# What comes in

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_SAMLP = "urn:oasis:names:tc:SAML:1.0:protocol"


def _envelope(inside: str, before: str = "", encoding: str = "utf-8") -> bytes:
    return (
        f'{before}<SOAP-ENV:Envelope xmlns:SOAP-ENV="{_SOAP}"><SOAP-ENV:Body><samlp:Request xmlns:samlp="{_SAMLP}" '
        f'RequestID="_r1">{inside}</samlp:Request></SOAP-ENV:Body></SOAP-ENV:Envelope>'
    ).encode(encoding)


def _artifact(text: str) -> str:
    return f"<samlp:AssertionArtifact>{text}</samlp:AssertionArtifact>"


DOCUMENT_TYPES = [
    '<!DOCTYPE x [<!ENTITY t SYSTEM "file://{file}">]>',
    '<!DOCTYPE x [<!ENTITY t "{ticket}">]>',
    '<!DOCTYPE x [<!ENTITY % p SYSTEM "file://{file}"> %p;]>',
    '<!DOCTYPE x SYSTEM "file://{file}">',
    '<!DOCTYPE x PUBLIC "-//x" "file://{file}">',
    "<!DOCTYPE x>",
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY t "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    '<!DOCTYPE x [<!ATTLIST samlp:Request RequestID CDATA "_injected"><!ENTITY t "{ticket}">]>',
    '<!DOCTYPE x [<!NOTATION n SYSTEM "file://{file}"><!ENTITY t SYSTEM "file://{file}" NDATA n>]>',
]


@pytest.mark.parametrize("before", DOCUMENT_TYPES)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-16-be"])
def test_a_saml_request_resolves_nothing(plain: Site, tmp_path: Path, before: str, encoding: str) -> None:
    """Apereo pull 1440, java-cas-client issue 191: parsers with external entities switched on."""
    asked = fresh(plain)
    secret = tmp_path / "secret"
    secret.write_text(asked["ticket"])
    before = before.format(file=secret, ticket=asked["ticket"])
    for inside in (_artifact("&t;"), _artifact(asked["ticket"])):
        answer = SAML.ask(plain, {"service": LIBRARY, "ticket": ""}, body=_envelope(inside, before, encoding))
        assert SAML.told(answer) == SAML.failure("INVALID_REQUEST")
    assert good(plain, asked), "nothing was looked up"


@pytest.mark.parametrize(
    "inside",
    [
        "{one}</samlp:AssertionArtifact><samlp:AssertionArtifact>{other}",
        "{one}<!-- --></samlp:AssertionArtifact><!-- <samlp:AssertionArtifact>",
        "{one}<!-- {other} -->",
        "<x>{one}</x>",
        "{one}<x/>",
        "<?x {other}?>{one}",
        "{one}</samlp:AssertionArtifact></samlp:Request><samlp:Request><samlp:AssertionArtifact>{other}",
        "ST-x</samlp:AssertionArtifact><AssertionArtifact>{one}</AssertionArtifact><samlp:AssertionArtifact>",
        '{one}</samlp:AssertionArtifact><y:AssertionArtifact xmlns:y="urn:y">{other}</y:AssertionArtifact><samlp:z>',
    ],
)
def test_markup_that_came_with_a_ticket_does_not_decide_what_is_validated(plain: Site, inside: str) -> None:
    """mod_auth_cas issue 79: XML was injected into the SAML request by the ticket in the browser's address."""
    one, other = fresh(plain), fresh(plain)
    body = _envelope(_artifact(inside.format(one=one["ticket"], other=other["ticket"])))
    answer = SAML.ask(plain, {"service": LIBRARY, "ticket": ""}, body=body)
    assert SAML.told(answer) == SAML.failure("INVALID_REQUEST")
    assert good(plain, one)
    assert good(plain, other)


@pytest.mark.parametrize(
    "body",
    [
        _envelope(_artifact("ST-x"), '<?xml version="1.0" encoding="UTF-7"?>'),
        _envelope(_artifact("ST-x"), '<?xml version="1.0" encoding="utf-16"?>').replace(b"ST-x", b"+ADwAcwA-"),
        _envelope("<a>" * 5000),
        _envelope(_artifact("ST-x") + "<!--" + "x" * 70_000 + "-->"),
        b"<" * 60_000,
        b"\x00" * 1000,
        b"\xff\xfe" * 1000,
        b"",
    ],
    ids=["utf-7", "lie", "deep", "long", "angles", "zeros", "marks", "nothing"],
)
def test_a_saml_request_that_is_no_request_is_refused_at_once(plain: Site, body: bytes) -> None:
    """Apereo pull 1440 and its kind: other encodings, depth and length as ways around a parser's care."""
    before = len(plain.journal.named("fault"))
    answer = SAML.ask(plain, {"service": LIBRARY, "ticket": ""}, body=body)
    assert SAML.told(answer) in (SAML.failure("INVALID_REQUEST"), SAML.failure("INVALID_TICKET"))
    assert len(plain.journal.named("fault")) == before


def test_a_body_of_another_kind_is_no_xml(plain: Site) -> None:
    """Apereo pull 1440: only one address reads XML, and to the others a body is a form or nothing."""
    asked = fresh(plain)
    for wire in WIRES:
        if wire is not SAML:
            answer = wire.ask(plain, asked, method="POST", kind=SAML_TYPE, body=_envelope(_artifact(asked["ticket"])))
            assert wire.told(answer) == wire.failure("INVALID_REQUEST")
    assert good(plain, asked)


@pytest.mark.parametrize("before", DOCUMENT_TYPES)
def test_the_middleware_resolves_nothing(tmp_path: Path, before: str) -> None:
    """java-cas-client issue 191: entities in the sign-out message and in answers of the server."""
    secret = tmp_path / "secret"
    secret.write_text("ST-1-stolen")
    before = before.format(file=secret, ticket="ST-1-stolen").replace("samlp:Request", "x")
    message = logout_request("ST-1-mine", new_message_id(), 0.0)
    for body in (message, message.replace("ST-1-mine", "&t;")):
        with pytest.raises(InvalidLogoutRequest):
            session_index(before + body)
    success = '<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas"><cas:{0}>{1}</cas:{0}></cas:serviceResponse>'
    for text in ("ada", "&t;"):
        answer = before + success.format("authenticationSuccess", f"<cas:user>{text}</cas:user>")
        with pytest.raises(InvalidResponse):
            parse_service_response(answer.encode())
        answer = before + success.format("proxySuccess", f"<cas:proxyTicket>{text}</cas:proxyTicket>")
        with pytest.raises(InvalidResponse):
            parse_proxy_response(answer.encode())
