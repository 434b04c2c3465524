"""Reads what AXL answers. Booleans are texts, and every text but the three that mean yes means no: a refusal must never
pass for anything else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal
from xml.etree.ElementTree import Element

from casduo.ucm.errors import RefusalKind
from casduo.ucm.model import PhoneState, PinAnswer, UcmUser, same_user
from casduo.ucm.soap import Unreadable, child, children, content_of, local_name, text_of, value_of

NOT_FOUND = 5007
"""The ``axlcode`` of something that does not exist."""

_YES = frozenset({"true", "t", "1"})
_UUID = re.compile(r"\{[0-9A-Fa-f-]{36}\}")
_NUMBER = re.compile(r"-?[0-9]{1,9}")
_THINGS: tuple[tuple[str, RefusalKind], ...] = (
    # "Device profile" names a device too, so profiles come first.
    ("profile", "no_profile"),
    ("user", "no_user"),
    ("device", "no_device"),
    ("phone", "no_device"),
)

FaultMeaning = Literal["not_found", "memory", "too_large", "version", "other"]


@dataclass(frozen=True, slots=True)
class AxlFault:
    """A SOAP fault. ``code`` is UCM's ``axlcode``, None where it gives none; ``text`` is for this module only."""

    code: int | None
    text: str = field(repr=False)

    @property
    def word(self) -> str:
        """How errors and the log name it."""
        return "axl fault" if self.code is None else f"axl {self.code}"

    @property
    def meaning(self) -> FaultMeaning:
        """What it says. Code -1 stands for throttling and for much else, so there the text decides."""
        if self.code == NOT_FOUND:
            return "not_found"
        text = self.text.lower()
        if "memory allocation" in text:
            return "memory"
        if "request too large" in text:
            return "too_large"
        return "version" if "version" in text and self.code in (None, -1) else "other"

    @property
    def missing(self) -> RefusalKind:
        """Which of the things named in a request does not exist."""
        text = self.text.lower()
        return next((kind for word, kind in _THINGS if word in text), "other")


def read_answer(operation: str, body: bytes) -> Element:
    """Return the element ``return`` of an answer with status 200.

    :raises Unreadable: it is not XML, has a document type, or answers something else.
    """
    answer = content_of(body)
    if local_name(answer) != f"{operation}Response":
        raise Unreadable("another element")
    found = child(answer, "return")
    if found is None:
        raise Unreadable("nothing returned")
    return found


def read_fault(body: bytes) -> AxlFault | None:
    """Return the SOAP fault in a body, None if there is none: then it is some server's error page.

    UCM leaves out the namespace that its schema gives to the detail, so here too only local names count.
    """
    try:
        fault = content_of(body)
    except Unreadable:
        return None
    if local_name(fault) != "Fault":
        return None
    code = next((text_of(each) for each in fault.iter() if local_name(each) == "axlcode"), "")
    texts = [text_of(each) for each in fault.iter() if local_name(each) in ("faultstring", "axlmessage")]
    return AxlFault(int(code) if _NUMBER.fullmatch(code) else None, " ".join(texts))


def says_yes(text: str) -> bool:
    """Return whether AXL's text boolean means yes. Nonsense and nothing mean no."""
    return text in _YES


def pin_answer(found: Element) -> PinAnswer:
    """Read what doAuthenticateUser returned. Where it contradicts itself, the PIN was wrong."""
    said = [text_of(each) for each in children(found, "userAuthenticated")]
    right = bool(said) and all(map(says_yes, said))
    code, days = value_of(found, "code"), value_of(found, "daysToExpiry")
    warned = right and says_yes(value_of(found, "isWarningNeeded")) and _NUMBER.fullmatch(days)
    return PinAnswer(right, code if _NUMBER.fullmatch(code) else "", max(0, int(days)) if warned else None)


def user_of(found: Element, asked: str) -> UcmUser:
    """Read what getUser returned.

    :param asked: the user id of the request; UCM tells user ids apart without regard to case
    :raises Unreadable: it is about nobody, or about somebody else.
    """
    user = child(found, "user")
    userid = "" if user is None else value_of(user, "userid")
    if user is None or not same_user(userid, asked):
        raise Unreadable("another user")
    listed = child(user, "phoneProfiles")
    names = () if listed is None else tuple(text_of(each) for each in children(listed, "profileName"))
    profiles = tuple(name for name in names if name)
    default = value_of(user, "defaultProfile")
    return UcmUser(
        userid=userid,
        first_name=value_of(user, "firstName"),
        last_name=value_of(user, "lastName"),
        display_name=value_of(user, "displayName"),
        mail=value_of(user, "mailid"),
        department=value_of(user, "department"),
        telephone=value_of(user, "telephoneNumber"),
        locale=value_of(user, "userLocale"),
        profiles=profiles,
        default_profile=default if default in profiles else "",
    )


def phone_of(found: Element, device: str) -> PhoneState:
    """Read what getPhone returned for ``device``.

    :raises Unreadable: there is no phone in it.
    """
    phone = child(found, "phone")
    if phone is None:
        raise Unreadable("no phone")
    enabled, user = child(phone, "enableExtensionMobility"), value_of(phone, "loginUserId")
    return PhoneState(
        device,
        enabled=None if enabled is None else says_yes(text_of(enabled)),
        user=user,
        # A phone that nobody is logged in on has a profile too, its own.
        profile=value_of(phone, "currentProfileName") if user else "",
    )


def was_written(found: Element) -> bool:
    """Return whether doDeviceLogin or doDeviceLogout did what it was asked to: they return a text boolean or, for yes,
    the identifier of what was changed.
    """
    text = text_of(found)
    return says_yes(text) or _UUID.fullmatch(text) is not None


def column(found: Element, name: str) -> tuple[str, ...]:
    """Return the values of one column of what executeSQLQuery returned, without empty ones."""
    values = (value_of(row, name) for row in children(found, "row"))
    return tuple(value for value in values if value)


def phone_names(found: Element) -> tuple[str, ...]:
    """Read the names that listPhone returned."""
    return tuple(name for phone in children(found, "phone") if (name := value_of(phone, "name")))


def version_of(found: Element) -> str:
    """Return the version that getCCMVersion returned, empty if there is none."""
    component = child(found, "componentVersion")
    return "" if component is None else value_of(component, "version")
