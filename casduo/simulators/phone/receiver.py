"""The phone's own small web server: objects sent to it, after its authentication URL has agreed."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable
from html import escape
from types import TracebackType
from typing import Self
from urllib.parse import parse_qs

from casduo.simulators.certificates import LeafFiles
from casduo.simulators.phone.errors import Refusal
from casduo.simulators.phone.objects import Displayable, Execution
from casduo.simulators.phone.phone import IpPhone
from casduo.simulators.phone.uris import encoded, with_query
from casduo.simulators.server import SimulatorServer
from casduo.simulators.wire import AFTER_SENT, Environ

PATH = "/CGI/Execute"
MAX_BYTES = 40_000
"""The largest object a phone takes this way."""

PARSE_ERROR = 1
AUTHENTICATION_ERROR = 4

_AUTHORIZED = b"AUTHORIZED"


class PushReceiver:
    """Serves ``POST /CGI/Execute`` for one phone: a form with the field ``XML`` and Basic credentials.

    The credentials go to the authentication URL in a query, as phones do; only the bare answer ``AUTHORIZED`` lets
    the object in (application development notes, "HTTP push" and "Phone authentication").

    :param authentication_url: whom the phone asks.
    :param port: TCP port; 0 takes a free one.
    :param certificate: speak TLS with it.
    """

    def __init__(
        self, phone: IpPhone, authentication_url: str, *, port: int = 0, certificate: LeafFiles | None = None
    ) -> None:
        self._phone = phone
        self._authentication_url = authentication_url
        self._server = SimulatorServer(self._answer, certificate=certificate, port=port, name="phone")

    @property
    def url(self) -> str:
        """Where objects are sent to."""
        return f"{self._server.url}{PATH}"

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.stop()

    def _answer(self, environ: Environ, start_response: Callable[..., object]) -> Iterable[bytes]:
        if environ["PATH_INFO"] != PATH:
            return _plain(start_response, "404 Not Found")
        if environ["REQUEST_METHOD"] != "POST":
            return _plain(start_response, "405 Method Not Allowed", ("Allow", "POST"))
        credentials = _credentials(environ.get("HTTP_AUTHORIZATION", ""))
        if credentials is None:
            return _plain(start_response, "401 Unauthorized", ("WWW-Authenticate", 'Basic realm="phone"'))
        if not self._authorized(*credentials):
            return _document(start_response, f'<CiscoIPPhoneError Number="{AUTHENTICATION_ERROR}" />')
        try:
            pushed = self._phone.examine(_xml_field(environ))
        except Refusal:
            return _document(start_response, f'<CiscoIPPhoneError Number="{PARSE_ERROR}" />')
        # The sender has its answer before the phone fetches anything, so it may be the one that is asked.
        environ[AFTER_SENT].append(lambda: self._phone.take(pushed))
        return _document(start_response, _response(pushed))

    def _authorized(self, user: str, password: str) -> bool:
        pairs = [("UserID", user), ("Password", password), ("devicename", self._phone.device)]
        url = with_query(self._authentication_url, encoded(pairs, "utf-8", form=False))
        try:
            answer = self._phone.ask(url, most=len(_AUTHORIZED))
        except Refusal:
            return False
        return answer.status == 200 and answer.body == _AUTHORIZED


def _credentials(header: str) -> tuple[str, str] | None:
    scheme, _, text = header.partition(" ")
    try:
        user, colon, password = base64.b64decode(text, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if scheme.lower() == "basic" and colon else None


def _xml_field(environ: Environ) -> str:
    """Return the form's ``XML`` field; too large a form is as good as none."""
    body = environ["wsgi.input"].read(MAX_BYTES * 3)
    fields = parse_qs(body.decode("latin-1"), encoding="utf-8", errors="replace", max_num_fields=16)
    text = fields.get("XML", [""])[0]
    return text if len(text.encode()) <= MAX_BYTES else ""


def _response(pushed: Displayable | Execution) -> str:
    uris = pushed.uris if isinstance(pushed, Execution) else ("",)
    items = "".join(f'<ResponseItem Status="0" Data="Success" URL="{escape(uri)}" />' for uri in uris)
    return f"<CiscoIPPhoneResponse>{items}</CiscoIPPhoneResponse>"


def _document(start_response: Callable[..., object], root: str) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/xml; charset=utf-8")])
    return [f'<?xml version="1.0" encoding="utf-8"?>{root}'.encode()]


def _plain(start_response: Callable[..., object], status: str, *headers: tuple[str, str]) -> Iterable[bytes]:
    start_response(status, [("Content-Type", "text/plain"), *headers])
    return [status.encode()]
