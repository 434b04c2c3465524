"""Finds the accessibility engine axe-core (MPL-2.0), which ``npm ci --prefix tests`` installs, and runs it."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")

_TESTS = Path(__file__).resolve().parents[1]

# Without preload, axe-core does not fetch the style sheets a second time, and leaves out the one rule that wants them,
# about pages locked to one orientation; our style sheet asks for no orientation.
_RUN = """
async (tags) => {
  const options = {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations'], preload: false};
  const found = await axe.run(document, options);
  return found.violations.map(rule => [rule.id, rule.help, rule.nodes.map(node => node.html)]);
}
"""


@cache
def script() -> str:
    """Return the text of ``axe.min.js`` from ``AXE_CORE`` (a folder), ``tests/node_modules`` or ``node_modules``."""
    places = [_TESTS / "node_modules/axe-core", _TESTS.parent / "node_modules/axe-core"]
    if os.environ.get("AXE_CORE"):
        places.insert(0, Path(os.environ["AXE_CORE"]))
    for place in places:
        if (place / "axe.min.js").is_file():
            return (place / "axe.min.js").read_text(encoding="utf-8")
    raise FileNotFoundError(f"axe-core is in none of {[str(place) for place in places]}: run npm ci --prefix tests")


def findings(page: Page) -> list[Any]:
    """Return what axe-core finds wrong on the page as it is now: rule, what it wants, and the elements."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(script())
    return page.evaluate(_RUN, list(TAGS))  # type: ignore[no-any-return]
