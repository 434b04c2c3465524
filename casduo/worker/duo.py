"""Duo as a worker asks it: put together when it is first needed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from casduo.clock import Clock
from casduo.mfa.duo.gateway import DuoGateway
from casduo.settings import Settings
from casduo.store import Store

if TYPE_CHECKING:
    from casduo.mfa.duo.applications import DuoApplications


class DuoAtWork:
    """The Duo applications of the settings. Nobody is asked, and Duo's clients are not even imported, before one is
    needed: they take a fifth of the memory of a worker that has nothing to do.
    """

    def __init__(self, settings: Settings, clock: Clock, store: Store) -> None:
        self._settings = settings
        self._clock = clock
        self._store = store
        self._lock = threading.Lock()
        self._applications: DuoApplications | None = None

    def of(self, application: str) -> DuoGateway:
        """Return the gateway of an application; see :class:`~casduo.mfa.duo.applications.DuoApplications`.

        :raises DuoMisconfigured: the settings cannot work
        """
        with self._lock:
            if self._applications is None:
                self._applications = self._build()
        return self._applications.of(application)

    def _build(self) -> DuoApplications:
        from casduo.mfa.duo.applications import build_applications
        from casduo.store.breakers import RedisBreakerMemory

        return build_applications(self._settings, self._clock, RedisBreakerMemory(self._store), polling=True)
