"""Pictures of flows: drawn from the table, complete, and readable by the programs that render them."""

from __future__ import annotations

import re

import pytest

from casduo.webflow.diagram import dot, mermaid, table
from casduo.webflow.engine import Flow, Kind, action, decision, end, subflow, view
from casduo.webflow.flows import FLOWS

SMALL = Flow(
    "small",
    (
        action("find", "do.find", {"found": "ask", "missing": "mfa-sub", "odd": "mfa-sub"}),
        decision("ask", "do.ask", yes="form", no="end"),
        view("form", "do.form", {"submit": "find"}),
        subflow("mfa-sub", "other", {"over": "end"}),
        end("end"),
    ),
)


def test_the_table_is_aligned_and_says_everything() -> None:
    assert table(SMALL) == (
        "flow small, starts at find\n"
        "\n"
        "find     action    do.find  found -> ask\n"
        "                            missing -> mfa-sub\n"
        "                            odd -> mfa-sub\n"
        "ask      decision  do.ask   yes -> form\n"
        "                            no -> end\n"
        "form     view      do.form  submit -> find\n"
        "mfa-sub  subflow   other    over -> end\n"
        "end      end\n"
    )


def test_mermaid_gives_each_kind_its_shape_and_joins_events_with_one_target() -> None:
    assert mermaid(SMALL) == (
        "flowchart TD\n"
        "  start(( )) --> s_find\n"
        '  s_find["find"]\n'
        '  s_ask{"ask"}\n'
        '  s_form[/"form"/]\n'
        '  s_mfa_sub[["mfa-sub"]]\n'
        '  s_end(["end"])\n'
        "  s_find -->|found| s_ask\n"
        "  s_find -->|missing, odd| s_mfa_sub\n"
        "  s_ask -->|yes| s_form\n"
        "  s_ask -->|no| s_end\n"
        "  s_form -->|submit| s_find\n"
        "  s_mfa_sub -->|over| s_end\n"
    )


def test_dot_is_quoted() -> None:
    assert dot(SMALL) == (
        'digraph "small" {\n'
        "  rankdir=TB;\n"
        '  start [shape=point]; start -> "find";\n'
        '  "find" [shape=box];\n'
        '  "ask" [shape=diamond];\n'
        '  "form" [shape=parallelogram];\n'
        '  "mfa-sub" [shape=box3d];\n'
        '  "end" [shape=oval];\n'
        '  "find" -> "ask" [label="found"];\n'
        '  "find" -> "mfa-sub" [label="missing, odd"];\n'
        '  "ask" -> "form" [label="yes"];\n'
        '  "ask" -> "end" [label="no"];\n'
        '  "form" -> "find" [label="submit"];\n'
        '  "mfa-sub" -> "end" [label="over"];\n'
        "}\n"
    )


def test_a_named_start_is_drawn() -> None:
    flow = Flow("late", SMALL.rows, start="form")
    assert "start(( )) --> s_form" in mermaid(flow)
    assert 'start -> "form"' in dot(flow)
    assert table(flow).startswith("flow late, starts at form\n")


every_flow = pytest.mark.parametrize("flow", FLOWS.values(), ids=FLOWS)


def steps(flow: Flow) -> set[tuple[str, str, str]]:
    return {(row.name, event, target) for row in flow.rows for event, target in row.on.items()}


def split(arrows: list[tuple[str, str, str]]) -> set[tuple[str, str, str]]:
    return {(source, event, target) for source, events, target in arrows for event in events.split(", ")}


@every_flow
def test_every_step_of_a_real_flow_is_in_its_pictures(flow: Flow) -> None:
    plain = {f"s_{row.name}".replace("-", "_"): row.name for row in flow.rows}
    assert len(plain) == len(flow.rows)
    drawn = re.findall(r"^  (s_\w+) -->\|([^|]+)\| (s_\w+)$", mermaid(flow), re.M)
    assert split([(plain[source], events, plain[target]) for source, events, target in drawn]) == steps(flow)
    drawn = re.findall(r'^  "([^"]+)" -> "([^"]+)" \[label="([^"]+)"\];$', dot(flow), re.M)
    assert split([(source, events, target) for source, target, events in drawn]) == steps(flow)


@every_flow
def test_every_step_of_a_real_flow_is_in_its_table(flow: Flow) -> None:
    found, state = set(), ""
    for line in table(flow).splitlines()[2:]:
        words = line.split()
        if not line.startswith(" "):
            state = words[0]
        if "->" in words:
            found.add((state, words[-3], words[-1]))
    assert found == steps(flow)


@every_flow
def test_names_of_a_real_flow_need_no_quoting_anywhere(flow: Flow) -> None:
    names = [flow.name, *(row.name for row in flow.rows), *(event for row in flow.rows for event in row.on)]
    assert all(re.fullmatch(r"[A-Za-z][A-Za-z_-]*", name) for name in names)


@every_flow
def test_what_a_flow_ends_with_is_drawn_as_an_end(flow: Flow) -> None:
    for row in flow.rows:
        assert (f'(["{row.name}"])' in mermaid(flow)) == (row.kind is Kind.END)
