"""The sign-out message to the byte, and read as the clients read it that are picky about each detail."""

from __future__ import annotations

import base64
import re
import zlib
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlsplit

import pytest
from cas import CASClient
from hypothesis import given
from hypothesis import strategies as st

from casduo.middleware.logout import logout_message, session_index
from casduo.protocol.slo import front_channel_url, logout_body, logout_request, new_message_id
from casduo.services.model import RegisteredService
from casduo.tickets.ids import TicketKind, new_session_id, new_ticket_id
from casduo.tickets.model import Visit

TICKET = "ST-a1B2-0123456789abcdefghijklmn"
NOW = 1_772_600_767.9
MESSAGE = (
    '<samlp:LogoutRequest xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" ID="LR-7" Version="2.0" '
    'IssueInstant="2026-03-04T05:06:07Z"><saml:NameID xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion">@NOT_USED@'
    f"</saml:NameID><samlp:SessionIndex>{TICKET}</samlp:SessionIndex></samlp:LogoutRequest>"
)


def service(**logout: Any) -> RegisteredService:
    fields = {"id": "library", "name": "Library", "url": "https://library.example.edu/**", "logout": logout}
    return RegisteredService.model_validate(fields)


def python_cas_finds(message: str) -> list[str]:
    client = CASClient(version=3, service_url="https://library.example.edu/", server_url="https://sso.example.edu/cas/")
    return [index.text for index in client.get_saml_slos(message)]


def test_the_message_to_the_byte() -> None:
    assert logout_request(TICKET, "LR-7", NOW) == MESSAGE


def test_the_body_is_one_field_and_short() -> None:
    body = logout_body(TICKET, "LR-7", NOW)
    assert body.startswith(b"logoutRequest=%3Csamlp%3ALogoutRequest%20")
    assert parse_qsl(body.decode()) == [("logoutRequest", MESSAGE)]
    assert len(body) < 500


@pytest.mark.parametrize("kind", [TicketKind.SERVICE, TicketKind.PROXY])
def test_the_body_fits_into_the_buffer_of_mod_auth_cas(kind: TicketKind) -> None:
    ours = str(new_ticket_id(kind, new_session_id()))
    longest_there_may_be = "ST-" + "x" * 253
    for ticket in (ours, longest_there_may_be):
        assert len(logout_body(ticket, new_message_id(), NOW)) < 1024


def test_python_cas_finds_the_ticket() -> None:
    assert python_cas_finds(MESSAGE) == [TICKET]


def test_the_middleware_finds_the_ticket() -> None:
    message = logout_message(logout_body(TICKET, "LR-7", NOW))
    assert message is not None
    assert session_index(message) == TICKET


def test_clients_that_search_the_text_find_the_ticket() -> None:
    # The searches that phpCAS and rubycas-client make, the first one after it has decoded the field twice.
    twice = unquote_plus(unquote_plus(logout_body(TICKET, "LR-7", NOW).decode().partition("=")[2]))
    assert re.findall(r"<samlp:SessionIndex>(.*)</samlp:SessionIndex>", twice) == [TICKET]
    assert re.match(r"^<samlp:LogoutRequest.*?<samlp:SessionIndex>(.*)</samlp:SessionIndex>", twice)


@given(st.text(max_size=40))
def test_whatever_the_name_is_the_message_stays_readable(name: str) -> None:
    message = logout_request(TICKET, "LR-7", NOW, name)
    assert message.isascii()
    assert not re.search(r"[+%\s]", message.replace(" ", ""))
    assert unquote_plus(message) == message
    assert session_index(message) == TICKET
    assert python_cas_finds(message) == [TICKET]


@pytest.mark.parametrize("text", ["", "ST-1 2", "ST-1<", 'ST-"', "ST-ü", "ST-1\n"])
def test_what_cannot_be_an_id_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="ids have"):
        logout_request(text, "LR-7", NOW)
    with pytest.raises(ValueError, match="ids have"):
        logout_request(TICKET, text, NOW)


def test_message_ids_differ_and_are_names_in_xml() -> None:
    ids = {new_message_id() for _ in range(1000)}
    assert len(ids) == 1000
    assert all(re.fullmatch(r"LR-[A-Za-z0-9]{22}", one) for one in ids)


@pytest.mark.parametrize(
    ("address", "begins"),
    [
        ("https://library.example.edu/out", "https://library.example.edu/out?callback="),
        ("https://library.example.edu", "https://library.example.edu?callback="),
        ("https://library.example.edu/?a=1&a=2", "https://library.example.edu/?a=1&a=2&callback="),
        ("https://library.example.edu/?", "https://library.example.edu/?callback="),
        ("https://library.example.edu/?a=1&", "https://library.example.edu/?a=1&callback="),
        ("https://library.example.edu/?next=/a?", "https://library.example.edu/?next=/a?&callback="),
        ("https://library.example.edu/#top", "https://library.example.edu/?callback="),
    ],
)
def test_by_the_browser_the_message_goes_behind_what_the_address_has(address: str, begins: str) -> None:
    url = front_channel_url(Visit(TICKET, address, "library"), service(type="front_channel"), NOW)
    assert url is not None
    assert url.startswith(begins)


def test_by_the_browser_the_message_is_packed_as_java_unpacks_it() -> None:
    address = "https://library.example.edu/out?a=%2B"
    url = front_channel_url(
        Visit(TICKET, "https://elsewhere/", "library"), service(type="front_channel", url=address), NOW
    )
    assert url is not None
    fields = dict(parse_qsl(urlsplit(url).query))
    assert re.fullmatch("[a-z]+", fields["callback"])
    message = zlib.decompress(base64.b64decode(fields["logoutRequest"], validate=True)).decode()
    assert session_index(message) == TICKET
    assert TICKET not in url


@pytest.mark.parametrize(
    "entry",
    [service(), service(type="none"), service(type="back_channel", url="https://library.example.edu/out")],
    ids=["default", "none", "back_channel"],
)
def test_nothing_goes_by_the_browser_unless_the_entry_says_so(entry: RegisteredService) -> None:
    assert front_channel_url(Visit(TICKET, "https://library.example.edu/", "library"), entry, NOW) is None


def test_nothing_goes_by_the_browser_to_where_the_entry_no_longer_leads() -> None:
    visit = Visit(TICKET, "https://old.example.edu/", "library")
    assert front_channel_url(visit, service(type="front_channel"), NOW) is None
