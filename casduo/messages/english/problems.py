"""Texts of the pages about a request or a server that is not as it should be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from casduo.messages.model import Message, plural

TEXTS: Final[Mapping[str, Message]] = {
    "cookies_missing.heading": "Cookies are switched off",
    "cookies_missing.why": "Your browser did not send back a cookie. Signing in does not work without one.",
    "cookies_missing.advice": "Allow cookies for this site, then try again.",
    "bad_request.heading": "This link does not work",
    "bad_request.why": "The address is not complete, or something in it is not allowed.",
    "bad_request.advice": "Go back to the application and open it once more.",
    "too_large.heading": "What was sent is too large",
    "too_large.why": "At most {most:number} KB can be sent at once. Nothing was changed.",
    "too_large.advice": "Go back with your browser: what you typed is still there. Shorten it, then send it again.",
    "not_found.heading": "There is no such page",
    "not_found.why": "Perhaps the address was mistyped, or the page has moved.",
    "method_not_allowed.heading": "This page cannot be opened like that",
    "method_not_allowed.why": "It only answers a form on another page.",
    "store_unavailable.heading": "Signing in does not work right now",
    "store_unavailable.why": "Part of this service is out of order. It is not your mistake, and we know.",
    "store_unavailable.advice": "Applications you have open keep working. Please try again in a minute.",
    "error.heading": "Something went wrong",
    "error.why": "It is not your mistake. The reference below helps us to find out what happened.",
    "error.advice": "Please try again in a few minutes.",
    "too_many.heading": "That was too often",
    "too_many.why": plural(
        "seconds",
        one="Please wait {seconds:number} second, then try again.",
        other="Please wait {seconds:number} seconds, then try again.",
    ),
}
