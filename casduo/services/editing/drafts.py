"""One change of the registry as somebody asks for it: made once to be looked at, and once more when it is saved."""

from __future__ import annotations

from dataclasses import dataclass

from casduo.services.editing.document import RegistryText
from casduo.services.editing.errors import NotEditable
from casduo.services.editing.history import ChangeKind
from casduo.services.editing.keys import REMOVED, Changes

SWITCHED: dict[str, Changes] = {"enabled": {("enabled",): REMOVED}, "disabled": {("enabled",): False}}


@dataclass(frozen=True, slots=True)
class Draft:
    """A change that is not made yet.

    :param version: of the registry that it is made for
    :param entry: id of the entry that it is about; of a new one, its own
    :param text: what the entry becomes, for ``changed`` and ``added``; for ``returned`` the version that comes back
    :param place: where the entry comes to stand, from 0, for ``moved`` and ``added``; None: at the end
    """

    kind: ChangeKind
    version: str
    entry: str = ""
    text: str = ""
    place: int | None = None


def apply(draft: Draft, registry: RegistryText) -> tuple[RegistryText, int | None]:
    """Return ``registry`` with a change made, and the place of the entry in it; None where it is gone.

    :raises casduo.services.editing.errors.EditError: it cannot be made
    """
    if draft.kind == "added":
        made = registry.with_new(draft.text, draft.place)
        return made, len(made.services) - 1 if draft.place is None else min(draft.place, len(made.services) - 1)
    index = registry.find(draft.entry)
    match draft.kind:
        case "changed":
            return registry.with_text(index, draft.text), index
        case "enabled" | "disabled":
            return registry.with_keys(index, SWITCHED[draft.kind]), index
        case "moved":
            place = min(max(draft.place or 0, 0), len(registry.services) - 1)
            return registry.moved(index, place), place
        case "deleted":
            return registry.without(index), None
    raise NotEditable("This cannot be done here.")
