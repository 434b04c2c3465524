from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from casduo.errors import SettingsError
from casduo.services.watch import CHANGED, REJECTED, RegistrySource
from casduo.settings import Settings

GOOD = "services:\n  - {id: ada, name: Ada, url: https://ada.example.edu/**}\n"
# The same length, so that only the content tells them apart.
OTHER = GOOD.replace("ada", "eve").replace("Ada", "Eve")
BROKEN = "services:\n  - {id: ada, name: Ada\n"


class Listening:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.events: list[tuple[str, Mapping[str, object]]] = []

    def __call__(self, event: str, facts: Mapping[str, object]) -> None:
        self.events.append((event, facts))

    @property
    def names(self) -> list[str]:
        return [event for event, _ in self.events]


class Settable:
    """A clock that stands where it is put."""

    def __init__(self, now: float) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "registry.yaml"
    path.write_text(GOOD)
    return path


@pytest.fixture
def clock(path: Path) -> Settable:
    return Settable(path.stat().st_mtime + 3600)


@pytest.fixture
def source(path: Path, clock: Settable) -> RegistrySource:
    return RegistrySource(path, None, clock, settle=0)


@pytest.fixture
def listening(source: RegistrySource) -> Listening:
    listening = Listening()
    source.listen(listening)
    return listening


def ids(source: RegistrySource) -> list[str]:
    return [service.id for service in source.current().services]


def test_a_broken_file_at_the_start_is_refused(path: Path) -> None:
    path.write_text(BROKEN)
    with pytest.raises(SettingsError, match="never closed"):
        RegistrySource(path)


def test_a_missing_file_at_the_start_is_refused(path: Path) -> None:
    path.unlink()
    with pytest.raises(SettingsError, match="cannot be read"):
        RegistrySource(path)


def test_an_unchanged_file_is_not_read_again(source: RegistrySource, path: Path, listening: Listening) -> None:
    before = source.current()
    assert source.poll() is False
    assert source.current() is before
    assert listening.events == []


def test_a_changed_file_is_taken_over(
    source: RegistrySource, path: Path, clock: Settable, listening: Listening
) -> None:
    first = source.current().version
    path.write_text(OTHER)
    clock.now += 5
    assert source.poll() is True
    assert ids(source) == ["eve"]
    assert source.loaded_at == clock.now
    assert source.current().version != first
    assert listening.events == [(CHANGED, {"version": source.current().version, "services": 1})]
    assert source.poll() is False


def test_a_registry_in_use_is_not_changed_by_a_reload(source: RegistrySource, path: Path) -> None:
    in_use = source.current()
    path.write_text(OTHER)
    source.poll()
    assert [service.id for service in in_use.services] == ["ada"]


def test_a_broken_file_changes_nothing_but_the_problems(
    source: RegistrySource, path: Path, listening: Listening
) -> None:
    before = source.current()
    path.write_text(BROKEN)
    assert source.poll() is False
    assert source.poll() is False
    assert source.current() is before
    assert [problem.line for problem in source.problems] == [2]
    assert listening.names == [REJECTED]
    facts = listening.events[0][1]
    assert facts["version"] == before.version
    assert facts["problems"] == 1
    assert "registry.yaml:2" in str(facts["first"])


def test_a_mended_file_is_taken_over(source: RegistrySource, path: Path, listening: Listening) -> None:
    path.write_text(BROKEN)
    source.poll()
    path.write_text(OTHER)
    assert source.poll() is True
    assert source.problems == ()
    assert listening.names == [REJECTED, CHANGED]


def test_a_mistake_that_is_taken_back_is_no_change(source: RegistrySource, path: Path, listening: Listening) -> None:
    before = source.current()
    path.write_text(BROKEN)
    source.poll()
    path.write_text(GOOD)
    assert source.poll() is False
    assert source.problems == ()
    assert source.current() is before
    assert listening.names == [REJECTED]


def test_another_broken_file_is_told_again(source: RegistrySource, path: Path, listening: Listening) -> None:
    path.write_text(BROKEN)
    source.poll()
    path.write_text(BROKEN.replace("Ada", "Ad"))
    source.poll()
    assert listening.names == [REJECTED, REJECTED]


def test_an_empty_file_is_a_file_being_written(source: RegistrySource, path: Path) -> None:
    path.write_text("")
    source.poll()
    assert ids(source) == ["ada"]
    assert "is empty" in source.problems[0].message


def test_a_file_replaced_by_another_is_taken_over(source: RegistrySource, path: Path) -> None:
    facts = path.stat()
    new = path.with_name("registry.yaml.new")
    new.write_text(OTHER)
    os.utime(new, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    new.replace(path)
    assert source.poll() is True
    assert ids(source) == ["eve"]


def test_a_link_that_points_elsewhere_is_followed(tmp_path: Path, clock: Settable) -> None:
    for name, text in (("one", GOOD), ("two", OTHER)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "registry.yaml").write_text(text)
    data = tmp_path / "data"
    data.symlink_to("one")
    source = RegistrySource(data / "registry.yaml", None, clock, settle=0)
    new = tmp_path / "data.new"
    new.symlink_to("two")
    new.replace(data)
    assert source.poll() is True
    assert ids(source) == ["eve"]


def test_two_changes_within_one_tick_of_the_file_system_are_both_seen(path: Path, clock: Settable) -> None:
    clock.now = path.stat().st_mtime + 0.5
    source = RegistrySource(path, None, clock, settle=0)
    facts = path.stat()
    with path.open("r+") as file:
        file.write(OTHER)
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert source.poll() is True
    assert ids(source) == ["eve"]


def test_a_file_that_is_away_for_a_moment_is_not_missed(
    source: RegistrySource, path: Path, listening: Listening
) -> None:
    path.unlink()
    source.poll()
    path.write_text(GOOD)
    source.poll()
    assert listening.events == []
    assert source.problems == ()


def test_a_file_that_stays_away_is_told_once(source: RegistrySource, path: Path, listening: Listening) -> None:
    path.unlink()
    for _ in range(4):
        source.poll()
    assert ids(source) == ["ada"]
    assert listening.names == [REJECTED]
    assert "cannot be read" in source.problems[0].message
    path.write_text(OTHER)
    assert source.poll() is True
    assert source.problems == ()


def test_references_are_checked_on_reload(path: Path, clock: Settable) -> None:
    source = RegistrySource(path, Settings(), clock, settle=0)
    path.write_text(GOOD.replace("}", ", requires_duo: true}"))
    assert source.poll() is False
    assert "Duo is required" in source.problems[0].message


@pytest.fixture
def quick() -> Settings:
    return Settings.model_validate({"registry_reload": "10ms"})


def rewrite(path: Path, text: str) -> None:
    """Write in one step: a watching thread must not come upon half a file, which would be a change of its own."""
    new = path.with_suffix(".new")
    new.write_text(text)
    new.replace(path)


def until(event: threading.Event) -> None:
    assert event.wait(10), "the watching thread did not notice"


def test_a_running_watch_takes_changes_over(path: Path, quick: Settings) -> None:
    source, noticed = RegistrySource(path, quick, settle=0.01), threading.Event()
    source.listen(lambda event, facts: noticed.set())
    source.start()
    source.start()
    rewrite(path, OTHER)
    until(noticed)
    source.stop()
    assert ids(source) == ["eve"]


def test_a_file_written_slowly_is_taken_over_when_it_is_whole(path: Path, quick: Settings) -> None:
    source, whole = RegistrySource(path, quick, settle=0.05), threading.Event()
    seen: list[int] = []

    def listen(event: str, facts: Mapping[str, object]) -> None:
        seen.append(len(source.current().services))
        if seen[-1] == 200:
            whole.set()

    source.listen(listen)
    source.start()
    with path.open("w") as file:
        file.write("services:\n")
        for number in range(200):
            file.write(f"  - {{id: s{number}, name: S, url: https://s{number}.example.edu/**}}\n")
            file.flush()
    until(whole)
    source.stop()
    assert source.problems == ()


def test_a_stopped_watch_can_be_started_again(path: Path, quick: Settings) -> None:
    source, noticed = RegistrySource(path, quick, settle=0), threading.Event()
    source.listen(lambda event, facts: noticed.set())
    source.start()
    source.stop()
    source.stop()
    before = threading.active_count()
    source.start()
    assert threading.active_count() == before + 1
    rewrite(path, OTHER)
    until(noticed)
    source.stop()


def test_a_listener_that_fails_does_not_end_the_watch(path: Path, quick: Settings) -> None:
    source, noticed = RegistrySource(path, quick, settle=0), threading.Event()
    calls: list[str] = []

    def fail_once(event: str, facts: Mapping[str, object]) -> None:
        calls.append(event)
        if len(calls) == 1:
            raise RuntimeError("the log is full")
        noticed.set()

    source.listen(fail_once)
    source.start()
    rewrite(path, OTHER)
    while not calls:
        noticed.wait(0.01)
    rewrite(path, GOOD.replace("ada", "grace"))
    until(noticed)
    source.stop()
    assert ids(source) == ["grace"]


def test_reading_while_the_file_changes_never_sees_half_a_registry(source: RegistrySource, path: Path) -> None:
    whole = "services:\n" + "".join(
        f"  - {{id: s{number}, name: S, url: https://s{number}.example.edu/**}}\n" for number in range(50)
    )
    done = threading.Event()
    sizes: set[int] = set()

    def read() -> None:
        while not done.is_set():
            sizes.add(len(source.current().services))

    reader: Callable[[], None] = read
    thread = threading.Thread(target=reader)
    thread.start()
    for text in (whole, GOOD) * 5:
        rewrite(path, text)
        source.poll()
    done.set()
    thread.join()
    assert sizes <= {1, 50}
