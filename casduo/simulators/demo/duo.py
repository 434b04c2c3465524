"""The demo's Duo: one application for the sign-in server, and what Duo knows of each person."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from casduo.simulators.certificates import LeafFiles
from casduo.simulators.demo.addresses import Addresses
from casduo.simulators.demo.people import PEOPLE, DuoState
from casduo.simulators.demo.state import Keys
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.model import Script

_REFUSAL_AFTER = 1.0
"""Seconds between a request and the refusal of somebody who always refuses: time to see that something was sent."""

_ADD: Mapping[DuoState, Callable[[DuoSimulator, str], object]] = {
    "enrolled": lambda duo, name: duo.add_user(name),
    "unenrolled": lambda duo, name: None,
    "deny": lambda duo, name: duo.add_user(name, script=Script("deny", after=_REFUSAL_AFTER)),
    "bypass": lambda duo, name: duo.add_user(name, "bypass"),
    "locked": lambda duo, name: duo.add_user(name, "locked out"),
}


def duo_simulator(addresses: Addresses, certificate: LeafFiles, keys: Keys) -> DuoSimulator:
    """Return a Duo that knows everybody, not started yet. People begin anew with every start of the demo."""
    simulator = DuoSimulator(certificate, port=addresses.duo_port)
    simulator.add_application(
        name="Example University",
        redirect_uris=[f"{addresses.cas_url}/duo/callback"],
        integration_key=keys.duo_client_id,
        secret_key=keys.duo_client_secret,
    )
    simulator.add_application(
        "authapi", "Example University, devices", integration_key=keys.duo_api_key, secret_key=keys.duo_api_secret
    )
    for person in PEOPLE:
        _ADD[person.duo](simulator, person.username)
    return simulator
