"""The picture of a code: what a camera reads, and how it lies in the page."""

from __future__ import annotations

import re
from urllib.parse import unquote

import segno

from casduo.enrollment.qr import qr_picture

CODE = "duo://8LIRa5danrICkhHtkLxi-YXBpLXh4eHh4eHh4LmR1b3NlY3VyaXR5LmNvbQ"


def drawn(picture: str) -> set[tuple[int, int]]:
    """Return the black modules of a picture, by column and row, the quiet zone included."""
    path = re.search("stroke='#000' d='([^']+)'", unquote(picture))
    assert path is not None
    found, x, y = set(), 0.0, 0.0
    for command, numbers in re.findall(r"([MmhvlLHV])([-0-9. ]*)", path[1]):
        values = [float(number) for number in re.findall(r"-?\d*\.?\d+", numbers)]
        if command == "M":
            x, y = values
        elif command == "m":
            x, y = x + values[0], y + values[1]
        else:
            assert command == "h"
            found |= {(int(x) + step, int(y)) for step in range(int(values[0]))}
            x += values[0]
    return found


def test_the_picture_shows_the_code_and_nothing_else() -> None:
    matrix = segno.make_qr(CODE, error="m").matrix
    black = {(x + 4, y + 4) for y, row in enumerate(matrix) for x, module in enumerate(row) if module}
    assert drawn(qr_picture(CODE)) == black


def test_it_is_black_on_white_with_a_quiet_zone_and_small() -> None:
    picture = qr_picture(CODE)
    assert picture.startswith("data:image/svg+xml")
    text = unquote(picture)
    size = len(segno.make_qr(CODE, error="m").matrix) + 8
    assert f"0 0 {size} {size}" in text
    assert "#fff" in text
    assert "#000" in text
    assert "duo:" not in text
    assert len(picture) < 12_000
