"""The pages of a phone that only tell something, and end the flow."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from casduo.phone.rules import PhoneRules
from casduo.webflow.actions.duo import FINAL_REASONS
from casduo.webflow.context import Context
from casduo.webflow.effects import Page

Key = Literal["again", "logout", "exit"]


def told(word: str, *keys: Key, problem: bool = False, **facts: str | int) -> Page:
    """Return a page with one of the texts for phones.

    :param word: the text's id is ``phone.told.`` and this
    :param keys: what can be pressed
    :param problem: whether the request's reference is shown, for somebody is going to ask about it
    """
    return Page("phone_told", {"text": f"phone.told.{word}", "facts": facts, "keys": list(keys), "problem": problem})


def _page(word: str, *keys: Key, problem: bool = False) -> Callable[[Context], Page]:
    def end(context: Context) -> Page:
        return told(word, *keys, problem=problem)

    return end


nobody = _page("nobody", "again", "exit")
cancelled = _page("cancelled", "again", "exit")
moved_on = _page("moved_on", "again", "exit")
device_unknown = _page("device_unknown", "exit", problem=True)
device_not_enabled = _page("device_not_enabled", "exit", problem=True)
device_refused = _page("device_refused", "exit", problem=True)
device_unproved = _page("device_unproved", "again", "exit", problem=True)
disabled = _page("disabled", "exit")
unregistered = _page("unregistered", "exit", problem=True)
unavailable = _page("unavailable", "again", "exit", problem=True)
approval_sent = _page("approval_sent", "exit")
approval_waiting = _page("approval_waiting", "exit")
approval_early = _page("approval_early", "exit")
approval_refused = _page("approval_refused", "exit", problem=True)
approval_over = _page("approval_over", "again", "exit")
no_profile = _page("no_profile", "exit")
no_name = _page("no_name", "exit", problem=True)
profile_gone = _page("profile_gone", "again", "exit")
must_change = _page("must_change", "exit")
unenrolled = _page("unenrolled", "exit")
duo_locked = _page("duo_locked", "exit")
duo_denied = _page("duo_denied", "again", "exit")
duo_unavailable = _page("duo_unavailable", "again", "exit", problem=True)
fraud = _page("fraud", "exit")
refused = _page("refused", "exit", problem=True)
unsure = _page("unsure", "again", "exit", problem=True)


def busy(context: Context) -> Page:
    """UCM, or somebody else at this phone, is at work."""
    return told("busy", "again", "exit", seconds=context.wait or 5)


def throttled(context: Context) -> Page:
    """Too many wrong PINs."""
    return told("throttled", "exit", minutes=max(1, -(-context.wait // 60)))


def denied(context: Context) -> Page:
    """The access rules of the entry keep this person out."""
    return told("denied", "exit", problem=True, service=context.required_service.name)


def duo_refused(context: Context) -> Page:
    """Duo said no. Where trying again cannot change that, nobody is invited to."""
    reason = context.facts.get("duo_reason", "refused")
    if reason == "locked_out":
        return duo_locked(context)
    return told("duo_denied", "exit") if reason in FINAL_REASONS else duo_denied(context)


def occupied(context: Context, phone_rules: PhoneRules) -> Page:
    """Somebody else is logged in on the phone."""
    return told(
        "occupied", "logout", "exit", user=context.facts.get("occupant", "") if phone_rules.show_occupant else ""
    )


def elsewhere(context: Context) -> Page:
    """The person is logged in on another phone, and that is not to be."""
    return told("elsewhere", "exit", places=context.facts.get("places", ""))


def logged_in(context: Context) -> Page:
    """The login is done; the phone starts anew in a moment."""
    return told("logged_in", "exit", user=context.scope.phone_user, profile=context.scope.phone_profile)


def already(context: Context) -> Page:
    """The person was logged in on this very phone before."""
    return told("already", "logout", "exit", user=context.scope.phone_user)
