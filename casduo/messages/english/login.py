"""Texts of the sign-in form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from casduo.messages.model import Message, plural

TEXTS: Final[Mapping[str, Message]] = {
    "login.heading": "Sign in",
    "login.to_service": "to continue to {service}",
    "login.both_required": "Both fields are required.",
    "login.username": "User name",
    "login.password": "Password",
    "login.show_password": "Show password",
    "login.caps_lock": "Caps Lock is on.",
    "login.ask_first": "Ask me before signing me in to other applications",
    "login.remember_me": "Keep me signed in on this device",
    "login.remember_me_hint": "Not on a device that others use.",
    "login.submit": "Sign in",
    "login.forgotten": "Forgot your password?",
    "login.again": "You are signed in as {name}. Please enter your password again to go on.",
    "login.again_for": "You are signed in as {name}. {service} asks for your password again.",
    "login.not_you": "Not you? Sign out",
    "login.problem": "There is a problem",
    "login.time_left": "Time left",
    "login.try_now": "You can try again now.",
    "login.change_password": "Change your password",
    "login.get_help": "Ask for help",
    "login.error.credentials": "User name or password is not right.",
    "login.error.missing": "Enter your user name and your password.",
    "login.error.throttled": plural(
        "seconds",
        one="There were too many tries. Try again in {seconds:number} second.",
        other="There were too many tries. Try again in {seconds:number} seconds.",
    ),
    "login.error.unavailable": "Passwords cannot be checked right now. Please try again in a few minutes.",
    "login.error.busy": "Many people are signing in right now. Please try again in a few seconds.",
    "login.error.disabled": "Your password is right, but your account is switched off. The help desk can tell you why.",
    "login.error.expired": "Your password is right, but it has expired. Change it, then sign in again.",
    "login.error.must_change": "Your password is right, but you have to choose a new one first. "
    "Change it, then sign in again.",
    "login.notice.expired": "The page was open for long. Please sign in again.",
    "login.notice.used": "This page was already sent once. Please sign in again.",
    "login.notice.foreign": "This page was opened in another browser. Please sign in here.",
    "login.notice.signed_out": "You were signed out, perhaps in another window. Please sign in again.",
}
