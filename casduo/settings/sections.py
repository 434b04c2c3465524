"""The sections of casduo.yaml that are about the server itself, its pages and its limits."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator, model_validator

from casduo.fieldtypes import (
    Address,
    Delay,
    Duration,
    Line,
    Lines,
    Location,
    Section,
    WebUrl,
    format_duration,
    parse_duration,
    zone_of,
)
from casduo.settings.redisnodes import parse_nodes

REDIS_SCHEMES = ("redis", "rediss", "unix")

REMEMBER_ME_LIMIT = 90 * 86400.0
"""Seconds. CAS protocol 3.0.3, section 4.1.1: long-term tickets live no longer than three months."""

SERVICE_TICKET_LIMIT = 300.0
"""Seconds. CAS protocol 3.0.3, section 3.1.1: no longer than five minutes."""

Count = Annotated[int, Field(ge=1, le=1_000_000)]


class ServerSettings(Section):
    """Where the server listens and how it is reached from outside."""

    insecure_http: bool = Field(
        default=False,
        description="Let `url` be plain http. Passwords and session cookies then cross the network in the clear: "
        "for a trial on one machine only.",
    )
    url: WebUrl | None = Field(
        default=None,
        description="Address under which browsers and applications reach this server, such as "
        "`https://sso.example.edu/cas`. Its path is the prefix of every page. Required to serve.",
    )
    bind: Address = Field(default="127.0.0.1:8443", description="Address and port to listen on; `[::1]:8443` for IPv6.")
    server: Literal["granian", "gunicorn"] = Field(
        default="granian", description="The WSGI server that `casduo serve` runs."
    )
    processes: Annotated[int, Field(ge=1, le=256)] = Field(default=1, description="Serving processes.")
    threads: Annotated[int, Field(ge=2, le=1024)] = Field(
        default=32, description="Threads per process. At most half of them can wait for one upstream such as LDAP."
    )
    tls_certificate: Location | None = Field(
        default=None,
        description="PEM file with the certificate and its chain. Without it TLS ends at a reverse proxy in front.",
    )
    tls_key: Location | None = Field(default=None, description="PEM file with the private key of `tls_certificate`.")
    hsts_subdomains: bool = Field(
        default=False,
        description="Let browsers speak TLS only with all hosts below that of `url` as well (`includeSubDomains`), for "
        "a year. With this host alone they do so anyway.",
    )
    trusted_proxies: Annotated[int, Field(ge=0, le=10)] = Field(
        default=0,
        description="Number of reverse proxies in front that append to X-Forwarded-For. 0: the header is ignored.",
    )
    state_directory: Location = Field(
        default=Path("state"),
        description="Directory for what must outlive a restart: the embedded Valkey, a generated secret key. Without "
        "the setting: `$STATE_DIRECTORY` (systemd), else `$XDG_STATE_HOME/casduo`, else `state` beside this file.",
    )
    worker: bool = Field(default=True, description="Let `casduo serve` start a worker of its own.")
    drain: Annotated[Delay, Field(le=300)] = Field(
        default=parse_duration("5s"),
        description="How long requests are still taken after SIGTERM, while `/readyz` says that the server is about to "
        "end: proxies in front look elsewhere meanwhile.",
    )
    shutdown: Annotated[Duration, Field(ge=1, le=600)] = Field(
        default=parse_duration("30s"),
        description="How long requests in hand may take then before they are cut off. Until they are answered, so are "
        "newcomers and `/readyz`.",
    )
    time_zone: Line = Field(
        default="UTC",
        description="Time zone (IANA name) of dates in the registry that carry no offset, such as `until`.",
    )

    @field_validator("url")
    @classmethod
    def _public(cls, url: str | None, info: ValidationInfo) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.query or parts.fragment:
            raise ValueError("must end with the path; no '?' or '#'")
        if "//" in parts.path or not re.fullmatch(r"[A-Za-z0-9/._~-]*", parts.path):
            raise ValueError("has a path of other characters than letters, digits, '/', '.', '_', '~' and '-'")
        if parts.scheme != "https" and info.data.get("insecure_http") is False:
            raise ValueError("must start with https:// (or set server.insecure_http: true for a trial)")
        return url.rstrip("/")

    @field_validator("tls_key")
    @classmethod
    def _both_or_neither(cls, key: Any, info: ValidationInfo) -> Any:
        if "tls_certificate" in info.data and (key is None) != (info.data["tls_certificate"] is None):
            raise ValueError("tls_certificate and tls_key belong together: give both or neither")
        return key

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        zone_of(name)
        return name

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of ``bind``."""
        host, _, port = self.bind.rpartition(":")
        return host.strip("[]"), int(port)

    @property
    def prefix(self) -> str:
        """The path part of ``url`` without a slash at its end; empty when the server owns the whole host."""
        return urlsplit(self.url or "").path


class RedisSettings(Section):
    """Where tickets live."""

    url: Line | None = Field(
        default=None,
        description="`redis://host:6379/0`, `rediss://...` (TLS) or `unix:///path`; by Sentinel "
        "`redis+sentinel://host1:26379,host2:26379,host3:26379/NAME_OF_MASTER/0`; of a cluster "
        "`redis+cluster://host1:6379,host2:6379,host3:6379`; both with `rediss` for TLS. Without it an embedded Valkey "
        "is started in the state directory. A password in it is moved to `redis.password`.",
    )
    password: SecretStr | None = Field(default=None, description="Password of the Redis server.")
    password_file: Location | None = Field(default=None, description="File that holds `redis.password`.")
    sentinel_password: SecretStr | None = Field(
        default=None, description="Password of the Sentinels, where they have one of their own."
    )
    sentinel_password_file: Location | None = Field(
        default=None, description="File that holds `redis.sentinel_password`."
    )
    timeout: Duration = Field(default=parse_duration("2s"), description="For connecting and for each answer.")
    max_connections: Count = Field(
        default=64, description="Connections per process; more requests wait for a free one, `timeout` at most."
    )
    ca_file: Location | None = Field(default=None, description="PEM file of authorities to trust for `rediss://`.")
    confirmed_by: int | None = Field(
        default=None,
        ge=0,
        le=9,
        description="Replicas that must have what no failover may undo (a ticket was used, a session has ended) before "
        "casduo answers; 0 asks none. Half of `timeout` is waited for them, then the answer is an error. Default 1 for "
        "Sentinel and Cluster, else 0.",
    )

    @property
    def confirmations(self) -> int:
        """How many replicas are asked to confirm, 0 for none."""
        if self.confirmed_by is not None:
            return self.confirmed_by
        return int(self.url is not None and parse_nodes(self.url) is not None)

    @model_validator(mode="after")
    def _replicas_of_somebody(self) -> RedisSettings:
        if self.confirmed_by and self.url is None:
            raise ValueError("has 'confirmed_by' and no 'url'; the embedded Valkey has no replicas")
        return self

    @model_validator(mode="before")
    @classmethod
    def _password_out_of_url(cls, data: Any) -> Any:
        """Move a password in the URL to where it is kept secret; a URL is printed in logs and on pages."""
        if not isinstance(data, dict) or not isinstance(data.get("url"), str):
            return data
        try:
            parts = urlsplit(data["url"])
            password = parts.password
        except ValueError:
            return data
        if password is None:
            return data
        if data.get("password") is not None:
            raise ValueError("has a password in 'url' and another in 'password'; keep one")
        return {**data, "url": _without_password(parts), "password": unquote(password)}

    @field_validator("url")
    @classmethod
    def _scheme(cls, url: str | None) -> str | None:
        if url is None:
            return None
        if parse_nodes(url) is not None:
            return url
        try:
            parts = urlsplit(url)
            place, _ = parts.hostname or parts.path.strip("/"), parts.port
        except ValueError:
            place = ""
        # The client takes what is no number for database 0, which may be another installation's.
        if parts.scheme != "unix" and not re.fullmatch(r"(/[0-9]{0,9})?", parts.path):
            place = ""
        if not place or parts.scheme not in REDIS_SCHEMES:
            raise ValueError("must be a Redis address: redis://host:port/number, rediss://... or unix:///path")
        return url


def _without_password(parts: SplitResult) -> str:
    user = f"{parts.username}@" if parts.username else ""
    return urlunsplit(parts._replace(netloc=user + parts.netloc.rpartition("@")[2]))


class RememberMeSettings(Section):
    """Long sessions for people who ask for one on the login form."""

    enabled: bool = Field(default=False, description="Whether the login form offers it; nobody gets it unasked.")
    idle: Duration = Field(
        default=parse_duration("14d"), description="A remembered session ends when it was not used for so long."
    )
    lifetime: Duration = Field(
        default=parse_duration("30d"),
        description="A remembered session ends so long after the password; at most 90d.",
    )

    @field_validator("lifetime")
    @classmethod
    def _limits(cls, lifetime: float, info: ValidationInfo) -> float:
        if lifetime > REMEMBER_ME_LIMIT:
            raise ValueError("must not be longer than 90d (CAS protocol, section 4.1.1: three months)")
        idle = info.data.get("idle")
        if idle is not None and lifetime < idle:
            raise ValueError(f"must not be shorter than session.remember_me.idle ({format_duration(idle)})")
        return lifetime


class SessionSettings(Section):
    """How long people stay signed in."""

    idle: Duration = Field(default=parse_duration("2h"), description="A session ends when it was not used for so long.")
    lifetime: Duration = Field(default=parse_duration("8h"), description="A session ends so long after the password.")
    remember_me: RememberMeSettings = Field(
        default=RememberMeSettings(), description="Long sessions for people who ask for one."
    )

    @field_validator("lifetime")
    @classmethod
    def _not_below_idle(cls, lifetime: float, info: ValidationInfo) -> float:
        idle = info.data.get("idle")
        if idle is not None and lifetime < idle:
            raise ValueError(f"must not be shorter than session.idle ({format_duration(idle)})")
        return lifetime


class TicketSettings(Section):
    """How long tickets live."""

    service_ticket: Duration = Field(
        default=parse_duration("30s"), description="Time an application has to validate a service ticket; at most 5m."
    )

    @field_validator("service_ticket")
    @classmethod
    def _limit(cls, seconds: float) -> float:
        if seconds > SERVICE_TICKET_LIMIT:
            raise ValueError("must not be longer than 5m (CAS protocol, section 3.1.1)")
        return seconds


class LoginSettings(Section):
    """The login form."""

    form_lifetime: Duration = Field(default=parse_duration("1h"), description="How long a login form may stay open.")
    flow_lifetime: Duration = Field(
        default=parse_duration("10m"), description="How long the steps after the password may take in all."
    )
    username_case: Literal["lower", "keep"] = Field(
        default="lower",
        description="Whether typed user names are lower-cased. `keep` only if the directory tells them apart.",
    )
    group_attributes: Lines = Field(
        default=("groups", "memberOf"),
        min_length=1,
        description="Attributes that hold a person's groups, for `groups` in the registry.",
    )
    forgot_password_url: WebUrl | None = Field(
        default=None, description="Link under the form for a forgotten password."
    )
    change_password_url: WebUrl | None = Field(default=None, description="Link for people whose password has run out.")


class LogoutSettings(Section):
    """Signing out."""

    legacy_url: Literal["ignore", "as_service"] = Field(
        default="ignore",
        description="What `url` (CAS 2.0) and `destination` (rubycas-client) do at /logout; `as_service` treats them "
        "like `service`, with the same registry check.",
    )
    wait: Annotated[Duration, Field(le=10)] = Field(
        default=parse_duration("2s"),
        description="How long the sign-out page waits for applications to answer; at most 10s.",
    )
    timeout: Duration = Field(
        default=parse_duration("5s"), description="Time an application has to answer the message that a session ended."
    )
    follow_service: bool = Field(default=True, description="Whether /logout goes on to a registered `service`.")
    confirm: Literal["foreign", "always", "never"] = Field(
        default="foreign", description="When /logout asks first; `foreign`: if another site sent the browser there."
    )


class ValidationSettings(Section):
    """What applications are told when they validate a ticket."""

    cas2_attributes: bool = Field(
        default=True, description="Release attributes on the CAS 2.0 endpoints too; many clients read them there."
    )


class Limit(Section):
    """A limit on failed logins."""

    failures: Count = Field(description="Failures that are free within `window`.")
    window: Duration = Field(description="How far back failures are counted.")
    pause: Duration = Field(description="Pause after the first failure too many; each further one doubles it.")
    max_pause: Duration = Field(description="Longest pause.")

    @field_validator("max_pause")
    @classmethod
    def _not_below_pause(cls, longest: float, info: ValidationInfo) -> float:
        if longest < info.data.get("pause", 0.0):
            raise ValueError("must not be shorter than pause")
        return longest


def _limit(failures: int, window: str, pause: str, max_pause: str) -> Limit:
    return Limit(
        failures=failures,
        window=parse_duration(window),
        pause=parse_duration(pause),
        max_pause=parse_duration(max_pause),
    )


class ThrottlingSettings(Section):
    """Limits on failed logins, and only on those. Keys that are left out keep their default."""

    login_pair: Limit = Field(
        default=_limit(5, "15m", "5s", "5m"), description="One user at one address: a person who mistypes."
    )
    login_user: Limit = Field(
        default=_limit(20, "15m", "5s", "5m"), description="One user from anywhere: an account that is guessed at."
    )
    login_address: Limit = Field(
        default=_limit(200, "15m", "5s", "1m"), description="One address, any user; a campus may stand behind it."
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, data: Any) -> Any:
        """Let a limit name only the keys that differ from its default."""
        if not isinstance(data, dict):
            return data
        filled = dict(data)
        for name, field in cls.model_fields.items():
            if isinstance(data.get(name), dict):
                filled[name] = {**field.default.model_dump(), **data[name]}
        return filled


class OutboundSettings(Section):
    """Calls to others, where their own section does not say otherwise."""

    ca_file: Location | None = Field(
        default=None, description="PEM file of authorities to trust besides those of the system."
    )


def _header_name(name: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9-]{1,64}", name):
        raise ValueError("must be the name of a header: letters, digits and '-'")
    return name


HeaderName = Annotated[Line, AfterValidator(_header_name)]


class LogSettings(Section):
    """The log on standard error."""

    format: Literal["json", "console"] = Field(default="json", description="`console` is coloured, for reading by eye.")
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="Least level that is written."
    )
    requests: bool = Field(
        default=False,
        description="Whether each request gets a line when it is answered: what was asked, never with which "
        "parameters, the status, how long it took, and the reference.",
    )
    request_id_header: HeaderName = Field(
        default="X-Request-ID",
        description="Header in which the last proxy in front tells its own id of a request, for the log. It is read "
        "where `server.trusted_proxies` is above 0.",
    )
    propagate: Literal["internal", "all", "none"] = Field(
        default="internal",
        description="Who is told of the trace that a request belongs to (W3C Trace Context): systems of yours that are "
        "asked for it, which is the UCM (`internal`), applications too (`all`), or nobody. Duo and Webex never are.",
    )
