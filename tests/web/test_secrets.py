"""Whole logins, and everything that can go wrong in them, with the real log at its most talkative: nothing secret in
any line, page, address or exception where it does not belong.
"""

from __future__ import annotations

import io
import json
import logging
import re
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

import pytest
import requests
import structlog
from bs4 import BeautifulSoup
from webtest.response import TestResponse

from casduo.authentication.model import Credential
from casduo.compose import compose
from casduo.errors import CasduoError
from casduo.log import configure_log
from casduo.protocol.parameters import Parameters
from casduo.request import Request
from casduo.settings import load_settings
from casduo.simulators.duo import DuoSimulator
from casduo.tickets.ids import TicketKind, new_session_id, new_ticket_id, parse_ticket_id
from casduo.tickets.registry import Granting
from casduo.web import Reply as HttpReply
from casduo.webflow.context import Context, Inbound
from casduo.webflow.effects import Form, HeaderAnswer, Page, Redirect
from casduo.webflow.execution import Answer, Stored
from casduo.webflow.scope import Scope
from tests.support.loggers import forget_loggers, reset_loggers
from tests.support.redis_servers import CountingRelay
from tests.support.served import Served
from tests.support.site import BASE, LIBRARY, PASSWORDS, PAYROLL, Browser, Recorder, SetClock, Site, query, write_site

WRONG = "Correct-Horse-Battery"
MARK = "f0rb1dden"


# Values


@pytest.mark.parametrize(
    "value",
    [
        Credential("ada", MARK),
        Parameters({"password": MARK, "ticket": MARK}),
        Inbound(0.0, "", fields={"password": MARK}, session_cookie=MARK, flow_cookie=MARK),
        Scope(duo_nonce=MARK),
        Context(Inbound(0.0, ""), Scope(), None, claim=MARK, next_key=MARK, set_cookie=MARK, ticket=MARK),  # type: ignore[arg-type]
        Context(Inbound(0.0, ""), Scope(), None, facts={"duo_portal": MARK}),  # type: ignore[arg-type]
        Form("/login", (("ticket", MARK),), csrf=MARK, execution=MARK),
        Page("post_response", {"url": MARK}, form=Form("/", (("ticket", MARK),))),
        Redirect(f"https://library.example.edu/?ticket={MARK}"),
        HeaderAnswer("https://library.example.edu/", MARK),
        Answer(Redirect(MARK), MARK, MARK),
        Stored("abcd", MARK, 1),
        Request({"HTTP_COOKIE": MARK, "QUERY_STRING": MARK}, "/cas/login", "", 0.0, ""),
        HttpReply(200, [("Set-Cookie", MARK)], MARK.encode()),
    ],
    ids=lambda value: type(value).__name__,
)
def test_values_do_not_show_what_they_carry(value: object) -> None:
    assert MARK not in repr(value)
    assert MARK not in str(value)


def test_tickets_show_their_kind_and_their_end() -> None:
    ticket = new_ticket_id(TicketKind.SERVICE, new_session_id())
    for shown in (repr(ticket), repr([ticket]), repr(Granting(ticket, None))):  # type: ignore[arg-type]
        assert str(ticket) not in shown
        assert f"ST-…{str(ticket)[-4:]}" in shown


# Whole logins


@dataclass
class Watch:
    """Collects every secret that passes by and every place where one could stand."""

    secrets: dict[str, str] = field(default_factory=dict)
    pages: list[TestResponse] = field(default_factory=list)
    raised: list[BaseException] = field(default_factory=list)

    def learn(self, kind: str, *values: str) -> None:
        for value in values:
            # What is shorter could stand somewhere by chance.
            if len(value) >= 8:
                self.secrets[value] = kind

    def see(self, answer: TestResponse) -> TestResponse:
        """Take note of an answer: of what is new and secret in it, and of what it shows."""
        self.pages.append(answer)
        for cookie in answer.headers.getall("Set-Cookie"):
            name, _, value = cookie.partition(";")[0].partition("=")
            self.learn(f"cookie {name}", value.strip('"'))
        for _, value in parse_qsl(urlsplit(answer.headers.get("Location", "")).query):
            if parse_ticket_id(value):
                self.learn("service ticket", value)
        self.learn("service ticket", answer.headers.get("ticket", ""))
        if answer.content_type == "text/html":
            for item in answer.html.find_all("input", type="hidden"):
                if item["name"] in ("execution", "csrf", "ticket"):
                    self.learn(item["name"], item["value"])
        return answer

    def callback(self, url: str) -> str:
        """Take note of the address that Duo sends a browser back to."""
        found = parse_qs(urlsplit(url).query)
        self.learn("duo state", *found.get("state", ()))
        self.learn("duo code", *found.get("duo_code", ()))
        return url

    def in_text(self, text: str, *allowed: str) -> list[str]:
        """Which kinds of secret stand in ``text``, whole or as the part that nobody can guess."""
        return sorted(
            {
                kind
                for secret, kind in self.secrets.items()
                if kind not in allowed and (secret in text or quote(secret, safe="") in text or _heart(secret) in text)
            }
        )


def _heart(secret: str) -> str:
    """The random part of a ticket or a key: even without its beginning it must not be told."""
    ticket = parse_ticket_id(secret)
    if ticket is not None:
        return secret.rpartition("-")[2]
    parts = secret.split(".")
    return parts[2] if len(parts) == 4 and parts[0] == "r" else parts[-1] if len(parts) == 3 else secret


@contextmanager
def every_exception(into: list[BaseException]) -> Iterator[None]:
    """Collect whatever is raised in, or passes through, the code of the server in this thread."""

    def local(frame: FrameType, event: str, argument: Any) -> Any:
        if event == "exception" and argument[1] is not None and argument[1] not in into:
            into.append(argument[1])
        return local

    def entering(frame: FrameType, event: str, argument: Any) -> Any:
        name = frame.f_code.co_filename
        return local if "/casduo/" in name and "/simulators/" not in name else None

    before = sys.gettrace()
    sys.settrace(entering)
    try:
        yield
    finally:
        sys.settrace(before)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """The real log, set up as ``casduo serve`` does, at the level debug."""
    stream = io.StringIO()
    root = logging.getLogger()
    others, level = root.handlers[:], root.level
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", stream)
        # Where somebody listens already, nothing would be added.
        root.handlers[:] = []
        configure_log("json", "debug")
        ours = root.handlers[:]
        root.handlers[:] = [*others, *ours]
        forget_loggers()
        yield stream
    for handler in ours:
        root.removeHandler(handler)
    root.setLevel(level)
    reset_loggers()


@pytest.fixture
def logging_site(
    tmp_path: Path, relay: CountingRelay, store: object, duo_settings: str, log: io.StringIO
) -> Iterator[Site]:
    """A server that writes its events to the real log; its Redis is behind a relay."""
    clock = SetClock(float(int(time.time())))
    path = write_site(tmp_path, relay.url, settings=duo_settings + "log: {level: debug}\n")
    composed = compose(load_settings(path, {}), clock=clock, watch=False)
    yield Site(composed, clock, Recorder())
    composed.close()


def everything_that_happens(site: Site, duo: DuoSimulator, relay: CountingRelay, watch: Watch) -> None:
    """Walk through logins that work and logins that do not."""
    see = watch.see
    steps: list[Callable[[Site, DuoSimulator, Watch], None]] = [validations, duo_logins, sign_outs, refusals, passwords]
    for step in steps:
        step(site, duo, watch)
    browser = site.browser()
    page = see(browser.login_page())
    relay.cut()
    see(browser.fill(page, "ada"))
    see(browser.get("/logout", headers={"Cookie": f"TGC-casduo={new_session_id()}"}))
    see(site.validate(str(new_ticket_id(TicketKind.SERVICE, new_session_id()))))
    relay.mend()
    # A record that somebody has damaged: an error that nobody expects, whose text would hold the record.
    broken = signed_in(site, watch)
    session = parse_ticket_id(broken.session)
    assert session is not None
    store = site.composed.parts.store
    for name in store.command("HKEYS", session.key):
        store.command("HSET", session.key, name, f"{broken.session} {PASSWORDS['ada']}")
    assert see(broken.login_page()).status_int == 500


def signed_in(site: Site, watch: Watch) -> Browser:
    browser = site.browser()
    watch.see(browser.fill(watch.see(browser.login_page("")), "ada"))
    # Set by the answer to the form, which led on to the page that was seen.
    watch.learn("cookie TGC-casduo", browser.session)
    return browser


def passwords(site: Site, duo: DuoSimulator, watch: Watch) -> None:
    see, browser = watch.see, site.browser()
    for name in ("ada", "nobody", "ADA", "a" * 300):
        see(browser.fill(see(browser.login_page()), name, WRONG))
    for _ in range(5):
        see(browser.fill(see(browser.login_page()), "linus", WRONG))
    assert see(browser.fill(see(browser.login_page()), "linus")).status_int == 429
    page = see(browser.login_page())
    see(browser.fill(page, "ada"))
    see(browser.fill(page, "ada"))
    site.clock.advance(3601)
    stale = see(site.browser().login_page())
    site.clock.advance(3601)
    see(browser.fill(stale, "ada"))
    other = site.browser()
    see(other.login_page())
    see(other.post("/login", dict(see(browser.login_page(renew="true")).forms["login"].submit_fields())))
    fields = {**dict(stale.forms["login"].submit_fields()), "username": "ada", "password": PASSWORDS["ada"]}
    see(site.browser().post("/login", fields))


def validations(site: Site, duo: DuoSimulator, watch: Watch) -> None:
    see, browser = watch.see, signed_in(site, watch)
    for method in ("GET", "POST", "HEADER"):
        answer = see(browser.login_page(LIBRARY, method=method))
        if method == "GET":
            ticket = parse_qs(urlsplit(answer.headers["Location"]).query)["ticket"][0]
        elif method == "POST":
            ticket = answer.forms[0]["ticket"].value
        else:
            ticket = answer.headers["ticket"]
        for path in ("/validate", "/serviceValidate", "/p3/serviceValidate"):
            for format_ in ("", "JSON"):
                see(site.validate(ticket, path=path, format=format_))
    for service, extra in (
        ("https://payroll.example.edu/", {}),
        (LIBRARY + "&token=" + MARK, {}),
        (LIBRARY, {"renew": "true"}),
        (LIBRARY, {"pgtUrl": "https://library.example.edu/pgt?key=" + MARK}),
        ("nonsense " + MARK, {}),
    ):
        ticket = parse_qs(urlsplit(see(browser.login_page(LIBRARY)).headers["Location"]).query)["ticket"][0]
        see(site.validate(ticket, service, "/serviceValidate", **extra))
        see(site.validate(ticket + "x", service, "/serviceValidate", **extra))
    see(site.validate(browser.session))


def duo_logins(site: Site, duo: DuoSimulator, watch: Watch) -> None:
    see = watch.see

    def prompt(name: str = "ada") -> tuple[Browser, TestResponse]:
        browser = site.browser()
        return browser, see(browser.fill(see(browser.login_page(PAYROLL)), name))

    browser, answer = prompt()
    callback = watch.callback(duo.visit_prompt(answer.headers["Location"]))
    see(site.browser().get(callback))
    see(browser.get(callback))
    see(browser.get(callback))
    for name in ("grace", "alan"):
        prompt(name)
    for fault in ("result_deny", "wrong_signature", "other_user", "no_auth_result"):
        duo.faults.id_token = fault  # type: ignore[assignment]
        browser, answer = prompt()
        see(browser.get(watch.callback(duo.visit_prompt(answer.headers["Location"]))))
    duo.faults.clear()
    for fault in ("error", "no_code", "wrong_code", "used_code", "no_state", "wrong_state"):
        duo.faults.callback = fault  # type: ignore[assignment]
        browser, answer = prompt()
        see(browser.get(watch.callback(duo.visit_prompt(answer.headers["Location"]))))
    duo.faults.clear()
    browser, answer = prompt()
    callback = watch.callback(duo.visit_prompt(answer.headers["Location"]))
    duo.stop_listening()
    see(browser.get(callback))
    for name in ("ada", "grace"):
        prompt(name)
    duo.listen_again()
    site.clock.advance(60)
    duo.rotate_secret(duo.applications()[0].integration_key)
    prompt()


def sign_outs(site: Site, duo: DuoSimulator, watch: Watch) -> None:
    see = watch.see
    see(signed_in(site, watch).get("/logout" + query(service=LIBRARY)))
    browser = signed_in(site, watch)
    page = see(browser.get("/logout", headers={"Sec-Fetch-Site": "cross-site"}))
    see(page.forms[0].submit(status="*"))
    see(browser.get("/logout" + query(service="https://evil.example.com/?" + MARK)))
    see(see(signed_in(site, watch).get("/login")).forms[0].submit(status="*"))


def refusals(site: Site, duo: DuoSimulator, watch: Watch) -> None:
    see, browser = watch.see, signed_in(site, watch)
    password, session = quote(PASSWORDS["ada"]), browser.session
    for address in (
        f"/login?service=https://unregistered.example.com/{session}",
        f"/login?service=https://closed.example.edu/?{session}",
        f"/login?service={session}",
        f"/login?password={password}&service=a&service=b",
        f"/login?service={password}&x=%FF",
        f"/login?password={password}%FF",
        f"/login?service={password}%00",
        f"/login?password={password}&x={'a' * 70_000}",
        f"/nothing?password={password}&ticket={session}",
        f"/duo/callback?state={session}&duo_code={password}",
        f"/duo/callback?state=r.abcd.{MARK}.1&duo_code={password}",
        f"/serviceValidate?service=a&service={password}&ticket={session}",
        f"/serviceValidate?service={quote(LIBRARY)}&ticket={session}&format={password}",
    ):
        see(browser.get(address))
    for fields, headers in (
        ({"password": PASSWORDS["ada"]}, {"Origin": "https://evil.example.com"}),
        ({"password": PASSWORDS["ada"], "execution": session}, {}),
        ({"password": PASSWORDS["ada"], "execution": "s." + session}, {}),
        ({"password": PASSWORDS["ada"]}, {"Content-Type": "text/plain"}),
        ({"password": PASSWORDS["ada"], "username": "ada"}, {}),
    ):
        see(browser.post("/login", fields, headers=headers))
    see(browser.app.put(BASE + "/login", {"password": PASSWORDS["ada"]}, status="*"))


def test_no_secret_stands_where_it_does_not_belong(
    logging_site: Site, log: io.StringIO, duo: DuoSimulator, relay: CountingRelay
) -> None:
    site, watch = logging_site, Watch()
    watch.learn("password", *PASSWORDS.values(), WRONG)
    watch.learn("query of an application", MARK)
    watch.learn("secret key", "k" * 40)
    for application in duo.applications():
        watch.learn("client secret", application.secret_key)

    with every_exception(watch.raised):
        everything_that_happens(site, duo, relay, watch)

    assert set(watch.secrets.values()) == {
        "password",
        "query of an application",
        "secret key",
        "client secret",
        "cookie TGC-casduo",
        "cookie casduo-flow",
        "service ticket",
        "execution",
        "csrf",
        "ticket",
        "duo state",
        "duo code",
    }
    look_at_the_log(log.getvalue(), watch)
    for page in watch.pages:
        look_at(page, watch)
    for error in watch.raised:
        if isinstance(error, CasduoError):
            assert watch.in_text(f"{error} {error!r} {error.args}") == [], type(error)


def look_at_the_log(text: str, watch: Watch) -> None:
    lines = text.splitlines()
    names = {json.loads(line)["event"] for line in lines}
    # All kinds of event have been written, so their lines were really looked at.
    assert names >= {
        "signin.ok", "signin.refused", "signin.throttled", "signout", "ticket.granted", "ticket.validated",
        "ticket.refused", "service.refused", "duo.asked", "duo.answered", "flow.refused", "request.refused", "fault",
    }  # fmt: skip
    for line in lines:
        assert watch.in_text(line) == [], line


def look_at(page: TestResponse, watch: Watch) -> None:
    location = page.headers.get("Location", "")
    at_duo = location.startswith("https://localhost:")
    # A ticket goes to its application, the state goes to Duo, a service is shown as it was asked for.
    assert watch.in_text(location, "service ticket", "duo state", "query of an application") == []
    assert at_duo or "duo state" not in watch.in_text(location)
    for name, value in page.headers.items():
        if name not in ("Location", "Set-Cookie", "ticket"):
            assert watch.in_text(value, "query of an application") == [], name
    belongs = {"execution", "csrf", "query of an application"}
    if page.content_type == "text/html" and page.html.find("input", attrs={"name": "ticket"}):
        belongs |= {"ticket", "service ticket"}
    assert watch.in_text(page.text, *belongs) == [], page.request.url


def test_the_served_process_writes_no_secret_either(served: Served) -> None:
    watch, service = Watch(), "https://library.example.edu/"
    watch.learn("password", PASSWORDS["ada"], WRONG)
    with requests.Session() as browser:
        for password in (WRONG, PASSWORDS["ada"]):
            page = browser.get(served.url + "login", params={"service": service}, timeout=10)
            form = BeautifulSoup(page.text, "html.parser").find("form", id="login")
            fields = {
                item["name"]: item.get("value", "") for item in form.find_all("input") if item["type"] != "checkbox"
            }
            watch.learn("execution", fields["execution"])
            fields |= {"username": "ada", "password": password}
            answer = browser.post(served.url + "login", fields, allow_redirects=False, timeout=10)
        ticket = answer.headers["Location"].rpartition("ticket=")[2]
        watch.learn("service ticket", ticket)
        for cookie in browser.cookies:
            watch.learn(f"cookie {cookie.name}", str(cookie.value))
        for _ in range(2):
            requests.get(served.url + "serviceValidate", {"service": service, "ticket": ticket}, timeout=10)
        requests.get(served.url + "nothing", {"ticket": ticket}, timeout=10)
        requests.post(served.url + "login", {"password": PASSWORDS["ada"]}, headers={"Origin": "https://x"}, timeout=10)
        browser.get(served.url + "logout", timeout=10)
    assert len(watch.secrets) == 7
    text = served.log.read_text()
    assert all(
        name in text for name in ("signin.ok", "ticket.validated", "ticket.refused", "signout", "request.refused")
    )
    assert watch.in_text(text) == []


def test_a_ticket_that_slips_into_a_line_is_cut_on_the_way_out(log: io.StringIO) -> None:
    ticket, session = new_ticket_id(TicketKind.SERVICE, new_session_id()), new_session_id()
    structlog.get_logger("test").info("slip", note=f"a={ticket} b={session}", password=MARK, cookie=MARK)
    written = log.getvalue()
    assert str(ticket) not in written
    assert str(session) not in written
    assert MARK not in written
    assert re.search(f"ST-…{str(ticket)[-4:]}", written)


def test_the_log_of_other_libraries_is_json_as_well(log: io.StringIO) -> None:
    logging.getLogger("urllib3.connectionpool").warning('Retrying after "%s"', 'line one\nline "two"')
    (line,) = log.getvalue().splitlines()
    written = json.loads(line)
    assert (written["logger"], written["level"]) == ("urllib3.connectionpool", "warning")
    assert written["event"] == 'Retrying after "line one\nline "two""'
