"""Whether a name stands in a text that has random letters in it too."""

from __future__ import annotations

import re


def names(text: str | bytes, name: str) -> bool:
    """Whether the name stands there as a word of its own: within random letters three come together by chance."""
    if isinstance(text, bytes):
        text = text.decode("utf-8", "replace")
    return re.search(rf"(?<![A-Za-z0-9_-]){re.escape(name)}(?![A-Za-z0-9_-])", text) is not None
