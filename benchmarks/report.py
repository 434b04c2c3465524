"""From measurements to tables: medians over the rounds, ratios of what was measured in the same round, and the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.driver import Measurement
from benchmarks.scenarios import SCENARIOS

BEGIN = "<!-- figures: begin (written by python -m benchmarks.run) -->"
END = "<!-- figures: end -->"

TITLES = {
    "login": "whole login",
    "session": "live session",
    "validation": "validation",
    "refused": "refused validation",
}
REFERENCE = "one page"
BUSY_DRIVER = 0.8
"""Above this share of its core the driver may have been what limited a figure."""


@dataclass(slots=True)
class Series:
    """The measurements of one subject in one scenario, one for each round."""

    rounds: list[Measurement] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Median of flows per second."""
        return median(one.rate for one in self.rounds)

    @property
    def failures(self) -> list[str]:
        """Why flows failed; a benchmark with failures proves nothing."""
        return [reason for one in self.rounds for reason in one.failures]

    @property
    def driver_was_busy(self) -> bool:
        """Whether the figure may be the driver's rather than the subject's."""
        return median(one.driver_load for one in self.rounds) > BUSY_DRIVER

    @property
    def cpu_milliseconds(self) -> float:
        """Median of the processor time of one flow, in milliseconds; 0 where that cannot be told."""
        rate = median(one.cpu_rate for one in self.rounds)
        return 1000.0 / rate if rate else 0.0

    def latency(self, share: float) -> float:
        """Return the latency in milliseconds that ``share`` of all flows stayed below."""
        everything = sorted(seconds for one in self.rounds for seconds in one.latencies)
        return 1000.0 * everything[min(int(share * len(everything)), len(everything) - 1)] if everything else 0.0

    def ratio(self, other: Series) -> float:
        """Return the median over the rounds of this rate divided by the other's in the same round."""
        return median(mine.rate / theirs.rate for mine, theirs in zip(self.rounds, other.rounds, strict=True))

    def cpu_ratio(self, other: Series) -> float:
        """Return the same for flows per processor second; 0 where that cannot be told."""
        if not self.cpu_milliseconds or not other.cpu_milliseconds:
            return 0.0
        return median(mine.cpu_rate / theirs.cpu_rate for mine, theirs in zip(self.rounds, other.rounds, strict=True))


Results = Mapping[tuple[str, str], Series]
"""Series by name of subject and name of scenario."""


@dataclass(frozen=True, slots=True)
class Goal:
    """One line of the performance budget: casduo's scenario against others', and the ratio to reach."""

    scenario: str
    against: tuple[tuple[str, str], ...]
    described: str
    ratio: float


REFERENCE_GOAL = Goal("validation", (("one-redis-call", REFERENCE),), "werkzeug plus one Redis call", 0.6)


def peer_goals(peers: tuple[str, ...], described: str) -> tuple[Goal, ...]:
    """Return the budget's lines about other servers, with ``peers`` as those that casduo is compared with."""
    wanted = {"login": 10.0, "session": 8.0, "refused": 5.0}
    return tuple(
        Goal(scenario, tuple((peer, scenario) for peer in peers), described, ratio)
        for scenario, ratio in wanted.items()
    )


def figures(titles: Mapping[str, str], results: Results) -> str:
    """Return the table of flows per second of the CAS servers."""
    rows = [
        [title, *(_figure(results[name, scenario]) for scenario in SCENARIOS)]
        for name, title in titles.items()
        if (name, "login") in results
    ]
    return table(["flows per second", *(TITLES[scenario] for scenario in SCENARIOS)], rows) if rows else ""


def references(titles: Mapping[str, str], results: Results) -> str:
    """Return the table of requests per second of the reference points."""
    rows = [[titles[name], _figure(series)] for (name, scenario), series in results.items() if scenario == REFERENCE]
    return table(["requests per second", REFERENCE], rows) if rows else ""


def _figure(series: Series) -> str:
    """Return the median, the lowest and the highest round, and an asterisk where the driver was busy."""
    rates = [one.rate for one in series.rounds]
    spread = f" ({_number(min(rates))} to {_number(max(rates))})" if len(rates) > 1 else ""
    return f"{_number(series.rate)}{spread}{' *' if series.driver_was_busy else ''}"


def processor_time(titles: Mapping[str, str], results: Results) -> str:
    """Return the table of processor time for each flow, with Redis and the database in it."""
    rows = [
        [title, *(f"{results[name, scenario].cpu_milliseconds:.2f}" for scenario in SCENARIOS)]
        for name, title in titles.items()
        if (name, "login") in results
    ]
    head = ["processor milliseconds for a flow", *(TITLES[scenario] for scenario in SCENARIOS)]
    return table(head, rows) if rows else ""


def footprints(rows: Iterable[tuple[str, float, float]]) -> str:
    """Return the table of start-up time in seconds and memory in megabytes, by title."""
    cells = [[title, f"{seconds:.1f}", f"{megabytes:.0f}" if megabytes else ""] for title, seconds, megabytes in rows]
    return table(["", "seconds to the first answer", "megabytes afterwards"], cells)


def latencies(titles: Mapping[str, str], results: Results) -> str:
    """Return the table of latencies under the same load."""
    rows = [
        [title, *(_latency(results[name, scenario]) for scenario in SCENARIOS)]
        for name, title in titles.items()
        if (name, "login") in results
    ]
    head = ["milliseconds, median and 95 %", *(TITLES[scenario] for scenario in SCENARIOS)]
    return table(head, rows) if rows else ""


def _latency(series: Series) -> str:
    return f"{series.latency(0.5):.1f}, {series.latency(0.95):.1f}"


def ratios(lines: Iterable[Goal], results: Results) -> str:
    """Return the table of casduo's ratios beside their goals."""
    rows = []
    for line in lines:
        mine = results.get(("casduo", line.scenario))
        others = [results[key] for key in line.against if key in results]
        if mine is None or not others:
            continue
        best = max(others, key=lambda series: series.rate)
        rows.append(
            [
                TITLES[line.scenario],
                line.described,
                f"{mine.ratio(best):.2f}",
                f"{mine.cpu_ratio(best):.2f}",
                f"{line.ratio:g}",
            ]
        )
    head = ["casduo's", "against", "ratio", "ratio by processor time", "goal"]
    return table(head, rows) if rows else ""


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table as Markdown, with figures to the right."""
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def write_between_markers(page: Path, text: str, between: tuple[str, str] = (BEGIN, END)) -> None:
    """Replace what stands between the markers of ``page`` by ``text``. Raises ``SystemExit`` without markers."""
    before, begin, rest = page.read_text(encoding="utf-8").partition(between[0])
    _, end, after = rest.partition(between[1])
    if not begin or not end:
        raise SystemExit(f"{page.name} lacks the markers between which the figures go")
    page.write_text(f"{before}{begin}\n\n{text.strip()}\n\n{end}{after}", encoding="utf-8")


def markers(name: str, command: str) -> tuple[str, str]:
    """Return the markers between which ``command`` writes the part of a page that is called ``name``."""
    return f"<!-- {name}: begin (written by {command}) -->", f"<!-- {name}: end -->"
