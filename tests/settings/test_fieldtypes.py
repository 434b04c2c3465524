from __future__ import annotations

import string
from datetime import UTC, date, datetime
from ipaddress import ip_network
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from casduo.fieldtypes import (
    LONGEST_DURATION,
    Address,
    HttpsUrl,
    Line,
    Lines,
    Location,
    Moment,
    NetworkBlock,
    WebUrl,
    format_duration,
    parse_duration,
    split_address,
    zone_of,
)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("30s", 30),
        ("15m", 900),
        ("8h", 28_800),
        ("2d", 172_800),
        ("500ms", 0.5),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("1.5h", 5400),
        (" 8h ", 28_800),
        ("45", 45),
        (45, 45),
        (0.25, 0.25),
    ],
)
def test_durations_are_read_as_people_write_them(written: object, seconds: float) -> None:
    assert parse_duration(written) == seconds


@pytest.mark.parametrize(
    "written",
    ["", "h", "8 hours", "8H", "-5s", "0", "0s", 0, -1, True, None, [], "1h-", "٣s", "1e3", float("nan"), "1.h"],
)
def test_what_is_no_duration_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="must be a duration"):
        parse_duration(written)


@pytest.mark.parametrize("written", ["4000d", 10**400, float("inf"), LONGEST_DURATION + 1])
def test_a_duration_of_more_than_ten_years_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="at most ten years"):
        parse_duration(written)


@given(st.integers(min_value=1, max_value=int(LONGEST_DURATION * 1000)))
def test_a_duration_reads_back_as_it_was_written(milliseconds: int) -> None:
    seconds = milliseconds / 1000
    assert parse_duration(format_duration(seconds)) == pytest.approx(seconds, rel=1e-12)


@given(st.text(alphabet=string.digits + "smhd. -e", max_size=20))
@example("9" * 400)
def test_no_text_makes_a_duration_fail_otherwise_than_by_a_sentence(text: str) -> None:
    outcome = seconds_or_sentence(text)
    if isinstance(outcome, str):
        assert outcome.startswith("must be a duration")
    else:
        assert 0 < outcome <= LONGEST_DURATION


def seconds_or_sentence(text: str) -> float | str:
    try:
        return parse_duration(text)
    except ValueError as error:
        return str(error)


def _read(kind: object, value: object, **context: object) -> object:
    return TypeAdapter(kind).validate_python(value, context=context)


def test_an_address_block_is_read() -> None:
    assert _read(NetworkBlock, "10.0.0.0/8") == ip_network("10.0.0.0/8")
    assert _read(NetworkBlock, "2001:db8::/32") == ip_network("2001:db8::/32")
    assert _read(NetworkBlock, "192.0.2.7") == ip_network("192.0.2.7/32")


def test_an_address_block_with_host_bits_is_refused_with_what_was_probably_meant() -> None:
    with pytest.raises(ValidationError, match=r"did you mean 10\.0\.0\.0/8\?"):
        _read(NetworkBlock, "10.1.2.3/8")


@pytest.mark.parametrize("value", ["10.0.0.0/33", "campus", "", 10, None])
def test_what_is_no_address_block_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="address block such as"):
        _read(NetworkBlock, value)


def test_a_date_means_its_first_moment_in_the_zone_of_the_settings() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    assert _read(Moment, "2026-01-31", zone=berlin) == datetime(2026, 1, 30, 23, 0, tzinfo=UTC)
    assert _read(Moment, date(2026, 1, 31), zone=berlin) == datetime(2026, 1, 30, 23, 0, tzinfo=UTC)
    assert _read(Moment, "2026-01-31T18:00", zone=berlin) == datetime(2026, 1, 31, 17, 0, tzinfo=UTC)


def test_a_moment_with_an_offset_keeps_it() -> None:
    assert _read(Moment, "2026-01-31T18:00+05:00") == datetime(2026, 1, 31, 13, 0, tzinfo=UTC)
    assert _read(Moment, "2026-01-31T18:00:00Z") == datetime(2026, 1, 31, 18, 0, tzinfo=UTC)
    assert _read(Moment, "2026-01-31 18:00") == datetime(2026, 1, 31, 18, 0, tzinfo=UTC)


@pytest.mark.parametrize("value", ["next week", "2026-02-30", 20260131, None, True])
def test_what_is_no_date_is_refused(value: object) -> None:
    with pytest.raises(ValidationError, match="date such as 2026-01-31"):
        _read(Moment, value)


def test_a_line_has_its_outer_spaces_removed_and_no_line_breaks() -> None:
    assert _read(Line, " Payroll ") == "Payroll"
    for bad in ("", "  ", "a\nb", "a\x00b", "a\u2028b", "\u200b", "\u202e \u2066"):
        with pytest.raises(ValidationError):
            _read(Line, bad)


def test_one_text_stands_for_a_list_of_one() -> None:
    assert _read(Lines, "staff") == ("staff",)
    assert _read(Lines, ["staff", "faculty"]) == ("staff", "faculty")


@pytest.mark.parametrize(
    "url",
    ["https://", "http://x", "/cas", "https://u:p@h/", "https://h/a b", "https://h\\x", "https://[", "https://h:x/", 1],
)
def test_what_is_no_plain_https_address_is_refused_without_repeating_it(url: object) -> None:
    with pytest.raises(ValidationError) as caught:
        _read(HttpsUrl, url)
    assert "u:p" not in str(caught.value.errors(include_input=False))


def test_http_is_accepted_where_it_may_be() -> None:
    assert _read(WebUrl, "http://h/x?y") == "http://h/x?y"


def test_an_address_is_host_and_port() -> None:
    assert _read(Address, "0.0.0.0:80") == "0.0.0.0:80"
    assert split_address("[::1]:8443") == ("::1", 8443)
    for bad in ("8443", "::1:8443", "h:0", "h:65536", "h:", "http://h:1"):
        with pytest.raises(ValidationError):
            _read(Address, bad)


def test_a_relative_file_lies_beside_the_file_that_names_it() -> None:
    assert _read(Location, "tls/key.pem", base=Path("/etc/casduo")) == Path("/etc/casduo/tls/key.pem")
    assert _read(Location, "/srv/key.pem", base=Path("/etc/casduo")) == Path("/srv/key.pem")
    for bad in ("", 5, "a\0b", "~nobody-of-this-name/x"):
        with pytest.raises(ValidationError):
            _read(Location, bad)


def test_time_zones_are_known_by_name() -> None:
    assert zone_of("UTC") is UTC
    assert str(zone_of("Europe/Berlin")) == "Europe/Berlin"
    for bad in ("Berlin", "../etc/passwd", "/etc/passwd", "\0"):
        with pytest.raises(ValueError, match="time zone"):
            zone_of(bad)
