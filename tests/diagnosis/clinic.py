"""An installation in front of a simulated Duo, and visits of ``casduo doctor`` to it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from casduo.cli import main
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.duo.model import Application
from casduo.store import Store

MAIN = "Duo, main application"
WORKER = "casduo:worker:alive"
SECRET_KEY = "k" * 40
REDIS_PASSWORD = "hopper-1952"
PROXY_PASSWORD = "lovelace-1843"

REGISTRY = """
services:
  - {id: library, name: Library, url: "https://library.example.edu/**"}
  - {id: payroll, name: Payroll, url: "https://payroll.example.edu/**", requires_duo: true}
"""


@dataclass
class Visit:
    """What a run of the command came to."""

    level: str
    findings: list[dict[str, Any]]
    exit_code: int

    def of(self, examined: str, part: str = MAIN) -> dict[str, Any]:
        return next(each for each in self.findings if each["examined"] == examined and each["part"] == part)

    def at_host(self, examined: str) -> dict[str, Any]:
        return next(
            each for each in self.findings if each["examined"] == examined and each["part"].startswith("Duo at ")
        )

    @property
    def left_out(self) -> bool:
        """Whether the application was left alone, as there was no way to Duo."""
        return self.of("keys")["detail"] == "not_examined" and "Auth API" not in self.unwell

    @property
    def unwell(self) -> dict[str, str]:
        """The fixed words of everything that is not well."""
        return {each["examined"]: each["detail"] for each in self.findings if each["level"] != "ok"}


@dataclass
class Clinic:
    """An installation that a test can make ill: its settings as a mapping, to be changed before a run."""

    directory: Path
    duo: DuoSimulator
    universal: Application
    auth_api: Application
    settings: dict[str, Any]
    secrets: set[str] = field(default_factory=set)

    def run(self, *words: str) -> Result:
        path = self.directory / "casduo.yaml"
        path.write_text(json.dumps(self.settings))
        result = CliRunner().invoke(main, ["doctor", "--config", str(path), *words], catch_exceptions=False)
        leaked = [secret for secret in self.secrets if secret in result.output]
        assert not leaked
        return result

    def examine(self, *words: str) -> Visit:
        result = self.run("--json", *words)
        # Nothing but JSON: no log, no warning of a library.
        said = json.loads(result.output)
        visit = Visit(said["level"], said["findings"], result.exit_code)
        assert visit.exit_code == {"ok": 0, "attention": 1, "fault": 2}[visit.level]
        for each in visit.findings:
            assert (each["level"] == "ok") is ("cause" not in each)
        return visit


def healthy_clinic(directory: Path, duo: DuoSimulator, store: Store, redis_url: str) -> Clinic:
    """Return an installation in which everything is well, and a worker is there."""
    store.command("SET", WORKER, "worker", "PX", 60_000)
    (directory / "registry.yaml").write_text(REGISTRY)
    users = directory / "users.yaml"
    users.write_text("{}\n")
    users.chmod(0o600)
    universal, auth_api = duo.add_application(), duo.add_application("authapi")
    settings = {
        "server": {"url": "https://sso.example.edu/cas", "state_directory": str(directory / "state")},
        "redis": {"url": redis_url},
        "secret_key": SECRET_KEY,
        "authentication": [{"type": "users_file", "path": "users.yaml"}],
        "duo": {
            "api_host": duo.api_host,
            "ca_file": str(duo.ca_file),
            "universal": {"client_id": universal.integration_key, "client_secret": universal.secret_key},
            "auth_api": keys_of(auth_api),
            "connect_timeout": "2s",
            "read_timeout": "2s",
        },
    }
    secrets = {universal.secret_key, auth_api.secret_key, SECRET_KEY, REDIS_PASSWORD, PROXY_PASSWORD}
    return Clinic(directory, duo, universal, auth_api, settings, secrets)


def keys_of(application: Application) -> dict[str, str]:
    return {"integration_key": application.integration_key, "secret_key": application.secret_key}
