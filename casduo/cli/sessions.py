"""``casduo sessions``: who is signed in and where, ending that, and what applications were told."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from casduo.admin.ending import ACTION, Done, SessionEnding
from casduo.admin.events import AdminChanged
from casduo.approvals.wording import cleaned_comment
from casduo.authentication.names import canonical_username
from casduo.diagnosis.text import printable as _printable
from casduo.events.journal import LogJournal
from casduo.events.model import Event, Subject
from casduo.events.readers import readers_of
from casduo.events.stream import EventStream
from casduo.fieldtypes import parse_network
from casduo.log import configure_log
from casduo.machineaccount import account
from casduo.mfa.trust import Trust, TrustRecords
from casduo.services.builtin import with_builtin
from casduo.services.file import load_registry
from casduo.settings import Settings, find_settings, load_settings
from casduo.store import Store
from casduo.store.opening import running_store
from casduo.tickets.finding import MOST, Found, FoundSession, SessionFinder, SessionQuery, searchable
from casduo.tickets.ledger import Ledger, Telling
from casduo.tickets.model import TicketGrantingTicket
from casduo.tickets.registry import Lifetimes, TicketRegistry

_SHOWN = 8
"""Characters of a fingerprint that name a session or a browser in a list; it only has to differ from the person's other
ones.
"""

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _which(command: _Command) -> _Command:
    """Add the ways to say which sessions."""
    by_service = click.option("--service", metavar="ID", help="Those that led to this application of the registry.")
    by_address = click.option("--address", metavar="IP", help="Those that began there; a network such as 192.0.2.0/24.")
    by_user = click.option("--user", metavar="NAME", help="Whose sessions, by the name they sign in with.")
    return by_user(by_address(by_service(command)))


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
@_which
@click.option("--trusted", "only_trusted", is_flag=True, help="List the trusted browsers only.")
@_json
@click.pass_obj
def list_(
    settings: Settings,
    user: str | None,
    address: str | None,
    service: str | None,
    only_trusted: bool,
    as_json: bool,
) -> None:
    """List the sessions of a person, and the browsers in which Duo is not asked again; the oldest first. Or those that
    began at an address, or led to an application; what is given must all fit.

    As JSON it is one or the other: sessions, or with --trusted the browsers.
    """
    query = _query(settings, user, address, service)
    if only_trusted and not query.whole_person:
        raise click.UsageError("--trusted goes with --user alone")
    with _store(settings) as store:
        finder, trusts, now = SessionFinder(store, _tickets(store)), TrustRecords(store), time.time()
        found = Found(()) if only_trusted else _oldest_first(finder.find(query))
        users = finder.ids_of(query.user) if query.whole_person else ()
        browsers = [browser for name in users for browser in trusts.of(name, now)]
    if as_json:
        rows = map(_browser_facts, browsers) if only_trusted else map(_facts, found.sessions)
        click.echo(json.dumps(list(rows), indent=2))
        return
    if not only_trusted:
        _echo_sessions(query, found)
    elif not browsers:
        click.echo(f"{_printable(query.user)} has no trusted browser")
    _echo_browsers(browsers)


@sessions.command("end")
@_which
@click.option("--session", metavar="NAME", help="Only the session of this name in the list. Default: every one.")
@click.option("--browser", metavar="NAME", help="Only the trust in the browser of this name; sessions in it go on.")
@click.option("--reason", default="", help="Why, for the audit trail.")
@click.pass_obj
def end(
    settings: Settings,
    user: str | None,
    address: str | None,
    service: str | None,
    session: str | None,
    browser: str | None,
    reason: str,
) -> None:
    """End the sessions of a person, or those that began at an address, or led to an application. The applications they
    led to are told by the worker of the running server.

    Where every session of a person ends, logins under way end too, and the trusted browsers are forgotten: Duo is asked
    again everywhere. Ends with exit code 1 when there is nothing of the kind.
    """
    if session is not None and browser is not None:
        raise click.UsageError("--session and --browser exclude each other")
    query = replace(_query(settings, user, address, service), name=session or "")
    if (session is not None or browser is not None) and (address is not None or service is not None or not query.user):
        raise click.UsageError("--session and --browser go with --user alone")
    if session == "":
        # Not every one, which it would mean to leave it out.
        raise click.ClickException("a session needs its name")
    now, why = time.time(), cleaned_comment(reason)
    with _store(settings) as store:
        tickets = _tickets(store)
        finder = SessionFinder(store, tickets)
        if browser is not None:
            _forget_browser(TrustRecords(store), finder.ids_of(query.user), browser, now)
            _tell(settings, store, [_changed("browser.forgotten", f"user:{query.user} browser:{browser}", why)])
            return
        found = finder.find(query)
        done = SessionEnding(finder, tickets, TrustRecords(store)).end(query, found, now)
        if query.whole_person or not done.nothing:
            _tell(settings, store, [_changed(ACTION, done.about(_words(query)), why), *done.events(account())])
    if done.nothing:
        raise click.ClickException(_none(query))
    _echo_done(query, done)
    if not query.whole_person:
        _warn_of_more(found)


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


def _query(settings: Settings, user: str | None, address: str | None, service: str | None) -> SessionQuery:
    """Return which sessions are meant."""
    if service is not None:
        _known(service, settings)
    try:
        network = parse_network(address) if address is not None else None
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--address") from None
    query = SessionQuery(_principal(user, settings) if user is not None else "", network, service or "")
    if query.is_empty:
        raise click.UsageError("say which sessions: --user, --address or --service")
    if not searchable(query):
        raise click.UsageError("--address is too wide a network to look for alone; add --user or --service")
    return query


def _known(service: str, settings: Settings) -> None:
    registry = with_builtin(load_registry(settings.registry, settings), settings)
    if registry.by_id(service) is None:
        raise click.BadParameter(f"{service!r} is not the id of an entry in {settings.registry}", param_hint="service")


def _words(query: SessionQuery) -> str:
    """Return which sessions are meant, as the page about them writes it down."""
    named = {"user": query.user, "address": query.network, "service": query.service, "session": query.name}
    return " ".join(f"{name}:{value}" for name, value in named.items() if value)


def _changed(action: str, what: str, reason: str) -> AdminChanged:
    return AdminChanged(Subject(principal=account()), action=action, object=what, reason=reason)


def _tell(settings: Settings, store: Store, events: Sequence[Event]) -> None:
    """Write events into the log and, where somebody reads it, into the stream."""
    if readers_of(settings):
        batch, stream = store.batch(), EventStream(store)
        for event in events:
            stream.add(batch, event)
        batch.run()
    configure_log(settings.log.format, settings.log.level)
    journal = LogJournal()
    for event in events:
        journal.note(event)


def _none(query: SessionQuery) -> str:
    if not query.user or query.service or query.network is not None:
        return "there is no such session"
    return " ".join(filter(None, (_printable(query.user), "has no session", _printable(query.name))))


def _echo_done(query: SessionQuery, done: Done) -> None:
    ended, people = done.ended, len(done.ended.counts)
    of = "" if query.user else f" of {people} {'person' if people == 1 else 'people'}"
    trust = f", {_counted(done.forgotten, 'trusted browser')} forgotten" if done.forgotten else ""
    told = f"{_counted(ended.visits, 'sign-in')} of applications to be told"
    click.echo(f"{_counted(ended.sessions, 'session')}{of} ended, {told}{trust}")


def _oldest_first(found: Found) -> Found:
    return replace(found, sessions=tuple(sorted(found.sessions, key=lambda one: one.ticket.authenticated_at)))


def _warn_of_more(found: Found) -> None:
    if found.more:
        click.echo(f"there may be more: {MOST} are looked at in one go", err=True)


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


def _forget_browser(records: TrustRecords, users: Sequence[str], shown: str, now: float) -> None:
    browsers = (browser for user in users for browser in records.of(user, now) if browser.name[:_SHOWN] == shown)
    if not any([records.forget(browser.principal, browser.name) for browser in browsers]):
        raise click.ClickException(f"{users[0]} has no trusted browser {shown}")
    click.echo("1 trusted browser forgotten")


def _echo_sessions(query: SessionQuery, found: Found) -> None:
    if not found.sessions:
        click.echo(_none(query))
    for session in found.sessions:
        facts, remembered = _facts(session), ", remembered" if session.ticket.remembered else ""
        indent = "" if query.whole_person else "  "
        if indent:
            click.echo(_printable(session.ticket.principal_id))
        times = f"since {facts['since']}  used {facts['used']}  ends {facts['ends']}"
        click.echo(f"{indent}{facts['session']}  {times}  {_proof(session.ticket)}{remembered}")
        click.echo(f"{indent}{'':{_SHOWN}}  {session.ticket.address}  {_printable(session.ticket.agent)}".rstrip())
        if session.services:
            click.echo(f"{indent}{'':{_SHOWN}}  led to {', '.join(session.services)}")
    _warn_of_more(found)


def _echo_browsers(browsers: Sequence[Trust]) -> None:
    for browser in browsers:
        facts = _browser_facts(browser)
        application = f"  for {browser.application}" if browser.application else ""
        click.echo(f"{facts['browser']}  trusted since {facts['since']}  until {facts['until']}{application}")
        click.echo(f"{'':{_SHOWN}}  {browser.address}  {_printable(browser.agent)}".rstrip())


def _principal(typed: str, settings: Settings) -> str:
    return canonical_username(typed, settings.login.username_case)


def _facts(session: FoundSession) -> dict[str, object]:
    ticket = session.ticket
    return {
        "user": ticket.principal_id,
        "session": session.short,
        "since": _moment(ticket.authenticated_at),
        "used": _moment(ticket.used_at),
        "ends": _moment(session.ends),
        "address": ticket.address,
        "agent": ticket.agent,
        "handler": ticket.handler,
        "strength": ticket.strength.level,
        "factor": ticket.strength.factor,
        "factor_at": _moment(ticket.strength.at) if ticket.strength.at else None,
        "remembered": ticket.remembered,
        "services": session.services,
    }


def _browser_facts(browser: Trust) -> dict[str, object]:
    return {
        "browser": browser.name[:_SHOWN],
        "since": _moment(browser.at),
        "until": _moment(browser.until),
        "address": browser.address,
        "agent": browser.agent,
        "application": browser.application,
    }


def _proof(session: TicketGrantingTicket) -> str:
    match session.strength.level:
        case "duo":
            return f"Duo ({session.strength.factor})"
        case "trusted":
            return "trusted browser"
        case "bypassed":
            return "password, let pass without Duo"
    return "password"


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
