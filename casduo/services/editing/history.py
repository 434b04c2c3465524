"""Who changed the registry when and why, with every text it had: kept beside the server's state, bounded, mode 0600.

``changes.jsonl`` has a line for each change, appended and never rewritten but to drop the oldest; ``<version>.gz`` are
the texts. A change is written down before the file is replaced, and confirmed afterwards: one that was killed in
between is told from one that was done by what the file holds.
"""

from __future__ import annotations

import gzip
import json
import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

from casduo.filereplace import locked_directory, replace_file
from casduo.services.editing.errors import UnknownEntry
from casduo.services.file import registry_version
from casduo.yamlfile import SIZE_LIMIT

ChangeKind = Literal["changed", "added", "moved", "enabled", "disabled", "deleted", "returned", "by_hand", "first"]
"""``returned``: to an earlier text; ``by_hand``: found in the file, made by nobody known; ``first``: what the file held
when it was looked at for the first time.
"""
KINDS: tuple[ChangeKind, ...] = get_args(ChangeKind)

MOST_CHANGES = 500
"""Changes that are kept; when there are as many more, the older half goes."""

_VERSION = re.compile(r"[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    :param number: counts up from 1
    :param at: epoch seconds; of changes by hand, when the file was written
    :param by: who made it; empty for changes by hand
    :param entry: id of the entry; empty where it was about the file as a whole
    :param before: version of the registry before it; empty for the first one
    """

    number: int
    at: float
    by: str
    kind: ChangeKind
    entry: str
    reason: str
    before: str
    after: str


class History:
    """The changes of one registry file, as one machine knows them.

    :param directory: where they are kept; made when there is something to keep
    """

    def __init__(self, directory: Path, most: int = MOST_CHANGES) -> None:
        self._directory = directory
        self._log = directory / "changes.jsonl"
        self._most = most

    def changes(self) -> tuple[Change, ...]:
        """Return the changes that were made, the newest first."""
        kept, pending = self._read()
        return tuple(reversed(kept if pending is None else kept[:-1]))

    def change(self, number: int) -> Change:
        """Return the change of this number.

        :raises UnknownEntry: there is none, or it is too long ago
        """
        for change in self.changes():
            if change.number == number:
                return change
        raise UnknownEntry(f"The history has no change {number}.")

    def text(self, version: str) -> bytes:
        """Return the registry of ``version``.

        :raises UnknownEntry: it is not kept
        """
        if _VERSION.fullmatch(version):
            with suppress(OSError, EOFError), gzip.open(self._text_path(version)) as stream:
                content = stream.read(SIZE_LIMIT + 1)
                if registry_version(content) == version:
                    return content
        raise UnknownEntry("The history does not have this text any more.")

    def last(self) -> Change | None:
        """Return the newest change, None when there is none."""
        return next(iter(self.changes()), None)

    def knows(self, version: str) -> bool:
        """Whether the last change, which is certain to have been made, has led to ``version``."""
        kept, pending = self._read()
        return bool(kept) and pending is None and kept[-1].after == version

    def notice(self, content: bytes, written_at: float) -> None:
        """Write down what the file holds, where the last known change did not leave it so: somebody changed it by hand.
        Only for those who hold the registry file's lock.

        :param content: of the file
        :param written_at: when it was written, epoch seconds
        """
        version = registry_version(content)
        if self.knows(version):
            return
        with self._locked():
            kept, pending = self._read()
            if pending is not None:
                # Somebody was interrupted over it: the file says whether it came about.
                self._append({"done" if pending.after == version else "undone": pending.number})
                if pending.after == version:
                    return
                kept = kept[:-1]
            if kept and kept[-1].after == version:
                return
            before = kept[-1].after if kept else ""
            self._keep(content)
            change = Change(
                _next(kept, pending), written_at, "", "by_hand" if kept else "first", "", "", before, version
            )
            self._append(asdict(change), {"done": change.number})
            self._trim()

    def begin(self, change: Change, content: bytes) -> Change:
        """Write down that ``change`` is about to be made, and return it with its number.

        :param content: what the registry will be
        :raises OSError: it cannot be written down; then it must not be made
        """
        with self._locked():
            kept, pending = self._read()
            numbered = replace(change, number=_next(kept, pending))
            self._keep(content)
            self._append(asdict(numbered))
            return numbered

    def finish(self, change: Change, *, done: bool) -> None:
        """Confirm what :meth:`begin` announced, or take it back."""
        with self._locked():
            self._append({"done" if done else "undone": change.number})
            self._trim()

    # --- the files --------------------------------------------------------------------------------------------------

    def _read(self) -> tuple[list[Change], Change | None]:
        """Return the changes, the oldest first, and the last of them if nothing says yet whether it came about."""
        changes: list[Change] = []
        pending: Change | None = None
        for line in self._lines():
            number = line.get("done", line.get("undone"))
            if number is None:
                change = _change(line)
                if change is not None:
                    # One that was never confirmed and followed by others did not come about.
                    changes = changes[:-1] if pending is not None else changes
                    changes.append(change)
                    pending = change
            elif pending is not None and number == pending.number:
                changes = changes if "done" in line else changes[:-1]
                pending = None
        return changes, pending

    def _lines(self) -> Iterator[dict[str, Any]]:
        try:
            lines = self._log.read_text("utf-8", "replace").split("\n")
        except (FileNotFoundError, NotADirectoryError, PermissionError):
            # The registry can be looked at without its history; what cannot be written down is not changed.
            return
        for line in lines:
            # A line that was cut off by a crash says nothing.
            with suppress(ValueError):
                read = json.loads(line)
                if isinstance(read, dict):
                    yield read

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked_directory(self._directory):
            yield

    def _append(self, *lines: dict[str, Any]) -> None:
        descriptor = os.open(self._log, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            # A line break first: the last line may have been cut off.
            text = "".join("\n" + json.dumps(line, separators=(",", ":")) for line in lines) + "\n"
            left = text.encode()
            while left:
                # A disk that is nearly full takes a part, and refuses the next one.
                left = left[os.write(descriptor, left) :]
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _keep(self, content: bytes) -> None:
        path = self._text_path(registry_version(content))
        if not path.exists():
            replace_file(path, gzip.compress(content, 6, mtime=0), mode=0o600)

    def _text_path(self, version: str) -> Path:
        return self._directory / f"{version}.gz"

    def _trim(self) -> None:
        kept, _ = self._read()
        if len(kept) <= 2 * self._most:
            return
        kept = kept[-self._most :]
        lines = [line for change in kept for line in (asdict(change), {"done": change.number})]
        replace_file(self._log, "".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines).encode())
        wanted = {version for change in kept for version in (change.before, change.after)}
        for path in self._directory.glob("*.gz"):
            if path.stem not in wanted:
                path.unlink(missing_ok=True)


def _next(kept: Sequence[Change], pending: Change | None) -> int:
    return max((change.number for change in (*kept, *([pending] if pending else ()))), default=0) + 1


def _change(line: dict[str, Any]) -> Change | None:
    match line:
        case {
            "number": int(number),
            "at": int() | float() as at,
            "by": str(by),
            "kind": str(kind),
            "entry": str(entry),
            "reason": str(reason),
            "before": str(before),
            "after": str(after),
        }:
            known = next((one for one in KINDS if one == kind), None)
            return Change(number, at, by, known, entry, reason, before, after) if known else None
    return None
