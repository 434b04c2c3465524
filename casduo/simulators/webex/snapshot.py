"""All that there is as one JSON document, and back. It holds tokens and the secrets of webhooks."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from casduo.simulators.webex.directory import Directory
from casduo.simulators.webex.ids import Ids
from casduo.simulators.webex.model import Action, Message, Person, Room, Webhook
from casduo.simulators.webex.spaces import Spaces
from casduo.simulators.webex.webhooks import Webhooks

_FORMAT = 1

_TUPLES = frozenset(
    {
        "attachments",
        "emails",
        "failures",
        "files",
        "members",
        "mentioned_groups",
        "mentioned_people",
        "moderators",
        "to",
    }
)


class SnapshotUnreadable(ValueError):
    """A document is not a snapshot of this simulator."""


def take(ids: Ids, directory: Directory, spaces: Spaces, webhooks: Webhooks) -> bytes:
    """Return everything as JSON. The caller holds the lock."""
    document = {
        "format": _FORMAT,
        "counts": dict(ids.counts),
        "revoked": sorted(directory.revoked),
        "people": [dataclasses.asdict(each) for each in directory.everybody()],
        "rooms": [dataclasses.asdict(each) for each in spaces.rooms.values()],
        "messages": [dataclasses.asdict(each) for each in spaces.messages.values()],
        "deletions": spaces.deletions,
        "actions": [dataclasses.asdict(each) for each in spaces.actions.values()],
        "webhooks": [dataclasses.asdict(each) for each in webhooks.all.values()],
    }
    return (json.dumps(document, indent=1) + "\n").encode()


def restore(document: bytes, ids: Ids, directory: Directory, spaces: Spaces, webhooks: Webhooks) -> None:
    """Put what a snapshot holds in the place of everything; nothing changes when it cannot be read.

    :raises SnapshotUnreadable: it is not one
    """
    try:
        found = json.loads(document)
        if found["format"] != _FORMAT:
            raise SnapshotUnreadable(f"the snapshot has format {found['format']!r}, not {_FORMAT}")
        people = [Person(**_fields(each)) for each in found["people"]]
        rooms = [Room(**_fields(each)) for each in found["rooms"]]
        messages = [Message(**_fields(each)) for each in found["messages"]]
        actions = [Action(**each) for each in found["actions"]]
        registered = [Webhook(**_fields(each)) for each in found["webhooks"]]
        counts, revoked, deletions = dict(found["counts"]), list(found["revoked"]), list(found["deletions"])
    except (AttributeError, KeyError, TypeError, UnicodeDecodeError, json.JSONDecodeError):
        # The document may hold tokens, and so may the error.
        raise SnapshotUnreadable("that is not a snapshot of this simulator") from None
    ids.counts = counts
    directory.replace(people, revoked)
    spaces.rooms = {each.id: each for each in rooms}
    spaces.messages = {each.id: each for each in messages}
    spaces.deletions = deletions
    spaces.actions = {each.id: each for each in actions}
    webhooks.all = {each.id: each for each in registered}


def _fields(members: Mapping[str, Any]) -> dict[str, Any]:
    return {name: tuple(value) if name in _TUPLES and value is not None else value for name, value in members.items()}
