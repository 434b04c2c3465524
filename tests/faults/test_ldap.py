"""A directory that is away, hangs, cuts its answers off or lies, under a stream of logins of which some need it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from urllib.parse import quote

import pytest
import requests

from casduo.simulators.certificates import CertificateAuthority
from casduo.store.embedded import EmbeddedValkey
from tests.authentication.slapd import BASE, READER, READER_PASSWORD, Slapd, person
from tests.faults.conftest import Sound
from tests.faults.relay import (
    CUT,
    HUNG,
    LDAP,
    OUTAGES,
    REFUSED,
    Exchange,
    Fault,
    Relay,
    Relays,
    flood,
    honest,
    operation_of,
    says,
)
from tests.faults.stage import Stage, on_stage
from tests.faults.stream import Clear, Stream, Wrong, ask, send_form, ticket_of
from tests.support.site import LIBRARY

WORDS = {name: f"{name} has a password" for name in ("barbara", "donald", "edsger", "frances", "ken", "margaret")}
VICTIM = "tim"
TIME_OUT, PAUSE = 1.0, 1.0
LONGEST = 2 * 3 * TIME_OUT
"""Seconds for a connection and two answers of each of two servers: the longest that anybody waits."""
_BIND, _SEARCH = 0x60, 0x63
_ANSWERS = {_BIND: 0x61, _SEARCH: 0x65}


def element(tag: int, content: bytes) -> bytes:
    length = len(content)
    return bytes([tag, length] if length < 0x80 else [tag, 0x82, *length.to_bytes(2, "big")]) + content


def message(number: int, operation: int, code: int, text: bytes = b"", more: bytes = b"") -> bytes:
    result = b"\x0a\x01" + bytes([code]) + b"\x04\x00" + element(0x04, text) + more
    return element(0x30, element(0x02, number.to_bytes(4, "big")) + element(operation, result))


def result(code: int, *, shift: int = 0, bind: int = 0x61, search: int = 0x65, more: bytes = b"") -> Fault:
    """A server that answers everything with this code, maybe under another id or as an answer to something else."""

    def words(exchange: Exchange) -> bytes:
        number, operation = operation_of(exchange.request)
        if operation not in _ANSWERS:
            raise ConnectionAbortedError
        return message(number + shift, bind if operation == _BIND else search, code, b"no", more)

    return Fault(f"answers {code}{' to another question' * bool(shift or bind != 0x61)}", says(words))


def for_binds(treat: Fault) -> Fault:
    """The same, but only where somebody's password is looked at: the searching account and searches fare well."""

    def part(exchange: Exchange) -> None:
        bind = operation_of(exchange.request)[1] == _BIND and READER.encode() not in exchange.request
        (treat.treat if bind else honest)(exchange)

    return Fault(f"{treat.name}, to passwords", part)


def goodbye(exchange: Exchange) -> bytes:
    """The notice of disconnection (RFC 4511, 4.4.1)."""
    return message(0, 0x78, 52, more=element(0x8A, b"1.3.6.1.4.1.1466.20036"))


LIES = (
    for_binds(result(0, shift=1)),
    for_binds(result(0, shift=-1)),
    for_binds(result(0, bind=0x65)),
    for_binds(result(0, bind=0x78)),
    result(10, more=element(0xA3, element(0x04, b"ldap://127.0.0.1:9/"))),
    result(1),
    for_binds(result(80)),
    for_binds(result(14)),
    Fault("says goodbye", says(goodbye)),
    Fault("answers in HTML", says(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>Please log in</p>")),
    Fault("answers without end", flood(b"\x30\x84\x7f\xff\xff\xff")),
)
"""No login may come of these, where all servers tell them, and none be refused for a wrong password."""


@dataclass(frozen=True)
class Directories(Relays):
    """Two servers of one directory, and who needs them."""

    stage: Stage
    authority: CertificateAuthority


def sign_in(browser: requests.Session, base: str, name: str) -> tuple[str, str]:
    """Sign in with a password that is right."""
    began = time.monotonic()
    page = ask(browser, "GET", f"{base}login?service={quote(LIBRARY, safe='')}")
    answer = send_form(browser, page, username=name, password=WORDS[name])
    took = time.monotonic() - began
    for lie in ("is not right", "too many tries"):
        if lie in answer.text:
            raise Wrong(f"told of a right password: {lie}")
    if took > LONGEST + 4:
        # The machine has more to do than this.
        raise Wrong(f"the answer took {took:.1f} s")
    return LIBRARY, ticket_of(answer)


def assert_other_server_answers(stream: Stream, fault: Fault) -> None:
    """One of two servers misbehaves, and nobody notices: not once the other has been found well, that is, which it may
    not have been before.
    """
    stream.recovers()
    told = dict(stream.tally.clear)
    stream.flows(4)
    assert stream.tally.clear == told, f"{fault}: {stream.tally}"


def assert_nobody_gets_in(base: str, password: str) -> None:
    """Somebody who does not know the victim's password tries."""
    with requests.Session() as browser:
        browser.trust_env = False
        page = ask(browser, "GET", f"{base}login?service={quote(LIBRARY, safe='')}")
        with pytest.raises(Clear):
            ticket_of(send_form(browser, page, username=VICTIM, password=password))


@pytest.fixture(scope="module")
def directories(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Directories]:
    tmp_path = tmp_path_factory.mktemp("ldap")
    authority = CertificateAuthority.create(tmp_path / "authority")
    leaf = authority.issue()
    people = [person(name, word, f"mail: {name}@example.edu") for name, word in WORDS.items()]
    with ExitStack() as stack:
        redis = stack.enter_context(EmbeddedValkey(tmp_path / "valkey"))
        slapd = stack.enter_context(Slapd(tmp_path / "slapd", [*people, person(VICTIM, "nobody knows this")]))
        relays = tuple(Relay(slapd.port, LDAP, leaf, secure=False) for _ in range(2))
        for relay in relays:
            stack.callback(relay.close)
        servers = ", ".join(f"'ldaps://localhost:{relay.port}'" for relay in relays)
        handlers = (
            f"- {{type: ldap, servers: [{servers}], ca_file: {leaf.ca}, base: '{BASE}', bind_dn: '{READER}',\n"
            f"   bind_password: {READER_PASSWORD}, attributes: {{mail: mail}}, connect_timeout: {TIME_OUT}s,\n"
            f"   receive_timeout: {TIME_OUT}s, pause: {PAUSE}s}}\n"
        )
        stage = stack.enter_context(on_stage(tmp_path / "stage", redis.url, handlers=handlers))
        yield Directories((relays[0], relays[1]), stage, authority)


def test_a_directory_that_is_away_is_told_as_such_and_nobody_else_suffers(
    directories: Directories, rounds: range, sound: Sound
) -> None:
    stage, first = directories.stage, directories.relays[0]
    brief = len(rounds) == 1
    wrong_certificate = Fault(
        "shows a certificate of another", certificate=directories.authority.issue_wrong("wrong_name")
    )
    faults = (REFUSED, HUNG, CUT) if brief else (*OUTAGES, wrong_certificate)
    with (
        Stream(stage.bases, threads=2) as others,
        Stream(stage.bases, walk=sign_in, people=tuple(WORDS), threads=3) as stream,
    ):
        stream.flows()
        for _ in rounds:
            for fault in faults:
                print(f"-- {fault}")
                first.become(fault)
                assert_other_server_answers(stream, fault)
                directories.become(fault)
                stream.tells(4, fault)
                others.flows(4)
                # Whoever comes next is told at once.
                stream.tells(7, fault)
                mended = time.monotonic()
                directories.mend()
                stream.recovers(mended)
        sound(stream, stage)
        sound(others, stage)
        assert (others.tally.clear, others.tally.cut) == ({}, 0)


def test_a_directory_that_lies_lets_nobody_in_and_calls_no_password_wrong(
    directories: Directories, rounds: range, sound: Sound
) -> None:
    stage, first = directories.stage, directories.relays[0]
    with (
        Stream(stage.bases, threads=1) as others,
        Stream(stage.bases, walk=sign_in, people=tuple(WORDS), threads=2) as stream,
    ):
        for _ in rounds:
            for lie in LIES[:: 3 if len(rounds) == 1 else 1]:
                print(f"-- {lie}")
                first.become(lie)
                assert_other_server_answers(stream, lie)
                directories.become(lie)
                stream.tells(1, lie)
                assert_nobody_gets_in(stage.bases[0], "a guess")
                done = stream.tally.completed
                stream.tells(2, lie)
                assert stream.tally.completed == done, f"{lie}: {stream.tally}"
                mended = time.monotonic()
                directories.mend()
                stream.recovers(mended)
        sound(stream, stage)
        sound(others, stage)
        assert (others.tally.clear, others.tally.cut) == ({}, 0)
