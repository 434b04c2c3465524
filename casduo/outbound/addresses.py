"""Which IP addresses a call may go to when a request has a say in where it goes.

IPv4 is judged by a list of what is not public, IPv6 the other way round: only 2000::/3 has been given out so far. Both
follow the IANA registries of special-purpose addresses (RFC 6890), read for the question "can a stranger's web server
be there?", which is narrower than "is it forwarded?".
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Address = IPv4Address | IPv6Address


class Scope(StrEnum):
    """Who can be behind an address."""

    PUBLIC = "public"
    """Somebody on the Internet."""
    PRIVATE = "private"
    """This machine, or one on a network of our own."""
    SPECIAL = "special"
    """No server anybody would name: link-local (where clouds keep their credentials), multicast, reserved ranges."""


_PRIVATE_V4 = tuple(
    map(
        IPv4Network,
        (
            "10.0.0.0/8",  # RFC 1918
            "100.64.0.0/10",  # RFC 6598, behind a carrier's address translation
            "127.0.0.0/8",  # RFC 1122
            "172.16.0.0/12",  # RFC 1918
            "192.168.0.0/16",  # RFC 1918
        ),
    )
)
_SPECIAL_V4 = tuple(
    map(
        IPv4Network,
        (
            "0.0.0.0/8",  # RFC 791; Linux takes 0.0.0.0 for itself
            "169.254.0.0/16",  # RFC 3927
            "192.0.0.0/24",  # RFC 6890
            "192.0.2.0/24",  # RFC 5737, documentation
            "192.88.99.0/24",  # RFC 7526, the relays of 6to4
            "198.18.0.0/15",  # RFC 2544, benchmarks
            "198.51.100.0/24",  # RFC 5737, documentation
            "203.0.113.0/24",  # RFC 5737, documentation
            "224.0.0.0/4",  # RFC 5771, multicast
            "240.0.0.0/4",  # RFC 1112, and the broadcast address
        ),
    )
)
_PRIVATE_V6 = (
    IPv6Network("::1/128"),  # RFC 4291
    IPv6Network("fc00::/7"),  # RFC 4193
)
_UNICAST_V6 = IPv6Network("2000::/3")  # RFC 4291
_SPECIAL_V6 = (
    # Within 2000::/3. The tunnels name an IPv4 address behind them; they are out of use and not worth unpacking.
    IPv6Network("2001::/23"),  # RFC 2928: Teredo, benchmarks, ORCHID, anycast services
    IPv6Network("2001:db8::/32"),  # RFC 3849, documentation
    IPv6Network("2002::/16"),  # RFC 3056, 6to4
    IPv6Network("3fff::/20"),  # RFC 9637, documentation
)
_MAPPED = IPv6Network("::ffff:0:0/96")  # RFC 4291
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052


def scope_of(address: Address) -> Scope:
    """Return who can be behind ``address``.

    IPv4 within IPv6 counts as the IPv4 address where the network delivers it there: mapped (RFC 4291, 2.5.5.2) and
    behind NAT64 with the well-known prefix (RFC 6052), which names every public IPv4 server on a network of IPv6 only.
    A private address behind NAT64 is special, for RFC 6052, 3.1 forbids it.
    """
    if isinstance(address, IPv4Address):
        return _scope_of_v4(address)
    embedded = IPv4Address(int(address) & 0xFFFFFFFF)
    if address in _MAPPED:
        return _scope_of_v4(embedded)
    if address in _NAT64:
        return Scope.PUBLIC if is_public(embedded) else Scope.SPECIAL
    if any(address in network for network in _PRIVATE_V6):
        return Scope.PRIVATE
    if address not in _UNICAST_V6 or any(address in network for network in _SPECIAL_V6):
        return Scope.SPECIAL
    return Scope.PUBLIC


def _scope_of_v4(address: IPv4Address) -> Scope:
    if any(address in network for network in _PRIVATE_V4):
        return Scope.PRIVATE
    if any(address in network for network in _SPECIAL_V4):
        return Scope.SPECIAL
    return Scope.PUBLIC


def is_public(address: Address) -> bool:
    """Say whether ``address`` can be that of a server on the Internet."""
    return scope_of(address) is Scope.PUBLIC


def acceptable(addresses: Iterable[Address], *, private: bool) -> tuple[Address, ...]:
    """Return those of ``addresses`` that a call may go to, in their order.

    :param private: whether private addresses may be called as well. Special ones never are.
    """
    scopes = {Scope.PUBLIC, Scope.PRIVATE} if private else {Scope.PUBLIC}
    return tuple(address for address in addresses if scope_of(address) in scopes)
