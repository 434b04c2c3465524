"""The section ``ucm``, handlers for PINs, and what is said where one is there without the other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from casduo.errors import SettingsError
from casduo.settings import Settings, load_settings, missing_to_serve, read_settings

Write = Callable[[str], Path]

ACCOUNT = "servers: ucm1.example.edu, username: casduo, password: secret"


@pytest.fixture
def ucm_of(settings_file: Write) -> Callable[..., Settings]:
    """Read a section ``ucm`` with an account for AXL and more lines, and return all settings."""

    def read(more: str = "", **environ: str) -> Settings:
        return load_settings(settings_file(f"ucm:\n  axl: {{{ACCOUNT}}}\n{more}"), environ)

    return read


def places(path: Path) -> list[tuple[int, str, str]]:
    """Return line, key and sentence of every problem of a file."""
    return [(problem.line, problem.path, problem.message) for problem in read_settings(path, {})[1]]


def test_without_the_section_there_is_no_ucm() -> None:
    assert load_settings(None, {}).ucm is None


def test_an_account_is_enough(ucm_of: Callable[..., Settings]) -> None:
    ucm = ucm_of().ucm
    assert ucm is not None
    assert (ucm.version, ucm.em, ucm.ca_file, ucm.wsdl, ucm.back_end) == ("14.0", None, None, None, "axl")
    assert (ucm.axl.servers, ucm.axl.username) == (("ucm1.example.edu:8443",), "casduo")
    assert ucm.axl.password.get_secret_value() == "secret"
    assert (ucm.connect_timeout, ucm.read_timeout, ucm.budget, ucm.max_in_flight) == (1.0, 3.0, 4.0, 4)
    assert (ucm.lockout_failures, ucm.lockout_window) == (3, 1800.0)


def test_with_a_second_account_logins_go_by_the_extension_mobility_api(ucm_of: Callable[..., Settings]) -> None:
    ucm = ucm_of("  em: {servers: [a, b], username: proxy, password: other}\n").ucm
    assert ucm is not None
    assert ucm.em is not None
    assert (ucm.back_end, ucm.em.servers) == ("emapi", ("a:8443", "b:8443"))


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("ucm1", "ucm1:8443"),
        ("ucm1.example.edu:443", "ucm1.example.edu:443"),
        ("10.1.2.3", "10.1.2.3:8443"),
        ("'[2001:db8::1]'", "[2001:db8::1]:8443"),
        ("'[2001:db8::1]:8444'", "[2001:db8::1]:8444"),
        ("' ucm1 '", "ucm1:8443"),
    ],
)
def test_a_node_has_a_port_if_only_the_usual_one(settings_file: Write, written: str, read: str) -> None:
    path = settings_file(f"ucm: {{axl: {{servers: [{written}], username: a, password: b}}}}")
    ucm = load_settings(path, {}).ucm
    assert ucm is not None
    assert ucm.axl.servers == (read,)


@pytest.mark.parametrize(
    "server",
    [
        "https://ucm1.example.edu",
        "ucm1/axl/",
        "ucm1:0",
        "ucm1:65536",
        "ucm1:",
        "'ucm1:port'",
        "'2001:db8::1'",
        "user@ucm1",
        "'-ucm1'",
        "ucm1.",
        "ucm 1",
        "ücm1",
    ],
)
def test_what_is_no_node_is_told_with_its_place(settings_file: Write, server: str) -> None:
    path = settings_file(f"ucm:\n  axl:\n    servers: [ucm0, {server}]\n    username: a\n    password: b\n")
    sentence = "must be host or host:port, without https:// and without a path"
    assert places(path) == [(3, "ucm.axl.servers[1]", sentence)]


@pytest.mark.parametrize(
    ("written", "read"), [("14.0", "14.0"), ("'15.0'", "15.0"), ("12.5", "12.5"), ("11.5", "11.5")]
)
def test_a_version_may_be_written_as_a_number(ucm_of: Callable[..., Settings], written: str, read: str) -> None:
    ucm = ucm_of(f"  version: {written}\n").ucm
    assert ucm is not None
    assert ucm.version == read


@pytest.mark.parametrize("version", ["9.1", "'14'", "14.01", "'14.0.1'", "latest", "'\uff114.0'", "20.0"])
def test_what_is_no_version_is_told_with_its_place(settings_file: Write, version: str) -> None:
    path = settings_file(f"ucm:\n  axl: {{{ACCOUNT}}}\n  version: {version}\n")
    sentence = "must be a version of UCM's AXL schema such as '12.5', '14.0' or '15.0'"
    assert places(path) == [(3, "ucm.version", sentence)]


@pytest.mark.parametrize(
    ("section", "place", "said"),
    [
        ("{}", (1, "ucm.axl"), "is missing"),
        ("{axl: {username: a, password: b}}", (1, "ucm.axl.servers"), "is missing"),
        ("{axl: {servers: [], username: a, password: b}}", (1, "ucm.axl.servers"), ""),
        ("{axl: {servers: a, password: b}}", (1, "ucm.axl.username"), "is missing"),
        ("{axl: {servers: a, username: b}}", (1, "ucm.axl.password"), "is missing"),
        ("{axl: {servers: a, username: b, password: ''}}", (1, "ucm.axl.password"), "must not be empty"),
        ("{axl: {servers: a, username: '', password: b}}", (1, "ucm.axl.username"), "must not be empty"),
        (f"{{axl: {{{ACCOUNT}}}, em: {{servers: a, username: b}}}}", (1, "ucm.em.password"), "is missing"),
        (f"{{axl: {{{ACCOUNT}}}, max_in_flight: 0}}", (1, "ucm.max_in_flight"), "1"),
        (f"{{axl: {{{ACCOUNT}}}, max_in_flight: 65}}", (1, "ucm.max_in_flight"), "64"),
        (f"{{axl: {{{ACCOUNT}}}, lockout_failures: 1}}", (1, "ucm.lockout_failures"), "2"),
        (f"{{axl: {{{ACCOUNT}}}, lockout_failures: 101}}", (1, "ucm.lockout_failures"), "100"),
        (f"{{axl: {{{ACCOUNT}}}, lockout_window: 0}}", (1, "ucm.lockout_window"), "must be a duration above zero"),
        (f"{{axl: {{{ACCOUNT}}}, budget: soon}}", (1, "ucm.budget"), "must be a duration"),
        (f"{{axl: {{{ACCOUNT}}}, connect_timeout: 0s}}", (1, "ucm.connect_timeout"), "above zero"),
        (f"{{axl: {{{ACCOUNT}}}, read_timeout: -1}}", (1, "ucm.read_timeout"), "above zero"),
        (f"{{axl: {{{ACCOUNT}}}, servers: a}}", (1, "ucm.servers"), "unknown key"),
    ],
)
def test_what_cannot_be_used_is_told(settings_file: Write, section: str, place: tuple[int, str], said: str) -> None:
    [(line, path, message)] = places(settings_file(f"ucm: {section}"))
    assert (line, path) == place
    assert said in message


def test_passwords_can_lie_in_files_and_in_the_environment(settings_file: Write, tmp_path: Path) -> None:
    (tmp_path / "axl").write_text(" of the file \n")
    path = settings_file(
        "ucm:\n  axl: {servers: a, username: b, password_file: axl}\n  em: {servers: a, username: c}\n"
    )
    ucm = load_settings(path, {"CASDUO_UCM__EM__PASSWORD": "of the environment"}).ucm
    assert ucm is not None
    assert ucm.em is not None
    assert ucm.axl.password.get_secret_value() == "of the file"
    assert ucm.em.password.get_secret_value() == "of the environment"


def test_an_empty_password_file_is_no_password(settings_file: Write, tmp_path: Path) -> None:
    (tmp_path / "axl").write_text("\n")
    path = settings_file("ucm:\n  axl: {servers: a, username: b, password_file: axl}\n")
    with pytest.raises(SettingsError):
        load_settings(path, {})


def test_files_lie_beside_the_settings(ucm_of: Callable[..., Settings], tmp_path: Path) -> None:
    ucm = ucm_of("  ca_file: ucm.pem\n  wsdl: axl/AXLAPI.wsdl\n").ucm
    assert ucm is not None
    assert (ucm.ca_file, ucm.wsdl) == (tmp_path / "ucm.pem", tmp_path / "axl/AXLAPI.wsdl")


# -- with and without it ---------------------------------------------------------------------------------------------


def test_pins_without_a_ucm_are_checked_by_nobody(settings_file: Write) -> None:
    path = settings_file(
        "authentication:\n  - {type: users_file, path: users.yaml}\n  - {type: ucm_pin}\n"
        "phones: {show_occupant: false}\n"
    )
    settings, problems = read_settings(path, {})
    assert settings is not None
    assert [(problem.line, problem.path, problem.level, problem.message) for problem in problems] == [
        (3, "authentication[1]", "warning", "has no effect without the section 'ucm'"),
        (4, "phones", "warning", "has no effect without the section 'ucm'"),
    ]


def test_a_server_for_phones_alone_needs_a_ucm(settings_file: Write) -> None:
    text = "server: {url: https://sso.example.edu/cas}\nauthentication: [{type: ucm_pin}]\n"
    without = load_settings(settings_file(text), {})
    assert [(problem.path, problem.message) for problem in missing_to_serve(without, "casduo.yaml")] == [
        ("authentication", "has handlers for PINs only, and there is no section 'ucm': nobody could sign in")
    ]
    with_one = load_settings(settings_file(f"{text}ucm: {{axl: {{{ACCOUNT}}}}}\n"), {})
    assert missing_to_serve(with_one, "casduo.yaml") == []


def test_a_handler_for_pins_says_what_people_are_called(settings_file: Write) -> None:
    def principal(text: str) -> str:
        [handler] = load_settings(settings_file(f"authentication: [{{type: ucm_pin{text}}}]"), {}).authentication
        assert handler.type == "ucm_pin"
        return handler.principal

    assert [principal(""), principal(", principal: mailid"), principal(", principal: mail_name")] == [
        "userid",
        "mailid",
        "mail_name",
    ]
    [(line, path, _)] = places(settings_file("authentication:\n  - {type: ucm_pin, principal: mail}\n"))
    assert (line, path) == (2, "authentication[0].principal")


def test_a_handler_for_pins_has_no_servers_of_its_own(settings_file: Write) -> None:
    [(line, path, said)] = places(settings_file("authentication:\n  - {type: ucm_pin, servers: [ucm1]}\n"))
    assert (line, path) == (2, "authentication[0].servers")
    assert said.startswith("unknown key")
