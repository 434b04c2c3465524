"""Addresses that requests come from: what a text says, and what belongs to one line.

A browser comes with many requests in a row, so what was found of the last addresses is kept.
"""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address

Address = IPv4Address | IPv6Address

_LONGEST = 100
"""Characters, with the zone of an IPv6 address. Nothing longer is an address, or worth keeping."""
_KEPT = 4096
_LINE = 64


def parse_address(address: str) -> Address | None:
    """Return an IP address, an IPv4 address in IPv6 dress as IPv4; ``None`` when it cannot be read."""
    return _parse(address) if len(address) <= _LONGEST else None


def line_of(address: str) -> str:
    """Return what an address is counted as: of IPv6 its /64, for that is the least that one line has, and whoever has
    it may use each of its addresses (RFC 6177, RFC 8981); IPv4 in IPv6 dress is IPv4. What is no address is itself.
    """
    return _line(address) if len(address) <= _LONGEST else address


@lru_cache(_KEPT)
def _parse(address: str) -> Address | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return getattr(parsed, "ipv4_mapped", None) or parsed


@lru_cache(_KEPT)
def _line(address: str) -> str:
    parsed = _parse(address)
    if parsed is None:
        return address
    if isinstance(parsed, IPv4Address):
        return str(parsed)
    return str(IPv6Address(int(parsed) >> _LINE << _LINE))
