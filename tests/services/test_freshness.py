"""Whether a live session is good enough for a service, or a new password has to be asked for."""

from __future__ import annotations

from typing import Any

import pytest

from casduo.services.freshness import good_enough
from casduo.services.model import RegisteredService
from casduo.tickets.model import TicketGrantingTicket

NOW = 1_790_000_000.0
HOUR = 3600.0


def entry(**more: Any) -> RegisteredService:
    return RegisteredService.model_validate(
        {"id": "vault", "name": "Vault", "url": "https://vault.example.edu", **more}
    )


def session(*, age: float = 0.0, unused: float | None = None, remembered: bool = False) -> TicketGrantingTicket:
    """A session whose password is ``age`` seconds old and that was last used ``unused`` seconds ago."""
    used_at = NOW - unused if unused is not None else 0.0
    return TicketGrantingTicket("ada", {}, "users_file", NOW - age, remembered=remembered, used_at=used_at)


def test_a_service_that_says_nothing_takes_any_session() -> None:
    assert good_enough(entry(), session(age=1000 * HOUR, unused=1000 * HOUR), NOW)
    assert good_enough(entry(), session(age=1000 * HOUR, unused=1000 * HOUR, remembered=True), NOW)


def test_without_single_sign_on_no_session_is_ever_good_enough() -> None:
    assert not good_enough(entry(single_sign_on=False), session(), NOW)


def test_a_session_whose_password_another_handler_checked_is_refused_where_the_entry_names_handlers() -> None:
    assert good_enough(entry(authentication=["campus", "users_file"]), session(), NOW)
    assert not good_enough(entry(authentication=["campus"]), session(), NOW)


def test_a_remembered_session_is_refused_where_the_entry_says_so_however_fresh() -> None:
    strict = entry(accept_remember_me=False)
    assert not good_enough(strict, session(remembered=True), NOW)
    assert good_enough(strict, session(age=1000 * HOUR), NOW)


@pytest.mark.parametrize(("age", "expected"), [(0.0, True), (HOUR, True), (HOUR + 0.001, False), (1000 * HOUR, False)])
def test_a_lifetime_counts_from_the_password_and_includes_its_last_moment(age: float, expected: bool) -> None:
    assert good_enough(entry(session={"lifetime": "1h"}), session(age=age, unused=0.0), NOW) is expected


@pytest.mark.parametrize(
    ("unused", "expected"), [(0.0, True), (600.0, True), (600.001, False), (1000 * HOUR, False), (None, True)]
)
def test_idle_time_counts_from_the_last_use_where_that_is_known(unused: float | None, expected: bool) -> None:
    assert good_enough(entry(session={"idle": "10m"}), session(age=1000 * HOUR, unused=unused), NOW) is expected


@pytest.mark.parametrize(
    ("age", "unused", "expected"),
    [(60.0, 60.0, True), (2 * HOUR, 60.0, False), (60.0 + HOUR / 2, HOUR / 2, False), (2 * HOUR, HOUR, False)],
)
def test_of_two_limits_both_count(age: float, unused: float, expected: bool) -> None:
    strict = entry(session={"lifetime": "1h", "idle": "10m"})
    assert good_enough(strict, session(age=age, unused=unused), NOW) is expected


def test_a_remembered_session_is_held_to_the_limits_of_the_service_too() -> None:
    strict = entry(session={"lifetime": "1h"})
    assert good_enough(strict, session(age=HOUR, remembered=True), NOW)
    assert not good_enough(strict, session(age=24 * HOUR, remembered=True), NOW)


def test_a_node_whose_clock_is_behind_keeps_nobody_out() -> None:
    strict = entry(session={"lifetime": "1h", "idle": "10m"})
    assert good_enough(strict, session(age=-5.0, unused=-5.0), NOW)
