"""What each AXL operation does with the model."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from xml.etree.ElementTree import Element

from casduo.simulators.ucm import sql
from casduo.simulators.ucm.axl_answers import (
    branch,
    cut_down,
    leaf,
    phone_object,
    profile_object,
    user_object,
)
from casduo.simulators.ucm.axl_request import Argument, AxlCall
from casduo.simulators.ucm.cluster import Cluster
from casduo.simulators.ucm.errors import INTERNAL, INVALID, NOT_FOUND, AxlFault, LoginReason, LoginRefusal
from casduo.simulators.ucm.model import Phone, Profile, User

_Thing = TypeVar("_Thing", User, Phone, Profile)

_LOGIN_FAULTS: Mapping[LoginReason, tuple[int, str]] = {
    "no_device": (NOT_FOUND, "Item not valid: there is no device of this name"),
    "no_user": (NOT_FOUND, "Item not valid: there is no user of this id"),
    "no_profile": (NOT_FOUND, "Item not valid: there is no such profile for this user"),
    "not_enabled": (INTERNAL, "Extension Mobility is not enabled on the device"),
    "occupied": (INTERNAL, "a user is logged in on the device"),
    "elsewhere": (INTERNAL, "the user is logged in on another device"),
    "nobody": (INTERNAL, "nobody is logged in on the device"),
    "password_change": (INTERNAL, "the credential has to be changed"),
}

AUTHENTICATED, REFUSED = 0, 1
"""``code`` beside an answer about a PIN. Cisco tells of no list of them, so nobody may go by these."""


@dataclass(frozen=True, slots=True)
class AxlOperation:
    """One operation: its arguments in schema order, what it does, whether it writes, and whether a caller may number
    it with ``sequence``.
    """

    arguments: tuple[Argument, ...]
    run: Callable[[AxlOperations, AxlCall, float, int], Iterable[Element] | str]
    writes: bool = False
    numbered: bool = True


class AxlOperations:
    """The operations. Each takes the call, the present and the node, and is called while working on the cluster."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    # -- people ------------------------------------------------------------------------------------------------------

    def authenticate(self, call: AxlCall, now: float, node: int) -> Iterable[Element]:
        """Look at a PIN or a password. Counts as a try."""
        pin, password = call.text("pin"), call.text("password")
        if pin is not None and not re.fullmatch(r"\d{4,}", pin):
            raise AxlFault(INVALID, "pin has to have at least 4 digits", client=True)
        user = self._cluster.user(call.text("userid") or "")
        policy = self._cluster.policy
        if user is None and policy.unknown_user == "fault":
            raise _missing("user")
        if user is None or not self._proves(user, pin, password or "", now):
            return (leaf("userAuthenticated", False), leaf("code", REFUSED))
        answer = [leaf("userAuthenticated", True), leaf("code", AUTHENTICATED)]
        if user.pin_expires_in_days is not None:
            answer.append(leaf("daysToExpiry", user.pin_expires_in_days))
            answer.append(leaf("isWarningNeeded", user.pin_expires_in_days <= policy.expiry_warning_days))
        return answer

    def _proves(self, user: User, pin: str | None, password: str, now: float) -> bool:
        if pin is None:
            return user.password.check(password, now, self._cluster.policy) and user.active
        return user.pin.check(pin, now, self._cluster.policy) and user.active and not user.must_change_pin

    def get_user(self, call: AxlCall, now: float, node: int) -> Iterable[Element]:
        """Tell a user."""
        userid = call.text("userid")
        found = self._cluster.user(userid) if userid is not None else _by_uuid(self._cluster.users.values(), call)
        if found is None:
            raise _missing("user")
        return (cut_down(user_object(found, self._cluster.profiles), call.element.find("returnedTags")),)

    # -- phones and profiles -----------------------------------------------------------------------------------------

    def get_phone(self, call: AxlCall, now: float, node: int) -> Iterable[Element]:
        """Tell a phone and who is logged in on it."""
        found = _named(self._cluster.phones, call)
        return (cut_down(self._phone(found, now, node), call.element.find("returnedTags")),)

    def list_phones(self, call: AxlCall, now: float, node: int) -> Iterable[Element]:
        """Tell the phones that fit."""
        texts: Mapping[str, Callable[[Phone], str]] = {
            "name": lambda phone: phone.name,
            "description": lambda phone: phone.description,
            "protocol": lambda phone: phone.protocol,
            "callingSearchSpaceName": lambda phone: phone.search_space,
            "devicePoolName": lambda phone: phone.device_pool,
            "securityProfileName": lambda phone: "",
        }
        found = _fitting(self._cluster.phones.values(), call, texts)
        return [cut_down(self._phone(phone, now, node), call.element.find("returnedTags")) for phone in found]

    def get_profile(self, call: AxlCall, now: float, node: int) -> Iterable[Element]:
        """Tell a device profile."""
        found = _named(self._cluster.profiles, call)
        return (cut_down(profile_object(found), call.element.find("returnedTags")),)

    def list_profiles(self, call: AxlCall, now: float, node: int) -> Iterable[Element]:
        """Tell the device profiles that fit."""
        texts: Mapping[str, Callable[[Profile], str]] = {
            "name": lambda profile: profile.name,
            "description": lambda profile: profile.description,
        }
        found = _fitting(self._cluster.profiles.values(), call, texts)
        return [cut_down(profile_object(profile), call.element.find("returnedTags")) for profile in found]

    def _phone(self, phone: Phone, now: float, node: int) -> Element:
        return phone_object(phone, self._cluster.login_on(phone.name, now, node), self._cluster.profiles)

    # -- logins ------------------------------------------------------------------------------------------------------

    def log_in(self, call: AxlCall, now: float, node: int) -> str:
        """Log a user in. Nothing ends such a login: automatic logout is not for logins over AXL."""
        duration = call.number("loginDuration") or 0
        self._need_publisher()
        try:
            self._cluster.log_in(
                call.text("deviceName") or "",
                call.text("userId") or "",
                call.text("profileName") or "",
                now,
                node=node,
                by="axl",
                duration=duration,
            )
        except LoginRefusal as refusal:
            return self._refused(refusal)
        return "true"

    def log_out(self, call: AxlCall, now: float, node: int) -> str:
        """Log out whoever is on a phone; ``false`` where nobody is."""
        self._need_publisher()
        try:
            self._cluster.log_out(call.text("deviceName") or "", now, node=node)
        except LoginRefusal as refusal:
            return "false" if refusal.reason == "nobody" else self._refused(refusal)
        return "true"

    def _refused(self, refusal: LoginRefusal) -> str:
        if self._cluster.policy.axl_refusal == "false":
            return "false"
        raise AxlFault(*_LOGIN_FAULTS[refusal.reason]) from refusal

    def _need_publisher(self) -> None:
        if self._cluster.policy.axl_writes_need_publisher and not self._cluster.publisher_up():
            raise AxlFault(INTERNAL, "the database cannot be written while the publisher is away")

    # -- the rest ----------------------------------------------------------------------------------------------------

    def version(self, call: AxlCall, now: float, node: int) -> Iterable[Element]:
        """Tell the release: that of the newest schema offered."""
        return (branch("componentVersion", leaf("version", f"{self._cluster.policy.axl_versions[-1]}.1.10000-1")),)

    def query(self, call: AxlCall, now: float, node: int) -> Iterable[Element]:
        """Answer an SQL statement over logins, devices and users."""
        rows = sql.answer(call.text("sql") or "", sql.tables_of(self._cluster, now, node))
        return [branch("row", *(leaf(name, value) for name, value in row)) for row in rows]


_USER = (Argument("userid", either=1), Argument("uuid", either=1), Argument("returnedTags", required=False))
_NAMED = (Argument("name", either=1), Argument("uuid", either=1), Argument("returnedTags", required=False))
_SEARCH = (
    Argument("searchCriteria"),
    Argument("returnedTags"),
    Argument("skip", required=False),
    Argument("first", required=False),
)

OPERATIONS: Mapping[str, AxlOperation] = {
    "doAuthenticateUser": AxlOperation(
        (Argument("userid"), Argument("password", either=1), Argument("pin", either=1)), AxlOperations.authenticate
    ),
    "getUser": AxlOperation(_USER, AxlOperations.get_user),
    "getPhone": AxlOperation(_NAMED, AxlOperations.get_phone),
    "listPhone": AxlOperation(_SEARCH, AxlOperations.list_phones),
    "getDeviceProfile": AxlOperation(_NAMED, AxlOperations.get_profile),
    "listDeviceProfile": AxlOperation(_SEARCH, AxlOperations.list_profiles),
    "doDeviceLogin": AxlOperation(
        (Argument("deviceName"), Argument("loginDuration"), Argument("profileName"), Argument("userId")),
        AxlOperations.log_in,
        writes=True,
    ),
    "doDeviceLogout": AxlOperation((Argument("deviceName"),), AxlOperations.log_out, writes=True),
    "getCCMVersion": AxlOperation(
        (Argument("processNodeName", required=False),), AxlOperations.version, numbered=False
    ),
    "executeSQLQuery": AxlOperation((Argument("sql"),), AxlOperations.query),
}
"""Every operation by its name."""


def _missing(what: str) -> AxlFault:
    return AxlFault(NOT_FOUND, f"Item not valid: the {what} asked for was not found")


def _by_uuid(things: Iterable[_Thing], call: AxlCall) -> _Thing | None:
    wanted = call.uuid()
    return next((thing for thing in things if thing.uuid == wanted), None)


def _named(things: Mapping[str, _Thing], call: AxlCall) -> _Thing:
    name = call.text("name")
    found = things.get(name) if name is not None else _by_uuid(things.values(), call)
    if found is None:
        raise _missing("item")
    return found


def _fitting(things: Iterable[_Thing], call: AxlCall, texts: Mapping[str, Callable[[_Thing], str]]) -> list[_Thing]:
    criteria = [(child.tag, child.text or "") for child in call.element.find("searchCriteria") or ()]
    if not criteria or any(name not in texts for name, _ in criteria):
        raise AxlFault(INVALID, f"searchCriteria has to have some of {', '.join(texts)}", client=True)
    found = [
        thing
        for thing in sorted(things, key=texts["name"])
        if all(_like(texts[name](thing), pattern) for name, pattern in criteria)
    ]
    skip, first = call.number("skip") or 0, call.number("first")
    return found[skip:] if first is None else found[skip : skip + first]


def _like(text: str, pattern: str) -> bool:
    wanted = ".*".join(re.escape(part) for part in pattern.split("%"))
    return re.fullmatch(wanted, text, re.IGNORECASE | re.DOTALL) is not None
