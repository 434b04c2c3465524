"""What a person sees on the phone at one moment, and its drawing in plain text."""

from __future__ import annotations

import textwrap
from dataclasses import dataclass

from casduo.simulators.phone.objects import Kind


@dataclass(frozen=True, slots=True)
class Field:
    """A field of a form.

    :param label: what stands before it.
    :param name: its QueryStringParam.
    :param shown: what the display shows as its content: stars where it masks.
    """

    label: str
    name: str
    flags: str
    shown: str


@dataclass(frozen=True, slots=True)
class Screen:
    """A snapshot of the display. ``str()`` draws it without wrapping.

    :param title: the page's, or the name of the menu item that led to it.
    :param prompt: the prompt line: the page's Prompt, or an error such as ``XML Error [4]`` in its place.
    :param items: the lines of a menu.
    :param highlighted: the menu line the cursor is on, from 1; 0 without a menu.
    :param softkeys: labels by place; the first at index 0, "" where no key is.
    :param refresh_in: seconds until the phone fetches by itself; None when it does not.
    """

    kind: Kind
    title: str
    prompt: str
    text: str
    items: tuple[str, ...]
    highlighted: int
    inputs: tuple[Field, ...]
    softkeys: tuple[str, ...]
    refresh_in: float | None

    def __str__(self) -> str:
        keys = " ".join(f"[{label}]" for label in self.softkeys)
        return "\n".join(part for part in (self.title, "\n".join(self.body()), self.prompt, keys) if part)

    def body(self) -> list[str]:
        """Return the lines between the title and the prompt, not wrapped."""
        lines = self.text.strip("\n").split("\n") if self.text else []
        lines += [f"{number} {name}" for number, name in enumerate(self.items, 1)]
        lines += [f"{field.label}: {field.shown}" for field in self.inputs]
        return lines


def frame(screen: Screen, columns: int) -> str:
    """Draw the display with a frame of ``columns`` characters inside, wrapping what is longer."""
    keys = " ".join(f"[{label}]" if label else "[ ]" for label in screen.softkeys)
    parts = (
        [screen.title[:columns]],
        [part for line in screen.body() for part in _wrapped(line, columns)],
        _wrapped(screen.prompt, columns) + _wrapped(keys, columns),
    )
    edge = f"+{'-' * (columns + 2)}+"
    drawn = [edge]
    for lines in parts:
        drawn += [f"| {line.ljust(columns)} |" for line in lines]
        drawn.append(edge)
    return "\n".join(drawn)


def _wrapped(text: str, columns: int) -> list[str]:
    return textwrap.wrap(text, columns) or [""]
