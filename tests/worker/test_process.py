"""``casduo worker`` as processes of their own: sharing the work, dying, losing Redis, and ending as they are told."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest

from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from casduo.store import Store
from casduo.store.store import client_for
from casduo.tickets.signouts import ORDERS, SignOut
from casduo.worker.heartbeat import Heartbeat, worker_alive
from casduo.worker.parts import Parts
from tests.worker.applications import Application
from tests.worker.conftest import MakeApplication, RestartableRedis
from tests.worker.working import PATIENCE, ROOT, Site, eventually, fact, worker_process, working

REGISTRY = """
services:
  - {id: library, name: Library, url: 'http://localhost:*/library/**'}
  - {id: slow, name: Slow, url: 'http://localhost:*/hang'}
  - {id: codes, name: Codes, url: 'http://localhost:*/status/*'}
"""
ALIVE = "casduo:worker:alive"


@pytest.fixture(autouse=True)
def files(site: Site) -> None:
    site.write(REGISTRY)


def alive(store: Store) -> bool:
    batch = store.batch()
    reply = worker_alive(batch)
    batch.run()
    return bool(reply.value)


def heard(*apps: Application) -> Counter[str]:
    return Counter(ticket for app in apps for ticket in app.tickets)


def every_ticket(site: Site, *sign_outs: SignOut) -> Counter[str]:
    return Counter(ticket for sign_out in sign_outs for ticket in site.tickets(sign_out))


def test_a_worker_tells_services_and_ends_when_told(site: Site, app: Application) -> None:
    assert not alive(site.store)
    with worker_process(site) as worker:
        eventually(lambda: alive(site.store))
        (line,) = site.settled(site.sign_out([("library", f"{app.url}/library/")]))
        assert line.state == "told"
        started = time.monotonic()
        assert worker.end() == 0
        assert time.monotonic() - started < 5
        assert "worker.stopped" in worker.told
        assert "warning" not in worker.told.lower()
    assert not alive(site.store)


def test_over_tls_an_authority_of_our_own_is_trusted(
    site: Site,
    make_application: MakeApplication,
    leaf: LeafFiles,
    foreign_leaf: LeafFiles,
    authority: CertificateAuthority,
) -> None:
    site.write(
        "services:\n  - {id: library, name: Library, url: 'https://localhost:*/**'}\n",
        f"outbound: {{ca_file: '{authority.ca_file}'}}\n",
    )
    ours, strange = make_application(leaf), make_application(foreign_leaf)
    with worker_process(site):
        lines = site.settled(site.sign_out([("library", f"{ours.url}/a"), ("library", f"{strange.url}/b")]))
    assert [(line.state, line.telling.detail) for line in lines] == [("told", ""), ("failed", "certificate")]
    assert strange.received == []


def test_a_worker_that_ends_leaves_the_sign_of_life_of_another(site: Site) -> None:
    with worker_process(site) as first, worker_process(site) as second:
        eventually(lambda: str(site.store.command("GET", ALIVE)).split("-")[-2] == str(second.pid))
        first.end()
        assert alive(site.store)


def test_who_gave_the_last_sign_of_life_does_not_take_it_away_from_others(site: Site) -> None:
    with worker_process(site), worker_process(site) as second:
        eventually(lambda: str(site.store.command("GET", ALIVE)).split("-")[-2] == str(second.pid))
        second.end()
        assert alive(site.store)


def test_the_last_one_to_end_takes_the_sign_of_life_along(site: Site) -> None:
    with worker_process(site) as first, worker_process(site) as second:
        eventually(lambda: str(site.store.command("GET", ALIVE)).split("-")[-2] == str(second.pid))
        second.end()
        first.end()
        assert not alive(site.store)


def test_ctrl_c_ends_it_too(site: Site) -> None:
    with worker_process(site) as worker:
        worker.process.send_signal(signal.SIGINT)
        assert worker.process.wait(PATIENCE) == 0
        assert "Traceback" not in worker.told


def test_two_workers_share_the_orders_and_each_visit_is_told_once(
    site: Site, make_application: MakeApplication
) -> None:
    apps = [make_application() for _ in range(4)]
    with worker_process(site) as first, worker_process(site) as second:
        sign_outs = [
            site.sign_out([("library", f"{app.url}/library/{number}") for app in apps]) for number in range(40)
        ]
        for sign_out in sign_outs:
            assert {line.state for line in site.settled(sign_out)} == {"told"}
        assert [worker.told.count("signout.told") > 0 for worker in (first, second)] == [True, True]
    assert heard(*apps) == every_ticket(site, *sign_outs)


def test_what_a_worker_died_over_another_one_finishes(site: Site, make_application: MakeApplication) -> None:
    slow, quick = make_application(), make_application()
    with worker_process(site, impatient=True) as first:
        sign_out = site.sign_out(
            [("library", f"{quick.url}/library/{number}") for number in range(20)] + [("slow", f"{slow.url}/hang")] * 5
        )
        eventually(lambda: sum(line.state == "told" for line in site.lines(sign_out)) == 20)
        eventually(lambda: slow.alone.now == 4)
        first.kill()
        before = heard(quick)
        slow.release.set()
        with worker_process(site, impatient=True):
            lines = site.settled(sign_out)
    assert {line.state for line in lines} == {"told"}
    # Who had been told hears nothing more; who was just being told hears it again.
    assert heard(quick) == before
    assert set(heard(slow)) == {line.visit.ticket for line in lines[20:]}
    assert max(heard(slow).values()) == 2


def test_a_living_worker_takes_over_from_one_that_died(site: Site, app: Application) -> None:
    with worker_process(site, impatient=True) as first:
        sign_outs = [site.sign_out([("slow", f"{app.url}/hang")]) for _ in range(4)]
        eventually(lambda: app.alone.now == 4)
        with worker_process(site, impatient=True):
            first.kill()
            app.release.set()
            for sign_out in sign_outs:
                assert [line.state for line in site.settled(sign_out)] == ["told"]


def test_what_is_left_at_the_end_the_next_one_takes_at_once(site: Site, app: Application) -> None:
    site.write(REGISTRY, "logout: {timeout: 60s}\n")
    sign_out = site.sign_out([("slow", f"{app.url}/hang")] * 6)
    with worker_process(site) as first:
        eventually(lambda: app.alone.now == 4)
        started = time.monotonic()
        assert first.end() == 0
        assert time.monotonic() - started < 8
    app.release.set()
    with worker_process(site):
        # Long before the silence of the first one would be noticed.
        started = time.monotonic()
        assert {line.state for line in site.settled(sign_out)} == {"told"}
        assert time.monotonic() - started < 10


def test_five_hundred_visits_with_an_application_that_hangs_among_them(
    site: Site, make_application: MakeApplication
) -> None:
    site.write(REGISTRY, "logout: {timeout: 5s}\n")
    hanging, *apps = [make_application() for _ in range(9)]
    visits = [("library", f"{apps[number % 8].url}/library/{number}") for number in range(496)]
    visits[100:100] = [("slow", f"{hanging.url}/hang")] * 4
    with worker_process(site):
        sign_out = site.sign_out(visits)
        lines = site.settled(sign_out)
    assert Counter(line.state for line in lines) == {"told": 496, "failed": 4}
    assert heard(hanging, *apps) == every_ticket(site, sign_out)
    assert apps[0].together.most <= 32


def test_redis_may_go_and_come_back(tmp_path: Path, redis_server: RestartableRedis, app: Application) -> None:
    store = Store(client_for(redis_server.url, "", 2.0, 16, ""))
    site = Site(tmp_path, redis_server.url, store)
    site.write(REGISTRY)

    redis_server.await_answer(store)
    with worker_process(site) as worker:
        sign_out = site.sign_out([("slow", f"{app.url}/hang")] * 6)
        eventually(lambda: app.alone.now == 4)
        redis_server.end()
        # The services answer while nobody can write it down.
        app.release.set()
        eventually(lambda: app.alone.now == 0)
        eventually(lambda: "worker.waiting" in worker.told)
        redis_server.start()
        redis_server.await_answer(store)
        assert {line.state for line in site.settled(sign_out)} == {"told"}
        (line,) = site.settled(site.sign_out([("library", f"{app.url}/library/")]))
        assert line.state == "told"
        assert worker.end() == 0
        assert "Traceback" not in worker.told
    assert max(heard(app).values()) == 1
    store.close()


def test_it_waits_for_a_redis_that_is_not_there_yet(tmp_path: Path) -> None:
    site = Site(tmp_path, f"unix://{tmp_path}/nowhere.sock", Store(client_for("unix:///nowhere", "", 1.0, 1, "")))
    site.write(REGISTRY)
    with worker_process(site) as worker:
        # Each of those who have something to do says it once.
        jobs = ["approvals", "audit", "heartbeat", "sign-outs"]
        eventually(lambda: sorted(re.findall(r'"job": ?"([^"]+)"', worker.told)) == jobs)
        assert worker.end() == 0


def test_without_a_redis_address_it_uses_the_embedded_valkey_and_starts_none(tmp_path: Path) -> None:
    site = Site(tmp_path, "", Store(client_for("unix:///nowhere", "", 1.0, 1, "")))
    site.write(REGISTRY)
    site.settings_file.write_text("server: {state_directory: state}\n")
    with worker_process(site) as worker:
        eventually(lambda: "worker.waiting" in worker.told)
        assert worker.end() == 0
    assert not (tmp_path / "state").exists()


def test_no_ticket_is_in_the_log(site: Site, app: Application) -> None:
    visits = [("library", f"{app.url}/library/?secret=s3cret"), ("codes", f"{app.url}/status/500")]
    with worker_process(site, impatient=True) as worker:
        sign_out = site.sign_out(visits)
        site.settled(sign_out)
        worker.end()
        told = worker.told
    for ticket in site.tickets(sign_out):
        assert ticket not in told
        assert ticket[8:-4] not in told
        assert f"ST-…{ticket[-4:]}" in told
    assert "s3cret" not in told
    assert sign_out.id not in told


def test_nothing_that_opens_sockets_is_imported_before_threads_become_greenlets() -> None:
    code = "import sys, casduo.cli.worker\nprint({'gevent', 'socket', 'ssl', 'redis', 'urllib3'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert done.stdout == "set()\n"


def test_waiting_costs_no_threads(site: Site, app: Application) -> None:
    with worker_process(site) as worker:
        sign_outs = [site.sign_out([("slow", f"{app.url}/hang")] * 4) for _ in range(50)]
        eventually(lambda: app.alone.now == 4)
        eventually(lambda: site.store.command("XPENDING", ORDERS, "workers")[0] == 50)
        # Those in which gevent asks for the addresses of names are the only ones.
        assert fact(worker, "Threads") < 15
        app.release.set()
        for sign_out in sign_outs:
            site.settled(sign_out)


def test_an_idle_worker_is_small(site: Site) -> None:
    with worker_process(site) as worker:
        eventually(lambda: alive(site.store))
        assert fact(worker, "VmRSS") < 66_000


def test_the_sign_of_life_is_renewed(site: Site) -> None:
    with working(site, Heartbeat):
        eventually(lambda: alive(site.store))
        assert 0 < site.store.command("PTTL", ALIVE) <= 20_000


class Failing:
    """A job that fails a few times in ways nobody expected, and then works."""

    name = "failing"
    runs: int
    done: threading.Event

    def __init__(self, parts: Parts) -> None:
        self._stopping = parts.stopping

    def run(self) -> None:
        type(self).runs += 1
        if self.runs < 3:
            raise ZeroDivisionError("s3cret")
        self.done.set()
        self._stopping.wait()

    def finish(self, seconds: float) -> None:
        """Nothing is under way."""


def test_a_job_that_fails_is_begun_again(site: Site) -> None:
    Failing.runs, Failing.done = 0, threading.Event()
    with working(site, Failing) as worker:
        assert Failing.done.wait(PATIENCE)
    faults = worker.journal.named("fault")
    assert [(fault.code, fault.path) for fault in faults] == [("UNEXPECTED", "failing")] * 2
    assert faults[0].detail.startswith("ZeroDivisionError in run:test_process.py:")
    assert "s3cret" not in str(faults)
