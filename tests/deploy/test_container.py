"""The container files, as far as they can be judged without an engine: what is built in, who runs it, what is mounted.

That the programs run so is tested with the wheel: ``tests/packaging/test_wheel.py``.
"""

from __future__ import annotations

import re
import shlex
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from casduo.cli import main
from casduo.routes import ROUTES
from casduo.settings import load_settings
from casduo.yamlfile import parse_yaml
from tests.support.containerfile import Stage, read_containerfile
from tests.support.proxies import DEPLOY, ROOT

FOLDER = DEPLOY / "container"
BUILD, FINAL = read_containerfile(FOLDER / "Containerfile")
COMPOSE = parse_yaml((FOLDER / "compose.yaml").read_bytes(), "compose.yaml").data


def copied(stage: Stage) -> list[str]:
    """Return the sources that are copied from the checkout."""
    words = [shlex.split(text) for text in stage.all("COPY")]
    return [source for line in words if not line[0].startswith("--from") for source in line[:-1]]


def test_all_that_a_wheel_is_made_of_is_copied_and_nothing_else() -> None:
    manifest = (ROOT / "MANIFEST.in").read_text(encoding="utf-8")
    needed = set(re.findall(r"^(?:include|graft) (.*)$", manifest, re.MULTILINE)[0].split()) - {"CHANGES.md"}
    makes_the_bill = {"deploy/components"}
    assert needed | {"views", "casduo", "setup.py", "pyproject.toml", "MANIFEST.in"} | makes_the_bill == set(
        copied(BUILD)
    )
    assert all((ROOT / name).exists() for name in copied(BUILD))
    assert copied(FINAL) == []


@pytest.mark.parametrize("name", [".containerignore", "Containerfile.dockerignore"])
def test_the_context_is_what_is_copied(name: str) -> None:
    lines = [line for line in (FOLDER / name).read_text(encoding="utf-8").splitlines() if line and line[0] != "#"]
    assert lines[0] == "*"
    assert {line[1:] for line in lines if line[0] == "!"} == set(copied(BUILD))
    assert not any(fnmatch("casduo/app.py", line) for line in lines[1:] if line[0] != "!")


def test_images_have_a_tag_and_are_small_ones() -> None:
    assert all(
        re.fullmatch(r"docker\.io/library/python:3\.\d+-slim-\w+( AS \w+)?", each.image) for each in (BUILD, FINAL)
    )


def test_nobody_is_root_and_nothing_is_fetched_in_the_last_stage() -> None:
    assert FINAL.all("USER") == ["10001:10001"]
    places = [name for name, _ in FINAL.instructions]
    assert "RUN" not in places[places.index("USER") :]
    assert not re.search(r"pip|apt|curl|http", " ".join(FINAL.all("RUN")))


def test_the_image_has_a_bill_of_what_is_in_it() -> None:
    """Made of the very environment that is copied, by tools that are not."""
    [made] = [text for text in BUILD.all("RUN") if "sbom.py" in text]
    assert "sbom.py /opt/casduo/bin/python -o /opt/casduo/share/sbom/casduo.cdx.json" in made
    assert [text for text in FINAL.all("COPY") if "/opt/bill" in text] == []
    assert (ROOT / "deploy/components/sbom.py").is_file()


def test_no_secret_is_built_in() -> None:
    assert not [name for name in FINAL.environment if re.search(r"SECRET|PASSWORD|KEY|TOKEN", name)]
    assert not [text for stage in (BUILD, FINAL) for text in stage.all("ARG")]


def test_the_environment_of_the_image_is_taken_by_the_settings(tmp_path: Path) -> None:
    path = tmp_path / "casduo.yaml"
    path.write_text(
        "server: {url: https://sso.example.edu/cas}\nauthentication: [{type: users_file, path: users.yaml}]\n",
        encoding="ascii",
    )
    settings = load_settings(path, FINAL.environment)
    assert settings.server.bind == "0.0.0.0:8443"
    assert str(settings.server.state_directory) == FINAL.all("VOLUME")[0] == FINAL.all("WORKDIR")[0]
    assert f"{settings.server.bind.rpartition(':')[2]}" == FINAL.all("EXPOSE")[0]


def test_the_image_runs_commands_that_there_are() -> None:
    assert FINAL.words("ENTRYPOINT") == ["casduo"]
    assert CliRunner().invoke(main, [*FINAL.words("CMD"), "--help"]).exit_code == 0
    for service in ("casduo", "worker"):
        assert CliRunner().invoke(main, [*COMPOSE["services"][service].get("command", []), "--help"]).exit_code == 0


def test_the_health_check_asks_an_address_of_ours() -> None:
    [check] = FINAL.all("HEALTHCHECK")
    [path] = re.findall(r"http://127\.0\.0\.1:8443/cas(/[a-z]+)", check)
    assert ROUTES[path].audience == "probe"


def _ours() -> list[Any]:
    return [COMPOSE["services"][name] for name in ("casduo", "worker")]


def test_compose_services_are_locked_down_and_only_the_server_is_reached() -> None:
    for service in COMPOSE["services"].values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    assert [name for name, service in COMPOSE["services"].items() if service.get("ports")] == ["casduo"]
    assert COMPOSE["services"]["casduo"]["ports"] == ["127.0.0.1:8443:8443"]


def test_compose_hands_secrets_over_as_files_and_the_settings_take_them(tmp_path: Path) -> None:
    for service in _ours():
        environment = service["environment"]
        files = {name: value for name, value in environment.items() if name.endswith("_FILE")}
        assert {value.removeprefix("/run/secrets/") for value in files.values()} == set(service["secrets"])
        for secret in service["secrets"]:
            assert secret in COMPOSE["secrets"]
            (tmp_path / secret).write_text(secret.ljust(40, "x"), encoding="ascii")
        path = tmp_path / "casduo.yaml"
        path.write_text(
            "server: {url: https://sso.example.edu/cas, worker: false}\n"
            "authentication: [{type: users_file, path: users.yaml}]\n"
            "duo: {api_host: api-1.duosecurity.com, universal: {client_id: DIXXXXXXXXXXXXXXXXXX}}\n",
            encoding="ascii",
        )
        here = {name: value.replace("/run/secrets", str(tmp_path)) for name, value in environment.items()}
        settings = load_settings(path, here)
        assert settings.redis.url == "redis://valkey:6379/0"
        assert settings.redis.password is not None


def test_the_valkey_of_compose_throws_nothing_away_and_keeps_what_it_answered() -> None:
    command = COMPOSE["services"]["valkey"]["command"][-1]
    assert "--maxmemory-policy noeviction" in command
    assert "--appendonly yes" in command
