"""What a text says of an address, and what is counted as one line."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casduo.addresses import line_of, parse_address


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::"),
        ("2001:db8:0:0:ffff::", "2001:db8::"),
        ("2001:db8:0:1::1", "2001:db8:0:1::"),
        ("fe80::1%eth0", "fe80::"),
        ("", ""),
        ("a phone", "a phone"),
        ("192.0.2.07", "192.0.2.07"),
        ("1" * 1000, "1" * 1000),
    ],
)
def test_a_line_is_an_address_of_ipv4_or_a_64_of_ipv6(text: str, line: str) -> None:
    assert line_of(text) == line


@pytest.mark.parametrize("text", ["", "unknown", "192.0.2", "192.0.2.7:443", "[::1]", "fe80::1%" + "a" * 1000])
def test_what_is_no_address_is_none(text: str) -> None:
    assert parse_address(text) is None


def test_ipv4_in_ipv6_dress_is_ipv4() -> None:
    assert parse_address("::ffff:192.0.2.7") == parse_address("192.0.2.7")


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_an_address_or_not(text: str) -> None:
    found = parse_address(text)
    assert found is not None or line_of(text) == text
