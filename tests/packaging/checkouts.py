"""A fresh checkout on a machine with few programs, some of them stand-ins that note how they were called."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.packaging.conftest import REPOSITORY

TOOLS = (
    *("basename", "bash", "cat", "chmod", "cksum", "cp", "dirname", "env", "grep"),
    *("mkdir", "rm", "sed", "touch", "tr", "uname"),
)
COPIED = ("setup.py", "pyproject.toml", "tests/package.json", "tests/package-lock.json")

PYTHON = """
case "$*" in
    --version) echo "Python 3.12.1" ;;
    *ensurepip*) exit "${WITHOUT_ENSUREPIP:-0}" ;;
    *-venv*) echo python3.12-venv ;;
    *'"py%d'*|*'print("%d%d"'*) echo 312 ;;
    *version_info*) exit "${TOO_OLD:-0}" ;;
    "-m venv "*)
        mkdir -p "$4/bin"
        cp "$0" "$4/bin/python"
        for program in casduo tox; do
            printf '#!/bin/sh\\necho started "$@"\\n' >"$4/bin/$program"
            chmod +x "$4/bin/$program"
        done
        ;;
    "-m pip install "*)
        if [ -n "${PIP_SAYS:-}" ]; then
            echo "$PIP_SAYS"
            exit 1
        fi
        ;;
esac
"""


@dataclass(frozen=True)
class Checkout:
    """The checkout, and the directory with the only programs there are."""

    directory: Path
    programs: Path

    def add_program(self, name: str, script: str = "") -> None:
        """Add a stand-in: a shell script that notes its call first."""
        path = self.programs / name
        path.write_text(f'#!/bin/sh\necho "{name} $*" >>"$CALLS"\n{script}\n')
        path.chmod(0o755)

    def run(self, name: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run ``bin/name`` from another directory."""
        environment = {
            "PATH": str(self.programs),
            "HOME": str(self.directory),
            "CALLS": str(self.directory / "calls"),
            "PROGRAMS": str(self.programs),
        }
        return subprocess.run(
            [str(self.directory / "bin" / name), *arguments],
            cwd="/",
            env=environment | variables,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self, beginning: str) -> list[str]:
        """Return the calls of stand-ins that begin so, in their order."""
        return [line for line in (self.directory / "calls").read_text().splitlines() if line.startswith(beginning)]


def fresh_checkout(directory: Path) -> Checkout:
    """Return a checkout below ``directory`` with a stand-in for Python, run by root."""
    checkout = Checkout(directory / "a checkout", directory / "programs")
    checkout.programs.mkdir()
    shutil.copytree(REPOSITORY / "bin", checkout.directory / "bin")
    for name in COPIED:
        (checkout.directory / name).parent.mkdir(exist_ok=True)
        shutil.copy(REPOSITORY / name, checkout.directory / name)
    for name in TOOLS:
        (checkout.programs / name).symlink_to(shutil.which(name) or name)
    checkout.add_program("python3", PYTHON)
    checkout.add_program("id", "echo 0")
    return checkout
