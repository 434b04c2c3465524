"""A Webex that is away, hangs, cuts its answers off or lies: no sign-in notices, and nothing is left untold."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.webex import Room, WebexSimulator
from casduo.store.embedded import EmbeddedValkey
from tests.faults.conftest import Sound
from tests.faults.relay import CUT, HTTP, HUNG, LOST, NO_TLS, REFUSED, RESET, SILENT, Fault, Relay, flood, says
from tests.faults.stage import Stage, on_stage
from tests.faults.stream import Stream
from tests.support.waiting import until


def _page(status: str, body: str, kind: str = "application/json") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n"
    return f"{head}\r\n{body}".encode()


AWAY = (
    REFUSED,
    Fault("answers 502 in HTML", says(_page("502 Bad Gateway", "<html>Bad gateway</html>", "text/html"))),
    Fault("answers 429", says(_page("429 Too Many Requests", "{}", "application/json\r\nRetry-After: 1"))),
    RESET,
    SILENT,
    NO_TLS,
)
"""While these last nothing reaches Webex: afterwards each event is told exactly once."""
UNSURE = (
    LOST,
    HUNG,
    CUT,
    Fault("answers in HTML", says(_page("200 OK", "<html>Please log in</html>", "text/html"))),
    Fault("answers without end", flood(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{")),
)
"""Whether a message arrived is not known with these: it is told again, so each event is told once at least."""


@dataclass(frozen=True)
class Space:
    """A Webex behind a relay, and the space where each ticket is told of."""

    webex: WebexSimulator
    room: Room
    relay: Relay
    stage: Stage

    def told(self) -> Counter[str]:
        """The references that were posted."""
        return Counter(message.markdown or "" for message in self.webex.messages_in(self.room.id))

    def written(self) -> Counter[str]:
        """Those of the tickets that the audit trail has."""
        lines = (line for path in self.stage.trail.glob("*.jsonl") for line in path.read_text("utf-8").splitlines())
        records = (json.loads(line) for line in lines if '"ticket.granted"' in line)
        return Counter(str(record["reference"]) for record in records if record["event"] == "ticket.granted")


@pytest.fixture(scope="module")
def space(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Space]:
    directory = tmp_path_factory.mktemp("webex")
    leaf = CertificateAuthority.create(directory / "authority").issue()
    with ExitStack() as stack:
        redis = stack.enter_context(EmbeddedValkey(directory / "valkey"))
        webex = stack.enter_context(WebexSimulator(certificate=leaf))
        bot = webex.add_bot("casduo")
        room = webex.add_room("Tickets", [bot])
        port = int(webex.base_url.split("/")[2].rpartition(":")[2])
        relay = Relay(port, HTTP, leaf)
        stack.callback(relay.close)
        settings = (
            f"outbound: {{ca_file: {leaf.ca}}}\n"
            f"webex: {{token: '{bot.token}', base_url: '{webex.base_url.replace(str(port), str(relay.port))}',\n"
            f"  room: {room.id}, per_space: 1000, per_token: 1000, digest_above: 0, connect_timeout: 1s,\n"
            "  read_timeout: 1s, timeout: 1s, breaker: {failures: 5, pause: 1s},\n"
            "  notify: {signin.ok: {to: none}, ticket.granted: {to: space, template: '{reference}'}}}\n"
        )
        stage = stack.enter_context(on_stage(directory / "stage", redis.url, settings=settings))
        yield Space(webex, room, relay, stage)


def test_nobody_notices_a_webex_that_is_away_and_each_event_is_told_once(
    space: Space, rounds: range, sound: Sound
) -> None:
    brief = len(rounds) == 1
    for _ in rounds:
        for fault in AWAY[:2] if brief else AWAY:
            print(f"-- {fault}")
            with Stream(space.stage.bases, threads=1) as stream:
                stream.flows(2)
                space.relay.become(fault)
                stream.flows(4)
                space.relay.mend()
                mended = time.monotonic()
                stream.flows(2)
                sound(stream, space.stage)
            assert (stream.tally.clear, stream.tally.cut) == ({}, 0)
            until(lambda: space.told() >= space.written(), f"all is told after {fault}")
            print(f"all told {time.monotonic() - mended:.1f} s after {fault}")
            assert space.told() == space.written()


def test_what_may_have_arrived_is_told_again_and_nothing_is_left_out(space: Space, rounds: range, sound: Sound) -> None:
    brief = len(rounds) == 1
    for _ in rounds:
        for fault in UNSURE[:1] if brief else UNSURE:
            print(f"-- {fault}")
            before = space.told().total() - space.written().total()
            with Stream(space.stage.bases, threads=1) as stream:
                space.relay.become(fault)
                stream.flows(3)
                until(lambda: space.relay.met > 0, f"a message meets it: {fault}")
                space.relay.mend()
                mended = time.monotonic()
                sound(stream, space.stage)
            assert (stream.tally.clear, stream.tally.cut) == ({}, 0)
            until(lambda: space.told() >= space.written(), f"all is told after {fault}")
            print(f"all told {time.monotonic() - mended:.1f} s after {fault}")
            # The one whose answer got lost, each time that it did; the others wait behind it.
            assert space.told().total() - space.written().total() - before <= 2, space.told().most_common(3)
