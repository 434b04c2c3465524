"""Asks the stores of users in order and makes one answer of theirs, alike in words and time for every failure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import structlog

from casduo.authentication.handler import AuthenticationHandler
from casduo.authentication.model import Authenticated, Credential, Outcome, Rejected
from casduo.authentication.names import MAX_USERNAME
from casduo.errors import UpstreamBusy, UpstreamError
from casduo.outbound.breaker import BreakerState
from casduo.outbound.bulkhead import Bulkhead

MAX_PASSWORD = 1024
"""Longest password looked at, in octets of its UTF-8 form: hashing must not be made to chew on megabytes."""

_log = structlog.get_logger(__name__)


class Authenticator:
    """A chain of handlers, each behind its own bulkhead.

    **Who decides.** The first handler that knows the user. A wrong password there is final, even if a later store
    has somebody of the same name with that password. Stores chained here must therefore mean the same person by the
    same name, or be kept apart by ``allowed``.

    **A store that cannot be asked** (``unavailable``, ``busy``) is passed over, so that people of another directory
    and break-glass accounts still get in. It is remembered: if no later handler knows the user, the answer is that
    store's, because "unknown" would be a guess.

    **Equal time.** Every failure costs each handler of the chain one password check, whichever of them decided:
    handlers that did not check one have :meth:`AuthenticationHandler.spend` called. Success costs nothing extra.
    A handler that cannot tell unknown users from wrong passwords (LDAP direct bind) ends the chain, so it goes last.

    :param handlers: in the order in which they are asked; names must differ. Without any nobody gets in, as in browsers
        where all there is are PINs of phones.
    :param limit: how many requests may be inside one handler at once, unless the handler brings its own number.
    :raises ValueError: two handlers of one name.
    """

    def __init__(self, handlers: Sequence[AuthenticationHandler], limit: int) -> None:
        names = [handler.name for handler in handlers]
        if len(set(names)) != len(names):
            raise ValueError(f"authentication handlers need different names, got {names}")
        self._handlers = tuple(handlers)
        self._bulkheads = {handler.name: Bulkhead(handler.name, handler.max_waiting or limit) for handler in handlers}

    @property
    def names(self) -> tuple[str, ...]:
        """The handlers' names in order: what a registry entry's ``authentication`` may list."""
        return tuple(handler.name for handler in self._handlers)

    @property
    def handlers(self) -> tuple[AuthenticationHandler, ...]:
        """The handlers in order, for asking who somebody is. Passwords go through :meth:`authenticate` alone."""
        return self._handlers

    def close(self) -> None:
        """Give back the connections of those handlers that keep some."""
        for handler in self._handlers:
            if close := getattr(handler, "close", None):
                close()

    def servers(self) -> dict[str, Mapping[str, BreakerState]]:
        """Return, of each handler that asks servers, how each of them stands, as the calls of late tell."""
        asked = {handler.name: getattr(handler, "servers", None) for handler in self._handlers}
        return {name: servers() for name, servers in asked.items() if servers is not None}

    def reachable(self) -> dict[str, bool]:
        """Return, of each handler that asks servers, whether any of them answers, as the calls of late tell."""
        return {name: BreakerState.CLOSED in servers.values() for name, servers in self.servers().items()}

    def authenticate(self, credential: Credential, now: float, allowed: Collection[str] = ()) -> Outcome:
        """Return whether the credential is right, asking only handlers named in ``allowed`` (empty: all of them).

        An empty password is refused before any handler sees it: a directory would take it for an unauthenticated
        bind and answer success (RFC 4513, 5.1.2).

        :param now: epoch seconds.
        :returns: ``Rejected`` with ``unavailable`` if no handler is allowed: that is a mistake in the registry.
        """
        if not _is_well_formed(credential):
            return Rejected("wrong", detail="malformed")
        chain = [handler for handler in self._handlers if not allowed or handler.name in allowed]
        if not chain:
            return Rejected("unavailable", detail="no handler allowed")
        answers: dict[str, Rejected] = {}
        for handler in chain:
            answer = self._ask(handler, credential, now)
            if isinstance(answer, Authenticated):
                return answer
            answers[handler.name] = answer
            if _weight(answer) == _DECIDED:
                break
        outcome = min(answers.values(), key=_weight)
        if not outcome.proved:
            self._even_out(chain, answers, credential, now)
        return outcome

    def _even_out(
        self, chain: Sequence[AuthenticationHandler], answers: dict[str, Rejected], credential: Credential, now: float
    ) -> None:
        for handler in chain:
            answer = answers.get(handler.name)
            if answer is None or answer.reason == "unknown":
                self._spend(handler, credential, now, asked=answer is not None)

    def _ask(self, handler: AuthenticationHandler, credential: Credential, now: float) -> Outcome:
        try:
            with self._bulkheads[handler.name]:
                return handler.authenticate(credential, now)
        except UpstreamBusy:
            return Rejected("busy", handler.name)
        except UpstreamError as error:
            _log.error("authentication_handler_failed", handler=handler.name, code=error.code, detail=error.detail)
            return Rejected("unavailable", handler.name, detail=error.code)

    def _spend(self, handler: AuthenticationHandler, credential: Credential, now: float, *, asked: bool) -> None:
        try:
            with self._bulkheads[handler.name]:
                handler.spend(credential, now, asked=asked)
        except UpstreamError as error:
            # The answer stands already; a store that is full or down only makes it come sooner.
            _log.info("authentication_time_not_spent", handler=handler.name, code=error.code)


_DECIDED, _NOT_ASKED, _UNKNOWN = range(3)


def _weight(answer: Rejected) -> int:
    """Of the answers of a chain the lightest counts, and of equals the first."""
    if answer.reason == "unknown":
        return _UNKNOWN
    return _NOT_ASKED if answer.reason in ("unavailable", "busy") else _DECIDED


def is_password(text: str) -> bool:
    """Return whether ``text`` can be a password at all: not empty, no NUL, encodable, at most ``MAX_PASSWORD``."""
    try:
        octets = text.encode()
    except UnicodeEncodeError:
        return False
    return 0 < len(octets) <= MAX_PASSWORD and b"\0" not in octets


def _is_well_formed(credential: Credential) -> bool:
    username = credential.username
    # "Printable" leaves out control characters, NUL, and lone surrogates, which no store could encode.
    named = bool(username.strip()) and len(username) <= MAX_USERNAME and username.isprintable()
    return named and is_password(credential.password)
