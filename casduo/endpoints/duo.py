"""The addresses of Duo: the way back from its own page, and the news for the script of ours."""

from __future__ import annotations

import math

from casduo.endpoints.base import Server
from casduo.endpoints.browser import resume
from casduo.mfa.duo.pushes import PushName
from casduo.request import SESSION_COOKIE, Request
from casduo.signing import Purpose, TokenInvalid, equal, fingerprint
from casduo.web import Reply
from casduo.webflow.actions.duo_page import session_mark

_GONE = {"state": "gone", "status": "", "said": "", "seconds": 0}


def callback(server: Server, request: Request) -> Reply:
    """``/duo/callback``: the way back from Duo. The service comes from the waiting flow, never from this URL."""
    return resume(server, request, request.parameters.get("state", ""), "return")


def push_status(server: Server, request: Request) -> Reply:
    """``/duo/push/status``: how a push stands, for a script that asks every few seconds. One round trip.

    Tells nothing that the page does not show, and that only to the browser for which the key was made.
    """
    parts = server.parts
    try:
        value = parts.signing.loads(
            Purpose.DUO_PUSH, request.parameters.get("key", ""), parts.rules.flow_lifetime, request.now
        )
        text, browser, session = value
    except (TokenInvalid, TypeError, ValueError):
        return server.web.news(200, _GONE)
    name = PushName.parse(text)
    if name is None or not equal(browser, fingerprint(request.flow_cookie)[:32]):
        return server.web.news(200, _GONE)
    if session_mark(request.cookies.get(SESSION_COOKIE, "")) != session:
        # Signed in, or out, in another window: the page is to be looked at anew.
        return server.web.news(200, {**_GONE, "state": "elsewhere"})
    push = parts.pushes.read(name, request.now)
    if push is None:
        return server.web.news(200, _GONE)
    facts = {"state": push.state, "status": push.status, "said": push.status_message}
    return server.web.news(200, {**facts, "seconds": max(0, math.ceil(push.ends_at - request.now))})
