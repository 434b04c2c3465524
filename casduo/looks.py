"""How pages look at a site: its colours, light and dark, its pictures and files. Decides before the server starts."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import defusedxml.ElementTree
from defusedxml import DefusedXmlException

Scheme = Literal["auto", "light", "dark"]

TEXT_CONTRAST: Final = 4.5
"""Least contrast of text and its ground (WCAG 2.2, 1.4.3)."""

LIGHT_CARD: Final = "#ffffff"
DARK_CARD: Final = "#181d24"
"""The grounds of a page's main part, as in ``casduo.css``."""

_DARK_LETTERS = "#0f1318"

LARGEST_PICTURE: Final = 256 * 1024
LARGEST_FILE: Final = 1024 * 1024
MOST_FILES: Final = 200

_PNG = b"\x89PNG\r\n\x1a\n"


class Unusable(ValueError):
    """A file that a site names for its pages cannot be used; the text says why."""


def contrast(one: str, other: str) -> float:
    """Return the contrast ratio of two colours ``#rrggbb`` (WCAG 2.2, definition of contrast ratio), 1 to 21."""
    darker, lighter = sorted((_luminance(one), _luminance(other)))
    return (lighter + 0.05) / (darker + 0.05)


def readable(colour: str, ground: str) -> str:
    """Return the colour nearest to ``colour`` that can be read on ``ground``: itself, or mixed with as little black or
    white as it takes, whichever is farther from the ground.
    """
    end = "#000000" if _luminance(ground) > 0.18 else "#ffffff"
    return next(
        mixed
        for share in range(101)
        if contrast(mixed := _mix(colour, end, share / 100), ground) >= TEXT_CONTRAST or share == 100
    )


def theme(accent: str, accent_dark: str, scheme: Scheme) -> bytes:
    """Return the style sheet with the site's colours, to be read after ``casduo.css``.

    :param accent: ``#rrggbb``; ground of white letters, and letters on white
    :param accent_dark: the same for dark screens, where letters on it are dark; empty: made of the other one
    """
    css = f":root{{--accent:{accent}}}\n" if accent else ""
    if accent_dark:
        colours = f"--accent:{accent_dark};--action:{accent_dark};--on-accent:{_DARK_LETTERS}"
        css += f"@media (prefers-color-scheme: dark){{:root{{{colours}}}}}\n"
    return in_scheme(css.encode(), scheme)


def in_scheme(css: bytes, scheme: Scheme) -> bytes:
    """Return a style sheet for light and dark screens as one that knows only one of them, where a site wants that."""
    if scheme == "auto":
        return css
    other = "light" if scheme == "dark" else "dark"
    return (
        css.replace(f"(prefers-color-scheme: {scheme})".encode(), b"all")
        .replace(f"(prefers-color-scheme: {other})".encode(), b"not all")
        .replace(b"color-scheme: light dark", f"color-scheme: {scheme}".encode())
    )


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture as it is served: its bytes, its media type, and the end of its name."""

    body: bytes
    kind: str
    suffix: str


def read_picture(path: Path) -> Picture:
    """Return the logo in a file, whose content alone says what it is.

    :raises Unusable: it is neither PNG nor SVG, too large, or cannot be read
    """
    body = _read(path, LARGEST_PICTURE)
    if body.startswith(_PNG):
        return Picture(body, "image/png", ".png")
    try:
        root = defusedxml.ElementTree.fromstring(body)
    except (DefusedXmlException, ValueError, SyntaxError, LookupError):
        # LookupError: it claims an encoding that nobody knows.
        raise Unusable("is neither a PNG nor an SVG file") from None
    if root.tag.rpartition("}")[2] != "svg":
        raise Unusable("is neither a PNG nor an SVG file")
    return Picture(body, "image/svg+xml", ".svg")


def read_files(folder: Path) -> dict[str, bytes]:
    """Return a site's own files for its pages by name. Files whose names begin with a dot and folders are left out.

    :raises Unusable: one cannot be read or is too large, or there are too many
    """
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError as error:
        raise Unusable(f"cannot be read: {error.strerror}") from None
    if len(paths) > MOST_FILES:
        raise Unusable(f"has {len(paths)} files; {MOST_FILES} are allowed")
    return {path.name: _read(path, LARGEST_FILE) for path in paths}


def _read(path: Path, most: int) -> bytes:
    if path.exists() and not path.is_file():
        # A pipe would keep whoever opens it waiting.
        raise Unusable(f"{path.name}: is not a file")
    try:
        with path.open("rb") as file:
            body = file.read(most + 1)
    except OSError as error:
        raise Unusable(f"{path.name}: cannot be read: {error.strerror}") from None
    if len(body) > most:
        raise Unusable(f"{path.name}: is larger than {most // 1024} KiB")
    return body


def _channels(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[start : start + 2], 16) for start in (1, 3, 5))
    return red, green, blue


def _luminance(colour: str) -> float:
    def linear(channel: float) -> float:
        return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _mix(colour: str, other: str, share: float) -> str:
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{round(one + (two - one) * share):02x}" for one, two in pairs)
