"""Who is logged in on which phone, as each node of the cluster sees it: a write takes its time to reach the others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Interface = Literal["axl", "em", "hand"]


@dataclass(frozen=True, slots=True)
class Login:
    """Somebody on a phone. Times are epoch seconds; ``ends_at`` None: until they log out."""

    device: str
    user: str
    profile: str
    since: float
    ends_at: float | None = None
    by: Interface = "hand"
    duration: int = 0
    """``loginDuration`` as AXL was told, which has no effect."""


@dataclass(frozen=True, slots=True)
class _Write:
    node: int
    at: float
    login: Login | None


class Logins:
    """The logins of a cluster. Not locked: the cluster does that."""

    def __init__(self) -> None:
        self._writes: dict[str, list[_Write]] = {}

    def on(self, device: str, node: int | None, now: float, delay: float) -> Login | None:
        """Return who is on a phone.

        :param node: as this node sees it; None as it is
        :param delay: seconds a write needs to reach other nodes
        """
        for write in reversed(self._writes.get(device, ())):
            if node is None or write.node == node or now >= write.at + delay:
                return write.login
        return None

    def of(self, user: str, node: int | None, now: float, delay: float) -> list[Login]:
        """Return where somebody is logged in, the longest login first."""
        seen = (self.on(device, node, now, delay) for device in self._writes)
        return sorted((login for login in seen if login and login.user == user), key=lambda login: login.since)

    def all(self) -> list[Login]:
        """Return every login as it is."""
        return [writes[-1].login for writes in self._writes.values() if writes[-1].login is not None]

    def write(self, device: str, login: Login | None, node: int, now: float, delay: float) -> None:
        """Log somebody in, or with None out, on a node."""
        writes = self._writes.setdefault(device, [])
        # What every node has is the oldest state anybody can still see.
        settled = max((place for place, write in enumerate(writes) if now >= write.at + delay), default=0)
        del writes[:settled]
        writes.append(_Write(node, now, login))

    def forget(self, device: str) -> None:
        """Forget a phone."""
        self._writes.pop(device, None)
