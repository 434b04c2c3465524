"""What a phone's headers tell of it."""

from __future__ import annotations

import pytest

from casduo.phone.models import Role, Traits, traits_of
from casduo.simulators.phone.presets import PRESETS
from tests.phone.pages import POST_MODELS, environ_of


def traits(model: str, accept_charset: str = "") -> Traits:
    environ = {"HTTP_X_CISCOIPPHONEMODELNAME": model, "HTTP_ACCEPT_CHARSET": accept_charset}
    return traits_of({name: value for name, value in environ.items() if value}, POST_MODELS)


@pytest.mark.parametrize(
    ("model", "posts"),
    [
        ("CP-7841", True),
        ("CP-7832", True),
        ("CP-8811", True),
        ("CP-8845", True),
        ("CP-8845NR", True),
        ("cp-8865", True),
        ("CP-8821", False),
        ("CP-8821-EX", False),
        ("CP-8875", False),
        ("CP-7965G", False),
        ("DP-9841", False),
        ("CP-6921", False),
        ("", False),
        ("XCP-8845", False),
    ],
)
def test_only_models_that_can_are_asked_to_post(model: str, posts: bool) -> None:
    assert traits(model).posts is posts


def test_no_model_posts_where_none_is_listed() -> None:
    assert not traits_of({"HTTP_X_CISCOIPPHONEMODELNAME": "CP-8845"}, ()).posts


@pytest.mark.parametrize("model", sorted(PRESETS))
def test_what_we_think_of_a_model_is_what_it_does(model: str) -> None:
    preset = PRESETS[model]
    found = traits_of(environ_of(preset), POST_MODELS)
    assert found.model == preset.model
    assert found.posts is preset.posts
    assert found.needs_prompt is preset.needs_prompt
    assert found.one_heading is preset.title_or_prompt
    assert found.has_input is ("CiscoIPPhoneInput" in preset.objects)
    assert found.charset in preset.charsets


@pytest.mark.parametrize("model", sorted(PRESETS))
def test_our_keys_are_where_the_phone_has_its_own(model: str) -> None:
    preset = PRESETS[model]
    places = traits_of(environ_of(preset), POST_MODELS).places
    own: dict[Role, str] = {"act": "Submit", "exit": "Exit"}
    if not preset.applications_key:
        own["update"] = "Update"
    assert {role: places[role] for role in own} == {role: preset.places[name] for role, name in own.items()}


def test_a_phone_that_tells_nothing_gets_what_every_phone_can_show() -> None:
    found = traits_of({}, POST_MODELS)
    assert found.model == ""
    assert (found.posts, found.needs_prompt, found.one_heading, found.has_input) == (False, True, False, True)
    assert found.charset == "utf-8"


@pytest.mark.parametrize("model", ["CP-840", "CP-860", "CP-840S", "cp-860s", "DP-860"])
def test_phones_without_forms_are_known(model: str) -> None:
    assert not traits(model).has_input


@pytest.mark.parametrize("model", ["CP-8845", "CP-8865", "CP-8400X"])
def test_other_phones_have_forms(model: str) -> None:
    assert traits(model).has_input


@pytest.mark.parametrize(
    ("accepted", "charset"),
    [
        ("", "utf-8"),
        ("utf-8,iso-8859-1;q=0.8", "utf-8"),
        ("iso-8859-1,utf-8;q=0.8", "utf-8"),
        ("ISO-8859-1, UTF-8;q=0.1", "utf-8"),
        ("*", "utf-8"),
        ("iso-8859-1", "iso-8859-1"),
        ("iso-8859-1, utf-8;q=0", "iso-8859-1"),
        ("iso-8859-1, utf-8;q=nought", "iso-8859-1"),
        ("shift_jis", "iso-8859-1"),
        (",;q=1,,", "utf-8"),
    ],
)
def test_utf8_goes_to_every_phone_that_takes_it(accepted: str, charset: str) -> None:
    assert traits("CP-7965G", accepted).charset == charset


def test_a_forged_model_is_cut_and_cleaned() -> None:
    assert traits("CP-88\r\n<b>é45" + "9" * 500).model == ("CP-88B45" + "9" * 500)[:32]
