"""``casduo demo``: everything on one machine, to look at and to try, until it is told to stop."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from casduo.simulators.demo.demo import started_demo
from casduo.simulators.demo.summary import ready_document, table
from casduo.simulators.files import write_file

_HIGHEST_PORT = 65_523
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@click.command("demo")
@click.option(
    "--port",
    type=click.IntRange(1, _HIGHEST_PORT),
    show_default="8443, or the next that is free",
    help="The first of thirteen ports in a row; the sign-in server has it.",
)
@click.option(
    "--state",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    default=lambda: Path(click.get_app_dir("casduo")) / "demo",
    show_default="a directory of this user",
    help="Where certificates, keys, users and data are kept from one run to the next.",
)
@click.option(
    "--ready-file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write addresses, users and passwords here as JSON once everything answers; removed at the end.",
)
def demo(port: int | None, directory: Path, ready_file: Path | None) -> None:
    """Run casduo with sample applications, users, a simulated Duo, UCM and Webex until it is interrupted.

    Everything listens on the loopback address only.
    """
    if ready_file is not None:
        if not ready_file.absolute().parent.is_dir():
            raise click.BadParameter(f"there is no directory {ready_file.parent}", param_hint="--ready-file")
        # An old one would tell a script that this run is ready.
        ready_file.unlink(missing_ok=True)
    with _set_by_signals() as ended, started_demo(directory, port) as running:
        if not running.await_ready(ended):
            return
        click.echo(table(running.facts))
        with _announced(ready_file, ready_document(running.facts)):
            running.watch(ended)


@contextmanager
def _announced(path: Path | None, document: str) -> Iterator[None]:
    """Have ``document`` lie at ``path``, if anybody wants it."""
    if path is None:
        yield
        return
    write_file(path, document.encode())
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


@contextmanager
def _set_by_signals() -> Iterator[threading.Event]:
    """Give an event that Ctrl-C sets, and whatever else asks a program to end."""
    ended = threading.Event()
    earlier = {number: signal.signal(number, lambda *_: ended.set()) for number in _ENDING}
    try:
        yield ended
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)
