"""Examines the way to a server, and says what it means that nothing can be seen of its certificate."""

from __future__ import annotations

from collections.abc import Generator

from casduo.diagnosis.model import Finding, Part
from casduo.diagnosis.network import Way, not_reached, reached
from casduo.errors import UpstreamUnavailable
from casduo.outbound.tls import ProxyRefused, addresses_of, reach

Examination = Generator[Finding, None, bool]
"""Yields findings, and returns whether it is worth examining what comes after."""


def examine_network(part: Part, way: Way) -> Examination:
    """Examine whether a connection comes about: the name, the address, the port, a proxy in between."""
    try:
        addresses = addresses_of(way.destination.first_hop[0])
        reach(way.destination)
    except ProxyRefused as failure:
        yield not_reached(part, way, failure.detail, failure.status)
    except UpstreamUnavailable as failure:
        yield not_reached(part, way, failure.detail)
    else:
        yield reached(part, way, addresses)
        return True
    return False


def no_tls(part: Part, way: Way, detail: str) -> Finding:
    """Return why a server that takes connections shows no certificate.

    :param detail: of :class:`~casduo.errors.UpstreamUnavailable`, as ``outbound/tls.py`` raises it.
    """
    place = f"{way.destination.host}, port {way.destination.port},"
    if detail == "no_tls":
        cause = f"it is another service, a guest network's sign-in page, or {way.host_setting} names the wrong port"
        found = f"{place} does not speak TLS of version 1.2 or later"
        return part.fault("certificate", found, detail, cause, f"compare {way.host_setting}")
    says = "takes the connection and then says nothing" if detail == "timeout" else "hangs up before it shows one"
    cause = "a firewall that looks into connections does not like the name, or there is a fault at the other end"
    remedy = f"ask who keeps the firewall; compare {way.host_setting}"
    return part.fault("certificate", f"{place} {says}", detail, cause, remedy)
