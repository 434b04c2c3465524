"""The page on the display with what a person did to it, and the pages behind it."""

from __future__ import annotations

from dataclasses import dataclass, field

from casduo.simulators.phone.answers import Refresh
from casduo.simulators.phone.errors import CannotType, NoSuchKey
from casduo.simulators.phone.keypad import check_typing
from casduo.simulators.phone.keys import labels, softkeys
from casduo.simulators.phone.objects import Displayable, MenuItem, SoftKey
from casduo.simulators.phone.presets import Preset
from casduo.simulators.phone.screen import Field, Screen


@dataclass(slots=True)
class Page:
    """One page while it is shown.

    :param url: where it came from; empty for a pushed page.
    :param name: what led to it, the title where it has none.
    :param due: when the phone fetches by itself, in epoch seconds; None for never.
    :param highlighted: the menu line under the cursor, from 1; 0 without a menu.
    """

    url: str = field(repr=False)
    name: str
    content: Displayable
    charset: str
    refresh: Refresh | None
    expired: bool
    due: float | None
    preset: Preset
    values: dict[str, str] = field(init=False, repr=False)
    highlighted: int = field(init=False)
    _field: str = field(init=False)

    def __post_init__(self) -> None:
        inputs = self.content.inputs
        self.values = {item.name: item.default for item in inputs}
        self._field = inputs[0].name if inputs else ""
        self.highlighted = 1 if self.content.items else 0

    @property
    def next_url(self) -> str:
        """Where the Refresh header leads: elsewhere, or to the page itself."""
        return self.refresh.url or self.url if self.refresh is not None else self.url

    @property
    def keys(self) -> tuple[SoftKey, ...]:
        """The softkeys, by place."""
        return softkeys(self.content, self.refresh, self.preset)

    @property
    def item(self) -> MenuItem | None:
        """The menu item under the cursor."""
        return self.content.items[self.highlighted - 1] if self.highlighted else None

    def key(self, label: str) -> SoftKey:
        """Return the first softkey with that label.

        :raises NoSuchKey: there is none.
        """
        for key in self.keys:
            if key.name == label:
                return key
        raise NoSuchKey(f"no softkey {label!r} among {', '.join(key.name for key in self.keys) or 'none'}")

    def key_at(self, place: int) -> SoftKey:
        """Return the softkey at a place, from 1.

        :raises NoSuchKey: nothing is there.
        """
        for key in self.keys:
            if key.position == place:
                return key
        raise NoSuchKey(f"no softkey at place {place}")

    def highlight(self, number: int) -> None:
        """Move the cursor to a menu line, from 1.

        :raises NoSuchKey: there is no such line.
        """
        if not 1 <= number <= len(self.content.items):
            raise NoSuchKey(f"no menu item {number} among {len(self.content.items)}")
        self.highlighted = number

    def type(self, name: str, value: str) -> None:
        """Replace what stands in a field.

        :raises CannotType: there is no such field, or its flags do not allow the characters.
        """
        item = next((item for item in self.content.inputs if item.name == name), None)
        if item is None:
            names = ", ".join(item.name for item in self.content.inputs)
            raise CannotType(f"no field {name} among {names or 'none'}")
        check_typing(item, value, self.charset)
        self.values[name] = value
        self._field = name

    def erase(self) -> None:
        """Take the last character away in the field the cursor is in (``SoftKey:<<``)."""
        if self._field:
            self.values[self._field] = self.values[self._field][:-1]

    def screen(self, now: float, error: str) -> Screen:
        """Return what is seen; ``error`` stands on the prompt line instead of the page's own prompt."""
        return Screen(
            self.content.kind,
            self.content.title or self.name,
            error or self.content.prompt,
            self.content.text,
            tuple(item.name for item in self.content.items),
            self.highlighted,
            tuple(
                Field(item.label, item.name, item.flags, _shown(self.values[item.name], item.masked))
                for item in self.content.inputs
            ),
            labels(self.keys),
            None if self.due is None else max(0.0, self.due - now),
        )


def _shown(value: str, masked: bool) -> str:
    return "*" * len(value) if masked else value


@dataclass(frozen=True, slots=True)
class Place:
    """An entry of the URL stack: a page to come back to."""

    url: str = field(repr=False)
    name: str


class UrlStack:
    """The pages behind the one on the display. Expired ones are never in it."""

    def __init__(self) -> None:
        self._places: list[Place] = []

    def leave(self, page: Page) -> None:
        """Keep the page that is being left, unless it has expired or cannot be fetched."""
        if page.url and not page.expired:
            self._places.append(Place(page.url, page.name))

    def keep(self, place: Place) -> None:
        """Put a place back that could not be returned to."""
        self._places.append(place)

    def pop(self) -> Place | None:
        """Take the place to return to; None when there is none."""
        return self._places.pop() if self._places else None

    def clear(self) -> None:
        """Forget every place."""
        self._places.clear()
