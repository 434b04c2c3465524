"""The ``casduo`` command: its list of sub-commands, and how errors end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from casduo import __version__, cli
from casduo.cli import SUBCOMMANDS, LazyGroup, Subcommand, main
from casduo.errors import CasduoError, Problem, SettingsError


@pytest.mark.parametrize("row", SUBCOMMANDS, ids=lambda row: row.name)
def test_every_row_of_the_list_has_its_command(row: Subcommand) -> None:
    done = CliRunner().invoke(main, [row.name, "--help"])
    assert done.exit_code == 0
    assert f"casduo {row.name}" in done.output or "Usage:" in done.output


def test_every_module_with_a_command_is_in_the_list() -> None:
    modules = {path.stem for path in Path(cli.__file__).parent.glob("*.py")} - {"__init__"}
    assert {row.place.partition(":")[0].rpartition(".")[2] for row in SUBCOMMANDS} == modules


def test_no_name_is_in_the_list_twice() -> None:
    names = [row.name for row in SUBCOMMANDS]
    assert len(names) == len(set(names))


def test_the_help_page_lists_all_commands_and_imports_none() -> None:
    code = (
        "import sys\nfrom casduo.cli import main\nmain(['--help'], standalone_mode=False)\n"
        "print([name for name in sys.modules if name.startswith('casduo.cli.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    lines = done.stdout.splitlines()
    assert lines[-1] == "[]"
    for row in SUBCOMMANDS:
        assert any(line.split()[:1] == [row.name] for line in lines)


def test_python_m_casduo_is_the_same_command() -> None:
    done = subprocess.run([sys.executable, "-m", "casduo", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"casduo, version {__version__}\n"


def test_an_unknown_command_is_refused() -> None:
    done = CliRunner().invoke(main, ["sreve"])
    assert done.exit_code == 2
    assert "No such command 'sreve'" in done.output


def test_a_file_that_cannot_be_used_ends_with_2_and_every_problem() -> None:
    problems = (
        Problem("casduo.yaml", 3, 1, "server.url", "is missing"),
        Problem("registry.yaml", 9, 5, "services[1].url", "is no URL"),
    )
    done = CliRunner().invoke(_group_that_raises(SettingsError(problems)), ["fail"])
    assert done.exit_code == 2
    assert done.stderr.splitlines() == [str(problem) for problem in problems]


def test_any_other_error_of_ours_ends_with_1_and_a_sentence() -> None:
    done = CliRunner().invoke(_group_that_raises(CasduoError("Redis does not answer")), ["fail"])
    assert (done.exit_code, done.stderr) == (1, "casduo: Redis does not answer\n")


def test_an_error_that_is_not_ours_is_not_hidden() -> None:
    done = CliRunner().invoke(_group_that_raises(ZeroDivisionError()), ["fail"])
    assert isinstance(done.exception, ZeroDivisionError)


def _group_that_raises(error: Exception) -> click.Group:
    class Failing(LazyGroup):
        def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
            def fail() -> None:
                raise error

            return click.Command(cmd_name, callback=fail)

    return Failing("casduo")
