"""SAML 1.1: requests as clients write them and as attackers do, and answers as each client reads them."""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree

import pytest
import requests
from cas import CASClientWithSAMLV1

from casduo.errors import CasduoError
from casduo.mfa.strength import Strength
from casduo.protocol.errors import InternalError, InvalidRequest, InvalidService, InvalidTicket, ProtocolError
from casduo.protocol.mismatch import Mismatch
from casduo.protocol.saml1 import (
    MAX_REQUEST,
    SAML_TYPE,
    SamlRequest,
    _attribute_statement,
    parse_saml_request,
    saml_failure,
    saml_success,
)
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
    return ValidatedTicket(LIBRARY, session, Released(user, attributes or {}), primary, False)


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


def without_ids(body: bytes) -> str:
    return re.sub(r"_[0-9a-f]{32}", "_ID", body.decode("ascii"))


def request(artifact: str, *, before: str = "", inside: str = "", after: str = "") -> bytes:
    """The request of phpCAS and mod_auth_cas, which put the ticket into it as it came."""
    return (
        f'{before}<SOAP-ENV:Envelope xmlns:SOAP-ENV="{SOAP}"><SOAP-ENV:Header/><SOAP-ENV:Body>'
        f'<samlp:Request xmlns:samlp="{PROTOCOL}" MajorVersion="1" MinorVersion="1" RequestID="_r1">{inside}'
        f"<samlp:AssertionArtifact>{artifact}</samlp:AssertionArtifact></samlp:Request>"
        f"</SOAP-ENV:Body></SOAP-ENV:Envelope>{after}"
    ).encode()


# Requests: what is read


@pytest.mark.parametrize(
    ("client", "request_id"),
    [
        ("java", "_5f0c1f7be1d2a5a0b7c8d9e0f1a2b3c4"),
        ("phpcas", "_192.168.16.51.1024506224022"),
        ("mod_auth_cas", ""),
        # A UUID that begins with a digit is no XML name, so no answer can refer to it.
        ("python_cas", ""),
        ("by_hand", "request-7"),
    ],
)
def test_requests_of_all_known_clients_are_read(client: str, request_id: str) -> None:
    body = (BODIES / f"{client}.xml").read_bytes()
    assert parse_saml_request(body) == SamlRequest(TICKET, request_id)


def test_there_is_a_test_for_every_recorded_request() -> None:
    tested = {"java", "phpcas", "mod_auth_cas", "python_cas", "by_hand"}
    assert {path.stem for path in BODIES.iterdir()} == tested


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("declaration", ["", '<?xml version="1.0"?>', "<?xml version='1.0' encoding='UTF-8'?>\n"])
def test_the_bytes_say_which_encoding_it_is(encoding: str, declaration: str) -> None:
    body = request(TICKET, before=declaration).decode().encode(encoding)
    assert parse_saml_request(body).artifact == TICKET


def test_big_endian_utf_16_with_a_byte_order_mark_is_read() -> None:
    body = b"\xfe\xff" + request(TICKET).decode().encode("utf-16-be")
    assert parse_saml_request(body).artifact == TICKET


@pytest.mark.parametrize("name", ["us-ascii", "ISO-8859-1", "utf-16"])
def test_declarations_that_do_no_harm_are_passed_over(name: str) -> None:
    assert parse_saml_request(request(TICKET, before=f'<?xml version="1.0" encoding="{name}"?>')).artifact == TICKET


@pytest.mark.parametrize(
    "artifact",
    [
        f"\r\n\t {TICKET} \r\n",
        f"&#10;{TICKET}&#x20;",
        f"<![CDATA[{TICKET}]]>",
        TICKET.replace("S", "&#83;"),
    ],
)
def test_the_artifact_is_read_as_xml_means_it_and_trimmed(artifact: str) -> None:
    assert parse_saml_request(request(artifact)).artifact == TICKET


def test_a_long_artifact_is_read_whole_and_not_its_last_piece() -> None:
    artifact = "evil\n" * 10_000 + TICKET
    assert parse_saml_request(request(artifact)).artifact == artifact


def test_white_space_within_the_artifact_stays_for_others_to_refuse() -> None:
    assert parse_saml_request(request("ST-1\u00a0")).artifact == "ST-1\u00a0"
    assert parse_saml_request(request("ST-1 ST-2")).artifact == "ST-1 ST-2"


def test_whatever_stands_around_the_artifact_is_passed_over() -> None:
    body = request(
        TICKET,
        before="<!-- a --><?php b?>\n",
        inside='<x:Signature xmlns:x="urn:x"><x:a><x:b/></x:a></x:Signature><!-- c --><?d e?>',
        after="<!-- f -->\n",
    )
    assert parse_saml_request(body) == SamlRequest(TICKET, "_r1")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("_r1", "_r1"),
        ("Zoë", "Zoë"),
        ("", ""),
        ("1a", ""),
        ("a:b", ""),
        ("a b", ""),
        ("a&#10;yes", ""),
        ("&quot;/&gt;", ""),
        ("a" * 256, "a" * 256),
        ("a" * 257, ""),
    ],
)
def test_a_request_id_is_taken_only_when_an_answer_may_repeat_it(written: str, read: str) -> None:
    body = request(TICKET).replace(b'RequestID="_r1"', f'RequestID="{written}"'.encode())
    assert parse_saml_request(body) == SamlRequest(TICKET, read)


def test_the_id_is_that_of_the_request_with_the_artifact_and_of_no_other() -> None:
    other = f'<Request xmlns="{PROTOCOL}" RequestID="_other"/>'
    body = request(TICKET).decode()
    before = body.replace("<samlp:Request", f"{other}<samlp:Request", 1)
    after = body.replace("</SOAP-ENV:Body>", f"{other}</SOAP-ENV:Body>")
    foreign = body.replace(' RequestID="_r1"', ' xmlns:x="urn:x" x:RequestID="_r2"')
    within = request(TICKET, inside=f"<x>{other}</x>{other}")
    assert parse_saml_request(within).request_id == "_r1"
    assert parse_saml_request(before.encode()).request_id == "_r1"
    assert parse_saml_request(after.encode()).request_id == "_r1"
    assert parse_saml_request(foreign.encode()).request_id == ""


def test_the_longest_request_that_is_read_has_64_kib() -> None:
    body = request(TICKET)
    full = body + b" " * (MAX_REQUEST - len(body))
    assert parse_saml_request(full).artifact == TICKET
    assert refused(full + b" ") == "longer than 64 KiB"


def test_an_artifact_is_a_secret_and_shown_nowhere() -> None:
    assert TICKET not in repr(parse_saml_request(request(TICKET)))
    with pytest.raises(CasduoError) as refusal:
        parse_saml_request(request(f"{TICKET}<!---->"))
    assert TICKET not in f"{refusal.value!r} {refusal.value}"


# Requests: what is refused

NOT_XML = "not well-formed XML without a document type"
ENCODING = "neither UTF-8 nor UTF-16"
DECLARED = "declares an encoding other than UTF-8 and UTF-16"
NOT_SOAP = "not a SOAP 1.1 envelope"
DEEP = "nested too deeply"
NO_ARTIFACT = "no artifact"
TWO = "more than one artifact"
ELSEWHERE = "an artifact in the wrong namespace or place"
MARKUP = "markup within the artifact"


def refused(body: bytes) -> str:
    """Say why a body is refused; make sure that nothing else comes along with that."""
    with pytest.raises(InvalidRequest) as refusal:
        parse_saml_request(body)
    assert refusal.value.__cause__ is None
    assert refusal.value.__suppress_context__ or refusal.value.__context__ is None
    return refusal.value.why


ENTITIES = "".join(f'<!ENTITY e{n + 1} "{f"&e{n};" * 10}">' for n in range(12))

MALFORMED = {
    "nothing": (b"", NOT_XML),
    "white space": (b" \n", NOT_XML),
    "nulls": (b"\0" * 100, ENCODING),
    "a null in the artifact": (request("ST-1\0"), ENCODING),
    "a reference to null": (request("ST-1&#0;"), NOT_XML),
    "ten megabytes": (b"<" * 10_000_000, "longer than 64 KiB"),
    "a form": (b"SAMLart=ST-1&TARGET=https%3A%2F%2Flibrary.example.edu", NOT_XML),
    "JSON": (b'{"artifact": "ST-1"}', NOT_XML),
    "HTML": (b"<!DOCTYPE html><title>ST-1</title>", NOT_XML),
    "a byte order mark alone": (b"\xef\xbb\xbf", NOT_XML),
    "two roots": (request("ST-1") * 2, NOT_XML),
    "something after the root": (request("ST-1", after="ST-2"), NOT_XML),
    "a declaration that comes late": (request("ST-1", before='\n<?xml version="1.0"?>'), NOT_XML),
    "an undeclared prefix": (request("ST-1").replace(b"xmlns:samlp", b"xmlns:other"), NOT_XML),
    "an ampersand that stands alone": (request("ST-1&renew=true"), NOT_XML),
    "an unknown entity": (request("&ticket;"), NOT_XML),
    "a document type": (request("ST-1", before="<!DOCTYPE e>"), NOT_XML),
    "an entity bomb": (request("&e12;", before=f'<!DOCTYPE e [<!ENTITY e0 "ST-1">{ENTITIES}]>'), NOT_XML),
    "one entity": (request("&e;", before='<!DOCTYPE e [<!ENTITY e "ST-1">]>'), NOT_XML),
    "an external entity": (request("&e;", before='<!DOCTYPE e [<!ENTITY e SYSTEM "file:///etc/hostname">]>'), NOT_XML),
    "a parameter entity": (
        request("ST-1", before='<!DOCTYPE e [<!ENTITY % e SYSTEM "http://127.0.0.1:9/e"> %e;]>'),
        NOT_XML,
    ),
    "an external document type": (request("ST-1", before='<!DOCTYPE e SYSTEM "http://127.0.0.1:9/e">'), NOT_XML),
    "a document type in UTF-16": (
        request("&e;", before='<!DOCTYPE e [<!ENTITY e "ST-1">]>').decode().encode("utf-16"),
        NOT_XML,
    ),
    "UTF-7, declared": (b'<?xml version="1.0" encoding="UTF-7"?>+ADw-SOAP-ENV:Envelope+AD4-', DECLARED),
    "UTF-7, declared over all of it": (
        request("ST-1", before="<?xml version='1.0' encoding='utf-7'?>"),
        DECLARED,
    ),
    "EBCDIC": (request("ST-1", before='<?xml version="1.0" encoding="cp037"?>').decode().encode("cp037"), ENCODING),
    "UTF-7, declared after a byte order mark": (
        b"\xef\xbb\xbf" + request("ST-1", before="<?xml version='1.0' encoding='utf-7'?>"),
        DECLARED,
    ),
    "two byte order marks": (b"\xef\xbb\xbf" * 2 + request("ST-1"), NOT_XML),
    # The parser guesses UTF-16 from the null, whatever it is told.
    "UTF-16 written in UTF-16": (
        request("ST-1").decode().encode("utf-16-le").decode("latin-1").encode("utf-16"),
        ENCODING,
    ),
    "UTF-32": (request("ST-1").decode().encode("utf-32"), ENCODING),
    "UTF-32 without a mark": (request("ST-1").decode().encode("utf-32-be"), ENCODING),
    "Latin-1": (request("ST-é").decode().encode("latin-1"), ENCODING),
    "UTF-8 that is too long": (request("ST-1").replace(b"ST-1", b"\xc0\xbcevil/\xc0\xbe"), ENCODING),
    "surrogates in UTF-8": (request("ST-1").replace(b"ST-1", b"\xed\xa0\x80"), ENCODING),
    "half a character of UTF-16": (request("ST-1").decode().encode("utf-16")[:-1], ENCODING),
    "a root without a namespace": (b"<Envelope><Body><Request/></Body></Envelope>", NOT_SOAP),
    "SOAP 1.2": (request("ST-1").replace(SOAP.encode(), b"http://www.w3.org/2003/05/soap-envelope"), NOT_SOAP),
    "the SAML request alone": (
        f'<Request xmlns="{PROTOCOL}"><AssertionArtifact>ST-1</AssertionArtifact></Request>'.encode(),
        NOT_SOAP,
    ),
    "an envelope within another root": (b"<x>" + request("ST-1") + b"</x>", NOT_SOAP),
    "an empty envelope": (f'<Envelope xmlns="{SOAP}"/>'.encode(), NO_ARTIFACT),
    "a request without an artifact": (
        request("").replace(b"<samlp:AssertionArtifact></samlp:AssertionArtifact>", b""),
        NO_ARTIFACT,
    ),
    "an empty artifact": (request(""), NO_ARTIFACT),
    "a blank artifact": (request(" \n\t&#13;"), NO_ARTIFACT),
    "names in another case": (request("ST-1").replace(b"AssertionArtifact", b"assertionartifact"), NO_ARTIFACT),
    "SAML 2.0": (request("ST-1").replace(PROTOCOL.encode(), b"urn:oasis:names:tc:SAML:2.0:protocol"), ELSEWHERE),
    "an artifact in the header": (
        request("ST-1").replace(
            b"<SOAP-ENV:Header/>",
            f'<SOAP-ENV:Header><AssertionArtifact xmlns="{PROTOCOL}"/></SOAP-ENV:Header>'.encode(),
        ),
        ELSEWHERE,
    ),
    "an artifact that stands deeper": (
        request(
            "ST-1",
            inside="<samlp:RespondWith><samlp:AssertionArtifact>ST-2</samlp:AssertionArtifact></samlp:RespondWith>",
        ),
        ELSEWHERE,
    ),
    "a request within a request": (
        request(
            "ST-1", inside="<samlp:Request><samlp:AssertionArtifact>ST-2</samlp:AssertionArtifact></samlp:Request>"
        ),
        ELSEWHERE,
    ),
    "thousands of levels": (request("ST-1", inside="<a>" * 5_000 + "</a>" * 5_000), DEEP),
    "thousands of levels that never close": (request("ST-1", inside="<a>" * 20_000), DEEP),
    "thousands of levels around it all": (b"<a>" * 5_000 + request("ST-1"), NOT_SOAP),
}


@pytest.mark.parametrize(("body", "why"), MALFORMED.values(), ids=MALFORMED.keys())
def test_what_cannot_be_read_is_refused_and_not_repeated(body: bytes, why: str) -> None:
    assert refused(body) == why


@pytest.mark.parametrize(
    "name",
    ["UTF-7", "UTF-32", "cp037", "gbk", "shift_jis", "iso-2022-jp", "idna", "punycode", "unicode_escape", "zlib", "x"],
)
def test_no_declaration_makes_the_parser_use_a_codec_of_its_own(name: str) -> None:
    assert refused(request(TICKET, before=f'<?xml version="1.0" encoding="{name}"?>')) == DECLARED


@pytest.mark.parametrize("path", sorted(BODIES.iterdir()), ids=lambda path: path.stem)
def test_a_request_that_breaks_off_anywhere_is_refused(path: Path) -> None:
    whole = path.read_bytes().rstrip()
    assert {refused(whole[:length]) for length in range(len(whole))} <= {NOT_XML, ENCODING}


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


@pytest.mark.parametrize(("ticket", "why"), INJECTED.values(), ids=INJECTED.keys())
def test_markup_that_came_with_a_ticket_does_not_decide_what_is_validated(ticket: str, why: str) -> None:
    assert refused(request(ticket)) == why


# Answers to the byte

SUBJECT = (
    "<saml:Subject><saml:NameIdentifier>ada</saml:NameIdentifier><saml:SubjectConfirmation><saml:ConfirmationMethod>"
    "urn:oasis:names:tc:SAML:1.0:cm:artifact</saml:ConfirmationMethod></saml:SubjectConfirmation></saml:Subject>"
)


def attribute(name: str, *values: str) -> str:
    written = "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in values)
    return (
        f'<saml:Attribute AttributeName="{name}" AttributeNamespace="http://www.ja-sig.org/products/cas/">{written}'
        "</saml:Attribute>"
    )


STANDARD = (
    attribute("authenticationDate", "2026-03-04T05:06:07Z")
    + attribute("longTermAuthenticationRequestTokenUsed", "false")
    + attribute("isFromNewLogin", "true")
)


def envelope(attributes: str, content: str) -> str:
    return (
        '<SOAP-ENV:Envelope xmlns:SOAP-ENV="http://schemas.xmlsoap.org/soap/envelope/"><SOAP-ENV:Header/><SOAP-ENV:Body>'
        '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:1.0:protocol" MajorVersion="1" MinorVersion="1"'
        f' ResponseID="_ID" IssueInstant="2026-03-04T05:06:17Z"{attributes}>{content}</samlp:Response>'
        "</SOAP-ENV:Body></SOAP-ENV:Envelope>"
    )


def test_success_to_the_byte() -> None:
    assert without_ids(success()) == envelope(
        ' InResponseTo="_a1" Recipient="https://library.example.edu/shelf?a=1&amp;b=2"',
        '<samlp:Status><samlp:StatusCode Value="samlp:Success"/></samlp:Status>'
        '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:1.0:assertion" MajorVersion="1" MinorVersion="1"'
        ' AssertionID="_ID" Issuer="https://sso.example.edu/cas" IssueInstant="2026-03-04T05:06:17Z">'
        '<saml:Conditions NotBefore="2026-03-04T05:05:47Z" NotOnOrAfter="2026-03-04T05:07:17Z">'
        "<saml:AudienceRestrictionCondition><saml:Audience>https://library.example.edu/shelf?a=1&amp;b=2</saml:Audience>"
        "</saml:AudienceRestrictionCondition></saml:Conditions>"
        f"<saml:AttributeStatement>{SUBJECT}{STANDARD}{attribute('mail', 'ada@example.edu')}"
        f"{attribute('memberOf', 'staff', 'faculty')}</saml:AttributeStatement>"
        '<saml:AuthenticationStatement AuthenticationMethod="urn:oasis:names:tc:SAML:1.0:am:password"'
        f' AuthenticationInstant="2026-03-04T05:06:07Z">{SUBJECT}</saml:AuthenticationStatement></saml:Assertion>',
    )


def test_failure_to_the_byte() -> None:
    assert without_ids(failure()) == envelope(
        ' InResponseTo="_a1"',
        '<samlp:Status><samlp:StatusCode Value="samlp:RequestDenied"/>'
        "<samlp:StatusMessage>Ticket not recognized</samlp:StatusMessage></samlp:Status>",
    )


def test_the_media_type_is_that_of_soap() -> None:
    assert SAML_TYPE == "text/xml; charset=utf-8"


def test_an_answer_refers_to_a_request_only_when_that_has_an_id() -> None:
    assert b"InResponseTo" not in success(request_id="")
    assert b"InResponseTo" not in failure(request_id="")


def test_ids_are_never_the_same() -> None:
    found = [id_ for _ in range(50) for id_ in re.findall(r'ID="(_[0-9a-f]{32})"', (success() + failure()).decode())]
    assert len(set(found)) == len(found) == 150


def test_an_attribute_without_a_value_that_xml_can_carry_is_left_out() -> None:
    ticket = validated({"none": (), "nul": ("\0",), "some": ("\0", "x", "")})
    body = success(ticket)
    assert b'"none"' not in body
    assert b'"nul"' not in body
    assert attribute("some", "x").encode() in body


@pytest.mark.parametrize("attributes", [{}, {"none": ()}, {"nul": ("\0",)}])
def test_without_any_attribute_there_is_no_statement_about_them(attributes: dict[str, tuple[str, ...]]) -> None:
    assert _attribute_statement(SUBJECT, attributes) == ""


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("]]>", "]]&gt;"),
        ("Research & Development", "Research &amp; Development"),
        ("two\nlines\r\n", "two&#10;lines&#13;&#10;"),
        ("nul\0here", "nulhere"),
        ("\U0001f600", "&#128512;"),
        ("Zoë", "Zo&#235;"),
        ("\ud800\uffff", ""),
        ('"/><saml:NameIdentifier>root', "&quot;/&gt;&lt;saml:NameIdentifier&gt;root"),
        (" spaces stay ", " spaces stay "),
    ],
)
def test_texts_are_escaped_wherever_they_stand(text: str, written: str) -> None:
    ticket = validated({"note": (f"v{text}",), f"urn:oid:{text}": ("named",)}, user=f"u{text}")
    body = saml_success(ticket, recipient=f"r{text}", request_id="", issuer=f"i{text}", now=NOW).decode("ascii")
    assert body.count(f"<saml:NameIdentifier>u{written}</saml:NameIdentifier>") == 2
    assert attribute("note", f"v{written}") in body
    assert attribute(f"urn:oid:{written}", "named") in body
    assert f'Recipient="r{written}"' in body
    assert f"<saml:Audience>r{written}</saml:Audience>" in body
    assert f'Issuer="i{written}"' in body
    assert follows_the_rules(body.encode())


# Failures

STATUS = {
    "InvalidRequest": "Requester",
    "InternalError": "Responder",
    "ProtocolError": "Responder",
}


@pytest.mark.parametrize("kind", FAILURES)
def test_every_failure_names_nobody_and_says_why_in_fixed_words(kind: type[ProtocolError]) -> None:
    body = failure(kind)
    root = ElementTree.fromstring(body)  # noqa: S314
    assert status_of(root) == STATUS.get(kind.__name__, "RequestDenied")
    assert root.findtext(".//sp:StatusMessage", namespaces=PREFIXES) == kind.text
    assert {element.tag.rpartition("}")[2] for element in root.iter()} == {
        "Envelope",
        "Header",
        "Body",
        "Response",
        "Status",
        "StatusCode",
        "StatusMessage",
    }
    assert b"ST-1" not in body
    assert b"Recipient" not in body


def test_an_unreadable_request_and_our_own_faults_are_told_from_a_denial() -> None:
    assert status_of(ElementTree.fromstring(failure(InvalidRequest))) == "Requester"  # noqa: S314
    assert status_of(ElementTree.fromstring(failure(InternalError))) == "Responder"  # noqa: S314
    assert status_of(ElementTree.fromstring(failure(InvalidService))) == "RequestDenied"  # noqa: S314


def status_of(root: ElementTree.Element) -> str:
    code = root.find("soap:Body/sp:Response/sp:Status/sp:StatusCode", PREFIXES)
    assert code is not None
    return code.attrib["Value"].removeprefix("samlp:")


# The rules of SAML 1.1


@dataclass(frozen=True)
class Rule:
    """What the schemas say of one element: its children by name, each name with a space after it, and attributes."""

    children: str = ""
    required: frozenset[str] = frozenset()
    optional: frozenset[str] = frozenset()


def rule(children: str = "", required: str = "", optional: str = "") -> Rule:
    return Rule(children, frozenset(required.split()), frozenset(optional.split()))


RULES = {
    f"{{{SOAP}}}Envelope": rule("(Header )?Body "),
    f"{{{SOAP}}}Header": rule(),
    f"{{{SOAP}}}Body": rule("Response "),
    f"{{{PROTOCOL}}}Response": rule(
        "Status (Assertion )*", "ResponseID MajorVersion MinorVersion IssueInstant", "InResponseTo Recipient"
    ),
    f"{{{PROTOCOL}}}Status": rule("StatusCode (StatusMessage )?(StatusDetail )?"),
    f"{{{PROTOCOL}}}StatusCode": rule("(StatusCode )?", "Value"),
    f"{{{PROTOCOL}}}StatusMessage": rule(),
    f"{{{ASSERTION}}}Assertion": rule(
        "(Conditions )?(Advice )?((AttributeStatement|AuthenticationStatement) )+(Signature )?",
        "AssertionID MajorVersion MinorVersion IssueInstant Issuer",
    ),
    f"{{{ASSERTION}}}Conditions": rule("(AudienceRestrictionCondition )*", "", "NotBefore NotOnOrAfter"),
    f"{{{ASSERTION}}}AudienceRestrictionCondition": rule("(Audience )+"),
    f"{{{ASSERTION}}}Audience": rule(),
    f"{{{ASSERTION}}}AuthenticationStatement": rule("Subject ", "AuthenticationMethod AuthenticationInstant"),
    f"{{{ASSERTION}}}AttributeStatement": rule("Subject (Attribute )+"),
    f"{{{ASSERTION}}}Subject": rule("NameIdentifier SubjectConfirmation "),
    f"{{{ASSERTION}}}NameIdentifier": rule(optional="NameQualifier Format"),
    f"{{{ASSERTION}}}SubjectConfirmation": rule("(ConfirmationMethod )+"),
    f"{{{ASSERTION}}}ConfirmationMethod": rule(),
    f"{{{ASSERTION}}}Attribute": rule("(AttributeValue )+", "AttributeName AttributeNamespace"),
    f"{{{ASSERTION}}}AttributeValue": rule(),
}
"""The elements we write, as the schemas of SAML 1.1 have them."""
FORMS = {
    "ResponseID": r"_[0-9a-f]{32}",
    "AssertionID": r"_[0-9a-f]{32}",
    "MajorVersion": "1",
    "MinorVersion": "1",
    "IssueInstant": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "NotBefore": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "NotOnOrAfter": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "AuthenticationInstant": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ",
    "Value": "samlp:(Success|VersionMismatch|Requester|Responder|RequestDenied)",
}


def follows_the_rules(body: bytes) -> bool:
    prefixes = dict(pair for _, pair in ElementTree.iterparse(io.BytesIO(body), events=("start-ns",)))  # noqa: S314
    assert prefixes["samlp"] == PROTOCOL
    for element in ElementTree.fromstring(body).iter():  # noqa: S314
        of_element = RULES[element.tag]
        children = "".join(f"{child.tag.rpartition('}')[2]} " for child in element)
        assert re.fullmatch(of_element.children, children), element.tag
        assert of_element.required <= element.attrib.keys() <= of_element.required | of_element.optional
        for name in FORMS.keys() & element.attrib.keys():
            assert re.fullmatch(FORMS[name], element.attrib[name])
        # White space between elements would be text of theirs.
        assert not (len(element) and element.text)
        assert element.tail is None
    return True


@pytest.mark.parametrize("body", [success(), success(request_id=""), success(validated()), failure()])
def test_answers_follow_the_schema(body: bytes) -> None:
    assert follows_the_rules(body)


@pytest.mark.parametrize("kind", FAILURES)
def test_failures_follow_the_schema(kind: type[ProtocolError]) -> None:
    assert follows_the_rules(failure(kind))


# As clients read it

Read = tuple[str, dict[str, list[str]]]


class Refusal(Exception):
    """What a client raises."""


def as_java(body: bytes, clock: float) -> Read:
    """The Java client: both dates, one second of tolerance; never looks at the status or the audience."""
    root = ElementTree.fromstring(body)  # noqa: S314
    conditions = root.find(".//sa:Assertion/sa:Conditions", PREFIXES)
    if conditions is None:
        raise Refusal("no dates")
    begin, end = (datetime.fromisoformat(conditions.attrib[name]).timestamp() for name in ("NotBefore", "NotOnOrAfter"))
    if not begin - 1 <= clock < end + 1:
        raise Refusal("dates")
    name = root.findtext(".//sa:AuthenticationStatement/sa:Subject/sa:NameIdentifier", None, PREFIXES)
    if name is None:
        raise Refusal("nobody")
    return name, attributes_in(root, ".//sa:AttributeStatement/sa:Attribute")


def as_phpcas(body: bytes, clock: float) -> Read:
    """phpCAS: the first ``NameIdentifier`` of any namespace anywhere is a success; nothing else matters."""
    root = ElementTree.fromstring(body)  # noqa: S314
    names = [element for element in root.iter() if element.tag.rpartition("}")[2] == "NameIdentifier"]
    if not names:
        raise Refusal("nobody")
    return (names[0].text or "").strip(), attributes_in(root, ".//sa:Attribute")


def as_mod_auth_cas(body: bytes, clock: float) -> Read:
    """mod_auth_cas: by local names; what follows the colon in the first status code; the first statement's name."""
    root = ElementTree.fromstring(body)  # noqa: S314
    response = child(child(root, "Body"), "Response")
    value = child(child(response, "Status"), "StatusCode").attrib["Value"]
    if value.partition(":")[2] != "Success":
        raise Refusal(value)
    statements = list(child(response, "Assertion"))[1:]
    found: dict[str, list[str]] = {}
    for statement in statements:
        for element in statement:
            if element.tag.rpartition("}")[2] == "Attribute":
                found[element.attrib["AttributeName"]] = [value.text or "" for value in element]
    return child(child(statements[0], "Subject"), "NameIdentifier").text or "", found


def as_old_mod_auth_cas(body: bytes, clock: float) -> Read:
    """mod_auth_cas 1.0.9: by position only; attributes and name of the statement after the conditions."""
    root = ElementTree.fromstring(body)  # noqa: S314
    response = root[1][0]
    if response[0][0].attrib["Value"] != "samlp:Success":
        raise Refusal("status")
    statement = response[1][1]
    found = {
        element.attrib["AttributeName"]: [value.text or "" for value in element]
        for element in statement
        if element.tag.rpartition("}")[2] == "Attribute"
    }
    return statement[0][0].text or "", found


def as_dotnet(body: bytes, clock: float) -> Read:
    """The .NET client: both dates, an authentication statement, one subject, and no attribute name twice."""
    root = ElementTree.fromstring(body)  # noqa: S314
    assertion = root.find(".//sa:Assertion", PREFIXES)
    conditions = root.find(".//sa:Assertion/sa:Conditions", PREFIXES)
    if assertion is None or conditions is None:
        raise Refusal("no assertion")
    begin, end = (datetime.fromisoformat(conditions.attrib[name]).timestamp() for name in ("NotBefore", "NotOnOrAfter"))
    if clock + 1 < begin or end <= clock - 1:
        raise Refusal("dates")
    name = assertion.findtext("sa:AuthenticationStatement/sa:Subject/sa:NameIdentifier", None, PREFIXES)
    if not name or name != assertion.findtext("sa:AttributeStatement/sa:Subject/sa:NameIdentifier", None, PREFIXES):
        raise Refusal("subjects")
    names = [element.attrib["AttributeName"] for element in assertion.iterfind(".//sa:Attribute", PREFIXES)]
    if len(set(names)) != len(names):
        raise Refusal("an attribute twice")
    return name, attributes_in(root, ".//sa:AttributeStatement/sa:Attribute")


def attributes_in(root: ElementTree.Element, path: str) -> dict[str, list[str]]:
    return {
        element.attrib["AttributeName"]: [value.text or "" for value in element.iterfind("sa:AttributeValue", PREFIXES)]
        for element in root.iterfind(path, PREFIXES)
    }


def child(element: ElementTree.Element, name: str) -> ElementTree.Element:
    return next(one for one in element if one.tag.rpartition("}")[2] == name)


CLIENTS = [as_java, as_phpcas, as_mod_auth_cas, as_old_mod_auth_cas, as_dotnet]


@pytest.mark.parametrize("client", CLIENTS)
def test_every_client_reads_the_user_and_the_attributes(client: Callable[[bytes, float], Read]) -> None:
    ticket = validated({"mail": ("ada@example.edu",), "memberOf": ("staff & co", "faculty\nof arts")}, user="zoë")
    user, attributes = client(success(ticket), NOW)
    assert user == "zoë"
    assert attributes == {
        "authenticationDate": ["2026-03-04T05:06:07Z"],
        "longTermAuthenticationRequestTokenUsed": ["false"],
        "isFromNewLogin": ["true"],
        "mail": ["ada@example.edu"],
        "memberOf": ["staff & co", "faculty\nof arts"],
    }


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("kind", FAILURES)
def test_every_client_reads_a_failure_as_nobody(
    client: Callable[[bytes, float], Read], kind: type[ProtocolError]
) -> None:
    with pytest.raises(Refusal):
        client(failure(kind), NOW)


@pytest.mark.parametrize("client", [as_java, as_dotnet])
@pytest.mark.parametrize(("seconds", "accepted"), [(-32, False), (-31, True), (0, True), (60, True), (62, False)])
def test_clocks_may_differ_by_half_a_minute(
    client: Callable[[bytes, float], Read], seconds: int, accepted: bool
) -> None:
    clock = int(NOW) + seconds
    if accepted:
        assert client(success(), clock)[0] == "ada"
    else:
        with pytest.raises(Refusal):
            client(success(), clock)


def test_a_ticket_from_a_session_says_so() -> None:
    _, attributes = as_java(success(validated(primary=False)), NOW)
    assert attributes["isFromNewLogin"] == ["false"]


# python-cas itself


class Endpoint(HTTPServer):
    """``/samlValidate``, as small as can be. ``tickets`` are those it knows, each good for as long as one likes."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.tickets: dict[str, ValidatedTicket] = {}

    def answer(self, body: bytes, target: str) -> bytes:
        asked = SamlRequest("", "")
        try:
            asked = parse_saml_request(body)
            if asked.artifact not in self.tickets:
                raise InvalidTicket
        except ProtocolError as error:
            return saml_failure(error, request_id=asked.request_id, now=NOW)
        ticket = self.tickets[asked.artifact]
        return saml_success(ticket, recipient=target, request_id=asked.request_id, issuer=ISSUER, now=NOW)


class Handler(BaseHTTPRequestHandler):
    server: Endpoint

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        answer = self.server.answer(body, parse_qs(urlsplit(self.path).query)["TARGET"][0])
        self.send_response(200)
        self.send_header("Content-Type", SAML_TYPE)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet."""


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def client(endpoint: Endpoint) -> Iterator[CASClientWithSAMLV1]:
    with requests.Session() as session:
        # A proxy named in the environment would be asked for the loopback address.
        session.trust_env = False
        yield CASClientWithSAMLV1(
            service_url=SERVICE, server_url=f"http://127.0.0.1:{endpoint.server_port}/", session=session
        )


def test_python_cas_is_understood_and_understands(client: CASClientWithSAMLV1, endpoint: Endpoint) -> None:
    endpoint.tickets[TICKET] = validated(
        {"mail": ("ada@example.edu",), "memberOf": ("staff & co", "faculty\nof arts")}, "zoë"
    )
    assert client.verify_ticket(TICKET) == (
        "zoë",
        {
            "authenticationDate": "2026-03-04T05:06:07Z",
            "longTermAuthenticationRequestTokenUsed": "false",
            "isFromNewLogin": "true",
            "mail": "ada@example.edu",
            "memberOf": ["staff & co", "faculty\nof arts"],
        },
        None,
    )


@pytest.mark.parametrize(
    "ticket",
    [
        "ST-unknown",
        "",
        "ST-1\n\nyes\ngrace\n",
        *(ticket for ticket, _ in INJECTED.values()),
    ],
)
def test_python_cas_lets_nobody_in_with_another_ticket(
    client: CASClientWithSAMLV1, endpoint: Endpoint, ticket: str
) -> None:
    endpoint.tickets |= {"ST-1": validated(), "ST-2": validated()}
    assert client.verify_ticket(ticket) == (None, {}, None)


HOSTILE = "Robert'); \"]]><saml:NameIdentifier>&\n\U0001f600"


def test_python_cas_takes_no_markup_of_a_user_for_an_answer(client: CASClientWithSAMLV1, endpoint: Endpoint) -> None:
    endpoint.tickets[TICKET] = validated({"note": (HOSTILE, "nul\0")}, user=HOSTILE)
    user, attributes, _ = client.verify_ticket(TICKET)
    assert user == HOSTILE
    assert attributes["note"] == [HOSTILE, "nul"]
