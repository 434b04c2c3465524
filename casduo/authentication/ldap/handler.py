"""The handler that asks an LDAP directory whether a password is right."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping

import structlog

from casduo.authentication.ldap.attributes import read_text, release
from casduo.authentication.ldap.directory import Directory, Entry
from casduo.authentication.ldap.escaping import fill_dn, same_dn
from casduo.authentication.ldap.network import NetworkDirectory
from casduo.authentication.ldap.policy import Refused, judge
from casduo.authentication.ldap.settings import LdapSettings
from casduo.authentication.lookup import CannotLookUp, KnownPerson
from casduo.authentication.model import Authenticated, Credential, Outcome, Principal, Rejected
from casduo.errors import UpstreamMisconfigured
from casduo.outbound.breaker import BreakerState

_log = structlog.get_logger(__name__)


class LdapHandler:
    """Authenticates against a directory. Implements :class:`~casduo.authentication.handler.AuthenticationHandler`
    and :class:`~casduo.authentication.lookup.PrincipalLookup`.

    :param directory: default: the servers that ``settings`` names.
    :raises UpstreamMisconfigured: the settings name a file that cannot be read.
    """

    def __init__(self, settings: LdapSettings, directory: Directory | None = None) -> None:
        self._settings = settings
        self._directory = directory if directory is not None else NetworkDirectory(settings)
        self._told: set[str] = set()
        self._told_lock = threading.Lock()

    @property
    def name(self) -> str:
        """The configured name."""
        return self._settings.name

    @property
    def max_waiting(self) -> int:
        """The configured limit."""
        return self._settings.max_waiting

    def authenticate(self, credential: Credential, now: float) -> Outcome:
        """See :meth:`AuthenticationHandler.authenticate`. A known user costs one search and one bind.

        More than one entry for a user name is refused as ``wrong``: whose password it is must not depend on the
        order in which a directory answers.
        """
        if self._settings.direct_bind_dn:
            dn = fill_dn(self._settings.direct_bind_dn, credential.username)
            return self._bind(dn, credential.password, None)
        entries = self._directory.search_user(credential.username)
        if not entries:
            return Rejected("unknown", self.name)
        if len(entries) > 1:
            _log.error("ldap_user_ambiguous", handler=self.name, entries=[entry.dn for entry in entries])
            self._bind_decoy()
            return Rejected("wrong", self.name, "more than one entry")
        return self._bind(entries[0].dn, credential.password, entries[0])

    def spend(self, credential: Credential, now: float, *, asked: bool) -> None:
        """Make up for what :meth:`authenticate` left out: the search if it has not run, and a bind.

        A direct bind is spent by asking, as nobody knows before it whether there is such a user.
        """
        if self._settings.direct_bind_dn and asked:
            return
        if not (self._settings.direct_bind_dn or asked):
            self._directory.search_user(credential.username)
        self._bind_decoy()

    def lookup(self, username: str, now: float) -> KnownPerson | None:
        """See :meth:`PrincipalLookup.lookup`: the search of a sign-in, without the bind."""
        if self._settings.direct_bind_dn:
            raise CannotLookUp(self.name, "direct_bind_dn is set, so people are read only with their own password")
        entries = self._directory.search_user(username)
        if len(entries) > 1:
            names = " and ".join(entry.dn for entry in entries)
            raise CannotLookUp(self.name, f"more than one entry has this name, so nobody signs in by it: {names}")
        return KnownPerson(self._principal(entries[0]), judged=False) if entries else None

    def servers(self) -> Mapping[str, BreakerState]:
        """Return how each server stands, by its address, as the calls of late tell. Nobody is asked."""
        return self._directory.servers()

    def close(self) -> None:
        """Close idle connections, at the end of the process."""
        self._directory.close()

    def _bind(self, dn: str, password: str, entry: Entry | None) -> Outcome:
        answer = self._directory.bind_as(dn, password, read_entry=entry is None)
        verdict = judge(answer, self._settings.vendor, self._settings.password_policy)
        if isinstance(verdict, Refused):
            return Rejected(verdict.reason, self.name, verdict.detail, verdict.proved)
        found = entry or answer.entry
        if found is None:
            raise UpstreamMisconfigured(self.name, "people may not read their own entries")
        if not same_dn(found.dn, dn):
            # Whose password was right is who signs in, whatever entry comes back.
            raise UpstreamMisconfigured(self.name, f"asked for {dn}, the directory gives {found.dn}")
        return Authenticated(self._principal(found), self.name, verdict.warnings)

    def _bind_decoy(self) -> None:
        # Not with the password that was typed: mistyped names come with right passwords. Not to a name anybody could
        # guess and create, nor to the searching account, which failed binds might lock.
        dn = self._settings.decoy_dn or f"cn={secrets.token_hex(16)},{self._settings.base}"
        self._directory.bind_as(dn, secrets.token_urlsafe(24))

    def _principal(self, entry: Entry) -> Principal:
        name = self._settings.principal_attribute
        values = entry.attributes.get(name.lower(), ())
        identifier = read_text(values[0]) if len(values) == 1 else None
        if identifier is None:
            raise UpstreamMisconfigured(self.name, f"{entry.dn} has not exactly one readable {name}")
        attributes, unreadable = release(entry, self._settings.attributes)
        self._tell_once(unreadable)
        return Principal(identifier, attributes)

    def _tell_once(self, unreadable: tuple[str, ...]) -> None:
        with self._told_lock:
            fresh = [name for name in unreadable if name not in self._told]
            self._told.update(fresh)
        for name in fresh:
            _log.warning("ldap_attribute_not_text", handler=self.name, attribute=name)
