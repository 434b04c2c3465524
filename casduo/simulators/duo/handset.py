"""What a user holds in the hand, for tests to press: approve, deny, report, ignore, type a code, read a passcode."""

from __future__ import annotations

from collections.abc import Callable

from casduo.simulators.duo.account import Account
from casduo.simulators.duo.model import Reply, Script, Token, User
from casduo.simulators.duo.transactions import Transaction
from casduo.simulators.duo.waiting import Waiting


class NothingWaits(LookupError):
    """The user was to answer a request, and there is none."""


class Handset:
    """The devices of one user.

    The methods that answer take the newest request that waits, and raise :class:`NothingWaits` when there is none.
    """

    def __init__(self, account: Account, waiting: Waiting, user: User, clock: Callable[[], float]) -> None:
        self._account = account
        self._waiting = waiting
        self._user = user
        self._clock = clock

    @property
    def pending(self) -> list[Transaction]:
        """The requests that wait, oldest first."""
        with self._waiting.lock:
            self._account.settle(self._clock())
            return self._account.pending(self._user.username)

    def approve(self) -> Transaction:
        """Approve, a verified push too: as somebody who reads the code right. Returns the request."""
        return self._reply("approve")

    def deny(self) -> Transaction:
        """Deny."""
        return self._reply("deny")

    def report_fraud(self) -> Transaction:
        """Say that it was not me."""
        return self._reply("fraud")

    def fail_delivery(self) -> Transaction:
        """Let the push get lost on its way; it can still be found in the app."""
        return self._reply("push_failed")

    def dismiss(self) -> Transaction:
        """Put the newest request aside without an answer: it runs out, or is answered later all the same."""
        with self._waiting.lock:
            transaction = self._newest()
            self._account.dismiss(transaction)
            return transaction

    def enter_code(self, code: str) -> bool:
        """Type the code of a verified push, which approves it.

        :returns: whether the code was right; a wrong one, or any where none is asked for, leaves the request as it is.
        """
        with self._waiting.lock:
            transaction = self._newest()
            right = transaction.verification_code != "" and transaction.verification_code == code.strip()
            if right:
                self._account.reply(transaction, "approve", self._clock())
            return right

    def pick_up(self) -> Transaction:
        """Answer the phone, without pressing a key yet."""
        with self._waiting.lock:
            transaction = self._newest()
            self._account.reply(transaction, "pick_up", self._clock())
            return transaction

    def ignore(self) -> None:
        """Never answer by itself from now on, as :meth:`script` with None."""
        self.script(None)

    def script(self, reply: Reply | None, after: float = 0.0, then: Script | None = None) -> None:
        """Reply to every request from now on, ``after`` seconds after it came; None waits to be told.

        :param then: what comes next, after ``push_failed`` or ``pick_up``.
        """
        with self._waiting.lock:
            self._user.script = None if reply is None else Script(reply, after, then)

    def passcode(self) -> str:
        """Read a fresh passcode from the app or the hardware token.

        :raises LookupError: the user has nothing that shows passcodes.
        """
        with self._waiting.lock:
            for device in self._user.usable_devices:
                if isinstance(device, Token) or "mobile_otp" in device.abilities:
                    return device.generator.next_code()
        raise LookupError(f"{self._user.username} has nothing that shows passcodes")

    def messages(self) -> list[str]:
        """Return the passcodes received by SMS that were not used yet."""
        with self._waiting.lock:
            return [code for phone in self._user.phones for code in phone.sms_codes.unused]

    def _reply(self, reply: Reply) -> Transaction:
        with self._waiting.lock:
            transaction = self._newest()
            self._account.reply(transaction, reply, self._clock())
            return transaction

    def _newest(self) -> Transaction:
        pending = self.pending
        if not pending:
            raise NothingWaits(f"no request waits for {self._user.username}")
        return pending[-1]
