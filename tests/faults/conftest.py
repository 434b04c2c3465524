"""What all faults have in common: a Redis of their own, how often they come, and a line on what became of it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from casduo.store.embedded import EmbeddedValkey
from tests.faults.ledger import settle
from tests.faults.stage import Stage
from tests.faults.stream import Stream

ROUNDS = "CASDUO_FAULT_ROUNDS"
"""The variable that says how often each fault comes; ``python -m tests.faults`` sets it."""

Sound = Callable[..., None]
"""Takes a stream, its stage and the kinds of events that may be in a log alone; settles and judges."""


@pytest.fixture
def redis_url(tmp_path: Path) -> Iterator[str]:
    """A Redis that nobody else uses."""
    with EmbeddedValkey(tmp_path / "valkey") as server:
        yield server.url


@pytest.fixture
def rounds() -> range:
    """How often the fault comes: once, where nobody asks for more."""
    return range(int(os.environ.get(ROUNDS, "1")))


@pytest.fixture
def sound(request: pytest.FixtureRequest) -> Sound:
    """Ends a stream, looks for what was used twice or lost, writes down what became of the logins, and judges."""

    def judge(stream: Stream, stage: Stage, *in_log: str) -> None:
        settle(stream, stage, in_log=in_log)
        line = f"{request.node.name}: {stream.tally}"
        print(line)
        if report := os.environ.get("CASDUO_FAULT_REPORT"):
            with Path(report).open("a", encoding="utf-8") as file:
                file.write(line + "\n")
        stream.tally.assert_sound()

    return judge
