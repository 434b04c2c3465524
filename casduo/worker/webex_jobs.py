"""The jobs of a worker whose settings have a Webex: apart from the others, for what they import takes a tenth of its
memory.
"""

from __future__ import annotations

from collections.abc import Callable

from casduo.worker.fan_out import FanOut
from casduo.worker.outbox import OutboxSender, OutboxTimes, UrgentOutboxSender
from casduo.worker.parts import Parts
from casduo.worker.process import Job
from casduo.worker.webex_presses import WebexPresses
from casduo.worker.webex_watch import WebexWatch

WEBEX_JOBS: tuple[Callable[[Parts], Job], ...] = (
    FanOut,
    UrgentOutboxSender,
    OutboxSender,
    OutboxTimes,
    WebexPresses,
    WebexWatch,
)
"""One row per job."""
