"""Why a connection does not come about, in words. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from casduo.diagnosis.model import Finding, Part
from casduo.fieldtypes import format_duration
from casduo.outbound.tls import Destination


@dataclass(frozen=True, slots=True)
class Way:
    """A way to a server and the settings that describe it.

    :param host_setting: names the server.
    :param proxy_setting: would name a web proxy; empty where there is no such setting.
    """

    destination: Destination
    host_setting: str
    proxy_setting: str = ""

    @property
    def hop(self) -> str:
        """Whom this machine itself connects to, in words."""
        host, port = self.destination.first_hop
        return f"{'the web proxy ' if self.destination.proxy is not None else ''}{host}, port {port}"

    @property
    def hop_setting(self) -> str:
        """The setting that names whom this machine itself connects to."""
        return self.host_setting if self.destination.proxy is None else self.proxy_setting


def reached(part: Part, way: Way, addresses: tuple[str, ...]) -> Finding:
    """Return that a connection comes about."""
    by = f" by way of {way.hop}" if way.destination.proxy is not None else ""
    shown = ", ".join(addresses)
    place = f"{way.destination.host}, port {way.destination.port}, takes connections{by}"
    return part.ok("network", f"{place} ({shown})", addresses=addresses)


def not_reached(part: Part, way: Way, detail: str, status: int = 0) -> Finding:
    """Return why no connection comes about.

    :param detail: of :class:`~casduo.errors.UpstreamUnavailable`, as ``outbound/tls.py`` raises it.
    :param status: of a proxy that refuses.
    """
    if detail == "proxy_refused":
        return _refused_by_proxy(part, way, status)
    host, _ = way.destination.first_hop
    firewall = f"a firewall in between, or {way.hop_setting} names another place than is meant"
    seconds = format_duration(way.destination.connect_timeout)
    found, cause, remedy = {
        "dns": (
            f"the name {host} is not known",
            f"{way.hop_setting} is mistyped, or this machine's name servers do not answer",
            f"try 'getent hosts {host}' on this machine; compare {way.hop_setting}",
        ),
        "refused": (
            f"{way.hop} refuses connections",
            f"nothing listens there, or {firewall}",
            f"compare {way.hop_setting}; ask who keeps the firewall for outgoing connections to that port",
        ),
        "timeout": (
            f"{way.hop} does not answer within {seconds}",
            f"most likely {firewall}",
            _ask_for_a_way(way),
        ),
        "reset": (
            f"{way.hop} hangs up at once",
            f"most likely {firewall}",
            _ask_for_a_way(way),
        ),
        "unreadable": (
            f"{way.hop} does not answer as a web proxy does",
            f"{way.hop_setting} names something else than a web proxy",
            f"compare {way.hop_setting}",
        ),
    }.get(
        detail,
        (
            f"no connection to {way.hop} comes about",
            "this machine has no route there",
            "look at its network: addresses, routes, and whether IPv6 is offered and does not work",
        ),
    )
    return part.fault("network", found, detail, cause, remedy)


def _ask_for_a_way(way: Way) -> str:
    if way.destination.proxy is not None:
        return f"compare {way.hop_setting}; ask who keeps the proxy"
    proxy = f", or name the web proxy that they go by in {way.proxy_setting}" if way.proxy_setting else ""
    return f"have outgoing connections to {way.hop} let through{proxy}"


def _refused_by_proxy(part: Part, way: Way, status: int) -> Finding:
    found = f"{way.hop} does not connect to {way.destination.host} (status {status})"
    if status == 407:
        cause = "it wants a name and a password, or other ones"
        remedy = f"put them into {way.proxy_setting}: http://user:password@host:port"
    elif status in (502, 503, 504):
        cause = f"it cannot reach {way.destination.host} itself"
        remedy = f"compare {way.host_setting}; ask who keeps the proxy"
    else:
        cause = "it is not allowed to, as far as it says"
        remedy = f"have {way.destination.host} let through for this machine"
    return part.fault("network", found, "proxy_refused", cause, remedy, status=status)
