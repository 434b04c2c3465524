"""``casduo approvals``: requests for access, what became of them, and cancelling one that waits."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Any

import click

from casduo.approvals.build import build_requests
from casduo.approvals.model import ApprovalRequest
from casduo.approvals.requests import ApprovalRequests
from casduo.approvals.telling import cancelled_event
from casduo.authentication.names import canonical_username
from casduo.events.journal import LogJournal
from casduo.log import configure_log
from casduo.settings import Settings, find_settings, load_settings
from casduo.store.opening import running_store

_LOOKED_AT = 2000
"""Latest requests among which one is found by the beginning of its id."""

_json = click.option("--json", "as_json", is_flag=True, help="Write JSON.")


@click.group("approvals")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The settings file. Default: $CASDUO_CONFIG, ./casduo.yaml or /etc/casduo/casduo.yaml.",
)
@click.pass_context
def approvals(context: click.Context, config: Path | None) -> None:
    """Requests for access of the running server."""
    context.obj = load_settings(find_settings(config, os.environ), os.environ)


@approvals.command("list")
@click.option("--user", metavar="NAME", help="All requests of a person, by the name they sign in with.")
@click.option("--all", "everything", is_flag=True, help="Those that are over, too.")
@click.option("--most", type=click.IntRange(1, _LOOKED_AT), default=100, show_default=True, help="How many at most.")
@_json
@click.pass_obj
def list_(settings: Settings, user: str | None, everything: bool, most: int, as_json: bool) -> None:
    """List the requests that wait for a decision, those first that expire first; others the newest first."""
    with _requests(settings) as requests:
        if user is not None:
            found = requests.of_person(canonical_username(user, settings.login.username_case), most)
        else:
            found = requests.recent(most) if everything else requests.waiting(most)
    if as_json:
        click.echo(json.dumps([_members(request) for request in found], indent=2))
        return
    if not found:
        click.echo("there is no request" if user is not None or everything else "no request waits for a decision")
    for request in found:
        for line in _lines(request, settings.zone):
            click.echo(line)


@approvals.command("show")
@click.argument("name", metavar="ID")
@_json
@click.pass_obj
def show(settings: Settings, name: str, as_json: bool) -> None:
    """Show everything about one request. The beginning of its ID is enough, as in the list or on its card."""
    with _requests(settings) as requests:
        request = _find(requests, name)
    if as_json:
        click.echo(json.dumps(_members(request), indent=2))
        return
    for title, text in _facts(request, settings.zone):
        if text:
            click.echo(f"{title:<10}{_printable(text)}")


@approvals.command("cancel")
@click.argument("name", metavar="ID")
@click.pass_obj
def cancel(settings: Settings, name: str) -> None:
    """Cancel a request that waits. Its card is withdrawn, and who asked is told.

    Ends with exit code 1 where it has been decided: what was approved is not taken back.
    """
    with _requests(settings) as requests:
        request = _find(requests, name)
        event = cancelled_event(request, by="administrator")
        settled = requests.cancel(request.id, event, time.time())
    if not settled.first:
        state = _state(settled.request or request, settings.zone)
        raise click.ClickException(f"request {request.id} does not wait any more: {state}")
    configure_log(settings.log.format, settings.log.level)
    LogJournal().note(event)
    click.echo(f"request {request.id} of {_printable(request.principal)} for {request.service} is cancelled")


@contextmanager
def _requests(settings: Settings) -> Iterator[ApprovalRequests]:
    store = running_store(settings)
    try:
        yield build_requests(settings, store)
    finally:
        store.close()


def _find(requests: ApprovalRequests, name: str) -> ApprovalRequest:
    exact = requests.get(name)
    if exact is not None:
        return exact
    # People read the beginning from a card, where it is in capital letters.
    named = [one for one in requests.recent(_LOOKED_AT) if name and one.id.lower().startswith(name.lower())]
    if len(named) == 1:
        return named[0]
    if not named:
        raise click.ClickException(f"there is no request {_printable(name)}")
    raise click.ClickException(f"{_printable(name)} may be any of {', '.join(one.id for one in named)}")


def _lines(request: ApprovalRequest, zone: tzinfo) -> Iterable[str]:
    who, what = _printable(request.principal), _printable(request.service)
    yield f"{request.id}  {who} for {what}, {_span(request, zone)}: {_state(request, zone)}"
    yield f"{'':<{len(request.id)}}  {_printable(request.reason)}"


def _facts(request: ApprovalRequest, zone: tzinfo) -> Iterable[tuple[str, str]]:
    machine, decision = request.target, request.decision
    yield "request", request.id
    yield "person", f"{request.name} ({request.principal})" if request.name != request.principal else request.name
    yield "addresses", ", ".join(request.emails)
    yield "service", f"{request.service_name} ({request.service})"
    yield "machine", " ".join(filter(None, (machine.host, machine.ip)))
    yield "account", machine.account
    yield "time", _span(request, zone)
    yield "reason", request.reason
    yield "asked", " ".join(filter(None, (_moment(request.created, zone), request.address, request.reference)))
    yield "state", _state(request, zone)
    yield "comment", decision.comment if decision is not None else ""
    yield "posted", f"{len(request.cards)} times" if len(request.cards) > 1 else "once" if request.cards else ""


def _state(request: ApprovalRequest, zone: tzinfo) -> str:
    decision = request.decision
    if decision is not None:
        where = "in Webex" if decision.via == "webex" else "on our page"
        by = f"{_printable(decision.name)} ({_printable(decision.by)})"
        return f"{request.state} by {by} {where} at {_moment(decision.at, zone)}"
    if request.state == "pending":
        return f"waits until {_moment(request.expires, zone)}"
    return request.state


def _span(request: ApprovalRequest, zone: tzinfo) -> str:
    return f"from {_moment(request.start, zone)} to {_moment(request.end, zone)}"


def _members(request: ApprovalRequest) -> dict[str, Any]:
    decision = request.decision
    return {
        "id": request.id,
        "state": request.state,
        "user": request.principal,
        "name": request.name,
        "emails": request.emails,
        "service": request.service,
        "target": {"host": request.target.host, "ip": request.target.ip, "account": request.target.account},
        "start": _iso(request.start),
        "end": _iso(request.end),
        "reason": request.reason,
        "created": _iso(request.created),
        "expires": _iso(request.expires),
        "address": request.address,
        "reference": request.reference,
        "decision": {
            "by": decision.by,
            "name": decision.name,
            "via": decision.via,
            "at": _iso(decision.at),
            "comment": decision.comment,
        }
        if decision is not None
        else None,
    }


def _moment(moment: float, zone: tzinfo) -> str:
    return datetime.fromtimestamp(int(moment), zone).strftime("%Y-%m-%d %H:%M %Z")


def _iso(moment: float) -> str:
    return datetime.fromtimestamp(int(moment), UTC).isoformat()


def _printable(text: str) -> str:
    # What people have typed is not to be trusted with a terminal.
    return "".join(letter if letter.isprintable() else letter.encode("unicode_escape").decode() for letter in text)
