"""Why a demo does not start or does not go on, in words for the person at the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from casduo.errors import CasduoError


class DemoError(CasduoError):
    """The demo cannot run. Its text is a sentence that says what to do about it."""

    code = "DEMO"


class PortUnusable(DemoError):
    """A port of the demo cannot be had. ``port`` is which one, ``reason`` the system's word for why."""

    code = "DEMO_PORT"

    def __init__(self, port: int, reason: str, needed: int) -> None:
        super().__init__(
            f"port {port} cannot be used ({reason}): stop what uses it, or name the first of {needed} free ports in a "
            "row with --port"
        )
        self.port = port
        self.reason = reason

    @classmethod
    def from_error(cls, port: int, error: OSError, needed: int) -> Self:
        """Make one from what the system says."""
        return cls(port, (error.strerror or type(error).__name__).lower(), needed)


class StateUnusable(DemoError):
    """The state directory cannot be had. ``reason`` says why."""

    code = "DEMO_STATE"

    def __init__(self, directory: Path, reason: str) -> None:
        super().__init__(f"{directory} cannot be used ({reason}): name another directory with --state")
        self.directory = directory
        self.reason = reason


class ServeEnded(DemoError):
    """``casduo serve`` ended by itself. ``status`` is its exit status, negative for a signal."""

    code = "DEMO_SERVE_ENDED"

    def __init__(self, status: int, log_file: Path, last_lines: str) -> None:
        super().__init__(f"casduo serve ended by itself (status {status}). The end of {log_file}:\n{last_lines}")
        self.status = status


class NotReady(DemoError):
    """A part of the demo runs and does not answer in time. ``name`` is its address, or what it is."""

    code = "DEMO_NOT_READY"

    def __init__(self, name: str, seconds: float, log_file: Path) -> None:
        super().__init__(f"{name} did not answer within {seconds:.0f} seconds; perhaps {log_file} says why")
        self.name = name
