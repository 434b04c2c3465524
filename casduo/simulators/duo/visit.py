"""A visit to the prompt without a browser, for tests that are about what happens before and after it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from werkzeug.test import Client
from werkzeug.wrappers import Response

_MOST_PAGES = 6


class PromptStayed(LookupError):
    """The prompt kept the browser. ``status`` and ``page`` are what it showed last."""

    def __init__(self, status: int, page: str) -> None:
        super().__init__(f"the prompt stayed, with HTTP status {status}")
        self.status = status
        self.page = page


def visit_prompt(
    application: Callable[..., Iterable[bytes]], authorization_url: str, between_pages: Callable[[], Any]
) -> str:
    """Follow the prompt's pages to the way back.

    :param application: the simulator's WSGI application.
    :param between_pages: called after every page, to let somebody press a button on the phone.
    :returns: the absolute URL outside the prompt that the browser is sent to.
    :raises PromptStayed: the prompt shows a page on which nothing happens by itself.
    """
    client = Client(application, Response)
    parts = urlsplit(authorization_url)
    base_url = f"{parts.scheme}://{parts.netloc}"
    target = f"{parts.path}?{parts.query}"
    for _ in range(_MOST_PAGES):
        response = client.get(target, base_url=base_url, environ_base={"REMOTE_ADDR": "127.0.0.1"})
        location = response.headers.get("Location", "")
        if urlsplit(location).netloc not in ("", parts.netloc):
            return location
        if not location and response.status_code != HTTPStatus.OK:
            break
        target = location or target
        between_pages()
    raise PromptStayed(response.status_code, response.get_data(as_text=True))
