"""The pictures of the documents: there is a script for each of them, each stands on a page, and they stay small."""

from __future__ import annotations

import re

import pytest

from tests.demo.pictures import FOLDER, NAMES
from tests.docs.test_links import PAGES, ROOT, text_of

SHOWN = [
    (page, alternative, (page.parent / place).resolve())
    for page in PAGES
    for alternative, place in re.findall(r"!\[([^\]]*)\]\(([^()\s]+)\)", text_of(page))
]


def test_the_script_takes_the_pictures_that_are_there() -> None:
    assert {f"{name}.png" for name in NAMES} == {path.name for path in FOLDER.iterdir()}


def test_each_picture_stands_on_a_page() -> None:
    assert {path for _, _, path in SHOWN if path.parent == FOLDER} == set(FOLDER.iterdir())


@pytest.mark.parametrize(("page", "alternative"), [(page, words) for page, words, _ in SHOWN])
def test_each_picture_is_told_in_words(page: object, alternative: str) -> None:
    assert len(alternative.split()) >= 5


def test_all_pictures_together_are_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.iterdir()) < 1_100_000


def test_what_the_script_is_called_is_written_down() -> None:
    assert "python -m tests.demo.pictures" in (ROOT / "docs/README.md").read_text(encoding="utf-8")
