"""Reading back-channel messages: one ticket, or InvalidLogoutRequest."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.middleware.errors import InvalidLogoutRequest
from casduo.middleware.logout import MAX_BYTES, logout_message, session_index

LogoutRequest = Callable[[str], str]
NS = 'xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol"'


def test_the_ticket_is_found(logout_request: LogoutRequest) -> None:
    message = logout_message(logout_request("ST-1-abc").encode())
    assert message is not None
    assert session_index(message) == "ST-1-abc"


def test_a_session_may_have_begun_with_a_proxy_ticket(logout_request: LogoutRequest) -> None:
    message = logout_message(logout_request("PT-1-abc").encode())
    assert message is not None
    assert session_index(message) == "PT-1-abc"


def test_white_space_around_the_ticket_and_other_prefixes_are_read() -> None:
    message = (
        '<?xml version="1.0" encoding="UTF-8"?><LogoutRequest xmlns="urn:oasis:names:tc:SAML:2.0:protocol">'
        "<SessionIndex>\n ST-1-abc \n</SessionIndex></LogoutRequest>"
    )
    assert session_index(message) == "ST-1-abc"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"a=1&logoutRequest=%3Ca%2F%3E",
        b"logoutRequest=please",
        b"logoutRequest=",
        b"logoutRequestX=%3Ca%2F%3E",
        b"logoutRequest=%3C" + b"a" * MAX_BYTES,
    ],
)
def test_forms_of_the_application_are_none_of_ours(body: bytes) -> None:
    assert logout_message(body) is None


@pytest.mark.parametrize("body", [b"logoutRequest=%ff%fe", b"logoutRequest=\xff", b"logoutRequest=1" + b"&a=1" * 30])
def test_a_body_that_is_no_form_is_invalid(body: bytes) -> None:
    with pytest.raises(InvalidLogoutRequest):
        logout_message(body)


BOMB = (
    '<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
    f"<samlp:LogoutRequest {NS}><samlp:SessionIndex>&c;</samlp:SessionIndex></samlp:LogoutRequest>"
)


@pytest.mark.parametrize(
    "message",
    [
        pytest.param("<a", id="broken"),
        pytest.param(BOMB, id="entities"),
        pytest.param(
            '<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
            f"<samlp:LogoutRequest {NS}><samlp:SessionIndex>&x;</samlp:SessionIndex></samlp:LogoutRequest>",
            id="external entity",
        ),
        pytest.param(f"<!DOCTYPE l><samlp:LogoutRequest {NS}/>", id="document type"),
        pytest.param("<LogoutRequest><SessionIndex>ST-1</SessionIndex></LogoutRequest>", id="no namespace"),
        pytest.param(f"<samlp:LogoutRequest {NS}/>", id="no index"),
        pytest.param(
            f"<samlp:LogoutRequest {NS}><samlp:SessionIndex>ST-1</samlp:SessionIndex>"
            "<samlp:SessionIndex>ST-2</samlp:SessionIndex></samlp:LogoutRequest>",
            id="two indexes",
        ),
        pytest.param(
            f"<samlp:LogoutRequest {NS}><samlp:SessionIndex>hello</samlp:SessionIndex></samlp:LogoutRequest>",
            id="not a ticket",
        ),
        pytest.param(
            f"<samlp:LogoutRequest {NS}><samlp:SessionIndex>ST-1<b/></samlp:SessionIndex></samlp:LogoutRequest>",
            id="markup",
        ),
        pytest.param("<a>" * 10_000, id="deep"),
    ],
)
def test_anything_else_is_invalid(message: str) -> None:
    with pytest.raises(InvalidLogoutRequest):
        session_index(message)


@given(st.binary(max_size=200))
def test_random_forms_are_not_ours_or_invalid(tail: bytes) -> None:
    try:
        message = logout_message(b"logoutRequest=" + tail)
        assert message is None or session_index(message)
    except InvalidLogoutRequest:
        pass


@given(st.text(max_size=200))
def test_random_messages_are_invalid(text: str) -> None:
    try:
        body = f"logoutRequest={quote('<' + text, safe='')}".encode()
    except UnicodeEncodeError:
        return
    message = logout_message(body)
    assert message is not None
    with pytest.raises(InvalidLogoutRequest):
        session_index(message)
