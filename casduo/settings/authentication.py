"""The section of casduo.yaml that says who checks passwords: one model per kind of handler."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

from casduo.fieldtypes import Duration, Line, Lines, Location, Section, one_or_many, parse_duration


def _handler_name(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,63}", value):
        raise ValueError("must be a short name of lower-case letters, digits, '-' and '_'")
    return value


def _ldap_address(value: str) -> str:
    # The value is not quoted: somebody may have put a password into it.
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port = None, None
    if not host or port == 0 or parts.scheme not in ("ldap", "ldaps") or parts.netloc.count("@"):
        raise ValueError("must be of the form ldaps://host or ldap://host:port")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError("must end after the host and port; the search base goes into 'base'")
    return value


LdapAddress = Annotated[Line, AfterValidator(_ldap_address)]
HandlerName = Annotated[Line, AfterValidator(_handler_name)]


MaxWaiting = Annotated[int, Field(ge=1, le=1024)] | None


class Argon2Settings(Section):
    """What one password hash costs."""

    memory_kib: Annotated[int, Field(ge=8, le=4_194_304)] = Field(
        default=47_104, description="KiB per hash; times the parallel logins it must fit the machine."
    )
    time_cost: Annotated[int, Field(ge=1, le=100)] = Field(default=1, description="Passes over the memory.")
    parallelism: Annotated[int, Field(ge=1, le=64)] = Field(default=1, description="Lanes.")

    @field_validator("parallelism")
    @classmethod
    def _enough_memory(cls, lanes: int, info: ValidationInfo) -> int:
        if info.data.get("memory_kib", 8 * lanes) < 8 * lanes:
            raise ValueError("needs at least 8 KiB of memory_kib per lane")
        return lanes


class UsersFileHandler(Section):
    """Passwords in a file, made by `casduo users`."""

    type: Literal["users_file"] = Field(description="`users_file`")
    name: HandlerName = Field(default="users_file", description="Name by which the registry may ask for this handler.")
    path: Location = Field(description="The users file.")
    argon2: Argon2Settings = Field(default=Argon2Settings(), description="Cost of new password hashes.")
    max_waiting: MaxWaiting = Field(
        default=None, description="Hashes computed at once. Without it: half of `server.threads`."
    )


class LdapHandler(Section):
    """Passwords in an LDAP directory or Active Directory."""

    type: Literal["ldap"] = Field(description="`ldap`")
    name: HandlerName = Field(default="ldap", description="Name by which the registry may ask for this handler.")
    start_tls: bool = Field(
        default=False, description="Upgrade `ldap://` connections with StartTLS before anything is sent."
    )
    allow_plaintext: bool = Field(
        default=False, description="Permit `ldap://` without StartTLS: passwords then travel in the clear."
    )
    servers: Annotated[
        tuple[LdapAddress, ...], BeforeValidator(one_or_many, json_schema_input_type=str | list[str])
    ] = Field(min_length=1, description="`ldaps://host:port` each; tried in order.")
    ca_file: Location | None = Field(default=None, description="PEM file of authorities to trust for these servers.")
    bind_dn: Line | None = Field(default=None, description="Account that searches for people. Without it: anonymously.")
    bind_password: SecretStr | None = Field(default=None, description="Password of `bind_dn`.")
    bind_password_file: Location | None = Field(default=None, description="File that holds `bind_password`.")
    direct_bind_dn: Line | None = Field(
        default=None,
        description="Bind as this name at once instead of searching, such as `uid={username},ou=people,dc=...`.",
    )
    decoy_dn: Line | None = Field(
        default=None,
        description="Entry that unknown users are bound to, so that they take as long as others; with a password "
        "nobody has, and without a lockout.",
    )
    base: Line | None = Field(default=None, description="Where the search begins. Required without `direct_bind_dn`.")
    filter: Line = Field(default="(uid={username})", description="Search filter; `{username}` is escaped.")
    scope: Literal["subtree", "one_level"] = Field(default="subtree", description="How deep the search goes.")
    attributes: dict[Line, Lines] = Field(
        default={}, description="Attributes to read: directory's name to the name here, or to several."
    )
    principal_attribute: Line = Field(
        default="uid", description="Attribute with one value that is the user's name from here on."
    )
    vendor: Literal["auto", "openldap", "active_directory"] = Field(
        default="auto", description="Whose codes for locked, expired and the like to read."
    )
    password_policy: bool = Field(default=True, description="Ask the directory for its password policy's verdict.")
    connect_timeout: Duration = Field(default=parse_duration("3s"), description="For connecting to one server.")
    receive_timeout: Duration = Field(default=parse_duration("5s"), description="For each answer.")
    pause: Duration = Field(
        default=parse_duration("10s"), description="How long a server that did not answer is left alone."
    )
    pool_size: Annotated[int, Field(ge=0, le=256)] = Field(
        default=4, description="Searching connections kept open to each server."
    )
    max_waiting: MaxWaiting = Field(
        default=None,
        description="Logins that may wait for the directory at once. Without it: half of `server.threads`.",
    )

    @field_validator("servers")
    @classmethod
    def _encrypted(cls, servers: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        plain = [server for server in servers if server.lower().startswith("ldap:")]
        start_tls, allowed = info.data.get("start_tls"), info.data.get("allow_plaintext")
        if plain and start_tls is False and allowed is False:
            raise ValueError("would get passwords in the clear; use ldaps://, start_tls: true or allow_plaintext: true")
        if start_tls and not plain:
            raise ValueError("are all ldaps://, which start_tls does not apply to; remove it")
        return servers

    @field_validator("bind_password")
    @classmethod
    def _with_a_name(cls, password: SecretStr | None, info: ValidationInfo) -> SecretStr | None:
        if "bind_dn" in info.data and (password is None) != (info.data["bind_dn"] is None):
            raise ValueError("bind_dn and bind_password belong together: give both or neither")
        if password is not None and not password.get_secret_value():
            raise ValueError("must not be empty: a bind without password always succeeds")
        return password

    @field_validator("direct_bind_dn")
    @classmethod
    def _names_the_user(cls, name: str | None) -> str | None:
        if name is not None and not ("=" in name and "{username}" in name):
            raise ValueError("must be a distinguished name that holds {username}")
        return name

    @field_validator("base")
    @classmethod
    def _search_or_direct(cls, base: str | None, info: ValidationInfo) -> str | None:
        if base is None and "direct_bind_dn" in info.data and info.data["direct_bind_dn"] is None:
            raise ValueError("is missing; give it, or 'direct_bind_dn'")
        return base

    @field_validator("filter")
    @classmethod
    def _filter(cls, text: str) -> str:
        if "{username}" not in text:
            raise ValueError("must hold {username}")
        if not (text.startswith("(") and text.endswith(")") and text.count("(") == text.count(")")):
            raise ValueError("must be an LDAP filter in parentheses, such as (uid={username})")
        return text


class UcmPinHandler(Section):
    """PINs of the Cisco Unified Communications Manager in section `ucm`, for phones."""

    type: Literal["ucm_pin"] = Field(description="`ucm_pin`")
    name: HandlerName = Field(default="ucm_pin", description="Name by which the registry may ask for this handler.")
    principal: Literal["userid", "mailid", "mail_name"] = Field(
        default="userid",
        description="What the user's name is from here on, at Duo too: the user id, the mail address (`mailid`), or "
        "what stands in that before the `@` (`mail_name`).",
    )
    max_waiting: MaxWaiting = Field(
        default=None, description="PINs that may be checked at once. Without it: half of `server.threads`."
    )


Handler = Annotated[UsersFileHandler | LdapHandler | UcmPinHandler, Field(discriminator="type")]
