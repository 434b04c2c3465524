"""Where a flow waits between two requests, and how a request proves that it may go on.

Before anybody is known nothing is stored: place and scope travel signed and timed in the form, good for one use and
only from the browser whose flow cookie they were made for. Afterwards the flow waits in Redis under a random id and
a version; claiming it is one atomic step, so that of two submits, two tabs or two nodes exactly one goes on. A flow
that was claimed by a process that then died cannot be claimed again: the person starts anew, nothing happens twice.

An execution key is ``s.<signed token>`` or ``r.<slot>.<id>.<version>``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import field
from typing import Any

from casduo.errors import CookiesMissing, FlowKeyExpired, FlowKeyForeign, FlowKeyInvalid, FlowKeyUsed
from casduo.rules import LoginRules
from casduo.signing import Purpose, Signing, TokenExpired, TokenInvalid, equal, fingerprint, random_text
from casduo.store import Store, load_script
from casduo.values import value_object
from casduo.webflow.context import Context, Inbound
from casduo.webflow.effects import NewCookie
from casduo.webflow.engine import Effect, Ended, Engine, Kind, Paused, Place, State
from casduo.webflow.scope import Scope

_CLAIM = load_script(__file__, "claim.lua", confirmed=True)
_LOOK = load_script(__file__, "look.lua")
_PARK = load_script(__file__, "park.lua")

_STORED = re.compile(r"r\.([A-Za-z0-9]{4})\.([A-Za-z0-9]{1,64})\.(0|[1-9][0-9]{0,5})")
"""A key has one spelling: with zeros in front of its version it is none that was given out."""


@value_object(frozen=True, slots=True)
class Answer:
    """What a run came to: an ``effect`` to send and, if it waits, the ``execution`` key to go on with.

    ``set_cookie``, ``cookie_lifetime`` and ``cookies`` as in ``Context``.
    """

    effect: Effect
    execution: str = field(repr=False)
    set_cookie: str | None = field(repr=False)
    cookie_lifetime: int | None = None
    cookies: Mapping[str, NewCookie] = field(default_factory=dict)


@value_object(frozen=True, slots=True)
class Stored:
    """A flow that waits in Redis: its id and the version to claim."""

    slot: str
    id: str = field(repr=False)
    version: int

    @property
    def key(self) -> str:
        """The Redis key: the id's fingerprint, for the id is half of what lets a browser go on."""
        return f"casduo:{{{self.slot}}}:flow:{fingerprint(self.id)}"

    @property
    def execution(self) -> str:
        """The execution key."""
        return f"r.{self.slot}.{self.id}.{self.version}"

    def next(self) -> Stored:
        """The same flow at its next stop."""
        return Stored(self.slot, self.id, self.version + 1)


class Executions:
    """Starts flows and goes on with them."""

    id_length = 26
    """Characters of a waiting flow's id, of 5.95 random bits each."""

    def __init__(self, engine: Engine, signing: Signing, store: Store, rules: LoginRules) -> None:
        self._engine = engine
        self._signing = signing
        self._store = store
        self._rules = rules
        self._lifetime = rules.flow_lifetime

    def start(self, flow: str, scope: Scope, inbound: Inbound, *, notice: str = "", username: str = "") -> Answer:
        """Begin ``flow``. ``notice`` is the id of a message for its first page, ``username`` what was typed before.

        :raises UpstreamUnavailable: Redis; nothing has been sent or promised
        """
        context = self._context(inbound, scope, self._new())
        context.notice, context.username = notice, username
        return self._finish(self._engine.start(flow, context), context)

    def resume(self, flow: str, execution: str, event: str, inbound: Inbound) -> Answer:
        """Go on with the ``flow`` that waits under ``execution``; a key is good for its own flow only.

        :raises FlowError: the key is expired, used, foreign or not ours; its ``again`` says what the flow was for, as
            far as that is known
        :raises CookiesMissing: the browser sent no flow cookie
        :raises UpstreamUnavailable: Redis
        """
        if not inbound.flow_cookie:
            raise CookiesMissing("no flow cookie")
        if execution.startswith("s."):
            return self._resume_signed(flow, execution[2:], event, inbound)
        stored = parse_stored(execution)
        if stored is None:
            raise FlowKeyInvalid()
        return self._resume_stored((flow,), stored, event, inbound)

    def look(self, flow: str, execution: str, inbound: Inbound) -> Answer:
        """Show once more what the ``flow`` under ``execution`` waits with; it goes on waiting under the same key.

        One round trip. Only flows that wait in Redis can be looked at.

        :raises FlowError: as for :meth:`resume`
        :raises CookiesMissing: the browser sent no flow cookie
        :raises UpstreamUnavailable: Redis
        """
        if not inbound.flow_cookie:
            raise CookiesMissing("no flow cookie")
        stored = parse_stored(execution)
        if stored is None:
            raise FlowKeyInvalid()
        answer = self._store.call(_LOOK, (stored.key,), (str(stored.version), fingerprint(inbound.flow_cookie)))
        place, scope = _found(answer)
        context = self._context(inbound, Scope.from_json(scope), stored)
        context.looking = True
        if place[0][0] != flow or not self._awaits(place, "proceed"):
            raise FlowKeyInvalid(context.scope.asked())
        return Answer(self._engine.look(place, context).effect, execution, None)

    def _resume_signed(self, flow: str, token: str, event: str, inbound: Inbound) -> Answer:
        try:
            value = self._signing.loads(Purpose.FLOW_KEY, token, self._rules.form_lifetime, inbound.now)
        except TokenExpired as error:
            raise FlowKeyExpired(_asked(error.value)) from error
        except TokenInvalid as error:
            raise FlowKeyInvalid() from error
        place, asked, nonce, cookie = _signed(value)
        if not equal(cookie, fingerprint(inbound.flow_cookie)):
            raise FlowKeyForeign()
        scope = Scope.from_json(asked)
        context = self._context(inbound, scope, self._new())
        context.claim = f"casduo:{{{nonce[:4]}}}:form:{nonce}"
        return self._go_on((flow,), place, event, context)

    def _resume_stored(self, flows: Collection[str], stored: Stored, event: str, inbound: Inbound) -> Answer:
        arguments = (str(stored.version), fingerprint(inbound.flow_cookie), int(inbound.now * 1000))
        place, scope = _found(self._store.call(_CLAIM, (stored.key,), arguments))
        context = self._context(inbound, Scope.from_json(scope), stored.next())
        return self._go_on(flows, place, event, context)

    def _go_on(self, flows: Collection[str], place: Place, event: str, context: Context) -> Answer:
        if place[0][0] not in flows or not self._awaits(place, event):
            raise FlowKeyInvalid(context.scope.asked())
        return self._finish(self._engine.resume(place, event, context), context)

    def _awaits(self, place: Place, event: str) -> bool:
        """Say whether the tables have such a place and wait there for ``event``; they may have changed since the key
        was made. Asked beforehand, so that a mistake in an action is not taken for a key that does not fit.
        """
        rows = [self._row(*step) for step in place]
        for row, (inner, _) in zip(rows, place[1:], strict=False):
            if row is None or row.kind is not Kind.SUBFLOW or row.function != inner:
                return False
        last = rows[-1]
        return last is not None and last.kind is Kind.VIEW and event in last.on

    def _row(self, flow: str, state: str) -> State | None:
        table = self._engine.flows.get(flow)
        return next((row for row in table.rows if row.name == state), None) if table is not None else None

    def _new(self) -> Stored:
        return Stored(random_text(4), random_text(self.id_length), 1)

    def _context(self, inbound: Inbound, scope: Scope, following: Stored) -> Context:
        return Context(inbound, scope, self._store.batch(), next_key=following.execution)

    def _finish(self, outcome: Paused | Ended, context: Context) -> Answer:
        execution = ""
        if isinstance(outcome, Paused):
            execution = self._wait(outcome, context)
        else:
            self._over(outcome, context)
        # Nothing leaves the server before what it tells of is written.
        context.batch.run()
        effect = outcome.effect
        assert effect is not None
        return Answer(effect, execution, context.set_cookie, context.cookie_lifetime, context.cookies)

    def _wait(self, paused: Paused, context: Context) -> str:
        """Let the flow wait, and return the key under which it does."""
        return self._park(paused, context) if context.scope.principal_id else self._sign(paused, context)

    def _over(self, ended: Ended, context: Context) -> None:
        """Take note that the flow has ended."""

    def _park(self, outcome: Paused, context: Context) -> str:
        waiting = parse_stored(context.next_key)
        assert waiting is not None
        state = {"place": outcome.place, "scope": context.scope.to_json()}
        context.batch.script(
            _PARK,
            (waiting.key,),
            (
                int(self._lifetime * 1000),
                waiting.version,
                fingerprint(context.inbound.flow_cookie),
                json.dumps(state, separators=(",", ":")),
                json.dumps(context.scope.asked(), separators=(",", ":")),
            ),
        )
        return waiting.execution

    def _sign(self, outcome: Paused, context: Context) -> str:
        cookie = fingerprint(context.inbound.flow_cookie)
        value = [outcome.place, context.scope.asked(), random_text(22), cookie]
        return "s." + self._signing.dumps(Purpose.FLOW_KEY, value, context.inbound.now)


def parse_stored(execution: str) -> Stored | None:
    """Return the waiting flow that an execution key names, ``None`` for a key of another kind."""
    found = _STORED.fullmatch(execution)
    return Stored(found[1], found[2], int(found[3])) if found is not None else None


def _signed(value: Any) -> tuple[Place, dict[str, Any], str, str]:
    """Return place, what was asked for, mark and cookie's fingerprint as a signed key holds them.

    :raises FlowKeyInvalid: a server of another version has signed something else
    """
    match value:
        case [place, dict(asked), str(nonce), str(cookie)]:
            return _place(place), asked, nonce, cookie
    raise FlowKeyInvalid()


def _found(answer: Sequence[str]) -> tuple[Place, dict[str, Any]]:
    """Return place and scope of a waiting flow, by what the scripts answer.

    :raises FlowError: there is none that this browser may go on with
    """
    match answer[0]:
        case "gone":
            raise FlowKeyExpired({})
        case "foreign":
            raise FlowKeyForeign()
        case "used":
            raise FlowKeyUsed(json.loads(answer[1]))
    return parked(answer[1])


def parked(text: str) -> tuple[Place, dict[str, Any]]:
    """Return place and scope as a record in the store holds them.

    :raises FlowKeyInvalid: a server of another version wrote something else
    """
    try:
        value = json.loads(text)
    except ValueError as error:
        raise FlowKeyInvalid() from error
    match value:
        case {"place": place, "scope": dict(scope)}:
            return _place(place), scope
    raise FlowKeyInvalid()


def _place(value: Any) -> Place:
    if not isinstance(value, list) or not value:
        raise FlowKeyInvalid()
    try:
        return tuple((str(flow), str(state)) for flow, state in value)
    except (TypeError, ValueError) as error:
        raise FlowKeyInvalid() from error


def _asked(value: Any) -> Mapping[str, Any]:
    return value[1] if isinstance(value, list) and len(value) == 4 and isinstance(value[1], dict) else {}
