"""``casduo nodes``: which nodes run, and which state of the registry is in force on each."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from casduo.diagnosis.text import printable
from casduo.fieldtypes import format_duration
from casduo.nodes.model import Node, in_force
from casduo.nodes.roster import present_nodes
from casduo.settings import find_settings, load_settings
from casduo.store.opening import running_store

_AN_HOUR = 3600


@click.command("nodes")
@click.option(
    "--config",
    type=click.Path(path_type=Path),
    help="The settings file. Default: $CASDUO_CONFIG, ./casduo.yaml or /etc/casduo/casduo.yaml.",
)
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(config: Path | None, as_json: bool) -> None:
    """List the nodes that gave a sign of life within 20 seconds: each `casduo serve` with its processes, and each
    worker.

    Ends with exit code 1 where the newest state of the registry is not in force on every node that serves, or where
    the registry file of a node cannot be used.
    """
    settings = load_settings(find_settings(config, os.environ), os.environ)
    with closing(running_store(settings)) as store:
        nodes = present_nodes(store)
    serving = [node for node in nodes if node.role == "server"]
    standing = in_force(serving)
    if as_json:
        values = {"registry": standing.registry, "on": standing.on, "of": standing.of}
        values["lagging"] = [node.name for node in standing.lagging]
        click.echo(json.dumps({**values, "nodes": [_facts(node) for node in nodes]}, indent=2))
    elif not nodes:
        click.echo("no node has given a sign of life within 20 seconds")
    else:
        for line in _table(nodes, time.time()):
            click.echo(line)
        if serving:
            click.echo(f"\nregistry {standing.registry}: {standing.sentence()}")
    if not standing.everywhere or any(node.rejected for node in serving):
        raise SystemExit(1)


def _facts(node: Node) -> dict[str, Any]:
    return {
        "name": node.name,
        "role": node.role,
        "version": node.version,
        "registry": node.registry,
        "rejected": node.rejected,
        "started": datetime.fromtimestamp(node.started, UTC).isoformat(timespec="seconds"),
        "processes": [
            {
                "process": member.process,
                "version": member.version,
                "registry": member.registry,
                "loaded": datetime.fromtimestamp(member.loaded, UTC).isoformat(timespec="seconds"),
                "rejected": member.rejected,
            }
            for member in node.members
        ],
    }


def _table(nodes: Sequence[Node], now: float) -> Iterator[str]:
    rows = [("NODE", "ROLE", "PROCESSES", "VERSION", "UP", "REGISTRY"), *(_row(node, now) for node in nodes)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def _row(node: Node, now: float) -> tuple[str, ...]:
    up = max(0.0, now - node.started)
    step = 1 if up < _AN_HOUR else 60
    states = node.registry or ", ".join(sorted({member.registry for member in node.members}))
    return (
        printable(node.name),
        node.role,
        str(len(node.members)),
        printable(node.version),
        format_duration(round(up / step) * step),
        printable(states) + (" (its file cannot be used)" if node.rejected else ""),
    )
