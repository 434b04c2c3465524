"""Writes the answers of the Extension Mobility API, as the published DTD has them or as older releases do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from urllib.parse import quote
from xml.etree.ElementTree import Element

from casduo.simulators.ucm.axl_answers import branch, leaf
from casduo.simulators.ucm.errors import EmFailure
from casduo.simulators.ucm.logins import Login
from casduo.simulators.ucm.model import Phone, User
from casduo.simulators.ucm.policy import EmDialect

_TEXTS: Mapping[int, str] = {
    0: "something went wrong",
    1: "the document is not understood",
    2: "the caller did not say who it is",
    3: "the caller could not be authenticated",
    4: "a rule forbids it",
    5: "Extension Mobility is not enabled on the device",
    6: "the database did not answer",
    8: "the query is not known",
    10: "the caller may not act for others",
    11: "there is no such device",
    12: "there is no such device profile",
    18: "somebody else is logged in on the device",
    19: "nobody is logged in on the device",
    22: "Extension Mobility is not enabled on the device",
    23: "there is no such user",
    25: "the user is logged in on another device",
    26: "too many requests at once, try again",
    27: "the credential has to be changed",
}


def encoded(userid: str) -> str:
    """Return a user id as it travels: UTF-8, percent-encoded."""
    return quote(userid, safe="")


def success() -> Element:
    """Return that it was done."""
    return branch("success")


def failure(error: EmFailure, dialect: EmDialect) -> Element:
    """Return that it was not done, and why."""
    told = leaf("errorMessage" if dialect == "old" else "error", _TEXTS.get(error.em_code, _TEXTS[0]))
    told.set("code", str(error.em_code))
    return branch("failure", told)


def device_users(states: Iterable[tuple[str, Phone | None, Login | None]], *, last_login: bool) -> Element:
    """Return who is on each of the phones asked for; a phone nobody knows has no state."""
    results = Element("deviceUserResults")
    for name, phone, login in states:
        device = branch("device")
        device.set("name", name)
        if phone is None:
            device.append(branch("doesNotExist"))
        else:
            device.append(branch("none") if login is None else leaf("userID", encoded(login.user)))
            if last_login:
                device.append(leaf("lastlogin", encoded(phone.last_user)))
                device.append(leaf("emccDevice", "no"))
        results.append(device)
    return results


def user_devices(states: Iterable[tuple[str, User | None, list[Login]]]) -> Element:
    """Return where each of the users asked for is logged in."""
    results = Element("userDevicesResults")
    for userid, user, logins in states:
        entry = _user(userid)
        if user is None:
            entry.append(branch("doesNotExist"))
        elif not logins:
            entry.append(branch("none"))
        entry.extend(leaf("deviceName", login.device) for login in logins)
        results.append(entry)
    return results


def device_profiles(states: Iterable[tuple[str, User | None]]) -> Element:
    """Return the profiles of each of the users asked for."""
    results = Element("deviceProfileResults")
    for userid, user in states:
        entry = _user(userid)
        if user is None:
            entry.append(branch("doesNotExist"))
        elif not user.profiles:
            entry.append(branch("none"))
        else:
            entry.extend(
                branch(
                    "deviceProfile",
                    leaf("deviceProfileName", name),
                    leaf("isDefaultDeviceProfile", "t" if name == user.default_profile else "f"),
                )
                for name in user.profiles
            )
        results.append(entry)
    return results


def checked_users(states: Iterable[tuple[str, User | None]]) -> Element:
    """Return which of the users asked for exist."""
    results = Element("checkUserResults")
    for userid, user in states:
        entry = _user(userid)
        entry.append(branch("doesNotExist" if user is None else "exists"))
        results.append(entry)
    return results


def document(content: Element, dialect: EmDialect, *, query: bool) -> Element:
    """Return the root with an answer inside."""
    return branch("results" if query and dialect == "old" else "response", content)


def _user(userid: str) -> Element:
    entry = branch("user")
    entry.set("id", encoded(userid))
    return entry
