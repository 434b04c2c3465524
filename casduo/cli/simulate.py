"""``casduo simulate``: one stand-in for another service in the foreground."""

from __future__ import annotations

import click

from casduo.simulators.duo.command import duo


@click.group("simulate")
def simulate() -> None:
    """Run a stand-in for a service that casduo talks to."""


simulate.add_command(duo)
