"""A line of the audit trail: what is in it, and that it cannot be changed unnoticed."""

from __future__ import annotations

import hashlib
import json
import re

import pytest

from casduo.events.audit_line import NOTHING_BEFORE, START, DamagedLine, Position, read_line, written_line
from casduo.events.model import SignedIn, Subject
from tests.events.trails import record


def test_a_line_is_an_object_with_number_event_and_both_hashes() -> None:
    line, position = written_line(record("event-1"), START)
    members = json.loads(line)
    assert next(iter(members)) == "seq"
    assert list(members)[-2:] == ["prev", "hash"]
    assert members["seq"] == position.seq == 1
    assert (members["id"], members["event"], members["principal"]) == ("event-1", "signin.ok", "ada")
    assert (members["prev"], members["hash"]) == (NOTHING_BEFORE, position.hash)


def test_the_hash_can_be_made_by_anybody_from_the_line_itself() -> None:
    line, position = written_line(record("event-1"), START)
    without = re.sub(r',"hash":"[0-9a-f]{64}"', "", line.decode().rstrip("\n"))
    assert hashlib.sha256(without.encode()).hexdigest() == position.hash


def test_a_line_is_read_as_it_was_written() -> None:
    before = Position(41, "a" * 64)
    line, position = written_line(record("event-1"), before)
    entry = read_line(line)
    assert entry.position == position == Position(42, position.hash)
    assert entry.record == record("event-1")
    assert entry.follows(before)
    assert not entry.follows(Position(41, "b" * 64))
    assert not entry.follows(Position(40, "a" * 64))


@pytest.mark.parametrize(
    "name", ["J\u00fcrgen", "ada\n", "\u202eada", "ada\u2028", "\x1b[31m", "\x85", "\ud800", '"', "\0"]
)
def test_whatever_the_text_it_is_one_line_of_ascii_that_no_terminal_acts_on(name: str) -> None:
    line, _ = written_line(record("event-1", SignedIn(Subject(principal=name))), START)
    assert line.count(b"\n") == 1
    assert all(32 <= byte < 127 for byte in line[:-1])
    assert read_line(line).record.about.principal == name


def test_a_change_of_any_byte_is_noticed() -> None:
    line, _ = written_line(record("event-1"), START)
    for place in range(len(line)):
        changed = line[:place] + bytes([line[place] ^ 1]) + line[place + 1 :]
        with pytest.raises(DamagedLine):
            read_line(changed)


def test_a_line_that_is_cut_anywhere_is_noticed() -> None:
    line, _ = written_line(record("event-1"), START)
    for length in range(len(line)):
        with pytest.raises(DamagedLine) as damage:
            read_line(line[:length])
        assert damage.value.reason == "unfinished"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"seq":1,"prev":""}', "unreadable"),
        (b'{"seq":"1","id":"x","at":1,"event":"signin.ok","level":"info","prev":""}', "unreadable"),
        (b'{"seq":true,"id":"x","at":1,"event":"signin.ok","level":"info","prev":""}', "unreadable"),
        (b'{"seq":1,"id":"x","at":1,"event":"signin.ok","level":"info","prev":1}', "unreadable"),
        (b'{"seq":1,"id":"x","at":1,"event":"signin.ok","level":"info","facts":[],"prev":""}', "unreadable"),
        (b"[]}", "unreadable"),
    ],
)
def test_what_is_no_entry_is_not_read_though_its_hash_is_right(body: bytes, reason: str) -> None:
    seal = hashlib.sha256(body).hexdigest().encode()
    with pytest.raises(DamagedLine) as damage:
        read_line(body[:-1] + b',"hash":"' + seal + b'"}\n')
    assert damage.value.reason == reason


@pytest.mark.parametrize("line", [b"\n", b"hello\n", b"\0" * 500 + b"\n", b"{}\n", b"\xff" * 100 + b"\n"])
def test_what_is_no_line_is_not_read(line: bytes) -> None:
    with pytest.raises(DamagedLine) as damage:
        read_line(line)
    assert damage.value.reason == "unreadable"
