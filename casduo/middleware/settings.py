"""The middleware's options: one typed value, checked as a whole when the application starts."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from casduo.middleware import settings_check
from casduo.middleware.errors import SettingsError
from casduo.middleware.grants import GrantStore
from casduo.middleware.session import Revocations, SessionStore

RemoteUser = Callable[[str, dict[str, list[str]]], str | None]
"""Makes the application's user name from the CAS user and the attributes; ``None`` refuses the person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Options of :class:`~casduo.middleware.CasMiddleware`. Times are in seconds, paths are ``PATH_INFO`` patterns.

    The CAS server:

    :param cas_url: its base address, ``https://sso.example.edu/cas``. Plain http is for loopback only.
    :param cas_back_channel_url: base address for validations where the application reaches the server by another way
        than browsers do; default ``cas_url``.
    :param ca_file: PEM file with the authorities to trust instead of those that ``requests`` ships with.
    :param connect_timeout: longest wait for a connection.
    :param read_timeout: longest wait for the whole answer.

    The application:

    :param service_url: its public address, ``https://app.example.edu``, with the path that a reverse proxy takes off,
        if it does. The ``Host`` header is then ignored.
    :param allowed_hosts: instead of ``service_url``, for an application with several names: ``host`` or ``host:port``.
        The scheme is WSGI's, so a proxy's must be told to it.
    :param app_name: what pages call the application; default its host name.
    :param help_url: where pages send people for help.

    Paths. A pattern is an exact path or ends in ``/*``; the longest that matches decides:

    :param protected_paths: need a session.
    :param public_paths: do not.
    :param gateway_paths: do not, but the CAS server is asked silently, once in ``gateway_interval``, who this is.
    :param renew_paths: need credentials typed not longer than ``renew_max_age`` ago.
    :param logout_path: ends the session here and at the CAS server; ``None`` for no such path.
    :param after_logout: path where the CAS server then sends people.
    :param single_logout_path: where back-channel messages are taken; default: every path.
    :param single_logout_from: networks (``10.0.0.0/8``) from whose ``REMOTE_ADDR`` they are taken; default: any.

    The session:

    :param secret_key: signs cookies; at least 32 characters, the same on all nodes. Or several, the newest first.
    :param session: ``cookie``, a Redis URL (``redis://``, ``rediss://``, ``unix://``), ``memory`` for an application
        that is one process, or a store of your own.
    :param revocations: for cookie sessions, where ended ones are remembered: ``memory`` (each process for itself),
        a Redis URL, or an object of your own.
    :param redis_timeout: longest wait for Redis.
    :param session_lifetime: a session's end, whatever happens.
    :param session_idle: its end without requests.
    :param cookie_name: default made from the address, so that applications on one host do not disturb each other.
    :param cookie_secure: default: whether ``service_url`` is https; ``True`` without one.
    :param cookie_path: path of all cookies.

    Proxies, applications that ask others in their users' names (CAS Protocol 3.0, 2.6 and 2.7):

    :param proxy_callback: where the CAS server brings this application proxy-granting tickets: a path below an https
        ``service_url``, or a whole https address at which the server reaches it. Then ``environ["casduo.proxy"]`` buys
        proxy tickets (:class:`~casduo.middleware.Proxy`). Default: this application is no proxy. Not with cookie
        sessions.
    :param proxy_grants: for a session store of your own, where proxy-granting tickets wait for the answer that names
        them: ``memory``, a Redis URL, or an object of your own; default where the sessions are.
    :param allowed_proxies: whose proxy tickets are accepted: callback addresses, whole or ending in ``/*``. Every
        proxy on the way must be allowed. Default: nobody's.

    Who gets in, and how the application is told:

    :param require_context: value that ``authnContextClass`` must hold, ``mfa-duo``. Without it nobody is let in.
    :param remote_user: attribute whose first value becomes ``REMOTE_USER``, or a function of user and attributes;
        default the CAS user. Without a value nobody is let in.
    :param header_prefix: ``HTTP_CAS_`` puts user and attributes into ``environ`` as if they were request headers, for
        applications that know no other way; default: not.

    :raises SettingsError: with every problem found.
    """

    cas_url: str
    secret_key: str | Sequence[str] = field(repr=False)
    service_url: str | None = None
    allowed_hosts: Sequence[str] = ()
    app_name: str = ""
    help_url: str | None = None

    cas_back_channel_url: str | None = None
    ca_file: str | None = None
    connect_timeout: float = 3.0
    read_timeout: float = 10.0

    protected_paths: Sequence[str] = ("/*",)
    public_paths: Sequence[str] = ()
    gateway_paths: Sequence[str] = ()
    renew_paths: Sequence[str] = ()
    gateway_interval: float = 600.0
    renew_max_age: float = 900.0
    logout_path: str | None = "/logout"
    after_logout: str = "/"
    single_logout_path: str | None = None
    single_logout_from: Sequence[str] = ()

    session: str | SessionStore = field(default="cookie", repr=False)
    revocations: str | Revocations = field(default="memory", repr=False)
    redis_timeout: float = 2.0
    session_lifetime: float = 8 * 3600.0
    session_idle: float = 2 * 3600.0
    cookie_name: str = ""
    cookie_secure: bool | None = None
    cookie_path: str = "/"

    proxy_callback: str | None = None
    proxy_grants: str | GrantStore | None = field(default=None, repr=False)
    allowed_proxies: Sequence[str] = ()

    require_context: str | None = None
    remote_user: str | RemoteUser | None = None
    header_prefix: str | None = None

    def __post_init__(self) -> None:
        problems = tuple(settings_check.problems(self))
        if problems:
            raise SettingsError(problems)

    @classmethod
    def of(cls, options: dict[str, Any]) -> Settings:
        """Make settings from keyword options.

        :raises SettingsError: an option is unknown (with a suggestion), missing, or cannot be used.
        """
        known = [option.name for option in fields(cls)]
        problems = [_unknown(name, known) for name in options if name not in known]
        problems += [f"{name} is missing" for name in ("cas_url", "secret_key") if name not in options]
        if problems:
            raise SettingsError(tuple(problems))
        return cls(**options)

    @property
    def keys(self) -> tuple[str, ...]:
        """The signing keys, newest first."""
        return (self.secret_key,) if isinstance(self.secret_key, str) else tuple(self.secret_key)

    @property
    def audience(self) -> str:
        """What tells this application and its CAS server from others; part of every signature and Redis key."""
        return f"{self.service_url or ','.join(sorted(self.allowed_hosts))} {self.cas_url}"

    @property
    def fingerprint(self) -> str:
        """A short name made from :attr:`audience`."""
        return hashlib.sha256(self.audience.encode()).hexdigest()[:8]

    @property
    def callback_url(self) -> str | None:
        """The address that the CAS server is given as ``pgtUrl``."""
        if self.proxy_callback is None or not self.proxy_callback.startswith("/"):
            return self.proxy_callback
        return f"{(self.service_url or '').rstrip('/')}{self.proxy_callback}"

    @property
    def callback_path(self) -> str | None:
        """The path by which calls of :attr:`callback_url` arrive, without what a reverse proxy takes off."""
        if self.proxy_callback is None or self.proxy_callback.startswith("/"):
            return self.proxy_callback
        base = f"{(self.service_url or '').rstrip('/')}/"
        if self.proxy_callback.startswith(base):
            return f"/{self.proxy_callback.removeprefix(base)}"
        return urlsplit(self.proxy_callback).path

    @property
    def secure(self) -> bool:
        """Whether cookies are for https only."""
        if self.cookie_secure is not None:
            return self.cookie_secure
        return self.service_url is None or self.service_url.startswith("https:")

    @property
    def cookie(self) -> str:
        """Name of the session cookie; ``__Host-`` keeps sister domains from planting one (RFC 6265bis, 4.1.3.2)."""
        if self.cookie_name:
            return self.cookie_name
        prefix = "__Host-" if self.secure and self.cookie_path == "/" else ""
        return f"{prefix}casduo-{self.fingerprint}"


def _unknown(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"there is no option {name}" + (f", did you mean {close[0]}?" if close else "")
