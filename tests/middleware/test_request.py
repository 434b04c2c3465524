"""Reading requests: who is a person looking at a page, who is a program, and where it all comes from."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import create_environ

from casduo.middleware.request import Request, read_request
from casduo.middleware.urls import Check, public_address

APP = "https://app.example.edu"
HTML = "text/html,application/xhtml+xml,*/*;q=0.8"


def read(path: str = "/", method: str = "GET", **headers: str) -> Request:
    environ: dict[str, Any] = create_environ(path, base_url=APP, method=method)
    environ.update({f"HTTP_{name.upper()}": value for name, value in headers.items()})
    return read_request(environ, public_address(environ, APP, ()))


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"accept": HTML},
        {"accept": "*/*"},
        {"accept": HTML, "sec_fetch_mode": "navigate"},
        {"sec_fetch_mode": "navigate", "sec_fetch_dest": "iframe"},
    ],
)
def test_page_loads_are_navigations(headers: dict[str, str]) -> None:
    assert read(**headers).navigation


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_mode": "cors", "accept": HTML},
        {"sec_fetch_mode": "no-cors", "sec_fetch_dest": "image"},
        {"x_requested_with": "XMLHttpRequest", "accept": HTML},
        {"accept": "application/json"},
        {"accept": "image/webp"},
        {"sec_purpose": "prefetch;prerender", "sec_fetch_mode": "navigate"},
        {"purpose": "prefetch", "accept": HTML},
        {"x_moz": "prefetch", "accept": HTML},
    ],
)
def test_programs_and_prefetches_are_not(headers: dict[str, str]) -> None:
    assert not read(**headers).navigation


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
def test_nothing_that_sends_is_a_navigation(method: str) -> None:
    assert not read(method=method, accept=HTML, sec_fetch_mode="navigate").navigation


@pytest.mark.parametrize(
    ("headers", "own"),
    [
        ({"sec_fetch_site": "same-origin"}, True),
        ({"sec_fetch_site": "none"}, True),
        ({"sec_fetch_site": "same-site", "origin": APP}, False),
        ({"sec_fetch_site": "cross-site", "referer": f"{APP}/"}, False),
        ({"origin": APP}, True),
        ({"origin": "null"}, False),
        ({"origin": "https://app.example.edu.evil.example"}, False),
        ({"referer": f"{APP}/page?x"}, True),
        ({"referer": "https://evil.example/?https://app.example.edu"}, False),
        ({"referer": "https://[broken"}, False),
        ({}, False),
    ],
)
def test_own_requests_come_from_our_origin(headers: dict[str, str], own: bool) -> None:
    assert read(**headers).own is own


def by_proxy(path: str = "/?ticket=PT-1", method: str = "GET", *, proxied: bool = True, **headers: str) -> bool:
    made: dict[str, Any] = create_environ(path, base_url=APP, method=method)
    made.update({f"HTTP_{name.upper()}": value for name, value in headers.items()})
    request = read_request(made, public_address(made, APP, (), proxied=proxied))
    assert not (request.by_proxy and request.navigation)
    return request.by_proxy


@pytest.mark.parametrize("headers", [{}, {"accept": "*/*"}, {"accept": HTML}, {"cookie": "a=b"}])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_program_means_the_request_that_it_brings_a_proxy_ticket_with(method: str, headers: dict[str, str]) -> None:
    assert by_proxy(method=method, **headers)


@pytest.mark.parametrize(
    "headers",
    [
        {"sec_fetch_mode": "navigate"},
        {"sec_fetch_site": "none"},
        {"sec_fetch_dest": "image"},
        {"upgrade_insecure_requests": "1"},
        {"origin": APP},
        {"sec_purpose": "prefetch"},
    ],
)
def test_a_browser_does_not(headers: dict[str, str]) -> None:
    assert not by_proxy(**headers)


def test_neither_does_who_asks_for_headers_or_brings_another_ticket() -> None:
    assert not by_proxy(method="HEAD")
    assert not by_proxy("/?ticket=ST-1")
    assert not by_proxy("/")
    assert not by_proxy(proxied=False)


def test_ticket_service_and_check_are_read_apart() -> None:
    request = read("/p?a=1&ticket=ST-1")
    assert (request.ticket, request.service, request.check) == ("ST-1", f"{APP}/p?a=1", None)
    assert read("/p?a=1&casduo_check=sign-in").check is Check.SIGN_IN
    assert read("/p?casduo_check=gateway&a=1").check is None
