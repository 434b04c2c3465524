"""duo_client on our own connections: what the wrappers of its Auth API and its Admin API share.

The client signs and parses. Carrying is done by :class:`HttpClient`: duo_client itself opens a connection per call, has
no bound on a call's length, sleeps up to a minute on 429 and leaves sockets open where a call fails.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from casduo.mfa.duo.classify import answer_failure, auth_api_failure
from casduo.mfa.duo.settings import split_api_host
from casduo.outbound.http import HttpAnswer, HttpClient

T = TypeVar("T")


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


class Carried:
    """Stands in front of one of duo_client's classes and does the networking for it.

    :param api_host: with the port, if it is not 443.
    """

    def __init__(self, integration_key: str, secret_key: str, api_host: str, http: HttpClient) -> None:
        host, port = split_api_host(api_host)
        # The class behind takes more than ``object`` does.
        super().__init__(integration_key, secret_key, host, port=port)  # type: ignore[call-arg]
        self._http = http
        self._base = f"https://{api_host}"

    def may_repeat(self, method: str, path: str) -> bool:
        """Say whether a request may reach Duo twice without anything happening twice."""
        return False

    def _make_request(
        self, method: str, uri: str, body: str | None, headers: dict[bytes, bytes]
    ) -> tuple[_Response, bytes]:
        """Carry a request that ``api_call`` has signed: the seam below which duo_client does its own networking."""
        answer = self._http.request(
            method,
            self._base + uri,
            body=body,
            headers={name.decode("ascii"): value.decode("ascii") for name, value in headers.items()},
            repeatable=self.may_repeat(method, uri.partition("?")[0]),
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
