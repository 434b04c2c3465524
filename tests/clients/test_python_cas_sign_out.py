"""Signing out with the unmodified python-cas: where it sends the browser, and the messages that it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs

import pytest
from cas import CASClient, CASClientV3, CASClientWithSAMLV1

from casduo.simulators.certificates import CertificateAuthority
from tests.clients import readers
from tests.clients.applications import Application, running
from tests.support.served import Served, serving_alone
from tests.support.visitor import Visitor, login_form

REGISTRY = """
services:
  - id: library
    name: Library catalogue
    url: https://localhost:*/library/**
  - id: reserve
    name: Reading room
    url: https://localhost:*/reserve/**
"""
ALL = pytest.mark.parametrize("version", [1, 2, 3, "CAS_2_SAML_1_0"])
ELSEWHERE = "https://library.example.edu.evil.example/bye"


@pytest.fixture(scope="module")
def cas(tmp_path_factory: pytest.TempPathFactory, authority: CertificateAuthority) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("cas")
    settings = f"outbound: {{ca_file: '{authority.ca_file}'}}\nlogout: {{legacy_url: as_service, wait: 1ms}}\n"
    tls = authority.issue()
    with serving_alone(directory, tls=tls, registry=REGISTRY, settings=settings, worker=True) as found:
        yield found


@pytest.fixture
def library(cas: Served, authority: CertificateAuthority) -> Iterator[Application]:
    application = Application("library", cas)
    with running(authority.issue(), application):
        yield application


def client_of(cas: Served, version: object, service: str) -> CASClientV3:
    return CASClient(version=version, service_url=service, server_url=cas.url, verify_ssl_certificate=cas.ca)


def enter(visitor: Visitor, application: Application, username: str = "ada") -> str:
    """Sign in at an application and return its cookie."""
    page = visitor.visit(application.url)
    shown = visitor.sign_in(page, username) if login_form(page) else page
    assert shown.json()["user"] == username
    return str(shown.cookies[application.name])


@ALL
def test_the_logout_address_of_the_client_signs_out_and_leads_back(
    cas: Served, ada: Visitor, library: Application, version: object
) -> None:
    enter(ada, library)
    client = client_of(cas, version, library.url)
    answer = ada.step(client.get_logout_url(f"{library.url}bye"))
    # Versions 1 and 2 name the address "url", as CAS 2.0 did; here a setting gives that its old meaning.
    assert ("&url=" in f"&{answer.url.partition('?')[2]}") is (version != 3)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"{library.url}bye")
    assert login_form(ada.step(client.get_login_url())) is not None


@ALL
def test_without_an_address_to_go_back_to_the_server_has_the_last_word(
    cas: Served, ada: Visitor, library: Application, version: object
) -> None:
    enter(ada, library)
    client = client_of(cas, version, library.url)
    assert ada.step(client.get_logout_url()).status_code == 200
    assert login_form(ada.step(client.get_login_url())) is not None


@ALL
def test_nobody_is_led_to_an_address_that_is_not_registered(
    cas: Served, ada: Visitor, library: Application, version: object
) -> None:
    enter(ada, library)
    client = client_of(cas, version, library.url)
    answer = ada.step(client.get_logout_url(ELSEWHERE))
    assert answer.status_code == 200
    assert "evil.example" not in answer.text
    assert login_form(ada.step(client.get_login_url())) is not None


@pytest.mark.parametrize(("version", "goes_on"), [(1, False), (2, False), (3, True), ("CAS_2_SAML_1_0", False)])
def test_by_default_the_old_parameter_leads_nowhere(served: Served, version: object, goes_on: bool) -> None:
    client = client_of(served, version, "https://library.example.edu/")
    with Visitor(served.ca) as ada:
        ada.submit(ada.step(client.get_login_url()))
        answer = ada.step(client.get_logout_url("https://library.example.edu/bye"))
        assert answer.status_code == (302 if goes_on else 200)
        assert answer.headers.get("Location") == ("https://library.example.edu/bye" if goes_on else None)
        assert login_form(ada.step(client.get_login_url())) is not None


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_ticket_that_nobody_validated_ends_with_the_session(served: Served, version: int) -> None:
    client = client_of(served, version, "https://library.example.edu/")
    with Visitor(served.ca) as ada:
        ada.submit(ada.step(client.get_login_url()))
        ticket = ada.ticket(served.url, client.service_url)
        ada.step(client.get_logout_url())
    assert client.verify_ticket(ticket)[0] is None


def test_the_application_is_told_and_ends_the_session_it_was_told_of(
    cas: Served, ada: Visitor, grace: Visitor, library: Application
) -> None:
    cookie, other = enter(ada, library), enter(grace, library, "grace")
    entered, _ = library.entered
    ada.step(f"{cas.url}logout")
    library.wait_until_told(entered.ticket)
    assert not library.knows(cookie)
    assert library.knows(other)
    assert login_form(ada.visit(library.url)) is not None
    assert grace.visit(library.url).json()["user"] == "grace"
    assert len(library.messages) == 1


def test_the_message_is_one_that_the_client_reads(cas: Served, ada: Visitor, library: Application) -> None:
    enter(ada, library)
    (entered,) = library.entered
    ada.step(f"{cas.url}logout")
    library.wait_until_told(entered.ticket)
    ((kind, body),) = library.messages
    assert kind == "application/x-www-form-urlencoded"
    assert len(body) < 1024
    ((name, (message,)),) = parse_qs(body.decode("ascii"), strict_parsing=True).items()
    assert name == "logoutRequest"
    for told in (message, message.encode()):
        (index,) = CASClientV3.get_saml_slos(told)
        assert index.text == entered.ticket
        for client in (CASClientV3, CASClientWithSAMLV1):
            assert client.verify_logout_request(told, entered.ticket)
            assert not client.verify_logout_request(told, "ST-1")


def test_the_message_is_one_that_pickier_clients_read_too(cas: Served, ada: Visitor, library: Application) -> None:
    enter(ada, library)
    (entered,) = library.entered
    ada.step(f"{cas.url}logout")
    library.wait_until_told(entered.ticket)
    ((_, body),) = library.messages
    for read in (readers.phpcas_sign_out, readers.rubycas_sign_out, readers.mod_auth_cas_sign_out):
        assert read(body) == entered.ticket
    assert readers.java_sign_out(parse_qs(body.decode())["logoutRequest"][0]) == entered.ticket


def test_the_client_shrugs_off_what_is_no_message() -> None:
    """A limit of the client: it says nothing of who sent a message, and takes one for good that names a ticket."""
    assert CASClientV3.get_saml_slos("no message") is None
    assert not CASClientV3.verify_logout_request("no message", "ST-1")
    forged = '<a xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"><samlp:SessionIndex>ST-1</samlp:SessionIndex></a>'
    assert CASClientV3.verify_logout_request(forged, "ST-1")


def test_every_application_and_every_ticket_of_the_session_is_named(
    cas: Served, authority: CertificateAuthority, ada: Visitor, library: Application
) -> None:
    reserve = Application("reserve", cas)
    with running(authority.issue(), reserve):
        enter(ada, library)
        ada.http.cookies.clear("localhost.local", "/", "library")
        enter(ada, library)
        enter(ada, reserve)
        ada.step(f"{cas.url}logout")
        first, second = library.entered
        assert first.ticket != second.ticket
        library.wait_until_told(first.ticket, second.ticket)
        reserve.wait_until_told(reserve.entered[0].ticket)
    assert (len(library.messages), len(reserve.messages)) == (2, 1)


def test_an_application_that_saw_a_ticket_refused_is_not_told(
    cas: Served, authority: CertificateAuthority, ada: Visitor, library: Application
) -> None:
    reserve = Application("reserve", cas)
    with running(authority.issue(), reserve):
        enter(ada, library)
        assert ada.step(f"{reserve.url}?ticket={ada.ticket(cas.url, library.url)}").status_code == 403
        ada.step(f"{cas.url}logout")
        library.wait_until_told(library.entered[0].ticket)
    assert reserve.messages == []


def test_somebody_else_who_signs_in_ends_the_session_before(cas: Served, ada: Visitor, library: Application) -> None:
    enter(ada, library)
    (entered,) = library.entered
    page = ada.visit(f"{cas.url}login", params={"service": library.url, "renew": "true"})
    ada.submit(page, "grace")
    library.wait_until_told(entered.ticket)


def test_who_signs_in_again_is_known_again(cas: Served, ada: Visitor, library: Application) -> None:
    first = enter(ada, library)
    ada.step(f"{cas.url}logout")
    library.wait_until_told(library.entered[0].ticket)
    second = enter(ada, library)
    assert not library.knows(first)
    assert library.knows(second)
