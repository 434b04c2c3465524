"""Decides which role somebody has on the administration pages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from casduo.services.access import GROUP_ATTRIBUTES, Attributes, group_names

Role = Literal["view", "change"]
"""``view`` sees everything and changes nothing; who has ``change`` has ``view``."""


@dataclass(frozen=True, slots=True)
class Members:
    """Who has a role: people by their names, and members of groups."""

    users: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class AdminRoles:
    """Who has which role. Nobody has one by default.

    :param group_attributes: names of the attributes that hold groups
    """

    view: Members = Members()
    change: Members = Members()
    group_attributes: Sequence[str] = GROUP_ATTRIBUTES

    def role_of(self, principal: str, attributes: Attributes) -> Role | None:
        """Return the role of a person, the higher one where they have both; ``None`` for no role at all.

        :param principal: the name under which everything behind the sign-in form knows the person
        :param attributes: of the principal, before any release rule
        """
        groups = group_names(attributes, self.group_attributes)
        if _among(self.change, principal, groups):
            return "change"
        return "view" if _among(self.view, principal, groups) else None


def allows(role: Role | None, needed: Role) -> bool:
    """Say whether who has ``role`` may do what needs ``needed``."""
    return role == "change" or (role is not None and role == needed)


def _among(members: Members, principal: str, groups: frozenset[str]) -> bool:
    # An empty name is nobody's, whatever a directory may say.
    return bool(principal) and (principal in members.users or not groups.isdisjoint(members.groups))
