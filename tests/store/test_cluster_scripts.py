"""Every script of the package is run on a cluster, each in the operation that it is for; a new one has to be too.

Tests of contracts, which elsewhere run on one Redis, run here on three masters: a script with keys of two slots there,
or a plain command, fails. What they do not reach is done below by hand.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import casduo.compose
import casduo.worker.process  # noqa: F401
from casduo.events.audit_head import AuditHead
from casduo.events.audit_line import Position
from casduo.events.model import SignedIn, SignedOut, Subject
from casduo.events.outbox_desk import OutboxDesk
from casduo.events.outbox_model import DeadLetter, Message
from casduo.events.stream import EventStream, ask_lag
from casduo.mfa.duo.reports import Reports
from casduo.outbound.breaker import BreakerState, BreakerTerms, Permit
from casduo.store import Store
from casduo.store.breakers import RedisBreakerMemory
from casduo.store.scripts import all_scripts
from casduo.tickets.model import TicketGrantingTicket
from casduo.tickets.registry import Lifetimes, TicketRegistry
from casduo.webflow.stands import STAND
from tests.support.waiting import until
from tests.support.whole_cluster import WholeCluster, name_of, whole_cluster

ROOT = Path(__file__).parents[2]
NOW = 1_750_000_000.0
CONTRACTS = (
    "account/test_history.py",
    "approvals/test_deadlines.py",
    "approvals/test_requests.py",
    "enrollment/test_sessions.py",
    "events/test_outbox.py",
    "events/test_stream.py",
    "mfa/duo/test_pushes.py",
    "mfa/test_trust.py",
    "nodes/test_roster.py",
    "phone/test_locks.py",
    "phone/test_open_logins.py",
    "phone/test_timers.py",
    "protocol/test_failures.py",
    "store/test_streams.py",
    "throttling/test_login_throttle.py",
    "tickets/test_proxy_granting.py",
    "tickets/test_registry.py",
    "tickets/test_visits.py",
    "webex/test_inbox.py",
    "webflow/test_execution.py",
)
NOT_HERE = "answer_was_lost or too_many or garbage or one_character or whoever_validated"
"""Tests that are about one Redis, or long and about something else."""


@pytest.fixture
def whole(cluster_url: str, tmp_path: Path) -> Iterator[WholeCluster]:
    with whole_cluster(tmp_path, cluster_url) as found:
        found.command("FLUSHALL")
        yield found


def drive(store: Store) -> None:
    """Use what no test of contracts reaches on a cluster."""
    memory, terms = RedisBreakerMemory(store), BreakerTerms("duo", 1, 0.001, 60.0)
    permit = memory.allow(terms, NOW)
    assert permit == Permit(noted=False)
    memory.failure(terms, permit, NOW, slow=False, lasted=0.0)
    permits: list[Permit | None] = []
    until(lambda: permits.append(memory.allow(terms, NOW)) or permits[-1] is not None, "a probe")
    assert permits[-1] is not None
    memory.release(terms, permits[-1], NOW)
    memory.success(terms, Permit(noted=True), NOW)
    assert memory.state(terms, NOW) is BreakerState.CLOSED

    tickets = TicketRegistry(store, Lifetimes())
    batch = store.batch()
    session = tickets.open_session(batch, TicketGrantingTicket("ada", {}, "users_file", NOW), NOW)
    granted = tickets.grant_service_ticket(batch, session.id, "https://a/", "library", primary=True, now=NOW)
    Reports(store).add(batch, "ada", "library", "main", "192.0.2.7", ["always"])
    events = EventStream(store)
    events.add(batch, SignedIn(Subject(principal="ada")), when=granted.id.key)
    lag = ask_lag(batch, ("audit", "outbox"))
    batch.run()
    events.flush()
    assert set(lag.value) == {"audit", "outbox"}
    assert store.command("XLEN", "casduo:{events}:stream") == 1
    assert tickets.take(granted.id) is not None
    assert tickets.withdraw("ada", "library", "approval_over", NOW) == 1
    assert store.call(STAND, ("casduo:{abcd}:flow:none",), ("cookie",)) == ["gone"]
    letter = DeadLetter(Message("message-1", "room/1", "note", {}), NOW, "refused")
    desk = OutboxDesk(store, told=True)
    assert desk.retry([letter], "linus", NOW) == []
    assert desk.discard([letter], "linus", NOW) == []
    head = AuditHead(store, ("audit",), "a-worker", "here")
    assert head.reader.lead(10)
    [entry] = head.reader.read(10)
    assert head.confirm(entry.id, Position(1, "seal"), "audit.jsonl", NOW)
    events.add(batch, SignedOut(Subject(principal="ada")))
    batch.run()


def test_every_script_runs_on_a_cluster(whole: WholeCluster, tmp_path: Path) -> None:
    drive(whole)
    noted = tmp_path / "scripts"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "-x", "--tb=short"]
    found = subprocess.run(
        [*command, "-k", f"not ({NOT_HERE})", *(str(ROOT / "tests" / name) for name in CONTRACTS)],
        env={**os.environ, "CASDUO_TESTS_ON_CLUSTER": str(noted)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=600,
    )
    assert found.returncode == 0, found.stdout[-5000:] + found.stderr[-2000:]
    ran = whole.ran | set(noted.read_text(encoding="ascii").splitlines())
    # Other tests of this process have scripts of their own, which may have the same names.
    ours = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "casduo").rglob("*.lua")}
    loaded = {name_of(script) for script in all_scripts() if ours.get(script.name, "\0") in script.text}
    assert loaded - ran == set()
