"""Changes a users file in place: one editor at a time, the whole file or nothing, comments kept."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import StringIO
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap
from ruamel.yaml.error import YAMLError

from casduo.authentication.users_document import is_username, read_users
from casduo.errors import CasduoError, Problem, SettingsError
from casduo.filereplace import locked_directory, replace_file

_HEADING = "# Users of casduo. Edit with `casduo users`, or by hand: the server reads it again by itself.\n"


class UserEditError(CasduoError):
    """A change to the users file that cannot be made. ``username`` is whom it was about."""

    code = "USER_EDIT"

    def __init__(self, username: str, message: str) -> None:
        super().__init__(message)
        self.username = username


def add_user(
    path: Path, username: str, password_hash: str, *, name: str = "", attributes: Mapping[str, tuple[str, ...]]
) -> None:
    """Append a user. The file is made if there is none.

    :param attributes: each with at least one value; a single value is written as plain text, several as a list.
    :raises UserEditError: the name is not one, or is taken (upper and lower case do not tell names apart).
    :raises SettingsError: the file is wrong as it stands; it is left alone.
    """
    if not is_username(username):
        raise UserEditError(username, f"{username!r} is not a user name: letters, digits and ._@+- are")
    with _editing(path, username) as users:
        taken = {str(key).lower() for key in users}
        if username.lower() in taken:
            raise UserEditError(username, f"there is a user {username!r} already")
        record = CommentedMap(password=password_hash)
        if name:
            record["name"] = name
        if attributes:
            record["attributes"] = CommentedMap(
                {key: values[0] if len(values) == 1 else list(values) for key, values in attributes.items()}
            )
        users[username] = record


def set_password(path: Path, username: str, password_hash: str, *, must_change: bool = False) -> None:
    """Give a user a new password hash.

    :param must_change: the password is only good for being changed.
    :raises UserEditError: there is no such user, or somebody else's record is the same by an anchor.
    :raises SettingsError: the file is wrong as it stands; it is left alone.
    """
    with _editing(path, username) as users:
        if username not in users:
            raise UserEditError(username, f"there is no user {username!r}")
        users[username]["password"] = password_hash
        if must_change:
            users[username]["must_change"] = True
        else:
            users[username].pop("must_change", None)


@contextmanager
def _editing(path: Path, username: str) -> Iterator[CommentedMap]:
    # A link stays a link: what it points at is replaced.
    path = Path(os.path.realpath(path))
    with locked_directory(path.parent):
        text = path.read_text(encoding="utf-8") if path.exists() else _HEADING
        before = read_users(text, str(path))
        yaml = _round_trip_yaml()
        document = _load(yaml, text, str(path))
        users = CommentedMap() if document is None else document
        yield users
        stream = StringIO()
        yaml.dump(users, stream)
        # A file without users has no place in the document to hang its comments on.
        written = stream.getvalue() if document is not None else text + stream.getvalue()
        after = read_users(written, str(path))
        shared = next((name for name, user in before.items() if name != username and after.get(name) != user), "")
        if shared:
            raise UserEditError(username, f"{shared} shares what would change, by an anchor; change the file by hand")
        replace_file(path, written.encode(), mode=0o600)


def _round_trip_yaml() -> YAML:
    # It keeps comments, quotes and order, and takes twenty times as long as what reads the file otherwise.
    yaml = YAML(typ="rt")
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _load(yaml: YAML, text: str, file: str) -> CommentedMap | None:
    """Return ``text``, which :func:`read_users` has taken, as what can be changed; ``None`` where it says nothing.

    :raises SettingsError: only by hand can it be changed without loss
    """
    try:
        document: CommentedMap | None = yaml.load(StringIO(text))
    except (YAMLError, ValueError):
        raise SettingsError((Problem(file, 0, 0, "", "is YAML of a kind that has to be changed by hand"),)) from None
    if document is None:
        return None
    for key in document:
        if not isinstance(key, str):
            line, column = document.lc.key(key)
            message = "a user name that looks like a number or a date: put it into quotes"
            raise SettingsError((Problem(file, line + 1, column + 1, "", message),))
    return document
