"""The worker that a server starts for itself: started again when it dies, and ended with the server."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from casduo.fieldtypes import format_duration

_HEAD_START = 1.0
"""Seconds that the server has for itself at first: people wait for it, and nobody for the worker."""
_STANDS_BACK = 10
"""How much nicer it is than the server (nice(2)): where both want the processor, requests go first. It gets a tenth."""
_NICEST = 19
_FIRST_PAUSE = 1.0
_LONGEST_PAUSE = 60.0
_GRACE = 7.0
"""Seconds that it has to end; more than it takes itself (``casduo.worker.process.GRACE``)."""


class WorkerChild:
    """Runs ``casduo worker`` as a child of this process, which it does not outlive even if this one is killed.

    :param config: the settings file, ``None`` for none
    :param say: is told, in a sentence, that it died
    """

    def __init__(self, config: Path | None, say: Callable[[str], None]) -> None:
        self._command = [sys.executable, "-m", "casduo", "worker", "--parent", str(os.getpid())]
        self._command += ["--config", str(config)] if config is not None else []
        self._say = say
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="worker-child", daemon=True)

    def start(self) -> None:
        """Start it in a moment, and watch over it from then on."""
        self._thread.start()

    def stop(self) -> None:
        """End it and wait for its end."""
        with self._lock:
            self._stopping.set()
            process = self._process
        if process is not None:
            process.terminate()
            self._thread.join(_GRACE)
            process.kill()
        self._thread.join()

    def _keep(self) -> None:
        # Inherited by the child: Ctrl-C in a terminal reaches both, and the server is to end first.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        pause = _FIRST_PAUSE
        self._stopping.wait(_HEAD_START)
        while not self._stopping.is_set():
            started = time.monotonic()
            try:
                process = self._launch()
            except OSError as error:
                # No memory or no process left, for a moment perhaps.
                what = f"could not be started ({error.strerror})"
            else:
                if process is None:
                    return
                what = f"ended (status {process.wait()})"
            if self._stopping.is_set():
                return
            if time.monotonic() - started > _LONGEST_PAUSE:
                pause = _FIRST_PAUSE
            self._say(f"the worker {what} and is started again in {format_duration(pause)}")
            self._stopping.wait(pause)
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _launch(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._stopping.is_set():
                return None
            self._process = subprocess.Popen(self._command, stdin=subprocess.DEVNULL)  # noqa: S603
            with suppress(OSError):
                priority = os.getpriority(os.PRIO_PROCESS, 0) + _STANDS_BACK
                os.setpriority(os.PRIO_PROCESS, self._process.pid, min(priority, _NICEST))
            return self._process
