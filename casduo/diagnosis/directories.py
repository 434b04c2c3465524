"""Examines where passwords are checked: users files can be read, directory servers answer and let casduo search."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import closing
from typing import TYPE_CHECKING

from casduo.authentication.users_document import read_users
from casduo.diagnosis.model import Finding, Part
from casduo.errors import SettingsError, UpstreamMisconfigured, UpstreamUnavailable
from casduo.settings import LdapHandler, Settings, UsersFileHandler

if TYPE_CHECKING:
    from casduo.authentication.ldap.client import Transport

_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
_INVALID_CREDENTIALS = 49


def examine_authentication(settings: Settings) -> Iterator[Finding]:
    """Examine every handler of the settings that something can be said about without a person's password."""
    for index, handler in enumerate(settings.authentication):
        match handler:
            case UsersFileHandler():
                yield _examine_file(handler)
            case LdapHandler():
                yield from _examine_servers(handler, settings, f"authentication[{index}]")


def _examine_file(handler: UsersFileHandler) -> Finding:
    part = Part(f"Users file ({handler.name})")
    try:
        users = read_users(handler.path.read_text(encoding="utf-8"), str(handler.path))
        shared = handler.path.stat().st_mode & 0o077
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        cause = f"{reason}; this command must run as the user that the server runs as"
        return part.fault(
            "file", f"{handler.path} cannot be read", "unreadable", cause, "correct its path or its owner"
        )
    except SettingsError as error:
        cause = "; ".join(str(problem) for problem in error.problems)
        return part.fault("file", f"{handler.path} cannot be used", "unusable", cause, "correct it: see casduo users")
    if shared:
        cause = "it holds hashes of passwords, and other users of this machine can read or change it"
        return part.attention(
            "file", f"{handler.path} is open to others", "shared", cause, f"run: chmod 600 {handler.path}"
        )
    return part.ok("file", f"{handler.path}, {len(users)} {'user' if len(users) == 1 else 'users'}", users=len(users))


def _examine_servers(handler: LdapHandler, settings: Settings, section: str) -> Iterator[Finding]:
    # ldap3 takes a fifth of a second to import: only for those who use it.
    from casduo.authentication.ldap.client import Transport

    part = Part(f"Directory ({handler.name})")
    ca_file = handler.ca_file or settings.outbound.ca_file
    try:
        context = ssl.create_default_context(cafile=ca_file)
    except OSError:
        cause = "it is missing, damaged, or holds something else than certificates"
        setting = f"{section}.ca_file" if handler.ca_file else "outbound.ca_file"
        yield part.fault("ca_file", f"{ca_file} cannot be used", "ca_file", cause, f"correct {setting}")
        return
    transport = Transport(
        handler.name, handler.connect_timeout, handler.receive_timeout, context, start_tls=handler.start_tls
    )
    for url in handler.servers:
        yield _examine_server(part, handler, url, transport, section)


def _examine_server(part: Part, handler: LdapHandler, url: str, transport: Transport, section: str) -> Finding:
    from casduo.authentication.ldap.client import Client
    from casduo.authentication.ldap.settings import parse_server

    server = parse_server(url)
    examined = str(server)
    password = handler.bind_password.get_secret_value() if handler.bind_password else ""
    try:
        with closing(Client(server, transport)) as client:
            code = client.bind(handler.bind_dn, password).code if handler.bind_dn else None
    except UpstreamMisconfigured as error:
        return part.fault(examined, error.detail, "start_tls", "it is not set up for TLS", "use ldaps://, or set it up")
    except UpstreamUnavailable as error:
        return _unavailable(part, examined, error.detail, section)
    if code is None:
        return part.ok(examined, "takes connections; it is searched anonymously")
    if code == 0:
        return part.ok(examined, f"takes connections, and {handler.bind_dn} with its password")
    if code == _INVALID_CREDENTIALS:
        cause = f"{section}.bind_dn does not exist there, or its password is another one, or the account is locked"
        remedy = f"correct {section}.bind_dn and {section}.bind_password"
        return part.fault(examined, f"refuses {handler.bind_dn} (result 49)", "bind", cause, remedy)
    cause = "RFC 4511, appendix A, lists the results; the log of the directory server says more"
    return part.fault(examined, f"refuses {handler.bind_dn} (result {code})", "bind", cause, "look there")


def _unavailable(part: Part, url: str, detail: str, section: str) -> Finding:
    found = detail.removeprefix(f"{url}: ")
    if _UNTRUSTED in detail:
        cause = "its certificate is not of an authority that is trusted here, is for another name, or has expired"
        remedy = f"name the authority's file in {section}.ca_file, and the server as its certificate does"
        return part.fault(url, found, "certificate", cause, remedy)
    cause = "it is down, a firewall is in between, or the settings name another place than is meant"
    return part.fault(url, found, "unavailable", cause, f"compare {section}.servers; try the next server meanwhile")
