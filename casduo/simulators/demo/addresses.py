"""Which ports the demo uses, and the addresses that follow from them."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from casduo.simulators.demo.errors import DemoError, PortUnusable
from casduo.simulators.sample_apps import SampleApp

DEFAULT_PORT = 8443
ADDRESS = "127.0.0.1"
HOST = "localhost"

UCM_NODES = 2
"""Nodes of the simulated UCM: one can be stopped while people log in on phones."""

_MOST_BLOCKS = 20


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where everything is: ports in a row, the sign-in server first.

    :param first: port of the sign-in server.
    :param apps: the applications, in the order of their ports.
    """

    first: int
    apps: tuple[SampleApp, ...]

    @property
    def cas_url(self) -> str:
        """Base address of the sign-in server."""
        return f"https://{HOST}:{self.first}/cas"

    def app_port(self, app: SampleApp) -> int:
        """Return the port of one of the applications."""
        return self.first + 1 + self.apps.index(app)

    def app_url(self, app: SampleApp) -> str:
        """Return the address of one of the applications, without a slash at its end."""
        return f"https://{HOST}:{self.app_port(app)}"

    @property
    def duo_port(self) -> int:
        """Port of the simulated Duo."""
        return self.first + 1 + len(self.apps)

    @property
    def duo_host(self) -> str:
        """What clients know Duo by."""
        return f"{HOST}:{self.duo_port}"

    @property
    def phones_url(self) -> str:
        """Where requests of Duo are answered."""
        return f"https://{self.duo_host}/phone"

    @property
    def control_port(self) -> int:
        """Port by which Duo can be steered."""
        return self.duo_port + 1

    @property
    def control_url(self) -> str:
        """Address that takes commands for Duo."""
        return f"http://{HOST}:{self.control_port}/_control"

    @property
    def ip_phones_port(self) -> int:
        """Port of the page with the IP phones."""
        return self.control_port + 1

    @property
    def ip_phones_url(self) -> str:
        """Address of the page with the IP phones."""
        return f"https://{HOST}:{self.ip_phones_port}/"

    @property
    def ucm_ports(self) -> tuple[int, ...]:
        """Ports of the simulated UCM's nodes, the publisher's first."""
        return tuple(self.ip_phones_port + 1 + node for node in range(UCM_NODES))

    @property
    def ucm_servers(self) -> tuple[str, ...]:
        """The same as host and port."""
        return tuple(f"{HOST}:{port}" for port in self.ucm_ports)

    @property
    def ucm_control_port(self) -> int:
        """Port by which the UCM can be steered."""
        return self.ip_phones_port + 1 + UCM_NODES

    @property
    def ucm_control_url(self) -> str:
        """Address that takes commands for the UCM."""
        return f"http://{HOST}:{self.ucm_control_port}/_control"

    @property
    def em_url(self) -> str:
        """The sign-in server's service for IP phones, without a slash at its end."""
        return f"https://{HOST}:{self.first}/em"

    @property
    def em_service_url(self) -> str:
        """Its address as the UCM gives it to phones, which put their names into it."""
        return f"{self.em_url}/?device=#DEVICENAME#"

    @property
    def webex_port(self) -> int:
        """Port of the simulated Webex."""
        return self.ucm_control_port + 1

    @property
    def webex_url(self) -> str:
        """The page with everybody's spaces."""
        return f"https://{HOST}:{self.webex_port}/"

    @property
    def webex_api_url(self) -> str:
        """Address of Webex's API."""
        return f"{self.webex_url}v1/"

    @property
    def webex_control_port(self) -> int:
        """Port by which Webex can be steered."""
        return self.webex_port + 1

    @property
    def webex_control_url(self) -> str:
        """Address that takes commands for Webex."""
        return f"http://{HOST}:{self.webex_control_port}/_control"

    @property
    def ports(self) -> range:
        """All ports."""
        return range(self.first, self.webex_control_port + 1)


def choose_addresses(port: int | None, apps: tuple[SampleApp, ...]) -> Addresses:
    """Find ports.

    :param port: the first one, if somebody asked for it; None takes the usual ones, or the next ones that are free.
    :raises PortUnusable: a port that was asked for is taken, or not for everybody.
    :raises DemoError: there are none nearby.
    """
    if port is not None:
        addresses = Addresses(port, apps)
        for each in addresses.ports:
            obstacle = _obstacle(each)
            if obstacle is not None:
                raise PortUnusable.from_error(each, obstacle, len(addresses.ports))
        return addresses
    needed = len(Addresses(DEFAULT_PORT, apps).ports)
    for first in range(DEFAULT_PORT, DEFAULT_PORT + needed * _MOST_BLOCKS, needed):
        addresses = Addresses(first, apps)
        if all(_obstacle(each) is None for each in addresses.ports):
            return addresses
    raise DemoError(f"there are no {needed} free ports in a row near {DEFAULT_PORT}; use --port")


def _obstacle(port: int) -> OSError | None:
    """Return why nobody could listen on ``port`` now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do it: connections that ended a moment ago are no obstacle.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((ADDRESS, port))
        except OSError as error:
            return error
    return None
