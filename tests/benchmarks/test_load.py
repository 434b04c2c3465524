"""The benchmark of a mixed profile: everybody gets what they came for, and what it says of memory is right."""

from __future__ import annotations

from collections import Counter

import pytest

from benchmarks.crowd import SHARES, SLOW, VALIDATION, Crowded, Tally
from benchmarks.load import parse_arguments, run
from benchmarks.load_report import BALANCED, WARM, Found, kinds_text, page_text, problems
from benchmarks.watching import LASTING, Census, Level, Sample, kind_of, level


def test_in_a_short_run_everybody_gets_what_they_came_for_and_nothing_is_left_for_ever() -> None:
    found = run(parse_arguments(["--quick"]))
    kinds = found.crowded.kinds
    assert all(tally.tried for tally in kinds.values())
    for kind in {*SHARES, VALIDATION} - SLOW:
        assert kinds[kind].errors == []
        assert len(kinds[kind].took) == kinds[kind].tried
    assert kinds[VALIDATION].tried >= kinds["sign-in"].tried
    assert found.crowded.untold == 0
    assert found.crowded.told > 0
    assert found.after.lasting <= LASTING
    assert {"server", "serving", "worker"} <= set(found.samples[-1].processes)
    assert all(figure > 0 for figure in found.samples[-1].processes.values())
    assert "| sign-in | 20 % |" in page_text(found, lambda _: "")


def sample(at: float, megabytes: float, keys: int = 1000) -> Sample:
    return Sample(at, {"server": megabytes / 2, "worker": megabytes / 2}, 5.0, int(megabytes * 1e6), keys)


def found_with(samples: list[Sample], *, kinds: dict[str, Tally] | None = None, after: Census | None = None) -> Found:
    empty = {kind: Tally() for kind in (*SHARES, VALIDATION)}
    return Found(Crowded(empty), 1.0, Crowded(empty | (kinds or {})), samples, Census(), after or Census(), {})


def test_memory_that_grows_is_told_by_name_and_figure() -> None:
    grown = [sample(at, 100.0 + at / 10) for at in range(0, 601, 10)]
    said = problems(found_with(grown))
    assert [one.partition(" grew")[0] for one in said] == ["server (all processes)", "Redis, used_memory"]
    assert problems(found_with([sample(at, 100.0) for at in range(0, 601, 10)])) == []


def test_what_comes_before_memory_is_at_its_level_is_not_growth() -> None:
    samples = [sample(at, 50.0 if at < WARM else 100.0, 10 if at < BALANCED else 1000) for at in range(0, 601, 10)]
    assert not [one for one in problems(found_with(samples)) if one.startswith(("server", "Redis, keys"))]


def test_a_run_that_is_too_short_judges_nothing() -> None:
    samples = [sample(at, 100.0) for at in range(0, 100, 10)]
    assert level(samples, lambda one: one.server, WARM, 45.0) is None
    assert problems(found_with(samples)) == []


def test_growth_is_between_medians() -> None:
    samples = [sample(at, megabytes) for at, megabytes in ((0, 1), (10, 100), (11, 900), (12, 100), (30, 110))]
    assert level(samples, lambda one: one.server, 10.0, 5.0) == Level(100.0, 110.0)
    assert Level(100.0, 110.0).growth == pytest.approx(0.1)


def test_what_failed_and_what_nobody_heard_of_is_told() -> None:
    tally = Tally(3, [0.1], ["status 500", "status 502"])
    assert problems(found_with([], kinds={"sign-in": tally})) == ["sign-in: 2 of 3 failed, first: status 500"]
    lost = problems(found_with([], kinds={"sign-out": Tally(3, [0.1])}))
    assert lost == ["sign-out: 3 were tried and 1 completed"]
    for_ever = Census(Counter({"casduo:{used}:services": 1}), {"casduo:{used}:services", *LASTING})
    assert problems(found_with([], after=for_ever)) == ["keys that never expire: casduo:{used}:services"]


def test_one_that_took_long_is_seen() -> None:
    tally = Tally(100, [0.001] * 99 + [0.5])
    line = next(
        line
        for line in kinds_text(found_with([], kinds={"sign-in": tally}).crowded).splitlines()
        if "sign-in |" in line
    )
    assert line.endswith("| 100 | 100 | 0 | 1.0 | 1.0 | 6.0 | 500.0 |")


@pytest.mark.parametrize(
    ("key", "kind"),
    [
        ("casduo:{Ab1c}:tgt:" + "5add143d" * 8, "casduo:{…}:tgt:…"),
        ("casduo:{u:" + "0f" * 16 + "}:sessions", "casduo:{u:…}:sessions"),
        ("casduo:{used}:services", "casduo:{used}:services"),
        ("casduo:{phone.logouts}:timer:SEP001122334455", "casduo:{phone.logouts}:timer:…"),
        ("casduo:{signouts}:orders", "casduo:{signouts}:orders"),
    ],
)
def test_kinds_of_keys_name_nobody(key: str, kind: str) -> None:
    assert kind_of(key) == kind
