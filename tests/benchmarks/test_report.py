"""The benchmark's report: medians, ratios within a round, and the page between its markers."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.driver import Measurement
from benchmarks.report import BEGIN, END, Goal, Series, ratios, write_between_markers


def rounds(*counts: int, cpu: float = 0.5) -> Series:
    """Return a series that finished so many flows in one second each, using ``cpu`` seconds of processor time."""
    return Series([Measurement(1.0, cpu, latencies=[0.01] * count) for count in counts])


def test_the_rate_is_the_median_of_the_rounds() -> None:
    assert rounds(90, 400, 100).rate == 100


def test_ratios_are_taken_within_a_round_so_that_a_slow_minute_cancels_out() -> None:
    assert rounds(1000, 100, 500).ratio(rounds(100, 10, 50)) == 10


def test_the_ratio_by_processor_time_compares_flows_per_processor_second() -> None:
    assert rounds(100, cpu=0.25).cpu_ratio(rounds(100, cpu=1.0)) == 4


def test_without_processor_time_there_is_no_ratio_by_it() -> None:
    assert rounds(100, cpu=0.0).cpu_ratio(rounds(100, cpu=0.0)) == 0


def test_casduo_is_compared_with_the_best_of_the_others() -> None:
    results = {
        ("casduo", "login"): rounds(1000),
        ("slow", "login"): rounds(10),
        ("fast", "login"): rounds(50),
    }
    goal = Goal("login", (("slow", "login"), ("fast", "login")), "the best other server", 10.0)
    assert "| whole login | the best other server | 20.00 | 20.00 | 10 |" in ratios([goal], results)


def test_what_was_not_measured_has_no_row() -> None:
    assert ratios([Goal("login", (("slow", "login"),), "another", 10.0)], {("casduo", "login"): rounds(1)}) == ""


def test_figures_replace_those_between_the_markers_and_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write_between_markers(page, "new")
    write_between_markers(page, "newer")
    assert page.read_text() == f"before\n{BEGIN}\n\nnewer\n\n{END}\nafter\n"


def test_a_page_without_markers_is_left_alone(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("nothing")
    with pytest.raises(SystemExit, match="lacks the markers"):
        write_between_markers(page, "new")
    assert page.read_text() == "nothing"
