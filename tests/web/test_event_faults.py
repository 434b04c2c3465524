"""Events of real servers, and what becomes of them when Webex, Redis or a process fails: none is lost or told twice."""

from __future__ import annotations

import itertools
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from casduo.events.record import EventRecord
from casduo.events.stream import STREAM
from casduo.store.embedded import EmbeddedValkey
from tests.support.redis_servers import CountingRelay
from tests.support.site import Build, has_ticket
from tests.support.steered import DurableRedis, Login, Plant, Space, open_space
from tests.support.waiting import until
from tests.web import asking

NOTIFY = ", notify: {signin.ok: {to: space, template: 'came in: {reference}'}}"
PEOPLE = ("ada", "grace", "linus", "alan")


@pytest.fixture
def space() -> Iterator[Space]:
    with open_space() as found:
        yield found


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[DurableRedis]:
    server = DurableRedis(tmp_path / "redis")
    yield server
    server.kill()


def log_in(plant: Plant, count: int) -> list[Login]:
    """One login after the other; all go well."""
    logins = [plant.log_in(PEOPLE[number % len(PEOPLE)]) for number in range(count)]
    assert {login.status for login in logins} <= {302, 303}
    return logins


def tickets(logins: list[Login]) -> Counter[str]:
    return Counter(login.ticket for login in logins if login.ticket)


def granted(plant: Plant) -> Counter[str]:
    return Counter(row["facts"]["ticket"] for row in plant.trail("ticket.granted"))


def references_posted(space: Space) -> Counter[str]:
    """How often each sign-in was told of in the space."""
    found = [re.fullmatch(r"came in: (\w{4}-\w{4})", text.replace("\\", "")) for text in space.said()]
    return Counter(match[1] for match in found if match is not None)


def webex_port(space: Space) -> int:
    port = urlsplit(space.webex.base_url).port
    assert port is not None
    return port


@dataclass
class Crowd:
    """People who log in all the time, one after the other at each of four browsers."""

    plant: Plant
    answered: list[Login] = field(default_factory=list)
    in_vain: int = 0

    def __enter__(self) -> Crowd:
        self._leaving = threading.Event()
        self._threads = [threading.Thread(target=self._come, args=(name,)) for name in PEOPLE]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._leaving.set()
        for thread in self._threads:
            thread.join()

    def await_more(self, count: int) -> None:
        """Wait until so many more logins have gone well."""
        wanted = len(self.answered) + count
        until(lambda: len(self.answered) >= wanted, f"{count} more logins")

    def _come(self, name: str) -> None:
        while not self._leaving.is_set():
            with suppress(requests.ConnectionError):
                login = self.plant.log_in(name)
                if login.ticket:
                    self.answered.append(login)
                    continue
            self.in_vain += 1
            self._leaving.wait(0.05)


# -- Webex is away -----------------------------------------------------------------------------------------------------


def test_logins_cost_the_same_without_webex_and_with_one_that_hangs_and_never_ask_it(
    tmp_path: Path, space: Space
) -> None:
    space.webex.faults.hang("*", times=None)
    costs = []
    for settings in ("", space.settings(NOTIFY)):
        directory = tmp_path / f"{bool(settings)}"
        directory.mkdir()
        with EmbeddedValkey(directory / "valkey") as valkey:
            relay = CountingRelay(directory, valkey.url)
            with Plant(directory, relay.url, settings=settings) as plant:
                server = plant.serve()
                # One opens the connections, and tells Redis the scripts.
                log_in(plant, 1)
                relay.reset()
                log_in(plant, 100)
                costs.append(relay.round_trips)
                assert webex_port(space) not in server.remote_ports()
            relay.close()
    # The password and its ticket, as the reference of the whole: nothing is sent behind their backs either.
    assert costs == [200, 200]
    assert len(space.webex.requests) == 0


def test_no_outage_of_webex_delays_a_login_or_loses_an_event(tmp_path: Path, space: Space) -> None:
    webex = space.webex
    outages: tuple[Callable[[], None], ...] = (
        lambda: webex.faults.hang("*", times=None),
        webex.stop_listening,
        lambda: webex.fail("*", 503, times=None),
        lambda: webex.fail("*", 429, times=None, retry_after=1),
        lambda: webex.fail("*", 401, times=None),
    )
    logins: list[Login] = []
    with (
        EmbeddedValkey(tmp_path / "valkey") as valkey,
        Plant(tmp_path, valkey.url, settings=space.settings(NOTIFY)) as plant,
    ):
        server = plant.serve()
        plant.worker(lease=5.0)
        for outage, count in zip(outages, (200, 25, 25, 25, 25), strict=True):
            outage()
            logins += log_in(plant, count)
            plant.read_out()
            assert webex_port(space) not in server.remote_ports()
            assert references_posted(space) == {}
            if webex.listening:
                webex.faults.clear()
            else:
                webex.listen_again()
        minutes = itertools.count(10)

        def all_are_told() -> bool:
            # Past the pauses that outages lead to; a stopped channel is looked at each minute.
            plant.set_ahead(60.5 * next(minutes))
            return len(references_posted(space)) == len(logins)

        until(all_are_told, "every sign-in is told of")
        plant.sent_out()
        assert tickets(logins) == granted(plant)
        signed_in = Counter(row["reference"] for row in plant.trail("signin.ok"))
    assert len(signed_in) == len(logins) == 300
    assert references_posted(space) == signed_in
    assert set(signed_in.values()) == {1}


# -- Redis and processes fail ------------------------------------------------------------------------------------------


def test_a_redis_that_is_killed_in_the_middle_of_logins_loses_and_doubles_nothing(
    tmp_path: Path, redis_server: DurableRedis, space: Space
) -> None:
    with Plant(tmp_path, redis_server.url, settings=space.settings(NOTIFY)) as plant:
        plant.serve()
        plant.worker(lease=5.0)
        with Crowd(plant) as crowd:
            for _ in range(3):
                crowd.await_more(15)
                redis_server.kill()
                redis_server.start()
            crowd.await_more(15)
        plant.sent_out()
        assert_told(plant, space, crowd.answered)


def test_a_redis_that_does_nothing_for_three_seconds_loses_and_doubles_nothing(
    tmp_path: Path, redis_server: DurableRedis, space: Space
) -> None:
    """As while another one takes over. What was asked and given up meanwhile is done all the same, afterwards."""
    with Plant(tmp_path, redis_server.url, settings=space.settings(NOTIFY)) as plant:
        plant.serve()
        workers = [plant.worker(waits=True, lease=5.0) for _ in range(2)]
        for worker in workers:
            worker.begin()
        with Crowd(plant) as crowd:
            crowd.await_more(30)
            redis_server.hang(3.0)
            crowd.await_more(30)
        plant.sent_out()
        assert_told(plant, space, crowd.answered)


def test_what_a_killed_server_has_answered_is_in_the_stream(tmp_path: Path) -> None:
    answered: list[Login] = []
    with EmbeddedValkey(tmp_path / "valkey") as valkey, Plant(tmp_path, valkey.url) as plant:
        for _ in range(2):
            server = plant.serve()
            with Crowd(plant) as crowd:
                crowd.await_more(20)
                server.kill()
            answered += crowd.answered
        # Nobody reads: what is in the stream now was there when the answers went out, or is of answers that did not.
        rows = plant.store.command("XRANGE", STREAM, "-", "+")
        records = [EventRecord.from_json(flat[1]) for _, flat in rows]
    written = Counter(record.text("ticket") for record in records if record.kind == "ticket.granted")
    assert tickets(answered) <= written
    assert written.total() - len(answered) <= 2 * len(PEOPLE)
    by_reference = {record.about.reference for record in records if record.kind == "signin.ok"}
    assert {record.about.reference for record in records if record.kind == "ticket.granted"} <= by_reference


# -- clocks are wrong --------------------------------------------------------------------------------------------------


def test_access_opens_and_closes_by_the_clock_of_the_server_that_is_asked(build: Build) -> None:
    skews = (90.0, 0.0, -90.0)
    sites = [build(registry=asking.REGISTRY) for _ in skews]
    now = sites[1].clock.now
    asked = asking.ask(sites[1], begins=600, lasts=600)
    asking.decide(sites[1], asked)

    def open_at(seconds: float) -> list[bool]:
        for site, skew in zip(sites, skews, strict=True):
            site.clock.now = now + seconds + skew
        return [has_ticket(asking.signed_in(site).login_page(asking.ORACLE)) for site in sites]

    # Never earlier or later by more than the clock is wrong.
    for seconds, expected in (
        (509, [False, False, False]),
        (511, [True, False, False]),
        (601, [True, True, False]),
        (691, [True, True, True]),
        (1109, [True, True, True]),
        (1111, [False, True, True]),
        (1201, [False, False, True]),
        (1291, [False, False, False]),
    ):
        assert open_at(seconds) == expected


def assert_told(plant: Plant, space: Space, answered: list[Login]) -> None:
    """Every login that was answered is in the trail, and all of the trail in the space, each once."""
    written = granted(plant)
    assert tickets(answered) <= written
    signed_in = Counter(row["reference"] for row in plant.trail("signin.ok"))
    assert set(signed_in.values()) == {1}
    assert {row["reference"] for row in plant.trail("ticket.granted")} <= set(signed_in)
    assert references_posted(space) == signed_in
