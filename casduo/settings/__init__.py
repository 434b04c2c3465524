"""casduo.yaml: what it may say, how it is read, and what it says by default."""

from __future__ import annotations

from casduo.settings.authentication import Argon2Settings, Handler, LdapHandler, UcmPinHandler, UsersFileHandler
from casduo.settings.duo import AuthApiKeys, BreakerSettings, DuoApplication, DuoSettings, UniversalKeys
from casduo.settings.load import find_settings, load_settings, missing_to_serve, read_settings
from casduo.settings.model import Settings
from casduo.settings.secretfiles import ensure_pairwise_key, ensure_secret_key, find_pairwise_key
from casduo.settings.sections import (
    Limit,
    LoginSettings,
    LogoutSettings,
    LogSettings,
    OutboundSettings,
    PageSettings,
    RedisSettings,
    ServerSettings,
    SessionSettings,
    ThrottlingSettings,
    TicketSettings,
    ValidationSettings,
)

__all__ = [
    "Argon2Settings",
    "AuthApiKeys",
    "BreakerSettings",
    "DuoApplication",
    "DuoSettings",
    "Handler",
    "LdapHandler",
    "Limit",
    "LogSettings",
    "LoginSettings",
    "LogoutSettings",
    "OutboundSettings",
    "PageSettings",
    "RedisSettings",
    "ServerSettings",
    "SessionSettings",
    "Settings",
    "ThrottlingSettings",
    "TicketSettings",
    "UcmPinHandler",
    "UniversalKeys",
    "UsersFileHandler",
    "ValidationSettings",
    "ensure_pairwise_key",
    "ensure_secret_key",
    "find_pairwise_key",
    "find_settings",
    "load_settings",
    "missing_to_serve",
    "read_settings",
]
