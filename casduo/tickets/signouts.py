"""Sign-outs: what waits to be told to services after a session has ended, and the queue of orders to tell it.

The step that ends a session sets its visits aside under the name of a sign-out, in the session's slot; an order with
that name is queued along with it. A worker takes orders and delivers; whoever takes one twice finds in the ledger what
has been done already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

from casduo.signing import random_text
from casduo.store import Batch
from casduo.store.streams import append

Cause = Literal["logout", "user", "administrator", "other_user", "renewed", "fraud", "rest", "approval_over"]
"""Why a session ended: by its person, on another device by its person, by an administrator, because somebody else or
the same person signed in in the same browser, because a sign-in was reported as fraud, by a program (REST), or, for one
service alone, because the time that access was approved for is over.
"""

KEPT_MS = 7 * 86400 * 1000
"""Milliseconds for which a sign-out and its ledger are kept while somebody is still to be told."""
SETTLED_MS = 360_000
"""The same once all are told: longer than the sign-out page asks for news, or another worker takes to look again."""
ORDERS = "casduo:{signouts}:orders"
"""The stream of orders."""
_MOST_ORDERS = 1_000_000


@dataclass(frozen=True, slots=True)
class SignOut:
    """One sign-out, by the slot tag of its session and a name of its own."""

    tag: str
    id: str

    @property
    def waiting_key(self) -> str:
        """The list of visits to tell."""
        return f"casduo:{{{self.tag}}}:signout:{self.id}"

    @property
    def ledger_key(self) -> str:
        """The hash of what became of them."""
        return f"casduo:{{{self.tag}}}:ledger:{self.id}"

    @property
    def text(self) -> str:
        """The name on one line; see ``parse``."""
        return f"{self.tag}.{self.id}"

    @classmethod
    def parse(cls, text: str) -> SignOut:
        """Return the sign-out of the name that ``text`` spells."""
        tag, _, name = text.partition(".")
        return cls(tag, name)


@dataclass(frozen=True, slots=True)
class Order:
    """The order to tell what waits under a sign-out; ``at`` is when the session ended, in epoch seconds."""

    sign_out: SignOut
    cause: Cause
    at: float


def new_sign_out(tag: str) -> SignOut:
    """Return a sign-out under a new name, in the slot of its session."""
    return SignOut(tag, random_text(22))


def add_sign_out(batch: Batch, sign_out: SignOut, cause: Cause, now: float) -> None:
    """Add the order to tell what waits under ``sign_out``."""
    append(batch, ORDERS, {"id": sign_out.text, "cause": cause, "at": f"{now:.3f}"}, _MOST_ORDERS, when_full=True)


def order_from(fields: Mapping[str, str]) -> Order:
    """Return the order that an entry of the stream tells of."""
    return Order(SignOut.parse(fields["id"]), cast(Cause, fields["cause"]), float(fields["at"]))
