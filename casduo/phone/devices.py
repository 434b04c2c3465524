"""Which phone a request speaks for, and from where: the name in its address and the address it came from."""

from __future__ import annotations

import re
from ipaddress import IPv4Network, IPv6Address, IPv6Network
from typing import Literal

from casduo.addresses import parse_address

AddressBinding = Literal["exact", "network", "off"]
"""Whether a login must end where it began: at the same address, in the same network, or anywhere."""

LONGEST_NAME = 50
"""Characters."""

_NAME = re.compile(rf"[A-Z0-9._-]{{1,{LONGEST_NAME}}}")
_IPV4_NETWORK = 24
_IPV6_NETWORK = 64


def device_name(text: str, pattern: str) -> str | None:
    """Return the device name that ``text`` spells, in upper case as UCM spells it, ``None`` when it cannot be one.

    :param text: as the phone sent it
    :param pattern: the regular expression of the settings; the whole name has to match
    """
    # Before anything else: some letters of other scripts have plain ones as their upper case.
    if not text.isascii():
        return None
    name = text.upper()
    return name if _NAME.fullmatch(name) and re.fullmatch(pattern, name) else None


def bound_address(address: str, binding: AddressBinding) -> str:
    """Return what has to be the same for all requests of one login.

    :param address: where a request came from
    :param binding: ``exact``: the address; ``network``: its /24, of IPv6 its /64; ``off``: nothing, the answer is empty
    """
    if binding == "off":
        return ""
    found = parse_address(address)
    if found is None:
        return address
    if binding == "exact":
        return str(found)
    if isinstance(found, IPv6Address):
        return str(IPv6Network((int(found), _IPV6_NETWORK), strict=False))
    return str(IPv4Network((int(found), _IPV4_NETWORK), strict=False))
