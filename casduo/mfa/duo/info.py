"""What a person's device shows of a request: for which application, from where."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network

from casduo.services.access import in_networks

Places = tuple[tuple[str, tuple[IPv4Network | IPv6Network, ...]], ...]
"""Names of places, each with its address blocks, in the order in which they are tried."""


def push_info(application: str, host: str, address: str, places: Places, phone: str = "") -> dict[str, str]:
    """Return labels and values in the order in which a device shows them (Auth API, ``pushinfo``).

    :param application: its name in the registry
    :param host: where it runs
    :param address: of the browser, empty if it is not known
    :param phone: the IP phone at which it is, as it calls itself; empty for a browser
    """
    place = place_of(address, places)
    info = {"Application": application, "Host": host, "Phone": phone, "Address": address, "Place": place}
    return {label: value for label, value in info.items() if value}


def place_of(address: str, places: Places) -> str:
    """Return the name of the first place that ``address`` belongs to, empty for none."""
    return next(_fitting(address, places), "")


def _fitting(address: str, places: Places) -> Iterator[str]:
    return (name for name, networks in places if address and in_networks(networks, address))
