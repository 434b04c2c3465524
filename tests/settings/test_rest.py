from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from casduo.settings import Settings, load_settings, read_settings

Write = Callable[[str], Path]
Problems = Callable[..., dict[str, str]]

KEY = "Pn0wUzX3b7kQeRr2TtYy5HhGgFfDdSsA"


def clients(*entries: str) -> str:
    return "rest:\n  enabled: true\n  clients:\n" + "".join(f"    - {{{entry}}}\n" for entry in entries)


def test_it_is_off_and_knows_nobody() -> None:
    rest = Settings().rest
    assert (rest.enabled, rest.clients) == (False, ())


def test_a_client_with_everything(settings_file: Write) -> None:
    text = clients(f"name: portal, key: '{KEY}', networks: 10.0.0.0/8, services: [library, payroll]")
    [client] = load_settings(settings_file(text), {}).rest.clients
    assert client.key is not None
    assert client.key.get_secret_value() == KEY
    assert (client.name, [str(network) for network in client.networks]) == ("portal", ["10.0.0.0/8"])
    assert client.services == ("library", "payroll")


def test_keys_can_lie_in_files(settings_file: Write, tmp_path: Path) -> None:
    (tmp_path / "one").write_text(f"{KEY}\n")
    (tmp_path / "two").write_text(f"  {KEY[::-1]}  ")
    text = clients("name: one, key_file: one", "name: two, key_file: two")
    found = load_settings(settings_file(text), {}).rest.clients
    assert [client.key.get_secret_value() for client in found if client.key] == [KEY, KEY[::-1]]


def test_a_key_can_come_from_the_environment(settings_file: Write) -> None:
    path = settings_file(clients("name: portal, networks: 10.0.0.0/8"))
    [client] = load_settings(path, {"CASDUO_REST__CLIENTS__0__KEY": KEY}).rest.clients
    assert client.key is not None
    assert client.key.get_secret_value() == KEY


@pytest.mark.parametrize(
    ("entry", "place", "said"),
    [
        ("name: portal", "rest.clients[0]", "nobody could tell who calls"),
        ("name: portal, services: library", "rest.clients[0]", "nobody could tell who calls"),
        ("name: portal, networks: []", "rest.clients[0]", "nobody could tell who calls"),
        ("name: portal, key: short", "rest.clients[0].key", "at least 32 characters, it has 5"),
        (f"name: portal, key: '{KEY} {KEY}'", "rest.clients[0].key", "travels in a header"),
        (f"name: portal, key: '{KEY}ü'", "rest.clients[0].key", "travels in a header"),
        (f"name: portal, key: '{KEY[:20]}={KEY}'", "rest.clients[0].key", "travels in a header"),
        ("name: portal, key_file: missing", "rest.clients[0].key_file", "cannot be read"),
        ("name: portal, key_file: missing, networks: 10.0.0.0/8", "rest.clients[0].key_file", "cannot be read"),
        (f"name: portal, key: '{KEY}', key_file: key", "rest.clients[0].key_file", "keep one"),
        ("name: portal, networks: 0.0.0.0/0", "rest.clients[0].networks", "give the client a 'key'"),
        ("name: portal, networks: [10.0.0.0/8, '::/0']", "rest.clients[0].networks", "give the client a 'key'"),
        ("name: portal, networks: [10.0.0.1/8]", "rest.clients[0].networks[0]", "did you mean 10.0.0.0/8"),
        (f"name: Portal 7, key: '{KEY}'", "rest.clients[0].name", "short name"),
        (f"key: '{KEY}'", "rest.clients[0].name", "missing"),
        (f"name: portal, key: '{KEY}', service: library", "rest.clients[0].service", "did you mean 'services'"),
    ],
)
def test_what_a_client_may_not_be(problems_in: Problems, tmp_path: Path, entry: str, place: str, said: str) -> None:
    (tmp_path / "key").write_text(KEY[::-1])
    problems = problems_in(clients(entry))
    assert said in problems[place]
    assert KEY not in str(problems)


def test_a_key_opens_from_anywhere(settings_file: Write) -> None:
    assert load_settings(settings_file(clients(f"name: portal, key: '{KEY}', networks: 0.0.0.0/0")), {}).rest.enabled


def test_clients_are_told_apart(problems_in: Problems) -> None:
    same_name = clients(f"name: portal, key: '{KEY}'", f"name: portal, key: '{KEY[::-1]}'")
    assert "two clients of the name 'portal'" in problems_in(same_name)["rest.clients"]
    same_key = clients(f"name: portal, key: '{KEY}'", f"name: batch, key: '{KEY}'")
    assert "the same key" in problems_in(same_key)["rest.clients"]


def test_switched_on_for_nobody_is_a_mistake(problems_in: Problems) -> None:
    assert "name a client" in problems_in("rest: {enabled: true}")["rest.clients"]


def test_no_key_is_shown(settings_file: Write) -> None:
    settings, problems = read_settings(settings_file(clients(f"name: portal, key: '{KEY}'")), {})
    assert problems == []
    assert KEY not in repr(settings)
    assert KEY not in str(settings)
