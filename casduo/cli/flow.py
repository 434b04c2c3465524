"""``casduo flow``: the flows as tables and pictures, made from the tables that run."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from casduo.webflow.diagram import dot, mermaid, table
from casduo.webflow.engine import Flow
from casduo.webflow.flows import FLOWS

_NAMES = click.Choice(sorted(FLOWS))


@click.group()
def flow() -> None:
    """Show or draw how a login proceeds."""


@flow.command()
@click.argument("name", type=_NAMES)
def show(name: str) -> None:
    """Print the table of flow NAME."""
    click.echo(table(FLOWS[name]), nl=False)


@flow.command()
@click.argument("name", type=_NAMES)
@click.option("--format", "form", type=click.Choice(["mermaid", "dot"]), default="mermaid", show_default=True)
def draw(name: str, form: str) -> None:
    """Print a picture of flow NAME."""
    click.echo(mermaid(FLOWS[name]) if form == "mermaid" else dot(FLOWS[name]), nl=False)


@flow.command()
@click.option("--directory", type=click.Path(path_type=Path), default=Path("docs/flows"), show_default=True)
def write(directory: Path) -> None:
    """Write the pictures of all flows into a folder."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, item in FLOWS.items():
        (directory / f"{name}.md").write_text(page(item), encoding="utf-8")


@flow.command()
@click.option("--directory", type=click.Path(path_type=Path), default=Path("docs/flows"), show_default=True)
def check(directory: Path) -> None:
    """Fail when a committed picture differs from the one drawn from its table."""
    stale = []
    for name, item in FLOWS.items():
        path = directory / f"{name}.md"
        if not path.exists() or path.read_text(encoding="utf-8") != page(item):
            stale.append(str(path))
    known = {f"{name}.md" for name in FLOWS}
    stale += [str(path) for path in directory.glob("*.md") if path.name not in known]
    for path_name in stale:
        click.echo(f"{path_name} does not show the flow as it is; run: casduo flow write", err=True)
    if stale:
        sys.exit(1)
    click.echo(f"{len(FLOWS)} flows are closed and their pictures are current")


def page(item: Flow) -> str:
    """Return the document of one flow: picture and table."""
    return f"# The flow `{item.name}`\n\n```mermaid\n{mermaid(item)}```\n\n```text\n{table(item)}```\n"
