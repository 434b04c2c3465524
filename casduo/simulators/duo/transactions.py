"""One authentication in progress: its states, its texts, and what a person at the phone can do to it."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field
from typing import Literal

from casduo.simulators.duo.model import Device

Result = Literal["waiting", "allow", "deny"]


@dataclass(frozen=True, slots=True)
class State:
    """What ``auth`` and ``auth_status`` say (Auth API, "/auth_status"). ``result`` decides, ``status`` explains."""

    result: Result
    status: str
    message: str

    def describe(self) -> dict[str, object]:
        """Return the state as the API words it."""
        return {"result": self.result, "status": self.status, "status_msg": self.message}


PUSHED = State("waiting", "pushed", "Pushed a login request to your device...")
PUSH_FAILED = State("waiting", "push_failed", "The push could not be delivered. Open the app to see it.")
CALLING = State("waiting", "calling", "Dialing your phone...")
ANSWERED = State("waiting", "answered", "Press any key on your phone to log in.")
ALLOWED = State("allow", "allow", "Success. Logging you in...")
BYPASSED = State("allow", "bypass", "Bypass status. Logging you in...")
DENIED = State("deny", "deny", "Login request denied.")
FRAUD = State("deny", "fraud", "Login request reported as fraudulent.")
TIMED_OUT = State("deny", "timeout", "Login timed out.")
WRONG_PASSCODE = State("deny", "deny", "Incorrect passcode. Please try again.")
USED_PASSCODE = State(
    "deny", "fraud", "This passcode has already been used. Please generate a new passcode and try again."
)
DISABLED = State("deny", "deny", "Your account is disabled. Please contact your administrator.")
LOCKED_OUT = State(
    "deny", "locked_out", "Your account is locked out after too many failures. Please contact your administrator."
)
SMS_SENT = State("deny", "sent", "New SMS passcodes sent.")


def new_txid() -> str:
    """Return a random transaction id, a UUID in text form."""
    return str(uuid.UUID(bytes=secrets.token_bytes(16), version=4))


def pushed_with_code(code: str) -> State:
    """Return the waiting state of a verified push, whose text is the only place where the user sees the code."""
    return State("waiting", "pushed", f"Please enter verification code {code} into Duo Mobile...")


@dataclass(frozen=True, slots=True)
class Details:
    """What the person at the phone is told about the login.

    :param kind: the word before "request", ``type`` of the API.
    :param address: the end user's address as the application gave it; empty if it gave none.
    :param host: name of the machine the login comes from, as the application gave it.
    :param information: further names and values, ``pushinfo`` of the API.
    """

    application: str
    username: str
    kind: str = "Login"
    address: str = ""
    information: tuple[tuple[str, str], ...] = ()
    host: str = ""


@dataclass(slots=True)
class Transaction:
    """A login that waits for a person, or that has ended.

    :param integration_key: the application that started it; no other may ask for it.
    :param factor: ``push``, ``phone``, ``sms``, ``passcode`` or ``bypass``.
    :param ends: when it runs out, epoch seconds.
    :param due: when it changes by itself next, epoch seconds.
    :param verification_code: to be typed into the phone before it can approve; empty if none is asked for.
    :param dismissed: the person put it aside on the phone.
    """

    username: str
    integration_key: str
    factor: str
    device: Device | None
    details: Details
    created: float
    ends: float
    due: float
    state: State
    verification_code: str = field(default="", repr=False)
    dismissed: bool = False
    finished: float | None = None
    trusted_device_token: str | None = field(default=None, repr=False)
    txid: str = field(default_factory=new_txid)
    _version: int = 1
    _reported: int = 0

    @property
    def pending(self) -> bool:
        """Whether a person can still answer."""
        return self.finished is None

    @property
    def has_news(self) -> bool:
        """Whether the present state has not been told to anybody yet."""
        return self._version > self._reported

    @property
    def version(self) -> int:
        """Counts the states, so that a teller can say later which one it told."""
        return self._version

    def mark_reported(self, version: int) -> None:
        """Remember that this version reached a caller."""
        self._reported = max(self._reported, version)

    def move(self, state: State, now: float) -> None:
        """Go to another state; anything but ``waiting`` is the end."""
        self.state = state
        self._version += 1
        if state.result != "waiting":
            self.finished = now

    def describe(self) -> dict[str, object]:
        """Return the transaction as ``auth_status`` answers it."""
        described = self.state.describe()
        if self.trusted_device_token is not None:
            described["trusted_device_token"] = self.trusted_device_token
        return described
