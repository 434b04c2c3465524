"""Which node of a cluster is asked, for how long, and what leads on to the next one."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from casduo.outbound.breaker import BreakerState
from casduo.outbound.budget import Budget
from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from casduo.simulators.clock import VirtualClock
from casduo.store import Store
from casduo.store.breakers import RedisBreakerMemory
from casduo.ucm.errors import UcmBusy, UcmMisconfigured, UcmRefused, UcmUnavailable
from casduo.ucm.nodes import Node, Nodes, NodeTerms, SessionCookie
from tests.ucm.canned import PLENTY, Canned, CannedNode, canned_node, plenty, terms_for

TERMS = NodeTerms(connect_timeout=1.0, read_timeout=3.0, max_in_flight=2)
START = 1_800_000_000.0


class Hand:
    """A monotonic clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


def named(*servers: str, clock: VirtualClock | None = None, terms: NodeTerms = TERMS) -> Nodes:
    """Return nodes that nobody connects to: the tests' calls answer in their place."""
    return Nodes("em", servers, terms, clock or VirtualClock(START))


class Script:
    """A call that does for each node what the test says, and notes who was asked and for how long."""

    def __init__(self, **doings: Callable[[Node], str]) -> None:
        self.doings = doings
        self.asked: list[str] = []
        self.within: list[float] = []

    def __call__(self, node: Node, within: float) -> str:
        self.asked.append(node.name)
        self.within.append(within)
        return self.doings.get(node.name, lambda node: f"from {node.name}")(node)


def failing(detail: str = "timeout", *, sent: bool = True) -> Callable[[Node], str]:
    def fail(node: Node) -> str:
        raise UcmUnavailable(node.upstream, detail, sent=sent)

    return fail


def busy(node: Node) -> str:
    raise UcmBusy(node.upstream, "em 26")


def refusing(node: Node) -> str:
    raise UcmRefused("occupied", "em 18")


def misconfigured(node: Node) -> str:
    raise UcmMisconfigured(node.upstream, "http_401")


# -- the order ---------------------------------------------------------------------------------------------------------


def test_the_first_node_is_asked_as_long_as_it_answers() -> None:
    nodes, script = named("a", "b"), Script()
    assert [nodes.read(script, plenty()) for _ in range(3)] == ["from a"] * 3
    assert nodes.write(script, plenty()) == "from a"


@pytest.mark.parametrize("trouble", [failing(), failing(sent=False), busy])
def test_a_read_goes_on_to_the_next_node(trouble: Callable[[Node], str]) -> None:
    script = Script(a=trouble, b=trouble)
    assert named("a", "b", "c").read(script, plenty()) == "from c"
    assert script.asked == ["a", "b", "c"]


@pytest.mark.parametrize(("answer", "error"), [(refusing, UcmRefused), (misconfigured, UcmMisconfigured)])
def test_a_plain_no_or_a_wrong_account_is_not_carried_to_the_next_node(
    answer: Callable[[Node], str], error: type[Exception]
) -> None:
    script = Script(a=answer)
    nodes = named("a", "b")
    for ask in (nodes.read, nodes.write):
        with pytest.raises(error):
            ask(script, plenty())
    assert script.asked == ["a", "a"]


def test_a_write_goes_on_where_it_never_left() -> None:
    script = Script(a=failing("refused", sent=False))
    assert named("a", "b").write(script, plenty()) == "from b"


def test_a_write_that_may_have_happened_is_not_sent_again() -> None:
    script = Script(a=failing("timeout", sent=True))
    with pytest.raises(UcmUnavailable) as caught:
        named("a", "b").write(script, plenty())
    assert caught.value.sent
    assert script.asked == ["a"]


def test_a_question_changes_nothing_however_far_it_got() -> None:
    script = Script(a=failing("timeout", sent=True))
    with pytest.raises(UcmUnavailable) as caught:
        named("a").read(script, plenty())
    assert not caught.value.sent


def test_a_write_that_a_busy_node_turned_down_is_not_carried_to_the_next() -> None:
    script = Script(a=busy)
    with pytest.raises(UcmBusy):
        named("a", "b").write(script, plenty())
    assert script.asked == ["a"]


def test_after_all_nodes_the_one_that_is_busy_is_what_people_hear_of() -> None:
    script = Script(a=failing(), b=busy, c=failing())
    with pytest.raises(UcmBusy):
        named("a", "b", "c").read(script, plenty())


def test_after_all_nodes_the_first_failure_is_raised_without_a_trace_of_the_others() -> None:
    script = Script(a=failing("timeout"), b=failing("refused", sent=False))
    with pytest.raises(UcmUnavailable) as caught:
        named("a", "b").read(script, plenty())
    assert (caught.value.upstream, caught.value.detail) == ("ucm em a", "timeout")


def test_what_failed_is_asked_last_for_the_rest_of_the_budget() -> None:
    nodes, script, budget = named("a", "b"), Script(a=failing()), plenty()
    nodes.read(script, budget)
    assert nodes.write(script, budget) == "from b"
    assert script.asked == ["a", "b", "b"]
    nodes.read(script, plenty())
    assert script.asked[3:] == ["a", "b"]


def test_there_is_at_least_one_node() -> None:
    with pytest.raises(ValueError, match="at least one node"):
        named()


# -- the budget --------------------------------------------------------------------------------------------------------


def test_a_read_keeps_half_of_the_budget_for_the_next_node() -> None:
    hand = Hand()
    budget = Budget(4.0, hand)

    def hang(node: Node) -> str:
        hand.now += script.within[-1]
        return failing()(node)

    script = Script(a=hang, b=hang)
    assert named("a", "b", "c").read(script, budget) == "from c"
    assert script.within == pytest.approx([2.0, 1.0, 1.0])


def test_a_node_gets_no_more_than_its_time_outs_allow() -> None:
    script = Script()
    nodes = named("a", "b")
    nodes.read(script, Budget(100.0))
    nodes.write(script, Budget(100.0))
    assert script.within == [4.0, 4.0]


def test_a_write_is_given_all_there_is_for_its_answer_must_not_be_missed() -> None:
    script = Script()
    named("a", "b").write(script, Budget(3.0, Hand()))
    assert script.within == [3.0]


@pytest.mark.parametrize("left", [0.0, 0.01])
def test_nobody_is_asked_when_nothing_is_left(left: float) -> None:
    script = Script()
    nodes = named("a", "b")
    for ask in (nodes.read, nodes.write):
        with pytest.raises(UcmUnavailable) as caught:
            ask(script, Budget(left, Hand()))
        assert (caught.value.detail, caught.value.sent) == ("budget", False)
    assert script.asked == []


def test_the_last_node_is_not_asked_when_the_others_used_everything_up() -> None:
    hand = Hand()

    def hang(node: Node) -> str:
        hand.now += 10.0
        return failing()(node)

    script = Script(a=hang)
    with pytest.raises(UcmUnavailable) as caught:
        named("a", "b").read(script, Budget(4.0, hand))
    assert (script.asked, caught.value.detail) == (["a"], "timeout")


# -- the breaker -------------------------------------------------------------------------------------------------------


def fail_times(nodes: Nodes, times: int) -> None:
    script = Script(a=failing())
    for _ in range(times):
        nodes.read(script, plenty())
    assert script.asked.count("a") == times


def test_a_breaker_opens_after_five_failures_and_not_after_one_time_out(clock: VirtualClock) -> None:
    nodes = named("a", "b", clock=clock)
    fail_times(nodes, 4)
    assert nodes.nodes[0].breaker.state(clock()) is BreakerState.CLOSED
    fail_times(nodes, 1)
    script = Script(a=failing())
    assert nodes.read(script, plenty()) == nodes.write(script, plenty()) == "from b"
    assert script.asked == ["b", "b"]


def test_an_open_breaker_lets_one_call_try_after_its_pause_and_closes(clock: VirtualClock) -> None:
    nodes, script = named("a", "b", clock=clock), Script()
    fail_times(nodes, 5)
    clock.advance(29.0)
    assert nodes.read(script, plenty()) == "from b"
    clock.advance(1.5)
    assert nodes.read(script, plenty()) == "from a"
    assert nodes.nodes[0].breaker.state(clock()) is BreakerState.CLOSED


def test_a_probe_that_fails_keeps_the_breaker_open(clock: VirtualClock) -> None:
    nodes = named("a", "b", clock=clock)
    fail_times(nodes, 5)
    clock.advance(31.0)
    fail_times(nodes, 1)
    assert nodes.nodes[0].breaker.state(clock()) is BreakerState.OPEN


@pytest.mark.parametrize(("answer", "error"), [(refusing, UcmRefused), (misconfigured, UcmMisconfigured)])
def test_a_plain_no_is_a_sign_of_life(
    clock: VirtualClock, answer: Callable[[Node], str], error: type[Exception]
) -> None:
    nodes = named("a", "b", clock=clock)
    fail_times(nodes, 5)
    clock.advance(31.0)
    with pytest.raises(error):
        nodes.read(Script(a=answer), plenty())
    assert nodes.nodes[0].breaker.state(clock()) is BreakerState.CLOSED
    fail_times(nodes, 4)
    with pytest.raises(error):
        nodes.read(Script(a=answer), plenty())
    fail_times(nodes, 4)
    assert nodes.nodes[0].breaker.state(clock()) is BreakerState.CLOSED


def test_a_busy_node_is_not_taken_for_a_dead_one(clock: VirtualClock) -> None:
    nodes, script = named("a", "b", clock=clock), Script(a=busy)
    for _ in range(10):
        nodes.read(script, plenty())
    assert script.asked.count("a") == 10


def test_with_all_breakers_open_people_hear_so_at_once(clock: VirtualClock) -> None:
    nodes = named("a", clock=clock)
    for _ in range(5):
        with pytest.raises(UcmUnavailable):
            nodes.read(Script(a=failing()), plenty())
    for ask in (nodes.read, nodes.write):
        script = Script()
        with pytest.raises(UcmUnavailable) as caught:
            ask(script, plenty())
        assert (caught.value.detail, caught.value.sent, script.asked) == ("breaker_open", False, [])


def test_processes_that_share_a_memory_share_what_they_know(clock: VirtualClock, store: Store) -> None:
    one, another = (Nodes("em", ("a", "b"), TERMS, clock, RedisBreakerMemory(store)) for _ in range(2))
    fail_times(one, 5)
    script = Script()
    assert another.read(script, plenty()) == "from b"
    axl = Nodes("axl", ("a", "b"), TERMS, clock, RedisBreakerMemory(store))
    assert axl.read(script, plenty()) == "from a"


# -- calls under way ---------------------------------------------------------------------------------------------------


def test_a_full_node_sends_reads_and_writes_to_the_next() -> None:
    nodes, script = named("a", "b"), Script()
    with ExitStack() as stack:
        for _ in range(TERMS.max_in_flight):
            stack.enter_context(nodes.nodes[0].bulkhead)
        assert nodes.read(script, plenty()) == nodes.write(script, plenty()) == "from b"
    assert nodes.read(script, plenty()) == "from a"


def test_when_all_nodes_are_full_people_are_told_to_try_again() -> None:
    nodes = named("a")
    inside, leave = threading.Barrier(TERMS.max_in_flight + 1), threading.Event()

    def hold(node: Node, within: float) -> str:
        inside.wait(PLENTY)
        leave.wait(PLENTY)
        return node.name

    threads = [threading.Thread(target=nodes.read, args=(hold, plenty())) for _ in range(TERMS.max_in_flight)]
    for thread in threads:
        thread.start()
    inside.wait(PLENTY)
    for ask in (nodes.read, nodes.write):
        with pytest.raises(UcmBusy) as caught:
            ask(Script(), plenty())
        assert (caught.value.upstream, caught.value.detail) == ("ucm em a", "bulkhead_full")
    leave.set()
    for thread in threads:
        thread.join()
    assert nodes.nodes[0].bulkhead.inside == 0


@pytest.mark.parametrize("kind", ["read", "write"])
def test_who_has_patience_waits_for_a_place_and_gets_it(kind: str) -> None:
    nodes = named("a", "b", terms=replace(TERMS, max_in_flight=1, patience=PLENTY))
    inside, leave = threading.Barrier(3), threading.Event()

    def hold(node: Node, within: float) -> str:
        inside.wait(PLENTY)
        leave.wait(PLENTY)
        return node.name

    answers: list[str] = []
    threads = [threading.Thread(target=nodes.read, args=(hold, plenty())) for _ in range(2)]
    threads.append(threading.Thread(target=lambda: answers.append(getattr(nodes, kind)(Script(), plenty()))))
    for thread in threads[:2]:
        thread.start()
    inside.wait(PLENTY)
    threads[2].start()
    while not nodes._line:
        leave.wait(0.001)
    assert answers == []
    leave.set()
    for thread in threads:
        thread.join()
    assert answers[0] in ("from a", "from b")
    assert [node.bulkhead.inside for node in nodes.nodes] == [0, 0]


def test_half_of_a_budget_is_never_waited_away() -> None:
    hand = Hand()
    nodes = named("a", terms=replace(TERMS, patience=PLENTY))
    for _ in range(TERMS.max_in_flight):
        assert nodes.nodes[0].bulkhead.take()
    with pytest.raises(UcmBusy):
        nodes.read(Script(), Budget(0.02, hand))


# -- session cookies ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "header",
    [
        "JSESSIONIDSSO=4A1B; Path=/; Secure; HttpOnly",
        "JSESSIONID=77; Path=/axl; Secure, JSESSIONIDSSO=4A1B; Path=/",
        'a=b; Expires=Thu, 01 Jan 2026 00:00:00 GMT, JSESSIONIDSSO="4A1B"',
    ],
)
def test_a_session_is_found_among_the_cookies(header: str) -> None:
    cookie = SessionCookie()
    cookie.keep({"Set-Cookie": header})
    assert cookie.header == "JSESSIONIDSSO=4A1B"


@pytest.mark.parametrize("header", ["", "JSESSIONID=1; Path=/", "XJSESSIONIDSSO=1"])
def test_other_cookies_leave_the_session_alone(header: str) -> None:
    cookie = SessionCookie()
    cookie.keep({"Set-Cookie": "JSESSIONIDSSO=1"})
    cookie.keep({"Set-Cookie": header} if header else {})
    assert cookie.header == "JSESSIONIDSSO=1"


def test_a_session_that_the_node_ends_is_forgotten() -> None:
    cookie = SessionCookie()
    cookie.keep({"Set-Cookie": "JSESSIONIDSSO=1"})
    cookie.keep({"Set-Cookie": "JSESSIONIDSSO=; Max-Age=0"})
    assert cookie.header == ""


def test_dropping_an_old_session_does_not_take_the_new_one_along() -> None:
    cookie = SessionCookie()
    cookie.keep({"Set-Cookie": "JSESSIONIDSSO=1"})
    old = cookie.header
    cookie.keep({"Set-Cookie": "JSESSIONIDSSO=2"})
    cookie.drop(old)
    assert cookie.header == "JSESSIONIDSSO=2"
    cookie.drop(cookie.header)
    assert cookie.header == ""


# -- on real sockets ---------------------------------------------------------------------------------------------------


@pytest.fixture
def pair(authority: CertificateAuthority) -> Iterator[tuple[CannedNode, CannedNode]]:
    leaf = authority.issue()
    first, second = canned_node(leaf), canned_node(leaf)
    with first.server, second.server:
        yield first, second


@pytest.fixture
def over(pair: tuple[CannedNode, CannedNode], authority: CertificateAuthority) -> Iterator[Nodes]:
    nodes = Nodes("axl", [each.name for each in pair], terms_for(authority), VirtualClock(START))
    yield nodes
    nodes.close()


def post(node: Node, within: float) -> str:
    return node.post("/axl/", within, body="<x/>").body.decode()


def test_nodes_keep_sessions_apart_although_they_share_a_host(pair: tuple[CannedNode, CannedNode], over: Nodes) -> None:
    for place, node in enumerate(pair):
        node.say(Canned(headers=(("Set-Cookie", f"JSESSIONIDSSO=S{place}; Path=/; Secure"),)))

    def ask(node: Node) -> None:
        answer = node.post("/axl/", PLENTY, headers={"Cookie": node.cookie.header} if node.cookie.header else None)
        node.cookie.keep(answer.headers)

    for node in (*over.nodes, *over.nodes):
        ask(node)
    first, second = ([each.cookie for each in node.heard] for node in pair)
    assert first == ["", "JSESSIONIDSSO=S0"]
    assert second == ["", "JSESSIONIDSSO=S1"]


def test_a_node_that_refuses_connections_costs_a_write_nothing(
    pair: tuple[CannedNode, CannedNode], over: Nodes
) -> None:
    pair[0].server.stop_listening()
    pair[1].say("second")
    assert over.write(post, plenty()) == over.read(post, plenty()) == "second"


def test_a_node_that_keeps_silent_in_the_handshake_costs_a_write_its_time_only(
    pair: tuple[CannedNode, CannedNode], authority: CertificateAuthority
) -> None:
    pair[0].server.faults.silent_connections = True
    pair[1].say("second")
    terms = terms_for(authority, connect_timeout=0.1)
    nodes = Nodes("axl", [each.name for each in pair], terms, VirtualClock(START))
    assert nodes.write(post, plenty()) == "second"
    nodes.close()


def test_a_node_that_hangs_after_it_was_asked_leaves_a_write_unsure(
    pair: tuple[CannedNode, CannedNode], authority: CertificateAuthority
) -> None:
    pair[0].server.faults.stay_silent()
    pair[1].say("second")
    nodes = Nodes("axl", [each.name for each in pair], terms_for(authority, read_timeout=0.2), VirtualClock(START))
    with pytest.raises(UcmUnavailable) as caught:
        nodes.write(post, plenty())
    assert (caught.value.detail, caught.value.sent) == ("timeout", True)
    assert pair[1].heard == []
    assert nodes.read(post, plenty()) == "second"
    nodes.close()


def test_a_node_that_hangs_takes_half_of_a_reads_budget(pair: tuple[CannedNode, CannedNode], over: Nodes) -> None:
    pair[0].server.faults.stay_silent()
    pair[1].say("second")
    budget = Budget(1.0)
    assert over.read(post, budget) == "second"
    assert not budget.spent


def test_a_node_with_a_strange_certificate_is_told_nothing(
    authority: CertificateAuthority, foreign_leaf: LeafFiles
) -> None:
    stranger, ours = canned_node(foreign_leaf), canned_node(authority.issue())
    ours.say("ours")
    with stranger.server, ours.server:
        names = (stranger.name, ours.name)
        nodes = Nodes("axl", names, terms_for(authority), VirtualClock(START))
        assert nodes.write(post, plenty()) == "ours"
        alone = Nodes("axl", names[:1], terms_for(authority), VirtualClock(START))
        with pytest.raises(UcmUnavailable) as caught:
            alone.read(post, plenty())
        nodes.close()
        alone.close()
    assert (caught.value.detail, caught.value.sent) == ("certificate", False)
    assert stranger.heard == []


def test_authorities_may_be_trusted_besides_the_systems(
    pair: tuple[CannedNode, CannedNode], authority: CertificateAuthority
) -> None:
    pair[0].say("first")
    terms = NodeTerms(PLENTY, PLENTY, 1, extra_ca_file=str(authority.ca_file))
    nodes = Nodes("axl", [pair[0].name], terms, VirtualClock(START))
    assert nodes.read(post, plenty()) == "first"
    nodes.close()


def test_a_header_that_cannot_be_sent_is_our_mistake(over: Nodes) -> None:
    with pytest.raises(UcmMisconfigured) as caught:
        over.read(lambda node, within: node.post("/axl/", within, headers={"SOAPAction": "a\nb"}), plenty())
    assert caught.value.detail == "request"


def test_a_file_of_authorities_that_cannot_be_read_is_told_at_once(tmp_path: Path) -> None:
    terms = NodeTerms(1.0, 1.0, 1, ca_file=str(tmp_path / "missing.pem"))
    with pytest.raises(UcmMisconfigured) as caught:
        named("ucm1:8443", terms=terms)
    assert (caught.value.upstream, caught.value.detail) == ("ucm em ucm1:8443", "ca_file")
