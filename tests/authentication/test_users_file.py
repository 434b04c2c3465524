from __future__ import annotations

import os
import stat
import threading
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from casduo.authentication import Authenticated, Authenticator, Credential, Outcome, Principal, Rejected
from casduo.authentication.passwords import Argon2Settings, Passwords
from casduo.authentication.users_editor import UserEditError, add_user, set_password
from casduo.authentication.users_file import UsersFile, UsersFileHandler, UsersFileSettings
from casduo.errors import SettingsError
from casduo.filereplace import replace_file

CHEAP = Argon2Settings(memory_kib=8, time_cost=1, parallelism=1)
NOW = 1_800_000_000.0
RIGHT = "analytical engine"


class CountingPasswords(Passwords):
    """Real hashing that counts how often it is done."""

    def __init__(self) -> None:
        super().__init__(CHEAP)
        self.checks = 0

    def matches(self, encoded: str, password: str) -> bool:
        self.checks += 1
        return super().matches(encoded, password)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "users.yaml"
    path.write_text("")
    path.chmod(0o600)
    return path


def write(path: Path, *records: str) -> None:
    """Write users who all have the password RIGHT; a record is ``name: key: value, ...``."""
    encoded = Passwords(CHEAP).hash(RIGHT)
    path.write_text("".join(f"{name}: {{password: '{encoded}'{rest}}}\n" for name, rest in map(split, records)))


def split(record: str) -> tuple[str, str]:
    name, _, rest = record.partition(":")
    return name, f", {rest}" if rest else ""


def login(path: Path, username: str, password: str = RIGHT, now: float = NOW) -> Outcome:
    return UsersFileHandler(UsersFileSettings(path, argon2=CHEAP)).authenticate(Credential(username, password), now)


def test_the_right_password_gives_the_principal_with_attributes(file: Path) -> None:
    write(file, "ada: name: Ada Lovelace, attributes: {mail: ada@example.edu, groups: [staff, founders]}")

    assert login(file, "ada") == Authenticated(
        Principal(
            "ada",
            {"displayName": ("Ada Lovelace",), "mail": ("ada@example.edu",), "groups": ("staff", "founders")},
        ),
        "users_file",
    )


def test_an_attribute_of_that_name_goes_before_the_name(file: Path) -> None:
    write(file, "ada: name: Ada, attributes: {displayName: Countess}")

    outcome = login(file, "ada")

    assert isinstance(outcome, Authenticated)
    assert outcome.principal.attributes == {"displayName": ("Countess",)}


def test_a_wrong_password_is_wrong(file: Path) -> None:
    write(file, "ada")

    assert login(file, "ada", "difference engine") == Rejected("wrong", "users_file")


@pytest.mark.parametrize("username", ["grace", "Ada", "ada ", "ADA"])
def test_other_spellings_are_other_people(file: Path, username: str) -> None:
    write(file, "ada")

    assert login(file, username) == Rejected("unknown", "users_file")


@pytest.mark.parametrize(
    ("flags", "reason"),
    [
        ("disabled: true", "disabled"),
        ("must_change: true", "must_change"),
        ("expires: 2027-01-15", "expired"),
        ("disabled: true, must_change: true, expires: 2020-01-01", "disabled"),
    ],
)
def test_reasons_are_told_only_to_who_has_the_right_password(file: Path, flags: str, reason: str) -> None:
    write(file, f"ada: {flags}")

    assert login(file, "ada") == Rejected(reason, "users_file", proved=True)  # type: ignore[arg-type]
    assert login(file, "ada", "a guess") == Rejected("wrong", "users_file")


def test_a_locked_account_confirms_no_guess(file: Path) -> None:
    write(file, "ada: locked: true")

    assert login(file, "ada") == login(file, "ada", "a guess") == Rejected("locked", "users_file")


def test_a_password_is_good_until_the_moment_it_expires(file: Path) -> None:
    write(file, "ada: expires: 2027-01-15T08:00:00Z")

    assert isinstance(login(file, "ada", now=NOW - 0.001), Authenticated)
    assert isinstance(login(file, "ada", now=NOW), Rejected)


@pytest.mark.parametrize("username", ["ada", "linus", "nobody"])
def test_every_failure_computes_exactly_one_hash(file: Path, username: str) -> None:
    write(file, "ada", "linus: locked: true")
    passwords = CountingPasswords()
    chain = Authenticator([UsersFileHandler(UsersFileSettings(file, argon2=CHEAP), passwords)], limit=4)

    outcome = chain.authenticate(Credential(username, "a guess"), NOW)

    assert isinstance(outcome, Rejected)
    assert not outcome.proved
    assert passwords.checks == 1


def test_a_changed_file_is_read_again_after_a_second(file: Path) -> None:
    write(file, "ada")
    users = UsersFile(file)
    assert set(users.users(NOW)) == {"ada"}

    write(file, "ada", "grace")

    assert set(users.users(NOW + 0.9)) == {"ada"}
    assert set(users.users(NOW + 1.1)) == {"ada", "grace"}


def test_a_clock_that_was_set_back_does_not_stop_reloading(file: Path) -> None:
    write(file, "ada")
    users = UsersFile(file)
    users.users(NOW)

    write(file, "ada", "grace")

    assert "grace" in users.users(NOW - 86400)


def test_a_replacement_of_the_same_size_and_time_is_noticed(file: Path) -> None:
    write(file, "ada")
    users = UsersFile(file)
    users.users(NOW)
    before = file.stat()
    twin = file.with_name("twin")
    twin.write_text(file.read_text().replace("ada", "eve"))
    os.utime(twin, ns=(before.st_atime_ns, before.st_mtime_ns))
    twin.replace(file)

    assert set(users.users(NOW + 2)) == {"eve"}


def test_a_broken_file_keeps_the_last_good_users_and_is_told_once(file: Path) -> None:
    write(file, "ada")
    users = UsersFile(file)
    users.users(NOW)

    file.write_text("ada: {password: oops}\n")
    with capture_logs() as logs:
        assert set(users.users(NOW + 2)) == {"ada"}
        assert set(users.users(NOW + 4)) == {"ada"}

    assert [entry["event"] for entry in logs] == ["users_file_not_reloaded"]
    assert "oops" not in str(logs)

    write(file, "grace")
    assert set(users.users(NOW + 6)) == {"grace"}


def test_a_vanished_file_keeps_the_last_good_users(file: Path) -> None:
    write(file, "ada")
    users = UsersFile(file)
    users.users(NOW)

    file.unlink()

    assert set(users.users(NOW + 2)) == {"ada"}


def test_without_a_good_file_there_is_no_start(tmp_path: Path) -> None:
    missing, binary = tmp_path / "missing.yaml", tmp_path / "binary.yaml"
    binary.write_bytes(b"\xff\xfe")

    for path in (missing, binary):
        with pytest.raises(SettingsError, match="cannot be read"):
            UsersFile(path)


def test_a_file_that_others_may_read_is_told(file: Path) -> None:
    write(file, "ada")
    file.chmod(0o644)

    with capture_logs() as logs:
        UsersFile(file)

    assert logs[0]["event"] == "users_file_open_to_others"


def test_an_added_user_can_sign_in_and_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "users.yaml"

    add_user(path, "ada", Passwords(CHEAP).hash(RIGHT), name="Ada", attributes={"groups": ("staff", "founders")})

    assert isinstance(login(path, "ada"), Authenticated)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [entry.name for entry in tmp_path.iterdir()] == ["users.yaml"]


def test_edits_keep_comments_order_and_quotes(file: Path) -> None:
    old, new = Passwords(CHEAP).hash("old"), Passwords(CHEAP).hash("new")
    ada = f"# staff\nada:  # the first\n  password: '{old}'\n  name: \"Ada\"\n"
    grace = "\n# guests\ngrace:\n  password: "
    file.write_text(f"{ada}{grace}{old}\n")

    set_password(file, "grace", new)

    assert file.read_text() == f"{ada}{grace}{new}\n"


def test_a_file_of_comments_keeps_them_when_its_first_user_comes(file: Path) -> None:
    file.write_text("# nobody yet\n")

    add_user(file, "ada", Passwords(CHEAP).hash(RIGHT), attributes={})

    assert file.read_text().startswith("# nobody yet\nada:\n")


def test_a_name_that_looks_like_a_number_is_quoted(file: Path) -> None:
    add_user(file, "12345", Passwords(CHEAP).hash(RIGHT), attributes={})

    assert isinstance(login(file, "12345"), Authenticated)


def test_a_new_password_clears_or_sets_the_need_to_change_it(file: Path) -> None:
    write(file, "ada: must_change: true")
    encoded = Passwords(CHEAP).hash("new password")

    set_password(file, "ada", encoded)
    assert isinstance(login(file, "ada", "new password"), Authenticated)

    set_password(file, "ada", encoded, must_change=True)
    assert login(file, "ada", "new password") == Rejected("must_change", "users_file", proved=True)


@pytest.mark.parametrize("username", ["ada", "Ada", "no spaces", ""])
def test_names_that_are_taken_or_are_none_are_refused(file: Path, username: str) -> None:
    write(file, "ada")
    before = file.read_text()

    with pytest.raises(UserEditError) as refused:
        add_user(file, username, Passwords(CHEAP).hash("x"), attributes={})

    assert refused.value.username == username
    assert file.read_text() == before


def test_a_password_for_nobody_is_refused(file: Path) -> None:
    with pytest.raises(UserEditError, match="no user 'ada'"):
        set_password(file, "ada", Passwords(CHEAP).hash("x"))


@pytest.mark.parametrize("grace", ["*shared", "{<<: *shared, name: Grace}"])
def test_nobody_gets_the_password_of_whoever_shares_their_record(file: Path, grace: str) -> None:
    old, new = Passwords(CHEAP).hash("old"), Passwords(CHEAP).hash("new")
    file.write_text(f"ada: &shared\n  password: '{old}'\ngrace: {grace}\n")
    before = file.read_text()

    with pytest.raises(UserEditError, match="grace shares what would change"):
        set_password(file, "ada", new)

    assert file.read_text() == before


def test_a_broken_file_is_not_edited(file: Path) -> None:
    file.write_text("ada: {password: oops}\n")

    with pytest.raises(SettingsError):
        add_user(file, "grace", Passwords(CHEAP).hash("x"), attributes={})

    assert file.read_text() == "ada: {password: oops}\n"


def test_a_name_that_would_turn_into_a_number_has_to_be_quoted_before_the_file_is_edited(file: Path) -> None:
    encoded = Passwords(CHEAP).hash(RIGHT)
    file.write_text(f"# staff\n007: {{password: '{encoded}'}}\n")
    before = file.read_text()
    assert isinstance(login(file, "007"), Authenticated)

    with pytest.raises(SettingsError) as refused:
        set_password(file, "007", encoded)

    [problem] = refused.value.problems
    assert (problem.line, problem.column) == (2, 1)
    assert "put it into quotes" in problem.message
    assert file.read_text() == before


def test_an_edit_that_would_break_the_file_is_not_written(file: Path) -> None:
    write(file, "ada")
    before = file.read_text()

    with pytest.raises(SettingsError):
        set_password(file, "ada", "not a hash")

    assert file.read_text() == before
    assert [entry.name for entry in file.parent.iterdir()] == ["users.yaml"]


def test_a_write_that_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    in_the_way = tmp_path / "users.yaml"
    in_the_way.mkdir()

    with pytest.raises(IsADirectoryError):
        replace_file(in_the_way, b"ada: {}")

    assert list(tmp_path.iterdir()) == [in_the_way]


def test_a_link_stays_a_link(file: Path) -> None:
    link = file.with_name("link.yaml")
    link.symlink_to(file)

    add_user(link, "ada", Passwords(CHEAP).hash(RIGHT), attributes={})

    assert link.is_symlink()
    assert isinstance(login(file, "ada"), Authenticated)


def test_editors_at_the_same_time_lose_nobody(file: Path) -> None:
    encoded = Passwords(CHEAP).hash(RIGHT)
    names = [f"user{number}" for number in range(8)]
    threads = [
        threading.Thread(target=add_user, args=(file, name, encoded), kwargs={"attributes": {}}) for name in names
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)

    assert sorted(UsersFile(file).users(NOW)) == names
