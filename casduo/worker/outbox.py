"""The jobs that send what waits in the outbox: one for what is urgent, one for the rest, one that minds the time."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import structlog

from casduo.approvals.build import build_requests
from casduo.cause import caused_by, taken
from casduo.events.messages import Delivered, Deliverer, Message, NotDelivered
from casduo.events.model import Event, Subject
from casduo.events.outbox import READY, UNREADABLE, OutboxWorker
from casduo.events.outbox_events import ChannelResumed, ChannelStopped, MessageDead
from casduo.events.outbox_model import Attempt, DeadLetter, Lane, Reason, Token, Until, Waiting, shown
from casduo.events.outbox_rules import Bury, Later, Pause, Stop, Terms, hopeless, next_step
from casduo.events.record import EventRecord, record_of
from casduo.settings.webex import WebexSettings
from casduo.store.breakers import RedisBreakerMemory
from casduo.store.streams import Entry
from casduo.webex.build import build_webex, look_of
from casduo.webex.deliver import WebexDeliverer
from casduo.worker.errands import Errands
from casduo.worker.parts import Parts, Stopped

LEASE = 60.0
"""Seconds after which others take over a destination that a worker died over: longer than a call of the other side, and
long enough for one that may have gone through.
"""
EVERY = 0.5
"""Seconds between two looks whether it is time for something."""
_AT_ONCE = 4
"""Destinations in hand at a time, of each kind."""
_TURN = 100
"""Messages to one destination after which others get their turn."""
_IDLE = 1.0
_SHARES = 1 << 16

_log = structlog.get_logger("casduo")

BuildDeliverer = Callable[[Parts, WebexSettings], Deliverer]


def terms_of(webex: WebexSettings) -> Terms:
    """Return how messages are sent by the settings."""
    return Terms(webex.per_space, webex.per_token, webex.digest_above, webex.max_age)


def webex_deliverer(parts: Parts, webex: WebexSettings) -> Deliverer:
    """Return who delivers to the Webex of the settings.

    :param webex: their section of that name
    :raises WebexMisconfigured: a file of authorities cannot be read
    """
    client = build_webex(parts.settings, parts.clock, RedisBreakerMemory(parts.store))
    requests, look = build_requests(parts.settings, parts.store), look_of(parts.settings)
    assert client is not None
    return WebexDeliverer(client, requests, parts.services.current, webex, look, parts.journal, parts.clock)


class OutboxSender:
    """Works off destinations as long as the worker runs, one message after the other of each.

    :param lane: which of them
    :param deliverer: makes the one who delivers
    :param terms: how; by the settings if not given
    :param lease: see :data:`LEASE`
    :param every: see :data:`EVERY`
    """

    lane: Lane = "calm"
    name = "outbox"

    def __init__(
        self,
        parts: Parts,
        deliverer: BuildDeliverer = webex_deliverer,
        terms: Terms | None = None,
        lease: float = LEASE,
        every: float = EVERY,
    ) -> None:
        self._parts = parts
        self._every = every
        self._sending: set[str] = set()
        webex = parts.settings.webex
        assert webex is not None
        self._terms = terms if terms is not None else terms_of(webex)
        self._deliverer = deliverer(parts, webex)
        self._outbox = OutboxWorker(parts.store, parts.name, self._terms)
        self._errands = Errands(
            parts, self.name, READY[self.lane], self._carry_out, lease=lease, most=_AT_ONCE, wait=_IDLE
        )

    def run(self) -> None:
        """See :class:`casduo.worker.process.Job`."""
        self._errands.run()

    def finish(self, seconds: float) -> None:
        """See :class:`casduo.worker.process.Job`.

        Where something is still being sent by then, nothing is given back: whoever took it over at once might send it
        a second time while it arrives. The lease ends by itself.
        """
        deadline = time.monotonic() + seconds
        while self._sending and time.monotonic() < deadline:
            time.sleep(min(self._every, 0.05))
        if not self._sending:
            self._errands.finish(max(0.0, deadline - time.monotonic()))

    def _carry_out(self, entry: Entry) -> bool:
        """Work off a destination for one turn. The scripts lay the token down, so that nothing is left to do after."""
        token = Token(entry.fields["to"], entry.id)
        if not self._cleared(token):
            return False
        for _ in range(_TURN):
            if not self._step(token):
                return False
        self._parts.insist(lambda: self._outbox.step_back(token))
        return False

    def _cleared(self, token: Token) -> bool:
        """Put aside what it is no use to deliver, as far as it stands first. Returns whether there is more to do.

        This is before anything takes its place in the pace: of thousands that are too old none is to keep those behind
        it waiting.
        """
        while (found := self._parts.insist(lambda: self._outbox.look(token))) is not None:
            now = self._parts.clock()
            reason = self._no_use(found.first.message, found.tries, now)
            if reason is None:
                return True
            with self._for(found.first.message):
                more = self._bury(found, self._alike(found, reason, now), reason)
            if not more:
                return False
        return False

    def _alike(self, attempt: Attempt, reason: Reason, now: float) -> list[Waiting]:
        """Return the first message, and what waits behind it that is of no use for the same reason."""
        if reason == "tries":
            return [attempt.first]
        backlog = self._parts.insist(lambda: self._outbox.backlog(attempt.token))
        others = (one for one in backlog if one.entry != attempt.first.entry)
        return [attempt.first, *(one for one in others if self._no_use(one.message, 0, now) == reason)]

    def _step(self, token: Token) -> bool:
        """Deliver what is first. Returns whether to go on with the next one."""
        attempt = self._begun(token)
        if attempt is None:
            return False
        with self._for(attempt.first.message):
            return self._tried(attempt)

    def _tried(self, attempt: Attempt) -> bool:
        try:
            return self._try(attempt)
        except Stopped:
            raise
        except Exception as error:
            # Whoever took it next would fare no better; and nobody may lose the token.
            self._parts.fault(error, self.name)
            later = self._parts.clock() + self._terms.longest_pause
            self._parts.insist(
                lambda: self._outbox.put_off(attempt, later, counts=True, failed=True, upto=attempt.upto)
            )
            return False

    def _begun(self, token: Token) -> Attempt | None:
        """Begin with what is first, when it is time; ``None`` where there is nothing to begin with now.

        :raises Stopped: the worker is to end
        """
        while True:
            taken = self._parts.insist(lambda: self._outbox.take(token, self._parts.clock()))
            if not isinstance(taken, Until):
                return taken
            while (left := taken.moment - self._parts.clock()) > 0:
                if self._parts.stopping.wait(min(left, self._every)):
                    raise Stopped

    def _try(self, attempt: Attempt) -> bool:
        first, now = attempt.first, self._parts.clock()
        reason = self._no_use(first.message, attempt.tries - 1, now)
        if reason is not None:
            return self._bury(attempt, self._alike(attempt, reason, now), reason)
        covered, message = self._covered(attempt, now)
        self._sending.add(attempt.token.entry)
        try:
            result = self._deliverer.deliver(message)
        finally:
            self._sending.discard(attempt.token.entry)
        if isinstance(result, Delivered):
            return self._done(attempt, covered, result)
        return self._failed(attempt, covered, result)

    def _no_use(self, message: Message, tries: int, now: float) -> Reason | None:
        return "unreadable" if message.task == UNREADABLE else hopeless(message, tries, now, self._terms)

    def _covered(self, attempt: Attempt, now: float) -> tuple[Sequence[Waiting], Message]:
        """Return what is to be delivered, and which messages that stands for: the first alone, or many in a digest.

        A digest that was tried stays as it was: it may have been delivered.
        """
        alone = [attempt.first], attempt.first.message
        many = 0 < self._terms.digest_above < attempt.waiting
        again = attempt.fails > 0 and not attempt.upto
        if self.lane == "urgent" or again or not (many or attempt.upto):
            return alone
        if not self._deliverer.digestible(attempt.first.message):
            return alone
        backlog = self._parts.insist(lambda: self._outbox.backlog(attempt.token, attempt.upto))
        covered = [one for one in backlog if self._goes_into_digest(one.message, now)]
        digest = self._deliverer.digest([one.message for one in covered]) if len(covered) > 1 else None
        return (covered, digest) if digest is not None else alone

    def _goes_into_digest(self, message: Message, now: float) -> bool:
        return self._no_use(message, 0, now) is None and self._deliverer.digestible(message)

    def _done(self, attempt: Attempt, covered: Sequence[Waiting], delivered: Delivered) -> bool:
        resumed = ChannelResumed(Subject())
        record = self._record(resumed) if delivered.asked else None
        more, back = self._parts.insist(
            lambda: self._outbox.done(attempt, covered, delivered.receipt, delivered.then, record)
        )
        self._note(resumed, back)
        for one in covered:
            with self._for(one.message):
                _log.info("outbox.delivered", **_told(one.message), tries=attempt.tries, together=len(covered))
        return more

    def _failed(self, attempt: Attempt, covered: Sequence[Waiting], result: NotDelivered) -> bool:
        now = self._parts.clock()
        share = secrets.randbelow(_SHARES + 1) / _SHARES
        upto = covered[-1].entry if len(covered) > 1 else ""
        match next_step(result, attempt.tries, attempt.fails, now, share, self._terms):
            case Later(moment, counts):
                self._parts.insist(lambda: self._outbox.put_off(attempt, moment, counts=counts, failed=True, upto=upto))
            case Pause(moment):
                self._parts.insist(lambda: self._outbox.pause(attempt, moment, now))
            case Stop():
                stopped = ChannelStopped(Subject(), status=result.status, detail=result.detail)
                record = self._record(stopped)
                self._note(
                    stopped,
                    self._parts.insist(lambda: self._outbox.stop(attempt, result.status, result.detail, now, record)),
                )
            case Bury(reason):
                return self._bury(attempt, covered, reason, result)
        _log.warning(
            "outbox.waits",
            **_told(attempt.first.message),
            tries=attempt.tries,
            together=len(covered),
            status=result.status,
            detail=result.detail,
        )
        return False

    def _bury(
        self, attempt: Attempt, covered: Sequence[Waiting], reason: Reason, result: NotDelivered | None = None
    ) -> bool:
        """Make dead letters of messages. Those that a digest stood for become one each, as they can be sent again.

        :param covered: the first message, and others for which the same is true
        :param result: how the delivery of all of them went, ``None`` where none was tried now
        """
        status, detail = (result.status, result.detail) if result is not None else (0, "")
        now, first = self._parts.clock(), covered[0].message
        letters = []
        for one in covered:
            tries = attempt.tries if result is not None or one is covered[0] else 0
            letter = DeadLetter(one.message, now, reason, tries, status, detail)
            letters.append((one.entry, letter, self._due_by_burial(one.message)))
        dead = MessageDead(
            Subject(),
            message=first.id,
            to=shown(first.to),
            task=first.task,
            reason=reason,
            status=status,
            detail=detail,
            messages=len(letters),
        )
        resumed, record = ChannelResumed(Subject()), self._record(dead)
        # Who refuses one message has taken the token.
        answered = result is not None and result.remedy == "never" and result.status > 0
        back_record = self._record(resumed) if answered else None
        more, back, made = self._parts.insist(lambda: self._outbox.bury(attempt, letters, record, back_record))
        self._note(resumed, back)
        self._note(dead, made)
        for one in covered[1:] if made else ():
            with self._for(one.message):
                _log.warning("outbox.put_aside", **_told(one.message), reason=reason, status=status, detail=detail)
        return more

    def _due_by_burial(self, message: Message) -> Sequence[Message]:
        try:
            return self._parts.insist(lambda: self._deliverer.buried(message))
        except Stopped:
            raise
        except Exception as error:
            # What is to be put aside must not stay first for it.
            self._parts.fault(error, self.name)
            return ()

    def _for(self, message: Message) -> AbstractContextManager[None]:
        """Have it known which request a message is delivered for."""
        return caused_by(taken(message.cause, self._parts.settings.log.propagate))

    def _record(self, event: Event) -> EventRecord:
        return record_of(event, self._parts.clock())

    def _note(self, event: Event, written: bool) -> None:
        if written:
            self._parts.journal.note(event)


def _told(message: Message) -> dict[str, str]:
    """Return what lines of the log tell of a message."""
    return {"message": message.id, "to": shown(message.to), "task": message.task}


class UrgentOutboxSender(OutboxSender):
    """Works off what is urgent, beside all the rest."""

    lane = "urgent"
    name = "outbox-urgent"


class OutboxTimes:
    """Has destinations worked off whose time has come, as long as the worker runs. All workers do this.

    :param terms: how messages are sent; by the settings if not given
    :param every: see :data:`EVERY`
    """

    name = "outbox-times"

    def __init__(self, parts: Parts, terms: Terms | None = None, every: float = EVERY) -> None:
        self._parts = parts
        self._every = every
        webex = parts.settings.webex
        assert webex is not None
        self._terms = terms if terms is not None else terms_of(webex)

    def run(self) -> None:
        """See :class:`casduo.worker.process.Job`."""
        parts = self._parts
        outbox = OutboxWorker(parts.store, parts.name, self._terms)
        while not parts.stopping.is_set():
            rest = outbox.move(parts.clock())
            # What is laid down from now on has a second to wait, mostly.
            parts.stopping.wait(2 * self._every if rest is None else min(rest, self._every))

    def finish(self, seconds: float) -> None:
        """See :class:`casduo.worker.process.Job`. Nothing is in hand."""
