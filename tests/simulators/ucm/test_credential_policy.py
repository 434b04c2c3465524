"""Who fails too often is locked out, the way a UCM does it unless told otherwise."""

from __future__ import annotations

import pytest

from casduo.simulators.clock import VirtualClock
from casduo.simulators.ucm import UcmSimulator
from tests.simulators.ucm.conftest import AxlClient


def right(axl: AxlClient, pin: str = "1815", node: int = 0) -> bool:
    answer = axl.pin("ada", pin, node=node)
    assert answer.status == 200
    return answer.text("userAuthenticated") == "true"


def test_the_third_failure_locks(ucm: UcmSimulator, axl: AxlClient) -> None:
    for _ in range(2):
        assert not right(axl, "0000")
    assert not ucm.locked("ada")
    assert not right(axl, "0000")
    assert ucm.locked("ada")


def test_a_lock_looks_like_a_wrong_pin(axl: AxlClient) -> None:
    wrong = axl.pin("ada", "0000").response.content
    for _ in range(2):
        axl.pin("ada", "0000")
    assert axl.pin("ada", "1815").response.content == wrong


def test_failures_count_over_all_nodes(ucm: UcmSimulator, axl: AxlClient) -> None:
    for node in range(3):
        right(axl, "0000", node)
    assert ucm.locked("ada")


def test_a_lock_ends_after_thirty_minutes(axl: AxlClient, clock: VirtualClock) -> None:
    for _ in range(3):
        right(axl, "0000")
    clock.advance(29 * 60)
    assert not right(axl)
    clock.advance(60)
    assert right(axl)


def test_after_a_lock_the_count_begins_anew(ucm: UcmSimulator, axl: AxlClient, clock: VirtualClock) -> None:
    ucm.policy.failures_forgotten_seconds = 7200
    for _ in range(3):
        right(axl, "0000")
    clock.advance(1800)
    right(axl, "0000")
    assert not ucm.locked("ada")
    assert right(axl)


def test_success_forgets_failures(ucm: UcmSimulator, axl: AxlClient) -> None:
    for _ in range(2):
        right(axl, "0000")
    assert right(axl)
    for _ in range(2):
        right(axl, "0000")
    assert not ucm.locked("ada")


def test_old_failures_are_forgotten(ucm: UcmSimulator, axl: AxlClient, clock: VirtualClock) -> None:
    for _ in range(2):
        right(axl, "0000")
    clock.advance(1800)
    right(axl, "0000")
    assert not ucm.locked("ada")


def test_a_new_pin_ends_a_lock(ucm: UcmSimulator, axl: AxlClient) -> None:
    for _ in range(3):
        right(axl, "0000")
    ucm.change_pin("ada", "1852")
    assert right(axl, "1852")


def test_failures_of_one_do_not_lock_another(ucm: UcmSimulator, axl: AxlClient) -> None:
    for _ in range(3):
        right(axl, "0000")
    assert axl.pin("grace", "1906").text("userAuthenticated") == "true"


def test_the_old_pin_ends_at_once_without_the_cache(ucm: UcmSimulator, axl: AxlClient) -> None:
    ucm.change_pin("ada", "1852")
    assert (right(axl, "1815"), right(axl, "1852")) == (False, True)


def test_with_the_cache_both_pins_work_for_two_minutes(ucm: UcmSimulator, axl: AxlClient, clock: VirtualClock) -> None:
    ucm.policy.pin_cache_seconds = 120
    ucm.change_pin("ada", "1852")
    clock.advance(119)
    assert (right(axl, "1815"), right(axl, "1852")) == (True, True)
    clock.advance(1)
    assert (right(axl, "1815"), right(axl, "1852")) == (False, True)


def test_a_secret_is_not_in_the_text_of_anything(ucm: UcmSimulator) -> None:
    ucm.change_pin("ada", "1852")
    shown = repr(ucm.user("ada")) + repr(ucm.application_users())
    for secret in ("1815", "1852", "Analytical", "-Secret"):
        assert secret not in shown


def test_two_people_cannot_have_one_id(ucm: UcmSimulator) -> None:
    with pytest.raises(ValueError, match="ADA"):
        ucm.add_user("ADA")
