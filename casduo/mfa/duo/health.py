"""What ping and the check of our keys say together. Pure.

Duo takes requests from a clock that is up to 300 seconds wrong, but we refuse a result that was issued more than
60 seconds in our future. In between everything looks well until the person has answered the prompt, in vain. And
Duo names a wrong key and a wrong clock alike: ``invalid_client``. The time in Duo's ``ping`` tells them apart.
"""

from __future__ import annotations

from casduo.mfa.duo.errors import DuoFailure, DuoMisconfigured
from casduo.mfa.duo.gateway import Health, HealthState

DRIFT = 30.0
"""Seconds between the clocks from which on the operator is told."""
LIMIT = 60.0
"""Seconds by which Duo's clock may be ahead of ours: the leeway that duo_universal gives an id_token."""


def judge(now: float, skew: float, *, prompt: bool = True) -> Health:
    """Return the health if all calls went well.

    :param now: epoch seconds.
    :param skew: Duo's clock minus ours in seconds.
    :param prompt: it is the prompt that is to be used; the Auth API tolerates more.
    """
    if prompt and skew > LIMIT:
        return judge_failure(DuoMisconfigured("clock", _clock_text(skew)), now, skew)
    if abs(skew) > DRIFT:
        return Health(HealthState.OK, now, "clock_drift", _clock_text(skew), auth_api_answers=True, skew=skew)
    return Health(HealthState.OK, now, auth_api_answers=True, skew=skew)


def judge_failure(failure: DuoFailure, now: float, skew: float | None) -> Health:
    """Return the health if ``failure`` is what became of the check of our keys, or of ``ping`` already.

    :param skew: as for :func:`judge`; None if ``ping`` failed.
    """
    if failure.detail == "keys" and skew is not None:
        failure = _keys_or_clock(skew)
    return Health.of_failure(failure, now, skew=skew)


def judge_half(failure: DuoFailure, auth_api: Health, now: float, skew: float) -> Health:
    """Return the health if the prompt's side is down.

    Where the Auth API is down as well it is an outage. Where it answers and refuses us, that is what counts: a second
    fault must not open what the first would have kept closed.

    :param failure: why no prompt can be offered.
    :param auth_api: how the Auth API is.
    """
    if not auth_api.ok and not auth_api.may_fail_open:
        return auth_api
    return Health.of_failure(failure, now, auth_api_answers=auth_api.ok, skew=skew)


def _keys_or_clock(skew: float) -> DuoMisconfigured:
    if abs(skew) > LIMIT:
        return DuoMisconfigured("clock", _clock_text(skew))
    return DuoMisconfigured(
        "keys",
        f"Duo does not accept client id and secret. The clocks are not why: they are {abs(skew):.0f} seconds apart.",
    )


def _clock_text(skew: float) -> str:
    order = "behind" if skew > 0 else "ahead of"
    return f"This server's clock is {abs(skew):.0f} seconds {order} Duo's: set it."
