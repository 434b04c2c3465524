"""The sign-ins of late of each person, in Redis: written with the change they tell of, read on the page of one's own.

* Two lists a person: what showed a right password, and what did not. Whoever guesses passwords reaches the second one.
* Both are bounded and expire. A name that nobody ever signed in with is forgotten after a day: it may be nobody's.
* Known and unknown names cost the same: one script, whatever the password was.
* Keys hold fingerprints; lines hold no name, no reference to a session and nothing that opens anything.
"""

from __future__ import annotations

from collections.abc import Callable

from casduo.account.signins import MOST, ListedSignIn, SignIn, sign_in_of
from casduo.events.journal import Journal
from casduo.events.model import Event
from casduo.signing import fingerprint
from casduo.store import Batch, Store, load_script

KEPT: float = 30 * 86400.0
"""Seconds for which sign-ins are kept."""
_KEPT_MS = int(KEPT * 1000)
_UNKNOWN_MS = 86_400_000
# Duo's yes is a line of its own until it is shown with the sign-in that it was for.
_KEPT_LINES = 2 * MOST
_FIELDS = 6

_NOTE = load_script(__file__, "note_sign_in.lua")
_DISOWN = load_script(__file__, "disown_sign_in.lua")


class SignInHistory:
    """The lists of everybody. What takes no batch is one round trip and may raise ``UpstreamUnavailable``."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def note(self, batch: Batch, principal: str, told: SignIn, now: float, reference: str = "") -> None:
        """Add the noting of a sign-in.

        :param principal: whose name was used, whether or not there is such a person
        :param reference: of the request, so that the same one counts once
        """
        passed, guessed = _keys(principal)
        key, most = (guessed, MOST) if told.guessed else (passed, _KEPT_LINES)
        arguments = (told.name(principal, now), int(now * 1000), reference, told.text, most, _KEPT_MS, _UNKNOWN_MS)
        # Of those that showed a right password, the list itself is there once one is noted.
        batch.script(_NOTE, (key, passed), arguments)

    def of(self, principal: str) -> list[ListedSignIn]:
        """Return everything that is kept of a person."""
        batch = self._store.batch()
        replies = [batch.command("LRANGE", key, 0, -1) for key in _keys(principal)]
        batch.run()
        lines = (_line(text) for reply in replies for text in reply.value)
        return [line for line in lines if line is not None]

    def disown(self, principal: str, name: str, now: float) -> bool:
        """Note that the person says of a line that it was not them.

        :return: whether it had not been said before
        """
        return bool(self._store.call(_DISOWN, _keys(principal), (name, int(now * 1000))))


class HistoryJournal:
    """A journal that also notes what belongs into somebody's list, and passes all events on.

    :param journal: where events go
    :param later: takes the noting of an event that travels with no other write; it never fails and never waits
    :param clock: epoch seconds
    """

    def __init__(
        self,
        journal: Journal,
        history: SignInHistory,
        later: Callable[[Callable[[Batch], None]], None],
        clock: Callable[[], float],
    ) -> None:
        self._journal = journal
        self._history = history
        self._later = later
        self._clock = clock

    def write(self, event: Event, batch: Batch | None = None) -> None:
        """See :class:`~casduo.events.journal.Journal`."""
        self._journal.write(event, batch)
        told = sign_in_of(event)
        if told is None or not event.principal:
            return
        now = self._clock()
        if batch is not None:
            self._history.note(batch, event.principal, told, now, event.reference)
        else:
            self._later(lambda late: self._history.note(late, event.principal, told, now, event.reference))

    def attach(self, event: Event, batch: Batch, when: str) -> None:
        """See :class:`~casduo.events.journal.Journal`."""
        self._journal.attach(event, batch, when)

    def note(self, event: Event) -> None:
        """See :class:`~casduo.events.journal.Journal`."""
        self._journal.note(event)


def _keys(principal: str) -> tuple[str, str]:
    """Return the lists of a person: what showed a right password, and what did not."""
    # A directory may spell names with capital letters; whoever guesses may type them otherwise.
    typed = principal.lower()
    prefix = f"casduo:{{u:{fingerprint(typed)[:32]}}}:signins"
    return prefix if typed == principal else f"{prefix}.{fingerprint(principal)[:32]}", f"{prefix}.guessed"


def _line(text: str) -> ListedSignIn | None:
    name, times, first, last, disowned, _, told = (*text.split(" ", _FIELDS), *("",) * _FIELDS)[: _FIELDS + 1]
    found = SignIn.parse(told)
    if found is None:
        return None
    return ListedSignIn(name, found, int(times), *(int(moment) / 1000 for moment in (first, last, disowned)))
