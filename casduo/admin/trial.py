"""Explains a URL for a person with any registry, as ``casduo explain`` does with the one in the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from casduo.addresses import parse_address
from casduo.authentication.handler import AuthenticationHandler
from casduo.authentication.lookup import look_up
from casduo.authentication.names import MAX_USERNAME, canonical_username
from casduo.explanation import Explanation, Person, entry_for, explain, stores_for
from casduo.services.builtin import with_builtin
from casduo.services.index import Registry
from casduo.settings import Settings

_SOMEBODY = "somebody"


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked.

    :param user: name of a person; empty: for whoever comes
    :param attributes: lines of ``name = value`` that make a person up; nobody is looked up then
    :param groups: lines of groups, likewise
    :param address: of the browser; empty: not known
    """

    url: str
    user: str = ""
    attributes: str = ""
    groups: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of it: an explanation, or the id of a text that says what is wrong with the question.

    :param remarks: what stores could not say of the person
    """

    explanation: Explanation | None = None
    problem: str = ""
    remarks: tuple[str, ...] = ()


class Trial:
    """Asks on behalf of administrators. Nobody signs in, and nothing is kept."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    def ask(
        self, question: Question, registry: Registry, handlers: Sequence[AuthenticationHandler], now: float
    ) -> Answer:
        """Answer a question.

        :param registry: without the server's own entries
        :param handlers: the stores that may know the person
        :param now: epoch seconds
        """
        if not question.url:
            return Answer(problem="url")
        if question.address and parse_address(question.address) is None:
            return Answer(problem="address")
        whole = with_builtin(registry, self._settings)
        made_up = self._attributes(question)
        if made_up is None:
            return Answer(problem="attributes")
        remarks: tuple[str, ...] = ()
        person: Person | None = None
        if made_up:
            person = Person(question.user or _SOMEBODY, made_up)
        elif question.user:
            entry = entry_for(question.url, whole, self._settings)
            username = canonical_username(question.user, self._settings.login.username_case)
            if not username or len(username) > MAX_USERNAME or not username.isprintable():
                return Answer(problem="user")
            if entry is not None:
                found = look_up(handlers, stores_for(entry, self._settings), username, now)
                remarks = tuple(found.unasked)
                if found.person is None:
                    return Answer(problem="nobody", remarks=remarks)
                known = found.person
                principal = known.principal
                person = Person(principal.id, dict(principal.attributes), found.handler, known.refusal, known.judged)
        explanation = explain(question.url, whole, self._settings, now, person=person, address=question.address or None)
        return Answer(explanation, remarks=remarks)

    def _attributes(self, question: Question) -> dict[str, tuple[str, ...]] | None:
        """Return the attributes of a person who is made up, None where a line says nothing."""
        collected: dict[str, tuple[str, ...]] = {}
        group = self._settings.login.group_attributes[0]
        lines = [line.strip() for line in question.attributes.splitlines() if line.strip()]
        pairs = [[part.strip() for part in line.split("=", 1)] for line in lines]
        pairs += [[group, line.strip()] for line in question.groups.splitlines() if line.strip()]
        for pair in pairs:
            if len(pair) != 2 or not all(pair):
                return None
            collected[pair[0]] = (*collected.get(pair[0], ()), pair[1])
        return collected
