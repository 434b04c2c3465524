"""The built-in Duo page while something dies: a worker, a node, Redis, Duo. Real processes on one Redis, and browsers
whose every request goes to another node than the one before.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest
import requests

from casduo.simulators.certificates import CertificateAuthority
from casduo.worker.heartbeat import worker_alive
from tests.support.nodes import (
    HOURS,
    PASSWORD,
    PEOPLE,
    VAULT,
    Node,
    Window,
    has_request,
    has_ticket,
    request_of,
    words,
)
from tests.support.push_stage import PAUSE, SIGNS_OF_LIFE, TIME_OUT, Place, push_stage
from tests.support.visitor import ticket_in
from tests.support.waiting import PATIENCE, until

SENTENCE = "There was a problem accessing to DUO"
AUTH = "/auth/v2/auth"
PING = "/auth/v2/ping"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, authority: CertificateAuthority) -> Iterator[Place]:
    with push_stage(tmp_path_factory.mktemp("faults"), authority.issue()) as place:
        yield place


@pytest.fixture
def place(running: Place) -> Iterator[Place]:
    """Everything as new, but for the workers that run."""
    running.renew()
    yield running
    running.mend()


# Nodes and workers


def test_every_step_of_a_push_may_come_to_another_node(place: Place) -> None:
    place.crew.of(1)
    place.duo.requests.clear()
    for name, nodes in (("ada", place.nodes), ("grace", place.nodes[::-1])):
        window = Window(*nodes)
        page = window.sign_in(name)
        for _ in range(3):
            assert window.state(page) == "waiting"
            assert has_request(window.look(page))
        place.duo.phone(name).approve()
        window.let_in(page, "the approval")
    assert place.duo.requests.count(AUTH) == 2


def test_an_approval_opens_once_though_all_nodes_are_asked_at_the_same_time(place: Place) -> None:
    place.crew.of(1)
    window = place.window()
    page = window.sign_in("ada")
    place.duo.phone("ada").approve()
    until(lambda: window.state(page) == "allowed", "news after the approval")
    cookies, address = window.http.cookies.get_dict(), request_of(page)["data-refresh"]

    def claim(node: Node) -> requests.Response:
        url = f"http://localhost:{node.port}{address}"
        return requests.get(url, cookies=cookies, allow_redirects=False, timeout=PATIENCE)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(claim, [*place.nodes] * 4))
    assert [has_ticket(answer) for answer in answers].count(True) == 1


def test_a_worker_is_killed_and_the_approval_opens_by_another_one(place: Place) -> None:
    place.crew.of(2)
    window = place.window()
    page = window.sign_in("ada")
    dead = place.crew.holder()
    dead.kill()
    place.duo.phone("ada").approve()
    window.let_in(page, "the worker was killed")
    assert place.crew.alive()


def test_what_a_worker_follows_at_its_end_is_given_to_another_one(place: Place) -> None:
    place.crew.of(2)
    window = place.window()
    page = window.sign_in("ada")
    ending = place.crew.holder()
    assert ending.end() == 0
    # Given back, and not left for others to miss its signs of life.
    assert ending.pid not in place.crew.holders()
    place.duo.phone("ada").approve()
    window.let_in(page, "the worker ended")


def test_a_worker_that_ends_is_not_taken_for_the_last_one(place: Place) -> None:
    place.crew.of(1)
    # The one that gave a sign of life last.
    ending = place.crew.of(2)[-1]
    ending.process.terminate()
    seen = set()

    def ended() -> bool:
        batch = place.store.batch()
        alive = worker_alive(batch)
        batch.run()
        seen.add(bool(alive.value))
        return ending.process.poll() is not None

    until(ended, "the worker ended")
    assert seen == {True}
    assert has_request(place.window().sign_in("ada"))


def test_without_a_worker_nothing_is_sent_and_codes_work(place: Place) -> None:
    place.crew.end()
    # What one that was killed has left.
    for key in place.store.command("KEYS", f"{SIGNS_OF_LIFE}*"):
        place.store.command("DEL", key)
    place.duo.requests.clear()
    window = place.window()
    page = window.sign_in("ada")
    assert not has_request(page)
    assert place.duo.requests.count(AUTH) == 0
    assert has_ticket(window.send(page, passcode=place.duo.phone("ada").passcode()))


def test_a_node_is_killed_while_it_sends_and_people_begin_again(place: Place) -> None:
    place.crew.of(1)
    place.duo.transport.stay_silent(AUTH, times=2)
    with ThreadPoolExecutor(2) as pool:
        left, lost = Window(place.dying), Window(place.dying)
        forms = [(left, left.ask(VAULT), "ada"), (lost, lost.ask(VAULT), "grace")]
        for window, form, name in forms:
            pool.submit(window.send, form, username=name, password=PASSWORD)
        until(lambda: len(place.store.command("KEYS", "casduo:{d:*}:push.place")) == 2, "both pushes are being sent")
        place.dying.kill()
    place.duo.transport.clear()
    # In the browser that it began in, at once.
    left.move(*place.nodes)
    page = left.sign_in("ada")
    place.duo.phone("ada").approve()
    left.let_in(page, "the node was killed")
    # In another one, as soon as nobody can be sending any more.
    other = place.window()
    page = other.sign_in("grace")

    def sent() -> bool:
        nonlocal page
        if not has_request(page):
            page = other.send(page, passcode="push")
        return has_request(page)

    until(sent, "the place of a push that nobody sends is free")
    place.duo.phone("grace").approve()
    other.let_in(page, "the push was sent")


# Redis


def test_redis_is_restarted_while_a_push_is_open(place: Place) -> None:
    place.crew.of(1)
    window = place.window()
    page = window.sign_in("ada")
    place.crew.holder()
    place.redis.stop()
    place.redis.start()
    assert window.state(page) == "waiting"
    assert has_request(window.look(page))
    place.duo.phone("ada").approve()
    window.let_in(page, "Redis came back")


def test_what_is_answered_while_redis_is_away_counts_once_it_is_back(place: Place) -> None:
    (worker,) = place.crew.of(1)[:1]
    window = place.window()
    page = window.sign_in("ada")
    place.crew.holder()
    place.redis.stop()
    try:
        told = worker.told.count("worker.waiting")
        place.duo.phone("ada").approve()
        # The page stays as it is, and says that nothing can be learned just now.
        for _ in place.nodes:
            assert window.state(page) == ""
            assert window.look(page).status_code == 503
        until(lambda: worker.told.count("worker.waiting") > told, "the worker misses Redis")
    finally:
        place.redis.start()
    window.let_in(page, "Redis came back")


# Duo


def test_duo_goes_away_after_a_push_was_sent_and_the_approval_counts_when_it_is_back(place: Place) -> None:
    place.crew.of(1)
    window = place.window()
    page = window.sign_in("ada")
    place.crew.holder()
    place.duo.stop_listening()
    try:
        # Others find Duo gone, so that it is left alone from now on.
        for name in ("grace", "linus", "alan"):
            assert SENTENCE in words(place.window().sign_in(name))
        assert window.state(page) == "waiting"
        place.duo.phone("ada").approve()
    finally:
        place.duo.listen_again()
    window.let_in(page, "Duo came back")


def at_once(windows: Sequence[Window], service: str) -> list[requests.Response]:
    """Have everybody send name and password at the same time."""
    forms = [window.ask(service) for window in windows]

    def send(window: Window, form: requests.Response, name: str) -> requests.Response:
        return window.send(form, username=name, password=PASSWORD)

    with ThreadPoolExecutor(len(windows)) as pool:
        return list(pool.map(send, windows, forms, PEOPLE))


def waited(nodes: Sequence[Node]) -> int:
    """Return how many logins had to wait for a Duo that did not answer."""
    return sum(fault.get("detail", "").startswith("timeout") for node in nodes for fault in node.events("fault"))


def refused(answers: Sequence[requests.Response]) -> bool:
    return all(answer.status_code == 503 and SENTENCE in words(answer) for answer in answers)


def test_after_the_pause_one_login_tries_and_the_others_hear_so_at_once(place: Place) -> None:
    place.line.silence()
    assert refused([Window(place.nodes[0]).sign_in("ada")])
    place.half_open()
    calls, others = place.line.calls, waited(place.nodes)
    began = time.monotonic()
    assert refused(at_once([Window(node) for node in [*place.nodes] * 5], VAULT))
    tries = 1 + int((time.monotonic() - began) / (TIME_OUT + PAUSE))
    assert place.line.calls - calls <= tries
    # Nobody else waits for what the one finds out.
    assert waited(place.nodes) - others <= tries


def test_an_outage_costs_one_time_out_and_not_one_for_each_login(place: Place) -> None:
    place.forget_health()
    place.line.silence()
    windows = [Window(node) for node in [*place.nodes] * 5]
    began = time.monotonic()
    assert refused(at_once(windows, VAULT))
    # Everybody at a node shares one call; the first to fail ends it for all nodes.
    print(f"ten at once: {place.line.calls} calls in {time.monotonic() - began:.1f} s")
    assert place.line.calls <= len(place.nodes)
    before = place.line.calls
    assert refused([place.window().sign_in(name) for name in PEOPLE])
    lasted = time.monotonic() - began
    print(f"ten more in turn: {place.line.calls - before} calls until {lasted:.1f} s")
    # None, unless this machine is so slow that the pause is over meanwhile.
    assert place.line.calls - before <= (lasted - TIME_OUT) / PAUSE


def test_duo_is_back_for_all_nodes_with_the_first_login_after_the_pause(place: Place) -> None:
    place.crew.of(1)
    place.line.silence()
    assert refused([Window(place.nodes[0]).sign_in("ada")])
    place.line.mend()
    place.duo.requests.clear()
    place.half_open()
    assert place.duo.requests.count() == 0
    for node, name in zip(place.nodes, PEOPLE, strict=False):
        page = Window(node).sign_in(name)
        assert has_request(page), words(page)
    # The first one to try, and the other node for itself: each keeps for a moment that all is well.
    assert place.duo.requests.count(PING) <= len(place.nodes)


def test_each_bypass_is_told_and_duo_is_asked_for_when_it_is_back(place: Place) -> None:
    place.crew.of(1)
    told = sum(len(node.events("duo.bypassed")) for node in place.nodes)
    place.line.silence()
    windows = {name: place.window() for name in PEOPLE[:4]}
    for name, window in windows.items():
        answer = window.sign_in(name, HOURS)
        ticket = ticket_in(answer.headers["Location"])
        service = quote(HOURS, safe="")
        validated = window.get(f"/cas/p3/serviceValidate?service={service}&ticket={ticket}").text
        assert "<cas:bypassMultifactorAuthentication>true<" in validated
    assert sum(len(node.events("duo.bypassed")) for node in place.nodes) - told == len(windows)
    place.line.mend()
    place.half_open()
    for name, window in windows.items():
        page = window.ask(HOURS)
        assert not has_ticket(page)
        page = window.send(page, passcode="push")
        place.duo.phone(name).approve()
        window.let_in(page, "the approval")
