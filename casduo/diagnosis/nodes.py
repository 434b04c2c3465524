"""What the nodes of an installation say of themselves means. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from casduo.diagnosis.model import Fact, Finding, Part
from casduo.nodes.model import Node, in_force

_PART = Part("Nodes")


def judge_nodes(nodes: Sequence[Node]) -> Iterator[Finding]:
    """Yield what is to say about the nodes that gave a sign of life; nothing where there is none, as before a start."""
    if not nodes:
        return
    yield _judge_registry([node for node in nodes if node.role == "server"] or nodes)
    yield _judge_versions(nodes)


def _judge_registry(nodes: Sequence[Node]) -> Finding:
    standing = in_force(nodes)
    found = f"state {standing.registry} is {standing.sentence()}"
    facts: dict[str, Fact] = {"registry": standing.registry, "on": standing.on, "of": standing.of}
    rejected = tuple(node.name for node in nodes if node.rejected)
    if rejected:
        cause = f"the registry file cannot be used on {', '.join(rejected)}; the last good state serves there"
        return _PART.attention("registry", found, "rejected", cause, "run casduo check there", **facts, nodes=rejected)
    if not standing.everywhere:
        lagging = tuple(node.name for node in standing.lagging)
        cause = "a change takes two seconds; after that these nodes read another file, or an old copy of it"
        remedy = "bring the same registry.yaml to all nodes; casduo nodes lists what each has"
        return _PART.attention("registry", found, "lags", cause, remedy, **facts, nodes=lagging)
    return _PART.ok("registry", found, **facts)


def _judge_versions(nodes: Sequence[Node]) -> Finding:
    versions = tuple(sorted({member.version for node in nodes for member in node.members}))
    if len(versions) == 1:
        return _PART.ok("version", f"casduo {versions[0]} everywhere", versions=versions)
    found = f"several versions of casduo run: {', '.join(versions)}"
    cause = "an update is under way, or a node or worker was left out of it"
    return _PART.attention("version", found, "versions", cause, "casduo nodes lists them", versions=versions)
