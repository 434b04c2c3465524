"""What is to become of a message that Webex did not take. Pure."""

from __future__ import annotations

from casduo.events.messages import NotDelivered
from casduo.webex.errors import (
    WebexError,
    WebexLeftAlone,
    WebexLocked,
    WebexMisconfigured,
    WebexThrottled,
    WebexUnavailable,
)


def remedy_for(error: WebexError) -> NotDelivered:
    """Return what helps against an error.

    ====================================  ======================================================
    401, certificates, our own settings   ``stop``: nothing is sent before somebody has looked
    429                                   ``pause``: nobody sends until then
    the breaker is open                   ``pause``: Webex is away, and no message is to blame
    423                                   ``retry`` of this one, not before what it asks for
    5xx, time-outs, no connection         ``retry`` of this one
    400, 403, 404, 405, 409, 410, 415 ..  ``never``
    ====================================  ======================================================
    """
    match error:
        case WebexLeftAlone():
            return NotDelivered("pause", error.after, False, error.status, error.told)
        case WebexUnavailable():
            return NotDelivered("retry", error.after, error.ambiguous, error.status, error.told)
        case WebexThrottled():
            return NotDelivered("pause", error.after, False, error.status, error.told)
        case WebexLocked():
            return NotDelivered("retry", error.after, False, error.status, error.told)
        case WebexMisconfigured():
            return NotDelivered("stop", 0.0, False, error.status, error.told)
    return NotDelivered("never", 0.0, False, error.status, error.told)
