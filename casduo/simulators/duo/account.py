"""The rules of a Duo account: who is known, who may log in and how, and when somebody is locked out.

Nothing here waits, talks or reads a clock: every rule takes ``now`` in epoch seconds.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal, get_args

from casduo.simulators.duo import transactions
from casduo.simulators.duo.enrollment import Enrollments, Mail
from casduo.simulators.duo.model import (
    Application,
    Device,
    NewUserPolicy,
    Phone,
    Reply,
    Script,
    User,
)
from casduo.simulators.duo.passcodes import random_digits, sms_batch
from casduo.simulators.duo.schedule import Due, Schedule
from casduo.simulators.duo.transactions import Details, State, Transaction
from casduo.simulators.duo.verified_push import Verification, Verifications

UsernameRule = Literal["lower", "simple", "none"]
USERNAME_RULES: tuple[UsernameRule, ...] = get_args(UsernameRule)

_REPLIES: dict[str, State] = {
    "approve": transactions.ALLOWED,
    "deny": transactions.DENIED,
    "fraud": transactions.FRAUD,
    "push_failed": transactions.PUSH_FAILED,
    "pick_up": transactions.ANSWERED,
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
    :param verification_digits: length of the code of a verified push, 3 to 6.
    """

    new_user_policy: NewUserPolicy = "enroll"
    username_rule: UsernameRule = "lower"
    lockout_threshold: int = 10
    request_timeout: float = 60.0
    poll_hold: float = 30.0
    memory: float = 300.0
    sms_batch: int = 3
    verification_digits: int = 3


@dataclass(frozen=True, slots=True)
class Preauth:
    """What ``preauth`` decides: ``auth`` with devices, ``enroll``, ``allow`` or ``deny``, and the text for people.

    :param reason: why it is ``allow``, as an id_token words it.
    """

    result: Literal["auth", "enroll", "allow", "deny"]
    message: str
    devices: tuple[Device, ...] = ()
    reason: str = ""


@dataclass(slots=True)
class Account:
    """All that one Duo customer has. Not thread-safe: the caller holds a lock.

    :param on_change: called with a transaction whenever its state changed.
    :param spare_phones: phones that belong to nobody yet, by id.
    """

    settings: AccountSettings = field(default_factory=AccountSettings)
    on_change: Callable[[Transaction], None] = lambda transaction: None
    applications: dict[str, Application] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    enrollments: Enrollments = field(default_factory=Enrollments)
    transactions: dict[str, Transaction] = field(default_factory=dict)
    spare_phones: dict[str, Phone] = field(default_factory=dict)
    mails: list[Mail] = field(default_factory=list)
    verifications: Verifications = field(default_factory=Verifications)
    _schedule: Schedule = field(default_factory=Schedule, repr=False)
    _trusted: dict[str, tuple[str, str]] = field(default_factory=dict, repr=False)

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

    def find_phone(self, phone_id: str) -> tuple[Phone, User | None] | None:
        """Return a phone and whose it is; None when there is no phone with that id."""
        for user in self.users.values():
            for device in user.devices:
                if isinstance(device, Phone) and device.id == phone_id:
                    return device, user
        spare = self.spare_phones.get(phone_id)
        return (spare, None) if spare is not None else None

    def find_by_id(self, user_id: str) -> User | None:
        """Return the user with that id."""
        return next((user for user in self.users.values() if user.id == user_id), None)

    def add(self, user: User) -> User:
        """Make a user known, under the canonical form of the name; an earlier user of that name is forgotten."""
        user.username = self.canonical(user.username)
        self.users[user.username] = user
        return user

    def remove(self, username: str) -> None:
        """Forget a user, if there is one."""
        self.users.pop(self.canonical(username), None)

    # -- what may somebody do ----------------------------------------------------------------------------------------

    def preauth(
        self, application: Application, user: User | None, *, address: str = "", trusted_device_token: str = ""
    ) -> Preauth:
        """Decide what a user has to do, as ``preauth`` and the Universal Prompt both ask.

        :param user: None for somebody unknown; the application's new-user policy decides then.
        :param address: where the user is, empty if that is not known.
        """
        if user is None:
            return self._preauth_unknown(application)
        if user.status == "bypass":
            return Preauth("allow", "Bypassing second factor for this user", reason="bypass_user")
        if user.status == "disabled":
            return Preauth("deny", "Your account is disabled")
        if user.status == "locked out":
            return Preauth("deny", "Your account is locked out")
        if not user.usable_devices:
            return Preauth("enroll", "Enroll an authentication device to proceed")
        if application.trusts(address):
            return Preauth("allow", "Trusted network", reason="trusted_network")
        if self._trusted.get(trusted_device_token) == (user.username, application.integration_key):
            return Preauth("allow", "Trusted device", reason="remembered_device")
        return Preauth("auth", "Account is active", tuple(user.usable_devices))

    def _preauth_unknown(self, application: Application) -> Preauth:
        policy = application.new_user_policy or self.settings.new_user_policy
        if policy == "allow":
            return Preauth("allow", "Allowing unknown user", reason="allow_unenrolled_user")
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
        """Hand out the code of a verified push before the push is sent; it waits as long as a push does."""
        expires = now + self.settings.request_timeout
        return self.verifications.prepare(user.username, self.settings.verification_digits, expires, now)

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
        verification: Verification | None = None,
    ) -> Transaction:
        """Ask a person to confirm, by ``push`` or ``phone``.

        :param verification: what preauth handed out for this push. Without it an application that wants verified
            pushes gets one all the same, with a code of its own.
        """
        code = ""
        if factor == "push" and verification is not None:
            code = verification.code
        elif factor == "push" and application.verified_push:
            code = random_digits(self.settings.verification_digits)
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
            state=transactions.pushed_with_code(code) if code else start,
            verification_code=code,
        )
        if verification is not None:
            transaction.txid = verification.txid
        self.transactions[transaction.txid] = transaction
        self._schedule.put(transaction.ends, transaction.txid)
        self._follow(transaction, user.script, now)
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
        self._answer(transaction, reply, now)
        return True

    def dismiss(self, transaction: Transaction) -> None:
        """Take a request from the phone's screen without an answer; it runs out, or is found again."""
        if transaction.pending:
            transaction.dismissed = True

    def _answer(self, transaction: Transaction, reply: str, now: float) -> None:
        state = _REPLIES.get(reply)
        if state is None or (state is transactions.ANSWERED and transaction.factor != "phone"):
            return
        if state.result == "allow":
            # Whoever was locked out, disabled or removed while the request waited is not let in by approving it.
            user = self.users.get(transaction.username)
            state = (self.standing(user) or state) if user is not None else transactions.DENIED
        self._finish(transaction, state, now)

    def find_transaction(self, txid: str, application: Application, now: float) -> Transaction | None:
        """Return a transaction of this application that is not forgotten yet."""
        self.settle(now)
        transaction = self.transactions.get(txid)
        if transaction is None or transaction.integration_key != application.integration_key:
            return None
        return transaction

    def settle(self, now: float) -> None:
        """Do what has become due: scripted replies, time-outs, forgetting."""
        while (due := self._schedule.take(now)) is not None:
            transaction = self.transactions.get(due.txid)
            if transaction is None:
                continue
            if transaction.pending:
                self._happen(transaction, due)
            elif transaction.finished is not None and transaction.finished + self.settings.memory <= now:
                del self.transactions[due.txid]

    def _happen(self, transaction: Transaction, due: Due) -> None:
        if due.script is None:
            self._finish(transaction, transactions.TIMED_OUT, due.moment)
            return
        transaction.due = transaction.ends
        self._follow(transaction, due.script.then, due.moment)
        self._answer(transaction, due.script.reply, due.moment)

    def _follow(self, transaction: Transaction, script: Script | None, since: float) -> None:
        """Have the next step of a script happen, unless the request runs out before."""
        if script is not None and script.reply != "ignore" and since + script.after < transaction.ends:
            transaction.due = since + script.after
            self._schedule.put(transaction.due, transaction.txid, script)

    def _finish(self, transaction: Transaction, state: State, now: float) -> None:
        transaction.move(state, now)
        if not transaction.pending:
            self._schedule.put(now + self.settings.memory, transaction.txid)
            self._count(transaction, now)
        self.on_change(transaction)

    def _count(self, transaction: Transaction, now: float) -> None:
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
        user.last_login = now
        application = self.applications.get(transaction.integration_key)
        if application is not None and application.remembered_devices:
            transaction.trusted_device_token = secrets.token_urlsafe(24)
            self._trusted[transaction.trusted_device_token] = (user.username, application.integration_key)
