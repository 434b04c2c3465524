"""``casduo simulate duo``: the simulated Duo in the foreground, with its phone page and its control port."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path

import click

from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo.commands import COMMANDS
from casduo.simulators.duo.control import control_server
from casduo.simulators.duo.model import Application, ApplicationType, Script, Token
from casduo.simulators.duo.simulator import DuoSimulator
from casduo.simulators.files import write_file
from casduo.simulators.options import (
    control_help,
    control_port_option,
    host_option,
    log_option,
    run_until_signal,
    speed_option,
    start_log,
    state_option,
)

_STATES: dict[str, Callable[[DuoSimulator, str], object]] = {
    "active": lambda duo, name: duo.add_user(name),
    "bypass": lambda duo, name: duo.add_user(name, "bypass"),
    "disabled": lambda duo, name: duo.add_user(name, "disabled"),
    "locked": lambda duo, name: duo.add_user(name, "locked out"),
    "no-device": lambda duo, name: duo.add_user(name, devices=[]),
    "token": lambda duo, name: duo.add_user(name, devices=[Token()]),
    "approve": lambda duo, name: duo.add_user(name, script=Script("approve", after=2.0)),
    "deny": lambda duo, name: duo.add_user(name, script=Script("deny", after=2.0)),
}

_APPLICATIONS: tuple[ApplicationType, ...] = ("websdk", "authapi", "admin")

_EXAMPLE = '{"do": "reply", "username": "ada", "reply": "approve"}'


@click.command("duo", epilog=control_help(COMMANDS, _EXAMPLE))
@click.option("--port", default=0, show_default="any free port", help="Port of the API and of the phone page.")
@control_port_option()
@host_option("clients and browsers")
@speed_option("whatever runs out; signatures and tokens go by the real time")
@log_option("API request")
@state_option("duo-simulator", "keys and certificates")
@click.option(
    "--user",
    "users",
    multiple=True,
    metavar="NAME[:STATE]",
    help=f"A user Duo knows; may be repeated. STATE is one of {', '.join(_STATES)}.",
)
@click.option(
    "--redirect-uri",
    "redirect_uris",
    multiple=True,
    help="Where the prompt may send people back to; may be repeated. Default: wherever the application says.",
)
def duo(
    port: int,
    control_port: int,
    host: str,
    speed: float,
    log: bool,
    directory: Path,
    users: tuple[str, ...],
    redirect_uris: tuple[str, ...],
) -> None:
    """Run a stand-in for Duo until it is interrupted.

    It offers the Auth API, the Universal Prompt, the parts of the Admin API that help people to a device, and the
    phones people hold, as pages. The secret keys are written to a file that only you can read, never to the terminal.
    """
    start_log(log)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority = CertificateAuthority.load_or_create(directory)
    simulator = DuoSimulator(
        authority.issue([host]),
        VirtualClock(rate=speed),
        host=host,
        port=port,
        wall_clock=time.time,
        authority=authority,
    )
    keys_file = directory / "keys.json"
    for application in _applications(keys_file, redirect_uris):
        simulator.put_application(application)
    for user in users:
        _add_user(simulator, user)
    with simulator, control_server(simulator, control_port) as control:
        _write_keys(keys_file, simulator)
        click.echo(f"API host   {simulator.api_host}")
        click.echo(f"keys       {keys_file}")
        click.echo(f"CA         {simulator.ca_file}")
        click.echo(f"phones     {simulator.base_url}/phone")
        click.echo(f"control    {control.url}/_control")
        run_until_signal()


def _add_user(simulator: DuoSimulator, argument: str) -> None:
    name, _, state = argument.partition(":")
    add = _STATES.get(state or "active")
    if not name or add is None:
        raise click.BadParameter(
            f"{argument!r} is not NAME or NAME:STATE with a STATE among {', '.join(_STATES)}", param_hint="--user"
        )
    add(simulator, name)


def _applications(keys_file: Path, redirect_uris: tuple[str, ...]) -> list[Application]:
    """Return one application of each type, with the keys of the last run if there was one."""
    try:
        known = json.loads(keys_file.read_text())["applications"]
    except FileNotFoundError:
        known = {}
    applications = []
    for kind in _APPLICATIONS:
        keys = known.get(kind, {})
        applications.append(
            Application(
                type=kind,
                name="casduo",
                redirect_uris=redirect_uris or None,
                **{name: keys[name] for name in ("integration_key", "secret_key") if name in keys},
            )
        )
    return applications


def _write_keys(keys_file: Path, simulator: DuoSimulator) -> None:
    document = {
        "api_host": simulator.api_host,
        "ca_file": str(simulator.ca_file),
        "applications": {
            application.type: {
                "integration_key": application.integration_key,
                "secret_key": application.secret_key,
            }
            for application in simulator.applications()
        },
    }
    write_file(keys_file, (json.dumps(document, indent=2) + "\n").encode())
