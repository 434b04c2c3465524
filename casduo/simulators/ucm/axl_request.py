"""Reads an AXL request: the SOAP envelope, its one operation with its arguments, and the version it is written in.

Checked as a UCM checks it: arguments that are missing, unknown or in another order than the schema's are refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element, ParseError

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

from casduo.simulators.ucm.errors import INVALID, AxlFault

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
AXL = "http://www.cisco.com/AXL/API/"

_ACTION = re.compile(r"CUCM:DB ver=([0-9]+\.[0-9]+)(?: (\w+))?")
_UUID = re.compile(r"\{.{8}-.{4}-.{4}-.{4}-.{12}\}")


@dataclass(frozen=True, slots=True)
class Argument:
    """One child of an operation. ``either`` numbers alternatives, of which exactly one is there."""

    name: str
    required: bool = True
    either: int = 0


@dataclass(frozen=True, slots=True)
class AxlCall:
    """One call. ``version`` is that of the namespace, ``sequence`` the number to give back."""

    operation: str
    version: str
    element: Element
    sequence: str | None = None

    def text(self, name: str) -> str | None:
        """Return an argument, None when it is not there."""
        child = self.element.find(name)
        return None if child is None else child.text or ""

    def number(self, name: str) -> int | None:
        """Return a number from 0, None when it is not there. :raises AxlFault: it is anything else."""
        text = self.text(name)
        if text is None:
            return None
        if not re.fullmatch(r"\+?[0-9]{1,18}", text.strip(), re.ASCII):
            raise _invalid(f"{name} has to be a number from 0")
        return int(text)

    def uuid(self) -> str | None:
        """Return the identifier that is asked for. :raises AxlFault: it does not look like one."""
        text = self.text("uuid")
        if text is not None and not _UUID.fullmatch(text):
            raise _invalid("uuid has to be in braces")
        return None if text is None else text.upper()

    def check(self, arguments: tuple[Argument, ...]) -> None:
        """Hold the children against what the schema allows.

        :raises AxlFault: one is missing, unknown, there twice or in the wrong place
        """
        places = {argument.name: place for place, argument in enumerate(arguments)}
        given = [child.tag for child in self.element]
        for tag in given:
            if tag not in places:
                raise _invalid(f"{self.operation} has no element {tag}")
        if [places[tag] for tag in given] != sorted({places[tag] for tag in given}):
            raise _invalid(f"the elements of {self.operation} are in the wrong order")
        for argument in arguments:
            if argument.required and not argument.either and argument.name not in given:
                raise _invalid(f"{self.operation} lacks {argument.name}")
        for choice in {argument.either for argument in arguments if argument.either}:
            if sum(argument.name in given for argument in arguments if argument.either == choice) != 1:
                names = " or ".join(argument.name for argument in arguments if argument.either == choice)
                raise _invalid(f"{self.operation} needs either {names}")

    def leaves(self) -> Iterator[tuple[str, str]]:
        """Return names and texts of everything that has a text, for the log."""
        for element in self.element.iter():
            if element is not self.element and not len(element) and element.text:
                yield element.tag, element.text


def read_action(header: str | None) -> tuple[str, str | None]:
    """Read ``SOAPAction: "CUCM:DB ver=14.0 getUser"``, with or without the operation.

    :returns: version and operation
    :raises AxlFault: it is missing, or something else
    """
    found = _ACTION.fullmatch((header or "").strip().strip('"'))
    if found is None:
        raise _invalid("the header SOAPAction has to name CUCM:DB and the version")
    return found[1], found[2]


def read_call(body: bytes) -> AxlCall:
    """Read a request.

    :raises AxlFault: it is not a SOAP envelope with one element of AXL in its body
    """
    try:
        root: Element = defusedxml.ElementTree.fromstring(body, forbid_dtd=True)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise _invalid("the request cannot be read") from error
    content = root.find(f"{{{SOAP}}}Body")
    if root.tag != f"{{{SOAP}}}Envelope" or content is None or len(content) != 1:
        raise _invalid("the request is not a SOAP envelope with one operation")
    (element,) = content
    namespace, _, operation = element.tag.removeprefix("{").rpartition("}")
    version = namespace.removeprefix(AXL)
    if version == namespace:
        raise _invalid("the operation is not in the namespace of AXL")
    sequence = element.get("sequence")
    if sequence is not None and not re.fullmatch(r"[0-9]{1,20}", sequence, re.ASCII):
        raise _invalid("sequence has to be a number")
    return AxlCall(operation, version, element, sequence)


def _invalid(message: str) -> AxlFault:
    return AxlFault(INVALID, message, client=True)
