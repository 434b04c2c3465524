"""The settings about Duo and enrolment: applications, secrets, limits, the environment, and what is warned of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from casduo.settings import DuoSettings, Settings, load_settings

Write = Callable[[str], Path]
Problems = Callable[..., dict[str, str]]

SECRET = "0123456789012345678901234567890123456789"
DAY = 86_400.0


@pytest.fixture
def duo_of(settings_file: Write, duo_section: str) -> Callable[..., DuoSettings]:
    """Read a section ``duo`` that has more lines, under the variables given, and return it."""

    def read(more: str = "", **environ: str) -> DuoSettings:
        settings = load_settings(settings_file(duo_section + more), environ)
        assert settings.duo is not None
        return settings.duo

    return read


def test_what_nobody_says(duo_of: Callable[..., DuoSettings]) -> None:
    duo = duo_of()
    assert (duo.trusted_browser, duo.request_parameter, duo.admin_api, duo.prompt_fallback) == (0.0, None, None, True)
    assert (duo.push.most, duo.push.window, duo.push.label, duo.push.places) == (3, 300.0, "Sign-in", {})
    enrollment = load_settings(None, {}).enrollment
    assert (enrollment.enabled, enrollment.code_lifetime, enrollment.access.is_open) == (True, 600.0, True)


# -- applications ----------------------------------------------------------------------------------------------------

APPLICATIONS = f"""\
  prompt: push
  trusted_browser: 30d
  enrollment_url: https://kb.example.edu/duo
  admin_api: {{integration_key: DIADMINADMINADMINADM, secret_key: '{SECRET}'}}
  applications:
    hr: {{prompt: universal, trusted_browser: false, accept_preauth_allow: false}}
    lab:
      api_host: api-2.example.edu
      universal: {{client_id: DILABLABLABLABLABLAB, client_secret: '{SECRET}'}}
      enrollment_url: https://kb.example.edu/lab
"""


def test_an_application_says_otherwise_what_it_says(duo_of: Callable[..., DuoSettings]) -> None:
    duo = duo_of(APPLICATIONS)
    hr = duo.for_application("hr")
    assert (hr.prompt, hr.trusted_browser, hr.accept_preauth_allow) == ("universal", 0.0, False)
    assert (hr.enrollment_url, hr.api_host, hr.universal) == (duo.enrollment_url, duo.api_host, duo.universal)
    lab = duo.for_application("lab")
    assert (lab.prompt, lab.trusted_browser) == ("push", 30 * DAY)
    assert lab.enrollment_url == "https://kb.example.edu/lab"


def test_keys_for_administration_are_good_for_their_own_account_only(duo_of: Callable[..., DuoSettings]) -> None:
    duo = duo_of(APPLICATIONS)
    assert duo.for_application("hr").admin_api == duo.admin_api
    assert duo.for_application("lab").admin_api is None


def test_secrets_lie_in_files_wherever_they_belong(duo_of: Callable[..., DuoSettings], tmp_path: Path) -> None:
    (tmp_path / "admin").write_text(f"{SECRET}\n")
    (tmp_path / "hr_web").write_text(SECRET[::-1])
    (tmp_path / "hr_api").write_text(SECRET.replace("0", "x"))
    duo = duo_of(
        "  admin_api: {integration_key: DIADMINADMINADMINADM, secret_key_file: admin}\n"
        "  applications:\n"
        "    hr:\n"
        "      universal: {client_id: DIHRHRHRHRHRHRHRHRHR, client_secret_file: hr_web}\n"
        "      auth_api: {integration_key: DIHRHRHRHRHRHRHRHRAP, secret_key_file: hr_api}\n"
    )
    hr = duo.applications["hr"]
    assert duo.admin_api is not None
    assert hr.universal is not None
    assert hr.auth_api is not None
    assert duo.admin_api.secret_key.get_secret_value() == SECRET
    assert hr.universal.client_secret.get_secret_value() == SECRET[::-1]
    assert hr.auth_api.secret_key.get_secret_value() == SECRET.replace("0", "x")


def test_a_secret_file_of_an_application_that_is_missing_is_one_problem(
    problems_in: Problems, duo_section: str
) -> None:
    text = duo_section + (
        "  applications: {hr: {auth_api: {integration_key: DIHRHRHRHRHRHRHRHRAP, secret_key_file: none}}}\n"
    )
    assert problems_in(text) == {
        "duo.applications.hr.auth_api.secret_key_file": "cannot be read: No such file or directory"
    }


def test_secrets_of_applications_and_of_administration_are_shown_nowhere(
    duo_of: Callable[..., DuoSettings],
) -> None:
    duo = duo_of(APPLICATIONS)
    for part in (duo, duo.for_application("lab"), duo.admin_api):
        for shown in (repr(part), str(part), part.model_dump_json() if part is not None else ""):
            assert SECRET not in shown


# -- limits ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "path", "sentence"),
    [
        ("trusted_browser: 12h", "duo.trusted_browser", "must be from 1d to 90d, or false, not 12h"),
        ("trusted_browser: 1000d", "duo.trusted_browser", "must be from 1d to 90d, or false, not 1000d"),
        ("trusted_browser: true", "duo.trusted_browser", "must be a duration such as 30d, or false"),
        (
            "applications: {hr: {trusted_browser: 1h}}",
            "duo.applications.hr.trusted_browser",
            "must be from 1d to 90d, or false, not 1h",
        ),
        (
            "request_parameter: service",
            "duo.request_parameter",
            "'service' means something else at the login; take a name such as authn_method",
        ),
        (
            "request_parameter: authn method",
            "duo.request_parameter",
            "must be the name of a parameter, such as authn_method",
        ),
        ("push: {most: 0}", "duo.push.most", "must be 1 or more"),
        ("push: {window: 0}", "duo.push.window", "must be a duration above zero"),
        (
            "push: {places: {Lab: [10.1.0.0/16, 10.1.2]}}",
            "duo.push.places.Lab[1]",
            "'10.1.2' is not an address block such as 10.0.0.0/8",
        ),
        (
            "admin_api: {integration_key: DIADMINADMINADMINADM}",
            "duo.admin_api.secret_key",
            "is missing; give it, or 'secret_key_file'",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(
    problems_in: Problems, duo_section: str, line: str, path: str, sentence: str
) -> None:
    assert problems_in(f"{duo_section}  {line}\n") == {path: sentence}


@pytest.mark.parametrize("lifetime", ["4m", "25h"])
def test_activation_codes_live_neither_for_moments_nor_for_ever(problems_in: Problems, lifetime: str) -> None:
    assert problems_in(f"enrollment: {{code_lifetime: {lifetime}}}") == {
        "enrollment.code_lifetime": f"must be from 5m to 1d, not {'1d1h' if lifetime == '25h' else lifetime}"
    }


def test_a_request_parameter_is_called_as_the_operator_likes(duo_of: Callable[..., DuoSettings]) -> None:
    assert duo_of("  request_parameter: authn_method\n").request_parameter == "authn_method"


def test_an_empty_trusted_browser_is_none(duo_of: Callable[..., DuoSettings]) -> None:
    assert duo_of("  trusted_browser:\n").trusted_browser == 0.0


# -- the environment -------------------------------------------------------------------------------------------------


def test_variables_reach_everything_about_duo(duo_of: Callable[..., DuoSettings]) -> None:
    duo = duo_of(
        "  trusted_browser: 7d\n  applications: {hr: {trusted_browser: 7d}}\n",
        CASDUO_DUO__TRUSTED_BROWSER="30d",
        CASDUO_DUO__REQUEST_PARAMETER="authn_method",
        CASDUO_DUO__PROMPT="push",
        CASDUO_DUO__PUSH__MOST="5",
        CASDUO_DUO__PUSH__PLACES="{Main campus: [10.0.0.0/8]}",
        CASDUO_DUO__ADMIN_API__INTEGRATION_KEY="DIADMINADMINADMINADM",
        CASDUO_DUO__ADMIN_API__SECRET_KEY=SECRET,
        CASDUO_DUO__APPLICATIONS__HR__TRUSTED_BROWSER="false",
        CASDUO_DUO__APPLICATIONS__HR__UNIVERSAL__CLIENT_ID="DIHRHRHRHRHRHRHRHRHR",
        CASDUO_DUO__APPLICATIONS__HR__UNIVERSAL__CLIENT_SECRET=SECRET,
    )
    assert (duo.trusted_browser, duo.request_parameter, duo.prompt, duo.push.most) == (
        30 * DAY,
        "authn_method",
        "push",
        5,
    )
    assert list(duo.push.places) == ["Main campus"]
    assert duo.admin_api is not None
    hr = duo.for_application("hr")
    assert (hr.trusted_browser, hr.universal.client_id) == (0.0, "DIHRHRHRHRHRHRHRHRHR")


def test_variables_reach_the_enrolment_pages() -> None:
    settings = load_settings(None, {"CASDUO_ENROLLMENT__ENABLED": "false", "CASDUO_ENROLLMENT__ACCESS__GROUPS": "a, b"})
    assert not settings.enrollment.enabled
    assert settings.enrollment.access.groups == ("a", "b")


# -- together --------------------------------------------------------------------------------------------------------


def test_dates_in_the_settings_are_meant_in_the_servers_time_zone(settings_file: Write) -> None:
    text = "server: {time_zone: Europe/Berlin}\nenrollment: {access: {until: 2027-02-01}}\n"
    until = load_settings(settings_file(text), {}).enrollment.access.until
    assert until is not None
    assert until.astimezone(UTC) == datetime(2027, 1, 31, 23, tzinfo=UTC)


def test_a_time_zone_that_is_none_is_one_problem(problems_in: Problems) -> None:
    text = "server: {time_zone: Mars/Olympus}\nenrollment: {access: {until: 2027-02-01}}\n"
    assert list(problems_in(text)) == ["server.time_zone"]


def test_enrolment_without_duo_is_pointed_at(problems_in: Problems) -> None:
    assert problems_in("enrollment: {password_age: 5m}") == {"enrollment": "has no effect without the section 'duo'"}
    assert Settings().enrollment.enabled


def test_people_who_are_shown_no_way_to_a_device_are_pointed_at(problems_in: Problems, duo_section: str) -> None:
    off = "enrollment: {enabled: false}\n"
    sentence = "people without a device are shown no way to one; name a page in duo.enrollment_url"
    assert problems_in(duo_section + off) == {"enrollment.enabled": sentence}
    assert problems_in(f"{duo_section}  enrollment_url: https://kb.example.edu/duo\n{off}") == {}


def test_keys_for_administration_that_nothing_uses_are_pointed_at(problems_in: Problems, duo_section: str) -> None:
    keys = f"  admin_api: {{integration_key: DIADMINADMINADMINADM, secret_key: '{SECRET}'}}\n"
    link = "  enrollment_url: https://kb.example.edu/duo\n"
    assert problems_in(duo_section + keys) == {}
    assert list(problems_in(f"{duo_section}{keys}{link}enrollment: {{enabled: false}}\n")) == ["duo.admin_api"]


def test_an_application_that_fails_open_is_warned_of(problems_in: Problems, duo_section: str) -> None:
    assert problems_in(duo_section + "  applications: {hr: {fail: open}, lab: {fail: closed}}\n") == {
        "duo.applications.hr.fail": "while Duo cannot be reached a password alone is enough"
    }


@pytest.mark.parametrize("line", ["prompt: push", "applications: {hr: {prompt: push}}", "trusted_browser: 30d"])
def test_nothing_about_duo_is_without_effect(problems_in: Problems, duo_section: str, line: str) -> None:
    assert problems_in(f"{duo_section}  {line}\n") == {}
