"""``casduo explain --failures``: which validations of an application failed of late, why, and what helps."""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

import click

from casduo.errors import UpstreamError
from casduo.explanation.failures import explain_failures
from casduo.explanation.failures_text import failures_text
from casduo.explanation.matching import entries
from casduo.explanation.reading import read
from casduo.protocol.failures import KEPT_SECONDS, MOST, UNREGISTERED, Failure, FailureLog
from casduo.services.index import Registry
from casduo.settings import Settings
from casduo.store import Store
from casduo.store.later import LaterWrites
from casduo.store.opening import running_store

NOBODY = "unregistered"
"""What stands for an entry's id on the command line where the failures of addresses that no entry has are meant."""
_DAYS = KEPT_SECONDS // 86400


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Whose failures are asked for: ``ids`` of entries, all that are about ``host`` unless that is empty. ``name`` is
    for the heading.
    """

    name: str
    ids: tuple[str, ...]
    host: str = ""
    known: bool = True


def show_failures(service: str, settings: Settings, registry: Registry, *, as_json: bool) -> None:
    """Write the failures of ``service``.

    :param service: the id of an entry, an address of an application, or :data:`NOBODY`
    :raises ClickException: nobody has the address or id, or there is no server to ask
    """
    wanted = _wanted(service, registry, f"{settings.server.url}/login" if settings.server.url else "")
    try:
        store = running_store(settings)
        try:
            failures = _failures(store, wanted)
        finally:
            store.close()
    except UpstreamError as error:
        raise click.ClickException(error.detail) from None
    if not failures and not wanted.known:
        raise click.ClickException(f"{wanted.name!r} is neither the id of an entry nor the address of an application")
    explained = explain_failures(failures)
    if as_json:
        click.echo(json.dumps({"service": wanted.name, "failures": [asdict(one) for one in explained]}, indent=2))
    else:
        click.echo(failures_text(_heading(wanted, len(failures)), explained, settings.zone), nl=False)


def _wanted(service: str, registry: Registry, login_url: str) -> _Wanted:
    entry = registry.by_id(service)
    if entry is not None:
        return _Wanted(f"{entry.name} ({entry.id})", (entry.id,))
    if service == NOBODY:
        return _Wanted("addresses that no entry of the registry has", (UNREGISTERED,))
    if "://" not in service:
        # Perhaps an entry that has left the registry.
        return _Wanted(service, (service,), known=False)
    reading, url = read(service, login_url, registry.schemes)
    if url is None:
        raise click.ClickException(f"{service!r} is refused as an address: {reading.problem}")
    entry = registry.find(url)
    if entry is not None:
        return _Wanted(f"{entry.name} ({entry.id})", (entry.id,))
    # Refused for the very reason that no entry has it, it may be in the list of the entry that its ticket was for.
    near, _ = entries(registry, url, everything=False)
    ids = (UNREGISTERED, *(one.id for one in near if one.relation == "same host"))
    return _Wanted(f"{url.host}, where no entry has {reading.canonical},", ids, url.host)


def _failures(store: Store, wanted: _Wanted) -> list[Failure]:
    log, now = FailureLog(store, LaterWrites(store)), time.time()
    found = [failure for service_id in wanted.ids for failure in log.of_service(service_id, now)]
    if wanted.host:
        found = [one for one in found if wanted.host in (_host(one.presented), _host(one.granted))]
    return sorted(found, key=lambda failure: -failure.at)


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def _heading(wanted: _Wanted, count: int) -> str:
    if not count:
        return f"No validation for {wanted.name} has failed in the last {_DAYS} days."
    kept = f" (no more than {MOST} are kept)" if count >= MOST else ""
    failed = "validation has" if count == 1 else "validations have"
    return f"{count} {failed} failed for {wanted.name} in the last {_DAYS} days, the newest first{kept}."
