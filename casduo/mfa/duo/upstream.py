"""One API host of Duo's as all applications on it share it: connections, places for those who wait, breakers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TypeVar

from casduo.clock import Clock
from casduo.errors import UpstreamBusy, UpstreamError, UpstreamMisconfigured
from casduo.mfa.duo.errors import DuoBusy, DuoMisconfigured, DuoUnavailable
from casduo.mfa.duo.settings import DuoSettings
from casduo.mfa.duo.universal import PINNED_CA_FILE
from casduo.outbound import Breaker, BreakerOpen, Bulkhead
from casduo.outbound.breaker import BreakerMemory
from casduo.outbound.http import HttpClient, HttpSettings

T = TypeVar("T")


class Upstream:
    """What calls to one API host go through.

    :param settings: of any of the applications; host, time-outs and numbers are what counts.
    :param clock: epoch seconds.
    :param bulkhead: who may wait for Duo, on whatever host.
    :param memory: what all processes know of Duo; None for what this one knows.
    :raises DuoMisconfigured: ``ca_file``: it cannot be read.
    """

    def __init__(
        self, settings: DuoSettings, clock: Clock, bulkhead: Bulkhead, memory: BreakerMemory | None = None
    ) -> None:
        self.clock = clock
        self.http = _client(settings, settings.read_timeout, settings.deadline, settings.concurrency)
        # Those who follow a push wait for a person, on connections of their own.
        # Long enough for one that has to be sent again because the connection broke.
        poll_deadline = 2 * settings.poll_timeout + settings.read_timeout
        self.polls = _client(settings, settings.poll_timeout, poll_deadline, settings.polls)
        self.patience = 2 * (settings.deadline + settings.read_timeout)
        """Seconds that two calls in a row may take."""
        self._bulkhead = bulkhead

        def breaker(side: str) -> Breaker:
            return Breaker(
                f"duo {side} {settings.api_host}",
                settings.breaker_failures,
                settings.breaker_pause,
                clock,
                probe_deadline=self.patience,
                is_outage=_is_outage,
                memory=memory,
            )

        # Two, because Duo can be half down: the prompt's side fails while the Auth API answers.
        self.prompt = breaker("prompt")
        self.auth_api = breaker("auth api")

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take one of the places of those who wait for Duo.

        :raises DuoBusy: all are taken.
        """
        with ExitStack() as stack:
            try:
                stack.enter_context(self._bulkhead)
            except UpstreamBusy:
                raise DuoBusy("bulkhead_full", "Too many logins wait for Duo at the same time.") from None
            yield


def through(breaker: Breaker, call: Callable[[], T]) -> T:
    """Make a call unless the breaker is open.

    :raises DuoUnavailable: it is; nobody was asked.
    """
    try:
        return breaker.call(call)
    except BreakerOpen:
        raise refusal() from None


def refusal() -> DuoUnavailable:
    """Return what callers are told while a breaker is open."""
    message = "Duo did not answer before and is left alone for a moment."
    return DuoUnavailable("breaker_open", message, may_fail_open=True)


def _client(settings: DuoSettings, read_timeout: float, deadline: float, pool: int) -> HttpClient:
    try:
        return HttpClient(
            "duo",
            HttpSettings(
                connect_timeout=settings.connect_timeout,
                read_timeout=read_timeout,
                deadline=deadline,
                pool=pool,
                ca_file=PINNED_CA_FILE,
                extra_ca_file=settings.ca_file,
                proxy=settings.proxy,
            ),
        )
    except UpstreamMisconfigured as error:
        failure = DuoMisconfigured(error.detail, "The file of certificate authorities for Duo cannot be read.")
    raise failure


def _is_outage(error: UpstreamError) -> bool:
    # An open breaker is itself an outage, so a used-up rate limit or a strange certificate must not open it.
    return isinstance(error, DuoUnavailable)
