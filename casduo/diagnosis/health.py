"""The short form of a diagnosis, for monitoring: bounded in time, and asked anew every few seconds at most."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from dataclasses import dataclass

from casduo.clock import Clock
from casduo.diagnosis.breakers import Servers, judge_directories, judge_ucm
from casduo.diagnosis.events import judge_events
from casduo.diagnosis.model import Fact, Finding, Level, Part, worst
from casduo.diagnosis.nodes import judge_nodes
from casduo.diagnosis.outbox import WORKER, examine_outbox
from casduo.diagnosis.store import ask_store, judge_failure, judge_store, judge_worker
from casduo.errors import UpstreamUnavailable
from casduo.events.stream import ReaderName
from casduo.fieldtypes import Network, format_duration
from casduo.mfa.duo.gateway import DuoGateway, Health
from casduo.outbound import Shared
from casduo.services.watch import RegistrySource
from casduo.store import Store
from casduo.ucm.nodes import Node
from casduo.webex.upkeep import Wanted

KEEP = 10.0
"""Seconds for which a report is given out again, so that nobody can have Duo asked as often as they like."""
PATIENCE = 3.0
"""Seconds that a report waits for Redis and Duo, all together."""

_REGISTRY = Part("Registry")
_Findings = tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class HealthReport:
    """How a server was at ``at``, epoch seconds."""

    at: float
    findings: _Findings

    @property
    def level(self) -> Level:
        """That of the worst finding."""
        return worst(self.findings)


class HealthReports:
    """Makes reports. Safe to share by threads; makes one at a time.

    :param networks: who may read them.
    :param gateways: to each Duo application, by name.
    :param directories: tells how the servers stand that are asked for passwords, by the name of each handler.
    :param ucm_nodes: of a UCM, once for each interface.
    :param readers: who reads events; ``outbox`` where there is a Webex.
    :param webhook: as it should be at Webex, ``None`` where there is to be none.
    :param keep: see :data:`KEEP`.
    :param patience: see :data:`PATIENCE`.
    """

    def __init__(
        self,
        networks: Iterable[Network],
        store: Store,
        services: RegistrySource,
        gateways: Mapping[str, DuoGateway],
        clock: Clock,
        *,
        directories: Callable[[], Mapping[str, Servers]] = dict,
        ucm_nodes: Sequence[Node] = (),
        readers: Sequence[ReaderName] = (),
        webhook: Wanted | None = None,
        started_by_server: bool = True,
        keep: float = KEEP,
        patience: float = PATIENCE,
    ) -> None:
        self.networks = tuple(networks)
        self._services = services
        self._clock = clock
        self._patience = patience

        def outbox() -> _Findings:
            return tuple(examine_outbox(store, webhook, clock))

        self._questions = [
            _Question("Redis", lambda: _ask_redis(store, clock, readers, started_by_server)),
            *([_Question(WORKER.name, outbox)] if "outbox" in readers else []),
            _Question("Directories", lambda: judge_directories(directories())),
            *(_Question(_title(name), _about_duo(name, gateway)) for name, gateway in gateways.items()),
            *([_Question("UCM", lambda: judge_ucm(ucm_nodes, clock()))] if ucm_nodes else []),
        ]
        self._shared: Shared[HealthReport] = Shared(
            self._make, keep=keep, is_good=lambda report: True, clock=clock, patience=2 * patience
        )

    def current(self) -> HealthReport:
        """Return a report that is a few seconds old at most."""
        return self._shared.get()

    def _make(self) -> HealthReport:
        at = self._clock()
        running = [(question, question.begin()) for question in self._questions]
        wait([future for _, future in running], self._patience)
        found = [judge_registry(self._services)]
        for question, future in running:
            found += future.result() if future.done() else [_too_slow(question.name, self._patience)]
        return HealthReport(at, tuple(found))


def judge_registry(services: RegistrySource) -> Finding:
    """Return the finding about the registry in use."""
    registry, problems = services.current(), services.problems
    found = f"in use: state {registry.version}"
    facts: dict[str, Fact] = {
        "version": registry.version,
        "services": len(registry.services),
        "problems": len(problems),
    }
    if not problems:
        return _REGISTRY.ok("file", found, **facts)
    cause = f"the file has changed since and cannot be used: {problems[0]}"
    return _REGISTRY.attention("file", found, "rejected", cause, "run casduo check", **facts)


def judge_duo(name: str, health: Health) -> Finding:
    """Return the finding about one Duo application.

    :param name: empty for the main one.
    """
    part, detail = Part(_title(name)), health.detail
    facts: dict[str, Fact] = {
        "application": name,
        "state": str(health.state),
        "breaker": "open" if detail == "breaker_open" else "closed",
        "auth_api": health.auth_api_answers,
        **({"skew": round(health.skew, 1)} if health.skew is not None else {}),
    }
    if not health.ok:
        return part.fault("duo", f"{health.state}: {detail}", detail, health.message, "run casduo doctor", **facts)
    if detail:
        return part.attention("duo", "answers", detail, health.message, "run casduo doctor", **facts)
    return part.ok("duo", "answers and takes our keys", **facts)


class _Question:
    """Something that may take long. Asked in a thread of its own, and not again before the answer has come."""

    def __init__(self, name: str, ask: Callable[[], _Findings]) -> None:
        self.name = name
        self._ask = ask
        self._running: Future[_Findings] | None = None

    def begin(self) -> Future[_Findings]:
        """Ask, unless that is still under way; return where the answer will be."""
        if self._running is None or self._running.done():
            self._running = Future()
            threading.Thread(target=self._answer, args=(self._running,), name="health", daemon=True).start()
        return self._running

    def _answer(self, future: Future[_Findings]) -> None:
        try:
            future.set_result(self._ask())
        except Exception as error:
            cause = "a mistake of casduo's own"
            future.set_result((Part(self.name).fault("answer", type(error).__name__, "unexpected", cause),))


def _ask_redis(store: Store, clock: Clock, readers: Sequence[ReaderName], started_by_server: bool) -> _Findings:
    try:
        facts = ask_store(store, clock)
    except UpstreamUnavailable as error:
        return (judge_failure(error),)
    worker = judge_worker(facts.worker, started_by_server=started_by_server)
    return (
        *judge_store(facts),
        worker,
        *judge_nodes(facts.nodes),
        *judge_events(facts.events, readers, clock() + facts.skew),
    )


def _about_duo(name: str, gateway: DuoGateway) -> Callable[[], _Findings]:
    return lambda: (judge_duo(name, gateway.health()),)


def _too_slow(name: str, patience: float) -> Finding:
    cause = "it is overloaded, or the network is; what comes later is in the next report"
    return Part(name).fault("answer", f"none within {format_duration(patience)}", "slow", cause)


def _title(name: str) -> str:
    return f"Duo, application {name}" if name else "Duo, main application"
