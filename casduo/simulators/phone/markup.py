"""Reads the little XML that phones understand into a tree: elements, attributes and text, nothing else."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import Never
from xml.parsers import expat

from casduo.simulators.phone.errors import invalid

_ALLOWED_CONTROLS = "\t\n\r"


@dataclass(slots=True)
class Element:
    """One element. ``text`` is its own character data; ``line`` where it began, from 1."""

    name: str
    attributes: dict[str, str]
    line: int
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def child(self, name: str) -> Element | None:
        """Return the first child of that name, or None."""
        return next((child for child in self.children if child.name == name), None)

    def text_of(self, name: str) -> str:
        """Return the text of the first child of that name; empty where there is none."""
        child = self.child(name)
        return "" if child is None else child.text


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed document and the encoding its declaration names."""

    root: Element
    encoding: str


def parse_document(text: str) -> Document:
    """Parse a decoded document.

    :raises Refusal: no XML declaration with an encoding, not well-formed, or with any of what phones do not know:
        comments, CDATA, DOCTYPE, processing instructions, namespaces, control characters (application development
        notes, "XML considerations").
    """
    if not text.startswith("<?xml"):
        raise invalid("the answer does not begin with an XML declaration")
    builder = _Builder()
    try:
        builder.parser.Parse(text, True)
    except expat.ExpatError as error:
        raise invalid(f"not well-formed: {expat.ErrorString(error.code)}", error.lineno) from None
    if not builder.encoding:
        raise invalid("the XML declaration names no encoding")
    return Document(builder.root, builder.encoding)


class _Builder:
    """Collects what the parser reports."""

    def __init__(self) -> None:
        self.encoding = ""
        self._open: list[Element] = []
        self._roots: list[Element] = []
        # A str is always parsed as UTF-8; which encoding the bytes had was decided before.
        self.parser = expat.ParserCreate()
        self.parser.buffer_text = True
        self.parser.XmlDeclHandler = self._declaration
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._characters
        self.parser.CommentHandler = lambda _text: self._unknown("a comment")
        self.parser.StartCdataSectionHandler = lambda: self._unknown("a CDATA section")
        self.parser.StartDoctypeDeclHandler = lambda *_: self._unknown("a DOCTYPE")
        self.parser.ProcessingInstructionHandler = lambda *_: self._unknown("a processing instruction")

    @property
    def root(self) -> Element:
        return self._roots[0]

    def _declaration(self, _version: str, encoding: str | None, _standalone: int) -> None:
        self.encoding = encoding or ""

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        for each in (name, *attributes):
            if ":" in each or each == "xmlns":
                self._unknown(f"a namespace ({each})")
        for value in attributes.values():
            self._no_controls(value)
        element = Element(name, attributes, self.parser.CurrentLineNumber)
        (self._open[-1].children if self._open else self._roots).append(element)
        self._open.append(element)

    def _end(self, _name: str) -> None:
        element = self._open.pop()
        if element.children and element.text.strip():
            raise invalid(f"text between the elements of {element.name}", element.line)

    def _characters(self, data: str) -> None:
        self._no_controls(data)
        self._open[-1].text += data

    def _no_controls(self, text: str) -> None:
        for character in text:
            if unicodedata.category(character) == "Cc" and character not in _ALLOWED_CONTROLS:
                self._unknown(f"the control character U+{ord(character):04X}")

    def _unknown(self, what: str) -> Never:
        raise invalid(f"{what}, which phones do not know", self.parser.CurrentLineNumber)
