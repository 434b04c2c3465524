"""Has Duo check passcodes, and limits wrong ones like wrong passwords.

Wrong passcodes are counted apart from wrong passwords. A right password makes wrong ones forgotten; were passcodes
counted with them, whoever has the password could wash the count after each guess at a passcode.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from casduo.mfa.duo.errors import DuoBadParameter, DuoFailure
from casduo.mfa.duo.gateway import DuoGateway, Verdict
from casduo.store import Batch
from casduo.throttling import LoginThrottle
from casduo.throttling import Verdict as Allowance

Result = Literal["allowed", "wrong", "reused", "locked_out", "unknown", "throttled", "unavailable"]


@dataclass(frozen=True, slots=True)
class PasscodeOutcome:
    """What became of a passcode.

    ``unknown``: Duo does not know the person. ``throttled``: nobody was asked, ``wait`` in seconds. ``unavailable``: no
    verdict, ``failure`` says why, and nothing may open for it. ``status`` is Duo's word and ``said`` its text, where
    Duo was asked. ``counted`` is what a wrong one has come to.
    """

    result: Result
    status: str = ""
    said: str = ""
    wait: int = 0
    failure: DuoFailure | None = None
    counted: Allowance | None = None

    @property
    def left(self) -> int:
        """How many more wrong ones are free. To be asked after the batch has run."""
        return self.counted.left if self.counted is not None else 0


class Passcodes:
    """Checks passcodes, the same way wherever they are typed."""

    def __init__(self, throttle: LoginThrottle) -> None:
        self._throttle = throttle

    def check(
        self, gateway: DuoGateway, principal: str, code: str, batch: Batch, now: float, *, origin: str, told: str
    ) -> PasscodeOutcome:
        """Ask the limits, in one round trip, and then Duo. What is to be counted is added to ``batch``, for the caller
        to run.

        A person whom Duo lets pass unasked has proved nothing by a passcode, and gets nothing for one.

        :param origin: the address that is counted
        :param told: the address that Duo is told, empty for none
        """
        allowance = self._throttle.test(batch, principal, origin, now, "passcode")
        batch.run()
        if allowance.wait:
            return PasscodeOutcome("throttled", wait=allowance.wait)
        try:
            verdict = gateway.passcode(principal, code, told)
        except DuoBadParameter as failure:
            allowance = self._throttle.fail(batch, principal, origin, now, "passcode")
            unknown = failure.detail in ("username", "user_id")
            return PasscodeOutcome("unknown" if unknown else "wrong", failure=failure, counted=allowance)
        except DuoFailure as failure:
            self._throttle.release(batch, principal, origin, now, "passcode")
            return PasscodeOutcome("unavailable", failure=failure)
        if verdict.allowed:
            self._throttle.forgive(batch, principal, origin, now, "passcode")
            return PasscodeOutcome("allowed", verdict.status, verdict.status_message)
        allowance = self._throttle.fail(batch, principal, origin, now, "passcode")
        return PasscodeOutcome(_refusal(verdict), verdict.status, verdict.status_message, counted=allowance)


def _refusal(verdict: Verdict) -> Result:
    """Duo calls a passcode that was used before a fraud (Auth API, ``/auth``, ``status``); nobody reported anything."""
    if verdict.status == "locked_out":
        return "locked_out"
    return "reused" if verdict.status == "fraud" else "wrong"
