"""``casduo simulate ucm``: the simulated UCM in the foreground, with its control port."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.clock import VirtualClock
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
from casduo.simulators.ucm.commands import COMMANDS
from casduo.simulators.ucm.control import control_server
from casduo.simulators.ucm.policy import MULTIPLE_LOGINS, MultipleLogin
from casduo.simulators.ucm.simulator import UcmSimulator

ACCOUNT = "casduo"
"""Name of the application user that programs ask with."""

_EXAMPLE = '{"do": "log_in", "device": "SEP001122334455", "userid": "ada"}'
_NOTE = "Nodes are counted from 1; commands that take a node\nmean all of them without it. "


@click.command("ucm", epilog=control_help(COMMANDS, _EXAMPLE, _NOTE))
@click.option("--nodes", type=click.IntRange(1, 9), default=2, show_default=True, help="Nodes of the cluster.")
@click.option(
    "--port", "ports", type=int, multiple=True, help="Port of a node, the first first; may be repeated. Default: any."
)
@control_port_option()
@host_option("clients")
@speed_option("logins that end and locks that are lifted")
@log_option("request")
@state_option("ucm-simulator", "password and certificates")
@click.option(
    "--user",
    "users",
    multiple=True,
    metavar="NAME:PIN[:PROFILE,...]",
    help="An end user, with NAME@example.edu as mail address; may be repeated. The first profile is the default one; "
    "without any, it is NAME-phone.",
)
@click.option(
    "--phone", "phones", multiple=True, metavar="DEVICE", help="A phone people may log in on; may be repeated."
)
@click.option(
    "--multiple-login",
    type=click.Choice(MULTIPLE_LOGINS),
    default="refuse",
    show_default=True,
    help="What becomes of people who log in on a second phone.",
)
def ucm(
    nodes: int,
    ports: tuple[int, ...],
    control_port: int,
    host: str,
    speed: float,
    log: bool,
    directory: Path,
    users: tuple[str, ...],
    phones: tuple[str, ...],
    multiple_login: MultipleLogin,
) -> None:
    """Run a stand-in for a Cisco Unified CM until it is interrupted.

    Every node offers AXL, the Extension Mobility API and the real-time information service, to the application user
    casduo, who may do everything over them. Its password is written to a file that only you can read, never to the
    terminal.
    """
    start_log(log)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority = CertificateAuthority.load_or_create(directory)
    simulator = UcmSimulator(
        authority.issue([host]),
        nodes=nodes,
        clock=VirtualClock(rate=speed),
        ports=ports,
        host=host,
        authority=authority,
    )
    simulator.policy.multiple_login = multiple_login
    password_file = directory / "password"
    simulator.add_application_user(ACCOUNT, _password(password_file), ("axl", "em", "ris"))
    for user in users:
        _add_user(simulator, user)
    for phone in phones:
        simulator.add_phone(phone)
    with simulator, control_server(simulator, control_port) as control:
        for node in simulator.nodes:
            click.echo(f"node {node.number + 1}     {node.address}")
        click.echo(f"account    {ACCOUNT}")
        click.echo(f"password   {password_file}")
        click.echo(f"CA         {simulator.ca_file}")
        click.echo(f"control    {control.url}/_control")
        run_until_signal(simulator.settle)


def _add_user(simulator: UcmSimulator, argument: str) -> None:
    name, _, rest = argument.partition(":")
    pin, _, listed = rest.partition(":")
    if not name or not (pin.isascii() and pin.isdigit() and len(pin) >= 4):
        # The argument holds a PIN, so it is not shown.
        raise click.BadParameter(
            "a user is NAME:PIN or NAME:PIN:PROFILE,..., with a PIN of 4 digits or more", param_hint="--user"
        )
    profiles = [profile for profile in listed.split(",") if profile] or [f"{name}-phone"]
    simulator.add_user(
        name, pin=pin, mail=f"{name}@example.edu", profiles=profiles, default_profile=profiles[0], first_name=name
    )


def _password(path: Path) -> str:
    """Return the password of the last run, or a new one."""
    try:
        return path.read_text().strip()
    except FileNotFoundError:
        password = secrets.token_urlsafe(24)
        write_file(path, f"{password}\n".encode())
        return password
