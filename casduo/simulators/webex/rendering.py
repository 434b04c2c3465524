"""Fills in the templates of the pages."""

from __future__ import annotations

import time
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from werkzeug.wrappers import Response

from casduo.simulators.webex.card_view import card_text, classes, column_class
from casduo.simulators.webex.model import iso

PACKAGE = "casduo.simulators.webex"


class Renderer:
    """Fills the templates of this package; everything put into them is escaped."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=PackageLoader(PACKAGE),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters |= {
            "clock": lambda moment: time.strftime("%H:%M", time.localtime(moment)),
            "iso": iso,
            "initials": _initials,
            "card_text": card_text,
            "classes": classes,
            "column_class": column_class,
        }

    def page(self, template: str, status: int = 200, **values: Any) -> Response:
        """Return a page, with an HTTP status."""
        text = self._templates.get_template(template).render(**values)
        return Response(text, status, content_type="text/html; charset=utf-8")


def _initials(name: str) -> str:
    words = name.split() or ["?"]
    return "".join(word[0] for word in (words[0], words[-1])[: len(words)]).upper()
