"""Runs the tests, and looks again at the few that failed where several processes ran them: three times, alone.

Many tests drive real servers and browsers, several processes of them at once on whatever machine there is. A test that
fails there and passes three times in a row by itself is named and does not fail the run; all others do. What Hypothesis
found fails again, because it keeps the example.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

MOST = 5
"""Failures that can be the crowd's; more are the change's."""
TIMES = 3
"""How often a test has to pass alone."""


class Failures:
    """A plugin that writes down which tests failed, in whatever phase."""

    def __init__(self) -> None:
        self.ids: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """See pytest's reference of hooks."""
        if report.failed and report.nodeid not in self.ids:
            self.ids.append(report.nodeid)


def verdict(failed: Sequence[str], alone: Callable[[Sequence[str]], int], say: Callable[[str], None]) -> int:
    """Look again at tests that failed.

    :param failed: their ids
    :param alone: runs tests in one process of their own and returns the exit code
    :return: the exit code of the whole run
    """
    if not 0 < len(failed) <= MOST:
        return pytest.ExitCode.TESTS_FAILED
    for time in range(1, TIMES + 1):
        say(f"Again, alone, {time} of {TIMES}: {', '.join(failed)}")
        if (code := alone(failed)) != pytest.ExitCode.OK:
            return code
    say(f"FAILED AMONG OTHERS, PASSED {TIMES} TIMES ALONE (each is a test or a wait to be mended):")
    for one in failed:
        say(f"    {one}")
    return pytest.ExitCode.OK


def _alone(ids: Sequence[str]) -> int:
    with tempfile.TemporaryDirectory() as directory:
        names = Path(directory, "tests")
        names.write_text("\n".join(ids), encoding="utf-8")
        return subprocess.run([sys.executable, "-m", "pytest", f"@{names}"], check=False).returncode


def main(arguments: list[str]) -> int:
    """Run pytest with these arguments. Where they ask for several processes, look again at what failed."""
    failures = Failures()
    code = pytest.main(arguments, plugins=[failures])
    if code != pytest.ExitCode.TESTS_FAILED or "-n" not in arguments:
        return code
    return verdict(failures.ids, _alone, lambda text: print(text, flush=True))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
