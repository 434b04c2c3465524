"""Users, phones and bypass codes as the Admin API describes them (Duo's Admin API documentation, "Response Format")."""

from __future__ import annotations

from casduo.simulators.duo.model import Phone, Token, User
from casduo.simulators.duo.passcodes import BypassCode


def describe_user(user: User) -> dict[str, object]:
    """Return a user with all devices."""
    return {
        "user_id": user.id,
        "username": user.username,
        "status": user.status,
        "realname": user.realname,
        "email": user.email,
        "notes": user.notes,
        "is_enrolled": bool(user.usable_devices),
        "last_login": None if user.last_login is None else int(user.last_login),
        "groups": [],
        "phones": [describe_phone(device) for device in user.devices if isinstance(device, Phone)],
        "tokens": [_describe_token(device) for device in user.devices if isinstance(device, Token)],
    }


def describe_phone(phone: Phone, owner: User | None = None) -> dict[str, object]:
    """Return a phone; where it stands by itself, with its owner."""
    described: dict[str, object] = {
        "phone_id": phone.id,
        "name": phone.name,
        "number": phone.number,
        "type": phone.type,
        "platform": phone.platform,
        "activated": phone.activated,
        "capabilities": list(phone.abilities),
        "sms_passcodes_sent": bool(phone.sms_codes.unused),
    }
    if owner is not None:
        described["users"] = [
            {"user_id": owner.id, "username": owner.username, "status": owner.status, "email": owner.email}
        ]
    return described


def describe_bypass_code(code: BypassCode) -> dict[str, object]:
    """Return what can be told of a bypass code without telling the code."""
    return {
        "expiration": None if code.expires is None else int(code.expires),
        "reuse_count": 0 if code.uses is None else code.uses,
    }


def _describe_token(token: Token) -> dict[str, object]:
    return {"token_id": token.id, "serial": token.serial, "type": "h6"}
