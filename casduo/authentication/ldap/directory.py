"""What the handler needs of a directory, in its own words, so that the library behind it can be exchanged."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from casduo.errors import UpstreamUnavailable
from casduo.outbound.breaker import BreakerState

SUCCESS = 0
INVALID_CREDENTIALS = 49
"""Result codes that more than one module knows (RFC 4511, appendix A)."""


class ConnectionLost(UpstreamUnavailable):
    """A connection that used to work is gone; a new one may work. Never a time-out."""

    code: ClassVar[str] = "LDAP_CONNECTION_LOST"


@dataclass(frozen=True, slots=True)
class Entry:
    """A person's entry: its distinguished name, and the attributes read, names in lower case, values as octets."""

    dn: str
    attributes: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BindAnswer:
    """What a directory answered to a person's bind.

    :param code: result code (RFC 4511, section 4.1.9); 0 is success.
    :param diagnostic: the server's text; Active Directory hides its reasons here.
    :param policy: value of the password policy response control, undecoded; None if there was none.
    :param entry: the person's own entry, if asked for and readable.
    """

    code: int
    diagnostic: str = ""
    policy: bytes | None = None
    entry: Entry | None = None


class Directory(Protocol):
    """A directory of people. Safe to share between threads."""

    def search_user(self, username: str) -> tuple[Entry, ...]:
        """Return the entries of ``username``: none, one, or two, two meaning "more than one".

        :raises UpstreamUnavailable: no server answered.
        :raises UpstreamMisconfigured: the searching account is refused, or the base does not exist.
        """

    def bind_as(self, dn: str, password: str, *, read_entry: bool = False) -> BindAnswer:
        """Try ``password`` on ``dn``, on a connection of its own that is closed afterwards.

        :param dn: must not be empty, nor ``password``: either would be an anonymous bind, which succeeds.
        :param read_entry: read the entry ``dn`` as that person after a successful bind.
        :raises UpstreamUnavailable: no server answered.
        :raises ValueError: an empty name or password.
        """

    def servers(self) -> Mapping[str, BreakerState]:
        """Return how each server stands, by its address, as the calls of late tell. Nobody is asked."""

    def close(self) -> None:
        """Close what is kept open. The directory can still be used; it opens what it needs."""
