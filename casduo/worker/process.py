"""The worker process: a plain list of jobs, each in a thread, kept going until the worker is to end.

Everything here and in the jobs is written for threads and blocks where it waits. ``casduo worker`` turns them into
greenlets of gevent before it imports this, so that thousands of waits cost little.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import structlog

from casduo.errors import UpstreamUnavailable
from casduo.events.readers import readers_of
from casduo.settings import Settings
from casduo.worker.approvals import ApprovalDeadlines
from casduo.worker.audit import AuditTrailJob
from casduo.worker.heartbeat import Heartbeat
from casduo.worker.parts import Parts, build_parts
from casduo.worker.phone_addresses import PhoneRegistrations
from casduo.worker.phone_logouts import PhoneLogouts
from casduo.worker.pushes import DuoPushes
from casduo.worker.reports import DuoReports
from casduo.worker.signouts import SignOuts

if TYPE_CHECKING:
    from casduo.metrics.listening import Listener

GRACE = 4.0
"""Seconds that jobs have to finish what is under way."""
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 5.0
_LOOK_EVERY = 0.5


class Job(Protocol):
    """Something that goes on as long as the worker does."""

    @property
    def name(self) -> str:
        """What the log calls it."""

    def run(self) -> None:
        """Work until ``Parts.stopping`` is set.

        :raises UpstreamUnavailable: Redis is away; ``run`` is called again a moment later
        """

    def finish(self, seconds: float) -> None:
        """Bring to an end what is under way, within ``seconds``, and let go of the rest. Called once, after ``run``.

        :raises UpstreamUnavailable: Redis is away
        """


JOBS: tuple[Callable[[Parts], Job], ...] = (
    Heartbeat,
    SignOuts,
    DuoPushes,
    DuoReports,
    PhoneLogouts,
    PhoneRegistrations,
    ApprovalDeadlines,
    AuditTrailJob,
)
"""One row per job, of those that every worker has."""


def jobs_of(settings: Settings) -> tuple[Callable[[Parts], Job], ...]:
    """Return the jobs of a worker with these settings."""
    if settings.webex is None:
        return JOBS
    from casduo.worker.webex_jobs import WEBEX_JOBS

    return (*JOBS, *WEBEX_JOBS)


def run_jobs(parts: Parts, jobs: Sequence[Callable[[Parts], Job]] | None = None) -> None:
    """Run jobs until ``parts.stopping`` is set, and return when they have finished.

    The registry file is watched meanwhile.

    :param jobs: those of the settings if not given
    :raises UpstreamMisconfigured: a job cannot work with the settings
    """
    log = structlog.get_logger("casduo")
    made = [make(parts) for make in (jobs if jobs is not None else jobs_of(parts.settings))]
    threads = [threading.Thread(target=_keep_going, args=(job, parts), daemon=True) for job in made]
    parts.services.start()
    parts.events.start()
    listener = _begin_telling(parts)
    for thread in threads:
        thread.start()
    log.info("worker.started", worker=parts.name)
    parts.stopping.wait()
    # A little more than they are told, so that they can say goodbye to Redis.
    deadline = time.monotonic() + GRACE + 1
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    parts.services.stop()
    parts.events.stop()
    if listener is not None:
        listener.stop()
    if parts.measuring is not None:
        parts.measuring.stop()
    parts.store.close()
    log.info("worker.stopped", worker=parts.name)


def _begin_telling(parts: Parts) -> Listener | None:
    """Make numbers of what is measured, and tell them where nobody else does."""
    measuring, address = parts.measuring, parts.settings.metrics.listen
    if measuring is None:
        return None
    measuring.publisher.start()
    if measuring.directory is not None or address is None:
        return None
    # These stand on prometheus_client, which has to wait until it is known where numbers go.
    from casduo.metrics.depths import read_depths
    from casduo.metrics.listening import Listener
    from casduo.metrics.scraping import Scrape

    readers, networks = readers_of(parts.settings), parts.settings.metrics.networks
    scrape = Scrape(measuring.meter, None, parts.services, lambda: read_depths(parts.store, readers), networks)
    try:
        listener = Listener(address, scrape, networks)
    except OSError as error:
        structlog.get_logger("casduo").error("metrics.not_told", listen=address, detail=error.strerror)
        return None
    listener.start()
    return listener


def try_out(settings: Settings) -> None:
    """Make all jobs of a worker with these settings, and run none.

    :raises CasduoError: no worker could begin with them
    """
    parts = build_parts(settings, threading.Event(), measured=False)
    try:
        for make in jobs_of(settings):
            make(parts)
    finally:
        parts.store.close()


def stop_without_parent(parent: int, stopping: threading.Event) -> None:
    """Have ``stopping`` set when the process that started this one is no longer there.

    :param parent: its id, as it knows itself: it may have ended before this one could ask
    """

    def watch() -> None:
        while os.getppid() == parent and not stopping.wait(_LOOK_EVERY):
            pass
        stopping.set()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def _keep_going(job: Job, parts: Parts) -> None:
    log = structlog.get_logger("casduo")
    pause = _FIRST_PAUSE
    while not parts.stopping.is_set():
        started = time.monotonic()
        try:
            job.run()
        except UpstreamUnavailable as error:
            if pause == _FIRST_PAUSE:
                log.warning("worker.waiting", job=job.name, upstream=error.upstream, detail=error.detail)
        except Exception as error:
            parts.fault(error, job.name)
        if time.monotonic() - started > _LONGEST_PAUSE:
            pause = _FIRST_PAUSE
        parts.stopping.wait(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)
    with suppress(UpstreamUnavailable):
        job.finish(GRACE)
