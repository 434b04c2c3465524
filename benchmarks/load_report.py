"""What a run of ``benchmarks.load`` gave, as Markdown, and whether it went well."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from benchmarks.crowd import SHARES, VALIDATION, Crowded
from benchmarks.report import table
from benchmarks.watching import LASTING, Census, Level, Sample, level

GOAL = 0.05
"""By what share of itself memory may grow."""
WARM = 120.0
"""Seconds after which the server's memory is at its level: every page drawn, every thread started."""
BALANCED = 400.0
"""Seconds after which as much expires in Redis as comes: a sign-out that everybody was told of is kept for longest, for
six minutes.
"""
WINDOW = 45.0
_ROWS = 12
"""Lines of the table of what was found over time."""


@dataclass(frozen=True, slots=True)
class Found:
    """Everything about one run.

    :param closed: people a second in the closed loop, and how busy the driver was
    :param rate: at which they came then
    :param samples: of the open loop
    :param before, after: kinds of keys, when expiry had its balance (or in the middle) and at the end
    :param facts: what else was measured, by name
    """

    closed: Crowded
    rate: float
    crowded: Crowded
    samples: list[Sample]
    before: Census
    after: Census
    facts: dict[str, str]

    @property
    def levels(self) -> dict[str, Level | None]:
        """How memory stood, by name; ``None`` for what ran too short a time to be judged."""
        return {
            "server (all processes)": level(self.samples, lambda one: one.server, WARM, WINDOW),
            "Redis, used_memory": level(self.samples, lambda one: one.redis_bytes / 1e6, BALANCED, WINDOW),
            "Redis, keys": level(self.samples, lambda one: float(one.keys), BALANCED, WINDOW),
        }


def problems(found: Found) -> list[str]:
    """Return what did not go well, in sentences; nothing for a good run."""
    said = []
    for kind, tally in found.crowded.kinds.items():
        if tally.errors:
            said.append(f"{kind}: {len(tally.errors)} of {tally.tried} failed, first: {tally.errors[0]}")
        elif tally.tried != len(tally.took):
            said.append(f"{kind}: {tally.tried} were tried and {len(tally.took)} completed")
    if found.crowded.untold:
        said.append(f"{found.crowded.untold} tickets of ended sessions of which the application never heard")
    if found.after.lasting - LASTING:
        said.append(f"keys that never expire: {', '.join(sorted(found.after.lasting - LASTING))}")
    for name, found_level in found.levels.items():
        if found_level is not None and found_level.growth > GOAL:
            grown = f"{found_level.before:.1f} to {found_level.after:.1f}"
            said.append(f"{name} grew by {100 * found_level.growth:.1f} %, from {grown}")
    return said


def kinds_text(crowded: Crowded) -> str:
    """Return what people came for and how long they waited."""
    rows = []
    for kind in (*SHARES, VALIDATION):
        tally = crowded.kinds[kind]
        share = f"{SHARES[kind]} %" if kind in SHARES else "one for each ticket"
        figures = [f"{1000 * value:.1f}" for value in _shape(tally.took)]
        rows.append([kind, share, f"{tally.tried:,}", f"{len(tally.took):,}", f"{len(tally.errors):,}", *figures])
    head = ["milliseconds", "share", "tried", "completed", "errors", "median", "95 %", "99 %", "longest"]
    return table(head, rows)


def _shape(took: Sequence[float]) -> tuple[float, float, float, float]:
    if len(took) < 2:
        return (*(3 * [sum(took)]), max(took, default=0.0))  # type: ignore[return-value]
    cuts = quantiles(took, n=100, method="inclusive")
    return median(took), cuts[94], cuts[98], max(took)


def levels_text(found: Found) -> str:
    """Return how memory stood after the beginning and at the end."""
    rows = []
    begin = {"server (all processes)": WARM, "Redis, used_memory": BALANCED, "Redis, keys": BALANCED}
    unit = {"server (all processes)": "MB", "Redis, used_memory": "MB", "Redis, keys": ""}
    for name, one in found.levels.items():
        since = f"{begin[name]:.0f} s"
        if one is None:
            rows.append([name, since, "", "", "the run was too short to tell"])
            continue
        figures = [f"{value:,.1f} {unit[name]}" if unit[name] else f"{value:,.0f}" for value in (one.before, one.after)]
        rows.append([name, since, *figures, f"{100 * one.growth:+.1f} %"])
    return table(["", "level after", "level", "at the end", f"growth (goal: {100 * GOAL:.0f} % at most)"], rows)


def samples_text(samples: Sequence[Sample]) -> str:
    """Return some of the samples."""
    names = sorted({name for one in samples for name in one.processes})
    step = max(1, len(samples) // _ROWS)
    rows = [
        [
            f"{one.at:.0f}",
            *(f"{one.processes.get(name, 0.0):.1f}" for name in names),
            f"{one.redis_process:.1f}",
            f"{one.redis_bytes / 1e6:.1f}",
            f"{one.keys:,}",
        ]
        for one in (*samples[:-1:step], samples[-1])
    ]
    return table(["seconds", *(f"{name}, MB" for name in names), "Redis, MB", "used_memory, MB", "keys"], rows)


def census_text(found: Found) -> str:
    """Return what kinds of keys there were."""
    before, after = found.before.kinds, found.after.kinds
    rows = [
        [f"`{kind}`", f"{before[kind]:,}", f"{after[kind]:,}", "no" if kind in found.after.lasting else "yes"]
        for kind in sorted({*before, *after}, key=lambda kind: (-after[kind], kind))
    ]
    return table(["keys", "when expiry had its balance", "at the end", "expires"], rows)


def page_text(found: Found, introduction: Callable[[Found], str]) -> str:
    """Return everything."""
    late = found.crowded.late
    driver = [
        ("people a second, closed loop, until all is done that they left to do", f"{found.closed.rate:.0f}"),
        ("people a second, open loop", f"{found.rate:.0f}"),
        ("sign-out messages that the application had", f"{found.crowded.told:,}, none missing")
        if not found.crowded.untold
        else ("sign-out messages that never came", f"{found.crowded.untold:,}"),
        ("the driver began too late with somebody, 95 %", f"{1000 * _shape(late)[1]:.1f} ms"),
        ("the driver's share of a core, closed and open loop", _busy(found)),
        *found.facts.items(),
    ]
    parts = (
        introduction(found),
        kinds_text(found.crowded),
        levels_text(found),
        table(["", ""], [list(row) for row in driver]),
        samples_text(found.samples),
        census_text(found),
    )
    return "\n\n".join(parts)


def _busy(found: Found) -> str:
    return f"{100 * found.closed.busy:.0f} %, {100 * found.crowded.busy:.0f} %"
