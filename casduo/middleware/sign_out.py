"""Ending sessions: the sign-out address for people, and the back channel for the CAS server."""

from __future__ import annotations

import hashlib
import ipaddress
from collections.abc import Sequence
from io import BytesIO
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs

from werkzeug.wrappers import Response

from casduo.middleware import logout, notices
from casduo.middleware.answers import Answers, logger
from casduo.middleware.cookies import Cookies
from casduo.middleware.errors import InvalidLogoutRequest, StoreUnavailable
from casduo.middleware.forms import content_length, is_form
from casduo.middleware.request import Request
from casduo.middleware.session import SessionStore
from casduo.middleware.settings import Settings
from casduo.middleware.signing import Purpose, Signer
from casduo.middleware.tickets import shown, ticket_hash
from casduo.middleware.urls import logout_url

if TYPE_CHECKING:
    from wsgiref.types import WSGIEnvironment

_TOKEN_MAX_AGE: Final = 3600.0
_TOKEN_FORM_MAX_BYTES: Final = 4096


class SignOut:
    """Answers the sign-out address.

    A link on a foreign page signs nobody out: what does not come from this origin gets a question with a button.
    """

    def __init__(
        self, settings: Settings, store: SessionStore, signer: Signer, cookies: Cookies, answers: Answers
    ) -> None:
        self._settings = settings
        self._store = store
        self._signer = signer
        self._cookies = cookies
        self._answers = answers

    def answer(
        self, environ: WSGIEnvironment, request: Request, session_cookies: Sequence[str], now: float
    ) -> Response:
        """End the session and send the browser to the CAS server's ``/logout``, or ask first.

        :raises StoreUnavailable: the session cannot be ended.
        """
        if request.method not in ("GET", "HEAD", "POST"):
            return self._answers.page(notices.wrong_method(), request, now, headers=[("Allow", "GET, HEAD, POST")])
        sent = request.method == "POST" and self._valid_token(_posted_token(environ), session_cookies, now)
        if request.method != "HEAD" and not request.prefetch and (sent or request.own):
            return self._sign_out(request, session_cookies, now)
        token = self._signer.sign(Purpose.SIGN_OUT, [int(now), _digest(session_cookies)])
        page = notices.confirm_sign_out(token, f"{request.address.base}/")
        return self._answers.page(page, None, now)

    def _sign_out(self, request: Request, session_cookies: Sequence[str], now: float) -> Response:
        for cookie in session_cookies:
            self._store.end(cookie, now)
        logger.info("signed out")
        dropped = [self._cookies.drop_session(), self._cookies.drop_attempt()]
        url = logout_url(self._settings.cas_url, f"{request.address.base}{self._settings.after_logout}")
        return self._answers.redirect(url, dropped, after_post=request.method == "POST")

    def _valid_token(self, token: str, session_cookies: Sequence[str], now: float) -> bool:
        value = self._signer.read(Purpose.SIGN_OUT, token)
        return (
            isinstance(value, list)
            and len(value) == 2
            and now < value[0] + _TOKEN_MAX_AGE
            and value[1] == _digest(session_cookies)
        )


def _digest(session_cookies: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(session_cookies).encode()).hexdigest()[:32]


def _posted_token(environ: WSGIEnvironment) -> str:
    length = content_length(environ)
    if not is_form(environ) or not 0 < length <= _TOKEN_FORM_MAX_BYTES:
        return ""
    body: bytes = environ["wsgi.input"].read(length)
    return parse_qs(body.decode("latin-1")).get("token", [""])[0]


class BackChannel:
    """Takes ``logoutRequest`` messages from the CAS server (CAS Protocol 3.0, 2.3.3).

    A message with a declared length only: one sent in chunks is left to the application unread.
    """

    def __init__(self, settings: Settings, store: SessionStore, answers: Answers) -> None:
        self._path = settings.single_logout_path
        self._networks = [ipaddress.ip_network(network) for network in settings.single_logout_from]
        self._store = store
        self._answers = answers

    def answer(self, environ: WSGIEnvironment, now: float) -> Response | None:
        """End the session a message names and say 200, also for one unknown here.

        :return: ``None`` if the request is none of the CAS server's; its body can then still be read.
        """
        if not self._may_be_message(environ):
            return None
        body = environ["wsgi.input"].read(content_length(environ))
        environ["wsgi.input"] = BytesIO(body)
        try:
            message = logout.logout_message(body)
            if message is None:
                return None
            if not self._is_from_server(environ):
                logger.warning("single logout refused: sender not in single_logout_from")
                return self._answers.text(403)
            ticket = logout.session_index(message)
            self._store.end_ticket(ticket_hash(ticket), now)
        except InvalidLogoutRequest as error:
            logger.warning("single logout refused: %s", error.reason)
            return self._answers.text(400, "logoutRequest not understood\n")
        except StoreUnavailable as error:
            logger.error("single logout failed: session store unavailable: %s", error.reason)
            return self._answers.text(503)
        logger.info("single logout ticket=%s", shown(ticket))
        return self._answers.text(200)

    def _may_be_message(self, environ: WSGIEnvironment) -> bool:
        return (
            environ["REQUEST_METHOD"] == "POST"
            and self._path in (None, environ.get("PATH_INFO", ""))
            and is_form(environ)
            and 0 < content_length(environ) <= logout.MAX_BYTES
        )

    def _is_from_server(self, environ: WSGIEnvironment) -> bool:
        if not self._networks:
            return True
        try:
            sender = ipaddress.ip_address(environ.get("REMOTE_ADDR", ""))
        except ValueError:
            return False
        return any(sender in network for network in self._networks)
