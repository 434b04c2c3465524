"""Tells which program calls: by its key, by its address, or by both."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from casduo.fieldtypes import Network
from casduo.protocol.rest.errors import UnknownClient
from casduo.services.access import in_networks
from casduo.signing import equal, fingerprint


@dataclass(frozen=True, slots=True)
class RestClient:
    """A program that may use the REST protocol.

    ``key`` is the fingerprint of its key, empty for none; ``networks`` where it may call from, ``services`` the ids of
    the registry entries it may get tickets for; either empty for all.
    """

    name: str
    key: str = field(default="", repr=False)
    networks: tuple[Network, ...] = ()
    services: frozenset[str] = frozenset()

    def may_use(self, service_id: str) -> bool:
        """Say whether it may get tickets for the registry entry ``service_id``."""
        return not self.services or service_id in self.services


def rest_client(name: str, key: str = "", networks: Iterable[Network] = (), services: Iterable[str] = ()) -> RestClient:
    """Return a client that is recognised by ``key``, its secret itself, and by where it calls from."""
    return RestClient(name, fingerprint(key) if key else "", tuple(networks), frozenset(services))


class RestClients:
    """The programs that the settings name."""

    def __init__(self, clients: Iterable[RestClient]) -> None:
        self._clients = tuple(clients)

    def identify(self, authorization: str, address: str) -> RestClient:
        """Return who calls.

        Whoever presents a key is looked for by that key and in no other way: a wrong one is never made good by the
        address. Without a key only clients without one are looked for.

        :param authorization: the header, ``Bearer KEY`` (RFC 6750, section 2.1); another scheme presents no key
        :param address: where the call comes from
        :raises UnknownClient: nobody
        """
        scheme, _, presented = authorization.strip().partition(" ")
        key = fingerprint(presented.strip()) if scheme.lower() == "bearer" else ""
        known, found = False, None
        for client in self._clients:
            # All are compared, and each in equal time: how long it took tells nobody how near he was.
            if not equal(client.key, key):
                continue
            known = True
            if found is None and (not client.networks or in_networks(client.networks, address)):
                found = client
        if found is None:
            raise UnknownClient("no key" if not key else "network" if known else "key")
        return found
