"""What can be wrong with the middleware's options: a sentence for every mistake."""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from casduo.middleware import paths, proxies
from casduo.middleware.session import CookieSessions

if TYPE_CHECKING:
    from casduo.middleware.settings import Settings

_REDIS_SCHEMES: Final = ("redis://", "rediss://", "unix://")
_REDIS: Final = "a redis://, rediss:// or unix:// address"
_MIN_KEY_LENGTH: Final = 32
_LOOPBACK_NAMES: Final = ("localhost", "127.0.0.1", "::1")
_TOKEN: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.")
_CALLBACK_PATH: Final = re.compile(r"(?:/[A-Za-z0-9._~-]+)+/?")
"""Nothing that would be written in another way where it arrives."""


def problems(settings: Settings) -> Iterator[str]:
    """Give a sentence for every option that cannot be used."""
    yield from _url_problems(settings)
    yield from _key_problems(settings)
    yield from _path_problems(settings)
    yield from _time_problems(settings)
    yield from _store_problems(settings)
    yield from _proxy_problems(settings)
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
        if settings.session != "memory" and not settings.session.startswith(_REDIS_SCHEMES):
            yield f"session must be 'cookie', 'memory', {_REDIS}, or a SessionStore"
        if settings.revocations != "memory":
            yield "revocations is for cookie sessions; sessions kept elsewhere need none"
    if isinstance(settings.revocations, str) and not settings.revocations.startswith(("memory", *_REDIS_SCHEMES)):
        yield f"revocations must be 'memory', {_REDIS}, or a Revocations object"


def _proxy_problems(settings: Settings) -> Iterator[str]:
    yield from _list_problems("allowed_proxies", settings.allowed_proxies)
    for pattern in () if isinstance(settings.allowed_proxies, str) else settings.allowed_proxies:
        if problem := proxies.problem_of(pattern):
            yield f"allowed_proxies: {problem}"
    if settings.proxy_callback is None:
        if settings.proxy_grants is not None:
            yield "proxy_grants is of no use without proxy_callback"
        return
    if problem := _callback_problem(settings):
        yield f"proxy_callback {problem}"
    if settings.session == "cookie" or isinstance(settings.session, CookieSessions):
        yield (
            "proxy_callback needs sessions on the server's side, for a proxy-granting ticket must not lie in a cookie: "
            "set session to a Redis URL, or to 'memory' if the application is one process"
        )
    elif not isinstance(settings.session, str) and settings.proxy_grants is None:
        yield "proxy_grants must be set when proxy_callback is, and session is a store of your own"
    grants = settings.proxy_grants
    if isinstance(grants, str) and grants != "memory" and not grants.startswith(_REDIS_SCHEMES):
        yield f"proxy_grants must be 'memory', {_REDIS}, or a GrantStore"


def _callback_problem(settings: Settings) -> str | None:
    callback = str(settings.proxy_callback)
    if not callback.startswith("/"):
        if problem := _url_problem(callback, allow_http=True):
            return problem
        if not callback.startswith("https://"):
            return "must be https: the CAS server brings tickets there"
    elif not str(settings.service_url).startswith("https://"):
        return "must be a whole https address, unless service_url is one: the CAS server brings tickets there"
    path = settings.callback_path or ""
    if not _CALLBACK_PATH.fullmatch(path):
        return "must have a path of its own, such as /cas/pgt, of letters, digits, '.', '_', '~' and '-'"
    return "must not be the logout_path" if path == settings.logout_path else None


def _cookie_problems(settings: Settings) -> Iterator[str]:
    if not set(settings.cookie_name) <= _TOKEN:
        yield "cookie_name must consist of letters, digits, '-', '_' and '.'"
    if settings.cookie_name.startswith("__Host-") and not (settings.secure and settings.cookie_path == "/"):
        yield "a cookie_name with __Host- needs cookie_secure and the cookie_path '/'"
    if settings.cookie_name.startswith("__Secure-") and not settings.secure:
        yield "a cookie_name with __Secure- needs cookie_secure"
