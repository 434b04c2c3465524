"""The job that follows pushes at Duo until there is a verdict, and writes it down for the login that waits for it."""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial

from casduo.authentication.names import canonical_username
from casduo.errors import UpstreamMisconfigured
from casduo.events.model import DuoAnswered, SignedOut, Subject
from casduo.meter import meter
from casduo.mfa.duo.errors import DuoBadParameter, DuoFailure
from casduo.mfa.duo.gateway import PushStatus
from casduo.mfa.duo.pushes import DUO_FACTORS, QUEUE, OpenPush, Pushes, PushState
from casduo.mfa.trust import TrustRecords
from casduo.openfiles import ask_for_open_files
from casduo.store.streams import Entry
from casduo.tickets.index import spellings_of
from casduo.tickets.registry import Lifetimes, TicketRegistry
from casduo.worker.errands import Errands
from casduo.worker.heartbeat import worker_alive
from casduo.worker.parts import Parts, Stopped

LEASE = 5.0
"""Seconds without a sign of life of a worker after which others take over its pushes: people are waiting."""
_MOST = 4096
"""Pushes followed at a time, a connection to Duo each."""
_OTHER_FILES = 256
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 8.0
_HELD = 1.0
"""Seconds. Duo keeps a question for news waiting longer than this, if there is no news."""
_TRIES = 2
"""Attempts at what Duo refuses: a second one may meet other keys or another node."""
_WORDS: dict[str, PushState] = {"fraud": "fraud", "timeout": "timeout", "locked_out": "locked_out"}
_PLAIN = frozenset({"allow", "deny", *_WORDS})


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a push: ``status`` as Duo put it, ``None`` where Duo had no say, ``detail`` for the journal."""

    state: PushState
    status: PushStatus | None = None
    detail: str = ""


class DuoPushes:
    """Follows pushes as long as the worker runs.

    A push is done when its verdict is written. Whoever takes over a push that a worker died over asks Duo again: a
    verdict stays there for minutes. Two that follow the same push do no harm, for the first verdict stands.

    Of each push that somebody waited for one :class:`~casduo.events.model.DuoAnswered` is written, here and nowhere
    else, once the verdict stands. A push that nobody waits for any more is followed all the same, because its owner may
    report it: whoever has the password may have dropped it. A report ends all that lives of the person before it is
    written down, so that it is carried out at least once; the browser it began in may be gone.

    :param lease: see :data:`LEASE`
    """

    name = "duo-pushes"

    def __init__(self, parts: Parts, lease: float = LEASE) -> None:
        self._parts = parts
        self._pushes = Pushes(parts.store, worker_alive)
        self._tickets = TicketRegistry(parts.store, Lifetimes())
        self._trusted = TrustRecords(parts.store)
        self._errands = Errands(parts, self.name, QUEUE, self._carry_out, lease=lease, most=most_pushes())

    def run(self) -> None:
        """See :class:`casduo.worker.process.Job`."""
        if self._parts.settings.duo is None:
            self._parts.stopping.wait()
        else:
            self._errands.run()

    def finish(self, seconds: float) -> None:
        """See :class:`casduo.worker.process.Job`. Pushes are given back at once: people may take a minute to answer."""
        self._errands.finish(0.0)

    def _carry_out(self, entry: Entry) -> bool:
        push = self._parts.insist(lambda: self._pushes.to_follow(entry.fields))
        if push is None:
            return True
        try:
            verdict = self._follow(push)
        except Stopped:
            raise
        except Exception:
            # Whoever waits must not wait for nothing.
            self._settle(push, Verdict("unavailable", detail="fault"))
            raise
        if verdict is None:
            return False
        self._settle(push, verdict)
        return True

    def _follow(self, push: OpenPush) -> Verdict | None:
        """Ask Duo until there is a verdict; at least once, however late it is. ``None``: the worker is to end."""
        noted: PushStatus | None = None
        pause, refusals = _FIRST_PAUSE, 0
        while True:
            asked_at = time.monotonic()
            answer = self._ask(push)
            if self._parts.stopping.is_set():
                return None
            if isinstance(answer, DuoFailure):
                refusals += isinstance(answer, DuoBadParameter | UpstreamMisconfigured)
                if refusals == _TRIES or self._parts.clock() + pause >= push.deadline:
                    return Verdict("unavailable", detail=answer.detail)
            else:
                verdict = judge(answer, late=self._parts.clock() >= push.deadline)
                if verdict is not None:
                    return verdict
                # Without a word Duo kept silent longer than anybody waits.
                news = bool(answer.status) and answer != noted
                if news:
                    self._note(push, answer)
                    noted = answer
                if news or time.monotonic() - asked_at > _HELD:
                    pause = _FIRST_PAUSE
                    continue
            if self._parts.stopping.wait(pause):
                return None
            pause = min(2 * pause, _LONGEST_PAUSE)

    def _ask(self, push: OpenPush) -> PushStatus | DuoFailure:
        try:
            return self._parts.duo.of(push.request.application).push_status(push.transaction)
        except DuoFailure as failure:
            return failure

    def _note(self, push: OpenPush, status: PushStatus) -> None:
        if push.wanted:
            self._parts.insist(lambda: self._pushes.note(push.name, status))

    def _settle(self, push: OpenPush, verdict: Verdict) -> None:
        if verdict.state == "fraud":
            self._end_all(push)
        now = self._parts.clock()
        stands = self._parts.insist(lambda: self._pushes.settle(push.name, verdict.state, verdict.status, now))
        outcome = stands or (verdict.state if verdict.state == "fraud" else "")
        if outcome:
            event = DuoAnswered(
                _subject(push),
                outcome=outcome,
                factor=DUO_FACTORS[push.request.factor],
                transaction=masked(push.transaction),
                detail=verdict.detail if outcome == verdict.state else "too late",
            )
            self._parts.journal.write(event)
            meter().duo_answered(event.factor, outcome, now - push.sent_at)

    def _end_all(self, push: OpenPush) -> None:
        """End what lives of somebody who reported a push, for whoever sent it has the password. Done twice, no harm."""
        duo, users = self._parts.settings.duo, self._parts.insist(lambda: self._users(push.request.principal))
        for user in users:
            self._parts.insist(partial(self._trusted.forget_all, user))
        if duo is None or not duo.end_sessions_on_fraud:
            return
        now = self._parts.clock()
        ended = sum(self._parts.insist(partial(self._tickets.close_sessions_of, user, "fraud", now)) for user in users)
        if ended:
            self._parts.journal.write(SignedOut(_subject(push), cause="fraud", sessions=ended))

    def _users(self, principal: str) -> Collection[str]:
        # UCM, from where a push at a phone comes, may spell the name in other letters than a directory.
        typed = canonical_username(principal, self._parts.settings.login.username_case)
        return {*spellings_of(self._parts.store, principal), typed}


def judge(status: PushStatus, *, late: bool) -> Verdict | None:
    """Return what Duo's answer amounts to, ``None`` for no verdict yet. Pure.

    Only ``allowed`` allows, whatever Duo's word for it. A word that nobody knows yet is a refusal.

    :param late: the time of the push is over
    """
    if status.waiting:
        return Verdict("timeout", detail="no verdict") if late else None
    state = "allowed" if status.allowed else _WORDS.get(status.status, "denied")
    return Verdict(state, status, "" if status.status in _PLAIN else status.status)


def masked(transaction: str) -> str:
    """Return of a transaction id what tells it from others in Duo's log, and lets nobody ask for it."""
    return f"{transaction[:8]}…"


def _subject(push: OpenPush) -> Subject:
    request = push.request
    return Subject(address=request.address, principal=request.principal, service=request.service, agent=request.agent)


def most_pushes() -> int:
    """Return how many pushes can be followed: a push takes a connection."""
    return max(1, min(_MOST, ask_for_open_files(_MOST + _OTHER_FILES) - _OTHER_FILES))
