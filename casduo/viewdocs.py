"""Makes the reference of templates from the comment that each of them begins with."""

from __future__ import annotations

import re
from pathlib import Path

from casduo.paths import views_directory

_COMMENT = re.compile(r"\s*\{#-?(.*?)-?#\}", re.DOTALL)

_INTRODUCTION = """\
# Templates

<!-- Made by `python -m casduo.docsgen` from the comments in views/. Change them there. -->

What each page is, and what its template is given as `page`. [looks.md](looks.md) tells how a site puts templates of its
own in their places.
"""


def templates_reference() -> str:
    """Return the reference as Markdown."""
    views = views_directory()
    found = sorted(views.rglob("*.html"))
    return _INTRODUCTION + "".join(_section(path, path.relative_to(views).as_posix()) for path in found)


def _section(path: Path, name: str) -> str:
    comment = _COMMENT.match(path.read_text(encoding="utf-8"))
    about, _, data = " ".join(comment[1].split()).partition("page: ") if comment else ("", "", "")
    text = about.strip() + (f"\n\n`page`: {data}" if data else "")
    return f"\n## `{name}`\n\n{_plain(text)}\n"


def _plain(text: str) -> str:
    """Return a text in which Markdown finds nothing of its own but code."""
    pieces = text.split("`")
    pieces[::2] = [re.sub(r"([*_<>\[\]|])", r"\\\1", piece) for piece in pieces[::2]]
    return "`".join(pieces)
