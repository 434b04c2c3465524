"""Asks people for programs: sends pushes, calls and passcodes, and takes what became of a push.

No call waits for a person. The one that has a push sent is answered at once, with a token; the program repeats it with
the token until the answer is another one. A worker follows the push meanwhile.
"""

from __future__ import annotations

from typing import NoReturn

from casduo.events.journal import Journal
from casduo.events.model import DuoAnswered, DuoAsked, Fault
from casduo.mfa.duo.applications import DuoApplications
from casduo.mfa.duo.entry import Asked
from casduo.mfa.duo.errors import DuoBadParameter, DuoFailure
from casduo.mfa.duo.gateway import PreauthResult, RequestFactor, VerifiedPush
from casduo.mfa.duo.pushes import DUO_FACTORS, SETTLED, Opening, Push, Pushes, PushName, PushRequest
from casduo.mfa.duo.sending import send_push
from casduo.mfa.duo.ways import Way, typed_way
from casduo.mfa.strength import Strength
from casduo.protocol.rest.call import NO_ADDRESS, RestCall
from casduo.protocol.rest.checks import AskedService
from casduo.protocol.rest.errors import (
    BadForm,
    NoDevice,
    PersonAsked,
    PersonRefused,
    PushRefused,
    Throttled,
    Unavailable,
)
from casduo.protocol.rest.tokens import PushTokens, SentPush
from casduo.signing import Signing

_LOOK_EVERY = 2
"""Seconds after which a program asks again about a push."""
_WAIT_FOR_OTHER = 10
"""Seconds after which somebody may have answered another one."""


class Pushing:
    """Sends what a program asks for, and says what the person made of it."""

    def __init__(self, duo: DuoApplications, pushes: Pushes, signing: Signing, journal: Journal) -> None:
        self._duo = duo
        self._pushes = pushes
        self._tokens = PushTokens(signing)
        self._journal = journal

    def look(self, call: RestCall, token: str) -> None:
        """See whether the person has still to answer. One round trip: a program asks every few seconds, and no
        password needs to be checked for that answer.

        :raises PersonAsked: so it is
        :raises BadForm: no token, or one of another program
        """
        sent = self._tokens.read(token, call.now)
        if sent.client != call.client.name:
            raise _of_another_call()
        push = self._pushes.read(sent.name, call.now)
        if push is not None and push.state not in SETTLED:
            call.principal, call.service = sent.principal, sent.service
            raise _still_asked(push, token)

    def take(self, call: RestCall, token: str, application: str) -> Strength:
        """Return what a push has proved, and use it up.

        :param application: of the settings, empty for the main one: by which Duo has to be asked
        :raises PersonAsked: the person has not answered yet
        :raises PushRefused: the person did not approve, or the answer was used before
        :raises PersonRefused: Duo has locked the person out
        :raises Unavailable: Duo went away meanwhile
        :raises BadForm: no token, or one of another call
        """
        push = self._pushes.take(self._name_of(call, token, application), call.now)
        # What the person answered, the worker has told the journal.
        match push:
            case None:
                raise PushRefused("gone")
            case Push(state="allowed"):
                return Strength.duo(DUO_FACTORS[push.factor], call.now, application)
            case Push(state="sending" | "waiting"):
                raise _still_asked(push, token)
            case Push(state="locked_out"):
                raise PersonRefused("locked_out")
            case Push(state="unavailable"):
                raise Unavailable("duo: went away")
        raise PushRefused(push.state)

    def former(self, call: RestCall, token: str, application: str) -> PushName | None:
        """Return the push that gives way to what a call brings now, ``None`` for none.

        :param token: empty for none
        :raises BadForm: no token, or one of another call
        """
        try:
            return self._name_of(call, token, application) if token else None
        except PushRefused:
            return None

    def give_up(self, name: PushName) -> None:
        """Make a push superfluous: whatever is answered to it opens nothing."""
        self._pushes.drop(name)

    def send(
        self,
        call: RestCall,
        asked: AskedService | None,
        entry: Asked,
        application: str,
        instead: PushName | None = None,
    ) -> NoReturn:
        """Have something sent to the person.

        :param asked: the service it is for, ``None`` for none
        :param application: of the settings, empty for the main one
        :param instead: a former push, which gives way to another push or call
        :raises PersonAsked: it was sent
        :raises NoDevice: there is no device for it
        :raises PersonRefused: Duo asks this person nothing
        :raises Throttled: the person was sent too much, or has another push to answer
        :raises Unavailable: Duo cannot be asked, or nobody would hear the answer
        """
        try:
            preauth = self._duo.of(application).preauth(call.principal, NO_ADDRESS)
            if preauth.result is not PreauthResult.AUTH:
                # Also for those whom Duo lets pass unasked: that proves nothing.
                unknown = preauth.result is PreauthResult.ENROLL
                self._refuse(call, "unenrolled" if unknown else "denied", f"preauth {preauth.result}")
            way = typed_way(preauth.devices, entry.word, entry.number)
            if way is None:
                raise NoDevice(entry.word)
            if way.kind == "sms":
                self._send_codes(call, way, application)
            self._send_push(call, asked, way, preauth.verified, application, instead)
        except DuoBadParameter as failure:
            if failure.detail not in ("username", "user_id"):
                raise NoDevice(failure.detail) from None
            self._refuse(call, "unenrolled", failure.detail)
        except DuoFailure as failure:
            self._journal.write(Fault(call.subject, code=failure.code, detail=failure.message or failure.detail))
            raise Unavailable(f"duo: {failure.detail}") from None

    def _name_of(self, call: RestCall, token: str, application: str) -> PushName:
        sent = self._tokens.read(token, call.now)
        if not sent.fits(call, application):
            raise _of_another_call()
        return sent.name

    def _send_codes(self, call: RestCall, way: Way, application: str) -> NoReturn:
        wait = self._pushes.count(call.principal, call.now)
        if wait:
            raise _too_much(wait)
        verdict = self._duo.of(application).send_codes(call.principal, NO_ADDRESS, way.device)
        self._journal.write(DuoAsked(call.subject, factor="sms"))
        if verdict.status != "sent":
            self._refuse(call, "locked_out" if verdict.status == "locked_out" else "denied", f"sms: {verdict.status}")
        raise PersonAsked("sms", way.label)

    def _send_push(
        self,
        call: RestCall,
        asked: AskedService | None,
        way: Way,
        verified: VerifiedPush | None,
        application: str,
        instead: PushName | None,
    ) -> NoReturn:
        factor: RequestFactor = "push" if way.kind == "push" else "phone"
        request = PushRequest(call.principal, application, call.service, factor, way.label, NO_ADDRESS)
        info = {"Application": asked.entry.name} if asked is not None else {}
        info["Program"] = call.client.name
        opening = send_push(
            self._duo.of(application),
            self._pushes,
            request,
            way.device,
            info=info,
            verified=verified,
            now=call.now,
            instead=instead,
        )
        name = self._opened(call, opening)
        self._journal.write(DuoAsked(call.subject, factor=factor))
        sent = SentPush(name, call.client.name, call.principal, call.service, application)
        digits = verified.code if verified is not None and factor == "push" else ""
        raise PersonAsked(factor, way.label, self._tokens.make(sent, call.now), digits, wait=_LOOK_EVERY)

    def _opened(self, call: RestCall, opening: Opening) -> PushName:
        """Return the push that was sent.

        :raises RestError: none was
        """
        match opening.outcome:
            case "pending":
                text = "the person has another push or call to answer first"
                raise Throttled("another push", text=text, wait=_WAIT_FOR_OTHER)
            case "limited":
                raise _too_much(opening.wait)
            case "unfollowed":
                # Without a worker nobody would hear what the person answers.
                self._journal.write(Fault(call.subject, code="DUO", detail="no worker runs to follow a push"))
                raise Unavailable("no worker")
        assert opening.name is not None
        return opening.name

    def _refuse(self, call: RestCall, outcome: str, detail: str) -> NoReturn:
        self._journal.write(DuoAnswered(call.subject, outcome=outcome, detail=detail))
        raise PersonRefused(detail)


def _still_asked(push: Push, token: str) -> PersonAsked:
    return PersonAsked(push.factor, push.device, token, push.code, wait=_LOOK_EVERY)


def _of_another_call() -> BadForm:
    return BadForm("another call", text="push belongs to another program, person or service")


def _too_much(wait: int) -> Throttled:
    return Throttled("too much sent", text="the person was sent too much; try again later", wait=wait)
