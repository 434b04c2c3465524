"""``casduo serve`` as a process of its own: started, waited for, and ended with everything it started itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import deque
from contextlib import suppress
from pathlib import Path

_LAST_LINES = 15
_PREFIX = "CASDUO_"


class ServeProcess:
    """One run of ``casduo serve``.

    :param settings_file: its settings; no environment variable overrides them.
    :param log_file: what it writes goes here, in the place of what an earlier run wrote.
    """

    def __init__(self, settings_file: Path, log_file: Path) -> None:
        self._settings_file = settings_file
        self._log_file = log_file
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it. It needs a moment before it answers."""
        environ = {name: value for name, value in os.environ.items() if not name.startswith(_PREFIX)}
        command = [sys.executable, "-m", "casduo", "serve", "--config", str(self._settings_file)]
        with self._log_file.open("wb") as log:
            # A session of its own: Ctrl-C in the terminal reaches the demo, which ends its parts in order.
            self._process = subprocess.Popen(  # noqa: S603
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environ, start_new_session=True
            )

    @property
    def status(self) -> int | None:
        """The exit status once it has ended, negative for a signal; None while it runs."""
        return self._process.poll() if self._process is not None else None

    def last_lines(self) -> str:
        """Return the end of what it wrote."""
        with self._log_file.open(encoding="utf-8", errors="replace") as log:
            return "".join(deque(log, _LAST_LINES)).rstrip() or "(it wrote nothing)"

    def stop(self, grace: float) -> None:
        """Ask it to end, and end it and whatever it left behind after ``grace`` seconds. Harmless when not running."""
        process, self._process = self._process, None
        if process is None:
            return
        process.terminate()
        with suppress(subprocess.TimeoutExpired):
            process.wait(grace)
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
