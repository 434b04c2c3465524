"""Services that somebody has to approve, explained: who decides, where, for how long, and for which machine."""

from __future__ import annotations

from typing import Any

from casduo.explanation import Explanation, Person, as_text
from casduo.explanation.model import Approval, Value
from tests.explanation.telling import ADA, GRACE, entry, made, of, told

ALAN, HOPPER = "alan@example.edu", "grace@example.edu"
ROOM = "Y2lzY29zcGFyazovL3VzL1JPT00v"
SECRET = "s" * 32


def explained(*, settings: dict[str, Any] | None = None, target: Any = None, **more: Any) -> Explanation:
    """Explain an entry that Alan or Grace approve. ``rule`` are further keys of ``requires_approval``."""
    rule = {"approvers": [ALAN, HOPPER], **more.pop("rule", {})}
    service = entry(requires_approval=rule, **({"target": target} if target else {}))
    return told(service, settings=made(**settings or {}), **more)


def approval_of(explanation: Explanation) -> Approval:
    found = of(explanation).approval
    assert found is not None
    return found


def value(explanation: Explanation, name: str) -> Value:
    (found,) = (value for value in approval_of(explanation).values if value.name == name)
    return found


def webex(**keys: Any) -> dict[str, Any]:
    return {"webex": {"token": "token-of-the-bot", "room": ROOM, "webhook": {"secret": SECRET}, **keys}}


def section(explanation: Explanation, title: str) -> list[str]:
    lines = as_text(explanation).splitlines()
    start = lines.index(title)
    return [line.strip() for line in lines[start + 1 : [*lines, ""].index("", start)]]


# -- who --------------------------------------------------------------------------------------------------------------


def test_the_first_line_says_that_somebody_has_to_approve() -> None:
    assert explained(person=ADA).sentence == (
        "ada gets into App with the password alone, once one of alan@example.edu, grace@example.edu has approved it."
    )
    assert explained(person=ADA, rule={"approvers": ALAN}).sentence.endswith(
        "alone, once alan@example.edu has approved it."
    )
    assert explained().sentence.startswith("Whoever signs in gets into App with the password alone, once one of ")


def test_access_rules_and_duo_come_first() -> None:
    closed = entry(requires_approval={"approvers": ALAN}, access={"groups": ["staff"]})
    assert told(closed, person=ADA).verdict == "refused"
    both = entry(requires_approval={"approvers": ALAN}, requires_duo=True)
    assert told(both, person=ADA).sentence == (
        "ada gets into App with the password and Duo, once alan@example.edu has approved it."
    )


def test_nobody_decides_about_their_own_requests() -> None:
    explanation = explained(person=GRACE)
    assert explanation.sentence.endswith("once alan@example.edu has approved it.")
    assert approval_of(explanation).deciders == (ALAN,)
    assert section(explanation, "Approval: needed")[:2] == [
        "approver             alan@example.edu",
        "approver             grace@example.edu  not about their own requests",
    ]


def test_where_there_is_no_other_approver_nobody_can_approve() -> None:
    explanation = explained(person=GRACE, rule={"approvers": HOPPER})
    assert explanation.sentence.endswith(
        "once it is approved; but nobody may approve it: the only approver is who asks."
    )


def test_a_service_that_nobody_has_to_approve_has_no_such_section() -> None:
    explanation = told(entry(), person=ADA)
    assert of(explanation).approval is None
    assert "Approval" not in as_text(explanation)
    assert "approved" not in explanation.sentence


# -- where ------------------------------------------------------------------------------------------------------------


def test_where_it_is_decided() -> None:
    portal = "decided on https://sso.example.edu/cas/approvals"
    meanings = {
        name: value(explained(settings=settings, rule=rule), "approve_in").meaning
        for name, settings, rule in (
            ("anywhere", webex(), {}),
            ("portal", webex(), {"approve_in": "portal"}),
            ("no webex", {}, {}),
            ("no room", webex(room=None), {}),
            ("own room", webex(room=None), {"room": ROOM}),
            ("no secret", webex(webhook={}), {}),
        )
    }
    assert meanings == {
        "anywhere": "decided by buttons in Webex or on https://sso.example.edu/cas/approvals",
        "portal": f"{portal} only, signed in",
        "no webex": f"{portal}: there is no section webex",
        "no room": f"{portal}: no space is named in which requests are posted",
        "own room": "decided by buttons in Webex or on https://sso.example.edu/cas/approvals",
        "no secret": f"{portal}: webex.webhook has no secret, so no press of a button comes back",
    }


def test_in_which_space_requests_are_posted() -> None:
    posted = "Webex space in which requests are posted"
    assert value(explained(settings=webex()), "room") == Value("room", ROOM, posted, "settings")
    assert value(explained(settings=webex(), rule={"room": "other"}), "room") == Value("room", "other", posted, "entry")
    assert value(explained(settings=webex(room=None)), "room").meaning == "requests are posted nowhere"
    assert value(explained(), "room").meaning == "requests are posted nowhere: there is no section webex"


# -- how long ---------------------------------------------------------------------------------------------------------


def test_times_and_limits_with_where_they_come_from() -> None:
    explanation = explained(
        rule={"max_duration": "2h"}, settings={"approvals": {"refusals": 2, "ahead": "7d", "remind": None}}
    )
    assert {name: (found.text, found.origin) for found in approval_of(explanation).values if (name := found.name)} == {
        "max_duration": ("2h", "entry"),
        "expires": ("1h", "default"),
        "approve_in": ("anywhere", "default"),
        "room": ("", "default"),
        "approvals.ahead": ("7d", "settings"),
        "approvals.most_open": ("5", "default"),
        "approvals.refusals": ("2 within 1d", "settings"),
        "approvals.remind": ("", "settings"),
    }
    assert value(explanation, "approvals.remind").meaning == "nobody is reminded"
    assert "access can be asked for so long at most" in as_text(explanation)


def test_the_machine_behind_it() -> None:
    explanation = explained(target={"host": "ward-1", "ip": "10.0.0.7", "account": "root"})
    assert [(found.name, found.text) for found in of(explanation).target] == [
        ("host", "ward-1"),
        ("ip", "10.0.0.7"),
        ("account", "root"),
    ]
    assert section(explanation, "Machine behind it")[0] == (
        "host     ward-1    from the entry  the machine that people are let in to"
    )
    assert of(told(entry(target={"host": "ward-1"}))).target == (
        Value("host", "ward-1", "the machine that people are let in to", "entry"),
    )


# -- answers ----------------------------------------------------------------------------------------------------------


def test_the_answer_is_that_of_a_ticket_that_was_approved_and_of_one_that_was_not() -> None:
    answers = of(explained(person=ADA)).answers
    assert [(answer.when, answer.code) for answer in answers] == [
        ("after the password", ""),
        ("before it is approved, when no ticket is made yet", "UNAUTHORIZED_SERVICE"),
    ]


def test_somebody_without_addresses_is_no_approver() -> None:
    assert approval_of(explained(person=Person("linus"))).deciders == (ALAN, HOPPER)
