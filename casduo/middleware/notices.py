"""The wording of every page the middleware shows. Plain words: what happened, what it means, what one can do."""

from __future__ import annotations

from typing import Final

from casduo.middleware.pages import Link, Page

_SECOND_FACTOR: Final = (
    "This application can be opened only after a second proof of identity, such as an approval on your phone, and "
    "your sign-in had none.",
    "Sign out and in again. If you have no second factor yet, ask your help desk for one.",
)


def sign_in_needed(sign_in_url: str, *, reading: bool) -> Page:
    """A request that cannot be answered by a redirect came without a session.

    :param reading: nothing was being sent, so nothing can be lost.
    """
    lost = (
        "Your session has ended or did not begin."
        if reading
        else "Your session ended before this was sent. Nothing was saved, and nothing is lost yet."
    )
    way = (
        "Sign in, then open the page again."
        if reading
        else "Sign in in a new tab, then come back to this one and send the form again."
    )
    return Page(401, "Please sign in", (lost, way), (Link("Sign in", sign_in_url, new_tab=not reading),))


def proxy_ticket_refused(code: str) -> Page:
    """A program brought a proxy ticket that is worth nothing (any more)."""
    text = ("The proxy ticket was not accepted. It is good once, soon, and for the very address it was bought for.",)
    return Page(401, "A new proxy ticket is needed", (*text, "Buy a new one and send the request again."), code=code)


def no_proxying(code: str, again: str) -> Page:
    """The CAS server does not let the application act in its users' names, or could not reach its callback."""
    text = (
        "You are signed in, but this application needs to ask other services in your name, and the sign-in server "
        "does not let it.",
        "Tell your help desk the code and the reference below.",
    )
    return Page(500, "This application is not set up properly", text, (Link("Try again", again),), code)


def denied(code: str, again: str, context: str = "") -> Page:
    """The CAS server, or a rule of ours, does not let this person in."""
    if code == "PROXY_NOT_ALLOWED":
        text = (
            "Another service asked in your name, and this application does not take requests from that service.",
            "If you think that it should, tell your help desk the code and the reference below.",
        )
        return Page(403, "This service is not let in", text, code=code)
    if context or code == "INVALID_AUTHENTICATION_CONTEXT":
        return Page(403, "A second factor is needed", _SECOND_FACTOR, (Link("Try again", again),), code)
    if code == "INVALID_TICKET":
        text = (
            "The sign-in server did not recognise the proof of your sign-in, several times in a row.",
            "Wait a moment and try again. If that does not help, tell your help desk the code and the reference.",
        )
        return Page(403, "Your sign-in was not accepted", text, (Link("Try again", again),), code)
    text = (
        "You are signed in, but the sign-in server does not let you into this application.",
        "If you think that you should get in, tell your help desk the code and the reference below.",
    )
    return Page(403, "You cannot open this application", text, (Link("Try again", again),), code)


def unavailable(again: str) -> Page:
    """The CAS server or the session store does not answer as it should."""
    text = (
        "Your sign-in cannot be checked at the moment, so nobody can be let in. This is not your fault.",
        "Wait a minute and try again.",
    )
    return Page(503, "Signing in does not work right now", text, (Link("Try again", again),))


def misconfigured() -> Page:
    """The application's operator has to change something."""
    text = (
        "You are signed in, but this application cannot hold your sign-in. Trying again will not help.",
        "Tell your help desk the reference below.",
    )
    return Page(500, "This application is not set up properly", text)


def cookies_off(again: str) -> Page:
    """The browser does not return cookies."""
    text = (
        "Your browser did not send back the cookie that remembers your sign-in.",
        "Allow cookies for this site and try again. A private window or an extension may be blocking them.",
    )
    return Page(400, "Cookies are switched off", text, (Link("Try again", again),))


def loop(again: str) -> Page:
    """The browser was sent to the CAS server and back too often."""
    text = (
        "You were signed in several times within seconds, and each time this application had forgotten you again.",
        "Usually the browser does not keep this site's cookies. Close all its windows, or try another browser.",
    )
    return Page(503, "Signing in does not come to an end", text, (Link("Try again", again),))


def too_long(start: str) -> Page:
    """The address cannot be carried through the sign-in."""
    text = (
        "You need to sign in first, and the address of the page is too long to be kept meanwhile.",
        "Sign in, then open the page again.",
    )
    return Page(414, "This address is too long", text, (Link("Sign in", start),))


def unknown_host() -> Page:
    """The request names a host that the application does not go by."""
    return Page(400, "Wrong address", ("This application is not reachable under this host name.",))


def confirm_sign_out(token: str, back: str) -> Page:
    """Somebody was sent to the sign-out address from elsewhere."""
    text = ("You followed a link to sign out of this application and of single sign-on.",)
    stay = (Link("Stay signed in", back),)
    return Page(200, "Do you want to sign out?", text, stay, confirm="Sign out", token=token)


def wrong_method() -> Page:
    """The sign-out address was asked with a method that means nothing there."""
    return Page(405, "This cannot be done", ("Signing out is done with a link or a button.",))


def failed() -> Page:
    """Something that nobody expected."""
    text = ("Something went wrong while your sign-in was checked.", "Tell your help desk the reference below.")
    return Page(500, "That did not work", text)
