"""What the log knows of a request: its reference, its trace, its line; and who else is told of the trace."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest
import structlog

from casduo.cause import Cause, Propagate, caused_by, facts, stored, taken, trace_headers
from casduo.events.model import SignedIn, TicketValidated
from casduo.outbound.http import HttpClient, HttpSettings
from casduo.outbound.pinned import PinnedClient
from casduo.phone.runs import Runs
from casduo.request import Request
from casduo.requestlog import RequestLog
from casduo.store import Store
from casduo.store.streams import StreamQueue, append
from casduo.tracecontext import continue_trace
from tests.support import loggers
from tests.support.naming import names
from tests.support.site import Build, Site, ticket_of

lines = loggers.lines

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
CAUSE = Cause("ABCD-2345", continue_trace(TRACEPARENT, "a=1"))


# -- the reference ---------------------------------------------------------------------------------------------------


def test_every_answer_names_its_request_and_so_does_the_page(site: Site) -> None:
    seen = set()
    for path in ("/login?service=nonsense", "/healthz", "/nowhere", "/validate", "/static/casduo.css", "/login"):
        answer = site.browser().get(path)
        (reference,) = answer.headers.getall("X-Request-ID")
        assert len(reference) == 9
        if answer.content_type == "text/html" and answer.status_int >= 400:
            assert reference in answer.text
        seen.add(reference)
    assert len(seen) == 6


def test_header_and_events_share_it(site: Site) -> None:
    page = site.browser().sign_in()
    validated = site.validate(ticket_of(page))
    (signed_in,) = site.journal.named(SignedIn.name)
    (told,) = site.journal.named(TicketValidated.name)
    assert (signed_in.reference, told.reference) == (page.headers["X-Request-ID"], validated.headers["X-Request-ID"])


def test_a_request_leaves_nothing_behind_in_its_thread(site: Site) -> None:
    site.browser().sign_in()
    assert facts() == {}


# -- lines -----------------------------------------------------------------------------------------------------------


def test_lines_tell_what_they_were_written_for(lines: list[dict[str, Any]]) -> None:
    log = structlog.get_logger("casduo")
    with caused_by(CAUSE):
        log.info("inside")
        log.info("another", reference="of an event")
    log.info("outside")
    inside, another, outside = lines
    assert (inside["reference"], inside["trace_id"]) == ("ABCD-2345", TRACE)
    assert another["reference"] == "of an event"
    assert not {"reference", "trace_id"} & outside.keys()


def test_each_request_has_a_line_without_what_it_asked(
    build: Build, duo_settings: str, lines: list[dict[str, Any]]
) -> None:
    site = build(settings=f"log: {{requests: true}}\n{duo_settings}")
    browser = site.browser()
    ticket = ticket_of(browser.sign_in())
    site.validate(ticket)
    browser.get(f"/requests/{'x' * 22}")
    browser.get("/static/casduo.css")
    browser.get("/nowhere/ada")

    told = [line for line in lines if line["event"] == "request"]
    assert [(line["route"], line["method"], line["status"]) for line in told] == [
        ("/login", "GET", 200),
        ("/login", "POST", 303),
        ("/p3/serviceValidate", "GET", 200),
        ("/requests/...", "GET", 404),
        ("static", "GET", 200),
        ("none", "GET", 404),
    ]
    for line in told:
        assert line.keys() == {
            *("route", "method", "status", "ms", "bytes", "address", "reference", "trace_id"),
            *("event", "level", "timestamp"),
        }
        assert line["ms"] >= 0
    written = json.dumps(told)
    assert not any(names(written, secret) for secret in (ticket, browser.session, "ada", "library"))


def test_there_are_none_unless_somebody_wants_them(site: Site, lines: list[dict[str, Any]]) -> None:
    site.browser().get("/healthz")
    assert lines == []


# -- what proxies in front say ---------------------------------------------------------------------------------------


def request(**headers: str) -> Request:
    environ = {"REQUEST_METHOD": "GET", **{f"HTTP_{name}": value for name, value in headers.items()}}
    return Request(environ, "/cas/login", "https://sso.example.edu", 0.0, "ABCD-2345")


def test_the_id_of_a_trusted_proxy_stands_beside_ours(lines: list[dict[str, Any]]) -> None:
    cause = RequestLog(header="X-Request-Id").cause_of(request(X_REQUEST_ID="f058ebd6-02f7:1", TRACEPARENT=TRACEPARENT))
    with caused_by(cause):
        structlog.get_logger().info("line")
    assert lines[0]["reference"] == "ABCD-2345"
    assert lines[0]["upstream_request_id"] == "f058ebd6-02f7:1"
    assert lines[0]["trace_id"] == TRACE


@pytest.mark.parametrize("theirs", ["", "a b", "x" * 129, 'x","level":"error', "a\nb", "\u202e", "<script>"])
def test_one_that_could_do_harm_is_not_taken(theirs: str) -> None:
    assert RequestLog(header="X-Request-ID").cause_of(request(X_REQUEST_ID=theirs)).upstream_request_id == ""


def test_without_a_trusted_proxy_nobody_is_believed() -> None:
    assert RequestLog().cause_of(request(X_REQUEST_ID="good")).upstream_request_id == ""


def test_a_request_without_a_trace_gets_one() -> None:
    first, second = (RequestLog().cause_of(request(TRACEPARENT="nonsense")).trace for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.trace_id != second.trace_id


# -- who is told of the trace ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("propagate", "internal", "application"), [("internal", True, False), ("all", True, True), ("none", False, False)]
)
def test_who_is_told_of_a_trace_is_a_setting(propagate: Propagate, internal: bool, application: bool) -> None:
    with caused_by(Cause("x", CAUSE.trace, propagate=propagate)):
        assert bool(trace_headers("internal")) is internal
        assert bool(trace_headers("application")) is application
    assert trace_headers("internal") == {}


@contextmanager
def upstream() -> Iterator[tuple[str, list[Mapping[str, str]]]]:
    """Somebody who is called and keeps the headers."""
    seen: list[Mapping[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append({name.lower(): value for name, value in self.headers.items()})
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", seen
        server.shutdown()
        thread.join()


def test_an_upstream_of_the_operators_gets_the_trace_and_nobody_else(site: Site) -> None:
    with upstream() as (url, seen), caused_by(CAUSE):
        for traced in (True, False):
            client = HttpClient("x", HttpSettings(2.0, 2.0, 4.0, traced=traced))
            client.request("GET", url)
            client.close()
    assert CAUSE.trace is not None
    assert (seen[0]["traceparent"], seen[0]["tracestate"]) == (CAUSE.trace.traceparent, "a=1")
    assert not {"traceparent", "tracestate"} & seen[1].keys()


def test_an_application_gets_it_where_the_settings_say_so() -> None:
    client = PinnedClient("x", connect_timeout=2.0, deadline=4.0, max_body=1000)
    with upstream() as (url, seen):
        for propagate in ("all", "internal"):
            with caused_by(Cause("x", CAUSE.trace, propagate=propagate)):  # type: ignore[arg-type]
                client.send("GET", url, private=True, plain_http=True)
    assert seen[0]["traceparent"].startswith(f"00-{TRACE}-")
    assert "traceparent" not in seen[1]


# -- what goes on elsewhere ------------------------------------------------------------------------------------------


def test_what_is_done_for_a_phone_in_another_thread_is_known_by_the_same_name() -> None:
    runs: Runs[Mapping[str, str]] = Runs(2)
    with caused_by(CAUSE):
        found = runs.within(5.0, facts, lambda error: None)
    assert found["reference"] == "ABCD-2345"
    assert runs.within(5.0, facts, lambda error: None) == {}
    runs.close()


def test_a_worker_knows_for_which_request_it_carries_out_an_order(store: Store) -> None:
    with caused_by(CAUSE):
        batch = store.batch()
        append(batch, "casduo:{test}:queue", {"what": "this"}, 10)
        batch.run()
    (entry,) = StreamQueue(store, "casduo:{test}:queue", "worker").read(1, 0.1)

    cause = taken(entry.fields, "all")
    assert (cause.reference, cause.propagate) == ("ABCD-2345", "all")
    assert cause.trace is not None
    assert cause.trace.trace_id == TRACE
    assert cause.trace.span_id != CAUSE.trace.span_id  # type: ignore[union-attr]


def test_an_order_that_nobody_gave_has_no_cause() -> None:
    assert stored() == {}
    with caused_by(taken({}, "internal")):
        assert facts() == {}
