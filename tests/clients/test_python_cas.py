"""The unmodified python-cas, which Django applications use, against a real server over TLS."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from bs4 import BeautifulSoup
from cas import CASClient, CASClientBase

from tests.support.served import Served
from tests.support.site import PASSWORDS

SERVICE = "https://library.example.edu/accounts/login?next=%2Fshelf%3Fa%3D1%26a%3D2"


@pytest.fixture
def browser(served: Served) -> Iterator[requests.Session]:
    with requests.Session() as session:
        # Otherwise a bundle named in the environment would win over ours.
        session.trust_env = False
        session.verify = served.ca
        yield session


def client_of(served: Served, version: object, service: str = SERVICE, **options: object) -> CASClientBase:
    return CASClient(
        version=version, service_url=service, server_url=served.url, verify_ssl_certificate=served.ca, **options
    )


def sign_in(browser: requests.Session, client: CASClientBase, username: str = "ada") -> str:
    """Go where the client sends the browser, fill in the form, and return the ticket it comes back with."""
    page = browser.get(client.get_login_url(), allow_redirects=False, timeout=10)
    if page.status_code == 200:
        form = BeautifulSoup(page.text, "html.parser").find("form", id="login")
        fields = {
            field["name"]: field.get("value", "") for field in form.find_all("input") if field.get("name") != "warn"
        }
        fields |= {"username": username, "password": PASSWORDS[username]}
        address = requests.compat.urljoin(page.url, form["action"])
        page = browser.post(address, fields, allow_redirects=False, timeout=10)
    assert page.status_code in (302, 303)
    location = page.headers["Location"]
    assert location.startswith(client.service_url)
    return parse_qs(urlsplit(location).query)["ticket"][0]


@pytest.mark.parametrize("version", [2, 3])
def test_the_client_learns_who_came_and_their_attributes(
    served: Served, browser: requests.Session, version: int
) -> None:
    client = client_of(served, version)
    user, attributes, iou = client.verify_ticket(sign_in(browser, client))
    assert (user, iou) == ("ada", None)
    assert attributes["mail"] == "ada@example.edu"
    assert attributes["displayName"] == "Ada L"
    assert attributes["groups"] == "students"
    assert attributes["isFromNewLogin"] == "true"
    assert attributes["longTermAuthenticationRequestTokenUsed"] == "false"


def test_the_oldest_protocol_tells_the_name(served: Served, browser: requests.Session) -> None:
    client = client_of(served, 1)
    assert client.verify_ticket(sign_in(browser, client)) == ("ada", None, None)
    assert client.verify_ticket("ST-1") == (None, None, None)


@pytest.mark.parametrize("version", [1, 2, 3])
def test_a_ticket_is_good_once(served: Served, browser: requests.Session, version: int) -> None:
    client = client_of(served, version)
    ticket = sign_in(browser, client)
    assert client.verify_ticket(ticket)[0] == "ada"
    assert client.verify_ticket(ticket)[0] is None


@pytest.mark.parametrize("version", [1, 2, 3])
def test_another_application_gets_nothing_and_the_ticket_is_gone(
    served: Served, browser: requests.Session, version: int
) -> None:
    client = client_of(served, version)
    ticket = sign_in(browser, client)
    assert client_of(served, version, "https://library.example.edu/other").verify_ticket(ticket)[0] is None
    assert client.verify_ticket(ticket)[0] is None


@pytest.mark.parametrize("version", [2, 3])
def test_the_second_application_is_entered_without_a_password(
    served: Served, browser: requests.Session, version: int
) -> None:
    sign_in(browser, client_of(served, 3), "grace")
    client = client_of(served, version, "https://library.example.edu/second")
    user, attributes, _ = client.verify_ticket(sign_in(browser, client, "nobody is asked"))
    assert user == "grace"
    assert attributes["isFromNewLogin"] == "false"


def test_renew_asks_again(served: Served, browser: requests.Session) -> None:
    sign_in(browser, client_of(served, 3))
    client = client_of(served, 3, renew=True)
    _, attributes, _ = client.verify_ticket(sign_in(browser, client))
    assert attributes["isFromNewLogin"] == "true"


def test_a_client_that_wants_to_proxy_is_refused(served: Served, browser: requests.Session) -> None:
    client = client_of(served, 3, proxy_callback="https://library.example.edu/pgt")
    assert client.verify_ticket(sign_in(browser, client)) == (None, {}, None)


@pytest.mark.parametrize(("version", "goes_on"), [(1, False), (2, False), (3, True)])
def test_the_logout_address_of_the_client_signs_out(
    served: Served, browser: requests.Session, version: int, goes_on: bool
) -> None:
    client = client_of(served, version)
    ticket = sign_in(browser, client)
    address = client.get_logout_url("https://library.example.edu/bye")
    answer = browser.get(address, allow_redirects=False, timeout=10)
    # Versions 1 and 2 name the address "url", which the protocol has ignored since 3.0.
    assert answer.status_code == (302 if goes_on else 200)
    assert answer.headers.get("Location") == ("https://library.example.edu/bye" if goes_on else None)
    assert client.verify_ticket(ticket)[0] is None
    assert browser.get(client.get_login_url(), allow_redirects=False, timeout=10).status_code == 200


def test_the_session_cookie_is_for_https_only(served: Served, browser: requests.Session) -> None:
    sign_in(browser, client_of(served, 3))
    cookie = next(cookie for cookie in browser.cookies if cookie.name == "TGC-casduo")
    assert cookie.secure
    assert cookie.path == "/cas"
    assert cookie.expires is None
    assert cookie.has_nonstandard_attr("HttpOnly")


def test_the_certificate_is_looked_at(served: Served) -> None:
    client = CASClient(version=3, service_url=SERVICE, server_url=served.url)
    with pytest.raises(requests.exceptions.SSLError):
        client.verify_ticket("ST-1")
