"""The section of casduo.yaml that names the Duo account and its applications."""

from __future__ import annotations

import re
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from casduo.fieldtypes import Duration, HttpsUrl, Line, Location, Section, parse_duration
from casduo.services.policies import NEVER, Networks, TrustedBrowser
from casduo.services.regexes import check_expression

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


_TAKEN = frozenset(
    {
        # CAS protocol 2.1 and 2.2, and what SAML clients call the service.
        *("service", "renew", "gateway", "method", "ticket", "warn", "username", "password", "lt", "TARGET", "SAMLart"),
        # What our own pages send, and Duo's.
        *("execution", "csrf", "rememberMe", "passcode", "factor", "cancel", "report", "trust", "state", "duo_code"),
    }
)
"""Parameters of a login that mean something else."""


def _request_parameter(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_.-]{0,63}", name):
        raise ValueError("must be the name of a parameter, such as authn_method")
    if name in _TAKEN:
        raise ValueError(f"{name!r} means something else at the login; take a name such as authn_method")
    return name


ApiHost = Annotated[Line, AfterValidator(_api_host)]
DuoKey = Annotated[Line, AfterValidator(_key)]
DuoSecret = Annotated[SecretStr, AfterValidator(_secret)]
Prompt = Literal["universal", "push"]
FailMode = Literal["closed", "open"]


class PreviousUniversalKeys(Section):
    """Keys of the application of the type Web SDK that was used before."""

    client_id: DuoKey = Field(description="Client ID (integration key), 20 characters.")
    client_secret: DuoSecret = Field(description="Client secret (secret key), 40 characters.")
    client_secret_file: Location | None = Field(default=None, description="File that holds `client_secret`.")


class PreviousAuthApiKeys(Section):
    """Keys of the application of the type Auth API that was used before."""

    integration_key: DuoKey = Field(description="Integration key, 20 characters.")
    secret_key: DuoSecret = Field(description="Secret key, 40 characters.")
    secret_key_file: Location | None = Field(default=None, description="File that holds `secret_key`.")


class UniversalKeys(Section):
    """Keys of an application of the type Web SDK in Duo's Admin Panel."""

    client_id: DuoKey = Field(description="Client ID (integration key), 20 characters.")
    client_secret: DuoSecret = Field(description="Client secret (secret key), 40 characters.")
    client_secret_file: Location | None = Field(default=None, description="File that holds `client_secret`.")
    previous: PreviousUniversalKeys | None = Field(
        default=None,
        description="Keys of the application that was used before: what was begun with them is ended with them, and "
        "nothing new is begun.",
    )


class AuthApiKeys(Section):
    """Keys of an application of the type Auth API in Duo's Admin Panel."""

    integration_key: DuoKey = Field(description="Integration key, 20 characters.")
    secret_key: DuoSecret = Field(description="Secret key, 40 characters.")
    secret_key_file: Location | None = Field(default=None, description="File that holds `secret_key`.")
    previous: PreviousAuthApiKeys | None = Field(
        default=None,
        description="Keys of the application that was used before: pushes that were sent with them are followed with "
        "them.",
    )


class BreakerSettings(Section):
    """When to stop asking somebody who does not answer."""

    failures: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=5, description="Failures in a row that open the breaker, on all nodes; a time-out alone opens it."
    )
    pause: Duration = Field(
        default=parse_duration("10s"), description="How long nobody is asked then; afterwards one call tries."
    )


class AdminApiKeys(Section):
    """Keys of an application of the type Admin API in Duo's Admin Panel, with the right to write resources."""

    integration_key: DuoKey = Field(description="Integration key, 20 characters.")
    secret_key: DuoSecret = Field(description="Secret key, 40 characters.")
    secret_key_file: Location | None = Field(default=None, description="File that holds `secret_key`.")


class PushSettings(Section):
    """The built-in page: pushes, calls and passcodes."""

    most: Annotated[int, Field(ge=1, le=100)] = Field(
        default=3,
        description="Pushes, calls and text messages that one person is sent within `window` without approving any.",
    )
    window: Duration = Field(default=parse_duration("5m"), description="See `most`.")
    label: Line = Field(default="Sign-in", description="Word that devices show before `request`.")
    places: dict[Line, Networks] = Field(
        default={},
        description="Names of places by their address blocks, such as `Main campus: [10.0.0.0/8]`; devices show where "
        "a request comes from.",
    )
    passcodes: Line = Field(
        default="[0-9]{6,10}|[cbdefghijklnrtuv]{44}",
        description="Regular expression of what may be a passcode. Bypass codes have nine digits, some tokens letters.",
    )

    @field_validator("passcodes")
    @classmethod
    def _compiles(cls, passcodes: str) -> str:
        check_expression(passcodes, 100)
        return passcodes


class DuoApplication(Section):
    """Another application in Duo, for services with a policy of their own. Keys left out are those of `duo`."""

    api_host: ApiHost | None = Field(default=None, description="API host name.")
    universal: UniversalKeys | None = Field(default=None, description="Web SDK keys.")
    auth_api: AuthApiKeys | None = Field(default=None, description="Auth API keys; without them those of `universal`.")
    fail: FailMode | None = Field(default=None, description="See `duo.fail`.")
    prompt: Prompt | None = Field(default=None, description="See `duo.prompt`.")
    accept_preauth_allow: bool | None = Field(default=None, description="See `duo.accept_preauth_allow`.")
    trusted_browser: TrustedBrowser = Field(default=None, description="See `duo.trusted_browser`.")
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
    prompt_fallback: bool = Field(
        default=True,
        description="Whether the built-in page takes over for a login while Duo's own page is down and its Auth API "
        "answers.",
    )
    push: PushSettings = Field(default=PushSettings(), description="The built-in page.")
    trusted_browser: TrustedBrowser = Field(
        default=NEVER,
        description="How long Duo is not asked again in a browser whose owner chose so after passing it, `1d` to "
        "`90d`; `false`: nobody is offered that.",
    )
    request_parameter: Annotated[Line, AfterValidator(_request_parameter)] | None = Field(
        default=None,
        description="Name of a parameter of /login by which an application may ask for Duo where its entry does not, "
        "with the value `mfa-duo`; `authn_method` is what Apereo CAS calls it. It never lowers what an entry demands.",
    )
    accept_preauth_allow: bool = Field(
        default=True, description="Whether Duo's 'allow without a factor' (bypass status, trusted network) is enough."
    )
    end_sessions_on_fraud: bool = Field(
        default=True, description="End all sessions of a user who reports a push as fraud: somebody has the password."
    )
    enrollment_url: HttpsUrl | None = Field(
        default=None,
        description="Where people without a device are sent. Without it: the built-in pages, see `enrollment`.",
    )
    admin_api: AdminApiKeys | None = Field(
        default=None,
        description="Admin API keys. Only the enrolment pages use them: for a new code after one ran out, and for a "
        "second device.",
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

    @field_validator("trusted_browser")
    @classmethod
    def _decided(cls, trusted_browser: float | None) -> float:
        return NEVER if trusted_browser is None else trusted_browser

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
        if application.api_host not in (None, self.api_host):
            # Another account in Duo, where the keys for administration are unknown.
            own["admin_api"] = None
        return self.model_copy(update=own)
