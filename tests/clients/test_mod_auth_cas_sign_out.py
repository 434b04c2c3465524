"""Single sign-out: Apache with the unmodified mod_auth_cas ends its own session when the server's session ends."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
import requests

from casduo.simulators.certificates import CertificateAuthority
from tests.support.apache import PROTECTED, Apache, Host, apache, variables
from tests.support.served import Served, serving_alone
from tests.support.visitor import Visitor, login_form, ticket_in

REGISTRY = """
services:
  - id: library
    name: Library catalogue
    url: [https://localhost:*/library/**, https://localhost:*/reserve/**]
"""
HOST = Host({"/library/": PROTECTED, "/reserve/": PROTECTED}, directives=["CASSSOEnabled On"])


@pytest.fixture(scope="module")
def cas(tmp_path_factory: pytest.TempPathFactory, authority: CertificateAuthority) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("cas")
    settings = f"outbound: {{ca_file: '{authority.ca_file}'}}\n"
    tls = authority.issue()
    with serving_alone(directory, tls=tls, registry=REGISTRY, settings=settings, worker=True) as found:
        yield found


@pytest.fixture(scope="module")
def httpd(cas: Served, authority: CertificateAuthority) -> Iterator[Apache]:
    with apache(cas.url, authority.issue(), [HOST]) as found:
        yield found


@pytest.fixture
def library(httpd: Apache) -> str:
    return f"{httpd.urls[0]}/library/"


def enter(visitor: Visitor, address: str, username: str) -> str:
    """Sign in at an address of Apache and return the ticket that Apache validated."""
    shown = visitor.sign_in(visitor.visit(address), username)
    assert variables(shown)["REMOTE_USER"] == username
    return ticket_in(visitor.path[-2])


def is_known(visitor: Visitor, address: str) -> bool:
    """Say whether Apache still has a session for the visitor: a page, and no redirect to the server."""
    status = visitor.step(address).status_code
    assert status in (200, 302)
    return status == 200


def wait_until_forgotten(visitor: Visitor, *addresses: str) -> None:
    """Give the message ten seconds to travel from the server to Apache."""
    deadline = time.monotonic() + 30
    while any(is_known(visitor, address) for address in addresses):
        assert time.monotonic() < deadline, "Apache's session outlived the server's"
        time.sleep(0.05)


def logout_message(ticket: str) -> str:
    return (
        '<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="LR-1" Version="2.0"'
        ' IssueInstant="2026-03-04T05:06:07Z"><saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">'
        f"@NOT_USED@</saml:NameID><samlp:SessionIndex>{ticket}</samlp:SessionIndex></samlp:LogoutRequest>"
    )


def test_the_message_of_the_protocol_ends_the_session_it_names_and_no_other(
    cas: Served, library: str, ada: Visitor, grace: Visitor
) -> None:
    ticket, _ = enter(ada, library, "ada"), enter(grace, library, "grace")
    message = {"logoutRequest": logout_message(ticket)}
    answer = requests.post(library, message, verify=cas.ca, allow_redirects=False, timeout=10)
    # The module acts on the message and sends its bearer to the login page all the same.
    assert answer.status_code == 302
    assert not is_known(ada, library)
    assert is_known(grace, library)


def test_signing_out_at_the_server_ends_the_session_of_apache(
    cas: Served, library: str, ada: Visitor, grace: Visitor
) -> None:
    enter(ada, library, "ada")
    enter(grace, library, "grace")
    assert ada.visit(f"{cas.url}logout").status_code == 200
    wait_until_forgotten(ada, library)
    assert login_form(ada.visit(library)) is not None
    assert is_known(grace, library)


def test_every_place_of_the_session_is_told(cas: Served, httpd: Apache, library: str, ada: Visitor) -> None:
    reserve = f"{httpd.urls[0]}/reserve/?shelf=two%20words&a=1&a=2"
    enter(ada, library, "ada")
    assert variables(ada.visit(reserve))["REMOTE_USER"] == "ada"
    ada.visit(f"{cas.url}logout")
    wait_until_forgotten(ada, library, reserve)


def test_who_signs_in_again_is_known_again(cas: Served, library: str, ada: Visitor) -> None:
    enter(ada, library, "ada")
    ada.visit(f"{cas.url}logout")
    wait_until_forgotten(ada, library)
    enter(ada, library, "ada")
    assert is_known(ada, library)
