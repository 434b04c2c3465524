"""Phones whose logins somebody has to approve: a PIN and Duo are enough to ask, and the rest happens elsewhere."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from casduo.approvals.events import ApprovalDecided, Decided
from casduo.approvals.model import ApprovalRequest, Decision
from casduo.events.model import Subject
from tests.support.ward import Ward, entry

APPROVED_ONLY = entry(requires_approval="{approvers: [grace@example.edu], max_duration: 1h}")


@pytest.fixture
def ward(ward_with: Callable[..., Ward]) -> Ward:
    return ward_with(registry=APPROVED_ONLY)


def request(ward: Ward) -> ApprovalRequest:
    [found] = ward.site.composed.parts.approvals.recent()
    return found


def decide(ward: Ward, decision: Decided) -> None:
    found = request(ward)
    event = ApprovalDecided(Subject(), request=found.id, decision=decision)
    by = Decision(decision, "grace@example.edu", "Grace", "grace", "portal", found.created)
    assert ward.site.composed.parts.approvals.decide(found.id, by, event).first


def test_the_first_time_a_request_is_sent_and_nobody_is_logged_in(ward: Ward) -> None:
    phone = ward.submitted("alan")
    assert "We have asked for you" in str(phone.screen)
    found = request(ward)
    assert found.principal == "alan"
    assert found.end - found.start == 3600.0
    assert phone.device in found.reason
    assert ward.login_writes() == 0


def test_while_it_waits_no_second_one_is_sent(ward: Ward) -> None:
    ward.submitted("alan")
    assert "has not been decided yet" in str(ward.submitted("alan").screen)
    request(ward)


def test_once_it_is_approved_the_phone_opens(ward: Ward) -> None:
    ward.submitted("alan")
    decide(ward, "approved")
    ward.logged_in(ward.submitted("alan"))
    assert ward.login() == ("alan", "alan-ward")


def test_a_refusal_lets_nobody_in_and_can_be_asked_again(ward: Ward) -> None:
    ward.submitted("alan")
    decide(ward, "rejected")
    assert "We have asked for you" in str(ward.submitted("alan").screen)
    assert ward.login_writes() == 0


def test_duo_comes_before_anybody_is_asked(ward: Ward) -> None:
    ward.submitted("ada")
    ward.answer_push(reply="deny")
    assert ward.site.composed.parts.approvals.recent() == []
