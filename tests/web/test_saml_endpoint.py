"""``/samlValidate`` as SAML clients use it: the ticket in the body, all else in the query, and who is told what."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree

import pytest

from casduo.simulators.duo import DuoSimulator
from tests.support.raw import FORM, Answer, call
from tests.support.site import LIBRARY, PAYROLL, Build, Site, ticket_of
from tests.support.wires import LAX, SAML, SAML_TYPE, assert_refused, change_registry, envelope, fresh, from_session

BODIES = Path(__file__).parents[1] / "protocol" / "saml1_bodies"
RECORDED = b"ST-k3Yt-0a1B2c3D4e5F6g7H8i9J0k"
NAMES = {
    "soap": "http://schemas.xmlsoap.org/soap/envelope/",
    "sp": "urn:oasis:names:tc:SAML:1.0:protocol",
    "sa": "urn:oasis:names:tc:SAML:1.0:assertion",
}
INTRANET = "http://intranet.example.edu/"
REGISTRY = """
services:
  - id: library
    name: Library
    url: https://library.example.edu/**
    attributes: [mail, groups]
  - id: intranet
    name: Intranet
    url: http://intranet.example.edu/**
    attributes: [mail]
"""


def ask(site: Site, body: bytes, query: str = urlencode({"TARGET": LIBRARY}), kind: str = SAML_TYPE) -> Answer:
    return call(site, "POST", "/cas/samlValidate", query, body, kind, HTTP_SOAPACTION='"http://www.oasis-open.org"')


def parsed(answer: Answer) -> ElementTree.Element:
    found = ElementTree.fromstring(answer.body).find("soap:Body/sp:Response", NAMES)  # noqa: S314
    assert found is not None
    return found


def attributes_of(answer: Answer) -> dict[str, list[str]]:
    return {
        each.attrib["AttributeName"]: [value.text or "" for value in each.iterfind("sa:AttributeValue", NAMES)]
        for each in parsed(answer).iterfind("sa:Assertion/sa:AttributeStatement/sa:Attribute", NAMES)
    }


def users_of(answer: Answer) -> set[str]:
    return {each.text or "" for each in parsed(answer).iter(f"{{{NAMES['sa']}}}NameIdentifier")}


@pytest.mark.parametrize("recorded", sorted(BODIES.iterdir()), ids=lambda path: path.stem)
def test_requests_of_all_known_clients_are_answered(open_site: Site, recorded: Path) -> None:
    body = recorded.read_bytes()
    assert RECORDED in body
    answer = ask(open_site, body.replace(RECORDED, fresh(open_site)["ticket"].encode()))
    assert (answer.status, answer.header("Content-Type")) == (200, SAML_TYPE)
    assert users_of(answer) == {"ada"}
    # And by the ticket that was recorded nobody is let in.
    assert not SAML.accepts(ask(open_site, body))


def test_the_answer_says_for_whom_by_whom_and_in_answer_to_what(open_site: Site) -> None:
    answer = ask(open_site, envelope(fresh(open_site)["ticket"]))
    response = parsed(answer)
    assert (response.attrib["Recipient"], response.attrib["InResponseTo"]) == (LIBRARY, "_r1")
    assertion = response.find("sa:Assertion", NAMES)
    assert assertion is not None
    assert assertion.attrib["Issuer"] == "https://sso.example.edu/cas"
    assert [each.text for each in assertion.iter(f"{{{NAMES['sa']}}}Audience")] == [LIBRARY]


def test_a_failure_refers_to_its_request_too_and_to_nothing_else(open_site: Site) -> None:
    asked = {**fresh(open_site), "service": "https://archive.example.edu/"}
    answer = SAML.ask(open_site, asked)
    assert parsed(answer).attrib["InResponseTo"] == "_r1"
    told = answer.body.decode()
    assert "archive" not in told
    assert asked["ticket"] not in told
    assert "Assertion" not in told
    assert "NameIdentifier" not in told


def test_the_attributes_are_those_of_the_other_protocols(open_site: Site) -> None:
    told = attributes_of(ask(open_site, envelope(fresh(open_site)["ticket"])))
    assert list(told) == [
        "authenticationDate",
        "longTermAuthenticationRequestTokenUsed",
        "isFromNewLogin",
        "mail",
        "displayName",
        "groups",
    ]
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", told["authenticationDate"][0])
    assert told["isFromNewLogin"] == ["true"]
    assert told["mail"] == ["ada@example.edu"]
    assert attributes_of(SAML.ask(open_site, from_session(open_site)))["isFromNewLogin"] == ["false"]


def test_duo_is_told(site: Site, duo: DuoSimulator) -> None:
    browser = site.browser()
    back = browser.get(duo.visit_prompt(browser.sign_in("ada", PAYROLL).headers["Location"]))
    answer = SAML.ask(site, {"service": PAYROLL, "ticket": ticket_of(back)})
    assert attributes_of(answer)["authnContextClass"] == ["mfa-duo"]


@pytest.mark.parametrize("kind", ["text/xml", "application/soap+xml; charset=utf-8", "text/plain", FORM, "", "\xff"])
def test_the_type_of_the_body_says_nothing(open_site: Site, kind: str) -> None:
    assert SAML.accepts(ask(open_site, envelope(fresh(open_site)["ticket"]), kind=kind))


def test_what_the_query_says_of_tickets_and_services_means_nothing(open_site: Site) -> None:
    asked = fresh(open_site)
    other = fresh(open_site)
    query = urlencode({"TARGET": LIBRARY, "ticket": other["ticket"], "SAMLart": "ST-x", "service": "nonsense"})
    assert SAML.accepts(ask(open_site, envelope(asked["ticket"]), query))
    assert LAX.accepts(LAX.ask(open_site, other))


def test_a_form_is_no_request(open_site: Site) -> None:
    asked = fresh(open_site)
    body = urlencode({"TARGET": LIBRARY, "SAMLart": asked["ticket"], "ticket": asked["ticket"]}).encode()
    assert_refused(SAML, ask(open_site, body, kind=FORM), "INVALID_REQUEST")
    assert LAX.accepts(LAX.ask(open_site, asked))


def test_the_service_in_the_body_means_nothing(open_site: Site) -> None:
    asked = fresh(open_site)
    assert_refused(SAML, ask(open_site, envelope(asked["ticket"]), ""), "INVALID_REQUEST")
    assert LAX.accepts(LAX.ask(open_site, asked))


def test_the_longest_request_that_is_read_has_64_kib(open_site: Site) -> None:
    asked = fresh(open_site)
    whole = envelope(asked["ticket"])
    assert_refused(SAML, ask(open_site, whole.ljust(64 * 1024 + 1)), "INVALID_REQUEST")
    assert SAML.accepts(ask(open_site, whole.ljust(64 * 1024)))


def test_plain_http_is_told_nothing_unless_the_registry_says_so(build: Build) -> None:
    site = build(registry=REGISTRY)
    answer = SAML.ask(site, fresh(site, INTRANET))
    assert_refused(SAML, answer, "UNAUTHORIZED_SERVICE")
    assert b"mail" not in answer.body
    # The other protocols leave that to the application.
    assert LAX.accepts(LAX.ask(site, fresh(site, INTRANET)))
    change_registry(site, "name: Intranet", "allow_http_saml: true\n    name: Intranet")
    assert attributes_of(SAML.ask(site, fresh(site, INTRANET)))["mail"] == ["ada@example.edu"]


def test_the_ticket_of_another_service_is_not_looked_up_by_plain_http(build: Build) -> None:
    site = build(registry=REGISTRY)
    answer = SAML.ask(site, {**fresh(site), "service": "http://library.example.edu/catalogue?q=a&q=b"})
    assert_refused(SAML, answer, "INVALID_SERVICE")


@pytest.mark.parametrize(
    "inside",
    [
        "{ticket}</samlp:AssertionArtifact><samlp:AssertionArtifact>{other}",
        "{ticket}<x/>",
        "{ticket}<!-- -->",
        "<![CDATA[{ticket}]]></samlp:AssertionArtifact><saml:AssertionArtifact>x</saml:AssertionArtifact>",
    ],
)
def test_markup_that_came_with_a_ticket_uses_nothing_up(open_site: Site, inside: str) -> None:
    asked, other = fresh(open_site), fresh(open_site)
    body = envelope("@").replace(b"@", inside.format(ticket=asked["ticket"], other=other["ticket"]).encode())
    assert_refused(SAML, ask(open_site, body), "INVALID_REQUEST")
    assert LAX.accepts(LAX.ask(open_site, asked))
    assert LAX.accepts(LAX.ask(open_site, other))


def test_each_refusal_is_one_line_in_the_log_without_a_ticket(open_site: Site) -> None:
    asked = {**fresh(open_site), "service": "https://archive.example.edu/"}
    before = len(open_site.journal.events)
    SAML.ask(open_site, asked)
    (event,) = open_site.journal.events[before:]
    assert (event.name, event.code) == ("ticket.refused", "INVALID_SERVICE")
    assert asked["ticket"] not in repr(event)
