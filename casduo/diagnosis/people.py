"""What Duo's answer about a person means for a login. Pure.

What Duo writes for people is quoted as it came: who prints it takes care of control characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casduo.diagnosis.model import Finding, Part
from casduo.mfa.duo.gateway import Device, Preauth, PreauthResult

_ABILITIES = {"push": "push", "phone": "call", "sms": "text message", "mobile_otp": "passcode"}


@dataclass(frozen=True, slots=True)
class Terms:
    """What the settings make of Duo's answers.

    :param accept_allow: whether "allow without a factor" is enough to get in.
    :param enrollment_url: where people without a device are sent; empty for the built-in pages.
    :param enrollment: whether the built-in pages exist.
    """

    accept_allow: bool
    enrollment_url: str = ""
    enrollment: bool = True

    @property
    def way_to_a_device(self) -> str:
        """Where somebody without a device is led, in words."""
        if self.enrollment_url:
            return f"led to {self.enrollment_url}"
        if self.enrollment:
            return "led to the built-in enrolment pages"
        return "told to ask for help: the enrolment pages are off, and there is no enrollment_url"


def judge_person(part: Part, username: str, preauth: Preauth, terms: Terms) -> Finding:
    """Return the finding about a named person."""
    examined = f"user {username}"
    match preauth.result:
        case PreauthResult.AUTH:
            return part.ok(
                examined,
                f"is asked for Duo, and has {_listed(preauth.devices)}",
                result="auth",
                can_push=any("push" in device.capabilities for device in preauth.devices),
            )
        case PreauthResult.ENROLL:
            return part.attention(
                examined,
                f"has no device{_said(preauth)}",
                "enroll",
                "Duo does not know this name, or knows no device of it; user names must be the same in Duo",
                f"after the password this person is {terms.way_to_a_device}; a service may say otherwise",
                result="enroll",
            )
        case PreauthResult.ALLOW:
            return part.attention(
                examined,
                f"gets past Duo without a factor{_said(preauth)}",
                "allow",
                "the account is in bypass in Duo, or a policy there trusts the network, or lets unknown people in; "
                + _what_it_counts(terms),
                "look at the account and the policies in Duo's Admin Panel, if this is not meant",
                result="allow",
            )
    return part.attention(
        examined,
        f"is refused by Duo{_said(preauth)}",
        "deny",
        "the account is disabled or locked out in Duo, or a policy there refuses it; Duo tells no more than its words",
        "look at the account in Duo's Admin Panel",
        result="deny",
    )


def judge_stranger(part: Part, preauth: Preauth, terms: Terms) -> Finding:
    """Return the finding about a person who cannot exist: whether preauth may be asked, and what becomes of unknown
    people.
    """
    match preauth.result:
        case PreauthResult.ALLOW:
            return part.attention(
                "preauth",
                "Duo lets people pass whom it does not know",
                "unknown_allowed",
                f"the new user policy says so, so whoever has no device needs none; {_what_it_counts(terms)}",
                "set the new user policy of the application in Duo's Admin Panel to require enrolment, if this is not "
                "meant",
            )
        case PreauthResult.DENY:
            found = "may be asked; people whom Duo does not know are refused"
            if terms.enrollment_url or not terms.enrollment:
                return part.ok("preauth", found)
            return part.attention(
                "preauth",
                found,
                "unknown_denied",
                "the new user policy says so, so nobody reaches the enrolment pages who is not known to Duo already",
                "set the new user policy of the application in Duo's Admin Panel to require enrolment, or "
                "enrollment.enabled: false",
            )
    return part.ok("preauth", f"may be asked; somebody without a device is {terms.way_to_a_device}")


def _what_it_counts(terms: Terms) -> str:
    if terms.accept_allow:
        return "here it lets them in, and counts as 'bypassed', not as Duo (duo.accept_preauth_allow)"
    return "here it does not let them in (duo.accept_preauth_allow: false)"


def _said(preauth: Preauth) -> str:
    return f"; Duo says: {preauth.status_message!r}" if preauth.status_message else ""


def _listed(devices: Sequence[Device]) -> str:
    shown = (f"{device.label or device.kind or 'a device'} ({_abilities(device)})" for device in devices)
    return "; ".join(shown) or "no device that Duo names"


def _abilities(device: Device) -> str:
    able = [word for ability, word in _ABILITIES.items() if ability in device.capabilities]
    if device.kind == "token" and not able:
        return "passcode"
    return ", ".join(able) or "nothing that Duo names"
