"""``python -m tests.faults``: every fault many times, and a line for each that says what became of the logins."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import click
import pytest

from tests.faults.conftest import ROUNDS


@click.command()
@click.option(
    "--rounds", type=click.IntRange(1, 1000), default=20, help="How often each fault comes.", show_default=True
)
@click.argument("tests", nargs=-1)
def main(rounds: int, tests: tuple[str, ...]) -> None:
    """Run the tests of faults, or those TESTS of them, in their long form."""
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory, "report")
        report.touch()
        os.environ |= {ROUNDS: str(rounds), "CASDUO_FAULT_REPORT": str(report)}
        code = pytest.main(["-p", "no:cacheprovider", *(tests or ("tests/faults",))])
        print(report.read_text(encoding="utf-8"), end="")
    raise SystemExit(code)


if __name__ == "__main__":
    main()
