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
    MiddlewareError,
    SessionEnded,
    SessionTooLarge,
    SettingsError,
    StoreUnavailable,
)
from casduo.middleware.middleware import CasMiddleware
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
from casduo.middleware.settings import Settings

__all__ = [
    "CasMiddleware",
    "CookieSessions",
    "Found",
    "Limits",
    "MemoryRevocations",
    "MiddlewareError",
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
