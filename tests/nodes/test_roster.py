"""Processes that say that they are there, in Redis: heard, forgotten when they are silent, and never too many."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from casduo.nodes import roster
from casduo.nodes.announcing import VARIABLE, Announcer, Presence, new_node_name, node_name
from casduo.nodes.model import Member
from casduo.nodes.roster import announce, present_nodes, withdraw
from casduo.services.watch import RegistrySource
from casduo.store import Store
from tests.support.site import SetClock
from tests.support.waiting import until

MEMBER = Member("sso1-a", 11, "server", "1.0", "state", 200.0, False, 100.0)


def say(store: Store, *members: Member) -> None:
    batch = store.batch()
    for member in members:
        announce(batch, member)
    batch.run()


def test_who_says_so_is_there_and_who_ends_is_not(any_store: Store) -> None:
    other = replace(MEMBER, process=12)
    say(any_store, MEMBER, other)
    (node,) = present_nodes(any_store)
    assert node.members == (MEMBER, other)
    batch = any_store.batch()
    withdraw(batch, other)
    batch.run()
    (node,) = present_nodes(any_store)
    assert node.members == (MEMBER,)


def test_the_last_word_counts(any_store: Store) -> None:
    say(any_store, MEMBER, replace(MEMBER, registry="newer"))
    (node,) = present_nodes(any_store)
    assert node.registry == "newer"


def test_who_was_killed_is_forgotten(any_store: Store) -> None:
    say(any_store, MEMBER)
    # As long ago as a process that died may be known.
    any_store.command("ZADD", "casduo:{nodes}:until", 1, MEMBER.name)
    assert present_nodes(any_store) == ()
    say(any_store, replace(MEMBER, node="sso2-b"))
    assert any_store.command("HKEYS", "casduo:{nodes}:said") == ["sso2-b/11"]
    for key in ("casduo:{nodes}:until", "casduo:{nodes}:said"):
        assert 0 < any_store.command("PTTL", key) <= roster.GOOD_FOR * 1000


def test_there_are_never_too_many(any_store: Store) -> None:
    say(any_store, *(replace(MEMBER, process=number) for number in range(roster.MOST + 20)))
    assert any_store.command("HLEN", "casduo:{nodes}:said") == roster.MOST
    assert any_store.command("ZCARD", "casduo:{nodes}:until") == roster.MOST


def test_what_cannot_be_read_is_left_out(any_store: Store) -> None:
    say(any_store, MEMBER, replace(MEMBER, process=12))
    any_store.command("HSET", "casduo:{nodes}:said", "sso1-a/12", "{")
    (node,) = present_nodes(any_store)
    assert node.members == (MEMBER,)


def test_a_serving_process_announces_itself_and_a_new_registry_at_once(store: Store, tmp_path: Path) -> None:
    file = tmp_path / "registry.yaml"
    file.write_text("services:\n  - {id: a, name: A, url: https://a.example.edu/**}\n")
    services = RegistrySource(file, clock=SetClock(1000.0), settle=0)
    announcer = Announcer(store, Presence("sso1-a", "server", services, SetClock(1000.0)), services)
    announcer.start()
    try:
        until(lambda: bool(present_nodes(store)), "the process is there")
        before = present_nodes(store)[0]
        file.write_text("services:\n  - {id: b, name: B, url: https://b.example.edu/**}\n")
        assert services.poll()
        until(lambda: present_nodes(store)[0].registry != before.registry, "the new registry is told")
        file.write_text("services: [\n")
        services.poll()
        until(lambda: present_nodes(store)[0].rejected, "a file that cannot be used is told")
        assert present_nodes(store)[0].registry == services.current().version
    finally:
        announcer.stop()
    assert present_nodes(store) == ()


def test_processes_know_their_node_by_its_server() -> None:
    name = new_node_name()
    assert node_name({VARIABLE: name}) == name
    assert new_node_name() != name
    assert node_name({}) == node_name({VARIABLE: ""})
