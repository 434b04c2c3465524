"""The log: one JSON object a line, or coloured text for reading by eye; nothing secret even by mistake."""

from __future__ import annotations

import json
import logging
import re
import sys
import threading
import traceback
from collections.abc import MutableMapping
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Literal, TextIO, cast

import structlog

from casduo.cause import facts
from casduo.errors import Problem

_SECRET_NAMES = frozenset(
    {"password", "passcode", "pin", "token", "secret", "authorization", "cookie", "execution", "client_secret"}
)
# Possessive: an address full of beginnings of tickets, which anybody may ask for, must not cost its length squared.
_BEARER = re.compile(r"((?:TGT|ST|PT|PGT|PGTIOU)-)[A-Za-z0-9-]{20,}+(?<=(.{4}))")
_UNPRINTABLE = re.compile(r"[\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")
"""What moves cursors, hides, or turns text around."""
_LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}


def configure_log(form: Literal["json", "console"], level: Literal["debug", "info", "warning", "error"]) -> None:
    """Set up logging for the process: structlog for ours, the standard library's loggers for others' warnings."""
    processors: list[Any] = [_finished, _json_line]
    if form == "console":
        processors = [_finished, structlog.dev.ConsoleRenderer(), _masked_line]
    structlog.configure(
        processors=processors,
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(cast(TextIO, _Patient(sys.stderr))),
        cache_logger_on_first_use=True,
    )
    others = logging.StreamHandler(sys.stderr)
    others.setFormatter(_JsonFormatter() if form == "json" else _TextFormatter("%(name)s: %(message)s"))
    logging.basicConfig(level=logging.WARNING, handlers=[others])
    logging.captureWarnings(capture=True)


class _Patient:
    """A file that may be on a full disk: what is done does not fail because nobody can read of it."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._lost = 0

    def write(self, text: str) -> None:
        """Write a line; one that cannot be written is counted."""
        try:
            if self._lost:
                self._file.write(f'{{"event":"log_lost","lines":{self._lost},"level":"error"}}\n')
                self._file.flush()
                self._lost = 0
            self._file.write(text)
            self._file.flush()
        except OSError:
            self._lost += 1

    def flush(self) -> None:
        """Nothing is left to be written."""


def tell_problem(problem: Problem) -> None:
    """Write what is wrong with the settings or the registry as a line; :func:`configure_log` has been called."""
    level = "info" if problem.level == "note" else problem.level
    structlog.get_logger("casduo").log(_LEVELS[level], "settings.problem", detail=str(problem))


def tell_faults() -> None:
    """Have errors that nobody has foreseen, in whatever thread, written as a line: class and place and not the text,
    which may hold anything.
    """

    def fault(kind: type[BaseException], trace: TracebackType | None, thread: str) -> None:
        frame, line = next(reversed(list(traceback.walk_tb(trace))), (None, 0))
        place = f"{frame.f_code.co_filename}:{line}" if frame is not None else ""
        structlog.get_logger("casduo").error(
            "fault", code="UNEXPECTED", error=kind.__name__, place=place, thread=thread
        )

    def in_thread(given: threading.ExceptHookArgs) -> None:
        if not issubclass(given.exc_type, SystemExit):
            fault(given.exc_type, given.exc_traceback, given.thread.name if given.thread is not None else "")

    def in_main(kind: type[BaseException], _error: BaseException, trace: TracebackType | None) -> None:
        fault(kind, trace, "main")

    threading.excepthook = in_thread
    sys.excepthook = in_main


class _JsonFormatter(logging.Formatter):
    """Lines of other libraries in the form of ours, whatever quotes and line ends their texts hold."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line. Of an exception it names the class only: its text may hold anything."""
        event: dict[str, Any] = {"logger": record.name, "event": record.getMessage()}
        if record.exc_info and record.exc_info[0] is not None:
            event["error"] = record.exc_info[0].__name__
        return _json_line(None, "", _finished(None, record.levelname.lower(), event))


class _TextFormatter(logging.Formatter):
    """Lines of other libraries for reading by eye."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, with no whole ticket in it."""
        return _masked(super().format(record))


def _finished(logger: Any, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for name, value in facts().items():
        event.setdefault(name, value)
    event["level"] = method
    event["timestamp"] = datetime.now(UTC).isoformat(timespec="milliseconds")
    for name in event.keys() & _SECRET_NAMES:
        event[name] = "[not logged]"
    return event


def _json_line(logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
    line = _masked(json.dumps(event, default=str, ensure_ascii=False, separators=(",", ":")))
    # JSON escapes no more than it must; a terminal obeys more than that.
    return line if line.isprintable() else _UNPRINTABLE.sub(_escaped, line)


def _masked_line(logger: Any, method: str, line: str) -> str:
    return _masked(line)


def _masked(line: str) -> str:
    # Tickets are masked where events are made; this is the net below.
    return _BEARER.sub(r"\1…\2", line)


def _escaped(found: re.Match[str]) -> str:
    return f"\\u{ord(found[0]):04x}"
