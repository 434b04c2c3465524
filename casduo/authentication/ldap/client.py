"""One connection to one directory server: the only module that knows ldap3.

We open the socket and speak TLS ourselves and leave to ldap3 what it is good at, the messages. Its own opening code
takes whole seconds only, leaves sockets open on failure and replaces the host name check of the standard library; its
server objects are shared state between connections, so every connection gets one of its own.
"""

from __future__ import annotations

import math
import socket
import ssl
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from casduo.authentication.ldap.directory import SUCCESS, BindAnswer, ConnectionLost, Entry
from casduo.authentication.ldap.password_policy import CONTROL
from casduo.authentication.ldap.settings import Scope, Server
from casduo.errors import UpstreamMisconfigured, UpstreamUnavailable

with warnings.catch_warnings():
    # ldap3 2.9.1 imports these two by the names they had before pyasn1 0.5; nothing else is silenced.
    warnings.filterwarnings("ignore", "(tagMap|typeMap) is deprecated", DeprecationWarning)
    import ldap3
    from ldap3.core.exceptions import LDAPExceptionError, LDAPInvalidFilterError

_START_TLS = "1.3.6.1.4.1.1466.20037"
_MAX_ANSWER = 4 * 1024 * 1024
_SCOPES: dict[Scope, Any] = {"subtree": ldap3.SUBTREE, "one": ldap3.LEVEL, "base": ldap3.BASE}


@dataclass(frozen=True, slots=True)
class Transport:
    """How to reach servers. Times are seconds; ``start_tls`` is about servers that are not secure from the start."""

    upstream: str
    connect_timeout: float
    receive_timeout: float
    tls: ssl.SSLContext
    start_tls: bool


class Client:
    """A connection to ``server``, open and not bound. Used by one thread at a time.

    :raises UpstreamUnavailable: it cannot be opened; the detail says what the operating system or TLS said.
    :raises UpstreamMisconfigured: the server refuses StartTLS. Nothing is ever sent in the clear instead.
    """

    def __init__(self, server: Server, transport: Transport) -> None:
        self._upstream = transport.upstream
        self._receive_timeout = transport.receive_timeout
        self._socket = _DeadlineSocket(_open(server, transport))
        self._connection = _attach(self._socket)
        if transport.start_tls and not server.secure:
            try:
                self._start_tls(server, transport)
            except BaseException:
                self.close()
                raise

    def bind(self, dn: str, password: str, *, ask_policy: bool = False) -> BindAnswer:
        """Bind by name and password (RFC 4513, section 5.1.3) and return the answer, whatever it is.

        The password is sent as its UTF-8 octets. ldap3's own preparation (SASLprep) is passed by: it maps some
        characters to nothing, and directories store what they were given.

        :param ask_policy: send the password policy request control.
        :raises ValueError: an empty name or password, which would be an anonymous bind.
        """
        octets = password.encode()
        if not dn or not octets:
            raise ValueError("a bind needs a name and a password")
        connection = self._connection
        connection.user, connection.password, connection.authentication = dn, octets, ldap3.SIMPLE
        try:
            with self._conversation():
                connection.bind(read_server_info=False, controls=[(CONTROL, False, None)] if ask_policy else None)
                result = self._result("bindResponse")
                policy = result.get("controls", {}).get(CONTROL)
                value = None if policy is None else policy["value"] or b""
                return BindAnswer(result["result"], result["message"], value)
        finally:
            connection.password = connection.request = None

    def search(
        self, base: str, search_filter: str, scope: Scope, attributes: tuple[str, ...], limit: int
    ) -> tuple[int, tuple[Entry, ...]]:
        """Search and return the result code with the entries found. Aliases and referrals are not followed.

        :param limit: most entries wanted; the code is 4 (sizeLimitExceeded) when there are more.
        :raises UpstreamMisconfigured: the filter is not one.
        """
        with self._conversation():
            self._connection.search(
                base,
                search_filter,
                _SCOPES[scope],
                dereference_aliases=ldap3.DEREF_NEVER,
                attributes=list(attributes),
                size_limit=limit,
                time_limit=math.ceil(self._receive_timeout),
            )
            code = int(self._result("searchResDone")["result"])
            found = [answer for answer in self._connection.response or () if answer["type"] == "searchResEntry"]
            return code, tuple(_entry(answer) for answer in found)

    def close(self) -> None:
        """Say goodbye if anybody still listens, and close."""
        with suppress(LDAPExceptionError, OSError):
            self._connection.unbind()
        self._socket.close()

    def _start_tls(self, server: Server, transport: Transport) -> None:
        with self._conversation():
            self._connection.extended(_START_TLS)
            code = self._result("extendedResp")["result"]
        if code != SUCCESS:
            raise UpstreamMisconfigured(self._upstream, f"{server} refuses StartTLS (result {code})")
        with _opening(self._upstream, server):
            self._socket.secure(transport.tls, server.host, transport.receive_timeout)

    def _result(self, kind: str) -> dict[str, Any]:
        """Return the result of what was asked. ldap3 takes any answer with the right id for one."""
        result: dict[str, Any] = self._connection.result
        if result["type"] != kind:
            raise _AnotherAnswerError
        return result

    @contextmanager
    def _conversation(self) -> Iterator[None]:
        """One request and its answer: bounded in time and size, every fault in casduo's words."""
        self._socket.allow(self._receive_timeout, _MAX_ANSWER)
        try:
            yield
        except LDAPInvalidFilterError:
            raise UpstreamMisconfigured(self._upstream, "the filter is not valid") from None
        except Exception as error:
            # ldap3's decoder raises whatever it trips over on octets that are not LDAP: KeyError, IndexError, ...
            # Its texts are left out: they may quote what was sent.
            if self._socket.timed_out:
                raise UpstreamUnavailable(self._upstream, "no answer in time") from None
            if isinstance(error, LDAPExceptionError | OSError):
                raise ConnectionLost(self._upstream, type(error).__name__) from None
            raise UpstreamUnavailable(self._upstream, f"unreadable answer ({type(error).__name__})") from None


class _AnotherAnswerError(Exception):
    """The answer is one to something else."""


class _DeadlineSocket:
    """A socket whose reading ends in time for the whole answer, not for each packet of it, and at a size."""

    def __init__(self, plain: socket.socket) -> None:
        self._socket = plain
        self._deadline = 0.0
        self._octets_left = 0
        self.timed_out = False

    def allow(self, seconds: float, octets: int) -> None:
        self._deadline = time.monotonic() + seconds
        self._octets_left = octets

    def secure(self, context: ssl.SSLContext, host: str, timeout: float) -> None:
        self._socket.settimeout(timeout)
        self._socket = context.wrap_socket(self._socket, server_hostname=host)

    def recv(self, size: int) -> bytes:
        with self._in_time():
            data = self._socket.recv(size)
        self._octets_left -= len(data)
        if self._octets_left < 0:
            raise OSError("the answer is too large")
        return data

    def sendall(self, data: bytes) -> None:
        with self._in_time():
            self._socket.sendall(data)

    def shutdown(self, how: int) -> None:
        self._socket.shutdown(how)

    def close(self) -> None:
        self._socket.close()

    @contextmanager
    def _in_time(self) -> Iterator[None]:
        try:
            remaining = self._deadline - time.monotonic()
            if remaining <= 0:
                raise TimeoutError("no answer in time")
            self._socket.settimeout(remaining)
            yield
        except TimeoutError:
            self.timed_out = True
            raise


def _open(server: Server, transport: Transport) -> socket.socket:
    with _opening(transport.upstream, server):
        plain = socket.create_connection((server.host, server.port), transport.connect_timeout)
        try:
            plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not server.secure:
                return plain
            plain.settimeout(transport.receive_timeout)
            return transport.tls.wrap_socket(plain, server_hostname=server.host)
        except BaseException:
            plain.close()
            raise


@contextmanager
def _opening(upstream: str, server: Server) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        # ssl.SSLError and its certificate errors are OSErrors; nothing secret has been said yet.
        raise UpstreamUnavailable(upstream, f"{server}: {error}") from None


def _attach(channel: _DeadlineSocket) -> Any:
    """Return an ldap3 connection that talks over ``channel`` as if it had opened it."""
    connection: Any = ldap3.Connection(
        ldap3.Server("localhost", get_info=ldap3.NONE),
        client_strategy=ldap3.SYNC,
        auto_referrals=False,
        auto_range=False,
        check_names=False,
        auto_escape=False,
        raise_exceptions=False,
        read_only=True,
    )
    connection.socket = channel
    connection.closed = False
    connection.listening = True
    connection.strategy._outstanding = {}
    return connection


def _entry(answer: dict[str, Any]) -> Entry:
    attributes = {name.lower(): tuple(values) for name, values in answer["raw_attributes"].items()}
    return Entry(answer["dn"], {name: values for name, values in attributes.items() if values})
