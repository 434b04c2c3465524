"""What a catalogue is: sentences by id, how facts are put into them, and whether one catalogue fits another."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from string import Formatter
from types import MappingProxyType
from typing import TypeAlias

from casduo.localtext import in_language
from casduo.messages.errors import BrokenCatalogue, UnknownMessage, WrongFacts
from casduo.messages.facts import PROSE_LIMIT, Fact, date_of, moment_of, presentable

_KINDS = frozenset({"", "prose", "number", "moment", "date"})


@dataclass(frozen=True, slots=True)
class Plural:
    """A sentence whose wording depends on a number.

    ``count`` names the fact that is counted. ``forms`` maps the plural categories of the Unicode CLDR that the
    language has (``one``, ``few``, ``many``, ...) to sentences; ``other`` is always among them.
    """

    count: str
    forms: Mapping[str, str]


Message: TypeAlias = str | Plural


def plural(count: str, /, **forms: str) -> Plural:
    """Return a sentence that depends on the fact ``count``, with its wordings by plural category."""
    return Plural(count, MappingProxyType(forms))


@dataclass(frozen=True, slots=True, eq=False)
class Catalogue:
    """All texts of one language.

    ``language`` is a BCP 47 tag. ``categories`` are the plural categories that ``plural`` may answer.
    ``date`` and ``moment`` write a day and a point in time as the language does. ``fallback`` has the sentences that
    this catalogue lacks.
    """

    language: str
    messages: Mapping[str, Message]
    plural: Callable[[int], str]
    categories: frozenset[str]
    number: Callable[[int], str]
    date: Callable[[date], str]
    moment: Callable[[datetime], str]
    fallback: Catalogue | None = None

    def text(self, message_id: str, /, **facts: Fact) -> str:
        """Return the sentence ``message_id`` with ``facts`` in it, as plain text that is not yet escaped.

        ``facts`` must be exactly those the sentence holds. Raises UnknownMessage or WrongFacts.
        """
        try:
            message = self.messages[message_id]
        except KeyError:
            if self.fallback is None:
                raise UnknownMessage(message_id) from None
            return self.fallback.text(message_id, **facts)
        if isinstance(message, Plural):
            message = message.forms[self.plural(_count(message_id, facts, message.count))]
        held = _placeholders(message)
        if held != facts.keys():
            raise WrongFacts(message_id, f"holds {sorted(held)}, was given {sorted(facts)}")
        if not held:
            return message
        return "".join(
            literal if name is None else literal + self._write(message_id, name, kind, facts[name])
            for literal, name, kind in _parts(message)
        )

    def facts_of(self, message_id: str) -> frozenset[str]:
        """Return the names of the facts that a sentence holds.

        :raises UnknownMessage: there is no such sentence
        """
        if message_id not in self.messages:
            raise UnknownMessage(message_id)
        return frozenset(name for name, _ in _facts(self.messages[message_id]))

    def _write(self, message_id: str, name: str, kind: str, fact: Fact) -> str:
        match kind:
            case "" if isinstance(fact, str):
                return presentable(in_language(fact, self.language))
            case "prose" if isinstance(fact, str):
                return presentable(in_language(fact, self.language), PROSE_LIMIT)
            case "number" if isinstance(fact, int):
                return self.number(fact)
            case "moment":
                moment = moment_of(fact)
                if moment is not None:
                    return self.moment(moment)
            case "date":
                day = date_of(fact)
                if day is not None:
                    return self.date(day)
        raise WrongFacts(message_id, f"{name} cannot be written as {kind or 'text'}")


def check(candidate: Catalogue, reference: Catalogue) -> None:
    """Compare a catalogue with the one the pages were written for; raise BrokenCatalogue with all differences."""
    problems = [f"{name} is missing" for name in reference.messages.keys() - candidate.messages.keys()]
    problems += [f"{name} is not used" for name in candidate.messages.keys() - reference.messages.keys()]
    for name in candidate.messages.keys() & reference.messages.keys():
        problems += faults(name, candidate.messages[name], candidate.categories, reference.messages[name])
    if problems:
        raise BrokenCatalogue(candidate.language, tuple(sorted(problems)))


def faults(name: str, message: Message, categories: frozenset[str], reference: Message) -> Iterator[str]:
    """Yield what keeps a message from taking the place of the English one, as sentences.

    :param name: the id of both
    :param categories: the plural categories of the message's language
    :param reference: the English message
    """
    if isinstance(message, Plural) and message.forms.keys() != categories:
        yield f"{name} has the forms {sorted(message.forms)}, the language has {sorted(categories)}"
    expected = _facts(reference)
    for sentence in _sentences(message):
        try:
            held = _facts(sentence)
        except ValueError as error:
            yield f"{name} cannot be read: {error}"
            continue
        if any(kind not in _KINDS for _, kind in held):
            yield f"{name} asks for a kind of fact that does not exist"
        if held != expected:
            yield f"{name} holds {sorted(held)} instead of {sorted(expected)}"


def _sentences(message: Message) -> tuple[str, ...]:
    return tuple(message.forms.values()) if isinstance(message, Plural) else (message,)


def _facts(message: Message) -> frozenset[tuple[str, str]]:
    return frozenset(
        (fact, kind) for sentence in _sentences(message) for _, fact, kind in _parts(sentence) if fact is not None
    )


@cache
def _parts(sentence: str) -> tuple[tuple[str, str | None, str], ...]:
    """Split a sentence into (literal, fact after it or None, kind of that fact)."""
    return tuple((literal, name, kind or "") for literal, name, kind, _ in Formatter().parse(sentence))


@cache
def _placeholders(sentence: str) -> frozenset[str]:
    return frozenset(name for _, name, _ in _parts(sentence) if name is not None)


def _count(message_id: str, facts: Mapping[str, Fact], name: str) -> int:
    count = facts.get(name)
    if not isinstance(count, int):
        raise WrongFacts(message_id, f"{name} must be a whole number")
    return count
