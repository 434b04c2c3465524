"""One place that talks to Redis: scripts and commands, one round trip per batch, every fault the same error."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import MaxConnectionsError, NoScriptError, RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError
from redis.retry import Retry

from casduo.errors import UpstreamUnavailable
from casduo.meter import meter
from casduo.store.replies import moment_of
from casduo.store.scripts import Script, all_scripts
from casduo.store.shortage import Shortage
from casduo.store.silence import Silence
from casduo.store.wire import Wire

Value = str | int | float


class Reply:
    """The answer to one command of a batch; readable once the batch has run."""

    __slots__ = ("_done", "_value")

    def __init__(self) -> None:
        self._done = False
        self._value: Any = None

    @property
    def value(self) -> Any:
        """What Redis answered.

        :raises RuntimeError: the batch has not run: a mistake in the caller
        """
        if not self._done:
            raise RuntimeError("the batch has not run yet")
        return self._value

    @property
    def done(self) -> bool:
        """Whether there is an answer."""
        return self._done

    def _set(self, value: Any) -> None:
        self._value = value
        self._done = True


Pending = tuple[Reply, Script | None, tuple[Value, ...], bool]
"""What waits to be sent: where the answer goes, the script or none, the words after its name, and whether replicas have
to confirm it."""

UNCONFIRMED = "Unconfirmed"
"""The detail of the error where too few replicas have confirmed a write."""
_DOUBTED = 20
"""Where replicas did not confirm the last time, the next ones are waited for so many times shorter."""


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What is asked of replicas before a write that must not be lost counts as done (``WAIT``).

    :param replicas: how many have to have it in memory, at least 1
    :param patience: seconds to wait for them, less than the store waits for an answer
    """

    replicas: int
    patience: float


class Batch:
    """Commands that travel together. ``run`` sends all of them in one round trip.

    A batch is not a transaction: each script is atomic, the batch as a whole is not. Commands run in their order; only
    when Redis was restarted since the last call, its scripts run after its plain commands. It may run several times;
    each run sends what was added since the last one.
    """

    __slots__ = ("_after", "_pending", "_store")

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pending: list[Pending] = []
        self._after: list[Callable[[], None]] = []

    def __len__(self) -> int:
        return len(self._pending)

    def script(self, script: Script, keys: Sequence[str], arguments: Sequence[Value] = ()) -> Reply:
        """Add a call of ``script``. All ``keys`` must carry the same slot tag."""
        reply = Reply()
        self._pending.append((reply, script, (len(keys), *keys, *arguments), script.confirmed))
        return reply

    def command(self, *words: Value) -> Reply:
        """Add a plain command such as ``("SET", key, value)``."""
        reply = Reply()
        self._pending.append((reply, None, words, False))
        return reply

    def confirmed(self, *words: Value) -> Reply:
        """Add a plain command whose effect no failover may undo: see ``load_script``."""
        reply = Reply()
        self._pending.append((reply, None, words, True))
        return reply

    def apart(self, *keys: str) -> bool:
        """Whether ``keys`` may lie on several nodes, so that no script can touch them together."""
        return self._store.apart(*keys)

    def then(self, call: Callable[[], None]) -> None:
        """Have ``call`` made once what has been added by now is done. Where it cannot be sent, nothing is called."""
        self._after.append(call)

    def run(self, *, waits: bool = False) -> None:
        """Send everything that waits.

        :param waits: one of the commands has Redis wait for something, so that how long it takes says nothing
        :raises UpstreamUnavailable: Redis could not be reached, refused or did not answer in time; what was sent may
            or may not have happened
        """
        pending, self._pending = self._pending, []
        after, self._after = self._after, []
        if pending:
            self._store._run(pending, measured=not waits)
        for call in after:
            call()


class Store:
    """A pool of connections to one Redis or Valkey.

    :param client: a ready client; see :func:`client_for`
    :param confirmation: what is asked of replicas where something is to be confirmed; without it they are not asked
    """

    def __init__(self, client: redis.Redis, confirmation: Confirmation | None = None) -> None:
        self._client = client
        self._confirmation = confirmation
        self._doubted = False
        self._all: int | None = None
        """How many replicas were all that there are when fewer than wanted had confirmed; ``None`` while enough do."""
        self._told = False
        self._idle: deque[Wire] = deque()
        self._process = os.getpid()
        self._silence = Silence()
        self._shortage = Shortage(client.connection_pool.connection_kwargs.get("socket_timeout") or 0.0)

    def batch(self) -> Batch:
        """Return a new, empty batch."""
        return Batch(self)

    def call(self, script: Script, keys: Sequence[str], arguments: Sequence[Value] = ()) -> Any:
        """Run one script now and return its answer: one round trip.

        :raises UpstreamUnavailable: as ``Batch.run``
        """
        reply = Reply()
        self._run([(reply, script, (len(keys), *keys, *arguments), script.confirmed)])
        return reply.value

    def command(self, *words: Value) -> Any:
        """Run one plain command now and return its answer as Redis gave it: one round trip.

        :raises UpstreamUnavailable: as ``Batch.run``
        """
        reply = Reply()
        self._run([(reply, None, words, False)])
        return reply.value

    def moment(self) -> float:
        """Return the present moment by Redis's clock, in epoch seconds: one round trip.

        :raises UpstreamUnavailable: as ``Batch.run``
        """
        return moment_of(self.command("TIME"))

    def apart(self, *keys: str) -> bool:
        """Whether ``keys`` may lie on several nodes, so that no script can touch them together. Here there is one."""
        return False

    def masters(self) -> Sequence[tuple[str, Store]]:
        """Return each Redis that has keys with its name: host and port in a cluster, nothing for an only one.

        :raises UpstreamUnavailable: it cannot be told who they are
        """
        return [("", self)]

    def ping(self) -> None:
        """Ask whether Redis answers.

        :raises UpstreamUnavailable: it does not
        """
        self.command("PING")

    def close(self) -> None:
        """Give back every connection."""
        self._drop_idle()
        self._client.close()

    def _run(self, pending: Sequence[Pending], *, measured: bool = True) -> None:
        answers, judge = self._answers(pending, measured=measured)
        # Where something was refused that is what is told: who is no master any more cannot wait either.
        for answer in answers:
            if isinstance(answer, Exception):
                raise unavailable(answer) from answer
        judge()
        for (reply, *_), answer in zip(pending, answers, strict=True):
            reply._set(answer)

    def _answers(self, pending: Sequence[Pending], *, measured: bool) -> tuple[list[Any], Callable[[], None]]:
        """Send commands. Returns an answer or a refusal for each, and what raises where too few replicas have confirmed
        those that have to be.

        :raises UpstreamUnavailable: there are no answers
        """
        began, everybody = perf_counter(), self._all
        waiting = self._waiting(pending, everybody)
        try:
            answers = self._send([self._words(item) for item in pending] + waiting, tell=not self._told)
            missing = [index for index, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
            if missing:
                # A Redis that was restarted knows no scripts. Only the calls it refused are sent again.
                texts = [self._words(pending[index], by_text=True) for index in missing]
                again = self._send(texts + waiting, tell=True)
                for index, answer in zip(missing + [len(pending)] * len(waiting), again, strict=True):
                    answers[index] = answer
        except (RedisError, OSError) as error:
            meter().redis_called(perf_counter() - began, answered=False)
            raise unavailable(error) from error
        if measured:
            meter().redis_called(perf_counter() - began, answered=True)
        if not waiting:
            return answers, _nothing
        return answers, partial(self._judge, answers.pop(), everybody)

    def _words(self, item: Pending, *, by_text: bool = False) -> tuple[Value, ...]:
        """Return a command as it is sent."""
        _, script, words, _ = item
        if script is None:
            return words
        return ("EVAL", script.text, *words) if by_text or script.spelled_out else ("EVALSHA", script.sha, *words)

    def _waiting(self, pending: Sequence[Pending], everybody: int | None) -> list[tuple[Value, ...]]:
        """Return the command that has Redis wait for replicas: behind all others, on the same connection, for it is
        about what that connection has written. Nothing where nothing has to be confirmed.

        :param everybody: see ``_all``. More are not waited for: that takes all the time there is, each time.
        """
        wanted = self._confirmation
        if wanted is None or not any(confirmed for *_, confirmed in pending):
            return []
        return [self._wait_command(wanted, wanted.replicas if everybody is None else everybody)]

    def _wait_command(self, wanted: Confirmation, replicas: int) -> tuple[Value, ...]:
        patience = wanted.patience / _DOUBTED if self._doubted else wanted.patience
        return ("WAIT", replicas, max(1, int(patience * 1000)) if replicas else 1)

    def _judge(self, confirmed: Any, everybody: int | None) -> None:
        """Take the answer to ``WAIT``.

        :param everybody: how many were all when it was sent
        :raises UpstreamUnavailable: too few replicas have confirmed: what was written here may be lost with this Redis
        """
        wanted = self._confirmation
        assert wanted is not None
        good = self._suffices(confirmed, wanted)
        if not good and everybody is not None:
            # Somebody is back. Whoever has what is written by now has what was written before.
            try:
                _, confirmed = self._exchange([("PING",), self._wait_command(wanted, wanted.replicas)])
            except (RedisError, OSError) as error:
                raise unavailable(error) from error
            good = self._suffices(confirmed, wanted)
        self._doubted = not good
        if not good:
            raise UpstreamUnavailable("redis", UNCONFIRMED)

    def _suffices(self, confirmed: Any, wanted: Confirmation) -> bool:
        """Return whether as many replicas have confirmed as are wanted, or all that there are.

        :raises UpstreamUnavailable: Redis does not say
        """
        if isinstance(confirmed, Exception):
            raise unavailable(confirmed) from confirmed
        enough = confirmed >= wanted.replicas
        by_all = not enough and self._by_all(confirmed)
        self._all = confirmed if by_all else None
        return bool(enough or by_all)

    def _by_all(self, confirmed: int) -> bool:
        """Whether so many replicas are all that could take this Redis's place. Here nobody can say so."""
        return False

    def _send(self, commands: list[tuple[Value, ...]], *, tell: bool) -> list[Any]:
        """Send commands, on request behind the texts of all scripts.

        Redis knows all scripts or none: if it knew the second script of a batch and not the first, which is sent once
        more then, they would run in the wrong order.
        """
        if not tell:
            return self._exchange(commands)
        texts = [("SCRIPT", "LOAD", script.text) for script in all_scripts()]
        answers = self._exchange([("MULTI",), *texts, ("EXEC",), *commands])
        self._told = True
        return answers[-len(commands) :]

    def _exchange(self, commands: list[tuple[Value, ...]]) -> list[Any]:
        """Send commands together and read an answer or an error for each.

        A connection that Redis has closed meanwhile is replaced, once, and everything is sent again. After one that
        was not answered in time nothing is: but those that lie idle lead to the same Redis, which may have been
        replaced by another. Until it is heard again all but one request a second are refused at once: a thread that
        waits for it serves nobody else.
        """
        if self._silence.lasts and not self._silence.may_try():
            raise RedisTimeoutError("silent a moment ago")
        heard = self._silence.heard
        try:
            try:
                return self._exchange_once(commands)
            except MaxConnectionsError:
                raise
            except RedisConnectionError:
                # Where one was closed behind our back, those that lay idle beside it were most likely too.
                self._drop_idle()
                return self._exchange_once(commands)
        except RedisTimeoutError:
            self._silence.begin(heard)
            self._drop_idle()
            raise

    def _exchange_once(self, commands: list[tuple[Value, ...]]) -> list[Any]:
        wire = self._wire()
        try:
            answers = wire.exchange(commands)
        except BaseException:
            # Whatever is still under way on this connection must not become the answer to somebody else's question.
            self._drop(wire)
            raise
        self._idle.append(wire)
        if self._shortage.lasts:
            self._shortage.freed()
        self._silence.heard += 1
        if self._silence.lasts:
            self._silence.end()
        return answers

    def _drop(self, wire: Wire) -> None:
        wire.connection.disconnect()
        self._client.connection_pool.release(wire.connection)
        if self._shortage.lasts:
            self._shortage.freed()

    def _wire(self) -> Wire:
        """Return a connection that nobody uses: the one used last, or a new one of the pool.

        The pool's own way of handing out connections costs a tenth of a validation.
        """
        if self._process != os.getpid():
            # Connections belong to the process that opened them.
            self._idle, self._process = deque(), os.getpid()
        try:
            return self._any_wire()
        except MaxConnectionsError:
            return self._shortage.wait(self._any_wire)

    def _any_wire(self) -> Wire:
        try:
            return self._idle.pop()
        except IndexError:
            return self._opened()

    def _opened(self) -> Wire:
        pool: Any = self._client.connection_pool
        connection = pool.get_connection()
        try:
            return Wire(connection)
        except OSError as error:
            pool.release(connection)
            raise RedisConnectionError("the connection has ended") from error

    def _drop_idle(self) -> None:
        while self._idle:
            try:
                wire = self._idle.pop()
            except IndexError:
                return
            self._drop(wire)


def client_for(url: str, password: str, timeout: float, max_connections: int, ca_file: str) -> redis.Redis:
    """Return a client for ``redis://``, ``rediss://`` or ``unix://``.

    A broken pooled connection is replaced and what was sent is sent once more: every script of casduo is safe to
    repeat (a ticket taken twice is missing the second time, never valid twice).

    :param timeout: seconds for connecting and for each answer
    """
    options: dict[str, Any] = {
        "decode_responses": True,
        "socket_timeout": timeout,
        "max_connections": max_connections,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }
    if password:
        options["password"] = password
    if not url.startswith("unix://"):
        options["socket_connect_timeout"] = timeout
    if url.startswith("rediss://") and ca_file:
        options["ssl_ca_certs"] = ca_file
    return redis.Redis.from_url(url, **options)


def _nothing() -> None:
    """Find nothing to judge."""


def unavailable(error: Exception) -> UpstreamUnavailable:
    """Return what callers are told of an error of Redis or its client."""
    # The class says what happened; the text of a Redis error may repeat keys and values.
    return UpstreamUnavailable("redis", type(error).__name__)
