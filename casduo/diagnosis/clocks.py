"""What a difference between this server's clock and another one means. Pure.

Duo takes requests whose date is up to 300 seconds off (Auth API, "Authentication"). The prompt is stricter, in both
directions: a result that Duo dates more than 60 seconds after our present is refused by Duo's own client, and a request
of ours that seems to be good for much longer than five minutes is refused by Duo.
"""

from __future__ import annotations

from casduo.diagnosis.model import Finding, Part
from casduo.mfa.duo.health import DRIFT, LIMIT

REQUESTS = 300.0
"""Seconds by which a request's date may differ from Duo's clock."""
_REDIS_DRIFT = 10.0

_SET = "set this server's clock, and let a time service (chrony, systemd-timesyncd) keep it"


def judge_duo_clock(part: Part, skew: float) -> Finding:
    """Return the finding about Duo's clock.

    :param skew: Duo's clock minus ours in seconds.
    """
    apart, rounded = abs(skew), round(skew, 1)
    if apart <= DRIFT:
        return part.ok("clock", f"agrees with Duo's, to {_seconds(apart)}", skew=rounded)
    found = f"this server's clock is {apart:.0f} seconds {'behind' if skew > 0 else 'ahead of'} Duo's"
    if apart <= LIMIT:
        cause = f"all still works; from {LIMIT:.0f} seconds on logins by Duo's own page fail"
        return part.attention("clock", found, "clock_drift", cause, _SET, skew=rounded)
    if apart >= REQUESTS:
        cause = f"Duo refuses every request that is dated {REQUESTS:.0f} seconds off or more"
    elif skew > 0:
        cause = (
            f"Duo's result seems to come from the future: beyond {LIMIT:.0f} seconds Duo's own client refuses it, so "
            "logins fail after the person has answered the prompt; the built-in page still works"
        )
    else:
        cause = (
            "what casduo signs for Duo's own page seems good for too long, so Duo may refuse it before anybody is "
            "asked; the built-in page still works"
        )
    return part.fault("clock", found, "clock", cause, _SET, skew=rounded)


def judge_store_clock(part: Part, skew: float) -> Finding:
    """Return the finding about the clock of the machine that Redis runs on.

    :param skew: its clock minus ours in seconds.
    """
    apart, rounded = abs(skew), round(skew, 1)
    if apart <= _REDIS_DRIFT:
        return part.ok("clock", f"agrees with that of Redis, to {_seconds(apart)}", skew=rounded)
    return part.attention(
        "clock",
        f"this server's clock is {apart:.0f} seconds {'behind' if skew > 0 else 'ahead of'} that of Redis",
        "clock_drift",
        "one of the two is wrong; nodes whose clocks differ refuse each other's forms and see sessions end early",
        "let a time service keep the clocks of all machines",
        skew=rounded,
    )


def _seconds(apart: float) -> str:
    return "1 second" if round(apart) == 1 else f"{apart:.0f} seconds"
