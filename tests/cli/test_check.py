from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from casduo.cli.check import command, report, summary
from casduo.errors import Problem

ROOT = Path(__file__).parents[2]

SETTINGS = """\
server: {url: https://sso.example.edu/cas}
authentication: [{type: users_file, path: users.yaml}]
"""
SERVICE = "services:\n  - {id: ada, name: Ada, url: https://ada.example.edu/**%s}\n"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CASDUO_CONFIG", raising=False)
    (tmp_path / "casduo.yaml").write_text(SETTINGS)
    (tmp_path / "registry.yaml").write_text(SERVICE % "")
    (tmp_path / "users.yaml").write_text("# nobody yet\n")
    return tmp_path


@pytest.fixture
def check(here: Path) -> Callable[..., Result]:
    return lambda *arguments: CliRunner().invoke(command, arguments, catch_exceptions=False)


def test_good_files_end_with_a_summary_and_success(check: Callable[..., Result]) -> None:
    result = check()
    assert result.output == "no errors, no warnings, no notes\n"
    assert result.exit_code == 0


def test_problems_of_both_files_are_told_at_once(check: Callable[..., Result], here: Path) -> None:
    (here / "casduo.yaml").write_text(SETTINGS + "sesion: {idle: 2h}\n")
    (here / "registry.yaml").write_text(SERVICE % ", atributes: [mail]")
    result = check()
    assert result.output.splitlines() == [
        "casduo.yaml:3:1: error: sesion: unknown key, did you mean 'session'?",
        "registry.yaml:2:59: error: services[0].atributes: unknown key, did you mean 'attributes'?",
        "2 errors, no warnings, no notes",
    ]
    assert result.exit_code == 2


def test_a_users_file_that_cannot_be_used_is_an_error_as_it_is_for_the_server(
    check: Callable[..., Result], here: Path
) -> None:
    (here / "users.yaml").write_text("ada: {password: hunter2}\n")
    result = check()
    assert result.output.splitlines() == [
        "users.yaml:1:7: error: ada.password: expected a hash that begins with $argon2id$v=19$",
        "1 error, no warnings, no notes",
    ]
    assert result.exit_code == 2


def test_a_users_file_that_is_not_here_is_a_note(check: Callable[..., Result], here: Path) -> None:
    """Whoever checks may be somebody else than the server, or on a machine without the people's passwords."""
    (here / "users.yaml").unlink()
    result = check("--strict")
    assert result.output.splitlines() == [
        "users.yaml: note: cannot be read: No such file or directory",
        "no errors, no warnings, 1 note",
    ]
    assert result.exit_code == 0


def test_notes_come_last(check: Callable[..., Result], here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casduo.services.lint.NOT_YET_IN_FORCE", ("warn",))
    (here / "registry.yaml").write_text(
        "services:\n"
        "  - {id: ada, name: Ada, url: https://ada.example.edu/**, warn: true}\n"
        "  - {id: eve, name: Eve, url: 'http://eve.example.edu/**'}\n"
    )
    result = check()
    assert [line.split(" ")[1] for line in result.output.splitlines()[:-1]] == ["warning:", "note:"]
    assert result.output.splitlines()[-1] == "no errors, 1 warning, 1 note"
    assert result.exit_code == 0


def test_strict_lets_warnings_fail_but_not_notes(
    check: Callable[..., Result], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("casduo.services.lint.NOT_YET_IN_FORCE", ("warn",))
    (here / "registry.yaml").write_text(SERVICE % ", warn: true")
    assert check("--strict").exit_code == 0
    (here / "registry.yaml").write_text((SERVICE % "").replace("https", "http"))
    assert check().exit_code == 0
    assert check("--strict").exit_code == 2


def test_what_serving_needs_is_an_error(check: Callable[..., Result], here: Path) -> None:
    (here / "casduo.yaml").write_text("")
    result = check()
    assert "casduo.yaml: error: server.url: is missing" in result.output
    assert "casduo.yaml: error: authentication: is missing" in result.output
    assert result.exit_code == 2


def test_a_service_for_phones_needs_a_ucm(check: Callable[..., Result], here: Path) -> None:
    service = "  - {id: em, name: Em, url: https://sso.example.edu/em/**, channel: phone}\n"
    (here / "registry.yaml").write_text(f"services:\n{service}")
    result = check()
    assert result.output.splitlines() == [
        "registry.yaml:2:60: error: services[0].channel: phones need a UCM, but the settings have no section 'ucm'",
        "registry.yaml:2:60: error: services[0].channel: the settings have no handler that checks PINs (type ucm_pin)",
        "2 errors, no warnings, no notes",
    ]
    assert result.exit_code == 2


def test_other_files_can_be_named(check: Callable[..., Result], here: Path) -> None:
    (here / "other").mkdir()
    (here / "other" / "sso.yaml").write_text(SETTINGS + "registry: services.yaml\n")
    (here / "other" / "services.yaml").write_text(SERVICE % ", channel: fax")
    result = check("--config", "other/sso.yaml")
    assert "other/services.yaml:2:59: error: services[0].channel" in result.output
    assert check("--config", "other/sso.yaml", "--registry", "registry.yaml").exit_code == 0
    assert "missing.yaml: error: cannot be read" in check("--config", "missing.yaml").output
    assert "missing.yaml: error: cannot be read" in check("--registry", "missing.yaml").output


def test_a_registry_beside_broken_settings_is_checked_too(check: Callable[..., Result], here: Path) -> None:
    (here / "casduo.yaml").write_text("server: [\n")
    (here / "registry.yaml").write_text("services: [\n")
    result = check()
    assert result.output.count(": error: ") == 2


def test_without_any_file_the_environment_is_enough(here: Path) -> None:
    (here / "casduo.yaml").unlink()
    environ = {
        "CASDUO_SERVER__URL": "https://sso.example.edu",
        "CASDUO_AUTHENTICATION": "[{type: users_file, path: u.yaml}]",
    }
    (here / "u.yaml").touch()
    problems, settings = report(None, None, environ)
    assert problems == []
    assert settings is not None
    problems, settings = report(None, None, {})
    assert [str(problem) for problem in problems] == [
        "settings: error: authentication: is missing: nobody could sign in; name a handler",
        "settings: error: server.url: is missing: the public address, such as https://sso.example.edu/cas",
    ]


def test_a_secret_is_in_no_line(check: Callable[..., Result], here: Path) -> None:
    (here / "casduo.yaml").write_text(SETTINGS + "duo: {universal: {client_secret: hunter2}}\nsecret_key: hunter2\n")
    assert "hunter2" not in check().output


def test_the_samples_have_no_errors_and_no_warnings(tmp_path: Path) -> None:
    shutil.copy(ROOT / "casduo.example.yaml", tmp_path / "casduo.yaml")
    shutil.copy(ROOT / "registry.yaml", tmp_path)
    secrets = tmp_path / "secrets"
    secrets.mkdir()
    for name in ("ldap_password", "ucm_password", "ucm_em_password"):
        (secrets / name).write_text("hunter2\n")
    (secrets / "duo_client_secret").write_text("0123456789012345678901234567890123456789\n")
    problems, settings = report(tmp_path / "casduo.yaml", None, {})
    assert settings is not None
    assert [str(problem) for problem in problems if problem.level != "note"] == []


def test_a_summary_counts_by_level() -> None:
    problems = [Problem("f", 1, 1, "", "x", level) for level in ("error", "error", "warning", "note")]
    assert summary(problems) == "2 errors, 1 warning, 1 note"
