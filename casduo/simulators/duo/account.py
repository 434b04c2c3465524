"""The rules of a Duo account: who is known, who may log in and how, and when somebody is locked out.

Nothing here waits, talks or reads a clock: every rule takes ``now`` in epoch seconds.
"""

from __future__ import annotations

import heapq
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from casduo.simulators.duo import transactions
from casduo.simulators.duo.enrollment import Enrollments
from casduo.simulators.duo.model import (
    Application,
    Device,
    NewUserPolicy,
    Phone,
    Reply,
    Token,
    User,
)
from casduo.simulators.duo.passcodes import CodeGenerator, CodeList, Verdict, random_digits, sms_batch
from casduo.simulators.duo.transactions import Details, State, Transaction, new_txid

UsernameRule = Literal["lower", "simple", "none"]

_TIME_OUT = "time out"

_REPLIES: dict[str, State] = {
    "approve": transactions.ALLOWED,
    "deny": transactions.DENIED,
    "fraud": transactions.FRAUD,
    "push_failed": transactions.PUSH_FAILED,
    _TIME_OUT: transactions.TIMED_OUT,
}


@dataclass(slots=True)
class AccountSettings:
    """What an administrator sets in Duo's panel, and the times Duo keeps. Durations are in seconds.

    :param new_user_policy: ``enroll`` asks unknown users to enrol, ``allow`` lets them in, ``deny`` does not.
    :param username_rule: ``lower`` compares without case; ``simple`` also drops ``DOMAIN\\`` and ``@domain``;
        ``none`` compares as written.
    :param lockout_threshold: failures in a row that lock a user out.
    :param request_timeout: how long a person has to answer.
    :param poll_hold: how long ``auth_status`` waits for news.
    :param memory: how long a finished transaction can still be asked for.
    :param sms_batch: how many passcodes one SMS carries.
    """

    new_user_policy: NewUserPolicy = "enroll"
    username_rule: UsernameRule = "lower"
    lockout_threshold: int = 10
    request_timeout: float = 60.0
    poll_hold: float = 30.0
    memory: float = 300.0
    sms_batch: int = 3


@dataclass(frozen=True, slots=True)
class Preauth:
    """What ``preauth`` decides: ``auth`` with devices, ``enroll``, ``allow`` or ``deny``, and the text for people."""

    result: Literal["auth", "enroll", "allow", "deny"]
    message: str
    devices: tuple[Device, ...] = ()


@dataclass(frozen=True, slots=True)
class PasscodeCheck:
    """What a passcode turned out to be: its verdict, and the device it came from unless it was a bypass code."""

    verdict: Verdict
    device: Device | None = None
    factor: str = ""


@dataclass(frozen=True, slots=True)
class Verification:
    """A code that a coming push will ask for, handed out by ``preauth``."""

    txid: str
    code: str
    username: str
    expires: float


@dataclass(slots=True)
class Account:
    """All that one Duo customer has. Not thread-safe: the caller holds a lock.

    :param on_change: called with a transaction whenever its state changed.
    """

    settings: AccountSettings = field(default_factory=AccountSettings)
    on_change: Callable[[Transaction], None] = lambda transaction: None
    applications: dict[str, Application] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    enrollments: Enrollments = field(default_factory=Enrollments)
    transactions: dict[str, Transaction] = field(default_factory=dict)
    _due: list[tuple[float, str, str]] = field(default_factory=list)
    _trusted: dict[str, tuple[str, str]] = field(default_factory=dict, repr=False)
    _verifications: dict[str, Verification] = field(default_factory=dict, repr=False)

    # -- people ------------------------------------------------------------------------------------------------------

    def canonical(self, username: str) -> str:
        """Return the form of a user name under which Duo knows the user."""
        name = username.strip()
        if self.settings.username_rule == "none":
            return name
        if self.settings.username_rule == "simple":
            name = name.rpartition("\\")[2].partition("@")[0]
        return name.lower()

    def find(self, username: str) -> User | None:
        """Return the user of that name, in any form the user-name rule accepts."""
        return self.users.get(self.canonical(username))

    def find_by_id(self, user_id: str) -> User | None:
        """Return the user with that id."""
        return next((user for user in self.users.values() if user.id == user_id), None)

    def add(self, user: User) -> User:
        """Make a user known, under the canonical form of the name; an earlier user of that name is forgotten."""
        user.username = self.canonical(user.username)
        self.users[user.username] = user
        return user

    # -- what may somebody do ----------------------------------------------------------------------------------------

    def preauth(self, application: Application, user: User | None, trusted_device_token: str = "") -> Preauth:
        """Decide what a user has to do, as ``preauth`` and the Universal Prompt both ask.

        :param user: None for somebody unknown; the application's new-user policy decides then.
        """
        if user is None:
            return self._preauth_unknown(application)
        if user.status == "bypass":
            return Preauth("allow", "Bypassing second factor for this user")
        if user.status == "disabled":
            return Preauth("deny", "Your account is disabled")
        if user.status == "locked out":
            return Preauth("deny", "Your account is locked out")
        if not user.usable_devices:
            return Preauth("enroll", "Enroll an authentication device to proceed")
        if trusted_device_token and self._trusted.get(trusted_device_token) == (
            user.username,
            application.integration_key,
        ):
            return Preauth("allow", "Trusted device")
        return Preauth("auth", "Account is active", tuple(user.usable_devices))

    def _preauth_unknown(self, application: Application) -> Preauth:
        policy = application.new_user_policy or self.settings.new_user_policy
        if policy == "allow":
            return Preauth("allow", "Allowing unknown user")
        if policy == "deny":
            return Preauth("deny", "Access is not allowed because you are not enrolled in Duo")
        return Preauth("enroll", "Enroll an authentication device to proceed")

    def standing(self, user: User) -> State | None:
        """Return how every login of this user ends, whatever the factor; None when the factor decides."""
        return {
            "active": None,
            "bypass": transactions.BYPASSED,
            "disabled": transactions.DISABLED,
            "locked out": transactions.LOCKED_OUT,
        }[user.status]

    def prepare_verification(self, user: User, now: float) -> Verification:
        """Hand out the code of a verified push before the push is sent."""
        verification = Verification(
            new_txid(),
            random_digits(3),
            user.username,
            now + self.settings.request_timeout,
        )
        self._verifications[verification.txid] = verification
        return verification

    # -- logins ------------------------------------------------------------------------------------------------------

    def begin(
        self,
        user: User,
        application: Application,
        *,
        factor: str,
        device: Device | None,
        details: Details,
        now: float,
        verification_txid: str = "",
        verified_push: bool = False,
    ) -> Transaction:
        """Ask a person to confirm, by ``push`` or ``phone``.

        :param verification_txid: the ``txid`` that preauth handed out for a verified push.
        :param verified_push: ask for a code even though none was handed out before.
        """
        verification = self._verifications.pop(verification_txid, None)
        if verification is not None and (verification.username != user.username or verification.expires <= now):
            verification = None
        code = verification.code if verification else (random_digits(3) if verified_push else "")
        start = transactions.CALLING if factor == "phone" else transactions.PUSHED
        transaction = Transaction(
            username=user.username,
            integration_key=application.integration_key,
            factor=factor,
            device=device,
            details=details,
            created=now,
            ends=now + self.settings.request_timeout,
            due=now + self.settings.request_timeout,
            state=transactions.pushed_with_code(code) if code and factor == "push" else start,
            verification_code=code if factor == "push" else "",
        )
        if verification is not None:
            transaction.txid = verification.txid
        self.transactions[transaction.txid] = transaction
        self._schedule(transaction, user)
        self.settle(now)
        return transaction

    def conclude(
        self, user: User, application: Application, *, factor: str, device: Device | None, state: State, now: float
    ) -> Transaction:
        """Record a login that ended at once, such as one with a passcode."""
        transaction = Transaction(
            username=user.username,
            integration_key=application.integration_key,
            factor=factor,
            device=device,
            details=Details(application.name, user.username),
            created=now,
            ends=now,
            due=now,
            state=transactions.PUSHED,
        )
        self.transactions[transaction.txid] = transaction
        self._finish(transaction, state, now)
        return transaction

    def check_passcode(self, user: User, passcode: str) -> PasscodeCheck:
        """Judge a passcode against everything the user could have read it from."""
        passcode = "".join(passcode.split())
        used = PasscodeCheck(Verdict.WRONG)
        for source, device, factor in _passcode_sources(user):
            verdict = source.check(passcode)
            if verdict is Verdict.VALID:
                return PasscodeCheck(verdict, device, factor)
            if verdict is Verdict.USED:
                used = PasscodeCheck(verdict, device, factor)
        return used

    def send_sms(self, phone: Phone) -> None:
        """Put a new batch of passcodes on a phone; earlier ones stop working."""
        phone.sms_codes.replace(sms_batch(self.settings.sms_batch))

    def pending(self, username: str | None = None) -> list[Transaction]:
        """Return the logins that wait for a person, oldest first; of one user or of all."""
        wanted = None if username is None else self.canonical(username)
        waiting = (each for each in self.transactions.values() if each.pending and wanted in (None, each.username))
        return sorted(waiting, key=lambda transaction: transaction.created)

    def reply(self, transaction: Transaction, reply: Reply, now: float) -> bool:
        """Let the person at the phone answer. Returns False when it was too late.

        A person who types the wrong code into a verified push does not answer at all; that is the phone's business.
        """
        self.settle(now)
        if not transaction.pending:
            return False
        state = _REPLIES.get(reply)
        if state is not None:
            self._finish(transaction, state, now)
        return True

    def pick_up(self, transaction: Transaction, now: float) -> None:
        """Let the person answer the phone call, before any key is pressed."""
        self.settle(now)
        if transaction.pending and transaction.factor == "phone":
            self._finish(transaction, transactions.ANSWERED, now)

    def find_transaction(self, txid: str, application: Application, now: float) -> Transaction | None:
        """Return a transaction of this application that is not forgotten yet."""
        self.settle(now)
        transaction = self.transactions.get(txid)
        if transaction is None or transaction.integration_key != application.integration_key:
            return None
        return transaction

    def settle(self, now: float) -> None:
        """Do what has become due: scripted replies, time-outs, forgetting."""
        while self._due and self._due[0][0] <= now:
            moment, txid, reply = heapq.heappop(self._due)
            transaction = self.transactions.get(txid)
            if transaction is None:
                continue
            if transaction.pending:
                transaction.due = transaction.ends
                self._finish(transaction, _REPLIES[reply], moment)
            elif transaction.finished is not None and transaction.finished + self.settings.memory <= now:
                del self.transactions[txid]

    def _schedule(self, transaction: Transaction, user: User) -> None:
        heapq.heappush(self._due, (transaction.ends, transaction.txid, _TIME_OUT))
        script = user.script
        if script is None or script.reply == "ignore" or script.after >= self.settings.request_timeout:
            return
        transaction.due = transaction.created + script.after
        heapq.heappush(self._due, (transaction.due, transaction.txid, script.reply))

    def _finish(self, transaction: Transaction, state: State, now: float) -> None:
        transaction.move(state, now)
        if not transaction.pending:
            heapq.heappush(self._due, (now + self.settings.memory, transaction.txid, _TIME_OUT))
            self._count(transaction)
        self.on_change(transaction)

    def _count(self, transaction: Transaction) -> None:
        """Keep the lock-out counter, and remember the device where the application wants that."""
        user = self.users.get(transaction.username)
        if user is None or transaction.state.status in ("bypass", "sent", "locked_out"):
            return
        if transaction.state.result == "deny":
            user.failures += 1
            if user.status == "active" and user.failures >= self.settings.lockout_threshold:
                user.status = "locked out"
            return
        user.failures = 0
        application = self.applications.get(transaction.integration_key)
        if application is not None and application.remembered_devices:
            transaction.trusted_device_token = secrets.token_urlsafe(24)
            self._trusted[transaction.trusted_device_token] = (user.username, application.integration_key)


def _passcode_sources(user: User) -> list[tuple[CodeGenerator | CodeList, Device | None, str]]:
    sources: list[tuple[CodeGenerator | CodeList, Device | None, str]] = [(user.bypass_codes, None, "bypass_code")]
    for device in user.usable_devices:
        if isinstance(device, Token):
            sources.append((device.generator, device, "hardware_token"))
            continue
        if "mobile_otp" in device.capabilities:
            sources.append((device.generator, device, "duo_mobile_passcode"))
        sources.append((device.sms_codes, device, "sms_passcode"))
    return sources
