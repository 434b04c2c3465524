"""The gateway made of Duo's two official clients: breakers, a bulkhead and a shared health check around them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from casduo.clock import Clock, system_clock
from casduo.errors import UpstreamBusy, UpstreamError, UpstreamMisconfigured
from casduo.mfa.duo.auth_api import AuthApi
from casduo.mfa.duo.errors import DuoBusy, DuoFailure, DuoMisconfigured, DuoUnavailable
from casduo.mfa.duo.gateway import DuoGateway, Health, HealthState, Preauth, Verdict, new_token
from casduo.mfa.duo.health import judge, judge_failure
from casduo.mfa.duo.settings import DuoSettings
from casduo.mfa.duo.universal import PINNED_CA_FILE, UniversalClient, check_return
from casduo.outbound import Breaker, BreakerOpen, Bulkhead, Shared
from casduo.outbound.http import HttpClient, HttpSettings

T = TypeVar("T")

_log = logging.getLogger(__name__)


def build_gateway(settings: DuoSettings, clock: Clock = system_clock, bulkhead: Bulkhead | None = None) -> DuoGateway:
    """Return a gateway for one Duo application. Asks nobody: whether the keys are right, ``health`` tells.

    :param clock: epoch seconds; the official clients read the machine's clock all the same.
    :param bulkhead: shared with other applications; None makes one with ``settings.concurrency`` places.
    :raises DuoMisconfigured: settings that cannot work; ``detail`` names the one.
    """
    settings.check()
    try:
        http = HttpClient("duo", _http_settings(settings))
    except UpstreamMisconfigured as error:
        failure = DuoMisconfigured(error.detail, "The file of certificate authorities for Duo cannot be read.")
    else:
        return OfficialDuoGateway(settings, http, clock, bulkhead or Bulkhead("duo", settings.concurrency))
    raise failure


def _http_settings(settings: DuoSettings) -> HttpSettings:
    return HttpSettings(
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        deadline=settings.deadline,
        pool=settings.concurrency,
        ca_file=PINNED_CA_FILE,
        extra_ca_file=settings.ca_file,
        proxy=settings.proxy,
    )


class OfficialDuoGateway:
    """See :class:`~casduo.mfa.duo.gateway.DuoGateway`. Made by :func:`build_gateway`."""

    def __init__(self, settings: DuoSettings, http: HttpClient, clock: Clock, bulkhead: Bulkhead) -> None:
        self._clock = clock
        self._universal = UniversalClient(
            settings.client_id, settings.client_secret, settings.api_host, settings.redirect_uri, http
        )
        self._auth_api = AuthApi(*settings.auth_api_keys, settings.api_host, http)
        # Two, because Duo can be half down: the prompt's side fails while the Auth API answers.
        self._prompt_breaker = self._breaker("duo prompt", settings)
        self._auth_api_breaker = self._breaker("duo auth api", settings)
        self._bulkhead = bulkhead
        self._health = Shared(
            self._ask_health,
            keep=settings.health_cache,
            is_good=lambda health: health.ok,
            clock=clock,
            patience=2 * (settings.deadline + settings.read_timeout),
        )

    def health(self) -> Health:
        kept = self._health.kept(self._clock())
        if kept is not None:
            return kept
        try:
            with self._place():
                return self._health.get()
        except DuoBusy as busy:
            return Health.of_failure(busy, self._clock())
        except TimeoutError:
            message = "Another login asked Duo and is still waiting for the answer."
            return Health.of_failure(DuoUnavailable("timeout", message, may_fail_open=True), self._clock())

    def auth_api_health(self) -> Health:
        try:
            with self._place():
                return self._ask(self._auth_api_breaker, self._auth_api.check, prompt=False)
        except DuoBusy as busy:
            return Health.of_failure(busy, self._clock())

    def preauth(self, username: str, address: str) -> Preauth:
        with self._place():
            return self._through(self._auth_api_breaker, lambda: self._auth_api.preauth(username, address))

    def passcode(self, username: str, code: str, address: str) -> Verdict:
        with self._place():
            try:
                return self._through(self._auth_api_breaker, lambda: self._auth_api.passcode(username, code, address))
            except DuoUnavailable as unavailable:
                # An open breaker too: who brings a passcode is past the point where a service may be entered without.
                failure = unavailable.closed()
            raise failure

    def prompt_url(self, username: str, state: str, nonce: str) -> str:
        return self._universal.prompt_url(username, state, nonce)

    def exchange(self, code: str, username: str, nonce: str) -> Verdict:
        # Before the breaker gets to see it: what a browser makes up must not pass for an answer of Duo's.
        check_return(code, nonce)
        # Not stopped by an open breaker: a person answered the prompt, that is worth a try.
        with self._place():
            return self._prompt_breaker.observe(lambda: self._universal.exchange(code, username, nonce))

    def new_state(self) -> str:
        return new_token()

    def new_nonce(self) -> str:
        return new_token()

    def _ask_health(self) -> Health:
        return self._ask(self._prompt_breaker, self._universal.health_check, prompt=True)

    def _ask(self, breaker: Breaker, check: Callable[[], object], *, prompt: bool) -> Health:
        """Ping first: it is cheap, needs no keys and tells the time that explains a refusal of the keys afterwards."""
        try:
            duo_time = self._through(self._auth_api_breaker, self._auth_api.ping)
        except DuoFailure as failure:
            return _logged(Health.of_failure(failure, self._clock()))
        # Duo cuts off the fraction and its answer took a while, so the true difference is this or a little more.
        skew = duo_time - self._clock()
        try:
            self._through(breaker, check)
        except DuoFailure as failure:
            return _logged(judge_failure(failure, self._clock(), skew))
        return _logged(judge(self._clock(), skew, prompt=prompt))

    @contextmanager
    def _place(self) -> Iterator[None]:
        with ExitStack() as stack:
            try:
                stack.enter_context(self._bulkhead)
            except UpstreamBusy:
                raise DuoBusy("bulkhead_full", "Too many logins wait for Duo at the same time.") from None
            try:
                yield
            except DuoMisconfigured as failure:
                _log.error("Duo: misconfigured, %s. %s", failure.detail, failure.message)
                raise

    def _through(self, breaker: Breaker, call: Callable[[], T]) -> T:
        try:
            return breaker.call(call)
        except BreakerOpen:
            message = "Duo did not answer several times in a row and is left alone for a moment."
            raise DuoUnavailable("breaker_open", message, may_fail_open=True) from None

    def _breaker(self, name: str, settings: DuoSettings) -> Breaker:
        return Breaker(
            name,
            settings.breaker_failures,
            settings.breaker_pause,
            self._clock,
            probe_deadline=2 * (settings.deadline + settings.read_timeout),
            is_outage=_is_outage,
        )


def _logged(health: Health) -> Health:
    if health.state is HealthState.MISCONFIGURED:
        _log.error("Duo: misconfigured, %s. %s", health.detail, health.message)
    elif health.detail and health.detail != "breaker_open":
        _log.warning("Duo: %s, %s. %s", health.state, health.detail, health.message)
    return health


def _is_outage(error: UpstreamError) -> bool:
    # An open breaker is itself an outage, so a used-up rate limit or a strange certificate must not open it.
    return isinstance(error, DuoUnavailable)
