"""The gateway made of Duo's two official clients, with breakers, places and shared health checks around them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TypeVar

from casduo.clock import Clock, system_clock
from casduo.mfa.duo.auth_api import AuthApi
from casduo.mfa.duo.checks import Checks, Questions
from casduo.mfa.duo.errors import DuoBadParameter, DuoFailure, DuoMisconfigured, DuoUnavailable
from casduo.mfa.duo.gateway import (
    DuoGateway,
    Enrollment,
    EnrollmentState,
    Health,
    HealthState,
    Preauth,
    PushStatus,
    RequestFactor,
    Verdict,
    VerifiedPush,
    new_token,
)
from casduo.mfa.duo.settings import DuoSettings
from casduo.mfa.duo.universal import UniversalClient, check_return
from casduo.mfa.duo.upstream import Upstream, through
from casduo.outbound import Bulkhead
from casduo.outbound.breaker import BreakerMemory
from casduo.outbound.http import HttpClient
from casduo.signing import fingerprint

T = TypeVar("T")

_log = logging.getLogger(__name__)
_MARK_LENGTH = 8


def build_gateway(
    settings: DuoSettings,
    clock: Clock = system_clock,
    bulkhead: Bulkhead | None = None,
    memory: BreakerMemory | None = None,
) -> DuoGateway:
    """Return a gateway for one Duo application by itself. Asks nobody: whether the keys are right, ``health`` tells.

    :param clock: epoch seconds; the official clients read the machine's clock all the same.
    :param bulkhead: shared with others who wait; None makes one with ``settings.concurrency`` places.
    :param memory: what all processes know of Duo; None for what this one knows.
    :raises DuoMisconfigured: settings that cannot work; ``detail`` names the one.
    """
    settings.check()
    upstream = Upstream(settings, clock, bulkhead or Bulkhead("duo", settings.concurrency), memory)
    return OfficialDuoGateway(settings, upstream)


class OfficialDuoGateway:
    """See :class:`~casduo.mfa.duo.gateway.DuoGateway`. Made by :func:`build_gateway`.

    :param settings: checked.
    :param upstream: the host of these settings, shared by applications on it.
    """

    def __init__(self, settings: DuoSettings, upstream: Upstream) -> None:
        self._settings = settings
        self._upstream = upstream
        self._universal = UniversalClient(
            settings.client_id, settings.client_secret, settings.api_host, settings.redirect_uri, upstream.http
        )
        self._universal_before = self._make_universal_before(upstream.http)
        self._auth_api = self._make_auth_api(upstream.http)
        self._polls = self._make_auth_api(upstream.polls)
        before = settings.previous_auth_api_keys
        self._polls_before = self._make_auth_api(upstream.polls, before) if before is not None else None
        questions = Questions(self._auth_api.ping, self._auth_api.check, self._universal.health_check)
        self._checks = Checks(upstream, questions, settings.health_cache, self._tell)

    def health(self, *, prompt: bool = True) -> Health:
        return self._checks.of_prompt() if prompt else self._checks.of_auth_api()

    def auth_api_health(self) -> Health:
        return self._checks.of_auth_api_now()

    def preauth(self, username: str, address: str) -> Preauth:
        with self._telling(), self._upstream.place():
            return through(self._upstream.auth_api, lambda: self._auth_api.preauth(username, address))

    def passcode(self, username: str, code: str, address: str) -> Verdict:
        return self._offered(lambda: self._auth_api.passcode(username, code, address))

    def push(
        self,
        username: str,
        address: str,
        device: str = "auto",
        *,
        factor: RequestFactor = "push",
        info: Mapping[str, str] | None = None,
        verified: VerifiedPush | None = None,
    ) -> str:
        return self._offered(lambda: self._auth_api.push(username, address, device, factor, info or {}, verified))

    def push_status(self, transaction: str) -> PushStatus:
        # No breaker learns of it either: how a question fares that was open for half a minute says little about
        # whether a new login would be answered.
        began = time.monotonic()
        with self._telling():
            try:
                return self._followed(transaction)
            except DuoUnavailable as failure:
                # Duo should have answered by now, with news or without; so nobody knows of any.
                if failure.detail != "timeout" or time.monotonic() - began < self._settings.poll_timeout:
                    raise
        return PushStatus(waiting=True, allowed=False)

    def send_codes(self, username: str, address: str, device: str = "auto") -> Verdict:
        return self._offered(lambda: self._auth_api.send_codes(username, address, device))

    def enroll(self, username: str, seconds: int) -> Enrollment:
        return self._offered(lambda: self._auth_api.enroll(username, seconds))

    def enroll_status(self, user_id: str, activation_code: str) -> EnrollmentState:
        return self._offered(lambda: self._auth_api.enroll_status(user_id, activation_code))

    def prompt_url(self, username: str, state: str, nonce: str) -> str:
        return self._universal.prompt_url(username, state, nonce)

    def exchange(self, code: str, username: str, nonce: str) -> Verdict:
        # Before the breaker gets to see it: what a browser makes up must not pass for an answer of Duo's.
        check_return(code, nonce)
        # Not stopped by an open breaker: a person answered the prompt, that is worth a try.
        with self._telling(), self._upstream.place():
            return self._upstream.prompt.observe(lambda: self._prompted_by(nonce).exchange(code, username, nonce))

    def new_state(self) -> str:
        return new_token()

    def new_nonce(self) -> str:
        # With a mark of the application that asks. A code is good for the application that it was made for, and by the
        # time the person comes back the settings may name another one.
        return new_token() + _mark(self._settings.client_id)

    def _prompted_by(self, nonce: str) -> UniversalClient:
        """Return the client of the application whose prompt the person was sent to."""
        before = self._settings.previous_client_id
        if self._universal_before is not None and nonce.endswith(_mark(before)):
            return self._universal_before
        return self._universal

    def _followed(self, transaction: str) -> PushStatus:
        try:
            return self._polls.push_status(transaction)
        except DuoBadParameter:
            # Perhaps it was sent with the keys of before, under which alone Duo knows it.
            if self._polls_before is None:
                raise
        return self._polls_before.push_status(transaction)

    def _make_universal_before(self, http: HttpClient) -> UniversalClient | None:
        settings = self._settings
        # Of one application with another secret Duo takes the new one alone, for what was begun with the old one too.
        if settings.previous_client_id in ("", settings.client_id):
            return None
        return UniversalClient(
            settings.previous_client_id,
            settings.previous_client_secret,
            settings.api_host,
            settings.redirect_uri,
            http,
        )

    def _make_auth_api(self, http: HttpClient, keys: tuple[str, str] | None = None) -> AuthApi:
        settings = self._settings
        return AuthApi(
            *(keys or settings.auth_api_keys),
            settings.api_host,
            http,
            label=settings.label,
            verified_push=settings.verified_push,
        )

    def _offered(self, call: Callable[[], T]) -> T:
        """Make a call of the Auth API that is past the point where a service may be entered without Duo.

        :raises DuoFailure: none that may fail open, the one of an open breaker included.
        """
        with self._telling(), self._upstream.place():
            try:
                return through(self._upstream.auth_api, call)
            except DuoFailure as offered:
                failure = offered.closed()
            raise failure

    @contextmanager
    def _telling(self) -> Iterator[None]:
        """Log what only an administrator can put right."""
        try:
            yield
        except DuoMisconfigured as failure:
            _log.error("%s: misconfigured, %s. %s", self._subject, failure.detail, failure.message)
            raise

    def _tell(self, health: Health) -> None:
        if health.state is HealthState.MISCONFIGURED:
            _log.error("%s: misconfigured, %s. %s", self._subject, health.detail, health.message)
        elif health.detail and health.detail != "breaker_open":
            _log.warning("%s: %s, %s. %s", self._subject, health.state, health.detail, health.message)

    @property
    def _subject(self) -> str:
        return f"Duo application {self._settings.name}" if self._settings.name else "Duo"


def _mark(client_id: str) -> str:
    return fingerprint(client_id)[:_MARK_LENGTH]
