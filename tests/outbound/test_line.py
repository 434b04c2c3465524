"""Who finds all places taken waits for one, and nobody is overtaken."""

from __future__ import annotations

import threading

from casduo.outbound.bulkhead import Bulkhead
from casduo.outbound.line import Line

PLENTY = 10.0


def place_at(bulkhead: Bulkhead) -> str | None:
    return "a place" if bulkhead.take() else None


def leave(bulkhead: Bulkhead, line: Line) -> None:
    bulkhead.leave()
    line.freed()


def await_length(line: Line, length: int) -> None:
    waiting = threading.Event()
    while len(line) != length:
        waiting.wait(0.001)


def test_a_free_place_is_taken_at_once() -> None:
    assert Line().take(lambda: "a place", 0.0) == "a place"


def test_without_patience_nobody_waits() -> None:
    assert Line().take(lambda: None, 0.0) is None


def test_who_gets_no_place_in_time_leaves_the_line() -> None:
    line = Line()
    assert line.take(lambda: None, 0.01) is None
    assert len(line) == 0


def test_a_place_that_becomes_free_goes_to_who_waits() -> None:
    line, bulkhead = Line(), Bulkhead("ucm", 1)
    assert line.take(lambda: place_at(bulkhead), 0.0)
    found: list[str | None] = []
    waiting = threading.Thread(target=lambda: found.append(line.take(lambda: place_at(bulkhead), PLENTY)))
    waiting.start()
    await_length(line, 1)
    leave(bulkhead, line)
    waiting.join(PLENTY)
    assert (found, bulkhead.inside, len(line)) == (["a place"], 1, 0)


def test_first_come_first_served() -> None:
    line, bulkhead, served = Line(), Bulkhead("ucm", 1), list[str]()
    assert line.take(lambda: place_at(bulkhead), 0.0)

    def wait_as(name: str) -> None:
        if line.take(lambda: place_at(bulkhead), PLENTY):
            served.append(name)
            leave(bulkhead, line)

    threads = []
    for number, name in enumerate(("ada", "grace", "linus"), start=1):
        threads.append(threading.Thread(target=wait_as, args=(name,)))
        threads[-1].start()
        await_length(line, number)
    # Somebody who comes now gets no place before them, though one is free in the same moment.
    bulkhead.leave()
    assert line.take(lambda: place_at(bulkhead), 0.0) is None
    line.freed()
    for thread in threads:
        thread.join(PLENTY)
    assert served == ["ada", "grace", "linus"]
