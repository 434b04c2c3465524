"""Flows of people who can do little but press a key again: how one stands can be asked for, whatever became of it.

They wait in Redis from their first stop, known or not, and what they ended with can be shown for a moment longer.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import Literal

from casduo.errors import FlowKeyExpired, FlowKeyForeign, FlowKeyInvalid
from casduo.rules import LoginRules
from casduo.signing import Signing, fingerprint
from casduo.store import Store
from casduo.webflow.context import Context, Inbound
from casduo.webflow.effects import Page
from casduo.webflow.engine import Effect, Ended, Engine, Paused
from casduo.webflow.execution import Answer, Executions, Stored, parked, parse_stored
from casduo.webflow.scope import Scope
from casduo.webflow.stands import LOST, STAND

_SHOWN_MS = 60_000
"""How long the end of a flow can be looked at."""


@dataclass(frozen=True, slots=True)
class Stand:
    """How a flow stands: it ``waits`` under ``execution`` and ``effect`` is what it shows; somebody is ``busy`` with
    it; or it is ``over``, and ``effect`` is what it ended with.
    """

    state: Literal["waits", "busy", "over"]
    effect: Effect | None = None
    execution: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a flow began: for which service, and the fingerprint of the mark it is bound to. Empty for unknown ones."""

    service: str
    mark: str = field(repr=False)


class Transactions(Executions):
    """Starts such flows and goes on with them.

    :param flows: names of the flows; a key of another one is no good
    :param lifetime: seconds for which a flow waits
    """

    id_length = 22

    def __init__(
        self,
        flows: Collection[str],
        engine: Engine,
        signing: Signing,
        store: Store,
        rules: LoginRules,
        lifetime: float,
    ) -> None:
        super().__init__(engine, signing, store, rules)
        self._flows = flows
        self._lifetime = lifetime

    def new_execution(self) -> str:
        """Return the key under which a flow will wait at its first stop."""
        return self._new().execution

    def begin(self, flow: str, execution: str, scope: Scope, inbound: Inbound) -> Answer:
        """Begin ``flow``.

        :param execution: from :meth:`new_execution`
        :raises UpstreamUnavailable: Redis; nothing has been sent or promised
        """
        stored = parse_stored(execution)
        assert stored is not None
        context = self._context(inbound, scope, stored)
        return self._finish(self._engine.start(flow, context), context)

    def go_on(self, execution: str, inbound: Inbound) -> Answer:
        """Go on with the flow that waits under ``execution``, whichever it is.

        :raises FlowError: see :meth:`resume`
        :raises UpstreamUnavailable: Redis
        """
        stored = parse_stored(execution)
        if stored is None:
            raise FlowKeyInvalid()
        return self._resume_stored(self._flows, stored, "proceed", inbound)

    def stand(self, execution: str, inbound: Inbound) -> Stand:
        """Say how the flow of a key stands, whatever has happened since the key was made. Changes nothing.

        :raises FlowError: there is none (any more), or it belongs to somebody else
        :raises UpstreamUnavailable: Redis
        """
        stored = parse_stored(execution)
        if stored is None:
            raise FlowKeyInvalid()
        answer = self._store.call(STAND, (stored.key,), (fingerprint(inbound.flow_cookie),))
        match answer:
            case ["waits", version, state]:
                return self._waiting(replace(stored, version=int(version)), state, inbound)
            case ["over", text]:
                told = json.loads(text)
                return Stand("over", Page(told["view"], told["data"]))
            case ["busy", since] if inbound.now - int(since) / 1000 < LOST:
                return Stand("busy", execution=execution)
            case ["foreign"]:
                raise FlowKeyForeign()
        raise FlowKeyExpired({})

    def origin(self, execution: str) -> Origin:
        """Say where a flow began, to those who cannot go on with it.

        :raises UpstreamUnavailable: Redis
        """
        stored = parse_stored(execution)
        service, mark = self._store.command("HMGET", stored.key, "again", "cookie") if stored else ("", "")
        return Origin(json.loads(service or "{}").get("service", ""), mark or "")

    def discard(self, execution: str) -> None:
        """Forget a flow.

        :raises UpstreamUnavailable: Redis
        """
        stored = parse_stored(execution)
        if stored is not None:
            self._store.command("DEL", stored.key)

    def _waiting(self, stored: Stored, state: str, inbound: Inbound) -> Stand:
        place, scope = parked(state)
        context = self._context(inbound, Scope.from_json(scope), stored)
        context.looking = True
        if place[0][0] not in self._flows or not self._awaits(place, "proceed"):
            raise FlowKeyInvalid()
        return Stand("waits", self._engine.look(place, context).effect, stored.execution)

    def _wait(self, paused: Paused, context: Context) -> str:
        return self._park(paused, context)

    def _over(self, ended: Ended, context: Context) -> None:
        stored, effect = parse_stored(context.next_key), ended.effect
        known = context.scope.principal_id or context.scope.phone_occupant
        if stored is None or not known or not isinstance(effect, Page):
            return
        text = json.dumps({"view": effect.view, "data": dict(effect.data)}, separators=(",", ":"))
        cookie = fingerprint(context.inbound.flow_cookie)
        context.batch.command("HSET", stored.key, "cookie", cookie, "version", stored.version, "over", text)
        context.batch.command("PEXPIRE", stored.key, _SHOWN_MS)
