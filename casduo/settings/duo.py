"""The section of casduo.yaml that names the Duo account and its applications."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from casduo.fieldtypes import Duration, HttpsUrl, Line, Location, Section, parse_duration

KEY_LENGTH = 20
SECRET_LENGTH = 40
"""Characters. Duo's official client refuses any other length before it sends anything."""


def _fits(value: str, length: int) -> None:
    if len(value) != length:
        raise ValueError(f"must have exactly {length} characters, it has {len(value)}")
    if not value.isascii() or not value.isprintable() or " " in value:
        raise ValueError("must be letters and digits only")


def _key(value: str) -> str:
    _fits(value, KEY_LENGTH)
    return value


def _secret(value: SecretStr) -> SecretStr:
    _fits(value.get_secret_value(), SECRET_LENGTH)
    return value


def _proxy(value: SecretStr) -> SecretStr:
    try:
        parts = urlsplit(value.get_secret_value())
        usable = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("must be of the form http://host:port or http://user:password@host:port")
    return value


def _api_host(value: str) -> str:
    if "://" in value or "/" in value:
        raise ValueError("must be the host name alone, without https:// and without a path")
    found = re.fullmatch(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::(\d{1,5}))?", value, re.ASCII)
    if not found or (found[1] and not 0 < int(found[1]) < 65_536):
        raise ValueError("must be a host name such as api-xxxxxxxx.duosecurity.com")
    return value.lower()


ApiHost = Annotated[Line, AfterValidator(_api_host)]
DuoKey = Annotated[Line, AfterValidator(_key)]
DuoSecret = Annotated[SecretStr, AfterValidator(_secret)]
Prompt = Literal["universal", "push"]
FailMode = Literal["closed", "open"]


class UniversalKeys(Section):
    """Keys of an application of the type Web SDK in Duo's Admin Panel."""

    client_id: DuoKey = Field(description="Client ID (integration key), 20 characters.")
    client_secret: DuoSecret = Field(description="Client secret (secret key), 40 characters.")
    client_secret_file: Location | None = Field(default=None, description="File that holds `client_secret`.")


class AuthApiKeys(Section):
    """Keys of an application of the type Auth API in Duo's Admin Panel."""

    integration_key: DuoKey = Field(description="Integration key, 20 characters.")
    secret_key: DuoSecret = Field(description="Secret key, 40 characters.")
    secret_key_file: Location | None = Field(default=None, description="File that holds `secret_key`.")


class BreakerSettings(Section):
    """When to stop asking somebody who does not answer."""

    failures: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=5, description="Failures in a row that open the breaker."
    )
    pause: Duration = Field(default=parse_duration("10s"), description="How long nobody is asked then.")


class DuoApplication(Section):
    """Another application in Duo, for services with a policy of their own. Keys left out are those of `duo`."""

    api_host: ApiHost | None = Field(default=None, description="API host name.")
    universal: UniversalKeys | None = Field(default=None, description="Web SDK keys.")
    auth_api: AuthApiKeys | None = Field(default=None, description="Auth API keys; without them those of `universal`.")
    fail: FailMode | None = Field(default=None, description="See `duo.fail`.")
    prompt: Prompt | None = Field(default=None, description="See `duo.prompt`.")
    accept_preauth_allow: bool | None = Field(default=None, description="See `duo.accept_preauth_allow`.")
    enrollment_url: HttpsUrl | None = Field(default=None, description="See `duo.enrollment_url`.")


class DuoSettings(Section):
    """The second factor. Without this section Duo is off, and no service may require it."""

    api_host: ApiHost = Field(description="API host name, `api-xxxxxxxx.duosecurity.com`, no scheme, no path.")
    universal: UniversalKeys = Field(description="Web SDK keys.")
    auth_api: AuthApiKeys | None = Field(
        default=None,
        description="Auth API keys, for preauth, push and passcode. Without them those of `universal` are used.",
    )
    fail: FailMode = Field(
        default="closed",
        description="Whether people get in without Duo while Duo cannot be reached. Wrong keys, a wrong clock or an "
        "untrusted certificate never open anything.",
    )
    prompt: Prompt = Field(
        default="universal", description="Duo's own page (`universal`) or the built-in one (`push`)."
    )
    accept_preauth_allow: bool = Field(
        default=True, description="Whether Duo's 'allow without a factor' (bypass status, trusted network) is enough."
    )
    end_sessions_on_fraud: bool = Field(
        default=True, description="End all sessions of a user who reports a push as fraud: somebody has the password."
    )
    enrollment_url: HttpsUrl | None = Field(
        default=None,
        description="Where people without a device are sent. Without it: the page that Duo itself offers them.",
    )
    ca_file: Location | None = Field(
        default=None, description="PEM file of authorities to trust besides those that Duo's clients pin."
    )
    proxy: Annotated[SecretStr, AfterValidator(_proxy)] | None = Field(
        default=None, description="Web proxy for calls to Duo, `http://[user:password@]host:port`; kept as a secret."
    )
    proxy_file: Location | None = Field(default=None, description="File that holds `proxy`.")
    connect_timeout: Duration = Field(default=parse_duration("3s"), description="For connecting.")
    read_timeout: Duration = Field(default=parse_duration("5s"), description="For each answer.")
    breaker: BreakerSettings = Field(default=BreakerSettings(), description="When to stop asking Duo for a while.")
    applications: dict[Line, DuoApplication] = Field(
        default={}, description="Further applications by name, for `requires_duo: {application: NAME}` in the registry."
    )

    @field_validator("applications")
    @classmethod
    def _complete(cls, applications: dict[str, DuoApplication], info: ValidationInfo) -> dict[str, DuoApplication]:
        for name, application in applications.items():
            if application.api_host is not None and application.universal is None:
                raise ValueError(f"{name!r} has an api_host of its own, so it needs keys of its own ('universal')")
        return applications

    @property
    def auth_keys(self) -> tuple[str, SecretStr]:
        """Integration and secret key for the Auth API: its own, else those of the Web SDK application."""
        if self.auth_api is not None:
            return self.auth_api.integration_key, self.auth_api.secret_key
        return self.universal.client_id, self.universal.client_secret

    def for_application(self, name: str | None) -> DuoSettings:
        """Return the settings with which to ask Duo for the application ``name``; ``None`` is the default one.

        :raises KeyError: there is no such application; loading the registry rules that out
        """
        if name is None:
            return self
        application = self.applications[name]
        own = {key: value for key in DuoApplication.model_fields if (value := getattr(application, key)) is not None}
        if application.universal is not None and application.auth_api is None:
            own["auth_api"] = None
        return self.model_copy(update=own)
