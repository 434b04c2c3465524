"""Secrets of the second factor: what passes by in a push login, at a program and in a registration is in no log."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import pytest
import requests

from casduo.log import _json_line
from casduo.simulators.certificates import LeafFiles
from casduo.simulators.duo import DuoSimulator
from casduo.store import Store
from tests.security.test_secrets import Secrets, dump
from tests.support.pushing import execution_of, press, status_url_of, working
from tests.support.rest import KEY, REST
from tests.support.served import Served, serving
from tests.support.site import PASSWORDS, Build, ticket_of
from tests.support.visitor import Visitor
from tests.worker.working import eventually

VAULT = "https://vault.example.edu/safe"
BYPASS_CODE = "907413652"
WRONG_CODE = "735192648"
SAID = "Your friend typed 55-SAID-BY-DUO-77"
REGISTRY = """
services:
  - {id: vault, name: Vault, url: "https://vault.example.edu/**", requires_duo: {prompt: push, trusted_browser: 30d}}
"""


@pytest.fixture
def duo(duo: DuoSimulator) -> DuoSimulator:
    duo.settings.poll_hold = 0.3
    duo.remove_user("grace")
    duo.remove_user("ada")
    duo.add_user("ada", bypass_codes=[BYPASS_CODE])
    return duo


@dataclass
class Person:
    """Somebody at a browser of a served process, who writes down every secret that passes by."""

    served: Served
    visitor: Visitor
    secrets: Secrets

    def go(self, address: str) -> requests.Response:
        return self.arrive(self.visitor.step(urljoin(self.served.url, address)))

    def send(self, page: requests.Response, action: str, **fields: str) -> requests.Response:
        answer = self.visitor.http.post(
            urljoin(self.served.url, action), fields, allow_redirects=False, timeout=20, headers={"Referer": page.url}
        )
        return self.arrive(answer)

    def press(self, page: requests.Response, **fields: str) -> requests.Response:
        (key, *_) = re.findall(r'name="execution" value="([^"]+)"', page.text)
        return self.send(page, "login", execution=key, **fields)

    def arrive(self, answer: requests.Response) -> requests.Response:
        """Go where an answer leads within the server, and look around there."""
        self.learn(answer)
        while (target := self.visitor.http.get_redirect_target(answer)) is not None:
            target = urljoin(answer.url, target)
            self.look(target)
            if not target.startswith(self.served.url):
                return answer
            answer = self.visitor.step(target)
            self.learn(answer)
        return answer

    def learn(self, answer: requests.Response) -> None:
        for cookie in self.visitor.http.cookies:
            if cookie.name != "casduo-duo-way":
                self.secrets.learn(f"cookie {cookie.name}", str(cookie.value).strip('"'))
        for kind, pattern in (
            ("execution", r'name="execution" value="([^"]+)"'),
            ("form token", r'name="csrf" value="([^"]+)"'),
            ("activation code", r"(duo://[^\s<\"]+)"),
            ("activation address", r'href="(https://[^"]*/(?:activate|android|ios|m)[^"]*)"'),
        ):
            for value in re.findall(pattern, answer.text):
                self.secrets.learn(kind, unescape(value))
        for address in re.findall(r'(?:href|data-status|data-refresh)="([^"]+)"', answer.text):
            self.look(urljoin(self.served.url, unescape(address)))

    def look(self, address: str) -> None:
        asked = parse_qs(urlsplit(address).query)
        for name in ("key", "execution", "back", "ticket", "state"):
            for value in asked.get(name, ()):
                if len(value) >= 8:
                    self.secrets.learn(f"parameter {name}", value)


def test_a_push_login_a_program_and_a_registration_write_no_secret_at_the_level_debug(
    tmp_path: Path, own_redis_url: str, own_store: Store, trusted: LeafFiles, duo: DuoSimulator
) -> None:
    """CVE-2020-27178 (Apereo): secrets in addresses, and so in logs. Passcodes, transactions, keys of pages and news,
    codes that register a phone, and cookies that stand for a factor.
    """
    secrets = Secrets()
    secrets.learn("password", PASSWORDS["ada"], PASSWORDS["grace"])
    secrets.learn("passcode", BYPASS_CODE, WRONG_CODE)
    secrets.learn("key of a program", KEY)
    secrets.learn("what Duo says to a person", SAID)
    web, api, admin = duo.add_application(), duo.add_application("authapi"), duo.add_application("admin")
    secrets.learn("key at Duo", web.secret_key, api.secret_key, admin.secret_key)
    duo.faults.overwrite("/auth/v2/auth_status", {"status_msg": SAID})
    settings = REST + (
        f"duo: {{api_host: '{duo.api_host}', ca_file: {duo.ca_file},\n"
        f"  universal: {{client_id: {web.integration_key}, client_secret: {web.secret_key}}},\n"
        f"  auth_api: {{integration_key: {api.integration_key}, secret_key: {api.secret_key}}},\n"
        f"  admin_api: {{integration_key: {admin.integration_key}, secret_key: {admin.secret_key}}}}}\n"
    )
    with serving(tmp_path, own_redis_url, tls=trusted, registry=REGISTRY, settings=settings, worker=True) as served:
        eventually(lambda: bool(own_store.command("EXISTS", "casduo:worker:alive")))
        with Visitor(served.ca) as visitor:
            _push_login(Person(served, visitor, secrets), duo)
        _program(served, secrets, duo)
        with Visitor(served.ca) as visitor:
            _registration(Person(served, visitor, secrets), duo)
        log = served.log.read_text()
    seen = set(re.findall(r'"event":"([a-z._]+)"', log))
    assert seen >= {"duo.asked", "duo.answered", "rest.answered", "enrollment.started", "enrollment.finished"}
    for line in log.splitlines():
        assert secrets.within(line) == [], line


def _signed_in(person: Person, page: requests.Response, name: str) -> requests.Response:
    fields = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
    fields = {key: unescape(value) for key, value in fields.items()}
    return person.send(page, "login", **fields, username=name, password=PASSWORDS[name])


def _push_login(person: Person, duo: DuoSimulator) -> None:
    page = _signed_in(person, person.go(f"login?service={VAULT}"), "ada")
    transaction = person.secrets.learn("transaction", duo.pending("ada")[0].txid)
    page = person.press(page, passcode=WRONG_CODE)
    address = unescape(re.findall(r'data-status="([^"]+)"', page.text)[0])
    for odd in (address + "x", f"duo/callback?state={transaction}&duo_code={BYPASS_CODE}"):
        person.go(odd)
    duo.phone("ada").deny()
    eventually(lambda: person.visitor.step(urljoin(person.served.url, address)).json()["state"] == "denied")
    page = person.go(unescape(re.findall(r'data-refresh="([^"]+)"', page.text)[0]))
    page = person.press(page, factor=f"push:{duo.user('ada').devices[0].id}")
    person.secrets.learn("transaction", duo.pending("ada")[0].txid)
    address = unescape(re.findall(r'data-status="([^"]+)"', page.text)[0])
    duo.phone("ada").approve()
    eventually(lambda: person.visitor.step(urljoin(person.served.url, address)).json()["state"] == "allowed")
    page = person.go(unescape(re.findall(r'data-refresh="([^"]+)"', page.text)[0]))
    answer = person.press(page, trust="yes")
    assert "ticket=" in answer.headers["Location"]
    assert person.visitor.http.cookies.get("casduo-trust")
    person.go(f"login?service={VAULT}&renew=true&passcode={BYPASS_CODE}")


def _program(served: Served, secrets: Secrets, duo: DuoSimulator) -> None:
    with requests.Session() as program:
        program.verify, program.trust_env = served.ca, False
        program.headers["Authorization"] = f"Bearer {KEY}"
        ada = {"username": "ada", "password": PASSWORDS["ada"], "service": VAULT}
        assert program.post(f"{served.url}v1/tickets", {**ada, "passcode": WRONG_CODE}, timeout=20).status_code == 401
        asked = program.post(f"{served.url}v1/tickets", {**ada, "passcode": "push"}, timeout=20).json()
        token = secrets.learn("token of a push", asked["push"])
        secrets.learn("transaction", duo.pending("ada")[0].txid)
        program.post(f"{served.url}v1/tickets?push={token}&passcode={BYPASS_CODE}", ada, timeout=20)
        program.post(f"{served.url}v1/tickets", {**ada, "push": f"{token}x"}, timeout=20)
        program.get(f"{served.url}v1/tickets/{token}", timeout=20)
        assert program.post(f"{served.url}v1/tickets", {**ada, "push": token}, timeout=20).status_code == 202
        duo.phone("ada").approve()
        repeated = answered(program, f"{served.url}v1/tickets", {**ada, "push": token})
        assert repeated.status_code == 201
        secrets.learn("session of a program", repeated.headers["Location"].rpartition("/")[2])
        bypass = program.post(f"{served.url}v1/tickets", {**ada, "passcode": BYPASS_CODE}, timeout=20)
        assert bypass.status_code == 201
        secrets.learn("session of a program", bypass.headers["Location"].rpartition("/")[2])


def answered(program: requests.Session, address: str, fields: dict[str, str]) -> requests.Response:
    """Ask until the person has answered."""
    answer = program.post(address, fields, timeout=20)
    for _ in range(200):
        if answer.status_code != 202:
            break
        answer = program.post(address, fields, timeout=20)
    return answer


def _registration(person: Person, duo: DuoSimulator) -> None:
    refused = _signed_in(person, person.go(f"login?service={VAULT}"), "grace")
    assert refused.status_code == 403, refused.text
    link = unescape(re.findall(r'href="([^"]*/enroll/\?back=[^"]+)"', refused.text)[0])
    person.look(urljoin(person.served.url, link))
    start = person.go(link)
    token = re.findall(r'name="csrf" value="([^"]+)"', start.text)[0]
    page = person.send(start, "enroll/code", csrf=token)
    code = unescape(re.findall(r"(duo://[^\s<\"]+)", page.text)[0])
    person.secrets.learn("activation code", code.rpartition("/")[2])
    person.go(f"enroll/?back={code}")
    person.go(f"enroll/{code.rpartition('/')[2]}")
    person.send(page, f"enroll/status?code={code}", csrf=token)
    assert duo.activate(code)
    assert person.secrets.learn("account at Duo", duo.user("grace").id)
    eventually(lambda: person.visitor.step(f"{person.served.url}enroll/status").json()["state"] == "done")


def test_a_copy_of_the_store_opens_no_login_that_waits_for_duo(
    build: Build, duo: DuoSimulator, duo_settings: str
) -> None:
    """Apereo 2020-07-24: what lay beside the ticket. Keys of pages, of news, of trusted browsers and of registrations
    are not to be had from a copy of the store.
    """
    site = build(registry=REGISTRY, settings=duo_settings)
    secrets = Secrets()
    with working(site):
        browser = site.browser()
        page = browser.sign_in("ada", VAULT)
        secrets.learn("execution", execution_of(page))
        secrets.learn("key of news", status_url_of(page).partition("key=")[2])
        secrets.learn("flow cookie", str(browser.app.cookies["casduo-flow"]).strip('"'))
        other = site.browser()
        question = press(other, other.sign_in("ada", VAULT), passcode=BYPASS_CODE)
        assert ticket_of(press(other, question, trust="yes"))
        secrets.learn("trusted browser", str(other.app.cookies["casduo-trust"]).strip('"'))
        secrets.learn("session", other.session)
        secrets.learn("passcode", BYPASS_CODE)
        secrets.learn("password", PASSWORDS["ada"])
        enrolling = site.browser()
        enrolling.sign_in("grace", "")
        enrolling.follow(enrolling.get("/enroll/"))
        held = dump(site.composed.parts.store)
    for key, value in held.items():
        assert secrets.within(f"{key} {value}") == [], key


@pytest.mark.parametrize("crafted", ["\x1b[2J", "\x9b31m", "\x9d0;owned\x9c", "\u202eresu", "\u2028", "\x85", "\x7f"])
def test_a_line_of_the_log_moves_no_cursor_and_turns_no_text_around(crafted: str) -> None:
    """CWE-150 (escape sequences in logs): names that people type and words that Duo says are read at terminals."""
    written = _json_line(None, "", {"event": "signin.refused", "principal": f"ada{crafted}", "detail": crafted})
    assert written.isprintable()
