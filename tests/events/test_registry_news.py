"""Changes of the registry become events: one for all processes, and never an error."""

from __future__ import annotations

import os
from pathlib import Path

from casduo.events.registry_news import RegistryNews
from casduo.events.stream import STREAM, EventReader, EventStream
from casduo.services.watch import RegistrySource
from casduo.store import Store
from casduo.store.store import client_for

ONE = "services:\n  - {id: library, name: Library, url: 'https://library.example.edu/**'}\n"
TWO = f"{ONE}  - {{id: payroll, name: Payroll, url: 'https://payroll.example.edu/**'}}\n"
BROKEN = "services:\n  - {id: library}\n"


class Files:
    """A registry file that three processes watch."""

    def __init__(self, directory: Path, store: Store) -> None:
        self.path = directory / "registry.yaml"
        self.moment = 1_800_000_000
        self._put(ONE)
        self.streams = [EventStream(store) for _ in range(3)]
        self.sources = [RegistrySource(self.path, settle=0) for _ in range(3)]
        for source, stream in zip(self.sources, self.streams, strict=True):
            source.listen(RegistryNews(store, stream, self.path))

    def _put(self, text: str) -> None:
        self.path.write_text(text)
        self.moment += 10
        os.utime(self.path, (self.moment, self.moment))

    def write(self, text: str) -> None:
        self._put(text)
        for source in self.sources:
            source.poll()


def written(store: Store) -> list[tuple[str, dict[str, object]]]:
    entries = EventReader(store, "audit", ("audit",), "a-worker").read(100)
    return [(entry.record.kind, dict(entry.record.facts)) for entry in entries if entry.record is not None]


def test_a_change_that_many_see_is_one_event(tmp_path: Path, store: Store) -> None:
    files = Files(tmp_path, store)
    files.write(TWO)
    version = files.sources[0].current().version
    assert written(store) == [("registry.changed", {"version": version, "services": 2})]


def test_a_state_that_comes_back_is_another_change(tmp_path: Path, store: Store) -> None:
    files = Files(tmp_path, store)
    for text in (TWO, ONE, TWO):
        files.write(text)
    assert [facts["services"] for _, facts in written(store)] == [2, 1, 2]


def test_a_file_that_cannot_be_used_is_one_event_and_names_the_first_problem(tmp_path: Path, store: Store) -> None:
    files = Files(tmp_path, store)
    version = files.sources[0].current().version
    files.write(BROKEN)
    ((kind, facts),) = written(store)
    assert (kind, facts["version"]) == ("registry.rejected", version)
    assert "registry.yaml" in str(facts["first"])
    files.write(ONE)
    files.write(BROKEN)
    assert [kind for kind, _ in written(store)] == ["registry.rejected", "registry.rejected"]


def test_a_file_that_is_gone_is_told(tmp_path: Path, store: Store) -> None:
    files = Files(tmp_path, store)
    files.path.unlink()
    for _ in range(3):
        for source in files.sources:
            source.poll()
    assert [kind for kind, _ in written(store)] == ["registry.rejected"]


def test_while_redis_is_away_it_waits_in_memory(tmp_path: Path, store: Store) -> None:
    nowhere = Store(client_for(f"unix://{tmp_path}/nobody.sock", "", 0.2, 2, ""))
    path = tmp_path / "registry.yaml"
    stream = EventStream(store)
    news = RegistryNews(nowhere, stream, path)
    news("registry.changed", {"version": "1234", "services": 2})
    assert stream.flush()
    assert written(store) == [("registry.changed", {"version": "1234", "services": 2})]
    nowhere.close()


def test_what_it_does_not_know_it_leaves_alone(tmp_path: Path, store: Store) -> None:
    news = RegistryNews(store, EventStream(store), tmp_path / "registry.yaml")
    news("registry.painted", {"version": "1234"})
    news("registry.changed", {"version": 1})
    assert store.command("XLEN", STREAM) == 0
