from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from casduo.authentication import Authenticated, Credential, Rejected
from casduo.authentication.passwords import Argon2Settings
from casduo.authentication.users_file import UsersFileHandler, UsersFileSettings
from casduo.cli.users import users

CHEAP = Argon2Settings(memory_kib=8, time_cost=1, parallelism=1)
NOW = 1_800_000_000.0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "users.yaml"


def run(file: Path, *arguments: str, typed: str | bytes = "") -> Result:
    cost = ["--memory-kib", "8", "--time-cost", "1", "--parallelism", "1"]
    return CliRunner().invoke(users, ["--file", str(file), *cost, *arguments], input=typed)


def login(file: Path, username: str, password: str) -> Authenticated | Rejected:
    handler = UsersFileHandler(UsersFileSettings(file, argon2=CHEAP))
    return handler.authenticate(Credential(username, password), NOW)


def test_an_added_user_signs_in_with_attributes_and_groups(file: Path) -> None:
    result = run(
        file,
        *["add", "ada", "--name", "Ada Lovelace", "--attribute", "mail=ada@example.edu"],
        *["--group", "staff", "--group", "founders"],
        typed="engine\nengine\n",
    )

    assert result.exit_code == 0, result.output
    assert "engine" not in result.output
    outcome = login(file, "ada", "engine")
    assert isinstance(outcome, Authenticated)
    assert outcome.principal.attributes == {
        "displayName": ("Ada Lovelace",),
        "mail": ("ada@example.edu",),
        "groups": ("staff", "founders"),
    }


@pytest.mark.parametrize("typed", ["engine\n", "engine\r\n", "engine", "engine\nsecond line\n"])
def test_a_password_from_standard_input_is_its_first_line(file: Path, typed: str) -> None:
    assert run(file, "add", "ada", "--password-stdin", typed=typed).exit_code == 0

    assert isinstance(login(file, "ada", "engine"), Authenticated)


def test_spaces_belong_to_the_password(file: Path) -> None:
    run(file, "add", "ada", "--password-stdin", typed=" engine \n")

    assert isinstance(login(file, "ada", " engine "), Authenticated)


def test_a_password_typed_differently_the_second_time_is_asked_again(file: Path) -> None:
    result = run(file, "add", "ada", typed="engine\nengin\nengine\nengine\n")

    assert result.exit_code == 0
    assert isinstance(login(file, "ada", "engine"), Authenticated)


@pytest.mark.parametrize("typed", ["", "\n", "p" * 1025, "nul\0", b"\xff\xfe\n"])
def test_what_cannot_be_a_password_is_refused(file: Path, typed: str | bytes) -> None:
    result = run(file, "add", "ada", "--password-stdin", typed=typed)

    assert result.exit_code == 1
    assert "a password has" in result.output
    assert not file.exists()


@pytest.mark.parametrize("name", ["no spaces", "-x", "a/b", "adä"])
def test_bad_names_are_refused_before_a_password_is_asked(file: Path, name: str) -> None:
    result = run(file, "add", "--", name)

    assert result.exit_code == 2
    assert "Password" not in result.output


@pytest.mark.parametrize("attribute", ["mail", "=x", "mail="])
def test_a_bad_attribute_is_refused(file: Path, attribute: str) -> None:
    result = run(file, "add", "ada", "--attribute", attribute, "--password-stdin", typed="x\n")

    assert result.exit_code == 2
    assert "NAME=VALUE" in result.output


def test_a_user_is_added_once(file: Path) -> None:
    run(file, "add", "ada", "--password-stdin", typed="first\n")

    result = run(file, "add", "Ada", "--password-stdin", typed="second\n")

    assert result.exit_code == 1
    assert "already" in result.output
    assert isinstance(login(file, "ada", "first"), Authenticated)


def test_a_new_password_replaces_the_old_one(file: Path) -> None:
    run(file, "add", "ada", "--password-stdin", typed="old\n")

    assert run(file, "passwd", "ada", "--password-stdin", typed="new\n").exit_code == 0

    assert isinstance(login(file, "ada", "new"), Authenticated)
    assert login(file, "ada", "old") == Rejected("wrong", "users_file")


def test_a_password_can_be_good_only_for_being_changed(file: Path) -> None:
    run(file, "add", "ada", "--password-stdin", typed="old\n")

    run(file, "passwd", "ada", "--must-change", "--password-stdin", typed="new\n")

    assert login(file, "ada", "new") == Rejected("must_change", "users_file", proved=True)


def test_a_password_for_nobody_is_refused(file: Path) -> None:
    result = run(file, "passwd", "ada", "--password-stdin", typed="new\n")

    assert result.exit_code == 1
    assert "no user 'ada'" in result.output


def test_the_list_shows_state_and_groups_and_no_hash(file: Path) -> None:
    run(file, "add", "ada", "--name", "Ada Lovelace", "--group", "staff", "--password-stdin", typed="x\n")
    run(file, "add", "grace", "--password-stdin", typed="x\n")
    run(file, "passwd", "grace", "--must-change", "--password-stdin", typed="x\n")
    file.write_text(file.read_text() + "  locked: true\n  expires: 2027-01-31\n")

    result = run(file, "list")

    assert result.output.splitlines() == [
        "ada    Ada Lovelace  active                                 staff",
        "grace                locked, must change, until 2027-01-31",
    ]
    assert "argon2" not in result.output


def test_a_list_of_no_file_says_so(file: Path) -> None:
    result = run(file, "list")

    assert result.exit_code == 1
    assert "cannot read" in result.output


def test_a_broken_file_is_explained_and_left_alone(file: Path) -> None:
    file.write_text("ada: {password: oops}\n")

    for arguments in (["list"], ["add", "grace", "--password-stdin"], ["passwd", "ada", "--password-stdin"]):
        result = run(file, *arguments, typed="x\n")
        assert result.exit_code == 2
        assert "users.yaml:1:" in result.output
    assert file.read_text() == "ada: {password: oops}\n"


def test_a_directory_that_does_not_exist_is_explained(tmp_path: Path) -> None:
    result = run(tmp_path / "missing" / "users.yaml", "add", "ada", "--password-stdin", typed="x\n")

    assert result.exit_code == 1
    assert "No such file" in result.output


def test_a_cost_that_argon2_cannot_do_is_explained(file: Path) -> None:
    result = CliRunner().invoke(users, ["--memory-kib", "8", "--parallelism", "4", "list"])

    assert result.exit_code == 2
    assert "8 KiB of memory per lane" in result.output
