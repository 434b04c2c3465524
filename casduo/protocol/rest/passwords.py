"""Checks passwords, limited like those of the sign-in form, and says why not as REST does."""

from __future__ import annotations

from typing import NoReturn

from casduo.authentication.authenticator import Authenticator
from casduo.authentication.model import Authenticated, Credential, Rejected
from casduo.authentication.names import UsernameCase, canonical_username
from casduo.events.journal import Journal
from casduo.events.model import SignInRefused, SignInThrottled
from casduo.protocol.rest.call import RestCall
from casduo.protocol.rest.errors import Throttled, Unavailable, WrongCredentials
from casduo.protocol.rest.forms import RestForm
from casduo.store import Batch
from casduo.throttling import LoginThrottle

_PROVED = {
    "disabled": "the account is disabled",
    "not_permitted_now": "the account may not sign in now",
    "must_change": "the password must be changed first",
    "expired": "the password has run out",
}
"""What is told only to those who gave the right password."""


class Passwords:
    """Checks people's passwords.

    Methods add their writes to the batch they are given, and run it where they need an answer. Whoever calls runs it
    in the end, also after a refusal: it holds what is counted.

    :param username_case: whether typed names are lower-cased
    """

    def __init__(
        self,
        authenticator: Authenticator,
        throttle: LoginThrottle,
        journal: Journal,
        username_case: UsernameCase,
    ) -> None:
        self._authenticator = authenticator
        self._throttle = throttle
        self._journal = journal
        self._username_case = username_case

    def check_password(
        self, call: RestCall, form: RestForm, batch: Batch, allowed: tuple[str, ...] = ()
    ) -> Authenticated:
        """Return who the person is. One round trip before the password is looked at.

        :param allowed: names of the handlers that may be asked; empty for all
        :raises Throttled: too many failures before
        :raises WrongCredentials: not authenticated
        :raises Unavailable: nobody could be asked
        """
        typed = canonical_username(form.username, self._username_case)
        call.principal = typed
        self._test(call, typed, batch)
        outcome = self._authenticator.authenticate(Credential(typed, form.password), call.now, allowed)
        if isinstance(outcome, Rejected):
            self._reject(call, typed, outcome, batch)
        self._throttle.forgive(batch, typed, call.address, call.now)
        call.principal = outcome.principal.id
        return outcome

    def _test(self, call: RestCall, name: str, batch: Batch) -> None:
        verdict = self._throttle.test(batch, name, call.address, call.now)
        batch.run()
        if verdict.wait:
            self._journal.write(SignInThrottled(call.subject, wait=verdict.wait))
            raise Throttled(wait=verdict.wait)

    def _reject(self, call: RestCall, typed: str, outcome: Rejected, batch: Batch) -> NoReturn:
        self._journal.write(
            SignInRefused(call.subject, reason=outcome.reason, handler=outcome.handler, detail=outcome.detail), batch
        )
        if outcome.reason in ("unavailable", "busy"):
            self._throttle.release(batch, typed, call.address, call.now)
            raise Unavailable(outcome.reason)
        self._throttle.fail(batch, typed, call.address, call.now)
        raise WrongCredentials(outcome.reason, text=_PROVED.get(outcome.reason, "") if outcome.proved else "")
