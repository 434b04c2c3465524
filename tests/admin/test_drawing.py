"""Pictures of the flows: every state is there once, every arrow, and nothing lies upon another."""

from __future__ import annotations

from itertools import combinations

import pytest

from casduo.admin.drawing import drawing_of
from casduo.webflow.flows import FLOWS


@pytest.mark.parametrize("name", FLOWS)
def test_a_picture_has_every_state_and_every_arrow(name: str) -> None:
    flow = FLOWS[name]
    drawing = drawing_of(flow)
    assert sorted(box.name for box in drawing.boxes) == sorted(state.name for state in flow.rows)
    ways = {(state.name, target) for state in flow.rows for target in state.on.values()}
    assert {(arrow.source, arrow.target) for arrow in drawing.arrows} == ways
    told = {(arrow.source, event) for arrow in drawing.arrows for event in arrow.events.split(", ")}
    assert told == {(state.name, event) for state in flow.rows for event in state.on}


@pytest.mark.parametrize("name", FLOWS)
def test_nothing_lies_upon_another_or_outside(name: str) -> None:
    drawing = drawing_of(FLOWS[name])
    for box in drawing.boxes:
        assert 0 <= box.x <= box.x + box.width <= drawing.width
        assert 0 <= box.y <= box.y + box.height <= drawing.height
    for one, other in combinations(drawing.boxes, 2):
        apart = abs(one.x - other.x) >= one.width or abs(one.y - other.y) >= one.height
        assert apart, (one.name, other.name)


def test_the_start_is_on_top_and_what_goes_back_is_marked() -> None:
    drawing = drawing_of(FLOWS["login"])
    places = {box.name: box.y for box in drawing.boxes}
    assert places[FLOWS["login"].first] == min(places.values())
    for arrow in drawing.arrows:
        assert arrow.back == (places[arrow.target] <= places[arrow.source])
