"""What casduo asks of a UCM, apart from how it is asked.

Every method takes a :class:`~casduo.outbound.budget.Budget`, within which it comes to an end, and raises
:class:`~casduo.ucm.errors.UcmUnavailable`, :class:`~casduo.ucm.errors.UcmBusy` or
:class:`~casduo.ucm.errors.UcmMisconfigured` where there is no answer. Safe to share by threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from casduo.outbound.budget import Budget
from casduo.ucm.model import PhoneState, PinAnswer, Registrations, UcmUser


class UserDirectory(Protocol):
    """Who UCM's users are."""

    def check_pin(self, userid: str, pin: str, budget: Budget) -> PinAnswer:
        """Ask whether the PIN is right. Counts as a real try: UCM locks people out who fail too often.

        :param pin: ASCII digits, at least 4; anything else is a wrong PIN without a question
        """
        ...

    def user(self, userid: str, budget: Budget) -> UcmUser | None:
        """Return the user of this id, ``None`` where there is none."""
        ...


class PhoneLogins(Protocol):
    """Who is logged in where, and how that is changed."""

    @property
    def has_policy(self) -> bool:
        """Whether the back end itself decides about people who are logged in on another phone already."""
        ...

    @property
    def ends_logins(self) -> bool:
        """Whether the back end itself logs people out when their time is over."""
        ...

    def state(self, device: str, budget: Budget) -> PhoneState:
        """Return who is on the phone."""
        ...

    def devices_of(self, userid: str, budget: Budget) -> tuple[str, ...]:
        """Return the phones on which the user is logged in."""
        ...

    def log_in(self, device: str, userid: str, profile: str, seconds: float, budget: Budget) -> None:
        """Log the user in. Sent once at most: after an ``UcmUnavailable`` that may have been ``sent``, look first.

        :param seconds: after which UCM is to end the login, 0 for never; only where the back end :attr:`ends_logins`
        :raises UcmRefused: UCM said no, and nothing was changed
        """
        ...

    def log_out(self, device: str, budget: Budget) -> None:
        """Log out whoever is on the phone. Sent once at most, as :meth:`log_in`.

        :raises UcmRefused: UCM said no; ``nobody`` where nobody was logged in
        """
        ...


class PhoneRegistry(Protocol):
    """Which phones there are, and where they are registered. Too slow, and too limited, to be asked at a login."""

    def names(self, budget: Budget) -> tuple[str, ...]:
        """Return the names of all phones that UCM knows, as it spells them."""
        ...

    def registrations(self, names: Sequence[str], budget: Budget) -> Registrations:
        """Return where phones are registered.

        :param names: at most :data:`~casduo.ucm.ris_documents.MOST_NAMES`
        """
        ...
