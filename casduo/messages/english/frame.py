"""Texts of the frame that every page has, and the facts that stand alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from casduo.messages.model import Message

TEXTS: Final[Mapping[str, Message]] = {
    # Every page
    "page.direction": "ltr",
    "page.title": "{what} \N{EN DASH} {organisation}",
    "page.title_of_problem": "Error: {what} \N{EN DASH} {organisation}",
    "page.skip": "Skip to the main part of the page",
    "page.navigation": "Pages",
    "page.help": "Help",
    "page.privacy": "Privacy",
    "page.reference": "Reference",
    "page.time": "Time",
    "page.to_sign_in": "Go to the sign-in page",
    "page.try_again": "Try again",
    "page.cancel": "Cancel",
    "page.continue": "Continue",
    "page.continue_to": "Continue to {service}",
    "page.others_work": "Your other applications are not affected.",
    "page.to_others": "Show my other applications",
    "page.ask_help_desk": "If you need help, ask the help desk.",
    "page.contact": "Contact",
    "page.language": "Language",
    # Facts that stand alone
    "fact.text": "{value}",
    "fact.prose": "{value:prose}",
    "fact.moment": "{at:moment}",
}
