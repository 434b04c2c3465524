"""Webhooks: registered, told about events with signatures that hold, spoiled by faults, given up and taken back."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

import pytest

from casduo.simulators.certificates import LeafFiles
from casduo.simulators.clock import VirtualClock
from casduo.simulators.server import SimulatorServer
from casduo.simulators.webex import Person, Room, WebexSimulator
from casduo.simulators.webex.faults import DeliveryKind
from tests.simulators.webex.conftest import SECRET, Api, Receiver, attached, card


def register(api: Api, url: str, **change: Any) -> dict[str, Any]:
    members = {
        "name": "casduo",
        "targetUrl": url,
        "resource": "attachmentActions",
        "event": "created",
        "secret": SECRET,
        **change,
    }
    answer = api("POST", "webhooks", json=members)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def webhook(as_bot: Api, receiver: Receiver) -> dict[str, Any]:
    return register(as_bot, receiver.url)


def signed(headers: Any, body: bytes, secret: str = SECRET) -> bool:
    """Return whether every signature is right, computed here from RFC 2104 and nothing else."""

    def mac(name: str) -> str:
        key = secret.encode()
        block = key.ljust(hashlib.new(name).block_size, b"\0")
        inner = hashlib.new(name, bytes(each ^ 0x36 for each in block) + body).digest()
        return hashlib.new(name, bytes(each ^ 0x5C for each in block) + inner).hexdigest()

    newer = dict(part.split("=") for part in headers["X-Webex-Signature"].split(","))
    right = {"sha256": mac("sha256"), "sha512": mac("sha512")}
    return bool(headers["X-Spark-Signature"] == mac("sha1") and newer == right)


class TestRegistering:
    def test_the_answer_says_what_it_is(self, webhook: dict[str, Any], bot: Person, receiver: Receiver) -> None:
        assert webhook.pop("id")
        assert webhook.pop("appId")
        assert webhook == {
            "name": "casduo",
            "targetUrl": receiver.url,
            "resource": "attachmentActions",
            "event": "created",
            "secret": SECRET,
            "orgId": bot.org_id,
            "createdBy": bot.id,
            "ownedBy": "creator",
            "status": "active",
            "created": "2026-05-10T19:41:00.100Z",
        }

    @pytest.mark.parametrize(
        "change",
        [
            {"name": ""},
            {"targetUrl": "mailto:x"},
            {"targetUrl": "https://"},
            {"targetUrl": "https://[x"},
            {"resource": "telephony"},
            {"event": "started"},
            {"filter": "colour=red"},
            {"filter": "&"},
            {"name": 7},
        ],
    )
    def test_what_it_needs(self, as_bot: Api, change: dict[str, Any]) -> None:
        body = {"name": "x", "targetUrl": "https://localhost/", "resource": "messages", "event": "created", **change}
        assert as_bot("POST", "webhooks", json=body).status_code == 400

    def test_only_administrators_register_for_an_organisation(self, as_bot: Api) -> None:
        body = {"name": "x", "targetUrl": "https://localhost/", "resource": "messages", "event": "created"}
        assert as_bot("POST", "webhooks", json={**body, "ownedBy": "org"}).status_code == 403

    def test_they_are_listed_changed_and_deleted_by_their_owner(
        self, as_bot: Api, as_luke: Api, webhook: dict[str, Any]
    ) -> None:
        path = f"webhooks/{webhook['id']}"
        second = register(as_bot, "https://localhost/other")
        assert [item["id"] for item in as_bot("GET", "webhooks").json()["items"]] == [second["id"], webhook["id"]]
        assert as_luke("GET", "webhooks").json() == {"items": []}
        assert as_bot("GET", path).json() == webhook
        for method in ("GET", "DELETE"):
            assert as_luke(method, path).status_code == 404
        change = {"name": "new", "targetUrl": "https://localhost/new"}
        assert as_bot("PUT", path, json=change).json() == {**webhook, **change}
        assert as_bot("PUT", path, json={"name": "new"}).status_code == 400
        assert as_bot("PUT", path, json={**change, "status": "inactive"}).status_code == 400
        assert as_bot("DELETE", path).status_code == 204
        assert as_bot("GET", path).status_code == 404
        assert as_bot("GET", "webhooks", params={"max": 101}).status_code == 400


class TestDelivering:
    def test_a_press_is_told_without_its_inputs(
        self, webex: WebexSimulator, receiver: Receiver, webhook: dict[str, Any], luke: Person, posted_card: str
    ) -> None:
        action = webex.press(posted_card, luke.email, "Approve")
        webex.wait_for_deliveries()
        ((headers, body),) = receiver.received
        del webhook["secret"]
        assert json.loads(body) == {
            **webhook,
            "actorId": luke.id,
            "data": {
                "id": action,
                "type": "submit",
                "messageId": posted_card,
                "personId": luke.id,
                "roomId": webex.message(posted_card).room_id,
                "created": "2026-05-10T19:41:00.100Z",
            },
        }
        assert headers["Content-Type"].startswith("application/json")
        assert signed(headers, body)
        assert hmac.new(SECRET.encode(), body, "sha1").hexdigest() == headers["X-Spark-Signature"]

    def test_signatures_can_be_chosen(
        self, webex: WebexSimulator, as_bot: Api, receiver: Receiver, webhook: dict[str, Any], posted_card: str
    ) -> None:
        for signatures, present in (
            (("sha1",), ["X-Spark-Signature"]),
            (("sha256",), ["X-Webex-Signature"]),
            ((), []),
        ):
            webex.settings.signatures = signatures  # type: ignore[assignment]
            webex.press(posted_card, "luke@example.edu", "Approve")
            webex.wait_for_deliveries()
            headers, _ = receiver.received[-1]
            assert [name for name in headers if name.endswith("Signature")] == present
        secretless = register(as_bot, receiver.url, secret=None)
        assert "secret" not in secretless

    def test_a_bot_is_told_of_what_mentions_it_and_of_direct_messages(
        self, webex: WebexSimulator, as_bot: Api, as_luke: Api, receiver: Receiver, room: Room, luke: Person
    ) -> None:
        register(as_bot, receiver.url, resource="messages", event="all")
        as_luke.post(roomId=room.id, text="not for bots")
        mention = as_luke.post(roomId=room.id, markdown="<@personEmail:casduo@webex.bot> hello").json()["id"]
        direct = as_bot.post(toPersonId=luke.id, text="hello").json()
        as_bot("PUT", f"messages/{direct['id']}", json={"roomId": direct["roomId"], "text": "new"})
        as_luke("DELETE", f"messages/{mention}")
        webex.wait_for_deliveries()
        told = [json.loads(body) for _, body in receiver.received]
        assert sorted((each["event"], each["data"]["id"]) for each in told) == sorted(
            [("created", mention), ("created", direct["id"]), ("updated", direct["id"]), ("deleted", mention)]
        )
        assert all("text" not in each["data"] for each in told)

    def test_cards_of_others_are_not_told(
        self, webex: WebexSimulator, as_luke: Api, receiver: Receiver, webhook: dict[str, Any], room: Room
    ) -> None:
        posted = as_luke.post(roomId=room.id, text="x", attachments=attached(card())).json()["id"]
        webex.press(posted, "luke@example.edu", "Approve")
        webex.wait_for_deliveries()
        assert webex.deliveries == []

    def test_filters(
        self, webex: WebexSimulator, as_luke: Api, receiver: Receiver, room: Room, luke: Person, bot: Person
    ) -> None:
        other = webex.add_room("Other", [luke, bot])
        register(as_luke, receiver.url, resource="messages", filter=f"roomId={room.id}&personId=me")
        register(as_luke, receiver.url, resource="all", event="all", filter="mentionedPeople=me")
        as_luke.post(roomId=other.id, text="elsewhere")
        mine = as_luke.post(roomId=room.id, text="here").json()["id"]
        webex.post(bot.email, room.id, "not mine")
        mention = webex.post(bot.email, room.id, f"<@personId:{luke.id}>").id
        webex.wait_for_deliveries()
        assert sorted(json.loads(body)["data"]["id"] for _, body in receiver.received) == sorted([mine, mention])

    def test_only_over_tls_that_is_trusted(
        self, webex: WebexSimulator, as_bot: Api, leaf: LeafFiles, foreign_leaf: LeafFiles, posted_card: str
    ) -> None:
        receiver = Receiver()
        webex.trust(leaf.ca)
        for certificate in (leaf, foreign_leaf):
            with SimulatorServer(receiver, certificate=certificate) as server:
                registered = register(as_bot, f"{server.url}/hook")
                webex.press(posted_card, "luke@example.edu", "Approve")
                webex.wait_for_deliveries()
                as_bot("DELETE", f"webhooks/{registered['id']}")
        assert [delivery.status for delivery in webex.deliveries] == [204, None]

    def test_never_beyond_this_machine(self, webex: WebexSimulator, as_bot: Api, posted_card: str) -> None:
        register(as_bot, "https://casduo.example/hook")
        webex.press(posted_card, "luke@example.edu", "Approve")
        webex.wait_for_deliveries()
        assert [delivery.state for delivery in webex.deliveries] == ["failed"]


class TestFaults:
    @pytest.fixture
    def press(self, webex: WebexSimulator, webhook: dict[str, Any], posted_card: str) -> Any:
        def press(kind: DeliveryKind | None = None, **options: Any) -> str:
            if kind is not None:
                webex.faults.deliveries(kind, **options)
            action = webex.press(posted_card, "luke@example.edu", "Approve")
            webex.wait_for_deliveries()
            return action

        return press

    @staticmethod
    def told(receiver: Receiver) -> list[str]:
        return [json.loads(body)["data"]["id"] for _, body in receiver.received]

    def test_twice(self, receiver: Receiver, press: Any) -> None:
        action, after = press("twice"), press()
        assert self.told(receiver) == [action, action, after]
        assert receiver.received[0] == receiver.received[1]

    def test_late(self, webex: WebexSimulator, receiver: Receiver, clock: VirtualClock, press: Any) -> None:
        late, after = press("late", seconds=600), press()
        assert self.told(receiver) == [after]
        clock.advance(601)
        webex.wait_for_deliveries()
        assert self.told(receiver) == [after, late]

    def test_out_of_order(self, webex: WebexSimulator, receiver: Receiver, press: Any) -> None:
        first, second = press("out_of_order"), press()
        webex.wait_for_deliveries()
        assert self.told(receiver) == [second, first]

    def test_what_is_held_back_can_be_let_go(self, webex: WebexSimulator, receiver: Receiver, press: Any) -> None:
        actions = {press("out_of_order"), press("late")}
        webex.release_deliveries()
        webex.wait_for_deliveries()
        assert set(self.told(receiver)) == actions

    def test_lost(self, webex: WebexSimulator, receiver: Receiver, press: Any) -> None:
        press("lost")
        assert receiver.received == []
        assert [delivery.state for delivery in webex.deliveries] == ["lost"]

    @pytest.mark.parametrize("kind", ["bad_signature", "changed_body"])
    def test_signatures_that_do_not_fit(self, receiver: Receiver, press: Any, kind: DeliveryKind) -> None:
        action = press(kind)
        ((headers, body),) = receiver.received
        assert not signed(headers, body)
        assert json.loads(body)["data"]["id"] == action
        press()
        assert signed(*receiver.received[-1])

    def test_a_body_is_changed_by_one_byte(self, webex: WebexSimulator, receiver: Receiver, press: Any) -> None:
        press("changed_body")
        changed = receiver.received[-1][1]
        candidates = (
            changed[:place] + bytes([value]) + changed[place + 1 :]
            for place in range(len(changed))
            for value in b"2"
            if changed[place] != value
        )
        headers = receiver.received[-1][0]
        expected = headers["X-Spark-Signature"]
        assert any(hmac.new(SECRET.encode(), each, "sha1").hexdigest() == expected for each in candidates)

    def test_without_a_signature_and_with_another_type(self, receiver: Receiver, press: Any) -> None:
        press("no_signature")
        assert not any("Signature" in name for name in receiver.received[-1][0])
        press("other_content_type")
        assert receiver.received[-1][0]["Content-Type"] == "text/plain"


class TestGivingUp:
    def test_after_too_many_failures_in_too_short_a_time(
        self, webex: WebexSimulator, as_bot: Api, receiver: Receiver, webhook: dict[str, Any], posted_card: str,
        clock: VirtualClock,
    ) -> None:  # fmt: skip
        def press() -> str:
            webex.press(posted_card, "luke@example.edu", "Approve")
            webex.wait_for_deliveries()
            return str(as_bot("GET", f"webhooks/{webhook['id']}").json()["status"])

        webex.settings.deactivate_after = 3
        receiver.answers += [500, 204, 503, 404, 301]
        assert [press(), press(), press()] == ["active"] * 3
        clock.advance(webex.settings.deactivate_within + 1)
        assert [press(), press()] == ["active"] * 2
        receiver.answers += [500]
        assert press() == "inactive"
        count = len(receiver.received)
        press()
        assert len(receiver.received) == count
        change = {"name": "casduo", "targetUrl": receiver.url, "status": "active"}
        assert as_bot("PUT", f"webhooks/{webhook['id']}", json=change).json()["status"] == "active"
        assert press() == "active"
        assert len(receiver.received) == count + 1

    def test_a_hundred_failures_by_default(
        self, webex: WebexSimulator, as_bot: Api, webhook: dict[str, Any], receiver: Receiver, posted_card: str
    ) -> None:
        receiver.answers += [500] * 100
        for _ in range(99):
            webex.press(posted_card, "luke@example.edu", "Approve")
        webex.wait_for_deliveries()
        assert webex.webhooks[0].active
        webex.press(posted_card, "luke@example.edu", "Approve")
        webex.wait_for_deliveries()
        assert not webex.webhooks[0].active

    def test_a_receiver_that_is_not_there_counts_as_well(
        self, webex: WebexSimulator, as_bot: Api, posted_card: str
    ) -> None:
        with SimulatorServer(Receiver()) as server:
            server.stop_listening()
            register(as_bot, server.url)
            webex.settings.deactivate_after = 1
            webex.press(posted_card, "luke@example.edu", "Approve")
            webex.wait_for_deliveries()
        assert not webex.webhooks[0].active
