"""One request to a node on its way to an interface, and the answer on its way back, with what is to go wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol
from xml.etree.ElementTree import Element

from werkzeug.wrappers import Request

from casduo.simulators.ucm.faults import NodeFaults, Refusal
from casduo.simulators.ucm.requests_log import RequestRecord

UNKNOWN_ELEMENT = "notInAnySchema"


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer. ``xml`` is a document that faults may still change; ``body`` anything else."""

    status: int
    body: bytes = b""
    content_type: str = "text/xml;charset=UTF-8"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request. ``effect`` is what is to go wrong with it, apart from canned answers."""

    request: Request
    body: bytes
    node: int
    record: RequestRecord
    faults: NodeFaults
    effect: str | Refusal | None

    def wait(self) -> None:
        """Take the time the operation is to take."""
        self.faults.wait(self.record.operation)

    @property
    def refusal(self) -> Refusal | None:
        """The refusal that is given to whoever may ask."""
        return self.effect if isinstance(self.effect, Refusal) else None

    def spoiled(self, answer: Element) -> Element:
        """Change a right answer as the switches say."""
        for element, text in self.faults.texts(self.record.operation).items():
            _overwrite(answer, element, text)
        if self.effect == "unknown_element":
            _at_objects(answer, lambda children: [Element(UNKNOWN_ELEMENT), *children])
        elif self.effect == "changed_order":
            _at_objects(answer, lambda children: list(reversed(children)))
        return answer


class Interface(Protocol):
    """What a node offers at one path."""

    name: str

    def read(self, request: Request, body: bytes) -> tuple[str, Iterable[tuple[str, str]]]:
        """Return which operation is asked for, empty when that cannot be read, and its parameters."""
        ...

    def answer(self, exchange: Exchange) -> Reply:
        """Do what is asked."""
        ...


def _overwrite(root: Element, name: str, text: str | None) -> None:
    for parent in tuple(root.iter()):
        for child in tuple(parent):
            if child.tag != name:
                continue
            if text is None:
                parent.remove(child)
            else:
                child.text = text
                del child[:]


def _at_objects(root: Element, change: Callable[[list[Element]], list[Element]]) -> None:
    """Change the children of everything that has fields: differently named children, one of them a text at least."""
    for element in tuple(root.iter()):
        children = list(element)
        named = {child.tag for child in children}
        if len(named) == len(children) and any(not len(child) for child in children):
            element[:] = change(children)
