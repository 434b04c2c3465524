"""The answer to a scrape: the numbers of all processes added up, and what is found out at this moment."""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Thread
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector

from casduo import __version__
from casduo.fieldtypes import Network
from casduo.metrics import table
from casduo.metrics.depths import Sample
from casduo.metrics.directory import gathered
from casduo.metrics.prometheus import PrometheusMeter
from casduo.metrics.table import Instrument
from casduo.services.watch import RegistrySource

PATIENCE: Final = 1.0
"""Seconds that a scrape waits for Redis."""


class Scrape:
    """Answers scrapes. Safe to share by threads.

    :param meter: of this process
    :param directory: where the processes of this server put their numbers, ``None`` where there is but this one
    :param services: the registry
    :param depths: asks Redis how much waits there; may raise whatever it likes
    :param networks: from where it may be asked for
    :param patience: see :data:`PATIENCE`
    """

    def __init__(
        self,
        meter: PrometheusMeter,
        directory: Path | None,
        services: RegistrySource,
        depths: Callable[[], list[Sample]],
        networks: Sequence[Network] = (),
        *,
        patience: float = PATIENCE,
    ) -> None:
        self.networks = tuple(networks)
        self._meter = meter
        self._directory = directory
        self._services = services
        self._depths = depths
        self._patience = patience
        self._asking: Future[list[Sample]] | None = None

    def answer(self, accepted: str) -> tuple[bytes, str]:
        """Return the numbers, and their content type.

        Where Redis does not answer in time, ``casduo_redis_up`` is 0, and what it would have told is left out.

        :param accepted: the header ``Accept`` of the question: OpenMetrics or the older text format
        """
        self._meter.apply()
        registry = CollectorRegistry()
        registry.register(_Found([*self._about_registry(), *self._about_redis()]))
        encode, kind = choose_encoder(accepted)
        if self._directory is None:
            registry.register(self._meter.registry)
            return encode(registry), kind
        with gathered(self._directory):
            MultiProcessCollector(registry, str(self._directory))  # type: ignore[no-untyped-call]
            return encode(registry), kind

    def _about_registry(self) -> Iterator[Sample]:
        yield table.BUILD, (__version__, platform.python_version()), 1
        registry = self._services.current()
        yield table.REGISTRY, (registry.version,), 1
        yield table.REGISTRY_SERVICES, (), len(registry.services)
        yield table.REGISTRY_REJECTED, (), bool(self._services.problems)
        yield table.REGISTRY_LOADED, (), self._services.loaded_at

    def _about_redis(self) -> list[Sample]:
        # Asked in a thread, and not again before the answer has come: Redis may take all of its time-outs.
        asking = self._asking
        if asking is None or asking.done():
            asking = self._asking = Future()
            Thread(target=self._ask, args=(asking,), name="scrape", daemon=True).start()
        try:
            return [*asking.result(self._patience), (table.REDIS_UP, (), 1)]
        except Exception:
            return [(table.REDIS_UP, (), 0)]

    def _ask(self, asking: Future[list[Sample]]) -> None:
        try:
            asking.set_result(self._depths())
        except Exception as error:
            asking.set_exception(error)


class _Found:
    """What was found out for one scrape, as prometheus_client wants it."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = samples

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield every metric with its samples."""
        families: dict[Instrument, GaugeMetricFamily] = {}
        for instrument, labels, value in self._samples:
            family = families.get(instrument)
            if family is None:
                family = GaugeMetricFamily(instrument.name, instrument.what, labels=tuple(instrument.labels))
                families[instrument] = family
            family.add_metric(labels, float(value))
        yield from families.values()
