"""The Universal Prompt: a browser arrives with a signed request, confirms or not, and goes back with a code.

The rules only; ``pages`` shows them. As at Duo, somebody who is refused stays in the prompt and may try again.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlencode, urlsplit, urlunsplit

from casduo.simulators.duo import transactions
from casduo.simulators.duo.account import Account, Preauth
from casduo.simulators.duo.enrollment import ENROLLMENT_LIFETIME, Activation
from casduo.simulators.duo.faults import CallbackFault
from casduo.simulators.duo.jwts import AuthorizationRequest
from casduo.simulators.duo.model import Application, Phone, User
from casduo.simulators.duo.oauth import CODE_LIFETIME, Browser, Grant, Oauth
from casduo.simulators.duo.passcode_check import check_passcode
from casduo.simulators.duo.passcodes import Verdict
from casduo.simulators.duo.transactions import Details, State, Transaction

SESSION_LIFETIME = 900.0
"""Seconds a prompt may stay open."""

Stage = Literal["leave", "waiting", "choose", "enroll", "refused"]


@dataclass(slots=True)
class PromptSession:
    """One visit to the prompt.

    :param notice: how the last attempt ended, for the person to read; empty before the first.
    :param transaction: the request on the phone, if one was sent.
    :param fresh: whether no first push was considered yet.
    :param left: whether the browser was sent back already; a prompt is left once.
    """

    application: Application
    request: AuthorizationRequest
    browser: Browser
    expires: float
    id: str = field(default_factory=lambda: secrets.token_urlsafe(18))
    transaction: Transaction | None = None
    activation: Activation | None = None
    notice: str = ""
    fresh: bool = True
    left: bool = False
    _version: int = 0

    @property
    def version(self) -> str:
        """Changes whenever the page would look different; a script compares it."""
        moves = self.transaction.version if self.transaction is not None else 0
        claimed = self.activation is not None and self.activation.claimed
        return f"{self._version}.{moves}.{int(claimed)}.{int(self.left)}"

    def touch(self) -> None:
        """Note that something happened that no transaction knows of."""
        self._version += 1


@dataclass(frozen=True, slots=True)
class View:
    """What the browser is to see.

    :param location: where to send it, for ``leave``.
    :param message: for the person to read.
    """

    stage: Stage
    message: str = ""
    user: User | None = None
    location: str = ""


@dataclass(slots=True)
class Prompt:
    """All visits. Not thread-safe: the caller holds the account's lock.

    :param auto_push: send a push as soon as somebody with a capable phone arrives, as Duo does.
    """

    account: Account
    oauth: Oauth
    auto_push: bool = True
    _sessions: dict[str, PromptSession] = field(default_factory=dict, repr=False)

    def open(
        self, application: Application, request: AuthorizationRequest, browser: Browser, now: float
    ) -> PromptSession:
        """Begin a visit for a verified request."""
        self._sessions = {key: session for key, session in self._sessions.items() if session.expires > now}
        session = PromptSession(application, request, browser, now + SESSION_LIFETIME)
        self._sessions[session.id] = session
        return session

    def find(self, session_id: str, now: float) -> PromptSession | None:
        """Return a visit that has not run out."""
        session = self._sessions.get(session_id)
        return session if session is not None and session.expires > now else None

    def view(self, session: PromptSession, now: float, fault: CallbackFault | None) -> View:
        """Decide what a browser that asks for the page gets to see, and send the first push if it is time.

        :param fault: what is to be wrong with the way back; ``error`` sends the browser back at once.
        """
        self.account.settle(now)
        if session.left:
            return View("refused", "This login is finished. You can close this page.")
        if fault == "error":
            return self._leave_with_error(session)
        user = self._user(session)
        decision = self._decision(session, user)
        if session.fresh and self.auto_push and decision.result == "auth":
            session.fresh = False
            self.send_request(session, "push", now)
        transaction = session.transaction
        if transaction is not None and transaction.state.result == "allow":
            return self._leave(session, user, transaction, "user_approved", now, fault)
        if decision.result == "allow":
            return self._leave(session, user, None, decision.reason, now, fault)
        if decision.result == "deny":
            return View("refused", decision.message)
        if decision.result == "enroll":
            return View("enroll", decision.message, user)
        if transaction is not None and transaction.pending:
            return View("waiting", session.notice, user)
        return View("choose", session.notice or (transaction.state.message if transaction else ""), user)

    def send_request(self, session: PromptSession, factor: Literal["push", "phone"], now: float) -> None:
        """Send a request to the first phone that takes it; nothing happens while one is waiting already."""
        user = self._person_to_confirm(session, now)
        if user is None:
            return
        phone = next((phone for phone in user.phones if factor in phone.abilities), None)
        if phone is None or (session.transaction is not None and session.transaction.pending):
            return
        session.notice = ""
        session.transaction = self.account.begin(
            user,
            session.application,
            factor=factor,
            device=phone,
            details=Details(session.application.name, user.username, "Login", session.browser.address),
            now=now,
        )

    def send_sms(self, session: PromptSession, now: float) -> None:
        """Send passcodes to the first phone that takes messages."""
        user = self._person_to_confirm(session, now)
        if user is None:
            return
        phone = next((phone for phone in user.phones if "sms" in phone.abilities), None)
        if phone is not None:
            self.account.send_sms(phone)
            session.notice = transactions.SMS_SENT.message
            session.touch()

    def enter_passcode(self, session: PromptSession, passcode: str, now: float) -> None:
        """Try a passcode."""
        user = self._person_to_confirm(session, now)
        if user is None:
            return
        check = check_passcode(user, passcode, now)
        state: State = {
            Verdict.VALID: transactions.ALLOWED,
            Verdict.USED: transactions.USED_PASSCODE,
            Verdict.WRONG: transactions.WRONG_PASSCODE,
        }[check.verdict]
        transaction = self.account.conclude(
            user,
            session.application,
            factor=check.factor or "passcode",
            device=check.device,
            state=state,
            now=now,
        )
        session.notice = "" if state.result == "allow" else state.message
        session.touch()
        # A wrong passcode leaves the request on the phone alone: it may still be approved.
        if state.result == "allow":
            session.transaction = transaction

    def enroll(self, session: PromptSession, now: float) -> None:
        """Begin inline enrolment: from here on Duo knows the user, who still has to activate a phone."""
        if session.activation is not None and session.activation.status(now) == "waiting":
            return
        user = self._user(session)
        if self._decision(session, user).result != "enroll":
            return
        if user is None:
            user = self.account.add(User(session.request.username))
        session.activation = self.account.enrollments.start(user, ENROLLMENT_LIFETIME, now)
        session.touch()

    def _user(self, session: PromptSession) -> User | None:
        return self.account.find(session.request.username)

    def _person_to_confirm(self, session: PromptSession, now: float) -> User | None:
        """Return the user if there is something to confirm; None when policy has decided already."""
        self.account.settle(now)
        user = self._user(session)
        return user if self._decision(session, user).result == "auth" else None

    def _decision(self, session: PromptSession, user: User | None) -> Preauth:
        return self.account.preauth(session.application, user, address=session.browser.address)

    def _leave(
        self,
        session: PromptSession,
        user: User | None,
        transaction: Transaction | None,
        reason: str,
        now: float,
        fault: CallbackFault | None,
    ) -> View:
        session.left = True
        passcode = transaction is not None and transaction.factor not in ("push", "phone")
        code = self.oauth.grant(
            Grant(
                request=session.request,
                username=user.username if user is not None else self.account.canonical(session.request.username),
                user_id=user.id if user is not None else "",
                browser=session.browser,
                transaction=transaction,
                status="bypass" if transaction is None else "allow",
                reason="valid_passcode" if passcode else reason,
                at=now,
                expires=now + CODE_LIFETIME,
            )
        )
        if fault == "used_code":
            self.oauth.spend(code)
        return View("leave", location=_callback(session.request, code, fault))

    def _leave_with_error(self, session: PromptSession) -> View:
        session.left = True
        parameters = {
            "error": "access_denied",
            "error_description": "The login was ended by the user.",
            "state": session.request.state,
        }
        return View("leave", location=_with_query(session.request.redirect_uri, parameters))


def _callback(request: AuthorizationRequest, code: str, fault: CallbackFault | None) -> str:
    parameters = {"state": request.state, request.code_parameter: code}
    if fault == "no_state":
        del parameters["state"]
    if fault == "wrong_state":
        parameters["state"] = secrets.token_urlsafe(27)
    if fault == "no_code":
        del parameters[request.code_parameter]
    if fault == "wrong_code":
        parameters[request.code_parameter] = secrets.token_hex(16)
    return _with_query(request.redirect_uri, parameters)


def _with_query(url: str, parameters: dict[str, str]) -> str:
    """Add parameters to a URL and keep those it has."""
    parts = urlsplit(url)
    query = "&".join(part for part in (parts.query, urlencode(parameters)) if part)
    return urlunsplit(parts._replace(query=query))


def phone_to_ask(user: User) -> Phone | None:
    """Return the phone that takes pushes, for the page to name."""
    return next((phone for phone in user.phones if "push" in phone.abilities), None)
