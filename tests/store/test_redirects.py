"""Where a command goes that a node of a cluster has refused, and what keeps scripts from running in half a slot."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from redis.exceptions import (
    AskError,
    ClusterDownError,
    MovedError,
    OutOfMemoryError,
    ReadOnlyError,
    ResponseError,
    TryAgainError,
)

import casduo
from casduo.store.redirects import ONCE_MORE, SlotMap, Way, companion, read_slots, slot_of, way_after

ASKED = ("here", 6379)


@pytest.mark.parametrize(
    ("error", "way"),
    [
        (AskError("7 there:6380"), Way(("there", 6380), asking=True, moving=True)),
        (MovedError("7 there:6380"), Way(("there", 6380), moving=True, stale=True)),
        (MovedError("7 ::1:6380"), Way(("::1", 6380), moving=True, stale=True)),
        # Nodes may be set up to tell no host: then it is the same.
        (AskError("7 :6380"), Way(("here", 6380), asking=True, moving=True)),
        (TryAgainError("Multiple keys request during rehashing of slot"), Way(moving=True, later=True)),
        (ClusterDownError("The cluster is down"), ONCE_MORE),
        (ReadOnlyError("You can't write against a read only replica."), ONCE_MORE),
        (ResponseError("UNBLOCKED the stream key no longer exists"), ONCE_MORE),
        (OutOfMemoryError("command not allowed"), None),
        (ResponseError("WRONGTYPE Operation against a key"), None),
    ],
)
def test_where_a_refused_command_goes(error: Exception, way: Way | None) -> None:
    assert way_after(error, ASKED, script=False) == way


def test_what_a_script_ran_into_is_not_taken_for_a_refusal_of_the_script() -> None:
    error = ResponseError("NOGROUP No such key 'a' or consumer group 'b' script: c, on @user_script:1.")
    assert way_after(error, ASKED, script=False) == ONCE_MORE
    assert way_after(error, ASKED, script=True) is None


def test_slots_are_read_in_their_order_and_found() -> None:
    rows = [[8000, 16383, ["there", 6380, "id"]], [0, 7999, [None, 6379, "id"], ["replica", 1, "id"]]]
    found = read_slots(rows, ASKED)
    assert found == SlotMap((0, 8000), (ASKED, ("there", 6380)))
    assert [found.owner(slot) for slot in (0, 7999, 8000, 16383, None)] == [ASKED, ASKED, *[("there", 6380)] * 2, ASKED]
    assert read_slots([], ASKED) is None


@pytest.mark.parametrize("key", ["casduo:{abcd}:tgt:1", "casduo:{u:1}", "plain", "{a}{b}", "a}b{c}"])
def test_the_companion_of_a_key_is_another_one_in_its_slot(key: str) -> None:
    found = companion(key)
    assert found.startswith("casduo:")
    assert found != key
    assert slot_of(found) == slot_of(key)


def test_no_script_counts_its_keys() -> None:
    """On a cluster the companion stands behind them."""
    texts = {path: path.read_text(encoding="utf-8") for path in Path(casduo.__file__).parent.rglob("*.lua")}
    assert texts
    assert [
        path.name for path, text in texts.items() if re.search(r"#\s*KEYS|(pairs|unpack)\(\s*KEYS\s*[,)]", text)
    ] == []
