"""Sending a push: what Duo may have sent counts against the limit, what it surely has not does not."""

from __future__ import annotations

import pytest

from casduo.mfa.duo.errors import DuoBadParameter, DuoFailure, DuoUnavailable
from casduo.mfa.duo.gateway import NullDuoGateway
from casduo.mfa.duo.pushes import Opening, Pushes, PushLimits, PushRequest
from casduo.mfa.duo.sending import send_push
from casduo.store import Store

NOW = 1_790_000_000.0
ADA = PushRequest("ada", "", "payroll", "push", "iPhone", "192.0.2.7")


class Failing(NullDuoGateway):
    """A Duo that fails in one way."""

    def __init__(self, failure: DuoFailure) -> None:
        self.failure = failure

    def push(self, *_: object, **__: object) -> str:
        raise self.failure


def try_once(pushes: Pushes, failure: DuoFailure) -> Opening:
    return send_push(Failing(failure), pushes, ADA, "DP1", info={}, verified=None, now=NOW)


@pytest.mark.parametrize(
    ("failure", "counts"),
    [
        (DuoUnavailable("timeout"), True),
        (DuoUnavailable("reset"), True),
        (DuoUnavailable("refused"), False),
        (DuoUnavailable("breaker_open"), False),
        (DuoBadParameter("device"), False),
    ],
)
def test_only_what_a_device_may_show_counts(any_store: Store, failure: DuoFailure, counts: bool) -> None:
    pushes = Pushes(any_store, lambda batch: batch.command("EVAL", "return 1", 0), PushLimits(most=1))
    with pytest.raises(type(failure)):
        try_once(pushes, failure)
    # Either way the place is free again.
    if counts:
        assert try_once(pushes, failure).outcome == "limited"
    else:
        with pytest.raises(type(failure)):
            try_once(pushes, failure)
