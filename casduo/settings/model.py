"""casduo.yaml as one typed, frozen value."""

from __future__ import annotations

from datetime import tzinfo
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator

from casduo.fieldtypes import Duration, Location, Section, one_or_many, parse_duration, zone_of
from casduo.settings.authentication import Handler
from casduo.settings.duo import DuoSettings
from casduo.settings.rest import RestSettings
from casduo.settings.sections import (
    LoginSettings,
    LogoutSettings,
    LogSettings,
    OutboundSettings,
    PageSettings,
    RedisSettings,
    ServerSettings,
    SessionSettings,
    ThrottlingSettings,
    TicketSettings,
    ValidationSettings,
)

SECRET_KEY_LENGTH = 32
"""Characters. Keys sign what proves a login step; a shorter one could be a word that somebody thought of."""


def _long_enough(key: SecretStr) -> SecretStr:
    length = len(key.get_secret_value())
    if length < SECRET_KEY_LENGTH:
        raise ValueError(f"must have at least {SECRET_KEY_LENGTH} characters, it has {length}")
    return key


SecretKey = Annotated[SecretStr, AfterValidator(_long_enough)]


class Settings(Section):
    """Everything that casduo.yaml can say. Every key has a default except those of a section that is switched on."""

    server: ServerSettings = Field(default=ServerSettings(), description="Where the server listens and is reached.")
    secret_key: SecretKey | None = Field(
        default=None,
        description="Signs forms and cookies; at least 32 characters, the same on every node. Without it one is made "
        "and kept in `server.state_directory`.",
    )
    secret_key_file: Location | None = Field(default=None, description="File that holds `secret_key`.")
    previous_secret_keys: Annotated[
        tuple[SecretKey, ...], BeforeValidator(one_or_many, json_schema_input_type=str | list[str])
    ] = Field(
        default=(), description="Older keys, still accepted and never used to sign; for a change without signing out."
    )
    previous_secret_keys_file: Location | None = Field(
        default=None, description="File that holds `previous_secret_keys`, one a line."
    )
    pairwise_key: SecretKey | None = Field(
        default=None,
        description="Makes the names that services with `pairwise_id` are told; at least 32 characters, the same on "
        "every node. With another key everybody has another name at all of them. Without it one is made and kept in "
        "`server.state_directory` when the first such name is needed.",
    )
    pairwise_key_file: Location | None = Field(default=None, description="File that holds `pairwise_key`.")
    redis: RedisSettings = Field(default=RedisSettings(), description="Where tickets live.")
    registry: Location = Field(default=Path("registry.yaml"), description="The file with the registered services.")
    registry_reload: Duration = Field(
        default=parse_duration("1s"), description="How often the registry file is looked at for changes."
    )
    session: SessionSettings = Field(default=SessionSettings(), description="How long people stay signed in.")
    tickets: TicketSettings = Field(default=TicketSettings(), description="How long tickets live.")
    login: LoginSettings = Field(default=LoginSettings(), description="The login form.")
    logout: LogoutSettings = Field(default=LogoutSettings(), description="Signing out.")
    validation: ValidationSettings = Field(default=ValidationSettings(), description="What applications are told.")
    throttling: ThrottlingSettings = Field(default=ThrottlingSettings(), description="Limits on failed logins.")
    authentication: tuple[Handler, ...] = Field(
        default=(), description="Who checks passwords, asked in this order. At least one is required to serve."
    )
    duo: DuoSettings | None = Field(default=None, description="The second factor; off without this section.")
    rest: RestSettings = Field(default=RestSettings(), description="The REST protocol.")
    pages: PageSettings = Field(default=PageSettings(), description="How pages look.")
    outbound: OutboundSettings = Field(default=OutboundSettings(), description="Calls to others.")
    log: LogSettings = Field(default=LogSettings(), description="The log.")

    @field_validator("authentication")
    @classmethod
    def _names_differ(cls, handlers: tuple[Handler, ...]) -> tuple[Handler, ...]:
        names = [handler.name for handler in handlers]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(f"has two handlers of the name {name!r}; give each a 'name' of its own")
        return handlers

    @property
    def handler_names(self) -> tuple[str, ...]:
        """Names by which the registry may ask for a handler."""
        return tuple(handler.name for handler in self.authentication)

    @property
    def duo_applications(self) -> tuple[str, ...]:
        """Names by which the registry may ask for a Duo application other than the default one."""
        return tuple(self.duo.applications) if self.duo else ()

    @property
    def zone(self) -> tzinfo:
        """The time zone of dates that carry none."""
        return zone_of(self.server.time_zone)
