"""Ends sessions by an administrator's order: the same from the page and from the command."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from casduo.events.model import SignedOut, Subject
from casduo.mfa.trust import TrustRecords
from casduo.tickets.finding import Ended, Found, SessionFinder, SessionQuery, ended_of
from casduo.tickets.registry import TicketRegistry

ACTION = "sessions.ended"
"""What the event of the change calls it."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done.

    :param forgotten: trusted browsers
    """

    ended: Ended
    forgotten: int = 0

    @property
    def nothing(self) -> bool:
        """Whether there was nothing to end any more."""
        return not self.ended.sessions and not self.forgotten

    def about(self, query: str) -> str:
        """Return in a line what was done.

        :param query: which sessions were meant
        """
        trust = f"; trusted browsers: {self.forgotten}" if self.forgotten else ""
        return f"{query}; ended: {self.ended.sessions}{trust}"

    def events(self, by: str, reference: str = "") -> Iterator[SignedOut]:
        """Yield what is told of the people whose sessions these were."""
        for person, number in self.ended.counts.items():
            about = Subject(reference, principal=person)
            yield SignedOut(about, cause="administrator", sessions=number, by=by)


class SessionEnding:
    """Ends sessions in one store."""

    def __init__(self, finder: SessionFinder, tickets: TicketRegistry, trusts: TrustRecords) -> None:
        self._finder = finder
        self._tickets = tickets
        self._trusts = trusts

    def end(self, query: SessionQuery, found: Found, now: float) -> Done:
        """End what was found; the worker tells the services.

        Where everything of one person is meant, that is really everything: also what was not looked at, logins that
        are under way, and the trust in their browsers, so that Duo is asked again everywhere.
        """
        if not query.whole_person:
            return Done(self._finder.end(found.sessions, now))
        users = self._finder.ids_of(query.user)
        # Before the sessions: nobody comes back without Duo in between.
        forgotten = sum(map(self._trusts.forget_all, users))
        closings = [one for user in users for one in self._tickets.close_all_of(user, "administrator", now)]
        return Done(ended_of(closings), forgotten)
