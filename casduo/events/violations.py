"""Which events are themselves the violation of a rule that somebody should look at. Pure."""

from __future__ import annotations

from casduo.account.events import SignInDisowned
from casduo.events.model import DuoAnswered, Event, PolicyViolation


def violation_in(event: Event) -> PolicyViolation | None:
    """Return the violation that ``event`` amounts to, ``None`` for none."""
    if isinstance(event, DuoAnswered) and event.outcome == "fraud":
        return PolicyViolation(event.about, rule="fraud", detail=event.detail)
    if isinstance(event, SignInDisowned) and not event.guessed:
        detail = f"the sign-in of {event.when} from {event.origin or 'an unknown address'} was not theirs"
        return PolicyViolation(event.about, rule="disowned", detail=detail)
    return None
