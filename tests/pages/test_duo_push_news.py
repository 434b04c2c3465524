"""What the script of the built-in Duo page adds, in a real browser: news of a request, and how much time is left."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.pages.states import STEP, request, ways
from tests.pages.watching import NEWS, Watched

GRACE = 16
"""Seconds for which the script still asks after the time was over: Duo may be a little late."""


@pytest.mark.parametrize("state", ["allowed", "denied", "fraud", "timeout", "locked_out", "unavailable", "gone"])
def test_when_it_is_settled_the_page_is_looked_at_anew(watched: Watched, state: str) -> None:
    watched.open()
    before = watched.page.evaluate("history.length")
    watched.wait(3)
    watched.news(state)
    watched.wait(3)
    watched.page.wait_for_url(f"**{STEP}")
    assert watched.page.evaluate("history.length") == before
    assert watched.pages.posted == []


def test_success_is_said_before_it_goes_on(watched: Watched) -> None:
    watched.open()
    watched.page.route("**/login/step*", lambda route: route.fulfill(status=204))
    watched.news("allowed", "allow")
    watched.wait(3)
    assert watched.heard[-1] == "Approved. Taking you to Payroll."
    expect(watched.page.locator("#line")).to_have_text("Approved. Taking you to Payroll.")


def test_it_asks_every_two_seconds_or_a_little_more(watched: Watched) -> None:
    watched.open()
    watched.wait(20.5)
    assert 8 <= watched.asked <= 10


def test_each_change_is_shown_and_said_once(watched: Watched) -> None:
    call = request(factor="phone", status="", said="", seconds=60)
    watched.open(request=call, ways=ways("phone:DP1"))
    expect(watched.page.locator("#line")).to_have_text("The call is on its way.")
    expect(watched.page.locator("#said")).to_be_hidden()
    watched.news(status="calling", said="Dialing XXX-XXX-0142...")
    watched.wait(8)
    expect(watched.page.locator("#line")).to_have_text("Your device is ringing.")
    watched.news(status="answered", said="Press any key on your phone to log in.")
    watched.wait(8)
    expect(watched.page.locator("#line")).to_have_text("The call was answered. Press the key it names.")
    assert watched.heard == [
        "You have about 60 seconds to answer.",
        "Your device is ringing. Duo says: Dialing XXX-XXX-0142...",
        "The call was answered. Press the key it names. Duo says: Press any key on your phone to log in.",
    ]


def test_a_request_that_was_not_delivered_is_told(watched: Watched) -> None:
    watched.open()
    watched.news(status="push_failed", said="")
    watched.wait(3)
    expect(watched.page.locator("#line")).to_contain_text("could not be delivered")
    assert "could not be delivered" in watched.heard[-1]


def test_a_word_of_duo_that_nobody_knows_changes_nothing(watched: Watched) -> None:
    watched.open(request=request(status="", seconds=60))
    watched.news(status="constructor")
    watched.wait(5)
    expect(watched.page.locator("#line")).to_have_text("The request is on its way.")
    assert watched.heard == ["You have about 60 seconds to answer."]


def test_what_duo_says_stays_text(watched: Watched) -> None:
    watched.open()
    watched.news(said="<img src=x onerror=alert(1)>")
    watched.wait(3)
    expect(watched.page.locator("#said")).to_have_text("Duo says: <img src=x onerror=alert(1)>")
    assert watched.page.locator("#said img").count() == 0


def test_time_left_is_shown_each_second_and_said_three_times(watched: Watched) -> None:
    watched.open(request=request(seconds=60))
    left, meter = watched.page.locator("#time p"), watched.page.locator("progress")
    for second in range(60):
        watched.news(seconds=60 - second)
        watched.wait(1)
        expect(left).to_have_text(f"about {59 - second} s left")
    assert watched.heard == [
        "You have about 60 seconds to answer.",
        "About 30 seconds left.",
        "About 10 seconds left.",
    ]
    expect(left).to_be_hidden()
    assert meter.evaluate("meter => meter.value") == 0


def test_who_comes_late_hears_only_what_is_still_true(watched: Watched) -> None:
    watched.open(request=request(seconds=20))
    watched.news(seconds=20)
    watched.wait(1.5)
    watched.news(seconds=9)
    watched.wait(4)
    assert watched.heard == ["You have about 20 seconds to answer.", "About 10 seconds left."]


def test_the_server_knows_best_how_much_time_is_left(watched: Watched) -> None:
    watched.open(request=request(seconds=60))
    watched.news(seconds=45)
    watched.wait(3)
    left = watched.page.text_content("#time p") or ""
    assert int(left.split()[1]) in (43, 44, 45)


def test_after_the_limit_it_asks_no_more_and_says_so(watched: Watched) -> None:
    watched.open(request=request(seconds=5))
    for second in range(5):
        watched.news(seconds=5 - second)
        watched.wait(1)
    watched.news(seconds=0)
    watched.wait(GRACE + 5)
    asked = watched.asked
    expect(watched.page.locator("#line")).to_contain_text("The request has ended.")
    expect(watched.page.get_by_role("button", name="Send again")).to_be_enabled()
    watched.wait(20)
    assert watched.asked == asked


def test_a_connection_that_is_lost_is_told_once_and_asked_for_more_and_more_slowly(watched: Watched) -> None:
    watched.open()
    watched.wait(3)
    asked = watched.asked
    watched.news(code=503)
    watched.wait(30)
    expect(watched.page.locator("#line")).to_have_text("Connection lost, trying again.")
    assert 3 <= watched.asked - asked <= 5
    assert watched.heard.count("Connection lost, trying again.") == 1
    watched.news()
    watched.wait(20)
    expect(watched.page.locator("#line")).to_have_text("Waiting for your answer.")
    assert watched.heard[-1].startswith("Waiting for your answer.")
    asked = watched.asked
    watched.wait(6)
    assert watched.asked - asked >= 2


def test_an_answer_that_never_comes_is_a_lost_connection(watched: Watched) -> None:
    watched.open()
    watched.page.route(f"**{NEWS}*", lambda route: None)
    watched.page.clock.run_for(2_600)
    expect(watched.page.locator("#line")).to_have_text("Waiting for your answer.")
    watched.page.clock.run_for(8_000)
    expect(watched.page.locator("#line")).to_have_text("Connection lost, trying again.")


def test_coming_back_online_asks_at_once(watched: Watched) -> None:
    watched.open()
    watched.news(code=503)
    watched.wait(20)
    asked = watched.asked
    watched.news()
    watched.page.evaluate("dispatchEvent(new Event('online'))")
    expect(watched.page.locator("#line")).to_have_text("Waiting for your answer.")
    assert watched.asked == asked + 1


def test_it_rests_while_nobody_looks_and_asks_at_once_when_somebody_does(watched: Watched) -> None:
    watched.open()
    watched.wait(3)
    watched.hide(True)
    asked = watched.asked
    watched.wait(20)
    assert watched.asked == asked
    watched.news("allowed")
    watched.hide(False)
    watched.page.wait_for_url(f"**{STEP}")
    assert watched.asked == asked + 1


def test_what_was_asked_before_the_page_slept_is_asked_anew(watched: Watched) -> None:
    watched.open()
    routes: list[object] = []
    watched.page.route(f"**{NEWS}*", lambda route: routes.append(route))
    watched.page.clock.run_for(2_600)
    watched.page.wait_for_function("() => window.asking === 1")
    watched.page.unroute(f"**{NEWS}*")
    watched.hide(True)
    watched.page.wait_for_function("() => window.asking === 0")
    expect(watched.page.locator("#line")).to_have_text("Waiting for your answer.")
    watched.news("allowed")
    watched.hide(False)
    watched.page.wait_for_url(f"**{STEP}")


def test_sending_again_becomes_possible_after_a_while(watched: Watched) -> None:
    watched.open(again_in=30)
    again = watched.page.get_by_role("button", name="Send again")
    reason = watched.page.locator("#again-later")
    expect(again).to_be_disabled()
    watched.wait(10)
    expect(reason).to_have_text("It may take a moment. You can send it again in 20 s.")
    expect(again).to_have_accessible_description("It may take a moment. You can send it again in 20 s.")
    watched.wait(21)
    expect(again).to_be_enabled()
    expect(reason).to_be_hidden()
    expect(again).to_have_accessible_description("")
    assert not any("send it again" in words for words in watched.heard)


@pytest.mark.parametrize("state", ["timeout", "denied", "gone"])
def test_a_passcode_half_typed_survives_the_end_of_the_request(watched: Watched, state: str) -> None:
    watched.open(again_in=30)
    watched.page.fill("#passcode", "123")
    watched.news(state)
    watched.wait(5)
    expect(watched.page.locator("#passcode")).to_have_value("123")
    expect(watched.page.locator("#line")).to_contain_text("The request has ended.")
    expect(watched.page.locator("#said")).to_be_hidden()
    expect(watched.page.get_by_role("button", name="Send again")).to_be_enabled()
    assert watched.asked == 1


@pytest.mark.parametrize("state", ["allowed", "elsewhere", "fraud", "locked_out"])
def test_news_that_make_a_passcode_useless_lead_on(watched: Watched, state: str) -> None:
    watched.open()
    watched.page.fill("#passcode", "123")
    watched.news(state)
    watched.wait(3)
    watched.page.wait_for_url(f"**{STEP}")
