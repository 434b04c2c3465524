"""What can keep a change of the registry from being made.

EditError
├── NotEditable     this change cannot be made in the text; ``reason`` says why, and what helps
├── UnknownEntry    there is no entry of this id, or no change of this number
├── ReadOnly        the file cannot be replaced by this process; ``reason`` says why
├── Conflict        the file has changed since it was read; carries what it holds now
├── Busy            somebody else is writing at this moment
└── Refused         the new text cannot be used; carries its problems
"""

from __future__ import annotations

from casduo.errors import CasduoError, Problem


class EditError(CasduoError):
    """A change of the registry that is not made. The file is as it was. ``reason`` is a sentence for people."""

    code = "REGISTRY_EDIT"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotEditable(EditError):
    """The change cannot be made without touching other parts of the file, or the text is not what it has to be."""

    code = "REGISTRY_NOT_EDITABLE"


class UnknownEntry(EditError):
    """There is no such entry, or no such change in the history."""

    code = "REGISTRY_UNKNOWN_ENTRY"


class ReadOnly(EditError):
    """The file is not ours to change."""

    code = "REGISTRY_READ_ONLY"


class Busy(EditError):
    """Somebody else holds the lock for too long."""

    code = "REGISTRY_BUSY"


class Conflict(EditError):
    """The file is no longer the one that was read.

    :param expected: the version that the change was made for
    :param content: what the file holds now
    :param by: who changed it last as far as the history knows; empty for a change by hand
    """

    code = "REGISTRY_CONFLICT"

    def __init__(self, expected: str, content: bytes, by: str = "", at: float = 0.0) -> None:
        super().__init__(f"the registry was changed meanwhile{f' by {by}' if by else ' by hand'}")
        self.expected = expected
        self.content = content
        self.by = by
        self.at = at


class Refused(EditError):
    """The server would not take the new text. ``problems`` holds all that is wrong with it."""

    code = "REGISTRY_REFUSED"

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("the registry would have mistakes: " + "; ".join(map(str, problems[:3])))
        self.problems = problems
