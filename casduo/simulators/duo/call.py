"""A call of one of Duo's APIs: who calls, with which parameters, and what an endpoint is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from casduo.simulators.duo.errors import INVALID_PARAMETER, MISSING_PARAMETER, DuoRefusal
from casduo.simulators.duo.model import Application


@dataclass(slots=True)
class Call:
    """One call of the API by somebody whose signature was verified.

    :param now: the server's time in epoch seconds, for everything that lasts.
    :param wall: the time shown to and compared with the outside world.
    :param after_sent: registers what is to happen once the answer has left.
    """

    application: Application | None
    parameters: Mapping[str, str]
    now: float
    wall: float
    after_sent: Callable[[Callable[[], None]], None]

    def get(self, name: str) -> str:
        """Return a parameter, empty when absent."""
        return self.parameters.get(name, "")

    def require(self, name: str) -> str:
        """Return a parameter.

        :raises DuoRefusal: 40001 when it is absent or empty.
        """
        value = self.get(name)
        if not value:
            raise DuoRefusal(MISSING_PARAMETER, name)
        return value

    def flag(self, name: str) -> bool:
        """Return a yes-or-no parameter, in the forms clients send: 1, true."""
        return self.get(name).lower() in ("1", "true")

    def number(self, name: str, default: int, *, at_most: int) -> int:
        """Return a whole number from 0 to ``at_most``.

        :raises DuoRefusal: 40002 when it is anything else.
        """
        value = self.get(name)
        if not value:
            return default
        if not (value.isascii() and value.isdigit() and int(value) <= at_most):
            raise DuoRefusal(INVALID_PARAMETER, name)
        return int(value)

    @property
    def caller(self) -> Application:
        """The application that signed."""
        if self.application is None:
            raise RuntimeError("this endpoint takes unsigned calls")
        return self.application


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An endpoint: the method it takes, what it does, and whether it looks at the signature."""

    method: str
    handle: Callable[[Call], object]
    signed: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """A part of a list: what the Admin API answers to a question for many objects ("Response Paging").

    :param offset: how many objects come before this part.
    :param total: how many there are in all.
    """

    objects: list[dict[str, object]]
    offset: int
    limit: int
    total: int

    def metadata(self) -> dict[str, int]:
        """Return what stands beside the objects: how many there are, and where the neighbouring parts begin."""
        metadata = {"total_objects": self.total}
        if self.offset + self.limit < self.total:
            metadata["next_offset"] = self.offset + self.limit
        if self.offset:
            metadata["prev_offset"] = max(0, self.offset - self.limit)
        return metadata
