"""Puts any WSGI application behind a CAS server. Imports nothing of the server.

    from casduo.middleware import CasMiddleware

    application = CasMiddleware(
        application,
        cas_url="https://sso.example.edu/cas",
        service_url="https://app.example.edu",
        secret_key=os.environ["APP_SECRET_KEY"],
        public_paths=["/static/*", "/healthz"],
    )

All options: :class:`Settings`. What the application finds in ``environ``: :class:`CasMiddleware`.
"""

from __future__ import annotations

from casduo.middleware.errors import (
    CasUnavailable,
    InvalidResponse,
    MiddlewareError,
    ProxyRefused,
    SessionEnded,
    SessionTooLarge,
    SettingsError,
    StoreUnavailable,
)
from casduo.middleware.grants import GrantStore, MemoryGrants
from casduo.middleware.middleware import CasMiddleware
from casduo.middleware.proxying import Proxy
from casduo.middleware.session import (
    CookieSessions,
    Found,
    Limits,
    MemoryRevocations,
    Revocations,
    Session,
    SessionInfo,
    SessionStore,
)
from casduo.middleware.session_memory import MemorySessions
from casduo.middleware.settings import Settings

__all__ = [
    "CasMiddleware",
    "CasUnavailable",
    "CookieSessions",
    "Found",
    "GrantStore",
    "InvalidResponse",
    "Limits",
    "MemoryGrants",
    "MemoryRevocations",
    "MemorySessions",
    "MiddlewareError",
    "Proxy",
    "ProxyRefused",
    "Revocations",
    "Session",
    "SessionEnded",
    "SessionInfo",
    "SessionStore",
    "SessionTooLarge",
    "Settings",
    "SettingsError",
    "StoreUnavailable",
]
