"""Messages over the API: posted, read, edited, deleted, listed, row by row of the contract."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from casduo.simulators.clock import VirtualClock
from casduo.simulators.webex import Person, Room, WebexSimulator
from tests.simulators.webex.conftest import Api, attached, card


def refusal(answer: Any) -> tuple[int, str]:
    """Return status and message of an error, after a look at its form."""
    body = answer.json()
    assert body["errors"] == [{"description": body["message"]}]
    assert body["trackingId"] == answer.headers["trackingId"]
    assert answer.headers["Content-Type"].startswith("application/json")
    return answer.status_code, body["message"]


class TestPosting:
    def test_the_answer_has_everything(self, as_bot: Api, room: Room, bot: Person, luke: Person) -> None:
        words = "**Hello** <@personEmail:luke@example.edu|Luke>, `a < b`\nand <@all>"
        answer = as_bot.post(roomId=room.id, markdown=words)
        assert answer.status_code == 200
        assert re.fullmatch(r"SIM_[0-9a-f-]{36}", answer.headers["trackingId"])
        message = answer.json()
        assert message.pop("id") != message["roomId"]
        assert message == {
            "roomId": room.id,
            "roomType": "group",
            "text": "Hello Luke, a < b\nand All",
            "markdown": words,
            "html": "<strong>Hello</strong> "
            f'<spark-mention data-object-type="person" data-object-id="{luke.id}">Luke</spark-mention>, '
            "<code>a &lt; b</code><br>and "
            '<spark-mention data-object-type="groupMention" data-group-type="all">All</spark-mention>',
            "personId": bot.id,
            "personEmail": "casduo@webex.bot",
            "mentionedPeople": [luke.id],
            "mentionedGroups": ["all"],
            "created": "2026-05-10T19:41:00.100Z",
        }

    def test_text_is_the_fallback_of_markdown(self, as_bot: Api, room: Room) -> None:
        message = as_bot.post(roomId=room.id, text="plain", markdown="**rich**").json()
        assert (message["text"], message["markdown"], message["html"]) == ("plain", "**rich**", "<strong>rich</strong>")

    @pytest.mark.parametrize("how", ["toPersonId", "toPersonEmail"])
    def test_a_direct_message_makes_one_space(self, webex: WebexSimulator, as_bot: Api, yoda: Person, how: str) -> None:
        named = {how: yoda.id if how == "toPersonId" else "YODA@example.edu"}
        first = as_bot.post(**named, text="one").json()
        second = as_bot.post(**named, text="two").json()
        assert (first["roomType"], first[how]) == ("direct", named[how])
        assert first["roomId"] == second["roomId"]
        assert [message.text for message in webex.direct_messages("yoda@example.edu")] == ["one", "two"]
        assert webex.direct_messages("casduo@webex.bot") == []

    @pytest.mark.parametrize("destinations", [(), ("roomId", "toPersonEmail"), ("toPersonId", "toPersonEmail")])
    def test_exactly_one_destination(
        self, as_bot: Api, room: Room, yoda: Person, destinations: tuple[str, ...]
    ) -> None:
        known = {"roomId": room.id, "toPersonId": yoda.id, "toPersonEmail": yoda.email}
        answer = as_bot.post(**{name: known[name] for name in destinations}, text="x")
        assert refusal(answer)[0] == 400

    @pytest.mark.parametrize("content", [{}, {"text": ""}, {"markdown": 7}, {"text": ["x"]}, {"files": ["a", "b"]}])
    def test_content_is_needed_and_is_text(self, as_bot: Api, room: Room, content: dict[str, Any]) -> None:
        assert refusal(as_bot.post(roomId=room.id, **content))[0] == 400

    @pytest.mark.parametrize("member", ["text", "markdown"])
    @pytest.mark.parametrize(("words", "status"), [("x" * 7439, 200), ("x" * 7440, 400), ("ü" * 3720, 400)])
    def test_the_limit_counts_bytes(self, as_bot: Api, room: Room, member: str, words: str, status: int) -> None:
        assert as_bot.post(roomId=room.id, **{member: words}).status_code == status

    def test_a_file_is_one_address(self, as_bot: Api, room: Room) -> None:
        url = "https://example.edu/report.pdf"
        message = as_bot.post(roomId=room.id, files=[url]).json()
        assert message["files"] == [url]
        edit = as_bot("PUT", f"messages/{message['id']}", json={"roomId": room.id, "text": "x"})
        assert refusal(edit) == (400, "Editing messages with files or cards is not supported.")

    def test_a_reply_is_in_the_space_of_its_parent(
        self, webex: WebexSimulator, as_bot: Api, room: Room, bot: Person
    ) -> None:
        parent = as_bot.post(roomId=room.id, text="parent").json()["id"]
        assert as_bot.post(roomId=room.id, text="reply", parentId=parent).json()["parentId"] == parent
        other = webex.add_room("Other", [bot])
        assert refusal(as_bot.post(roomId=other.id, text="reply", parentId=parent))[0] == 400
        assert refusal(as_bot.post(roomId=room.id, text="reply", parentId="nothing"))[0] == 404

    @pytest.mark.parametrize("status", [404, 400, 403])
    def test_nobody_has_that_address(self, webex: WebexSimulator, as_bot: Api, status: int) -> None:
        webex.settings.unknown_recipient_status = status
        assert refusal(as_bot.post(toPersonEmail="nobody@example.edu", text="x"))[0] == status

    def test_an_address_is_an_address_and_not_ones_own(self, as_bot: Api) -> None:
        assert refusal(as_bot.post(toPersonEmail="nobody", text="x"))[0] == 400
        assert refusal(as_bot.post(toPersonEmail="casduo@webex.bot", text="x"))[0] == 400

    def test_only_members_post(
        self, webex: WebexSimulator, as_bot: Api, as_luke: Api, room: Room, bot: Person, luke: Person
    ) -> None:
        webex.remove_member(room.id, bot)
        assert refusal(as_bot.post(roomId=room.id, text="x"))[0] == 403
        assert refusal(as_bot.post(roomId="no-such-room", text="x"))[0] == 404
        webex.add_member(room.id, bot)
        assert as_bot.post(roomId=room.id, text="x").status_code == 200

    def test_only_moderators_post_where_only_they_may(
        self, webex: WebexSimulator, as_bot: Api, as_luke: Api, bot: Person, luke: Person
    ) -> None:
        room = webex.add_room("News", [bot, luke], announcement_only=True, moderators=[luke])
        assert refusal(as_bot.post(roomId=room.id, text="x"))[0] == 403
        assert as_luke.post(roomId=room.id, text="x").status_code == 200
        webex.change_room(room.id, read_only=True)
        assert refusal(as_luke.post(roomId=room.id, text="x"))[0] == 403

    @pytest.mark.parametrize(
        ("content_type", "body", "status"),
        [
            ("text/plain", "{}", 415),
            ("", "{}", 415),
            ("application/x-www-form-urlencoded", "a=b", 415),
            ("application/json", "{", 400),
            ("application/json", "[]", 400),
            ("application/json", '{"text": NaN}', 400),
            ("application/json", '{"text": "\\ud800"}', 400),
            ("application/json", "[" * 100_000, 400),
            ("application/json", b"\xff", 400),
        ],
    )
    def test_bodies_that_are_no_objects(self, as_bot: Api, content_type: str, body: str | bytes, status: int) -> None:
        answer = as_bot("POST", "messages", data=body, headers={"Content-Type": content_type})
        assert refusal(answer)[0] == status


class TestReading:
    def test_a_message_as_it_was_posted(self, as_bot: Api, room: Room) -> None:
        posted = as_bot.post(roomId=room.id, markdown="*x*").json()
        answer = as_bot("GET", f"messages/{posted['id']}")
        assert (answer.status_code, answer.json()) == (200, posted)

    def test_a_bot_reads_in_a_space_what_it_wrote_or_what_mentions_it(
        self, as_bot: Api, as_luke: Api, room: Room, bot: Person
    ) -> None:
        hidden = as_luke.post(roomId=room.id, text="hidden").json()["id"]
        mention = as_luke.post(roomId=room.id, markdown=f"<@personId:{bot.id}> look").json()["id"]
        assert refusal(as_bot("GET", f"messages/{hidden}"))[0] == 403
        assert as_bot("GET", f"messages/{mention}").json()["mentionedPeople"] == [bot.id]
        assert refusal(as_bot("GET", "messages", params={"roomId": room.id}))[0] == 403
        listed = as_bot("GET", "messages", params={"roomId": room.id, "mentionedPeople": "me"}).json()
        assert [item["id"] for item in listed["items"]] == [mention]

    def test_a_bot_reads_everything_in_a_direct_space(self, as_bot: Api, as_luke: Api, luke: Person) -> None:
        room_id = as_bot.post(toPersonId=luke.id, text="question").json()["roomId"]
        as_luke.post(roomId=room_id, text="answer")
        for path, params in (("messages", {"roomId": room_id}), ("messages/direct", {"personId": luke.id})):
            listed = as_bot("GET", path, params=params).json()["items"]
            assert [item["text"] for item in listed] == ["answer", "question"]

    def test_lists_come_in_pages_the_newest_first(
        self, webex: WebexSimulator, as_luke: Api, room: Room, clock: VirtualClock
    ) -> None:
        for number in range(5):
            clock.advance(1)
            as_luke.post(roomId=room.id, text=str(number))
        answer = as_luke("GET", "messages", params={"roomId": room.id, "max": 2})
        seen = [item["text"] for item in answer.json()["items"]]
        while "next" in answer.links:
            url = answer.links["next"]["url"]
            assert url.startswith(webex.base_url)
            # What is written meanwhile shifts nothing.
            as_luke.post(roomId=room.id, text="meanwhile")
            answer = as_luke("GET", url.removeprefix(webex.base_url))
            seen += [item["text"] for item in answer.json()["items"]]
        assert seen == ["4", "3", "2", "1", "0"]

    def test_lists_end_before_a_message_or_a_moment(self, as_luke: Api, room: Room, clock: VirtualClock) -> None:
        ids = []
        for number in range(3):
            ids.append(as_luke.post(roomId=room.id, text=str(number)).json())
            clock.advance(1)
        for limit in ({"beforeMessage": ids[1]["id"]}, {"before": ids[1]["created"]}):
            listed = as_luke("GET", "messages", params={"roomId": room.id, **limit}).json()["items"]
            assert [item["text"] for item in listed] == ["0"]

    @pytest.mark.parametrize("params", [{}, {"max": "0"}, {"max": "1001"}, {"max": "x"}, {"cursor": "gone"}])
    def test_parameters_of_lists(self, as_luke: Api, room: Room, params: dict[str, str]) -> None:
        wanted = {"roomId": room.id, **params} if params else {}
        assert refusal(as_luke("GET", "messages", params=wanted))[0] == 400

    def test_strangers_read_nothing(
        self, client: Callable[[Person], Api], as_bot: Api, room: Room, yoda: Person
    ) -> None:
        posted = as_bot.post(roomId=room.id, text="x").json()["id"]
        assert refusal(client(yoda)("GET", f"messages/{posted}"))[0] == 403
        assert refusal(client(yoda)("GET", "messages/nothing"))[0] == 404


class TestEditing:
    def test_the_text_changes_and_the_date_tells(self, as_bot: Api, room: Room, clock: VirtualClock) -> None:
        posted = as_bot.post(roomId=room.id, markdown="**old**").json()
        clock.advance(60)
        answer = as_bot("PUT", f"messages/{posted['id']}", json={"roomId": room.id, "text": "new"})
        assert answer.status_code == 200
        assert (answer.json()["text"], answer.json()["updated"]) == ("new", "2026-05-10T19:42:00.100Z")
        assert "markdown" not in answer.json()

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"roomId": None}, 400),
            ({"text": None}, 400),
            ({"roomId": "other"}, 400),
            ({"html": "<b>x</b>", "markdown": "x"}, 400),
            ({"html": "<b>x</b>"}, 200),
            ({"text": "x" * 7440}, 400),
            ({"attachments": attached(card())}, 400),
        ],
    )
    def test_what_an_edit_needs(self, as_bot: Api, room: Room, change: dict[str, Any], status: int) -> None:
        posted = as_bot.post(roomId=room.id, text="old").json()["id"]
        members = {"roomId": room.id, "text": "new", **change}
        body = {name: value for name, value in members.items() if value is not None}
        assert as_bot("PUT", f"messages/{posted}", json=body).status_code == status

    def test_ten_edits_and_no_more(self, as_bot: Api, room: Room) -> None:
        posted = as_bot.post(roomId=room.id, text="0").json()["id"]
        statuses = [
            as_bot("PUT", f"messages/{posted}", json={"roomId": room.id, "text": str(number)}).status_code
            for number in range(11)
        ]
        assert statuses == [200] * 10 + [400]

    def test_cards_and_messages_of_others_cannot_be_edited(
        self, as_bot: Api, as_luke: Api, room: Room, posted_card: str
    ) -> None:
        body = {"roomId": room.id, "text": "new"}
        assert refusal(as_bot("PUT", f"messages/{posted_card}", json=body)) == (
            400,
            "Editing messages with files or cards is not supported.",
        )
        assert refusal(as_luke("PUT", f"messages/{posted_card}", json=body))[0] == 403


class TestDeleting:
    def test_it_is_gone(self, webex: WebexSimulator, as_bot: Api, room: Room, posted_card: str) -> None:
        answer = as_bot("DELETE", f"messages/{posted_card}")
        assert (answer.status_code, answer.content) == (204, b"")
        assert refusal(as_bot("GET", f"messages/{posted_card}"))[0] == 404
        assert refusal(as_bot("DELETE", f"messages/{posted_card}"))[0] == 404
        assert webex.messages_in(room.id) == []
        assert [message.id for message in webex.messages_in(room.id, deleted=True)] == [posted_card]
        assert [message.id for message in webex.deleted] == [posted_card]

    def test_again_may_be_answered_otherwise(self, webex: WebexSimulator, as_bot: Api, posted_card: str) -> None:
        webex.settings.deleted_again_status = 410
        as_bot("DELETE", f"messages/{posted_card}")
        assert refusal(as_bot("DELETE", f"messages/{posted_card}"))[0] == 410

    def test_others_may_not_unless_they_moderate(
        self, webex: WebexSimulator, as_bot: Api, as_luke: Api, bot: Person, luke: Person, posted_card: str
    ) -> None:
        assert refusal(as_luke("DELETE", f"messages/{posted_card}"))[0] == 403
        room = webex.add_room("Moderated", [bot, luke], moderators=[luke])
        posted = as_bot.post(roomId=room.id, text="x").json()["id"]
        assert as_luke("DELETE", f"messages/{posted}").status_code == 204


def test_methods_and_addresses_nobody_offers(as_bot: Api) -> None:
    for method, path, status in (
        ("PATCH", "messages", 405),
        ("DELETE", "messages", 405),
        ("POST", "messages/some-id", 405),
        ("POST", "people/me", 405),
        ("HEAD", "rooms", 405),
        ("GET", "nothing", 404),
        ("GET", "messages/some/thing", 404),
        ("GET", "messages/", 404),
        ("GET", "", 404),
    ):
        assert as_bot(method, path).status_code == status, (method, path)


@pytest.mark.parametrize("authorization", ["", "Bearer", "Bearer wrong", "Basic dTpw", "Bearer wröng"])
def test_a_wrong_token_is_refused(webex: WebexSimulator, as_bot: Api, authorization: str) -> None:
    answer = as_bot("GET", "people/me", headers={"Authorization": authorization.encode("latin-1")})
    assert refusal(answer)[0] == 401


def test_a_revoked_token_is_refused(webex: WebexSimulator, as_bot: Api, bot: Person) -> None:
    webex.revoke(bot.token)
    assert refusal(as_bot("GET", "people/me"))[0] == 401
    as_bot.token = webex.renew_token(bot).token
    assert as_bot("GET", "people/me").json()["id"] == bot.id
