"""Measuring as the settings want it, for a serving process and for a worker."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import structlog

from casduo.events.journal import Journal
from casduo.meter import Meter, measure_with
from casduo.metrics.directory import VARIABLE, join
from casduo.metrics.journal import CountedJournal
from casduo.services.watch import CHANGED, RegistrySource
from casduo.settings import Settings

if TYPE_CHECKING:
    from casduo.metrics.prometheus import PrometheusMeter
    from casduo.metrics.publishing import Publisher

_log = structlog.get_logger("casduo")


@dataclass(frozen=True, slots=True)
class Measuring:
    """What measures in this process.

    ``directory`` is where all processes of this server put their numbers, ``None`` where this one is alone.
    """

    meter: PrometheusMeter
    directory: Path | None
    publisher: Publisher

    def counted(self, journal: Journal) -> Journal:
        """Return a journal that counts events before it leaves them to ``journal``."""
        return CountedJournal(journal, self.meter)

    def follow(self, services: RegistrySource) -> None:
        """Count how often the registry file is read."""
        services.listen(lambda event, facts: self.meter.registry_read(taken=event == CHANGED))

    def stop(self) -> None:
        """Put down what was told last, and measure no more."""
        self.publisher.stop()
        measure_with(Meter())


def begin_measuring(
    settings: Settings, role: Literal["server", "worker"], environ: Mapping[str, str] = os.environ
) -> Measuring | None:
    """Measure in this process from now on, if the settings want that. To be called before anything is made that is
    measured.

    A worker measures where somebody can ask: a server that started it, or at ``metrics.listen``.

    :param environ: names the directory that the processes of a server share, where there is one
    """
    wanted = settings.metrics.enabled
    if role == "worker":
        wanted = wanted and bool(environ.get(VARIABLE) or settings.metrics.listen)
    if not wanted:
        measure_with(Meter())
        return None
    directory = Path(environ[VARIABLE]) if environ.get(VARIABLE) else None
    if directory is not None:
        try:
            join(directory)
        except OSError as error:
            # Better without numbers than without sign-ins.
            _log.error("metrics.off", directory=str(directory), detail=error.strerror)
            measure_with(Meter())
            return None
    # Not before the directory is known: prometheus_client looks for it when it is imported.
    from casduo.metrics.prometheus import PrometheusMeter
    from casduo.metrics.publishing import Publisher

    meter = PrometheusMeter(role, by_service=settings.metrics.by_service)
    measure_with(meter)
    return Measuring(meter, directory, Publisher(meter))
