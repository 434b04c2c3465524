"""How Duo is asked for a service: its own rule, then its Duo application, then the settings."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casduo.mfa.terms import DuoDefaults, DuoTerms, duo_defaults
from casduo.services.model import DuoRule
from casduo.settings import DuoSettings

KEYS: dict[str, Any] = {
    "api_host": "api-12345678.duosecurity.com",
    "universal": {"client_id": "DI01234567890123456X", "client_secret": "0123456789012345678901234567890123456789"},
}
DAY = 86_400.0


def rule(**keys: Any) -> DuoRule:
    return DuoRule.model_validate(keys)


def defaults(**keys: Any) -> DuoDefaults:
    return duo_defaults(DuoSettings.model_validate(KEYS | keys))


def test_without_duo_nobody_is_let_pass() -> None:
    terms = duo_defaults(None).terms(None)
    assert terms == DuoTerms(fail="closed", accept_allow=False, trusted_browser=0.0)


def test_what_nobody_says_is_cautious() -> None:
    assert defaults().terms(rule()) == DuoTerms("", "universal", "closed", True, 0.0, "")


def test_the_settings_hold_where_the_rule_says_nothing() -> None:
    said = defaults(
        prompt="push",
        fail="open",
        accept_preauth_allow=False,
        trusted_browser="30d",
        enrollment_url="https://kb.example.edu/duo",
    )
    terms = DuoTerms("", "push", "open", False, 30 * DAY, "https://kb.example.edu/duo")
    assert said.terms(None) == said.terms(rule()) == terms


def test_the_rule_goes_before_everything() -> None:
    said = defaults(prompt="push", fail="open", trusted_browser="30d")
    own = said.terms(rule(prompt="universal", fail="closed", trusted_browser="7d"))
    assert (own.prompt, own.fail, own.trusted_browser) == ("universal", "closed", 7 * DAY)
    assert said.terms(rule(trusted_browser=False)).trusted_browser == 0


def test_an_application_goes_between_rule_and_settings() -> None:
    said = defaults(
        trusted_browser="30d",
        applications={
            "hr": {
                "prompt": "push",
                "fail": "open",
                "accept_preauth_allow": False,
                "trusted_browser": False,
                "enrollment_url": "https://kb.example.edu/hr",
            },
            "lab": {},
        },
    )
    assert said.terms(rule(application="hr")) == DuoTerms("hr", "push", "open", False, 0.0, "https://kb.example.edu/hr")
    assert said.terms(rule(application="hr", fail="closed", trusted_browser="1d")).trusted_browser == DAY
    assert said.terms(rule(application="lab")) == DuoTerms("lab", trusted_browser=30 * DAY)
    assert said.terms(rule()).application == ""


def test_an_application_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError):
        defaults().terms(rule(application="hr"))


FAIL = st.sampled_from(["open", "closed"])


@settings(deadline=None)
@given(st.none() | FAIL, st.none() | FAIL, st.none() | FAIL)
def test_the_first_who_says_something_has_the_say(own: str | None, of: str | None, general: str | None) -> None:
    said = defaults(applications={"hr": {"fail": of}}, **({"fail": general} if general else {}))
    expected = own or of or general or "closed"
    assert said.terms(rule(application="hr", fail=own)).fail == expected
