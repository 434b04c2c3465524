"""The file of signing keys: one a line, with the moment from which it signs, the newest first.

A line is the key, and behind a space the moment in ISO 8601; a key without one has signed since ever. So a file with
nothing but a key is one too. Lines that begin with ``#`` are for people.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from casduo.errors import CasduoError
from casduo.filereplace import locked_directory, replace_file
from casduo.signing import SigningKey, signing_key_at

KEY_LENGTH = 32
"""Characters that a key has at least. They sign what proves a login step; a shorter one could be a word that somebody
thought of."""
_MOST_KEYS = 16
_SIZE_LIMIT = 65_536
_HEADING = (
    "# Signing keys of casduo, kept by `casduo keys`. The same file belongs on every node; after a change: SIGHUP.\n"
)


class KeyRingError(CasduoError):
    """A file of keys that cannot be used, or a change to it that cannot be made. No key is ever quoted."""

    code = "KEY_RING"


def read_ring(path: Path) -> tuple[SigningKey, ...]:
    """Return the keys of a file, the newest first.

    :raises KeyRingError: it cannot be read, or is no file of keys
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_SIZE_LIMIT + 1)
        text = raw.decode("ascii")
    except UnicodeDecodeError:
        raise KeyRingError(f"{path} is no file of keys: it is not plain text") from None
    except OSError as error:
        raise KeyRingError(f"{path} cannot be read: {error.strerror}") from None
    if len(raw) > _SIZE_LIMIT:
        # Cut off, its last line might still look like a key.
        raise KeyRingError(f"{path} is no file of keys: it has more than {_SIZE_LIMIT} bytes")
    return parse_ring(text, str(path))


def parse_ring(text: str, name: str) -> tuple[SigningKey, ...]:
    """Return the keys that ``text`` holds, the newest first.

    :param name: of the file, for errors
    :raises KeyRingError: it is no file of keys
    """
    keys: list[SigningKey] = []
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if len(words) > 2:
            raise KeyRingError(f"{name}:{number}: a line is a key, and the moment from which it signs")
        if len(words[0]) < KEY_LENGTH:
            raise KeyRingError(f"{name}:{number}: the key has fewer than {KEY_LENGTH} characters")
        if any(key.text == words[0] for key in keys):
            raise KeyRingError(f"{name}:{number}: the key is there twice")
        keys.append(SigningKey(words[0], _moment(words[1], f"{name}:{number}") if words[1:] else 0.0))
    if not keys:
        raise KeyRingError(f"{name} holds no key")
    return tuple(sorted(keys, key=lambda key: -key.signs_from))


def add_key(path: Path, signs_from: float) -> SigningKey:
    """Make a key and put it into the file.

    :param signs_from: epoch seconds; whole ones, for the file knows no others
    :raises KeyRingError: the file cannot be used or written, or holds enough keys
    """
    with _changing(path) as real:
        keys = read_ring(real) if real.exists() else ()
        if len(keys) >= _MOST_KEYS:
            raise KeyRingError(f"{path} holds {_MOST_KEYS} keys already; retire those that are no longer needed")
        if keys and signs_from <= keys[0].signs_from:
            raise KeyRingError(
                f"the newest key begins to sign at {moment_text(keys[0].signs_from)}; take a later moment"
            )
        key = SigningKey(secrets.token_urlsafe(48), float(int(signs_from)))
        _write(real, (key, *keys))
    return key


def retire_key(path: Path, fingerprint: str, now: float, unused: float, *, force: bool = False) -> SigningKey:
    """Take a key out of the file: what it has signed is refused from then on.

    :param fingerprint: its beginning is enough where no other key's begins so
    :param unused: seconds that another key must have signed for, lest something is still about that this one signed
    :param force: whatever is still about: somebody else may have the key
    :raises KeyRingError: there is no such key, or it is still needed
    """
    with _changing(path) as real:
        keys = read_ring(real)
        found = [key for key in keys if fingerprint and key.fingerprint.startswith(fingerprint.lower())]
        if len(found) != 1:
            raise KeyRingError(f"{'no key has' if not found else 'several keys have'} the fingerprint {fingerprint!r}")
        key, rest = found[0], [one for one in keys if one is not found[0]]
        if signing_key_at(keys, now) is key and not any(one.signs_from <= now for one in rest):
            raise KeyRingError("it is the key that signs; add another one, and retire this one once that one signs")
        since = signed_until(keys, key, now)
        if not force and key.signs_from <= now and (since is None or now - since < unused):
            when = f"since {moment_text(since)}" if since is not None else "not at all"
            raise KeyRingError(
                f"another key has signed {when}; what this one signed is good for {unused / 3600:.0f} hours. "
                "With --force it is refused at once"
            )
        _write(real, rest)
    return key


def signed_until(keys: Sequence[SigningKey], key: SigningKey, now: float) -> float | None:
    """Return when a key ceased to sign because a later one began; ``None`` where none has begun."""
    later = [one.signs_from for one in keys if key.signs_from < one.signs_from <= now]
    return min(later) if later else None


def moment_text(moment: float) -> str:
    """Return a moment as the file has it."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: str, place: str) -> float:
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).astimezone(UTC).timestamp()
    except (ValueError, OverflowError):
        raise KeyRingError(f"{place}: the moment from which it signs is not of the form 2026-11-22T13:00:00Z") from None


def _write(path: Path, keys: Sequence[SigningKey]) -> None:
    lines = [f"{key.text} {moment_text(key.signs_from)}" if key.signs_from else key.text for key in keys]
    replace_file(path, (_HEADING + "".join(f"{line}\n" for line in lines)).encode(), mode=0o600)


@contextmanager
def _changing(path: Path) -> Iterator[Path]:
    """Let nobody else change the file, and give its place; a link stays a link."""
    real = Path(os.path.realpath(path))
    try:
        with locked_directory(real.parent):
            yield real
    except OSError as error:
        raise KeyRingError(f"{path} cannot be changed: {error.strerror}") from None
