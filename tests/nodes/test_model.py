"""What processes say of themselves, and where a state of the registry is in force."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.diagnosis.nodes import judge_nodes
from casduo.nodes.model import InForce, Member, in_force, nodes_of

FIRST = Member("sso1-a", 11, "server", "1.0", "new", 200.0, False, 100.0)
SECOND = replace(FIRST, process=12, started=101.0)
OTHER = replace(FIRST, node="sso2-b", process=11)
WORKER = replace(FIRST, role="worker", process=13)


def test_processes_of_one_server_are_one_node_and_its_worker_another() -> None:
    nodes = nodes_of([WORKER, OTHER, SECOND, FIRST])
    assert [(node.name, node.role, len(node.members)) for node in nodes] == [
        ("sso1-a", "server", 2),
        ("sso2-b", "server", 1),
        ("sso1-a", "worker", 1),
    ]
    assert nodes[0].started == 100.0


def test_a_state_is_in_force_on_a_node_once_all_of_its_processes_have_it() -> None:
    late = replace(SECOND, registry="old", loaded=50.0)
    found = in_force(nodes_of([FIRST, late, OTHER]))
    assert (found.registry, found.on, found.of) == ("new", 1, 2)
    assert found.sentence() == "in force on 1 of 2 nodes; these lag: sso1-a"
    assert in_force(nodes_of([FIRST, SECOND, OTHER])).sentence() == "in force on 2 of 2 nodes"


def test_the_newest_state_is_meant_unless_one_is_named() -> None:
    old = replace(OTHER, registry="old", loaded=50.0)
    nodes = nodes_of([FIRST, old])
    assert in_force(nodes).registry == "new"
    assert [node.name for node in in_force(nodes, "old").lagging] == ["sso1-a"]


def test_no_node_at_all() -> None:
    assert in_force([]) == InForce("", 0, 0, ())
    assert list(judge_nodes([])) == []


@given(
    st.builds(
        Member,
        st.text(max_size=20),
        st.integers(0, 2**31),
        st.sampled_from(["server", "worker"]),
        st.text(max_size=10),
        st.text(max_size=12),
        st.floats(0, 4e9),
        st.booleans(),
        st.floats(0, 4e9),
    )
)
def test_a_process_is_read_as_it_was_written(member: Member) -> None:
    assert Member.from_json(member.to_json()) == member


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"node": 1}', FIRST.to_json().replace('"server"', '"else"'), "null"])
def test_what_describes_no_process_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Member.from_json(text)


def test_what_another_version_says_besides_is_left_out() -> None:
    assert Member.from_json(FIRST.to_json().replace("{", '{"more": [1],', 1)) == FIRST


@pytest.mark.parametrize(
    ("members", "registry", "version"),
    [
        ([FIRST, SECOND, OTHER], "", ""),
        ([FIRST, replace(OTHER, registry="old", loaded=1.0)], "lags", ""),
        ([FIRST, replace(OTHER, rejected=True)], "rejected", ""),
        ([FIRST, replace(WORKER, version="0.9")], "", "versions"),
    ],
)
def test_doctor_and_health_tell_of_nodes_that_lag(members: list[Member], registry: str, version: str) -> None:
    findings = list(judge_nodes(nodes_of(members)))
    assert [finding.detail for finding in findings] == [registry, version]
    assert [finding.level for finding in findings] == [
        "attention" if detail else "ok" for detail in (registry, version)
    ]
