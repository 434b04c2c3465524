"""The nodes of a UCM cluster that serve one interface: which of them is asked, for how long, and when the next one is.

Each node has connections, a session cookie, a breaker and places for calls under way of its own, so that one that hangs
costs the others nothing. Reads go on to the next node after any trouble; writes only where the request never left, for
a write whose answer is lost may have happened.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from weakref import WeakKeyDictionary

from casduo.clock import Clock
from casduo.errors import UpstreamMisconfigured, UpstreamUnavailable
from casduo.outbound.breaker import Breaker, BreakerMemory, BreakerOpen
from casduo.outbound.budget import Budget
from casduo.outbound.bulkhead import Bulkhead
from casduo.outbound.failures import UpstreamUntrusted
from casduo.outbound.http import HttpAnswer, HttpClient, HttpSettings, UpstreamUnreached
from casduo.outbound.line import Line
from casduo.ucm.errors import UcmBusy, UcmMisconfigured, UcmRefused, UcmUnavailable

T = TypeVar("T")
Trouble = UcmUnavailable | UcmBusy
"""What may lead on to the next node."""

_LEAST = 0.05
"""Seconds below which no node is asked: it could not answer, and a write would leave everybody unsure."""
_LARGEST_ANSWER = 1024 * 1024
"""Bytes. UCM itself stops at 8 MB; what is asked for here has a few KB."""
_FULL = "bulkhead_full"


@dataclass(frozen=True, slots=True)
class NodeTerms:
    """How every node is talked to. Times are seconds.

    :param connect_timeout: for TCP and TLS each.
    :param read_timeout: longest silence of a node.
    :param max_in_flight: calls under way to one node at a time, at least 1.
    :param patience: for a place among these, where every node has as many; at most half of a budget.
    :param ca_file: PEM file of the only authorities to trust, in place of the system's.
    :param extra_ca_file: PEM file of authorities to trust besides.
    :param failures: failures in a row after which a node is left alone.
    :param pause: for which it is; then one call tries.
    :param largest_answer: bytes.
    """

    connect_timeout: float
    read_timeout: float
    max_in_flight: int
    ca_file: str | None = None
    extra_ca_file: str | None = None
    failures: int = 5
    pause: float = 30.0
    largest_answer: int = _LARGEST_ANSWER
    patience: float = 0.0

    @property
    def longest(self) -> float:
        """Seconds that one call to one node may take."""
        return self.connect_timeout + self.read_timeout


class SessionCookie:
    """The session that one node keeps for us, ``JSESSIONIDSSO``; it spares UCM an authentication. Safe to share by
    threads. Cookies know no ports, so nodes never share one.
    """

    _NAME = "JSESSIONIDSSO"
    _SET = re.compile(rf"(?:^|[,;]\s*){_NAME}=\"?([^;,\"\s]*)")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._header = ""

    @property
    def header(self) -> str:
        """The value of the header ``Cookie`` to send, empty without a session."""
        return self._header

    def keep(self, headers: Mapping[str, str]) -> None:
        """Take over the session that the headers of an answer set, if they do."""
        found = self._SET.search(headers.get("Set-Cookie") or "")
        if found:
            with self._lock:
                self._header = f"{self._NAME}={found[1]}" if found[1] else ""

    def drop(self, header: str) -> None:
        """Forget the session that was sent as ``header``, which the node has forgotten; a newer one stays."""
        with self._lock:
            if self._header == header:
                self._header = ""


@dataclass(frozen=True, slots=True)
class Node:
    """One node, as one interface sees it.

    ``name`` is host and port (``ucm1:8443``), ``upstream`` what errors and the breaker call it (``ucm axl ucm1:8443``).
    """

    name: str
    upstream: str
    http: HttpClient
    cookie: SessionCookie
    breaker: Breaker
    bulkhead: Bulkhead

    def post(
        self,
        path: str,
        within: float,
        *,
        form: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
    ) -> HttpAnswer:
        """Send one request over TLS and return the answer, whatever its status.

        :param path: from the slash on
        :param within: seconds for the whole exchange
        :param form: see :meth:`~casduo.outbound.http.HttpClient.request`, as ``body``, ``headers`` and ``repeatable``
        :raises UcmUnavailable: no answer. ``sent`` is False only where the request certainly never left.
        :raises UcmMisconfigured: the request itself cannot be sent.
        """
        failure: UcmUnavailable | UcmMisconfigured
        try:
            return self.http.request(
                "POST",
                f"https://{self.name}{path}",
                form=form,
                body=body,
                headers=headers,
                repeatable=repeatable,
                within=within,
            )
        except UpstreamUntrusted as error:
            # Nothing is said to whoever shows a strange certificate; another node may well show the right one.
            failure = UcmUnavailable(self.upstream, error.detail, sent=False)
        except UpstreamMisconfigured as error:
            failure = UcmMisconfigured(self.upstream, error.detail)
        except UpstreamUnavailable as error:
            failure = UcmUnavailable(self.upstream, error.detail, sent=not isinstance(error, UpstreamUnreached))
        raise failure

    def trouble(self, detail: str, *, sent: bool = True) -> UcmUnavailable:
        """Return what to raise for an answer that is none: a strange status, a body that cannot be read.

        :param sent: False only where the answer itself proves that nothing was carried out
        """
        return UcmUnavailable(self.upstream, detail, sent=sent)


class Nodes:
    """The nodes of one interface in the order in which they are asked. Safe to share by threads.

    :param name: the interface, ``axl`` or ``em``
    :param servers: ``host:port`` of each node, at least one
    :param clock: epoch seconds, for the breakers
    :param memory: what all processes know of the nodes; None for what this one knows
    :raises UcmMisconfigured: the file of authorities cannot be read; ``detail`` is ``ca_file``
    """

    def __init__(
        self, name: str, servers: Sequence[str], terms: NodeTerms, clock: Clock, memory: BreakerMemory | None = None
    ) -> None:
        if not servers:
            raise ValueError("there is at least one node")
        self.upstream = f"ucm {name}"
        self.terms = terms
        self.nodes = tuple(_node(f"{self.upstream} {server}", server, terms, clock, memory) for server in servers)
        self._line = Line()
        self._lock = threading.Lock()
        self._failed: WeakKeyDictionary[Budget, set[str]] = WeakKeyDictionary()

    def read(self, call: Callable[[Node, float], T], budget: Budget) -> T:
        """Ask node after node until one answers, and return what ``call`` makes of its answer.

        A node gets at most half of what is left while there is another one to ask, and no more than its time-outs
        allow. One that failed is asked last by later calls of the same budget, writes included.

        :param call: makes one exchange with the node it is given, within so many seconds. Raises one of the errors of
            :mod:`casduo.ucm.errors`; ``UcmUnavailable`` and ``UcmBusy`` lead on to the next node.
        :raises UcmUnavailable: no node answered, or nothing was left of the budget (``detail`` is ``budget``). It is
            never ``sent``: a question changes nothing, however far it got.
        :raises UcmBusy: a node has too much to do, and none that could be asked had not
        """
        try:
            return self._first(call, budget, lambda _: True, share=True)
        except UcmUnavailable as failure:
            failure.sent = False
            raise

    def write(self, call: Callable[[Node, float], T], budget: Budget) -> T:
        """Have one node carry something out, once at most, and return what ``call`` makes of its answer.

        :param call: as for :meth:`read`; an ``UcmUnavailable`` leads on to the next node only if it was not ``sent``.
        :raises UcmUnavailable: as :meth:`read`; where ``sent`` is True, it may have been carried out
        :raises UcmBusy: nothing was carried out
        """
        return self._first(call, budget, _never_left, share=False)

    def close(self) -> None:
        """Close all kept connections. The nodes stay usable."""
        for node in self.nodes:
            node.http.close()

    def _first(
        self, call: Callable[[Node, float], T], budget: Budget, goes_on: Callable[[Trouble], bool], *, share: bool
    ) -> T:
        troubles: list[Trouble] = []
        order = self._order(budget)
        while order:
            node = self._line.take(lambda: _first_free(order), min(self.terms.patience, budget.left / 2))
            if node is None:
                order[0].bulkhead.turn_away()
                troubles.append(UcmBusy(order[0].upstream, _FULL))
                break
            order.remove(node)
            try:
                left = budget.left / 2 if share and order else budget.left
                if left < _LEAST:
                    break
                return self._ask(node, call, min(left, self.terms.longest))
            except (UcmUnavailable, UcmBusy) as trouble:
                self._note(budget, node)
                if not goes_on(trouble):
                    raise
                troubles.append(trouble)
            finally:
                node.bulkhead.leave()
                self._line.freed()
        raise min(troubles, key=_rank, default=UcmUnavailable(self.upstream, "budget"))

    def _ask(self, node: Node, call: Callable[[Node, float], T], within: float) -> T:
        failure: Trouble
        try:
            outcome = node.breaker.call(lambda: _answer_of(call, node, within))
        except BreakerOpen as error:
            failure = UcmUnavailable(node.upstream, error.detail)
        else:
            if isinstance(outcome, UcmRefused):
                raise outcome
            return outcome
        raise failure

    def _order(self, budget: Budget) -> list[Node]:
        with self._lock:
            failed = frozenset(self._failed.get(budget, ()))
        return sorted(self.nodes, key=lambda node: node.name in failed)

    def _note(self, budget: Budget, node: Node) -> None:
        with self._lock:
            self._failed.setdefault(budget, set()).add(node.name)


def _first_free(nodes: Sequence[Node]) -> Node | None:
    """Take a place at the first node that has one."""
    return next((node for node in nodes if node.bulkhead.take()), None)


def _answer_of(call: Callable[[Node, float], T], node: Node, within: float) -> T | UcmRefused:
    # To the breaker a refusal is an answer like any other.
    try:
        return call(node, within)
    except UcmRefused as refused:
        return refused


def _never_left(trouble: Trouble) -> bool:
    return isinstance(trouble, UcmUnavailable) and not trouble.sent


def _rank(trouble: Trouble) -> int:
    """Sort first what tells people most: to try again soon, then why a node did not answer."""
    if isinstance(trouble, UcmBusy):
        return 0
    return 2 if trouble.detail == "breaker_open" else 1


def _node(upstream: str, server: str, terms: NodeTerms, clock: Clock, memory: BreakerMemory | None) -> Node:
    settings = HttpSettings(
        connect_timeout=terms.connect_timeout,
        read_timeout=terms.read_timeout,
        deadline=terms.longest,
        max_body=terms.largest_answer,
        pool=terms.max_in_flight,
        ca_file=terms.ca_file,
        extra_ca_file=terms.extra_ca_file,
        traced=True,
    )
    try:
        http = HttpClient(upstream, settings)
    except UpstreamMisconfigured as error:
        failure = UcmMisconfigured(upstream, error.detail)
    else:
        breaker = Breaker(
            upstream,
            terms.failures,
            terms.pause,
            clock,
            probe_deadline=2 * terms.longest,
            # A time-out alone opens nothing: a shift change makes UCM slow, and there may be no other node.
            is_slow=lambda _: False,
            memory=memory,
        )
        return Node(server, upstream, http, SessionCookie(), breaker, Bulkhead(upstream, terms.max_in_flight))
    raise failure
