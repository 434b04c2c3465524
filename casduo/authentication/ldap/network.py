"""A directory of one or more servers over the network: failover, a pool for searching, a connection per bind."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import TypeVar

import structlog

from casduo.authentication.ldap.client import Client, Transport
from casduo.authentication.ldap.directory import SUCCESS, BindAnswer, ConnectionLost, Entry
from casduo.authentication.ldap.escaping import fill_filter
from casduo.authentication.ldap.policy import is_verdict
from casduo.authentication.ldap.settings import LdapSettings, Server
from casduo.clock import Clock
from casduo.errors import UpstreamError, UpstreamMisconfigured, UpstreamUnavailable
from casduo.outbound.breaker import Breaker, BreakerState

_FAILURES_ALONE = 3
"""A server that has no deputy is given up only after so many failures in a row."""
_IDLE = 60.0
"""Seconds after which an idle search connection is closed, before a firewall between forgets it."""

_SIZE_LIMIT_EXCEEDED = 4
_CANNOT_SEARCH = frozenset({1, 3, 11, 51, 52, 80})
_CANNOT_BIND = frozenset({51, 52})
"""Result codes by which a server says that it cannot do so just now; another one may."""

_log = structlog.get_logger(__name__)
T = TypeVar("T")


class NetworkDirectory:
    """The directory that :class:`LdapSettings` describes. Implements
    :class:`~casduo.authentication.ldap.directory.Directory`.

    Servers are asked in the configured order. One that does not answer is left alone for the settings' ``pause``; then
    one request at a time tries it. When all are left alone, the answer is "unavailable" at once, without waiting. One
    that answers without a word about the person, by refusing ``bind_dn`` for one, is passed over each time.
    A request waits at most for one connection and two answers per server.

    :param clock: monotonic seconds; for tests.
    :raises UpstreamMisconfigured: the file of authorities cannot be read.
    """

    def __init__(self, settings: LdapSettings, clock: Clock = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._transport = Transport(
            settings.name, settings.connect_timeout, settings.receive_timeout, _tls(settings), settings.start_tls
        )
        servers = settings.parsed_servers()
        failures = _FAILURES_ALONE if len(servers) == 1 else 1
        self._breakers = {server: Breaker(str(server), failures, settings.pause, clock) for server in servers}
        self._pools = {server: _Pool(settings.pool_size, clock) for server in servers}
        self._asks_policy = settings.password_policy and settings.vendor != "active_directory"

    def search_user(self, username: str) -> tuple[Entry, ...]:
        """See :meth:`Directory.search_user`."""
        search_filter = fill_filter(self._settings.filter, username)
        return self._ask(lambda server: self._search(server, search_filter))

    def bind_as(self, dn: str, password: str, *, read_entry: bool = False) -> BindAnswer:
        """See :meth:`Directory.bind_as`."""
        kept: list[BindAnswer] = []

        def ask(server: Server) -> BindAnswer:
            answer = self._bind(server, dn, password, read_entry)
            if is_verdict(answer.code):
                return answer
            kept.append(answer)
            raise UpstreamMisconfigured(self._settings.name, f"bind answered with result {answer.code}")

        try:
            return self._ask(ask)
        except UpstreamError:
            if not kept:
                raise
        return kept[0]

    def servers(self) -> dict[str, BreakerState]:
        """See :meth:`Directory.servers`."""
        now = self._clock()
        return {str(server): breaker.state(now) for server, breaker in self._breakers.items()}

    def close(self) -> None:
        """See :meth:`Directory.close`: the idle search connections."""
        for pool in self._pools.values():
            pool.close()

    def _ask(self, question: Callable[[Server], T]) -> T:
        wrong: UpstreamMisconfigured | None = None
        failure: UpstreamError
        for server, breaker in self._breakers.items():
            if not breaker.allow(self._clock()):
                continue
            try:
                return breaker.observe(partial(question, server))
            except UpstreamMisconfigured as error:
                # Of several servers one may be set up wrongly. It answers, so it is asked again the next time: it may
                # be about one person's entry alone, who must not be able to have it left alone for all.
                wrong, failure = wrong or error, error
            except UpstreamUnavailable as error:
                failure = error
            detail = failure.detail
            _log.warning("ldap_server_failed", handler=self._settings.name, server=str(server), detail=detail)
        raise wrong or UpstreamUnavailable(self._settings.name, "no server answers")

    def _search(self, server: Server, search_filter: str) -> tuple[Entry, ...]:
        pooled = self._pools[server].take()
        if pooled is not None:
            try:
                return self._search_with(pooled, server, search_filter)
            except ConnectionLost:
                # It may have died while it lay idle, of a server restart say. A new one tells. After a time-out the
                # server is not asked a second time: it is slow, and the person is waiting.
                _log.info("ldap_connection_stale", handler=self._settings.name, server=str(server))
        return self._search_with(self._open_for_search(server), server, search_filter)

    def _search_with(self, client: Client, server: Server, search_filter: str) -> tuple[Entry, ...]:
        settings = self._settings
        try:
            code, entries = client.search(
                settings.base, search_filter, settings.scope, settings.attributes_to_read(), limit=2
            )
        except BaseException:
            client.close()
            raise
        if code in _CANNOT_SEARCH:
            client.close()
            raise ConnectionLost(settings.name, f"search answered with result {code}")
        self._pools[server].give(client)
        if code not in (SUCCESS, _SIZE_LIMIT_EXCEEDED):
            raise UpstreamMisconfigured(settings.name, f"search answered with result {code}")
        return entries

    def _open_for_search(self, server: Server) -> Client:
        client = Client(server, self._transport)
        if not self._settings.bind_dn:
            return client
        try:
            answer = client.bind(self._settings.bind_dn, self._settings.bind_password)
            if answer.code in _CANNOT_BIND:
                raise UpstreamUnavailable(self._settings.name, f"bind_dn answered with result {answer.code}")
            if answer.code != SUCCESS:
                raise UpstreamMisconfigured(self._settings.name, f"bind_dn refused with result {answer.code}")
        except BaseException:
            client.close()
            raise
        return client

    def _bind(self, server: Server, dn: str, password: str, read_entry: bool) -> BindAnswer:
        client = Client(server, self._transport)
        try:
            answer = client.bind(dn, password, ask_policy=self._asks_policy)
            if answer.code in _CANNOT_BIND:
                raise UpstreamUnavailable(self._settings.name, f"bind answered with result {answer.code}")
            if answer.code != SUCCESS or not read_entry:
                return answer
            _, entries = client.search(dn, "(objectClass=*)", "base", self._settings.attributes_to_read(), limit=1)
            return BindAnswer(answer.code, answer.diagnostic, answer.policy, entries[0] if entries else None)
        finally:
            client.close()


class _Pool:
    """Idle connections, the most recently used first, so that those not needed grow old and are closed."""

    def __init__(self, size: int, clock: Clock) -> None:
        self._size = size
        self._clock = clock
        self._lock = threading.Lock()
        self._idle: list[tuple[float, Client]] = []

    def take(self) -> Client | None:
        """Return an idle connection, or None. Whoever takes it gives it back or closes it."""
        oldest = self._clock() - _IDLE
        with self._lock:
            expired = [client for since, client in self._idle if since < oldest]
            self._idle = [(since, client) for since, client in self._idle if since >= oldest]
            taken = self._idle.pop()[1] if self._idle else None
        for client in expired:
            client.close()
        return taken

    def give(self, client: Client) -> None:
        """Keep a connection that works, if there is room."""
        with self._lock:
            if len(self._idle) < self._size:
                self._idle.append((self._clock(), client))
                return
        client.close()

    def close(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for _, client in idle:
            client.close()


def _tls(settings: LdapSettings) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=settings.ca_file)
    except OSError as error:
        raise UpstreamMisconfigured(settings.name, f"cannot read ca_file {settings.ca_file}: {error}") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context
