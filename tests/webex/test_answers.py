"""What answers mean, row by row of the table of statuses, and what is to become of a message then."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.events.messages import NotDelivered, Remedy
from casduo.webex.answers import failure_of, next_page, retry_after, tracking_of
from casduo.webex.errors import (
    WebexError,
    WebexLeftAlone,
    WebexLocked,
    WebexMisconfigured,
    WebexRefused,
    WebexThrottled,
    WebexUnauthorized,
    WebexUnavailable,
)
from casduo.webex.remedies import remedy_for

NOW = 1_785_585_600.0
BASE = "https://webexapis.com/v1/"


def failed(status: int, *, writes: bool = True, **headers: str) -> WebexError:
    found = failure_of(
        status, {name.replace("_", "-"): value for name, value in headers.items()}, b"", NOW, writes=writes
    )
    assert found is not None
    return found


@pytest.mark.parametrize("status", [200, 202, 204])
def test_done_is_done(status: int) -> None:
    assert failure_of(status, {}, b"not even JSON", NOW, writes=True) is None


@pytest.mark.parametrize(
    ("status", "remedy", "ambiguous"),
    [
        (400, "never", False),
        (401, "stop", False),
        (403, "never", False),
        (404, "never", False),
        (405, "never", False),
        (407, "never", False),
        (408, "retry", False),
        (409, "never", False),
        (410, "never", False),
        (415, "never", False),
        (418, "never", False),
        (423, "retry", False),
        (425, "retry", False),
        (428, "never", False),
        (429, "pause", False),
        (500, "retry", False),
        (501, "retry", False),
        (502, "retry", True),
        (503, "retry", False),
        (504, "retry", True),
        (302, "retry", False),
        (100, "retry", False),
    ],
)
def test_each_status_has_its_remedy(status: int, remedy: Remedy, ambiguous: bool) -> None:
    found = remedy_for(failed(status))
    assert (found.remedy, found.ambiguous, found.status) == (remedy, ambiguous, status)
    assert found.detail == f"status {status}"


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_what_changes_nothing_is_never_ambiguous(status: int) -> None:
    assert not remedy_for(failed(status, writes=False)).ambiguous


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (WebexUnavailable("refused"), NotDelivered("retry", detail="refused")),
        (WebexUnavailable("timeout", ambiguous=True), NotDelivered("retry", ambiguous=True, detail="timeout")),
        (WebexLeftAlone(30.0), NotDelivered("pause", 30.0, detail="breaker_open")),
        (WebexThrottled(7.0, tracking="T_1"), NotDelivered("pause", 7.0, False, 429, "status 429, tracking id T_1")),
        (WebexLocked(15.0), NotDelivered("retry", 15.0, False, 423, "status 423")),
        (WebexMisconfigured("certificate"), NotDelivered("stop", detail="certificate")),
        (WebexUnauthorized("status 401", status=401), NotDelivered("stop", 0.0, False, 401, "status 401")),
        (WebexRefused("no id"), NotDelivered("never", detail="no id")),
    ],
)
def test_each_error_has_its_remedy(error: WebexError, verdict: NotDelivered) -> None:
    assert remedy_for(error) == verdict


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("0", 1.0),
        ("1", 1.0),
        ("15", 15.0),
        (" 42 ", 42.0),
        ("3600", 3600.0),
        ("3601", 3600.0),
        ("9999999999", 3600.0),
        ("99999999999999999999", 15.0),
        ("Sat, 01 Aug 2026 12:01:00 GMT", 60.0),
        ("Sat, 01 Aug 2026 11:00:00 GMT", 1.0),
        ("Sun, 02 Aug 2026 12:00:00 GMT", 3600.0),
        ("soon", 15.0),
        ("-5", 15.0),
        ("1.5", 15.0),
        ("٣", 15.0),
        ("Sat, 99 Aug 2026 12:01:00 GMT", 15.0),
        ("", 15.0),
        (None, 15.0),
    ],
)
def test_how_long_to_wait(value: str | None, seconds: float) -> None:
    assert retry_after(value, NOW) == seconds


@given(st.text(max_size=60))
def test_whatever_stands_there_the_wait_is_bounded(value: str) -> None:
    assert 1.0 <= retry_after(value, NOW) <= 3600.0


def test_429_and_423_say_how_long_and_503_may() -> None:
    assert remedy_for(failed(429, Retry_After="30")).after == 30.0
    assert remedy_for(failed(429)).after == 15.0
    assert remedy_for(failed(423)).after == 15.0
    assert remedy_for(failed(503, Retry_After="120")).after == 120.0
    assert remedy_for(failed(503)).after == 0.0


@pytest.mark.parametrize(
    ("headers", "body", "tracking"),
    [
        ({"trackingId": "ROUTER_5F-1"}, b"", "ROUTER_5F-1"),
        ({}, b'{"message": "no", "trackingId": "NA_1"}', "NA_1"),
        ({"trackingId": "A"}, b'{"trackingId": "B"}', "A"),
        ({"trackingId": "<script>"}, b"", ""),
        ({"trackingId": "x" * 200}, b"", ""),
        ({}, b"<html>502</html>", ""),
        ({}, b'{"trackingId": 7}', ""),
        ({}, b"[1]", ""),
        ({}, b"\xff\xfe", ""),
        ({}, b"[" * 50_000, ""),
        ({}, json.dumps({"trackingId": "NA_1", "more": "x" * 65536}).encode(), ""),
    ],
)
def test_webexs_name_for_a_call_is_kept_where_it_is_one(headers: dict[str, str], body: bytes, tracking: str) -> None:
    assert tracking_of(headers, body) == tracking


@pytest.mark.parametrize(
    ("link", "url"),
    [
        (None, ""),
        ("", ""),
        ('<https://webexapis.com/v1/rooms?cursor=a>; rel="next"', "https://webexapis.com/v1/rooms?cursor=a"),
        ("<https://webexapis.com/v1/rooms?cursor=a>; rel=next", "https://webexapis.com/v1/rooms?cursor=a"),
        ('<https://webexapis.com:443/v1/rooms>;rel="next"', "https://webexapis.com:443/v1/rooms"),
        ('</v1/rooms?cursor=a>; rel="next"', "https://webexapis.com/v1/rooms?cursor=a"),
        ('<https://webexapis.com/a>; rel="prev", <https://webexapis.com/b>; rel="next"', "https://webexapis.com/b"),
        ('<https://webexapis.com/a>; rel="prev"', ""),
        ('<https://evil.example/v1/rooms>; rel="next"', ""),
        ('<http://webexapis.com/v1/rooms>; rel="next"', ""),
        ('<https://webexapis.com:8443/v1/rooms>; rel="next"', ""),
        ('<https://webexapis.com@evil.example/v1/rooms>; rel="next"', ""),
        ('<https://grace@webexapis.com/v1/rooms>; rel="next"', ""),
        ('<https://[/v1/rooms>; rel="next"', ""),
        ("nonsense", ""),
    ],
)
def test_a_list_goes_on_where_the_token_may_go(link: str | None, url: str) -> None:
    assert next_page(link, BASE) == url
