"""What no module of the package may use: shells, code made of text, broken algorithms, guessable random numbers."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

PACKAGE = Path(__file__).parents[2] / "casduo"
RUNS_CODE = {"eval", "exec", "compile", "__import__", "os.system", "os.popen", "subprocess.getoutput", "runpy.run_path"}
MAKES_OBJECTS = {"pickle", "marshal", "shelve", "dill", "jsonpickle", "yaml"}
"""Modules that make any object of a text. ``ruamel.yaml`` is used without tags and is none."""
FORETOLD = {"random", "uuid"}
BROKEN = {"md5", "sha1", "md4", "DES", "TripleDES", "ARC4", "Blowfish", "ECB", "PKCS1v15"}
SHA1_ALLOWED = {
    "store/scripts.py": "the name by which Redis knows a script (EVALSHA); nothing rests on it",
    "webex/signature.py": "what Webex signs with; settings can demand the newer one",
}


SUSPECT = re.compile(
    r"(?<![\w.])(?:eval|exec|compile|__import__)\(|\b(?:system|popen|getoutput|run_path|shell)\b"
    rf"|\b(?:{'|'.join(sorted(MAKES_OBJECTS | FORETOLD | BROKEN))})\b"
)
"""What a file has to hold for a closer look at it."""


@cache
def nodes(package: Path = PACKAGE) -> tuple[tuple[str, ast.AST], ...]:
    """Return every node of code below a package that may matter, with its file; simulators are no part of a server."""
    found: list[tuple[str, ast.AST]] = []
    for path in sorted(package.rglob("*.py")):
        place, text = path.relative_to(package).as_posix(), path.read_text(encoding="utf-8")
        if not place.startswith("simulators/") and SUSPECT.search(text):
            found += [(place, node) for node in ast.walk(ast.parse(text))]
    return tuple(found)


def dangerous(package: Path = PACKAGE) -> list[tuple[str, str]]:
    """Return where code is made of text, or a shell may be started."""
    found = []
    for place, node in nodes(package):
        if isinstance(node, ast.Call):
            name = _dotted(node.func)
            shell = any(keyword.arg == "shell" and not _is_false(keyword.value) for keyword in node.keywords)
            if name in RUNS_CODE or shell:
                found.append((place, name))
    return found + [(place, name) for place, name in _imported(package) if name in MAKES_OBJECTS]


def _imported(package: Path = PACKAGE) -> Iterator[tuple[str, str]]:
    for place, node in nodes(package):
        if isinstance(node, ast.Import):
            yield from ((place, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield place, (node.module or "").partition(".")[0]


def _dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def test_no_code_runs_a_shell_or_makes_code_of_text() -> None:
    assert dangerous() == []


def test_the_check_sees_what_it_looks_for(tmp_path: Path) -> None:
    (tmp_path / "bad.py").write_text(
        "import os, pickle, subprocess\n"
        "def f(text):\n"
        "    eval(text)\n"
        "    os.system(text)\n"
        "    subprocess.run(text, shell=True)\n",
        encoding="utf-8",
    )
    assert {name for _, name in dangerous(tmp_path)} == {"eval", "os.system", "pickle", "subprocess.run"}


def test_nothing_is_encrypted_or_hashed_by_what_is_broken() -> None:
    found = set()
    for place, node in nodes():
        word = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        text = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
        if word in BROKEN or text in BROKEN:
            found.add(place)
    assert found == set(SHA1_ALLOWED)


def test_nothing_is_drawn_from_a_generator_that_can_be_foretold() -> None:
    assert [(place, name) for place, name in _imported() if name in FORETOLD] == []
