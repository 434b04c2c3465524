"""What the scripts of the pages may not do: make markup of text, run text, listen to others, keep anything."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from casduo.paths import views_directory

SCRIPTS = sorted((views_directory() / "static").glob("*.js"))
NAMES = [path.name for path in SCRIPTS]


def code_of(path: Path) -> str:
    """Return a script without its comments."""
    return re.sub(r"(?m)^\s*//.*$", "", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", SCRIPTS, ids=NAMES)
def test_scripts_write_text_and_nothing_that_becomes_markup(path: Path) -> None:
    """Text goes into pages by ``textContent``; nothing is evaluated, no object is filled by names from outside, nothing
    is heard from other windows, and nothing is global. What is read as HTML is a page that the server wrote.
    """
    code = code_of(path).replace('new DOMParser().parseFromString(await answer.text(), "text/html")', "")
    makes_markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment|DOMParser|srcdoc"
    runs_text = r"\beval\b|new Function|setTimeout\(\s*[\"'`]|setInterval\(\s*[\"'`]|import\("
    fills_objects = r"__proto__|\bprototype\b|Object\.(?:assign|setPrototypeOf)"
    listens = r"postMessage|[\"']message[\"']|onmessage|\bopener\b"
    for forbidden in (makes_markup, runs_text, fills_objects, listens):
        assert re.findall(forbidden, code) == []
    assert re.match(r"\s*\(function \(\) \{\s*\"use strict\";", code)
    assert not re.search(r"\bvar\b|\bwindow\.\w+\s*=[^=]", code)


@pytest.mark.parametrize("path", SCRIPTS, ids=NAMES)
def test_scripts_keep_nothing_in_the_browser(path: Path) -> None:
    kept = r"localStorage|sessionStorage|indexedDB|document\.cookie|\bcaches\b|serviceWorker|\bhistory\."
    assert re.findall(kept, code_of(path)) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=NAMES)
def test_scripts_ask_this_server_only(path: Path) -> None:
    """Addresses stand in the page; none is in a script, and nothing is sent but what a page of ours may send."""
    assert not re.search(r"https?:|[\"'`]//", code_of(path))
