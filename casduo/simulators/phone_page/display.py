"""What a phone's display shows at a moment, as plain values that can be told apart from the last ones."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from casduo.simulators.phone import Screen

SOFTKEYS = 4
"""Keys below the display."""
MORE = "more"
"""What the last of them says where a page brings more than there are keys."""

_NO_KEYS = ("",) * SOFTKEYS
_SHORTEST_LOOK = 2
_LOOK_AT_IDLE = 10

Kind = Literal["idle", "restarting", "text", "menu", "input"]


@dataclass(frozen=True, slots=True)
class FormField:
    """A field to fill in. ``masked`` hides what is typed, ``digits`` takes nothing else."""

    label: str
    value: str
    masked: bool
    digits: bool


@dataclass(frozen=True, slots=True)
class Display:
    """What is to be seen.

    :param softkeys: the labels of the keys below, from the left; empty for a key that does nothing.
    :param prompt: the prompt line; with ``failed`` it says what went wrong.
    :param cursor: which item or field is chosen, counted from 0.
    :param look_again: seconds after which a browser without scripts is to look again; 0 for never.
    """

    kind: Kind
    title: str = ""
    prompt: str = ""
    failed: bool = False
    text: str = ""
    items: tuple[str, ...] = ()
    fields: tuple[FormField, ...] = ()
    softkeys: tuple[str, ...] = _NO_KEYS
    cursor: int = 0
    look_again: int = 0

    def version(self, *others: object) -> str:
        """Return a word that is another one when people would see something else, here or in ``others``.

        What is being typed is left out: it is in the browser before it is here.
        """
        untyped = tuple(replace(field, value="") for field in self.fields)
        seen = (replace(self, fields=untyped, cursor=0 if untyped else self.cursor, look_again=0), others)
        return hashlib.blake2b(repr(seen).encode(), digest_size=9).hexdigest()


def idle(error: str) -> Display:
    """Return a display with no service open; ``error`` says why one did not open."""
    return Display("idle", prompt=error, failed=bool(error), look_again=_LOOK_AT_IDLE)


def restarting() -> Display:
    """Return the display of a phone that starts anew."""
    return Display("restarting", look_again=_SHORTEST_LOOK)


def display_of(screen: Screen, error: str, values: Mapping[str, str], cursor: int, first_key: int) -> Display:
    """Return the display of a page.

    :param error: what went wrong since the page came; empty shows the page's own prompt.
    :param values: what stands in the fields, by name.
    :param cursor: which field is being filled in, counted from 0.
    :param first_key: the place of the first softkey shown, counted from 0.
    """
    fields = tuple(
        FormField(field.label, values.get(field.name, ""), field.flags.endswith("P"), field.flags.startswith("N"))
        for field in screen.inputs
    )
    return Display(
        screen.kind,
        screen.title,
        error or screen.prompt,
        bool(error),
        screen.text,
        screen.items,
        fields,
        _softkeys(screen.softkeys, first_key),
        cursor if fields else max(0, screen.highlighted - 1),
        0 if screen.refresh_in is None else max(_SHORTEST_LOOK, math.ceil(screen.refresh_in)),
    )


def next_first_key(labels: tuple[str, ...], first_key: int) -> int:
    """Return the place of the first softkey after a press of :data:`MORE`."""
    following = first_key + SOFTKEYS - 1
    return following if following < len(labels) else 0


def _softkeys(labels: tuple[str, ...], first_key: int) -> tuple[str, ...]:
    if len(labels) <= SOFTKEYS:
        return (*labels, *_NO_KEYS)[:SOFTKEYS]
    shown = (*labels[first_key : first_key + SOFTKEYS - 1], *_NO_KEYS)[: SOFTKEYS - 1]
    return (*shown, MORE)
