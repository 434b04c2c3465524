"""A Duo that is away, hangs, cuts its answers off or lies, under a stream of logins that need it in different ways."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import quote

import pytest
import requests
from bs4 import BeautifulSoup

from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.faults import IdTokenFault
from casduo.simulators.duo.visit import PromptStayed
from casduo.store.embedded import EmbeddedValkey
from tests.faults.conftest import Sound
from tests.faults.relay import HTTP, HUNG, NO_TLS, OUTAGES, REFUSED, Exchange, Fault, Relay, flood, honest, says
from tests.faults.stage import Stage, on_stage
from tests.faults.stream import Clear, Stream, Walk, Wrong, ask, send_form, ticket_of
from tests.support.site import PASSWORDS, PAYROLL

TIMESHEETS = "https://timesheets.example.edu/week"
REGISTRY = """
services:
  - {id: library, name: Library, url: "https://library.example.edu/**"}
  - {id: payroll, name: Payroll, url: "https://payroll.example.edu/**", requires_duo: true}
  - {id: timesheets, name: Timesheets, url: "https://timesheets.example.edu/**", requires_duo: {fail: open}}
"""
TIME_OUT, PAUSE = 1.0, 1.0
LONGEST = 10.0
"""Seconds: ping, health check and preauth, each at most a connection and an answer, and what a busy machine adds."""
_JSON = b"HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"


def http(status: str, body: bytes, *headers: str) -> bytes:
    """Write an answer."""
    lines = "".join(f"{line}\r\n" for line in headers)
    head = f"HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{lines}\r\n"
    return head.encode() + body


def path_of(exchange: Exchange) -> str:
    """Return what was asked for."""
    return exchange.request.split(b" ", 2)[1].partition(b"?")[0].decode()


def at(path: str, words: bytes) -> Fault:
    """An answer to one question; all others are answered as they should be."""

    def treat(exchange: Exchange) -> None:
        if path_of(exchange) == path:
            says(words)(exchange)
        else:
            honest(exchange)

    head, _, body = words.decode().partition("\r\n\r\n")
    return Fault(f"{path} answers {head.split()[1]} {body[:60]}", treat)


PING, HEALTH, PREAUTH, TOKEN = "/auth/v2/ping", "/oauth/v1/health_check", "/auth/v2/preauth", "/oauth/v1/token"
NEVER_OPEN = (
    *(
        at(path, answer)
        for path in (PING, HEALTH, PREAUTH)
        for answer in (
            http("429 Too Many Requests", b'{"stat": "FAIL", "code": 42901, "message": "Too many requests"}'),
            http("401 Unauthorized", b'{"stat": "FAIL", "code": 40103, "message": "Invalid signature"}'),
            http("401 Unauthorized", b'{"stat": "FAIL", "code": 40105, "message": "Bad request timestamp"}'),
            http("403 Forbidden", b'{"stat": "FAIL", "code": 40301, "message": "Access forbidden"}'),
            http("404 Not Found", b"<html>Not found</html>"),
            http("400 Bad Request", b'{"stat": "FAIL", "code": 40002, "message": "Invalid request parameters"}'),
        )
    ),
    at(PREAUTH, http("200 OK", b'{"stat": "OK", "response": {"result": "ok, come in", "status_msg": "hello"}}')),
    at(PREAUTH, http("200 OK", b'{"stat": "OK", "response": {}}')),
    at(PREAUTH, http("200 OK", b'{"stat": "OK", "response": {"result": true}}')),
    at(PREAUTH, http("200 OK", b'{"stat": "OK", "response": {"result": "deny", "status_msg": "no"}}')),
)
"""With these nobody gets anywhere that Duo is asked for, whatever the registry says of outages."""
UNREADABLE = (
    at(PING, http("502 Bad Gateway", b"<html>Bad gateway</html>")),
    at(PING, http("200 OK", b"<html>Please log in to the guest network</html>")),
    at(PING, http("302 Found", b"", "Location: https://elsewhere.example.org/")),
    at(PING, http("200 OK", b'["stat", "OK"]')),
    at(PREAUTH, http("500 Internal Server Error", b'{"stat": "FAIL", "code": 50000, "message": "sorry"}')),
    at(PREAUTH, http("200 OK", b'{"stat": "OK", "response": null}')),
    Fault("answers without end", flood(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n")),
)
"""Outages: nobody gets where Duo is a must; where the registry says so, people get in without."""
OFFERED = (
    at(TOKEN, http("200 OK", b"<html>fine</html>")),
    at(TOKEN, http("502 Bad Gateway", b"<html>Bad gateway</html>")),
    at(TOKEN, http("200 OK", b'{"id_token": "eyJhbGciOiJub25lIn0.eyJhdXRoX3Jlc3VsdCI6eyJyZXN1bHQiOiJhbGxvdyJ9fQ."}')),
    at(TOKEN, http("200 OK", b'{"result": "allow"}')),
    at(TOKEN, http("302 Found", b"", "Location: https://elsewhere.example.org/")),
)
"""What follows a prompt that was shown: from then on nothing but Duo's signed allow opens, at no service."""
PAGE_ALONE = at(HEALTH, http("200 OK", b'{"stat": '))
"""Duo's own page is out of order and all else works: people are asked to approve a push on a page of ours instead."""
TOKENS: tuple[IdTokenFault, ...] = ("wrong_signature", "other_user", "expired", "result_deny", "no_nonce")


@dataclass(frozen=True)
class Factor:
    """A Duo behind a relay, and who needs it."""

    duo: DuoSimulator
    relay: Relay
    stage: Stage
    authority: CertificateAuthority

    def walk(self, service: str) -> Walk:
        """Sign in for a service, by way of the prompt if there is one; whoever has it approves the push."""

        def sign_in(browser: requests.Session, base: str, name: str) -> tuple[str, str]:
            began = time.monotonic()
            page = ask(browser, "GET", f"{base}login?service={quote(service, safe='')}")
            answer = send_form(browser, page, username=name, password=PASSWORDS[name])
            if (took := time.monotonic() - began) > LONGEST:
                raise Wrong(f"the answer took {took:.1f} s")
            target = answer.headers.get("Location", "")
            if "/oauth/v1/authorize" in target:
                try:
                    back = self.duo.visit_prompt(target)
                except PromptStayed as stayed:
                    raise Clear("Duo's own page") from stayed
                answer = ask(browser, "GET", base.partition("/cas/")[0] + "/cas/" + back.partition("/cas/")[2])
            found = BeautifulSoup(answer.text, "html.parser")
            if not answer.is_redirect and found.find("h1") is not None and found.find(class_="note") is None:
                raise Clear(f"{answer.status_code} {' '.join(found.h1.get_text(' ').split())}")  # type: ignore[union-attr]
            return service, ticket_of(answer)

        return sign_in


@pytest.fixture(scope="module")
def factor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Factor]:
    directory = tmp_path_factory.mktemp("duo")
    authority = CertificateAuthority.create(directory / "authority")
    leaf = authority.issue()
    with ExitStack() as stack:
        redis = stack.enter_context(EmbeddedValkey(directory / "valkey"))
        duo = stack.enter_context(DuoSimulator(leaf))
        relay = Relay(duo.port, HTTP, leaf)
        stack.callback(relay.close)
        duo.stand_behind(relay.port)
        for name in PASSWORDS:
            duo.add_user(name)
        web = duo.add_application(redirect_uris=["http://localhost/cas/duo/callback"])
        settings = (
            f"duo: {{api_host: 'localhost:{relay.port}', ca_file: {leaf.ca}, connect_timeout: {TIME_OUT}s,\n"
            f"  read_timeout: {TIME_OUT}s, breaker: {{failures: 3, pause: {PAUSE}s}},\n"
            f"  universal: {{client_id: {web.integration_key}, client_secret: {web.secret_key}}}}}\n"
        )
        stage = stack.enter_context(on_stage(directory / "stage", redis.url, registry=REGISTRY, settings=settings))
        yield Factor(duo, relay, stage, authority)


def assert_closed(stream: Stream, what: object) -> None:
    """Nobody gets in: not once those who were under way have arrived."""
    stream.tells(3, what)
    done = stream.tally.completed
    stream.tells(2, what)
    assert stream.tally.completed == done, f"{what}: {stream.tally}"


def assert_open(stream: Stream, what: object) -> None:
    """Everybody gets in, once those who were under way have arrived."""
    stream.flows(3)
    told = dict(stream.tally.clear)
    stream.flows(3)
    assert stream.tally.clear == told, f"{what}: {stream.tally}"


def test_a_duo_that_is_away_opens_what_the_registry_opens_and_nothing_else(
    factor: Factor, rounds: range, sound: Sound
) -> None:
    stage, brief = factor.stage, len(rounds) == 1
    # Whom nobody can trust is no outage: see the next test.
    outages = tuple(fault for fault in OUTAGES if fault is not NO_TLS)
    with (
        Stream(stage.bases, threads=1) as others,
        Stream(stage.bases, walk=factor.walk(PAYROLL), threads=2) as closed,
        Stream(stage.bases, walk=factor.walk(TIMESHEETS), threads=2) as opened,
    ):
        closed.flows(3)
        for _ in rounds:
            for fault in (REFUSED, HUNG, UNREADABLE[2]) if brief else (*outages, *UNREADABLE):
                print(f"-- {fault}")
                factor.relay.become(fault)
                assert_closed(closed, fault)
                assert_open(opened, fault)
                others.flows(3)
                mended = time.monotonic()
                factor.relay.mend()
                closed.recovers(mended)
        for stream in (closed, opened, others):
            sound(stream, stage)
        assert (others.tally.clear, others.tally.cut) == ({}, 0)


def test_a_duo_that_refuses_or_lies_opens_nothing_at_all(factor: Factor, rounds: range, sound: Sound) -> None:
    stage, brief = factor.stage, len(rounds) == 1
    stranger = Fault("shows a wrong certificate", certificate=factor.authority.issue_wrong("wrong_name"))
    lies = (stranger, *NEVER_OPEN, *OFFERED, PAGE_ALONE)
    with (
        Stream(stage.bases, threads=1) as others,
        Stream(stage.bases, walk=factor.walk(PAYROLL), threads=1) as closed,
        Stream(stage.bases, walk=factor.walk(TIMESHEETS), threads=2) as opened,
    ):
        for _ in rounds:
            for lie in (stranger, NO_TLS, NEVER_OPEN[-2], NEVER_OPEN[1], OFFERED[2]) if brief else (*lies, NO_TLS):
                print(f"-- {lie}")
                factor.relay.become(lie)
                assert_closed(opened, lie)
                assert_closed(closed, lie)
                others.flows(2)
                mended = time.monotonic()
                factor.relay.mend()
                opened.recovers(mended)
            for fault in TOKENS[:1] if brief else TOKENS:
                print(f"-- {fault}")
                try:
                    factor.duo.faults.id_token = fault
                    assert_closed(opened, fault)
                    assert_closed(closed, fault)
                finally:
                    factor.duo.faults.clear()
                opened.recovers()
        for stream in (closed, opened, others):
            sound(stream, stage)
        assert (others.tally.clear, others.tally.cut) == ({}, 0)
