"""Chooses the stores that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casduo.middleware.errors import SettingsError
from casduo.middleware.grants import GrantStore, MemoryGrants
from casduo.middleware.session import CookieSessions, Limits, MemoryRevocations, Revocations, SessionStore
from casduo.middleware.session_memory import MemorySessions
from casduo.middleware.settings import Settings
from casduo.middleware.signing import Signer

if TYPE_CHECKING:
    from types import ModuleType


def session_store(settings: Settings, signer: Signer) -> SessionStore:
    """Return the store for :attr:`Settings.session`; nothing is connected yet.

    :raises SettingsError: Redis is named and its client library is not installed, or the address is not readable.
    """
    if not isinstance(settings.session, str):
        return settings.session
    limits = Limits(settings.session_lifetime, settings.session_idle)
    if settings.session == "cookie":
        return CookieSessions(signer, limits, _revocations(settings))
    if settings.session == "memory":
        return MemorySessions(signer, limits)
    module = _redis_module("session")
    client = _client(module, "session", settings.session, settings.redis_timeout)
    store: SessionStore = module.RedisSessions(client, signer, limits, _prefix(settings))
    return store


def grant_store(settings: Settings) -> GrantStore | None:
    """Return where proxy-granting tickets wait, or ``None`` for an application that is no proxy.

    :raises SettingsError: as for :func:`session_store`.
    """
    if settings.proxy_callback is None:
        return None
    if settings.proxy_grants is not None and not isinstance(settings.proxy_grants, str):
        return settings.proxy_grants
    option, where = "proxy_grants", settings.proxy_grants
    if where is None:
        # Settings demand proxy_grants beside a session store that is an object.
        assert isinstance(settings.session, str)
        option, where = "session", settings.session
    if where == "memory":
        return MemoryGrants()
    module = _redis_module(option)
    client = _client(module, option, where, settings.redis_timeout)
    grants: GrantStore = module.RedisGrants(client, _prefix(settings))
    return grants


def _revocations(settings: Settings) -> Revocations:
    if not isinstance(settings.revocations, str):
        return settings.revocations
    if settings.revocations == "memory":
        return MemoryRevocations()
    module = _redis_module("revocations")
    client = _client(module, "revocations", settings.revocations, settings.redis_timeout)
    revocations: Revocations = module.RedisRevocations(client, _prefix(settings))
    return revocations


def _prefix(settings: Settings) -> str:
    return f"casduo:app:{settings.fingerprint}"


def _redis_module(option: str) -> ModuleType:
    try:
        from casduo.middleware import session_redis
    except ImportError:
        raise SettingsError((f"{option} names Redis, and the package 'redis' is not installed",)) from None
    return session_redis


def _client(module: ModuleType, option: str, url: str, timeout: float) -> object:
    try:
        client: object = module.connect(url, timeout)
    except ValueError:
        # The address may hold a password, so it is not repeated.
        raise SettingsError((f"{option} is not a Redis address",)) from None
    return client
