"""Whoever writes to the log of a process, and however it goes wrong: each line is one JSON object without a secret."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECRET = "Analytical-Engine"
PROGRAM = f"""
import logging, threading, warnings
from granian.log import LogLevels, configure_logging
from casduo.errors import Problem
from casduo.log import configure_log, tell_faults, tell_problem
from casduo.serving.granian_server import _LOGGING
configure_log("json", "info")
tell_faults()
configure_logging(LogLevels.error, _LOGGING, True)
tell_problem(Problem("casduo.yaml", 3, 1, "sesion", "unknown key", "warning"))
tell_problem(Problem("registry.yaml", 0, 0, "services", "is empty", "note"))
tell_problem(Problem("registry.yaml", 2, 1, "services", "is no list"))
warnings.warn("two\\nlines")
logging.getLogger("_granian").error("a \\"quoted\\" line")
def fails():
    raise ValueError("{SECRET}")
thread = threading.Thread(target=fails, name="watch")
thread.start()
thread.join()
fails()
"""


def test_each_line_is_one_of_json_whoever_writes_it() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, cwd=ROOT, check=False)
    problem, note, mistake, warned, granian, in_thread, in_main = (
        json.loads(line) for line in done.stderr.splitlines()
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert (problem["event"], problem["level"]) == ("settings.problem", "warning")
    assert problem["detail"] == "casduo.yaml:3:1: warning: sesion: unknown key"
    assert (note["level"], mistake["level"]) == ("info", "error")
    assert "two\nlines" in warned["event"]
    assert (granian["event"], granian["logger"], granian["level"]) == ('a "quoted" line', "_granian", "error")
    for fault, thread in ((in_thread, "watch"), (in_main, "main")):
        assert (fault["event"], fault["error"], fault["thread"]) == ("fault", "ValueError", thread)
        assert fault["place"].startswith("<string>:")
    assert SECRET not in done.stderr


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_line_holds_a_whole_ticket_whoever_writes_it(form: str) -> None:
    ticket = "ST-1-abcdefghijklmnopqrstuvwxyz"
    program = f"""
import logging, structlog
from casduo.log import configure_log
configure_log("{form}", "info")
structlog.get_logger("casduo").info("seen", place="/cas/validate?ticket={ticket}")
logging.getLogger("other").error("/cas/validate?ticket={ticket}")
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True)
    assert len(done.stderr.splitlines()) == done.stderr.count("ST-…wxyz") == 2
    assert ticket not in done.stderr
