"""Who somebody is: stores of users, asked in order, and what they answer."""

from __future__ import annotations

from casduo.authentication.authenticator import Authenticator
from casduo.authentication.handler import AuthenticationHandler
from casduo.authentication.model import (
    Authenticated,
    Credential,
    ExpiresIn,
    GraceLogins,
    Outcome,
    PasswordWarning,
    Principal,
    Reason,
    Rejected,
)

__all__ = [
    "Authenticated",
    "AuthenticationHandler",
    "Authenticator",
    "Credential",
    "ExpiresIn",
    "GraceLogins",
    "Outcome",
    "PasswordWarning",
    "Principal",
    "Reason",
    "Rejected",
]
