"""Texts of the pages about a session: signed in, on the way to an application, signing out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from casduo.messages.model import Message, plural

TEXTS: Final[Mapping[str, Message]] = {
    # Signed in
    "signed_in.heading": "You are signed in",
    "signed_in.as": "Signed in as {name}",
    "signed_in.as_with_username": "Signed in as {name} ({username})",
    "signed_in.applications": "Your applications",
    "signed_in.no_applications": "No applications are listed here. Open the one you want to use; "
    "it will let you in without asking for your password again.",
    "signed_in.change_password": "Change password",
    "signed_in.sign_out_everywhere": "Sign out on all devices",
    "signed_in.sign_out": "Sign out",
    "signed_in.strength.password": "Password",
    "signed_in.strength.duo": "Password and Duo",
    "signed_in.strength.duo_with_factor": "Password and Duo ({factor})",
    "signed_in.strength.trusted": "Password, in a browser that you trust",
    "signed_in.strength.bypassed": "Password; Duo was not asked",
    "factor.duo_push": "approved on a device",
    "factor.verified_duo_push": "approved on a device with a code",
    "factor.passcode": "code",
    "factor.duo_mobile_passcode": "code from the app",
    "factor.sms_passcode": "code from a text message",
    "factor.hardware_token": "code from a hardware token",
    "factor.bypass_code": "code from the help desk",
    "factor.phone_call": "phone call",
    "factor.webauthn_security_key": "security key",
    "factor.webauthn_platform_authenticator": "this computer or phone",
    "factor.remembered_device": "trusted browser",
    "factor.other": "another way",
    # Before a service is entered
    "warn.heading": "Go on to {service}?",
    "warn.why": "You asked to be told before you are signed in to another application.",
    "post_response.heading": "Taking you to {service}",
    "post_response.why": "If nothing happens, press the button.",
    "password_warning.heading": "Change your password soon",
    "password_warning.days": plural(
        "days",
        one="It expires in {days:number} day.",
        other="It expires in {days:number} days.",
    ),
    "password_warning.grace": plural(
        "logins",
        one="It has expired. You can sign in with it {logins:number} more time.",
        other="It has expired. You can sign in with it {logins:number} more times.",
    ),
    "password_warning.today": "It expires within a day.",
    "password_warning.last": "It has expired, and this was the last time that you can sign in with it.",
    "password_warning.advice_last": "Change it now: you cannot sign in again before you have.",
    "password_warning.advice": "You can change it now, or go on and do it later.",
    "password_warning.change": "Change password",
    # Signing out
    "logout_confirm.heading": "Sign out?",
    "logout_confirm.why": "You will be signed out here and in the applications you opened from here.",
    "logout_confirm.sign_out": "Sign out",
    "logout_confirm.stay": "Stay signed in",
    "signed_out.heading": "You are signed out",
    "signed_out.done": "To use an application again, sign in again.",
    "signed_out.applications": "Applications you had opened",
    "signed_out.application": "Application",
    "signed_out.state": "State",
    "signed_out.state.told": "Signed out",
    "signed_out.state.waiting": "Being signed out",
    "signed_out.state.browser": "Signed out by this page",
    "signed_out.state.failed": "Did not answer",
    "signed_out.state.unsupported": "Cannot be signed out from here",
    "signed_out.close_windows": "Some applications may still be open. On a shared computer, close all browser windows.",
    "signed_out.going_on": "You go on to {service} in a moment.",
    "signed_out.sign_in": "Sign in again",
}
