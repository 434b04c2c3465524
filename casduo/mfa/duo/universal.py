"""Thin wrapper of duo_universal, the official client of Duo's prompt.

The client is used as it is, for all that is cryptography and protocol. What it lacks is put around it here:
time-outs, kept connections, no redirects, a look at the verdict and at the nonce, and errors that can be told apart.

It calls ``requests.post`` without a time-out and offers no way to give one. So inside its module, and nowhere else,
the name ``requests`` stands for :class:`_Requests`. Each client carries its own :class:`HttpClient` to that place in
the one value the library hands through untouched: ``duo_certs``, which becomes ``verify``. A client that somebody
else in the process makes carries none and gets the real Requests.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import requests
from duo_universal import client as library  # type: ignore[import-untyped]

from casduo.mfa.duo.answers import read_verdict
from casduo.mfa.duo.classify import answer_failure, exchange_failure, health_failure
from casduo.mfa.duo.errors import DuoBadToken, DuoFailure, DuoMisconfigured, DuoStale, DuoUnavailable
from casduo.mfa.duo.gateway import Verdict
from casduo.outbound.http import HttpAnswer, HttpClient

T = TypeVar("T")

PINNED_CA_FILE: str = library.DEFAULT_CA_CERT_PATH
"""The authorities that Duo's own clients trust, and no others."""

_LONGEST_CODE = 1024

# Duo's secrets have 40 bytes, less than the 64 that RFC 7518 asks of HS512. Nobody here can change that.
warnings.filterwarnings("ignore", message="The HMAC key is")


class UniversalClient:
    """One Web SDK application. Safe to share by threads.

    :param api_host: with the port, if it is not 443.
    :param http: what carries the calls; its settings are the time-outs.
    :raises DuoMisconfigured: the library refuses the values.
    """

    def __init__(self, client_id: str, client_secret: str, api_host: str, redirect_uri: str, http: HttpClient) -> None:
        try:
            self._client = library.Client(client_id, client_secret, api_host, redirect_uri, duo_certs=_Carrier(http))
        except library.DuoException:
            failure = DuoMisconfigured("client", "Duo's client does not accept the application's settings.")
        else:
            return
        raise failure

    def health_check(self) -> None:
        """Ask whether Duo answers and accepts our keys.

        :raises DuoFailure: it does not.
        """
        try:
            _guarded(self._client.health_check, health_failure)
        except DuoUnavailable as failure:
            if failure.detail != "reset":
                raise
            # Perhaps only a kept connection that Duo closed while we reached for it. Asked anew rather than sent
            # twice: Duo takes an assertion once, and a second look at it would be taken for a wrong key.
            _guarded(self._client.health_check, health_failure)

    def prompt_url(self, username: str, state: str, nonce: str) -> str:
        """Return the address of the prompt. Asks nobody.

        :raises DuoMisconfigured: an argument is outside the library's bounds.
        """
        try:
            return str(self._client.create_auth_url(username, state, nonce))
        except (library.DuoException, ValueError):
            failure = DuoMisconfigured("request", "Duo's client does not accept the user name, state or nonce.")
        raise failure

    def exchange(self, code: str, username: str, nonce: str) -> Verdict:
        """Return the verified result that the code stands for; see :class:`~casduo.mfa.duo.gateway.DuoGateway`."""
        check_return(code, nonce)
        token: Mapping[str, object] = _guarded(
            lambda: self._client.exchange_authorization_code_for_2fa_result(code, username, nonce), exchange_failure
        )
        return read_verdict(token)


def check_return(code: str, nonce: str) -> None:
    """Refuse what cannot be exchanged, without asking Duo.

    :raises DuoStale: there is no code, or what came is none.
    :raises DuoBadToken: there is no nonce. The library would then compare none.
    """
    if not code:
        raise DuoStale("code_missing", "The browser came back from Duo without a code.")
    if len(code) > _LONGEST_CODE or not code.isascii() or not code.isprintable():
        raise DuoStale("code_refused", "The browser came back with something that is no code.")
    if not nonce:
        raise DuoBadToken("nonce", "The login has no nonce to compare Duo's result with.")


def _guarded(call: Callable[[], T], failure_of: Callable[[object], DuoFailure]) -> T:
    try:
        return call()
    except Exception as error:
        failure = failure_of(_core(error))
    # Raised out here, the failure drags no library exception along: those hold assertions and codes.
    raise failure


def _core(error: BaseException) -> object:
    """What a DuoException is about. It wraps once or twice; at its core is an exception, a dict or a text."""
    core: object = error
    while isinstance(core, library.DuoException):
        core = core.args[0] if core.args else None
    return core


class _Carrier:
    """Rides through the library as ``duo_certs`` and comes out as ``verify``."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    def post(
        self,
        url: str,
        *,
        data: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        proxies: None = None,
    ) -> _Response:
        """Do what ``requests.post`` would, for the two calls that the library makes.

        :param data: the form of a health check.
        :param params: the token request. The library puts it into the URL, where access logs find code and assertion;
            here it becomes a form body, as RFC 6749, 4.1.3 has it and Duo's clients for other languages do.
        :param proxies: nothing; the client was made without.
        :raises DuoFailure: the answer is unusable whatever its body says.
        """
        form = params if data is None else data
        answer = self._http.request("POST", url, form=form, headers=headers)
        failure = answer_failure(answer)
        if failure is not None:
            raise failure
        return _Response(answer)


class _Response:
    """As much of a Requests response as the library looks at."""

    def __init__(self, answer: HttpAnswer) -> None:
        self.status_code = answer.status
        self.content = answer.body
        self.json = answer.json


class _Requests:
    """Stands where duo_universal looks for the module ``requests``."""

    def post(self, url: str, *, verify: Any = True, **options: Any) -> Any:
        if isinstance(verify, _Carrier):
            return verify.post(url, **options)
        # Somebody else's client: what it asked for, time-out or not.
        return requests.post(url, verify=verify, **options)  # noqa: S113

    def __getattr__(self, name: str) -> Any:
        return getattr(requests, name)


if not hasattr(library, "requests"):  # pragma: no cover
    raise ImportError("duo_universal no longer calls Requests by a name of its own module")
library.requests = _Requests()
