"""Codes of verified pushes that were handed out before the push is sent.

Source: Duo's Auth API documentation, "/preauth" (``client_supports_verified_push``) and "/auth" (``txid``).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from casduo.simulators.duo.passcodes import random_digits
from casduo.simulators.duo.transactions import new_txid


@dataclass(frozen=True, slots=True)
class Verification:
    """What ``preauth`` tells a login page that is going to send a verified push.

    :param txid: names the push that ``auth`` is asked for; for one push.
    :param code: the digits the page shows and the person types into the phone.
    :param expires: epoch seconds; ``txid`` is no use from then on.
    """

    txid: str
    code: str = field(repr=False)
    username: str
    expires: float


@dataclass(slots=True)
class Verifications:
    """The codes that are out. Not thread-safe: the caller holds a lock."""

    _open: dict[str, Verification] = field(default_factory=dict, repr=False)

    def prepare(self, username: str, digits: int, expires: float, now: float) -> Verification:
        """Make a code of so many digits for a user."""
        self._open = {txid: each for txid, each in self._open.items() if now < each.expires}
        verification = Verification(new_txid(), random_digits(digits), username, expires)
        self._open[verification.txid] = verification
        return verification

    def take(self, txid: str, username: str, now: float) -> Verification | None:
        """Use up a code; None when it is unknown, used, run out or somebody else's."""
        found = self._open.get(txid)
        if found is None or found.username != username or found.expires <= now:
            return None
        return self._open.pop(txid)
