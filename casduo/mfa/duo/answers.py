"""What Duo's good answers say, as casduo's own values. Pure, and distrustful: Duo may add values and fields any day."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from casduo.mfa.duo.errors import DuoUnavailable
from casduo.mfa.duo.gateway import Device, Preauth, PreauthResult, Verdict

_log = logging.getLogger(__name__)

_LONGEST_TEXT = 500
_NOTHING: Mapping[str, object] = {}


def read_time(response: object) -> float:
    """Return the epoch second in the answer to ``ping`` or ``check``.

    :raises DuoUnavailable: there is none.
    """
    time = _mapping(response).get("time")
    if not isinstance(time, int) or time <= 0:
        raise DuoUnavailable("unreadable", "Duo's answer to ping does not hold the time.", may_fail_open=True)
    return float(time)


def read_preauth(response: object) -> Preauth:
    """Return what ``preauth`` answered. A result that is missing or unknown counts as deny, and is logged.

    :raises DuoUnavailable: the answer is not an object.
    """
    if not isinstance(response, Mapping):
        raise DuoUnavailable("unreadable", "Duo's answer to preauth is not an object.", may_fail_open=True)
    word = response.get("result")
    try:
        result = PreauthResult(str(word))
    except ValueError:
        _log.warning("Duo's preauth knows a result that casduo does not; taken for a refusal")
        result = PreauthResult.DENY
    return Preauth(
        result,
        _text(response.get("status_msg")),
        tuple(_device(each) for each in _sequence(response.get("devices")) if _is_device(each)),
        _https_url(response.get("enroll_portal_url")),
    )


def read_verdict(token: Mapping[str, object]) -> Verdict:
    """Return what a verified id_token says. Only ``auth_result.result == "allow"`` allows; the library never looks."""
    result = _mapping(token.get("auth_result"))
    context = _mapping(token.get("auth_context"))
    return Verdict(
        allowed=result.get("result") == "allow",
        status=_text(result.get("status")),
        status_message=_text(result.get("status_msg")),
        factor=_text(context.get("factor")),
        txid=_text(context.get("txid")),
        reason=_text(context.get("reason")),
    )


def read_passcode(response: object) -> Verdict:
    """Return what ``auth`` answered about a passcode. Only ``result == "allow"`` allows, and not to somebody whom Duo
    lets pass unasked: for those it looks at no passcode.

    :raises DuoUnavailable: the answer is not an object.
    """
    if not isinstance(response, Mapping):
        raise DuoUnavailable("unreadable", "Duo's answer to auth is not an object.")
    status = _text(response.get("status"))
    return Verdict(
        allowed=response.get("result") == "allow" and status != "bypass",
        status=status,
        status_message=_text(response.get("status_msg")),
        factor="passcode",
    )


def _is_device(each: object) -> bool:
    return bool(_text(_mapping(each).get("device")))


def _device(each: object) -> Device:
    fields = _mapping(each)
    return Device(
        id=_text(fields.get("device")),
        kind=_text(fields.get("type")),
        label=_text(fields.get("display_name")) or _text(fields.get("name")) or _text(fields.get("number")),
        capabilities=frozenset(_text(word) for word in _sequence(fields.get("capabilities"))),
    )


def _text(value: object) -> str:
    """A string fit to be shown and logged: one line, no control characters, of bounded length."""
    if not isinstance(value, str):
        return ""
    return "".join(each if each.isprintable() else " " for each in value[:_LONGEST_TEXT]).strip()


def _https_url(value: object) -> str | None:
    if not isinstance(value, str):
        return None
    try:
        url = urlsplit(value)
    except ValueError:
        return None
    return value if url.scheme == "https" and url.hostname and _text(value) == value else None


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else _NOTHING


def _sequence(value: object) -> Sequence[object]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()
