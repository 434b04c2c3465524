"""The documents of UCM's Extension Mobility API: what is sent, and what the answers mean. Pure.

Source: the "Extension Mobility API Developer Guide" (requests, queries, DTDs, response codes). The DTDs fix the order
of what is sent. Of the answers, DTD, examples and older releases tell different stories, so these are read by local
names, without regard to case, and what nobody asked for is passed over.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import unquote_plus
from xml.etree.ElementTree import Element, ParseError, SubElement, tostring

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from casduo.ucm.errors import RefusalKind, UcmBusy, UcmMisconfigured, UcmRefused, UcmUnavailable

_UNWRITABLE = re.compile(r"[^\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML cannot carry, and control characters: no name in UCM has them."""
_ROOTS = frozenset({"response", "results"})
_ERRORS = frozenset({"error", "errormessage"})

_MISCONFIGURED = frozenset({1, 2, 3, 8, 10, 28, 30})
"""Our request or query is not understood (1, 8), our account is not known (2, 3) or may not act for others (10, 30), or
our address may not (28)."""
_BUSY = frozenset({26})
_TROUBLE = frozenset({0, 6, 7, 9, 20, 21, 29})
"""Something within UCM fails: its database (6, 20, 21), its directory (9), the data collector (29), the timer of a
login that is already made (7), or what has no number (0). Another node may do better, and a write may have happened."""
_REFUSALS: dict[int, RefusalKind] = {
    4: "policy",
    5: "not_enabled",
    11: "no_device",
    12: "no_profile",
    18: "occupied",
    19: "nobody",
    22: "not_enabled",
    23: "no_user",
    25: "elsewhere",
    27: "password_change",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """The application user in whose name UCM is asked."""

    userid: str
    certificate: str = field(repr=False)
    """The password, by the name the DTD gives it."""


def login_request(caller: Caller, device: str, userid: str, profile: str, seconds: float) -> str:
    """Return the request that logs a user in.

    :param profile: empty to leave the choice to UCM
    :param seconds: after which UCM ends the login, rounded up to minutes; 0 for never
    :raises UcmRefused: one of the names holds characters that no name in UCM has
    """
    root, login = _asking("request", caller, "login")
    _add(login, "deviceName", device)
    _add(login, "userID", _encoded(userid))
    if profile:
        _add(login, "deviceProfile", profile)
    duration = SubElement(login, "exclusiveDuration")
    if seconds > 0:
        _add(duration, "time", str(math.ceil(seconds / 60)))
    else:
        SubElement(duration, "indefinite")
    return _text(root)


def logout_request(caller: Caller, device: str) -> str:
    """Return the request that logs out whoever is on a phone.

    :raises UcmRefused: as :func:`login_request`
    """
    root, logout = _asking("request", caller, "logout")
    _add(logout, "deviceName", device)
    return _text(root)


def device_user_query(caller: Caller, device: str) -> str:
    """Return the question who is on a phone.

    :raises UcmRefused: as :func:`login_request`
    """
    root, query = _asking("query", caller, "deviceUserQuery")
    _add(query, "deviceName", device)
    return _text(root)


def user_devices_query(caller: Caller, userid: str) -> str:
    """Return the question on which phones a user is logged in.

    :raises UcmRefused: as :func:`login_request`
    """
    root, query = _asking("query", caller, "userDevicesQuery")
    _add(query, "userID", _encoded(userid))
    return _text(root)


def read_outcome(body: bytes, upstream: str) -> None:
    """Read the answer to a login or logout, and return if it was carried out.

    :param upstream: the node that answered, as errors name it
    :raises UcmRefused: it was not, for a reason that lies in user, phone or profile
    :raises UcmBusy: it was not; too many at a time
    :raises UcmMisconfigured: it was not; account, rights or request are wrong
    :raises UcmUnavailable: something failed within UCM, or nobody can read this; it may have been carried out
    """
    root = _answer(body, upstream)
    if not any(_name(element) == "success" for element in root):
        raise _unreadable(upstream)


def read_device_user(body: bytes, device: str, upstream: str) -> str | None:
    """Read the answer to :func:`device_user_query`: the id of the user on the phone, empty for nobody.

    :return: None where UCM has no such phone
    :raises UcmUnavailable: among others, the answer is not about this phone; errors as :func:`read_outcome`
    """
    found = _about(_answer(body, upstream), "device", "name", device, upstream)
    told = {_name(child) for child in found}
    if "doesnotexist" in told:
        return None
    users = [_decoded(_content(child)) for child in found if _name(child) == "userid"]
    if user := next(filter(None, users), ""):
        # Beside a user, ``none`` says that nobody was logged in before.
        return user
    if told.isdisjoint({"userid", "none", "lastlogin"}):
        raise _unreadable(upstream)
    return ""


def read_user_devices(body: bytes, userid: str, upstream: str) -> tuple[str, ...]:
    """Read the answer to :func:`user_devices_query`: the phones on which the user is logged in, in UCM's order. There
    are none as well where UCM has no such user.

    :raises UcmUnavailable: among others, the answer is not about this user; errors as :func:`read_outcome`
    """
    found = _about(_answer(body, upstream), "user", "id", userid, upstream)
    devices = tuple(filter(None, (_content(child) for child in found if _name(child) == "devicename")))
    if not devices and {_name(child) for child in found}.isdisjoint({"none", "doesnotexist"}):
        raise _unreadable(upstream)
    return devices


def _asking(root_name: str, caller: Caller, what: str) -> tuple[Element, Element]:
    root = Element(root_name)
    info = SubElement(root, "appInfo")
    _add(info, "appID", caller.userid)
    _add(info, "appCertificate", caller.certificate)
    return root, SubElement(root, what)


def _add(parent: Element, name: str, value: str) -> None:
    if _UNWRITABLE.search(value):
        raise UcmRefused("other", f"unwritable {name}")
    SubElement(parent, name).text = value


def _text(root: Element) -> str:
    # What is not ASCII goes as character references: UCM does not say in which encoding it reads forms.
    encoded: bytes = tostring(root, encoding="us-ascii", xml_declaration=False)
    return encoded.decode("ascii")


def _answer(body: bytes, upstream: str) -> Element:
    """Return the root of an answer that is no failure."""
    try:
        # Older releases begin with an empty line, which XML does not allow.
        root: Element = defusedxml.ElementTree.fromstring(body.lstrip(), forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        failure = _unreadable(upstream)
    else:
        if _name(root) not in _ROOTS:
            raise _unreadable(upstream)
        _look_for_failure(root, upstream)
        return root
    raise failure


def _look_for_failure(root: Element, upstream: str) -> None:
    errors = [element for element in root.iter() if _name(element) in _ERRORS]
    failures = [element for element in root.iter() if _name(element) == "failure"]
    if errors or failures:
        codes = (code for element in (*errors, *failures) if (code := _code(element)) is not None)
        _fail(next(codes, None), upstream)


def _code(element: Element) -> int | None:
    """Return the number of a failure: an attribute, in older releases an element."""
    texts = [_attribute(element, "code"), *(_content(child) for child in element if _name(child) == "code")]
    numbers = (int(text) for text in texts if re.fullmatch(r"[0-9]{1,4}", text))
    return next(numbers, None)


def _fail(code: int | None, upstream: str) -> NoReturn:
    detail = "em failure" if code is None else f"em {code}"
    if code in _MISCONFIGURED:
        raise UcmMisconfigured(upstream, detail)
    if code in _BUSY:
        raise UcmBusy(upstream, detail)
    if code in _TROUBLE:
        raise UcmUnavailable(upstream, detail, sent=True)
    raise UcmRefused(_REFUSALS.get(code, "other") if code is not None else "other", detail)


def _about(root: Element, name: str, key: str, value: str, upstream: str) -> Element:
    """Return the element that is about the phone or user that was asked for; UCM minds no case in their names."""
    for element in root.iter():
        told = _attribute(element, key)
        if _name(element) == name and value.strip().casefold() in (told.casefold(), _decoded(told).casefold()):
            return element
    raise _unreadable(upstream)


def _encoded(userid: str) -> str:
    # The guide has user ids encoded in requests too, but whether a release undoes that is not certain: so nothing is
    # touched but what undoing would spoil.
    return userid.replace("%", "%25").replace("+", "%2B")


def _decoded(userid: str) -> str:
    """Undo how UCM encodes user ids: as forms do, UTF-8 with percent signs, and "+" for a space."""
    return unquote_plus(userid).strip()


def _content(element: Element) -> str:
    return (element.text or "").strip()


def _attribute(element: Element, name: str) -> str:
    values: Iterator[str] = (value for key, value in element.attrib.items() if _local(key) == name)
    return next(values, "").strip()


def _name(element: Element) -> str:
    return _local(element.tag)


def _local(name: str) -> str:
    return name.rpartition("}")[2].lower()


def _unreadable(upstream: str) -> UcmUnavailable:
    return UcmUnavailable(upstream, "unreadable", sent=True)
