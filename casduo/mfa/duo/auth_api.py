"""Thin wrapper of duo_client, the official client of Duo's Auth API: what it is asked, and what it answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar
from urllib.parse import quote, urlencode

import duo_client  # type: ignore[import-untyped]

from casduo.mfa.duo.answers import (
    read_codes,
    read_enrollment,
    read_enrollment_state,
    read_passcode,
    read_preauth,
    read_push_status,
    read_time,
    read_transaction,
)
from casduo.mfa.duo.carried import Carried, guarded
from casduo.mfa.duo.errors import DuoBadParameter, DuoFailure
from casduo.mfa.duo.gateway import (
    Enrollment,
    EnrollmentState,
    Preauth,
    PreauthResult,
    PushStatus,
    RequestFactor,
    Verdict,
    VerifiedPush,
)
from casduo.outbound.http import HttpClient

T = TypeVar("T")

_REPEATABLE = frozenset(f"/auth/v2/{name}" for name in ("ping", "check", "preauth", "auth_status", "enroll_status"))
"""What may reach Duo twice without anything happening twice."""
_LONGEST_INFO = 20_000
"""Bytes that Duo takes in ``pushinfo``."""


class AuthApi:
    """One Auth API application. Safe to share by threads.

    :param api_host: with the port, if it is not 443.
    :param http: what carries the calls. Long polls need one whose read time-out exceeds Duo's hold.
    :param label: what a device shows before the word "request".
    :param verified_push: tell Duo that the person sees the digits of a verified push.
    """

    def __init__(
        self,
        integration_key: str,
        secret_key: str,
        api_host: str,
        http: HttpClient,
        *,
        label: str = "Sign-in",
        verified_push: bool = True,
    ) -> None:
        self.client = _Client(integration_key, secret_key, api_host, http)
        self._label = label
        self._verified_push = verified_push

    def ping(self) -> float:
        """Ask, without keys, whether Duo answers. Return its time in whole epoch seconds.

        :raises DuoFailure: it does not.
        """
        return read_time(guarded(self.client.ping))

    def check(self) -> float:
        """Ask whether Duo accepts our keys and clock. Return as :meth:`ping`.

        :raises DuoFailure: it does not.
        """
        return read_time(guarded(self.client.check))

    def preauth(self, username: str, address: str) -> Preauth:
        """Ask what ``username`` may do from ``address``; see :class:`~casduo.mfa.duo.gateway.DuoGateway`."""
        try:
            response = guarded(
                lambda: self.client.preauth(
                    username=username,
                    ipaddr=address or None,
                    client_supports_verified_push="1" if self._verified_push else None,
                )
            )
        except DuoBadParameter as refused:
            if refused.detail not in ("username", "user_id"):
                raise
            # Duo says so of a name it does not know; the person is to enrol.
            return Preauth(PreauthResult.ENROLL)
        return read_preauth(response)

    def passcode(self, username: str, code: str, address: str) -> Verdict:
        """Let Duo check a passcode, once; see :class:`~casduo.mfa.duo.gateway.DuoGateway`."""
        return read_passcode(
            _offered(lambda: self.client.auth("passcode", username=username, passcode=code, ipaddr=address or None))
        )

    def push(
        self,
        username: str,
        address: str,
        device: str,
        factor: RequestFactor,
        info: Mapping[str, str],
        verified: VerifiedPush | None,
    ) -> str:
        """Send a push or start a call, once; see :class:`~casduo.mfa.duo.gateway.DuoGateway`."""
        shown: dict[str, str | None] = {}
        if factor == "push":
            shown = {"type": self._label, "pushinfo": push_information(info) or None}
        if factor == "push" and verified is not None:
            shown["txid"] = verified.transaction
        return read_transaction(
            _offered(
                lambda: self.client.auth(
                    factor, username=username, ipaddr=address or None, async_txn=True, device=device, **shown
                )
            )
        )

    def push_status(self, transaction: str) -> PushStatus:
        """Wait for news of a push or call; see :class:`~casduo.mfa.duo.gateway.DuoGateway`.

        :raises DuoUnavailable: among others, ``timeout`` where Duo withheld its answer for longer than we wait.
        """
        return read_push_status(_offered(lambda: self.client.auth_status(transaction)))

    def send_codes(self, username: str, address: str, device: str) -> Verdict:
        """Have Duo send passcodes, once; see :class:`~casduo.mfa.duo.gateway.DuoGateway`."""
        return read_codes(
            _offered(lambda: self.client.auth("sms", username=username, ipaddr=address or None, device=device))
        )

    def enroll(self, username: str, seconds: int) -> Enrollment:
        """Make an account, once; see :class:`~casduo.mfa.duo.gateway.DuoGateway`."""
        return read_enrollment(_offered(lambda: self.client.enroll(username, seconds)))

    def enroll_status(self, user_id: str, activation_code: str) -> EnrollmentState:
        """Ask what has become of an activation code; see :class:`~casduo.mfa.duo.gateway.DuoGateway`."""
        return read_enrollment_state(_offered(lambda: self.client.enroll_status(user_id, activation_code)))


def push_information(info: Mapping[str, str]) -> str:
    """Return what a device is to show of a request, encoded as ``pushinfo`` (Auth API, ``/auth``).

    Labels without a value are left out, as is, from the end, what exceeds Duo's limit.
    """
    encoded = ""
    for label, value in info.items():
        if not value:
            continue
        longer = encoded + "&" * bool(encoded) + urlencode({label: value}, quote_via=quote, errors="replace")
        if len(longer) > _LONGEST_INFO:
            break
        encoded = longer
    return encoded


def _offered(call: Callable[[], T]) -> T:
    """Do as :func:`guarded`, for calls that offer a factor or come after one was offered.

    :raises DuoFailure: none that may fail open.
    """
    try:
        return guarded(call)
    except DuoFailure as offered:
        failure = offered.closed()
    raise failure


class _Client(Carried, duo_client.Auth):  # type: ignore[misc]
    """duo_client's Auth API on our own connections."""

    def may_repeat(self, method: str, path: str) -> bool:
        return path in _REPEATABLE
