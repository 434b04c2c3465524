"""The log: one JSON object a line, or coloured text for reading by eye; nothing secret even by mistake."""

from __future__ import annotations

import json
import logging
import re
import sys
from collections.abc import MutableMapping
from datetime import UTC, datetime
from typing import Any, Literal

import structlog

_SECRET_NAMES = frozenset(
    {"password", "passcode", "pin", "token", "secret", "authorization", "cookie", "execution", "client_secret"}
)
# Possessive: an address full of beginnings of tickets, which anybody may ask for, must not cost its length squared.
_BEARER = re.compile(r"((?:TGT|ST|PT|PGT|PGTIOU)-)[A-Za-z0-9-]{20,}+(?<=(.{4}))")
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure_log(form: Literal["json", "console"], level: Literal["debug", "info", "warning", "error"]) -> None:
    """Set up logging for the process: structlog for ours, the standard library's loggers for others' warnings."""
    processors: list[Any] = [_finished, _json_line]
    if form == "console":
        processors = [_finished, structlog.dev.ConsoleRenderer()]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    others = logging.StreamHandler(sys.stderr)
    others.setFormatter(_JsonFormatter() if form == "json" else logging.Formatter("%(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[others])


class _JsonFormatter(logging.Formatter):
    """Lines of other libraries in the form of ours, whatever quotes and line ends their texts hold."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line. Of an exception it names the class only: its text may hold anything."""
        event: dict[str, Any] = {"logger": record.name, "event": record.getMessage()}
        if record.exc_info and record.exc_info[0] is not None:
            event["error"] = record.exc_info[0].__name__
        return _json_line(None, "", _finished(None, record.levelname.lower(), event))


def _finished(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    event["level"] = method
    event["timestamp"] = datetime.now(UTC).isoformat(timespec="milliseconds")
    for name in event.keys() & _SECRET_NAMES:
        event[name] = "[not logged]"
    return event


def _json_line(logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
    # Tickets are masked where events are made; this is the net below.
    return _BEARER.sub(r"\1…\2", json.dumps(event, default=str, ensure_ascii=False, separators=(",", ":")))
