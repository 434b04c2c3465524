"""The documents of UCM's real-time information service (RisPort70): what is asked, and what the answers mean. Pure.

Cisco's (RisPort70 API reference): the address, the operation and its criteria; at most 1000 devices an answer, a limit
that newer releases raise to 2000; ``selectCmDeviceExt`` takes names and no wildcards, and tells each device once; an
answer has a node list, each with a ``ReturnCode`` and its devices; 15 requests a minute, unless an administrator
changed that. ``StateInfo`` is no page: who sends back the last one is told which nodes have ``NoChange`` since. Hence
it is sent empty, and more devices than one answer holds are asked for by name, a thousand at a time.

Assumed, from public programs that talk to real clusters: the words of the fault beyond the limit, that a device which
is nowhere is left out, and that a node which does not answer is listed with another code than these two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from ipaddress import ip_address
from xml.etree.ElementTree import Element, SubElement, tostring

from casduo.ucm.model import Registrations
from casduo.ucm.soap import Unreadable, child, children, content_of, local_name, text_of, value_of

PATH = "/realtimeservice2/services/RISService70"
ACTION = '"http://schemas.cisco.com/ast/soap/action/#RisPort70#SelectCmDeviceExt"'
MOST_NAMES = 1000
"""Devices that one question may be about."""

_SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
_AST = "http://schemas.cisco.com/ast/soap"
_ANY_MODEL = "255"
_ANSWERED = frozenset({"ok", "notfound"})


def registered_question(names: Sequence[str]) -> bytes:
    """Return the question where phones are registered.

    :param names: at most :data:`MOST_NAMES`
    """
    envelope = Element(f"{{{_SOAP}}}Envelope")
    question = SubElement(SubElement(envelope, f"{{{_SOAP}}}Body"), f"{{{_AST}}}selectCmDeviceExt")
    _add(question, "StateInfo", "")
    criteria = _add(question, "CmSelectionCriteria")
    _add(criteria, "MaxReturnedDevices", str(MOST_NAMES))
    _add(criteria, "DeviceClass", "Phone")
    _add(criteria, "Model", _ANY_MODEL)
    _add(criteria, "Status", "Registered")
    _add(criteria, "NodeName", "")
    _add(criteria, "SelectBy", "Name")
    items = _add(criteria, "SelectItems")
    for name in names:
        _add(_add(items, "item"), "Item", name)
    _add(criteria, "Protocol", "Any")
    _add(criteria, "DownloadStatus", "Any")
    written: bytes = tostring(envelope, encoding="utf-8", xml_declaration=True)
    return written


def read_registrations(body: bytes) -> Registrations:
    """Read the answer to :func:`registered_question`.

    A phone that is listed twice is where it registered last (``TimeStamp``).

    :raises Unreadable: it is something else
    """
    result = next((each for each in content_of(body).iter() if local_name(each) == "SelectCmDeviceResult"), None)
    nodes = None if result is None else child(result, "CmNodes")
    if nodes is None:
        raise Unreadable("no nodes")
    addresses: dict[str, tuple[str, ...]] = {}
    latest: dict[str, int] = {}
    for device in _registered(nodes):
        name, since = value_of(device, "Name").upper(), _number(value_of(device, "TimeStamp"))
        if name and since >= latest.get(name, 0):
            addresses[name], latest[name] = _addresses(device), since
    listed = list(children(nodes, "item"))
    complete = bool(listed) and all(value_of(node, "ReturnCode").lower() in _ANSWERED for node in listed)
    return Registrations(addresses, complete)


def is_throttled(body: bytes) -> bool:
    """Return whether an answer is the fault of too many questions in a minute."""
    try:
        fault = content_of(body)
    except Unreadable:
        return False
    said = " ".join(text_of(each) for each in fault.iter() if local_name(each) in ("faultcode", "faultstring"))
    return local_name(fault) == "Fault" and ("ratecontrol" in said.lower() or "allowed rate" in said.lower())


def _registered(nodes: Element) -> Iterator[Element]:
    for node in children(nodes, "item"):
        for devices in children(node, "CmDevices"):
            yield from (each for each in children(devices, "item") if value_of(each, "Status").lower() == "registered")


def _addresses(device: Element) -> tuple[str, ...]:
    """Return all addresses of a device: one with two kinds of them may come from either."""
    told = child(device, "IPAddress")
    texts = () if told is None else tuple(value_of(item, "IP") for item in children(told, "item"))
    return tuple(dict.fromkeys(text for text in texts if _is_address(text)))


def _is_address(text: str) -> bool:
    try:
        return not ip_address(text).is_unspecified
    except ValueError:
        return False


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def _add(parent: Element, name: str, text: str | None = None) -> Element:
    added = SubElement(parent, f"{{{_AST}}}{name}")
    added.text = text
    return added
