"""The interface of a store that can say whether a password is right."""

from __future__ import annotations

from typing import Protocol

from casduo.authentication.model import Credential, Outcome


class AuthenticationHandler(Protocol):
    """One store of users. Safe to call from several threads.

    The :class:`~casduo.authentication.authenticator.Authenticator` has checked the credential's form before: neither
    part is empty, too long, or holds a NUL.
    """

    @property
    def name(self) -> str:
        """Unique name, as the registry's ``authentication`` list spells it."""

    @property
    def max_waiting(self) -> int:
        """How many requests may be inside this handler at once; 0 leaves it to the authenticator."""

    def authenticate(self, credential: Credential, now: float) -> Outcome:
        """Say whether the credential is right.

        An unknown user is answered without the cost of checking a password; :meth:`spend` makes up for it, and only
        when the whole chain fails. So a person of a later store does not pay for the earlier ones when signing in.

        :param now: epoch seconds.
        :returns: the outcome, with ``handler`` set to :attr:`name`.
        :raises casduo.errors.UpstreamError: the store could not be asked.
        """

    def spend(self, credential: Credential, now: float, *, asked: bool) -> None:
        """Take as long as refusing a wrong password of a known user takes, and decide nothing.

        :param asked: :meth:`authenticate` has run for this credential and answered ``unknown``; what it already
            spent is not spent twice.
        :raises casduo.errors.UpstreamError: the store could not be asked.
        """
