"""Texts of the pages about Duo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from casduo.messages.model import Message, plural

TEXTS: Final[Mapping[str, Message]] = {
    # The built-in page: heading and first sentence
    "duo_push.heading": "Confirm that it is you",
    "duo_push.heading.push": "Check your device",
    "duo_push.heading.phone": "Answer the call",
    "duo_push.heading.codes": "Enter a passcode",
    "duo_push.heading.pending": "Answer your other request first",
    "duo_push.heading.signed_in": "You are already signed in",
    "duo_push.your_device": "your device",
    "duo_push.lead.push": "We sent a request to {device}. Approve it to continue to {service}.",
    "duo_push.lead.code": "We sent a request to {device}. Type this number there to continue to {service}:",
    "duo_push.lead.phone": "We are calling {device}. Answer the call and press the key it names to continue "
    "to {service}.",
    "duo_push.lead.ready_push": "To continue to {service}, approve a request on {device}.",
    "duo_push.lead.ready_phone": "To continue to {service}, answer a call to {device}.",
    "duo_push.lead.codes": "to continue to {service}",
    "duo_push.lead.choose": "Choose a way to continue to {service}.",
    "duo_push.lead.pending": "Your device has a request from another sign-in, for {other}. Answer that one, or wait a "
    "minute until it has run out. Then go on here.",
    "duo_push.lead.pending_unnamed": "Your device has a request from another sign-in. Answer that one, or wait a "
    "minute until it has run out. Then go on here.",
    "duo_push.lead.signed_in": "You signed in in another window. Nothing more is needed for {service}.",
    "duo_push.not_yours": "If you did not start that sign-in, refuse the request and report it, on your device.",
    "duo_push.number": "The number is {digits}.",
    # How the request stands
    "duo_push.state.sending": "Sending the request.",
    "duo_push.state.push": "The request is on its way.",
    "duo_push.state.phone": "The call is on its way.",
    "duo_push.state.pushed": "Waiting for your answer.",
    "duo_push.state.calling": "Your device is ringing.",
    "duo_push.state.answered": "The call was answered. Press the key it names.",
    "duo_push.state.push_failed": "The request could not be delivered. Open Duo Mobile on the device and look for it "
    "there, or use another way.",
    "duo_push.state.allowed": "Approved. Taking you to {service}.",
    "duo_push.state.lost": "Connection lost, trying again.",
    "duo_push.state.over": "The request has ended. A passcode still works, and so does every other way.",
    "duo_push.left": "about {seconds} s left",
    "duo_push.begin": plural(
        "seconds",
        one="You have about {seconds:number} second to answer.",
        other="You have about {seconds:number} seconds to answer.",
    ),
    "duo_push.soon": plural(
        "seconds",
        one="About {seconds:number} second left.",
        other="About {seconds:number} seconds left.",
    ),
    "duo_push.looking": "This page looks for your answer every few seconds.",
    "duo_push.stand_still": "Stop that while I type a passcode",
    "duo_push.look": "Look for my answer",
    # What can be done
    "duo_push.send.push": "Send the request",
    "duo_push.send.phone": "Start the call",
    "duo_push.again.push": "Send again",
    "duo_push.again.phone": "Call again",
    "duo_push.again.sms": "Send new codes to {device}",
    "duo_push.again_later.push": "It may take a moment. You can send it again in {seconds} s.",
    "duo_push.again_later.phone": "It may take a moment. You can be called again in {seconds} s.",
    "duo_push.passcode": "Passcode",
    "duo_push.or": "or",
    "duo_push.passcode_hint": "From the Duo Mobile app, a text message, a token or the help desk. "
    "You can also type push, phone or sms.",
    "duo_push.passcode_instead": "If you cannot take the call or hear it, use a passcode.",
    "duo_push.tries": plural(
        "tries",
        one="You have {tries:number} try left.",
        other="You have {tries:number} tries left.",
    ),
    "duo_push.use_passcode": "Confirm",
    "duo_push.other_ways": "Other ways",
    "duo_push.way.push": "Send a request to {device}",
    "duo_push.way.phone": "Call {device}",
    "duo_push.way.sms": "Send codes as a text message to {device}",
    "duo_push.not_me": "If this was not you, report it: somebody else may know your password.",
    "duo_push.report": "Report that it was not me",
    # What became of the last try, and what to do about it
    "duo_push.error.denied": "You refused the request on your device.",
    "duo_push.error.timeout": "No answer came within 60 seconds.",
    "duo_push.error.passcode": "That passcode is not right.",
    "duo_push.error.passcode_tries": plural(
        "tries",
        one="That passcode is not right. You have {tries:number} try left.",
        other="That passcode is not right. You have {tries:number} tries left.",
    ),
    "duo_push.error.reused": "That passcode has been used before.",
    "duo_push.error.unreadable": "That is not a passcode.",
    "duo_push.error.throttled": plural(
        "seconds",
        one="There were too many wrong passcodes. Try the next one in {seconds:number} second.",
        other="There were too many wrong passcodes. Try the next one in {seconds:number} seconds.",
    ),
    "duo_push.error.limited": plural(
        "seconds",
        one="You were sent too many requests. The next one can be sent in {seconds:number} second.",
        other="You were sent too many requests. The next one can be sent in {seconds:number} seconds.",
    ),
    "duo_push.error.no_device": "That cannot be sent to any of your devices.",
    "duo_push.error.unfollowed": "Requests cannot be sent to devices at the moment.",
    "duo_push.error.gone": "That request is not open any more. Another window of yours may have taken its place.",
    "duo_push.next.denied": "If that was a mistake, send it again or use another way.",
    "duo_push.next.timeout": "Send the request again, or use another way.",
    "duo_push.next.passcode": "Check it and enter it again, or make a new one.",
    "duo_push.next.reused": "Each passcode works once. Make a new one and enter that.",
    "duo_push.next.unreadable": "Enter the code as it is shown to you. The words push, phone and sms work too, "
    "where you have a device for them.",
    "duo_push.next.throttled": "A request to your device can still be approved.",
    "duo_push.next.limited": "A passcode works at once.",
    "duo_push.next.no_device": "Use another way, or enter a passcode.",
    "duo_push.next.unfollowed": "A passcode works.",
    "duo_push.next.gone": "Send it again, or use another way.",
    "duo_push.notice.sent": "Codes were sent to {device} as a text message. Enter one of them here.",
    "duo_push.notice.fallback": "Duo's own page is out of order at the moment. You can confirm here instead.",
    # After a success
    "duo_trust.heading": "Is this your own device?",
    "duo_trust.what": plural(
        "days",
        one="If so, this browser is trusted for {days:number} day: {service}, and other applications that allow it, "
        "will not ask for Duo here.",
        other="If so, this browser is trusted for {days:number} days: {service}, and other applications that allow it, "
        "will not ask for Duo here.",
    ),
    "duo_trust.shared": "Say no on a device that other people use.",
    "duo_trust.yes": "Yes, this is my own device",
    "duo_trust.no": "No",
    # Where it does not go on
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
    "duo_unenrolled.come_back": "Afterwards you come back to {service}. If not, return to this page and continue.",
    "duo_unenrolled.expires": plural(
        "minutes",
        one="The button below works for {minutes:number} minute.",
        other="The button below works for {minutes:number} minutes.",
    ),
    "duo_unenrolled.nobody": "You cannot set it up yourself here. Please ask the help desk.",
    "duo_unenrolled.others": "You are signed in: applications without this step already work.",
    "duo_refused.heading": "Login Failed.",
    "duo_refused.why": "{service} asks for a second factor, and you have none.",
    "duo_restart.heading": "Please start again",
    "duo_restart.why": "The confirmation with Duo was not finished, took too long or was already used. "
    "Nothing is lost. While you are signed in, you need not enter your password again.",
    "duo_restart.button": "Start again",
}
