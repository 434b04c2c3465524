"""Pushes for workers to follow, sent to the simulated Duo as a login sends them."""

from __future__ import annotations

import time
from dataclasses import dataclass

from casduo.clock import system_clock
from casduo.mfa.duo.applications import build_applications
from casduo.mfa.duo.gateway import DuoGateway, RequestFactor
from casduo.mfa.duo.pushes import QUEUE, SETTLED, Push, Pushes, PushName, PushRequest
from casduo.settings import load_settings
from casduo.simulators.duo import DuoSimulator
from casduo.store import Batch, Reply
from tests.worker.working import Site, eventually

ADDRESS = "192.0.2.7"
REGISTRY = "services:\n  - {id: payroll, name: Payroll, url: 'https://payroll.example.edu/**', requires_duo: true}\n"


@dataclass
class PushDesk:
    """Sends pushes and tells what becomes of them."""

    site: Site
    duo: DuoSimulator
    gateway: DuoGateway
    pushes: Pushes

    @classmethod
    def of(cls, site: Site, duo: DuoSimulator) -> PushDesk:
        applications = build_applications(load_settings(site.settings_file, {}), system_clock)
        return cls(site, duo, applications.of(""), Pushes(site.store, _somebody))

    def send(
        self,
        username: str = "ada",
        factor: RequestFactor = "push",
        *,
        at: float | None = None,
        application: str = "",
        instead: PushName | None = None,
    ) -> PushName:
        """Send a push as if at a moment, in epoch seconds; now by default."""
        now = time.time() if at is None else at
        request = PushRequest(username, application, "payroll", factor, "Phone", ADDRESS)
        name = self.pushes.open(request, now, instead=instead).name
        assert name is not None
        self.pushes.sent(name, self.gateway.push(username, ADDRESS, factor=factor), now)
        return name

    def note(self, username: str, transaction: str) -> PushName:
        """Queue a push of which Duo knows nothing."""
        request = PushRequest(username, "", "payroll", "push", "Phone", ADDRESS)
        name = self.pushes.open(request, time.time()).name
        assert name is not None
        self.pushes.sent(name, transaction, time.time())
        return name

    def read(self, name: PushName) -> Push | None:
        return self.pushes.read(name, time.time())

    def reaches(self, name: PushName, status: str) -> None:
        """Wait until Duo's word is there."""

        def said() -> bool:
            push = self.read(name)
            return push is not None and push.status == status

        eventually(said)

    def settled(self, name: PushName) -> Push:
        """Wait for the verdict and for the worker to be done with it."""

        def is_settled() -> bool:
            push = self.read(name)
            return push is not None and push.state in SETTLED

        eventually(is_settled)
        self.done()
        push = self.read(name)
        assert push is not None
        return push

    def done(self) -> None:
        """Wait until nothing is left to follow."""
        eventually(lambda: self.queued() == 0)

    def queued(self) -> int:
        """How many pushes are followed or wait to be."""
        return int(self.site.store.command("XLEN", QUEUE))

    def holders(self) -> list[int]:
        """The process ids of the workers that follow a push each, in the order of the pushes."""
        rows = self.site.store.command("XPENDING", QUEUE, "workers", "-", "+", 10_000)
        return [int(row[1].split("-")[-2]) for row in rows if row[1] != "-"]

    def held_by(self, pid: int, count: int = 1) -> None:
        """Wait until a worker follows so many pushes."""
        eventually(lambda: self.holders().count(pid) == count)


def _somebody(batch: Batch) -> Reply:
    return batch.command("ECHO", "1")
