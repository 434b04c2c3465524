"""SAML 1.1 requests: those of clients are read, what attackers make of them is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from casduo.errors import CasduoError
from casduo.protocol.errors import InvalidRequest
from casduo.protocol.saml1 import MAX_REQUEST, SamlRequest, parse_saml_request
from tests.protocol.saml1_messages import (
    BODIES,
    DECLARED,
    DEEP,
    ELSEWHERE,
    ENCODING,
    INJECTED,
    NO_ARTIFACT,
    NOT_SOAP,
    NOT_XML,
    PROTOCOL,
    SOAP,
    TICKET,
    request,
)


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


# What is refused


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


@pytest.mark.parametrize(("ticket", "why"), INJECTED.values(), ids=INJECTED.keys())
def test_markup_that_came_with_a_ticket_does_not_decide_what_is_validated(ticket: str, why: str) -> None:
    assert refused(request(ticket)) == why
