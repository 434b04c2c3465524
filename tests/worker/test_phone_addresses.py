"""The job that reads where phones are registered, with a real Redis and the simulated UCM on sockets."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

import pytest

from casduo.phone.addresses import PhoneAddresses
from casduo.simulators.certificates import LeafFiles
from casduo.simulators.clock import VirtualClock
from casduo.simulators.ucm import UcmSimulator
from casduo.worker.parts import Parts
from casduo.worker.phone_addresses import EVERY, LEASE, MOST, PhoneRegistrations
from casduo.worker.process import JOBS
from casduo.worker.ucm import UcmAtWork
from tests.worker.conftest import RestartableRedis
from tests.worker.working import Site, Working, eventually, working

WARD, OFFICE, SOFT = "SEP001122334455", "SEP00AABBCCDDEE", "CSFADA"
REGISTRY = "services:\n  - {id: library, name: Library, url: 'https://library.example.edu/**'}\n"
AGE = 600.0
OPERATION = "selectCmDeviceExt"


@dataclass
class Switchboard:
    """The UCM, and what of it is known in Redis."""

    site: Site
    ucm: UcmSimulator
    clock: VirtualClock

    def known(self, device: str = WARD) -> tuple[str, ...]:
        return PhoneAddresses(self.site.store, AGE).of(device, self.clock())

    def asked(self) -> int:
        """How often UCM was asked where phones are."""
        return self.ucm.calls(OPERATION)

    def working(self, every: float = EVERY, lease: float = LEASE, most: int = MOST) -> AbstractContextManager[Working]:
        """The job by the clock of the UCM; ``every`` and ``lease`` are real seconds."""

        def job(parts: Parts) -> PhoneRegistrations:
            ucm = UcmAtWork(parts.settings, self.clock, parts.store)
            return PhoneRegistrations(replace(parts, clock=self.clock, ucm=ucm), every, lease, most)

        return working(self.site, job)


def settings(ucm: UcmSimulator, *, password: str = "ris-password", registered: str = "require") -> str:
    servers = ", ".join(f"'{server}'" for server in ucm.servers)
    return (
        f"ucm: {{ca_file: '{ucm.ca_file}', read_timeout: 30s, "
        f"axl: {{servers: [{servers}], username: casduo, password: axl-password}}, "
        f"ris: {{servers: [{servers}], username: ris, password: {password}}}}}\n"
        f"phones: {{registered_address: {registered}, registered_address_age: {AGE:.0f}s}}\n"
    )


@pytest.fixture
def board(site: Site, leaf: LeafFiles) -> Iterator[Switchboard]:
    clock = VirtualClock(1_800_000_000.0)
    with UcmSimulator(leaf, nodes=2, clock=clock) as ucm:
        ucm.add_application_user("casduo", "axl-password", {"axl-read"})
        ucm.add_application_user("ris", "ris-password", {"ris"})
        ucm.add_phone(WARD, address="192.0.2.7")
        ucm.add_phone(OFFICE)
        ucm.add_phone(SOFT, address="192.0.2.99")
        site.write(REGISTRY, settings(ucm))
        yield Switchboard(site, ucm, clock)


def test_the_worker_has_the_job() -> None:
    assert PhoneRegistrations in JOBS


def test_it_reads_where_phones_are_registered(board: Switchboard) -> None:
    with board.working() as worker:
        eventually(lambda: board.known() == ("192.0.2.7",))
    assert board.known(OFFICE) == ()
    assert board.asked() == 1
    assert worker.named("fault") == []


def test_phones_that_nobody_may_log_in_on_are_not_asked_about(board: Switchboard) -> None:
    with board.working():
        eventually(lambda: board.known() != ())
    assert board.known(SOFT) == ()
    (record,) = board.ucm.requests(OPERATION)
    assert record.parameters["names"] == "2"


def test_without_the_setting_nobody_is_asked(board: Switchboard) -> None:
    board.site.write(REGISTRY, settings(board.ucm, registered="ignore"))
    with board.working(every=0.01):
        time.sleep(0.2)
    assert board.ucm.calls() == 0


def test_of_two_workers_one_asks(board: Switchboard) -> None:
    with board.working(), board.working() as second:
        eventually(lambda: board.known() != ())
        time.sleep(0.2)
    assert board.asked() == 1
    assert second.named("fault") == []


def test_within_a_minute_it_does_not_ask_again_whoever_comes(board: Switchboard) -> None:
    for _ in range(3):
        with board.working():
            eventually(lambda: board.known() != ())
    assert board.asked() == 1


def test_another_worker_takes_over_from_one_that_is_silent(board: Switchboard) -> None:
    with board.working(lease=0.2):
        eventually(lambda: board.known() != ())
    board.ucm.phone(WARD).address = "192.0.2.8"
    with board.working(every=0.05):
        eventually(lambda: board.known() == ("192.0.2.8",))


def test_a_phone_that_moves_is_known_at_its_new_place(board: Switchboard) -> None:
    with board.working(every=0.02):
        eventually(lambda: board.known() != ())
        board.ucm.policy.ris_requests_per_minute = 10_000
        board.ucm.phone(WARD).address = "192.0.2.8"
        eventually(lambda: board.known() == ("192.0.2.8",))
        board.ucm.phone(WARD).registered = False
        eventually(lambda: board.known() == ())


def test_names_are_listed_every_few_minutes(board: Switchboard) -> None:
    board.ucm.policy.ris_requests_per_minute = 10_000
    with board.working(every=0.02):
        eventually(lambda: board.asked() > 2)
        assert board.ucm.calls("listPhone") == 1
        board.ucm.add_phone("SEP0000000000FF", address="192.0.2.9")
        board.clock.advance(300)
        eventually(lambda: board.known("SEP0000000000FF") == ("192.0.2.9",))


def test_more_phones_than_one_answer_holds_are_asked_about_in_turn(board: Switchboard) -> None:
    names = [f"SEP{number:012X}" for number in range(1100)]
    for name in names:
        board.ucm.add_phone(name, address="10.0.0.1")
    with board.working(most=1):
        eventually(lambda: board.known(names[0]) != ())
        time.sleep(0.1)
        assert board.asked() == 1
        assert board.known(names[-1]) == ()
    board.site.store.command("FLUSHALL")
    with board.working(every=0.02, most=1):
        eventually(lambda: all(board.known(name) for name in (names[0], names[-1], WARD)))


def test_ucm_away_is_told_once_and_what_was_read_is_believed_a_while(board: Switchboard) -> None:
    board.ucm.policy.ris_requests_per_minute = 10_000
    with board.working(every=0.02) as worker:
        eventually(lambda: board.known() != ())
        for node in board.ucm.nodes:
            node.services.discard("ris")
        board.clock.advance(60)
        eventually(lambda: worker.named("fault") != [])
        time.sleep(0.2)
        (fault,) = worker.named("fault")
        assert (fault.code, fault.path) == ("UCM_UNAVAILABLE", "phone-addresses")
        assert board.known() == ("192.0.2.7",)
        board.clock.advance(AGE)
        assert board.known() == ()


def test_after_an_outage_it_reads_on(board: Switchboard) -> None:
    board.ucm.policy.ris_requests_per_minute = 10_000
    for node in board.ucm.nodes:
        node.faults.answer("html", OPERATION, times=1)
    with board.working(every=0.02) as worker:
        eventually(lambda: board.known() == ("192.0.2.7",))
    assert [fault.code for fault in worker.named("fault")] == ["UCM_UNAVAILABLE"]


def test_axl_away_does_not_end_the_reading(board: Switchboard) -> None:
    board.ucm.policy.ris_requests_per_minute = 10_000
    with board.working(every=0.02):
        eventually(lambda: board.known() != ())
        for node in board.ucm.nodes:
            node.services.discard("axl")
        board.clock.advance(AGE + 1)
        eventually(lambda: board.known() == ("192.0.2.7",))


def test_beyond_the_limit_it_waits(board: Switchboard) -> None:
    board.ucm.policy.ris_requests_per_minute = 0
    with board.working() as worker:
        eventually(lambda: worker.named("fault") != [])
        time.sleep(0.1)
    (fault,) = worker.named("fault")
    assert fault.code == "UCM_BUSY"
    assert fault.detail.endswith("rate")
    assert board.asked() == len(board.ucm.nodes)
    assert board.known() == ()


def test_a_wrong_account_is_not_tried_again_and_again(board: Switchboard) -> None:
    board.site.write(REGISTRY, settings(board.ucm, password="wrong"))
    with board.working(every=0.02) as worker:
        eventually(lambda: worker.named("fault") != [])
        time.sleep(0.2)
    assert board.asked() == 1
    (fault,) = worker.named("fault")
    assert fault.code == "UCM_MISCONFIGURED"
    assert "wrong" not in repr(fault)


def test_redis_away_is_waited_for(board: Switchboard, redis_server: RestartableRedis, site: Site) -> None:
    text = site.settings_file.read_text().replace(site.redis_url, redis_server.url)
    site.settings_file.write_text(text)
    board.ucm.policy.ris_requests_per_minute = 10_000
    with board.working(every=0.02) as worker:
        eventually(lambda: board.asked() > 0)
        redis_server.end()
        before = board.asked()
        time.sleep(0.1)
        redis_server.start()
        eventually(lambda: board.asked() > before + 1)
    assert worker.named("fault") == []
