"""The WSGI middleware itself: reads the facts, asks ``steps`` what to do, lets ``sign_in`` or the application do it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from casduo.middleware import notices, steps, urls
from casduo.middleware.answers import Answers, logger
from casduo.middleware.client import CasClient
from casduo.middleware.cookies import Cookies, CookieValues, Header, cookie_values
from casduo.middleware.errors import (
    AddressTooLong,
    CasUnavailable,
    InvalidResponse,
    SessionTooLarge,
    SettingsError,
    StoreUnavailable,
    UnknownHost,
)
from casduo.middleware.identity import PROXY_KEY, clear_claims, denial, tell
from casduo.middleware.paths import Access, PathRules
from casduo.middleware.proxying import Callback, Proxy
from casduo.middleware.request import Request, read_request
from casduo.middleware.session import Found, Session
from casduo.middleware.settings import Settings
from casduo.middleware.sign_in import SignIn
from casduo.middleware.sign_out import BackChannel, SignOut
from casduo.middleware.signing import Signer
from casduo.middleware.steps import Situation, Step
from casduo.middleware.stores import grant_store, session_store
from casduo.middleware.visit import Visit

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment


class CasMiddleware:
    """Puts a WSGI application behind a CAS server.

    The application finds ``REMOTE_USER``, ``AUTH_TYPE`` = ``CAS``, ``casduo.user``, ``casduo.attributes`` (lists by
    name) and ``casduo.session`` (:class:`~casduo.middleware.SessionInfo`) in ``environ``, as a proxy also
    ``casduo.proxy`` (:class:`~casduo.middleware.Proxy`), and nothing a client could have forged. Safe under threads and
    greenlets.

    :param app: the application.
    :param settings: a :class:`Settings`; or give its options by keyword, ``cas_url=..., service_url=...``.
    :param clock: returns epoch seconds.
    :raises SettingsError: with every problem found.
    """

    def __init__(
        self,
        app: WSGIApplication,
        settings: Settings | None = None,
        *,
        clock: Callable[[], float] = time.time,
        **options: Any,
    ) -> None:
        if settings is not None and options:
            raise SettingsError(("give either settings or options, not both",))
        self._app = app
        self._settings = settings = settings or Settings.of(options)
        self._clock = clock
        self._rules = PathRules(
            public=settings.public_paths,
            gateway=settings.gateway_paths,
            protected=settings.protected_paths,
            renew=settings.renew_paths,
        )
        signer = Signer(settings.keys, settings.audience)
        self._store = session_store(settings, signer)
        self._cookies = Cookies(settings, signer)
        self._answers = Answers(settings)
        self._client = CasClient(
            settings.cas_back_channel_url or settings.cas_url,
            ca_file=settings.ca_file,
            connect_timeout=settings.connect_timeout,
            read_timeout=settings.read_timeout,
            pgt_url=settings.callback_url,
            proxied=bool(settings.allowed_proxies),
        )
        grants = grant_store(settings)
        self._callback = Callback(settings.callback_path, grants, self._answers)
        self._sign_in = SignIn(settings, self._client, self._store, grants, self._cookies, self._answers)
        self._sign_out = SignOut(settings, self._store, signer, self._cookies, self._answers)
        self._back_channel = BackChannel(settings, self._store, self._answers)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer a request, or let the application answer it."""
        clear_claims(environ, self._settings)
        now = self._clock()
        answer = (
            self._back_channel.answer(environ, now) or self._callback.answer(environ, now) or self._answer(environ, now)
        )
        if isinstance(answer, Response):
            return answer(environ, start_response)
        return self._pass(environ, start_response, answer)

    def _answer(self, environ: WSGIEnvironment, now: float) -> Response | Visit:
        settings = self._settings
        try:
            address = urls.public_address(
                environ, settings.service_url, settings.allowed_hosts, proxied=bool(settings.allowed_proxies)
            )
        except UnknownHost:
            return self._answers.page(notices.unknown_host(), None, now, event="request for an unknown host")
        request = read_request(environ, address)
        try:
            return self._decide(environ, request, now)
        except AddressTooLong:
            return self._answers.page(notices.too_long(f"{address.base}/"), request, now)
        except (CasUnavailable, InvalidResponse) as error:
            event = f"validation failed: {error.code} {error.reason}"
            return self._answers.page(notices.unavailable(address.clean), request, now, event=event)
        except StoreUnavailable as error:
            event = f"session store unavailable: {error.reason}"
            return self._answers.page(notices.unavailable(address.clean), request, now, event=event)
        except SessionTooLarge as error:
            return self._answers.page(notices.misconfigured(), request, now, event=f"session not begun: {error}")
        except Exception as error:  # nobody is let in by a fault of ours, and nobody sees a traceback
            # Places only: the text of an unknown error may hold anything, a ticket too.
            places = (f"{frame.filename}:{frame.lineno}" for frame in traceback.extract_tb(error.__traceback__))
            event = f"unexpected {type(error).__name__} at {' > '.join(places)}"
            return self._answers.page(notices.failed(), request, now, event=event)

    def _decide(self, environ: WSGIEnvironment, request: Request, now: float) -> Response | Visit:
        cookies = cookie_values(environ)
        if request.path == self._settings.logout_path:
            return self._sign_out.answer(environ, request, self._cookies.read_session(cookies), now)
        visit = self._visit(request, cookies, now)
        step = steps.next_step(visit.situation, now)
        return visit if step is Step.PASS else self._sign_in.carry_out(step, visit)

    def _visit(self, request: Request, cookies: CookieValues, now: float) -> Visit:
        access = self._rules.access(request.path)
        session_cookies = self._cookies.read_session(cookies)
        found = self._find_session(session_cookies, access, now)
        session = found.session if found else None
        situation = Situation(
            access=access,
            method=request.method,
            navigation=request.navigation,
            ticket=request.ticket is not None,
            check=request.check,
            signed_in=session is not None,
            fresh=session is not None and self._is_fresh(session, now),
            attempt=self._cookies.read_attempt(cookies, now),
            asked=self._cookies.read_asked(cookies, now),
            by_proxy=request.by_proxy,
        )
        headers = self._cookie_changes(found, situation)
        return Visit(request, situation, session, session_cookies, headers, now)

    def _find_session(self, session_cookies: Sequence[str], access: Access, now: float) -> Found | None:
        try:
            for cookie in session_cookies:
                # Public files neither keep a session alive nor carry cookies: they stay cacheable.
                found = self._store.find(cookie, now, touch=access is not Access.PUBLIC)
                if found is not None and denial(found.session, self._settings) is None:
                    return found
        except StoreUnavailable as error:
            if access >= Access.PROTECTED:
                raise
            logger.error("session store unavailable: %s; served as if signed out", error.reason)
        return None

    def _is_fresh(self, session: Session, now: float) -> bool:
        return session.renewed and now < session.started + self._settings.renew_max_age

    def _cookie_changes(self, found: Found | None, situation: Situation) -> tuple[Header, ...]:
        if found is None or situation.access is Access.PUBLIC:
            return ()
        replaced = (self._cookies.session(found.cookie),) if found.cookie else ()
        arrived = (self._cookies.drop_attempt(),) if situation.attempt else ()
        return replaced + arrived

    def _pass(self, environ: WSGIEnvironment, start_response: StartResponse, visit: Visit) -> Iterable[bytes]:
        if visit.request.check:
            environ["QUERY_STRING"] = urls.take_check(environ.get("QUERY_STRING", ""))[0]
        if visit.request.by_proxy:
            environ["QUERY_STRING"] = urls.take_ticket(environ.get("QUERY_STRING", ""), proxied=True)[0]
        if visit.session is not None:
            tell(environ, visit.session, self._settings)
            if self._settings.proxy_callback is not None:
                environ[PROXY_KEY] = Proxy(self._client, visit.session)
        if visit.situation.access is Access.PUBLIC and not visit.headers:
            return self._app(environ, start_response)
        return self._app(environ, _private(start_response, visit.headers))


def _private(start_response: StartResponse, headers: Sequence[Header]) -> StartResponse:
    """Return a ``start_response`` that adds ``headers`` and tells shared caches that the answer is one person's.

    A cache may keep what does not say otherwise (RFC 9111, 4.2.2) and show it to somebody else.
    """

    def start(status: str, sent: list[Header], exc_info: Any = None) -> Any:
        added = list(headers)
        if not any(name.lower() == "cache-control" for name, _ in sent):
            added.append(("Cache-Control", "private, no-cache"))
        return start_response(status, [*sent, *added], *((exc_info,) if exc_info else ()))

    return start
