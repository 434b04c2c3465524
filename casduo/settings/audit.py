"""The section of casduo.yaml about the audit trail."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from casduo.events.catalogue import KINDS
from casduo.fieldtypes import Line, Lines, Location, Section
from casduo.problems import did_you_mean


def known_kind(kind: str) -> str:
    """Return ``kind``.

    :raises ValueError: there is no such kind of event
    """
    if kind not in KINDS:
        raise ValueError(f"{kind!r} is no kind of event{did_you_mean(kind, KINDS)}")
    return kind


def _known_kinds(kinds: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(known_kind(kind) for kind in kinds)


EventKind = Annotated[Line, AfterValidator(known_kind)]
EventKinds = Annotated[Lines, AfterValidator(_known_kinds)]


class AuditSettings(Section):
    """The audit trail: files to which every event is appended, one line each, chained by their hashes."""

    enabled: bool = Field(default=True, description="Whether it is written.")
    directory: Location | None = Field(
        default=None,
        description="Where its files are, on the machine of the worker that writes. Without it: `audit` in "
        "`server.state_directory`.",
    )
    rotate_size: Annotated[int, Field(ge=64 * 1024, le=1 << 40)] = Field(
        default=100 * 1024 * 1024, description="Bytes after which a new file is begun."
    )
    without: EventKinds = Field(default=(), description="Kinds of event that are left out, see `docs/events.md`.")
