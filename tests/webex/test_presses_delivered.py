"""From the button to the decision: Webex tells a real server, a worker looks it up, whatever goes wrong between."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest
import requests

from casduo.simulators.webex.faults import DeliveryKind
from casduo.store import Store
from casduo.webex.inbox import INBOX
from casduo.worker.webex_presses import WebexPresses
from casduo.worker.webex_watch import WebexWatch
from tests.support.site import Recorder, build_site
from tests.support.site import Site as ServerSite
from tests.webex.press_stage import SECRET, Stage, registry, settings_text, stage
from tests.worker.working import eventually, working

LUKE = "luke@example.edu"


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def listening(site: ServerSite) -> Iterator[str]:
    """Have a server answer on a socket; gives its address."""
    with make_server("localhost", 0, site.composed.wsgi, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.05,))
        thread.start()
        yield f"http://localhost:{server.server_port}/cas/webex/webhook"
        server.shutdown()
        thread.join()


@pytest.fixture
def desk(tmp_path: Path, valkey_url: str, store: Store) -> Iterator[Stage]:
    with stage(tmp_path, valkey_url, store) as found:
        yield found


@pytest.fixture
def server(tmp_path: Path, valkey_url: str, desk: Stage) -> Iterator[ServerSite]:
    directory = tmp_path / "server"
    directory.mkdir()
    webex = f"webex: {settings_text(desk.webex, desk.bot).partition('webex: ')[2]}"
    site = build_site(directory, valkey_url, time.time(), registry(), webex)
    with listening(site) as url:
        hook = f"webhook: {{url: '{url}', secret: '{SECRET}'}}"
        settings = settings_text(desk.webex, desk.bot).replace(f"webhook: {{secret: '{SECRET}'}}", hook)
        desk.site.write(registry(), settings)
        yield site
    site.composed.close()


@pytest.fixture
def worker(server: ServerSite, desk: Stage) -> Iterator[Recorder]:
    """A worker that has made the webhook known."""
    with working(desk.site, WebexWatch, functools.partial(WebexPresses, pauses=(0.01,))) as found:
        eventually(lambda: found.named("webhook.repaired") != [])
        yield found.journal


def settled(desk: Stage) -> None:
    desk.webex.wait_for_deliveries()
    eventually(lambda: desk.site.store.command("XLEN", INBOX) == 0)


def test_a_button_decides_a_request(desk: Stage, worker: Recorder) -> None:
    asked = desk.ask()
    desk.press(asked)
    settled(desk)
    assert desk.now(asked).state == "approved"
    assert [delivery.status for delivery in desk.webex.deliveries] == [204]


@pytest.mark.parametrize("kind", ["twice", "out_of_order", "other_content_type"])
def test_deliveries_may_come_as_they_like(desk: Stage, worker: Recorder, kind: DeliveryKind) -> None:
    one, other = desk.ask("ada"), desk.ask("lando")
    desk.webex.faults.deliveries(kind)
    desk.press(one)
    desk.press(other, decision="reject")
    settled(desk)
    eventually(lambda: desk.now(one).state == "approved" and desk.now(other).state == "rejected")
    assert len(desk.decisions()) == 2
    assert desk.refusals() == []


@pytest.mark.parametrize("kind", ["no_signature", "bad_signature", "changed_body"])
def test_deliveries_that_cannot_be_believed_decide_nothing(
    desk: Stage, server: ServerSite, worker: Recorder, kind: DeliveryKind
) -> None:
    asked = desk.ask()
    desk.webex.faults.deliveries(kind)
    desk.press(asked)
    settled(desk)
    assert [delivery.status for delivery in desk.webex.deliveries] == [401]
    assert desk.now(asked).state == "pending"
    assert len(desk.webex.requests("GET", "/attachment/actions")) == 0
    assert len(server.journal.named("webhook.refused")) == 1
    # The next press comes through.
    desk.press(asked)
    settled(desk)
    assert desk.now(asked).state == "approved"


def test_a_captured_delivery_that_is_sent_again_much_later_decides_nothing(desk: Stage, worker: Recorder) -> None:
    asked = desk.ask()
    desk.webex.faults.deliveries("late", seconds=30 * 86_400)
    desk.press(asked, decision="reject")
    desk.press(asked, "leia@example.edu")
    settled(desk)
    assert desk.now(asked).state == "approved"
    desk.webex.release_deliveries()
    settled(desk)
    eventually(lambda: desk.refusals() == ["already_decided"])
    assert desk.now(asked).state == "approved"


def test_a_replay_after_the_mark_was_forgotten_decides_nothing_new(desk: Stage, worker: Recorder) -> None:
    asked = desk.ask()
    desk.webex.faults.deliveries("twice")
    desk.press(asked)
    settled(desk)
    store = desk.site.store
    for key in store.command("KEYS", "*:seen:*"):
        store.command("DEL", key)
    first = desk.webex.deliveries[0]
    assert requests.post(first.url, first.body, headers=first.headers, timeout=10).status_code == 204
    settled(desk)
    assert len(desk.webex.requests("GET", "/attachment/actions")) == 2
    assert len(desk.decisions()) == 1
    assert desk.refusals() == []
