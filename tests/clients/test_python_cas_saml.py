"""The unmodified python-cas, validating by SAML 1.1, against a real server over TLS."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests
from cas import CASClient, CASClientWithSAMLV1

from tests.support.served import Served
from tests.support.visitor import Visitor, login_form, ticket_in

SERVICE = "https://library.example.edu/accounts/login?next=%2Fshelf%3Fa%3D1%26a%3D2"
VERSION = "CAS_2_SAML_1_0"


@pytest.fixture
def visitor(served: Served) -> Iterator[Visitor]:
    with Visitor(served.ca) as found:
        yield found


@pytest.fixture
def session(served: Served) -> Iterator[requests.Session]:
    """Connections of the client, which hands its own setting for certificates on by every way but this one."""
    with requests.Session() as found:
        found.trust_env = False
        found.verify = served.ca
        yield found


def client_of(
    served: Served, session: requests.Session, service: str = SERVICE, **options: object
) -> CASClientWithSAMLV1:
    return CASClient(version=VERSION, service_url=service, server_url=served.url, session=session, **options)


def sign_in(visitor: Visitor, client: CASClientWithSAMLV1, username: str = "ada") -> str:
    """Go where the client sends the browser, fill in the form if there is one, and return the ticket."""
    answer = visitor.step(client.get_login_url())
    if answer.status_code == 200:
        answer = visitor.submit(answer, username)
    return ticket_in(answer.headers["Location"])


def test_the_client_learns_who_came_and_their_attributes(
    served: Served, visitor: Visitor, session: requests.Session
) -> None:
    client = client_of(served, session)
    user, attributes, iou = client.verify_ticket(sign_in(visitor, client))
    assert (user, iou) == ("ada", None)
    assert attributes["mail"] == "ada@example.edu"
    assert attributes["displayName"] == "Ada L"
    assert attributes["groups"] == "students"
    assert attributes["isFromNewLogin"] == "true"
    assert attributes["longTermAuthenticationRequestTokenUsed"] == "false"


def test_an_attribute_can_be_the_name(served: Served, visitor: Visitor, session: requests.Session) -> None:
    client = client_of(served, session, username_attribute="mail")
    user, attributes, _ = client.verify_ticket(sign_in(visitor, client))
    assert user == attributes["uid"] == "ada@example.edu"


@pytest.mark.parametrize(
    "service",
    [
        "https://library.example.edu",
        "https://library.example.edu/a?x=1&x=2&y=",
        "https://library.example.edu/a?q=two words&r=1+1&s=%2B",
        "https://library.example.edu/Übung/日本?q=ü",
    ],
)
def test_addresses_of_all_kinds_come_through(
    served: Served, visitor: Visitor, session: requests.Session, service: str
) -> None:
    client = client_of(served, session, service)
    assert client.verify_ticket(sign_in(visitor, client))[0] == "ada"


def test_a_ticket_is_good_once(served: Served, visitor: Visitor, session: requests.Session) -> None:
    client = client_of(served, session)
    ticket = sign_in(visitor, client)
    assert client.verify_ticket(ticket)[0] == "ada"
    assert client.verify_ticket(ticket) == (None, {}, None)


def test_another_application_gets_nothing_and_the_ticket_is_gone(
    served: Served, visitor: Visitor, session: requests.Session
) -> None:
    client = client_of(served, session)
    ticket = sign_in(visitor, client)
    assert client_of(served, session, "https://library.example.edu/other").verify_ticket(ticket) == (None, {}, None)
    assert client.verify_ticket(ticket) == (None, {}, None)


@pytest.mark.parametrize("ticket", ["ST-1", "ST-aaaa-aaaaaaaaaaaaaaaaaaaaaaaa", "PT-aaaa-aaaaaaaaaaaaaaaaaaaaaaaa", ""])
def test_a_forged_ticket_names_nobody(served: Served, session: requests.Session, ticket: str) -> None:
    assert client_of(served, session).verify_ticket(ticket) == (None, {}, None)


def test_markup_in_a_ticket_does_not_choose_another_one(
    served: Served, visitor: Visitor, session: requests.Session
) -> None:
    """The client puts tickets into its message as they come."""
    client = client_of(served, session)
    ticket = sign_in(visitor, client)
    smuggled = f"ST-1</samlp:AssertionArtifact><samlp:AssertionArtifact>{ticket}"
    assert client.verify_ticket(smuggled) == (None, {}, None)
    assert client.verify_ticket(ticket)[0] == "ada"


def test_renew_asks_again(served: Served, visitor: Visitor, session: requests.Session) -> None:
    sign_in(visitor, client_of(served, session))
    client = client_of(served, session, renew=True)
    assert login_form(visitor.step(client.get_login_url())) is not None
    _, attributes, _ = client.verify_ticket(sign_in(visitor, client))
    assert attributes["isFromNewLogin"] == "true"


def test_the_certificate_is_looked_at_whatever_the_client_is_told(served: Served) -> None:
    """With SAML the client passes its option for certificates on to nobody: a session that trusts the server must."""
    client = CASClient(version=VERSION, service_url=SERVICE, server_url=served.url, verify_ssl_certificate=served.ca)
    client.session.trust_env = False
    with pytest.raises(requests.exceptions.SSLError):
        client.verify_ticket("ST-1")
