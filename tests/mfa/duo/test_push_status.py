"""Following a push: what Duo's long poll says, what it means when it says nothing, and thousands of them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.errors import CasduoError
from casduo.mfa.duo.answers import read_push_status
from casduo.mfa.duo.errors import (
    DuoBadParameter,
    DuoFailure,
    DuoMisconfigured,
    DuoRateLimited,
    DuoUnavailable,
    DuoUntrusted,
)
from casduo.mfa.duo.gateway import DuoGateway, PushStatus
from casduo.outbound import Bulkhead
from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.clock import VirtualClock
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.faults import ANSWER_KINDS, CannedAnswer
from casduo.simulators.duo.model import Application

STATUS, PREAUTH = "/auth/v2/auth_status", "/auth/v2/preauth"
NO_NEWS = PushStatus(waiting=True, allowed=False)


@pytest.fixture
def passing() -> VirtualClock:
    """The time that people take, moved by hand."""
    return VirtualClock()


@pytest.fixture
def duo(authority: CertificateAuthority, passing: VirtualClock) -> Iterator[DuoSimulator]:
    """Duo, where time passes by hand except for what the official clients compare with the machine's clock."""
    with DuoSimulator(authority.issue(), passing, wall_clock=time.time) as simulator:
        simulator.add_user("ada")
        simulator.add_user("linus", "locked out")
        simulator.add_user("alan", "bypass")
        yield simulator


@pytest.fixture
def aside() -> Iterator[ThreadPoolExecutor]:
    """Threads that wait while the test goes on."""
    with ThreadPoolExecutor(8) as pool:
        yield pool


def failure_of(call: Callable[[], object]) -> DuoFailure:
    with pytest.raises(DuoFailure) as caught:
        call()
    failure = caught.value
    assert failure.__cause__ is None
    assert failure.__context__ is None or isinstance(failure.__context__, CasduoError)
    assert failure.may_fail_open is False
    return failure


# -- what Duo says ---------------------------------------------------------------------------------------------------


def test_the_first_answer_says_that_the_push_is_on_its_way(gateway: DuoGateway) -> None:
    status = gateway.push_status(gateway.push("ada", ""))
    assert (status.waiting, status.allowed, status.status) == (True, False, "pushed")
    assert status.status_message


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ("approve", (False, True, "allow")),
        ("deny", (False, False, "deny")),
        ("report_fraud", (False, False, "fraud")),
        ("fail_delivery", (True, False, "push_failed")),
    ],
)
def test_what_the_person_does_ends_the_wait(
    gateway: DuoGateway, duo: DuoSimulator, aside: ThreadPoolExecutor, answer: str, expected: tuple[bool, bool, str]
) -> None:
    transaction = gateway.push("ada", "")
    gateway.push_status(transaction)
    waiting = aside.submit(gateway.push_status, transaction)
    duo.await_polls()
    getattr(duo.phone("ada"), answer)()
    status = waiting.result(10)
    assert (status.waiting, status.allowed, status.status) == expected


def test_nobody_answering_is_the_end_after_a_minute(
    gateway: DuoGateway, duo: DuoSimulator, passing: VirtualClock
) -> None:
    transaction = gateway.push("ada", "")
    passing.advance(60.0)
    status = gateway.push_status(transaction)
    assert (status.waiting, status.allowed, status.status) == (False, False, "timeout")
    assert status.status_message == "Login timed out."


def test_a_call_is_dialled_and_answered(gateway: DuoGateway, duo: DuoSimulator) -> None:
    transaction = gateway.push("ada", "", factor="phone")
    assert gateway.push_status(transaction).status == "calling"
    duo.phone("ada").pick_up()
    assert gateway.push_status(transaction).status == "answered"
    duo.phone("ada").approve()
    assert gateway.push_status(transaction).allowed


@pytest.mark.parametrize(("username", "word"), [("linus", "locked_out"), ("alan", "bypass")])
def test_whoever_was_not_asked_is_not_allowed(gateway: DuoGateway, username: str, word: str) -> None:
    status = gateway.push_status(gateway.push(username, ""))
    assert (status.waiting, status.allowed, status.status) == (False, False, word)


def test_the_end_can_be_asked_for_again_for_a_while(
    gateway: DuoGateway, duo: DuoSimulator, passing: VirtualClock
) -> None:
    transaction = gateway.push("ada", "")
    duo.phone("ada").approve()
    assert [gateway.push_status(transaction).allowed for _ in range(3)] == [True] * 3
    passing.advance(duo.settings.memory)
    failure = failure_of(lambda: gateway.push_status(transaction))
    assert (type(failure), failure.detail) == (DuoBadParameter, "txid")


def test_another_application_cannot_ask(gateway: DuoGateway, make_gateway: Any, duo: DuoSimulator) -> None:
    keys = duo.add_application("authapi")
    other = make_gateway(integration_key=keys.integration_key, secret_key=keys.secret_key)
    transaction = gateway.push("ada", "")
    assert failure_of(lambda: other.push_status(transaction)).detail == "txid"


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "waiting": st.one_of(st.booleans(), st.text(max_size=5), st.none()),
            "success": st.one_of(st.booleans(), st.text(max_size=5), st.none(), st.integers()),
            "status": st.one_of(st.sampled_from(["allow", "bypass", "timeout", "pushed"]), st.text(), st.integers()),
            "status_msg": st.one_of(st.text(), st.none(), st.lists(st.text())),
        },
    )
)
def test_nothing_but_a_success_allows(response: dict[str, object]) -> None:
    status = read_push_status(response)
    if status.allowed:
        assert response["success"] is True
        assert response.get("status") not in ("bypass",)
        assert not status.waiting
    if response.get("status") == "timeout":
        assert not status.waiting
    assert all(
        text == "" or (text.isprintable() and len(text) <= 500) for text in (status.status, status.status_message)
    )


# -- no news ---------------------------------------------------------------------------------------------------------


def test_without_news_duo_answers_after_a_while_with_how_it_stands(
    gateway: DuoGateway, duo: DuoSimulator, passing: VirtualClock, aside: ThreadPoolExecutor
) -> None:
    transaction = gateway.push("ada", "")
    first = gateway.push_status(transaction)
    waiting = aside.submit(gateway.push_status, transaction)
    duo.await_polls()
    passing.advance(duo.settings.poll_hold)
    assert waiting.result(10) == first


def test_a_duo_that_says_nothing_at_all_has_no_news(make_gateway: Any, duo: DuoSimulator) -> None:
    gateway = make_gateway(VirtualClock(), poll_timeout=0.1, breaker_failures=1)
    transaction = gateway.push("ada", "")
    duo.transport.stay_silent(STATUS)
    assert [gateway.push_status(transaction) for _ in range(2)] == [NO_NEWS] * 2
    # And that is no outage.
    gateway.preauth("ada", "")
    assert gateway.health(prompt=False).ok


def test_a_connection_that_does_not_come_about_is_not_taken_for_no_news(make_gateway: Any, duo: DuoSimulator) -> None:
    gateway = make_gateway(connect_timeout=0.05)
    duo.transport.silent_connections = True
    failure = failure_of(lambda: gateway.push_status("45f7c92b"))
    assert (type(failure), failure.detail) == (DuoUnavailable, "timeout")


def test_the_wait_is_longer_than_that_of_other_calls(
    make_gateway: Any, duo: DuoSimulator, aside: ThreadPoolExecutor
) -> None:
    gateway = make_gateway(read_timeout=0.2, poll_timeout=20.0)
    transaction = gateway.push("ada", "")
    gateway.push_status(transaction)
    waiting = aside.submit(gateway.push_status, transaction)
    duo.await_polls()
    duo.transport.stay_silent(PREAUTH)
    # Where this one is given up, that one still waits.
    assert failure_of_any(lambda: gateway.preauth("ada", "")).detail == "timeout"
    duo.phone("ada").approve()
    assert waiting.result(10).allowed


def failure_of_any(call: Callable[[], object]) -> DuoFailure:
    with pytest.raises(DuoFailure) as caught:
        call()
    return caught.value


# -- two followers of one push ---------------------------------------------------------------------------------------


def test_two_followers_hear_the_same_verdict(
    gateway: DuoGateway, make_gateway: Any, duo: DuoSimulator, aside: ThreadPoolExecutor
) -> None:
    other = make_gateway()
    transaction = gateway.push("ada", "")
    gateway.push_status(transaction)
    waiting = [aside.submit(each.push_status, transaction) for each in (gateway, other)]
    duo.await_polls(2)
    duo.phone("ada").approve()
    assert [each.result(10).allowed for each in waiting] == [True, True]


def test_whoever_takes_over_hears_how_it_stands_once_the_hold_is_over(
    gateway: DuoGateway, make_gateway: Any, duo: DuoSimulator, passing: VirtualClock, aside: ThreadPoolExecutor
) -> None:
    transaction = gateway.push("ada", "")
    told = gateway.push_status(transaction)
    # What was told to the one that died is no news any more, also for the one that comes after it.
    heir = aside.submit(make_gateway().push_status, transaction)
    duo.await_polls()
    assert not heir.done()
    passing.advance(duo.settings.poll_hold)
    assert heir.result(10) == told


def test_a_verdict_that_nobody_heard_is_told_to_whoever_asks_next(
    gateway: DuoGateway, make_gateway: Any, duo: DuoSimulator, aside: ThreadPoolExecutor
) -> None:
    transaction = gateway.push("ada", "")
    gateway.push_status(transaction)
    duo.transport.cut(STATUS, times=2)
    lost: Future[PushStatus] = aside.submit(gateway.push_status, transaction)
    duo.await_polls()
    duo.phone("ada").approve()
    assert isinstance(lost.exception(10), DuoUnavailable)
    assert make_gateway().push_status(transaction).allowed


def test_an_answer_that_got_lost_is_asked_for_again(
    gateway: DuoGateway, duo: DuoSimulator, aside: ThreadPoolExecutor
) -> None:
    transaction = gateway.push("ada", "")
    gateway.push_status(transaction)
    duo.transport.cut(STATUS, times=1)
    waiting = aside.submit(gateway.push_status, transaction)
    duo.await_polls()
    duo.phone("ada").approve()
    assert waiting.result(10).allowed
    assert duo.requests.count(STATUS) == 3


# -- neither breaker nor bulkhead ------------------------------------------------------------------------------------


def test_an_open_breaker_stops_nobody_who_follows_and_learns_nothing(make_gateway: Any, duo: DuoSimulator) -> None:
    gateway = make_gateway(VirtualClock(), breaker_failures=1)
    transaction = gateway.push("ada", "")
    duo.faults.break_down(PREAUTH, times=1)
    assert failure_of_any(lambda: gateway.preauth("ada", "")).detail == "server_error"
    duo.phone("ada").approve()
    assert gateway.push_status(transaction).allowed
    assert failure_of_any(lambda: gateway.preauth("ada", "")).detail == "breaker_open"


def test_a_question_that_fails_opens_no_breaker(make_gateway: Any, duo: DuoSimulator) -> None:
    gateway = make_gateway(VirtualClock(), breaker_failures=1)
    duo.faults.break_down(STATUS)
    for _ in range(3):
        assert failure_of(lambda: gateway.push_status("45f7c92b")).detail == "server_error"
    gateway.preauth("ada", "")


def test_those_who_follow_take_no_place_of_others(
    make_gateway: Any, duo: DuoSimulator, aside: ThreadPoolExecutor
) -> None:
    bulkhead = Bulkhead("duo", 1)
    gateway = make_gateway(bulkhead=bulkhead)
    transaction = gateway.push("ada", "")
    gateway.push_status(transaction)
    waiting = [aside.submit(gateway.push_status, transaction) for _ in range(6)]
    duo.await_polls(6)
    gateway.preauth("ada", "")
    with bulkhead:
        duo.phone("ada").approve()
        assert [each.result(10).allowed for each in waiting] == [True] * 6


# -- faults ----------------------------------------------------------------------------------------------------------

UNAVAILABLE_KINDS = {
    "server_error_json": "server_error",
    "server_error_stat_ok": "server_error",
    "unavailable_json": "server_error",
    "bad_gateway_html": "server_error",
    "bad_gateway_latin1": "server_error",
}


@pytest.mark.parametrize("kind", ANSWER_KINDS)
def test_odd_answers(gateway: DuoGateway, duo: DuoSimulator, kind: Any) -> None:
    duo.faults.answer(STATUS, kind)
    failure = failure_of(lambda: gateway.push_status("45f7c92b"))
    if kind == "fail_with_200":
        assert (type(failure), failure.detail) == (DuoMisconfigured, "request")
    else:
        assert (type(failure), failure.detail) == (DuoUnavailable, UNAVAILABLE_KINDS.get(kind, "unreadable"))


@pytest.mark.parametrize(
    "response",
    ["{}", '{"result": "ALLOW"}', '{"result": ["allow"]}', '{"status": "allow"}', '{"result": "deny", "status": "x"}'],
)
def test_a_result_nobody_knows_is_a_refusal(gateway: DuoGateway, duo: DuoSimulator, response: str) -> None:
    body = f'{{"stat": "OK", "response": {response}}}'.encode()
    duo.faults.answer(STATUS, CannedAnswer(200, "application/json", body))
    status = gateway.push_status("45f7c92b")
    assert (status.waiting, status.allowed) == (False, False)


@pytest.mark.parametrize(
    ("code", "detail", "expected"),
    [
        (40002, "txid", DuoBadParameter),
        (40002, None, DuoMisconfigured),
        (40103, None, DuoMisconfigured),
        (40105, None, DuoMisconfigured),
        (40301, None, DuoMisconfigured),
        (42901, None, DuoRateLimited),
        (50000, None, DuoUnavailable),
    ],
)
def test_refusals_are_told_apart(
    gateway: DuoGateway, duo: DuoSimulator, code: int, detail: str | None, expected: type[DuoFailure]
) -> None:
    duo.faults.refuse(STATUS, code, detail)
    assert type(failure_of(lambda: gateway.push_status("45f7c92b"))) is expected


def test_faults_of_the_connection(gateway: DuoGateway, duo: DuoSimulator, stranger: CertificateAuthority) -> None:
    transaction = gateway.push("ada", "")
    duo.transport.cut(STATUS, times=2)
    assert failure_of(lambda: gateway.push_status(transaction)).detail == "reset"
    duo.transport.cut(STATUS, after=100, times=1)
    assert failure_of(lambda: gateway.push_status(transaction)).detail == "unreadable"
    # What did not reach us is still news.
    assert gateway.push_status(transaction).status == "pushed"
    duo.stop_listening()
    assert failure_of(lambda: gateway.push_status(transaction)).detail == "refused"
    duo.listen_again()
    duo.use_certificate(stranger.issue())
    duo.server.drop_connections()
    assert type(failure_of(lambda: gateway.push_status(transaction))) is DuoUntrusted


def test_failures_quote_no_transaction(gateway: DuoGateway) -> None:
    failure = failure_of(lambda: gateway.push_status("45f7c92b-f45f"))
    assert "45f7c92b" not in f"{failure} {failure!r} {failure.message} {vars(failure)}"


def test_nothing_logged_holds_a_transaction(
    gateway: DuoGateway, duo: DuoSimulator, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        transaction = gateway.push("ada", "")
        gateway.push_status(transaction)
        duo.faults.refuse(STATUS, 40103)
        failure_of(lambda: gateway.push_status(transaction))
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("casduo.simulators")]
    assert any("misconfigured, keys" in line for line in ours)
    assert not any(transaction in line for line in ours)


# -- many ------------------------------------------------------------------------------------------------------------

_FOLLOWERS = """
from gevent import monkey
monkey.patch_all()
import sys, warnings
import gevent
from casduo.mfa.duo.official import build_gateway
from casduo.mfa.duo.settings import DuoSettings
warnings.simplefilter("error", ResourceWarning)
host, key, secret, ca_file, *transactions = sys.argv[1:]
gateway = build_gateway(
    DuoSettings(host, key, secret, "https://sso.example.edu/cas/duo/callback", ca_file=ca_file, polls=len(transactions))
)

def follow(transaction):
    while (status := gateway.push_status(transaction)).waiting:
        pass
    return status.allowed

followers = [gevent.spawn(follow, each) for each in transactions]
print(sum(follower.get() for follower in followers))
"""


def test_one_process_follows_many_pushes_at_once(
    gateway: DuoGateway, duo: DuoSimulator, application: Application
) -> None:
    transactions = [gateway.push("ada", "") for _ in range(60)]
    arguments = [duo.api_host, application.integration_key, application.secret_key, str(duo.ca_file), *transactions]
    with subprocess.Popen(
        [sys.executable, "-c", _FOLLOWERS, *arguments],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[3],
    ) as process:
        duo.await_polls(60, timeout=60.0)
        for _ in transactions:
            duo.phone("ada").approve()
        told, _ = process.communicate(timeout=60)
    assert told.split() == ["60"]
    # Each follower asked once for the first news and once for the end.
    assert duo.requests.count(STATUS) == 120
