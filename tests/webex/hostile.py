"""Texts that somebody writes to have them taken for something else."""

from __future__ import annotations

from hypothesis import strategies as st

HOSTILE = (
    "[x](https://evil.example)",
    "![x](https://evil.example/pixel.png)",
    "<https://evil.example>",
    "https://evil.example/login",
    "HTTPS://EVIL.EXAMPLE",
    "www.evil.example",
    "mailto:grace@evil.example",
    "webexteams://im?space=1",
    "<@all>",
    "<@personEmail:grace@example.edu|Grace>",
    "&lt;@all&gt;",
    "<b>bold</b><script>alert(1)</script>",
    "**admin** approved",
    "__admin__ approved",
    "# Approved",
    "- one",
    "+ one",
    "* one",
    "1. one",
    "1) one",
    "> quoted",
    "```\nApproved\n```",
    "    indented",
    "~~struck~~",
    "a | b\n--|--\n1 | 2",
    "title\n=====",
    "title\n-----",
    "---",
    "first\nsecond",
    "first\r\n\r\nsecond",
    "first\u2028second\u2029third\x85fourth",
    "\u202eevil\u202c",
    "\u2066isolated\u2069",
    "zero\u200bwidth\ufeff",
    "\x00\x07\x1b[31mred",
    "\ud800 half a character",
    "back\\slash\\",
    "\\",
    "😀👩‍👩‍👧‍👦🏴󠁧󠁢󠁥󠁮󠁧󠁿",
    "${template} {user} %s {0}",
    "x" * 10_000,
    "😀" * 10_000,
    "\u202e" * 10_000,
    "*" * 10_000,
    "\"quoted\" and 'quoted'",
    "",
)

_SHORT = [text for text in HOSTILE if len(text) < 100]
_BITS = st.sampled_from([*_SHORT, *"\\`*_[]()<>\n .@|&#", "  ", "://", "www"])
words = st.one_of(
    st.sampled_from(_SHORT),
    st.text(max_size=40),
    st.lists(st.one_of(_BITS, st.text(max_size=6)), max_size=12).map("".join),
)
"""Anything, and of the above more than chance would make."""
texts = st.one_of(
    words,
    st.sampled_from(HOSTILE),
    st.text(max_size=300),
    st.text(min_size=1, max_size=3).map(lambda piece: piece * 3000),
)
"""Likewise, of any length."""
