"""The wheel, built once from a copy of the checkout."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.packaging.builds import Built, Environment

REPOSITORY = Path(__file__).parents[2]
NOT_SOURCE = (".*", "build", "dist", "*.egg-info", "__pycache__", "node_modules")


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the checkout: building leaves files beside the sources."""
    copy = tmp_path_factory.mktemp("source") / "casduo"
    shutil.copytree(REPOSITORY, copy, ignore=shutil.ignore_patterns(*NOT_SOURCE))
    return copy


@pytest.fixture(scope="session")
def built(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Return the source distribution, and the wheel that is built from it."""
    directory = tmp_path_factory.mktemp("built")
    builder = Environment(directory / "builder")
    builder.install("setuptools>=77")
    sdist = builder.build("sdist", checkout, directory)
    builder.run("python", "-m", "tarfile", "--extract", str(sdist), str(directory / "unpacked"))
    (unpacked,) = (directory / "unpacked").iterdir()
    return Built(sdist=sdist, unpacked=unpacked, wheel=builder.build("wheel", unpacked, directory))


@pytest.fixture(scope="session")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Return an environment with nothing but the wheel, its requirements and those of the demo."""
    environment = Environment(tmp_path_factory.mktemp("installed") / "environment")
    environment.install(f"{built.wheel}[demo]")
    return environment
