"""``casduo sessions``: who is signed in, ending their sessions, and what applications were told."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from casduo.authentication.names import canonical_username
from casduo.events.journal import LogJournal
from casduo.events.model import SignedOut, Subject
from casduo.log import configure_log
from casduo.services.file import load_registry
from casduo.settings import Settings, find_settings, load_settings
from casduo.store import Store
from casduo.store.opening import running_store
from casduo.tickets.ids import SessionName
from casduo.tickets.ledger import Ledger, Telling
from casduo.tickets.model import TicketGrantingTicket
from casduo.tickets.registry import Lifetimes, TicketRegistry

_SHOWN = 8
"""Characters of a fingerprint that name a session in a list; it only has to differ from the person's other ones."""

_user = click.option("--user", required=True, metavar="NAME", help="Whose sessions, by the name they sign in with.")
_json = click.option("--json", "as_json", is_flag=True, help="Write JSON.")


@click.group("sessions")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The settings file. Default: $CASDUO_CONFIG, ./casduo.yaml or /etc/casduo/casduo.yaml.",
)
@click.pass_context
def sessions(context: click.Context, config: Path | None) -> None:
    """Sessions of the running server."""
    context.obj = load_settings(find_settings(config, os.environ), os.environ)


@sessions.command("list")
@_user
@_json
@click.pass_obj
def list_(settings: Settings, user: str, as_json: bool) -> None:
    """List the sessions of a person, the oldest first."""
    with _store(settings) as store:
        found = _tickets(store).sessions_of(_principal(user, settings))
    if as_json:
        click.echo(json.dumps([_facts(name, session) for name, session in found], indent=2))
        return
    if not found:
        click.echo(f"{_principal(user, settings)} has no session")
    for name, session in found:
        facts = _facts(name, session)
        proof = f"Duo ({facts['factor']})" if facts["strength"] == "duo" else "password"
        remembered = ", remembered" if facts["remembered"] else ""
        click.echo(f"{facts['session']}  since {facts['since']}  used {facts['used']}  {proof}{remembered}")
        click.echo(f"{'':{_SHOWN}}  {facts['address']}  {facts['agent']}".rstrip())


@sessions.command("end")
@_user
@click.option("--session", metavar="NAME", help="Only the session of this name in the list. Default: every one.")
@click.pass_obj
def end(settings: Settings, user: str, session: str | None) -> None:
    """End the sessions of a person. The applications they led to are told by the worker of the running server.

    Ends with exit code 1 when there is no such session.
    """
    principal, now = _principal(user, settings), time.time()
    with _store(settings) as store:
        tickets = _tickets(store)
        named = [name for name, _ in tickets.sessions_of(principal) if session in (None, name.fingerprint[:_SHOWN])]
        if not named:
            raise click.ClickException(f"{principal} has no session{f' {session}' if session else ''}")
        batch = store.batch()
        closings = [tickets.close_session(batch, name, "administrator", now) for name in named]
        for name in named:
            tickets.unindex(batch, principal, name)
        batch.run()
    ended = sum(closing.closed for closing in closings)
    told = sum(len(closing.visits) for closing in closings)
    configure_log(settings.log.format, settings.log.level)
    LogJournal().write(SignedOut(Subject(principal=principal), cause="administrator", sessions=ended))
    click.echo(f"{_counted(ended, 'session')} ended, {_counted(told, 'sign-in')} of applications to be told")


@sessions.command("told")
@click.argument("service")
@_json
@click.pass_context
def told(context: click.Context, service: str, as_json: bool) -> None:
    """List what the application SERVICE, an id of the registry, was told of ended sessions, the newest first."""
    settings: Settings = context.obj
    if load_registry(settings.registry, settings).by_id(service) is None:
        raise click.BadParameter(f"{service!r} is not the id of an entry in {settings.registry}", param_hint="SERVICE")
    with _store(settings) as store:
        lines = Ledger(store).of_service(service)
    if as_json:
        click.echo(json.dumps([{"ticket": line.ticket, **asdict(line.telling)} for line in lines], indent=2))
        return
    if not lines:
        click.echo(f"{service} was not told of any sign-out lately")
    for line in lines:
        click.echo(f"{_moment(line.telling.at)}  {line.ticket}  {_outcome(line.telling)}")


@contextmanager
def _store(settings: Settings) -> Iterator[Store]:
    store = running_store(settings)
    try:
        yield store
    finally:
        store.close()


def _tickets(store: Store) -> TicketRegistry:
    # Lifetimes matter to those who open sessions; this command only finds and ends them.
    return TicketRegistry(store, Lifetimes())


def _principal(typed: str, settings: Settings) -> str:
    return canonical_username(typed, settings.login.username_case)


def _facts(name: SessionName, session: TicketGrantingTicket) -> dict[str, object]:
    return {
        "session": name.fingerprint[:_SHOWN],
        "since": _moment(session.authenticated_at),
        "used": _moment(session.used_at),
        "address": session.address,
        "agent": session.agent,
        "handler": session.handler,
        "strength": session.strength.level,
        "factor": session.strength.factor,
        "remembered": session.remembered,
    }


def _outcome(telling: Telling) -> str:
    status = f" with status {telling.status}" if telling.status else ""
    tries = f" after {telling.attempts} tries" if telling.attempts > 1 else ""
    match telling.state:
        case "told":
            return f"answered{status} in {telling.milliseconds} ms{tries}"
        case "failed":
            return f"failed{status}: {telling.detail or 'refused'}{tries}"
        case "browser":
            return "left to the browser"
        case "unsupported":
            return f"not told: {telling.detail}"
    return telling.state


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def _moment(moment: float) -> str:
    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%d %H:%M:%SZ")
