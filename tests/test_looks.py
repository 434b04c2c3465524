"""What a site brings along for its pages: colours that can be read, pictures that are some, files that fit."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from pydantic import ValidationError

from casduo.looks import (
    DARK_CARD,
    LARGEST_FILE,
    LARGEST_PICTURE,
    LIGHT_CARD,
    TEXT_CONTRAST,
    Unusable,
    contrast,
    in_scheme,
    read_files,
    read_picture,
    readable,
    theme,
)
from casduo.paths import views_directory
from casduo.settings import PageSettings

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40
SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'
CSS = (views_directory() / "static" / "casduo.css").read_bytes()


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#ffffff", "#ffffff", 1.0),
        ("#767676", "#ffffff", 4.54),
        ("#FFFF00", "#fff0ff", 1.0),
    ],
)
def test_contrast_is_that_of_wcag(one: str, other: str, ratio: float) -> None:
    assert contrast(one, other) == contrast(other, one)
    assert contrast(one, other) == pytest.approx(ratio, abs=0.06)


@pytest.mark.parametrize("ground", [LIGHT_CARD, DARK_CARD])
@pytest.mark.parametrize("colour", ["#ffff00", "#1f5fa8", "#000000", "#ffffff", "#808080", "#ff0000"])
def test_the_colour_that_is_suggested_can_be_read(colour: str, ground: str) -> None:
    found = readable(colour, ground)
    assert contrast(found, ground) >= TEXT_CONTRAST
    assert (found == colour) == (contrast(colour, ground) >= TEXT_CONTRAST)


@pytest.mark.parametrize(
    ("key", "colour", "said"),
    [
        ("accent_colour", "#ffcc00", "too light for white text on it: a contrast of 1.5, below 4.5"),
        ("accent_colour", "#777777", "a contrast of 4.4, below 4.5"),
        ("accent_colour_dark", "#1f5fa8", "too dark for dark screens: a contrast of 2.6, below 4.5"),
    ],
)
def test_a_colour_that_cannot_be_read_is_refused_with_one_that_can(key: str, colour: str, said: str) -> None:
    with pytest.raises(ValidationError) as refused:
        PageSettings.model_validate({key: colour})
    message = str(refused.value)
    assert said in message
    suggested = re.search(r"the nearest that passes is '(#[0-9a-f]{6})'", message)
    assert suggested is not None
    PageSettings.model_validate({key: suggested[1]})


@pytest.mark.parametrize("colour", ["red", "#fff", "1f5fa8", "#1f5fa8;}*{display:none", "#1f5fa8\n", 7])
def test_what_is_no_colour_never_gets_into_the_style_sheet(colour: object) -> None:
    if colour == "#1f5fa8\n":
        assert PageSettings.model_validate({"accent_colour": colour}).accent_colour == "#1f5fa8"
        return
    with pytest.raises(ValidationError):
        PageSettings.model_validate({"accent_colour": colour})


def test_the_grounds_are_those_of_the_style_sheet() -> None:
    light, dark = CSS.decode().split("@media (prefers-color-scheme: dark)", 1)
    assert "--card: #fff;" in light
    assert f"--card: {DARK_CARD};" in dark


def test_the_colours_of_a_site_come_last() -> None:
    assert theme("#1f5fa8", "", "auto") == b":root{--accent:#1f5fa8}\n"
    both = theme("#1f5fa8", "#9ab6d9", "auto").decode()
    assert "@media (prefers-color-scheme: dark){:root{--accent:#9ab6d9;--action:#9ab6d9;--on-accent:#0f1318}}" in both
    assert contrast("#9ab6d9", "#0f1318") >= TEXT_CONTRAST


@pytest.mark.parametrize(("scheme", "other"), [("light", "dark"), ("dark", "light")])
def test_a_scheme_can_be_fixed(scheme: str, other: str) -> None:
    fixed = in_scheme(CSS, scheme).decode()  # type: ignore[arg-type]
    assert "prefers-color-scheme" not in fixed
    assert f"color-scheme: {scheme};" in fixed
    assert fixed.count("@media not all") == CSS.decode().count(f"(prefers-color-scheme: {other})")
    assert in_scheme(CSS, "auto") == CSS


def test_the_content_says_what_a_picture_is(tmp_path: Path) -> None:
    path = tmp_path / "logo.jpg"
    path.write_bytes(PNG)
    assert (read_picture(path).kind, read_picture(path).suffix) == ("image/png", ".png")
    path.write_bytes(SVG)
    assert (read_picture(path).kind, read_picture(path).suffix) == ("image/svg+xml", ".svg")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"<html><svg/></html>",
        b"<svg",
        b"\xff\xfe\x00",
        b'<?xml version="1.0" encoding="nonsense"?><svg/>',
        b'<!DOCTYPE svg [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg>&b;</svg>',
        SVG + b" " * LARGEST_PICTURE,
    ],
)
def test_what_is_no_picture_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "logo.svg"
    path.write_bytes(content)
    with pytest.raises(Unusable):
        read_picture(path)


def test_what_is_no_file_is_refused_without_waiting_for_it(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.svg")
    for name in (".", "pipe.svg"):
        with pytest.raises(Unusable, match="is not a file"):
            read_picture(tmp_path / name)
    (tmp_path / "round.svg").symlink_to("round.svg")
    with pytest.raises(Unusable, match="cannot be read"):
        read_picture(tmp_path / "round.svg")


def test_a_site_has_files_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "brand.css").write_bytes(b"body{}")
    (tmp_path / ".hidden").write_bytes(b"x")
    (tmp_path / "folder").mkdir()
    assert read_files(tmp_path) == {"brand.css": b"body{}"}
    (tmp_path / "film.mp4").write_bytes(b"\0" * (LARGEST_FILE + 1))
    with pytest.raises(Unusable, match=r"film\.mp4: is larger than 1024 KiB"):
        read_files(tmp_path)
    with pytest.raises(Unusable, match="cannot be read"):
        read_files(tmp_path / "nothing")
