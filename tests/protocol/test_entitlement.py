"""Who may use a service as far as Duo goes, after the login: at validation, and at /proxy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casduo.mfa.policy import owed
from casduo.mfa.strength import DUO_BYPASS, NO_STRENGTH, UNAVAILABLE, UNENROLLED, Strength
from casduo.mfa.terms import DuoDefaults, DuoTerms
from casduo.protocol.entitlement import DuoStanding, EntitlementRules, check_duo, decide_duo
from casduo.protocol.errors import InvalidAuthenticationContext
from casduo.services.model import RegisteredService
from casduo.tickets.model import TicketGrantingTicket

NOW = 1_800_000_000.0
HOUR, DAY = 3600.0, 86_400.0
ADA = TicketGrantingTicket("ada", {"groups": ("students",)}, "users_file", NOW, address="192.0.2.7")
MAIN = DuoTerms(accept_allow=False)
CONFIRMED = DuoStanding(required=True, confirmed=True)


def rules(main: DuoTerms = MAIN, **applications: DuoTerms) -> EntitlementRules:
    return EntitlementRules(("groups",), DuoDefaults(main, applications))


def entry(**rule: Any) -> RegisteredService:
    return RegisteredService.model_validate(
        {"id": "payroll", "name": "Payroll", "url": "https://payroll.example.edu/**", "requires_duo": rule or True}
    )


def standing(
    strength: Strength, service: RegisteredService | None = None, said: EntitlementRules | None = None, **more: bool
) -> DuoStanding:
    session = replace(ADA, strength=strength)
    return check_duo(service or entry(), session, session.address, NOW, said or rules(), **more)


def refused(
    strength: Strength, service: RegisteredService | None = None, said: EntitlementRules | None = None, **more: bool
) -> str:
    with pytest.raises(InvalidAuthenticationContext) as caught:
        standing(strength, service, said, **more)
    return caught.value.why


BOTH = pytest.mark.parametrize("fresh", [False, True], ids=["validation", "proxy"])


class TestRealDuo:
    @BOTH
    def test_a_password_alone_is_not_enough(self, fresh: bool) -> None:
        assert refused(NO_STRENGTH, fresh=fresh) == "the service requires Duo, but the session has only a password"

    @BOTH
    def test_duo_is(self, fresh: bool) -> None:
        assert standing(Strength.duo("push", NOW - 8 * HOUR), fresh=fresh) == CONFIRMED

    def test_its_age_was_looked_at_by_the_login_that_the_ticket_comes_from(self) -> None:
        service = entry(max_age="1h")
        assert standing(Strength.duo("push", NOW - HOUR - 1), service) == CONFIRMED
        # A proxy ticket comes from no login.
        refused(Strength.duo("push", NOW - HOUR - 1), service, fresh=True)

    @BOTH
    def test_a_rule_that_names_an_application_wants_duo_by_that_one(self, fresh: bool) -> None:
        said = rules(hr=DuoTerms("hr", accept_allow=False))
        service = entry(application="hr")
        assert standing(Strength.duo("push", NOW, "hr"), service, said, fresh=fresh) == CONFIRMED
        for other in ("", "lab"):
            why = refused(Strength.duo("push", NOW, other), service, said, fresh=fresh)
            assert why == "the service requires Duo, but the session's Duo is not by the Duo application hr"

    @BOTH
    def test_other_rules_take_duo_by_any_application(self, fresh: bool) -> None:
        assert standing(Strength.duo("push", NOW, "hr"), fresh=fresh) == CONFIRMED

    def test_where_nothing_is_required_it_is_confirmed_all_the_same(self) -> None:
        free = entry(when={"groups": "staff"})
        assert standing(Strength.duo("push", NOW), free) == DuoStanding(confirmed=True)
        assert standing(NO_STRENGTH, free) == DuoStanding()

    def test_what_is_not_good_enough_for_the_service_is_not_confirmed_even_where_nothing_is_required(self) -> None:
        said = rules(hr=DuoTerms("hr"))
        assert (
            standing(Strength.duo("push", NOW), entry(when={"groups": "staff"}, application="hr"), said)
            == DuoStanding()
        )
        old = Strength.duo("push", NOW - 2 * HOUR)
        assert standing(old, entry(when={"groups": "staff"}, max_age="1h")) == DuoStanding()


class TestTrustedBrowser:
    TRUST = rules(replace(MAIN, trusted_browser=30 * DAY))

    @BOTH
    def test_counts_for_as_long_as_the_settings_say(self, fresh: bool) -> None:
        assert standing(Strength.trusted(NOW - 30 * DAY), entry(), self.TRUST, fresh=fresh) == CONFIRMED
        refused(Strength.trusted(NOW - 30 * DAY - 1), entry(), self.TRUST, fresh=fresh)
        refused(Strength.trusted(NOW), entry(), rules(), fresh=fresh)

    @BOTH
    def test_a_service_may_take_it_for_a_shorter_time_or_not_at_all(self, fresh: bool) -> None:
        week = entry(trusted_browser="7d")
        assert standing(Strength.trusted(NOW - 7 * DAY), week, self.TRUST, fresh=fresh) == CONFIRMED
        refused(Strength.trusted(NOW - 7 * DAY - 1), week, self.TRUST, fresh=fresh)
        refused(Strength.trusted(NOW), entry(trusted_browser=False), self.TRUST, fresh=fresh)

    def test_counts_for_its_application(self) -> None:
        said = rules(MAIN, hr=replace(MAIN, application="hr", trusted_browser=DAY))
        assert standing(Strength.trusted(NOW, "hr"), entry(application="hr"), said) == CONFIRMED
        refused(Strength.trusted(NOW), entry(application="hr"), said)

    def test_is_not_confirmed_for_a_service_that_does_not_take_it(self) -> None:
        free = entry(when={"groups": "staff"}, trusted_browser=False)
        assert standing(Strength.trusted(NOW), free, self.TRUST) == DuoStanding()


class TestBypasses:
    @BOTH
    def test_unavailable_is_good_for_services_that_fail_open(self, fresh: bool) -> None:
        mark = Strength.bypassed(UNAVAILABLE, NOW)
        assert standing(mark, entry(fail="open"), fresh=fresh) == DuoStanding(required=True, why=UNAVAILABLE)
        assert standing(mark, entry(), rules(replace(MAIN, fail="open")), fresh=fresh).bypassed
        refused(mark, entry(), fresh=fresh)
        refused(mark, entry(fail="closed"), rules(replace(MAIN, fail="open")), fresh=fresh)

    @BOTH
    def test_the_application_has_a_say_between_entry_and_settings(self, fresh: bool) -> None:
        said = rules(MAIN, hr=DuoTerms("hr", fail="open"))
        mark = Strength.bypassed(UNAVAILABLE, NOW)
        assert standing(mark, entry(application="hr"), said, fresh=fresh).bypassed
        refused(mark, entry(application="hr", fail="closed"), said, fresh=fresh)

    @BOTH
    def test_let_pass_by_duo_is_good_where_that_is_accepted(self, fresh: bool) -> None:
        mark = Strength.bypassed(DUO_BYPASS, NOW)
        accepting = rules(replace(MAIN, accept_allow=True))
        assert standing(mark, entry(), accepting, fresh=fresh) == DuoStanding(required=True, why=DUO_BYPASS)
        refused(mark, entry(), rules(), fresh=fresh)

    @BOTH
    def test_without_a_device_is_good_while_the_mode_is_optional(self, fresh: bool) -> None:
        mark = Strength.bypassed(UNENROLLED, NOW)
        assert standing(mark, entry(mode="optional"), fresh=fresh) == DuoStanding(required=True, why=UNENROLLED)
        refused(mark, entry(), fresh=fresh)
        over = {"optional": "2026-01-01", "required": "2027-01-01"}
        refused(mark, entry(mode=over), fresh=fresh)
        assert standing(mark, entry(mode="report"), fresh=fresh) == DuoStanding()

    @BOTH
    def test_a_bypass_for_no_known_reason_is_good_for_nothing(self, fresh: bool) -> None:
        generous = rules(DuoTerms(fail="open", trusted_browser=DAY))
        refused(Strength.bypassed("", NOW), entry(mode="optional"), generous, fresh=fresh)

    def test_at_proxy_a_bypass_ages_as_duo_does(self) -> None:
        service, said = entry(max_age="1h"), rules(DuoTerms(accept_allow=True))
        assert standing(Strength.bypassed(DUO_BYPASS, NOW - HOUR), service, said, fresh=True).bypassed
        refused(Strength.bypassed(DUO_BYPASS, NOW - HOUR - 1), service, said, fresh=True)

    def test_at_proxy_an_outage_is_an_excuse_for_minutes(self) -> None:
        service = entry(fail="open")
        assert standing(Strength.bypassed(UNAVAILABLE, NOW - 300), service, fresh=True).bypassed
        refused(Strength.bypassed(UNAVAILABLE, NOW - 301), service, fresh=True)
        assert standing(Strength.bypassed(UNAVAILABLE, NOW - HOUR), service).bypassed

    def test_beside_an_older_duo_that_stayed_it_is_told_and_opens_what_it_may(self) -> None:
        old = Strength.duo("push", NOW - 9 * HOUR).after_bypass(UNAVAILABLE, NOW)
        assert standing(old, entry(fail="open", max_age="8h")) == DuoStanding(required=True, why=UNAVAILABLE)
        # For who takes the older one nothing has changed.
        assert standing(old, entry(max_age="12h")) == CONFIRMED
        said = rules(MAIN, hr=DuoTerms("hr", fail="open"))
        assert standing(old, entry(application="hr"), said) == DuoStanding(required=True, why=UNAVAILABLE)
        refused(old, entry(application="hr", fail="closed"), said)

    def test_beside_an_older_duo_it_is_as_old_as_it_is_by_itself(self) -> None:
        service, said = entry(max_age="1h"), rules(DuoTerms(accept_allow=True))
        old = Strength.duo("push", NOW - 9 * HOUR)
        assert standing(old.after_bypass(DUO_BYPASS, NOW - HOUR), service, said, fresh=True).bypassed
        refused(old.after_bypass(DUO_BYPASS, NOW - HOUR - 1), service, said, fresh=True)
        assert standing(old.after_bypass(UNAVAILABLE, NOW - 300), entry(fail="open"), fresh=True).confirmed
        soon = entry(fail="open", max_age="8h")
        assert standing(old.after_bypass(UNAVAILABLE, NOW - 300), soon, fresh=True).bypassed
        refused(old.after_bypass(UNAVAILABLE, NOW - 301), soon, fresh=True)


MARKS = st.builds(
    Strength,
    st.sampled_from(["none", "bypassed", "trusted", "duo"]),
    st.just("push"),
    st.floats(NOW - 40 * DAY, NOW + 30),
    st.sampled_from(["", UNAVAILABLE, DUO_BYPASS, UNENROLLED]),
    st.sampled_from(["", "hr"]),
)
SERVICES = st.fixed_dictionaries(
    {},
    optional={
        "max_age": st.sampled_from(["1h", "8h"]),
        "fail": st.sampled_from(["open", "closed"]),
        "mode": st.sampled_from(["required", "optional", "report"]),
        "application": st.just("hr"),
        "trusted_browser": st.sampled_from([False, "7d", "30d"]),
        "when": st.sampled_from([{"groups": "staff"}, {"groups": "students"}]),
    },
).map(lambda rule: entry(**rule))
TERMS = st.builds(
    DuoTerms,
    fail=st.sampled_from(["open", "closed"]),
    accept_allow=st.booleans(),
    trusted_browser=st.sampled_from([0.0, 30 * DAY]),
)


@settings(deadline=None, max_examples=300)
@given(MARKS, SERVICES, TERMS)
def test_whoever_a_login_does_not_ask_is_not_shut_out_afterwards(
    mark: Strength, service: RegisteredService, terms: DuoTerms
) -> None:
    said = rules(terms, hr=terms)
    decision = decide_duo(service, ADA.attributes, ADA.address, mark, NOW, said)
    try:
        told = standing(mark, service, said)
    except InvalidAuthenticationContext:
        assert decision.owed
        return
    assert told.required == decision.required
    assert not (told.confirmed and mark.level in ("none", "bypassed"))
    if not decision.lack:
        assert told.confirmed
    # What is good enough where nobody could be asked is good enough for a ticket.
    assert decision.owed or standing(mark, service, said, fresh=True) == told


@settings(deadline=None, max_examples=300)
@given(MARKS, SERVICES, TERMS)
def test_a_proxy_gets_nowhere_where_a_ticket_would_not(
    mark: Strength, service: RegisteredService, terms: DuoTerms
) -> None:
    said = rules(terms, hr=terms)
    try:
        standing(mark, service, said, fresh=True)
    except InvalidAuthenticationContext:
        return
    standing(mark, service, said)


@settings(deadline=None)
@given(MARKS, SERVICES)
def test_a_decision_is_the_policys(mark: Strength, service: RegisteredService) -> None:
    terms = DuoTerms(trusted_browser=30 * DAY)
    said = rules(terms, hr=terms)
    theirs = said.duo.terms(service.duo_rule).trusted_browser
    policy = owed(
        service.duo_rule, ADA.attributes, ADA.address, mark, NOW, group_attributes=("groups",), trusted_browser=theirs
    )
    assert decide_duo(service, ADA.attributes, ADA.address, mark, NOW, said) == policy
