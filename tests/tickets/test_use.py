"""When services were last used: noted along with other writes, seldom, and not for ever."""

from __future__ import annotations

from casduo.store import Store
from casduo.tickets.use import EVERY, KEPT, KEY, LastUse, last_uses

NOW = 1_800_000_000.0


def note(uses: LastUse, store: Store, service: str, now: float) -> int:
    """Note a use; return how many commands that took."""
    batch = store.batch()
    uses.note(batch, service, now)
    count = len(batch)
    batch.run()
    return count


def test_a_process_notes_a_service_once_a_minute(store: Store) -> None:
    uses = LastUse()
    assert note(uses, store, "library", NOW) > 0
    assert note(uses, store, "library", NOW + EVERY - 1) == 0
    assert last_uses(store) == {"library": NOW}
    assert note(uses, store, "payroll", NOW + 1) > 0
    assert note(uses, store, "library", NOW + EVERY) > 0
    assert last_uses(store) == {"library": NOW + EVERY, "payroll": NOW + 1}


def test_a_process_whose_clock_is_behind_takes_nothing_back(store: Store) -> None:
    note(LastUse(), store, "library", NOW)
    note(LastUse(), store, "library", NOW - 30)
    assert last_uses(store) == {"library": NOW}


def test_what_nobody_uses_is_forgotten(store: Store) -> None:
    note(LastUse(), store, "gone", NOW)
    note(LastUse(), store, "library", NOW + KEPT)
    assert last_uses(store) == {"library": NOW + KEPT}
    assert 0 < store.command("PTTL", KEY) <= KEPT * 1000
