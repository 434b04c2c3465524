"""Asks whether Duo can be used now, once on behalf of all who want to know at the same time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from casduo.errors import UpstreamUnavailable
from casduo.mfa.duo.errors import DuoBusy, DuoFailure, DuoUnavailable
from casduo.mfa.duo.gateway import Health
from casduo.mfa.duo.health import judge, judge_failure, judge_half
from casduo.mfa.duo.upstream import Upstream, refusal, through
from casduo.outbound import BreakerState, Shared


@dataclass(frozen=True, slots=True)
class Questions:
    """What can be asked of Duo to find out whether it answers.

    :param ping: whether it answers at all; returns its time in epoch seconds.
    :param check: whether the Auth API takes our keys.
    :param health_check: whether the prompt can be offered.
    """

    ping: Callable[[], float]
    check: Callable[[], object]
    health_check: Callable[[], object]


class Checks:
    """The health of one application; see :meth:`casduo.mfa.duo.gateway.DuoGateway.health`.

    :param keep: seconds for which a good answer serves.
    :param tell: is called with every answer that Duo was asked for.
    """

    def __init__(self, upstream: Upstream, questions: Questions, keep: float, tell: Callable[[Health], None]) -> None:
        self._upstream = upstream
        self._questions = questions
        self._tell = tell
        self._of_auth_api = self._shared(self._ask_auth_api, keep, upstream.patience)
        # While the prompt's side is down, the answer of the Auth API's comes in.
        self._of_prompt = self._shared(self._ask_prompt, keep, 2 * upstream.patience)

    def of_prompt(self) -> Health:
        """Return whether the prompt can be offered, and if it cannot, whether the Auth API can be used."""
        return self._get(self._of_prompt)

    def of_auth_api(self) -> Health:
        """Return whether the Auth API can be used."""
        return self._get(self._of_auth_api)

    def of_auth_api_now(self) -> Health:
        """Return whether the Auth API can be used, asked anew."""
        try:
            with self._upstream.place():
                return self._ask_auth_api()
        except DuoBusy as busy:
            return Health.of_failure(busy, self._upstream.clock())

    def _get(self, shared: Shared[Health]) -> Health:
        now = self._upstream.clock()
        kept = shared.kept(now)
        if kept is not None:
            return kept
        if shared.running and self._upstream.auth_api.state(now) is not BreakerState.CLOSED:
            # Somebody finds out whether Duo is back. Whoever waited for that would wait for a time-out.
            return Health.of_failure(refusal(), now)
        try:
            with self._upstream.place():
                return shared.get()
        except DuoBusy as busy:
            return Health.of_failure(busy, now)
        except TimeoutError:
            message = "Another login asked Duo and is still waiting for the answer."
            return Health.of_failure(DuoUnavailable("timeout", message, may_fail_open=True), now)

    def _ask_prompt(self) -> Health:
        skew = None
        try:
            skew = self._ping()
            through(self._upstream.prompt, self._questions.health_check)
        except DuoFailure as failure:
            return self._told(self._judge_prompt(failure, skew))
        return self._told(judge(self._upstream.clock(), skew))

    def _judge_prompt(self, failure: DuoFailure, skew: float | None) -> Health:
        if skew is None or not isinstance(failure, UpstreamUnavailable):
            return judge_failure(failure, self._upstream.clock(), skew)
        return judge_half(failure, self._of_auth_api.get(), self._upstream.clock(), skew)

    def _ask_auth_api(self) -> Health:
        skew = None
        try:
            skew = self._ping()
            through(self._upstream.auth_api, self._questions.check)
        except DuoFailure as failure:
            return self._told(judge_failure(failure, self._upstream.clock(), skew))
        return self._told(judge(self._upstream.clock(), skew, prompt=False))

    def _ping(self) -> float:
        """Return Duo's clock minus ours in seconds.

        Asked first: it is cheap, needs no keys, and the time explains a refusal of the keys afterwards. Duo cuts off
        the fraction and its answer took a while, so the true difference is this or a little more.
        """
        return through(self._upstream.auth_api, self._questions.ping) - self._upstream.clock()

    def _told(self, health: Health) -> Health:
        self._tell(health)
        return health

    def _shared(self, ask: Callable[[], Health], keep: float, patience: float) -> Shared[Health]:
        return Shared(ask, keep=keep, is_good=lambda health: health.ok, clock=self._upstream.clock, patience=patience)
