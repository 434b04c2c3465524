"""One place that talks to Redis: scripts and commands, one round trip per batch, every fault the same error."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Sequence
from typing import Any

import redis
from hiredis import pack_command
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import NoScriptError, RedisError, ResponseError
from redis.retry import Retry

from casduo.errors import UpstreamUnavailable
from casduo.store.scripts import Script, all_scripts

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

    def _set(self, value: Any) -> None:
        self._value = value
        self._done = True


_Pending = tuple[Reply, Script | None, tuple[Value, ...]]
"""What waits to be sent: where the answer goes, the script or none, and the words after its name."""


class Batch:
    """Commands that travel together. ``run`` sends all of them in one round trip.

    A batch is not a transaction: each script is atomic, the batch as a whole is not. Commands run in their order; only
    when Redis was restarted since the last call, its scripts run after its plain commands. It may run several times;
    each run sends what was added since the last one.
    """

    __slots__ = ("_pending", "_store")

    def __init__(self, store: Store) -> None:
        self._store = store
        self._pending: list[_Pending] = []

    def __len__(self) -> int:
        return len(self._pending)

    def script(self, script: Script, keys: Sequence[str], arguments: Sequence[Value] = ()) -> Reply:
        """Add a call of ``script``. All ``keys`` must carry the same slot tag."""
        reply = Reply()
        self._pending.append((reply, script, (len(keys), *keys, *arguments)))
        return reply

    def command(self, *words: Value) -> Reply:
        """Add a plain command such as ``("SET", key, value)``."""
        reply = Reply()
        self._pending.append((reply, None, words))
        return reply

    def run(self) -> None:
        """Send everything that waits.

        :raises UpstreamUnavailable: Redis could not be reached, refused or did not answer in time; what was sent may
            or may not have happened
        """
        pending, self._pending = self._pending, []
        if pending:
            self._store._run(pending)


class Store:
    """A pool of connections to one Redis or Valkey.

    :param client: a ready client; see :func:`client_for`
    """

    def __init__(self, client: redis.Redis) -> None:
        self._client = client
        self._told = False
        self._idle: deque[Any] = deque()
        self._process = os.getpid()

    def batch(self) -> Batch:
        """Return a new, empty batch."""
        return Batch(self)

    def call(self, script: Script, keys: Sequence[str], arguments: Sequence[Value] = ()) -> Any:
        """Run one script now and return its answer: one round trip.

        :raises UpstreamUnavailable: as ``Batch.run``
        """
        reply = Reply()
        self._run([(reply, script, (len(keys), *keys, *arguments))])
        return reply.value

    def command(self, *words: Value) -> Any:
        """Run one plain command now and return its answer as Redis gave it: one round trip.

        :raises UpstreamUnavailable: as ``Batch.run``
        """
        reply = Reply()
        self._run([(reply, None, words)])
        return reply.value

    def ping(self) -> None:
        """Ask whether Redis answers.

        :raises UpstreamUnavailable: it does not
        """
        self.command("PING")

    def close(self) -> None:
        """Give back every connection."""
        self._drop_idle()
        self._client.close()

    def _run(self, pending: Sequence[_Pending]) -> None:
        try:
            answers = self._send([_words(item) for item in pending], tell=not self._told)
            missing = [index for index, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
            if missing:
                # A Redis that was restarted knows no scripts. Only the calls it refused are sent again.
                again = self._send([_words(pending[index], by_text=True) for index in missing], tell=True)
                for index, answer in zip(missing, again, strict=True):
                    answers[index] = answer
        except (RedisError, OSError) as error:
            raise _unavailable(error) from error
        for answer in answers:
            if isinstance(answer, Exception):
                raise _unavailable(answer) from answer
        for (reply, _, _), answer in zip(pending, answers, strict=True):
            reply._set(answer)

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

        On a connection rather than through the client's own commands: those cost more than Redis itself.
        A connection that Redis has closed meanwhile is replaced, once, and everything is sent again.
        """
        try:
            return self._exchange_once(commands)
        except RedisConnectionError:
            # Where one was closed behind our back, those that lay idle beside it were most likely too.
            self._drop_idle()
            return self._exchange_once(commands)

    def _exchange_once(self, commands: list[tuple[Value, ...]]) -> list[Any]:
        connection = self._connection()
        try:
            packed = [pack_command(words) for words in commands]  # type: ignore[arg-type]
            connection.send_packed_command([b"".join(packed)])
            answers = [_answer(connection) for _ in commands]
        except BaseException:
            # Whatever is still under way on this connection must not become the answer to somebody else's question.
            connection.disconnect()
            self._client.connection_pool.release(connection)
            raise
        self._idle.append(connection)
        return answers

    def _connection(self) -> Any:
        """Return a connection that nobody uses: the one used last, or a new one of the pool.

        The pool's own way of handing out connections costs a tenth of a validation.
        """
        if self._process != os.getpid():
            # Connections belong to the process that opened them.
            self._idle, self._process = deque(), os.getpid()
        try:
            return self._idle.pop()
        except IndexError:
            pool: Any = self._client.connection_pool
            return pool.get_connection()

    def _drop_idle(self) -> None:
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:
                return
            connection.disconnect()
            self._client.connection_pool.release(connection)


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


def _words(item: _Pending, by_text: bool = False) -> tuple[Value, ...]:
    _, script, words = item
    if script is None:
        return words
    return ("EVAL", script.text, *words) if by_text or script.spelled_out else ("EVALSHA", script.sha, *words)


def _answer(connection: Any) -> Any:
    try:
        return connection.read_response()
    except ResponseError as error:
        return error


def _unavailable(error: Exception) -> UpstreamUnavailable:
    # The class says what happened; the text of a Redis error may repeat keys and values.
    return UpstreamUnavailable("redis", type(error).__name__)
