"""Services of phones, explained: who gets in, with what, from which phones, and by which settings."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from casduo.explanation import Explanation, Person, as_text, stores_for
from casduo.explanation.model import Phone, State
from tests.explanation.telling import CAMPUS, DUO, GRACE, HOME, entry, made, of, told

EM = "https://sso.example.edu/em/"
UCM: dict[str, Any] = {"axl": {"servers": "ucm1", "username": "a", "password": "b"}}
EM_API: dict[str, Any] = {**UCM, "em": {"servers": "ucm1", "username": "c", "password": "d"}}
ADA = Person(
    "ada", {"userid": ("ada",), "department": ("Ward 3",), "emProfile": ("ada-ward", "ada-desk")}, "pins", judged=False
)
EDSGER = Person("edsger", {"userid": ("edsger",)}, "pins", judged=False)


def on_phone(url: str = EM, ucm: dict[str, Any] = UCM, **more: Any) -> Explanation:
    """Explain an entry for phones. ``entry`` and ``phones`` are keys of those two, the rest is for ``explain``."""
    keys, phones = more.pop("entry", {}), more.pop("phones", {})
    settings = made(ucm=ucm, phones=phones, **more.pop("settings", {}))
    return told(entry("em", f"{EM}**", channel="phone", **keys), url=url, settings=settings, **more)


def phone_of(explanation: Explanation) -> Phone:
    phone = of(explanation).phone
    assert phone is not None
    return phone


def section(explanation: Explanation, title: str) -> list[str]:
    lines = as_text(explanation).splitlines()
    start = next(at for at, line in enumerate(lines) if line.startswith(title))
    return [line.strip() for line in lines[start + 1 : [*lines, ""].index("", start)]]


def meaning(explanation: Explanation, name: str) -> str:
    (value,) = (value for value in phone_of(explanation).values if value.name == f"phones.{name}")
    return value.meaning


# -- who gets in -----------------------------------------------------------------------------------------------------


def test_a_pin_is_enough_where_no_duo_is_required() -> None:
    explanation = on_phone(person=ADA)
    assert (explanation.verdict, explanation.sentence) == ("pin", "ada gets into Em with the PIN alone.")


def test_a_pin_and_duo() -> None:
    explanation = on_phone(person=ADA, entry={"requires_duo": True})
    assert (explanation.verdict, explanation.sentence) == ("duo", "ada gets into Em with the PIN and Duo.")
    assert of(explanation).duo.reasons == ("the service requires Duo", "the session has only a PIN")


def test_duo_of_those_who_have_a_device() -> None:
    explanation = on_phone(person=ADA, entry={"requires_duo": {"mode": "optional"}})
    assert explanation.verdict == "duo_optional"
    assert explanation.sentence == "ada gets into Em with the PIN, and Duo if there is a device."


def test_duo_that_is_only_reported() -> None:
    explanation = on_phone(person=ADA, entry={"requires_duo": {"mode": "report"}})
    assert explanation.verdict == "pin"
    assert explanation.sentence.endswith("the PIN alone; that Duo would be required is only reported.")


def test_whoever_comes() -> None:
    explanation = on_phone()
    assert (explanation.verdict, explanation.sentence) == ("pin", "Whoever signs in gets into Em with the PIN alone.")
    assert phone_of(explanation).profiles == ()


def test_duo_that_depends_on_the_address() -> None:
    rule = {"when": {"networks": ["10.0.0.0/8"]}}
    explanation = on_phone(person=ADA, entry={"requires_duo": rule})
    assert explanation.verdict == "depends"
    assert explanation.sentence == ("ada gets into Em with the PIN; whether Duo is asked for depends on the address.")
    assert on_phone(person=ADA, entry={"requires_duo": rule}, address=HOME).verdict == "pin"


def test_without_a_profile_nobody_gets_in() -> None:
    explanation = on_phone(person=EDSGER)
    assert explanation.verdict == "refused"
    assert explanation.sentence == "edsger is refused by Em: the person needs a profile at the UCM (edsger has none)."


@pytest.mark.parametrize(
    ("person", "state"),
    [
        (ADA, "met"),
        (EDSGER, "not met"),
        (Person("grace", {"emProfile": ("grace-ward",)}), "met"),
        (Person("grace", {"department": ("Ward 3",)}), None),
    ],
)
def test_profiles_of_people_who_are_made_up_are_not_missed(person: Person, state: State | None) -> None:
    assert [condition.state for condition in phone_of(on_phone(person=person)).profiles] == ([state] if state else [])


def test_access_rules_go_by_what_the_ucm_tells() -> None:
    rule = {"access": {"attributes": {"department": ["Ward 4"]}}}
    explanation = on_phone(person=ADA, entry=rule)
    assert explanation.sentence == "ada is refused by Em: attribute department must be Ward 4 (it is Ward 3)."
    # Somebody without a profile is told about the rule, which is looked at first.
    assert "department" in on_phone(person=EDSGER, entry=rule).sentence


def test_a_service_that_is_switched_off() -> None:
    explanation = on_phone(person=ADA, entry={"enabled": False})
    assert explanation.verdict == "disabled"


def test_somebody_without_a_mail_address_where_that_is_the_name() -> None:
    explanation = on_phone(person=replace(ADA, refusal="not_permitted_now"))
    assert explanation.verdict == "no_sign_in"
    assert explanation.sentence.startswith("ada cannot sign in: UCM has no mail address for this person")


def test_a_name_that_would_be_missing_keeps_people_out() -> None:
    explanation = on_phone(person=ADA, entry={"username_attribute": "mail"})
    assert (explanation.verdict, "attribute mail has no value" in explanation.sentence) == ("refused", True)


def test_a_login_page_is_no_way_to_a_phone() -> None:
    login = f"https://sso.example.edu/cas/login?service={EM}&authn_method=mfa-duo"
    explanation = on_phone(login, person=ADA, settings={"duo": DUO | {"request_parameter": "authn_method"}})
    assert explanation.verdict == "phone"
    assert of(explanation).duo.state == "not met"


# -- which phones ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("url", [EM, "https://sso.example.edu/em", f"{EM}?device=#DEVICENAME#"])
def test_an_address_without_a_phone_is_about_all_of_them(url: str) -> None:
    explanation = on_phone(url)
    assert phone_of(explanation).conditions == ()
    assert phone_of(explanation).base == "https://sso.example.edu/em"
    assert phone_of(explanation).service_url == "https://sso.example.edu/em/?device=#DEVICENAME#"


@pytest.mark.parametrize(
    ("address", "state"),
    [
        ("SEP001122334455/", "met"),
        ("sep001122334455/login", "met"),
        ("?device=SEP001122334455", "met"),
        ("SEP00112233445/", "not met"),
        ("CSFADA/", "not met"),
        ("?device=x", "not met"),
    ],
)
def test_a_phone_in_the_address_is_looked_at(address: str, state: State) -> None:
    [condition] = phone_of(on_phone(f"{EM}{address}")).conditions
    assert (condition.kind, condition.state) == ("device", state)


def test_a_phone_that_may_not_be_one_is_the_first_reason() -> None:
    explanation = on_phone(f"{EM}CSFADA/", person=EDSGER, entry={"access": {"attributes": {"department": "W"}}})
    assert explanation.sentence == (
        "edsger is refused by Em: the name of the phone must match SEP[0-9A-F]{12} (it is CSFADA)."
    )
    assert on_phone(f"{EM}CSFADA/", phones={"device_names": "CSF[A-Z]+"}).verdict == "pin"


@pytest.mark.parametrize(
    ("address", "state", "verdict"),
    [(CAMPUS, "met", "pin"), (HOME, "not met", "refused"), (None, "depends", "depends")],
)
def test_phones_are_in_their_networks(address: str | None, state: State, verdict: str) -> None:
    explanation = on_phone(phones={"networks": "10.0.0.0/8"}, address=address, person=ADA)
    assert [condition.state for condition in phone_of(explanation).conditions] == [state]
    assert explanation.verdict == verdict


# -- by which settings -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "stores"), [([], ("pins",)), (["pins"], ("pins",)), (["local"], ()), (["local", "pins"], ("pins",))]
)
def test_pins_are_checked_by_handlers_for_pins(names: list[str], stores: tuple[str, ...]) -> None:
    assert stores_for(entry(channel="phone", authentication=names), made()) == stores


@pytest.mark.parametrize(("names", "stores"), [([], ("local",)), (["pins"], ()), (["local", "pins"], ("local",))])
def test_passwords_are_checked_by_the_others(names: list[str], stores: tuple[str, ...]) -> None:
    assert stores_for(entry(authentication=names), made()) == stores


@pytest.mark.parametrize(
    ("elsewhere", "axl", "api"),
    [
        ("ucm", "are refused: AXL has no rule", "UCM decides"),
        ("allow", "may be logged in at several phones", "as far as UCM allows it"),
        ("refuse", "are refused", "are refused"),
        ("move", "are logged out there", "are logged out there"),
    ],
)
def test_what_becomes_of_people_elsewhere_depends_on_the_back_end(elsewhere: str, axl: str, api: str) -> None:
    phones = {"elsewhere": elsewhere}
    assert axl in meaning(on_phone(phones=phones), "elsewhere")
    assert api in meaning(on_phone(phones=phones, ucm=EM_API), "elsewhere")


def test_who_ends_logins_depends_on_the_back_end() -> None:
    phones = {"login_lifetime": "12h"}
    assert "by casduo's worker" in meaning(on_phone(phones=phones), "login_lifetime")
    assert "by UCM" in meaning(on_phone(phones=phones, ucm=EM_API), "login_lifetime")
    assert meaning(on_phone(), "login_lifetime") == "no login is ended by its age"


def test_every_setting_has_a_meaning_and_says_where_it_comes_from() -> None:
    phones = {
        "other_user": "take_over",
        "profiles": "default",
        "no_profile": "after_duo",
        "logout_pin": True,
        "clear_call_history": True,
        "show_occupant": False,
        "address_binding": "network",
    }
    values = {value.name: value for value in phone_of(on_phone(phones=phones)).values}
    assert {name for name, value in values.items() if value.origin == "settings"} == {
        "ucm",
        *(f"phones.{name}" for name in phones),
    }
    assert all(value.meaning for value in values.values())
    assert values["phones.address_binding"].text == "network"
    assert values["phones.show_occupant"].meaning == "a phone in use does not tell by whom"


def test_a_registered_address_binds_exactly() -> None:
    ris = {"servers": "ucm1", "username": "e", "password": "f"}
    phones = {"registered_address": "require", "address_binding": "off"}
    values = {value.name: value.text for value in phone_of(on_phone(phones=phones, ucm=UCM | {"ris": ris})).values}
    assert (values["phones.registered_address"], values["phones.address_binding"]) == ("require", "exact")


def test_limits_stop_short_of_the_ucms_own() -> None:
    limits = {value.name: value for value in phone_of(on_phone()).limits}
    assert {name: value.text for name, value in limits.items()} == {
        "person": "2 within 31m",
        "pair": "3 within 5m",
        "phone": "20 within 15m",
        "address": "200 within 15m",
    }
    assert limits["person"].meaning == (
        "at all phones together, then closed for 31m; UCM itself locks people out after 3 within 30m"
    )
    assert {value.origin for value in limits.values()} == {"default"}


def test_limits_follow_the_settings() -> None:
    explanation = on_phone(
        ucm={**UCM, "lockout_failures": 5, "lockout_window": "1h"},
        phones={"device_failures": 50},
        settings={"throttling": {"login_address": {"failures": 30}}},
    )
    limits = {value.name: (value.text, value.origin) for value in phone_of(explanation).limits}
    assert limits == {
        "person": ("4 within 1h1m", "settings"),
        "pair": ("3 within 5m", "default"),
        "phone": ("50 within 15m", "settings"),
        "address": ("30 within 15m", "settings"),
    }


def test_duo_is_asked_as_phones_can() -> None:
    rule = {"prompt": "universal", "trusted_browser": "30d", "fail": "open", "max_age": "8h"}
    duo = DUO | {"request_parameter": "authn_method", "trusted_browser": "30d"}
    explanation = on_phone(
        entry={"requires_duo": rule, "enrollment_url": "https://kb.example.edu/duo"}, settings={"duo": duo}
    )
    values = {value.name: value for value in of(explanation).duo.values}
    assert [(name, value.text) for name, value in values.items()] == [
        ("mode", "required"),
        ("application", ""),
        ("prompt", "push"),
        ("fail", "open"),
        ("accept_preauth_allow", "yes"),
        ("trusted_browser", "no"),
        ("unenrolled", "refuse"),
    ]
    assert values["fail"].meaning == "while Duo cannot be reached the PIN is enough"
    assert of(on_phone(settings={"duo": duo})).duo.values == ()


# -- as text ---------------------------------------------------------------------------------------------------------


def test_the_text_has_what_concerns_phones_and_nothing_else() -> None:
    explanation = on_phone(f"{EM}SEP001122334455/", person=ADA, entry={"requires_duo": True})
    assert section(explanation, "Sign-in") == [
        "PIN      checked by pins",
        "session  none is kept: the PIN is asked at each login",
    ]
    assert section(explanation, "Phone") == [
        "answers at   https://sso.example.edu/em/",
        "service URL  https://sso.example.edu/em/?device=#DEVICENAME#",
        "met          the name of the phone must match SEP[0-9A-F]{12}  it is SEP001122334455",
    ]
    assert section(explanation, "Profiles") == [
        "met  the person needs a profile at the UCM  ada has ada-ward, ada-desk"
    ]
    text = as_text(explanation)
    assert "Wrong PINs that are let through\n  person" in text
    for title in ("The application is told", "How it is answered", "Proxying", "Sign-out", "Answer of"):
        assert f"\n{title}" not in text


def test_duo_is_not_asked_of_who_is_refused() -> None:
    title = "Duo: required; not asked for, as people are refused before"
    assert title in as_text(on_phone(person=EDSGER, entry={"requires_duo": True}))
    assert title in as_text(on_phone(f"{EM}x/", person=ADA, entry={"requires_duo": True}))
    assert title not in as_text(on_phone(person=ADA, entry={"requires_duo": True}))


def test_an_entry_for_browsers_has_nothing_of_phones() -> None:
    explanation = told(person=GRACE)
    assert of(explanation).phone is None
    assert "PIN" not in as_text(explanation)
