"""What a users file may say: text in, users or every problem of the text out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from casduo.authentication.passwords import is_hash
from casduo.errors import Problem, SettingsError
from casduo.yamlfile import Document, KeyPath, parse_yaml

SIZE_LIMIT = 50_000_000
"""Bytes: some hundred thousand people, more than a file is good for."""

_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}")
_KEYS = frozenset({"password", "name", "attributes", "pin", "disabled", "locked", "must_change", "expires"})


@dataclass(frozen=True, slots=True)
class User:
    """One user of the file.

    :param password: Argon2id hash.
    :param name: the person's name for reading; released as ``displayName`` unless ``attributes`` has one.
    :param attributes: each with at least one value.
    :param pin: Argon2id hash of a telephone PIN; empty when there is none.
    :param expires: epoch seconds from which the password is no longer taken; None: never.
    """

    username: str
    password: str = field(repr=False)
    name: str = ""
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pin: str = field(default="", repr=False)
    disabled: bool = False
    locked: bool = False
    must_change: bool = False
    expires: float | None = None


def is_username(text: str) -> bool:
    """Return whether ``text`` can be a user's name: a letter or digit, then letters, digits and ``._@+-``, 128 at most.

    Names are plain ASCII, so that none of them looks like another one.
    """
    return _USERNAME.fullmatch(text) is not None


def read_users(text: str, file: str) -> Mapping[str, User]:
    """Return the users that ``text`` describes, by user name, read-only. A file that says nothing has none.

    :param file: how problems name the file.
    :raises SettingsError: with every problem, not only the first; no problem repeats a value that is secret.
    """
    try:
        document = parse_yaml(text.encode(errors="surrogatepass"), file, most=SIZE_LIMIT)
    except SettingsError as error:
        raise SettingsError(tuple(_told(problem) for problem in error.problems)) from None
    records = {} if document.data is None else document.data
    if not isinstance(records, dict):
        raise SettingsError((document.problem((), "expected user names, each with its record"),))
    reader = _Reader(document)
    users = {}
    for key, record in records.items():
        user = reader.user(key, record)
        if user is not None:
            users[user.username] = user
    if reader.problems:
        raise SettingsError(tuple(reader.problems))
    return MappingProxyType(users)


def _told(problem: Problem) -> Problem:
    """Return a problem of the text as YAML without what may be a password that nobody quoted, or half a hash."""
    message = problem.message
    if message.startswith("*"):
        message = "'*' stands for something above that is not there; put a text that begins with it into quotes"
    return replace(problem, path=problem.path and _shown(problem.path), message=message)


def _shown(key: str) -> str:
    # Half a hash becomes a key when somebody forgets to quote it; problems are logged.
    return key if re.fullmatch(r"[\w.@ +-]{1,32}", key) else "(key)"


class _Reader:
    """Reads one document and collects what is wrong with it."""

    def __init__(self, document: Document) -> None:
        self.problems: list[Problem] = []
        self._document = document
        self._folded: dict[str, str] = {}

    def user(self, key: str, record: Any) -> User | None:
        if not is_username(key):
            self._problem((key,), "not a user name: letters, digits and ._@+- are")
            return None
        other = self._folded.setdefault(key.lower(), key)
        if other != key:
            self._problem((key,), f"differs from {other!r} in upper and lower case only")
        if not isinstance(record, dict):
            self._problem((key,), "expected a record with a password")
            return None
        before = len(self.problems)
        for name in record:
            if name not in _KEYS:
                self._problem((key, name), f"unknown; known are {', '.join(sorted(_KEYS))}")
        user = User(
            username=key,
            password=self._hash(record, key, "password", required=True),
            name=self._text(record, key, "name"),
            attributes=self._attributes(record, key),
            pin=self._hash(record, key, "pin", required=False),
            disabled=self._flag(record, key, "disabled"),
            locked=self._flag(record, key, "locked"),
            must_change=self._flag(record, key, "must_change"),
            expires=self._moment(record, key, "expires"),
        )
        return user if len(self.problems) == before else None

    def _hash(self, record: dict[str, Any], key: str, name: str, *, required: bool) -> str:
        value = record.get(name)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or not is_hash(value):
            self._problem((key, name), "expected a hash that begins with $argon2id$v=19$")
            return ""
        return value

    def _text(self, record: dict[str, Any], key: str, name: str) -> str:
        value = record.get(name, "")
        if isinstance(value, str):
            return value
        self._problem((key, name), "expected text")
        return ""

    def _flag(self, record: dict[str, Any], key: str, name: str) -> bool:
        value = record.get(name, False)
        if isinstance(value, bool):
            return value
        self._problem((key, name), "expected true or false")
        return False

    def _moment(self, record: dict[str, Any], key: str, name: str) -> float | None:
        value = record.get(name)
        if value is None:
            return None
        try:
            moment = datetime.fromisoformat(value)
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (TypeError, ValueError, OverflowError):
            self._problem((key, name), "expected a date such as 2027-01-31 (from then on, UTC)")
            return None

    def _attributes(self, record: dict[str, Any], key: str) -> Mapping[str, tuple[str, ...]]:
        mapping = record.get("attributes", {})
        if not isinstance(mapping, dict):
            self._problem((key, "attributes"), "expected attribute names with their values")
            return MappingProxyType({})
        attributes = {}
        for name, value in mapping.items():
            values = value if isinstance(value, list) else [value]
            if name and all(isinstance(each, str) and each for each in values):
                if values:
                    attributes[name] = tuple(values)
            else:
                self._problem((key, "attributes", name), "expected text or a list of texts")
        return MappingProxyType(attributes)

    def _problem(self, path: KeyPath, message: str) -> None:
        line, column = self._document.position(path)
        user, *rest = map(str, path)
        shown = ".".join([user if is_username(user) else _shown(user), *map(_shown, rest)])
        self.problems.append(Problem(self._document.file, line, column, shown, message))
