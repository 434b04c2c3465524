"""Spaces and people over the API."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from casduo.simulators.clock import VirtualClock
from casduo.simulators.webex import Person, Room, WebexSimulator
from tests.simulators.webex.conftest import Api


class TestRooms:
    def test_a_space_as_its_member_sees_it(self, as_bot: Api, room: Room, bot: Person) -> None:
        described = {
            "id": room.id,
            "title": "Access requests",
            "type": "group",
            "isLocked": False,
            "isAnnouncementOnly": False,
            "isReadOnly": False,
            "isPublic": False,
            "ownerId": bot.org_id,
            "creatorId": bot.id,
            "lastActivity": "2026-05-10T19:41:00.100Z",
            "created": "2026-05-10T19:41:00.100Z",
        }
        assert as_bot("GET", "rooms").json() == {"items": [described]}
        assert as_bot("GET", f"rooms/{room.id}").json() == described

    def test_a_direct_space_is_called_as_the_other_one(self, as_bot: Api, as_luke: Api, luke: Person) -> None:
        as_bot.post(toPersonId=luke.id, text="x")
        for api, title in ((as_bot, "Luke Skywalker"), (as_luke, "casduo")):
            (direct,) = api("GET", "rooms", params={"type": "direct"}).json()["items"]
            assert direct["title"] == title

    @pytest.mark.parametrize("order", ["id", "lastactivity", "created"])
    def test_pages_are_linked_and_complete(
        self, webex: WebexSimulator, as_bot: Api, bot: Person, clock: VirtualClock, order: str
    ) -> None:
        made = []
        for number in range(7):
            clock.advance(1)
            made.append(webex.add_room(f"Space {number}", [bot]).id)
        url, seen = "rooms", list[str]()
        pages = 0
        params: dict[str, str | int] | None = {"max": 3, "sortBy": order}
        while url:
            answer = as_bot("GET", url, params=params)
            seen += [item["id"] for item in answer.json()["items"]]
            url = answer.links.get("next", {}).get("url", "").removeprefix(webex.base_url)
            pages, params = pages + 1, None
        assert pages == 3
        assert seen == (sorted(made) if order == "id" else made[::-1])

    @pytest.mark.parametrize("params", [{"type": "team"}, {"sortBy": "title"}, {"max": 1001}, {"max": "-1"}])
    def test_parameters(self, as_bot: Api, params: dict[str, str]) -> None:
        assert as_bot("GET", "rooms", params=params).status_code == 400

    def test_only_ones_own_are_listed(self, webex: WebexSimulator, as_bot: Api, room: Room, luke: Person) -> None:
        other = webex.add_room("Other", [luke])
        assert [item["id"] for item in as_bot("GET", "rooms").json()["items"]] == [room.id]
        assert as_bot("GET", f"rooms/{other.id}").status_code == 403
        webex.remove_room(room.id)
        assert as_bot("GET", f"rooms/{room.id}").status_code == 404
        assert as_bot("GET", "rooms", params={"teamId": "x"}).json() == {"items": []}

    def test_a_title_that_cannot_be_read(self, webex: WebexSimulator, as_bot: Api, room: Room) -> None:
        webex.change_room(room.id, title_unreadable=True, announcement_only=True, read_only=True)
        (item,) = as_bot("GET", "rooms").json()["items"]
        assert "title" not in item
        assert item["errors"]["title"]["code"] == "kms_failure"
        assert (item["isAnnouncementOnly"], item["isReadOnly"]) == (True, True)

    def test_a_link_can_lead_elsewhere(self, webex: WebexSimulator, as_bot: Api, bot: Person, room: Room) -> None:
        webex.add_room("Other", [bot])
        webex.faults.next_origin = "https://evil.example"
        link = as_bot("GET", "rooms", params={"max": 1}).links["next"]["url"]
        assert link.startswith("https://evil.example/v1/rooms?max=1&cursor=")


class TestPeople:
    def test_me(self, as_bot: Api, bot: Person) -> None:
        assert as_bot("GET", "people/me").json() == {
            "id": bot.id,
            "emails": ["casduo@webex.bot"],
            "displayName": "casduo",
            "nickName": "casduo",
            "firstName": "casduo",
            "lastName": "",
            "orgId": bot.org_id,
            "created": "2026-05-10T19:41:00.100Z",
            "type": "bot",
        }

    def test_somebody(self, as_bot: Api, luke: Person) -> None:
        found = as_bot("GET", f"people/{luke.id}").json()
        assert found["emails"] == ["luke@example.edu", "l.skywalker@example.edu"]
        assert (found["firstName"], found["lastName"], found["type"]) == ("Luke", "Skywalker", "person")
        assert as_bot("GET", "people/nobody").status_code == 404

    @pytest.mark.parametrize(
        ("params", "count"),
        [
            ({"email": "LUKE@example.edu"}, 1),
            ({"email": "l.skywalker@example.edu"}, 1),
            ({"email": "nobody@example.edu"}, 0),
            ({"displayName": "luke"}, 1),
        ],
    )
    def test_looking_people_up(self, as_bot: Api, luke: Person, params: dict[str, str], count: int) -> None:
        assert len(as_bot("GET", "people", params=params).json()["items"]) == count

    @pytest.mark.parametrize("params", [{}, {"email": "nobody"}, {"email": "a@b"}, {"email": "a b@example.edu"}])
    def test_addresses_that_are_none(self, as_bot: Api, params: dict[str, str]) -> None:
        assert as_bot("GET", "people", params=params).status_code == 400

    def test_nobody_is_found_in_other_organisations(self, webex: WebexSimulator, as_bot: Api, bot: Person) -> None:
        han = webex.add_person("han@falcon.example", "Han Solo", org="falcon")
        assert as_bot("GET", "people", params={"email": han.email}).json() == {"items": []}
        assert as_bot("GET", f"people/{han.id}").json()["orgId"] == han.org_id != bot.org_id


def test_ids_are_the_same_for_the_same_seed() -> None:
    def made(seed: str) -> list[str]:
        webex = WebexSimulator(seed=seed)
        bot = webex.add_bot("casduo")
        room = webex.add_room("Space", [bot])
        return [bot.id, bot.org_id, room.id, webex.post(bot.email, room.id, "x").id]

    assert made("one") == made("one")
    assert not set(made("one")) & set(made("two"))


def test_tokens_are_secrets_and_shown_nowhere(webex: WebexSimulator, client: Callable[[Person], Api]) -> None:
    ada = webex.add_person("ada@example.edu")
    assert len(ada.token) > 40
    assert ada.token not in repr(ada)
    assert ada.token not in client(ada)("GET", "people/me").text
    assert ada.token not in str(webex.requests())
    with pytest.raises(ValueError, match="token"):
        webex.add_person("grace@example.edu", token=ada.token)
    with pytest.raises(ValueError, match="address"):
        webex.add_person("grace@example.edu", emails=["ADA@example.edu"])


def test_somebody_who_is_removed_is_gone(
    webex: WebexSimulator, as_bot: Api, as_luke: Api, room: Room, luke: Person
) -> None:
    as_luke.post(roomId=room.id, text="x")
    webex.remove_person(luke)
    assert as_luke("GET", "people/me").status_code == 401
    assert as_bot.post(toPersonEmail=luke.email, text="x").status_code == 404
    assert webex.room(room.id).members == room.members[:1]
