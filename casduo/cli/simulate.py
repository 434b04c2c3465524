"""``casduo simulate``: one stand-in for another service in the foreground."""

from __future__ import annotations

import click

from casduo.simulators.duo.command import duo
from casduo.simulators.phone.command import phone
from casduo.simulators.ucm.command import ucm
from casduo.simulators.webex.command import webex


@click.group("simulate")
def simulate() -> None:
    """Run a stand-in for a service that casduo talks to."""


simulate.add_command(duo)
simulate.add_command(phone)
simulate.add_command(ucm)
simulate.add_command(webex)
