"""``traceparent`` and ``tracestate``: what is believed, what is passed on. Source: W3C Trace Context."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.tracecontext import Trace, begin_trace, continue_trace, read_state

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{PARENT}-01"
WELL_FORMED = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-0[0-3]")


def test_a_trace_goes_on_with_us_as_the_parent() -> None:
    trace = continue_trace(GOOD, "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7")
    assert trace.trace_id == TRACE
    assert trace.span_id != PARENT
    assert trace.headers() == {
        "traceparent": f"00-{TRACE}-{trace.span_id}-01",
        "tracestate": "congo=t61rcWkgMzE,rojo=00f067aa0ba902b7",
    }


@pytest.mark.parametrize(("flags", "kept"), [("00", "00"), ("01", "01"), ("03", "03"), ("ff", "03"), ("fc", "00")])
def test_of_the_flags_those_are_kept_that_somebody_has_defined(flags: str, kept: str) -> None:
    assert continue_trace(f"00-{TRACE}-{PARENT}-{flags}").traceparent.endswith(f"-{kept}")


@pytest.mark.parametrize(
    "header",
    [f"01-{TRACE}-{PARENT}-01", f"cc-{TRACE}-{PARENT}-01-what-the-future-will-be-like", f"fe-{TRACE}-{PARENT}-01-"],
)
def test_later_versions_are_read_as_far_as_they_are_known(header: str) -> None:
    trace = continue_trace(header)
    assert trace.trace_id == TRACE
    assert trace.traceparent.startswith("00-")


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"ff-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01-more",
        f"00-{TRACE}-{PARENT}-01.",
        f"01-{TRACE}-{PARENT}-01.more",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE}-{PARENT}",
        f" {GOOD}",
        f"{GOOD}\n",
        f"{GOOD},{GOOD}",
        GOOD.replace("4", "٤"),
        "x" * 100_000,
    ],
)
def test_what_is_none_begins_a_new_trace_that_nobody_records(header: str) -> None:
    trace = continue_trace(header, "congo=t61rcWkgMzE")
    assert trace.trace_id != TRACE
    assert trace.flags == 0
    assert trace.state == ""
    assert WELL_FORMED.fullmatch(trace.traceparent)


@given(st.text(max_size=120), st.text(max_size=600))
def test_whatever_comes_what_goes_out_is_well_formed(header: str, state: str) -> None:
    for parent in (header, GOOD):
        headers = continue_trace(parent, state).headers()
        assert WELL_FORMED.fullmatch(headers["traceparent"])
        passed = headers.get("tracestate", "")
        assert len(passed) <= 512
        assert passed.isascii()
        assert passed.isprintable() or not passed


@given(st.from_regex(r"\A[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[a-z]{1,5})?\Z"))
def test_what_is_well_formed_is_believed_by_the_rules(header: str) -> None:
    version, trace_id, parent_id, *_ = header.split("-")
    believed = version != "ff" and int(trace_id, 16) and int(parent_id, 16) and (version != "00" or len(header) == 55)
    assert (continue_trace(header).trace_id == trace_id) is bool(believed)


def test_new_traces_differ() -> None:
    made = {begin_trace().traceparent for _ in range(100)}
    assert len(made) == 100
    assert all(WELL_FORMED.fullmatch(one) for one in made)


@pytest.mark.parametrize(
    "state",
    ["a=1", "a=1,b=2", "1@vendor=x", "a*b/c_d-e=1 2", "a=" + "v" * 256],
)
def test_a_state_is_passed_on_unchanged(state: str) -> None:
    assert read_state(state) == state


def test_spaces_around_members_and_empty_ones_are_left_out() -> None:
    assert read_state(" a=1 ,\t, b=2,") == "a=1,b=2"


@pytest.mark.parametrize(
    "state",
    [
        "a",
        "A=1",
        "a=1,a=2",
        "a=",
        "=1",
        "a=1=2",
        "a=\x7f",
        "a=ö",
        "a b=1",
        "a=" + "v" * 257,
        "a@=1",
        ",".join(f"k{n}=1" for n in range(33)),
    ],
)
def test_a_state_that_cannot_be_read_is_dropped_and_the_trace_goes_on(state: str) -> None:
    trace = continue_trace(GOOD, state)
    assert trace.trace_id == TRACE
    assert trace.headers().keys() == {"traceparent"}


def test_of_too_long_a_state_large_members_go_first_and_then_the_last() -> None:
    large, small = "large=" + "x" * 200, [f"k{number}={'y' * 50}" for number in range(12)]
    kept = read_state(",".join([large, *small])).split(",")
    assert large not in kept
    assert kept == small[: len(kept)]
    assert len(",".join(kept)) <= 512 < len(",".join(small))


def test_the_state_is_kept_out_of_what_is_printed() -> None:
    assert "secret" not in repr(Trace(TRACE, PARENT, 1, "a=secret"))
