"""Texts of the pages about Duo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from casduo.messages.model import Message

TEXTS: Final[Mapping[str, Message]] = {
    "duo_unavailable.heading": "There was a problem accessing to DUO",
    "duo_unavailable.why": "Your password is right. {service} also asks for a confirmation with Duo, "
    "and Duo cannot be reached at the moment.",
    "duo_denied.heading": "You were not let in to {service}",
    "duo_denied.duo_says": "Duo says:",
    "duo_denied.reason.refused": "The request was refused on your device, or the code was not right. "
    "If you did not start it yourself, tell the help desk.",
    "duo_denied.reason.timeout": "Nobody answered the request in time.",
    "duo_denied.reason.locked_out": "Duo has locked your account after too many tries. The help desk can unlock it.",
    "duo_denied.reason.policy": "Duo does not let you in with this account or from this device.",
    "duo_denied.reason.not_asked": "Duo let you pass without a confirmation, and this application needs one.",
    "duo_unenrolled.heading": "One more step for {service}",
    "duo_unenrolled.need": "You need a second factor for {service}. You have none yet.",
    "duo_unenrolled.what": "It is a device, such as your phone, on which you confirm that it is you. "
    "Setting it up takes a few minutes and is done once.",
    "duo_unenrolled.enrol": "Set up a device",
    "duo_unenrolled.come_back": "Then come back to this page and continue.",
    "duo_unenrolled.nobody": "You cannot set it up yourself here. Please ask the help desk.",
    "duo_unenrolled.others": "You are signed in: applications without this step already work.",
    "duo_restart.heading": "Please start again",
    "duo_restart.why": "The confirmation with Duo was not finished, took too long or was already used. "
    "Nothing is lost. While you are signed in, you need not enter your password again.",
    "duo_restart.button": "Start again",
}
