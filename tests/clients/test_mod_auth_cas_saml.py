"""Apache with the unmodified mod_auth_cas, validating by SAML 1.1, against a real server over TLS."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime

import pytest

from casduo.simulators.certificates import CertificateAuthority
from tests.support.apache import PROTECTED, Apache, Host, apache, variables
from tests.support.served import Served, serving
from tests.support.visitor import Visitor, login_form

DISPLAY_NAME = 'Zoë O\'Łukasz & Söhne <R&D> "日本" 🎓'
COURSES = ("Algebra", "Sets & <Maps>", "Übung; Teil 2")

REGISTRY = f"""
services:
  - id: library
    name: Library catalogue
    url: [https://localhost:*/library/**, https://localhost:*/students/**, https://localhost:*/exam/**]
    attributes:
      mail: mail
      groups: groups
      displayName: {{static: {json.dumps([DISPLAY_NAME], ensure_ascii=False)}}}
      course: {{static: {json.dumps(COURSES, ensure_ascii=False)}}}
  - id: bare
    name: A service that learns a name and nothing else
    url: https://localhost:*/bare/**
"""
HEADERS = ("CASAuthNHeader Cas-Person", "CASScrubRequestHeaders On")
HOST = Host(
    {
        "/library/": [*PROTECTED, *HEADERS],
        "/students/": ["AuthType CAS", *HEADERS, "Require cas-attribute groups:students"],
        "/exam/": [*PROTECTED, *HEADERS, "CASRenew /exam/"],
        "/bare/": [*PROTECTED, *HEADERS],
    },
    directives=["CASVersion 2", "CASValidateSAML On", 'CASAttributeDelimiter " | "'],
    validate="samlValidate",
)


@pytest.fixture(scope="module")
def cas(tmp_path_factory: pytest.TempPathFactory, valkey_url: str, authority: CertificateAuthority) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("cas"), valkey_url, tls=authority.issue(), registry=REGISTRY) as found:
        yield found


@pytest.fixture(scope="module")
def httpd(cas: Served, authority: CertificateAuthority) -> Iterator[Apache]:
    with apache(cas.url, authority.issue(), [HOST]) as found:
        yield found


@pytest.fixture
def visitor(cas: Served) -> Iterator[Visitor]:
    with Visitor(cas.ca) as found:
        yield found


def test_name_and_attributes_arrive_whatever_characters_they_hold(visitor: Visitor, httpd: Apache) -> None:
    shown = variables(visitor.sign_in(visitor.visit(f"{httpd.urls[0]}/library/")))
    assert (shown["REMOTE_USER"], shown["HTTP_CAS_PERSON"]) == ("ada", "ada")
    assert shown["HTTP_CAS_MAIL"] == "ada@example.edu"
    assert shown["HTTP_CAS_GROUPS"] == "students"
    assert shown["HTTP_CAS_DISPLAYNAME"] == DISPLAY_NAME
    assert shown["HTTP_CAS_COURSE"] == " | ".join(COURSES)


def test_the_assertion_says_how_and_when_the_person_signed_in(visitor: Visitor, httpd: Apache) -> None:
    shown = variables(visitor.sign_in(visitor.visit(f"{httpd.urls[0]}/library/")))
    # The module hands the XML attributes of the AuthenticationStatement on like the person's own.
    assert shown["HTTP_CAS_AUTHENTICATIONMETHOD"] == "urn:oasis:names:tc:SAML:1.0:am:password"
    assert datetime.fromisoformat(shown["HTTP_CAS_AUTHENTICATIONINSTANT"]).utcoffset() is not None
    assert shown["HTTP_CAS_ISFROMNEWLOGIN"] == "true"
    assert shown["HTTP_CAS_LONGTERMAUTHENTICATIONREQUESTTOKENUSED"] == "false"


def test_a_service_without_attributes_learns_the_name(visitor: Visitor, httpd: Apache) -> None:
    shown = variables(visitor.sign_in(visitor.visit(f"{httpd.urls[0]}/bare/"), "grace"))
    assert shown["REMOTE_USER"] == "grace"
    assert "HTTP_CAS_MAIL" not in shown


@pytest.mark.parametrize(("username", "status"), [("ada", 200), ("grace", 401)])
def test_an_attribute_can_be_required(visitor: Visitor, httpd: Apache, username: str, status: int) -> None:
    shown = visitor.sign_in(visitor.visit(f"{httpd.urls[0]}/students/"), username)
    assert shown.status_code == status


@pytest.mark.parametrize(
    "asked", ["?a=1&a=2", "?q=two+words&r=B%C3%BCcher%20neu", "?next=https%3A%2F%2Fexample.org%2F"]
)
def test_the_address_asked_for_survives(visitor: Visitor, httpd: Apache, asked: str) -> None:
    shown = variables(visitor.sign_in(visitor.visit(f"{httpd.urls[0]}/library/{asked}")))
    assert (shown["REMOTE_USER"], shown["REQUEST_URI"]) == ("ada", f"/library/{asked}")


def test_the_second_place_is_entered_without_a_password(visitor: Visitor, httpd: Apache) -> None:
    visitor.sign_in(visitor.visit(f"{httpd.urls[0]}/library/"))
    shown = variables(visitor.visit(f"{httpd.urls[0]}/students/"))
    assert (shown["REMOTE_USER"], shown["HTTP_CAS_ISFROMNEWLOGIN"]) == ("ada", "false")


def test_renew_asks_for_the_password_again(visitor: Visitor, httpd: Apache) -> None:
    visitor.sign_in(visitor.visit(f"{httpd.urls[0]}/library/"))
    page = visitor.visit(f"{httpd.urls[0]}/exam/")
    assert login_form(page) is not None
    shown = variables(visitor.sign_in(page))
    assert (shown["REMOTE_USER"], shown["HTTP_CAS_ISFROMNEWLOGIN"]) == ("ada", "true")


def test_a_ticket_without_a_password_is_refused_where_renew_is_demanded(
    visitor: Visitor, cas: Served, httpd: Apache
) -> None:
    address = f"{httpd.urls[0]}/exam/"
    visitor.sign_in(visitor.visit(f"{httpd.urls[0]}/library/"))
    assert visitor.visit(f"{address}?ticket={visitor.ticket(cas.url, address)}").status_code == 401


@pytest.mark.parametrize("ticket", ["ST-1", "ST-aaaa-aaaaaaaaaaaaaaaaaaaaaaaa", "PT-aaaa-aaaaaaaaaaaaaaaaaaaaaaaa"])
def test_a_forged_ticket_opens_nothing(visitor: Visitor, httpd: Apache, ticket: str) -> None:
    assert visitor.visit(f"{httpd.urls[0]}/library/?ticket={ticket}").status_code == 401


def test_a_ticket_is_good_once(visitor: Visitor, cas: Served, httpd: Apache) -> None:
    address = f"{httpd.urls[0]}/library/"
    visitor.sign_in(visitor.visit(address))
    shown_twice = f"{address}?ticket={visitor.ticket(cas.url, address)}"
    with Visitor(cas.ca) as first, Visitor(cas.ca) as second:
        assert variables(first.visit(shown_twice))["REMOTE_USER"] == "ada"
        assert second.visit(shown_twice).status_code == 401
