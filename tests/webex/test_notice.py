"""A delivery is read as far as it is needed, and only one that we asked for counts."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.webex.notice import MalformedNotice, Notice, Registration, notice_fault, read_notice

OURS = Registration("hook", "home", "bot", "other-way-to-write-home")
NOTICE = Notice("hook", "attachmentActions", "created", "home", "bot", "press-1")


def members(**changes: Any) -> dict[str, Any]:
    return {
        "id": "hook",
        "name": "casduo https://sso.example.edu/cas",
        "resource": "attachmentActions",
        "event": "created",
        "orgId": "home",
        "createdBy": "bot",
        "actorId": "luke",
        "data": {"id": "press-1", "type": "submit", "messageId": "card", "personId": "luke", "roomId": "room"},
    } | changes


def body(**changes: Any) -> bytes:
    return json.dumps(members(**changes)).encode()


def test_a_delivery_is_read() -> None:
    assert read_notice(body()) == NOTICE


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"\xff\xfe",
        b"[" * 60_000,
        b'{"data":' * 8_000,
        b'{"id": ' + b"9" * 60_000 + b"}",
        json.dumps(members()).encode("utf-16"),
        body(data=None),
        body(data=[]),
        body(data={}),
        body(data={"id": 7}),
        body(data={"id": ""}),
        body(data={"id": "a b"}),
        body(data={"id": "line\nline"}),
        body(data={"id": "\ud800"}),
        body(data={"id": "é"}),
        body(data={"id": "x" * 513}),
        body(id=None),
        body(id=["hook"]),
        body(orgId=7),
        body(createdBy={}),
    ],
)
def test_what_is_no_delivery_is_refused(content: bytes) -> None:
    with pytest.raises(MalformedNotice):
        read_notice(content)


@given(st.recursive(st.none() | st.booleans() | st.text() | st.floats(), lambda inner: st.lists(inner)))
def test_any_json_is_read_or_refused(content: Any) -> None:
    with pytest.raises(MalformedNotice):
        read_notice(json.dumps(content).encode())


def test_what_we_asked_for_counts() -> None:
    assert notice_fault(NOTICE, OURS) is None


def test_any_press_counts_while_nobody_knows_which_webhook_is_ours() -> None:
    assert notice_fault(NOTICE, None) is None
    assert notice_fault(replace(NOTICE, webhook="HOOK", organisation="elsewhere", bot="luke"), None) is None


@pytest.mark.parametrize("changes", [{"resource": "messages"}, {"event": "updated"}])
def test_nothing_else_counts_then(changes: dict[str, str]) -> None:
    assert notice_fault(replace(NOTICE, **changes), None) == "foreign"


def test_another_webhook_does_not_count() -> None:
    assert notice_fault(replace(NOTICE, webhook="HOOK"), OURS) == "unknown_webhook"


@pytest.mark.parametrize(
    "changes",
    [
        {"resource": "messages"},
        {"event": "updated"},
        {"organisation": "other-way-to-write-home"},
        {"organisation": "elsewhere"},
        {"bot": "luke"},
    ],
)
def test_what_we_did_not_ask_for_does_not_count(changes: dict[str, str]) -> None:
    assert notice_fault(replace(NOTICE, **changes), OURS) == "foreign"
