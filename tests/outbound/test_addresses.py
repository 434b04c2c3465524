from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.outbound.addresses import Address, Scope, acceptable, is_public, scope_of

PUBLIC = [
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.1",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "223.255.255.255",
    "2000::",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2606:4700:4700::1111",
    "2a00:1450:4001::1",
    "3ffe:ffff::1",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
]
PRIVATE = [
    "10.0.0.0",
    "10.255.255.255",
    "100.64.0.0",
    "100.127.255.255",
    "127.0.0.1",
    "127.255.255.255",
    "172.16.0.0",
    "172.31.255.255",
    "192.168.0.1",
    "192.168.255.255",
    "::1",
    "fc00::1",
    "fd00:ec2::254",
    "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
    "::ffff:127.0.0.1",
    "::ffff:10.1.2.3",
    "::ffff:192.168.0.1",
]
SPECIAL = [
    "0.0.0.0",  # noqa: S104
    "0.1.2.3",
    "169.254.0.1",
    "169.254.169.254",
    "192.0.0.8",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.1",
    "203.0.113.1",
    "224.0.0.1",
    "239.255.255.255",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::2",
    "::127.0.0.1",
    "::8.8.8.8",
    "::ffff:0.0.0.0",
    "::ffff:169.254.169.254",
    "::ffff:255.255.255.255",
    "::ffff:0:127.0.0.1",
    "64:ff9b::10.0.0.1",
    "64:ff9b::127.0.0.1",
    "64:ff9b::169.254.169.254",
    "64:ff9b:1::8.8.8.8",
    "100::1",
    "1fff:ffff::1",
    "2001::1",
    "2001:0:4136:e378:8000:63bf:80ff:fffe",
    "2001:2::1",
    "2001:20::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a00:1::1",
    "2002:808:808::1",
    "3fff::1",
    "3fff:fff:ffff::1",
    "4000::1",
    "5f00::1",
    "fe80::1",
    "fe80::1%eth0",
    "febf::1",
    "fec0::1",
    "feff::1",
    "ff02::1",
    "ff0e::1",
]


@pytest.mark.parametrize(
    ("text", "scope"),
    [
        *((text, Scope.PUBLIC) for text in PUBLIC),
        *((text, Scope.PRIVATE) for text in PRIVATE),
        *((text, Scope.SPECIAL) for text in SPECIAL),
    ],
)
def test_every_address_has_its_scope(text: str, scope: Scope) -> None:
    address = ip_address(text)
    assert scope_of(address) is scope
    assert is_public(address) is (scope is Scope.PUBLIC)


@given(st.ip_addresses(v=4))
def test_public_ipv4_is_a_subset_of_what_the_standard_library_calls_global(address: Address) -> None:
    assert isinstance(address, IPv4Address)
    if is_public(address):
        assert address.is_global
        assert not address.is_multicast
        assert not address.is_reserved


@given(st.ip_addresses(v=6))
def test_public_ipv6_is_a_subset_of_what_the_standard_library_calls_global(address: Address) -> None:
    assert isinstance(address, IPv6Address)
    if is_public(address) and address.ipv4_mapped is None:
        assert address.is_global
        assert not address.is_multicast
        assert not address.is_site_local


@given(st.ip_addresses(v=4))
def test_ipv4_within_ipv6_is_never_more_public_than_itself(address: Address) -> None:
    assert scope_of(IPv6Address(f"::ffff:{address}")) is scope_of(address)
    assert is_public(IPv6Address(f"64:ff9b::{address}")) is is_public(address)
    for form in (f"::{address}", f"64:ff9b:1::{address}", f"::ffff:0:{address}"):
        if int(IPv6Address(form)) != 1:
            assert scope_of(IPv6Address(form)) is Scope.SPECIAL
    number, teredo = int(address), 0x2001_0000 << 96
    assert scope_of(IPv6Address(0x2002 << 112 | number << 80)) is Scope.SPECIAL
    assert scope_of(IPv6Address(teredo | number << 64)) is Scope.SPECIAL
    assert scope_of(IPv6Address(teredo | (number ^ 0xFFFF_FFFF))) is Scope.SPECIAL


def test_of_several_addresses_the_acceptable_ones_stay_in_their_order() -> None:
    mixed = [ip_address(text) for text in ("10.0.0.1", "8.8.8.8", "169.254.169.254", "::1", "1.1.1.1")]
    assert acceptable(mixed, private=False) == (ip_address("8.8.8.8"), ip_address("1.1.1.1"))
    assert acceptable(mixed, private=True) == tuple(map(ip_address, ("10.0.0.1", "8.8.8.8", "::1", "1.1.1.1")))


def test_special_addresses_are_refused_even_where_private_ones_are_not() -> None:
    assert acceptable(map(ip_address, SPECIAL), private=True) == ()
