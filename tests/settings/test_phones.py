"""Settings of the UCM and of phones that have to fit each other."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from casduo.errors import SettingsError
from casduo.settings import load_settings, read_settings

Write = Callable[[str], Path]
Problems = Callable[..., dict[str, str]]

UCM = "ucm:\n  axl: {servers: ucm.example.edu, username: casduo, password: hunter2}\n"
RIS = "  ris: {servers: [ucm2.example.edu, 'ucm3.example.edu:8444'], username: casduo-ris, password: hunter2}\n"
REQUIRE = "phones:\n  registered_address: require\n"


@pytest.mark.parametrize("ucm", ["", UCM], ids=["no UCM", "no RIS"])
def test_registered_addresses_need_somebody_who_knows_them(settings_file: Write, ucm: str) -> None:
    settings, (problem,) = read_settings(settings_file(ucm + REQUIRE), {})
    assert settings is None
    assert (problem.path, problem.level) == ("phones.registered_address", "error")
    assert problem.line == ucm.count("\n") + 2
    assert "ucm.ris" in problem.message


def test_with_it_they_are_required(settings_file: Write) -> None:
    settings = load_settings(settings_file(UCM + RIS + REQUIRE), {})
    assert settings.phones.registered_address == "require"
    assert settings.phones.registered_address_age == 600
    assert settings.ucm is not None
    assert settings.ucm.ris is not None
    assert settings.ucm.ris.servers == ("ucm2.example.edu:8443", "ucm3.example.edu:8444")
    assert "hunter2" not in repr(settings)


def test_the_account_may_be_there_before_it_is_used(settings_file: Write) -> None:
    settings = load_settings(settings_file(UCM + RIS), {})
    assert settings.phones.registered_address == "ignore"


def test_its_password_may_lie_in_a_file(settings_file: Write, tmp_path: Path) -> None:
    (tmp_path / "ris-password").write_text("hunter3\n")
    ris = "  ris: {servers: ucm.example.edu, username: casduo-ris, password_file: ris-password}\n"
    settings = load_settings(settings_file(UCM + ris), {})
    assert settings.ucm is not None
    assert settings.ucm.ris is not None
    assert settings.ucm.ris.password.get_secret_value() == "hunter3"


@pytest.mark.parametrize("age", ["1m", "2h", "soon"])
def test_an_address_is_believed_for_some_minutes(problems_in: Problems, age: str) -> None:
    text = f"{UCM}{RIS}{REQUIRE}  registered_address_age: {age}\n"
    assert list(problems_in(text)) == ["phones.registered_address_age"]


def test_a_contradiction_is_told_beside_other_mistakes(settings_file: Write) -> None:
    with pytest.raises(SettingsError):
        load_settings(settings_file(UCM + "phones: {registered_address: sometimes}\n"), {})
