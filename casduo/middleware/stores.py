"""Chooses the session store that the settings name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from casduo.middleware.errors import SettingsError
from casduo.middleware.session import CookieSessions, Limits, MemoryRevocations, Revocations, SessionStore
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
    module = _redis_module("session")
    client = _client(module, "session", settings.session, settings.redis_timeout)
    store: SessionStore = module.RedisSessions(client, signer, limits, _prefix(settings))
    return store


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
