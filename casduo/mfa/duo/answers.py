"""What Duo's good answers say, as casduo's own values. Pure, and distrustful: Duo may add values and fields any day."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

from casduo.mfa.duo.errors import DuoUnavailable
from casduo.mfa.duo.gateway import (
    Device,
    Enrollment,
    EnrollmentState,
    Preauth,
    PreauthResult,
    PushStatus,
    Verdict,
    VerifiedPush,
)

_log = logging.getLogger(__name__)

_LONGEST_TEXT = 500
_LAST_MOMENT = 10**11
_CODE = re.compile(r"[A-Za-z0-9]{1,20}", re.ASCII)
_NOTHING: Mapping[str, object] = {}


def read_time(response: object) -> float:
    """Return the epoch second in the answer to ``ping`` or ``check``.

    :raises DuoUnavailable: there is none.
    """
    time = _epoch(_mapping(response).get("time"))
    if not time:
        raise DuoUnavailable("unreadable", "Duo's answer to ping does not hold the time.", may_fail_open=True)
    return time


def read_preauth(response: object) -> Preauth:
    """Return what ``preauth`` answered. A result that is missing or unknown counts as deny, and is logged.

    :raises DuoUnavailable: the answer is not an object.
    """
    if not isinstance(response, Mapping):
        raise DuoUnavailable("unreadable", "Duo's answer to preauth is not an object.", may_fail_open=True)
    word = response.get("result")
    result = next((each for each in PreauthResult if each == word), None)
    if result is None:
        _log.warning("Duo's preauth knows a result that casduo does not; taken for a refusal")
        result = PreauthResult.DENY
    return Preauth(
        result,
        _text(response.get("status_msg")),
        tuple(_device(each) for each in _sequence(response.get("devices")) if _is_device(each)),
        _https_url(response.get("enroll_portal_url")),
        _verified_push(response) if result is PreauthResult.AUTH else None,
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


def read_transaction(response: object) -> str:
    """Return the transaction id in the answer to an ``auth`` that does not wait.

    :raises DuoUnavailable: there is none, or what came could not be one.
    """
    transaction = _word(_mapping(response).get("txid"))
    if not transaction:
        raise DuoUnavailable("unreadable", "Duo's answer to auth does not hold a transaction.")
    return transaction


def read_push_status(response: Mapping[str, object]) -> PushStatus:
    """Return what ``auth_status`` answered, as duo_client tells it: ``result`` has become ``waiting`` and ``success``.

    What is neither waiting nor a success is a refusal. A time-out is an end whatever the result beside it says; and
    "bypass" is no success: nobody was asked.
    """
    status = _text(response.get("status"))
    waiting = response.get("waiting") is True and status != "timeout"
    return PushStatus(
        waiting=waiting,
        allowed=not waiting and response.get("success") is True and status != "bypass",
        status=status,
        status_message=_text(response.get("status_msg")),
    )


def read_codes(response: object) -> Verdict:
    """Return what ``auth`` answered when it was to send passcodes. That allows nobody, whatever it says.

    :raises DuoUnavailable: the answer is not an object.
    """
    if not isinstance(response, Mapping):
        raise DuoUnavailable("unreadable", "Duo's answer to auth is not an object.")
    return Verdict(False, _text(response.get("status")), _text(response.get("status_msg")), factor="sms")


def read_enrollment(response: object) -> Enrollment:
    """Return what ``enroll`` answered.

    :raises DuoUnavailable: it lacks what a phone or the question for the state needs.
    """
    fields = _mapping(response)
    user_id, code, expires_at = (
        _word(fields.get("user_id")),
        _word(fields.get("activation_code")),
        _epoch(fields.get("expiration")),
    )
    if not user_id or not code or not expires_at:
        raise DuoUnavailable("unreadable", "Duo's answer to enroll does not hold what a phone needs.")
    return Enrollment(user_id, code, _https_url(fields.get("activation_url")) or "", expires_at)


def read_enrollment_state(response: object) -> EnrollmentState:
    """Return what ``enroll_status`` answered.

    :raises DuoUnavailable: it is no word that we know.
    """
    state = next((each for each in EnrollmentState if each == response), None)
    if state is None:
        raise DuoUnavailable("unreadable", "Duo's answer to enroll_status is no state that casduo knows.")
    return state


def _verified_push(response: Mapping[str, object]) -> VerifiedPush | None:
    transaction, code = _word(response.get("txid")), response.get("verification_code")
    if not transaction or not isinstance(code, str) or not _CODE.fullmatch(code):
        return None
    return VerifiedPush(transaction, code)


def _is_device(each: object) -> bool:
    return bool(_text(_mapping(each).get("device")))


def _device(each: object) -> Device:
    fields = _mapping(each)
    return Device(
        id=_text(fields.get("device")),
        kind=_text(fields.get("type")),
        label=_text(fields.get("display_name")) or _text(fields.get("name")) or _text(fields.get("number")),
        capabilities=frozenset(_text(word) for word in _sequence(fields.get("capabilities"))) - {""},
    )


def _text(value: object) -> str:
    """A string fit to be shown and logged: one line, no control characters, of bounded length."""
    if not isinstance(value, str):
        return ""
    return "".join(each if each.isprintable() else " " for each in value[:_LONGEST_TEXT]).strip()


def _word(value: object) -> str:
    """An identifier or code to be sent back to Duo as it came; empty for anything else."""
    return value if isinstance(value, str) and value.isascii() and _text(value) == value and " " not in value else ""


def _epoch(value: object) -> float:
    """A moment in epoch seconds; 0 for anything else."""
    return float(value) if isinstance(value, int) and 0 < value < _LAST_MOMENT else 0.0


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
