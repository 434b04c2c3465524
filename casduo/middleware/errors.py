"""The middleware's own errors: it imports nothing of the server, so it has its own root.

    MiddlewareError
    ├── SettingsError          the options cannot be used; carries every problem
    ├── UnknownHost            the request names a host that is not one of ours
    ├── AddressTooLong         the address cannot be carried through a sign-in
    ├── InvalidResponse        the CAS server's answer is not one that may be believed
    ├── InvalidLogoutRequest   a back-channel message that cannot be read
    ├── InvalidCallback        what came to the proxy callback is no proxy-granting ticket
    ├── ProxyRefused           the CAS server gives no proxy ticket
    ├── CasUnavailable         the CAS server could not be asked
    ├── StoreUnavailable       sessions can be neither read nor written
    ├── SessionTooLarge        what the session must hold does not fit into a cookie
    └── SessionEnded           the ticket's session was ended before it began

``code`` is fixed per class. No error carries a ticket, a cookie or a key.
"""

from __future__ import annotations

from typing import ClassVar


class MiddlewareError(Exception):
    """Root of all errors the middleware raises on purpose. ``code`` is stable across releases."""

    code: ClassVar[str] = "CAS_MIDDLEWARE"


class SettingsError(MiddlewareError):
    """The options cannot be used. ``problems`` holds one sentence for each, not only for the first."""

    code = "SETTINGS"

    def __init__(self, problems: tuple[str, ...]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class UnknownHost(MiddlewareError):
    """The ``Host`` header names no host of ``allowed_hosts``. The name is kept out of the text: it is the client's."""

    code = "UNKNOWN_HOST"


class AddressTooLong(MiddlewareError):
    """The address is longer than can be passed through a redirect to the CAS server and back."""

    code = "ADDRESS_TOO_LONG"


class InvalidResponse(MiddlewareError):
    """An answer of the CAS server may not be believed. ``reason`` is a fixed sentence, never part of the answer."""

    code = "INVALID_RESPONSE"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InvalidLogoutRequest(MiddlewareError):
    """A ``logoutRequest`` cannot be read. ``reason`` is a fixed sentence, never part of the message."""

    code = "INVALID_LOGOUT_REQUEST"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class InvalidCallback(MiddlewareError):
    """A call of the proxy callback cannot be read. ``reason`` is a fixed sentence, never part of the call."""

    code = "INVALID_PROXY_CALLBACK"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ProxyRefused(MiddlewareError):
    """The CAS server gives no proxy ticket.

    ``refusal`` is the server's code (``INVALID_TICKET``: the person has signed out there; ``UNAUTHORIZED_SERVICE``: not
    for this target), or ``NO_PROXY_GRANTING_TICKET``: this session never got what tickets are bought with.
    """

    code = "PROXY_REFUSED"

    def __init__(self, refusal: str) -> None:
        super().__init__(refusal)
        self.refusal = refusal


class CasUnavailable(MiddlewareError):
    """The CAS server was not reached or did not answer properly. ``reason`` is a fixed word such as ``timeout``."""

    code = "CAS_UNAVAILABLE"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class StoreUnavailable(MiddlewareError):
    """The session or revocation store did not answer. ``reason`` is the kind of failure, never an address."""

    code = "STORE_UNAVAILABLE"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class SessionTooLarge(MiddlewareError):
    """A session does not fit into a cookie. ``size`` and ``limit`` are in bytes."""

    code = "SESSION_TOO_LARGE"

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(
            f"user and attributes need a cookie of {size} bytes, browsers keep {limit}: "
            "set session to a Redis URL, or let the CAS server release fewer attributes to this service"
        )
        self.size = size
        self.limit = limit


class SessionEnded(MiddlewareError):
    """The CAS server ended the ticket's session between its validation and the start of ours."""

    code = "SESSION_ENDED"
