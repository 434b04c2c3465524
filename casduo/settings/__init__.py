"""casduo.yaml: what it may say, how it is read, and what it says by default."""

from __future__ import annotations

from casduo.settings.admin import AdminRole, AdminSettings
from casduo.settings.approvals import ApprovalSettings
from casduo.settings.audit import AuditSettings
from casduo.settings.authentication import Argon2Settings, Handler, LdapHandler, UcmPinHandler, UsersFileHandler
from casduo.settings.duo import (
    AdminApiKeys,
    AuthApiKeys,
    BreakerSettings,
    DuoApplication,
    DuoSettings,
    PushSettings,
    UniversalKeys,
)
from casduo.settings.enrollment import EnrollmentSettings
from casduo.settings.load import find_settings, load_settings, missing_to_serve, read_settings
from casduo.settings.model import Settings
from casduo.settings.pages import PageSettings
from casduo.settings.phones import PhoneSettings
from casduo.settings.secretfiles import ensure_pairwise_key, ensure_secret_key, find_pairwise_key, key_ring
from casduo.settings.sections import (
    Limit,
    LoginSettings,
    LogoutSettings,
    LogSettings,
    OutboundSettings,
    RedisSettings,
    ServerSettings,
    SessionSettings,
    ThrottlingSettings,
    TicketSettings,
    ValidationSettings,
)
from casduo.settings.ucm import UcmAccount, UcmSettings
from casduo.settings.webex import WebexRoute, WebexSettings

__all__ = [
    "AdminApiKeys",
    "AdminRole",
    "AdminSettings",
    "ApprovalSettings",
    "Argon2Settings",
    "AuditSettings",
    "AuthApiKeys",
    "BreakerSettings",
    "DuoApplication",
    "DuoSettings",
    "EnrollmentSettings",
    "Handler",
    "LdapHandler",
    "Limit",
    "LogSettings",
    "LoginSettings",
    "LogoutSettings",
    "OutboundSettings",
    "PageSettings",
    "PhoneSettings",
    "PushSettings",
    "RedisSettings",
    "ServerSettings",
    "SessionSettings",
    "Settings",
    "ThrottlingSettings",
    "TicketSettings",
    "UcmAccount",
    "UcmPinHandler",
    "UcmSettings",
    "UniversalKeys",
    "UsersFileHandler",
    "ValidationSettings",
    "WebexRoute",
    "WebexSettings",
    "ensure_pairwise_key",
    "ensure_secret_key",
    "find_pairwise_key",
    "find_settings",
    "key_ring",
    "load_settings",
    "missing_to_serve",
    "read_settings",
]
