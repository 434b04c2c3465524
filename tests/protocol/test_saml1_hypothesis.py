"""SAML 1.1 under anything: a request is read the one way there is or refused, and answers stay whole."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from casduo.mfa.strength import Strength
from casduo.protocol.entitlement import DuoStanding
from casduo.protocol.errors import InvalidRequest, InvalidTicket
from casduo.protocol.saml1 import SamlRequest, parse_saml_request, saml_failure, saml_success
from casduo.protocol.validation import ValidatedTicket
from casduo.protocol.xml import escape
from casduo.services.model import RegisteredService
from casduo.services.names import SERVER_NAMES, is_ncname
from casduo.services.release import Released
from casduo.tickets.model import TicketGrantingTicket

SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
PROTOCOL = "{urn:oasis:names:tc:SAML:1.0:protocol}"
ASSERTION = "{urn:oasis:names:tc:SAML:1.0:assertion}"

BODIES = [path.read_bytes() for path in sorted((Path(__file__).parent / "saml1_bodies").iterdir())]
WHY = {
    "longer than 64 KiB",
    "neither UTF-8 nor UTF-16",
    "declares an encoding other than UTF-8 and UTF-16",
    "not well-formed XML without a document type",
    "nested too deeply",
    "not a SOAP 1.1 envelope",
    "no artifact",
    "more than one artifact",
    "an artifact in the wrong namespace or place",
    "markup within the artifact",
}
"""All there is to say about a request that cannot be read; nothing of it appears in any."""

LIBRARY = RegisteredService.model_validate(
    {"id": "library", "name": "Library", "url": "https://library.example.edu/**"}
)


def read(body: bytes) -> SamlRequest | None:
    """Read a body; any other error than the one that is allowed fails the test, and so does one that tells much."""
    try:
        return parse_saml_request(body)
    except InvalidRequest as error:
        why = error.why
    assert why in WHY
    return None


# Requests


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    assert read(body) is None


@given(st.text(max_size=200), st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]))
def test_any_text_is_read_or_refused(text: str, encoding: str) -> None:
    assert read(text.encode(encoding, "surrogatepass")) is None


@given(st.text(max_size=60), st.binary(max_size=60))
def test_any_declaration_is_read_or_refused(name: str, rest: bytes) -> None:
    declared = f'<?xml version="1.0" encoding="{name}"?>'.encode("utf-8", "surrogatepass")
    read(declared + rest)
    read(declared + BODIES[0])


PIECES = st.one_of(
    st.binary(max_size=2),
    st.text(max_size=6).map(str.encode),
    st.sampled_from(
        [
            b"<!-- -->",
            b"<?a b?>",
            b"<![CDATA[",
            b"]]>",
            b"<!DOCTYPE a>",
            b'<!DOCTYPE a [<!ENTITY b "c">]>',
            b"&b;",
            b"&#0;",
            b"&amp;",
            b"<x/>",
            b"</x>",
            b"<samlp:AssertionArtifact>",
            b"</samlp:AssertionArtifact>",
            b"</samlp:Request>",
            b"</SOAP-ENV:Body>",
            b' xmlns:samlp="urn:x"',
            b' xmlns="urn:oasis:names:tc:SAML:1.0:protocol"',
            b' RequestID="1"',
            b' encoding="utf-7"',
            b"\xef\xbb\xbf",
            b"\xff\xfe",
            b"\0",
        ]
    ),
)
EDITS = st.lists(st.tuples(st.integers(0, 700), st.sampled_from([0, 0, 0, 1, 9]), PIECES), min_size=1, max_size=4)


@given(st.sampled_from(BODIES), EDITS)
@settings(max_examples=400)
def test_a_request_with_anything_in_it_is_read_as_another_parser_would_or_refused(
    body: bytes, edits: list[tuple[int, int, bytes]]
) -> None:
    for place, length, piece in edits:
        body = body[:place] + piece + body[place + length :]
    assert_read_rightly(body)


NAMES = st.sampled_from(
    [
        "s:Envelope",
        "s:Header",
        "s:Body",
        "p:Request",
        "p:AssertionArtifact",
        "AssertionArtifact",
        "x:AssertionArtifact",
        "p:RespondWith",
    ]
)
CONTENT = st.recursive(
    st.sampled_from(["ST-1", "ST-2", " ", "", "<!--c-->", "<?p i?>", "<![CDATA[ST-3]]>"]),
    lambda inner: st.builds(
        lambda name, parts: f"<{name}>{''.join(parts)}</{name}>", NAMES, st.lists(inner, max_size=3)
    ),
    max_leaves=8,
)


def element(name: str, *parts: str) -> str:
    return f"<{name}>{''.join(parts)}</{name}>"


@given(CONTENT, CONTENT, CONTENT, CONTENT, CONTENT)
@settings(max_examples=400)
def test_elements_in_any_place_are_read_as_another_parser_would_or_refused(
    header: str, before: str, within: str, after: str, end: str
) -> None:
    request = element("p:Request", before, element("p:AssertionArtifact", within), after)
    inner = f"{header}{element('s:Body', request, end)}"
    assert_read_rightly(
        (
            '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
            f' xmlns:p="urn:oasis:names:tc:SAML:1.0:protocol" xmlns:x="urn:x">{inner}</s:Envelope>'
        ).encode()
    )


class Tree(ElementTree.TreeBuilder):
    """The tree of a document that has no document type."""

    def doctype(self, *_: object) -> None:
        raise AssertionError("a document type was read")


def assert_read_rightly(body: bytes) -> None:
    """What was read is what a parser that builds a tree finds, in one place and nowhere else."""
    found = read(body)
    if found is None:
        return
    root = ElementTree.fromstring(body.decode("utf-8-sig"), ElementTree.XMLParser(target=Tree()))  # noqa: S314
    assert root.tag == f"{SOAP}Envelope"
    requests = root.findall(f"{SOAP}Body/{PROTOCOL}Request")
    artifacts = [artifact for one in requests for artifact in one.findall(f"{PROTOCOL}AssertionArtifact")]
    named = [one for one in root.iter() if one.tag.rpartition("}")[2] == "AssertionArtifact"]
    assert artifacts == named
    (artifact,) = artifacts
    assert len(artifact) == 0
    assert found.artifact == (artifact.text or "").strip(" \t\r\n")
    assert found.artifact
    assert found.request_id in ("", next(one for one in requests if artifact in list(one)).get("RequestID"))
    assert found.request_id == "" or is_ncname(found.request_id)


TEXTS = st.text(max_size=40)


@given(TEXTS, TEXTS, st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"]))
@settings(deadline=None)
def test_what_is_written_as_text_is_read_as_that_text(artifact: str, request_id: str, encoding: str) -> None:
    body = (
        '<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body>'
        f'<Request xmlns="urn:oasis:names:tc:SAML:1.0:protocol" RequestID="{escape(request_id)}">'
        f"<AssertionArtifact>{escape(artifact)}</AssertionArtifact></Request></Body></Envelope>"
    ).encode(encoding)
    expected = in_xml(artifact).strip(" \t\r\n")
    name = in_xml(request_id)
    if expected:
        assert read(body) == SamlRequest(expected, name if is_ncname(name) else "")
        assert "artifact" not in repr(read(body))
    else:
        assert read(body) is None


# Answers

VALUES = st.text(min_size=1, max_size=30)
ATTRIBUTES = st.dictionaries(
    VALUES.filter(lambda name: name not in SERVER_NAMES and in_xml(name) == name),
    st.lists(VALUES, max_size=3).map(tuple),
    max_size=4,
)
IDS = st.from_regex(r"[A-Za-z_\u00c0-\u00d6][A-Za-z0-9._\u00b7-]{0,12}", fullmatch=True)


def in_xml(text: str) -> str:
    """What of a text XML 1.0 can carry at all."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)


@given(VALUES, ATTRIBUTES, VALUES, VALUES, IDS | st.just(""))
@settings(deadline=None)
def test_a_success_says_what_was_said_and_nothing_else(
    user: str, attributes: dict[str, tuple[str, ...]], recipient: str, issuer: str, request_id: str
) -> None:
    session = TicketGrantingTicket("ada", {}, "users_file", 1.0, strength=Strength())
    ticket = ValidatedTicket(LIBRARY, session, Released(user, attributes), True, DuoStanding())
    body = saml_success(ticket, recipient=recipient, request_id=request_id, issuer=issuer, now=100.0)

    assert_on_one_line(body)
    root = ElementTree.fromstring(body)  # noqa: S314
    response = root[1][0]
    assert [child.tag for child in response] == [f"{PROTOCOL}Status", f"{ASSERTION}Assertion"]
    assert response.get("InResponseTo", "") == request_id
    assert response.get("Recipient", "") == in_xml(recipient)
    assert response[1].attrib["Issuer"] == in_xml(issuer)
    assert [one.text or "" for one in root.iter(f"{ASSERTION}Audience")] == [in_xml(recipient)]
    assert [one.text or "" for one in root.iter(f"{ASSERTION}NameIdentifier")] == [in_xml(user)] * 2

    found = {one.attrib["AttributeName"]: [value.text for value in one] for one in root.iter(f"{ASSERTION}Attribute")}
    expected = {name: [in_xml(value) for value in values if in_xml(value)] for name, values in attributes.items()}
    assert {name: values for name, values in found.items() if name not in SERVER_NAMES} == {
        name: values for name, values in expected.items() if values
    }


@given(IDS | st.just(""), VALUES)
def test_a_failure_repeats_nothing_but_the_id(request_id: str, why: str) -> None:
    body = saml_failure(InvalidTicket(why), request_id=request_id, now=100.0)
    assert_on_one_line(body)
    root = ElementTree.fromstring(body)  # noqa: S314
    assert root[1][0].attrib.get("InResponseTo", "") == request_id
    assert not [one for one in root.iter() if one.tag.rpartition("}")[2] in ("NameIdentifier", "Assertion")]
    assert [one.text for one in root.iter() if one.text] == [InvalidTicket.text]


def assert_on_one_line(body: bytes) -> None:
    """An answer is one line of ASCII and has neither a declaration nor a document type."""
    assert re.fullmatch(rb"[ -~]+", body)
    assert body.startswith(b"<SOAP-ENV:Envelope ")
    assert b"<!" not in body
