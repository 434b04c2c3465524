"""Where a service is told that a session has ended: only where the registry has it."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from casduo.protocol.destination import Destination, Untold, destination
from casduo.services.model import RegisteredService
from casduo.tickets.model import Visit

SERVICE = "https://library.example.edu/loans?page=2"


def entry(url: str | list[str] = "https://library.example.edu/**", **more: Any) -> RegisteredService:
    return RegisteredService.model_validate({"id": "library", "name": "Library", "url": url, **more})


def found(service: str, entry: RegisteredService | None) -> Destination | Untold:
    return destination(Visit("ST-a1B2-0123456789abcdefghijklmn", service, "library"), entry)


def told(service: str, entry: RegisteredService) -> Destination:
    where = found(service, entry)
    assert isinstance(where, Destination), where
    return where


def test_a_service_is_told_at_the_address_its_ticket_was_for() -> None:
    where = told(SERVICE, entry())
    assert (where.channel, where.url, where.origin) == ("back_channel", SERVICE, "https://library.example.edu")


def test_the_registry_may_name_another_address() -> None:
    where = told(SERVICE, entry(logout={"url": "https://inside.example.edu:8443/cas/logout?x=1"}))
    assert where.url == "https://inside.example.edu:8443/cas/logout?x=1"
    assert where.origin == "https://inside.example.edu:8443"


@pytest.mark.parametrize(
    ("service", "url"),
    [
        ("https://library.example.edu/#/loans", "https://library.example.edu/"),
        ("https://library.example.edu#loans", "https://library.example.edu"),
        ("https://LIBRARY.example.edu:443/A", "https://library.example.edu/A"),
        ("https://library.example.edu/a?b=c d&e=ü", "https://library.example.edu/a?b=c%20d&e=%C3%BC"),
        ("https://library.example.edu/a;jsessionid=1?x", "https://library.example.edu/a;jsessionid=1?x"),
        # Used up, and the application's own: the address stays the one that the application gave.
        ("https://library.example.edu/a?ticket=ST-1-x&b", "https://library.example.edu/a?ticket=ST-1-x&b"),
    ],
)
def test_of_the_address_only_the_fragment_goes(service: str, url: str) -> None:
    assert told(service, entry()).url == url


def test_an_international_name_is_called_by_the_name_that_was_matched() -> None:
    where = told("https://bücher.example.edu/a", entry("https://bücher.example.edu/**"))
    assert where.url == "https://xn--bcher-kva.example.edu/a"


def test_a_service_that_was_switched_off_is_told_all_the_same() -> None:
    assert told(SERVICE, entry(enabled=False)).url == SERVICE


def test_a_service_that_has_gone_is_not_told() -> None:
    assert found(SERVICE, None) is Untold.UNREGISTERED


@pytest.mark.parametrize("url", ["https://other.example.edu/**", "https://library.example.edu/reading-room/**"])
def test_an_address_that_the_entry_no_longer_means_is_not_called(url: str) -> None:
    assert found(SERVICE, entry(url)) is Untold.UNREGISTERED


def test_a_service_that_wants_to_hear_nothing_is_not_told() -> None:
    assert found(SERVICE, entry(logout={"type": "none"})) is Untold.SWITCHED_OFF


def test_an_application_on_a_phone_has_no_address_to_call() -> None:
    assert found("edu.example.library://signed-in", entry("edu.example.library://signed-in")) is Untold.NO_WEB_ADDRESS


def test_the_front_channel_is_told_apart() -> None:
    assert told(SERVICE, entry(logout={"type": "front_channel"})).channel == "front_channel"


@pytest.mark.parametrize(
    ("service", "url", "logout", "plain"),
    [
        (SERVICE, "https://library.example.edu/**", {}, False),
        ("http://library.example.edu/", ["https://library.example.edu/**", "http://library.example.edu/**"], {}, True),
        (SERVICE, ["https://library.example.edu/**", "http://library.example.edu/**"], {}, False),
        (SERVICE, "https://library.example.edu/**", {"url": "http://10.1.2.3/out"}, True),
        ("http://library.example.edu/", "http://library.example.edu/**", {"url": "https://10.1.2.3/out"}, False),
    ],
)
def test_a_message_travels_in_the_clear_only_where_the_registry_says_http(
    service: str, url: str | list[str], logout: dict[str, str], plain: bool
) -> None:
    assert told(service, entry(url, logout=logout)).plain_http is plain


def test_http_is_not_called_where_the_registry_says_https() -> None:
    assert found("http://library.example.edu/", entry()) is Untold.UNREGISTERED


@pytest.mark.parametrize(
    ("url", "logout", "private"),
    [
        ("https://library.example.edu/**", {}, True),
        (r"regex:https://library\.example\.edu/.*", {}, True),
        ("https://*.example.edu/**", {}, False),
        (r"regex:https://[a-z]+\.example\.edu/.*", {}, False),
        (["https://*.example.edu/**", "https://library.example.edu/loans"], {}, True),
        # Written out, but for other addresses than this one.
        (["https://*.example.edu/**", "https://library.example.edu/staff"], {}, False),
        ("https://*.example.edu/**", {"private_addresses": True}, True),
        ("https://*.example.edu/**", {"url": "https://library.example.edu/out"}, True),
    ],
)
def test_a_private_network_is_called_only_where_the_host_is_written_out(
    url: str | list[str], logout: dict[str, Any], private: bool
) -> None:
    assert told(SERVICE, entry(url, logout=logout)).private is private


@pytest.mark.parametrize("url", ["https://library.example.edu/a/../b", "https://0x7f.1/", "https://exa mple.edu/"])
def test_an_address_that_cannot_be_called_is_refused_when_the_registry_is_read(url: str) -> None:
    with pytest.raises(ValidationError):
        entry(logout={"url": url})


def test_neither_address_nor_query_is_in_what_errors_would_show() -> None:
    assert "page=2" not in repr(told(SERVICE, entry()))
