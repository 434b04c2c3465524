"""SAML 1.1 answers: to the byte, and by the rules of the schemas."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass
from xml.etree import ElementTree

import pytest

from casduo.protocol.errors import InternalError, InvalidRequest, InvalidService, ProtocolError
from casduo.protocol.saml1 import SAML_TYPE, _attribute_statement, saml_success
from tests.protocol.saml1_messages import (
    ASSERTION,
    FAILURES,
    NOW,
    PREFIXES,
    PROTOCOL,
    SOAP,
    failure,
    success,
    validated,
)


def without_ids(body: bytes) -> str:
    return re.sub(r"_[0-9a-f]{32}", "_ID", body.decode("ascii"))


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
