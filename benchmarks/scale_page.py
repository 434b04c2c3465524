"""The page of scale: each of its parts is measured by one command and written between markers of its own."""

from __future__ import annotations

import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks import machine, report, subjects

PAGE = subjects.REPOSITORY / "docs" / "scale.md"


def fill_in(name: str, measure: Callable[[Path, Namespace], tuple[str, Sequence[str]]], arguments: Namespace) -> int:
    """Measure a part, print it, and write it into the page, but not where a flow failed or ``--no-page`` was given.

    :param name: of the part, and of the module that is its command
    :param measure: takes a directory that goes afterwards; returns the part's text and which flows failed
    :return: the exit code: 1 when any failed
    """
    machine.pin_driver()
    with tempfile.TemporaryDirectory(prefix="casduo-benchmark-") as directory:
        text, failures = measure(Path(directory), arguments)
    print(text)
    if failures:
        print(f"{len(failures)} flows failed, first: {failures[0]}", file=sys.stderr)
        return 1
    if not arguments.no_page:
        marks = report.markers(name, f"python -m benchmarks.{name}")
        report.write_between_markers(PAGE, f"{machine.measured()}\n\n{text}", marks)
    return 0
