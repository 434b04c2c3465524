"""``bin/test`` installs what is missing, says in one sentence what it cannot install, and hands the rest to tox."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.packaging.checkouts import Checkout, fresh_checkout

NEEDED = ("chromium", "chromium-headless-shell", "npm", "redis-server", "slapd")
# Installs by making the programs appear, as often as the machine lets it.
APT_GET = """
[ "$1" = install ] || exit 0
[ -z "${APT_FAILS:-}" ] || exit 100
[ -z "${APT_FAILS_BEFORE_UPDATE:-}" ] || grep -q 'apt-get update' "$CALLS" || exit 100
for name in "$@"; do
    printf '#!/bin/sh\\necho "%s $*" >>"$CALLS"\\n' "$name" >"$PROGRAMS/$name"
    chmod +x "$PROGRAMS/$name"
done
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """Return a checkout on a Debian that has everything but Chromium and Redis."""
    made = fresh_checkout(tmp_path)
    made.add_program("dpkg-query", "echo 'install ok installed'")
    made.add_program("apt-get", APT_GET)
    # Stands in for the shell that would put a file into /usr/sbin.
    made.add_program("sh")
    for name in ("chromium-headless-shell", "npm", "slapd"):
        made.add_program(name)
    return made


def test_what_is_missing_is_installed_and_nothing_else(checkout: Checkout) -> None:
    done = checkout.run("test")
    assert done.returncode == 0, done.stderr
    assert checkout.calls("apt-get") == ["apt-get install --yes --no-install-recommends chromium redis-server"]
    assert done.stderr.splitlines()[0] == "Installing chromium redis-server ..."


def test_with_everything_there_nothing_is_installed(checkout: Checkout) -> None:
    for name in NEEDED:
        checkout.add_program(name)
    assert checkout.run("test").returncode == 0
    assert checkout.calls("apt-get") == []


def test_an_old_package_list_is_brought_up_to_date(checkout: Checkout) -> None:
    assert checkout.run("test", APT_FAILS_BEFORE_UPDATE="1").returncode == 0
    assert [call.split()[1] for call in checkout.calls("apt-get")] == ["install", "update", "install"]


def test_an_ordinary_user_installs_by_sudo(checkout: Checkout) -> None:
    checkout.add_program("id", "echo 1000")
    checkout.add_program("sudo", 'exec "$@"')
    assert checkout.run("test").returncode == 0
    assert [call for call in checkout.calls("sudo") if call.endswith("chromium redis-server")]


@pytest.mark.parametrize("way", ["no sudo", "apt fails", "no apt", "npm fails", "pip fails"])
def test_what_cannot_be_installed_fails_with_one_sentence_and_starts_no_test(checkout: Checkout, way: str) -> None:
    variables = {}
    match way:
        case "no sudo":
            checkout.add_program("id", "echo 1000")
        case "apt fails":
            variables["APT_FAILS"] = "1"
        case "no apt":
            (checkout.programs / "apt-get").unlink()
        case "npm fails":
            checkout.add_program("npm", "exit 1")
        case "pip fails":
            variables["PIP_SAYS"] = "ERROR: broken"
    done = checkout.run("test", **variables)
    said = [line for line in done.stderr.splitlines() if not line.startswith(("Installing", "Preparing"))]
    assert done.returncode == 1
    assert len(said) == 1
    assert said[0].startswith("test: ")
    assert "started" not in done.stdout


def test_the_accessibility_engine_is_installed_once(checkout: Checkout) -> None:
    checkout.add_program("npm", "mkdir -p tests/node_modules && touch tests/node_modules/.package-lock.json")
    checkout.run("test")
    checkout.run("test")
    assert len(checkout.calls("npm ci --prefix tests")) == 1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], "run -e style,layers,typing,flows,py312"),
        (["--", "tests/services", "-k", "host"], "run -e py312 -- tests/services -k host"),
        (["-e", "style"], "run -e style"),
    ],
)
def test_tox_runs_all_of_it_or_what_was_asked_for(checkout: Checkout, arguments: list[str], expected: str) -> None:
    assert checkout.run("test", *arguments).stdout.splitlines()[-1] == f"started {expected}"
