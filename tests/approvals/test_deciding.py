"""Who may decide a request for access, and until when: the same rules in Webex and on our own page."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.approvals.deciding import GRACE, Decider, Moment, in_time, is_oneself, may_decide
from casduo.approvals.events import RefusedPress
from casduo.approvals.model import ApprovalRequest, Decision, State, Target
from casduo.services.policies import ApprovalRule

NOW = 1_800_000_000.0
HOME = ("home",)
AT_ONCE = Moment(NOW, NOW)
REQUEST = ApprovalRequest(
    id="7f3kq9",
    nonce="n0nce",
    principal="ada",
    name="Ada Lovelace",
    emails=("ada@example.edu", "a.lovelace@example.edu"),
    service="oracle-b",
    service_name="OracleLinux_SystemB",
    url="https://gateway.example.edu/targets/oracle-b",
    target=Target("OracleLinux_SystemB", "172.16.200.53", "root"),
    start=NOW,
    end=NOW + 3600,
    reason="Patches",
    created=NOW - 60,
    expires=NOW + 600,
    room="room",
)
RULE = ApprovalRule(approvers=["luke@example.edu", "Leia@Example.edu"])
LUKE = Decider("p-luke", "Luke", ("luke@example.edu",), "webex", organisation="home")
LEIA = Decider("leia", "Leia", ("leia@example.edu",), "portal", username="leia")


def asked_for(account: str = "root", principal: str = "ada", emails: tuple[str, ...] = ()) -> ApprovalRequest:
    return replace(REQUEST, principal=principal, emails=emails, target=replace(REQUEST.target, account=account))


def verdict(
    decider: Decider = LUKE,
    request: ApprovalRequest = REQUEST,
    rule: ApprovalRule | None = RULE,
    moment: Moment = AT_ONCE,
) -> RefusedPress | None:
    return may_decide(request, rule, decider, moment, HOME)


def test_an_approver_may_decide_in_webex_and_on_our_page() -> None:
    assert verdict(LUKE) is None
    assert verdict(LEIA) is None


def test_any_address_of_an_approver_counts_in_upper_case_too() -> None:
    luke = replace(LUKE, emails=("jedi@example.edu", " LUKE@Example.EDU "))
    assert verdict(luke) is None
    assert luke.approver_address(RULE) == "luke@example.edu"


def test_somebody_else_may_not() -> None:
    assert verdict(replace(LUKE, emails=("han@example.edu",))) == "not_an_approver"
    assert verdict(replace(LUKE, emails=())) == "not_an_approver"
    assert verdict(replace(LEIA, emails=("leia@example.edu.evil.example",))) == "not_an_approver"


def test_who_was_removed_from_the_list_may_not() -> None:
    assert verdict(LUKE, rule=ApprovalRule(approvers=["leia@example.edu"])) == "not_an_approver"


@pytest.mark.parametrize("kind", ["bot", "appuser", "", "Person"])
def test_only_a_person_decides(kind: str) -> None:
    assert verdict(replace(LUKE, kind=kind)) == "not_a_person"


@pytest.mark.parametrize("organisation", ["elsewhere", "", "HOME"])
def test_people_of_another_organisation_may_not(organisation: str) -> None:
    assert verdict(replace(LUKE, organisation=organisation)) == "other_organisation"


def test_without_an_organisation_that_counts_nobody_decides_in_webex() -> None:
    assert may_decide(REQUEST, RULE, LUKE, AT_ONCE) == "other_organisation"
    assert may_decide(REQUEST, RULE, LEIA, AT_ONCE) is None


def test_without_a_rule_there_is_nothing_to_decide() -> None:
    assert verdict(LUKE, rule=None) == "service_gone"


def test_some_requests_are_decided_on_our_page_only() -> None:
    rule = ApprovalRule(approvers=["luke@example.edu", "leia@example.edu"], approve_in="portal")
    assert verdict(LUKE, rule=rule) == "portal_only"
    assert verdict(LEIA, rule=rule) is None
    assert verdict(replace(LUKE, emails=("han@example.edu",)), rule=rule) == "not_an_approver"


class TestOneself:
    """Nobody decides about their own request."""

    def decides(self, request: ApprovalRequest, decider: Decider) -> bool:
        rule = ApprovalRule(approvers=[*RULE.approvers, "ada@example.edu"])
        ours = replace(decider, emails=(*decider.emails, "leia@example.edu"))
        assert is_oneself(request, decider) == is_oneself(request, ours)
        return may_decide(request, rule, ours, AT_ONCE, HOME) != "oneself"

    @pytest.mark.parametrize("email", ["ada@example.edu", "A.Lovelace@Example.EDU"])
    def test_by_any_address(self, email: str) -> None:
        assert not self.decides(REQUEST, replace(LUKE, emails=("countess@example.org", email)))
        assert not self.decides(REQUEST, replace(LEIA, username="countess", emails=(email,)))

    @pytest.mark.parametrize("username", ["ada", "ADA", "\uff21da", " ada ", "a\u0301da"])
    def test_by_the_user_name_however_it_is_written(self, username: str) -> None:
        assert not self.decides(REQUEST, replace(LEIA, username=username))

    def test_in_webex_by_the_name_in_the_address_where_the_directory_has_none(self) -> None:
        request = asked_for(emails=())
        assert not self.decides(request, replace(LUKE, emails=("ada@example.edu",)))
        assert not self.decides(asked_for(principal="ada@corp.example.edu"), replace(LUKE, emails=("ada@example.edu",)))
        assert self.decides(request, LUKE)

    def test_on_our_page_another_person_with_such_an_address_decides(self) -> None:
        assert self.decides(REQUEST, replace(LEIA, emails=("ada@elsewhere.example",)))

    def test_where_the_user_name_is_an_address(self) -> None:
        request = asked_for(principal="ada@example.edu")
        assert not self.decides(request, replace(LUKE, emails=("ADA@example.edu",)))
        assert self.decides(request, replace(LEIA, username="ada@example.org"))

    @pytest.mark.parametrize("account", ["luke", "Luke", "EXAMPLE\\luke", "luke@corp.example.edu"])
    def test_nor_about_access_to_their_own_account(self, account: str) -> None:
        assert not self.decides(asked_for(account), LUKE)
        assert not self.decides(asked_for(account), replace(LEIA, username="luke"))

    def test_nor_to_an_account_that_is_one_of_their_addresses(self) -> None:
        assert not self.decides(asked_for("skywalker@example.edu"), replace(LUKE, emails=("skywalker@example.edu",)))

    @pytest.mark.parametrize("account", ["root", "Administrator", "CORP\\Administrator", "oracle", ""])
    def test_accounts_of_nobody_are_nobodys(self, account: str) -> None:
        email = f"{account.lower().rpartition(chr(92))[2] or 'luke'}@example.org"
        assert self.decides(asked_for(account), replace(LUKE, emails=(email,)))

    def test_an_address_without_a_name_is_like_no_other(self) -> None:
        assert self.decides(asked_for(account="", principal="@"), replace(LUKE, emails=("@example.edu",)))


class TestTime:
    """Before it expires, or shortly after by a button that was pressed before."""

    @pytest.mark.parametrize(
        ("now", "pressed", "expected"),
        [
            (-1.0, -1.0, True),
            (-1.0, 5.0, True),  # Webex's clock is ahead of ours.
            (0.0, -0.001, True),
            (0.0, 0.0, False),
            (1.0, 0.5, False),
            (GRACE - 1, -1.0, True),
            (GRACE, -1.0, False),
            (10 * GRACE, -1.0, False),
        ],
    )
    def test_limits(self, now: float, pressed: float, expected: bool) -> None:
        moment = Moment(REQUEST.expires + now, REQUEST.expires + pressed)
        assert in_time(REQUEST, moment) == expected
        assert verdict(moment=moment) == (None if expected else "too_late")

    @pytest.mark.parametrize(
        ("expires", "now", "pressed", "expected"),
        [
            (0.0, -1.0, -1.0, True),
            (0.0, 0.0, -1.0, False),
            (0.0, 600.0, -1.0, False),
            (-60.0, -1.0, -61.0, True),
            (-60.0, 0.0, -61.0, False),
            (60.0, 0.0, -1.0, False),
        ],
    )
    def test_never_when_what_was_asked_for_is_over(
        self, expires: float, now: float, pressed: float, expected: bool
    ) -> None:
        request = replace(REQUEST, expires=REQUEST.end + expires)
        moment = Moment(REQUEST.end + now, REQUEST.end + pressed)
        assert in_time(request, moment) == expected
        assert verdict(request=request, moment=moment) == (None if expected else "too_late")


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("approved", "already_decided"),
        ("rejected", "already_decided"),
        ("cancelled", "already_decided"),
        ("expired", "too_late"),
    ],
)
def test_what_is_over_is_not_decided_again(state: State, expected: RefusedPress) -> None:
    assert verdict(request=replace(REQUEST, state=state)) == expected


def test_who_may_not_decide_is_not_told_what_was_decided() -> None:
    decision = Decision("approved", "leia@example.edu", "Leia", "p-leia", "webex", NOW)
    decided = replace(REQUEST, state="approved", decision=decision)
    assert verdict(replace(LUKE, emails=("han@example.edu",)), decided) == "not_an_approver"
    assert verdict(replace(LUKE, emails=("luke@example.edu", "ada@example.edu")), decided) == "oneself"


@given(
    st.lists(st.text(max_size=20), max_size=3),
    st.text(max_size=20),
    st.sampled_from(["webex", "portal"]),
    st.text(max_size=10),
)
def test_nobody_made_up_may_decide(emails: list[str], name: str, via: str, organisation: str) -> None:
    somebody = Decider("x", name, tuple(emails), via, username=name, organisation=organisation)  # type: ignore[arg-type]
    assert verdict(somebody) in ("other_organisation", "not_an_approver")
