"""``python -m benchmarks.scale``: from what one sign-in costs to what so many people need. Pure, but for the command.

All figures of a run that the arithmetic rests on are in :class:`Costs`; what people are like is in :class:`People`.
Both are written beside the table that comes of them, so that anybody can put in their own.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field, fields
from math import ceil

from benchmarks import report, scale_page

MARKS = report.markers("curves", "python -m benchmarks.scale")
USERS = (1_000_000, 10_000_000, 100_000_000)
DAY = 86_400.0


def _figure(value: float, meaning: str) -> float:
    found: float = field(default=value, metadata={"meaning": meaning})
    return found


@dataclass(frozen=True, slots=True)
class People:
    """What people do."""

    sign_ins: float = _figure(2.0, "sign-ins of a user on a working day")
    busiest_hour: float = _figure(0.2, "share of a day's sign-ins that its busiest hour has")
    peak: float = _figure(1.5, "times the mean of that hour that its busiest minute has")
    tickets: float = _figure(5.0, "tickets of a session, the first one included")
    signed_out: float = _figure(0.25, "share of sessions that somebody ends by signing out")
    told_of_it: float = _figure(2.0, "applications that are told of such an end")
    hours: float = _figure(3.0, "hours that a session lives, its idle time included")
    returning: float = _figure(0.8, "share of users who sign in within thirty days")


@dataclass(frozen=True, slots=True)
class Costs:
    """What things cost: milliseconds of a processor, and bytes."""

    sign_in: float = _figure(1.1, "ms of the server for a sign-in and its validation")
    ticket: float = _figure(0.5, "ms of the server for a ticket and its validation")
    sign_out: float = _figure(1.3, "ms of the server for a sign-out")
    redis_sign_in: float = _figure(0.29, "ms of Redis for a sign-in")
    redis_ticket: float = _figure(0.15, "ms of Redis for a ticket or a sign-out")
    redis_told: float = _figure(0.3, "ms of Redis for an application that is told, and for its line in the ledger")
    told: float = _figure(0.7, "ms of a worker for an application that is told")
    line: float = _figure(0.04, "ms of a worker for a line of the audit trail")
    session_bytes: float = _figure(1500.0, "bytes of Redis for a live session with one application")
    visit_bytes: float = _figure(130.0, "bytes of Redis for each further application of it")
    history_bytes: float = _figure(5600.0, "bytes of Redis for a full list of somebody's sign-ins")
    line_bytes: float = _figure(393.0, "bytes of a line of the audit trail")
    lines_sign_in: float = _figure(3.0, "lines for a sign-in, its ticket and its validation")
    lines_ticket: float = _figure(2.0, "lines for a further ticket and its validation")
    written_sign_in: float = _figure(2800.0, "bytes of the append-only file for a sign-in")
    written_ticket: float = _figure(900.0, "bytes of the append-only file for a further ticket")
    used: float = _figure(0.5, "share of a core that the busiest minute may take")


@dataclass(frozen=True, slots=True)
class Need:
    """What so many users need, at the busiest minute where that makes a difference.

    Rates are per second, ``server_cores``, ``worker_cores`` and ``redis_cores`` are cores of which the wanted share is
    in use, bytes are bytes.
    """

    users: int
    sign_ins: float
    tickets: float
    sign_outs: float
    tellings: float
    events: float
    live_sessions: float
    server_cores: float
    worker_cores: float
    redis_cores: float
    redis_sessions: float
    redis_history: float
    written: float
    audit_day: float

    @property
    def redis_bytes(self) -> float:
        """Everything in Redis."""
        return self.redis_sessions + self.redis_history

    @property
    def shape(self) -> str:
        """How to set it up: the ways of docs/redis.md."""
        if self.server_cores <= 2 and self.redis_cores <= 0.5:
            return "one machine, embedded"
        if self.redis_cores <= 1 and self.redis_bytes <= 32e9:
            return "nodes on one Redis, by Sentinel"
        masters = max(ceil(self.redis_cores), ceil(self.redis_bytes / 32e9))
        return f"nodes on a Cluster of {max(masters, 3)} masters"


def need(users: int, people: People = People(), costs: Costs = Costs()) -> Need:
    """Return what ``users`` need."""
    day = users * people.sign_ins
    sign_ins = day * people.busiest_hour / 3600 * people.peak
    # The first ticket is part of a sign-in's cost.
    tickets = sign_ins * (people.tickets - 1)
    sign_outs = sign_ins * people.signed_out
    tellings = sign_outs * people.told_of_it
    lines = costs.lines_sign_in + (people.tickets - 1) * costs.lines_ticket
    lines += people.signed_out * (1 + people.told_of_it)
    events = sign_ins * lines
    live = min(day, day * people.busiest_hour * people.hours)
    visits = (people.tickets - 1) * costs.visit_bytes
    server = sign_ins * costs.sign_in + tickets * costs.ticket + sign_outs * costs.sign_out
    redis = sign_ins * costs.redis_sign_in + (tickets + sign_outs) * costs.redis_ticket + tellings * costs.redis_told
    worker = tellings * costs.told + events * costs.line
    return Need(
        users,
        sign_ins,
        tickets + sign_ins,
        sign_outs,
        tellings,
        events,
        live,
        server / 1000 / costs.used,
        worker / 1000 / costs.used,
        redis / 1000 / costs.used,
        live * (costs.session_bytes + visits),
        users * people.returning * costs.history_bytes,
        sign_ins * costs.written_sign_in + tickets * costs.written_ticket,
        day * lines * costs.line_bytes,
    )


def curve(needs: list[Need]) -> str:
    """Return the table."""
    rows = {
        "sign-ins a second": [f"{one.sign_ins:,.0f}" for one in needs],
        "tickets a second, each validated": [f"{one.tickets:,.0f}" for one in needs],
        "sign-outs a second; applications told": [f"{one.sign_outs:,.0f}; {one.tellings:,.0f}" for one in needs],
        "events a second (one audit writer)": [f"{one.events:,.0f}" for one in needs],
        "live sessions at most": [f"{one.live_sessions / 1e6:,.1f} million" for one in needs],
        "cores for serving": [_cores(one.server_cores) for one in needs],
        "cores for workers": [_cores(one.worker_cores) for one in needs],
        "cores for Redis (one each)": [_cores(one.redis_cores) for one in needs],
        "Redis, sessions": [_bytes(one.redis_sessions) for one in needs],
        "Redis, lists of sign-ins": [_bytes(one.redis_history) for one in needs],
        "append-only file, a second": [_bytes(one.written) for one in needs],
        "audit trail, a day": [_bytes(one.audit_day) for one in needs],
        "set up as": [one.shape for one in needs],
    }
    head = ["at the busiest minute", *(f"{one.users // 1_000_000} million users" for one in needs)]
    return report.table(head, [[title, *cells] for title, cells in rows.items()])


def assumed(people: People, costs: Costs) -> str:
    """Return what the table rests on."""
    rows = [
        [one.metadata["meaning"], f"`{one.name}`", f"{getattr(owner, one.name):g}"]
        for owner in (people, costs)
        for one in fields(owner)
    ]
    return report.table(["assumed", "name", "figure"], rows)


def _cores(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def _bytes(value: float) -> str:
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if value >= size:
            return f"{value / size:.1f} {unit}"
    return f"{value / 1e3:.0f} KB"


def main() -> int:
    """Write the table into the page."""
    people, costs = People(), Costs()
    text = "\n\n".join((curve([need(users, people, costs) for users in USERS]), assumed(people, costs)))
    report.write_between_markers(scale_page.PAGE, text, MARKS)
    print(text)
    return 0


if __name__ == "__main__":
    sys.exit(main())
