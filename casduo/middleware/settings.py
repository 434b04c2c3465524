"""The middleware's options: one typed value, checked as a whole when the application starts."""

from __future__ import annotations

import hashlib
import ipaddress
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import Any, Final
from urllib.parse import urlsplit

from casduo.middleware import paths
from casduo.middleware.errors import SettingsError
from casduo.middleware.session import Revocations, SessionStore

_REDIS_SCHEMES: Final = ("redis://", "rediss://", "unix://")
_MIN_KEY_LENGTH: Final = 32
_LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1")
_TOKEN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.")

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
    :param session: ``cookie``, a Redis URL (``redis://``, ``rediss://``, ``unix://``), or a store of your own.
    :param revocations: for cookie sessions, where ended ones are remembered: ``memory`` (each process for itself),
        a Redis URL, or an object of your own.
    :param redis_timeout: longest wait for Redis.
    :param session_lifetime: a session's end, whatever happens.
    :param session_idle: its end without requests.
    :param cookie_name: default made from the address, so that applications on one host do not disturb each other.
    :param cookie_secure: default: whether ``service_url`` is https; ``True`` without one.
    :param cookie_path: path of all cookies.

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

    require_context: str | None = None
    remote_user: str | RemoteUser | None = None
    header_prefix: str | None = None

    def __post_init__(self) -> None:
        problems = tuple(_problems(self))
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


def _problems(settings: Settings) -> Iterator[str]:
    yield from _url_problems(settings)
    yield from _key_problems(settings)
    yield from _path_problems(settings)
    yield from _time_problems(settings)
    yield from _store_problems(settings)
    yield from _cookie_problems(settings)
    if settings.ca_file is not None and not os.path.isfile(settings.ca_file):
        yield f"ca_file {settings.ca_file} is not a file"
    if settings.header_prefix is not None and not settings.header_prefix.startswith("HTTP_"):
        yield "header_prefix must begin with HTTP_"


def _url_problems(settings: Settings) -> Iterator[str]:
    for name in ("cas_url", "cas_back_channel_url"):
        url = getattr(settings, name)
        if url is not None and (problem := _url_problem(url, allow_http=False)):
            yield f"{name} {problem}"
    if settings.service_url is not None:
        if problem := _url_problem(settings.service_url, allow_http=settings.cookie_secure is False):
            yield f"service_url {problem}"
        if settings.allowed_hosts:
            yield "service_url and allowed_hosts exclude each other"
    elif not settings.allowed_hosts:
        yield "service_url is missing (or allowed_hosts, for an application with several names)"
    yield from _list_problems("allowed_hosts", settings.allowed_hosts)
    if settings.help_url is not None and urlsplit(settings.help_url).scheme not in ("https", "http", "mailto"):
        yield "help_url must be an http, https or mailto address"


def _url_problem(url: str, *, allow_http: bool) -> str | None:
    try:
        parts = urlsplit(url)
        host = parts.hostname
        parts.port  # noqa: B018 - raises ValueError for a port that is none
    except ValueError:
        return "is not an address"
    if parts.scheme not in ("http", "https") or not host:
        return "must be an address like https://host.example.edu"
    if not url.isascii() or any(character in url for character in " \\@?#"):
        return "must hold neither user, query, fragment nor characters outside ASCII"
    if parts.scheme == "http" and host not in _LOOPBACK_NAMES and not allow_http:
        return "must be https; plain http is for loopback addresses only"
    return None


def _key_problems(settings: Settings) -> Iterator[str]:
    if not settings.keys:
        yield "secret_key is empty"
    if any(len(key) < _MIN_KEY_LENGTH for key in settings.keys):
        yield f"secret_key must have at least {_MIN_KEY_LENGTH} characters"


def _path_problems(settings: Settings) -> Iterator[str]:
    seen: list[tuple[str, str]] = []
    for name in ("protected_paths", "public_paths", "gateway_paths", "renew_paths"):
        patterns = getattr(settings, name)
        if isinstance(patterns, str):
            yield f"{name} must be a list"
            continue
        for pattern in patterns:
            if problem := paths.problem_of(pattern):
                yield f"{name}: {problem}"
        seen.extend((pattern, name) for pattern in patterns)
    for pattern, name in seen:
        others = [other for same, other in seen if same == pattern and other > name]
        if others:
            yield f"the pattern {pattern!r} is in both {name} and {others[0]} (protected_paths is ['/*'] unless set)"
    for name in ("logout_path", "after_logout", "single_logout_path", "cookie_path"):
        path = getattr(settings, name)
        if path is not None and (not path.startswith("/") or not path.isascii() or not path.isprintable()):
            yield f"{name} must be a path that begins with a slash"
    yield from _list_problems("single_logout_from", settings.single_logout_from)
    for network in () if isinstance(settings.single_logout_from, str) else settings.single_logout_from:
        try:
            ipaddress.ip_network(network)
        except ValueError:
            yield f"single_logout_from: {network!r} is not a network like 10.0.0.0/8"


def _list_problems(name: str, value: Iterable[str]) -> Iterator[str]:
    if isinstance(value, str):
        yield f"{name} must be a list"


def _time_problems(settings: Settings) -> Iterator[str]:
    for name in (
        "connect_timeout",
        "read_timeout",
        "redis_timeout",
        "session_lifetime",
        "session_idle",
        "gateway_interval",
        "renew_max_age",
    ):
        if getattr(settings, name) <= 0:
            yield f"{name} must be more than 0 seconds"


def _store_problems(settings: Settings) -> Iterator[str]:
    if isinstance(settings.session, str) and settings.session != "cookie":
        if not settings.session.startswith(_REDIS_SCHEMES):
            yield "session must be 'cookie', a redis://, rediss:// or unix:// address, or a SessionStore"
        if settings.revocations != "memory":
            yield "revocations is for cookie sessions; sessions in Redis need none"
    if isinstance(settings.revocations, str) and not settings.revocations.startswith(("memory", *_REDIS_SCHEMES)):
        yield "revocations must be 'memory', a redis://, rediss:// or unix:// address, or a Revocations object"


def _cookie_problems(settings: Settings) -> Iterator[str]:
    if not set(settings.cookie_name) <= _TOKEN:
        yield "cookie_name must consist of letters, digits, '-', '_' and '.'"
    if settings.cookie_name.startswith("__Host-") and not (settings.secure and settings.cookie_path == "/"):
        yield "a cookie_name with __Host- needs cookie_secure and the cookie_path '/'"
    if settings.cookie_name.startswith("__Secure-") and not settings.secure:
        yield "a cookie_name with __Secure- needs cookie_secure"
