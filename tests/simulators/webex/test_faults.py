"""What can be made to go wrong between a client and Webex, and what is on record of it."""

from __future__ import annotations

import threading
from typing import get_args

import pytest
import requests
from requests.exceptions import ConnectionError as NoConnection
from requests.exceptions import ReadTimeout

from casduo.simulators.clock import VirtualClock
from casduo.simulators.webex import Limit, Room, WebexSimulator
from casduo.simulators.webex.faults import AnswerKind
from tests.simulators.webex.conftest import Api

STATUSES = (400, 401, 403, 404, 405, 409, 410, 415, 423, 428, 429, 500, 502, 503, 504)


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_for_the_next_calls_of_one_endpoint(
    webex: WebexSimulator, as_bot: Api, room: Room, status: int
) -> None:
    webex.fail("POST /messages", status, times=2)
    assert as_bot("GET", "people/me").status_code == 200
    answers = [as_bot.post(roomId=room.id, text=str(number)) for number in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 200]
    body = answers[0].json()
    assert set(body) == {"message", "errors", "trackingId"}
    assert body["trackingId"] == answers[0].headers["trackingId"] != answers[1].headers["trackingId"]
    assert "Retry-After" not in answers[0].headers
    assert [message.text for message in webex.messages_in(room.id)] == ["2"]


@pytest.mark.parametrize("retry_after", [7, 0, "soon", "Sun, 10 May 2026 19:42:00 GMT"])
def test_retry_after_says_anything(webex: WebexSimulator, as_bot: Api, retry_after: int | str) -> None:
    webex.fail("*", 429, retry_after=retry_after)
    assert as_bot("GET", "rooms").headers["Retry-After"] == str(retry_after)


def test_without_end_until_it_is_taken_back(webex: WebexSimulator, as_bot: Api) -> None:
    webex.fail("GET /people/me", 503, times=None)
    assert [as_bot("GET", "people/me").status_code for _ in range(3)] == [503] * 3
    webex.faults.clear()
    assert as_bot("GET", "people/me").status_code == 200


@pytest.mark.parametrize("status", [502, 504])
def test_done_and_answered_with_an_error(webex: WebexSimulator, as_bot: Api, room: Room, status: int) -> None:
    webex.fail("POST /messages", status, done=True)
    assert as_bot.post(roomId=room.id, text="x").status_code == status
    assert len(webex.messages_in(room.id)) == 1
    (call,) = webex.requests("POST", "/v1/messages")
    assert (call.status, call.outcome) == (status, 200)


@pytest.mark.parametrize("done", [False, True])
def test_no_answer_with_the_deed_or_without(webex: WebexSimulator, as_bot: Api, room: Room, done: bool) -> None:
    webex.faults.drop("POST /messages", done=done)
    with pytest.raises(NoConnection):
        as_bot.post(roomId=room.id, text="x")
    assert len(webex.messages_in(room.id)) == done
    (call,) = webex.requests()
    assert (call.status, call.outcome, call.body["text"]) == (None, 200 if done else None, "x")
    assert as_bot("GET", "people/me").status_code == 200


@pytest.mark.parametrize("done", [False, True])
def test_silence_with_the_deed_or_without(webex: WebexSimulator, as_bot: Api, room: Room, done: bool) -> None:
    webex.faults.hang("POST /messages", done=done)
    with pytest.raises(ReadTimeout):
        as_bot("POST", "messages", json={"roomId": room.id, "text": "x"}, timeout=0.2)
    assert len(webex.messages_in(room.id)) == done


def test_a_delay_and_its_end(webex: WebexSimulator, as_bot: Api) -> None:
    webex.faults.delay("GET /people/me", 30, times=1)
    with pytest.raises(ReadTimeout):
        as_bot("GET", "people/me", timeout=0.2)
    webex.faults.delay("GET /people/me", 30, times=1)
    statuses: list[int] = []
    waiting = threading.Thread(target=lambda: statuses.append(as_bot("GET", "people/me").status_code))
    waiting.start()
    while waiting.is_alive():
        webex.faults.release()
        waiting.join(0.05)
    assert statuses == [200]


@pytest.mark.parametrize("kind", get_args(AnswerKind))
def test_other_answers_than_the_right_one(webex: WebexSimulator, as_bot: Api, room: Room, kind: AnswerKind) -> None:
    webex.faults.answer("POST /messages", kind, done=True)
    answer = as_bot("POST", "messages", json={"roomId": room.id, "text": "x"}, allow_redirects=False)
    assert len(webex.messages_in(room.id)) == 1
    try:
        document = answer.json()
    except ValueError:
        document = None
    assert answer.status_code != 200 or not isinstance(document, dict) or document.get("roomId") != room.id
    assert as_bot.post(roomId=room.id, text="x").status_code == 200


def test_resets_and_cut_answers_by_path(webex: WebexSimulator, as_bot: Api, room: Room) -> None:
    webex.transport.reset("/v1/messages", times=1)
    with pytest.raises(NoConnection):
        as_bot.post(roomId=room.id, text="x")
    webex.transport.cut("/v1/messages", after=0, times=1)
    with pytest.raises(NoConnection):
        as_bot.post(roomId=room.id, text="x")
    assert len(webex.messages_in(room.id)) == 1


def test_an_outage_and_its_end(webex: WebexSimulator, as_bot: Api) -> None:
    webex.stop_listening()
    with pytest.raises(NoConnection):
        as_bot("GET", "people/me")
    webex.listen_again()
    assert as_bot("GET", "people/me").status_code == 200


class TestRateLimit:
    def test_a_token_is_refused_until_its_time_has_come(
        self, webex: WebexSimulator, as_bot: Api, as_luke: Api, clock: VirtualClock
    ) -> None:
        webex.rate_limit = Limit(3, 10.0)
        statuses = []
        for _ in range(3):
            statuses.append(as_bot("GET", "people/me").status_code)
            clock.advance(2)
        assert statuses == [200, 200, 200]
        refused = as_bot("GET", "people/me")
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "4")
        assert as_luke("GET", "people/me").status_code == 200
        clock.advance(4)
        assert as_bot("GET", "people/me").status_code == 200
        assert as_bot("GET", "people/me").status_code == 429
        webex.rate_limit = None
        assert as_bot("GET", "people/me").status_code == 200

    @pytest.mark.parametrize("limit", [Limit(0, 1.0), Limit(1, 0.0)])
    def test_a_limit_lets_something_through(self, webex: WebexSimulator, limit: Limit) -> None:
        with pytest.raises(ValueError, match="at least"):
            webex.rate_limit = limit


class TestMistakes:
    @pytest.mark.parametrize("endpoint", ["/messages", "POST messages", "PATCH /messages", ""])
    def test_an_endpoint_that_is_none(self, webex: WebexSimulator, endpoint: str) -> None:
        with pytest.raises(ValueError, match="none of the endpoints"):
            webex.fail(endpoint, 500)

    def test_a_status_that_is_no_error_and_no_calls(self, webex: WebexSimulator) -> None:
        with pytest.raises(ValueError, match="status"):
            webex.fail("*", 200)
        with pytest.raises(ValueError, match="times"):
            webex.fail("*", 500, times=0)


class TestRecord:
    def test_calls_are_on_record_without_secrets(self, webex: WebexSimulator, as_bot: Api, room: Room) -> None:
        as_bot.post(roomId=room.id, text="x")
        as_bot("GET", "rooms", params={"max": 5})
        as_bot(
            "POST",
            "webhooks",
            json={"name": "x", "targetUrl": "http://localhost/", "resource": "all", "event": "all", "secret": "s3"},
        )
        requests.get(webex.base_url + "people/me", headers={"Authorization": "Bearer nonsense"}, timeout=10)
        first, second, third, fourth = webex.requests
        assert (first.method, first.path, first.endpoint) == ("POST", "/messages", "POST /messages")
        assert (first.owner, first.status, first.body) == ("casduo@webex.bot", 200, {"roomId": room.id, "text": "x"})
        assert (second.query, second.body) == ({"max": "5"}, None)
        assert third.body["secret"] == "[hidden]"
        assert (fourth.owner, fourth.status) == ("", 401)
        assert "nonsense" not in str(webex.requests())
        assert len(webex.requests("POST")) == 2
        assert webex.requests("POST", "/webhooks") == webex.requests(path_prefix="/v1/webhooks") == [third]
        webex.requests.clear()
        assert len(webex.requests) == 0
