"""Secrets that lie in files: read for the keys that end in ``_file``, and the keys that casduo makes itself."""

from __future__ import annotations

import contextlib
import os
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from casduo.errors import Problem, SettingsError
from casduo.keyring import KeyRingError, read_ring
from casduo.modelwalk import written_sections
from casduo.settings.model import SECRET_KEY_LENGTH, Settings
from casduo.signing import NEVER, SigningKey
from casduo.yamlfile import Document, KeyPath

_SUFFIX = "_file"
_SIZE_LIMIT = 65_536


def read_secret_files(document: Document, base: Path) -> list[Problem]:
    """Put the content of every secret file into ``document.data``, under the key without ``_file``.

    :param base: directory that relative names start from
    :return: one problem for each file that cannot be read, is empty, or competes with the secret itself. Its key gets
        no value then.
    """
    problems = []
    for path, section, key in list(_secret_file_keys(document.data)):
        target = key.removesuffix(_SUFFIX)
        if section.get(target) is not None:
            problems.append(document.problem((*path, key), f"and '{target}' are both given; keep one"))
            continue
        try:
            section[target] = _read(base, section[key], several=target.endswith("keys"))
        except ValueError as error:
            problems.append(document.problem((*path, key), str(error)))
    return problems


def _read(base: Path, name: object, *, several: bool) -> str | list[str]:
    if not isinstance(name, str) or not name.strip() or "\0" in name:
        raise ValueError("must be the name of a file")
    try:
        with (base / Path(name).expanduser()).open("rb") as file:
            text = file.read(_SIZE_LIMIT).decode("utf-8").strip()
    except UnicodeDecodeError:
        raise ValueError("names a file that is not UTF-8 text") from None
    except (OSError, RuntimeError) as error:
        raise ValueError(f"cannot be read: {getattr(error, 'strerror', None) or 'unknown home directory'}") from None
    if not text:
        raise ValueError("names an empty file")
    return text.split() if several else text


def _secret_file_keys(data: Any) -> Iterator[tuple[KeyPath, dict[str, Any], str]]:
    """Yield, for each ``_file`` key of a secret in ``data``, path and data of its section, and the key."""
    for path, section, model in written_sections(Settings, data):
        for key in list(section):
            if key.endswith(_SUFFIX) and key.removesuffix(_SUFFIX) in model.model_fields and section[key] is not None:
                yield path, section, key


# --- keys that casduo makes itself ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of key: its name in settings and state directory, what it is called in sentences, what is said when one
    was made, and what to do about one that is broken.
    """

    name: str
    called: str
    advice: str
    remedy: str


_SIGNING = _Kind("secret_key", "secret key", "", "remove the file to get a new one")
_PAIRWISE = _Kind(
    "pairwise_key",
    "key of pairwise ids",
    "; keep a copy: changing it changes every pairwise id",
    "restore it from a copy: a new one changes every pairwise id",
)


def key_ring(settings: Settings) -> Path | None:
    """Return the file of signing keys, whether it is there or not; ``None`` where the settings hold the key."""
    if settings.secret_key is not None:
        return None
    return settings.key_ring or settings.server.state_directory / _SIGNING.name


def ensure_secret_key(settings: Settings) -> tuple[list[SigningKey], str | None]:
    """Return the signing keys, and a sentence for the operator if there is something to say.

    Without ``secret_key`` in the settings the keys lie in a file (:func:`key_ring`). Unless the settings name it, it is
    made on the first start, with one key: readable by its owner only, complete or not there at all, and the same for
    two processes that start at once.

    :raises SettingsError: it cannot be read or made, or is too short
    """
    previous = [SigningKey(key.get_secret_value(), NEVER) for key in settings.previous_secret_keys]
    if settings.secret_key is not None:
        return [SigningKey(settings.secret_key.get_secret_value()), *previous], None
    path = settings.key_ring or settings.server.state_directory / _SIGNING.name
    _, said = ("", None) if settings.key_ring is not None else _ensure(settings, None, _SIGNING)
    try:
        keys = read_ring(path)
        shared = path.stat().st_mode & 0o077
    except KeyRingError as error:
        raise _unusable(path, f"the {_SIGNING.called} cannot be used: {error}") from None
    if shared and said is None:
        said = f"{path} can be read by others; run: chmod 600 {path}"
    known = {key.text for key in keys}
    return [*keys, *(key for key in previous if key.text not in known)], said


def ensure_pairwise_key(settings: Settings) -> tuple[str, str | None]:
    """Return the key of pairwise ids, and a sentence for the operator if there is something to say.

    Without ``pairwise_key`` in the settings it lies in ``<state_directory>/pairwise_key``, made as the signing key is.
    It is not that key, nor made of it: whoever changes the signing key would change who everybody is.

    :raises SettingsError: it cannot be read or made, or is too short
    """
    return _ensure(settings, settings.pairwise_key, _PAIRWISE)


def find_pairwise_key(settings: Settings) -> str | None:
    """Return the key of pairwise ids if there is one that can be read; none is made."""
    if settings.pairwise_key is not None:
        return settings.pairwise_key.get_secret_value()
    try:
        key = (settings.server.state_directory / _PAIRWISE.name).read_text("ascii").strip()
    except (OSError, ValueError):
        return None
    return key if len(key) >= SECRET_KEY_LENGTH else None


def _ensure(settings: Settings, given: SecretStr | None, kind: _Kind) -> tuple[str, str | None]:
    if given is not None:
        return given.get_secret_value(), None
    path = settings.server.state_directory / kind.name
    try:
        made = _make(path)
        key = path.read_text("ascii").strip()
        shared = path.stat().st_mode & 0o077
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise _unusable(path, f"the {kind.called} cannot be read or made: {reason}") from None
    if len(key) < SECRET_KEY_LENGTH:
        raise _unusable(path, f"the {kind.called} has fewer than {SECRET_KEY_LENGTH} characters; {kind.remedy}")
    if made:
        others = f"other nodes need the same one ({kind.name} or {kind.name}_file)"
        return key, f"made a {kind.called} in {path}; {others}{kind.advice}"
    return key, f"{path} can be read by others; run: chmod 600 {path}" if shared else None


def _unusable(path: Path, sentence: str) -> SettingsError:
    return SettingsError((Problem(str(path), 0, 0, "", sentence),))


def _make(path: Path) -> bool:
    """Make the key file unless there is one. Returns whether this process made it."""
    if path.exists():
        return False
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(secrets.token_urlsafe(48) + "\n")
            file.flush()
            os.fsync(file.fileno())
        # A link appears complete, and to one of several makers only; a rename would replace the other's key.
        with contextlib.suppress(FileExistsError):
            os.link(name, path)
            return True
        return False
    finally:
        os.unlink(name)
