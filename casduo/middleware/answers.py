"""Turns notices and addresses into HTTP responses, and writes the log line that a page's reference leads to."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

from werkzeug.wrappers import Response

from casduo.middleware import pages
from casduo.middleware.pages import Page
from casduo.middleware.request import Request
from casduo.middleware.settings import Settings
from casduo.middleware.urls import origin_of

logger: Final = logging.getLogger("casduo.middleware")

Headers = Iterable[tuple[str, str]]

_RETRY_AFTER: Final = "30"


class Answers:
    """Makes responses in one application's name."""

    def __init__(self, settings: Settings) -> None:
        self._cas_origin = origin_of(settings.cas_url)
        self._help_url = settings.help_url
        named = settings.service_url or f"//{next(iter(settings.allowed_hosts), '')}"
        self._app_name = settings.app_name or urlsplit(named).hostname or "Application"

    def redirect(self, url: str, headers: Headers = (), *, after_post: bool = False) -> Response:
        """Return a redirect that nobody caches and that tells the next server nothing.

        :param url: absolute and ASCII already.
        :param after_post: the browser must turn to GET (303).
        """
        response = Response("", status=303 if after_post else 302, content_type="text/plain; charset=utf-8")
        response.headers["Location"] = url
        response.headers["Cache-Control"] = "no-store"
        response.headers["Referrer-Policy"] = "no-referrer"
        response.headers.extend(list(headers))
        return response

    def page(
        self, page: Page, request: Request | None, now: float, *, event: str = "", headers: Headers = ()
    ) -> Response:
        """Return a page, or the same in JSON for a program.

        :param request: what is answered; ``None`` if it could not even be read.
        :param event: what the log says; the page then shows the same reference.
        """
        reference = _log(event, page.status) if event else ""
        if request is not None and request.json and not request.navigation:
            response = Response(_as_json(page, reference), status=page.status, content_type="application/json")
        else:
            html = pages.render(page, app_name=self._app_name, help_url=self._help_url, reference=reference, now=now)
            response = Response(html, status=page.status, content_type="text/html; charset=utf-8")
        for name, value in pages.headers(self._cas_origin, same_origin_referrer=bool(page.confirm)):
            response.headers[name] = value
        if page.status == 503:
            response.headers["Retry-After"] = _RETRY_AFTER
        if page.status == 401:
            # RFC 9110, 11.6.1 wants one with every 401; browsers ask for no password on account of this scheme.
            response.headers["WWW-Authenticate"] = "CAS"
        response.headers.extend(list(headers))
        return response

    def text(self, status: int, text: str = "") -> Response:
        """Return a line of text for the CAS server's back channel."""
        response = Response(text, status=status, content_type="text/plain; charset=utf-8")
        response.headers["Cache-Control"] = "no-store"
        return response


def _log(event: str, status: int) -> str:
    reference = secrets.token_hex(5)
    level = logging.ERROR if status >= 500 else logging.WARNING
    logger.log(level, "%s reference=%s status=%d", event, reference, status)
    return reference


def _as_json(page: Page, reference: str) -> str:
    body: dict[str, str] = {"error": page.title, "message": page.paragraphs[0]}
    if page.status == 401 and page.links:
        body["sign_in_url"] = page.links[0].url
    if page.code:
        body["code"] = page.code
    if reference:
        body["reference"] = reference
    return json.dumps(body)
