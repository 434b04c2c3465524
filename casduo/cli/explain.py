"""``casduo explain``: why a person gets into a service, is asked for Duo, or is refused."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

import click
from pydantic import TypeAdapter, ValidationError

from casduo.addresses import parse_address
from casduo.authentication.handler import AuthenticationHandler
from casduo.authentication.lookup import look_up
from casduo.authentication.names import MAX_USERNAME, canonical_username
from casduo.clock import system_clock
from casduo.errors import UpstreamError
from casduo.explanation import Person, as_text, entry_for, explain, stores_for
from casduo.explanation.failures import explain_failures
from casduo.explanation.failures_text import failures_text
from casduo.explanation.recent import UnknownApplication, recent_failures, wanted_by
from casduo.fieldtypes import Moment
from casduo.protocol.failures import FailureLog
from casduo.services.builtin import with_builtin
from casduo.services.file import load_registry
from casduo.services.index import Registry
from casduo.services.pairwise import PairwiseIds
from casduo.settings import Settings, find_pairwise_key, find_settings, load_settings
from casduo.store.later import LaterWrites
from casduo.store.opening import running_store

EXIT_NOT_EXPLAINED = 1
_SOMEBODY = "somebody"
_UNKNOWN_URL = ("malformed", "unregistered")


@click.command("explain")
@click.argument("url", metavar="URL")
@click.option("--user", metavar="NAME", help="Explain for this person, who is looked up without a password.")
@click.option("--address", metavar="IP", help="Address of the browser, for rules about networks.")
@click.option(
    "--group",
    "groups",
    multiple=True,
    metavar="GROUP",
    help="Make a person up who has this group; nobody is looked up. May be given again.",
)
@click.option(
    "--attribute",
    "attributes",
    multiple=True,
    metavar="NAME=VALUE",
    help="Make a person up who has this attribute. May be given again.",
)
@click.option("--at", metavar="MOMENT", help="As at this date, or date with time, such as 2026-01-31T18:00.")
@click.option("--all", "everything", is_flag=True, help="Show every entry, not only those near the URL.")
@click.option(
    "--failures",
    is_flag=True,
    help="Tell instead which validations of tickets failed of late, why, and what helps. URL may then be the id of an "
    "entry, or 'unregistered'.",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The settings file. Default: $CASDUO_CONFIG, ./casduo.yaml or /etc/casduo/casduo.yaml.",
)
@click.option(
    "--registry", type=click.Path(path_type=Path), help="The registry file. Default: the one the settings name."
)
@click.pass_context
def command(
    context: click.Context,
    url: str,
    user: str | None,
    address: str | None,
    attributes: tuple[str, ...],
    groups: tuple[str, ...],
    at: str | None,
    everything: bool,
    failures: bool,
    as_json: bool,
    config: Path | None,
    registry: Path | None,
) -> None:
    """Explain URL: which registry entry has it, who gets in and why, whether Duo is asked for, what the application is
    told. URL is that of the application, or the login page's with the application in it.

    Ends with exit code 0 when there is an explanation, whatever it says; with 1 when no entry has the URL, when the URL
    is refused, when the person is not found, or when --failures meets no running server; with 2 when settings, registry
    or options cannot be used.
    """
    settings = load_settings(find_settings(config, os.environ), os.environ)
    if address is not None and parse_address(address) is None:
        raise click.BadParameter(f"{address!r} is not an IP address", param_hint="--address")
    loaded = with_builtin(load_registry(registry or settings.registry, settings), settings)
    if failures:
        if any((user, address, attributes, groups, at, everything)):
            raise click.UsageError("--failures tells what has happened; it takes no person, address or moment")
        _show_failures(url, settings, loaded, as_json=as_json)
        return
    now = _moment(at, settings) if at is not None else time.time()
    if attributes or groups:
        collected = _collect(settings, attributes, groups)
        person: Person | None = Person(user or _SOMEBODY, collected)
    else:
        entry = entry_for(url, loaded, settings)
        person = _find(user, stores_for(entry, settings), settings, now) if user is not None and entry else None
    key = find_pairwise_key(settings)
    explanation = explain(
        url,
        loaded,
        settings,
        now,
        person=person,
        address=address,
        pairwise=PairwiseIds(lambda: key) if key is not None else None,
        everything=everything,
    )
    click.echo(json.dumps(asdict(explanation), indent=2) if as_json else as_text(explanation), nl=as_json)
    if explanation.verdict in _UNKNOWN_URL:
        context.exit(EXIT_NOT_EXPLAINED)


def _show_failures(service: str, settings: Settings, registry: Registry, *, as_json: bool) -> None:
    try:
        wanted = wanted_by(service, registry, f"{settings.server.url}/login" if settings.server.url else "")
        with contextlib.closing(running_store(settings)) as store:
            recent = recent_failures(wanted, FailureLog(store, LaterWrites(store)), time.time())
    except UpstreamError as error:
        raise click.ClickException(error.detail) from None
    except UnknownApplication as error:
        raise click.ClickException(str(error)) from None
    explained = explain_failures(recent.failures)
    if as_json:
        click.echo(json.dumps({"service": wanted.name, "failures": [asdict(one) for one in explained]}, indent=2))
    else:
        click.echo(failures_text(recent.heading, explained, settings.zone), nl=False)


def _moment(text: str, settings: Settings) -> float:
    try:
        moment = TypeAdapter(Moment).validate_python(text, context={"zone": settings.zone})
    except ValidationError:
        sentence = f"{text!r} is not a date such as 2026-01-31, nor a date with time such as 2026-01-31T18:00"
        raise click.BadParameter(sentence, param_hint="--at") from None
    return moment.timestamp()


def _collect(settings: Settings, attributes: Sequence[str], groups: Sequence[str]) -> dict[str, tuple[str, ...]]:
    collected: dict[str, tuple[str, ...]] = {}
    pairs = [tuple(assignment.split("=", 1)) for assignment in attributes]
    for pair in [*pairs, *((settings.login.group_attributes[0], group) for group in groups)]:
        if len(pair) != 2 or not all(pair):
            raise click.BadParameter(f"expected NAME=VALUE, got {'='.join(pair)!r}", param_hint="--attribute")
        collected[pair[0]] = (*collected.get(pair[0], ()), pair[1])
    return collected


def _find(typed: str, names: Sequence[str], settings: Settings, now: float) -> Person:
    """Return the person whom a sign-in with the name ``typed`` would be about, asking the handlers called ``names``."""
    username = canonical_username(typed, settings.login.username_case)
    if not username or len(username) > MAX_USERNAME or not username.isprintable():
        raise click.BadParameter(f"{typed!r} cannot be a user name", param_hint="--user")
    with _handlers(settings, names) as handlers:
        found = look_up(handlers, names, username, now)
    for sentence in found.unasked:
        click.echo(f"casduo: {sentence}", err=True)
    if found.person is None:
        asked = ", ".join(names) or "nobody"
        advice = "--group explains for a made-up person"
        raise click.ClickException(f"{username!r} was not found; asked: {asked}. {advice}")
    principal = found.person.principal
    return Person(principal.id, dict(principal.attributes), found.handler, found.person.refusal, found.person.judged)


@contextlib.contextmanager
def _handlers(settings: Settings, names: Sequence[str]) -> Iterator[list[AuthenticationHandler]]:
    """The handlers of the settings. A UCM is set up where one of those called ``names`` asks it."""
    # Everything the server is made of comes with it: only for those who look somebody up.
    from casduo.authentication.build import build_handlers
    from casduo.ucm.build import build_ucm

    with contextlib.ExitStack() as stack:
        # Handlers tell their troubles to the log, which must not get in between the lines of the answer.
        stack.enter_context(contextlib.redirect_stdout(sys.stderr))
        ucm = None
        if any(handler.type == "ucm_pin" and handler.name in names for handler in settings.authentication):
            ucm = build_ucm(settings, system_clock)
        opened = build_handlers(settings, ucm)
        for handler in opened:
            if close := getattr(handler, "close", None):
                stack.callback(close)
        yield opened
