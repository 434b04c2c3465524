"""The client against the simulated Webex: what it sends, what it reads, and what its errors are."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from casduo.simulators.webex.faults import ANSWER_KINDS
from casduo.webex.cards import Look, approval_card
from casduo.webex.errors import (
    WebexError,
    WebexLeftAlone,
    WebexLocked,
    WebexRefused,
    WebexThrottled,
    WebexUnauthorized,
    WebexUnavailable,
)
from casduo.webex.remedies import remedy_for
from tests.webex.asked import request
from tests.webex.desk import NOON, TOKEN, Desk


def failure(desk: Desk, **fields: Any) -> WebexError:
    with pytest.raises(WebexError) as caught:
        desk.client.create_message(**({"room": desk.room.id, "markdown": "hello"} | fields))
    return caught.value


def test_a_message_is_posted_in_a_space(desk: Desk) -> None:
    posted = desk.client.create_message(room=desk.room.id, markdown="**hello**")
    (message,) = desk.simulator.messages_in(desk.room.id)
    assert (posted.id, posted.room, message.markdown) == (message.id, desk.room.id, "**hello**")
    assert desk.client.message(posted.id).person == desk.bot.id
    assert desk.client.message(posted.id).created == NOON


def test_a_message_is_written_to_a_person(desk: Desk) -> None:
    desk.client.create_message(email="ada@example.edu", markdown="by address")
    desk.client.create_message(person=desk.ada.id, markdown="by id")
    assert [message.markdown for message in desk.simulator.direct_messages("ada@example.edu")] == [
        "by address",
        "by id",
    ]


def test_a_card_travels_beside_its_text(desk: Desk) -> None:
    card = approval_card(request(), Look(), buttons=True)
    posted = desk.client.create_message(room=desk.room.id, markdown="a card", card=card)
    assert desk.simulator.message(posted.id).card == card


def test_a_reply_stands_under_its_message(desk: Desk) -> None:
    first = desk.client.create_message(room=desk.room.id, markdown="first")
    second = desk.client.create_message(room=desk.room.id, markdown="second", parent=first.id)
    assert desk.client.message(second.id).parent == first.id


@pytest.mark.parametrize("to", [{}, {"room": "R", "email": "ada@example.edu"}])
def test_a_message_goes_to_one_place(desk: Desk, to: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="one room or one person"):
        desk.client.create_message(**to, markdown="x")
    assert len(desk.simulator.requests) == 0


def test_deleting_twice_is_deleting(desk: Desk) -> None:
    posted = desk.client.create_message(room=desk.room.id, markdown="hello")
    desk.client.delete_message(posted.id)
    desk.client.delete_message(posted.id)
    assert desk.said == []
    with pytest.raises(WebexRefused) as caught:
        desk.client.message(posted.id)
    assert caught.value.status == 404


def test_what_is_gone_for_good_is_deleted(desk: Desk) -> None:
    desk.simulator.fail("DELETE /messages/{id}", 410)
    desk.client.delete_message("some-message")


def test_what_others_wrote_cannot_be_deleted(desk: Desk) -> None:
    foreign = desk.simulator.post("luke@example.edu", desk.room.id, "mine")
    with pytest.raises(WebexRefused) as caught:
        desk.client.delete_message(foreign.id)
    assert caught.value.status == 403


def test_the_bot_knows_itself_and_others(desk: Desk) -> None:
    grace = desk.simulator.add_person("Grace@Example.EDU", "Grace", emails=["hopper@example.edu"], org="navy")
    me, found = desk.client.me(), desk.client.person(grace.id)
    assert (me.id, me.kind, me.organisation) == (desk.bot.id, "bot", desk.bot.org_id)
    assert (found.kind, found.name, found.organisation) == ("person", "Grace", grace.org_id)
    assert found.emails == ("grace@example.edu", "hopper@example.edu")


def test_a_press_is_looked_up(desk: Desk) -> None:
    asked = request()
    card = approval_card(asked, Look(), buttons=True)
    posted = desk.client.create_message(room=desk.room.id, markdown="a card", card=card)
    pressed = desk.simulator.press(posted.id, "luke@example.edu", {"decision": "reject"}, {"comment": "not today"})
    action = desk.client.action(pressed)
    assert (action.message, action.person, action.room, action.created) == (posted.id, desk.luke.id, desk.room.id, NOON)
    assert action.inputs == {
        "casduo": "1",
        "kind": "approval",
        "request": asked.id,
        "nonce": asked.nonce,
        "decision": "reject",
        "comment": "not today",
    }


def test_values_of_a_press_are_texts_whatever_was_sent(desk: Desk) -> None:
    posted = desk.client.create_message(
        room=desk.room.id, markdown="a card", card=approval_card(request(), Look(), buttons=True)
    )
    desk.simulator.settings.data_as_text = False
    pressed = desk.simulator.submit(
        "luke@example.edu", posted.id, {"casduo": 1, "list": [1], "none": None, "yes": True}
    )
    assert desk.client.action(pressed).inputs == {"casduo": "1", "list": "[1]", "none": "null", "yes": "true"}


def test_all_parts_of_a_list_of_spaces_are_read(desk: Desk) -> None:
    for number in range(1010):
        desk.simulator.add_room(f"room {number}", [desk.bot])
    assert len(desk.client.rooms(most=5000)) == 1011
    assert len(desk.simulator.requests("GET", "/rooms")) == 2
    assert len(desk.client.rooms(most=7)) == 7


def test_the_token_does_not_follow_a_list_elsewhere(desk: Desk) -> None:
    for number in range(1010):
        desk.simulator.add_room(f"room {number}", [desk.bot])
    desk.simulator.faults.next_origin = "http://localhost:9"
    assert len(desk.client.rooms(most=5000)) == 1000


def test_spaces_are_told_with_what_keeps_a_bot_from_posting(desk: Desk) -> None:
    desk.simulator.change_room(desk.room.id, announcement_only=True, title_unreadable=True)
    (room,) = desk.client.rooms()
    assert (room.id, room.title, room.kind, room.announcement_only, room.read_only) == (
        desk.room.id,
        "",
        "group",
        True,
        False,
    )


def test_webhooks_are_kept(desk: Desk) -> None:
    made = desk.client.create_webhook(
        name="casduo",
        target="https://localhost:9/webex/webhook",
        resource="attachmentActions",
        event="created",
        secret="s" * 40,
    )
    assert (made.active, made.creator, made.event) == (True, desk.bot.id, "created")
    assert desk.client.webhooks() == [made]
    changed = desk.client.update_webhook(made.id, name="casduo", target="https://localhost:9/other", active=True)
    assert (changed.id, changed.target) == (made.id, "https://localhost:9/other")
    desk.client.delete_webhook(made.id)
    desk.client.delete_webhook(made.id)
    assert desk.client.webhooks() == []


@pytest.mark.parametrize("name", ["", "..", "."])
def test_what_is_no_id_is_asked_of_nobody(desk: Desk, name: str) -> None:
    with pytest.raises(WebexRefused):
        desk.client.action(name)
    assert len(desk.simulator.requests) == 0


def test_an_id_cannot_lead_to_another_call(desk: Desk) -> None:
    with pytest.raises(WebexRefused):
        desk.client.action("../../people/me?x=")
    (call,) = desk.simulator.requests()
    assert not call.path.endswith("people/me")


# -- what goes wrong -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [400, 403, 404, 405, 409, 410, 415, 428])
def test_a_refusal_is_final(desk: Desk, status: int) -> None:
    desk.simulator.fail("POST /messages", status)
    error = failure(desk)
    assert isinstance(error, WebexRefused)
    assert (error.status, remedy_for(error).remedy) == (status, "never")
    assert error.tracking
    assert error.tracking in error.told


def test_a_wrong_token_stops_everything(desk: Desk) -> None:
    desk.simulator.revoke(TOKEN)
    assert isinstance(failure(desk), WebexUnauthorized)


def test_limits_say_how_long(desk: Desk) -> None:
    desk.simulator.fail("POST /messages", 429, retry_after=42)
    desk.simulator.fail("POST /messages", 423)
    throttled, locked = failure(desk), failure(desk)
    assert isinstance(throttled, WebexThrottled)
    assert isinstance(locked, WebexLocked)
    assert (throttled.after, locked.after) == (42.0, 15.0)
    assert len(desk.simulator.requests()) == 2


@pytest.mark.parametrize(("status", "ambiguous"), [(500, False), (502, True), (503, False), (504, True)])
def test_trouble_at_the_other_end_is_for_later(desk: Desk, status: int, ambiguous: bool) -> None:
    desk.simulator.fail("POST /messages", status, done=True)
    error = failure(desk)
    assert isinstance(error, WebexUnavailable)
    assert error.ambiguous is ambiguous


def test_a_post_whose_answer_is_lost_is_made_once_and_may_have_been_done(desk: Desk) -> None:
    for lose in (desk.simulator.faults.drop, desk.simulator.faults.hang):
        lose("POST /messages", done=True)
        error = failure(desk)
        assert isinstance(error, WebexUnavailable)
        assert error.ambiguous
    assert desk.said == ["hello", "hello"]
    assert len(desk.simulator.requests("POST")) == 2


def test_a_post_that_never_left_was_not_done(desk: Desk) -> None:
    desk.simulator.stop_listening()
    error = failure(desk)
    assert isinstance(error, WebexUnavailable)
    assert (error.ambiguous, error.detail) == (False, "refused")


def test_an_answer_may_have_half_a_megabyte(desk: Desk) -> None:
    desk.simulator.faults.answer("GET /people/me", "huge")
    assert desk.client.me().id


@pytest.mark.parametrize("kind", sorted(set(ANSWER_KINDS) - {"huge"}))
def test_whatever_comes_back_is_an_error_of_ours(desk: Desk, kind: Any) -> None:
    desk.simulator.faults.answer("GET /people/me", kind)
    with pytest.raises(WebexUnavailable):
        desk.client.me()
    desk.simulator.faults.answer("POST /messages", kind, done=True)
    assert isinstance(failure(desk), WebexUnavailable)


def test_after_five_failures_webex_is_left_alone_for_half_a_minute(desk: Desk) -> None:
    desk.simulator.fail("*", 503, times=None)
    for _ in range(5):
        assert not isinstance(failure(desk), WebexLeftAlone)
    error = failure(desk)
    assert isinstance(error, WebexLeftAlone)
    assert error.after == 30.0
    assert len(desk.simulator.requests()) == 5
    desk.simulator.faults.clear()
    desk.clock.advance(30.0)
    desk.client.create_message(room=desk.room.id, markdown="back again")
    assert desk.said == ["back again"]


def test_refusals_and_limits_do_not_count_as_an_outage(desk: Desk) -> None:
    for status in (400, 401, 404, 429, 423) * 3:
        desk.simulator.fail("POST /messages", status)
        failure(desk)
    desk.client.create_message(room=desk.room.id, markdown="still there")


def test_the_token_is_told_to_nobody_but_webex(desk: Desk, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    desk.simulator.fail("POST /messages", 401)
    errors = [failure(desk)]
    desk.simulator.stop_listening()
    errors.append(failure(desk))
    shown = [repr(desk.client), repr(desk.settings), caplog.text]
    for error in errors:
        shown += [
            str(error),
            repr(error),
            error.told,
            repr(error.__dict__),
            repr(error.__cause__),
            repr(error.__context__),
        ]
    assert TOKEN not in "".join(shown)
