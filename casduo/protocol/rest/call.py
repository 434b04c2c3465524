"""One call of a program: its facts, and what is found out about it."""

from __future__ import annotations

from dataclasses import dataclass

from casduo.events.model import Subject
from casduo.protocol.rest.clients import RestClient

NO_ADDRESS = ""
"""Where the person of a call is. Nobody knows, only where the program runs: a Duo rule about networks means everybody
then, and Duo is told nothing, for of the program's address its policy could conclude that no factor is due.
"""


@dataclass(slots=True)
class RestCall:
    """One call. ``now`` is its moment in epoch seconds, ``address`` where the program runs, ``agent`` what it calls
    itself; ``principal`` and ``service`` are whom and which registry entry it is about, as far as that is known yet.
    """

    client: RestClient
    now: float
    address: str
    agent: str = ""
    reference: str = ""
    principal: str = ""
    service: str = ""

    @property
    def subject(self) -> Subject:
        """Whom and what events of this call are about."""
        return Subject(self.reference, self.address, self.principal, self.service)
