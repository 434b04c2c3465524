"""Everything there is survives being written and read."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from casduo.simulators.clock import VirtualClock
from casduo.simulators.webex import Person, Room, WebexSimulator
from casduo.simulators.webex.snapshot import SnapshotUnreadable
from tests.simulators.webex.conftest import SECRET, START, Api, Receiver


def test_another_simulator_goes_on_where_this_one_was(
    webex: WebexSimulator, as_bot: Api, room: Room, bot: Person, luke: Person, posted_card: str, receiver: Receiver,
    tmp_path: Path,
) -> None:  # fmt: skip
    members: dict[str, Any] = {
        "name": "x",
        "targetUrl": receiver.url,
        "resource": "attachmentActions",
        "event": "created",
        "secret": SECRET,
    }
    as_bot("POST", "webhooks", json=members)
    action = webex.press(posted_card, luke.email, "Approve")
    direct = as_bot.post(toPersonEmail=luke.email, markdown=f"<@personId:{luke.id}>").json()["id"]
    as_bot("DELETE", f"messages/{as_bot.post(roomId=room.id, text='gone').json()['id']}")
    webex.wait_for_deliveries()
    webex.revoke(luke.token)
    webex.save(tmp_path / "all.json")
    assert stat.S_IMODE((tmp_path / "all.json").stat().st_mode) == 0o600
    with WebexSimulator(VirtualClock(START)) as other:
        other.load(tmp_path / "all.json")
        assert other.people() == webex.people()
        assert other.rooms() == webex.rooms()
        assert other.messages_in(room.id, deleted=True) == webex.messages_in(room.id, deleted=True)
        assert (other.deleted, other.actions(), other.webhooks) == (webex.deleted, webex.actions(), webex.webhooks)
        api = Api(other.base_url, bot.token)
        assert api("GET", f"attachment/actions/{action}").json()["inputs"] == {"decision": "approve"}
        assert api("GET", f"messages/{direct}").json()["mentionedPeople"] == [luke.id]
        assert Api(other.base_url, luke.token)("GET", "people/me").status_code == 401
        other.press(posted_card, luke.email, "Approve")
        other.wait_for_deliveries()
        assert len(receiver.received) == 2
        # Ids go on, none is given twice.
        assert api.post(roomId=room.id, text="x").json()["id"] == as_bot.post(roomId=room.id, text="x").json()["id"]


@pytest.mark.parametrize(
    "document", [b"", b"{}", b"[]", b"null", b"\xff", b'{"format": 2}', b'{"format": 1, "people": [{"x": 1}]}']
)
def test_what_is_no_snapshot_changes_nothing(
    webex: WebexSimulator, room: Room, tmp_path: Path, document: bytes
) -> None:
    path = tmp_path / "other.json"
    path.write_bytes(document)
    with pytest.raises(SnapshotUnreadable):
        webex.load(path)
    assert webex.rooms() == [room]
