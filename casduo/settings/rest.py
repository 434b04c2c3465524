"""The section of casduo.yaml about the REST protocol: whether it is spoken, and with whom."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo, field_validator, model_validator

from casduo.fieldtypes import Line, Lines, Location, NetworkBlock, Section, one_or_many

KEY_LENGTH = 32
"""Characters. A shorter key could be a word that somebody thought of."""

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_KEY = re.compile(r"[A-Za-z0-9._~+/-]+=*")
"""What a key may consist of: RFC 6750, section 2.1, ``b64token``."""


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise ValueError("must be a short name of lower-case letters, digits, '-', '_' and '.', at most 64")
    return value


def _key(key: SecretStr) -> SecretStr:
    text = key.get_secret_value()
    if len(text) < KEY_LENGTH:
        raise ValueError(f"must have at least {KEY_LENGTH} characters, it has {len(text)}")
    if not _KEY.fullmatch(text):
        raise ValueError("must be letters, digits and '-._~+/', with '=' at its end only: it travels in a header")
    return key


Networks = Annotated[tuple[NetworkBlock, ...], BeforeValidator(one_or_many, json_schema_input_type=str | list[str])]


class RestClientSettings(Section):
    """A program that may use the REST protocol. It is recognised by its key, by its address, or by both: what is given
    must be met.
    """

    name: Annotated[Line, AfterValidator(_name)] = Field(description="Name for the log.")
    key: Annotated[SecretStr, AfterValidator(_key)] | None = Field(
        default=None,
        description="What it sends as `Authorization: Bearer KEY`; at least 32 characters, random.",
    )
    key_file: Location | None = Field(default=None, description="File that holds `key`.")
    networks: Networks = Field(
        default=(), description="Blocks of addresses that it calls from. Without them it may call from anywhere."
    )
    services: Lines = Field(
        default=(), description="Ids of the services in the registry that it may get tickets for; all if empty."
    )

    @model_validator(mode="before")
    @classmethod
    def _recognisable(cls, data: Any) -> Any:
        """Let no client be without a mark of its own."""
        if isinstance(data, dict) and not any(data.get(mark) for mark in ("key", "key_file", "networks")):
            raise ValueError("needs 'key', 'key_file' or 'networks': nobody could tell who calls")
        return data

    @field_validator("networks")
    @classmethod
    def _not_everybody(cls, networks: tuple[Any, ...], info: ValidationInfo) -> tuple[Any, ...]:
        marked = info.data.get("key") is not None or info.data.get("key_file") is not None
        if not marked and "key" in info.data and any(network.prefixlen == 0 for network in networks):
            raise ValueError("are the whole Internet, which is everybody; give the client a 'key'")
        return networks


class RestSettings(Section):
    """The REST protocol: programs that are given people's passwords, and get tickets for them."""

    enabled: bool = Field(default=False, description="Whether `/v1/tickets` and `/v1/users` exist.")
    clients: tuple[RestClientSettings, ...] = Field(
        default=(), description="Who may use it; nobody else. At least one where it is enabled."
    )

    @field_validator("clients")
    @classmethod
    def _differ(cls, clients: tuple[RestClientSettings, ...], info: ValidationInfo) -> tuple[RestClientSettings, ...]:
        if info.data.get("enabled") and not clients:
            raise ValueError("is missing: nobody could use the protocol; name a client")
        names = [client.name for client in clients]
        keys = [client.key.get_secret_value() for client in clients if client.key is not None]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"has two clients of the name {name!r}")
        if len(set(keys)) != len(keys):
            raise ValueError("has two clients with the same key: nobody could tell which of them calls")
        return clients
