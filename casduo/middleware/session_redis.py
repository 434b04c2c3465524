"""Sessions, revocations and grants in Redis, shared by all processes and nodes. The only module that imports ``redis``.

Keys hold hashes of cookies and tickets, never these themselves, and no operation touches two keys at once, so any
Redis from 6.2 on will do, a cluster included. What an application needs to act as a proxy, it has to be able to read:
proxy-granting tickets lie here as they are.

- ``<prefix>:session:<hash>`` is a session; its expiry is the idle limit.
- ``<prefix>:ticket:<hash>`` is the session key that a ticket began, or ``ended``; it settles who came first, the
  session or its end.
- ``<prefix>:grant:<hash>`` is the proxy-granting ticket that an IOU stands for; ``<prefix>:grants`` lists these keys,
  newest first, so that the oldest can make room.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable
from typing import Any, Final, ParamSpec, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from casduo.middleware.errors import SessionEnded, StoreUnavailable
from casduo.middleware.grants import GRANT_CAPACITY, GRANT_MAX_AGE
from casduo.middleware.session import Found, Limits, Session, session_from_json
from casduo.middleware.signing import Purpose, Signer

_P = ParamSpec("_P")
_T = TypeVar("_T")
_ENDED: Final = b"ended"


def connect(url: str, timeout: float) -> redis.Redis:
    """Return a pooled client for ``redis://``, ``rediss://`` or ``unix://``; nothing is sent yet.

    :param timeout: longest wait in seconds for a connection and for an answer.
    """
    return redis.Redis.from_url(
        url,
        socket_timeout=timeout,
        socket_connect_timeout=timeout,
        health_check_interval=30,
        retry=Retry(NoBackoff(), 1),
    )


def _ask(command: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
    try:
        return command(*args, **kwargs)
    except RedisError as error:
        # The text of a Redis error may name the address and what was sent.
        raise StoreUnavailable(type(error).__name__) from None


class RedisSessions:
    """Keeps sessions in Redis; the cookie holds a signed random id. See :class:`~casduo.middleware.SessionStore`.

    :param client: a ``redis.Redis`` (or Sentinel, or cluster) client that returns bytes.
    :param signer: signs the cookie, so that invented ids cost no round trip.
    :param limits: how long sessions live.
    :param prefix: beginning of every key; its own for each application.
    """

    def __init__(self, client: Any, signer: Signer, limits: Limits, prefix: str) -> None:
        self._client = client
        self._signer = signer
        self._limits = limits
        self._prefix = prefix

    def begin(self, session: Session, now: float) -> str:
        """Keep a new session under a new id. Two round trips."""
        session_id = secrets.token_urlsafe(32)
        key = self._session_key(session_id)
        _ask(self._client.set, key, json.dumps(session.to_json()), ex=self._idle)
        first = _ask(self._client.set, self._ticket_key(session.ticket), key, nx=True, ex=self._lifetime)
        if not first:
            _ask(self._client.delete, key)
            raise SessionEnded("the ticket was used or ended before")
        return self._signer.sign(Purpose.SESSION, session_id)

    def find(self, cookie: str, now: float, *, touch: bool) -> Found | None:
        """Return the live session a cookie stands for. One round trip, none for an invented cookie."""
        key = self._key_of(cookie)
        if key is None:
            return None
        stored = _ask(self._client.getex, key, ex=self._idle) if touch else _ask(self._client.get, key)
        session = session_from_json(json.loads(stored)) if stored else None
        if session is None or now >= session.started + self._limits.lifetime:
            return None
        return Found(session)

    def end(self, cookie: str, now: float) -> None:
        """End the session a cookie stands for."""
        key = self._key_of(cookie)
        if key is not None:
            _ask(self._client.delete, key)

    def end_ticket(self, ticket: str, now: float) -> None:
        """End the session that a ticket began, also when it has yet to begin."""
        key = _ask(self._client.set, self._ticket_key(ticket), _ENDED, ex=self._lifetime, get=True)
        if key and key != _ENDED:
            _ask(self._client.delete, key)

    @property
    def _idle(self) -> int:
        return max(1, int(min(self._limits.idle, self._limits.lifetime)))

    @property
    def _lifetime(self) -> int:
        return max(1, int(self._limits.lifetime))

    def _key_of(self, cookie: str) -> str | None:
        session_id = self._signer.read(Purpose.SESSION, cookie)
        return self._session_key(session_id) if isinstance(session_id, str) else None

    def _session_key(self, session_id: str) -> str:
        return f"{self._prefix}:session:{hashlib.sha256(session_id.encode()).hexdigest()}"

    def _ticket_key(self, ticket: str) -> str:
        return f"{self._prefix}:ticket:{ticket}"


class RedisRevocations:
    """Remembers ended cookie sessions in Redis: shared by all processes, and there after a restart.

    :param client: a ``redis.Redis`` (or Sentinel, or cluster) client.
    :param prefix: beginning of every key; its own for each application.
    """

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def add(self, ticket: str, now: float, lifetime: float) -> None:
        """Remember a ticket's hash for ``lifetime`` seconds."""
        _ask(self._client.set, self._key(ticket), b"1", ex=max(1, int(lifetime)))

    def covers(self, session: Session, now: float) -> bool:
        """Return whether the session was ended. One round trip."""
        return bool(_ask(self._client.exists, self._key(session.ticket)))

    def _key(self, ticket: str) -> str:
        return f"{self._prefix}:ended:{ticket}"


class RedisGrants:
    """Keeps proxy-granting tickets in Redis until their IOUs are named. See :class:`~casduo.middleware.GrantStore`.

    :param client: a ``redis.Redis`` (or Sentinel, or cluster) client that returns bytes.
    :param prefix: beginning of every key; its own for each application.
    :param capacity: most tickets kept at a time.
    """

    def __init__(self, client: Any, prefix: str, capacity: int = GRANT_CAPACITY) -> None:
        self._client = client
        self._prefix = prefix
        self._capacity = capacity

    def put(self, iou: str, pgt: str, now: float) -> None:
        """Keep a ticket for its IOU, if there is none for it yet. Three round trips."""
        key, listed = self._key(iou), f"{self._prefix}:grants"
        surplus = _ask(self._client.lpush, listed, key) - self._capacity
        _ask(self._client.expire, listed, GRANT_MAX_AGE)
        if surplus > 0:
            for oldest in _ask(self._client.rpop, listed, surplus) or ():
                _ask(self._client.delete, oldest)
        _ask(self._client.set, key, pgt, nx=True, ex=GRANT_MAX_AGE)

    def take(self, iou: str, now: float) -> str | None:
        """Return the ticket of an IOU and forget both. One round trip, and one taker only."""
        pgt = _ask(self._client.getdel, self._key(iou))
        return pgt.decode() if pgt else None

    def _key(self, iou: str) -> str:
        return f"{self._prefix}:grant:{hashlib.sha256(iou.encode()).hexdigest()}"
