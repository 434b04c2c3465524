"""One sign-out message: what counts as answered, what is tried again, and how many go out at once."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from casduo.protocol.destination import Destination
from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from casduo.tickets.ledger import Telling
from casduo.worker.sender import AT_ONCE, PER_HOST, Sender, build_sender
from tests.support.site import SetClock
from tests.worker.applications import Application
from tests.worker.conftest import MakeApplication
from tests.worker.working import eventually

TICKET = "ST-a1B2-0123456789abcdefghijklmn"
RUNNING = threading.Event()


def to(app: Application | str, path: str = "/out", *, private: bool = True, plain_http: bool = True) -> Destination:
    origin = app if isinstance(app, str) else app.url
    return Destination("back_channel", origin + path, origin, private, plain_http)


@pytest.fixture
def sender(authority: CertificateAuthority) -> Sender:
    return build_sender(5.0, str(authority.ca_file))


@pytest.fixture
def refusing() -> Iterator[str]:
    """The address of a port that refuses connections."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield f"http://localhost:{bound.getsockname()[1]}"


def tell(sender: Sender, where: Destination, ticket: str = TICKET) -> Telling:
    telling = sender.tell(ticket, where, RUNNING)
    assert telling is not None
    return telling


def test_the_message_is_one_field_of_a_form(sender: Sender, app: Application) -> None:
    telling = tell(sender, to(app, "/out?a=1&a=2"))
    assert (telling.state, telling.status, telling.detail, telling.attempts) == ("told", 200, "", 1)
    (request,) = app.received
    assert (request.method, request.path, request.ticket) == ("POST", "/out?a=1&a=2", TICKET)
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.body.startswith(b"logoutRequest=")
    assert int(request.headers["Content-Length"]) == len(request.body) < 1024


def test_over_tls_too(sender: Sender, make_application: MakeApplication, leaf: LeafFiles) -> None:
    app = make_application(leaf)
    assert tell(sender, to(app, plain_http=False)).state == "told"
    assert app.tickets == [TICKET]


@pytest.mark.parametrize("status", [200, 204, 302, 303])
def test_an_answer_or_a_redirect_is_an_answer(sender: Sender, app: Application, status: int) -> None:
    telling = tell(sender, to(app, f"/status/{status}"))
    assert (telling.state, telling.status, telling.attempts) == ("told", status, 1)
    # Nobody followed.
    assert len(app.received) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 500, 503])
def test_an_error_is_a_failure_and_not_tried_again(sender: Sender, app: Application, status: int) -> None:
    telling = tell(sender, to(app, f"/status/{status}"))
    assert (telling.state, telling.status, telling.detail, telling.attempts) == ("failed", status, "status", 1)
    assert len(app.received) == 1


def test_an_application_that_hung_up_once_is_told_the_second_time(sender: Sender, app: Application) -> None:
    telling = tell(sender, to(app, "/flaky"))
    assert (telling.state, telling.status, telling.attempts) == ("told", 200, 2)
    first, second = app.received
    assert first.body == second.body


def test_an_application_that_keeps_hanging_up_is_tried_twice(sender: Sender, app: Application) -> None:
    telling = tell(sender, to(app, "/cut"))
    assert (telling.state, telling.status, telling.detail, telling.attempts) == ("failed", 0, "reset", 2)
    assert len(app.received) == 2


def test_a_port_that_refuses_is_tried_twice(sender: Sender, refusing: str) -> None:
    telling = tell(sender, to(refusing))
    assert (telling.state, telling.detail, telling.attempts) == ("failed", "refused", 2)


def test_an_application_that_does_not_answer_is_given_up(app: Application) -> None:
    telling = tell(build_sender(0.3, None), to(app, "/hang"))
    assert (telling.state, telling.detail, telling.attempts) == ("failed", "deadline", 1)
    assert telling.milliseconds >= 300


def test_a_certificate_that_is_not_trusted_is_not_told(
    sender: Sender, make_application: MakeApplication, foreign_leaf: LeafFiles
) -> None:
    app = make_application(foreign_leaf)
    telling = tell(sender, to(app, plain_http=False))
    assert (telling.state, telling.detail, telling.attempts) == ("failed", "certificate", 1)
    assert app.received == []


def test_a_private_address_is_not_called_unless_it_may_be(sender: Sender, app: Application) -> None:
    telling = tell(sender, to(app, private=False))
    assert (telling.state, telling.detail, telling.attempts) == ("failed", "address", 1)
    assert app.received == []


def test_plain_http_is_not_spoken_unless_it_may_be(sender: Sender, app: Application) -> None:
    telling = tell(sender, to(app, plain_http=False))
    assert (telling.state, telling.detail) == ("failed", "request")
    assert app.received == []


def test_one_application_gets_four_at_once(sender: Sender, app: Application) -> None:
    with ThreadPoolExecutor(12) as pool:
        tellings = [pool.submit(tell, sender, to(app, "/hang"), f"ST-{number}") for number in range(12)]
        eventually(lambda: app.alone.now == PER_HOST)
        app.release.set()
        assert [telling.result().state for telling in tellings] == ["told"] * 12
    assert app.alone.most == PER_HOST


def test_all_applications_together_get_thirty_two_at_once(sender: Sender, make_application: MakeApplication) -> None:
    apps = [make_application() for _ in range(AT_ONCE // PER_HOST + 2)]
    with ThreadPoolExecutor(len(apps) * PER_HOST) as pool:
        tellings = [
            pool.submit(tell, sender, to(app, "/hang"), f"ST-{number}") for app in apps for number in range(PER_HOST)
        ]
        eventually(lambda: apps[0].together.now == AT_ONCE)
        for app in apps:
            app.release.set()
        assert [telling.result().state for telling in tellings] == ["told"] * len(tellings)
    assert apps[0].together.most == AT_ONCE


def test_who_queues_for_a_slow_application_takes_no_place_of_others(
    sender: Sender, make_application: MakeApplication
) -> None:
    slow, quick = make_application(), make_application()
    with ThreadPoolExecutor(AT_ONCE + 8) as pool:
        waiting = [pool.submit(tell, sender, to(slow, "/hang"), f"ST-{n}") for n in range(AT_ONCE + 8)]
        eventually(lambda: slow.alone.now == PER_HOST)
        assert tell(sender, to(quick)).state == "told"
        assert not any(telling.done() for telling in waiting)
        slow.release.set()


def test_an_application_that_is_down_is_left_alone_for_a_while(
    authority: CertificateAuthority, refusing: str, app: Application
) -> None:
    clock = SetClock(1_790_000_000.0)
    sender = build_sender(5.0, None, clock)
    assert [tell(sender, to(refusing)).detail for _ in range(2)] == ["refused", "refused"]
    left_alone = tell(sender, to(refusing))
    assert (left_alone.state, left_alone.detail, left_alone.attempts) == ("failed", "breaker_open", 1)
    assert tell(sender, to(app)).state == "told"
    clock.advance(10.0)
    assert tell(sender, to(refusing)).detail == "refused"


def test_errors_of_an_application_are_no_reason_to_leave_it_alone(sender: Sender, app: Application) -> None:
    assert {tell(sender, to(app, "/status/500")).status for _ in range(10)} == {500}


def test_nothing_is_begun_when_the_worker_is_to_end(sender: Sender, app: Application) -> None:
    stopping = threading.Event()
    stopping.set()
    assert sender.tell(TICKET, to(app), stopping) is None
    assert app.received == []


def test_the_moment_is_noted(app: Application) -> None:
    clock = SetClock(1_790_000_000.25)
    sender = build_sender(5.0, None, clock)
    assert tell(sender, to(app)).at == 1_790_000_000.25
    assert b"2026-09-21T14%3A13%3A20Z" in app.received[0].body
