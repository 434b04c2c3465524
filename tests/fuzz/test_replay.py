"""What fuzzing has found stays mended, and every harness runs. Without a fuzzer, which ``python -m tests.fuzz`` is."""

from __future__ import annotations

import pytest

from tests.fuzz.lines import lines_not_run
from tests.fuzz.replay import KEPT, inputs, kept
from tests.fuzz.targets import TARGETS, Target


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_every_parser_bears_examples_kept_finds_and_damage(target: Target) -> None:
    for name, data in inputs(target):
        try:
            target.harness(data)
        except Exception as error:
            raise AssertionError(f"{target.name} does not bear {name}: {data[:200]!r}") from error


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_each_line_of_a_harness_is_run_by_an_example(target: Target) -> None:
    """A harness whose examples are all refused at its first step looks at nothing, however long it is run."""
    assert not lines_not_run(target.harness, (b"", *target.seeds))


def test_each_kept_find_belongs_to_a_target() -> None:
    found = {path for target in TARGETS for path in kept(target)}
    assert {path for path in KEPT.rglob("*") if path.is_file() and path.name != ".gitkeep"} == found
