"""Attributes as the unmodified python-cas reads them, whatever they hold, by CAS 2, CAS 3 and SAML 1.1."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import requests
from cas import CASClient, CASClientBase

from casduo.simulators.certificates import CertificateAuthority
from tests.support.served import Served, serving
from tests.support.visitor import Visitor

DISPLAY_NAME = 'Zoë O\'Łukasz & Söhne <R&D> "日本" 🎓 ]]> &amp; %41'
COURSES = ("Algebra", "Sets & <Maps>", "Übung; Teil 2", "--")

REGISTRY = f"""
services:
  - id: library
    name: Library catalogue
    url: https://library.example.edu/**
    attributes:
      mail: mail
      displayName: {{static: {json.dumps([DISPLAY_NAME], ensure_ascii=False)}}}
      course: {{static: {json.dumps(COURSES, ensure_ascii=False)}}}
      absent: absent
  - id: joined
    name: An application that takes one value
    url: https://joined.example.edu/**
    multivalue: 'join:|'
    attributes:
      course: {{static: {json.dumps(COURSES, ensure_ascii=False)}}}
  - id: first
    name: An application that takes the first value
    url: https://first.example.edu/**
    multivalue: first
    attributes:
      course: {{static: {json.dumps(COURSES, ensure_ascii=False)}}}
  - id: renamed
    name: An application that knows people by their addresses
    url: https://renamed.example.edu/**
    username_attribute: mail
    attributes: {{email: mail, team: groups}}
  - id: bare
    name: An application that learns a name
    url: https://bare.example.edu/**
"""
VERSIONS = pytest.mark.parametrize("version", [2, 3, "CAS_2_SAML_1_0"])


@pytest.fixture(scope="module")
def cas(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, authority: CertificateAuthority) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("cas"), valkey_url, tls=authority.issue(), registry=REGISTRY) as found:
        yield found


@pytest.fixture
def ada(cas: Served) -> Iterator[Visitor]:
    """Ada, who has signed in."""
    with Visitor(cas.ca) as visitor:
        visitor.submit(visitor.step(f"{cas.url}login"))
        yield visitor


@pytest.fixture
def session(cas: Served) -> Iterator[requests.Session]:
    with requests.Session() as found:
        found.trust_env = False
        found.verify = cas.ca
        yield found


def client_of(cas: Served, session: requests.Session, version: object, host: str) -> CASClientBase:
    service = f"https://{host}.example.edu/"
    return CASClient(
        version=version, service_url=service, server_url=cas.url, session=session, verify_ssl_certificate=cas.ca
    )


@VERSIONS
def test_values_arrive_as_they_are(cas: Served, session: requests.Session, ada: Visitor, version: object) -> None:
    client = client_of(cas, session, version, "library")
    user, attributes, _ = client.verify_ticket(ada.ticket(cas.url, client.service_url))
    assert user == "ada"
    assert attributes["mail"] == "ada@example.edu"
    assert attributes["displayName"] == DISPLAY_NAME
    assert attributes["course"] == list(COURSES)
    assert "absent" not in attributes


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize(("host", "told"), [("joined", "|".join(COURSES)), ("first", COURSES[0])])
def test_several_values_become_one_where_the_entry_says_so(
    cas: Served, session: requests.Session, ada: Visitor, version: int, host: str, told: str
) -> None:
    client = client_of(cas, session, version, host)
    _, attributes, _ = client.verify_ticket(ada.ticket(cas.url, client.service_url))
    assert attributes["course"] == told


@VERSIONS
def test_names_are_the_ones_of_the_entry(cas: Served, session: requests.Session, ada: Visitor, version: object) -> None:
    client = client_of(cas, session, version, "renamed")
    user, attributes, _ = client.verify_ticket(ada.ticket(cas.url, client.service_url))
    assert user == "ada@example.edu"
    assert (attributes["email"], attributes["team"]) == ("ada@example.edu", "students")
    assert "mail" not in attributes


def test_the_oldest_protocol_tells_the_name_that_the_entry_wants(
    cas: Served, session: requests.Session, ada: Visitor
) -> None:
    client = client_of(cas, session, 1, "renamed")
    assert client.verify_ticket(ada.ticket(cas.url, client.service_url)) == ("ada@example.edu", None, None)


@VERSIONS
def test_without_a_list_an_application_learns_of_the_sign_in_alone(
    cas: Served, session: requests.Session, ada: Visitor, version: object
) -> None:
    client = client_of(cas, session, version, "bare")
    user, attributes, _ = client.verify_ticket(ada.ticket(cas.url, client.service_url))
    assert user == "ada"
    assert set(attributes) == {"authenticationDate", "isFromNewLogin", "longTermAuthenticationRequestTokenUsed"}
