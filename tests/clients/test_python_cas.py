"""The unmodified python-cas, which Django applications use, against a real server over TLS: signing in, CAS 1 to 3."""

from __future__ import annotations

import json
from collections.abc import Iterator
from xml.etree.ElementTree import ParseError

import pytest
import requests
from cas import CASClient, CASClientBase

from tests.support.served import Served
from tests.support.visitor import Visitor, login_form, ticket_in

SERVICE = "https://library.example.edu/accounts/login?next=%2Fshelf%3Fa%3D1%26a%3D2"


@pytest.fixture
def visitor(served: Served) -> Iterator[Visitor]:
    with Visitor(served.ca) as found:
        yield found


def client_of(served: Served, version: object, service: str = SERVICE, **options: object) -> CASClientBase:
    return CASClient(
        version=version, service_url=service, server_url=served.url, verify_ssl_certificate=served.ca, **options
    )


def overheard(client: CASClientBase) -> list[requests.Response]:
    """Return a list to which every answer is added that the client gets from now on, with its request."""
    answers: list[requests.Response] = []

    def note(answer: requests.Response, *_: object, **__: object) -> None:
        assert answer.content
        answers.append(answer)

    client.session.hooks["response"].append(note)
    return answers


def sign_in(visitor: Visitor, client: CASClientBase, username: str = "ada") -> str:
    """Go where the client sends the browser, fill in the form if there is one, and return the ticket."""
    answer = visitor.step(client.get_login_url())
    if answer.status_code == 200:
        answer = visitor.submit(answer, username)
    assert answer.status_code in (302, 303)
    assert answer.headers["Location"].startswith(client.service_url)
    return ticket_in(answer.headers["Location"])


@pytest.mark.parametrize("version", [2, 3])
def test_the_client_learns_who_came_and_their_attributes(served: Served, visitor: Visitor, version: int) -> None:
    client = client_of(served, version)
    user, attributes, iou = client.verify_ticket(sign_in(visitor, client))
    assert (user, iou) == ("ada", None)
    assert attributes["mail"] == "ada@example.edu"
    assert attributes["displayName"] == "Ada L"
    assert attributes["groups"] == "students"
    assert attributes["isFromNewLogin"] == "true"
    assert attributes["longTermAuthenticationRequestTokenUsed"] == "false"


def test_the_oldest_protocol_tells_the_name(served: Served, visitor: Visitor) -> None:
    """The client compares what it reads with text, so it must be text to it: of other media types it compares bytes."""
    client = client_of(served, 1)
    answers = overheard(client)
    assert client.verify_ticket(sign_in(visitor, client)) == ("ada", None, None)
    assert answers[0].headers["Content-Type"] == "text/plain; charset=utf-8"
    assert answers[0].content == b"yes\nada\n"


def test_the_oldest_protocol_knows_one_failure(served: Served) -> None:
    client = client_of(served, 1)
    answers = overheard(client)
    assert client.verify_ticket("ST-1") == (None, None, None)
    assert (answers[0].status_code, answers[0].content) == (200, b"no\n\n")


@pytest.mark.parametrize("version", [2, 3])
def test_the_client_drops_the_reason_of_a_failure(served: Served, version: int) -> None:
    client = client_of(served, version)
    answers = overheard(client)
    assert client.verify_ticket("ST-1") == (None, {} if version == 3 else None, None)
    assert answers[0].status_code == 200
    assert b'code="INVALID_TICKET"' in answers[0].content


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_ticket_is_good_once(served: Served, visitor: Visitor, version: int) -> None:
    client = client_of(served, version)
    ticket = sign_in(visitor, client)
    assert client.verify_ticket(ticket)[0] == "ada"
    assert client.verify_ticket(ticket)[0] is None


@pytest.mark.parametrize("version", [1, 2, 3])
def test_another_application_gets_nothing_and_the_ticket_is_gone(
    served: Served, visitor: Visitor, version: int
) -> None:
    client = client_of(served, version)
    ticket = sign_in(visitor, client)
    assert client_of(served, version, "https://library.example.edu/other").verify_ticket(ticket)[0] is None
    assert client.verify_ticket(ticket)[0] is None


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize(
    "service",
    [
        "https://library.example.edu",
        "https://library.example.edu/?",
        "https://library.example.edu/a?x=1&x=2&y=",
        "https://library.example.edu/a?q=two words&r=1+1&s=%2B&t=50%25",
        "https://library.example.edu/Übung/日本?q=ü",
        "https://library.example.edu/%C3%9Cbung?q=%c3%bc",
        "https://library.example.edu:443/a",
        "https://LIBRARY.example.edu/a",
        "https://library.example.edu/a;v=1?b;c",
        "https://library.example.edu/a?next=https://library.example.edu/b%3Fc%3Dd",
    ],
)
def test_addresses_of_all_kinds_come_through(served: Served, visitor: Visitor, version: int, service: str) -> None:
    client = client_of(served, version, service)
    answer = visitor.submit(visitor.step(client.get_login_url()))
    assert answer.status_code == 303
    assert client.verify_ticket(ticket_in(answer.headers["Location"]))[0] == "ada"


@pytest.mark.parametrize("version", [2, 3])
def test_the_second_application_is_entered_without_a_password(served: Served, visitor: Visitor, version: int) -> None:
    sign_in(visitor, client_of(served, 3), "grace")
    client = client_of(served, version, "https://library.example.edu/second")
    user, attributes, _ = client.verify_ticket(sign_in(visitor, client, "nobody is asked"))
    assert user == "grace"
    assert attributes["isFromNewLogin"] == "false"


def test_renew_asks_again(served: Served, visitor: Visitor) -> None:
    sign_in(visitor, client_of(served, 3))
    client = client_of(served, 3, renew=True)
    assert login_form(visitor.step(client.get_login_url())) is not None
    _, attributes, _ = client.verify_ticket(sign_in(visitor, client))
    assert attributes["isFromNewLogin"] == "true"


def test_the_client_does_not_insist_on_renew_and_has_to_look_for_itself(served: Served, visitor: Visitor) -> None:
    """It never sends ``renew`` with a ticket, so whoever leaves it out of the address gets in without a password."""
    sign_in(visitor, client_of(served, 3))
    client = client_of(served, 3, renew=True)
    answers = overheard(client)
    user, attributes, _ = client.verify_ticket(visitor.ticket(served.url, SERVICE))
    assert "renew" not in answers[0].request.url
    assert (user, attributes["isFromNewLogin"]) == ("ada", "false")


def test_a_gateway_lets_strangers_return_without_a_ticket(served: Served, visitor: Visitor) -> None:
    client = client_of(served, 3, extra_login_params={"gateway": "true"})
    answer = visitor.step(client.get_login_url())
    assert (answer.status_code, answer.headers["Location"]) == (302, SERVICE)
    sign_in(visitor, client_of(served, 3))
    user, attributes, _ = client.verify_ticket(sign_in(visitor, client, "nobody is asked"))
    assert (user, attributes["isFromNewLogin"]) == ("ada", "false")


def test_json_is_nothing_the_client_reads(served: Served, visitor: Visitor) -> None:
    client = client_of(served, 3)
    answers = overheard(client)
    client.session.params = {"format": "JSON"}
    with pytest.raises(ParseError):
        client.verify_ticket(sign_in(visitor, client))
    told = json.loads(answers[0].content)["serviceResponse"]["authenticationSuccess"]
    assert told["user"] == "ada"
    assert told["attributes"]["groups"] == "students"
    assert told["attributes"]["isFromNewLogin"] is True


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_client_without_a_ticket_learns_nothing(served: Served, version: int) -> None:
    assert client_of(served, version).verify_ticket("")[0] is None


def test_the_session_cookie_is_for_https_only(served: Served, visitor: Visitor) -> None:
    sign_in(visitor, client_of(served, 3))
    cookie = next(cookie for cookie in visitor.http.cookies if cookie.name == "TGC-casduo")
    assert cookie.secure
    assert cookie.path == "/cas"
    assert cookie.expires is None
    assert cookie.has_nonstandard_attr("HttpOnly")


def test_the_certificate_is_looked_at(served: Served) -> None:
    client = CASClient(version=3, service_url=SERVICE, server_url=served.url)
    with pytest.raises(requests.exceptions.SSLError):
        client.verify_ticket("ST-1")
