"""casduo.yaml as one typed, frozen value."""

from __future__ import annotations

from datetime import tzinfo
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationInfo, field_validator

from casduo.fieldtypes import Duration, Location, Section, one_or_many, parse_duration, zone_of
from casduo.settings.admin import AdminSettings
from casduo.settings.approvals import ApprovalSettings
from casduo.settings.audit import AuditSettings
from casduo.settings.authentication import Handler
from casduo.settings.duo import DuoSettings
from casduo.settings.enrollment import EnrollmentSettings
from casduo.settings.health import HealthSettings
from casduo.settings.metrics import MetricsSettings
from casduo.settings.pages import PageSettings
from casduo.settings.phones import PhoneSettings
from casduo.settings.rest import RestSettings
from casduo.settings.sections import (
    LoginSettings,
    LogoutSettings,
    LogSettings,
    OutboundSettings,
    RedisSettings,
    ServerSettings,
    SessionSettings,
    ThrottlingSettings,
    TicketSettings,
    ValidationSettings,
)
from casduo.settings.ucm import UcmSettings
from casduo.settings.webex import WebexSettings

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
    key_ring: Location | None = Field(
        default=None,
        description="File of signing keys in place of `secret_key`, each with the moment from which it signs; kept by "
        "`casduo keys`, the same on every node. Without either the one in `server.state_directory` is used.",
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
    enrollment: EnrollmentSettings = Field(
        default=EnrollmentSettings(), description="The pages on which people register a device."
    )
    ucm: UcmSettings | None = Field(
        default=None, description="The Cisco Unified Communications Manager whose phones people log in on."
    )
    phones: PhoneSettings = Field(default=PhoneSettings(), description="Logging in on phones.")
    approvals: ApprovalSettings = Field(
        default=ApprovalSettings(), description="Requests for access that somebody has to decide."
    )
    admin: AdminSettings = Field(default=AdminSettings(), description="The administration pages.")
    webex: WebexSettings | None = Field(default=None, description="Notifications and requests in Webex.")
    audit: AuditSettings = Field(default=AuditSettings(), description="The audit trail.")
    health: HealthSettings = Field(default=HealthSettings(), description="Who may see how the server is.")
    metrics: MetricsSettings = Field(default=MetricsSettings(), description="Numbers for Prometheus.")
    rest: RestSettings = Field(default=RestSettings(), description="The REST protocol.")
    pages: PageSettings = Field(default=PageSettings(), description="How pages look.")
    outbound: OutboundSettings = Field(default=OutboundSettings(), description="Calls to others.")
    log: LogSettings = Field(default=LogSettings(), description="The log.")

    @field_validator("key_ring")
    @classmethod
    def _one_place(cls, ring: Path | None, info: ValidationInfo) -> Path | None:
        if ring is not None and info.data.get("secret_key") is not None:
            raise ValueError("and 'secret_key' are both given; move that one to previous_secret_keys, or drop the file")
        return ring

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
    def audit_directory(self) -> Path:
        """Where the audit trail lies."""
        return self.audit.directory or self.server.state_directory / "audit"

    @property
    def zone(self) -> tzinfo:
        """The time zone of dates that carry none."""
        return zone_of(self.server.time_zone)
