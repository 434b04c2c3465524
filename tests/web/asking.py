"""Requests for access at a whole server, made as the login makes them, for tests of the pages about them."""

from __future__ import annotations

from typing import Any

from webtest.response import TestResponse

from casduo.approvals.asking import Window, new_request, requested_event
from casduo.approvals.events import ApprovalDecided
from casduo.approvals.model import ApprovalRequest, Decision
from casduo.events.model import Subject
from tests.support.site import Browser, Site

ORACLE = "https://gateway.example.edu/targets/oracle-b"
REGISTRY = """
services:
  - id: library
    name: Library catalogue
    url: https://library.example.edu/**
  - id: oracle-b
    name: OracleLinux_SystemB
    url: https://gateway.example.edu/targets/oracle-b
    requires_approval: {approvers: [Grace@example.edu, alan@example.edu], max_duration: 2h}
    target: {host: OracleLinux_SystemB, ip: 172.16.200.53, account: root}
"""


def ask(
    site: Site, username: str = "ada", *, begins: float = 0, lasts: float = 3600, **changes: Any
) -> ApprovalRequest:
    """Make a request for the machine, from now on unless ``begins`` (seconds) says otherwise."""
    parts = site.composed.parts
    entry = parts.services.current().by_id("oracle-b")
    assert entry is not None
    assert entry.requires_approval is not None
    attributes = {"mail": (f"{username}@example.edu",), "displayName": (f"{username.title()} L",)}
    start = site.clock.now + begins
    made = new_request(
        entry,
        entry.requires_approval,
        Window(start, start + lasts, "The disk is full."),
        **{"principal": username, "attributes": attributes, "url": ORACLE, "room": "", "now": site.clock.now} | changes,
    )
    assert parts.approvals.create(made, requested_event(made, Subject(principal=username)), 50) == "created"
    return made


def decide(site: Site, asked: ApprovalRequest, verdict: str = "approved", by: str = "alan") -> None:
    """Decide a request, by somebody else and elsewhere."""
    decision = Decision(verdict, f"{by}@example.edu", f"{by.title()} L", by, "webex", site.clock.now)  # type: ignore[arg-type]
    event = ApprovalDecided(Subject(), request=asked.id, decision=decision.decision)
    assert site.composed.parts.approvals.decide(asked.id, decision, event).first


def signed_in(site: Site, username: str = "ada") -> Browser:
    """Return a browser in which somebody is signed in."""
    browser = site.browser()
    browser.sign_in(username, "https://library.example.edu/")
    assert browser.session
    return browser


def state(site: Site, asked: ApprovalRequest) -> str:
    """Return how a request is kept now."""
    found = site.composed.parts.approvals.get(asked.id)
    assert found is not None
    return found.state


def facts(answer: TestResponse) -> dict[str, Any]:
    """Return what a script was answered."""
    found: dict[str, Any] = answer.json
    return found
