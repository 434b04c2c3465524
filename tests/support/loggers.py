"""Loggers as they are before anybody has set them up, and the lines that are written."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from structlog.testing import CapturingLogger

from casduo.log import _finished, _json_line


def forget_loggers() -> None:
    """Have the loggers of modules, which keep the configuration they first met, look again."""
    kind = type(structlog.get_logger())
    for name, module in list(sys.modules.items()):
        if name.startswith("casduo"):
            for value in list(vars(module).values()):
                if isinstance(value, kind):
                    value.__dict__.pop("bind", None)


def reset_loggers() -> None:
    """Take back what :func:`casduo.log.configure_log` did, as far as it did anything."""
    if structlog.is_configured():
        structlog.reset_defaults()
        forget_loggers()


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """The lines that are written, in the form in which a server writes them."""
    found: list[dict[str, Any]] = []

    def keep(logger: Any, method: str, event: Any) -> str:
        line = _json_line(logger, method, _finished(logger, method, event))
        found.append(json.loads(line))
        return line

    before = structlog.get_config()
    structlog.configure(processors=[keep], logger_factory=lambda *_: CapturingLogger(), cache_logger_on_first_use=False)
    yield found
    structlog.configure(**before)
