"""The engine: what it refuses to run, and how it runs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

import pytest

from casduo.values import value_object
from casduo.webflow.engine import (
    Effect,
    Ended,
    Engine,
    Flow,
    FlowDefinitionError,
    Pause,
    Paused,
    action,
    decision,
    end,
    subflow,
    view,
)
from casduo.webflow.flows import FLOWS


@dataclass
class Trace:
    steps: list[str] = field(default_factory=list)
    answer: bool = True


@value_object(frozen=True, slots=True)
class Shown(Effect):
    text: str


def go(context: Trace) -> Literal["done"]:
    context.steps.append("go")
    return "done"


def ask(context: Trace) -> bool:
    context.steps.append("ask")
    return context.answer


def show(context: Trace) -> Pause[Literal["submit"]]:
    return Pause(Shown("form"))


def farewell(context: Trace, greeting: str) -> Shown:
    return Shown(greeting)


def silent(context: Trace):  # type: ignore[no-untyped-def]
    return "done"


class Collaborators:
    greeting = "bye"


FUNCTIONS: dict[str, Callable[..., Any]] = {"go": go, "ask": ask, "show": show, "farewell": farewell, "silent": silent}


def engine(*flows: Flow) -> Engine:
    return Engine({flow.name: flow for flow in flows}, FUNCTIONS, Collaborators())


GOOD = Flow(
    "good",
    (
        action("first", "go", {"done": "question"}),
        decision("question", "ask", yes="form", no="over"),
        view("form", "show", {"submit": "over"}),
        end("over", "farewell"),
    ),
)


def test_a_flow_pauses_at_a_view_and_goes_on_with_an_event() -> None:
    runner, trace = engine(GOOD), Trace()
    paused = runner.start("good", trace)
    assert paused == Paused((("good", "form"),), Shown("form"))
    assert runner.resume(paused.place, "submit", trace) == Ended("over", Shown("bye"))
    assert trace.steps == ["go", "ask"]


def test_a_decision_takes_the_other_way() -> None:
    assert engine(GOOD).start("good", Trace(answer=False)) == Ended("over", Shown("bye"))


def test_an_event_that_a_view_does_not_await_is_refused() -> None:
    runner = engine(GOOD)
    with pytest.raises(KeyError):
        runner.resume((("good", "form"),), "approve", Trace())


def test_going_on_at_a_state_that_is_no_view_is_refused() -> None:
    with pytest.raises(KeyError):
        engine(GOOD).resume((("good", "first"),), "done", Trace())


def test_a_subflow_pauses_inside_its_parent_and_its_end_is_the_parents_event() -> None:
    outer = Flow("outer", (subflow("inner", "good", {"over": "finished"}), end("finished", "farewell")))
    runner = engine(GOOD, outer)
    paused = runner.start("outer", Trace())
    assert paused.place == (("outer", "inner"), ("good", "form"))
    assert runner.resume(paused.place, "submit", Trace()) == Ended("finished", Shown("bye"))


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ((action("a", "go", {"done": "nowhere"}),), "a: done leads to nowhere, which is no state"),
        ((action("a", "missing", {"done": "b"}), end("b")), "a: there is no function missing"),
        ((action("a", "go", {"done": "b"}), end("b"), end("c")), "c cannot be reached"),
        ((action("a", "go", {}), end("b")), "a: done is not handled"),
        ((action("a", "go", {"done": "b", "failed": "b"}), end("b")), "a: failed never happens"),
        ((action("a", "silent", {"done": "b"}), end("b")), "a: silent does not declare its events"),
        (
            (decision("a", "ask", yes="a2", no="b"), action("a2", "go", {"done": "a"}), end("b")),
            "a is in a loop without a view",
        ),
        ((view("a", "show", {"submit": "a"}),), "a cannot come to an end"),
        ((view("a", "show", {"approve": "b"}), end("b")), "a: submit is not handled"),
        ((action("a", "go", {"done": "b"}), end("b"), end("b")), "state b stands twice"),
        ((subflow("a", "missing", {"over": "b"}), end("b")), "a: there is no flow missing"),
        ((subflow("a", "good", {"done": "b"}), end("b")), "a: over is not handled"),
    ],
)
def test_a_table_that_cannot_work_is_refused_with_the_reason(rows: tuple[Any, ...], fault: str) -> None:
    with pytest.raises(FlowDefinitionError) as refused:
        engine(GOOD, Flow("bad", rows))
    assert fault in refused.value.faults


def test_all_faults_are_named_at_once() -> None:
    rows = (action("a", "go", {"failed": "b"}), end("b"), end("c"))
    with pytest.raises(FlowDefinitionError) as refused:
        engine(Flow("bad", rows))
    assert len(refused.value.faults) == 3


def test_a_collaborator_that_does_not_exist_is_refused() -> None:
    with pytest.raises(FlowDefinitionError, match="asks for 'greeting'"):
        Engine({"good": GOOD}, FUNCTIONS, object())


def test_states_are_named_as_cas_operators_know_them() -> None:
    names = {row.name for row in FLOWS["login"].rows}
    assert {
        "ticketGrantingTicketCheck",
        "gatewayRequestCheck",
        "renewRequestCheck",
        "hasServiceCheck",
        "viewLoginForm",
        "realSubmit",
        "createTicketGrantingTicket",
        "generateServiceTicket",
        "redirect",
    } <= names
