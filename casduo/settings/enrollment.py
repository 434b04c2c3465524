"""The section of casduo.yaml about the pages on which people register a device with Duo."""

from __future__ import annotations

from pydantic import Field, field_validator

from casduo.fieldtypes import Duration, Line, Section, format_duration, parse_duration
from casduo.services.policies import AccessRules

SHORTEST, LONGEST = 300.0, 86_400.0
"""Seconds that an activation code may be good for."""


class EnrollmentSettings(Section):
    """The built-in enrolment pages, for people who have no device and need one. They need the `duo` section."""

    enabled: bool = Field(default=True, description="Whether they exist, below `server.url` at `/enroll/`.")
    name: Line = Field(default="Your devices", description="What the pages are called where applications are listed.")
    access: AccessRules = Field(
        default=AccessRules(), description="Who may register a device here, by the keys of `access` in the registry."
    )
    code_lifetime: Duration = Field(
        default=parse_duration("10m"), description="How long a code for a phone is good for, `5m` to `1d`."
    )
    password_age: Duration = Field(
        default=parse_duration("10m"), description="The password is asked for again when it was given longer ago."
    )
    link_lifetime: Duration = Field(
        default=parse_duration("30m"), description="How long the link on the page of an application is good for."
    )

    @field_validator("code_lifetime")
    @classmethod
    def _bounds(cls, lifetime: float) -> float:
        if not SHORTEST <= lifetime <= LONGEST:
            shortest, longest = format_duration(SHORTEST), format_duration(LONGEST)
            raise ValueError(f"must be from {shortest} to {longest}, not {format_duration(lifetime)}")
        return lifetime
