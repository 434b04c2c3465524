"""What goes wrong with texts: mistakes in our own code, or in a catalogue."""

from __future__ import annotations

from casduo.errors import CasduoError


class MessageError(CasduoError):
    """A text was asked for that does not exist, or with other facts than it holds: a mistake in our own code."""

    code = "MESSAGE"


class UnknownMessage(MessageError):
    """No catalogue has a text of that id."""

    code = "MESSAGE_UNKNOWN"

    def __init__(self, message_id: str) -> None:
        super().__init__(f"no text has the id {message_id!r}")
        self.message_id = message_id


class WrongFacts(MessageError):
    """The facts given are not the ones the sentence holds, or one cannot be written as the sentence asks."""

    code = "MESSAGE_FACTS"

    def __init__(self, message_id: str, detail: str) -> None:
        super().__init__(f"text {message_id!r}: {detail}")
        self.message_id = message_id


class BrokenCatalogue(MessageError):
    """A catalogue does not fit the English one. ``problems`` names everything, not only the first."""

    code = "MESSAGE_CATALOGUE"

    def __init__(self, language: str, problems: tuple[str, ...]) -> None:
        super().__init__(f"catalogue {language!r}: " + "; ".join(problems))
        self.problems = problems
