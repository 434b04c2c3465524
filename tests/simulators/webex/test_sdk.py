"""The unmodified SDK of others against the simulator: an independent reading of the same API."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
import webexpythonsdk
from webexpythonsdk import ApiError, RateLimitError, WebexAPI
from webexpythonsdk.exceptions import RateLimitWarning
from webexpythonsdk.models.cards import AdaptiveCard, Fact, FactSet, TextBlock
from webexpythonsdk.models.cards.actions import OpenUrl, Submit

from casduo.simulators.clock import VirtualClock
from casduo.simulators.webex import Person, Room, WebexSimulator
from tests.simulators.webex.conftest import SECRET, Receiver


@pytest.fixture
def sdk(webex: WebexSimulator) -> Callable[..., WebexAPI]:
    """Makes the SDK's client with the token of somebody."""

    def make(person: Person, **options: Any) -> WebexAPI:
        settings = {"wait_on_rate_limit": False, "single_request_timeout": 10, **options}
        return WebexAPI(access_token=person.token, base_url=webex.base_url, **settings)

    return make


@pytest.fixture
def bots(sdk: Callable[..., WebexAPI], bot: Person) -> WebexAPI:
    return sdk(bot)


def test_messages_are_posted_read_edited_listed_and_deleted(
    sdk: Callable[..., WebexAPI], bots: WebexAPI, bot: Person, luke: Person, room: Room, clock: VirtualClock
) -> None:
    posted = bots.messages.create(roomId=room.id, markdown=f"**Hello** <@personId:{luke.id}|Luke>")
    assert (posted.text, posted.html[:22], posted.personEmail) == ("Hello Luke", "<strong>Hello</strong>", bot.email)
    assert posted.mentionedPeople == [luke.id]
    assert posted.created.year == 2026
    reply = bots.messages.create(roomId=room.id, text="reply", parentId=posted.id)
    assert bots.messages.get(reply.id).parentId == posted.id
    clock.advance(1)
    edited = bots.messages.update(posted.id, roomId=room.id, text="new")
    assert (edited.text, bots.messages.get(posted.id).text) == ("new", "new")
    lukes = sdk(luke)
    for number in range(5):
        lukes.messages.create(roomId=room.id, markdown=f"<@personId:{bot.id}> {number}")
    mine = list(bots.messages.list(roomId=room.id, mentionedPeople="me", max=2))
    assert [message.text[-1] for message in mine] == ["4", "3", "2", "1", "0"]
    bots.messages.delete(posted.id)
    with pytest.raises(ApiError) as gone:
        bots.messages.get(posted.id)
    assert (gone.value.status_code, gone.value.status) == (404, "NOT FOUND")


def test_direct_messages(sdk: Callable[..., WebexAPI], bots: WebexAPI, luke: Person) -> None:
    first = bots.messages.create(toPersonEmail=luke.email, text="one")
    bots.messages.create(toPersonId=luke.id, text="two")
    assert (first.roomType, first.toPersonEmail) == ("direct", luke.email)
    assert [message.text for message in bots.messages.list_direct(personEmail=luke.email)] == ["two", "one"]


def test_its_own_cards_are_taken_and_pressed(
    webex: WebexSimulator, sdk: Callable[..., WebexAPI], bots: WebexAPI, luke: Person, room: Room
) -> None:
    card = AdaptiveCard(
        body=[TextBlock("Access request 7F3K"), FactSet([Fact(title="Host", value="OracleLinux")])],
        actions=[
            Submit(title="Approve", data={"decision": "approve", "casduo": 1}),
            OpenUrl("https://sso.example.edu/", title="Review"),
        ],
    )
    posted = bots.messages.create(roomId=room.id, text="Access request 7F3K", attachments=[card])
    assert posted.attachments[0]["content"]["body"][0]["text"] == "Access request 7F3K"
    with pytest.raises(ApiError) as refused:
        bots.messages.update(posted.id, roomId=room.id, text="new")
    assert refused.value.status_code == 400
    told = bots.attachment_actions.get(webex.press(posted.id, luke.email, "Approve"))
    assert (told.type, told.personId, told.messageId) == ("submit", luke.id, posted.id)
    assert told.inputs == {"decision": "approve", "casduo": "1"}
    # The documents say 202; this client takes nothing but 200.
    with pytest.raises(ApiError, match="202"):
        sdk(luke).attachment_actions.create("submit", posted.id, {"decision": "reject"})
    webex.settings.action_status = 200
    made = sdk(luke).attachment_actions.create("submit", posted.id, {"decision": "reject"})
    assert made.inputs == {"decision": "reject"}


def test_rooms_come_in_pages(webex: WebexSimulator, bots: WebexAPI, bot: Person, luke: Person, room: Room) -> None:
    webex.add_room("News", [bot], announcement_only=True)
    titles = {f"Space {number}" for number in range(9)}
    for title in titles:
        webex.add_room(title, [bot])
    bots.messages.create(toPersonId=luke.id, text="x")
    listed = list(bots.rooms.list(max=3))
    assert {each.title for each in listed} == {*titles, "Access requests", "News", "Luke Skywalker"}
    assert len(webex.requests("GET", "/rooms")) == 4
    assert [each.title for each in bots.rooms.list(type="direct")] == ["Luke Skywalker"]
    found = bots.rooms.get(room.id)
    assert (found.title, found.type, found.isLocked, found.created.year) == ("Access requests", "group", False, 2026)


def test_people(bots: WebexAPI, bot: Person, luke: Person) -> None:
    me = bots.people.me()
    assert (me.id, me.type, me.emails, me.orgId) == (bot.id, "bot", [bot.email], bot.org_id)
    assert bots.people.get(luke.id).displayName == "Luke Skywalker"
    assert [person.id for person in bots.people.list(email=luke.email)] == [luke.id]
    assert list(bots.people.list(email="nobody@example.edu")) == []


def test_webhooks(webex: WebexSimulator, bots: WebexAPI, receiver: Receiver, posted_card: str) -> None:
    made = bots.webhooks.create("casduo", receiver.url, "attachmentActions", "created", secret=SECRET)
    assert (made.status, made.secret, made.resource) == ("active", SECRET, "attachmentActions")
    assert [each.id for each in bots.webhooks.list()] == [made.id]
    assert bots.webhooks.update(made.id, name="new", targetUrl=receiver.url, status="active").name == "new"
    webex.press(posted_card, "luke@example.edu", "Approve")
    webex.wait_for_deliveries()
    event = webexpythonsdk.WebhookEvent(receiver.received[0][1].decode())
    assert (event.name, event.resource, event.event) == ("new", "attachmentActions", "created")
    assert bots.attachment_actions.get(event.data.id).inputs == {"decision": "approve"}
    bots.webhooks.delete(made.id)
    assert list(bots.webhooks.list()) == []


def test_errors_carry_the_tracking_id(webex: WebexSimulator, sdk: Callable[..., WebexAPI], bot: Person) -> None:
    webex.revoke(bot.token)
    with pytest.raises(ApiError) as refused:
        sdk(bot).people.me()
    (call,) = webex.requests()
    assert (refused.value.status_code, refused.value.tracking_id) == (401, call.tracking_id)
    assert refused.value.message
    assert refused.value.details["errors"][0]["description"] == refused.value.message


def test_limits_are_understood(
    webex: WebexSimulator, sdk: Callable[..., WebexAPI], bot: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    webex.fail("GET /people/me", 429, retry_after=7)
    with pytest.raises(RateLimitError) as limited:
        sdk(bot).people.me()
    assert limited.value.retry_after == 7
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    webex.fail("GET /people/me", 429, times=2, retry_after=9)
    with pytest.warns(RateLimitWarning):
        assert sdk(bot, wait_on_rate_limit=True).people.me().id == bot.id
    assert slept == [9, 9]


@pytest.mark.parametrize("status", [403, 404, 409, 410, 423, 500, 502, 503])
def test_every_failure_is_an_error_to_it(webex: WebexSimulator, bots: WebexAPI, status: int) -> None:
    webex.fail("GET /rooms", status, retry_after=1)
    with pytest.raises(ApiError) as failed:
        list(bots.rooms.list())
    assert failed.value.status_code == status
