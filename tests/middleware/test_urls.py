"""Addresses: the same bytes to login and to validation, only our own parameters taken away."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.test import create_environ

from casduo.middleware.errors import AddressTooLong, UnknownHost
from casduo.middleware.urls import (
    Check,
    login_url,
    logout_url,
    proxy_url,
    public_address,
    take_check,
    take_ticket,
    validation_url,
    with_check,
    without_tickets,
)

APP = "https://app.example.edu"


def environ(path: str = "/", query: str = "", **more: Any) -> dict[str, Any]:
    made = create_environ("/", base_url="http://inner.internal:8080/")
    made.pop("REQUEST_URI", None)
    made.pop("RAW_URI", None)
    made.update(PATH_INFO=path, QUERY_STRING=query, **more)
    return made


def test_the_public_origin_is_fixed_whatever_the_host_header_says() -> None:
    made = environ("/a", "b=1", HTTP_HOST="evil.example", HTTP_X_FORWARDED_HOST="evil.example")
    assert public_address(made, APP, ()).clean == f"{APP}/a?b=1"


def test_a_mount_path_taken_off_by_a_proxy_is_put_back() -> None:
    assert public_address(environ("/a"), f"{APP}/portal/", ()).clean == f"{APP}/portal/a"


def test_script_name_is_part_of_the_path() -> None:
    assert public_address(environ("/a", SCRIPT_NAME="/inner"), APP, ()).clean == f"{APP}/inner/a"


@pytest.mark.parametrize("host", ["app.example.edu", "APP.example.edu", "app.example.edu:443"])
def test_a_listed_host_is_believed(host: str) -> None:
    made = environ("/a", HTTP_HOST=host, **{"wsgi.url_scheme": "https"})
    assert public_address(made, None, ["app.example.edu"]).clean == f"{APP}/a"


@pytest.mark.parametrize(
    "host", ["evil.example", "app.example.edu.evil.example", "app.example.edu:8443", "app.example.edu@evil", "", "x y"]
)
def test_another_host_is_refused(host: str) -> None:
    """CVE-2022-39369: a service URL made of the Host header lets tickets of other sites in."""
    with pytest.raises(UnknownHost):
        public_address(environ("/a", HTTP_HOST=host, **{"wsgi.url_scheme": "https"}), None, ["app.example.edu"])


def test_the_path_is_taken_as_it_was_written() -> None:
    made = environ("/a/b~\xc3\xa4", REQUEST_URI="/a%2Fb%7E%c3%a4?q")
    assert public_address(made, APP, ()).path == "/a%2Fb%7E%c3%a4"


@pytest.mark.parametrize("written", ["/other", "http://evil.example/a", "//evil.example/a", "/a\r\nX: y", ""])
def test_a_written_path_that_is_not_the_served_one_is_not_used(written: str) -> None:
    assert public_address(environ("/a", REQUEST_URI=written), APP, ()).path == "/a"


def test_a_path_that_looks_like_a_host_stays_below_our_origin() -> None:
    assert public_address(environ("//evil.example/a"), APP, ()).clean == f"{APP}//evil.example/a"


def test_bytes_that_are_no_url_characters_are_encoded() -> None:
    made = environ("/ä b".encode().decode("latin-1"), 'q=ü "<>\xff\r\n'.encode().decode("latin-1"))
    address = public_address(made, APP, ())
    assert address.path == "/%C3%A4%20b"
    assert address.query == "q=%C3%BC%20%22%3C%3E%C3%BF%0D%0A"
    assert address.clean.isascii()


def test_what_is_encoded_already_stays_as_it_is() -> None:
    query = "q=%ff%zz%2B+&a[]=1&a[]=2&x={y}|z&&empty=&flag"
    assert public_address(environ("/", query), APP, ()).clean == f"{APP}/?{query}"


@pytest.mark.parametrize(
    ("query", "rest", "ticket"),
    [
        ("ticket=ST-1", "", "ST-1"),
        ("a=1&a=2&ticket=ST-1", "a=1&a=2", "ST-1"),
        ("b=2&ticket=ST-1-x&a=1", "b=2&a=1", "ST-1-x"),
        ("ticket=ST-1&ticket=ST-2", "ticket=ST-1", "ST-2"),
        ("ticket=4711", "ticket=4711", None),
        ("ticket=4711&ticket=ST-1", "ticket=4711", "ST-1"),
        ("Ticket=ST-1", "Ticket=ST-1", None),
        ("xticket=ST-1", "xticket=ST-1", None),
        ("ticket=PT-1", "ticket=PT-1", None),
        ("ticket=ST-1%26service%3Dx", "ticket=ST-1%26service%3Dx", None),
        ("ticket=ST-", "ticket=ST-", None),
        ("ticket=ST-" + "a" * 254, "ticket=ST-" + "a" * 254, None),
        ("a=1&&ticket=ST-1", "a=1", "ST-1"),
        ("", "", None),
    ],
)
def test_only_our_ticket_is_taken_off(query: str, rest: str, ticket: str | None) -> None:
    assert take_ticket(query) == (rest, ticket)


@pytest.mark.parametrize(
    ("query", "rest", "ticket"),
    [
        ("ticket=PT-1", "", "PT-1"),
        ("a=1&ticket=PT-1.a&b=2", "a=1&b=2", "PT-1.a"),
        ("ticket=ST-1&ticket=PT-2", "ticket=ST-1", "PT-2"),
        ("ticket=PT-1&ticket=ST-2", "ticket=PT-1", "ST-2"),
        ("ticket=PGT-1", "ticket=PGT-1", None),
        ("ticket=PT-", "ticket=PT-", None),
        ("ticket=PT-" + "a" * 254, "ticket=PT-" + "a" * 254, None),
    ],
)
def test_a_proxy_ticket_is_taken_off_where_it_is_accepted(query: str, rest: str, ticket: str | None) -> None:
    assert take_ticket(query, proxied=True) == (rest, ticket)
    address = public_address(environ("/p", query), APP, (), proxied=True)
    assert "ticket=ST" not in address.clean
    assert "ticket=PT-1" not in address.clean


QUERIES = st.text(st.sampled_from("ab=&%2+ticketST-1?/"), max_size=40)


@given(QUERIES)
def test_login_and_validation_name_the_same_service(query: str) -> None:
    """What a server appends to the address at login comes off again to the very same address."""
    address = public_address(environ("/p", query), APP, ())
    service = address.clean
    separator = "" if service.endswith(("?", "&")) else "&" if "?" in service else "?"
    back = f"{service}{separator}ticket=ST-1-abc"
    returned = public_address(environ("/p", urlsplit(back).query), APP, ())
    rest, ticket = take_ticket(returned.query)
    assert ticket == "ST-1-abc"
    assert returned.with_query(rest) == service
    assert returned.clean == service


@given(QUERIES)
def test_nothing_else_changes_in_a_query(query: str) -> None:
    kept = without_tickets(query)
    assert kept == query or "ticket=ST-" in query
    for check in Check:
        assert take_check(with_check(query, check)) == (query, check)


def test_the_service_is_encoded_as_one_value() -> None:
    url = login_url("https://sso.example.edu/cas/", f"{APP}/ä?a=1&b=%26#x", renew=True)
    assert url.startswith("https://sso.example.edu/cas/login?service=https%3A%2F%2Fapp.example.edu")
    assert parse_qs(urlsplit(url).query) == {"service": [f"{APP}/ä?a=1&b=%26#x"], "renew": ["true"]}


def test_gateway_and_renew_never_go_together() -> None:
    assert "gateway" not in login_url("https://sso.example.edu/cas", APP, renew=True, gateway=True)


def test_an_address_too_long_for_a_request_line_is_refused() -> None:
    with pytest.raises(AddressTooLong):
        login_url("https://sso.example.edu/cas", f"{APP}/?{'a' * 8000}")


def test_a_ticket_brings_no_parameters_into_the_validation() -> None:
    """CVE-2014-4172."""
    url = validation_url("https://sso.example.edu/cas", APP, "ST-1&service=https://evil.example&x=#", renew=False)
    assert parse_qs(urlsplit(url).query) == {"service": [APP], "ticket": ["ST-1&service=https://evil.example&x=#"]}


def test_renew_is_asked_at_validation_too() -> None:
    assert validation_url("https://sso.example.edu/cas", APP, "ST-1", renew=True).endswith("&renew=true")


def test_the_endpoint_and_the_callback_go_with_what_is_wanted() -> None:
    url = validation_url("https://s/cas/", APP, "PT-1", renew=False, pgt_url=f"{APP}/pgt?a&b", proxied=True)
    assert urlsplit(url).path == "/cas/p3/proxyValidate"
    assert parse_qs(urlsplit(url).query) == {"service": [APP], "ticket": ["PT-1"], "pgtUrl": [f"{APP}/pgt?a&b"]}


def test_a_target_brings_no_parameters_of_its_own() -> None:
    url = proxy_url("https://s/cas/", "PGT-1", f"{APP}/ä?a=1&pgt=PGT-2#x")
    assert urlsplit(url).path == "/cas/proxy"
    assert parse_qs(urlsplit(url).query) == {"pgt": ["PGT-1"], "targetService": [f"{APP}/ä?a=1&pgt=PGT-2#x"]}


def test_the_logout_address_names_where_to_go_on() -> None:
    assert (
        logout_url("https://s/cas", f"{APP}/bye") == "https://s/cas/logout?service=https%3A%2F%2Fapp.example.edu%2Fbye"
    )
