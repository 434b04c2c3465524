"""Pushes under way: one for each person, followed by a worker, looked at by a page, and used up by one login.

A request sends a push and leaves; a worker follows it at Duo (Auth API, ``/auth_status``) and notes the verdict here;
the page that the person looks at reads it, and the login it belongs to takes it, once.

    open ──> sending ── sent ──> waiting ── settle ──> allowed, denied, fraud, ... ── take ──> gone
                └── failed ──> gone  └── drop, superseded ──> dropped: nobody reads or takes it any more

Guarantees:

* A person has one open push, however their name is spelled; a push whose sender died frees the place by itself.
* The first verdict wins. It is taken by one step that reads and deletes: of fifty takers one gets it.
* What was dropped opens nothing, whatever is answered to it later. Workers follow it to its end all the same: whoever
  has the password could drop a push before its owner reports it.
* Keys hold fingerprints. Duo's transaction id, by which anybody with our keys learns the verdict, is in the queue only,
  and only until there is one.
* Everything expires by itself; what is decided by time is decided by the caller's ``now``.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Literal, cast

from casduo.authentication.names import folded_username
from casduo.mfa.duo.gateway import PushStatus, RequestFactor
from casduo.signing import fingerprint, random_text
from casduo.store import Batch, Reply, Store, fields_of, load_script
from casduo.store.streams import append

_OPEN = load_script(__file__, "push_open.lua")
_SENT = load_script(__file__, "push_sent.lua")
_FAILED = load_script(__file__, "push_failed.lua")
_NEWS = load_script(__file__, "push_news.lua")
_TAKE = load_script(__file__, "push_take.lua", confirmed=True)
_DROP = load_script(__file__, "push_drop.lua")
_COUNT = load_script(__file__, "push_count.lua")

PushState = Literal["sending", "waiting", "allowed", "denied", "fraud", "timeout", "locked_out", "unavailable"]
"""``unavailable``: Duo went away after it had sent the push."""
SETTLED: frozenset[PushState] = frozenset({"allowed", "denied", "fraud", "timeout", "locked_out", "unavailable"})

ANSWER_TIME = 60.0
"""Seconds that Duo gives a person to answer."""
FOLLOWED = 75.0
"""Seconds after which a push without a verdict has timed out, whatever Duo says or does not say."""
QUEUE = "casduo:duo.pushes"
"""The stream of pushes to follow."""
DUO_FACTORS: Mapping[RequestFactor, str] = {"push": "duo_push", "phone": "phone_call"}
"""Duo's own names of the factors, as its prompt and its log tell them."""

_SENDING_MS = 15_000
"""Longer than a call to Duo may take."""
_FOLLOWED_MS = int(FOLLOWED * 1000)
_KEPT_MS = 300_000
_MOST_QUEUED = 100_000
_ID_LENGTH = 22
_NAME = re.compile(rf"([0-9a-f]{{32}})\.([A-Za-z0-9]{{{_ID_LENGTH}}})")
_LONGEST_WORD = 40
_LONGEST_TEXT = 500


@dataclass(frozen=True, slots=True)
class PushName:
    """What a login knows its push by: the slot tag made of the person's name, and a random id."""

    tag: str
    id: str = field(repr=False)

    @property
    def text(self) -> str:
        """The name on one line; see :meth:`parse`."""
        return f"{self.tag}.{self.id}"

    @classmethod
    def parse(cls, text: str) -> PushName | None:
        """Return the name that ``text`` spells, ``None`` when it cannot be one. Nothing is looked up."""
        match = _NAME.fullmatch(text)
        return cls(match[1], match[2]) if match is not None else None

    @property
    def fingerprint(self) -> str:
        """What stands for the id in Redis."""
        return fingerprint(self.id)

    @property
    def key(self) -> str:
        """The Redis key of the record."""
        return _records_prefix(self.tag) + self.fingerprint

    @property
    def place_key(self) -> str:
        """The Redis key of the person's single place."""
        return f"casduo:{{d:{self.tag}}}:push.place"

    @property
    def count_key(self) -> str:
        """The Redis key of what the person was sent lately."""
        return _count_key(self.tag)


@dataclass(frozen=True, slots=True)
class PushRequest:
    """A push or call that is to be sent.

    ``principal`` is who is asked, ``application`` the name of the Duo application in the settings, ``service`` the
    registry id of what it is for, ``device`` its name for people, ``address`` where the person is, ``code`` the digits
    of a verified push. ``agent`` is the browser in words, ``browser`` a mark of it, empty for none: there another login
    may take the place over.
    """

    principal: str
    application: str
    service: str
    factor: RequestFactor
    device: str
    address: str
    code: str = field(default="", repr=False)
    browser: str = field(default="", repr=False)
    agent: str = ""


@dataclass(frozen=True, slots=True)
class Push:
    """How a push stands. ``status`` is Duo's word and ``status_message`` its text, control characters removed.

    ``sent_at`` and ``ends_at`` are epoch seconds; the latter is when Duo's time for an answer is over. The rest as in
    :class:`PushRequest`.
    """

    state: PushState
    status: str
    status_message: str
    factor: RequestFactor
    device: str
    service: str
    application: str
    code: str = field(repr=False)
    sent_at: float

    @property
    def ends_at(self) -> float:
        """When the time to answer is over."""
        return self.sent_at + ANSWER_TIME


@dataclass(frozen=True, slots=True)
class PushLimits:
    """What one person is sent, pushes, calls and text messages together: ``most`` within ``window`` seconds, unless one
    is approved. Duo itself locks people out whose requests time out too often.
    """

    most: int = 3
    window: float = 300.0


@dataclass(frozen=True, slots=True)
class Opening:
    """What became of the wish to send a push.

    * ``opened``: send it; it goes by ``name``.
    * ``pending``: another login of this person, in another browser, waits for an answer to ``other``.
    * ``limited``: the person was sent too much; ``wait`` in seconds.
    * ``unfollowed``: no worker runs, so nobody would hear the answer.
    """

    outcome: Literal["opened", "pending", "limited", "unfollowed"]
    name: PushName | None = None
    other: Push | None = None
    wait: int = 0


@dataclass(frozen=True, slots=True)
class OpenPush:
    """A push for a worker to follow. ``wanted`` says that a login still waits for it."""

    name: PushName
    transaction: str = field(repr=False)
    request: PushRequest
    sent_at: float
    wanted: bool

    @property
    def deadline(self) -> float:
        """When it has timed out at the latest, in epoch seconds."""
        return self.sent_at + FOLLOWED


class Pushes:
    """All pushes in one store. Every method is one round trip and may raise ``UpstreamUnavailable``.

    :param alive: adds the question whether a worker runs, to be answered with 1 or 0
    :param limits: what one person is sent
    """

    def __init__(self, store: Store, alive: Callable[[Batch], Reply], limits: PushLimits = PushLimits()) -> None:
        self._store = store
        self._alive = alive
        self._limits = (limits.most, int(limits.window * 1000))

    def open(self, request: PushRequest, now: float, *, instead: PushName | None = None) -> Opening:
        """Take the person's place for a push. Whoever gets it sends the push and then calls :meth:`sent` or
        :meth:`failed`.

        :param instead: the former push of the same login, which is dropped in the same step whatever comes of this one
        """
        name = PushName(_tag(request.principal), random_text(_ID_LENGTH))
        keys = [name.key, name.place_key, name.count_key]
        if instead is not None and instead.tag == name.tag:
            keys.append(instead.key)
        times = (_SENDING_MS, _FOLLOWED_MS, _KEPT_MS)
        record = [word for item in fields(request) for word in (item.name, getattr(request, item.name))]
        arguments = (name.fingerprint, _ms(now), *times, *self._limits, _records_prefix(name.tag), *record)
        batch = self._store.batch()
        alive = self._alive(batch)
        answer = batch.script(_OPEN, keys, arguments)
        batch.run()
        opening = _opening(name, answer.value, now)
        if alive.value:
            return opening
        if opening.name is not None:
            self.failed(name)
        return Opening("unfollowed")

    def count(self, principal: str, now: float) -> int:
        """Count something else that a person is sent, a text message. Returns 0, or the seconds to wait: then nothing
        may be sent and nothing was counted.
        """
        arguments = (random_text(_ID_LENGTH), _ms(now), *self._limits)
        return _seconds(self._store.call(_COUNT, (_count_key(_tag(principal)),), arguments))

    def sent(self, name: PushName, transaction: str, now: float) -> None:
        """Note that Duo has sent the push, and queue it for the workers.

        :param transaction: what :meth:`~casduo.mfa.duo.gateway.DuoGateway.push` returned
        """
        batch = self._store.batch()
        arguments = (name.fingerprint, _ms(now), _FOLLOWED_MS, _KEPT_MS)
        batch.script(_SENT, (name.key, name.place_key), arguments)
        # Also if nobody waits for it any more: its owner may report it.
        append(batch, QUEUE, {"name": name.text, "transaction": transaction}, _MOST_QUEUED)
        batch.run()

    def failed(self, name: PushName) -> None:
        """Note that Duo has sent nothing: the place is free again and nothing is counted."""
        self._store.call(_FAILED, (name.key, name.place_key, name.count_key), (name.fingerprint,))

    def read(self, name: PushName, now: float) -> Push | None:
        """Return how a push stands; ``None`` when it is unknown, dropped, taken, or forgotten. One command."""
        return _push(fields_of(self._store.command("HGETALL", name.key)), now)

    def take(self, name: PushName, now: float) -> Push | None:
        """Return how a push stands, as :meth:`read`, and use it up by the same step if it has come to an end: who takes
        it second gets ``None``.
        """
        arguments = (name.fingerprint, _ms(now), _FOLLOWED_MS)
        return _push(fields_of(self._store.call(_TAKE, (name.key, name.place_key), arguments)), now)

    def drop(self, name: PushName) -> None:
        """Give a push up: the place is free, and whatever is answered to it opens nothing."""
        self._store.call(_DROP, (name.key, name.place_key), (name.fingerprint,))

    def to_follow(self, entry: Mapping[str, str]) -> OpenPush | None:
        """Return what an entry of the queue tells to follow; ``None`` where there is nothing to: the push has its
        verdict, or nobody knows it any more.
        """
        name = PushName.parse(entry.get("name", ""))
        record = fields_of(self._store.command("HGETALL", name.key)) if name is not None else {}
        if name is None or record.get("state", "") in ("", *SETTLED):
            return None
        request = PushRequest(
            principal=record["principal"],
            application=record["application"],
            service=record["service"],
            factor=cast(RequestFactor, record["factor"]),
            device=record["device"],
            address=record["address"],
            agent=record.get("agent", ""),
        )
        return OpenPush(name, entry["transaction"], request, _sent_at(record), wanted=record["state"] != "dropped")

    def note(self, name: PushName, status: PushStatus) -> bool:
        """Note how a push stands at Duo while there is no verdict; ``False``: nobody waits for it any more."""
        return self._news(name, "", status, 0.0) is not None

    def settle(self, name: PushName, verdict: PushState, status: PushStatus | None, now: float) -> PushState | None:
        """Note the verdict of a push, unless it has one. An approval resets what the person was sent lately.

        :param verdict: one of :data:`SETTLED`
        :return: what now stands: the verdict, or ``timeout`` for an approval that came too late; ``None`` when nobody
            waits for it any more
        """
        return self._news(name, verdict, status, now)

    def _news(self, name: PushName, verdict: str, status: PushStatus | None, now: float) -> PushState | None:
        word, text = (status.status, status.status_message) if status is not None else ("", "")
        arguments = (
            name.fingerprint,
            verdict,
            word[:_LONGEST_WORD],
            text[:_LONGEST_TEXT],
            _ms(now),
            _FOLLOWED_MS,
            _KEPT_MS,
        )
        keys = (name.key, name.place_key, name.count_key)
        return cast("PushState | None", self._store.call(_NEWS, keys, arguments))


def _opening(name: PushName, answer: Sequence[Any], now: float) -> Opening:
    match answer:
        case ["pending", record]:
            other = _push(fields_of(record), now)
            # The digits are for those who see the other login's page.
            return Opening("pending", other=replace(other, code="") if other is not None else None)
        case ["limited", milliseconds]:
            return Opening("limited", wait=_seconds(milliseconds))
    return Opening("opened", name)


def _push(record: Mapping[str, str], now: float) -> Push | None:
    """Return what a record says at ``now``."""
    state, sent_at = record.get("state", ""), _sent_at(record)
    over = state == "waiting" and now - sent_at >= FOLLOWED
    if state in ("", "dropped"):
        return None
    return Push(
        state="timeout" if over else cast(PushState, state),
        # What Duo said of the waiting is not what it would say of its end.
        status="" if over else record.get("status", ""),
        status_message="" if over else record.get("said", ""),
        factor=cast(RequestFactor, record["factor"]),
        device=record["device"],
        service=record["service"],
        application=record["application"],
        code=record.get("code", ""),
        sent_at=sent_at,
    )


def _sent_at(record: Mapping[str, str]) -> float:
    return float(record.get("sent") or record.get("opened") or 0) / 1000


def _tag(principal: str) -> str:
    return fingerprint(folded_username(principal))[:32]


def _records_prefix(tag: str) -> str:
    return f"casduo:{{d:{tag}}}:push:"


def _count_key(tag: str) -> str:
    return f"casduo:{{d:{tag}}}:push.count"


def _ms(seconds: float) -> int:
    return int(seconds * 1000)


def _seconds(milliseconds: Any) -> int:
    return math.ceil(int(milliseconds) / 1000)
