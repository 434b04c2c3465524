"""Form bodies of requests: whether there is one, and how long it says it is. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_FORM: Final = "application/x-www-form-urlencoded"


def is_form(environ: WSGIEnvironment) -> bool:
    """Return whether the body is declared to be a URL-encoded form."""
    content_type = str(environ.get("CONTENT_TYPE", ""))
    return content_type.partition(";")[0].strip().lower() == _FORM


def content_length(environ: WSGIEnvironment) -> int:
    """Return the declared length of the body in bytes; 0 if none is declared, or not as a number."""
    try:
        return int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0
