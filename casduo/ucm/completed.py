"""Logins on phones over two interfaces: the Extension Mobility API decides and writes, AXL tells what that cannot."""

from __future__ import annotations

from dataclasses import replace

from casduo.errors import UpstreamError
from casduo.outbound.budget import Budget
from casduo.ucm.interfaces import PhoneLogins
from casduo.ucm.model import PhoneState, same_user

_PATIENCE = 1.0
"""Seconds that AXL may take for what is good to know."""


class CompletedLogins:
    """Logins of ``main`` whose states are completed by ``other``. Implements
    :class:`~casduo.ucm.interfaces.PhoneLogins`.

    The Extension Mobility API names the user on a phone, and neither the profile nor whether the phone is open to
    logins. The profile makes the difference between "already logged in" and a new login, so AXL is asked for it where
    somebody is logged in. About a phone that is free nothing is asked: a login there is refused by the API itself.
    """

    def __init__(self, main: PhoneLogins, other: PhoneLogins) -> None:
        self._main = main
        self._other = other

    @property
    def has_policy(self) -> bool:
        """See :attr:`PhoneLogins.has_policy`."""
        return self._main.has_policy

    @property
    def ends_logins(self) -> bool:
        """See :attr:`PhoneLogins.ends_logins`."""
        return self._main.ends_logins

    def state(self, device: str, budget: Budget) -> PhoneState:
        """See :meth:`PhoneLogins.state`. Without AXL, or where the two differ, the profile stays empty."""
        state = self._main.state(device, budget)
        if not state.user or state.profile:
            return state
        try:
            told = self._other.state(device, Budget(min(_PATIENCE, budget.left / 2)))
        except UpstreamError:
            return state
        if not same_user(told.user, state.user):
            return state
        return replace(state, profile=told.profile, enabled=told.enabled if state.enabled is None else state.enabled)

    def devices_of(self, userid: str, budget: Budget) -> tuple[str, ...]:
        """See :meth:`PhoneLogins.devices_of`."""
        return self._main.devices_of(userid, budget)

    def log_in(self, device: str, userid: str, profile: str, seconds: float, budget: Budget) -> None:
        """See :meth:`PhoneLogins.log_in`."""
        self._main.log_in(device, userid, profile, seconds, budget)

    def log_out(self, device: str, budget: Budget) -> None:
        """See :meth:`PhoneLogins.log_out`."""
        self._main.log_out(device, budget)
