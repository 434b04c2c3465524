"""The handler that asks a Cisco Unified Communications Manager whether a PIN is right, for logins on its phones."""

from __future__ import annotations

from typing import Literal

from casduo.authentication.lookup import KnownPerson
from casduo.authentication.model import Authenticated, Credential, ExpiresIn, Outcome, Principal, Rejected
from casduo.outbound.budget import Budget
from casduo.ucm.interfaces import UserDirectory
from casduo.ucm.model import PinAnswer, UcmUser

PrincipalKind = Literal["userid", "mailid", "mail_name"]

_DAY = 86_400
"""Seconds."""
_NO_MAIL = "no mail address"


class UcmPinHandler:
    """Checks PINs. Implements :class:`~casduo.authentication.handler.AuthenticationHandler` and
    :class:`~casduo.authentication.lookup.PrincipalLookup`.

    UCM tells unknown users and wrong PINs alike, so both are ``wrong`` here, and this handler ends a chain. Each
    question about a PIN is a try to UCM, which locks people out by rules of its own.

    :param name: unique name of the handler
    :param directory: the users of the UCM
    :param principal: what becomes the principal's id: the user id, the mail address, or what stands in that before
        the ``@``
    :param budget_seconds: for checking a PIN and reading the user, together
    :param max_waiting: how many PINs are checked at once; 0: the authenticator's limit
    """

    def __init__(
        self,
        name: str,
        directory: UserDirectory,
        principal: PrincipalKind = "userid",
        budget_seconds: float = 4.0,
        max_waiting: int = 0,
    ) -> None:
        self._name = name
        self._directory = directory
        self._kind = principal
        self._budget_seconds = budget_seconds
        self._max_waiting = max_waiting

    @property
    def name(self) -> str:
        """The configured name."""
        return self._name

    @property
    def max_waiting(self) -> int:
        """The configured limit."""
        return self._max_waiting

    def authenticate(self, credential: Credential, now: float) -> Outcome:
        """See :meth:`AuthenticationHandler.authenticate`. One question about the PIN and, if it is right, one about the
        user.
        """
        budget = Budget(self._budget_seconds)
        answer = self._directory.check_pin(credential.username, credential.password, budget)
        if not answer.right:
            return Rejected("wrong", self._name, _detail(answer))
        user = self._directory.user(credential.username, budget)
        if user is None:
            return Rejected("not_permitted_now", self._name, "no end user", proved=True)
        identifier = self._identifier(user)
        if not identifier:
            return Rejected("not_permitted_now", self._name, _NO_MAIL, proved=True)
        warnings = () if answer.days_to_expiry is None else (ExpiresIn(answer.days_to_expiry * _DAY),)
        return Authenticated(Principal(identifier, attributes_of(user)), self._name, warnings)

    def spend(self, credential: Credential, now: float, *, asked: bool) -> None:
        """Nothing: UCM takes as long for a user it does not know."""

    def lookup(self, username: str, now: float) -> KnownPerson | None:
        """See :meth:`PrincipalLookup.lookup`. Whether UCM has locked somebody out shows only while a PIN is checked."""
        user = self._directory.user(username, Budget(self._budget_seconds))
        if user is None:
            return None
        identifier, attributes = self._identifier(user), attributes_of(user)
        if not identifier:
            return KnownPerson(Principal(user.userid, attributes), "not_permitted_now", judged=False)
        return KnownPerson(Principal(identifier, attributes), judged=False)

    def _identifier(self, user: UcmUser) -> str:
        if self._kind == "userid":
            return user.userid
        name, at, _ = user.mail.partition("@")
        if not (name and at):
            return ""
        return user.mail if self._kind == "mailid" else name


def attributes_of(user: UcmUser) -> dict[str, tuple[str, ...]]:
    """Return the attributes of a principal, those with a value: names as directories have them (RFC 2798), and
    ``userid``, ``locale``, ``emProfile`` and ``emDefaultProfile``.
    """
    values = {
        "userid": (user.userid,),
        "mail": (user.mail,),
        "givenName": (user.first_name,),
        "sn": (user.last_name,),
        "displayName": (user.display_name,),
        "department": (user.department,),
        "telephoneNumber": (user.telephone,),
        "locale": (user.locale,),
        "emProfile": user.profiles,
        "emDefaultProfile": (user.default_profile,),
    }
    return {name: found for name, given in values.items() if (found := tuple(value for value in given if value))}


def _detail(answer: PinAnswer) -> str:
    return f"code {answer.code}" if answer.code else ""
