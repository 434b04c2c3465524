"""The keys under which flows wait: for one use, one browser and a while; a copy of the data opens nothing."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casduo.errors import CookiesMissing, FlowError, FlowKeyExpired, FlowKeyForeign, FlowKeyInvalid, FlowKeyUsed
from casduo.rules import LoginRules
from casduo.signing import Purpose, Signing, fingerprint
from casduo.store import Store
from casduo.values import value_object
from casduo.webflow.context import Context, Inbound
from casduo.webflow.engine import Effect, Engine, Flow, Pause, action, end, subflow, view
from casduo.webflow.execution import Answer, Executions
from casduo.webflow.scope import Scope
from tests.support.naming import names

NOW = 1_790_000_000.0
SERVICE = "https://library.example.edu/?q=1"
RULES = LoginRules("/cas", form_lifetime=3600.0, flow_lifetime=600.0)


@value_object(frozen=True, slots=True)
class Shown(Effect):
    """What a test's states have to say."""

    text: str
    next_key: str = field(default="", repr=False)


@dataclass
class Counter:
    """Collaborator that knows how often somebody got through."""

    passed: list[str] = field(default_factory=list)


def ask_name(context: Context) -> Pause[Literal["submit"]]:
    return Pause(Shown("name?"))


def know(context: Context, counter: Counter) -> Literal["known"]:
    if context.inbound.agent == "breaks":
        raise KeyError("a mistake in an action")
    counter.passed.append(context.claim)
    context.scope.principal_id = "ada"
    context.scope.attributes = {"mail": ["ada@example.edu"]}
    return "known"


def ask_factor(context: Context) -> Pause[Literal["return"]]:
    return Pause(Shown("factor?", context.next_key))


def ask_again(context: Context) -> Pause[Literal["proceed"]]:
    return Pause(Shown("sure?", context.next_key))


def passed(context: Context, counter: Counter) -> Shown:
    counter.passed.append(context.scope.principal_id)
    return Shown(f"welcome {context.scope.principal_id} to {context.scope.service}")


FUNCTIONS = {function.__name__: function for function in (ask_name, know, ask_factor, ask_again, passed)}
FACTOR = Flow(
    "factor",
    (view("factor", "ask_factor", {"return": "again"}), view("again", "ask_again", {"proceed": "over"}), end("over")),
)
LOGIN = Flow(
    "login",
    (
        view("form", "ask_name", {"submit": "check"}),
        action("check", "know", {"known": "factor"}),
        subflow("factor", "factor", {"over": "done"}),
        end("done", "passed"),
    ),
)
OTHER = Flow("other", (view("question", "ask_name", {"submit": "done"}), end("done", "passed")))


class Parts:
    def __init__(self) -> None:
        self.counter = Counter()


@dataclass
class Bench:
    """Executions of a small flow on a real store."""

    executions: Executions
    store: Store
    signing: Signing
    counter: Counter

    def form(self, cookie: str = "browser", now: float = NOW) -> str:
        return self.executions.start("login", Scope(service=SERVICE), inbound(cookie, now)).execution

    def waiting(self, cookie: str = "browser") -> str:
        """A flow that knows somebody and waits in the store; returns its key."""
        return self.executions.resume("login", self.form(cookie), "submit", inbound(cookie)).execution

    def resume(self, key: str, event: str, cookie: str = "browser", now: float = NOW, flow: str = "login") -> Answer:
        return self.executions.resume(flow, key, event, inbound(cookie, now))

    def refused(self, key: str, event: str, cookie: str = "browser", now: float = NOW) -> FlowError:
        with pytest.raises(FlowError) as caught:
            self.resume(key, event, cookie, now)
        return caught.value


def inbound(cookie: str = "browser", now: float = NOW) -> Inbound:
    return Inbound(now, "192.0.2.7", flow_cookie=cookie, session_cookie="TGT-cookie")


def make_bench(store: Store, *keys: str) -> Bench:
    parts, signing = Parts(), Signing(keys or ["k" * 40])
    engine = Engine({flow.name: flow for flow in (LOGIN, FACTOR, OTHER)}, FUNCTIONS, parts)
    return Bench(Executions(engine, signing, store, RULES), store, signing, parts.counter)


@pytest.fixture
def bench(any_store: Store) -> Iterator[Bench]:
    return make_bench(any_store)


# From form to end


def test_nothing_is_stored_before_somebody_is_known(bench: Bench) -> None:
    key = bench.form()
    assert key.startswith("s.")
    assert bench.store.command("DBSIZE") == 0


def test_a_flow_goes_from_stop_to_stop_under_a_new_key_each_time(bench: Bench) -> None:
    first = bench.form()
    second = bench.resume(first, "submit")
    assert second.effect == Shown("factor?", second.execution)
    third = bench.resume(second.execution, "return")
    assert third.effect == Shown("sure?", third.execution)
    assert len({first, second.execution, third.execution}) == 3
    last = bench.resume(third.execution, "proceed")
    assert last.effect == Shown(f"welcome ada to {SERVICE}")
    assert last.execution == ""


def test_a_view_knows_beforehand_the_key_it_will_wait_under(bench: Bench) -> None:
    answer = bench.resume(bench.form(), "submit")
    assert isinstance(answer.effect, Shown)
    assert answer.effect.next_key == answer.execution
    assert bench.resume(answer.effect.next_key, "return").execution


# Looking


def at_the_last_view(bench: Bench, cookie: str = "browser") -> str:
    return bench.resume(bench.waiting(cookie), "return", cookie).execution


def test_looking_shows_the_page_as_often_as_one_likes_and_the_key_stays_good(bench: Bench) -> None:
    key = at_the_last_view(bench)
    for _ in range(3):
        looked = bench.executions.look("login", key, inbound())
        assert looked.effect == Shown("sure?", key)
        assert looked.execution == key
        assert looked.set_cookie is None
    assert bench.resume(key, "proceed").effect == Shown(f"welcome ada to {SERVICE}")


def test_looking_costs_one_round_trip_and_changes_nothing(bench: Bench) -> None:
    key = at_the_last_view(bench)
    (name,) = bench.store.command("KEYS", "*:flow:*")
    before = sorted(bench.store.command("HGETALL", name))
    bench.executions.look("login", key, inbound())
    assert sorted(bench.store.command("HGETALL", name)) == before


def test_looking_is_refused_as_going_on_is(bench: Bench) -> None:
    key = at_the_last_view(bench)

    def refused(key: str, cookie: str = "browser", flow: str = "login") -> FlowError:
        with pytest.raises(FlowError) as caught:
            bench.executions.look(flow, key, inbound(cookie))
        return caught.value

    assert isinstance(refused(key, "another browser"), FlowKeyForeign)
    assert isinstance(refused(key, flow="other"), FlowKeyInvalid)
    assert isinstance(refused(bench.form()), FlowKeyInvalid)
    assert isinstance(refused("r.abcd.unknown.1"), FlowKeyExpired)
    assert isinstance(refused("nonsense"), FlowKeyInvalid)
    with pytest.raises(CookiesMissing):
        bench.executions.look("login", key, inbound(""))
    bench.resume(key, "proceed")
    used = refused(key)
    assert isinstance(used, FlowKeyUsed)
    assert used.again == {"service": SERVICE}


def test_a_place_at_which_a_flow_is_not_shown_cannot_be_looked_at(bench: Bench) -> None:
    with pytest.raises(FlowKeyInvalid):
        bench.executions.look("login", bench.waiting(), inbound())


# One use


def test_a_key_in_the_store_is_good_once_and_then_knows_the_way(bench: Bench) -> None:
    key = bench.waiting()
    bench.resume(key, "return")
    again = bench.refused(key, "return")
    assert isinstance(again, FlowKeyUsed)
    assert again.again == {"service": SERVICE}


def test_the_way_is_known_after_the_end_too(bench: Bench) -> None:
    key = bench.waiting()
    last = bench.resume(key, "return").execution
    bench.resume(last, "proceed")
    for used in (key, last):
        assert bench.refused(used, "proceed").again == {"service": SERVICE}


def test_an_older_key_of_a_flow_that_went_on_is_used_and_does_not_disturb_it(bench: Bench) -> None:
    first = bench.waiting()
    second = bench.resume(first, "return").execution
    assert isinstance(bench.refused(first, "return"), FlowKeyUsed)
    assert bench.resume(second, "proceed").effect


@pytest.mark.parametrize("version", [0, 2, 3, 999_999])
def test_a_key_of_another_version_is_used_and_does_not_disturb_the_right_one(bench: Bench, version: int) -> None:
    key = bench.waiting()
    head, _, _ = key.rpartition(".")
    assert isinstance(bench.refused(f"{head}.{version}", "return"), FlowKeyUsed)
    assert bench.resume(key, "return").execution


def test_a_key_has_one_spelling(bench: Bench) -> None:
    key = bench.waiting()
    head, _, version = key.rpartition(".")
    for other in (f"{head}.0{version}", f"{head}.00{version}"):
        assert isinstance(bench.refused(other, "return"), FlowKeyInvalid)
    assert bench.resume(key, "return").execution


def test_of_fifty_who_go_on_at_once_exactly_one_does(bench: Bench) -> None:
    for _ in range(3):
        last = bench.resume(bench.waiting(), "return").execution
        bench.counter.passed.clear()
        gate = threading.Barrier(50)

        def go_on(key: str = last, gate: threading.Barrier = gate) -> str:
            gate.wait()
            try:
                return type(bench.resume(key, "proceed").effect).__name__
            except FlowError as error:
                return error.code

        with ThreadPoolExecutor(50) as pool:
            outcomes = [future.result() for future in [pool.submit(go_on) for _ in range(50)]]
        assert sorted(outcomes) == ["FLOW_USED"] * 49 + ["Shown"]
        assert bench.counter.passed == ["ada"]


def test_a_form_knows_the_mark_by_which_it_is_used_once(bench: Bench) -> None:
    """The form itself is claimed by the state behind it, together with other questions: the mark is the form's own."""
    first, second = bench.form(), bench.form()
    for key in (first, first, second):
        bench.resume(key, "submit")
    marks = bench.counter.passed
    assert marks[0] == marks[1] != marks[2]
    assert all(mark.startswith("casduo:{") for mark in marks)


# One browser


@pytest.mark.parametrize("cookie", ["thief", "browser ", "Browser", "browse"])
def test_another_browser_is_refused_and_takes_nothing(bench: Bench, cookie: str) -> None:
    form, waiting = bench.form(), bench.waiting()
    assert isinstance(bench.refused(form, "submit", cookie), FlowKeyForeign)
    assert isinstance(bench.refused(waiting, "return", cookie), FlowKeyForeign)
    assert bench.resume(form, "submit").execution
    assert bench.resume(waiting, "return").execution


def test_another_browser_does_not_learn_what_the_flow_was_for(bench: Bench) -> None:
    used = bench.waiting()
    bench.resume(used, "return")
    assert bench.refused(used, "return", "thief").again == {}


def test_without_a_cookie_nothing_goes_on_and_nothing_is_lost(bench: Bench) -> None:
    for key, event in ((bench.form(), "submit"), (bench.waiting(), "return")):
        with pytest.raises(CookiesMissing):
            bench.resume(key, event, cookie="")
        assert bench.resume(key, event).execution


# For a while


def test_a_form_is_good_for_its_lifetime_and_then_still_knows_the_way(bench: Bench) -> None:
    key = bench.form()
    assert bench.resume(key, "submit", now=NOW + 3600).execution
    expired = bench.refused(key, "submit", now=NOW + 3601)
    assert isinstance(expired, FlowKeyExpired)
    assert expired.again == {"service": SERVICE}


def test_a_form_from_the_future_is_none(bench: Bench) -> None:
    assert isinstance(bench.refused(bench.form(now=NOW + 61), "submit"), FlowKeyInvalid)
    assert bench.resume(bench.form(now=NOW + 59), "submit").execution


def test_what_waits_in_the_store_expires_there(bench: Bench) -> None:
    key = bench.waiting()
    (record,) = bench.store.command("KEYS", "*")
    assert 595_000 < bench.store.command("PTTL", record) <= 600_000
    second = bench.resume(key, "return").execution
    assert 595_000 < bench.store.command("PTTL", record) <= 600_000
    bench.resume(second, "proceed")
    # What is left for late comers goes as well.
    assert 0 < bench.store.command("PTTL", record) <= 600_000
    bench.store.command("DEL", record)
    assert isinstance(bench.refused(second, "proceed"), FlowKeyExpired)


# A copy of the data


def test_the_record_lets_nobody_go_on(bench: Bench) -> None:
    key = bench.waiting()
    _, slot, identity, _ = key.split(".")
    whole = ""
    for record in bench.store.command("KEYS", "*"):
        whole += record + str(bench.store.command("HGETALL", record))
    assert identity not in whole
    assert key not in whole
    assert "browser" not in whole
    assert "TGT-cookie" not in whole
    assert slot in whole


def test_after_the_end_nothing_about_the_person_is_left(bench: Bench) -> None:
    bench.resume(bench.resume(bench.waiting(), "return").execution, "proceed")
    (record,) = bench.store.command("KEYS", "*")
    assert not names(str(bench.store.command("HGETALL", record)), "ada")


# Keys of elsewhere


def test_a_key_is_good_for_its_own_flow_only(bench: Bench) -> None:
    with pytest.raises(FlowKeyInvalid) as caught:
        bench.resume(bench.form(), "submit", flow="other")
    assert caught.value.again == {"service": SERVICE}
    with pytest.raises(FlowKeyInvalid):
        bench.resume(bench.waiting(), "return", flow="factor")
    assert bench.counter.passed == [bench.counter.passed[0]]


@pytest.mark.parametrize("event", ["return", "proceed", "known", "", "over"])
def test_an_event_that_nobody_waits_for_is_refused(bench: Bench, event: str) -> None:
    key = bench.form()
    assert isinstance(bench.refused(key, event), FlowKeyInvalid)
    assert bench.resume(key, "submit").execution


def test_a_mistake_in_an_action_is_not_taken_for_a_key_that_does_not_fit(bench: Bench) -> None:
    breaking = replace(inbound(), agent="breaks")
    with pytest.raises(KeyError, match="a mistake in an action"):
        bench.executions.resume("login", bench.form(), "submit", breaking)


def test_a_key_of_another_secret_or_another_purpose_is_none(bench: Bench) -> None:
    value = [[["login", "form"]], {}, "n" * 22, "c"]
    for token in (
        Signing(["x" * 40]).dumps(Purpose.FLOW_KEY, value, NOW),
        bench.signing.dumps(Purpose.CSRF, value, NOW),
    ):
        assert isinstance(bench.refused(f"s.{token}", "submit"), FlowKeyInvalid)


def test_a_key_of_an_older_secret_is_good_after_a_rotation(bench: Bench, any_store: Store) -> None:
    key = bench.form()
    assert make_bench(any_store, "n" * 40, "k" * 40).resume(key, "submit").execution
    assert isinstance(make_bench(any_store, "n" * 40).refused(key, "submit"), FlowKeyInvalid)


@pytest.mark.parametrize(
    "value",
    [
        None,
        "text",
        7,
        [],
        [1, 2, 3],
        [1, 2, 3, 4, 5],
        {"place": 1},
        [[["login", "gone"]], {"service": SERVICE}, "n" * 22, "c"],
        [[["gone", "form"]], {"service": SERVICE}, "n" * 22, "c"],
        [[["login", "check"]], {}, "n" * 22, "c"],
        [[["login", "form"], ["factor", "factor"]], {}, "n" * 22, "c"],
        [[["login", "factor"], ["login", "form"]], {}, "n" * 22, "c"],
        [[["login", "done"]], {}, "n" * 22, "c"],
        [[], {}, "n" * 22, "c"],
        [[["login"]], {}, "n" * 22, "c"],
        ["login", {}, "n" * 22, "c"],
        [[["login", "form"]], ["service"], "n" * 22, "c"],
        [[["login", "form"]], {}, 7, "c"],
        [[["login", "form"]], {}, "n" * 22, 7],
    ],
)
def test_a_key_that_another_version_of_the_server_signed_is_none(bench: Bench, value: object) -> None:
    if isinstance(value, list) and value and value[-1] == "c":
        value = [*value[:-1], fingerprint("browser")]
    key = "s." + bench.signing.dumps(Purpose.FLOW_KEY, value, NOW)
    assert isinstance(bench.refused(key, "submit"), FlowError)
    assert isinstance(bench.refused(key, "submit", now=NOW + 4000), FlowError)


@pytest.mark.parametrize("state", ["", "{", "[]", '{"place": [["login", "gone"]], "scope": {}}', '{"scope": {}}', "7"])
def test_a_record_that_another_version_of_the_server_wrote_is_none(bench: Bench, state: str) -> None:
    key = bench.waiting()
    (record,) = bench.store.command("KEYS", "*")
    bench.store.command("HSET", record, "state", state)
    assert isinstance(bench.refused(key, "return"), FlowError)


def test_what_a_newer_version_remembers_besides_is_left_out(bench: Bench) -> None:
    key = bench.waiting()
    (record,) = bench.store.command("KEYS", "*")
    state = json.loads(bench.store.command("HGET", record, "state"))
    state["scope"]["invented_later"] = "x"
    bench.store.command("HSET", record, "state", json.dumps(state))
    assert bench.resume(key, "return").execution


WORD = st.from_regex(r"[A-Za-z0-9]{1,64}", fullmatch=True)
SLOT = st.from_regex(r"[A-Za-z0-9]{4}", fullmatch=True)
GARBAGE = st.one_of(
    st.text(max_size=80),
    st.text(max_size=80).map("s.{}".format),
    st.lists(st.text(max_size=30), min_size=3, max_size=5).map(lambda parts: "r." + ".".join(parts)),
    st.builds("r.{}.{}.{}".format, SLOT, WORD, st.integers()),
)


@given(key=GARBAGE, event=st.sampled_from(["submit", "return", "proceed", "x"]))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_is_refused(store: Store, key: str, event: str) -> None:
    bench = make_bench(store)
    with pytest.raises(FlowError) as caught:
        bench.resume(key, event)
    assert isinstance(caught.value, FlowKeyInvalid | FlowKeyExpired)
    assert bench.counter.passed == []


@given(place=st.integers(0, 10_000), shift=st.integers(1, 126))
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_key_with_one_character_changed_is_refused(store: Store, place: int, shift: int) -> None:
    bench = make_bench(store)
    form = bench.form()
    waiting = bench.resume(form, "submit").execution
    for key, event in ((form, "submit"), (waiting, "return")):
        # Not the last one: of the last character of a signature two bits mean nothing.
        at = place % (len(key) - 1)
        other = chr((ord(key[at]) + shift) % 127)
        with pytest.raises(FlowError):
            bench.resume(key[:at] + other + key[at + 1 :], event)
