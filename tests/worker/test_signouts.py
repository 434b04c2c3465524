"""The job that tells services of ended sessions, with a real Redis and real applications, in threads of the test."""

from __future__ import annotations

import threading
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from casduo.errors import UpstreamMisconfigured
from casduo.settings import load_settings
from casduo.signing import fingerprint
from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from casduo.store.streams import WORKERS, Entry, StreamQueue, append
from casduo.tickets.ledger import Ledger
from casduo.tickets.signouts import ORDERS, SETTLED_MS, add_sign_out, new_sign_out
from casduo.worker.parts import build_parts
from casduo.worker.process import run_jobs
from casduo.worker.signouts import SignOuts
from tests.worker.applications import Application
from tests.worker.conftest import MakeApplication
from tests.worker.working import Site, eventually, working

REGISTRY = """
services:
  - {id: library, name: Library, url: 'http://localhost:*/library/**'}
  - {id: codes, name: Codes, url: 'http://localhost:*/status/*'}
  - {id: slow, name: Slow, url: 'http://localhost:*/hang'}
  - {id: old, name: Old, url: 'http://localhost:*/old/**', enabled: false}
  - {id: quiet, name: Quiet, url: 'http://localhost:*/quiet/**', logout: {type: none}}
  - {id: java, name: Java, url: 'http://localhost:*/java/**', logout: {type: front_channel}}
  - {id: loose, name: Loose, url: 'http://local*:*/loose/**'}
  - {id: inside, name: Inside, url: 'http://local*:*/inside/**', logout: {private_addresses: true}}
"""


@pytest.fixture(autouse=True)
def files(site: Site) -> None:
    site.write(REGISTRY)


def outcome(site: Site, service_id: str, service: str, cause: str = "logout") -> tuple[str, int, str, int]:
    """Have one service told, and return state, status, detail and attempts."""
    with working(site):
        (line,) = site.settled(site.sign_out([(service_id, service)], cause))  # type: ignore[arg-type]
    telling = line.telling
    return telling.state, telling.status, telling.detail, telling.attempts


def test_every_service_is_told_of_the_ticket_it_validated(site: Site, app: Application) -> None:
    paths = {"/library/a": "library", "/status/302": "codes", "/library/b": "library"}
    visits = [(service_id, app.url + path) for path, service_id in paths.items()]
    with working(site) as worker:
        lines = site.settled(site.sign_out(visits))
    assert [line.state for line in lines] == ["told"] * 3
    heard = {request.path: request.ticket for request in app.received}
    assert [heard[path] for path in paths] == [line.visit.ticket for line in lines]
    told = worker.journal.named("signout.told")
    assert Counter(event.service for event in told) == {"library": 2, "codes": 1}
    assert {event.ticket for event in told} == {f"ST-…{line.visit.ticket[-4:]}" for line in lines}
    assert all(event.attempts == 1 and event.status in (200, 302) for event in told)


def test_what_is_settled_is_kept_for_as_long_as_the_page_asks_and_not_a_week(site: Site, app: Application) -> None:
    sign_out = site.sign_out([("library", f"{app.url}/library/")])
    keys = (sign_out.waiting_key, sign_out.ledger_key)
    with working(site):
        site.settled(sign_out)
    assert all(300_000 < site.store.command("PTTL", key) <= SETTLED_MS for key in keys)


def test_what_went_wrong_is_in_the_ledger_and_in_the_journal(site: Site, app: Application) -> None:
    with working(site) as worker:
        (line,) = site.settled(site.sign_out([("codes", f"{app.url}/status/500")]))
    assert (line.telling.state, line.telling.status, line.telling.detail) == ("failed", 500, "status")
    (event,) = worker.journal.named("signout.failed")
    assert (event.service, event.status, event.detail, event.attempts) == ("codes", 500, "status", 1)
    (noted,) = Ledger(site.store).of_service("codes")
    assert noted.telling == line.telling


@pytest.mark.parametrize(
    ("service_id", "path", "cause", "expected"),
    [
        ("old", "/old/", "logout", ("told", 200, "", 1)),
        ("quiet", "/quiet/", "logout", ("unsupported", 0, "switched_off", 0)),
        ("gone", "/gone/", "logout", ("unsupported", 0, "unregistered", 0)),
        ("library", "/elsewhere/", "logout", ("unsupported", 0, "unregistered", 0)),
        ("java", "/java/", "logout", ("browser", 0, "", 0)),
        ("java", "/java/", "administrator", ("unsupported", 0, "no_browser", 0)),
        ("java", "/java/", "other_user", ("unsupported", 0, "no_browser", 0)),
        ("loose", "/loose/", "logout", ("failed", 0, "address", 1)),
        ("inside", "/inside/", "logout", ("told", 200, "", 1)),
    ],
)
def test_the_registry_decides_who_is_told(
    site: Site, app: Application, service_id: str, path: str, cause: str, expected: tuple[str, int, str, int]
) -> None:
    assert outcome(site, service_id, app.url + path, cause) == expected
    assert len(app.received) == (expected[0] == "told")


def test_who_hears_nothing_by_choice_is_no_news(site: Site, app: Application) -> None:
    visits = [("quiet", f"{app.url}/quiet/"), ("java", f"{app.url}/java/"), ("gone", f"{app.url}/gone/")]
    with working(site) as worker:
        site.settled(site.sign_out(visits))
    assert [event.service for event in worker.journal.events] == ["gone"]


def test_an_address_of_the_registry_is_called_instead(
    site: Site, make_application: MakeApplication, leaf: LeafFiles, authority: CertificateAuthority
) -> None:
    app = make_application(leaf)
    entry = f"{{id: library, name: Library, url: 'https://*.example.edu/**', logout: {{url: '{app.url}/out'}}}}"
    registry = f"services:\n  - {entry}\n"
    site.write(registry, f"outbound: {{ca_file: '{authority.ca_file}'}}\n")
    assert outcome(site, "library", "https://library.example.edu/") == ("told", 200, "", 1)
    assert [request.path for request in app.received] == ["/out"]


def test_the_time_an_application_has_is_a_setting(site: Site, app: Application) -> None:
    site.write(REGISTRY, "logout: {timeout: 300ms}\n")
    assert outcome(site, "slow", f"{app.url}/hang") == ("failed", 0, "deadline", 1)


def test_a_session_without_visits_is_off_the_queue_at_once(site: Site) -> None:
    with working(site):
        assert site.settled(site.sign_out([])) == []


def test_thousands_of_sessions_without_visits_take_no_thread_and_keep_nobody_waiting(
    site: Site, app: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    carried: list[str] = []
    carry_out = SignOuts._carry_out

    def counted(job: SignOuts, entry: Entry) -> bool:
        carried.append(entry.id)
        return carry_out(job, entry)

    monkeypatch.setattr(SignOuts, "_carry_out", counted)
    batch = site.store.batch()
    for number in range(5000):
        add_sign_out(batch, new_sign_out(f"t{number % 16}"), "administrator", 1.0)
    batch.run()
    sign_out = site.sign_out([("library", f"{app.url}/library/")])
    with working(site):
        (line,) = site.settled(sign_out)
    assert line.state == "told"
    assert len(carried) == 1
    assert site.store.command("XPENDING", ORDERS, WORKERS)[0] == 0


def test_what_was_ordered_while_no_worker_ran_is_done_by_the_next_one(site: Site, app: Application) -> None:
    sign_out = site.sign_out([("library", f"{app.url}/library/")])
    assert site.orders() == 1
    with working(site):
        (line,) = site.settled(sign_out)
    assert line.state == "told"


def test_a_registry_that_changes_is_in_force_for_the_next_order(site: Site, app: Application) -> None:
    with working(site) as worker:
        before = site.settled(site.sign_out([("gone", f"{app.url}/gone/")]))
        site.write(REGISTRY + "  - {id: gone, name: Back, url: 'http://localhost:*/gone/**'}\n")
        eventually(lambda: worker.parts.services.current().by_id("gone") is not None)
        after = site.settled(site.sign_out([("gone", f"{app.url}/gone/")]))
    assert [before[0].state, after[0].state] == ["unsupported", "told"]


def test_a_slow_application_keeps_nobody_else_waiting(site: Site, make_application: MakeApplication) -> None:
    slow, quick = make_application(), make_application()
    with working(site):
        waiting = [site.sign_out([("slow", f"{slow.url}/hang")] * 6) for _ in range(3)]
        eventually(lambda: slow.alone.now == 4)
        swift = site.sign_out([("slow", f"{slow.url}/hang"), ("library", f"{quick.url}/library/")])
        eventually(lambda: site.lines(swift)[1].state == "told")
        assert not slow.release.is_set()
        slow.release.set()
        for sign_out in waiting:
            site.settled(sign_out)
    assert slow.alone.most == 4


def test_a_visit_that_has_a_record_is_not_told_again(site: Site, app: Application) -> None:
    visits = [("library", f"{app.url}/library/{number}") for number in range(3)]
    sign_out = site.sign_out(visits)
    done = site.lines(sign_out)[1].visit
    with working(site):
        site.settled(sign_out)
    # As if the worker had died before it could take the order off the queue, and had told but one.
    first = app.tickets
    for line in site.lines(sign_out):
        if line.visit != done:
            site.store.command("HDEL", sign_out.ledger_key, fingerprint(line.visit.ticket))
    batch = site.store.batch()
    append(batch, ORDERS, {"id": sign_out.text, "cause": "logout", "at": 0}, 1000)
    batch.run()
    with working(site):
        site.settled(sign_out)
    assert Counter(app.tickets) == Counter(first) + Counter(t for t in first if t != done.ticket)


def test_what_is_under_way_is_finished_and_the_rest_left_to_others(site: Site, app: Application) -> None:
    sign_out = site.sign_out([("slow", f"{app.url}/hang")] * 6)
    with working(site) as worker:
        eventually(lambda: app.alone.now == 4)
        worker.parts.stopping.set()
        app.release.set()
    states = Counter(line.state for line in site.lines(sign_out))
    assert states == {"told": 4, "waiting": 2}
    with working(site):
        site.settled(sign_out)
    assert Counter(app.tickets) == Counter(site.tickets(sign_out))


def test_an_entry_that_nobody_can_read_is_thrown_away_and_said_so(site: Site, app: Application) -> None:
    batch = site.store.batch()
    append(batch, ORDERS, {"nonsense": 1}, 1000)
    batch.run()
    with working(site) as worker:
        (line,) = site.settled(site.sign_out([("library", f"{app.url}/library/")]))
        eventually(lambda: site.orders() == 0)
    assert line.state == "told"
    (fault,) = worker.journal.named("fault")
    assert (fault.code, fault.path) == ("UNEXPECTED", "sign-outs")
    assert fault.detail.startswith("KeyError in order_from:signouts.py:")


def test_a_worker_that_ends_is_forgotten_by_the_queue(site: Site) -> None:
    with working(site) as worker:
        site.settled(site.sign_out([]))
        name = worker.parts.name
        assert name in str(site.store.command("XINFO", "CONSUMERS", ORDERS, "workers"))
    assert name not in str(site.store.command("XINFO", "CONSUMERS", ORDERS, "workers"))


def test_an_order_whose_holder_is_silent_is_taken_over(site: Site, app: Application) -> None:
    sign_out = site.sign_out([("library", f"{app.url}/library/")])
    silent = StreamQueue(site.store, ORDERS, "silent")
    (entry,) = silent.read(10, 0.01)
    site.store.command("XCLAIM", ORDERS, "workers", "silent", 0, entry.id, "IDLE", 3_600_000, "JUSTID")
    with working(site):
        (line,) = site.settled(sign_out)
    assert line.state == "told"


def test_an_order_that_is_being_carried_out_is_not_begun_again(site: Site, app: Application) -> None:
    patience = partial(SignOuts, lease=1.0)
    sign_out = site.sign_out([("slow", f"{app.url}/hang")])
    with working(site, patience), working(site, patience):
        eventually(lambda: app.alone.now == 1)
        silences, holders = [0], set()

        def heard_of_for_long() -> bool:
            ((_, holder, silence, _),) = site.store.command("XPENDING", ORDERS, "workers", "-", "+", 10)
            holders.add(holder)
            if silence < silences[-1]:
                silences.append(silence)
            else:
                silences[-1] = silence
            return len(silences) > 8

        eventually(heard_of_for_long)
        assert len(holders) == 1
        app.release.set()
        site.settled(sign_out)
    assert app.tickets == site.tickets(sign_out)


def test_five_hundred_visits_are_told_once_each(site: Site, make_application: MakeApplication) -> None:
    apps = [make_application() for _ in range(5)]
    visits = [("library", f"{apps[number % 5].url}/library/{number}") for number in range(500)]
    with working(site):
        lines = site.settled(site.sign_out(visits))
    assert Counter(line.state for line in lines) == {"told": 500}
    heard = [(request.path, request.ticket) for app in apps for request in app.received]
    assert sorted(heard) == sorted((f"/library/{number}", line.visit.ticket) for number, line in enumerate(lines))
    assert max(app.alone.most for app in apps) <= 4


def test_a_file_of_authorities_that_cannot_be_read_is_named_at_the_start(site: Site, tmp_path: Path) -> None:
    site.write(REGISTRY, f"outbound: {{ca_file: '{tmp_path}/missing.pem'}}\n")
    parts = build_parts(load_settings(site.settings_file, {}), threading.Event())
    with pytest.raises(UpstreamMisconfigured) as caught:
        run_jobs(parts)
    assert caught.value.detail == "ca_file"
    parts.store.close()
