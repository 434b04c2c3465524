"""The job that follows pushes, with a real Redis and the simulated Duo on a socket, in threads of the test."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from casduo.meter import Meter, measure_with
from casduo.metrics.prometheus import PrometheusMeter
from casduo.mfa.duo.gateway import PushStatus
from casduo.mfa.duo.pushes import PushState
from casduo.mfa.trust import TrustedBrowsers
from casduo.signing import Signing
from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo.model import Script
from casduo.tickets.model import TicketGrantingTicket
from casduo.tickets.registry import Lifetimes, TicketRegistry
from casduo.worker.pushes import DuoPushes, judge, masked
from tests.worker.pushing import ADDRESS, REGISTRY, PushDesk
from tests.worker.working import ROOT, Site, Working, eventually, working

AUTH_STATUS = "/auth/v2/auth_status"


@pytest.fixture
def worker(site: Site, desk: PushDesk) -> Iterator[Working]:
    with working(site, DuoPushes) as found:
        yield found


def answers(worker: Working) -> list[tuple[str, str, str]]:
    return [(event.outcome, event.factor, event.detail) for event in worker.journal.named("duo.answered")]


def open_sessions(site: Site, username: str, count: int) -> TicketRegistry:
    tickets, batch = TicketRegistry(site.store, Lifetimes()), site.store.batch()
    for _ in range(count):
        tickets.open_session(batch, TicketGrantingTicket(username, {}, "users_file", time.time()), time.time())
    batch.run()
    return tickets


def trust(site: Site, username: str) -> TrustedBrowsers:
    trusted, batch = TrustedBrowsers(site.store, Signing(["a key for tests only, nothing else"])), site.store.batch()
    trusted.trust(batch, username, application="", agent="", address="", at=time.time(), lifetime=3600.0)
    batch.run()
    return trusted


# -- what becomes of a push ------------------------------------------------------------------------------------------


def test_an_approval_is_noted_with_duos_words(desk: PushDesk, worker: Working) -> None:
    name = desk.send()
    desk.reaches(name, "pushed")
    push = desk.read(name)
    assert push is not None
    assert (push.state, push.status_message) == ("waiting", "Pushed a login request to your device...")
    approved = desk.duo.phone("ada").approve()
    settled = desk.settled(name)
    assert (settled.state, settled.status, settled.status_message) == (
        "allowed",
        "allow",
        "Success. Logging you in...",
    )
    (event,) = worker.journal.named("duo.answered")
    assert (event.outcome, event.factor, event.detail) == ("allowed", "duo_push", "")
    assert (event.principal, event.service, event.about.address) == ("ada", "payroll", ADDRESS)
    assert event.transaction == f"{approved.txid[:8]}…"


def test_how_long_the_answer_took_is_measured(desk: PushDesk, worker: Working) -> None:
    meter = PrometheusMeter("worker")
    measure_with(meter)
    try:
        name = desk.send(at=time.time() - 20)
        desk.duo.phone("ada").approve()
        desk.settled(name)
    finally:
        measure_with(Meter())
    meter.apply()
    labels = {"factor": "push", "outcome": "allowed"}
    assert meter.registry.get_sample_value("casduo_duo_answer_seconds_count", labels) == 1
    assert (meter.registry.get_sample_value("casduo_duo_answer_seconds_sum", labels) or 0) >= 20


def test_a_refusal_is_noted(desk: PushDesk, worker: Working) -> None:
    name = desk.send()
    desk.duo.phone("ada").deny()
    settled = desk.settled(name)
    assert (settled.state, settled.status_message) == ("denied", "Login request denied.")
    assert answers(worker) == [("denied", "duo_push", "")]


def test_no_answer_is_a_time_out(desk: PushDesk, worker: Working, duo_clock: VirtualClock) -> None:
    name = desk.send()
    desk.duo.await_polls()
    duo_clock.advance(61)
    settled = desk.settled(name)
    assert (settled.state, settled.status_message) == ("timeout", "Login timed out.")
    assert answers(worker) == [("timeout", "duo_push", "")]


def test_too_many_refusals_lock_out(desk: PushDesk, worker: Working) -> None:
    name = desk.send()
    desk.duo.user("ada").status = "locked out"
    desk.duo.phone("ada").approve()
    assert desk.settled(name).state == "locked_out"
    assert answers(worker) == [("locked_out", "duo_push", "")]


def test_a_push_that_could_not_be_delivered_may_still_be_approved(desk: PushDesk, worker: Working) -> None:
    name = desk.send()
    desk.duo.phone("ada").fail_delivery()
    desk.reaches(name, "push_failed")
    desk.duo.phone("ada").approve()
    assert desk.settled(name).state == "allowed"


def test_a_call_is_dialled_picked_up_and_confirmed(desk: PushDesk, worker: Working) -> None:
    name = desk.send(factor="phone")
    desk.reaches(name, "calling")
    desk.duo.phone("ada").pick_up()
    desk.reaches(name, "answered")
    desk.duo.phone("ada").approve()
    assert desk.settled(name).state == "allowed"
    assert answers(worker) == [("allowed", "phone_call", "")]


def test_each_application_is_asked_by_its_own_keys(desk: PushDesk, duo_settings: str) -> None:
    keys = desk.duo.add_application()
    pair = f"client_id: {keys.integration_key}, client_secret: {keys.secret_key}"
    more = f"applications: {{vpn: {{universal: {{{pair}}}}}}}, breaker:"
    desk.site.write(REGISTRY, duo_settings.replace("breaker:", more))
    with working(desk.site, DuoPushes) as worker:
        # Sent by the main application, so that the other one does not know of it.
        name = desk.send(application="vpn")
        assert desk.settled(name).state == "unavailable"
        assert answers(worker) == [("unavailable", "duo_push", "txid")]


@pytest.mark.parametrize(
    ("status", "late", "verdict"),
    [
        (PushStatus(True, False, "pushed"), False, None),
        (PushStatus(True, False, "pushed"), True, ("timeout", "no verdict")),
        (PushStatus(False, True, "allow"), False, ("allowed", "")),
        (PushStatus(False, True, "allow"), True, ("allowed", "")),
        (PushStatus(False, True, "bypass"), False, ("allowed", "bypass")),
        (PushStatus(False, False, "bypass"), False, ("denied", "bypass")),
        (PushStatus(False, False, "allow"), False, ("denied", "")),
        (PushStatus(False, False, "deny"), False, ("denied", "")),
        (PushStatus(False, False, "timeout"), False, ("timeout", "")),
        (PushStatus(False, False, "fraud"), False, ("fraud", "")),
        (PushStatus(False, False, "locked_out"), False, ("locked_out", "")),
        (PushStatus(False, False, "something new"), False, ("denied", "something new")),
        (PushStatus(False, False, ""), False, ("denied", "")),
    ],
)
def test_only_duos_yes_allows(status: PushStatus, late: bool, verdict: tuple[PushState, str] | None) -> None:
    found = judge(status, late=late)
    assert (None if found is None else (found.state, found.detail)) == verdict


def test_a_transaction_is_masked() -> None:
    assert masked("45f7c92b-f45f-4862-8545-e0f58e78075a") == "45f7c92b…"


# -- reported as fraud -----------------------------------------------------------------------------------------------


def test_a_report_ends_all_sessions_and_forgets_trusted_browsers(desk: PushDesk, worker: Working) -> None:
    tickets, trusted = open_sessions(desk.site, "ada", 3), trust(desk.site, "ada")
    open_sessions(desk.site, "grace", 1)
    name = desk.send()
    desk.duo.phone("ada").report_fraud()
    assert desk.settled(name).state == "fraud"
    assert tickets.sessions_of("ada") == []
    assert trusted.of("ada", time.time()) == []
    assert len(tickets.sessions_of("grace")) == 1
    (ended,) = worker.journal.named("signout")
    assert (ended.principal, ended.cause, ended.sessions) == ("ada", "fraud", 3)
    assert answers(worker) == [("fraud", "duo_push", "")]


def test_sessions_stay_where_the_settings_say_so(desk: PushDesk, duo_settings: str) -> None:
    desk.site.write(REGISTRY, duo_settings.replace("breaker:", "end_sessions_on_fraud: false, breaker:"))
    tickets, trusted = open_sessions(desk.site, "ada", 1), trust(desk.site, "ada")
    with working(desk.site, DuoPushes) as worker:
        name = desk.send()
        desk.duo.phone("ada").report_fraud()
        assert desk.settled(name).state == "fraud"
        assert worker.journal.named("signout") == []
    assert len(tickets.sessions_of("ada")) == 1
    assert trusted.of("ada", time.time()) == []


def test_whoever_drops_a_push_does_not_keep_its_owner_from_reporting_it(desk: PushDesk, worker: Working) -> None:
    tickets = open_sessions(desk.site, "ada", 1)
    name = desk.send()
    desk.reaches(name, "pushed")
    desk.pushes.drop(name)
    desk.duo.phone("ada").report_fraud()
    desk.done()
    assert tickets.sessions_of("ada") == []
    assert desk.read(name) is None
    assert answers(worker) == [("fraud", "duo_push", "")]


def test_a_report_is_carried_out_again_when_nobody_knows_whether_it_was(desk: PushDesk, worker: Working) -> None:
    name = desk.send()
    transaction = desk.duo.phone("ada").report_fraud().txid
    desk.settled(name)
    # A worker that died before it could say that it was done.
    desk.site.store.command("HSET", name.key, "state", "dropped")
    tickets = open_sessions(desk.site, "ada", 1)
    desk.pushes.sent(name, transaction, time.time())
    desk.done()
    assert tickets.sessions_of("ada") == []


# -- what nobody waits for -------------------------------------------------------------------------------------------


def test_a_superseded_push_opens_nothing_even_if_it_is_approved(
    desk: PushDesk, worker: Working, duo_clock: VirtualClock
) -> None:
    desk.duo.phone("ada").script("approve", after=5.0)
    former = desk.send()
    desk.reaches(former, "pushed")
    desk.duo.phone("ada").ignore()
    latter = desk.send(instead=former)
    desk.reaches(latter, "pushed")
    duo_clock.advance(6)
    eventually(lambda: desk.queued() == 1)
    assert desk.read(former) is None
    push = desk.read(latter)
    assert push is not None
    assert push.state == "waiting"
    desk.duo.phone("ada").approve()
    assert desk.settled(latter).state == "allowed"
    assert answers(worker) == [("allowed", "duo_push", "")]


def test_a_dropped_push_opens_nothing_and_is_not_told_of(desk: PushDesk, worker: Working) -> None:
    name = desk.send()
    desk.reaches(name, "pushed")
    desk.pushes.drop(name)
    desk.duo.phone("ada").approve()
    desk.done()
    assert desk.pushes.take(name, time.time()) is None
    assert answers(worker) == []


def test_a_push_with_a_verdict_is_off_the_queue_without_asking(desk: PushDesk) -> None:
    name = desk.send()
    desk.pushes.settle(name, "denied", None, time.time())
    with working(desk.site, DuoPushes) as worker:
        desk.done()
        assert answers(worker) == []
    assert desk.duo.requests(AUTH_STATUS) == []


# -- when Duo does not answer ----------------------------------------------------------------------------------------


def test_duo_may_go_and_come_back_while_a_push_is_open(desk: PushDesk, worker: Working) -> None:
    name = desk.send()
    desk.reaches(name, "pushed")
    desk.duo.stop_listening()
    desk.duo.phone("ada").approve()
    desk.duo.listen_again()
    assert desk.settled(name).state == "allowed"
    assert answers(worker) == [("allowed", "duo_push", "")]


@pytest.mark.parametrize("kind", ["server_error_json", "bad_gateway_html", "json_list", "response_null"])
def test_broken_answers_are_no_verdict(desk: PushDesk, worker: Working, kind: str) -> None:
    desk.duo.faults.answer(AUTH_STATUS, kind, times=2)  # type: ignore[arg-type]
    name = desk.send()
    desk.duo.phone("ada").approve()
    assert desk.settled(name).state == "allowed"


def test_who_never_hears_of_duo_again_gives_up_at_the_end_of_the_time(desk: PushDesk, worker: Working) -> None:
    desk.duo.faults.break_down(AUTH_STATUS)
    name = desk.send(at=time.time() - 73)
    assert desk.settled(name).state == "unavailable"
    assert answers(worker) == [("unavailable", "duo_push", "server_error")]
    assert len(desk.duo.requests(AUTH_STATUS)) >= 2


def test_what_duo_does_not_know_is_asked_for_twice(desk: PushDesk, worker: Working) -> None:
    name = desk.note("ada", "45f7c92b-f45f-4862-8545-e0f58e78075a")
    assert desk.settled(name).state == "unavailable"
    assert answers(worker) == [("unavailable", "duo_push", "txid")]
    assert len(desk.duo.requests(AUTH_STATUS)) == 2


def test_wrong_keys_end_it_soon(desk: PushDesk) -> None:
    (application,) = desk.duo.applications()
    name = desk.send()
    desk.duo.rotate_secret(application.integration_key)
    with working(desk.site, DuoPushes) as worker:
        assert desk.settled(name).state == "unavailable"
        assert answers(worker) == [("unavailable", "duo_push", "keys")]


def test_settings_that_cannot_work_keep_nobody_waiting(desk: PushDesk, duo_settings: str) -> None:
    empty = desk.site.directory / "empty.crt"
    empty.touch()
    desk.site.write(REGISTRY, duo_settings.replace(str(desk.duo.ca_file), str(empty)))
    with working(desk.site, DuoPushes) as worker:
        name = desk.send()
        assert desk.settled(name).state == "unavailable"
        assert answers(worker) == [("unavailable", "duo_push", "ca_file")]


def test_an_application_that_the_settings_do_not_name_is_no_application(desk: PushDesk, worker: Working) -> None:
    name = desk.send(application="gone")
    assert desk.settled(name).state == "unavailable"
    assert answers(worker) == [("unavailable", "duo_push", "off")]


def test_a_duo_without_an_end_is_not_waited_for_beyond_our_own(desk: PushDesk, worker: Working) -> None:
    desk.duo.settings.poll_hold = 0.0
    name = desk.send(at=time.time() - 74)
    assert desk.settled(name).state == "timeout"
    assert answers(worker) == [("timeout", "duo_push", "no verdict")]


def test_a_duo_that_answers_at_once_without_news_is_not_asked_without_pause(desk: PushDesk, worker: Working) -> None:
    desk.duo.settings.poll_hold = 0.0
    name = desk.send()
    desk.reaches(name, "pushed")
    eventually(lambda: len(desk.duo.requests(AUTH_STATUS)) >= 3)
    assert len(desk.duo.requests(AUTH_STATUS)) < 6
    desk.duo.phone("ada").approve()
    assert desk.settled(name).state == "allowed"


def test_an_approval_found_too_late_opens_nothing(desk: PushDesk, worker: Working) -> None:
    name = desk.send(at=time.time() - 80)
    desk.duo.phone("ada").approve()
    desk.done()
    push = desk.read(name)
    assert push is not None
    assert push.state == "timeout"
    assert answers(worker) == [("timeout", "duo_push", "too late")]


def test_a_report_found_late_counts(desk: PushDesk) -> None:
    tickets = open_sessions(desk.site, "ada", 1)
    desk.send(at=time.time() - 80)
    desk.duo.phone("ada").report_fraud()
    with working(desk.site, DuoPushes):
        desk.done()
    assert tickets.sessions_of("ada") == []


# -- many at once, none at all ---------------------------------------------------------------------------------------


def test_two_hundred_pushes_at_once(desk: PushDesk, worker: Working, duo_clock: VirtualClock) -> None:
    names = {f"person{number}": None for number in range(200)}
    for name in names:
        desk.duo.add_user(name, script=Script("approve" if int(name[6:]) % 2 else "deny", after=5.0))
    pushes = {name: desk.send(name) for name in names}
    desk.duo.await_polls(200)
    assert desk.queued() == 200
    duo_clock.advance(6)
    desk.done()
    states = {name: push.state for name, each in pushes.items() if (push := desk.read(each)) is not None}
    assert states == {name: "allowed" if int(name[6:]) % 2 else "denied" for name in names}
    assert len(worker.journal.named("duo.answered")) == 200


def test_without_duo_in_the_settings_nothing_is_followed_and_nothing_asked_of_redis(site: Site) -> None:
    site.write(REGISTRY.replace(", requires_duo: true", ""))
    with working(site, DuoPushes) as worker:
        assert worker.journal.events == []
    assert site.store.command("KEYS", "*") == []


def test_an_error_that_nobody_expected_keeps_nobody_waiting(desk: PushDesk) -> None:
    class Broken(DuoPushes):
        def _ask(self, push: object) -> PushStatus:
            raise ZeroDivisionError("s3cret")

    with working(desk.site, Broken) as worker:
        name = desk.send()
        assert desk.settled(name).state == "unavailable"
        (fault,) = worker.journal.named("fault")
        assert fault.detail.startswith("ZeroDivisionError")
        assert "s3cret" not in str(worker.journal.events)
    assert answers(worker) == [("unavailable", "duo_push", "fault")]


def test_two_that_follow_the_same_push_settle_it_once(desk: PushDesk) -> None:
    name = desk.send()
    desk.pushes.sent(name, desk.duo.pending()[0].txid, time.time())
    with working(desk.site, DuoPushes) as worker:
        desk.duo.await_polls(1)
        desk.duo.phone("ada").approve()
        assert desk.settled(name).state == "allowed"
        assert answers(worker) == [("allowed", "duo_push", "")]


@pytest.mark.parametrize(("soft", "hard", "most"), [(256, 1024, 768), (64, 100, 1), (512, 9000, 4096)])
def test_a_worker_follows_as_many_as_it_may_have_connections(soft: int, hard: int, most: int) -> None:
    code = (
        "import resource\n"
        f"resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))\n"
        "from casduo.worker.pushes import most_pushes\n"
        "print(most_pushes())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=True)
    assert int(done.stdout) == most
