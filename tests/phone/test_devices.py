"""Names of phones as they come in addresses, and what has to stay the same from one request to the next."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.phone.devices import AddressBinding, bound_address, device_name
from casduo.settings.phones import PhoneSettings

ANY = "[A-Z0-9._-]+"
SEP = PhoneSettings().device_names


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("SEP001122334455", "SEP001122334455"),
        ("sep00112233aabb", "SEP00112233AABB"),
        ("SEP00112233445", None),
        ("SEP0011223344556", None),
        ("SEP00112233445G", None),
        ("CSFADA", None),
        ("#DEVICENAME#", None),
        ("", None),
        (" SEP001122334455", None),
        ("SEP001122334455\n", None),
        ("SEP00112233445\uff15", None),
        ("\u017fEP001122334455", None),
    ],
)
def test_only_names_of_desk_phones_pass_by_default(text: str, name: str | None) -> None:
    assert device_name(text, SEP) == name


@pytest.mark.parametrize("text", ["csf-ada.home_2", "TCTADA", "B" * 50])
def test_a_setting_lets_other_names_pass(text: str) -> None:
    assert device_name(text, ANY) == text.upper()


@pytest.mark.parametrize("text", ["B" * 51, "A/B", "A%2F", "A{B}", "A B", "A:B", "stra\u00dfe", "\u0131"])
def test_no_setting_lets_more_pass_than_device_names_are_made_of(text: str) -> None:
    assert device_name(text, "(?i).*") is None


def test_the_whole_name_has_to_match() -> None:
    assert device_name("SEP0011223344556677", "SEP[0-9A-F]{12}") is None
    assert device_name("XSEP001122334455", "SEP[0-9A-F]{12}") is None


@given(st.text(max_size=60))
def test_a_name_is_always_safe_in_addresses_and_keys(text: str) -> None:
    name = device_name(text, ".*")
    assert name is None or (1 <= len(name) <= 50 and name.isascii() and not set(name) - set(_ALPHABET))


_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.7", "192.0.2.7", {"exact", "network", "off"}),
        ("192.0.2.7", "192.0.2.200", {"network", "off"}),
        ("192.0.2.7", "192.0.3.7", {"off"}),
        ("192.0.2.7", "::ffff:192.0.2.7", {"exact", "network", "off"}),
        ("2001:db8::1", "2001:DB8:0:0::1", {"exact", "network", "off"}),
        ("2001:db8::1", "2001:db8::ffff:0:0:2", {"network", "off"}),
        ("2001:db8::1", "2001:db8:0:1::1", {"off"}),
        ("192.0.2.7", "2001:db8::1", {"off"}),
        ("0.0.0.1", "::1", {"off"}),
        ("fe80::1%eth0", "fe80::2%eth0", {"network", "off"}),
        ("a socket", "a socket", {"exact", "network", "off"}),
        ("a socket", "another", {"off"}),
    ],
)
def test_a_login_is_bound_to_where_it_began(one: str, other: str, same: set[AddressBinding]) -> None:
    bindings: tuple[AddressBinding, ...] = ("exact", "network", "off")
    assert {binding for binding in bindings if bound_address(one, binding) == bound_address(other, binding)} == same


def test_a_bound_address_reads_as_what_it_is() -> None:
    assert bound_address("192.0.2.7", "exact") == "192.0.2.7"
    assert bound_address("192.0.2.7", "network") == "192.0.2.0/24"
    assert bound_address("2001:db8::7", "network") == "2001:db8::/64"
    assert bound_address("192.0.2.7", "off") == ""
