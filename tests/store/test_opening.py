"""Opening the store that the settings name: the embedded Valkey, a server by its address, and nobody at home."""

from __future__ import annotations

from pathlib import Path

import pytest

from casduo.errors import UpstreamUnavailable
from casduo.settings import Settings, load_settings
from casduo.store.embedded import EmbeddedValkey
from casduo.store.opening import embedded_valkey, open_store, running_store


def settings(directory: Path, redis: str = "") -> Settings:
    path = directory / "casduo.yaml"
    text = f"server: {{url: https://sso.example.edu/cas, state_directory: {directory}/state}}\n"
    path.write_text(text + redis, encoding="utf-8")
    return load_settings(path, {})


def test_without_an_address_it_is_the_valkey_of_the_state_directory(tmp_path: Path) -> None:
    found = settings(tmp_path)
    embedded = embedded_valkey(found)
    assert embedded is not None
    with embedded:
        store = open_store(found, embedded, 2)
        store.command("SET", "a", "b")
        looking = running_store(found)
        assert looking.command("GET", "a") == "b"
        looking.close()
        store.close()


def test_with_an_address_it_is_that_server(tmp_path: Path, valkey_url: str) -> None:
    found = settings(tmp_path, f"redis: {{url: '{valkey_url}'}}\n")
    assert embedded_valkey(found) is None
    store = running_store(found)
    store.ping()
    store.close()


def test_the_password_goes_to_the_named_server_only(tmp_path: Path) -> None:
    # The embedded one has none, and would refuse whoever brings one.
    found = settings(tmp_path, "redis: {password: secret-password}\n")
    with EmbeddedValkey(found.server.state_directory / "valkey"):
        store = running_store(found)
        store.ping()
        store.close()


def test_looking_at_a_casduo_that_does_not_run_starts_nothing(tmp_path: Path) -> None:
    with pytest.raises(UpstreamUnavailable) as caught:
        running_store(settings(tmp_path))

    assert caught.value.detail.startswith(f"no casduo runs on the state directory {tmp_path}/state, or ")
    assert list(tmp_path.iterdir()) == [tmp_path / "casduo.yaml"]


def test_a_server_that_does_not_answer_is_named_without_its_password(tmp_path: Path) -> None:
    # A port that nobody listens on: reserved, and taken by no server.
    found = settings(tmp_path, "redis: {url: 'redis://:secret-password@127.0.0.1:1/0', timeout: 1s}\n")

    with pytest.raises(UpstreamUnavailable) as caught:
        running_store(found)

    assert caught.value.detail.startswith("Redis at redis://127.0.0.1:1/0 does not answer")
    assert "secret-password" not in f"{caught.value} {caught.value.args}"
