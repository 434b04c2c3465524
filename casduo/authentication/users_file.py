"""The handler for users kept in a YAML file: for one machine, for the demo, and for accounts that outlive LDAP."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from casduo.authentication.lookup import KnownPerson
from casduo.authentication.model import Authenticated, Credential, Outcome, Principal, Reason, Rejected
from casduo.authentication.passwords import Argon2Settings, Passwords
from casduo.authentication.users_document import User, read_users
from casduo.errors import Problem, SettingsError

_LOOK_EVERY = 1.0
"""Seconds between two looks at whether the file has changed."""

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class UsersFileSettings:
    """Settings of one users file, meant for some thousand users at most: reading a hundred takes four milliseconds.

    :param path: the YAML file. It holds password hashes: mode 0600, owned by the user the server runs as.
    :param name: the handler's name.
    :param argon2: the cost of new hashes, and of the check spent on unknown users. Hashes made at another cost keep
        theirs until the next ``casduo users passwd``; until then they take measurably longer or shorter.
    :param max_waiting: how many hashes are computed at once; 0: the authenticator's limit.
    """

    path: Path
    name: str = "users_file"
    argon2: Argon2Settings = field(default_factory=Argon2Settings)
    max_waiting: int = 0


class UsersFile:
    """The users in a file, kept in memory and read again when the file changes.

    A file that becomes unreadable or wrong changes nothing: the last good users stay, and the log says so once.

    :raises SettingsError: there is no good file to begin with.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._looked_at = 0.0
        self._seen = _fingerprint(path)
        self._users = _load(path)
        if path.stat().st_mode & 0o077:
            _log.warning("users_file_open_to_others", file=str(path), advice="chmod 600")

    def users(self, now: float) -> Mapping[str, User]:
        """Return all users by name as they stand at ``now`` (epoch seconds), at most one second old."""
        # Whoever finds the lock taken goes on with the users of a moment ago instead of waiting for the disk.
        if abs(now - self._looked_at) >= _LOOK_EVERY and self._lock.acquire(blocking=False):
            try:
                self._looked_at = now
                self._look()
            finally:
                self._lock.release()
        return self._users

    def _look(self) -> None:
        seen = _fingerprint(self._path)
        if seen == self._seen:
            return
        self._seen = seen
        try:
            self._users = _load(self._path)
        except SettingsError as error:
            _log.error("users_file_not_reloaded", problems=[str(problem) for problem in error.problems])
        else:
            _log.info("users_file_reloaded", file=str(self._path), users=len(self._users))


class UsersFileHandler:
    """Checks passwords against a users file. Implements
    :class:`~casduo.authentication.handler.AuthenticationHandler` and
    :class:`~casduo.authentication.lookup.PrincipalLookup`.

    User names are compared letter by letter; the file itself cannot hold two that differ in case only.

    :param passwords: default: what ``settings.argon2`` makes.
    :raises SettingsError: the file cannot be used.
    """

    def __init__(self, settings: UsersFileSettings, passwords: Passwords | None = None) -> None:
        self._settings = settings
        self._file = UsersFile(settings.path)
        self._passwords = passwords if passwords is not None else Passwords(settings.argon2)

    @property
    def name(self) -> str:
        """The configured name."""
        return self._settings.name

    @property
    def max_waiting(self) -> int:
        """The configured limit."""
        return self._settings.max_waiting

    def authenticate(self, credential: Credential, now: float) -> Outcome:
        """See :meth:`AuthenticationHandler.authenticate`. One hash for a known user, none for an unknown one."""
        user = self._file.users(now).get(credential.username)
        if user is None:
            return Rejected("unknown", self.name)
        right = self._passwords.matches(user.password, credential.password)
        return judge(user, right, now, self.name)

    def spend(self, credential: Credential, now: float, *, asked: bool) -> None:
        """Compute one hash; the look into the file takes no time worth hiding."""
        self._passwords.spend(credential.password)

    def lookup(self, username: str, now: float) -> KnownPerson | None:
        """See :meth:`PrincipalLookup.lookup`."""
        user = self._file.users(now).get(username)
        return None if user is None else KnownPerson(_principal(user), refusal_of(user, now))


def judge(user: User, right: bool, now: float, handler: str) -> Outcome:
    """Return what becomes of ``user`` whose password was ``right`` or not, at ``now`` (epoch seconds)."""
    refusal = refusal_of(user, now)
    if refusal == "locked":
        return Rejected("locked", handler)
    if not right:
        return Rejected("wrong", handler)
    if refusal is not None:
        return Rejected(refusal, handler, proved=True)
    return Authenticated(_principal(user), handler)


def refusal_of(user: User, now: float) -> Reason | None:
    """Return why ``user`` is refused at ``now`` (epoch seconds) even with the right password; None: is not."""
    if user.locked:
        return "locked"
    if user.disabled:
        return "disabled"
    if user.expires is not None and now >= user.expires:
        return "expired"
    return "must_change" if user.must_change else None


def _principal(user: User) -> Principal:
    named = {"displayName": (user.name,)} if user.name else {}
    return Principal(user.username, named | dict(user.attributes))


def users_problems(path: Path) -> Sequence[Problem]:
    """Return what is wrong with the users file at ``path``.

    One that cannot be read is a note: whoever looks may be somebody else than the server, or on another machine.
    """
    try:
        text = _read(path)
    except SettingsError as error:
        return [replace(problem, level="note") for problem in error.problems]
    try:
        read_users(text, str(path))
    except SettingsError as error:
        return error.problems
    return ()


def _load(path: Path) -> Mapping[str, User]:
    return read_users(_read(path), str(path))


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise SettingsError((Problem(str(path), 0, 0, "", f"cannot be read: {reason}"),)) from None


def _fingerprint(path: Path) -> tuple[int, int, int] | None:
    """Return what changes when the file does: the inode catches a replacement within one tick of the file's clock."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
