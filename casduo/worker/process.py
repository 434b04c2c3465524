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
from typing import Protocol

import structlog

from casduo.errors import UpstreamUnavailable
from casduo.worker.heartbeat import Heartbeat
from casduo.worker.parts import Parts
from casduo.worker.signouts import SignOuts

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


JOBS: tuple[Callable[[Parts], Job], ...] = (Heartbeat, SignOuts)
"""One row per job."""


def run_jobs(parts: Parts, jobs: Sequence[Callable[[Parts], Job]] = JOBS) -> None:
    """Run all jobs until ``parts.stopping`` is set, and return when they have finished.

    The registry file is watched meanwhile.

    :raises UpstreamMisconfigured: a job cannot work with the settings
    """
    log = structlog.get_logger("casduo")
    threads = [threading.Thread(target=_keep_going, args=(make(parts), parts), daemon=True) for make in jobs]
    parts.services.start()
    for thread in threads:
        thread.start()
    log.info("worker.started", worker=parts.name)
    parts.stopping.wait()
    # A little more than they are told, so that they can say goodbye to Redis.
    deadline = time.monotonic() + GRACE + 1
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    parts.services.stop()
    parts.store.close()
    log.info("worker.stopped", worker=parts.name)


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
