"""``casduo outbox``: what waits to be sent, what could not be, and what is to become of that."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from casduo.events.journal import LogJournal
from casduo.events.outbox_desk import OutboxDesk
from casduo.events.outbox_events import MessageEvent
from casduo.events.outbox_model import DeadLetter, OutboxStatus, members_of, shown
from casduo.events.readers import readers_of
from casduo.log import configure_log
from casduo.machineaccount import account
from casduo.settings import Settings, find_settings, load_settings
from casduo.store.opening import running_store

_MOST = 100
_ALL = 1_000_000

_json = click.option("--json", "as_json", is_flag=True, help="Write JSON.")
_most = click.option("--most", type=click.IntRange(1, _ALL), default=_MOST, show_default=True, help="How many at most.")


@click.group("outbox")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The settings file. Default: $CASDUO_CONFIG, ./casduo.yaml or /etc/casduo/casduo.yaml.",
)
@click.pass_context
def outbox(context: click.Context, config: Path | None) -> None:
    """What waits to be sent to Webex."""
    context.obj = load_settings(find_settings(config, os.environ), os.environ)


@outbox.command("status")
@_json
@click.pass_obj
def status(settings: Settings, as_json: bool) -> None:
    """Say how much waits, since when, and whether it is being sent. Ends with exit code 1 when nothing can be sent."""
    with _desk(settings) as desk:
        found = desk.status()
    if as_json:
        click.echo(json.dumps(asdict(found), indent=2))
    else:
        for line in _told(found, time.time()):
            click.echo(line)
    if found.stopped_since:
        raise SystemExit(1)


@outbox.command("list")
@click.option("--waiting", is_flag=True, help="List the destinations for which something waits instead.")
@_most
@_json
@click.pass_obj
def list_(settings: Settings, waiting: bool, most: int, as_json: bool) -> None:
    """List the dead letters: messages that could not be sent and are kept; the oldest first."""
    with _desk(settings) as desk:
        rows = _destinations(desk, most) if waiting else [_facts(letter) for letter in desk.letters(most)]
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    elif not rows:
        click.echo("nothing waits" if waiting else "there are no dead letters")
    else:
        for row in rows:
            click.echo(_destination_line(row) if waiting else _letter_line(row))


@outbox.command("show")
@click.argument("message", metavar="ID")
@click.pass_obj
def show(settings: Settings, message: str) -> None:
    """Write the dead letter of the message ID as JSON, with all that was to be sent: it may name people and reasons."""
    with _desk(settings) as desk:
        (letter,) = _named(desk, [message])
    click.echo(json.dumps({**_facts(letter), "message": members_of(letter.message)}, indent=2, ensure_ascii=False))


@outbox.command("retry")
@click.argument("messages", metavar="[ID]...", nargs=-1)
@click.option("--all", "every", is_flag=True, help="All dead letters.")
@click.pass_obj
def retry(settings: Settings, messages: tuple[str, ...], every: bool) -> None:
    """Have dead letters sent once more. They keep their ids; one that may have arrived can come twice."""
    if every == bool(messages):
        raise click.UsageError("name messages by their IDs, or all of them by --all")
    with _desk(settings) as desk:
        letters = desk.letters(_ALL) if every else _named(desk, messages)
        done = desk.retry(letters, account(), time.time())
    _report(settings, done, "to be sent once more")


@outbox.command("discard")
@click.argument("messages", metavar="ID...", nargs=-1, required=True)
@click.pass_obj
def discard(settings: Settings, messages: tuple[str, ...]) -> None:
    """Drop dead letters for good."""
    with _desk(settings) as desk:
        done = desk.discard(_named(desk, messages), account(), time.time())
    _report(settings, done, "dropped")


@contextmanager
def _desk(settings: Settings) -> Iterator[OutboxDesk]:
    store = running_store(settings)
    try:
        yield OutboxDesk(store, told=bool(readers_of(settings)))
    finally:
        store.close()


def _named(desk: OutboxDesk, messages: Sequence[str]) -> list[DeadLetter]:
    """Return the dead letters of messages.

    :raises ClickException: there is none of one of them: then nothing is done to the others either
    """
    letters = []
    for message in dict.fromkeys(messages):
        letter = desk.letter(message)
        if letter is None:
            raise click.ClickException(f"there is no dead letter {message}")
        letters.append(letter)
    return letters


def _report(settings: Settings, done: Sequence[MessageEvent], what: str) -> None:
    configure_log(settings.log.format, settings.log.level)
    journal = LogJournal()
    for event in done:
        # It is in the stream of events already.
        journal.note(event)
    click.echo(f"{_counted(len(done), 'message')} {what}")


def _destinations(desk: OutboxDesk, most: int) -> list[dict[str, Any]]:
    return [
        {
            "to": shown(line.destination),
            "waiting": line.waiting,
            "oldest": round(line.oldest),
            "tries": line.tries,
            "next": _moment(line.next) if line.next else "",
        }
        for line in desk.destinations(most)
    ]


def _destination_line(row: dict[str, Any]) -> str:
    following = f", next try {row['next']}" if row["next"] else ""
    tries = f", {_counted(row['tries'], 'try', 'tries')}" if row["tries"] else ""
    return (
        f"{row['to']}  {_counted(row['waiting'], 'message')}, the oldest for {_span(row['oldest'])}{tries}{following}"
    )


def _facts(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.message.id,
        "at": _moment(letter.at),
        "to": shown(letter.message.to),
        "task": letter.message.task,
        "reason": letter.reason,
        "tries": letter.tries,
        "status": letter.status,
        "detail": letter.detail,
    }


def _letter_line(row: dict[str, Any]) -> str:
    status = f" with status {row['status']}" if row["status"] else ""
    detail = f": {row['detail']}" if row["detail"] else ""
    return f"{row['at']}  {row['id']}  {row['task']} to {row['to']}  {_WHY.get(row['reason'], '')}{status}{detail}"


_WHY = {
    "refused": "refused",
    "tries": "failed too often",
    "expired": "its time was over",
    "age": "too old",
    "unreadable": "cannot be read",
}


def _told(found: OutboxStatus, now: float) -> Iterator[str]:
    if found.waiting:
        urgent = f", {found.urgent} of them urgent" if found.urgent else ""
        to = _counted(found.destinations, "destination")
        yield f"{_counted(found.waiting, 'message')} for {to}{urgent}; the oldest has waited for {_span(found.oldest)}"
    else:
        yield "nothing waits"
    if found.stopped_since:
        status = f" with status {found.status}" if found.status else ""
        yield f"nothing can be sent since {_moment(found.stopped_since)}{status}: {found.detail or 'refused'}"
    if found.paused_until > now:
        yield f"nothing is sent until {_moment(found.paused_until)}: Webex asked for that, or did not answer"
    if found.dead:
        yield f"{_counted(found.dead, 'dead letter')}: see `casduo outbox list`"


def _counted(number: int, thing: str, things: str = "") -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {things or thing + 's'}"


def _span(seconds: float) -> str:
    if seconds < 120:
        return f"{round(seconds)} s"
    return f"{round(seconds / 60)} min" if seconds < 7200 else f"{round(seconds / 3600)} h"


def _moment(moment: float) -> str:
    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%d %H:%M:%SZ")
