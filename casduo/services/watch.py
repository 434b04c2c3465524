"""Keeps the registry current while the server runs: watches the file, takes what is good, keeps the last good state."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path

from casduo.clock import Clock, system_clock
from casduo.errors import Problem, SettingsError
from casduo.services.builtin import with_builtin
from casduo.services.file import read_registry, registry_version
from casduo.services.index import Registry
from casduo.settings import Settings
from casduo.yamlfile import read_bytes

Listener = Callable[[str, Mapping[str, object]], None]
"""Is told ``registry.changed`` (facts ``version``, ``services``) or ``registry.rejected`` (facts ``version`` of the
state that stays, ``problems``, ``first``). Called from the watching thread.
"""

CHANGED = "registry.changed"
REJECTED = "registry.rejected"

DEFAULT_INTERVAL = 1.0

_SETTLE = 0.1
"""Seconds without a further change after which a changed file counts as written to its end."""

_SETTLE_ROUNDS = 5
_YOUNG = 2.0
"""Seconds. A file can change twice within one tick of the file system's clock, so the marks of a file that was this
young when it was read prove nothing; its content is compared again.
"""

_Marks = tuple[int, int, int, int, int]


class RegistrySource:
    """The registry of one file, current within two seconds of a change, with the server's own services.

    Reading the registry costs one attribute. A file that becomes unusable changes nothing but ``problems``.

    :param path: the registry file
    :param settings: to check references against; its ``registry_reload`` is the interval
    :param clock: for ``loaded_at`` and the age of the file
    :param settle: seconds to wait for a writer to finish
    :raises SettingsError: the file cannot be used at the start
    """

    def __init__(
        self, path: Path, settings: Settings | None = None, clock: Clock = system_clock, *, settle: float = _SETTLE
    ) -> None:
        self.path = path
        self._settings = settings
        self._clock = clock
        self._settle = settle
        self._interval = settings.registry_reload if settings is not None else DEFAULT_INTERVAL
        self._listeners: list[Listener] = []
        self._stopped = threading.Event()
        self._thread: threading.Thread | None = None
        self._missed = 0
        self.problems: tuple[Problem, ...] = ()
        """What is wrong with the file as it is now; empty while it is in use."""

        marks, read_at = _marks(path), clock()
        content = read_bytes(path)
        reading = read_registry(content, str(path), settings)
        if reading.registry is None:
            raise SettingsError(reading.problems)
        self._registry = with_builtin(reading.registry, settings)
        self.loaded_at = read_at
        """When the present state was read, in epoch seconds."""
        self._seen = registry_version(content)
        self._trusted_marks = self._trustworthy(marks, read_at)

    def current(self) -> Registry:
        """Return the last good registry."""
        return self._registry

    def listen(self, listener: Listener) -> None:
        """Have ``listener`` told about every change and every refusal from now on. It must not raise."""
        self._listeners.append(listener)

    def start(self) -> None:
        """Begin to watch, in a thread of its own. Once per process: threads do not survive a fork."""
        if self._thread is None:
            self._stopped.clear()
            self._thread = threading.Thread(target=self._watch, name="registry-watch", daemon=True)
            self._thread.start()

    def stop(self) -> None:
        """Stop watching and wait for the thread to end."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None

    def poll(self) -> bool:
        """Look at the file once. Returns whether a new registry was taken over."""
        marks = _marks(self.path)
        if marks is not None and marks == self._trusted_marks:
            return False
        marks = self._settled(marks)
        read_at = self._clock()
        try:
            content = read_bytes(self.path)
        except SettingsError as error:
            self._trusted_marks = None
            self._unreadable(error.problems)
            return False
        self._missed = 0
        version = registry_version(content)
        changed = version != self._seen and self._take(content, version, read_at)
        if version == self._registry.version:
            self.problems = ()
        self._seen = version
        self._trusted_marks = self._trustworthy(marks, read_at)
        return changed

    def _take(self, content: bytes, version: str, read_at: float) -> bool:
        if version == self._registry.version:
            # A mistake was taken back; what is in use was the good state all along.
            return False
        reading = read_registry(content, str(self.path), self._settings)
        if reading.registry is None:
            self._reject(reading.problems)
            return False
        self._registry = with_builtin(reading.registry, self._settings)
        self.loaded_at = read_at
        self.problems = ()
        self._tell(CHANGED, {"version": version, "services": len(reading.registry.services)})
        return True

    def _unreadable(self, problems: tuple[Problem, ...]) -> None:
        # Editors and deployments take a file away before they put the new one there: the first miss says nothing.
        self._missed += 1
        self._seen = ""
        if self._missed == 2:
            self._reject(problems)

    def _reject(self, problems: tuple[Problem, ...]) -> None:
        self.problems = problems
        facts = {"version": self._registry.version, "problems": len(problems), "first": str(problems[0])}
        self._tell(REJECTED, facts)

    def _tell(self, event: str, facts: Mapping[str, object]) -> None:
        for listener in self._listeners:
            listener(event, facts)

    def _settled(self, marks: _Marks | None) -> _Marks | None:
        """Wait until the file has stopped changing, but not for ever, and return its marks."""
        for _ in range(_SETTLE_ROUNDS):
            if self._settle <= 0 or self._stopped.wait(self._settle):
                break
            before, marks = marks, _marks(self.path)
            if marks == before:
                break
        return marks

    def _trustworthy(self, marks: _Marks | None, read_at: float) -> _Marks | None:
        if marks is None or read_at - marks[0] / 1e9 < _YOUNG:
            return None
        return marks

    def _watch(self) -> None:
        while not self._stopped.wait(self._interval):
            try:
                self.poll()
            except Exception as error:
                # A mistake of ours must not end the watch unnoticed.
                message = f"could not be looked at: {type(error).__name__}"
                self.problems = (Problem(str(self.path), 0, 0, "", message),)


def _marks(path: Path) -> _Marks | None:
    """Return what tells one state of a file from another without reading it; ``None`` if it is not there."""
    try:
        facts = path.stat()
    except (OSError, ValueError):
        return None
    return facts.st_mtime_ns, facts.st_ctime_ns, facts.st_size, facts.st_ino, facts.st_dev
