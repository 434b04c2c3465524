"""What a users file may say: text in, users or every problem of the text out."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from io import StringIO
from types import MappingProxyType

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from casduo.authentication.passwords import is_hash
from casduo.errors import Problem, SettingsError

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


def round_trip_yaml() -> YAML:
    """Return the YAML reader and writer of users files: it keeps comments, quotes and order, and counts lines."""
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def read_users(text: str, file: str) -> Mapping[str, User]:
    """Return the users that ``text`` describes, by user name, read-only.

    :param file: how problems name the file.
    :raises SettingsError: with every problem, not only the first; no problem repeats a value that is secret.
    """
    try:
        document = round_trip_yaml().load(StringIO(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        raise SettingsError((Problem(file, line, column, "", error.problem or "not readable as YAML"),)) from None
    except (YAMLError, ValueError):
        # ValueError: a timestamp such as 2027-13-01.
        raise SettingsError((Problem(file, 0, 0, "", "not readable as YAML"),)) from None
    if document is None:
        return MappingProxyType({})
    if not isinstance(document, CommentedMap):
        raise SettingsError((Problem(file, 1, 1, "", "expected user names, each with its record"),))
    reader = _Reader(file)
    users = {}
    for key in document:
        user = reader.user(key, document)
        if user is not None:
            users[user.username] = user
    if reader.problems:
        raise SettingsError(tuple(reader.problems))
    return MappingProxyType(users)


def _shown(key: object) -> str:
    # Half a hash becomes a key when somebody forgets to quote it; problems are logged.
    return str(key) if re.fullmatch(r"[\w.@ +-]{1,32}", str(key)) else "(key)"


class _Reader:
    """Reads one document and collects what is wrong with it."""

    def __init__(self, file: str) -> None:
        self.problems: list[Problem] = []
        self._file = file
        self._folded: dict[str, str] = {}

    def user(self, key: object, document: CommentedMap) -> User | None:
        if not isinstance(key, str) or not is_username(key):
            self._problem(document, key, _shown(key), "not a user name (quote it if it looks like a number)")
            return None
        other = self._folded.setdefault(key.lower(), key)
        if other != key:
            self._problem(document, key, key, f"differs from {other!r} in upper and lower case only")
        record = document[key]
        if not isinstance(record, CommentedMap):
            self._problem(document, key, key, "expected a record with a password")
            return None
        before = len(self.problems)
        for name in record:
            if name not in _KEYS:
                self._problem(record, name, f"{key}.{_shown(name)}", f"unknown; known are {', '.join(sorted(_KEYS))}")
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

    def _hash(self, record: CommentedMap, key: str, name: str, *, required: bool) -> str:
        value = record.get(name)
        if value is None and not required:
            return ""
        if not isinstance(value, str) or not is_hash(value):
            self._problem(record, name, f"{key}.{name}", "expected a hash that begins with $argon2id$v=19$")
            return ""
        return str(value)

    def _text(self, record: CommentedMap, key: str, name: str) -> str:
        value = record.get(name, "")
        if isinstance(value, str):
            return str(value)
        self._problem(record, name, f"{key}.{name}", "expected text")
        return ""

    def _flag(self, record: CommentedMap, key: str, name: str) -> bool:
        value = record.get(name, False)
        if isinstance(value, bool):
            return value
        self._problem(record, name, f"{key}.{name}", "expected true or false")
        return False

    def _moment(self, record: CommentedMap, key: str, name: str) -> float | None:
        value = record.get(name)
        if isinstance(value, datetime):
            return (value if value.tzinfo else value.replace(tzinfo=UTC)).timestamp()
        if isinstance(value, date):
            return datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp()
        if value is not None:
            self._problem(record, name, f"{key}.{name}", "expected a date such as 2027-01-31 (from then on, UTC)")
        return None

    def _attributes(self, record: CommentedMap, key: str) -> Mapping[str, tuple[str, ...]]:
        if "attributes" not in record:
            return MappingProxyType({})
        mapping = record["attributes"]
        if not isinstance(mapping, CommentedMap):
            self._problem(record, "attributes", f"{key}.attributes", "expected attribute names with their values")
            return MappingProxyType({})
        attributes = {}
        for name, value in mapping.items():
            values = value if isinstance(value, list) else [value]
            if isinstance(name, str) and name and all(isinstance(each, str) and each for each in values):
                if values:
                    attributes[str(name)] = tuple(str(each) for each in values)
            else:
                self._problem(mapping, name, f"{key}.attributes.{_shown(name)}", "expected text or a list of texts")
        return MappingProxyType(attributes)

    def _problem(self, mapping: CommentedMap, key: object, path: str, message: str) -> None:
        # A key that is missing, or merged in from elsewhere, has no place of its own; its record has.
        own = mapping.lc.data or {}
        line, column = mapping.lc.key(key) if key in own else (mapping.lc.line, mapping.lc.col)
        self.problems.append(Problem(self._file, line + 1, column + 1, path, message))
