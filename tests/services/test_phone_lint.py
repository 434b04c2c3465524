"""Entries for phones: what keeps them from working, and what cannot be meant."""

from __future__ import annotations

from typing import Any

import pytest

from casduo.authentication.ucm_pin import attributes_of
from casduo.endpoints.enroll import ENROLL_ROUTES
from casduo.phone.urls import LONGEST_BASE
from casduo.routes import REST_ROUTES, ROUTES
from casduo.services.file import read_registry
from casduo.services.phone_lint import OWN_PAGES, UCM_ATTRIBUTES
from casduo.settings import Settings
from casduo.ucm.model import UcmUser

EM = "https://sso.example.edu/em/**"
USERS = {"type": "users_file", "name": "local", "path": "users.yaml"}
PINS = {"type": "ucm_pin", "name": "pins"}
UCM = {"axl": {"servers": "ucm1.example.edu", "username": "casduo", "password": "x"}}
DUO = {
    "api_host": "api-12345678.duosecurity.com",
    "universal": {"client_id": "DI01234567890123456X", "client_secret": "0123456789012345678901234567890123456789"},
}


def made(**sections: Any) -> Settings:
    usual = {
        "server": {"url": "https://sso.example.edu/cas"},
        "authentication": [USERS, PINS],
        "ucm": UCM,
        "duo": DUO,
    }
    return Settings.model_validate({name: value for name, value in (usual | sections).items() if value is not None})


def line(name: str = "em", url: str = EM, more: str = "") -> str:
    return f"  - {{id: {name}, name: Phones, url: '{url}', channel: phone{more}}}"


def problems(*lines: str, settings: Settings | None = None) -> list[tuple[int, str, str, str]]:
    text = "\n".join(["services:", *lines])
    reading = read_registry(text.encode(), "registry.yaml", settings, with_lint=True)
    assert (reading.registry is None) == any(problem.level == "error" for problem in reading.problems)
    return [(problem.line, problem.path, problem.level, problem.message) for problem in reading.problems]


def errors(*lines: str, settings: Settings | None = None) -> list[tuple[int, str, str]]:
    return [(at, path, said) for at, path, level, said in problems(*lines, settings=settings) if level == "error"]


def warnings(*lines: str, settings: Settings | None = None) -> list[tuple[str, str]]:
    found = problems(*lines, settings=settings)
    assert {level for _, _, level, _ in found} <= {"warning"}
    return [(path.removeprefix("services[0]."), said) for _, path, _, said in found]


def test_an_entry_as_it_should_be_is_left_alone() -> None:
    rule = ", authentication: [pins], requires_duo: {when: {attributes: {department: W3}}, fail: open, mode: optional}"
    assert problems(line(more=rule), settings=made()) == []
    assert problems(line(), settings=made()) == []
    assert problems(line()) == []


# -- where phones come to --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://sso.example.edu/**",
        "https://sso.example.edu/em",
        "https://sso.example.edu/em/",
        "https://sso.example.edu/em/*",
        "https://sso.example.edu/em//**",
        "https://sso.example.edu/a//em/**",
        "https://sso.example.edu/em/**?x=1",
        "https://sso.example.edu/a%20b/**",
        "https://sso.example.edu/*/em/**",
        "https://*.example.edu/em/**",
        "https://sso.example.edu:*/em/**",
        "https://**/em/**",
        r"regex:https://sso\.example\.edu/em/.*",
        "app://sso.example.edu/em/**",
    ],
)
def test_phones_come_to_one_place(url: str) -> None:
    [(at, path, said)] = errors(line(url=url))
    assert (at, path) == (2, "services[0].url")
    assert said.startswith("must be one address with a path of its own and all below it")


@pytest.mark.parametrize(
    "url",
    ["https://sso.example.edu/em/**", "https://sso.example.edu:8443/voice/em-1/**", "http://localhost:8080/em/**"],
)
def test_one_address_and_all_below_it_is_a_place(url: str) -> None:
    assert problems(line(url=url)) == []


def test_each_of_several_addresses_is_looked_at() -> None:
    found = errors(f"  - {{id: em, name: Em, channel: phone, url: ['{EM}', 'https://sso.example.edu/**']}}")
    assert [path for _, path, _ in found] == ["services[0].url[1]"]


def test_an_address_leaves_room_for_what_comes_behind_it() -> None:
    start = "https://sso.example.edu/"
    assert errors(line(url=f"{start}{'e' * (LONGEST_BASE - len(start))}/**")) == []
    assert errors(line(url=f"{start}{'e' * (LONGEST_BASE - len(start) + 1)}/**")) == [
        (2, "services[0].url", "has 81 characters before /**; phones take addresses with 80")
    ]


def test_two_entries_do_not_share_a_path_whatever_their_hosts() -> None:
    found = errors(line("one"), line("two", "https://voice.example.edu/em/**"))
    assert found == [
        (3, "services[1].url", "phones of 'one' (line 2) come to /em already; each service needs a path of its own")
    ]
    assert errors(line("one"), line("two", "https://sso.example.edu/em2/**")) == []


def test_an_entry_for_browsers_may_have_any_path() -> None:
    assert errors(line(), "  - {id: b, name: B, url: https://b.example.edu/em/**}") == []


def test_a_second_address_of_the_same_path_does_nothing() -> None:
    entry = f"  - {{id: em, name: Em, channel: phone, url: ['{EM}', 'https://voice.example.edu/em/**']}}"
    assert warnings(entry) == [
        (
            "url[1]",
            "has no effect: phones that come here are sent on to https://sso.example.edu/em, for the path is the same",
        )
    ]


@pytest.mark.parametrize("path", ["/cas", "/cas/login", "/cas/static/em", "/cas/duo", "/cas/enroll/em", "/cas/v1"])
def test_no_address_lies_over_pages_of_the_server(path: str) -> None:
    [(at, place, said)] = errors(line(url=f"https://sso.example.edu{path}/**"), settings=made())
    assert (at, place) == (2, "services[0].url")
    assert said == "lies over pages of the server itself, https://sso.example.edu/cas"


@pytest.mark.parametrize(
    ("server", "path", "free"),
    [
        ("https://sso.example.edu/cas", "/cas/em", True),
        ("https://sso.example.edu/cas", "/cas2", True),
        ("https://sso.example.edu/cas", "/login", True),
        ("https://sso.example.edu/a/cas", "/a", False),
        ("https://sso.example.edu/a/cas", "/a/em", True),
        ("https://sso.example.edu", "/em", True),
        ("https://sso.example.edu", "/login", False),
        ("https://sso.example.edu", "/p3/em", False),
    ],
)
def test_what_lies_over_pages_depends_on_where_those_are(server: str, path: str, free: bool) -> None:
    found = errors(line(url=f"https://sso.example.edu{path}/**"), settings=made(server={"url": server}))
    assert (found == []) == free


def test_the_pages_of_the_server_are_all_known() -> None:
    firsts = {route.split("/")[1] for route in (*ROUTES, *REST_ROUTES, *ENROLL_ROUTES)}
    assert firsts | {"static"} == OWN_PAGES


def test_a_host_that_is_not_the_servers_is_looked_at_twice() -> None:
    entry = line(url="https://voice.example.edu/em/**")
    assert warnings(entry, settings=made()) == [
        ("url", "its host is not that of server.url, sso.example.edu: phones must be led to this server by it")
    ]
    assert warnings(entry) == []
    assert warnings(line(url="https://SSO.example.edu:8443/em/**"), settings=made()) == []


def test_plain_http_carries_pins() -> None:
    said = "plain http: PINs and passcodes cross the network in the clear"
    assert warnings(line(url="http://sso.example.edu/em/**"), settings=made()) == [("url", said)]
    assert warnings(line(url="http://127.0.0.1:8080/em/**")) == []


# -- who checks PINs -------------------------------------------------------------------------------------------------


def test_phones_need_a_ucm() -> None:
    assert errors(line(more=", authentication: [pins]"), settings=made(ucm=None)) == [
        (2, "services[0].channel", "phones need a UCM, but the settings have no section 'ucm'")
    ]


def test_phones_need_somebody_who_checks_pins() -> None:
    settings = made(authentication=[USERS])
    assert errors(line(), settings=settings) == [
        (2, "services[0].channel", "the settings have no handler that checks PINs (type ucm_pin)")
    ]


@pytest.mark.parametrize("names", ["[local]", "[local, pins]", "local"])
def test_passwords_are_not_for_phones(names: str) -> None:
    assert errors(line(more=f", authentication: {names}"), settings=made()) == [
        (2, "services[0].authentication", "'local' checks passwords; at phones people type PINs (type ucm_pin)")
    ]


def test_a_handler_that_does_not_exist_is_told_once() -> None:
    [(_, path, said)] = errors(line(more=", authentication: [pin]"), settings=made())
    assert (path, said) == ("services[0].authentication", "the settings have no handler 'pin', did you mean 'pins'?")


def test_phones_validate_by_cas3() -> None:
    said = "must hold cas3: by it casduo validates the tickets of phones"
    assert errors(line(more=", protocols: [cas2]")) == [(2, "services[0].protocols", said)]
    assert problems(line(more=", protocols: [cas3]")) == []


@pytest.mark.parametrize(("names", "told"), [("[pins]", True), ("[local, pins]", False), ("[]", False)])
def test_browsers_are_not_asked_for_pins(names: str, told: bool) -> None:
    browser = f"  - {{id: a, name: A, url: https://a.example.edu/**, authentication: {names}}}"
    found = problems(browser, line(), settings=made())
    said = "all its handlers check PINs, which are for phones: nobody can sign in to it by password"
    assert found == ([(2, "services[0].authentication", "warning", said)] if told else [])


def test_a_server_for_phones_alone_lets_nobody_sign_in_elsewhere() -> None:
    browser = "  - {id: a, name: A, url: https://a.example.edu/**}"
    found = problems(line(), browser, settings=made(authentication=[PINS]))
    assert [(at, level) for at, _, level, _ in found] == [(3, "warning")]


def test_a_ucm_without_phones_is_noted() -> None:
    browser = "  - {id: a, name: A, url: https://a.example.edu/**}"
    assert problems(browser, settings=made()) == [
        (1, "services", "note", "none is for phones, for which the settings have a section 'ucm'")
    ]
    assert problems(browser, settings=made(ucm=None)) == []


# -- keys without an effect ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("logo", "logo.svg"),
        ("attributes", "[mail]"),
        ("pairwise_id", "true"),
        ("multivalue", "first"),
        ("json_values", "list"),
        ("enrollment_url", "https://kb.example.edu/duo"),
        ("unenrolled", "refuse"),
        ("single_sign_on", "false"),
        ("accept_remember_me", "false"),
        ("session", "{lifetime: 1h}"),
        ("warn", "true"),
        ("service_match", "loose"),
        ("response", "post"),
        ("response_by_request", "false"),
        ("allow_http_saml", "true"),
        ("client", "rubycas"),
        ("logout", "{type: none}"),
        ("proxy", "{allow: true, callback: 'https://a.example.edu/pgt'}"),
        ("requires_duo", "{max_age: 8h}"),
        ("requires_duo", "{prompt: universal}"),
        ("requires_duo", "{trusted_browser: 30d}"),
        ("access", "{reason: No.}"),
    ],
)
def test_what_has_no_effect_on_phones_is_told(key: str, value: str) -> None:
    [(path, said)] = warnings(line(more=f", {key}: {value}"), settings=made())
    assert path.partition(".")[0] == key
    assert "has no effect on phones" in said


@pytest.mark.parametrize(
    "more",
    [
        "warn: false",
        "logout: {type: back_channel}",
        "unenrolled: enroll",
        "requires_duo: {prompt: push}",
        "requires_duo: {trusted_browser: false}",
        "requires_duo: {application: hr}",
        "requires_duo: {mode: report, from: 2026-01-01, until: 2030-01-01}",
        "access: {networks: [10.0.0.0/8], from: 2026-01-01}",
        "access: {attributes: {department: Ward 3, emDefaultProfile: ward}}",
        "enabled: false",
        "owner: voice@example.edu",
        "description: One's own line on any phone",
    ],
)
def test_what_says_what_holds_anyway_or_has_an_effect_is_left_alone(more: str) -> None:
    settings = made(duo=DUO | {"applications": {"hr": {"fail": "open"}}})
    assert warnings(line(more=f", {more}"), settings=settings) == []


def test_a_reason_that_phones_do_not_show_is_told_once() -> None:
    for state in ("true", "false"):
        assert warnings(line(more=f", enabled: {state}, disabled_reason: Moved.")) == [
            ("disabled_reason", "has no effect on phones, which show a text of their own")
        ]


def test_enrolment_is_told_of_once_for_each_key() -> None:
    more = ", unenrolled: refuse, enrollment_url: https://kb.example.edu/duo, requires_duo: {trusted_browser: 30d, "
    found = warnings(line(more=f"{more}mode: report}}"), settings=made())
    assert [path for path, _ in found] == ["unenrolled", "enrollment_url", "requires_duo.trusted_browser"]


def test_a_name_that_nobody_is_told_only_keeps_people_out() -> None:
    assert warnings(line(more=", username_attribute: mail")) == [
        ("username_attribute", "only keeps out who lacks it: there is no application to be told a name")
    ]


def test_a_ucm_knows_no_groups() -> None:
    rules = ", access: {groups: [staff]}, requires_duo: {when: {groups: [staff]}}"
    assert warnings(line(more=rules), settings=made()) == [
        ("access.groups", "a UCM tells of no groups, so nobody gets in by this rule; go by 'attributes'"),
        (
            "requires_duo.when.groups",
            "a UCM tells of no groups, so nobody is asked for Duo by this rule; go by 'attributes'",
        ),
    ]
    departments = made(login={"group_attributes": ["department"]})
    assert warnings(line(more=rules), settings=departments) == []


def test_a_ucm_knows_few_attributes() -> None:
    rules = ", access: {attributes: {memberOf: [staff]}}, requires_duo: {when: {attributes: {title: Dr}}}"
    assert warnings(line(more=rules), settings=made()) == [
        ("access.attributes.memberOf", "a UCM tells nothing of this name, so nobody gets in by this rule"),
        (
            "requires_duo.when.attributes.title",
            "a UCM tells nothing of this name, so nobody is asked for Duo by this rule",
        ),
    ]


def test_what_a_ucm_tells_is_all_known() -> None:
    user = UcmUser("ada", "a", "a", "a", "a", "a", "a", "a", ("a",), "a")
    assert set(attributes_of(user)) == UCM_ATTRIBUTES


def test_entries_for_browsers_are_left_alone() -> None:
    browser = (
        "  - {id: a, name: A, url: https://a.example.edu/**, warn: true, client: phpcas, attributes: [mail], "
        "access: {groups: [staff]}, requires_duo: {prompt: universal, trusted_browser: 30d, when: {groups: [x]}}}"
    )
    assert problems(browser, line(), settings=made()) == []
