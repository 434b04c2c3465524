"""Checks passwords and Duo passcodes, limited like those of the sign-in form.

Wrong passcodes are counted apart from wrong passwords. A right password makes wrong ones forgotten; were passcodes
counted with them, whoever has the password could wash the count after each guess at a passcode.
"""

from __future__ import annotations

from typing import NoReturn

from casduo.authentication.authenticator import Authenticator
from casduo.authentication.model import Authenticated, Credential, Rejected
from casduo.authentication.names import UsernameCase, canonical_username
from casduo.events.journal import Journal
from casduo.events.model import DuoAnswered, Fault, SignInRefused, SignInThrottled
from casduo.mfa.duo.errors import DuoBadParameter, DuoFailure
from casduo.mfa.duo.gateway import DuoGateway, Verdict
from casduo.mfa.strength import Strength
from casduo.protocol.rest.call import RestCall
from casduo.protocol.rest.errors import PasscodeRefused, PersonRefused, Throttled, Unavailable, WrongCredentials
from casduo.protocol.rest.forms import RestForm
from casduo.store import Batch
from casduo.throttling import LoginThrottle

_WAIT = 10
"""Seconds after which somebody who did not answer may be asked again."""
_PROVED = {
    "disabled": "the account is disabled",
    "not_permitted_now": "the account may not sign in now",
    "must_change": "the password must be changed first",
    "expired": "the password has run out",
}
"""What is told only to those who gave the right password."""
_NO_ADDRESS = ""
"""What Duo is told of where the person is: of the program's address a policy could conclude that no factor is due."""


class Passwords:
    """Checks people's passwords and passcodes.

    Methods add their writes to the batch they are given, and run it where they need an answer. Whoever calls runs it
    in the end, also after a refusal: it holds what is counted.

    :param username_case: whether typed names are lower-cased
    """

    def __init__(
        self,
        authenticator: Authenticator,
        throttle: LoginThrottle,
        duo: DuoGateway,
        journal: Journal,
        username_case: UsernameCase,
    ) -> None:
        self._authenticator = authenticator
        self._throttle = throttle
        self._duo = duo
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

    def check_passcode(self, call: RestCall, passcode: str, batch: Batch) -> Strength:
        """Let Duo check a passcode of the person that the call is about, and return what that proves. One round trip
        before Duo is asked.

        A person whom Duo lets pass unasked has proved nothing by a passcode, and gets nothing for one.

        :raises Throttled: too many wrong passcodes before
        :raises PasscodeRefused: it is wrong, or was used before
        :raises PersonRefused: no passcode of this person will be taken
        :raises Unavailable: Duo cannot be asked, or refuses us
        """
        counted = f"{call.principal}\0passcode"
        self._test(call, counted, batch)
        try:
            verdict = self._duo.passcode(call.principal, passcode, _NO_ADDRESS)
        except DuoBadParameter as failure:
            self._throttle.fail(batch, counted, call.address, call.now)
            self._unknown(call, failure)
        except DuoFailure as failure:
            self._throttle.release(batch, counted, call.address, call.now)
            self._journal.write(Fault(call.subject, code=failure.code, detail=failure.message or failure.detail))
            raise Unavailable(f"duo: {failure.detail}", wait=_WAIT) from None
        if not verdict.allowed:
            self._throttle.fail(batch, counted, call.address, call.now)
            self._deny(call, verdict)
        self._throttle.forgive(batch, counted, call.address, call.now)
        self._journal.write(DuoAnswered(call.subject, outcome="allowed", factor=verdict.factor))
        return Strength.duo(verdict.factor, call.now)

    def _test(self, call: RestCall, name: str, batch: Batch) -> None:
        verdict = self._throttle.test(batch, name, call.address, call.now)
        batch.run()
        if verdict.wait:
            self._journal.write(SignInThrottled(call.subject, wait=verdict.wait))
            raise Throttled(wait=verdict.wait)

    def _reject(self, call: RestCall, typed: str, outcome: Rejected, batch: Batch) -> NoReturn:
        self._journal.write(
            SignInRefused(call.subject, reason=outcome.reason, handler=outcome.handler, detail=outcome.detail)
        )
        if outcome.reason in ("unavailable", "busy"):
            self._throttle.release(batch, typed, call.address, call.now)
            raise Unavailable(outcome.reason, wait=_WAIT)
        self._throttle.fail(batch, typed, call.address, call.now)
        raise WrongCredentials(outcome.reason, text=_PROVED.get(outcome.reason, "") if outcome.proved else "")

    def _unknown(self, call: RestCall, failure: DuoBadParameter) -> NoReturn:
        known = failure.detail not in ("username", "user_id")
        self._journal.write(DuoAnswered(call.subject, outcome="denied" if known else "unenrolled", factor="passcode"))
        if known:
            raise PasscodeRefused(failure.detail)
        raise PersonRefused("unenrolled")

    def _deny(self, call: RestCall, verdict: Verdict) -> NoReturn:
        outcome = "locked_out" if verdict.status == "locked_out" else "denied"
        self._journal.write(
            DuoAnswered(call.subject, outcome=outcome, factor=verdict.factor, detail=f"passcode: {verdict.status}")
        )
        if verdict.status in ("locked_out", "bypass"):
            raise PersonRefused(verdict.status)
        raise PasscodeRefused(verdict.status)
