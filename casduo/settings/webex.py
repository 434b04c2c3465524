"""The section of casduo.yaml about Webex: the bot, where it posts what, and how presses of its cards come back."""

from __future__ import annotations

import re
from string import Formatter
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator

from casduo.fieldtypes import Duration, Line, Location, Section, WebUrl, one_or_many, parse_duration
from casduo.problems import did_you_mean, listed
from casduo.settings.audit import EventKind
from casduo.settings.duo import BreakerSettings
from casduo.webex.placeholders import PLACEHOLDERS

WEBHOOK_SECRET_LENGTH = 32
"""Characters. Whoever knows the secret can make the worker look things up at Webex."""
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_DOMAIN = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}", re.IGNORECASE | re.ASCII)
_TOKEN = re.compile(r"[\x21-\x7e]+")


def _base_url(value: str) -> str:
    url = urlsplit(value)
    if url.query or url.fragment:
        raise ValueError("must end with the path; no '?' or '#'")
    if url.scheme != "https" and url.hostname not in _LOCAL:
        raise ValueError("must start with https://; the bot's token travels with every request")
    return value.rstrip("/") + "/"


def _secret(value: SecretStr) -> SecretStr:
    length = len(value.get_secret_value())
    if length < WEBHOOK_SECRET_LENGTH:
        raise ValueError(f"must have at least {WEBHOOK_SECRET_LENGTH} characters, it has {length}")
    return value


def _token(value: SecretStr) -> SecretStr:
    if not _TOKEN.fullmatch(value.get_secret_value()):
        raise ValueError("must not be empty, and has no spaces and no letters with accents: it travels in a header")
    return value


def _domain(value: str) -> str:
    if not _DOMAIN.fullmatch(value):
        raise ValueError("must be what stands behind the @ of addresses, such as example.edu")
    return value.lower()


def _template(value: str) -> str:
    try:
        fields = [(name, form or shown) for _, name, form, shown in Formatter().parse(value) if name is not None]
    except ValueError as error:
        raise ValueError(f"is not a text with placeholders: {error}") from None
    for name, form in fields:
        if name in PLACEHOLDERS and form:
            raise ValueError(f"must name the placeholder {{{name}}} without a format")
        if name not in PLACEHOLDERS:
            raise ValueError(
                f"has the placeholder {{{name}}}, there are {listed(PLACEHOLDERS, 'and')}"
                + did_you_mean(name, PLACEHOLDERS)
            )
    return value


def _route(value: object) -> object:
    """Let a single word stand for where to."""
    return {"to": value} if isinstance(value, str) else value


WebhookSecret = Annotated[SecretStr, AfterValidator(_secret)]


class WebexRoute(Section):
    """What is posted of one kind of event, and where."""

    to: Literal["space", "person", "none"] = Field(
        description="`space`: the space `room`; `person`: whom the event is about, by their e-mail address; `none`."
    )
    room: Line | None = Field(default=None, description="Space to post in. Without it: `webex.room`.")
    template: Annotated[Line, AfterValidator(_template)] | None = Field(
        default=None,
        description="The text, in Webex's Markdown with placeholders such as `**{user}** signed in to {service}`. "
        "Without it: the built-in one.",
    )


Route = Annotated[
    WebexRoute,
    BeforeValidator(_route, json_schema_input_type=Literal["space", "person", "none"] | WebexRoute),
]


class WebhookSettings(Section):
    """How Webex tells that a button was pressed. Without a secret requests are decided on our own page only."""

    secret: WebhookSecret | None = Field(
        default=None, description="Signs what Webex sends; at least 32 random characters, known to nobody else."
    )
    secret_file: Location | None = Field(default=None, description="File that holds `secret`.")
    previous_secret: WebhookSecret | None = Field(
        default=None, description="The secret before, still accepted while Webex learns of the new one."
    )
    previous_secret_file: Location | None = Field(default=None, description="File that holds `previous_secret`.")
    url: WebUrl | None = Field(
        default=None,
        description="Where Webex reaches this server, if not at `server.url` with `/webex/webhook` behind it.",
    )
    require_sha256: bool = Field(
        default=False, description="Refuse what is signed with HMAC-SHA1 only, which Webex documents."
    )


class WebexBreaker(BreakerSettings):
    """When to stop asking Webex."""

    failures: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=5, description="Failures in a row after which nobody is asked, on all nodes."
    )
    pause: Duration = Field(
        default=parse_duration("30s"), description="How long nobody is asked then; afterwards one call tries."
    )


class WebexSettings(Section):
    """The Webex bot. Without this section nothing is posted."""

    token: Annotated[SecretStr, AfterValidator(_token)] = Field(description="Access token of the bot.")
    token_file: Location | None = Field(default=None, description="File that holds `token`.")
    base_url: Annotated[WebUrl, AfterValidator(_base_url)] = Field(
        default="https://webexapis.com/v1/", description="Address of the API."
    )
    room: Line | None = Field(
        default=None, description="Id of the space in which notifications and requests are posted."
    )
    notify: dict[EventKind, Route] = Field(
        default={},
        description="Which kinds of event are posted, and where: such as `signin.ok: none`. Kinds that are not here go "
        "the built-in way, see `docs/webex.md`. What requests for access need does not go by it.",
    )
    mail_domain: Annotated[Line, AfterValidator(_domain)] | None = Field(
        default=None,
        description="Behind the user name and an @ it is a person's e-mail address, for kinds of event that go to "
        "`person`. Without it only user names that are addresses themselves can be written to.",
    )
    on_decision: Literal["replace", "reply"] = Field(
        default="replace",
        description="What is posted of a decision: a card in place of the one with the buttons, or a reply to that "
        "one, which then stays.",
    )
    webhook: WebhookSettings = Field(default=WebhookSettings(), description="Presses of buttons.")
    organisations: Annotated[tuple[Line, ...], BeforeValidator(one_or_many, json_schema_input_type=str | list[str])] = (
        Field(
            default=(),
            description="Ids of further Webex organisations whose people may decide; the bot's own always may.",
        )
    )
    max_age: Duration = Field(
        default=parse_duration("24h"), description="After which what could not be delivered is put aside."
    )
    per_space: Annotated[float, Field(gt=0, le=1000)] = Field(
        default=1.0, description="Messages a second to one space, at most."
    )
    per_token: Annotated[float, Field(gt=0, le=1000)] = Field(
        default=5.0, description="Messages a second in all, at most."
    )
    digest_above: Annotated[int, Field(ge=0, le=1_000_000)] = Field(
        default=20,
        description="Sign-ins and sign-outs that wait for one space above which one message counts them instead; 0: "
        "never.",
    )
    connect_timeout: Duration = Field(default=parse_duration("3s"), description="For connecting.")
    read_timeout: Duration = Field(default=parse_duration("10s"), description="Longest silence of Webex in an answer.")
    timeout: Duration = Field(default=parse_duration("15s"), description="For a call as a whole.")
    breaker: WebexBreaker = Field(default=WebexBreaker(), description="When to leave Webex alone.")
    ca_file: Location | None = Field(
        default=None, description="PEM file of the authorities to trust for Webex, in place of the system's."
    )
    proxy: SecretStr | None = Field(
        default=None, description="HTTP proxy for calls to Webex, `http://[user:password@]host:port`."
    )
    proxy_file: Location | None = Field(default=None, description="File that holds `proxy`.")

    @field_validator("read_timeout", "connect_timeout", "timeout")
    @classmethod
    def _some(cls, seconds: float) -> float:
        if seconds <= 0:
            raise ValueError("must be more than 0")
        return seconds
