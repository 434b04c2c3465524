"""UCM as a worker asks it: put together when it is first needed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from casduo.clock import Clock
from casduo.settings import Settings
from casduo.store import Store
from casduo.ucm.errors import UcmMisconfigured
from casduo.ucm.interfaces import PhoneLogins, PhoneRegistry

if TYPE_CHECKING:
    from casduo.ucm.build import Ucm


class UcmAtWork:
    """The UCM of the settings. Nobody is asked, and what speaks SOAP is not even imported, before it is needed: most
    workers have nothing to do there and stay small.
    """

    def __init__(self, settings: Settings, clock: Clock, store: Store) -> None:
        self._settings = settings
        self._clock = clock
        self._store = store
        self._lock = threading.Lock()
        self._ucm: Ucm | None = None

    @property
    def logins(self) -> PhoneLogins:
        """Who is logged in where.

        :raises UcmMisconfigured: the settings name no UCM, or cannot work
        """
        return self._built().logins

    @property
    def phones(self) -> PhoneRegistry:
        """Where phones are registered.

        :raises UcmMisconfigured: the settings do not want to know, or cannot work
        """
        phones = self._built().phones
        if phones is None:
            raise UcmMisconfigured("ucm", "not_set_up")
        return phones

    def _built(self) -> Ucm:
        with self._lock:
            if self._ucm is None:
                self._ucm = self._build()
            return self._ucm

    def _build(self) -> Ucm:
        from casduo.store.breakers import RedisBreakerMemory
        from casduo.ucm.build import build_ucm

        ucm = build_ucm(self._settings, self._clock, RedisBreakerMemory(self._store))
        if ucm is None:
            raise UcmMisconfigured("ucm", "not_set_up")
        return ucm
