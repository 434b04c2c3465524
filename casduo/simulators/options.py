"""What the commands that run a simulator share: options, the help of the control interface, running until a signal."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from casduo.simulators.steering import Command

_Option = Callable[[Callable[..., Any]], Callable[..., Any]]

_CONTROL = """\b
The control interface takes a JSON object with POST, for example
  curl -H 'Content-Type: application/json' URL -d '{example}'
and answers {{"result": ...}} or {{"error": ...}}. GET tells the state. {note}What "do" may be, and its other members:

\b
"""


def control_help(commands: Mapping[str, Command[Any]], example: str, note: str = "") -> str:
    """Return what the help of a command says about its control interface.

    :param example: a JSON object that one could send
    :param note: a sentence that ends with a line break or a blank
    """
    lines = [f"{name}{': ' if command.takes else ''}{command.takes}" for name, command in commands.items()]
    introduction = _CONTROL.format(example=example, note=note)
    return introduction + "\n".join(f"  {line}" for line in lines) + '\n\n{"do": "help"} tells what each of them does.'


def control_port_option() -> _Option:
    """``--control-port``"""
    return click.option(
        "--control-port", default=0, show_default="any free port", help="Port of the control interface."
    )


def host_option(clients: str) -> _Option:
    """``--host``; ``clients`` are those who reach the simulator under that name."""
    return click.option(
        "--host",
        default="localhost",
        show_default=True,
        help=f"Name under which {clients} reach it; it goes into the certificate and must lead to this machine.",
    )


def speed_option(purpose: str) -> _Option:
    """``--speed``; ``purpose`` is what goes by that time."""
    return click.option(
        "--speed",
        type=click.FloatRange(min=0.0),
        default=1.0,
        show_default=True,
        help=f"Seconds that pass for each real one, for {purpose}.",
    )


def log_option(requests: str) -> _Option:
    """``--log``, which needs :func:`start_log`; ``requests`` are those that are written."""
    return click.option("--log", is_flag=True, help=f"Write every {requests} to standard error, without secrets.")


def state_option(name: str, content: str) -> _Option:
    """``--state``, given to the command as ``directory``; ``content`` is what is kept there."""
    return click.option(
        "--state",
        "directory",
        type=click.Path(file_okay=False, path_type=Path),
        default=lambda: Path(click.get_app_dir("casduo")) / name,
        show_default="a directory of this user",
        help=f"Where {content} are kept from one run to the next.",
    )


def start_log(wanted: bool) -> None:
    """Write log lines to standard error, if they are wanted."""
    if wanted:
        logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")


def run_until_signal(each_second: Callable[[], object] | None = None) -> None:
    """Wait for SIGINT or SIGTERM, and do something every second meanwhile."""
    ended = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: ended.set())
    while not ended.wait(None if each_second is None else 1.0):
        if each_second is not None:
            each_second()
