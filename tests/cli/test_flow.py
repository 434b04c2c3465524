"""``casduo flow``: tables and pictures of the flows, and whether the committed ones show them as they are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from casduo.cli import main
from casduo.webflow.flows import FLOWS

ROOT = Path(__file__).parents[2]
PICTURES = ROOT / "docs" / "flows"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["flow", *arguments], catch_exceptions=False)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    directory = tmp_path / "docs" / "flows"
    assert run("write", "--directory", str(directory)).exit_code == 0
    return directory


@pytest.mark.parametrize("name", FLOWS)
def test_show_prints_every_state_with_its_function_and_where_each_event_leads(name: str) -> None:
    result = run("show", name)

    assert result.exit_code == 0
    lines = [line.split() for line in result.output.splitlines()]
    for row in FLOWS[name].rows:
        assert any(line[:2] == [row.name, row.kind.value] and (row.function or row.name) in line for line in lines)
        assert all(any(line[-3:] == [event, "->", target] for line in lines) for event, target in row.on.items())


@pytest.mark.parametrize(
    ("options", "beginning", "state"),
    [((), "flowchart TD", '"{}"'), (("--format", "dot"), "digraph", '  "{}" [shape=')],
)
@pytest.mark.parametrize("name", FLOWS)
def test_draw_prints_a_picture_with_every_state(
    name: str, options: tuple[str, ...], beginning: str, state: str
) -> None:
    result = run("draw", name, *options)

    assert result.exit_code == 0
    assert result.output.startswith(beginning)
    assert all(state.format(row.name) in result.output for row in FLOWS[name].rows)


@pytest.mark.parametrize("command", ["show", "draw"])
def test_a_flow_that_does_not_exist_is_refused_with_those_that_do(command: str) -> None:
    result = run(command, "sreve")

    assert result.exit_code == 2
    assert all(f"'{name}'" in result.output for name in FLOWS)


def test_write_makes_a_page_for_every_flow_with_its_picture_and_its_table(written: Path) -> None:
    assert {path.name for path in written.iterdir()} == {f"{name}.md" for name in FLOWS}
    for name in FLOWS:
        page = (written / f"{name}.md").read_text()
        assert run("draw", name).output in page
        assert run("show", name).output in page


def test_what_was_just_written_is_current(written: Path) -> None:
    result = run("check", "--directory", str(written))

    assert (result.exit_code, result.output) == (0, f"{len(FLOWS)} flows are closed and their pictures are current\n")


def test_a_page_that_differs_is_missing_or_of_no_flow_fails_the_check_by_name(written: Path) -> None:
    changed, gone, foreign = written / "login.md", written / "logout.md", written / "lgoin.md"
    changed.write_text(changed.read_text().replace("viewLoginForm", "viewForm"))
    gone.unlink()
    foreign.write_text("# The flow `lgoin`\n")

    result = run("check", "--directory", str(written))

    assert (result.exit_code, result.stdout) == (1, "")
    assert [line.partition(" ")[0] for line in result.stderr.splitlines()] == [str(changed), str(gone), str(foreign)]
    assert all(line.endswith("run: casduo flow write") for line in result.stderr.splitlines())


def test_write_mends_what_check_complains_about(written: Path) -> None:
    (written / "login.md").write_text("")
    run("write", "--directory", str(written))

    assert run("check", "--directory", str(written)).exit_code == 0


def test_the_committed_pictures_are_current() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "casduo", "flow", "check"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")
    assert PICTURES.is_dir()
