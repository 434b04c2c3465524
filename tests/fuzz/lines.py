"""Which lines of a harness are run."""

from __future__ import annotations

import dis
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any


def lines_not_run(harness: Callable[[bytes], None], inputs: tuple[bytes, ...]) -> set[int]:
    """Return the numbers of the lines of ``harness`` that none of the inputs reaches."""
    code, run = harness.__code__, set[int]()

    def at_line(frame: FrameType, event: str, _: Any) -> Any:
        run.add(frame.f_lineno)
        return at_line

    def at_call(frame: FrameType, event: str, _: Any) -> Any:
        return at_line if frame.f_code is code else None

    before = sys.gettrace()
    sys.settrace(at_call)
    try:
        for data in inputs:
            harness(data)
    finally:
        sys.settrace(before)
    return {line for _, line in dis.findlinestarts(code) if line} - run - {code.co_firstlineno}
