"""``casduo simulate phone``: an emulated phone in the terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path

import click

from casduo.simulators.phone.exchange import Address
from casduo.simulators.phone.phone import IpPhone
from casduo.simulators.phone.presets import PRESETS
from casduo.simulators.phone.receiver import PushReceiver
from casduo.simulators.phone.terminal import HELP, Terminal

_EPILOG = "\b\nCommands, one a line:\n" + "\n".join(f"  {line}" for line in HELP.splitlines())


@click.command("phone", epilog=_EPILOG)
@click.argument("service_url")
@click.option("--model", type=click.Choice(list(PRESETS)), default="8845", show_default=True, help="What it emulates.")
@click.option("--device", default="SEP001122334455", show_default=True, help="Its device name.")
@click.option(
    "--ca-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Certificates it trusts, as PEM. Phones know no public authority: without this file https fails.",
)
@click.option("--language", default="en-US", show_default=True, help="Its Accept-Language.")
@click.option("--source-address", default="", help="The IP address it sends from. Default: the system chooses.")
@click.option(
    "--resolve",
    multiple=True,
    metavar="HOST=ADDRESS:PORT",
    help="Where a host really is; may be repeated.",
)
@click.option(
    "--timeout",
    type=click.FloatRange(min=0.1),
    default=10.0,
    show_default=True,
    help="Seconds of silence after which it gives a server up.",
)
@click.option("--replace-in-pages", is_flag=True, help="Replace #DEVICENAME# in pages too, not only in SERVICE_URL.")
@click.option(
    "--authentication-url",
    default="",
    metavar="URL",
    help="Take objects sent to the phone, and ask this address whether the sender may.",
)
@click.option("--push-port", default=0, show_default="any free port", help="Port on which it takes them.")
def phone(
    service_url: str,
    model: str,
    device: str,
    ca_file: Path | None,
    language: str,
    source_address: str,
    resolve: tuple[str, ...],
    timeout: float,
    replace_in_pages: bool,
    authentication_url: str,
    push_port: int,
) -> None:
    """Use a phone service as an IP phone does: SERVICE_URL, in which #DEVICENAME# becomes the device name.

    The phone is strict: what some phone might refuse is refused or listed, and the exit status is then 1.
    """
    emulated = IpPhone(
        device,
        model,
        service_url=service_url,
        ca_file=ca_file,
        source_address=source_address,
        language=language,
        resolve=dict(_resolved(entry) for entry in resolve),
        timeout=timeout,
        replace_in_pages=replace_in_pages,
    )
    receiver = PushReceiver(emulated, authentication_url, port=push_port) if authentication_url else None
    with nullcontext() if receiver is None else receiver:
        if receiver is not None:
            click.echo(f"objects to {receiver.url}")
        Terminal(emulated, click.echo, time.sleep, time.time).run(_lines())
    if emulated.violations:
        click.echo(f"{len(emulated.violations)} violations:\n" + "\n".join(emulated.violations), err=True)
        sys.exit(1)


def _lines() -> Iterator[str]:
    while True:
        try:
            yield input("> ")
        except EOFError:
            return


def _resolved(entry: str) -> tuple[str, Address]:
    host, equals, rest = entry.partition("=")
    address, colon, port = rest.rpartition(":")
    if not (host and equals and address and colon and port.isdecimal()):
        raise click.BadParameter(f"{entry!r} is not HOST=ADDRESS:PORT", param_hint="--resolve")
    return host, (address.strip("[]"), int(port))
