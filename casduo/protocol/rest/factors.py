"""What a form brings besides the password: a passcode, the wish to be sent something, or the token of a push."""

from __future__ import annotations

from typing import NoReturn

from casduo.events.journal import Journal
from casduo.events.model import DuoAnswered, Fault, SignInThrottled
from casduo.mfa.duo.applications import DuoApplications
from casduo.mfa.duo.entry import Asked, Passcode, read_entry
from casduo.mfa.duo.passcodes import PasscodeOutcome, Passcodes
from casduo.mfa.duo.pushes import Pushes
from casduo.mfa.strength import Strength
from casduo.mfa.terms import DuoDefaults
from casduo.protocol.rest.call import NO_ADDRESS, RestCall
from casduo.protocol.rest.checks import AskedService
from casduo.protocol.rest.errors import BadForm, PasscodeRefused, PersonRefused, Throttled, Unavailable
from casduo.protocol.rest.forms import RestForm
from casduo.protocol.rest.pushing import Pushing
from casduo.signing import Signing
from casduo.store import Batch


class SecondFactor:
    """Checks what a form brings besides the password.

    :param defaults: which Duo application a service goes by
    :param pattern: regular expression of what may be a passcode
    """

    def __init__(
        self,
        duo: DuoApplications,
        defaults: DuoDefaults,
        passcodes: Passcodes,
        pushes: Pushes,
        signing: Signing,
        journal: Journal,
        pattern: str,
    ) -> None:
        self._duo = duo
        self._defaults = defaults
        self._passcodes = passcodes
        self._pushing = Pushing(duo, pushes, signing, journal)
        self._journal = journal
        self._pattern = pattern

    def look(self, call: RestCall, form: RestForm) -> None:
        """See whether a form is about a push that its person has still to answer: then nothing else matters yet.

        :raises RestError: so it is, or that is no push of this program
        """
        if form.about_push:
            self._pushing.look(call, form.push)

    def check(self, call: RestCall, asked: AskedService | None, form: RestForm, batch: Batch) -> Strength:
        """Return what the form's ``passcode`` or ``push`` proves of the person that the call is about.

        What is to be counted is added to ``batch``.

        :param asked: the service that it is for, ``None`` for none
        :raises PersonAsked: something was sent, and is to be answered first
        :raises RestError: nothing is proved
        """
        if not self._duo.names:
            raise BadForm("duo: off", text="Duo is not set up here: passcode and push mean nothing")
        application = self._defaults.terms(asked.entry.duo_rule if asked is not None else None).application
        if form.about_push:
            return self._pushing.take(call, form.push, application)
        former = self._pushing.former(call, form.push, application)
        match read_entry(form.passcode, self._pattern):
            case Passcode(code):
                strength = self._check_passcode(call, application, code, batch)
                if former is not None:
                    self._pushing.give_up(former)
                return strength
            case Asked() as entry:
                self._pushing.send(call, asked, entry, application, former)
        raise BadForm(text="passcode is no passcode, and none of the words push, phone and sms")

    def _check_passcode(self, call: RestCall, application: str, code: str, batch: Batch) -> Strength:
        gateway = self._duo.of(application)
        found = self._passcodes.check(
            gateway, call.principal, code, batch, call.now, origin=call.address, told=NO_ADDRESS
        )
        if found.result != "allowed":
            self._refuse(call, found)
        self._journal.write(DuoAnswered(call.subject, outcome="allowed", factor="passcode"))
        return Strength.duo("passcode", call.now, application)

    def _refuse(self, call: RestCall, found: PasscodeOutcome) -> NoReturn:
        failure = found.failure
        if found.result == "throttled":
            self._journal.write(SignInThrottled(call.subject, wait=found.wait))
            raise Throttled(wait=found.wait)
        if found.result == "unavailable":
            assert failure is not None
            self._journal.write(Fault(call.subject, code=failure.code, detail=failure.message or failure.detail))
            raise Unavailable(f"duo: {failure.detail}")
        outcome = {"unknown": "unenrolled", "locked_out": "locked_out"}.get(found.result, "denied")
        detail = f"passcode: {found.status}" if found.status else ""
        self._journal.write(DuoAnswered(call.subject, outcome=outcome, factor="passcode", detail=detail))
        if outcome != "denied" or found.status == "bypass":
            raise PersonRefused(found.status or outcome)
        raise PasscodeRefused(found.status or (failure.detail if failure is not None else ""))
