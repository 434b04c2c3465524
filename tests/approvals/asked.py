"""Requests for access for tests, and what is left of them in the stream of events."""

from __future__ import annotations

from dataclasses import dataclass, replace

from casduo.approvals.asking import requested_event
from casduo.approvals.events import Decided, Via
from casduo.approvals.model import ApprovalRequest, Decision, Target
from casduo.approvals.requests import ApprovalRequests, Created, Settled
from casduo.approvals.telling import cancelled_event, decided_event, expired_event
from casduo.events.model import Subject
from casduo.events.record import EventRecord
from casduo.events.stream import STREAM
from casduo.store import Store

NOW = 1_790_000_000.0
HOUR = 3600.0
KEPT = 90 * 86_400.0
WINDOW = 86_400.0
MOST_OPEN = 3
TERMINAL = ("approval.approved", "approval.rejected", "approval.expired", "approval.cancelled")


def request(name: str = "first", person: str = "ada", service: str = "ward", now: float = NOW) -> ApprovalRequest:
    """A request for the next hour, which waits for half an hour."""
    return ApprovalRequest(
        id=name,
        nonce="nonce",
        principal=person,
        name=person.title(),
        emails=(f"{person.lower()}@example.edu",),
        service=service,
        service_name=service.title(),
        url=f"https://{service}.example.edu/",
        target=Target("ward-1", "10.0.0.7", "root"),
        start=now,
        end=now + HOUR,
        reason="to have a look",
        created=now,
        expires=now + HOUR / 2,
        room="space",
        address="192.0.2.7",
        reference="ABCD",
    )


def decision(word: Decided = "approved", at: float = NOW, by: str = "grace", via: Via = "webex") -> Decision:
    """What Grace, or somebody else, decides."""
    return Decision(word, f"{by}@example.edu", by.title(), f"person-{by}", via, at, action="press")


@dataclass
class Desk:
    """The requests in a store, and how tests ask for and decide them."""

    store: Store
    requests: ApprovalRequests

    @classmethod
    def of(cls, store: Store, refusals: int = 0, remind: float = 0.0) -> Desk:
        return cls(store, ApprovalRequests(store, kept=KEPT, refusal_window=WINDOW, refusals=refusals, remind=remind))

    def ask(self, asked: ApprovalRequest, most_open: int = MOST_OPEN) -> Created:
        event = requested_event(asked, Subject(principal=asked.principal, service=asked.service))
        return self.requests.create(asked, event, most_open)

    def asked(
        self, name: str = "first", person: str = "ada", service: str = "ward", now: float = NOW
    ) -> ApprovalRequest:
        made = request(name, person, service, now)
        assert self.ask(made) == "created"
        return made

    def decide(self, asked: ApprovalRequest, decided: Decision) -> Settled:
        return self.requests.decide(asked.id, decided, decided_event(asked, decided))

    def cancel(self, asked: ApprovalRequest, now: float = NOW) -> Settled:
        return self.requests.cancel(asked.id, cancelled_event(asked), now)

    def expire(self, asked: ApprovalRequest, now: float = NOW) -> Settled:
        return self.requests.expire(asked.id, expired_event(asked), now)

    def events(self, *kinds: str) -> list[EventRecord]:
        """What is in the stream, of these kinds or of all."""
        rows = self.store.command("XRANGE", STREAM, "-", "+")
        found = [EventRecord.from_json(dict(zip(flat[::2], flat[1::2], strict=True))["record"]) for _, flat in rows]
        return [record for record in found if not kinds or record.kind in kinds]

    def kinds(self) -> list[str]:
        return [record.kind for record in self.events()]

    def state(self, asked: ApprovalRequest) -> str:
        found = self.requests.get(asked.id)
        return found.state if found is not None else ""


def later(asked: ApprovalRequest, **changes: object) -> ApprovalRequest:
    """The request with other facts."""
    return replace(asked, **changes)  # type: ignore[arg-type]
