"""Actions about the profiles a person may log in with: which there are, and which it is to be."""

from __future__ import annotations

from typing import Literal

from casduo.events.journal import Journal
from casduo.phone.rules import PhoneRules
from casduo.ucm.errors import UCM_ERRORS
from casduo.ucm.interfaces import UserDirectory
from casduo.webflow.actions.phone_entry import put_off
from casduo.webflow.context import Context
from casduo.webflow.effects import Page
from casduo.webflow.engine import Pause
from casduo.webflow.scope import Scope

PAGE = 30
"""Profiles on one page. A menu holds a hundred items, and nobody reads as many."""
_FRESH = 60.0
"""Seconds for which a list need not be asked for again."""


def note(context: Context, phone_rules: PhoneRules) -> Literal["none", "some"]:
    """Take note of the person's profiles as the PIN check brought them, the default one first. Who has none gave the
    right PIN, and is told so before anybody is asked for anything else, unless the settings say otherwise.
    """
    scope, attributes = context.scope, context.attributes
    scope.phone_user = next(iter(attributes.get("userid", ())), scope.principal_id)
    _keep(
        scope,
        attributes.get("emProfile", ()),
        next(iter(attributes.get("emDefaultProfile", ())), ""),
        context.inbound.now,
    )
    return "none" if not scope.phone_profiles and not phone_rules.no_profile_after_duo else "some"


def choose(
    context: Context, user_directory: UserDirectory, phone_rules: PhoneRules, journal: Journal
) -> Literal["none", "one", "several", "unavailable", "busy", "later"]:
    """Find out whether there is anything to choose."""
    event = _refresh(context, user_directory, phone_rules, journal)
    if event != "fresh":
        return event
    scope = context.scope
    if not scope.phone_profiles:
        return "none"
    default = phone_rules.take_default_profile and scope.phone_default
    if len(scope.phone_profiles) > 1 and not default:
        scope.phone_from = 0
        return "several"
    # The default one stands first.
    scope.phone_profile = scope.phone_profiles[0]
    return "one"


def view(context: Context) -> Pause[Literal["proceed"]]:
    """The menu. Addresses carry the place in the list, never a name."""
    scope = context.scope
    shown = scope.phone_profiles[scope.phone_from : scope.phone_from + PAGE]
    profiles = [
        {"index": index, "name": name, "default": name == scope.phone_default}
        for index, name in enumerate(shown, scope.phone_from)
    ]
    following = scope.phone_from + PAGE
    return Pause(
        Page(
            "phone_profiles",
            {"profiles": profiles, "next": following if following < len(scope.phone_profiles) else None},
        )
    )


def pick(
    context: Context, user_directory: UserDirectory, phone_rules: PhoneRules, journal: Journal
) -> Literal["picked", "again", "cancel", "gone", "unavailable", "busy", "later"]:
    """Take the choice, or the one for which nobody had time before. A list that is no longer new is asked for once
    more: rights may have been taken away.
    """
    scope, fields = context.scope, context.inbound.fields
    if fields.get("cancel"):
        return "cancel"
    count = len(scope.phone_profiles)
    offset, index = _number(fields.get("from", "")), _number(fields.get("profile", ""))
    if offset is not None and offset < count:
        scope.phone_from = offset // PAGE * PAGE
        return "again"
    if index is not None and index < count:
        scope.phone_profile = scope.phone_profiles[index]
    name = scope.phone_profile
    if not name:
        return "again"
    event = _refresh(context, user_directory, phone_rules, journal)
    if event != "fresh":
        return event
    return "picked" if name in scope.phone_profiles else "gone"


def _refresh(
    context: Context, user_directory: UserDirectory, phone_rules: PhoneRules, journal: Journal
) -> Literal["fresh", "unavailable", "busy", "later"]:
    scope, now = context.scope, context.inbound.now
    if 0 <= now - scope.phone_profiles_at <= _FRESH:
        return "fresh"
    try:
        user = user_directory.user(scope.phone_user, context.budget(phone_rules.budget))
    except UCM_ERRORS as error:
        return put_off(context, error, phone_rules, journal)
    scope.phone_busy_since = 0.0
    _keep(scope, user.profiles if user is not None else (), user.default_profile if user is not None else "", now)
    return "fresh"


def _keep(scope: Scope, profiles: tuple[str, ...], default: str, now: float) -> None:
    scope.phone_profiles = sorted(profiles, key=lambda name: name != default)
    scope.phone_default = default if default in profiles else ""
    scope.phone_profiles_at = now


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 4 else None
