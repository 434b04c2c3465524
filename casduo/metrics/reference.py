"""The reference of all metrics, as Markdown."""

from __future__ import annotations

from casduo.metrics.counting import ROWS
from casduo.metrics.table import INSTRUMENTS, OTHER, Instrument

_INTRODUCTION = f"""# Metrics

<!-- Made by `python -m casduo.docsgen` from casduo/metrics/table.py and counting.py. Change them there. -->

What `/metrics` tells; see [monitoring.md](monitoring.md#metrics) for how to ask. A label has the values that stand
behind it, or `{OTHER}`. Where nothing stands behind it, the values come from the settings, the registry or the table of
addresses, never from a request.

| metric | kind | what it tells | labels | counts the events |
| --- | --- | --- | --- | --- |"""


def metrics_reference() -> str:
    """Return one table with a row for each metric."""
    return "\n".join([_INTRODUCTION, *(_row(instrument) for instrument in INSTRUMENTS), ""])


def _row(instrument: Instrument) -> str:
    labels = "; ".join(_label(name, values) for name, values in instrument.labels.items())
    kinds = [kind for event, row in ROWS.items() if row.instrument is instrument for kind in event.kinds()]
    events = ", ".join(f"`{kind}`" for kind in dict.fromkeys(kinds))
    return f"| `{instrument.name}` | {instrument.kind} | {instrument.what}. | {labels} | {events} |"


def _label(name: str, values: tuple[str, ...]) -> str:
    told = ", ".join(f"`{value}`" if value else "empty" for value in values)
    return f"`{name}`: {told}" if values else f"`{name}`"
