"""The job that ends logins on phones, with a real Redis and the simulated UCM on sockets."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from casduo.phone.locks import DeviceLocks
from casduo.phone.timers import LogoutTimers
from casduo.settings import load_settings
from casduo.simulators.certificates import LeafFiles
from casduo.simulators.clock import VirtualClock
from casduo.simulators.ucm import Login, UcmSimulator
from casduo.store import Store
from casduo.store.store import client_for
from casduo.worker.heartbeat import Heartbeat
from casduo.worker.parts import Parts, build_parts
from casduo.worker.phone_logouts import PhoneLogouts, pause_after
from casduo.worker.process import Job
from tests.worker.conftest import RestartableRedis
from tests.worker.working import ROOT, Process, Site, Working, eventually, working

WARD, OFFICE = "SEP001122334455", "SEP00AABBCCDDEE"
REGISTRY = "services:\n  - {id: library, name: Library, url: 'https://library.example.edu/**'}\n"
HOUR = 3600.0
_DUE = "casduo:{phone.logouts}:due"


@dataclass
class PhoneDesk:
    """Logs people in at the UCM as a login does, and sets the timers that go with it."""

    site: Site
    ucm: UcmSimulator
    clock: VirtualClock

    def log_in(self, device: str, userid: str, profile: str = "", lifetime: float = HOUR) -> None:
        self.ucm.log_in(device, userid, profile or f"{userid}-ward")
        self.set_timer(device, userid, lifetime)

    def set_timer(self, device: str, userid: str, lifetime: float = HOUR) -> None:
        batch, now = self.site.store.batch(), self.clock()
        LogoutTimers(self.site.store).set(batch, device, userid, now + lifetime, now)
        batch.run()

    def timers(self) -> int:
        """How many timers there are, due or not."""
        return int(self.site.store.command("ZCARD", _DUE))

    def settled(self) -> None:
        """Wait until no timer is left."""
        eventually(lambda: self.timers() == 0)

    def on(self, device: str) -> Login | None:
        return self.ucm.login_of(device)

    def logouts(self) -> int:
        """How often the UCM was asked to log somebody out, by either interface."""
        return self.ucm.calls("doDeviceLogout") + self.ucm.calls("logout")

    def questions(self) -> int:
        """How often it was asked who is on a phone, by either interface."""
        return self.ucm.calls("getPhone") + self.ucm.calls("deviceUserQuery")

    def job(self, parts: Parts) -> PhoneLogouts:
        """The job by the clock of this desk."""
        return PhoneLogouts(replace(parts, clock=self.clock), every=0.02)

    def working(self, *more: Callable[[Parts], Job]) -> AbstractContextManager[Working]:
        return working(self.site, self.job, *more)


def settings(ucm: UcmSimulator, more: str = "", *, em: bool = False, password: str = "axl-password") -> str:
    servers = ", ".join(f"'{server}'" for server in ucm.servers)
    interfaces = f"axl: {{servers: [{servers}], username: casduo, password: {password}}}"
    if em:
        interfaces += f", em: {{servers: [{servers}], username: proxy, password: em-password}}"
    return f"ucm: {{ca_file: '{ucm.ca_file}', {more}{interfaces}}}\n"


@pytest.fixture
def ucm(leaf: LeafFiles) -> Iterator[UcmSimulator]:
    """A cluster that lets people log in on several phones, with two phones and three people."""
    with UcmSimulator(leaf, nodes=2) as simulator:
        simulator.policy.multiple_login = "allow"
        simulator.add_application_user("casduo", "axl-password", {"axl"})
        simulator.add_application_user("proxy", "em-password", {"em"})
        for person in ("ada", "grace", "Linus"):
            simulator.add_user(person, profiles=[f"{person}-ward", f"{person}-office"])
        for device in (WARD, OFFICE):
            simulator.add_phone(device)
        yield simulator


@pytest.fixture
def desk(site: Site, ucm: UcmSimulator) -> PhoneDesk:
    site.write(REGISTRY, settings(ucm))
    return PhoneDesk(site, ucm, VirtualClock())


@pytest.mark.parametrize("em", [False, True], ids=["axl", "emapi"])
def test_when_the_time_is_over_the_user_is_logged_out(desk: PhoneDesk, em: bool) -> None:
    desk.site.write(REGISTRY, settings(desk.ucm, em=em))
    desk.log_in(WARD, "ada")
    with desk.working() as worker:
        desk.clock.advance(HOUR)
        desk.settled()
    assert desk.on(WARD) is None
    assert desk.logouts() == 1
    (event,) = worker.named("phone.logged_out")
    assert (event.principal, event.device, event.profile, event.cause) == ("ada", WARD, "ada-ward", "time")
    assert worker.named("fault") == []


def test_before_that_nobody_is_even_asked_about(desk: PhoneDesk) -> None:
    desk.log_in(WARD, "ada", lifetime=HOUR)
    desk.log_in(OFFICE, "grace", lifetime=HOUR - 1)
    with desk.working():
        desk.clock.advance(HOUR - 1)
        eventually(lambda: desk.on(OFFICE) is None)
    assert desk.on(WARD) is not None
    assert {record.parameters.get("name") for record in desk.ucm.requests("getPhone")} == {OFFICE}


def test_somebody_else_who_is_there_now_is_left_alone(desk: PhoneDesk) -> None:
    desk.set_timer(WARD, "ada")
    desk.ucm.log_in(WARD, "grace", "grace-ward")
    with desk.working() as worker:
        desk.clock.advance(HOUR)
        desk.settled()
    on_it = desk.on(WARD)
    assert on_it is not None
    assert on_it.user == "grace"
    assert desk.logouts() == 0
    assert worker.journal.events == []


def test_where_nobody_is_there_is_nothing_to_do(desk: PhoneDesk) -> None:
    desk.set_timer(WARD, "ada")
    with desk.working() as worker:
        desk.clock.advance(HOUR)
        desk.settled()
    assert desk.logouts() == 0
    assert worker.journal.events == []


def test_a_phone_that_is_no_longer_there_is_no_trouble(desk: PhoneDesk) -> None:
    desk.set_timer("SEP00000000DEAD", "ada")
    with desk.working() as worker:
        desk.clock.advance(HOUR)
        desk.settled()
    assert worker.journal.events == []


def test_with_another_profile_it_is_still_the_same_user(desk: PhoneDesk) -> None:
    desk.log_in(WARD, "ada", "ada-ward")
    desk.ucm.log_out(WARD)
    desk.ucm.log_in(WARD, "ada", "ada-office")
    with desk.working() as worker:
        desk.clock.advance(HOUR)
        desk.settled()
    assert desk.on(WARD) is None
    assert [event.profile for event in worker.named("phone.logged_out")] == ["ada-office"]


def test_the_user_is_the_same_however_the_name_is_spelled(desk: PhoneDesk) -> None:
    desk.ucm.log_in(WARD, "Linus", "Linus-ward")
    desk.set_timer(WARD, "linus")
    with desk.working():
        desk.clock.advance(HOUR)
        desk.settled()
    assert desk.on(WARD) is None


def test_two_workers_log_each_user_out_once(desk: PhoneDesk) -> None:
    devices = [f"SEP{number:012}" for number in range(30)]
    for device in devices:
        desk.ucm.add_phone(device)
        desk.log_in(device, "ada")
    desk.clock.advance(HOUR)
    with desk.working() as first, desk.working() as second:
        desk.settled()
    assert desk.ucm.logins_of("ada") == []
    assert desk.logouts() == 30
    told = [event.device for worker in (first, second) for event in worker.named("phone.logged_out")]
    assert sorted(told) == devices
    assert first.journal.events
    assert second.journal.events


def test_who_logged_in_anew_stays_until_the_new_time(desk: PhoneDesk) -> None:
    desk.log_in(WARD, "ada")
    desk.clock.advance(HOUR / 2)
    desk.set_timer(WARD, "ada")
    desk.log_in(OFFICE, "grace", lifetime=HOUR / 2)
    with desk.working():
        desk.clock.advance(HOUR / 2)
        eventually(lambda: desk.on(OFFICE) is None)
        assert desk.on(WARD) is not None
        desk.clock.advance(HOUR / 2)
        desk.settled()
    assert desk.on(WARD) is None


def test_who_logs_in_anew_while_a_worker_looks_stays_until_the_new_time(desk: PhoneDesk) -> None:
    desk.log_in(WARD, "ada")
    desk.ucm.nodes[0].faults.delay(60, "getPhone")
    with desk.working() as worker:
        desk.clock.advance(HOUR)
        eventually(lambda: desk.questions() == 1)
        desk.set_timer(WARD, "ada")
        desk.ucm.nodes[0].faults.clear()
        # The worker is through with it when it has given back the phone's lock.
        eventually(lambda: lock_free(desk))
        assert desk.on(WARD) is not None
        assert desk.logouts() == 0
        desk.clock.advance(HOUR)
        desk.settled()
    assert desk.on(WARD) is None
    assert len(worker.journal.events) == 1


def lock_free(desk: PhoneDesk) -> bool:
    locks = DeviceLocks(desk.site.store)
    token = locks.take(WARD)
    return bool(token) and locks.free(WARD, token)


def test_a_login_that_is_under_way_is_waited_for(desk: PhoneDesk) -> None:
    locks = DeviceLocks(desk.site.store)
    desk.log_in(WARD, "ada")
    token = locks.take(WARD)
    with desk.working() as worker:
        desk.clock.advance(HOUR)
        put_off(desk, 5)
        assert desk.questions() == 0
        locks.free(WARD, token)
        desk.clock.advance(5)
        desk.settled()
    assert [event.name for event in worker.journal.events] == ["phone.logged_out"]


def put_off(desk: PhoneDesk, seconds: float) -> None:
    """Wait until the only timer is due in so many seconds."""

    def due() -> float:
        rows = desk.site.store.command("ZRANGE", _DUE, 0, -1, "WITHSCORES")
        return float(rows[1]) / 1000

    eventually(lambda: due() == pytest.approx(desk.clock() + seconds, abs=0.1))


@pytest.mark.parametrize("em", [False, True], ids=["axl", "emapi"])
def test_while_ucm_is_away_it_is_tried_again_with_longer_pauses(desk: PhoneDesk, em: bool) -> None:
    desk.site.write(REGISTRY, settings(desk.ucm, em=em))
    desk.log_in(WARD, "ada")
    for node in desk.ucm.nodes:
        node.stop_listening()
    with desk.working() as worker:
        desk.clock.advance(HOUR)
        for pause in (5, 10, 20):
            put_off(desk, pause)
            desk.clock.advance(pause)
        put_off(desk, 40)
        for node in desk.ucm.nodes:
            node.listen_again()
        desk.clock.advance(40)
        desk.settled()
    assert desk.on(WARD) is None
    assert desk.logouts() == 1
    assert [event.name for event in worker.journal.events] == ["phone.logout_delayed", "phone.logged_out"]
    assert worker.journal.events[0].principal == "ada"
    (delayed,) = worker.named("phone.logout_delayed")
    assert (delayed.device, delayed.code) == (WARD, "UCM_UNAVAILABLE")


def test_a_ucm_that_is_too_busy_is_asked_again(desk: PhoneDesk) -> None:
    desk.log_in(WARD, "ada")
    for node in desk.ucm.nodes:
        node.faults.answer("unavailable", "doDeviceLogout", times=1)
    with desk.working() as worker:
        desk.clock.advance(HOUR)
        put_off(desk, 5)
        desk.ucm.nodes[0].faults.clear()
        desk.clock.advance(5)
        desk.settled()
    assert desk.on(WARD) is None
    assert [event.code for event in worker.named("phone.logout_delayed")] == ["UCM_BUSY"]


def test_a_refusal_of_ucm_is_asked_again_too(desk: PhoneDesk) -> None:
    desk.log_in(WARD, "ada")
    desk.ucm.nodes[0].faults.refuse(-206, "the database is read-only", "doDeviceLogout", times=1)
    with desk.working() as worker:
        desk.clock.advance(HOUR)
        put_off(desk, 5)
        desk.clock.advance(5)
        desk.settled()
    assert desk.on(WARD) is None
    (delayed,) = worker.named("phone.logout_delayed")
    assert (delayed.code, delayed.detail) == ("UCM_REFUSED", "axl -206")


@pytest.mark.parametrize("em", [False, True], ids=["axl", "emapi"])
def test_a_logout_whose_answer_was_lost_is_not_sent_twice(desk: PhoneDesk, em: bool) -> None:
    desk.site.write(REGISTRY, settings(desk.ucm, em=em))
    desk.log_in(WARD, "ada")
    desk.ucm.nodes[0].faults.spoil("lost", "logout" if em else "doDeviceLogout", times=1)
    with desk.working() as worker:
        desk.clock.advance(HOUR)
        put_off(desk, 5)
        desk.clock.advance(5)
        desk.settled()
    assert desk.on(WARD) is None
    assert desk.logouts() == 1
    assert [event.name for event in worker.journal.events] == ["phone.logout_delayed", "phone.logged_out"]


def test_an_account_that_ucm_does_not_know_is_not_tried_again_and_again(desk: PhoneDesk) -> None:
    desk.site.write(REGISTRY, settings(desk.ucm, password="wrong"))
    for number in range(10):
        desk.set_timer(f"SEP{number:012}", "ada", lifetime=HOUR - number)
    with desk.working(Heartbeat) as worker:
        desk.clock.advance(HOUR)
        eventually(lambda: len(worker.named("phone.logout_delayed")) == 2)
        # The job rests now; that it also ends while it does, the end of this block shows.
    assert desk.questions() == 2
    assert {event.code for event in worker.named("phone.logout_delayed")} == {"UCM_MISCONFIGURED"}


class Failing:
    """A UCM that fails in a way nobody expected, the first time."""

    def __init__(self, parts: Parts) -> None:
        self._ucm = parts.ucm
        self._failed = False

    @property
    def logins(self) -> Any:
        if not self._failed:
            self._failed = True
            raise ZeroDivisionError("s3cret")
        return self._ucm.logins


def test_what_nobody_expected_is_written_down_and_tried_again(desk: PhoneDesk) -> None:
    desk.log_in(WARD, "ada")

    def job(parts: Parts) -> Job:
        return desk.job(replace(parts, ucm=Failing(parts)))  # type: ignore[arg-type]

    with working(desk.site, job) as worker:
        desk.clock.advance(HOUR)
        put_off(desk, 5)
        desk.clock.advance(5)
        desk.settled()
    assert desk.on(WARD) is None
    (fault,) = worker.named("fault")
    assert (fault.code, fault.path) == ("UNEXPECTED", "phone-logouts")
    assert "s3cret" not in str(worker.journal.events)


def test_redis_may_go_and_come_back(tmp_path: Path, redis_server: RestartableRedis, ucm: UcmSimulator) -> None:
    store = Store(client_for(redis_server.url, "", 2.0, 16, ""))
    redis_server.await_answer(store)
    desk = PhoneDesk(Site(tmp_path, redis_server.url, store), ucm, VirtualClock())
    desk.site.write(REGISTRY, settings(ucm, "read_timeout: 60s, budget: 60s, "))
    desk.log_in(WARD, "ada")
    ucm.nodes[0].faults.delay(60, "doDeviceLogout")
    with desk.working() as worker:
        desk.clock.advance(HOUR)
        eventually(lambda: desk.logouts() == 1)
        redis_server.end()
        # The user is logged out while nobody can write it down.
        ucm.nodes[0].faults.clear()
        eventually(lambda: desk.on(WARD) is None)
        redis_server.start()
        redis_server.await_answer(store)
        desk.settled()
        desk.log_in(WARD, "grace")
        desk.clock.advance(HOUR)
        desk.settled()
    assert desk.logouts() == 2
    assert [event.principal for event in worker.named("phone.logged_out")] == ["ada", "grace"]
    store.close()


_SCRIPT = """
from gevent import monkey
monkey.patch_all()
import functools, pathlib, sys, threading
from casduo.log import configure_log
from casduo.settings import load_settings
from casduo.worker.parts import build_parts
from casduo.worker.phone_logouts import PhoneLogouts
from casduo.worker.process import run_jobs
configure_log("json", "debug")
parts = build_parts(load_settings(pathlib.Path(sys.argv[1]), {}), threading.Event())
run_jobs(parts, (functools.partial(PhoneLogouts, lease=1.0, every=0.05),))
"""
"""``casduo worker`` with this job only, and others taking over after a second."""


@contextmanager
def worker_process(site: Site, name: str) -> Iterator[Process]:
    log = site.directory / f"{name}.log"
    with log.open("wb") as output:
        command = [sys.executable, "-W", "error", "-c", _SCRIPT, str(site.settings_file)]
        process = Process(subprocess.Popen(command, stdout=output, stderr=output, cwd=ROOT), log)
    try:
        process.await_start()
        yield process
    finally:
        process.kill()


@pytest.mark.parametrize(("fault", "logouts"), [("lost_silently", 1), ("hang", 2)], ids=["after it", "before it"])
def test_what_a_worker_was_killed_over_another_one_finishes(desk: PhoneDesk, fault: Any, logouts: int) -> None:
    desk.clock = VirtualClock(rate=1)
    desk.ucm.nodes[0].faults.spoil(fault, "doDeviceLogout", times=1)
    desk.log_in(WARD, "ada", lifetime=0)
    with worker_process(desk.site, "first") as first:
        eventually(lambda: desk.logouts() == 1)
        first.kill()
        # Its lock frees itself after half a minute.
        desk.site.store.command("DEL", f"casduo:{{phone:{WARD}}}:lock")
        with worker_process(desk.site, "second") as second:
            desk.settled()
            eventually(lambda: "phone.logged_out" in second.told)
            assert second.told.count("phone.logged_out") == 1
            assert "Traceback" not in second.told
        assert "phone.logged_out" not in first.told
    assert desk.on(WARD) is None
    assert desk.logouts() == logouts


def test_the_password_of_the_account_is_in_no_log(desk: PhoneDesk) -> None:
    desk.clock = VirtualClock(rate=1)
    desk.log_in(WARD, "ada", lifetime=0)
    with worker_process(desk.site, "only") as worker:
        desk.settled()
        eventually(lambda: "phone.logged_out" in worker.told)
        assert "axl-password" not in worker.told


_LOADED = """
import pathlib, sys, threading
from casduo.settings import load_settings
from casduo.worker.parts import build_parts
from casduo.worker.process import run_jobs
stopping = threading.Event()
parts = build_parts(load_settings(pathlib.Path(sys.argv[1]), {}), stopping)
def watch():
    while not parts.store.command("EXISTS", "casduo:worker:alive"):
        stopping.wait(0.01)
    stopping.set()
threading.Thread(target=watch).start()
run_jobs(parts)
print(sorted({"zeep", "lxml", "casduo.ucm.axl", "casduo.ucm.emapi", "casduo.ucm.nodes"} & sys.modules.keys()))
"""


@pytest.mark.parametrize("phones", [False, True], ids=["no phones", "nobody to log out"])
def test_a_worker_loads_nothing_of_ucm_before_it_needs_it(desk: PhoneDesk, phones: bool) -> None:
    if phones:
        desk.set_timer(WARD, "ada")
    else:
        desk.site.write(REGISTRY)
    command = [sys.executable, "-W", "error", "-c", _LOADED, str(desk.site.settings_file)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert desk.questions() == 0


def test_a_worker_of_an_installation_without_phones_leaves_timers_alone(site: Site) -> None:
    site.write(REGISTRY)
    parts = build_parts(load_settings(site.settings_file, {}), threading.Event())
    batch = site.store.batch()
    LogoutTimers(site.store).set(batch, WARD, "ada", parts.clock() - 1, parts.clock() - 1)
    batch.run()
    with working(site, PhoneLogouts, Heartbeat) as worker:
        eventually(lambda: site.store.command("EXISTS", "casduo:worker:alive") == 1)
        assert worker.journal.events == []
    assert site.store.command("ZCARD", _DUE) == 1
    parts.store.close()


def test_pauses_grow_up_to_five_minutes() -> None:
    pauses = [pause_after(tries) for tries in (0, 1, 2, 5, 6, 1000)]
    assert pauses == [5.0, 10.0, 20.0, 160.0, 300.0, 300.0]
