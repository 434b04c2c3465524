"""The thread that applies what the meter was told, and now and then looks how the process is."""

from __future__ import annotations

import threading
from typing import Final

import structlog

from casduo.metrics.prometheus import PrometheusMeter

_EVERY: Final = 0.5
_LOOK_EVERY: Final = 10
"""Every how many times it looks at the process too: every five seconds."""
_STOP_SECONDS: Final = 2.0

_log = structlog.get_logger("casduo")


class Publisher:
    """Makes numbers, half a second after they were told, of what a meter was told.

    :param meter: of this process
    """

    def __init__(self, meter: PrometheusMeter) -> None:
        self._meter = meter
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin. Once per process: threads do not survive a fork."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Apply what is left, and stop."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(_STOP_SECONDS)
        self._meter.apply()

    def _run(self) -> None:
        times = 0
        while True:
            try:
                self._meter.apply()
                if times % _LOOK_EVERY == 0:
                    self._meter.look()
            except Exception as error:
                # A mistake of ours must not end the measuring unnoticed. The class only: the text may hold anything.
                _log.warning("metrics.fault", error=type(error).__name__)
            times += 1
            if self._stopping.wait(_EVERY):
                return
