"""The settings of one LDAP handler, refused at start when they contradict themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

Scope = Literal["subtree", "one", "base"]
Vendor = Literal["auto", "openldap", "active_directory"]

PAUSE = 10.0
_PORTS = {"ldap": 389, "ldaps": 636}
_PLACE = "{username}"


@dataclass(frozen=True, slots=True)
class Server:
    """Where one directory server listens. ``secure``: TLS from the first octet (``ldaps``)."""

    host: str
    port: int
    secure: bool

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{'ldaps' if self.secure else 'ldap'}://{host}:{self.port}"


def parse_server(url: str) -> Server:
    """Return the server that ``ldap://host[:port]`` or ``ldaps://host[:port]`` names.

    :raises ValueError: another scheme, no host, or anything besides host and port.
    """
    parts = urlsplit(url)
    if parts.scheme not in _PORTS or not parts.hostname or parts.path.strip("/") or parts.query or "@" in parts.netloc:
        raise ValueError(f"{url!r} is not ldap://host[:port] or ldaps://host[:port]")
    return Server(parts.hostname, parts.port or _PORTS[parts.scheme], parts.scheme == "ldaps")


@dataclass(frozen=True, slots=True)
class LdapSettings:
    """Settings of one directory. There are two ways to find the person's entry:

    * *search, then bind* (``direct_bind_dn`` empty): the entry that ``filter`` finds under ``base`` is bound with the
      password. The search runs as ``bind_dn``, or anonymously when that is empty.
    * *direct bind*: the person's name is put into ``direct_bind_dn``; after the bind the person reads the own entry.
      Such a directory says nothing different for unknown users, so it is the last handler of a chain.

    :param servers: ``ldap://`` and ``ldaps://`` URLs, in order of preference; the next one is tried when one is down.
    :param base: where to search.
    :param name: the handler's name.
    :param bind_dn, bind_password: the account that searches; it needs no right but to read.
    :param filter: must contain ``{username}``, which is escaped.
    :param scope: how deep to search below ``base``.
    :param direct_bind_dn: a distinguished name with ``{username}``, such as ``uid={username},ou=people,dc=example``.
        A user principal name (``{username}@example.edu``) is refused: nothing would tie the entry read afterwards to
        the name that was bound.
    :param decoy_dn: an entry that unknown users are bound to, with a password nobody has, so that the directory
        computes as long a hash for them as for anybody. It must not be subject to lockout. Empty: a name that does
        not exist is bound, which costs the same round trips but no hash.
    :param start_tls: upgrade ``ldap://`` connections before anything is said.
    :param ca_file: PEM file of the authorities to trust; None: those of the machine.
    :param allow_plaintext: permit ``ldap://`` without ``start_tls``. Passwords then cross the network readable.
    :param connect_timeout: seconds to open a connection to one server.
    :param receive_timeout: seconds for one whole answer, and for one TLS handshake step.
    :param pause: seconds for which a server that did not answer is not asked again.
    :param pool_size: idle search connections kept per server.
    :param attributes: what to read: the directory's name, and the names under which it is known afterwards.
    :param principal_attribute: single-valued attribute that becomes the principal's id.
    :param vendor: how refusals are read: Active Directory's data codes, the password policy control, or both.
    :param password_policy: ask for the password policy control (draft-behera-ldap-password-policy) and heed it.
    :param max_waiting: how many requests may be inside at once; 0: the authenticator's limit.
    :raises ValueError: with a sentence that says which setting and why.
    """

    servers: tuple[str, ...]
    base: str
    name: str = "ldap"
    bind_dn: str = ""
    bind_password: str = field(default="", repr=False)
    filter: str = "(uid={username})"
    scope: Scope = "subtree"
    direct_bind_dn: str = ""
    decoy_dn: str = ""
    start_tls: bool = False
    ca_file: Path | None = None
    allow_plaintext: bool = False
    connect_timeout: float = 3.0
    receive_timeout: float = 5.0
    pause: float = PAUSE
    pool_size: int = 4
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    principal_attribute: str = "uid"
    vendor: Vendor = "auto"
    password_policy: bool = True
    max_waiting: int = 0

    def __post_init__(self) -> None:
        if not self.servers:
            raise ValueError("servers: at least one is needed")
        plaintext = [str(server) for server in self.parsed_servers() if not (server.secure or self.start_tls)]
        if plaintext and not self.allow_plaintext:
            raise ValueError(f"servers: {plaintext[0]} needs start_tls, ldaps:// or allow_plaintext")
        if bool(self.bind_dn) != bool(self.bind_password):
            raise ValueError("bind_dn and bind_password: give both or neither")
        if self.direct_bind_dn and not ("=" in self.direct_bind_dn and _PLACE in self.direct_bind_dn):
            raise ValueError("direct_bind_dn: expected a distinguished name that contains {username}")
        if not self.direct_bind_dn and not (_PLACE in self.filter and self.filter.startswith("(")):
            raise ValueError("filter: expected a filter in parentheses that contains {username}")
        if not self.base:
            raise ValueError("base: must not be empty")
        if not self.principal_attribute:
            raise ValueError("principal_attribute: must not be empty")
        if self.connect_timeout <= 0 or self.receive_timeout <= 0 or self.pool_size < 0:
            raise ValueError("connect_timeout and receive_timeout must be above 0, pool_size 0 or more")

    def parsed_servers(self) -> tuple[Server, ...]:
        """Return the servers in order of preference."""
        return tuple(parse_server(url) for url in self.servers)

    def attributes_to_read(self) -> tuple[str, ...]:
        """Return the directory's names of all attributes that a login needs."""
        return tuple(dict.fromkeys([self.principal_attribute, *self.attributes]))
