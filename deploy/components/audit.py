"""Ask whether weaknesses of what casduo needs are published: by ``pip-audit``, at the Python Package Index.

    python deploy/components/audit.py [--service osv]

Runs in the environment that casduo is installed in, with ``pip-audit`` beside it. Looked at is what casduo needs, in
the versions that are there, whatever else is installed. Ends with 0 where nothing is known, 1 where something is, and 2
where the service could not say: for ``pip-audit`` by itself silence is good news.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

NOTHING, FOUND, UNKNOWN = 0, 1, 2


def needed(name: str = "casduo") -> dict[str, str]:
    """Return what a distribution needs here, and what that needs: names and versions."""
    found: dict[str, str] = {}
    extras: dict[str, set[str]] = {}
    ahead = [Requirement(name)]
    while ahead:
        one = ahead.pop()
        for text in distribution(one.name).requires or []:
            requirement = Requirement(text)
            marker, plain = requirement.marker, re.sub(r"[-_.]+", "-", requirement.name).lower()
            wanted = marker is None or any(marker.evaluate({"extra": extra}) for extra in ("", *one.extras))
            # Looked at once more where somebody else wants extras of it.
            if not wanted or (plain in found and requirement.extras <= extras[plain]):
                continue
            try:
                found[plain] = distribution(requirement.name).version
            except PackageNotFoundError:
                raise SystemExit(f"{requirement.name} is needed and not installed") from None
            extras.setdefault(plain, set()).update(requirement.extras)
            ahead.append(requirement)
    return dict(sorted(found.items()))


def judged(report: dict[str, Any], asked: dict[str, str]) -> tuple[int, list[str]]:
    """Return the exit code and the lines for people.

    :param report: what ``pip-audit --format json`` has written
    :param asked: what it was to look at
    """
    lines, answered = [], set()
    for one in report.get("dependencies", []):
        if "skip_reason" in one:
            continue
        answered.add(re.sub(r"[-_.]+", "-", one["name"]).lower())
        for weakness in one.get("vulns", []):
            mended = ", ".join(weakness.get("fix_versions", [])) or "no version"
            lines.append(f"{one['name']} {one['version']}: {weakness['id']}, mended in {mended}")
    silent = sorted(set(asked) - answered)
    if silent:
        lines.append(f"the service told nothing of {len(silent)} of {len(asked)}: {', '.join(silent)}")
    return FOUND if len(lines) > bool(silent) else UNKNOWN if silent else NOTHING, lines


def main() -> None:
    """Ask, say what was found, and end with the code for it."""
    parser = argparse.ArgumentParser(description="Look for published weaknesses of what casduo needs.")
    parser.add_argument("--service", choices=["pypi", "osv"], default="pypi", help="whom to ask")
    given = parser.parse_args()
    asked = needed()
    with tempfile.TemporaryDirectory() as place:
        listing = Path(place) / "requirements.txt"
        listing.write_text("".join(f"{name}=={version}\n" for name, version in asked.items()), encoding="ascii")
        command = [sys.executable, "-m", "pip_audit", "--requirement", str(listing), "--no-deps", "--disable-pip"]
        command += ["--vulnerability-service", given.service, "--format", "json", "--progress-spinner", "off"]
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    try:
        code, lines = judged(json.loads(done.stdout), asked)
    except ValueError:
        code, lines = UNKNOWN, [done.stderr.strip() or "pip-audit said nothing"]
    for line in lines:
        print(line)
    print({NOTHING: "nothing is known", FOUND: "something is known", UNKNOWN: "the service could not be asked"}[code])
    raise SystemExit(code)


if __name__ == "__main__":
    main()
