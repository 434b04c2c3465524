"""Phones while Duo or Redis are away or hang: a clear page in time, nobody gets in, and who waits goes on later."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager

import pytest

from casduo.simulators.certificates import CertificateAuthority
from casduo.store import Store
from casduo.store.embedded import EmbeddedValkey
from casduo.store.store import client_for
from tests.support.site import Site, build_site
from tests.support.ward import Ward, running_ward
from tests.support.ward_faults import (
    BEGIN_AGAIN,
    LATER,
    LOGGED_IN,
    MOMENT,
    NO_DUO,
    PATIENCE,
    approved,
    check_answers,
    goes_on,
    shows,
)


@pytest.fixture
def ward(ward_with: Callable[..., Ward]) -> Iterator[Ward]:
    found = ward_with()
    yield found
    check_answers(found)


# Duo


@pytest.mark.parametrize("path", ["ping", "preauth", "auth"])
def test_a_duo_that_hangs_keeps_no_phone_waiting(ward: Ward, path: str) -> None:
    ward.duo.transport.stay_silent(f"/auth/v2/{path}")
    phone = ward.submitted(timeout=PATIENCE)
    shows(phone, MOMENT)
    goes_on(ward, phone, NO_DUO)
    assert ward.login() is None
    ward.duo.transport.clear()


def test_a_duo_that_is_slow_everywhere_still_lets_people_in(ward: Ward) -> None:
    ward.duo.transport.delay(1.3)
    phone = ward.submitted(timeout=PATIENCE)
    shows(phone, MOMENT)
    # The key is pressed once more meanwhile, at a phone that was closed and opened again.
    again = ward.at_form(timeout=PATIENCE)
    ward.submit(again)
    shows(again, MOMENT)
    goes_on(ward, phone, "Approve")
    goes_on(ward, again, "Approve")
    assert ward.pushes_sent() == 1
    ward.duo.transport.clear()
    ward.answer_push()
    goes_on(ward, phone, LOGGED_IN)
    assert ward.login_writes() == 1


def test_a_duo_that_hangs_over_a_passcode_keeps_no_phone_waiting(ward: Ward) -> None:
    phone = ward.submitted(timeout=PATIENCE)
    phone.press("Passcode")
    ward.duo.transport.stay_silent("/auth/v2/auth")
    phone.type(passcode=ward.duo.phone("ada").passcode())
    phone.press("Submit")
    shows(phone, MOMENT)
    goes_on(ward, phone, NO_DUO)
    assert ward.login() is None


# Redis


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    with EmbeddedValkey(tmp_path_factory.mktemp("redis") / "valkey") as found:
        yield found


@pytest.fixture(scope="module")
def shared_redis_ward(
    redis: EmbeddedValkey, tmp_path_factory: pytest.TempPathFactory, authority: CertificateAuthority
) -> Iterator[Ward]:
    built: list[Site] = []

    def build(**options: str) -> Site:
        built.append(build_site(tmp_path_factory.mktemp("ward"), redis.url, 1_700_000_000.0, **options))
        return built[-1]

    with running_ward(build, authority) as found:
        yield found
    built[0].composed.close()


@pytest.fixture
def redis_ward(redis: EmbeddedValkey, shared_redis_ward: Ward) -> Iterator[Ward]:
    """A ward whose Redis may be stopped."""
    shared_redis_ward.renew()
    yield shared_redis_ward
    check_answers(shared_redis_ward)


@contextmanager
def stopped(redis: EmbeddedValkey) -> Iterator[None]:
    redis.stop()
    try:
        yield
    finally:
        redis.start()


@contextmanager
def hanging(redis: EmbeddedValkey) -> Iterator[None]:
    with closing(Store(client_for(redis.url, "", 5.0, 4, ""))) as store:
        (line,) = (line for line in store.command("INFO", "server").splitlines() if line.startswith("process_id:"))
    pid = int(line.partition(":")[2])
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("outage", [stopped, hanging])
def test_without_redis_nobody_is_let_in_and_who_waits_goes_on_afterwards(
    redis_ward: Ward, redis: EmbeddedValkey, outage: Callable[[EmbeddedValkey], AbstractContextManager[None]]
) -> None:
    ward = redis_ward
    waiting, at_form = approved(ward), ward.at_form(timeout=PATIENCE)
    asked = ward.pin_checks()
    with outage(redis):
        ward.submit(at_form)
        shows(at_form, LATER)
        for _ in range(2):
            ward.time.advance(3.0)
            waiting.tick()
            shows(waiting, MOMENT)
        waiting.press("Update")
        shows(waiting, MOMENT)
        # Nobody may try PINs while tries cannot be counted.
        assert ward.pin_checks() == asked
        assert ward.login_writes() == 0
    goes_on(ward, waiting, LOGGED_IN)
    assert ward.login_writes() == 1
    at_form.press("Retry")
    shows(at_form, "Phone in use")


def test_redis_is_restarted_between_push_and_approval(redis_ward: Ward, redis: EmbeddedValkey) -> None:
    phone = redis_ward.submitted(timeout=PATIENCE)
    redis.stop()
    redis.start()
    redis_ward.answer_push()
    goes_on(redis_ward, phone, LOGGED_IN)
    assert redis_ward.login_writes() == 1


def test_a_redis_that_has_lost_everything_says_begin_again(redis_ward: Ward) -> None:
    phone = approved(redis_ward)
    store = redis_ward.site.composed.parts.store
    store.command("DEL", *store.command("KEYS", "*:flow:*"))
    redis_ward.pass_time(3.0)
    shows(phone, BEGIN_AGAIN)
    assert redis_ward.login_writes() == 0
    phone.press("Retry")
    assert phone.screen is not None
    assert phone.screen.kind == "input"


def test_a_login_that_is_asked_for_while_redis_is_away_is_not_asked_for_for_ever(
    redis_ward: Ward, redis: EmbeddedValkey
) -> None:
    phone = redis_ward.submitted(timeout=PATIENCE)
    with stopped(redis):
        redis_ward.pass_time(3.0)
        shows(phone, MOMENT)
        redis_ward.pass_time(200.0)
        shows(phone, BEGIN_AGAIN)
