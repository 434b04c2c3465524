"""Finds the registered service that a URL belongs to, as fast among ten thousand services as among ten."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from casduo.services.model import RegisteredService
from casduo.services.patterns import Difference, Pattern, compile_pattern
from casduo.services.urls import WEB_SCHEMES, ServiceUrl

# How far a pattern got before it differed; the furthest one explains best.
_ORDER: dict[Difference, int] = {"scheme": 0, "host": 1, "port": 2, "path": 3, "query": 4, "": 5}


@dataclass(frozen=True, slots=True)
class MatchNote:
    """Why one registered service has or has not got a URL.

    ``pattern`` is the one of its patterns that came closest, ``difference`` the first part of the URL that it does not
    mean (empty: it means the whole), ``chosen`` whether the URL is this service's: it is the first one that matches.
    """

    service: RegisteredService
    pattern: str
    difference: Difference
    chosen: bool

    @property
    def sentence(self) -> str:
        """The note in words."""
        if self.chosen:
            state = "" if self.service.enabled else ", and the service is disabled"
            return f"{self.service.id}: chosen by {self.pattern}{state}"
        if not self.difference:
            return f"{self.service.id}: {self.pattern} matches as well, but an earlier service has the URL"
        return f"{self.service.id}: the {self.difference} differs from {self.pattern}"


@dataclass(frozen=True, slots=True)
class _Entry:
    order: int
    pattern: Pattern
    service: RegisteredService


@dataclass(slots=True)
class _Bucket:
    """The patterns that share the end of their host, by the literal segments their paths begin with."""

    by_head: dict[str, list[_Entry]] = field(default_factory=dict)
    deepest: int = 0

    def add(self, entry: _Entry) -> None:
        head = entry.pattern.path_head
        self.by_head.setdefault(head, []).append(entry)
        self.deepest = max(self.deepest, head.count("/"))

    def candidates(self, path: str) -> Iterator[list[_Entry]]:
        """Yield the entries under every head that ``path`` begins with."""
        end = 0
        for _ in range(self.deepest + 1):
            if entries := self.by_head.get(path[:end]):
                yield entries
            if end == len(path):
                return
            end = path.find("/", end + 1)
            if end < 0:
                end = len(path)


class Registry:
    """One state of the service registry; never changed, a reload makes a new one.

    A service that is disabled still has its URLs: :meth:`find` returns it and the caller looks at ``enabled``. Were it
    passed over, a wider entry further down could serve the URLs of an application that somebody switched off.

    :param services: in the order of the file; the first one that matches has the URL
    :param version: names this state in logs and pages, such as a digest of the file
    :raises ValueError: a pattern cannot be read (the loader has refused those before), or an id occurs twice
    """

    __slots__ = ("_buckets", "_by_id", "_entries", "schemes", "services", "version")

    def __init__(self, services: Sequence[RegisteredService], version: str) -> None:
        self.services = tuple(services)
        self.version = version
        self._by_id = {service.id: service for service in self.services}
        if len(self._by_id) != len(self.services):
            raise ValueError("two services have the same id")
        self._entries = tuple(
            _Entry(order, compile_pattern(text), service)
            for order, service in enumerate(self.services)
            for text in service.urls
        )
        self.schemes = WEB_SCHEMES.union(*(entry.pattern.schemes for entry in self._entries))
        """Schemes that services may have: http, https and whatever else a pattern names."""
        self._buckets: dict[str, _Bucket] = {}
        for entry in self._entries:
            self._buckets.setdefault(entry.pattern.host_tail, _Bucket()).add(entry)

    def __len__(self) -> int:
        return len(self.services)

    def by_id(self, service_id: str) -> RegisteredService | None:
        """Return the service with this id, ``None`` if there is none."""
        return self._by_id.get(service_id)

    def find(self, url: ServiceUrl) -> RegisteredService | None:
        """Return the first service in file order with a pattern that means ``url``, ``None`` if there is none."""
        best: _Entry | None = None
        for bucket in self._buckets_for(url.host):
            for entries in bucket.candidates(url.path):
                for entry in entries:
                    if best is not None and entry.order >= best.order:
                        break
                    if entry.pattern.matches(url):
                        best = entry
                        break
        return best.service if best else None

    def knows_host(self, host: str) -> bool:
        """Say whether an enabled service may have web pages on ``host`` (canonical form), whatever the port."""
        return any(
            entry.service.enabled
            and not entry.pattern.schemes.isdisjoint(WEB_SCHEMES)
            and entry.pattern.accepts_host(host)
            for bucket in self._buckets_for(host)
            for entries in bucket.by_head.values()
            for entry in entries
        )

    def explain(self, url: ServiceUrl) -> list[MatchNote]:
        """Return a note for every service, in file order. For people: it looks at every pattern."""
        closest: dict[str, tuple[Pattern, Difference]] = {}
        for entry in self._entries:
            difference = entry.pattern.difference(url)
            known = closest.get(entry.service.id)
            if known is None or _ORDER[difference] > _ORDER[known[1]]:
                closest[entry.service.id] = entry.pattern, difference
        chosen = self.find(url)
        return [
            MatchNote(service, closest[service.id][0].text, closest[service.id][1], service is chosen)
            for service in self.services
            if service.id in closest
        ]

    def _buckets_for(self, host: str) -> Iterator[_Bucket]:
        tail = host
        while True:
            if bucket := self._buckets.get(tail):
                yield bucket
            if not tail:
                return
            tail = tail.partition(".")[2]


class RegistrySource(Protocol):
    """Whoever knows the present state of the registry, such as the watcher of ``registry.yaml``."""

    def current(self) -> Registry:
        """Return the latest good state. One request asks once and keeps what it got."""
        ...
