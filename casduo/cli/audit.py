"""``casduo audit``: is the audit trail whole, what is in it, and a part of it for others. From its files."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from casduo.diagnosis.text import printable
from casduo.events.audit_export import COLUMNS, csv_line, csv_row, one_line
from casduo.events.audit_files import trail_files
from casduo.events.audit_line import AuditEntry, DamagedLine, Position, read_line
from casduo.events.audit_reading import AuditFiles, Follower, Selection, in_order
from casduo.events.audit_verify import Verified, verify
from casduo.events.catalogue import KINDS
from casduo.problems import did_you_mean
from casduo.settings import Settings, find_settings, load_settings

EXIT_BROKEN = 1
EXIT_TORN = 3
_PAUSE = 0.5

_Command = TypeVar("_Command", bound=Callable[..., Any])


@click.group("audit")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The settings file. Default: $CASDUO_CONFIG, ./casduo.yaml or /etc/casduo/casduo.yaml.",
)
@click.pass_context
def audit(context: click.Context, config: Path | None) -> None:
    """The audit trail: verify, read and export it. Without FILE and --directory it is that of the settings.

    Everything but --redis works from the files alone, on copies and other machines too.
    """
    context.obj = config


def _files(command: _Command) -> _Command:
    """Add the ways to say which files."""
    given = click.Path(exists=True, dir_okay=False, path_type=Path)
    command = click.argument("files", nargs=-1, type=given, metavar="[FILE]...")(command)
    return _directory(command)


def _directory(command: _Command) -> _Command:
    folder = click.Path(exists=True, file_okay=False, path_type=Path)
    return click.option("--directory", type=folder, help="All files of a trail in this directory.")(command)


def _selection(command: _Command) -> _Command:
    """Add the ways to say which entries."""
    by_service = click.option(
        "--service", "services", multiple=True, metavar="ID", help="Only this service; may be repeated."
    )
    by_user = click.option("--user", "users", multiple=True, metavar="NAME", help="Only this person; may be repeated.")
    by_kind = click.option(
        "--event",
        "kinds",
        multiple=True,
        metavar="KIND",
        callback=lambda context, option, kinds: tuple(map(_kind, kinds)),
        help="Only this kind of event, see docs/events.md; duo.* is all that begin with duo. May be repeated.",
    )
    return by_kind(by_user(by_service(command)))


@audit.command("verify")
@_files
@click.option("--end", metavar="SEQ:HASH", help="An entry that must be there, noted elsewhere, as casduo doctor tells.")
@click.option("--redis", "ask_redis", is_flag=True, help="Ask Redis which entry was written last: it must be there.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.pass_context
def verify_(
    context: click.Context,
    files: tuple[Path, ...],
    directory: Path | None,
    end: str | None,
    ask_redis: bool,
    as_json: bool,
) -> None:
    """Verify every line, the chain over all files in the order of their names, and that none is missing in between.

    That lines or files are missing at the end only somebody else can tell: note the last entry elsewhere and give it
    with --end, or ask Redis with --redis. Files missing at the beginning are not an error: trails are cleared away.

    Ends with exit code 0 when all is well, 1 when something is wrong, 3 when only the last line is not finished: it is
    being written, or the worker died over it and will set it aside when it starts.
    """
    if end is not None and ask_redis:
        raise click.UsageError("--end and --redis exclude each other")
    # Asked first: what is written meanwhile does no harm then.
    must_be = _last_of_redis(_settings(context)) if ask_redis else _position(end) if end is not None else None
    paths = _paths(context, files, directory)
    found = verify(paths, must_be)
    if as_json:
        click.echo(json.dumps(_values(paths, found), indent=2))
    else:
        _echo_verified(paths, found)
    context.exit(EXIT_TORN if found.torn else EXIT_BROKEN if found.problems else 0)


@audit.command("tail")
@_directory
@_selection
@click.option("-n", "most", type=click.IntRange(0), default=20, show_default=True, help="How many entries.")
@click.option("-f", "follow", is_flag=True, help="Go on with entries as they come, until Ctrl-C.")
@click.option("--json", "as_json", is_flag=True, help="Write the lines of the trail as they are.")
@click.pass_context
def tail(
    context: click.Context,
    directory: Path | None,
    kinds: tuple[str, ...],
    users: tuple[str, ...],
    services: tuple[str, ...],
    most: int,
    follow: bool,
    as_json: bool,
) -> None:
    """Show the last entries, one line each."""
    selection = Selection(kinds, users, services)
    folder = directory or _settings(context).audit_directory
    # Before the last ones are read: one that comes in between is shown twice rather than not at all.
    follower = Follower(folder) if follow and folder.is_dir() else None
    trail = AuditFiles(trail_files(folder) if follower is not None else _paths(context, (), folder))
    shown = trail.last(most, selection)
    for entry, line in shown:
        _echo_entry(entry, line, as_json)
    _warn(trail)
    if follower is None:
        return
    known = {entry.position for entry, _ in shown}
    try:
        for line in follower.lines(_wait):
            try:
                entry = read_line(line)
            except DamagedLine as damage:
                click.echo(f"casduo: {damage}; run casduo audit verify", err=True)
                continue
            if selection.takes(entry.record) and entry.position not in known:
                _echo_entry(entry, line, as_json)
    except KeyboardInterrupt:
        return


@audit.command("export")
@_files
@_selection
@click.option("--from", "start", metavar="MOMENT", help="From this date or date with time on, in UTC.")
@click.option("--to", "end", metavar="MOMENT", help="Up to this date or date with time; a date is included as a whole.")
@click.option("--format", "form", type=click.Choice(["jsonl", "csv"]), default="jsonl", show_default=True)
@click.pass_context
def export(
    context: click.Context,
    files: tuple[Path, ...],
    directory: Path | None,
    kinds: tuple[str, ...],
    users: tuple[str, ...],
    services: tuple[str, ...],
    start: str | None,
    end: str | None,
    form: str,
) -> None:
    """Write entries to the standard output: as the lines they are, or as CSV for a spreadsheet.

    In CSV an apostrophe stands in front of every cell that a spreadsheet might take for a formula.
    """
    begin = _moment(start, "--from", 0.0) if start is not None else float("-inf")
    until = _moment(end, "--to", 86_400.0) if end is not None else float("inf")
    trail = AuditFiles(_paths(context, files, directory))
    chosen = trail.entries(Selection(kinds, users, services, begin, until))
    if form == "jsonl":
        for _, line in chosen:
            click.echo(line, nl=False)
    else:
        _write_csv(entry for entry, _ in chosen)
    _warn(trail)


def _write_csv(entries: Iterable[AuditEntry]) -> None:
    click.echo(csv_line(COLUMNS), nl=False)
    for entry in entries:
        click.echo(csv_line(csv_row(entry)), nl=False)


def _echo_entry(entry: AuditEntry, line: bytes, as_json: bool) -> None:
    if as_json:
        click.echo(line, nl=False)
    else:
        click.echo(printable(one_line(entry)))


def _echo_verified(paths: Sequence[Path], found: Verified) -> None:
    for problem in found.problems:
        click.echo(printable(str(problem)))
    for note in found.notes:
        click.echo(printable(f"note: {note}"))
    said = f"{found.entries} entries in {len(paths)} file{'' if len(paths) == 1 else 's'}"
    if found.first is not None and found.last is not None:
        said += f", {found.first.seq} to {found.last.seq}"
    click.echo(f"{said}: {_verdict(found)}")
    if found.last is not None:
        click.echo(f"the last one is {_text(found.last)}")


def _verdict(found: Verified) -> str:
    if found.torn:
        return "all well up to a last line that is not finished"
    return "NOT as they were written" if found.problems else "all as they were written"


def _values(paths: Sequence[Path], found: Verified) -> dict[str, object]:
    problems = [
        {"file": each.file, "line": each.line, "reason": each.reason, "text": each.text} for each in found.problems
    ]
    return {
        "whole": not found.problems,
        "torn": found.torn,
        "files": [path.name for path in paths],
        "entries": found.entries,
        "first": _text(found.first),
        "last": _text(found.last),
        "problems": problems,
        "notes": list(found.notes),
    }


def _paths(context: click.Context, files: Sequence[Path], directory: Path | None) -> list[Path]:
    """Return the files that were asked for, in order; there is at least one."""
    if files and directory is not None:
        raise click.UsageError("FILE and --directory exclude each other")
    if files:
        return in_order(files)
    folder = directory or _settings(context).audit_directory
    try:
        found = trail_files(folder)
    except OSError as error:
        raise click.ClickException(f"{folder} cannot be read: {error.strerror}") from None
    if not found:
        raise click.ClickException(f"there is no audit trail in {folder}")
    return found


def _settings(context: click.Context) -> Settings:
    return load_settings(find_settings(context.obj, os.environ), os.environ)


def _last_of_redis(settings: Settings) -> Position:
    # What Redis needs is imported only for those who ask it.
    from casduo.events.audit_head import audit_status
    from casduo.store.opening import running_store

    with closing(running_store(settings)) as store:
        batch = store.batch()
        status = audit_status(batch)
        batch.run()
    if status.value.last is None:
        raise click.ClickException("Redis knows of no audit trail")
    return status.value.last


def _position(text: str) -> Position:
    seq, _, seal = text.partition(":")
    if not seq.isdecimal() or len(seal) != 64:
        raise click.BadParameter("must be the number of an entry, a colon and its hash", param_hint="--end")
    return Position(int(seq), seal)


def _text(position: Position | None) -> str:
    return f"{position.seq}:{position.hash}" if position is not None else ""


def _kind(kind: str) -> str:
    known = any(each.startswith(kind[:-1]) for each in KINDS) if kind.endswith(".*") else kind in KINDS
    if not known:
        raise click.BadParameter(f"{kind!r} is no kind of event{did_you_mean(kind, KINDS)}")
    return kind


def _moment(text: str, option: str, whole_day: float) -> float:
    """Return the moment that was typed, in epoch seconds.

    :param whole_day: seconds to add to a date without time
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise click.BadParameter("must be 2026-01-31 or 2026-01-31T18:00", param_hint=option) from None
    at = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return at + whole_day if len(text.strip()) == len("2026-01-31") else at


def _warn(trail: AuditFiles) -> None:
    if trail.damaged:
        lines = f"{trail.damaged} damaged line{'' if trail.damaged == 1 else 's'}"
        click.echo(f"casduo: left out {lines}: run casduo audit verify", err=True)


def _wait() -> bool:
    time.sleep(_PAUSE)
    return True
