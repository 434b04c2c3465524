from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from casduo.errors import Problem
from casduo.settings import read_settings

DUO = """\
duo:
  api_host: api-12345678.duosecurity.com
  universal:
    client_id: DI01234567890123456X
    client_secret: 0123456789012345678901234567890123456789
"""


@pytest.fixture
def settings_file(tmp_path: Path) -> Callable[[str], Path]:
    """Write a settings file and return its path."""

    def write(text: str) -> Path:
        path = tmp_path / "casduo.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


@pytest.fixture
def problems_in(settings_file: Callable[[str], Path]) -> Callable[..., dict[str, str]]:
    """Read settings and return the sentences about them by key path."""

    def read(text: str, **environ: str) -> dict[str, str]:
        return by_path(read_settings(settings_file(text), environ)[1])

    return read


@pytest.fixture
def duo_section() -> str:
    return DUO


def by_path(problems: list[Problem]) -> dict[str, str]:
    return {problem.path: problem.message for problem in problems}
