"""The phones people hold, as pages: what is asked, the buttons to answer with, passcodes, messages, habits."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import get_args
from urllib.parse import quote

from werkzeug.wrappers import Request, Response

from casduo.simulators.duo.account import Account
from casduo.simulators.duo.model import Device, Reply, Script, Token, User
from casduo.simulators.duo.rendering import Renderer
from casduo.simulators.duo.transactions import Transaction
from casduo.simulators.pages import see_other, text

_BUTTONS: Mapping[str, Reply] = {"approve": "approve", "deny": "deny", "fraud": "fraud", "pick_up": "pick_up"}

_HABITS: Mapping[str, str] = {
    "": "Waits for you",
    "approve": "Approves every request",
    "deny": "Denies every request",
    "fraud": "Reports every request as fraud",
    "push_failed": "Loses pushes on their way, so that you have to look for them",
}
"""What a phone can be told to do from now on, by the reply it stands for; empty for none."""

_HABIT_DELAY = 2.0
"""Seconds after which a phone answers by itself: time to see that something was asked."""


class PhonePages:
    """Answers for ``/phone``. The caller holds the account's lock.

    :param clock: the simulator's time in epoch seconds.
    """

    def __init__(self, account: Account, renderer: Renderer, clock: Callable[[], float]) -> None:
        self._account = account
        self._renderer = renderer
        self._clock = clock

    def show_all(self, request: Request) -> Response:
        """List everybody, and who is being asked."""
        waiting = {transaction.username for transaction in self._account.pending()}
        people = sorted(self._account.users.values(), key=lambda user: user.username)
        return self._renderer.page("phones.html", people=people, waiting=waiting)

    def show(self, request: Request, username: str) -> Response:
        """Show the phone of a user, and take the press of a button."""
        user = self._account.find(username)
        if user is None:
            return self._nobody()
        passcode = notice = ""
        if request.method == "POST":
            if request.form.get("action") == "passcode":
                passcode = _next_passcode(user, request.form.get("device", ""))
            else:
                notice = self._press(user, request.form)
                if not notice:
                    return see_other(_address(user))
        return self._render(user, passcode, notice)

    def show_version(self, request: Request, username: str) -> Response:
        """Tell a script whether the phone would look different now."""
        user = self._account.find(username)
        return text(self._version(user) if user is not None else "gone")

    def show_habits(self, request: Request, username: str) -> Response:
        """Let a person decide what the phone does by itself."""
        user = self._account.find(username)
        if user is None:
            return self._nobody()
        if request.method == "POST":
            user.script = _script(request.form.get("habit", ""), user.script)
            return see_other(_address(user))
        present = user.script.reply if user.script is not None else ""
        return self._renderer.page("habits.html", user=user, habits=_HABITS, present=present)

    def _press(self, user: User, form: Mapping[str, str]) -> str:
        """Carry out the press of a button and return what went wrong, or nothing."""
        transaction = self._account.transactions.get(form.get("txid", ""))
        if transaction is None or transaction.username != user.username:
            return "That request is gone."
        action = form.get("action", "")
        if action == "ignore":
            self._account.dismiss(transaction)
            return ""
        reply = _BUTTONS.get(action)
        if reply is None:
            return "That button does nothing."
        if reply == "approve" and transaction.verification_code not in ("", form.get("code", "").strip()):
            return "That is not the code shown on the login page."
        return "" if self._account.reply(transaction, reply, self._clock()) else "That request has run out."

    def _render(self, user: User, passcode: str, notice: str) -> Response:
        now = self._clock()
        pending = self._account.pending(user.username)
        shown = [transaction for transaction in pending if not transaction.dismissed]
        return self._renderer.page(
            "phone.html",
            user=user,
            shown=shown,
            left={transaction.txid: max(0, round(transaction.ends - now)) for transaction in shown},
            dismissed=len(pending) - len(shown),
            # Without scripts the page refreshes itself, which would wipe out what is being typed.
            typing=any(transaction.verification_code for transaction in shown),
            version=self._version(user),
            generators=[device for device in user.usable_devices if _shows_passcodes(device)],
            messages=_messages(user),
            passcode=passcode,
            notice=notice,
            habit=_HABITS.get(user.script.reply, "") if user.script is not None else "",
        )

    def _version(self, user: User) -> str:
        parts = [_version_of(each) for each in self._account.pending(user.username)]
        messages = _messages(user)
        if messages:
            parts.append(f"sms-{len(messages)}-{messages[0]}")
        return ".".join(parts) or "idle"

    def _nobody(self) -> Response:
        return self._renderer.message("Nobody of that name has a phone here.", 404)


def _version_of(transaction: Transaction) -> str:
    return f"{transaction.txid}-{transaction.version}{'-aside' if transaction.dismissed else ''}"


def _address(user: User) -> str:
    return f"/phone/{quote(user.username, safe='')}"


def _messages(user: User) -> list[str]:
    return [code for phone in user.phones for code in phone.sms_codes.unused]


def _shows_passcodes(device: Device) -> bool:
    return isinstance(device, Token) or "mobile_otp" in device.abilities


def _next_passcode(user: User, device_id: str) -> str:
    device = next((device for device in user.usable_devices if device.id == device_id), None)
    return device.generator.next_code() if device is not None and _shows_passcodes(device) else ""


def _script(habit: str, present: Script | None) -> Script | None:
    # A script that a program wrote may have steps and delays that the page cannot show: it stays as it is.
    if present is not None and present.reply == habit:
        return present
    reply = next((reply for reply in get_args(Reply) if reply == habit and habit in _HABITS), None)
    return None if reply is None else Script(reply, _HABIT_DELAY)
