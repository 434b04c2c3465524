"""The section of casduo.yaml about the administration pages: who may see them, and who may change something there."""

from __future__ import annotations

from pydantic import Field

from casduo.fieldtypes import Duration, Line, Lines, Section, parse_duration
from casduo.services.policies import Networks


class AdminRole(Section):
    """Who has a role: the people that `users` names, and the members of `groups`. One of the two is enough."""

    users: Lines = Field(default=(), description="People, by the names that they sign in with.")
    groups: Lines = Field(default=(), description="Groups; membership in one of them is enough.")

    @property
    def is_empty(self) -> bool:
        """Whether nobody has it."""
        return not (self.users or self.groups)


class AdminSettings(Section):
    """The administration pages, below `server.url` at `/admin/`. They exist once `view` or `change` names somebody."""

    name: Line = Field(default="Administration", description="What the pages are called where applications are listed.")
    view: AdminRole = Field(default=AdminRole(), description="Who may see everything there, and change nothing.")
    change: AdminRole = Field(default=AdminRole(), description="Who may change things too; that includes `view`.")
    networks: Networks = Field(
        default=(), description="Address blocks from which the pages can be used; from everywhere if empty."
    )
    duo_age: Duration = Field(
        default=parse_duration("30m"),
        description="There Duo is asked for again when it was passed longer ago; with `without_duo` the password.",
    )
    without_duo: bool = Field(
        default=False,
        description="Let the pages be used with a password alone. Only where there is no section `duo`; without it and "
        "without this, settings that name administrators are refused.",
    )

    @property
    def enabled(self) -> bool:
        """Whether there are such pages: not as long as nobody may see them."""
        return not (self.view.is_empty and self.change.is_empty)
