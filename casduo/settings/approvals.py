"""The section of casduo.yaml about requests for access that somebody has to decide."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from casduo.fieldtypes import Duration, Line, Section, parse_duration
from casduo.services.policies import AccessRules


class ApprovalSettings(Section):
    """Requests for access, for services with `requires_approval`."""

    name: Line = Field(
        default="Access requests", description="What the page of those who decide is called where applications are."
    )
    access: AccessRules = Field(
        default=AccessRules(),
        description="Who may open the page of those who decide, by the keys of `access` in the registry. What they may "
        "decide there, each service says.",
    )
    duo_age: Duration = Field(
        default=parse_duration("1h"),
        description="On that page Duo is asked for again when it was passed longer ago. Without the section `duo` a "
        "password is enough.",
    )
    ahead: Duration = Field(default=parse_duration("30d"), description="How far ahead access can be asked for.")
    most_open: Annotated[int, Field(ge=1, le=100)] = Field(
        default=5, description="Requests of one person that may wait for a decision at a time."
    )
    refusals: Annotated[int, Field(ge=1, le=100)] = Field(
        default=3,
        description="Refused requests of one person for one service within `refusal_window` that count as a violation; "
        "further ones are not taken until the window is over.",
    )
    refusal_window: Duration = Field(default=parse_duration("24h"), description="See `refusals`.")
    remind: Duration | None = Field(
        default=parse_duration("1h"), description="How often those who decide are reminded of a request that waits."
    )
    kept: Duration = Field(
        default=parse_duration("90d"), description="How long requests are shown after they are over."
    )
