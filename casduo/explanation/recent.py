"""Whose failed validations somebody means who names an entry or an address, and the failures themselves."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from casduo.errors import CasduoError
from casduo.explanation.matching import entries
from casduo.explanation.reading import read
from casduo.protocol.failures import KEPT_SECONDS, MOST, UNREGISTERED, Failure, FailureLog
from casduo.services.index import Registry
from casduo.services.model import RegisteredService

NOBODY = "unregistered"
"""Said in place of an entry's id where the failures of addresses that no entry has are meant."""
_DAYS = KEPT_SECONDS // 86400


class UnknownApplication(CasduoError):
    """What was named is neither an entry nor an address of an application."""

    code = "EXPLANATION_UNKNOWN_APPLICATION"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Whose failures are meant: those kept under ``ids``, and of them only those about ``host`` unless it is empty.

    ``name`` is for headings. ``registered`` is whether the registry knows what was named.
    """

    name: str
    ids: tuple[str, ...]
    host: str = ""
    registered: bool = True


@dataclass(frozen=True, slots=True)
class RecentFailures:
    """Failures, the newest first, and whose they are."""

    wanted: Wanted
    failures: tuple[Failure, ...]

    @property
    def heading(self) -> str:
        """What there is, in a sentence."""
        count, name = len(self.failures), self.wanted.name
        if not count:
            return f"No validation for {name} has failed in the last {_DAYS} days."
        kept = f" (no more than {MOST} are kept)" if count >= MOST else ""
        failed = "validation has" if count == 1 else "validations have"
        return f"{count} {failed} failed for {name} in the last {_DAYS} days, the newest first{kept}."


def wanted_by(service: str, registry: Registry, login_url: str) -> Wanted:
    """Return whose failures ``service`` means.

    :param service: the id of an entry, also of one that has left the registry; an address of an application, or that of
        the login page with one in it; or :data:`NOBODY`
    :param login_url: address of the login page; empty when unknown
    :raises UnknownApplication: an address that is refused
    """
    entry = registry.by_id(service)
    if entry is not None:
        return _of(entry)
    if service == NOBODY:
        return Wanted("addresses that no entry of the registry has", (UNREGISTERED,))
    if "://" not in service:
        return Wanted(service, (service,), registered=False)
    reading, url = read(service, login_url, registry.schemes)
    if url is None:
        raise UnknownApplication(f"{service!r} is refused as an address: {reading.problem}")
    entry = registry.find(url)
    if entry is not None:
        return _of(entry)
    # Where a ticket was granted for another address of that host, its entry has the failure.
    near, _ = entries(registry, url, everything=False)
    ids = (UNREGISTERED, *(one.id for one in near if one.relation == "same host"))
    return Wanted(f"{url.host}, where no entry has {reading.canonical},", ids, url.host)


def _of(entry: RegisteredService) -> Wanted:
    return Wanted(f"{entry.name} ({entry.id})", (entry.id,))


def recent_failures(wanted: Wanted, log: FailureLog, now: float) -> RecentFailures:
    """Return the failures that are meant.

    :param now: epoch seconds
    :raises UnknownApplication: there are none, and the registry does not know the id either
    :raises UpstreamUnavailable: Redis does not answer
    """
    found = [failure for service_id in wanted.ids for failure in log.of_service(service_id, now)]
    if not found and not wanted.registered:
        raise UnknownApplication(f"{wanted.name!r} is neither the id of an entry nor the address of an application")
    if wanted.host:
        found = [one for one in found if wanted.host in (_host(one.presented), _host(one.granted))]
    return RecentFailures(wanted, tuple(sorted(found, key=lambda failure: -failure.at)))


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
