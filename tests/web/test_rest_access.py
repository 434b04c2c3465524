"""Who may use the REST protocol, at which addresses, and that nothing a stranger or a program sends breaks it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from casduo.tickets.model import TicketGrantingTicket
from tests.support.raw import FORM
from tests.support.rest import ADDRESS, KEY, NO_SESSION, REST, Program, text
from tests.support.served import serving
from tests.support.site import LIBRARY, PASSWORDS, Build, Site, build_site

ADMIN_KEY = "zZ9yY8xX7wW6vV5uU4tT3sS2rR1qQ0pP"
CALLS = [
    ("POST", "/v1/tickets"),
    ("POST", "/v1/users"),
    ("POST", f"/v1/tickets/{NO_SESSION}"),
    ("GET", f"/v1/tickets/{NO_SESSION}"),
    ("HEAD", f"/v1/tickets/{NO_SESSION}"),
    ("DELETE", f"/v1/tickets/{NO_SESSION}"),
]
REGISTRY = """
services:
  - id: library
    name: Library catalogue
    url: https://library.example.edu/**
    attributes: [mail, displayName]
  - id: staff
    name: Staff room
    url: https://staff.example.edu/**
    access: {groups: [staff]}
"""
CLIENTS = f"""
rest:
  enabled: true
  clients:
    - {{name: portal, key: {KEY}, services: [library]}}
    - {{name: admin, key: {ADMIN_KEY}, networks: [10.0.0.0/8, "2001:db8::/32"]}}
    - {{name: batch, networks: 172.16.0.7}}
"""


@pytest.fixture
def site(build: Build) -> Site:
    return build(registry=REGISTRY, settings=CLIENTS)


# -- off, and exact --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), [*CALLS, ("GET", "/v1/tickets"), ("OPTIONS", "/v1/tickets")])
@pytest.mark.parametrize("switch", ["", f"rest: {{clients: [{{name: portal, key: {KEY}}}]}}\n"])
def test_the_protocol_is_off_unless_it_is_switched_on(build: Build, method: str, path: str, switch: str) -> None:
    portal = Program(build(registry=REGISTRY, settings=switch))
    answer, unknown = portal.call(method, path), portal.call(method, "/v1/nothing")
    assert answer.status == unknown.status == 404
    assert [name for name, _ in answer.headers] == [name for name, _ in unknown.headers]


@pytest.mark.parametrize(
    "path",
    [
        "/v1",
        "/v1/",
        "/v1/tickets/",
        "/v1/tickets//",
        "/v1/tickets/{0}/",
        "/v1/tickets//{0}",
        "/v1/tickets/{0}/{0}",
        "/v1/tickets/x/y",
        "/v1/tickets/../tickets/{0}",
        "//v1/tickets/{0}",
        "/V1/tickets/{0}",
        "/v1/Tickets/{0}",
        "/v1/users/",
        "/v1/users/ada",
        "/v1/tickets/{0}/../../users",
        "/v2/tickets",
    ],
)
def test_addresses_are_exact(site: Site, path: str) -> None:
    """Apereo CAS, 2026-06-06 (c): guarded for one more segment, answered for any number."""
    portal = Program(site)
    session = portal.session()
    fields = {"username": "ada", "password": PASSWORDS["ada"], "service": LIBRARY}
    for method in ("GET", "POST", "DELETE"):
        answer = portal.call(method, path.format(session), fields if method == "POST" else None)
        assert answer.status == 404
        assert session.encode() not in answer.body
    assert portal.look(session) == 200
    assert session not in repr(site.journal.events)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/tickets", "POST"),
        ("HEAD", "/v1/tickets", "POST"),
        ("DELETE", "/v1/tickets", "POST"),
        ("GET", "/v1/users", "POST"),
        ("PUT", "/v1/tickets/x", "HEAD, GET, POST, DELETE"),
        ("PATCH", "/v1/tickets/x", "HEAD, GET, POST, DELETE"),
        ("OPTIONS", "/v1/tickets/x", "HEAD, GET, POST, DELETE"),
    ],
)
def test_other_methods_are_told_which_there_are(site: Site, method: str, path: str, allowed: str) -> None:
    answer = Program(site).call(method, path)
    assert (answer.status, answer.header("Allow")) == (405, allowed)


@pytest.mark.parametrize("header", ["HTTP_SEC_PURPOSE", "HTTP_PURPOSE"])
@pytest.mark.parametrize(("method", "path"), CALLS)
def test_on_a_guess_nothing_is_done(site: Site, header: str, method: str, path: str) -> None:
    fields = {"username": "ada", "password": PASSWORDS["ada"], "service": LIBRARY}
    answer = Program(site).call(method, path, fields if method == "POST" else None, **{header: "prefetch"})
    assert (answer.status, answer.body) == (204, b"")
    assert site.journal.events == []


# -- who calls -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), CALLS)
def test_strangers_are_refused_before_anything_else(site: Site, method: str, path: str) -> None:
    # Neither a form nor a person that exists: whatever were looked at first would be answered otherwise.
    answer = Program(site, key="").call(method, path, body=b"{}", kind="application/json")
    assert (answer.status, answer.header("WWW-Authenticate")) == (401, 'Bearer realm="casduo"')
    assert answer.body == (b"" if method == "HEAD" else b"this program may not use the REST protocol\n")
    assert [event.name for event in site.journal.events] == ["rest.refused"]


@pytest.mark.parametrize(
    ("authorization", "why"),
    [
        ("", "no key"),
        (KEY, "no key"),
        (f"Basic {KEY}", "no key"),
        ("Bearer", "key"),
        ("Bearer x", "key"),
        (f"Bearer {KEY[:-1]}", "key"),
        (f"Bearer {KEY}a", "key"),
        (f"Bearer {KEY.lower()}", "key"),
        (f"Bearer {KEY} {KEY}", "key"),
        ("Bearer \xe9\xff", "key"),
        (f"Bearer {ADMIN_KEY}", "network"),
    ],
)
def test_why_a_stranger_is_one_stands_in_the_log_only(site: Site, authorization: str, why: str) -> None:
    answer = Program(site, key="").call("POST", "/v1/users", HTTP_AUTHORIZATION=authorization)
    assert (answer.status, text(answer)) == (401, "this program may not use the REST protocol\n")
    [refused] = site.journal.named("rest.refused")
    assert (refused.why, refused.call, refused.about.address) == (why, "POST /v1/users", ADDRESS)
    assert KEY[:-1] not in repr(refused)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_a_key_opens_from_anywhere_where_no_network_is_named(site: Site, scheme: str) -> None:
    program = Program(site, key="", address="203.0.113.9")
    fields = {"username": "ada", "password": PASSWORDS["ada"]}
    assert program.call("POST", "/v1/tickets", fields, HTTP_AUTHORIZATION=f"{scheme} {KEY}").status == 201


@pytest.mark.parametrize(
    ("key", "address", "status"),
    [
        (ADMIN_KEY, "10.9.8.7", 201),
        (ADMIN_KEY, "::ffff:10.9.8.7", 201),
        (ADMIN_KEY, "2001:db8::7", 201),
        (ADMIN_KEY, "11.9.8.7", 401),
        (ADMIN_KEY, "172.16.0.7", 401),
        (ADMIN_KEY, "", 401),
        ("", "10.9.8.7", 401),
        ("", "172.16.0.7", 201),
        ("", "172.16.0.8", 401),
        ("", "", 401),
        # Who presents a key is known by that key or not at all.
        ("x" * 32, "172.16.0.7", 401),
        (KEY, "172.16.0.7", 201),
    ],
)
def test_what_is_given_must_be_met(site: Site, key: str, address: str, status: int) -> None:
    assert Program(site, key, address).sign_in().status == status


def test_the_log_names_the_program(site: Site) -> None:
    Program(site).session()
    Program(site, ADMIN_KEY, "10.0.0.1").session()
    Program(site, "", "172.16.0.7").session()
    assert [event.client for event in site.journal.named("rest.answered")] == ["portal", "admin", "batch"]


def test_an_address_that_the_caller_makes_up_does_not_count(site: Site) -> None:
    program = Program(site, key="")
    for header in ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP"):
        assert program.call("POST", "/v1/tickets", **{header: "172.16.0.7"}).status == 401


def test_a_program_gets_tickets_for_its_services_only(site: Site) -> None:
    portal, admin = Program(site), Program(site, ADMIN_KEY, "10.0.0.1")
    session, staff = portal.session("grace"), "https://staff.example.edu/"
    assert portal.ticket(session, LIBRARY).status == 200
    assert portal.ticket(session, staff).status == 403
    assert portal.renew(session, "grace", staff).status == 403
    assert portal.sign_in("grace", service=staff).status == 403
    assert portal.post("/v1/users", username="grace", password=PASSWORDS["grace"], service=staff).status == 403
    assert admin.ticket(session, staff).status == 200


def test_strangers_are_slowed_down_and_programs_are_not(build: Build) -> None:
    limit = "throttling: {login_address: {failures: 3, window: 15m, pause: 10s, max_pause: 20s}}\n"
    site = build(registry=REGISTRY, settings=REST + limit)
    stranger = Program(site, key="")
    assert [stranger.sign_in().status for _ in range(3)] == [401, 401, 429]
    refused = stranger.sign_in()
    assert (refused.status, refused.header("Retry-After")) == (429, "20")
    assert refused.header("WWW-Authenticate") == ""
    elsewhere = Program(site, address="192.0.2.51")
    session = elsewhere.session()
    assert Program(site).look(session) == 200
    site.clock.advance(21)
    assert Program(site).sign_in().status == 201


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_SEC_FETCH_SITE": "cross-site"},
        {"HTTP_SEC_FETCH_SITE": "same-site"},
        {"HTTP_ORIGIN": "https://evil.example.com"},
    ],
)
def test_pages_of_others_cannot_sign_in(site: Site, headers: dict[str, str]) -> None:
    batch = Program(site, key="", address="172.16.0.7")
    fields = {"username": "ada", "password": PASSWORDS["ada"]}
    answer = batch.call("POST", "/v1/tickets", fields, **headers)
    assert (answer.status, text(answer)) == (400, "the REST protocol is not for pages\n")


def test_nobody_elses_page_may_read_the_answers(site: Site) -> None:
    answer = Program(site).sign_in()
    assert not any(name.lower().startswith("access-control") for name, _ in answer.headers)
    assert not any(name.lower() == "set-cookie" for name, _ in answer.headers)


# -- anything at all -------------------------------------------------------------------------------------------------

ODD = '"><img src=x onerror=alert(1)>${7*7}{{7*7}}\r\nSet-Cookie: a=b'


def test_nothing_of_a_request_comes_back(site: Site) -> None:
    """CVE-2021-42567: what was sent as ticket id or user name ran as a script in the answer."""
    portal = Program(site)
    session = portal.session()
    answers = [
        portal.sign_in(ODD, password=ODD),
        portal.sign_in("ada", service=f"https://library.example.edu/{ODD}"),
        portal.sign_in("ada", service=f"https://library.example.edu/?q={ODD[:9]}"),
        portal.post("/v1/users", username=ODD, password=ODD),
        portal.ticket(ODD),
        portal.ticket(session, ODD),
        portal.ticket(session, renew="true", username=ODD, password=ODD),
        portal.ticket(session, passcode=ODD),
        portal.ticket(session, push=ODD),
        portal.call("GET", f"/v1/tickets/{ODD}"),
        portal.call("DELETE", f"/v1/tickets/{ODD}"),
        portal.call("POST", f"/v1/tickets/{session}", query=urlencode({"service": ODD})),
        portal.call("PUT", f"/v1/tickets/{ODD}"),
    ]
    for answer in answers:
        assert b"<img" not in answer.body
        assert b"49" not in answer.body or answer.status == 201
        assert not any("\r" in value or "\n" in value or "img" in value for _, value in answer.headers)
        assert answer.status < 500


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, valkey_url: str) -> Iterator[Site]:
    site = build_site(tmp_path_factory.mktemp("rest"), valkey_url, 1_800_000_000.0, REGISTRY, REST)
    yield site
    site.composed.close()


_SEGMENTS = st.one_of(
    st.sampled_from(["v1", "tickets", "users", "..", ".", "", "%2e", NO_SESSION, "TGT-", "ST-1-x"]),
    st.text(st.characters(max_codepoint=255), max_size=80),
)
_TEXTS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(["", "ada", "true", LIBRARY, PASSWORDS["ada"], "123456", "https://", "https://[::1", "a" * 9000]),
)
_FIELDS = st.dictionaries(
    st.sampled_from(["service", "renew", "username", "password", "passcode", "push", "TARGET", "ticket"]),
    _TEXTS,
    max_size=6,
)


def _unshaken(site: Site, before: int) -> bool:
    return not any(event.name == "fault" for event in site.journal.events[before:])


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(_SEGMENTS, max_size=5), st.sampled_from(["GET", "HEAD", "POST", "DELETE", "PUT", "BREW"]), _FIELDS)
def test_no_path_shakes_the_server(shared: Site, segments: list[str], method: str, fields: dict[str, str]) -> None:
    before = len(shared.journal.events)
    path = "/v1/tickets/" + "/".join(segments)
    body = urlencode(fields, errors="replace").encode() if method == "POST" else b""
    answer = Program(shared).call(method, path, body=body)
    assert answer.status < 500
    assert _unshaken(shared, before)


@settings(deadline=None, max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(["/v1/tickets", "/v1/users", "TGT"]),
    st.one_of(st.binary(max_size=200), _FIELDS.map(lambda fields: urlencode(fields, errors="replace").encode())),
    st.sampled_from([FORM, f"{FORM}; charset=utf-8", "application/json", "", "\xff"]),
    st.text(st.characters(max_codepoint=255, exclude_characters="\r\n"), max_size=60),
)
def test_no_body_shakes_the_server(shared: Site, path: str, body: bytes, kind: str, header: str) -> None:
    portal = Program(shared)
    if path == "TGT":
        # Opened beside the protocol: a limit that an example has reached must not be in the way.
        path = f"/v1/tickets/{_session_of_ada(shared)}"
    before = len(shared.journal.events)
    answer = portal.call("POST", path, body=body, kind=kind, HTTP_ACCEPT=header, HTTP_USER_AGENT=header)
    assert answer.status < 500
    assert _unshaken(shared, before)
    assert portal.call("POST", path, body=body, HTTP_AUTHORIZATION=f"Bearer {header}", kind=kind).status in (401, 429)


def _session_of_ada(site: Site) -> str:
    parts = site.composed.parts
    batch = parts.store.batch()
    opened = parts.tickets.open_session(
        batch, TicketGrantingTicket("ada", {}, "users_file", site.clock()), site.clock()
    )
    batch.run()
    return str(opened.id)


# -- a real server ---------------------------------------------------------------------------------------------------


def test_over_the_wire_nothing_secret_reaches_the_log(tmp_path: object, valkey_url: str) -> None:
    with serving(tmp_path, valkey_url, settings=REST) as served, requests.Session() as program:  # type: ignore[arg-type]
        program.headers["Authorization"] = f"Bearer {KEY}"
        credentials = {"username": "ada", "password": PASSWORDS["ada"]}
        opened = program.post(f"{served.url}v1/tickets", data=credentials, timeout=10)
        assert opened.status_code == 201
        location = opened.headers["Location"]
        session = location.rpartition("/")[2]
        granted = program.post(location, data={"service": LIBRARY}, timeout=10)
        assert granted.status_code == 200
        assert program.get(location, timeout=10).text == session
        assert program.get(f"{location}/x", timeout=10).status_code == 404
        assert program.get(f"{location}%2Fx", timeout=10).status_code == 404
        assert program.get(f"{served.url}v1/tickets/{session[:-1]}%00", timeout=10).status_code == 404
        assert program.post(f"{served.url}v1/users", data=credentials, timeout=10).json()["id"] == "ada"
        # Chunked, so without a length: not begun.
        assert program.post(f"{served.url}v1/tickets", data=iter([b"a=b"]), timeout=10).status_code in (400, 415)
        assert program.delete(location, timeout=10).status_code == 200
        assert program.get(location, timeout=10).status_code == 404
        log = served.log.read_text()
    assert '"rest.answered"' in log
    assert "portal" in log
    for secret in (session, session[9:], granted.text, granted.text[8:], KEY, PASSWORDS["ada"]):
        assert secret not in log
