"""Building and installing distributions, in virtual environments of their own."""

from __future__ import annotations

import os
import subprocess
import venv
import zipfile
from dataclasses import dataclass
from email.message import Message
from email.parser import Parser
from functools import cached_property
from pathlib import Path


@dataclass(frozen=True)
class Built:
    """What was built: the source distribution, the tree in it, and the wheel."""

    sdist: Path
    unpacked: Path
    wheel: Path

    @cached_property
    def names(self) -> frozenset[str]:
        """The files in the wheel."""
        with zipfile.ZipFile(self.wheel) as archive:
            return frozenset(archive.namelist())

    @cached_property
    def metadata(self) -> Message:
        """What the wheel says about itself."""
        with zipfile.ZipFile(self.wheel) as archive:
            (name,) = (name for name in self.names if name.endswith(".dist-info/METADATA"))
            return Parser().parsestr(archive.read(name).decode())

    def read(self, name: str) -> bytes:
        """Return the content of a file in the wheel."""
        with zipfile.ZipFile(self.wheel) as archive:
            return archive.read(name)


class Environment:
    """A virtual environment in ``directory``; it sees nothing of the one that the tests run in."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        venv.create(directory, with_pip=True)
        self.variables = {
            name: value for name, value in os.environ.items() if not name.startswith(("CASDUO_", "PYTHON"))
        }

    def program(self, name: str) -> str:
        """Return the path of a program in this environment."""
        return str(self.directory / "bin" / name)

    def run(self, *command: str, directory: Path | None = None) -> str:
        """Run a program of this environment to its end and return what it printed."""
        done = subprocess.run(
            [self.program(command[0]), *command[1:]],
            cwd=directory or self.directory,
            env=self.variables,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def install(self, *requirements: str) -> None:
        """Install ``requirements`` with pip."""
        self.run("python", "-m", "pip", "install", "--quiet", *requirements)

    def build(self, kind: str, source: Path, into: Path) -> Path:
        """Build an ``sdist`` or a ``wheel`` from ``source`` by the hook of PEP 517 and return its path."""
        code = f"import setuptools.build_meta as b, sys; print(b.build_{kind}(sys.argv[1]))"
        return into / self.run("python", "-c", code, str(into), directory=source).splitlines()[-1]
