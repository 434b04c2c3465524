"""A small state machine for web flows: a table of states, checked when it is built, and a short loop that walks it.

A flow is a value: a name, a start and rows. A row is *state, kind, function, events -> next*. Five kinds exist:

* **action**: a function that does something and returns the event that happened;
* **decision**: a function that returns yes or no;
* **view**: a function that prepares what the person sees; the request ends here and a later one brings an event;
* **subflow**: another flow; its end states are the events;
* **end**: the flow is over; an optional function prepares what is sent.

Which events a function can produce is read from its return annotation (``Literal[...]`` of an action, ``bool`` of a
decision, ``Pause[Literal[...]]`` of a view), so the type checker, the table and the engine speak of the same thing.
Functions take the flow's context and then, by parameter name, the collaborators they need.

The engine knows neither CAS nor HTTP nor Redis.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import cache
from typing import Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

from casduo.values import value_object


class FlowDefinitionError(Exception):
    """A table that cannot work. ``faults`` holds every fault found, as sentences."""

    def __init__(self, flow: str, faults: Sequence[str]) -> None:
        super().__init__(f"flow {flow!r}: " + "; ".join(faults))
        self.flow = flow
        self.faults = tuple(faults)


class Kind(Enum):
    """The kinds of state."""

    ACTION = "action"
    DECISION = "decision"
    VIEW = "view"
    SUBFLOW = "subflow"
    END = "end"


@value_object(frozen=True, slots=True)
class Effect:
    """Base of everything a view or an end may ask to be sent. Who sends it decides what the subclasses are."""


EventsT = TypeVar("EventsT", covariant=True)


@value_object(frozen=True, slots=True)
class Pause(Generic[EventsT]):
    """What a view function returns: ``effect`` is sent, and one of ``EventsT`` is awaited."""

    effect: Effect


Function = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class State:
    """One row. ``function`` is an action's name, for a subflow the other flow's name, for an end it may be empty."""

    name: str
    kind: Kind
    function: str
    on: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Flow:
    """A table. ``rows`` in reading order; ``start`` is the first row unless named."""

    name: str
    rows: tuple[State, ...]
    start: str = ""

    @property
    def first(self) -> str:
        """The state in which the flow begins."""
        return self.start or self.rows[0].name

    @property
    def ends(self) -> tuple[str, ...]:
        """The names of the end states, which are the events a parent flow must handle."""
        return tuple(row.name for row in self.rows if row.kind is Kind.END)


def action(name: str, function: str, on: Mapping[str, str]) -> State:
    """Return a row whose function returns one of the events in ``on``."""
    return State(name, Kind.ACTION, function, on)


def decision(name: str, function: str, *, yes: str, no: str) -> State:
    """Return a row whose function answers a question."""
    return State(name, Kind.DECISION, function, {"yes": yes, "no": no})


def view(name: str, function: str, on: Mapping[str, str]) -> State:
    """Return a row at which the request ends until one of the events in ``on`` arrives."""
    return State(name, Kind.VIEW, function, on)


def subflow(name: str, flow: str, on: Mapping[str, str]) -> State:
    """Return a row that runs the flow named ``flow``; ``on`` maps its end states."""
    return State(name, Kind.SUBFLOW, flow, on)


def end(name: str, function: str = "") -> State:
    """Return a row that ends the flow; ``function`` prepares what is sent."""
    return State(name, Kind.END, function, {})


Place = tuple[tuple[str, str], ...]
"""Where an execution stands: (flow, state) from the outermost flow inwards."""


@value_object(frozen=True, slots=True)
class Paused:
    """The run stopped at a view. ``place`` is where to go on, ``effect`` what to send."""

    place: Place
    effect: Effect


@value_object(frozen=True, slots=True)
class Ended:
    """The run is over at the end state ``outcome`` of the outermost flow."""

    outcome: str
    effect: Effect | None


@dataclass(frozen=True, slots=True)
class _Bound:
    state: State
    call: Function | None
    collaborators: tuple[Any, ...]


@dataclass(slots=True)
class Engine:
    """Flows with their functions and collaborators, ready to run.

    :param flows: the tables
    :param functions: every function the tables name
    :param parts: an object whose attributes are the collaborators that functions name as parameters
    :raises FlowDefinitionError: a table is not closed, see ``check``
    """

    flows: Mapping[str, Flow]
    functions: Mapping[str, Function]
    parts: object
    _bound: dict[tuple[str, str], _Bound] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        check(self.flows, self.functions)
        for flow in self.flows.values():
            for row in flow.rows:
                call = self.functions[row.function] if row.function and row.kind is not Kind.SUBFLOW else None
                names = collaborators_of(call) if call is not None else ()
                missing = [name for name in names if not hasattr(self.parts, name)]
                if missing:
                    raise FlowDefinitionError(flow.name, [f"{row.function} asks for {name!r}" for name in missing])
                found = tuple(getattr(self.parts, name) for name in names)
                self._bound[flow.name, row.name] = _Bound(row, call, found)

    def start(self, flow: str, context: object) -> Paused | Ended:
        """Run ``flow`` from its beginning until it pauses or ends."""
        return self._run([], flow, self.flows[flow].first, context)

    def resume(self, place: Place, event: str, context: object) -> Paused | Ended:
        """Go on from a view at which ``event`` arrived.

        :raises KeyError: the place does not exist or does not await the event; the caller answers "bad request"
        """
        *outer, (flow, state) = place
        bound = self._bound[flow, state]
        if bound.state.kind is not Kind.VIEW:
            raise KeyError(state)
        return self._run(list(outer), flow, bound.state.on[event], context)

    def look(self, place: Place, context: object) -> Paused:
        """Show once more what a flow waits with, without going on.

        :raises KeyError: the place does not exist, or nothing is shown there
        """
        bound = self._bound[place[-1]]
        if bound.state.kind is not Kind.VIEW or bound.call is None:
            raise KeyError(place[-1])
        return Paused(place, bound.call(context, *bound.collaborators).effect)

    def _run(self, stack: list[tuple[str, str]], flow: str, state: str, context: object) -> Paused | Ended:
        while True:
            bound = self._bound[flow, state]
            row, call = bound.state, bound.call
            if row.kind is Kind.SUBFLOW:
                stack.append((flow, state))
                flow = row.function
                state = self.flows[flow].first
                continue
            result: Any = call(context, *bound.collaborators) if call is not None else None
            if row.kind is Kind.ACTION:
                state = row.on[result]
            elif row.kind is Kind.DECISION:
                state = row.on["yes" if result else "no"]
            elif row.kind is Kind.VIEW:
                return Paused((*stack, (flow, state)), result.effect)
            elif stack:
                outcome = state
                flow, state = stack.pop()
                state = self._bound[flow, state].state.on[outcome]
            else:
                return Ended(state, result)


@cache
def collaborators_of(function: Function) -> tuple[str, ...]:
    """Return the names of the collaborators a function asks for: its parameters after the context."""
    return tuple(inspect.signature(function).parameters)[1:]


@cache
def events_of(function: Function, kind: Kind) -> frozenset[str] | None:
    """Return the events a function can produce by its return annotation, ``None`` when the annotation says nothing."""
    returned = get_type_hints(function).get("return")
    if kind is Kind.DECISION:
        return frozenset({"yes", "no"}) if returned is bool else None
    if kind is Kind.VIEW:
        if get_origin(returned) is not Pause:
            return None
        (returned,) = get_args(returned)
    return frozenset(get_args(returned)) if get_origin(returned) is Literal else None


def check(flows: Mapping[str, Flow], functions: Mapping[str, Function]) -> None:
    """Refuse tables that cannot work.

    Refused are: unknown targets and functions, two rows of one name, unreachable states, states that cannot come to an
    end, events that a function produces but the row does not handle or the reverse, loops without a view, and subflow
    ends that the parent does not handle.

    :raises FlowDefinitionError: with all faults of the first faulty flow
    """
    for flow in flows.values():
        faults = list(_faults(flow, flows, functions))
        if faults:
            raise FlowDefinitionError(flow.name, faults)


def _faults(flow: Flow, flows: Mapping[str, Flow], functions: Mapping[str, Function]) -> Iterator[str]:
    rows = {row.name: row for row in flow.rows}
    if len(rows) != len(flow.rows):
        names = [row.name for row in flow.rows]
        yield from (f"state {name} stands twice" for name in rows if names.count(name) > 1)
    if flow.first not in rows:
        yield f"the start {flow.first} is no state"
        return
    broken = False
    for row in flow.rows:
        for event, target in row.on.items():
            if target not in rows:
                broken = True
                yield f"{row.name}: {event} leads to {target}, which is no state"
        yield from _row_faults(row, flows, functions)
    if broken:
        return
    reached = _closure([flow.first], lambda name: rows[name].on.values())
    yield from (f"{row.name} cannot be reached" for row in flow.rows if row.name not in reached)
    sources: dict[str, set[str]] = {name: set() for name in rows}
    for row in flow.rows:
        for target in row.on.values():
            sources[target].add(row.name)
    ending = _closure(flow.ends, lambda name: sources[name])
    yield from (f"{row.name} cannot come to an end" for row in flow.rows if row.name not in ending)
    for row in flow.rows:
        if row.kind is not Kind.VIEW and row.name in _closure(
            [target for target in row.on.values() if rows[target].kind is not Kind.VIEW],
            lambda name: [target for target in rows[name].on.values() if rows[target].kind is not Kind.VIEW],
        ):
            yield f"{row.name} is in a loop without a view"


def _row_faults(row: State, flows: Mapping[str, Flow], functions: Mapping[str, Function]) -> Iterator[str]:
    if row.kind is Kind.SUBFLOW:
        other = flows.get(row.function)
        if other is None:
            yield f"{row.name}: there is no flow {row.function}"
            return
        declared = frozenset(other.ends)
    elif row.kind is Kind.END:
        if row.function and row.function not in functions:
            yield f"{row.name}: there is no function {row.function}"
        return
    else:
        function = functions.get(row.function)
        if function is None:
            yield f"{row.name}: there is no function {row.function}"
            return
        produced = events_of(function, row.kind)
        if produced is None:
            yield f"{row.name}: {row.function} does not declare its events"
            return
        declared = produced
    handled = frozenset(row.on)
    yield from (f"{row.name}: {event} is not handled" for event in sorted(declared - handled))
    yield from (f"{row.name}: {event} never happens" for event in sorted(handled - declared))


def _closure(start: Iterable[str], following: Callable[[str], Iterable[str]]) -> set[str]:
    reached: set[str] = set()
    waiting = list(start)
    while waiting:
        name = waiting.pop()
        if name not in reached:
            reached.add(name)
            waiting.extend(following(name))
    return reached
