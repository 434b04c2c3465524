"""What an entry of the registry may say about Duo, access, attributes, sign-out and proxying."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import Annotated, Any, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, Field, PlainValidator, ValidationInfo, field_validator

from casduo.errors import MalformedService
from casduo.fieldtypes import (
    Duration,
    Line,
    Lines,
    LocalLine,
    Moment,
    NetworkBlock,
    Section,
    WebUrl,
    format_duration,
    one_or_many,
    parse_duration,
    shown,
)
from casduo.problems import did_you_mean, listed
from casduo.services.names import LISTED_NAMES
from casduo.services.patterns import compile_pattern
from casduo.services.regexes import check_expression
from casduo.services.urls import parse_service

Case = Literal["keep", "lower", "upper"]
Networks = Annotated[tuple[NetworkBlock, ...], BeforeValidator(one_or_many, json_schema_input_type=str | list[str])]
ValuesByName = dict[Line, Lines]

MAX_MATCHED = 2048
"""Longest value, in characters, that ``match`` is tried on; bounds how long that takes."""

_EXPRESSIONS = 4096
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


def _pattern(text: str) -> str:
    compile_pattern(text)
    return text


def _https_pattern(text: str) -> str:
    if compile_pattern(text).schemes != {"https"}:
        raise ValueError("must be https:// only: the ticket travels in it")
    return text


UrlPattern = Annotated[Line, AfterValidator(_pattern)]
UrlPatterns = Annotated[tuple[UrlPattern, ...], BeforeValidator(one_or_many, json_schema_input_type=str | list[str])]
CallbackPatterns = Annotated[
    tuple[Annotated[Line, AfterValidator(_https_pattern)], ...],
    BeforeValidator(one_or_many, json_schema_input_type=str | list[str]),
]


class _Period(Section):
    """Something that holds for a time only."""

    from_: Moment | None = Field(
        default=None, alias="from", description="Holds from this moment; a date means its first moment."
    )
    until: Moment | None = Field(
        default=None, description="Holds up to this moment, which itself no longer counts; a date means its beginning."
    )

    @field_validator("until")
    @classmethod
    def _after_from(cls, until: Any, info: ValidationInfo) -> Any:
        start = info.data.get("from_")
        if until is not None and start is not None and until <= start:
            raise ValueError("must be later than 'from'")
        return until


class _Condition(Section):
    """A condition on person and place. Every key that is given must hold; of its values, one is enough."""

    groups: Lines = Field(default=(), description="Groups; membership in one of them is enough.")
    attributes: ValuesByName = Field(
        default={}, description="Attributes with their accepted values, one of which is enough; all names must fit."
    )
    networks: Networks = Field(default=(), description="Address blocks of the browser, such as `10.0.0.0/8`.")


class AccessRules(_Condition, _Period):
    """Who may use a service, from where and when. Every key that is given must hold."""

    reason: LocalLine | None = Field(
        default=None, description="Shown to people who are refused; a text, or texts by language."
    )

    @property
    def is_open(self) -> bool:
        """Whether the rule keeps nobody out."""
        return not (self.groups or self.attributes or self.networks or self.from_ or self.until)


class DuoWhen(_Condition):
    """Of whom Duo is required. Every key that is given must hold."""


NEVER = 0.0
"""What ``trusted_browser: false`` is read as."""
SHORTEST_TRUST, LONGEST_TRUST = 86_400.0, 90 * 86_400.0
"""Seconds. People are asked whether a browser is to be trusted for some days; a quarter is as long as they remember."""

_NO = ("false", "no", "off")


def _trusted_browser(value: object) -> float | None:
    if isinstance(value, str) and value.strip().lower() in _NO:
        # From the environment all values come as text.
        return NEVER
    if value is None or value in (False, NEVER):
        return None if value is None else NEVER
    try:
        seconds = parse_duration(value)
    except ValueError:
        raise ValueError("must be a duration such as 30d, or false") from None
    if not SHORTEST_TRUST <= seconds <= LONGEST_TRUST:
        raise ValueError(f"must be from 1d to 90d, or false, not {format_duration(seconds)}")
    return seconds


TrustedBrowser = Annotated[
    float | None, PlainValidator(_trusted_browser, json_schema_input_type=Duration | Literal[False] | None)
]
"""Seconds for which a browser is trusted; :data:`NEVER` says that it is not, ``None`` that others decide."""

Mode = Literal["required", "optional", "report"]
"""How much a Duo rule demands: Duo of everybody, of those who have a device, of nobody."""
MODES: tuple[Mode, ...] = get_args(Mode)

ALWAYS = datetime.min.replace(tzinfo=UTC)
"""From when a mode holds that is written without dates."""


class ModeDates(Section):
    """From when which mode holds, in rising order. Before the first of these moments nothing is asked."""

    report: str | None = Field(default=None, description="From then on it is written down who would be asked.")
    optional: str | None = Field(default=None, description="From then on people are asked who have a device.")
    required: str | None = Field(default=None, description="From then on everybody is asked whom the rule means.")


def _written_modes(value: object) -> object:
    """Let a single word stand for a mode that has always held."""
    if isinstance(value, str):
        if value not in MODES:
            raise ValueError(f"must be {listed(MODES)}, not {shown(value)}{did_you_mean(value, MODES)}")
        return {value: ALWAYS}
    if not isinstance(value, dict):
        raise ValueError(f"must be {listed(MODES)}, or a mapping such as {{report: 2026-12-01, required: 2027-02-01}}")
    return value


def _rising(modes: dict[Mode, datetime]) -> dict[Mode, datetime]:
    for (earlier, start), (later, next_start) in pairwise(modes.items()):
        if next_start <= start:
            raise ValueError(f"must have rising dates: {later!r} does not begin later than {earlier!r}")
    return modes


Modes = Annotated[
    dict[Mode, Moment],
    Field(min_length=1),
    BeforeValidator(_written_modes, json_schema_input_type=Mode | ModeDates),
    AfterValidator(_rising),
]


class DuoRule(_Period):
    """When and how a service requires Duo. Keys left out follow the ``duo`` section of the settings."""

    when: DuoWhen | None = Field(default=None, description="Whom it is required of; without it, of everybody.")
    mode: Modes = Field(
        default={"required": ALWAYS},
        description="`required`; `optional`: asked of people who have a device; `report`: asked of nobody, only "
        "written down. Or a mapping of these words to the dates from which each holds, in rising order.",
        json_schema_extra={"default": "required"},
    )
    max_age: Duration | None = Field(
        default=None, description="Ask again when the last Duo login of the session is older."
    )
    prompt: Literal["universal", "push"] | None = Field(
        default=None, description="Duo's own page (`universal`) or the built-in one (`push`)."
    )
    fail: Literal["closed", "open"] | None = Field(
        default=None, description="Whether people get in without Duo while Duo cannot be reached."
    )
    application: Line | None = Field(
        default=None,
        description="Name of an application in `duo.applications` of the settings; another one's Duo does not count "
        "then.",
    )
    trusted_browser: TrustedBrowser = Field(
        default=None,
        description="How long Duo is not asked again in a browser whose owner chose so after passing it, `1d` to "
        "`90d`; `false`: it is asked in such browsers too. Without it: as in the settings.",
    )

    @cached_property
    def mode_starts(self) -> tuple[tuple[Mode, float], ...]:
        """The modes with the moments from which they hold, in epoch seconds, in rising order."""
        return tuple((mode, start.timestamp()) for mode, start in self.mode.items())

    def mode_at(self, now: float) -> Mode | None:
        """Return the mode in force at ``now`` (epoch seconds), ``None`` before the first one begins."""
        return next((mode for mode, start in reversed(self.mode_starts) if start <= now), None)


class AttributeSource(Section):
    """Where the values of a released attribute come from."""

    from_: Line | None = Field(
        default=None, alias="from", description="Name of the attribute at its source. Without it: the released name."
    )
    static: Lines = Field(default=(), description="Fixed values, the same for everybody.")
    match: Line | None = Field(
        default=None,
        description="Regular expression; values that do not match as a whole are left out, and so are those of more "
        "than 2048 characters. Without look-around and back references, and quick on every text.",
    )
    replace: str | None = Field(
        default=None, description=r"What a matching value becomes; `\1` is the first group of `match`."
    )
    case: Case = Field(default="keep", description="Change the letters to lower or upper case.")

    @field_validator("static")
    @classmethod
    def _one_source(cls, static: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if static and info.data.get("from_") is not None:
            raise ValueError("and 'from' exclude each other")
        return static

    @field_validator("match")
    @classmethod
    def _compiles(cls, match: str | None) -> str | None:
        if match is not None:
            check_expression(match, MAX_MATCHED)
        return match

    @field_validator("replace")
    @classmethod
    def _fits_match(cls, replace: str | None, info: ValidationInfo) -> str | None:
        if replace is None or "match" not in info.data:
            return replace
        if info.data["match"] is None:
            raise ValueError("needs 'match'")
        try:
            # An empty pattern with as many groups: what matters is whether the template can be filled in.
            groups = compiled(info.data["match"]).groups
            re.sub("()" * groups or "", replace, "", count=1)
        except (re.error, IndexError) as error:
            raise ValueError(f"does not fit 'match': {error}") from None
        return replace


@dataclass(frozen=True, slots=True)
class ReleaseRule:
    """One released attribute, written out in full.

    :param name: the name that applications see
    :param source: the name at the source; empty when ``static`` holds the values
    :param static: fixed values
    :param match: regular expression that a whole value must match to be released; empty: every value is
    :param replace: template that a matching value becomes; ``None``: it stays
    :param case: what happens to its letters
    """

    name: str
    source: str
    static: tuple[str, ...] = ()
    match: str = ""
    replace: str | None = None
    case: Case = "keep"


@lru_cache(_EXPRESSIONS)
def compiled(match: str) -> re.Pattern[str]:
    """Return ``match`` of a rule as a pattern. Python's own cache holds no more than a few hundred."""
    return re.compile(match)


def attribute_sources(value: object) -> object:
    """Turn the ways to write ``attributes`` into one: released name to :class:`AttributeSource` as a mapping."""
    if isinstance(value, list | tuple) and all(isinstance(name, str) for name in value):
        return {name: {"from": name} for name in value}
    if isinstance(value, list | tuple):
        raise ValueError("must be a list of names, or a mapping of released names to their sources")
    if isinstance(value, dict):
        return {name: _source(name, source) for name, source in value.items()}
    return value


def _source(name: object, source: object) -> object:
    if source is None:
        return {"from": name}
    return {"from": source} if isinstance(source, str) else source


def own_names_only(sources: dict[str, AttributeSource]) -> dict[str, AttributeSource]:
    """Check that nothing else is released under a name that the server fills when it is listed.

    :raises ValueError: something is
    """
    for name, source in sources.items():
        if name in LISTED_NAMES and source != AttributeSource.model_validate({"from": name}):
            raise ValueError(f"{name!r} is filled by the server; it can be listed, not taken from elsewhere")
    return sources


def release_rule(name: str, source: AttributeSource) -> ReleaseRule:
    """Return ``source`` written out in full for the released name ``name``."""
    return ReleaseRule(
        name=name,
        source="" if source.static else source.from_ or name,
        static=source.static,
        match=source.match or "",
        replace=source.replace,
        case=source.case,
    )


class UsernameRule(Section):
    """What a service is told as the user's name."""

    attribute: Line = Field(description="Attribute to take it from.")
    case: Case = Field(default="keep", description="Change the letters to lower or upper case.")


class LogoutRule(Section):
    """How a service learns that a session has ended."""

    type: Literal["back_channel", "front_channel", "none"] = Field(
        default="back_channel",
        description="From server to server, by the browser on the sign-out page, or not at all.",
    )
    url: WebUrl | None = Field(
        default=None, description="Where to. Without it: the service URL that the ticket was for."
    )
    private_addresses: bool = Field(
        default=False,
        description="Whether a host that a `*` or `regex:` stands for may lie on a private or loopback address. Hosts "
        "that are written out may.",
    )

    @field_validator("url")
    @classmethod
    def _callable(cls, url: str | None) -> str | None:
        if url is not None:
            try:
                parse_service(url)
            except MalformedService as error:
                raise ValueError(f"is not an address that can be called ({error.reason})") from None
        return url


class ProxyRule(Section):
    """Whether a service may get proxy tickets to call others on a person's behalf."""

    allow: bool = Field(default=False, description="Whether it may.")
    callback: CallbackPatterns = Field(
        default=(), description="Pattern of its callback URLs (`pgtUrl`), https only. Required with `allow`."
    )
    private_addresses: bool = Field(
        default=False, description="Whether the callback may lie on a private or loopback address."
    )
    accept_status: tuple[Annotated[int, Field(ge=200, le=399)], ...] = Field(
        default=(200,), min_length=1, description="HTTP status codes that count as an accepted callback."
    )
    targets: Lines = Field(
        default=(), description="Ids of the services it may call. Without it: every one in the registry."
    )

    @field_validator("callback")
    @classmethod
    def _needed(cls, callback: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if info.data.get("allow") and not callback:
            raise ValueError("is missing: with proxy.allow, say where tickets may be sent")
        return callback


class ServiceSession(Section):
    """How fresh a session must be for a service, where that is stricter than the settings."""

    idle: Duration | None = Field(default=None, description="Longest time without use.")
    lifetime: Duration | None = Field(default=None, description="Longest time since the password.")


class ApprovalRule(Section):
    """Who must approve before somebody gets in."""

    approvers: Lines = Field(min_length=1, description="E-mail addresses of those who may decide.")
    room: Line | None = Field(
        default=None, description="Webex space in which requests are posted. Without it: `webex.room`."
    )
    max_duration: Duration = Field(default=3600.0, description="Longest time that access can be granted for.")
    expires: Duration = Field(default=3600.0, description="How long a request waits for a decision.")
    approve_in: Literal["anywhere", "portal"] = Field(
        default="anywhere",
        description="`portal`: decided only on the page of this server, signed in and with Duo; what is posted in "
        "Webex then has a link in place of buttons.",
    )

    @field_validator("approvers")
    @classmethod
    def _addresses(cls, approvers: tuple[str, ...]) -> tuple[str, ...]:
        for approver in approvers:
            if not _EMAIL.fullmatch(approver):
                raise ValueError(f"{approver!r} is not an e-mail address")
        return tuple(dict.fromkeys(approver.lower() for approver in approvers))

    @field_validator("max_duration", "expires")
    @classmethod
    def _bounds(cls, seconds: float) -> float:
        if not SHORTEST_ACCESS <= seconds <= LONGEST_ACCESS:
            shortest, longest = format_duration(SHORTEST_ACCESS), format_duration(LONGEST_ACCESS)
            raise ValueError(f"must be from {shortest} to {longest}, not {format_duration(seconds)}")
        return seconds


SHORTEST_ACCESS, LONGEST_ACCESS = 60.0, 30 * 86_400.0
"""Seconds that access can be granted for, and that a request can wait."""


class TargetSystem(Section):
    """The machine behind a gateway service, for events and approvals."""

    host: Line = Field(description="Name of the machine.")
    ip: Line | None = Field(default=None, description="Its address.")
    account: Line | None = Field(default=None, description="Account that is used on it.")
