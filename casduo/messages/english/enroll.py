"""Texts of the pages on which people register a device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from casduo.messages.model import Message, plural

TEXTS: Final[Mapping[str, Message]] = {
    # What happened to the last try, on any of these pages
    "enroll.problem": "There is no code yet",
    "enroll.error.limited": plural(
        "minutes",
        one="You have asked for several codes. You can have the next one in {minutes:number} minute.",
        other="You have asked for several codes. You can have the next one in {minutes:number} minutes.",
    ),
    "enroll.error.unavailable": "Duo did not answer. Nothing is lost: try again in a moment.",
    "enroll.renewed": "The code was not used in time. You can have a new one.",
    # Before the code
    "enroll_start.heading": "Set up your device",
    "enroll_start.lead": "Some applications ask you to confirm on a device of your own that it is you.",
    "enroll_start.lead_for": "{service} asks you to confirm on a device of your own that it is you.",
    "enroll_start.steps": "How it goes",
    "enroll_start.step.app": "Get the free app Duo Mobile from the app store of your phone or tablet.",
    "enroll_start.step.code": "Show the code here, and scan it with the app.",
    "enroll_start.step.done": "That is all. It is done once and takes about two minutes.",
    "enroll_start.step.done_for": "That is all. It takes about two minutes, then {service} opens by itself.",
    "enroll_start.show": "Show the code",
    "enroll_start.show_new": "Show a new code",
    "enroll_start.minutes": plural(
        "minutes",
        one="The code works for {minutes:number} minute, so get the app first.",
        other="The code works for {minutes:number} minutes, so get the app first.",
    ),
    # The code
    "enroll_code.heading": "Scan this code with Duo Mobile",
    "enroll_code.how": "In Duo Mobile, add an account and choose to use a QR code. Then point the camera here.",
    "enroll_code.picture": "QR code for Duo Mobile. Below it stands the same as a link and as text.",
    "enroll_code.left": "The code works for",
    "enroll_code.minutes": plural(
        "minutes",
        one="about {minutes:number} minute",
        other="about {minutes:number} minutes",
    ),
    "enroll_code.begin": plural(
        "minutes",
        one="The code works for about {minutes:number} minute.",
        other="The code works for about {minutes:number} minutes.",
    ),
    "enroll_code.soon": "The code works for one more minute.",
    "enroll_code.last": "The code works for ten more seconds.",
    "enroll_code.state.waiting": "Waiting for your device.",
    "enroll_code.state.confirming": "Your device has taken the code. Duo is confirming it.",
    "enroll_code.state.trouble": "Duo does not answer right now. The code stays good, and this page keeps asking.",
    "enroll_code.state.lost": "Connection lost, trying again.",
    "enroll_code.state.done": "Your device is set up.",
    "enroll_code.state.over": "The code has run out.",
    "enroll_code.next": "This page goes on by itself when your device is set up.",
    "enroll_code.next_for": "When your device is set up, {service} opens by itself.",
    "enroll_code.here": "Are you reading this on the device itself?",
    "enroll_code.open_app": "Open Duo Mobile here",
    "enroll_code.as_text": "Use the code as text",
    "enroll_code.type": "Where the app asks for an activation code, copy this one into it:",
    "enroll_code.look": "I have scanned it",
    # Duo's own pages
    "enroll_portal.heading": "Set up your device at Duo",
    "enroll_portal.why": "Duo knows you already, but no device is set up for you. A page of Duo's own does that.",
    "enroll_portal.come_back": "It opens in a new window. When you are done there, come back here.",
    "enroll_portal.once": "The link works once and for a few minutes. Load this page again for a new one.",
    "enroll_portal.go": "Set up a device at Duo",
    "enroll_portal.done": "I have set it up",
    # The devices
    "enroll_devices.heading": "Your devices",
    "enroll_devices.heading.done": "Your device is set up",
    "enroll_devices.lead": "You have what you need to confirm that it is you.",
    "enroll_devices.lead.done": "From now on you can confirm with it that it is you.",
    "enroll_devices.list": "Devices registered with Duo",
    "enroll_devices.unnamed": "Device without a name",
    "enroll_devices.kind.app": "Confirms with the app",
    "enroll_devices.kind.phone": "Takes calls and text messages",
    "enroll_devices.kind.token": "Shows codes",
    "enroll_devices.add": "Add another device",
    "enroll_devices.confirm_first": "Before you add another device, you confirm with one that you have.",
    "enroll_devices.confirm": "Confirm, then add another device",
    "enroll_devices.lost": "If a device is lost, or to remove or rename one, ask the help desk.",
    "enroll_devices.change": "To add, remove or rename a device, or if one is lost, ask the help desk.",
    # What stands in the way
    "enroll_problem.says": "Duo says:",
    "enroll_problem.open_again": "Open {service} again",
    "enroll_problem.unavailable.heading": "Duo cannot be reached",
    "enroll_problem.unavailable.why": "Your devices are registered with Duo, and Duo does not answer at the moment. "
    "Nothing is lost. Please try again in a minute.",
    "enroll_problem.nobody.heading": "Your device cannot be set up here",
    "enroll_problem.nobody.why": "Duo knows you already, but no device is set up for you, and there is no way to do it "
    "here. The help desk can send you a link.",
    "enroll_problem.unneeded.heading": "You need no device",
    "enroll_problem.unneeded.why": "Duo lets you in without one at present. There is nothing to set up.",
    "enroll_problem.refused.heading": "You cannot set up a device now",
    "enroll_problem.refused.why": "Duo does not let you in with your account, with or without a device.",
    "enroll_problem.link_used.heading": "This link was used before",
    "enroll_problem.link_used.why": "It works once. Open the application again to get a new one.",
    "enroll_problem.link_expired.heading": "This link has run out",
    "enroll_problem.link_expired.why": "It works for a while only. Open the application again to get a new one.",
    "enroll_problem.sign_in.heading": "You are not signed in here",
    "enroll_problem.sign_in.why": "Your sign-in did not reach this page, perhaps because it was opened twice or you "
    "signed out in between.",
}
