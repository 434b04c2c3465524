"""Everything a test can do to the simulator in its own process, the control interface can do from outside."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from requests.exceptions import ConnectionError as NoConnection

from casduo.simulators.server import SimulatorServer
from casduo.simulators.webex import Person, Room, WebexSimulator
from casduo.simulators.webex.control import COMMANDS, control_server
from tests.simulators.webex.conftest import SECRET, Api, Receiver, card

Control = Callable[..., Any]


@pytest.fixture
def server(webex: WebexSimulator) -> Iterator[SimulatorServer]:
    with control_server(webex) as running:
        yield running


@pytest.fixture
def control(server: SimulatorServer) -> Control:
    """Sends a command and returns its result; a refusal fails the test."""

    def send(do: str, **arguments: Any) -> Any:
        answer = requests.post(f"{server.url}/_control", json={"do": do, **arguments}, timeout=10)
        assert answer.status_code == 200, answer.text
        return answer.json()["result"]

    return send


@pytest.fixture
def refused(server: SimulatorServer) -> Callable[..., tuple[int, str]]:
    """Sends a command that is to be refused; returns status and reason."""

    def send(do: str, **arguments: Any) -> tuple[int, str]:
        answer = requests.post(f"{server.url}/_control", json={"do": do, **arguments}, timeout=10)
        return answer.status_code, answer.json()["error"]

    return send


def test_the_state_is_told_without_secrets(
    server: SimulatorServer, webex: WebexSimulator, as_bot: Api, room: Room, bot: Person
) -> None:
    members = {"name": "x", "targetUrl": "http://localhost/", "resource": "all", "event": "all", "secret": SECRET}
    as_bot("POST", "webhooks", json=members)
    answer = requests.get(f"{server.url}/_control", timeout=10)
    state = answer.json()
    assert state["base_url"] == webex.base_url
    assert [person["display_name"] for person in state["people"]] == ["casduo", "Luke Skywalker"]
    assert [each["title"] for each in state["rooms"]] == ["Access requests"]
    assert (state["webhooks"][0]["name"], state["settings"]["max_message_bytes"]) == ("x", 7439)
    assert bot.token not in answer.text
    assert SECRET not in answer.text


def test_help_names_every_command(control: Control) -> None:
    assert set(control("help")) == set(COMMANDS)


def test_people_and_spaces_come_and_go(control: Control, webex: WebexSimulator, as_bot: Api) -> None:
    han = control("add_person", email="han@example.edu", name="Han Solo", token="a token", emails=["h@example.edu"])
    assert "token" not in han
    control("add_bot", name="Helper")
    room = control("add_room", title="Falcon", members=["h@example.edu", "casduo@webex.bot"])["id"]
    everybody = control("add_room", title="All")
    assert len(everybody["members"]) == len(webex.people()) == 3
    assert control("change_room", room=room, title="New", announcement_only=True)["announcement_only"]
    assert as_bot.post(roomId=room, text="x").status_code == 403
    control("change_room", room=room, announcement_only=False)
    control("remove_member", room=room, email="casduo@webex.bot")
    assert as_bot.post(roomId=room, text="x").status_code == 403
    control("add_member", room=room, email="casduo@webex.bot")
    assert as_bot.post(roomId=room, text="x").status_code == 200
    control("revoke", email="casduo@webex.bot")
    assert as_bot("GET", "rooms").status_code == 401
    control("renew_token", email="casduo@webex.bot", token="another")
    as_bot.token = "another"
    assert as_bot("GET", "rooms").status_code == 200
    control("remove_room", room=room)
    control("remove_person", email="han@example.edu")
    assert [person.display_name for person in webex.people()] == ["casduo", "Helper"]


def test_cards_are_posted_pressed_and_forged(
    control: Control, room: Room, as_bot: Api, receiver: Receiver, luke: Person
) -> None:
    members = {"name": "x", "targetUrl": receiver.url, "resource": "attachmentActions", "event": "created"}
    as_bot("POST", "webhooks", json=members)
    posted = control("post", email="casduo@webex.bot", room=room.id, markdown="x", card=card())
    assert posted["buttons"] == ["Approve", "Reject request"]
    first = control("press", message=posted["id"], email=luke.email, button="Approve")
    second = control("press", message=posted["id"], email=luke.email, button="Reject request", inputs={"reason": "no"})
    third = control("submit", message=posted["id"], email=luke.email, inputs={"any": [1]})
    assert [each["id"] for each in control("actions", message=posted["id"])] == [first, second, third]
    control("wait_for_deliveries")
    assert [each["status"] for each in control("deliveries")] == [204, 204, 204]
    control("post", email=luke.email, room=room.id, markdown="reply", parent=posted["id"])
    assert [each["text"] for each in control("messages", room=room.id)] == ["x", "reply"]
    as_bot("DELETE", f"messages/{posted['id']}")
    assert [each["id"] for each in control("deleted")] == [posted["id"]]
    assert len(control("messages", room=room.id)) == 1
    assert len(control("messages", room=room.id, deleted=True)) == 2
    as_bot.post(toPersonId=luke.id, text="direct")
    assert [each["text"] for each in control("direct_messages", email=luke.email)] == ["direct"]
    assert len(control("webhooks")) == 1
    assert [each["path"] for each in control("requests", method="POST", path="/webhooks")] == ["/webhooks"]
    control("clear_requests")
    assert control("requests") == []


def test_faults(control: Control, webex: WebexSimulator, as_bot: Api, room: Room) -> None:
    control("fail", endpoint="GET /rooms", status=423, retry_after="3", message="locked")
    answer = as_bot("GET", "rooms")
    assert (answer.status_code, answer.headers["Retry-After"], answer.json()["message"]) == (423, "3", "locked")
    control("answer", kind="bad_gateway_html", times=None)
    assert [as_bot("GET", "rooms").status_code for _ in range(2)] == [502, 502]
    control("clear_faults")
    control("drop", endpoint="POST /messages", done=True)
    with pytest.raises(NoConnection):
        as_bot.post(roomId=room.id, text="x")
    assert len(webex.messages_in(room.id)) == 1
    for do, arguments in (
        ("hang", {"endpoint": "GET /rooms"}),
        ("delay", {"endpoint": "GET /rooms", "seconds": 30, "times": 1}),
        ("mute", {"on": True}),
    ):
        control(do, **arguments)
        with pytest.raises(requests.Timeout):
            requests.get(f"{webex.base_url}rooms", timeout=0.2)
        control("clear_faults")
    for do in ("reset", "cut"):
        control(do, path="/v1/rooms")
        with pytest.raises(NoConnection):
            as_bot("GET", "rooms")
    control("rate_limit", calls=1, seconds=60)
    assert [as_bot("GET", "rooms").status_code for _ in range(2)] == [200, 429]
    control("advance", seconds=61)
    assert as_bot("GET", "rooms").status_code == 200
    control("rate_limit")
    control("hide_title", room=room.id)
    assert "title" not in as_bot("GET", "rooms").json()["items"][0]
    control("next_origin", origin="https://evil.example")
    control("add_room", title="Second")
    assert "evil.example" in as_bot("GET", "rooms", params={"max": 1}).headers["Link"]
    control("listen", on=False)
    with pytest.raises(NoConnection):
        as_bot("GET", "rooms")
    control("listen", on=True)
    assert as_bot("GET", "rooms").status_code == 200


def test_deliveries_are_spoiled_and_let_go(
    control: Control, webex: WebexSimulator, as_bot: Api, receiver: Receiver, posted_card: str, luke: Person
) -> None:
    members = {"name": "x", "targetUrl": receiver.url, "resource": "attachmentActions", "event": "created"}
    as_bot("POST", "webhooks", json=members)
    control("spoil_deliveries", kind="late", seconds=60)
    webex.press(posted_card, luke.email, "Approve")
    control("wait_for_deliveries")
    assert receiver.received == []
    control("release_deliveries")
    control("wait_for_deliveries")
    assert len(receiver.received) == 1


def test_settings(control: Control, webex: WebexSimulator) -> None:
    changes = {
        "max_edits": 3,
        "signatures": ["sha1"],
        "card_needs_text": False,
        "max_card_version": "1.2",
        "deactivate_within": 1.5,
    }
    told = control("settings", **changes)
    assert {name: told[name] for name in changes} == changes
    assert webex.settings.signatures == ("sha1",)


def test_what_is_saved_can_be_loaded(
    control: Control, webex: WebexSimulator, as_bot: Api, room: Room, posted_card: str, tmp_path: Path
) -> None:
    path = tmp_path / "webex.json"
    control("save", file=str(path))
    control("remove_room", room=room.id)
    control("load", file=str(path))
    assert as_bot("GET", f"messages/{posted_card}").status_code == 200


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ({"do": "settings", "signatures": ["md5"]}, 400),
        ({"do": "settings", "max_edits": 1.5}, 400),
        ({"do": "settings", "max_edits": -1}, 400),
        ({"do": "fail", "status": 500, "endpoint": "GET /nothing"}, 400),
        ({"do": "fail", "status": 200}, 400),
        ({"do": "fail", "status": 500, "times": 0}, 400),
        ({"do": "spoil_deliveries", "kind": "eaten"}, 400),
        ({"do": "press", "message": "m", "email": "nobody@example.edu", "button": "x"}, 404),
        ({"do": "press", "message": "m", "email": "luke@example.edu", "button": "x", "inputs": {"a": 1}}, 400),
        ({"do": "load", "file": "/nowhere/at/all"}, 400),
        ({"do": "certificate", "kind": "expired"}, 400),
        ({"do": "add_person", "email": "luke@example.edu"}, 400),
    ],
)
def test_commands_that_make_no_sense(
    refused: Callable[..., tuple[int, str]], luke: Person, command: dict[str, Any], status: int
) -> None:
    answered, reason = refused(**command)
    assert (answered, bool(reason)) == (status, True)


def test_refusals_of_webex_are_told(
    refused: Callable[..., tuple[int, str]], webex: WebexSimulator, yoda: Person, posted_card: str
) -> None:
    status, reason = refused("press", message=posted_card, email=yoda.email, button="Approve")
    assert (status, reason) == (400, "403 You are not a member of that space.")


def test_no_browser_of_another_site_gets_in(server: SimulatorServer) -> None:
    document = json.dumps({"do": "state"})
    assert requests.post(f"{server.url}/_control", document, timeout=10).status_code == 415
