"""``casduo registry``: who changed the registry file when and why, and the way back to an earlier text."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import click

from casduo.errors import UpstreamError
from casduo.events.journal import LogJournal
from casduo.events.model import RegistryEdited, Subject
from casduo.events.readers import readers_of
from casduo.events.stream import EventStream
from casduo.log import configure_log
from casduo.machineaccount import account
from casduo.services.editing.desk import Edit, RegistryDesk
from casduo.services.editing.diff import diff_lines, unified
from casduo.services.editing.history import Change
from casduo.services.file import registry_version
from casduo.settings import Settings, find_settings, load_settings
from casduo.store.opening import running_store

_MOST = 50


@click.group("registry")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The settings file. Default: $CASDUO_CONFIG, ./casduo.yaml or /etc/casduo/casduo.yaml.",
)
@click.pass_context
def registry(context: click.Context, config: Path | None) -> None:
    """The registry file and its history on this machine."""
    context.obj = load_settings(find_settings(config, os.environ), os.environ)


@registry.command("log")
@click.option("--entry", metavar="ID", default="", help="Only changes of this entry.")
@click.option("--most", type=click.IntRange(1, 10_000), default=_MOST, show_default=True, help="How many at most.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.pass_obj
def log(settings: Settings, entry: str, most: int, as_json: bool) -> None:
    """List the changes that are known, the newest first; also those that somebody made by hand."""
    desk = _desk(settings)
    desk.content()
    found = [change for change in desk.history.changes() if not entry or change.entry == entry][:most]
    if as_json:
        click.echo(json.dumps([asdict(change) for change in found], indent=2))
        return
    if not found:
        click.echo("no change is known")
    for change in found:
        click.echo(_line(change, settings))


@registry.command("diff")
@click.argument("number", type=int)
@click.pass_obj
def diff(settings: Settings, number: int) -> None:
    """Show what change NUMBER has changed in the file."""
    desk = _desk(settings)
    change = desk.history.change(number)
    before = desk.history.text(change.before) if change.before else b""
    click.echo(_line(change, settings))
    click.echo(unified(diff_lines(_decoded(before), _decoded(desk.history.text(change.after)))), nl=False)


@registry.command("show")
@click.argument("number", type=int)
@click.pass_obj
def show(settings: Settings, number: int) -> None:
    """Write the whole text as change NUMBER left it to standard output."""
    history = _desk(settings).history
    click.echo(history.text(history.change(number).after), nl=False)


@registry.command("restore")
@click.argument("number", type=int)
@click.option("--reason", required=True, help="Why, for the history.")
@click.option("--by", default=None, help="Who you are, for the history. Default: your name on this machine.")
@click.pass_obj
def restore(settings: Settings, number: int, reason: str, by: str | None) -> None:
    """Make the registry what it was after change NUMBER. This is a change of its own, with the checks of any other."""
    desk = _desk(settings)
    version = registry_version(desk.content())
    content = desk.history.text(desk.history.change(number).after)
    change = desk.save(Edit(version, content, "returned", "", by or account(), reason))
    event = RegistryEdited(
        Subject(principal=change.by), change.kind, change.number, change.reason, change.before, change.after
    )
    configure_log(settings.log.format, settings.log.level)
    LogJournal().note(event)
    _publish(settings, event)
    click.echo(f"{settings.registry} is what it was after change {number}; this is change {change.number}")


def _publish(settings: Settings, event: RegistryEdited) -> None:
    """Write the event for its readers. The file was changed either way."""
    if not readers_of(settings):
        return
    try:
        store = running_store(settings)
    except UpstreamError as error:
        click.echo(f"casduo: the audit trail was not told: {error.detail}", err=True)
        return
    try:
        batch = store.batch()
        EventStream(store).add(batch, event)
        batch.run()
    except UpstreamError as error:
        click.echo(f"casduo: the audit trail was not told: {error.detail}", err=True)
    finally:
        store.close()


def _desk(settings: Settings) -> RegistryDesk:
    return RegistryDesk(settings.registry, settings.server.state_directory, settings)


def _decoded(content: bytes) -> str:
    return content.decode("utf-8-sig", "replace")


def _line(change: Change, settings: Settings) -> str:
    at = datetime.fromtimestamp(change.at, settings.zone).strftime("%Y-%m-%d %H:%M")
    what = " ".join(filter(None, (change.kind.replace("_", " "), change.entry)))
    reason = f"  {change.reason}" if change.reason else ""
    return f"{change.number:>4}  {at}  {change.by or '-':<12}  {what}{reason}"
