"""The layers hold: nobody imports what the table in ``rules.py`` forbids, and the checker sees who does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.layers.rules import RULES, Rule, imports_below, violations

PACKAGE = Path(__file__).parents[2] / "casduo"
IMPORTS = imports_below(PACKAGE)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_nobody_imports_what_the_rule_forbids(rule: Rule) -> None:
    found = violations(rule, IMPORTS)
    assert not found, rule.reason


def test_every_folder_with_code_is_a_package() -> None:
    folders = {path.parent for path in PACKAGE.rglob("*.py")}
    without = [str(folder.relative_to(PACKAGE)) for folder in folders if not (folder / "__init__.py").is_file()]
    assert not without


@pytest.mark.parametrize(
    "statement",
    [
        "import redis",
        "import redis.asyncio as store",
        "from redis import Redis",
        "from redis.exceptions import ConnectionError",
        "def late() -> None:\n    import redis",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import redis",
        "import importlib\nimportlib.import_module('redis')",
        "from importlib import import_module\nimport_module('redis.sentinel')",
        "__import__('redis')",
    ],
)
def test_every_way_to_import_is_seen(tmp_path: Path, statement: str) -> None:
    package = _package(tmp_path, {"tickets/registry.py": statement})
    assert violations(_rule("redis"), imports_below(package))


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        ("middleware/client.py", "from .. import settings"),
        ("middleware/client.py", "from ..settings import Settings"),
        ("middleware/session/cookie.py", "from ...settings import Settings"),
        ("middleware/__init__.py", "from ..settings import Settings"),
        ("middleware/client.py", "from casduo import settings"),
        ("middleware/client.py", "import casduo"),
    ],
)
def test_relative_imports_are_followed(tmp_path: Path, module: str, statement: str) -> None:
    package = _package(tmp_path, {module: statement})
    assert violations(_rule("middleware-apart"), imports_below(package))


@pytest.mark.parametrize(
    ("module", "statement"),
    [
        ("store/connection.py", "import redis"),
        ("tickets/registry.py", "import redis_lock"),
        ("tickets/registry.py", "from casduo.store import redis"),
        ("tickets/registry.py", "def redis(name: str) -> None: ...\nredis('import')"),
    ],
)
def test_what_the_rule_allows_is_not_reported(tmp_path: Path, module: str, statement: str) -> None:
    package = _package(tmp_path, {module: statement})
    assert not violations(_rule("redis"), imports_below(package))


def test_a_report_names_the_module_the_line_and_the_import(tmp_path: Path) -> None:
    package = _package(tmp_path, {"webflow/engine.py": "import re\nimport casduo.tickets.model\n"})
    assert violations(_rule("engine"), imports_below(package)) == [
        "casduo.webflow.engine line 2 imports casduo.tickets.model"
    ]


def _rule(name: str) -> Rule:
    return next(rule for rule in RULES if rule.name == name)


def _package(directory: Path, modules: dict[str, str]) -> Path:
    package = directory / "casduo"
    for name, text in modules.items():
        path = package / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return package
