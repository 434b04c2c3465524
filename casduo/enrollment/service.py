"""What the enrolment pages do for a person: see how they stand, give them a code, follow what becomes of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, Protocol

from casduo.enrollment.events import EnrollmentFinished, EnrollmentRefused, EnrollmentStarted, Way
from casduo.enrollment.model import Code, EnrollSession, Stage
from casduo.enrollment.sessions import CodeLimit, EnrollSessions
from casduo.enrollment.standing import Need, Standing, agrees, proves, standing
from casduo.events.journal import Journal
from casduo.events.model import Fault, Subject
from casduo.mfa.duo.errors import DuoBadParameter, DuoFailure, DuoMisconfigured
from casduo.mfa.duo.gateway import DuoGateway, EnrollmentState, PreauthResult

if TYPE_CHECKING:
    from casduo.mfa.duo.admin_api import AdminApi

_LATE = 5.0
"""Seconds for which a code is asked about after its end: clocks differ, and somebody may just have used it."""
_LATE_CLAIM = 120.0
"""The same for one that a device has taken and that Duo does not list yet."""
_TELL = 60.0
"""Seconds for which it is worth telling that Duo did not answer."""


_STAGES: Mapping[Need, Stage] = {"code": "unenrolled", "portal": "elsewhere", "nobody": "elsewhere"}
"""What is noted of people who have no device."""


class Gateways(Protocol):
    """Whoever knows the Duo applications."""

    def of(self, name: str) -> DuoGateway:
        """Return the application of a name; the main one has the empty name."""
        ...


@dataclass(frozen=True, slots=True)
class EnrollmentTerms:
    """What the settings say; times in seconds.

    :param code_lifetime: how long a code is good for
    :param password_age: how old a password may be with which a code is asked for
    :param admin_applications: names of the Duo applications of the account that the Admin API's keys belong to
    """

    code_lifetime: int = 600
    password_age: float = 600.0
    admin_applications: Collection[str] = ("",)


@dataclass(frozen=True, slots=True)
class Progress:
    """What has become of a code.

    :param state: there is none; it can be used; it is good for nothing any more; the person is registered
    :param confirming: a device has taken it, and Duo does not list that device yet
    :param trouble: Duo did not answer just now
    """

    state: Literal["none", "waiting", "over", "done"]
    confirming: bool = False
    trouble: bool = False


Outcome = Literal["made", "look", "limited", "confirm", "unavailable"]
"""What came of asking for a code: there is one; the start page says how things stand; there were too many; a device has
to be confirmed with first; Duo did not answer.
"""


class Enrollment:
    """The pages' collaborator. It talks to Duo and to Redis, and leaves what people see to others.

    :param sessions: where people are known from
    :param limit: how many codes a person may have
    :param gateways: the Duo applications
    :param admin: makes codes for accounts that exist; ``None`` without keys for it
    """

    def __init__(
        self,
        sessions: EnrollSessions,
        limit: CodeLimit,
        gateways: Gateways,
        terms: EnrollmentTerms,
        journal: Journal,
        admin: AdminApi | None = None,
    ) -> None:
        self.sessions = sessions
        self.terms = terms
        self._limit = limit
        self._gateways = gateways
        self._journal = journal
        self._admin = admin

    def standing(self, session: EnrollSession, subject: Subject) -> tuple[Standing, bool]:
        """Ask Duo how somebody stands.

        :return: that, and whether they have just got their first device
        :raises DuoFailure: no answer
        """
        found = self._ask(session, subject)
        if found.need == "devices" and session.stage in ("unenrolled", "elsewhere"):
            self._finish(session, subject)
            return found, True
        stage = _STAGES.get(found.need, session.stage)
        if stage != session.stage:
            self.sessions.set_stage(session, stage)
        return found, False

    def give_code(self, session: EnrollSession, subject: Subject, now: float) -> Outcome:
        """Make a code, if this person may have one. What there is to tell is noted in the session.

        :param session: with the turn to make one
        """
        try:
            found = self._ask(session, subject)
        except DuoFailure as failure:
            return self._unavailable(session, subject, failure, now)
        second = found.need == "devices"
        if second and found.addition == "confirm":
            self._journal.write(EnrollmentRefused(subject, reason="unconfirmed"))
            self.sessions.set_trouble(session, "", 0)
            return "confirm"
        if found.need != "code" and found.addition != "offered":
            self.sessions.set_trouble(session, "", 0)
            return "look"
        wait = self._limit.take(session.principal)
        if wait:
            self._journal.write(EnrollmentRefused(subject, reason="limited"))
            self.sessions.set_trouble(session, "limited", now + wait)
            return "limited"
        try:
            code = self._code(session, subject, now, second=second)
        except DuoFailure as failure:
            self._limit.give_back(session.principal)
            return self._unavailable(session, subject, failure, now)
        if code is None:
            self._limit.give_back(session.principal)
            self.sessions.set_stage(session, "elsewhere")
            self.sessions.set_trouble(session, "", 0)
            self._journal.write(EnrollmentStarted(subject, way="elsewhere"))
            return "look"
        self.sessions.put_code(session, code, "" if second else "unenrolled")
        self._journal.write(EnrollmentStarted(subject, way=_way(code, second=second)))
        return "made"

    def progress(self, session: EnrollSession, subject: Subject, now: float) -> Progress:
        """Say what has become of the session's code, and ask Duo about it if it is this request's turn.

        Never raises a DuoFailure: the code is good whether Duo answers or not.
        """
        code, claimed = session.code, session.code_state == "claimed"
        if session.stage == "done":
            return Progress("done")
        if code is None or session.code_state == "over":
            return Progress("none" if code is None else "over")
        if now >= code.ends_at + (_LATE_CLAIM if claimed else _LATE):
            return self._over(session)
        if not session.turn:
            return Progress("waiting", claimed)
        try:
            return self._follow(session, code, subject, now)
        except DuoBadParameter:
            # The account is not there any more.
            return self._over(session)
        except DuoFailure:
            return Progress("waiting", claimed, trouble=True)

    def _follow(self, session: EnrollSession, code: Code, subject: Subject, now: float) -> Progress:
        gateway, claimed = self._gateways.of(session.application), session.code_state == "claimed"
        if code.user_id and not claimed:
            state = gateway.enroll_status(code.user_id, code.text)
            if state is EnrollmentState.INVALID:
                return self._over(session)
            if state is EnrollmentState.WAITING:
                return Progress("waiting")
            self.sessions.set_state(session, "claimed")
            claimed = True
        if agrees(gateway.preauth(session.principal, subject.address), code):
            self._finish(session, subject)
            return Progress("done")
        return Progress("waiting", claimed)

    def _ask(self, session: EnrollSession, subject: Subject) -> Standing:
        preauth = self._gateways.of(session.application).preauth(session.principal, subject.address)
        applications = self.terms.admin_applications
        admin = self._admin is not None and session.application in applications
        return standing(session, preauth, admin=admin, proven=proves(session.strength, applications))

    def _has_device(self, session: EnrollSession, subject: Subject) -> bool:
        preauth = self._gateways.of(session.application).preauth(session.principal, subject.address)
        return preauth.result is PreauthResult.AUTH

    def _code(self, session: EnrollSession, subject: Subject, now: float, *, second: bool) -> Code | None:
        """Return a new code; ``None`` where Duo's own pages have to help."""
        if not second and session.code is None:
            try:
                made = self._gateways.of(session.application).enroll(session.principal, self.terms.code_lifetime)
            except DuoBadParameter:
                # The account exists, without a device (Auth API, /enroll: 40002).
                pass
            except DuoMisconfigured as failure:
                if failure.detail != "rights":
                    raise
                # Keys of a Web SDK application: good for logins, and not for this.
                self._journal.write(Fault(subject, code=failure.code, detail=failure.message))
            else:
                return Code(made.activation_code, made.activation_url, made.expires_at, made.user_id)
        if self._admin is None or session.application not in self.terms.admin_applications:
            return None
        account = self._admin.find_account(session.principal)
        if account is None:
            return None
        # One that was never set up is used again: codes that ran out must not leave a heap of phones behind.
        phone = next((phone for phone in account.phones if phone.ready), None)
        phone = phone or self._admin.add_phone(account.user_id)
        activation = self._admin.activate(phone.id, self.terms.code_lifetime)
        if not second and self._has_device(session, subject):
            # Its owner was quicker: a code that stays unseen takes the place of the one just made.
            self._admin.activate(phone.id, self.terms.code_lifetime)
            return None
        return Code(activation.code, activation.url, now + activation.seconds, device=phone.id)

    def _finish(self, session: EnrollSession, subject: Subject) -> None:
        self.sessions.set_stage(session, "done")
        code = None if session.stage == "elsewhere" else session.code
        way: Way = _way(code, second=session.stage == "") if code is not None else "elsewhere"
        self._journal.write(EnrollmentFinished(subject, way=way))

    def _over(self, session: EnrollSession) -> Progress:
        self.sessions.set_state(session, "over")
        return Progress("over")

    def _unavailable(
        self, session: EnrollSession, subject: Subject, failure: DuoFailure, now: float
    ) -> Literal["unavailable"]:
        self._journal.write(Fault(subject, code=failure.code, detail=failure.message or failure.detail))
        self.sessions.set_trouble(session, "unavailable", now + _TELL)
        return "unavailable"


def _way(code: Code, *, second: bool) -> Way:
    return "second_device" if second else "new_account" if code.user_id else "existing_account"
