"""The meter that makes numbers of what it is told, for Prometheus. The only module that imports prometheus_client.

Requests do no more than put what they tell into a queue; a thread applies it a moment later, many at a time. That is a
tenth of the cost of going to the shared file of numbers each time. A process that is killed takes what it has told in
the last half second with it, and nothing else: the file outlives it.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import product
from typing import Final, Literal
from weakref import WeakSet

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

from casduo.events.model import Event
from casduo.meter import Gate, Meter, Outcome, Places
from casduo.metrics import table
from casduo.metrics.counting import counts_of
from casduo.metrics.process import process_facts
from casduo.metrics.table import INSTRUMENTS, OTHER, Instrument, among

Role = Literal["server", "worker"]
Labels = tuple[str, ...]

_MOST_WAITING: Final = 200_000
"""What is told beyond that before it is applied drops the oldest: only a thread that is gone leaves so much."""
_ASKED_BY: Final = {"duo_push": "push", "phone_call": "phone"}
_BY_NAME: Final = {
    "duo admin api": "duo_admin_api",
    "webex": "webex",
    "proxy callback": "proxy_callback",
    "sign-out message": "sign_out",
}
_BY_BEGINNING: Final = (
    ("duo prompt ", "duo_prompt"),
    ("duo auth api ", "duo_auth_api"),
    ("ucm axl ", "axl"),
    ("ucm em ", "em"),
    ("ucm ris ", "ris"),
    ("ldaps://", "ldap"),
    ("ldap://", "ldap"),
)

# When a series began is another series each, and nobody asks for it.
disable_created_metrics()  # type: ignore[no-untyped-call]


class _Histogram(Histogram):
    """A histogram that takes many observations at a time."""

    def observe_many(self, values: Sequence[float]) -> None:
        bounds = self._upper_bounds
        found = [0] * len(bounds)
        for value in values:
            found[bisect_left(bounds, value)] += 1
        self._sum.inc(sum(values))
        for place, count in enumerate(found):
            if count:
                self._buckets[place].inc(count)


class PrometheusMeter(Meter):
    """Makes numbers of what it is told. One for each process: with ``PROMETHEUS_MULTIPROC_DIR`` in the environment when
    prometheus_client is first imported, they go into files there, which all processes of a server share.

    :param role: which kind of process this is
    :param by_service: whether tickets and validations are counted for each service too
    """

    def __init__(self, role: Role, *, by_service: bool = False) -> None:
        self.registry = CollectorRegistry()
        self.role = role
        self._by_service = by_service
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        self._histograms: dict[str, _Histogram] = {}
        self._waiting: deque[tuple[Instrument | None, Labels | Event, float]] = deque(maxlen=_MOST_WAITING)
        self._applying = threading.Lock()
        self._answering: set[int] = set()
        self._made = threading.Lock()
        self._breakers: WeakSet[Gate] = WeakSet()
        self._bulkheads: WeakSet[Places] = WeakSet()
        self._processor = 0.0
        for instrument in INSTRUMENTS:
            if instrument.mode != "scrape" and (by_service or "service" not in instrument.labels):
                self._make(instrument)

    # -- what it is told ---------------------------------------------------------------------------------------------

    def request_began(self) -> None:
        """See :class:`~casduo.meter.Meter`."""
        self._answering.add(threading.get_ident())

    def request_ended(self, route: str, status: int, seconds: float) -> None:
        """See :class:`~casduo.meter.Meter`."""
        self._answering.discard(threading.get_ident())
        self._waiting.append((table.REQUESTS, (route, str(status)), seconds))

    def redis_called(self, seconds: float, *, answered: bool) -> None:
        """See :class:`~casduo.meter.Meter`."""
        self._waiting.append((table.REDIS, (), seconds))
        if not answered:
            self._waiting.append((table.REDIS_ERRORS, (), 1.0))

    def upstream_called(self, name: str, outcome: Outcome, seconds: float) -> None:
        """See :class:`~casduo.meter.Meter`."""
        self._waiting.append((table.UPSTREAMS, (*upstream_of(name), outcome), seconds))

    def left_alone(self, name: str) -> None:
        """See :class:`~casduo.meter.Meter`."""
        self._waiting.append((table.LEFT_ALONE, upstream_of(name), 1.0))

    def turned_away(self, name: str) -> None:
        """See :class:`~casduo.meter.Meter`."""
        self._waiting.append((table.TURNED_AWAY, (name,), 1.0))

    def duo_answered(self, factor: str, outcome: str, seconds: float) -> None:
        """See :class:`~casduo.meter.Meter`."""
        labels = (among(_ASKED_BY.get(factor, factor), table.ASKED_BY), among(outcome, table.DUO_OUTCOMES))
        self._waiting.append((table.DUO_ANSWER_SECONDS, labels, max(0.0, seconds)))

    def happened(self, event: Event) -> None:
        """See :class:`~casduo.meter.Meter`."""
        self._waiting.append((None, event, 0.0))

    def registry_read(self, *, taken: bool) -> None:
        """See :class:`~casduo.meter.Meter`."""
        self._waiting.append((table.REGISTRY_READ, ("changed" if taken else "rejected",), 1.0))

    def watch_breaker(self, breaker: Gate) -> None:
        """See :class:`~casduo.meter.Meter`."""
        with self._made:
            self._breakers.add(breaker)
        # For the same reason as in _make.
        self._waiting.append((table.LEFT_ALONE, upstream_of(breaker.name), 0.0))

    def watch_bulkhead(self, bulkhead: Places) -> None:
        """See :class:`~casduo.meter.Meter`."""
        with self._made:
            self._bulkheads.add(bulkhead)
        self._waiting.append((table.TURNED_AWAY, (bulkhead.name,), 0.0))

    # -- what becomes of it ------------------------------------------------------------------------------------------

    def apply(self) -> None:
        """Add what was told since the last time."""
        with self._applying:
            told: dict[tuple[str, Labels], list[float]] = {}
            for instrument, labels, value in self._taken():
                told.setdefault((instrument.name, labels), []).append(value)
            for (name, labels), values in told.items():
                if name in self._histograms:
                    histogram = self._histograms[name]
                    (histogram.labels(*labels) if labels else histogram).observe_many(values)
                else:
                    counter = self._counters[name]
                    (counter.labels(*labels) if labels else counter).inc(sum(values))

    def look(self) -> None:
        """Put down how this process is right now. Breakers that all processes share are asked for, in Redis."""
        self._set(table.PROCESSES, (self.role,), 1)
        self._set(table.IN_FLIGHT, (), len(self._answering))
        facts = process_facts()
        for instrument, value in facts.gauges:
            self._set(instrument, (self.role,), value)
        self._counters[table.CPU.name].labels(self.role).inc(max(0.0, facts.processor - self._processor))
        self._processor = facts.processor
        with self._made:
            breakers, bulkheads = list(self._breakers), list(self._bulkheads)
        self._add_up(table.BREAKERS, ((upstream_of(each.name), not each.is_closed()) for each in breakers))
        self._add_up(table.INSIDE, (((each.name,), each.inside) for each in bulkheads))
        self._add_up(table.PLACES, (((each.name,), each.limit) for each in bulkheads))

    def _taken(self) -> Iterator[tuple[Instrument, Labels, float]]:
        # As many as there are now: what is told meanwhile comes next time.
        for _ in range(len(self._waiting)):
            instrument, subject, value = self._waiting.popleft()
            if instrument is not None:
                assert isinstance(subject, tuple)
                yield instrument, subject, value
            elif isinstance(subject, Event):
                for count in counts_of(subject, by_service=self._by_service):
                    yield count.instrument, count.labels, count.amount

    def _add_up(self, instrument: Instrument, found: Iterable[tuple[Labels, float]]) -> None:
        sums: dict[Labels, float] = {}
        for labels, value in found:
            sums[labels] = sums.get(labels, 0) + value
        for labels, value in sums.items():
            self._set(instrument, labels, value)

    def _set(self, instrument: Instrument, labels: Labels, value: float) -> None:
        gauge = self._gauges[instrument.name]
        (gauge.labels(*labels) if labels else gauge).set(value)

    def _make(self, instrument: Instrument) -> None:
        name, labels = instrument.name, tuple(instrument.labels)
        match instrument.kind:
            case "counter":
                counter = self._counters[name] = Counter(name, instrument.what, labels, registry=self.registry)
                # From nothing to one is a step that Prometheus sees only where nothing was told before: the first
                # fraud would raise no alert. Where a label's values are not known beforehand there is no combination.
                for values in product(*instrument.labels.values()) if labels else ():
                    counter.labels(*values)
            case "histogram":
                self._histograms[name] = _Histogram(
                    name, instrument.what, labels, registry=self.registry, buckets=instrument.buckets
                )
            case "gauge":
                mode: Literal["livesum", "livemax"] = "livesum" if instrument.mode == "sum" else "livemax"
                self._gauges[name] = Gauge(
                    name, instrument.what, labels, registry=self.registry, multiprocess_mode=mode
                )


def upstream_of(name: str) -> tuple[str, str]:
    """Return which upstream a breaker is for, and which server of it, as the settings name that; empty where they do
    not.

    :param name: the breaker's
    """
    if name in _BY_NAME:
        return _BY_NAME[name], ""
    for beginning, upstream in _BY_BEGINNING:
        if name.startswith(beginning):
            return upstream, name.removeprefix(beginning)
    return OTHER, ""
