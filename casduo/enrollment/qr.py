"""Draws activation codes as QR codes: here, so that no picture's address hands the code to anybody."""

from __future__ import annotations

_QUIET_ZONE = 4
"""Modules of white around the code that scanners need (ISO/IEC 18004)."""


def qr_picture(text: str) -> str:
    """Return a QR code of ``text`` as the address of an SVG picture, ``data:``, black on white with its quiet zone."""
    # Few processes ever draw one, and all would load it.
    import segno

    code = segno.make_qr(text, error="m")
    return str(code.svg_data_uri(scale=1, border=_QUIET_ZONE, dark="#000", light="#fff", omitsize=True))
