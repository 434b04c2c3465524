"""Which cards are taken, and what a press of a button sends."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from casduo.simulators.webex import InputsRefused, Person, Room, WebexRefusal, WebexSimulator
from tests.simulators.webex.conftest import REJECT, Api, attached, card, submit

Send = Callable[[Any], tuple[int, str]]


@pytest.fixture
def send(as_bot: Api, room: Room) -> Send:
    """Posts attachments beside a text; returns status and message."""

    def post(attachments: Any) -> tuple[int, str]:
        answer = as_bot.post(roomId=room.id, text="A card", attachments=attachments)
        return answer.status_code, answer.json().get("message", "")

    return post


EVERYTHING: list[dict[str, Any]] = [
    {"type": "RichTextBlock", "inlines": ["a", {"type": "TextRun", "text": "b"}]},
    {"type": "FactSet", "facts": [{"title": "Host", "value": "a"}]},
    {"type": "Container", "items": [{"type": "TextBlock", "text": ""}], "selectAction": submit("Go")},
    {
        "type": "ColumnSet",
        "columns": [
            {"type": "Column", "items": []},
            {"items": [{"type": "TextBlock", "text": "x"}]},
            {"width": "auto"},
        ],
    },
    {"type": "ActionSet", "actions": [{"type": "Action.ToggleVisibility", "targetElements": ["x"]}]},
    {"type": "ImageSet", "images": [{"type": "Image", "url": "https://example.edu/a.png"}]},
    {"type": "Input.Text", "id": "a"},
    {"type": "Input.Number", "id": "b"},
    {"type": "Input.Date", "id": "c"},
    {"type": "Input.Time", "id": "d"},
    {"type": "Input.Toggle", "id": "e", "title": "Yes"},
    {"type": "Input.ChoiceSet", "id": "f", "choices": [{"title": "A", "value": "a"}]},
]


def test_a_card_comes_back_as_it_was_sent(as_bot: Api, posted_card: str) -> None:
    assert as_bot("GET", f"messages/{posted_card}").json()["attachments"] == attached(card())


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "1.3"])
def test_everything_webex_shows_is_taken(send: Send, version: str) -> None:
    link = {"type": "Action.OpenUrl", "url": "https://example.edu/"}
    assert send(attached(card(submit("Go"), link, version=version, body=EVERYTHING))) == (200, "")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"type": "AdaptiveCard"}, "version"),
        (card(version="1.4"), "1.4"),
        (card(version="0.5"), "version"),
        ({**card(), "version": 1.3}, "version"),
        ({**card(), "type": "Card"}, "AdaptiveCard"),
        ({**card(), "refresh": {}}, "refresh"),
        ({**card(), "body": {}}, "body"),
        (card({"type": "Action.Execute"}), "Action.Execute"),
        (card({"type": "Action.OpenUrl", "url": "javascript:alert(1)"}), "url"),
        (card({"type": "Action.ShowCard"}), "card"),
        (card(body=[{"type": "Media", "sources": []}]), "Media"),
        (card(body=[{"type": "Table"}]), "Table"),
        (card(body=[{"type": "TextBlock"}]), "text"),
        (card(body=[{"type": "TextBlock", "text": "x", "$when": "${a}"}]), "templating"),
        (card(body=[{"type": "FactSet", "facts": [{"title": "x"}]}]), "facts"),
        (card(body=[{"type": "Input.Text"}]), "id"),
        (card(body=[{"type": "Input.Text", "id": "a"}, {"type": "Input.Date", "id": "a"}]), "id of its own"),
        (card(body=[{"type": "Image", "url": "http://example.edu/a.png"}]), "https"),
        (card(body=[{"type": "Column"}]), "Column"),
        (card(body=["text"]), "object"),
        (card(*[submit(str(number)) for number in range(6)]), "5 actions"),
        (card(*[submit(str(number)) for number in range(4)], REJECT), "5 actions"),
        (card(body=[{"type": "TextBlock", "text": "ü" * 10_000}]), "20000 bytes"),
    ],
)
def test_a_card_webex_would_not_show_is_refused(send: Send, content: Any, reason: str) -> None:
    status, message = send(attached(content))
    assert status == 400
    assert reason in message


def test_five_actions_with_those_of_cards_inside_are_taken(send: Send) -> None:
    assert send(attached(card(*[submit(str(number)) for number in range(3)], REJECT))) == (200, "")


def test_a_card_nested_without_end_is_refused(send: Send) -> None:
    node: dict[str, Any] = {"type": "TextBlock", "text": "x"}
    for _ in range(40):
        node = {"type": "Container", "items": [node]}
    assert send(attached(card(body=[node])))[0] == 400


@pytest.mark.parametrize(
    "attachments", ["card", attached(card()) * 2, [{"contentType": "text/plain", "content": card()}], [card()], [7]]
)
def test_one_card_with_its_content_type(send: Send, attachments: Any) -> None:
    assert send(attachments)[0] == 400


def test_a_card_needs_text_beside_it_unless_the_setting_says_otherwise(
    webex: WebexSimulator, as_bot: Api, room: Room
) -> None:
    assert as_bot.post(roomId=room.id, attachments=attached(card())).status_code == 400
    webex.settings.card_needs_text = False
    assert as_bot.post(roomId=room.id, attachments=attached(card())).status_code == 200


class TestPressing:
    def test_inputs_and_data_become_texts(
        self, webex: WebexSimulator, as_bot: Api, luke: Person, posted_card: str
    ) -> None:
        action = webex.press(posted_card, "l.skywalker@example.edu", "Reject request", {"reason": "not now"})
        told = as_bot("GET", f"attachment/actions/{action}").json()
        assert told == {
            "id": action,
            "type": "submit",
            "messageId": posted_card,
            "inputs": {"reason": "not now", "decision": "reject", "casduo": "1"},
            "personId": luke.id,
            "roomId": webex.message(posted_card).room_id,
            "created": "2026-05-10T19:41:00.100Z",
        }

    def test_data_may_stay_what_it_was(self, webex: WebexSimulator, posted_card: str) -> None:
        webex.settings.data_as_text = False
        webex.press(posted_card, "luke@example.edu", {"decision": "reject"})
        (action,) = webex.actions(posted_card)
        assert (action.inputs, action.button) == ({"reason": "", "decision": "reject", "casduo": 1}, "Reject request")

    def test_a_button_sends_its_own_card_and_those_around_it(
        self, webex: WebexSimulator, room: Room, luke: Person
    ) -> None:
        outer = {"type": "Input.Toggle", "id": "sure", "title": "Sure", "valueOn": "yes", "valueOff": "no"}
        message = webex.post("casduo@webex.bot", room.id, card=card(submit("Approve"), REJECT, body=[outer]))
        webex.press(message.id, "luke@example.edu", "Approve", {"sure": "yes"})
        webex.press(message.id, "luke@example.edu", "Reject request")
        first, second = webex.actions()
        assert first.inputs == {"sure": "yes"}
        assert set(second.inputs) == {"sure", "reason", "decision", "casduo"}

    @pytest.mark.parametrize(
        ("field", "typed"),
        [
            ({"type": "Input.Text", "isRequired": True}, ""),
            ({"type": "Input.Text", "maxLength": 3}, "four"),
            ({"type": "Input.Text", "regex": "^[a-z]+$"}, "A1"),
            ({"type": "Input.Number", "max": 3}, "4"),
            ({"type": "Input.Number"}, "four"),
            ({"type": "Input.Toggle", "title": "Read", "isRequired": True}, "false"),
            ({"type": "Input.ChoiceSet", "choices": [{"title": "A", "value": "a"}]}, "b"),
        ],
    )
    def test_a_client_sends_nothing_that_does_not_fit(
        self, webex: WebexSimulator, room: Room, luke: Person, field: dict[str, Any], typed: str
    ) -> None:
        message = webex.post("casduo@webex.bot", room.id, card=card(submit("Go"), body=[{**field, "id": "x"}]))
        with pytest.raises(InputsRefused) as refused:
            webex.press(message.id, "luke@example.edu", "Go", {"x": typed})
        assert list(refused.value.problems) == ["x"]
        assert webex.actions() == []

    def test_buttons_and_inputs_that_are_not_there(self, webex: WebexSimulator, posted_card: str) -> None:
        with pytest.raises(KeyError, match="a button 'Accept' among"):
            webex.press(posted_card, "luke@example.edu", "Accept")
        with pytest.raises(KeyError, match="an input 'reason' among"):
            webex.press(posted_card, "luke@example.edu", "Approve", {"reason": "x"})
        with pytest.raises(KeyError):
            webex.press(posted_card, "nobody@example.edu", "Approve")

    def test_again_and_again_by_every_member(
        self, webex: WebexSimulator, room: Room, yoda: Person, posted_card: str
    ) -> None:
        with pytest.raises(WebexRefusal, match="403"):
            webex.press(posted_card, "yoda@example.edu", "Approve")
        webex.add_member(room.id, yoda)
        for email in ("yoda@example.edu", "luke@example.edu", "luke@example.edu", "casduo@webex.bot"):
            webex.press(posted_card, email, "Approve")
        assert len(webex.actions(posted_card)) == 4


class TestForging:
    def test_any_member_sends_any_inputs(self, webex: WebexSimulator, as_luke: Api, posted_card: str) -> None:
        inputs = {"decision": "approve", "request": "another", "n": 7, "deep": {"x": [None]}}
        answer = as_luke("POST", "attachment/actions", json=_act(posted_card, inputs=inputs))
        assert (answer.status_code, answer.json()["inputs"]) == (202, inputs)
        assert webex.submit("luke@example.edu", posted_card, {}) == webex.actions()[-1].id

    def test_the_status_is_a_setting(self, webex: WebexSimulator, as_luke: Api, posted_card: str) -> None:
        webex.settings.action_status = 200
        assert as_luke("POST", "attachment/actions", json=_act(posted_card)).status_code == 200

    @pytest.mark.parametrize(
        ("change", "status"),
        [
            ({"type": "open"}, 400),
            ({"type": None}, 400),
            ({"inputs": []}, 400),
            ({"inputs": None}, 400),
            ({"messageId": None}, 400),
            ({"messageId": "nothing"}, 404),
        ],
    )
    def test_what_an_action_needs(self, as_luke: Api, posted_card: str, change: dict[str, Any], status: int) -> None:
        assert as_luke("POST", "attachment/actions", json=_act(posted_card) | change).status_code == status

    def test_messages_without_cards_deleted_ones_and_strangers(
        self, webex: WebexSimulator, client: Callable[[Person], Api], as_bot: Api, as_luke: Api, room: Room,
        yoda: Person, posted_card: str,
    ) -> None:  # fmt: skip
        words = as_bot.post(roomId=room.id, text="x").json()["id"]
        assert as_luke("POST", "attachment/actions", json=_act(words)).status_code == 400
        assert client(yoda)("POST", "attachment/actions", json=_act(posted_card)).status_code == 403
        webex.settings.bots_may_press = False
        assert as_bot("POST", "attachment/actions", json=_act(posted_card)).status_code == 403
        as_bot("DELETE", f"messages/{posted_card}")
        assert as_luke("POST", "attachment/actions", json=_act(posted_card)).status_code == 404

    def test_actions_are_read_by_members_only(
        self, webex: WebexSimulator, client: Callable[[Person], Api], as_bot: Api, yoda: Person, posted_card: str
    ) -> None:
        action = webex.press(posted_card, "luke@example.edu", "Approve")
        assert as_bot("GET", f"attachment/actions/{action}").status_code == 200
        assert client(yoda)("GET", f"attachment/actions/{action}").status_code == 403
        assert as_bot("GET", "attachment/actions/nothing").status_code == 404


def _act(message_id: str, **change: Any) -> dict[str, Any]:
    return {"type": "submit", "messageId": message_id, "inputs": {"decision": "approve"}, **change}
