"""The pages about requests as data: how a request stands, when to ask again, and which way on is offered."""

from __future__ import annotations

from dataclasses import replace

import pytest

from casduo.approvals.model import ApprovalRequest, Decision, State, Target
from casduo.approvals.pages import ApprovalPages, Stage, ask_again_after, stage_of, way_on
from casduo.rules import LoginRules
from casduo.services.index import Registry
from casduo.services.model import RegisteredService

URL = "https://gateway.example.edu/targets/oracle-b?user=1#top"
REQUEST = ApprovalRequest(
    *("k3Jq9sLxA0vB7dQe", "nonce", "ada", "Ada", ("ada@example.edu",), "oracle-b", "Oracle", URL),
    *(Target(), 5000.0, 6000.0, "Disk", 1000.0, 4000.0, ""),
)
PAGES = ApprovalPages(LoginRules("/cas"))


def registry(**changes: object) -> Registry:
    """Return a registry with the machine, and another service on the same host in front of the rest."""
    machine = {"id": "oracle-b", "name": "Oracle", "url": "https://gateway.example.edu/targets/**", **changes}
    other = {"id": "gateway", "name": "Gateway", "url": "https://gateway.example.edu/**"}
    return Registry([RegisteredService.model_validate(entry) for entry in (machine, other)], "v1")


@pytest.mark.parametrize(
    ("state", "now", "stage", "again"),
    [
        ("pending", 1000.0, "pending", 3),
        ("pending", 3999.9, "pending", 3),
        ("pending", 4000.0, "expired", 0),
        ("approved", 1000.0, "early", 60),
        ("approved", 4979.5, "early", 21),
        ("approved", 4999.9, "early", 3),
        ("approved", 5000.0, "open", 60),
        ("approved", 5990.0, "open", 10),
        ("approved", 6000.0, "over", 0),
        ("rejected", 1000.0, "rejected", 0),
        ("expired", 1000.0, "expired", 0),
        ("cancelled", 1000.0, "cancelled", 0),
    ],
)
def test_how_a_request_stands_and_when_that_may_change(state: State, now: float, stage: Stage, again: int) -> None:
    asked = replace(REQUEST, state=state)
    assert (stage_of(asked, now), ask_again_after(asked, now)) == (stage, again)


def test_the_way_on_is_the_service_itself_as_long_as_it_has_the_address() -> None:
    found = way_on(REQUEST, registry())
    assert found is not None
    assert found[0].id == "oracle-b"


@pytest.mark.parametrize(
    ("changes", "url"),
    [
        ({"url": "https://elsewhere.example.edu/**"}, URL),
        ({"id": "oracle-c"}, URL),
        ({"enabled": False}, URL),
        ({}, "https://evil.example.net/"),
        ({}, "https://gateway.example.edu/"),
        ({}, "https://gateway.example.edu@evil.example.net/targets/oracle-b"),
        ({}, "javascript:alert(1)"),
        ({}, ""),
    ],
)
def test_there_is_no_way_on_to_anything_else(changes: dict[str, object], url: str) -> None:
    asked = replace(REQUEST, url=url, state="approved")
    assert way_on(asked, registry(**changes)) is None
    page = PAGES.request(asked, registry(**changes), "csrf", 5500.0)
    assert (page.data["continue_url"], page.data["ask_url"], page.data["service"]) == (None, None, None)


@pytest.mark.parametrize(
    ("state", "now", "offered"),
    [
        ("pending", 1000.0, "form"),
        ("approved", 1000.0, ""),
        ("approved", 5000.0, "continue_url"),
        ("approved", 6000.0, "ask_url"),
        ("rejected", 1000.0, "ask_url"),
        ("pending", 4000.0, "ask_url"),
        ("cancelled", 1000.0, "ask_url"),
    ],
)
def test_each_stage_offers_what_helps(state: State, now: float, offered: str) -> None:
    page = PAGES.request(replace(REQUEST, state=state), registry(), "csrf", now)
    found = {"form": page.form, **{name: page.data[name] for name in ("continue_url", "ask_url")}}
    assert [name for name, value in found.items() if value is not None] == ([offered] if offered else [])


def test_a_page_without_script_comes_again_while_something_may_change() -> None:
    def refresh(state: State, now: float, **more: bool) -> object:
        return PAGES.request(replace(REQUEST, state=state), registry(), "csrf", now, **more).data["refresh"]

    assert [refresh("pending", 1000.0), refresh("pending", 1000.0, still=True)] == [10, 0]
    assert [refresh("approved", now) for now in (1000.0, 4900.0, 4999.0, 5000.0)] == [300, 100, 10, 0]
    assert refresh("rejected", 1000.0) == 0


def test_a_history_tells_what_has_happened_and_no_more() -> None:
    decision = Decision("approved", "grace@example.edu", "", "grace", "portal", 2000.0)
    asked = replace(REQUEST, state="approved", decision=decision)
    for now, steps in ((3000.0, 2), (5500.0, 3), (6500.0, 4)):
        history = PAGES.request(asked, registry(), "csrf", now).data["history"]
        assert isinstance(history, list)
        assert [entry["step"] for entry in history] == ["asked", "approved", "began", "ended"][:steps]
        assert history[1]["name"] == "grace@example.edu"


def test_nobody_is_offered_to_decide_their_own_request_or_one_that_is_over() -> None:
    for now, own, offered in ((1000.0, False, True), (1000.0, True, False), (4000.0, False, False)):
        page = PAGES.approval(REQUEST, [REQUEST], "csrf", now, own=own, mine=False)
        assert (page.form is not None) == offered
        assert (page.data["risks"] is not None) == offered


def test_too_late_is_not_said_of_what_can_still_be_decided() -> None:
    page = PAGES.approval(REQUEST, [REQUEST], "csrf", 1000.0, own=False, mine=False, late=True)
    assert page.data["late"] is False
