"""One registered service: everything that an entry of registry.yaml may say, typed and frozen."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, field_validator

from casduo.fieldtypes import HttpsUrl, Line, Lines, LocalLine, Section
from casduo.localtext import texts_of
from casduo.services.names import released_name
from casduo.services.policies import (
    AccessRules,
    ApprovalRule,
    AttributeSource,
    DuoRule,
    DuoWhen,
    LogoutRule,
    ProxyRule,
    ReleaseRule,
    ServiceSession,
    TargetSystem,
    UrlPatterns,
    UsernameRule,
    attribute_sources,
    own_names_only,
    release_rule,
)

__all__ = [
    "NOT_YET_IN_FORCE",
    "AccessRules",
    "ApprovalRule",
    "AttributeSource",
    "DuoRule",
    "DuoWhen",
    "LogoutRule",
    "ProxyRule",
    "RegisteredService",
    "ReleaseRule",
    "ServiceSession",
    "TargetSystem",
    "UsernameRule",
]

Protocol = Literal["cas1", "cas2", "cas3", "saml1", "rest"]
ALL_PROTOCOLS: tuple[Protocol, ...] = ("cas1", "cas2", "cas3", "saml1", "rest")

NOT_YET_IN_FORCE: tuple[str, ...] = ()
"""Keys that are read and checked but have no effect yet. ``*`` stands for any key, as in ``attributes.*.match``."""

_SLUG = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_LONGEST_NAME = 200
_MULTIVALUE = re.compile(r"repeat|first|join:[^\x00-\x1f\x7f]{1,8}")


def _slug(value: str) -> str:
    if not _SLUG.fullmatch(value):
        raise ValueError("must be a short name of lower-case letters, digits, '-', '_' and '.', at most 64")
    return value


def _short(name: str) -> str:
    if any(len(text) > _LONGEST_NAME for text in texts_of(name)):
        raise ValueError(f"must have at most {_LONGEST_NAME} characters")
    return name


def _duo_rule(value: object) -> object:
    """``true`` is a rule without conditions, ``false`` is none."""
    if value is True:
        return {}
    if value is False or value is None:
        return None
    if not isinstance(value, dict | DuoRule):
        raise ValueError("must be true, false or a mapping such as {max_age: 8h}")
    return value


def _username_rule(value: object) -> object:
    return {"attribute": value} if isinstance(value, str) else value


class RegisteredService(Section):
    """An application that people may sign in to."""

    id: Annotated[Line, AfterValidator(_slug)] = Field(
        description="Stable, unique name for logs, references and the command line."
    )
    name: Annotated[LocalLine, AfterValidator(_short)] = Field(
        description="Name for people: 'Sign in to continue to ...'; a text, or texts by language."
    )
    description: LocalLine | None = Field(
        default=None, description="What the service is for; a text, or texts by language."
    )
    url: UrlPatterns = Field(
        min_length=1,
        description="Pattern of its URLs, or a list. `*` within a host label, port or path segment, `**` across "
        "segments, such as `https://library.example.edu/**`; `regex:` for a regular expression.",
    )
    logo: Line | None = Field(default=None, description="Image for the login page: a file or an https address.")
    owner: Line | None = Field(default=None, description="Whom to ask about it; shown on error pages.")
    enabled: bool = Field(
        default=True, description="`false` switches it off; its URLs stay its own and lead to a page that says so."
    )
    disabled_reason: LocalLine | None = Field(
        default=None, description="Shown while it is switched off; a text, or texts by language."
    )
    channel: Literal["browser", "phone"] = Field(
        default="browser",
        description="`phone` for logging in on Cisco IP phones, whose pages are then below `url`, at this server.",
    )
    authentication: Lines = Field(
        default=(),
        description="Names of the handlers in the settings that may check passwords for it; all if empty. For phones "
        "those of type `ucm_pin`, which check PINs.",
    )

    attributes: Annotated[
        dict[Annotated[str, AfterValidator(released_name)], AttributeSource],
        BeforeValidator(
            attribute_sources,
            json_schema_input_type=list[str] | dict[str, str | AttributeSource | None],
        ),
        AfterValidator(own_names_only),
    ] = Field(
        default={},
        description="Attributes to release: a list of names, or a mapping of released names to the name at the "
        "source or to `{from, static, match, replace, case}`. Without it none are.",
    )
    username_attribute: Annotated[
        UsernameRule | None, BeforeValidator(_username_rule, json_schema_input_type=str | UsernameRule | None)
    ] = Field(
        default=None, description="What the service is told as the user's name: an attribute, or `{attribute, case}`."
    )
    pairwise_id: bool = Field(
        default=False,
        description="Tell the service, instead of the user's name, one that is stable but different for every service. "
        "It is made of the name and of the `id` of this entry, so changing that changes them all.",
    )
    multivalue: str = Field(
        default="repeat",
        description="Attributes with several values in the XML of CAS 2.0 and 3.0: an element each (`repeat`), the "
        "`first` one only, or one element with a separator that no value holds (`join:;`).",
    )
    json_values: Literal["auto", "list"] = Field(
        default="auto", description="Attributes in JSON: a list only for several values (`auto`), or always."
    )

    requires_duo: Annotated[
        DuoRule | None, BeforeValidator(_duo_rule, json_schema_input_type=bool | DuoRule | None)
    ] = Field(default=None, description="Whether Duo is asked for: `true`, or a mapping with conditions.")
    enrollment_url: HttpsUrl | None = Field(
        default=None,
        description="Where people without a device are sent, such as an article; the link has a parameter `return` "
        "that leads back. Without it: as in the settings, or the built-in pages.",
    )
    unenrolled: Literal["enroll", "refuse"] = Field(
        default="enroll",
        description="What people without a device get who would need one: the way to enrolment, or a plain refusal.",
    )
    requires_approval: ApprovalRule | None = Field(
        default=None, description="Somebody must approve before anybody gets in."
    )
    target: TargetSystem | None = Field(default=None, description="The machine behind a gateway service.")
    access: AccessRules = Field(default=AccessRules(), description="Who may use it, from where and when.")

    single_sign_on: bool = Field(
        default=True, description="`false` asks for the password each time, as if `renew` were always given."
    )
    accept_remember_me: bool = Field(default=True, description="Whether a remembered session is good enough.")
    session: ServiceSession = Field(default=ServiceSession(), description="How fresh a session must be.")
    warn: bool = Field(default=False, description="Show a page before each sign-in to it.")

    protocols: tuple[Protocol, ...] = Field(
        default=ALL_PROTOCOLS, min_length=1, description="Protocols by which it may validate tickets."
    )
    service_match: Literal["canonical", "exact", "loose"] = Field(
        default="canonical", description="How alike the URLs at login and at validation must be."
    )
    response: Literal["get", "post", "header"] | None = Field(
        default=None, description="How the ticket travels back when the request does not say."
    )
    response_by_request: bool = Field(
        default=True, description="Whether the request's `method` may choose otherwise than `response`."
    )
    allow_http_saml: bool = Field(default=False, description="Release SAML attributes to plain http services.")
    client: Literal["mod_auth_cas", "phpcas", "java", "dotnet", "rubycas", "omniauth"] | None = Field(
        default=None,
        description="CAS client it uses: keys that are not written here get values that fit that client, as far as it "
        "needs others. `casduo explain` shows them.",
    )
    logout: LogoutRule = Field(default=LogoutRule(), description="How it learns that a session has ended.")
    proxy: ProxyRule = Field(default=ProxyRule(), description="Whether it may get proxy tickets.")

    @field_validator("multivalue")
    @classmethod
    def _known_multivalue(cls, value: str) -> str:
        if not _MULTIVALUE.fullmatch(value):
            raise ValueError("must be repeat, first or join: with a separator, such as 'join:,'")
        return value

    @property
    def urls(self) -> tuple[str, ...]:
        """The texts of its URL patterns, in the order of the file."""
        return self.url

    @property
    def duo_rule(self) -> DuoRule | None:
        """When and how it requires Duo; ``None``: it does not."""
        return self.requires_duo

    @cached_property
    def release_rules(self) -> tuple[ReleaseRule, ...]:
        """The attributes to release, written out in full, in the order of the file."""
        return tuple(release_rule(name, source) for name, source in self.attributes.items())
