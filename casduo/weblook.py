"""Reads what a site brings along for its pages, and says what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from casduo.errors import Problem, SettingsError
from casduo.looks import Unusable, read_files, read_picture
from casduo.messages import ENGLISH, UnknownMessage
from casduo.paths import views_directory
from casduo.settings import PageSettings
from casduo.templatecheck import template_problems
from casduo.web import THEME, Look

_NO_PLACE = "settings"


def build_look(pages: PageSettings) -> Look:
    """Return what the settings name, read.

    :raises SettingsError: something of it cannot be used; holds all problems
    """
    problems = [problem for problem in look_problems(pages, _NO_PLACE) if problem.level == "error"]
    if problems:
        raise SettingsError(tuple(problems))
    return Look(
        accent_colour=pages.accent_colour,
        accent_colour_dark=pages.accent_colour_dark or "",
        logo=read_picture(pages.logo) if pages.logo else None,
        logo_dark=read_picture(pages.logo_dark) if pages.logo_dark else None,
        templates=pages.templates,
        files=read_files(pages.static) if pages.static else {},
    )


def look_problems(pages: PageSettings, file: str) -> Iterator[Problem]:
    """Yield everything there is to say about the files that the settings name for pages.

    :param file: the settings file, under which a file that is missing is told of
    """
    readers: tuple[tuple[str, Path | None, Callable[[Path], object]], ...] = (
        ("logo", pages.logo, read_picture),
        ("logo_dark", pages.logo_dark, read_picture),
        ("static", pages.static, read_files),
    )
    for key, path, read in readers:
        if path is not None:
            try:
                read(path)
            except Unusable as error:
                yield Problem(file, 0, 0, f"pages.{key}", f"{path}: {error}")
    if pages.templates is None:
        return
    if not pages.templates.is_dir():
        yield Problem(file, 0, 0, "pages.templates", f"{pages.templates} is not a folder")
        return
    views = views_directory()
    for found in template_problems(views, pages.templates, _files(views, pages), _wrong_text):
        level = "error" if found.fatal else "warning"
        yield Problem(str(found.path), found.line, 1 if found.line else 0, "", found.message, level)


def _files(views: Path, pages: PageSettings) -> set[str]:
    """Return what ``static()`` knows: our files, and those of the site that can be read."""
    folders = (views / "static", *([pages.static] if pages.static is not None and pages.static.is_dir() else []))
    return {path.name for folder in folders for path in folder.iterdir()} | {THEME}


def _wrong_text(message_id: str, facts: frozenset[str] | None) -> str:
    try:
        held = ENGLISH.facts_of(message_id)
    except UnknownMessage:
        return "is no text of casduo; see docs/languages.md"
    if facts is None or facts == held:
        return ""
    return f"wants {', '.join(sorted(held)) or 'no facts'}, and is given {', '.join(sorted(facts)) or 'none'}"
