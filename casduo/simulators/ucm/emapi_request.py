"""Reads a document of the Extension Mobility API and holds it against the published DTD."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import unquote
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from casduo.simulators.ucm.errors import EmFailure

PARSE_ERROR, UNKNOWN_QUERY = 1, 8

_CALLER = re.compile("appID,(appCertificate|appEncryptedCertificate),")
_CONTENTS: Mapping[str, Mapping[str, re.Pattern[str]]] = {
    "request": {
        "login": re.compile(
            "deviceName,userID,(deviceProfile,)?(exclusiveDuration,)?(remoteIPAddr,)?(isViaHeaderSet,)?"
        ),
        "logout": re.compile("deviceName,(remoteIPAddr,)?(isViaHeaderSet,)?"),
        "logoutAll": re.compile("(remoteIPAddr,)?(isViaHeaderSet,)?"),
    },
    "query": {
        "deviceUserQuery": re.compile("(deviceName,)+"),
        "userDevicesQuery": re.compile("(userID,)+"),
        "deviceProfileQuery": re.compile("(userID,)+"),
        "userDeviceProfileQuery": re.compile("(userID,)+"),
        "checkUser": re.compile("(userID,)+"),
    },
}
"""By root element: what each document may hold, its children's names with a comma after each."""


@dataclass(frozen=True, slots=True)
class EmCall:
    """One document. ``encrypted`` says that the certificate was given as ``appEncryptedCertificate``."""

    operation: str
    element: Element
    caller: str
    certificate: str
    encrypted: bool

    def text(self, name: str) -> str | None:
        """Return a child's text, None when it is not there."""
        child = self.element.find(name)
        return None if child is None else (child.text or "").strip()

    def user(self) -> str:
        """Return the user id. It travels percent-encoded, as UTF-8."""
        return unquote(self.text("userID") or "")

    def users(self) -> list[str]:
        """Return the user ids of a query."""
        return [unquote((child.text or "").strip()) for child in self.element]

    def devices(self) -> list[str]:
        """Return the device names of a query."""
        return [(child.text or "").strip() for child in self.element]

    def minutes(self) -> int | None:
        """Return the minutes a login is to last, None for no end.

        :raises EmFailure: it is not a number from 1
        """
        duration = self.element.find("exclusiveDuration")
        if duration is None:
            return None
        (kind,) = duration if len(duration) == 1 else (Element("wrong"),)
        if kind.tag == "indefinite":
            return None
        text = (kind.text or "").strip()
        if kind.tag != "time" or not re.fullmatch(r"0*[1-9][0-9]{0,8}", text, re.ASCII):
            raise EmFailure(PARSE_ERROR)
        return int(text)


def read_operation(document: str) -> tuple[str, Iterator[tuple[str, str]]]:
    """Return the operation and every text of a document, for the log; nothing when it cannot be read."""
    root = _parsed(document)
    if root is None:
        return "", iter(())
    operation = next((child.tag for child in root if child.tag != "appInfo"), "")
    return operation, ((element.tag, element.text) for element in root.iter() if not len(element) and element.text)


def read_call(document: str) -> EmCall:
    """Read a document.

    :raises EmFailure: code 1 when it is not as the DTD says, 8 for a query nobody knows
    """
    root = _parsed(document)
    if root is None or root.tag not in _CONTENTS or not 1 <= len(root) <= 2:
        raise EmFailure(PARSE_ERROR)
    element = root[-1]
    expected = _CONTENTS[root.tag].get(element.tag)
    if expected is None:
        raise EmFailure(UNKNOWN_QUERY if root.tag == "query" else PARSE_ERROR)
    if not expected.fullmatch(_names(element)):
        raise EmFailure(PARSE_ERROR)
    if len(root) == 1:
        return EmCall(element.tag, element, "", "", encrypted=False)
    caller = root[0]
    if caller.tag != "appInfo" or not _CALLER.fullmatch(_names(caller)):
        raise EmFailure(PARSE_ERROR)
    name, certificate = caller
    return EmCall(
        element.tag,
        element,
        (name.text or "").strip(),
        certificate.text or "",
        encrypted=certificate.tag == "appEncryptedCertificate",
    )


def _parsed(document: str) -> Element | None:
    try:
        root: Element = defusedxml.ElementTree.fromstring(document, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        return None
    return root


def _names(element: Element) -> str:
    return "".join(f"{child.tag}," for child in element)
