"""Draws flows from their own tables: as text, as Mermaid, as DOT. A picture made so cannot be out of date."""

from __future__ import annotations

from collections.abc import Iterator

from casduo.webflow.engine import Flow, Kind, State

_SHAPES = {
    Kind.ACTION: ("[", "]"),
    Kind.DECISION: ("{", "}"),
    Kind.VIEW: ("[/", "/]"),
    Kind.SUBFLOW: ("[[", "]]"),
    Kind.END: ("([", "])"),
}
_DOT_SHAPES = {
    Kind.ACTION: "box",
    Kind.DECISION: "diamond",
    Kind.VIEW: "parallelogram",
    Kind.SUBFLOW: "box3d",
    Kind.END: "oval",
}


def table(flow: Flow) -> str:
    """Return the flow as aligned text: state, kind, function, events and where they lead."""
    lines = [f"flow {flow.name}, starts at {flow.first}", ""]
    name_width = max(len(row.name) for row in flow.rows)
    function_width = max(len(row.function) for row in flow.rows)
    for row in flow.rows:
        head = f"{row.name:<{name_width}}  {row.kind.value:<8}  {row.function:<{function_width}}"
        arrows = [f"{event} -> {target}" for event, target in row.on.items()]
        lines.append(f"{head}  {arrows[0] if arrows else ''}".rstrip())
        lines += [f"{'':<{name_width + function_width + 14}}{arrow}" for arrow in arrows[1:]]
    return "\n".join(lines) + "\n"


def mermaid(flow: Flow) -> str:
    """Return the flow as a Mermaid flowchart."""
    lines = ["flowchart TD", f"  start(( )) --> {_id(flow.first)}"]
    for row in flow.rows:
        opening, closing = _SHAPES[row.kind]
        lines.append(f'  {_id(row.name)}{opening}"{row.name}"{closing}')
    for row in flow.rows:
        lines += [f"  {_id(row.name)} -->|{label}| {_id(target)}" for target, label in _arrows(row)]
    return "\n".join(lines) + "\n"


def dot(flow: Flow) -> str:
    """Return the flow in Graphviz's DOT."""
    lines = [f'digraph "{flow.name}" {{', "  rankdir=TB;", f'  start [shape=point]; start -> "{flow.first}";']
    lines += [f'  "{row.name}" [shape={_DOT_SHAPES[row.kind]}];' for row in flow.rows]
    for row in flow.rows:
        lines += [f'  "{row.name}" -> "{target}" [label="{label}"];' for target, label in _arrows(row)]
    return "\n".join([*lines, "}"]) + "\n"


def _arrows(row: State) -> Iterator[tuple[str, str]]:
    """Yield each target once with all events that lead there."""
    labels: dict[str, list[str]] = {}
    for event, target in row.on.items():
        labels.setdefault(target, []).append(event)
    for target, events in labels.items():
        yield target, ", ".join(events)


def _id(name: str) -> str:
    # "end" is a word of Mermaid's own, and a dash is not allowed in an id.
    return "s_" + name.replace("-", "_")
