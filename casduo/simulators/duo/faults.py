"""Switches for everything a Duo that misbehaves can answer. What goes wrong below HTTP is ``transport``."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from casduo.simulators.duo.errors import INTERNAL_ERROR, TOO_MANY_REQUESTS, DuoRefusal

AnswerKind = Literal[
    "server_error_json",
    "server_error_stat_ok",
    "unavailable_json",
    "bad_gateway_html",
    "bad_gateway_latin1",
    "html",
    "no_stat",
    "fail_with_200",
    "json_list",
    "response_null",
    "response_string",
    "response_list",
    "redirect",
]

IdTokenFault = Literal[
    "wrong_signature",
    "wrong_algorithm",
    "wrong_issuer",
    "wrong_audience",
    "audience_list",
    "expired",
    "issued_in_future",
    "not_yet_valid",
    "no_expiry",
    "no_issued_at",
    "no_username",
    "other_user",
    "other_case",
    "no_nonce",
    "other_nonce",
    "result_deny",
    "no_auth_result",
    "subject_not_a_string",
    "jti_not_a_string",
    "no_id_token",
]

CallbackFault = Literal["error", "no_state", "wrong_state", "no_code", "wrong_code", "used_code"]

ANSWER_KINDS: tuple[AnswerKind, ...] = get_args(AnswerKind)
ID_TOKEN_FAULTS: tuple[IdTokenFault, ...] = get_args(IdTokenFault)
CALLBACK_FAULTS: tuple[CallbackFault, ...] = get_args(CallbackFault)


@dataclass(frozen=True, slots=True)
class CannedAnswer:
    """An answer that is given without asking anybody."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...] = ()


_HTML = "text/html; charset=utf-8"
_JSON = "application/json; charset=utf-8"
_GATEWAY_PAGE = "<html><head><title>502 Bad Gateway</title></head><body><h1>Bad Gateway</h1></body></html>"

_CANNED: Mapping[AnswerKind, CannedAnswer] = {
    "server_error_json": CannedAnswer(
        500, _JSON, b'{"stat": "FAIL", "code": 50000, "message": "Internal server error"}'
    ),
    "server_error_stat_ok": CannedAnswer(500, _JSON, b'{"stat": "OK", "response": {"timestamp": 0, "time": 0}}'),
    "unavailable_json": CannedAnswer(503, _JSON, b'{"error": "service unavailable"}'),
    "bad_gateway_html": CannedAnswer(502, _HTML, _GATEWAY_PAGE.encode()),
    "bad_gateway_latin1": CannedAnswer(
        502, "text/html; charset=iso-8859-1", "<p>Zugang gest\xf6rt</p>".encode("latin-1")
    ),
    "html": CannedAnswer(200, _HTML, b"<html><body><p>Please log in to the guest network.</p></body></html>"),
    "no_stat": CannedAnswer(200, _JSON, b'{"response": {"time": 0}}'),
    "fail_with_200": CannedAnswer(
        200, _JSON, b'{"stat": "FAIL", "code": 40002, "message": "Invalid request parameters"}'
    ),
    "json_list": CannedAnswer(200, _JSON, b'["stat", "OK"]'),
    "response_null": CannedAnswer(200, _JSON, b'{"stat": "OK", "response": null}'),
    "response_string": CannedAnswer(200, _JSON, b'{"stat": "OK", "response": "soon"}'),
    "response_list": CannedAnswer(200, _JSON, b'{"stat": "OK", "response": []}'),
    "redirect": CannedAnswer(302, _HTML, b"<p>Elsewhere</p>", (("Location", "/elsewhere"),)),
}


@dataclass(slots=True)
class _Rule:
    path: str
    effect: CannedAnswer | DuoRefusal
    left: int | None


class DuoFaults:
    """Switches of the simulated Duo.

    Paths are exact (``/auth/v2/preauth``) or ``*`` for every API path. ``times`` counts requests; None means until
    :meth:`clear`. The first rule that fits a request is taken.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[_Rule] = []
        self._overwritten: dict[str, dict[str, object]] = {}
        self.clock_offset = 0.0
        """Seconds by which the server's idea of the present is wrong, for dates, tokens and ``ping``."""
        self.id_token: IdTokenFault | None = None
        """What is wrong with every id_token."""
        self.callback: CallbackFault | None = None
        """What is wrong with every return from the prompt."""

    def answer(self, path: str, kind: AnswerKind | CannedAnswer, times: int | None = None) -> None:
        """Give a canned answer instead of the right one, before any signature is looked at."""
        self._add(path, kind if isinstance(kind, CannedAnswer) else _CANNED[kind], times)

    def refuse(
        self,
        path: str,
        api_code: int,
        detail: str | None = None,
        times: int | None = None,
        *,
        retry_after: int | None = None,
    ) -> None:
        """Refuse calls that are correctly signed with one of Duo's five-digit codes.

        On OAuth paths, whose own errors look different, this is an Auth API error body all the same: it is what
        their infrastructure answers.
        """
        self._add(path, DuoRefusal(api_code, detail, retry_after), times)

    def rate_limit(self, path: str = "*", times: int | None = None, *, retry_after: int | None = None) -> None:
        """Answer 429 to calls that are correctly signed.

        :param retry_after: seconds to name in ``Retry-After``, which some clients honour; None leaves it out.
        """
        self.refuse(path, TOO_MANY_REQUESTS, times=times, retry_after=retry_after)

    def break_down(self, path: str = "*", times: int | None = None) -> None:
        """Answer 500 to calls that are correctly signed."""
        self.refuse(path, INTERNAL_ERROR, times=times)

    def overwrite(self, path: str, members: Mapping[str, object]) -> None:
        """Change members of every right answer: a result nobody has heard of, a text that wants to be markup.

        :param members: of ``response``, with their new values; None takes a member away. An empty mapping changes
            nothing any more.
        """
        with self._lock:
            self._overwritten[path] = dict(members)

    def clear(self) -> None:
        """Take every switch back."""
        with self._lock:
            self._rules.clear()
            self._overwritten.clear()
        self.clock_offset = 0.0
        self.id_token = None
        self.callback = None

    def spoiled(self, path: str, response: Mapping[str, object]) -> dict[str, object]:
        """Return an answer with what was to be overwritten in it."""
        with self._lock:
            members = self._overwritten.get(path, self._overwritten.get("*", {}))
        absent = {name for name, value in members.items() if value is None}
        return {name: value for name, value in {**response, **members}.items() if name not in absent}

    def canned(self, path: str) -> CannedAnswer | None:
        """Return the canned answer for a request and count it."""
        effect = self._take(path, CannedAnswer)
        return effect if isinstance(effect, CannedAnswer) else None

    def check_refusal(self, path: str) -> None:
        """Count a correctly signed request.

        :raises DuoRefusal: when it is to be refused.
        """
        effect = self._take(path, DuoRefusal)
        if isinstance(effect, DuoRefusal):
            raise DuoRefusal(effect.api_code, effect.detail, effect.retry_after)

    def _take(self, path: str, kind: type[CannedAnswer] | type[DuoRefusal]) -> CannedAnswer | DuoRefusal | None:
        with self._lock:
            for rule in self._rules:
                if rule.path in ("*", path) and isinstance(rule.effect, kind):
                    if rule.left is not None:
                        rule.left -= 1
                        if rule.left == 0:
                            self._rules.remove(rule)
                    return rule.effect
        return None

    def _add(self, path: str, effect: CannedAnswer | DuoRefusal, times: int | None) -> None:
        if times is not None and times < 1:
            raise ValueError("times must be at least 1")
        with self._lock:
            self._rules.append(_Rule(path, effect, times))
