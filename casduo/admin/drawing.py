"""Draws a flow: where its states and arrows go in a picture, from its own table. Pure.

States lie in ranks, by the fewest steps from the start; an arrow to a later rank goes down, one that goes back runs up
beside the states. All lengths are in units of the picture.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from casduo.webflow.engine import Flow, State

_WIDTH, _HEIGHT = 210, 40
_GAP, _STEP = 26, 96
_MARGIN = 40
_WIDEST = 5
"""States beside each other; more go into a further row."""


@dataclass(frozen=True, slots=True)
class Box:
    """A state: its left upper corner, size, kind and name."""

    x: int
    y: int
    width: int
    height: int
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Arrow:
    """A way from a state to another: the path as SVG writes it, and the events that take it."""

    path: str
    events: str
    source: str
    target: str
    back: bool


@dataclass(frozen=True, slots=True)
class Drawing:
    """A picture of a flow."""

    width: int
    height: int
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]


def drawing_of(flow: Flow) -> Drawing:
    """Return the picture of ``flow``."""
    rows = _rows(flow)
    widest = max(map(len, rows))
    inner = widest * _WIDTH + (widest - 1) * _GAP
    boxes: dict[str, Box] = {}
    for number, row in enumerate(rows):
        left = _MARGIN + (inner - len(row) * _WIDTH - (len(row) - 1) * _GAP) // 2
        for place, state in enumerate(row):
            x = left + place * (_WIDTH + _GAP)
            boxes[state.name] = Box(x, _MARGIN + number * _STEP, _WIDTH, _HEIGHT, state.kind.value, state.name)
    arrows = tuple(
        _arrow(boxes[state.name], boxes[target], events) for state in flow.rows for target, events in _ways(state)
    )
    height = 2 * _MARGIN + (len(rows) - 1) * _STEP + _HEIGHT
    return Drawing(inner + 2 * _MARGIN, height, tuple(boxes.values()), arrows)


def _rows(flow: Flow) -> list[list[State]]:
    """Return the states row by row, in the order of the table within each."""
    ranks = {flow.first: 0}
    waiting = deque([flow.first])
    states = {state.name: state for state in flow.rows}
    while waiting:
        name = waiting.popleft()
        for target in states[name].on.values():
            if target not in ranks:
                ranks[target] = ranks[name] + 1
                waiting.append(target)
    rows: list[list[State]] = []
    for rank in range(max(ranks.values()) + 1):
        of_rank = [state for state in flow.rows if ranks.get(state.name) == rank]
        rows += [of_rank[start : start + _WIDEST] for start in range(0, len(of_rank), _WIDEST)]
    return rows


def _ways(state: State) -> list[tuple[str, str]]:
    events: dict[str, list[str]] = {}
    for event, target in state.on.items():
        events.setdefault(target, []).append(event)
    return [(target, ", ".join(names)) for target, names in events.items()]


def _arrow(source: Box, target: Box, events: str) -> Arrow:
    if target.y > source.y:
        x1, y1 = source.x + source.width // 2, source.y + source.height
        x2, y2 = target.x + target.width // 2, target.y
        middle = (y1 + y2) // 2
        path = f"M{x1} {y1}C{x1} {middle} {x2} {middle} {x2} {y2}"
        return Arrow(path, events, source.name, target.name, back=False)
    # Back up, or to itself: from side to side, bent outwards.
    x1, y1 = source.x + source.width, source.y + source.height // 2
    x2, y2 = target.x + target.width, target.y + target.height // 2 + (12 if target is source else 0)
    bend = max(x1, x2) + _GAP
    path = f"M{x1} {y1}C{bend} {y1} {bend} {y2} {x2} {y2}"
    return Arrow(path, events, source.name, target.name, back=True)
