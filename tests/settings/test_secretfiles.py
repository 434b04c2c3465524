from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from casduo.errors import SettingsError
from casduo.settings import Settings, ensure_pairwise_key, ensure_secret_key, find_pairwise_key, load_settings

Write = Callable[[str], Path]
Problems = Callable[..., dict[str, str]]

KEY = "a-key-of-at-least-thirty-two-characters"


def test_a_secret_is_read_from_its_file(settings_file: Write, tmp_path: Path) -> None:
    (tmp_path / "redis_password").write_text("  hunter2 with spaces \n")
    settings = load_settings(settings_file("redis: {url: 'redis://h', password_file: redis_password}"), {})
    assert settings.redis.password is not None
    assert settings.redis.password.get_secret_value() == "hunter2 with spaces"


def test_secret_files_work_in_every_section(settings_file: Write, tmp_path: Path, duo_section: str) -> None:
    secret = "0123456789012345678901234567890123456789"
    (tmp_path / "secret").write_text(secret)
    text = (
        duo_section.replace(f"client_secret: {secret}", "client_secret_file: secret")
        + "  auth_api: {integration_key: DIAUTHAPIAUTHAPIAUTH, secret_key_file: secret}\n"
        + "  applications: {hr: {universal: {client_id: DIHRHRHRHRHRHRHRHRHR, client_secret_file: secret}}}\n"
        + "secret_key_file: secret\n"
        + "authentication:\n"
        + "  - {type: ldap, servers: ldaps://h, base: dc=x, bind_dn: cn=a, bind_password_file: secret}\n"
    )
    settings = load_settings(settings_file(text), {})
    assert settings.duo is not None
    assert settings.duo.auth_api is not None
    hr = settings.duo.applications["hr"].universal
    assert hr is not None
    found = [
        settings.secret_key,
        settings.duo.universal.client_secret,
        settings.duo.auth_api.secret_key,
        hr.client_secret,
        settings.authentication[0].bind_password,  # type: ignore[union-attr]
    ]
    assert [value.get_secret_value() for value in found if value is not None] == [secret] * 5


def texts(settings: Settings) -> list[str]:
    keys, sentence = ensure_secret_key(settings)
    assert sentence is None
    return [key.text for key in keys]


def test_a_secret_file_can_be_named_by_a_variable(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY)
    settings = load_settings(None, {"CASDUO_SECRET_KEY_FILE": str(tmp_path / "key")})
    assert texts(settings) == [KEY]


def test_older_keys_stand_one_a_line(settings_file: Write, tmp_path: Path) -> None:
    (tmp_path / "old").write_text(f"{KEY}-1\n\n{KEY}-2\n")
    settings = load_settings(settings_file(f"secret_key: {KEY}\nprevious_secret_keys_file: old"), {})
    assert texts(settings) == [KEY, f"{KEY}-1", f"{KEY}-2"]


def test_a_secret_file_that_cannot_be_used_is_one_problem(problems_in: Problems, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text(" \n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    duo = "duo: {api_host: h, universal: {client_id: DI01234567890123456X, client_secret_file: %s}}"
    path = "duo.universal.client_secret_file"
    assert problems_in(duo % "missing") == {path: "cannot be read: No such file or directory"}
    assert problems_in(duo % ".") == {path: "cannot be read: Is a directory"}
    assert problems_in(duo % "empty") == {path: "names an empty file"}
    assert problems_in(duo % "binary") == {path: "names a file that is not UTF-8 text"}
    assert problems_in(duo % "5") == {path: "must be the name of a file"}


def test_a_secret_and_its_file_are_one_too_many(problems_in: Problems, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(KEY)
    assert problems_in(f"secret_key: {KEY}\nsecret_key_file: key") == {
        "secret_key_file": "and 'secret_key' are both given; keep one"
    }


def test_what_a_secret_file_holds_is_checked_like_the_secret(problems_in: Problems, tmp_path: Path) -> None:
    (tmp_path / "key").write_text("hunter2")
    assert problems_in("secret_key_file: key") == {"secret_key": "must have at least 32 characters, it has 7"}


@pytest.fixture
def without_key(settings_file: Write) -> Settings:
    return load_settings(settings_file(f"previous_secret_keys: [{KEY}]"), {})


def test_a_missing_key_is_made_once(without_key: Settings) -> None:
    found, sentence = ensure_secret_key(without_key)
    keys = [key.text for key in found]
    path = without_key.server.state_directory / "secret_key"
    assert keys == [path.read_text().strip(), KEY]
    assert len(keys[0]) >= 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o077 == 0
    assert sentence is not None
    assert str(path) in sentence
    assert keys[0] not in sentence
    assert ensure_secret_key(without_key) == (found, None)


def test_many_that_start_at_once_get_the_same_key(without_key: Settings) -> None:
    barrier = threading.Barrier(16)
    found: list[tuple[str, bool]] = []

    def start() -> None:
        barrier.wait()
        keys, sentence = ensure_secret_key(without_key)
        found.append((keys[0].text, sentence is not None))

    threads = [threading.Thread(target=start) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({key for key, _ in found}) == 1
    assert sum(made for _, made in found) == 1
    assert [path.name for path in without_key.server.state_directory.iterdir()] == ["secret_key"]


def test_a_key_that_others_can_read_is_warned_of(without_key: Settings) -> None:
    ensure_secret_key(without_key)
    path = without_key.server.state_directory / "secret_key"
    path.chmod(0o644)
    assert "chmod 600" in (ensure_secret_key(without_key)[1] or "")


@pytest.mark.parametrize("content", [b"", b"short", b"\xff" * 40])
def test_a_key_file_that_holds_no_key_stops_the_start(without_key: Settings, content: bytes) -> None:
    path = without_key.server.state_directory / "secret_key"
    path.parent.mkdir()
    path.write_bytes(content)
    with pytest.raises(SettingsError, match="the secret key"):
        ensure_secret_key(without_key)


def test_a_state_directory_that_cannot_be_made_stops_the_start(tmp_path: Path, settings_file: Write) -> None:
    (tmp_path / "state").write_text("a file")
    with pytest.raises(SettingsError, match="cannot be read or made"):
        ensure_secret_key(load_settings(settings_file(""), {}))


# --- the key of pairwise ids ----------------------------------------------------------------------------------------


def test_the_key_of_pairwise_ids_is_made_once_and_kept(without_key: Settings) -> None:
    key, sentence = ensure_pairwise_key(without_key)
    path = without_key.server.state_directory / "pairwise_key"
    assert key == path.read_text().strip()
    assert path.stat().st_mode & 0o777 == 0o600
    assert sentence is not None
    assert "changing it changes every pairwise id" in sentence
    assert "(pairwise_key or pairwise_key_file)" in sentence
    assert key not in sentence
    assert ensure_pairwise_key(without_key) == (key, None)


def test_it_is_not_the_signing_key_and_survives_its_change(without_key: Settings) -> None:
    key, _ = ensure_pairwise_key(without_key)
    (signing, *_), _ = ensure_secret_key(without_key)
    assert key != signing.text
    (without_key.server.state_directory / "secret_key").unlink()
    assert ensure_secret_key(without_key)[0][0] != signing
    assert ensure_pairwise_key(without_key) == (key, None)


def test_it_can_be_given_or_lie_in_a_file_of_its_own(settings_file: Write, tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{KEY}-1\n")
    for text, key in ((f"pairwise_key: {KEY}", KEY), ("pairwise_key_file: key", f"{KEY}-1")):
        settings = load_settings(settings_file(text), {})
        assert ensure_pairwise_key(settings) == (key, None)
        assert find_pairwise_key(settings) == key
        assert not (settings.server.state_directory / "pairwise_key").exists()
        assert KEY not in repr(settings)


def test_it_is_as_long_as_any_key(problems_in: Problems) -> None:
    assert problems_in("pairwise_key: ada") == {"pairwise_key": "must have at least 32 characters, it has 3"}


def test_a_broken_key_of_pairwise_ids_stops_the_start_and_is_not_replaced(without_key: Settings) -> None:
    path = without_key.server.state_directory / "pairwise_key"
    path.parent.mkdir()
    path.write_text("short")
    with pytest.raises(SettingsError, match="restore it from a copy: a new one changes every pairwise id"):
        ensure_pairwise_key(without_key)
    assert path.read_text() == "short"
    assert find_pairwise_key(without_key) is None


def test_looking_for_it_makes_none(without_key: Settings) -> None:
    assert find_pairwise_key(without_key) is None
    assert not without_key.server.state_directory.exists()
    key, _ = ensure_pairwise_key(without_key)
    assert find_pairwise_key(without_key) == key
    (without_key.server.state_directory / "pairwise_key").write_bytes(b"\xff" * 40)
    assert find_pairwise_key(without_key) is None
