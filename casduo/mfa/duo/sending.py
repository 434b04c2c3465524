"""Sends a push or call: the person's place is taken first, and what Duo sent is noted and queued for the workers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from casduo.mfa.duo.errors import DuoFailure
from casduo.mfa.duo.gateway import DuoGateway, VerifiedPush
from casduo.mfa.duo.pushes import Opening, Pushes, PushName, PushRequest

_PERHAPS_SENT = frozenset({"timeout", "deadline", "reset", "unreadable", "too_large"})
"""Failures after which a device may ring all the same."""


def send_push(
    gateway: DuoGateway,
    pushes: Pushes,
    request: PushRequest,
    device: str,
    *,
    info: Mapping[str, str],
    verified: VerifiedPush | None,
    now: float,
    instead: PushName | None = None,
) -> Opening:
    """Send what ``request`` describes, and return what became of that. Nothing was sent unless it is ``opened``.

    :param device: the device's id at Duo
    :param info: what the device shows; see :meth:`~casduo.mfa.duo.gateway.DuoGateway.push`
    :param verified: as preauth had it; calls have none
    :param now: epoch seconds
    :param instead: the former push of the same login
    :raises DuoFailure: Duo sent none, as far as is known; if it may have, that counts against the limit
    :raises UpstreamUnavailable: Redis
    """
    verified = verified if request.factor == "push" else None
    if verified is not None:
        request = replace(request, code=verified.code)
    opening = pushes.open(request, now, instead=instead)
    name = opening.name
    if name is None:
        return opening
    try:
        transaction = gateway.push(
            request.principal, request.address, device, factor=request.factor, info=info, verified=verified
        )
    except DuoFailure as failure:
        if failure.detail in _PERHAPS_SENT:
            # It counts, and nobody can follow it.
            pushes.drop(name)
        else:
            pushes.failed(name)
        raise
    pushes.sent(name, transaction, now)
    return opening
