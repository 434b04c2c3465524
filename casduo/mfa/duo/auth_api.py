"""Thin wrapper of duo_client, the official client of Duo's Auth API.

The client signs and parses. Carrying is done by :class:`HttpClient`: duo_client itself opens a connection per call,
has no bound on a call's length, sleeps up to a minute on 429 and leaves sockets open where a call fails.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import duo_client  # type: ignore[import-untyped]

from casduo.mfa.duo.answers import read_passcode, read_preauth, read_time
from casduo.mfa.duo.classify import answer_failure, auth_api_failure
from casduo.mfa.duo.errors import DuoBadParameter, DuoFailure
from casduo.mfa.duo.gateway import Preauth, PreauthResult, Verdict
from casduo.mfa.duo.settings import split_api_host
from casduo.outbound.http import HttpAnswer, HttpClient

T = TypeVar("T")

_REPEATABLE = frozenset(f"/auth/v2/{name}" for name in ("ping", "check", "preauth", "auth_status", "enroll_status"))
"""What may reach Duo twice without anything happening twice."""


class AuthApi:
    """One Auth API application. Safe to share by threads.

    :param api_host: with the port, if it is not 443.
    :param http: what carries the calls. Long polls need one whose read time-out exceeds Duo's hold.
    """

    def __init__(self, integration_key: str, secret_key: str, api_host: str, http: HttpClient) -> None:
        self.client = _Client(integration_key, secret_key, api_host, http)

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
            response = guarded(lambda: self.client.preauth(username=username, ipaddr=address or None))
        except DuoBadParameter as refused:
            if refused.detail not in ("username", "user_id"):
                raise
            # Duo says so of a name it does not know; the person is to enrol.
            return Preauth(PreauthResult.ENROLL)
        return read_preauth(response)

    def passcode(self, username: str, code: str, address: str) -> Verdict:
        """Let Duo check a passcode, once; see :class:`~casduo.mfa.duo.gateway.DuoGateway`."""
        try:
            response = guarded(
                lambda: self.client.auth("passcode", username=username, passcode=code, ipaddr=address or None)
            )
        except DuoFailure as offered:
            failure = offered.closed()
        else:
            return read_passcode(response)
        raise failure


def guarded(call: Callable[[], T]) -> T:
    """Return what a call of duo_client returns.

    :raises DuoFailure: whatever it ended in, classified, without the library's exception behind it.
    """
    try:
        return call()
    except Exception as error:
        failure = auth_api_failure(error)
    # Raised out here, the failure drags no library exception along: those quote what was sent.
    raise failure


class _Client(duo_client.Auth):  # type: ignore[misc]
    """duo_client's signing and parsing on our own connections."""

    def __init__(self, integration_key: str, secret_key: str, api_host: str, http: HttpClient) -> None:
        host, port = split_api_host(api_host)
        super().__init__(integration_key, secret_key, host, port=port)
        self._http = http
        self._base = f"https://{api_host}"

    def _make_request(
        self, method: str, uri: str, body: str | None, headers: dict[bytes, bytes]
    ) -> tuple[_Response, bytes]:
        """Carry a request that ``api_call`` has signed: the seam below which duo_client does its own networking."""
        answer = self._http.request(
            method,
            self._base + uri,
            body=body,
            headers={name.decode("ascii"): value.decode("ascii") for name, value in headers.items()},
            repeatable=uri.partition("?")[0] in _REPEATABLE,
        )
        failure = answer_failure(answer)
        if failure is not None:
            raise failure
        return _Response(answer), answer.body


class _Response:
    """As much of an http.client response as duo_client looks at."""

    def __init__(self, answer: HttpAnswer) -> None:
        self.status = answer.status
        self.reason = answer.reason
        self._headers = answer.headers

    def getheader(self, name: str, default: Any = None) -> Any:
        return self._headers.get(name, default)
