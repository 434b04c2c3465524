"""The password policy response control of draft-behera-ldap-password-policy-10, section 6.2, decoded by hand.

::

    PasswordPolicyResponseValue ::= SEQUENCE {
        warning [0] CHOICE { timeBeforeExpiration [0] INTEGER, graceAuthNsRemaining [1] INTEGER } OPTIONAL,
        error   [1] ENUMERATED { passwordExpired (0), accountLocked (1), changeAfterReset (2), ... } OPTIONAL }
"""

from __future__ import annotations

from dataclasses import dataclass

CONTROL = "1.3.6.1.4.1.42.2.27.8.5.1"
"""Object identifier of the request control and of the response control."""

PASSWORD_EXPIRED = 0
ACCOUNT_LOCKED = 1
CHANGE_AFTER_RESET = 2

_SEQUENCE = 0x30
_WARNING = 0xA0
_ERROR = 0x81
_EXPIRES_IN = 0x80
_GRACE_LOGINS = 0x81


@dataclass(frozen=True, slots=True)
class PolicyResponse:
    """The control's content: seconds until the password runs out, logins left after it has, and an error number."""

    expires_in: int | None = None
    grace_logins: int | None = None
    error: int | None = None


def decode(value: bytes) -> PolicyResponse:
    """Return what the control's value says.

    :raises ValueError: it is not BER of the form above. Unknown elements are passed over, as ASN.1 extensions.
    """
    tag, content, rest = _element(value)
    if tag != _SEQUENCE or rest:
        raise ValueError("not a password policy response")
    expires_in = grace_logins = error = None
    while content:
        tag, element, content = _element(content)
        if tag == _ERROR:
            error = _integer(element)
        elif tag == _WARNING:
            kind, number, rest = _element(element)
            if kind == _EXPIRES_IN:
                expires_in = _integer(number)
            elif kind == _GRACE_LOGINS:
                grace_logins = _integer(number)
    return PolicyResponse(expires_in, grace_logins, error)


def _element(data: bytes) -> tuple[int, bytes, bytes]:
    """Split ``data`` into the first element's tag and content, and what follows it (X.690, 8.1)."""
    if len(data) < 2:
        raise ValueError("truncated")
    length, start = data[1], 2
    if length & 0x80:
        octets = length & 0x7F
        start += octets
        if not 1 <= octets <= 4 or len(data) < start:
            raise ValueError("unreadable length")
        length = int.from_bytes(data[2:start], "big")
    if len(data) < start + length:
        raise ValueError("truncated")
    return data[0], data[start : start + length], data[start + length :]


def _integer(content: bytes) -> int:
    if not 1 <= len(content) <= 8:
        raise ValueError("unreadable number")
    return int.from_bytes(content, "big", signed=True)
