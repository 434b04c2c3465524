"""A log on a disk that is full: what is done goes on, and the log says afterwards how much it lacks."""

from __future__ import annotations

import io
import json
import sys

import pytest
import structlog

from casduo.log import configure_log


class Disk(io.StringIO):
    """A file on a disk that may be full."""

    full = False

    def write(self, text: str) -> int:
        if self.full:
            raise OSError(28, "No space left on device")
        return super().write(text)


def test_a_line_that_cannot_be_written_fails_nobody_and_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk()
    monkeypatch.setattr(sys, "stderr", disk)
    configure_log("json", "info")
    log = structlog.get_logger("casduo")
    log.info("before")
    disk.full = True
    log.info("one")
    log.info("two")
    disk.full = False
    log.info("after")
    log.info("later")
    lines = [json.loads(line) for line in disk.getvalue().splitlines()]
    assert [line["event"] for line in lines] == ["before", "log_lost", "after", "later"]
    assert lines[1]["lines"] == 2
