"""The arithmetic from one sign-in to so many users."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.scale import Costs, People, assumed, curve, need

PLAIN = People(1.0, 0.36, 1.0, 5.0, 0.5, 2.0, 2.0, 1.0)
COSTS = Costs(
    sign_in=10.0,
    ticket=5.0,
    sign_out=2.0,
    redis_sign_in=1.0,
    redis_ticket=0.5,
    redis_told=0.2,
    told=4.0,
    line=0.1,
    session_bytes=1000.0,
    visit_bytes=100.0,
    history_bytes=50.0,
    line_bytes=400.0,
    lines_sign_in=3.0,
    lines_ticket=2.0,
    written_sign_in=2000.0,
    written_ticket=500.0,
    used=0.5,
)


def test_rates_are_those_of_the_busiest_minute() -> None:
    one = need(1_000_000, PLAIN, COSTS)
    assert one.sign_ins == pytest.approx(100.0)
    assert one.tickets == pytest.approx(500.0)
    assert (one.sign_outs, one.tellings) == pytest.approx((50.0, 100.0))
    assert one.events == pytest.approx(100 * (3 + 4 * 2 + 0.5 * 3))
    assert need(1_000_000, replace(PLAIN, peak=2.0), COSTS).sign_ins == pytest.approx(200.0)


def test_cores_leave_what_is_not_to_be_used() -> None:
    one = need(1_000_000, PLAIN, COSTS)
    assert one.server_cores == pytest.approx((100 * 10 + 400 * 5 + 50 * 2) / 1000 / 0.5)
    assert one.redis_cores == pytest.approx((100 * 1 + 400 * 0.5 + 50 * 0.5 + 100 * 0.2) / 1000 / 0.5)
    assert one.worker_cores == pytest.approx((100 * 4 + one.events * 0.1) / 1000 / 0.5)


def test_sessions_live_for_hours_of_the_busiest_one_and_are_never_more_than_a_day_s() -> None:
    assert need(1_000_000, PLAIN, COSTS).live_sessions == pytest.approx(720_000)
    assert need(1_000_000, replace(PLAIN, hours=20.0), COSTS).live_sessions == pytest.approx(1_000_000)
    assert need(1_000_000, PLAIN, COSTS).redis_bytes == pytest.approx(720_000 * 1400 + 1_000_000 * 50)


def test_ten_times_the_users_need_ten_times_as_much() -> None:
    small, large = need(1_000_000), need(10_000_000)
    for name in ("sign_ins", "events", "server_cores", "redis_bytes", "written", "audit_day"):
        assert getattr(large, name) == pytest.approx(10 * getattr(small, name))


def test_more_users_go_from_one_machine_to_nodes_to_a_cluster() -> None:
    shapes = [need(users).shape for users in (10_000, 2_000_000, 100_000_000)]
    assert shapes[:2] == ["one machine, embedded", "nodes on one Redis, by Sentinel"]
    assert "a Cluster of" in shapes[2]


def test_the_table_has_a_column_for_each_and_names_what_it_rests_on() -> None:
    lines = curve([need(1_000_000), need(10_000_000)]).splitlines()
    assert lines[0] == "| at the busiest minute | 1 million users | 10 million users |"
    assert all(line.count("|") == 4 for line in lines)
    assert "that its busiest hour has | `busiest_hour` | 0.2 |" in assumed(People(), Costs())
