"""``casduo simulate webex``: the simulated Webex in the foreground, with its page and its control port."""

from __future__ import annotations

import json
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
from casduo.simulators.webex.commands import COMMANDS
from casduo.simulators.webex.control import control_server
from casduo.simulators.webex.simulator import WebexSimulator

BOT = "casduo"
"""Name of the bot that is always there."""

_EXAMPLE = '{"do": "press", "message": "MESSAGE ID", "email": "luke@example.edu", "button": "Approve"}'


@click.command("webex", epilog=control_help(COMMANDS, _EXAMPLE))
@click.option("--port", default=0, show_default="any free port", help="Port of the API and of the page.")
@control_port_option()
@host_option("clients and browsers")
@click.option("--plain", is_flag=True, help="Speak plain HTTP, for clients that take it from this machine.")
@speed_option("rate limits, late deliveries and webhooks that are given up")
@log_option("call of the API")
@state_option("webex-simulator", "tokens and certificates")
@click.option(
    "--person",
    "people",
    multiple=True,
    metavar="EMAIL[:NAME]",
    help="Somebody with a token and with spaces to look into; may be repeated.",
)
@click.option(
    "--bot",
    "bots",
    multiple=True,
    metavar="NAME[:EMAIL]",
    help=f"A bot with a token, beside {BOT}, which is always there; may be repeated.",
)
@click.option(
    "--room",
    "rooms",
    multiple=True,
    metavar="TITLE[:EMAIL,...]",
    help="A space; may be repeated. Without addresses everybody is a member. Bots are called NAME@webex.bot.",
)
@click.option(
    "--receiver-ca",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Authority that signed the certificates of webhook receivers, as PEM. Default: the simulator's own.",
)
@click.option(
    "--snapshot",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File to begin from if it is there, and to write everything to at the end. It holds tokens.",
)
def webex(
    port: int,
    control_port: int,
    host: str,
    plain: bool,
    speed: float,
    log: bool,
    directory: Path,
    people: tuple[str, ...],
    bots: tuple[str, ...],
    rooms: tuple[str, ...],
    receiver_ca: Path | None,
    snapshot: Path | None,
) -> None:
    """Run a stand-in for Webex until it is interrupted.

    It offers the messaging API, webhooks to receivers on this machine, and the spaces people look into, as a page on
    which the buttons of cards can be pressed. The tokens are written to a file that only you can read, never to the
    terminal.
    """
    start_log(log)
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority = CertificateAuthority.load_or_create(directory)
    simulator = WebexSimulator(
        VirtualClock(rate=speed),
        certificate=None if plain else authority.issue([host]),
        host=host,
        port=port,
        authority=authority,
    )
    simulator.trust(authority.ca_file if receiver_ca is None else receiver_ca)
    if snapshot is not None and snapshot.exists():
        simulator.load(snapshot)
    tokens_file = directory / "tokens.json"
    _fill(simulator, _known_tokens(tokens_file), people, bots, rooms)
    with simulator, control_server(simulator, control_port) as control:
        _write_tokens(tokens_file, simulator)
        click.echo(f"API        {simulator.base_url}")
        click.echo(f"page       {simulator.page_url}")
        click.echo(f"tokens     {tokens_file}")
        if not plain:
            click.echo(f"CA         {simulator.ca_file}")
        click.echo(f"control    {control.url}/_control")
        run_until_signal()
    if snapshot is not None:
        simulator.save(snapshot)


def _fill(
    simulator: WebexSimulator,
    tokens: dict[str, str],
    people: tuple[str, ...],
    bots: tuple[str, ...],
    rooms: tuple[str, ...],
) -> None:
    """Add who and what is not there yet."""
    for argument in (BOT, *bots):
        name, _, email = argument.partition(":")
        _check(bool(name), argument, "NAME or NAME:EMAIL", "--bot")
        address = email or f"{name.lower()}@webex.bot"
        if not _is_known(simulator, address):
            simulator.add_bot(name, email=address, token=tokens.get(address))
    for argument in people:
        email, _, name = argument.partition(":")
        _check("@" in email, argument, "EMAIL or EMAIL:NAME", "--person")
        if not _is_known(simulator, email):
            simulator.add_person(email, name, token=tokens.get(email))
    for argument in rooms:
        title, _, listed = argument.partition(":")
        emails = [email.strip() for email in listed.split(",") if email.strip()]
        known = bool(title) and all(_is_known(simulator, email) for email in emails)
        _check(known, argument, "TITLE or TITLE:EMAIL,... with addresses of people or bots", "--room")
        if title not in [room.title for room in simulator.rooms()]:
            simulator.add_room(title, [simulator.person(each) for each in emails] or simulator.people())


def _is_known(simulator: WebexSimulator, email: str) -> bool:
    return any(person.has_email(email) for person in simulator.people())


def _check(fine: bool, argument: str, form: str, option: str) -> None:
    if not fine:
        raise click.BadParameter(f"{argument!r} is not {form}", param_hint=option)


def _known_tokens(path: Path) -> dict[str, str]:
    """Return the tokens of the last run by address, if there was one."""
    try:
        found = json.loads(path.read_text())["tokens"]
    except FileNotFoundError:
        return {}
    return {str(email): str(token) for email, token in found.items()}


def _write_tokens(path: Path, simulator: WebexSimulator) -> None:
    document = {
        "base_url": simulator.base_url,
        "tokens": {person.email: person.token for person in simulator.people()},
    }
    write_file(path, (json.dumps(document, indent=2) + "\n").encode())
