"""The kinds of event about phones, one class each. Never a PIN, a passcode or the token of a login under way."""

from __future__ import annotations

from typing import ClassVar, Literal

from casduo.events.model import Event
from casduo.values import value_object

LogoutCause = Literal["asked", "time", "moved", "taken_over"]
"""Why somebody was logged out: at the phone itself, because the time was over, to log in on another phone or with
another profile, or because somebody else logged in.
"""
DeviceRefusal = Literal["name", "network", "address", "wrong_device", "wrong_address", "unknown", "not_enabled"]
"""``name``: no name of a phone of ours; ``network``: from outside the networks of phones; ``address``: not from where
the phone is registered; ``wrong_device``, ``wrong_address``: not the one with which the login began; ``unknown``,
``not_enabled``: by UCM's word.
"""


@value_object(frozen=True, slots=True)
class PhoneEvent(Event):
    """Something that happened at a phone.

    ``device`` is the phone's name as it claims it, ``model`` what it calls itself, ``profile`` the profile in question,
    ``node`` the UCM node that answered, ``transaction`` the masked id of the login under way. Each may be empty.
    """

    device: str = ""
    model: str = ""
    profile: str = ""
    node: str = ""
    transaction: str = ""


@value_object(frozen=True, slots=True)
class PhoneLoggedIn(PhoneEvent):
    """Somebody was logged in on a phone. ``already``: they were before, and nothing was written."""

    name: ClassVar[str] = "phone.logged_in"
    already: bool = False


@value_object(frozen=True, slots=True)
class PhoneLoggedOut(PhoneEvent):
    """Somebody was logged out of a phone. ``cause`` is one of :data:`LogoutCause`."""

    name: ClassVar[str] = "phone.logged_out"
    cause: str = ""


@value_object(frozen=True, slots=True)
class PhoneLoginRefused(PhoneEvent):
    """Somebody with the right PIN, and Duo's consent where that was owed, was not logged in.

    ``reason`` is the word that the phone shows a page for (``occupied``, ``no_profile`` ...), ``detail`` UCM's number.
    """

    name: ClassVar[str] = "phone.refused"
    level: ClassVar[str] = "warning"
    reason: str = ""
    detail: str = ""


@value_object(frozen=True, slots=True)
class PhoneDeviceRefused(PhoneEvent):
    """A request that speaks for a phone was not believed, or the phone is not one to log in on.

    ``reason`` is one of :data:`DeviceRefusal`, ``detail`` tells more of an ``address``: where the phone is registered,
    or ``not_known`` where that has not been read, or not of late.
    """

    name: ClassVar[str] = "phone.device_refused"
    level: ClassVar[str] = "warning"
    reason: str = ""
    detail: str = ""


@value_object(frozen=True, slots=True)
class PhoneLoginUnsure(PhoneEvent):
    """UCM was asked to log somebody in or out, and nobody knows whether it did. ``step`` is ``login`` or ``logout``,
    ``detail`` the error's.
    """

    name: ClassVar[str] = "phone.unsure"
    level: ClassVar[str] = "warning"
    step: str = "login"
    detail: str = ""


@value_object(frozen=True, slots=True)
class PhoneLogoutDelayed(PhoneEvent):
    """Somebody whose time is over could not be logged out yet; it is tried again. Written once for each login.

    ``code`` and ``detail`` are the error's.
    """

    name: ClassVar[str] = "phone.logout_delayed"
    level: ClassVar[str] = "warning"
    code: str = ""
    detail: str = ""
