"""Tells the service manager how the server is (sd_notify(3)); nothing where there is none."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections.abc import MutableMapping

_VARIABLE = "NOTIFY_SOCKET"


class ServiceManager:
    """Who started the server, if it wants to be told. For units with ``Type=notify`` or ``Type=notify-reload``.

    The variable is taken out of the environment: processes that are started from here are not the service.
    """

    def __init__(self, environ: MutableMapping[str, str] = os.environ) -> None:
        self._name = name = environ.pop(_VARIABLE, "")
        # "@" stands for the zero byte that names in the abstract namespace begin with.
        self._address = f"\0{name[1:]}" if name.startswith("@") else name

    def ready(self, status: str) -> None:
        """Say that requests are answered: after the start, and after reading the settings anew."""
        self._tell("READY=1", f"STATUS={status}")

    def reloading(self) -> None:
        """Say that the settings are read anew; :meth:`ready` ends that."""
        self._tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}", "STATUS=reading the settings anew")

    def stopping(self) -> None:
        """Say that the server is about to end."""
        self._tell("STOPPING=1", "STATUS=finishing what is under way")

    def keep_for_successor(self) -> None:
        """Put the variable back, for the program that takes the place of this one in the same process."""
        if self._name:
            os.environ[_VARIABLE] = self._name

    def _tell(self, *lines: str) -> None:
        if not self._address:
            return
        # One that does not listen is no reason to stop serving.
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.sendto("\n".join(lines).encode(), self._address)
