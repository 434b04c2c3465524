"""What the pages about sessions are asked for, and what they show of a session. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any
from urllib.parse import urlencode

from casduo.admin.moments import iso
from casduo.agents import agent_of
from casduo.authentication.names import UsernameCase, canonical_username
from casduo.fieldtypes import Network, parse_network
from casduo.messages import factor_id
from casduo.services.index import Registry
from casduo.tickets.finding import FoundSession, SessionQuery, searchable

FIELDS = ("user", "address", "service")
"""The fields of the search, in their order on the page."""
MOST_TYPED = 300
"""Characters of a field that are looked at, and shown again."""
SHOWN = 100
"""Sessions on one page."""
_MOST_NAMED = 12
_LONGEST_NUMBER = 6


@dataclass(frozen=True, slots=True)
class Asked:
    """A search as it was typed.

    :param typed: by field
    :param query: what it means; empty where nothing was typed, or nothing that can be looked for
    :param problems: what is wrong: the id of a text for each field
    """

    typed: Mapping[str, str]
    query: SessionQuery = field(default_factory=SessionQuery)
    problems: Mapping[str, str] = field(default_factory=dict)

    @property
    def can_be_answered(self) -> bool:
        """Whether there is anything to look for."""
        return not self.problems and not self.query.is_empty

    def address(self, url: str, **more: str) -> str:
        """Return the address of a page with the same search in it."""
        named = {**{name: self.typed.get(name, "") for name in (*FIELDS, "session")}, **more}
        found = {name: value for name, value in named.items() if value}
        return f"{url}?{urlencode(found)}" if found else url


def read_search(parameters: Mapping[str, str], registry: Registry, case: UsernameCase) -> Asked:
    """Read the fields of a search, from an address or a form.

    :param case: how names are spelled that are typed on the sign-in form
    """
    typed = {name: parameters.get(name, "").strip()[:MOST_TYPED] for name in (*FIELDS, "session")}
    problems: dict[str, str] = {}
    network: Network | None = None
    if typed["address"]:
        try:
            network = parse_network(typed["address"])
        except ValueError:
            problems["address"] = "admin.sessions.error.address"
    if typed["service"] and registry.by_id(typed["service"]) is None:
        problems["service"] = "admin.sessions.error.service"
    query = SessionQuery(
        canonical_username(typed["user"], case) if typed["user"] else "", network, typed["service"], typed["session"]
    )
    if not problems and not query.is_empty and not searchable(query):
        problems["address"] = "admin.sessions.error.wide"
    return Asked(typed, SessionQuery() if problems else query, problems)


def page_of(typed: str, total: int) -> tuple[int, int]:
    """Return which page of a list is meant, and how many there are; the nearest one for what is none.

    :param typed: its number as the address has it
    :param total: sessions in the list
    """
    pages = max(1, -(-total // SHOWN))
    wanted = int(typed) if typed.isascii() and typed.isdecimal() and len(typed) < _LONGEST_NUMBER else 1
    return min(max(1, wanted), pages), pages


def session_row(
    session: FoundSession, registry: Registry, zone: tzinfo, *, own: bool, pages: str, end: str
) -> dict[str, Any]:
    """Return what a list shows of a session.

    :param own: whether it is the session of whoever looks
    :param pages: address of the page about sessions
    :param end: address of the page on which sessions are ended
    """
    ticket, strength = session.ticket, session.ticket.strength
    agent = agent_of(ticket.agent)
    names = [_name_of(service, registry) for service in session.services]
    one = {"user": ticket.principal_id, "session": session.short}
    return {
        "short": session.short,
        "user": ticket.principal_id,
        "name": next(iter(ticket.attributes.get("displayName", ())), ""),
        "user_url": f"{pages}?{urlencode({'user': ticket.principal_id})}",
        "since": iso(ticket.authenticated_at, zone),
        "duo_at": iso(strength.at, zone) if strength.level in ("duo", "trusted") else None,
        "used": iso(ticket.used_at or ticket.authenticated_at, zone),
        "ends": iso(session.ends, zone),
        "address": ticket.address,
        "address_url": f"{pages}?{urlencode({'address': ticket.address})}" if ticket.address else "",
        "agent": agent.text_id,
        "agent_facts": agent.facts,
        "strength": "password" if strength.level == "none" else strength.level,
        "factor": factor_id(strength.factor) if strength.level == "duo" and strength.factor else "",
        "handler": ticket.handler,
        "remembered": ticket.remembered,
        "services": names[:_MOST_NAMED],
        "more_services": max(0, len(names) - _MOST_NAMED),
        "own": own,
        "end_url": f"{end}?{urlencode(one)}",
    }


def people_of(sessions: Sequence[FoundSession]) -> tuple[str, ...]:
    """Return whose sessions these are, each person once."""
    return tuple(dict.fromkeys(session.ticket.principal_id for session in sessions))


def _name_of(service: str, registry: Registry) -> str:
    entry = registry.by_id(service)
    return entry.name if entry is not None else service
