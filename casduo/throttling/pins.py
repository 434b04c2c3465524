"""The limits on wrong PINs at phones: by user, by device, by the pair of both, and by address.

* ``pin.user``: one person's PIN, tried at however many phones. UCM itself locks people out of everything after a few
  wrong PINs (credential policy, "failed logon"), so this one stops short of that: :func:`below_lockout`.
* ``pin.pair``: one person at one phone who mistypes; small and quickly forgotten.
* ``pin.device``: one phone at which many PINs are tried.
* ``login.address``: one place that guesses, counted together with passwords.

A right PIN forgets the failures of user and pair, as UCM does, never those of device and address.
"""

from __future__ import annotations

from casduo.store import Batch
from casduo.throttling.limits import Counters, Limit, Limits, Verdict, address_key, person_keys

_MARGIN = 60.0
"""Seconds. UCM counts a wrong PIN a moment later than we do, and forgets it a moment later."""


class PinThrottle:
    """The four limits on wrong PINs.

    :param user, device, pair, address: the limits, see the module's text; ``address`` is to be that of logins
    """

    def __init__(self, user: Limit, device: Limit, pair: Limit, address: Limit) -> None:
        self._limits = Limits(person=(user, pair), around=(device, address))

    def test(self, batch: Batch, userid: str, device: str, address: str, now: float) -> Verdict:
        """Ask whether a PIN may be tried and, if so, note that it is under way. Every test that answers 0 is to be
        followed by exactly one of ``fail``, ``forgive`` and ``release``.
        """
        return self._limits.test(batch, _counters(userid, device, address), now)

    def fail(self, batch: Batch, userid: str, device: str, address: str, now: float) -> Verdict:
        """Count a wrong PIN. The verdict is the pause that it earned."""
        return self._limits.fail(batch, _counters(userid, device, address), now)

    def forgive(self, batch: Batch, userid: str, device: str, address: str, now: float) -> None:
        """Note a right PIN: failures of this user and this pair are forgotten."""
        self._limits.forgive(batch, _counters(userid, device, address), now)

    def release(self, batch: Batch, userid: str, device: str, address: str, now: float) -> None:
        """Note that there was no answer. UCM may have counted the try all the same; counted here as well, two time-outs
        would keep somebody with the right PIN out for as long as a lock-out lasts.
        """
        self._limits.release(batch, _counters(userid, device, address), now)


def below_lockout(failures: int, window: float) -> Limit:
    """Return the limit that keeps wrong PINs of one person one below the number at which UCM locks them out. Once that
    is reached the user has to wait until UCM has forgotten them.

    :param failures: wrong PINs after which UCM locks a user out, at least 2
    :param window: seconds after which UCM forgets them
    """
    closed = window + _MARGIN
    return Limit(failures - 1, closed, closed, closed, afresh=True)


def _counters(userid: str, device: str, address: str) -> Counters:
    by_device = f"casduo:{{phone:{device}}}:pin.device"
    return Counters(person_keys(userid, device, "pin"), (by_device, address_key(address)))
