"""Whether this process should be sent people, for whatever stands in front of it: asked often, it has to cost little.

Not ready is a process without Redis, for it can do nothing at all; and one that is about to end. Nothing else counts:

* A directory or Duo that is down is down for all nodes. To take them all out of rotation would end what still works,
  validations and sign-ins on live sessions, and show people a proxy's page instead of ours.
* A registry file that cannot be used leaves the last good state in force, which serves.

Both are told all the same to whoever may know.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from casduo.clock import Clock
from casduo.errors import UpstreamError
from casduo.outbound import Shared
from casduo.services.watch import RegistrySource

KEEP: Final = 1.0
"""Seconds for which an answer of Redis is given out again, so that probes are no way to keep it busy."""
PATIENCE: Final = 1.0
"""Seconds that Redis has to answer; those who probe seldom wait for longer."""


@dataclass(frozen=True, slots=True)
class Dependency:
    """Something that this process depends on.

    :param state: ``ok``, or a word for what is wrong
    :param reason: why, and what it means; empty if nothing is wrong
    :param required: without it the process is not ready
    """

    name: str
    state: str
    reason: str = ""
    required: bool = False

    @property
    def line(self) -> str:
        """In words, on one line."""
        return f"{self.name}: {self.state}{f' ({self.reason})' if self.reason else ''}"


@dataclass(frozen=True, slots=True)
class Standing:
    """How it is with all of them."""

    dependencies: tuple[Dependency, ...]

    @property
    def word(self) -> str:
        """``ok``, or what is in the way: ``draining``, ``redis``."""
        stands_in_the_way = [each for each in self.dependencies if each.required and each.state != "ok"]
        return (stands_in_the_way[0].name if stands_in_the_way else "") or "ok"

    @property
    def ready(self) -> bool:
        """Whether nothing is in the way."""
        return self.word == "ok"


class Readiness:
    """Says whether this process is ready. Safe to share by threads.

    :param ping: asks Redis whether it answers, within :data:`PATIENCE`
    :param services: the registry
    :param reachable: by the name of each handler that asks others for passwords: whether any of those answers, as the
        calls of late tell; asks nobody
    :param clock: epoch seconds
    """

    def __init__(
        self,
        ping: Callable[[], None],
        services: RegistrySource,
        reachable: Callable[[], Mapping[str, bool]],
        clock: Clock,
    ) -> None:
        self._ping = ping
        self._services = services
        self._reachable = reachable
        self._shared: Shared[Dependency] = Shared(
            self._ask_redis, keep=KEEP, is_good=lambda found: True, clock=clock, patience=4 * PATIENCE
        )

    def standing(self, *, draining: bool) -> Standing:
        """Return how it is with everything that this process depends on.

        :param draining: whether the process is about to end
        """
        return Standing(tuple(self._dependencies(draining)))

    def _dependencies(self, draining: bool) -> Iterator[Dependency]:
        if draining:
            yield Dependency("draining", "yes", "this process ends; others serve", required=True)
        yield self._redis()
        yield self._registry()
        yield from self._handlers()

    def _redis(self) -> Dependency:
        try:
            return self._shared.get()
        except TimeoutError:
            return Dependency("redis", "timeout", "it has not answered yet", required=True)

    def _ask_redis(self) -> Dependency:
        try:
            self._ping()
        except UpstreamError as error:
            why = f"does not answer: {error.detail}; nobody can sign in and no ticket can be validated"
            return Dependency("redis", "unavailable", why, required=True)
        return Dependency("redis", "ok", required=True)

    def _registry(self) -> Dependency:
        version = self._services.current().version
        if self._services.problems:
            why = f"the file has changed and cannot be used; state {version} stays in force; run casduo check"
            return Dependency("registry", "rejected", why)
        return Dependency("registry", "ok", f"state {version}")

    def _handlers(self) -> Iterator[Dependency]:
        for name, answers in self._reachable().items():
            why = "" if answers else "no server of it has answered of late; live sessions and validations go on"
            yield Dependency(f"authentication {name}", "ok" if answers else "unavailable", why)
