"""One call of the API by somebody whose token is valid: what it asks for, read with the types that must be there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from casduo.simulators.webex.errors import WebexRefusal
from casduo.simulators.webex.model import Person


@dataclass(frozen=True, slots=True)
class Call:
    """A call.

    :param id: the last segment of a path that ends with an id, otherwise empty
    :param body: the JSON object that was sent; empty for methods without a body
    :param now: the simulator's time in epoch seconds
    """

    person: Person
    query: Mapping[str, str]
    body: Mapping[str, Any]
    id: str
    now: float

    def text(self, name: str) -> str | None:
        """Return a member of the body that is a text, None when absent. :raises WebexRefusal: 400, another type"""
        value = self.body.get(name)
        if value is not None and not isinstance(value, str):
            raise WebexRefusal(400, f"{name} must be a text.")
        return value

    def texts(self) -> dict[str, str]:
        """Return the body, all of which must be texts. :raises WebexRefusal: 400, it is something else"""
        return {name: value for name in self.body if (value := self.text(name)) is not None}

    def require(self, name: str) -> str:
        """Return a member of the body that must be there. :raises WebexRefusal: 400, it is not"""
        value = self.text(name)
        if not value:
            raise WebexRefusal(400, f"{name} is missing.")
        return value

    def parameter(self, name: str) -> str:
        """Return a parameter of the query that must be there. :raises WebexRefusal: 400, it is not"""
        value = self.query.get(name)
        if not value:
            raise WebexRefusal(400, f"The parameter {name} is missing.")
        return value

    def page(self, most: int, default: int) -> int:
        """Return how many items a page has. :raises WebexRefusal: 400, ``max`` is not a number from 1 to ``most``"""
        value = self.query.get("max")
        if value is None:
            return default
        if not (value.isascii() and value.isdigit() and 1 <= int(value) <= most):
            raise WebexRefusal(400, f"max must be a number from 1 to {most}.")
        return int(value)


@dataclass(frozen=True, slots=True)
class Result:
    """What becomes of a call.

    :param body: a JSON object; None for an answer without a body
    :param next_cursor: where the next page begins; empty on the last
    """

    status: int
    body: Mapping[str, Any] | None = None
    next_cursor: str = field(default="")


def listed(items: Sequence[Mapping[str, Any]], call: Call, most: int, default: int = 100) -> Result:
    """Return a page of a list, with the place where the next one begins.

    :param items: all of them, each with its ``id``
    :raises WebexRefusal: 400, ``max`` is wrong, or the page begins after an item that is not there any more
    """
    size = call.page(most, default)
    first = _after(items, call.query.get("cursor", ""))
    page = list(items[first : first + size])
    more = first + size < len(items)
    return Result(200, {"items": page}, str(page[-1]["id"]) if more else "")


def _after(items: Sequence[Mapping[str, Any]], cursor: str) -> int:
    if not cursor:
        return 0
    for number, item in enumerate(items):
        if item["id"] == cursor:
            return number + 1
    raise WebexRefusal(400, "That page is not there any more.")
