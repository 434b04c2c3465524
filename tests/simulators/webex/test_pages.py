"""The pages without a browser: who sees what, what is escaped, what a form can do and from where."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from bs4 import BeautifulSoup, Tag

from casduo.simulators.webex import Person, Room, WebexSimulator
from tests.simulators.webex.conftest import REJECT, Api, card, submit

HOSTILE = "<script>alert(1)</script> [x](https://evil.example) <@all> \u202e **b**"


def get(webex: WebexSimulator, path: str, **options: Any) -> BeautifulSoup:
    answer = requests.get(webex.page_url + path, timeout=10, **options)
    assert answer.status_code == 200, answer.text
    return BeautifulSoup(answer.text, "html5lib")


def space(webex: WebexSimulator, room: Room, email: str = "luke@example.edu", query: str = "") -> BeautifulSoup:
    return get(webex, f"as/{email}/{room.id}{query}")


def send(webex: WebexSimulator, room: Room, email: str = "luke@example.edu", **form: Any) -> requests.Response:
    headers = form.pop("headers", {})
    return requests.post(f"{webex.page_url}as/{email}/{room.id}", form, headers=headers, timeout=10)


def test_people_are_there_to_choose_and_bots_are_not(webex: WebexSimulator, room: Room) -> None:
    page = get(webex, "")
    assert [link["href"] for link in page.select(".choices a")] == ["/as/luke@example.edu"]
    assert "casduo@webex.bot" in page.get_text()


def test_spaces_are_listed_with_what_was_said_last(webex: WebexSimulator, as_bot: Api, room: Room) -> None:
    as_bot.post(toPersonEmail="luke@example.edu", markdown="**hello** there")
    page = get(webex, "as/luke@example.edu")
    titles = [each.get_text() for each in page.select(".entry strong")]
    assert sorted(titles) == ["Access requests", "casduo"]
    previews = [" ".join(each.get_text().split()) for each in page.select(".preview")]
    assert sorted(previews) == ["No messages yet", "hello there"]


def test_direct_messages_are_for_two(webex: WebexSimulator, as_bot: Api, luke: Person, yoda: Person) -> None:
    posted = as_bot.post(toPersonId=luke.id, text="only for Luke").json()
    direct = webex.room(posted["roomId"])
    assert "only for Luke" in space(webex, direct).get_text()
    answer = requests.get(f"{webex.page_url}as/{yoda.email}/{direct.id}", timeout=10)
    assert (answer.status_code, "only for Luke" in answer.text) == (403, False)


def test_hostile_text_is_only_text(webex: WebexSimulator, as_bot: Api, room: Room) -> None:
    body = [
        {"type": "TextBlock", "text": HOSTILE},
        {"type": "RichTextBlock", "inlines": [HOSTILE, {"type": "TextRun", "text": HOSTILE, "weight": HOSTILE}]},
        {"type": "FactSet", "facts": [{"title": HOSTILE, "value": HOSTILE}]},
        {"type": "Input.Text", "id": 'x" onfocus="alert(1)', "label": HOSTILE, "value": HOSTILE},
        {"type": "Container", "style": 'x" onclick="y', "items": []},
    ]
    webex.add_person("eve@example.edu", HOSTILE)
    webex.post("casduo@webex.bot", room.id, "x", card=card(submit(HOSTILE), body=body))
    as_bot.post(roomId=room.id, text=HOSTILE)
    as_bot.post(roomId=room.id, markdown=HOSTILE)
    for page in (space(webex, room), get(webex, "")):
        assert [script.get("src") for script in page.find_all("script")] == ["/static/live.js"]
        assert not [tag for tag in page.find_all(True) if any(name.startswith("on") for name in tag.attrs)]
    page = space(webex, room)
    assert len(page.select('.words a[href="https://evil.example"]')) == 1, "a link in Markdown, none in a text"
    assert page.select(".words spark-mention")
    assert not page.select(".rich a")
    assert not page.select(".card spark-mention")


def test_headers_keep_everything_else_out(webex: WebexSimulator) -> None:
    for path in ("", "as/nobody", "static/style.css", "nothing"):
        answer = requests.get(webex.page_url + path, timeout=10)
        assert "script-src 'self'" in answer.headers["Content-Security-Policy"]
        assert "unsafe" not in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert requests.get(webex.page_url, headers={"Host": "evil.example"}, timeout=10).status_code == 403
    assert requests.get(f"{webex.page_url}as/nobody@example.edu", timeout=10).status_code == 404
    assert requests.post(webex.page_url, timeout=10).status_code == 405


def test_a_button_is_pressed_with_a_form(webex: WebexSimulator, room: Room, luke: Person, posted_card: str) -> None:
    answer = send(webex, room, message=posted_card, press="actions.1.card.actions.0", **{"input:reason": "no"})
    assert answer.status_code == 200
    (action,) = webex.actions(posted_card)
    assert action.inputs == {"reason": "no", "decision": "reject", "casduo": "1"}
    assert (action.person_id, action.button) == (luke.id, "Reject request")
    page = BeautifulSoup(answer.text, "html5lib")
    assert "You pressed Reject request" in " ".join(page.get_text().split())


def test_boxes_and_choices_are_sent_as_clients_send_them(webex: WebexSimulator, room: Room, luke: Person) -> None:
    choices = [{"title": "A", "value": "a"}, {"title": "B", "value": "b"}]
    body = [
        {"type": "Input.Toggle", "id": "on", "title": "x", "valueOn": "1", "valueOff": "0"},
        {"type": "Input.Toggle", "id": "off", "title": "x", "value": "true"},
        {"type": "Input.ChoiceSet", "id": "many", "isMultiSelect": True, "choices": choices},
        {"type": "Input.ChoiceSet", "id": "none", "choices": choices, "value": "a"},
    ]
    message = webex.post("casduo@webex.bot", room.id, card=card(submit("Go"), body=body))
    send(webex, room, message=message.id, press="actions.0", **{"input:on": "on", "input:many": ["a", "b"]})
    assert webex.actions()[0].inputs == {"on": "1", "off": "false", "many": "a,b", "none": ""}


def test_what_does_not_fit_is_said_and_stays(webex: WebexSimulator, room: Room, luke: Person) -> None:
    needed = {"type": "Input.Text", "id": "why", "label": "Why", "isRequired": True, "errorMessage": "Say why."}
    other = {"type": "Input.Text", "id": "other", "label": "Other"}
    message = webex.post("casduo@webex.bot", room.id, card=card(submit("Go"), body=[needed, other]))
    answer = send(webex, room, message=message.id, press="actions.0", **{"input:other": "kept"})
    page = BeautifulSoup(answer.text, "html5lib")
    field = page.select_one("[aria-invalid]")
    assert isinstance(field, Tag)
    problem = page.find(id=field["aria-describedby"])
    assert isinstance(problem, Tag)
    assert problem.get_text() == "Say why."
    kept = page.select_one('[name="input:other"]')
    assert isinstance(kept, Tag)
    assert kept["value"] == "kept"
    assert webex.actions() == []


def test_nothing_is_done_for_another_site_or_a_stranger(
    webex: WebexSimulator, room: Room, yoda: Person, posted_card: str
) -> None:
    form = {"message": posted_card, "press": "actions.0"}
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert send(webex, room, headers=headers, **form).status_code == 403
    assert send(webex, room, yoda.email, **form).status_code == 403
    assert send(webex, room, message=posted_card, press="actions.9").status_code == 400
    assert send(webex, room, message="nothing", press="actions.0").status_code == 404
    assert webex.actions() == []


def test_people_write(webex: WebexSimulator, room: Room) -> None:
    assert "hello" in send(webex, room, text="  **hello**\r\nthere ").text
    (message,) = webex.messages_in(room.id)
    assert (message.text, message.markdown) == ("hello\nthere", "**hello**\nthere")
    assert "nothing to send" in send(webex, room, text=" ").text
    assert "too long" in send(webex, room, text="x" * 7440).text
    webex.change_room(room.id, announcement_only=True)
    assert send(webex, room, text="x").status_code == 403
    assert "Only moderators can write" in space(webex, room).get_text()
    webex.change_room(room.id, read_only=True)
    assert "Nobody can write" in space(webex, room).get_text()
    assert len(webex.messages_in(room.id)) == 1


def test_replies_stand_below_what_they_reply_to(webex: WebexSimulator, as_bot: Api, room: Room, luke: Person) -> None:
    first = webex.post("casduo@webex.bot", room.id, "first")
    webex.post("casduo@webex.bot", room.id, "second")
    reply = webex.post(luke.email, room.id, "reply to first", parent_id=first.id)
    webex.post(luke.email, room.id, "reply to reply", parent_id=reply.id)
    words = [each.get_text() for each in space(webex, room).select(".words")]
    assert words == ["first", "reply to first", "reply to reply", "second"]
    as_bot("DELETE", f"messages/{first.id}")
    page = space(webex, room)
    assert "replies to a deleted message" in page.get_text()
    assert [each.get_text() for each in page.select(".words")] == ["second", "reply to first", "reply to reply"]


def test_parts_of_cards_show_and_hide_by_links_alone(webex: WebexSimulator, room: Room) -> None:
    toggle = {
        "type": "Action.ToggleVisibility",
        "title": "More",
        "targetElements": ["more", {"elementId": "less", "isVisible": False}],
    }
    body = [
        {"type": "TextBlock", "text": "more", "id": "more", "isVisible": False},
        {"type": "TextBlock", "text": "less", "id": "less"},
    ]
    webex.post("casduo@webex.bot", room.id, card=card(toggle, body=body))

    def hidden(page: BeautifulSoup) -> dict[str, bool]:
        return {str(each["data-element"]): each.has_attr("hidden") for each in page.select("[data-element]")}

    page = space(webex, room)
    seen = [hidden(page)]
    for _ in range(2):
        link = page.select_one("a[data-targets]")
        assert isinstance(link, Tag)
        page = space(webex, room, query=str(link["href"]).partition("#")[0])
        seen.append(hidden(page))
    assert seen == [{"more": True, "less": False}, {"more": False, "less": True}, {"more": True, "less": True}]


@pytest.mark.parametrize("toggle", ["x", "~", "m~actions.0", "m~actions.x.y", "~~~"])
def test_toggles_that_mean_nothing(webex: WebexSimulator, room: Room, posted_card: str, toggle: str) -> None:
    place = toggle.replace("m", posted_card)
    assert space(webex, room, query=f"?toggle={place}").select(".card")


def test_without_scripts_it_refreshes_itself_unless_something_can_be_typed_into_a_card(
    webex: WebexSimulator, room: Room, luke: Person
) -> None:
    webex.post(luke.email, room.id, card=card(submit("Go")))
    assert 'http-equiv="refresh"' in str(space(webex, room).head)
    webex.post(luke.email, room.id, card=card(submit("Go"), REJECT))
    assert 'http-equiv="refresh"' not in str(space(webex, room))


def test_the_version_changes_with_everything(webex: WebexSimulator, as_bot: Api, room: Room, luke: Person) -> None:
    seen = set[str]()

    def changed() -> bool:
        version = requests.get(f"{webex.page_url}version", timeout=10).text
        new = version not in seen
        seen.add(version)
        return new

    assert changed()
    assert not changed()
    posted = as_bot.post(roomId=room.id, text="x").json()["id"]
    assert changed()
    as_bot("PUT", f"messages/{posted}", json={"roomId": room.id, "text": "y"})
    assert changed()
    as_bot("DELETE", f"messages/{posted}")
    assert changed()
    pressed = webex.post(luke.email, room.id, card=card(submit("Go"), REJECT)).id
    assert changed()
    webex.press(pressed, luke.email, "Go")
    assert changed()
    webex.add_person("han@example.edu")
    assert changed()
