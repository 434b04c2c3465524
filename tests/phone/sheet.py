"""Prints every page of a phone as its display shows it, for people to read: ``python -m tests.phone.sheet 7841 de``."""

from __future__ import annotations

import sys

from casduo.simulators.phone.keys import labels, softkeys
from casduo.simulators.phone.presets import PRESETS
from casduo.simulators.phone.screen import Field, Screen, frame
from tests.phone.pages import CASES, Case, received


def drawn(case: Case, model: str, language: str) -> str:
    """Return the display of a phone with the page on it."""
    got = received(case, model, language)
    page, preset = got.page, PRESETS[model]
    fields = tuple(Field(item.label, item.name, item.flags, item.default or "___") for item in page.inputs)
    keys = labels(softkeys(page, got.content.refresh, preset))
    names = tuple(item.name for item in page.items)
    shown = Screen(page.kind, page.title, page.prompt, page.text, names, 0, fields, keys, None)
    return frame(shown, preset.columns)


if __name__ == "__main__":
    chosen_model, chosen_language = (*sys.argv[1:3], *("8845", "en")[len(sys.argv[1:3]) :])
    for each in CASES:
        if "first of many" not in each.name:
            print(f"{each.name}\n{drawn(each, chosen_model, chosen_language)}\n")
