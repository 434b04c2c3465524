"""People and bots: who has which address and which token."""

from __future__ import annotations

import dataclasses
import secrets
from collections.abc import Iterable

from casduo.simulators.webex.errors import WebexRefusal
from casduo.simulators.webex.ids import Ids
from casduo.simulators.webex.model import Person

HOME = "home"
"""Name of the organisation people belong to unless something else is said."""


class Directory:
    """Everybody there is. The caller holds the lock of the spaces.

    :param ids: makes ids
    """

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._people: dict[str, Person] = {}
        self._revoked: set[str] = set()

    def add(self, person: Person) -> Person:
        """Make somebody known. :raises ValueError: an address is taken, or the token"""
        for email in person.emails:
            if self.find(email) is not None:
                raise ValueError(f"somebody has the address {email!r} already")
        if any(secrets.compare_digest(person.token, other.token) for other in self._people.values()):
            raise ValueError("somebody has this token already")
        self._people[person.id] = person
        return person

    def remove(self, person_id: str) -> None:
        """Forget somebody. :raises KeyError: there is nobody with this id"""
        del self._people[person_id]

    def replace(self, people: Iterable[Person], revoked: Iterable[str]) -> None:
        """Put others in the place of everybody."""
        self._people = {person.id: person for person in people}
        self._revoked = set(revoked)

    def everybody(self) -> list[Person]:
        """Return everybody, in the order they came."""
        return list(self._people.values())

    def get(self, person_id: str) -> Person | None:
        """Return whom an id belongs to."""
        return self._people.get(person_id)

    def find(self, email: str) -> Person | None:
        """Return whom an address belongs to, in upper or lower case."""
        return next((person for person in self._people.values() if person.has_email(email)), None)

    def named(self, email: str) -> Person:
        """Return whom an address belongs to. :raises KeyError: nobody has it"""
        found = self.find(email)
        if found is None:
            raise KeyError(email)
        return found

    def authenticate(self, authorization: str | None) -> Person:
        """Return whose token a call carries.

        :param authorization: the header
        :raises WebexRefusal: 401, there is none, or it is not valid
        """
        scheme, _, token = (authorization or "").partition(" ")
        owner = self._owner(token.strip()) if scheme.lower() == "bearer" else None
        if owner is None:
            raise WebexRefusal(401, "The call needs a valid access token in its Authorization header.")
        return owner

    def owner(self, authorization: str | None) -> Person | None:
        """Return as :meth:`authenticate`, None where that refuses."""
        try:
            return self.authenticate(authorization)
        except WebexRefusal:
            return None

    @property
    def revoked(self) -> frozenset[str]:
        """Tokens that are no longer valid."""
        return frozenset(self._revoked)

    def revoke(self, token: str) -> None:
        """Have a token refused from now on. :raises KeyError: nobody has it"""
        if all(person.token != token for person in self._people.values()):
            raise KeyError("token")
        self._revoked.add(token)

    def renew(self, person: Person, token: str) -> Person:
        """Give somebody another token; the old one is refused from now on."""
        self._revoked.add(person.token)
        self._revoked.discard(token)
        self._people[person.id] = dataclasses.replace(person, token=token)
        return self._people[person.id]

    def _owner(self, token: str) -> Person | None:
        if token in self._revoked:
            return None
        sent = token.encode(errors="replace")
        return next((each for each in self._people.values() if secrets.compare_digest(each.token.encode(), sent)), None)


def new_token() -> str:
    """Return a token nobody can guess."""
    return secrets.token_urlsafe(48)
