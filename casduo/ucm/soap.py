"""Reads SOAP envelopes: elements by their local name, in any order, among others that nobody knows.

UCM's guides ask for just that of clients, so that a newer UCM may say more than an older one did.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring


class Unreadable(ValueError):
    """What came is not the answer to what was asked."""


def content_of(body: bytes) -> Element:
    """Return the first element within the Body of a SOAP envelope.

    :raises Unreadable: it is not XML, has a document type, or is no envelope
    """
    try:
        envelope: Element = fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError):
        raise Unreadable("not XML") from None
    inside = child(envelope, "Body") if local_name(envelope) == "Envelope" else None
    if inside is None or not len(inside):
        raise Unreadable("not SOAP")
    return inside[0]


def local_name(element: Element) -> str:
    """Return an element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def children(element: Element, name: str) -> Iterator[Element]:
    """Return the children of a name."""
    return (each for each in element if local_name(each) == name)


def child(element: Element, name: str) -> Element | None:
    """Return the first child of a name."""
    return next(children(element, name), None)


def value_of(element: Element, name: str) -> str:
    """Return the text of the first child of a name, empty without one."""
    found = child(element, name)
    return "" if found is None else text_of(found)


def text_of(element: Element) -> str:
    """Return an element's text without white space around it."""
    return (element.text or "").strip()
