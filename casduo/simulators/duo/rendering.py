"""Fills in the templates of the pages."""

from __future__ import annotations

import time
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from werkzeug.wrappers import Response


class Renderer:
    """Fills the templates of this package; everything put into them is escaped."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=PackageLoader("casduo.simulators.duo"), autoescape=True, undefined=StrictUndefined
        )
        self._templates.filters["clock"] = lambda moment: time.strftime("%H:%M:%S", time.localtime(moment))

    def page(self, template: str, **values: Any) -> Response:
        """Return a page."""
        text = self._templates.get_template(template).render(**values)
        return Response(text, content_type="text/html; charset=utf-8")

    def message(self, message: str, status: int) -> Response:
        """Return a page that says one thing, with an HTTP status."""
        response = self.page("message.html", message=message)
        response.status_code = status
        return response
