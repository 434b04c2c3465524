"""What casduo asks Duo for a login, as an interface, with the values that come back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol

from casduo.errors import UpstreamMisconfigured
from casduo.mfa.duo.errors import DuoFailure, DuoMisconfigured
from casduo.signing import random_text

_TOKEN_LENGTH = 36
"""As in Duo's own clients; within their bounds for a state (16 to 1024) and a nonce (17 to 1023)."""


class HealthState(StrEnum):
    """Whether a prompt could be offered now."""

    OK = "ok"
    UNAVAILABLE = "unavailable"
    MISCONFIGURED = "misconfigured"


@dataclass(frozen=True, slots=True)
class Health:
    """What Duo looked like at ``checked_at`` (epoch seconds).

    :param detail: a fixed word: empty if all is well, ``clock_drift`` if it still works but the clocks drift apart,
        else the ``detail`` of the failure.
    :param message: one sentence for the operator; empty if there is nothing to say.
    :param may_fail_open: decide by this, never by ``state``: some unavailability, a used-up rate limit for one, must
        not open anything.
    :param auth_api_answers: the Auth API answers and, where the prompt does not, takes our keys: casduo's own page may
        take over if the prompt is unavailable.
    :param skew: Duo's clock minus ours in seconds, at least; None if Duo did not tell.
    """

    state: HealthState
    checked_at: float
    detail: str = ""
    message: str = ""
    may_fail_open: bool = False
    auth_api_answers: bool = False
    skew: float | None = None

    @property
    def ok(self) -> bool:
        """True if a prompt can be offered."""
        return self.state is HealthState.OK

    @classmethod
    def of_failure(
        cls, failure: DuoFailure, now: float, *, auth_api_answers: bool = False, skew: float | None = None
    ) -> Health:
        """Return the health that a failure noticed at ``now`` amounts to."""
        misconfigured = isinstance(failure, UpstreamMisconfigured)
        return cls(
            HealthState.MISCONFIGURED if misconfigured else HealthState.UNAVAILABLE,
            now,
            failure.detail,
            failure.message,
            failure.may_fail_open,
            auth_api_answers,
            skew,
        )


class PreauthResult(StrEnum):
    """What Duo says about a person before any factor is offered (Auth API, ``/preauth``, ``result``)."""

    AUTH = "auth"
    ENROLL = "enroll"
    ALLOW = "allow"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Device:
    """One of a person's devices.

    :param id: Duo's identifier, to be named when a factor is asked for.
    :param kind: ``phone`` or ``token``.
    :param label: for the person to recognise it by; may be empty.
    :param capabilities: of ``auto``, ``push``, ``sms``, ``phone``, ``mobile_otp``; empty for a hardware token.
    """

    id: str
    kind: str
    label: str
    capabilities: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class VerifiedPush:
    """Duo wants a number to be typed on the device: shown to the person here, never sent by us anywhere.

    :param transaction: to be named when the push is sent.
    :param code: digits to show.
    """

    transaction: str = field(repr=False)
    code: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Preauth:
    """What may happen next for a person.

    :param status_message: Duo's text for the person, control characters removed; templates escape it.
    :param devices: in Duo's order; the first one that can is what Duo calls ``auto``.
    :param verified: Duo wants a verified push.
    :param enroll_portal_url: a page at Duo where the person registers a device, usable once and for a few minutes;
        None if Duo gave none.
    """

    result: PreauthResult
    status_message: str = ""
    devices: tuple[Device, ...] = ()
    enroll_portal_url: str | None = field(default=None, repr=False)
    verified: VerifiedPush | None = None


RequestFactor = Literal["push", "phone"]
"""Factors that a person answers on a device, while somebody waits: a push or a call."""


@dataclass(frozen=True, slots=True)
class PushStatus:
    """How a push or call stands (Auth API, ``/auth_status``).

    :param waiting: there is no verdict yet.
    :param allowed: a person allowed it. Decide by this alone once ``waiting`` is over. Not where Duo's word is
        ``bypass``, as for a passcode: nobody was asked; preauth says what Duo thinks of that person now.
    :param status: Duo's word: ``pushed``, ``calling``, ``answered``, ``push_failed`` while waiting; then ``allow``,
        ``bypass``, ``deny``, ``fraud``, ``timeout``, ``locked_out``; others may come.
    :param status_message: Duo's text for the person, control characters removed.
    """

    waiting: bool
    allowed: bool
    status: str = ""
    status_message: str = ""


@dataclass(frozen=True, slots=True)
class Enrollment:
    """An account that was just made at Duo, and how a phone is tied to it (Auth API, ``/enroll``).

    :param user_id: Duo's name of the account.
    :param activation_code: what a QR code shows, ``duo://...``; whoever has it becomes this person's device.
    :param activation_url: the same as a link, for people who are on that phone; empty if Duo gave none.
    :param expires_at: epoch seconds.
    """

    user_id: str
    activation_code: str = field(repr=False)
    activation_url: str = field(repr=False)
    expires_at: float


class EnrollmentState(StrEnum):
    """What has become of an activation code (Auth API, ``/enroll_status``)."""

    WAITING = "waiting"
    SUCCESS = "success"
    INVALID = "invalid"


_UNASKED = frozenset(
    {
        "allow_unenrolled_user",
        "allow_unenrolled_user_on_trusted_network",
        "allowed_by_policy",
        "bypass_user",
        "trusted_location",
        "trusted_network",
    }
)
"""Reasons for which nobody is asked (Admin API, authentication logs, ``reason``)."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How the prompt ended, verified, or what Duo said of a passcode.

    :param allowed: True only if Duo's result is ``allow``. Decide by this, and of the prompt by :attr:`unasked`.
    :param status: Duo's word, for choosing a text: ``allow``, ``deny``, ``fraud``, ``timeout``, ... ; empty if missing.
    :param status_message: Duo's text for the person, control characters removed.
    :param factor: how it was proven, ``duo_push`` and the like; may be empty. For the audit trail, as are
        ``txid`` and ``reason``.
    """

    allowed: bool
    status: str = ""
    status_message: str = ""
    factor: str = ""
    txid: str = ""
    reason: str = ""

    @property
    def unasked(self) -> bool:
        """True if Duo let the person pass without a factor, by its policy or their status."""
        return self.allowed and (self.status == "bypass" or self.reason in _UNASKED)


class DuoGateway(Protocol):
    """One Duo application.

    The order of a login by Duo's own page is health, preauth, prompt_url, (the browser is away), exchange; by our own
    page health, preauth, push or passcode, and a worker follows the push. Every method is safe to call from many
    threads; none waits longer than its time-outs; all that blocks is limited in number.

    What goes wrong is a :class:`~casduo.mfa.duo.errors.DuoFailure`, whose ``may_fail_open`` is the only thing to
    decide by if the service's entry says ``fail: open``.
    """

    def health(self, *, prompt: bool = True) -> Health:
        """Return whether Duo answers, our keys are right and the clocks agree. Never raises a DuoFailure.

        A good answer is shared by all threads for a few seconds. During an outage the answer comes at once.

        :param prompt: it is about Duo's own page; without it about the Auth API, which is all that ours needs.
        """

    def auth_api_health(self) -> Health:
        """Return whether Duo answers and takes the Auth API's keys, asked anew each time. Never raises a DuoFailure.

        For ``casduo doctor``.
        """

    def preauth(self, username: str, address: str) -> Preauth:
        """Ask Duo what ``username`` may do. Never cached: enrolment and lock-out show at once.

        :param username: the canonical name, the same here, in :meth:`prompt_url` and in :meth:`exchange`.
        :param address: the person's own IP address, or empty if it is not known.
        :return: an unknown person is ``enroll``; a result Duo invents tomorrow is ``deny``.
        :raises DuoFailure: no answer to go by.
        """

    def passcode(self, username: str, code: str, address: str) -> Verdict:
        """Let Duo check a passcode: of the app, an SMS, a hardware token, or a bypass code. Each works once.

        The verdict allows only where Duo looked at the passcode and found it right. ``status`` says why not: ``deny``
        for a wrong one, ``fraud`` for one that was used before, ``locked_out`` for somebody with too many failures,
        ``bypass`` for somebody whom Duo lets pass whatever was typed (Auth API, ``/auth``).

        :param username: the canonical name, as for :meth:`preauth`.
        :param code: as the person typed it, without the spaces.
        :param address: the person's own IP address, or empty if it is not known.
        :raises DuoBadParameter: ``username``: Duo does not know that name; ``passcode``: it cannot be a passcode.
        :raises DuoFailure: no verdict. None of them may fail open: a factor was offered.
        """

    def push(
        self,
        username: str,
        address: str,
        device: str = "auto",
        *,
        factor: RequestFactor = "push",
        info: Mapping[str, str] | None = None,
        verified: VerifiedPush | None = None,
    ) -> str:
        """Send a push to a device, or have Duo call it, and return the transaction id at once (``async=1``).

        The id stands for whatever the person answers: it stays on the server.

        :param device: a device's id, or ``auto`` for Duo's choice.
        :param info: what the device shows of the request, by label, in this order; not for calls.
        :param verified: as preauth had it.
        :raises DuoBadParameter: ``username``; ``device``; ``no_capable_device``.
        :raises DuoFailure: none was sent. None of them may fail open: from here on only "allow" opens.
        """

    def push_status(self, transaction: str) -> PushStatus:
        """Wait for news of a push or call, and return how it stands; without news, after Duo's hold, how it stood.

        For workers: this may take a minute. Not limited in number, and not stopped by an open breaker.

        :raises DuoBadParameter: ``txid``: Duo does not know it (any more).
        :raises DuoFailure: no answer; ask again. None of them may fail open.
        """

    def send_codes(self, username: str, address: str, device: str = "auto") -> Verdict:
        """Have Duo send passcodes as a text message. Its verdict is never "allowed"; ``status`` ``sent`` is success.

        :raises DuoBadParameter: as :meth:`push`.
        :raises DuoFailure: none was sent. None of them may fail open.
        """

    def enroll(self, username: str, seconds: int) -> Enrollment:
        """Make an account at Duo for somebody whom Duo does not know.

        :param seconds: how long the activation code is good for.
        :raises DuoBadParameter: ``username``: the account exists already, with or without a device.
        :raises DuoFailure: no account, as far as is known.
        """

    def enroll_status(self, user_id: str, activation_code: str) -> EnrollmentState:
        """Return whether a device has taken the activation code. Answers at once: ask every few seconds.

        :raises DuoFailure: no answer.
        """

    def prompt_url(self, username: str, state: str, nonce: str) -> str:
        """Return the address of Duo's prompt, valid for five minutes: make it in the answer that redirects there.

        :param state: from :meth:`new_state`; Duo hands it back.
        :param nonce: from :meth:`new_nonce`; to be given to :meth:`exchange`.
        :raises DuoMisconfigured: an argument is outside Duo's bounds.
        """

    def exchange(self, code: str, username: str, nonce: str) -> Verdict:
        """Turn the code from the prompt into a verified result. A code works once.

        :param code: the callback's ``duo_code``, as it came.
        :param username: the name given to :meth:`prompt_url`; another one in Duo's result is refused.
        :param nonce: the nonce given to :meth:`prompt_url`.
        :raises DuoStale: the prompt has to be started again.
        :raises DuoBadToken: the result does not verify.
        :raises DuoFailure: any other failure. None of them may fail open: a factor was already offered.
        """

    def new_state(self) -> str:
        """Return a fresh state: 36 characters, more than 200 random bits."""

    def new_nonce(self) -> str:
        """Return a fresh nonce, made like a state."""


def new_token() -> str:
    """Return 36 random characters of ``A-Za-z0-9``."""
    return random_text(_TOKEN_LENGTH)


class NullDuoGateway:
    """Stands in where no Duo application is set up: everything is refused, nothing opens."""

    def health(self, *, prompt: bool = True) -> Health:
        return Health.of_failure(self._off(), 0.0)

    def auth_api_health(self) -> Health:
        return self.health()

    def preauth(self, username: str, address: str) -> Preauth:
        raise self._off()

    def passcode(self, username: str, code: str, address: str) -> Verdict:
        raise self._off()

    def push(
        self,
        username: str,
        address: str,
        device: str = "auto",
        *,
        factor: RequestFactor = "push",
        info: Mapping[str, str] | None = None,
        verified: VerifiedPush | None = None,
    ) -> str:
        raise self._off()

    def push_status(self, transaction: str) -> PushStatus:
        raise self._off()

    def send_codes(self, username: str, address: str, device: str = "auto") -> Verdict:
        raise self._off()

    def enroll(self, username: str, seconds: int) -> Enrollment:
        raise self._off()

    def enroll_status(self, user_id: str, activation_code: str) -> EnrollmentState:
        raise self._off()

    def prompt_url(self, username: str, state: str, nonce: str) -> str:
        raise self._off()

    def exchange(self, code: str, username: str, nonce: str) -> Verdict:
        raise self._off()

    def new_state(self) -> str:
        return new_token()

    def new_nonce(self) -> str:
        return new_token()

    def _off(self) -> DuoMisconfigured:
        return DuoMisconfigured("off", "A service requires Duo, but no Duo application is set up.")
