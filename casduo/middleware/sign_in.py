"""Signing people in: sends browsers to the CAS server and makes sessions of the tickets they come back with."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from werkzeug.wrappers import Response

from casduo.middleware import notices, steps, urls
from casduo.middleware.answers import Answers, logger
from casduo.middleware.client import CasClient
from casduo.middleware.cookies import Cookies, Header
from casduo.middleware.errors import SessionEnded
from casduo.middleware.grants import GrantStore
from casduo.middleware.identity import Denial, denial
from casduo.middleware.paths import Access
from casduo.middleware.response import Failure, Success
from casduo.middleware.session import Session, SessionStore
from casduo.middleware.settings import Settings
from casduo.middleware.steps import Asked, Attempt, Step
from casduo.middleware.tickets import shown, ticket_hash
from casduo.middleware.urls import Check
from casduo.middleware.visit import Visit

_NOT_A_PROXY: Final = ("UNAUTHORIZED_SERVICE_PROXY", "INVALID_PROXY_CALLBACK")
_NEW_TICKET_HELPS: Final = ("INVALID_TICKET", "INVALID_TICKET_SPEC", "INVALID_SERVICE")


class SignIn:
    """Carries out every step but handing the request to the application.

    :param settings: the application's.
    :param client: asks the CAS server.
    :param store: keeps the sessions.
    :param grants: where proxy-granting tickets wait, or ``None`` for an application that is no proxy.
    :param cookies: writes the cookies.
    :param answers: makes the responses.
    """

    def __init__(
        self,
        settings: Settings,
        client: CasClient,
        store: SessionStore,
        grants: GrantStore | None,
        cookies: Cookies,
        answers: Answers,
    ) -> None:
        self._settings = settings
        self._client = client
        self._store = store
        self._grants = grants
        self._cookies = cookies
        self._answers = answers

    def carry_out(self, step: Step, visit: Visit) -> Response | Visit:
        """Return the response that a step demands, or the visit with its new session for the application to answer.

        :param step: any but :attr:`Step.PASS`.
        :raises CasUnavailable: the ticket cannot be checked.
        :raises InvalidResponse: the CAS server's answer may not be believed.
        :raises StoreUnavailable: no session can be begun.
        :raises SessionTooLarge: the session does not fit into a cookie.
        :raises AddressTooLong: the address cannot be carried through a sign-in.
        """
        match step:
            case Step.VALIDATE:
                return self._validate(visit)
            case Step.SIGN_IN:
                return self._send_to_cas(visit, visit.situation.attempt)
            case Step.CHECK_SIGN_IN:
                return self._check(visit, Check.SIGN_IN, self._cookies.attempt(Attempt(0, visit.now)))
            case Step.CHECK_GATEWAY:
                return self._check(visit, Check.GATEWAY, self._cookies.asked(Asked.CHECKING, visit.now))
            case Step.ASK_SILENTLY:
                return self._ask_silently(visit)
            case Step.COOKIES_OFF:
                page = notices.cookies_off(visit.request.address.clean)
                return self._answers.page(page, visit.request, visit.now, event="cookies missing")
            case Step.LOOP:
                return self._give_up(visit)
            case Step.REFUSE:
                return self._refuse(visit)
            case _:
                return self._answers.redirect(visit.request.address.clean)

    def _send_to_cas(self, visit: Visit, attempt: Attempt | None) -> Response:
        renew = visit.situation.access is Access.RENEW
        url = urls.login_url(self._settings.cas_url, visit.request.address.clean, renew=renew)
        if visit.request.method == "HEAD":
            # Whoever asks for headers only will not come back with a ticket.
            return self._answers.redirect(url)
        return self._answers.redirect(url, [self._cookies.attempt(steps.sent_again(attempt, visit.now))])

    def _ask_silently(self, visit: Visit) -> Response:
        url = urls.login_url(self._settings.cas_url, visit.request.address.clean, gateway=True)
        begun = self._cookies.attempt(Attempt(1, visit.now))
        return self._answers.redirect(url, [begun, self._cookies.asked(Asked.DONE, visit.now)])

    def _check(self, visit: Visit, check: Check, cookie: Header) -> Response:
        address = visit.request.address
        return self._answers.redirect(address.with_query(urls.with_check(address.clean_query, check)), [cookie])

    def _refuse(self, visit: Visit) -> Response:
        request, renew = visit.request, visit.situation.access is Access.RENEW
        # A sign-in for a path that wants it fresh must return to that path; any other had better go to the start.
        service = f"{request.address.base}{request.address.path if renew else '/'}"
        url = urls.login_url(self._settings.cas_url, service, renew=renew)
        page = notices.sign_in_needed(url, reading=request.method in ("GET", "HEAD"))
        begun = self._cookies.attempt(visit.situation.attempt or Attempt(0, visit.now))
        return self._answers.page(page, request, visit.now, headers=[begun])

    def _validate(self, visit: Visit) -> Response | Visit:
        ticket = visit.request.ticket or ""
        renew = visit.situation.access is Access.RENEW
        result = self._client.validate(ticket, visit.request.service, renew=renew)
        if isinstance(result, Failure):
            return self._refused(visit, result, ticket)
        return self._accepted(visit, result, ticket, renew)

    def _refused(self, visit: Visit, failure: Failure, ticket: str) -> Response:
        event = f"ticket refused ticket={shown(ticket)} code={failure.code}"
        clean = visit.request.address.clean
        attempt = visit.situation.attempt or Attempt(0, visit.now)
        if failure.code == "INTERNAL_ERROR":
            return self._answers.page(notices.unavailable(clean), visit.request, visit.now, event=event)
        if failure.code in _NOT_A_PROXY:
            return self._answers.page(notices.no_proxying(failure.code, clean), visit.request, visit.now, event=event)
        if visit.request.by_proxy and failure.code in _NEW_TICKET_HELPS:
            return self._answers.page(notices.proxy_ticket_refused(failure.code), visit.request, visit.now, event=event)
        if failure.code == "INVALID_TICKET" and attempt.refused + 1 < steps.REFUSED_LIMIT:
            # Too old or used already: a reload, a slow line. A new one is a redirect away.
            logger.info("%s, trying once more", event)
            return self._again(visit, Attempt(attempt.redirects, attempt.since, attempt.refused + 1))
        dropped = [self._cookies.drop_attempt()]
        page = notices.denied(failure.code, clean)
        return self._answers.page(page, visit.request, visit.now, event=event, headers=dropped)

    def _accepted(self, visit: Visit, success: Success, ticket: str, renew: bool) -> Response | Visit:
        now = visit.now
        session = Session(
            user=success.user,
            attributes=success.attributes,
            ticket=ticket_hash(ticket),
            started=now,
            seen=now,
            renewed=renew,
            proxies=success.proxies,
            pgt=self._granted(success, ticket, now),
        )
        if visit.session is not None and visit.session.user != success.user:
            self._end_sessions(visit)
        if refusal := denial(session, self._settings):
            return self._deny(visit, session, refusal, ticket)
        try:
            cookie = self._store.begin(session, now)
        except SessionEnded:
            event = f"session ended before it began user={success.user} ticket={shown(ticket)}"
            if visit.request.by_proxy:
                page = notices.proxy_ticket_refused("INVALID_TICKET")
                return self._answers.page(page, visit.request, now, event=event)
            logger.info("%s", event)
            return self._again(visit, visit.situation.attempt)
        logger.info("signed in user=%s ticket=%s renew=%s%s", success.user, shown(ticket), renew, _via(session))
        headers = (self._cookies.session(cookie),)
        if visit.request.by_proxy:
            # A program may keep no cookies, and may be sending something: it is answered at once.
            return replace(visit, session=session, headers=headers)
        return self._answers.redirect(visit.request.address.clean, headers)

    def _granted(self, success: Success, ticket: str, now: float) -> str | None:
        if self._grants is None:
            return None
        pgt = self._grants.take(success.iou, now) if success.iou else None
        if pgt is None:
            why = "did not arrive at proxy_callback, or in another process" if success.iou else "was not given"
            logger.error("proxy-granting ticket %s user=%s ticket=%s", why, success.user, shown(ticket))
        return pgt

    def _again(self, visit: Visit, attempt: Attempt | None) -> Response:
        if visit.situation.satisfied:
            return self._answers.redirect(visit.request.address.clean)
        if attempt is not None and attempt.looping(visit.now):
            return self._give_up(visit)
        return self._send_to_cas(visit, attempt)

    def _give_up(self, visit: Visit) -> Response:
        dropped = [self._cookies.drop_attempt()]
        page = notices.loop(visit.request.address.clean)
        return self._answers.page(page, visit.request, visit.now, event="sign-in loop", headers=dropped)

    def _deny(self, visit: Visit, session: Session, refusal: Denial, ticket: str) -> Response:
        # The person at this browser is another one now, or has lost the right: the old session must not go on.
        self._end_sessions(visit)
        event = f"denied user={session.user} ticket={shown(ticket)} code={refusal.code}{_via(session)}"
        dropped = [self._cookies.drop_session(), self._cookies.drop_attempt()]
        page = notices.denied(refusal.code, visit.request.address.clean, refusal.context)
        return self._answers.page(page, visit.request, visit.now, event=event, headers=dropped)

    def _end_sessions(self, visit: Visit) -> None:
        for cookie in visit.session_cookies:
            self._store.end(cookie, visit.now)


def _via(session: Session) -> str:
    return f" proxies={','.join(session.proxies)}" if session.proxies else ""
