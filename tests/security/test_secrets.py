"""Secrets: in the log of a whole run, in the store, and where a copy of either would lead."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import requests
from bs4 import BeautifulSoup

from casduo.log import _json_line
from casduo.simulators.certificates import LeafFiles
from casduo.simulators.duo import DuoSimulator
from casduo.store import Store
from casduo.tickets.ids import TicketKind, new_proxy_granting, new_session_id, new_ticket_id, parse_ticket_id
from tests.security.steps import accepted, prompt_of, signed_in
from tests.support.portal import PORTAL, Portal, proxy_granting, proxy_ticket, registry_with, trusting
from tests.support.raw import exchange
from tests.support.rest import KEY, REST, Program, text
from tests.support.served import Served, serving
from tests.support.site import LIBRARY, PASSWORDS, PAYROLL, Build, ticket_of
from tests.support.visitor import Visitor, login_form, ticket_in
from tests.support.wires import SAML_TYPE, envelope
from tests.worker.applications import Application, Gauge, application
from tests.worker.working import eventually

WRONG = "Correct-Horse-Battery"
BYPASS_CODE = "907413652"
MARK = "value-of-an-application-0815"

REGISTRY = """
  - {{id: payroll, name: Payroll, url: "https://payroll.example.edu/**", requires_duo: true}}
  - {{id: wiki, name: Wiki, url: "https://wiki.example.edu/**", logout: {{type: front_channel}}}}
  - {{id: app, name: App, url: "{app}/**"}}
"""


@dataclass
class Secrets:
    """What must stand in no log, by its text."""

    kinds: dict[str, str] = field(default_factory=dict)

    def learn(self, kind: str, *values: str) -> str:
        for value in values:
            # What is shorter could stand somewhere by chance.
            assert len(value) >= 8, kind
            self.kinds[value] = kind
        return values[-1]

    def within(self, text: str) -> list[str]:
        """Which kinds of secret stand in a text: whole, escaped, or as the part that nobody can guess."""
        return sorted({kind for secret, kind in self.kinds.items() if any(each in text for each in _forms(secret))})


def _forms(secret: str) -> tuple[str, ...]:
    return secret, quote(secret, safe=""), _heart(secret)


def _heart(secret: str) -> str:
    parts = secret.split(".")
    if len(parts) > 2:
        return parts[2] if parts[0] == "r" else parts[-1]
    return secret.rpartition("-")[2] if re.match(r"(TGT|ST|PT|PGT|PGTIOU)-", secret) else secret


@dataclass
class Run:
    """A person, applications and programs at a served process; ``secrets`` is all that passes by."""

    served: Served
    portal: Portal
    app: Application
    secrets: Secrets

    def get(self, path: str, **fields: str) -> requests.Response:
        return requests.get(
            f"{self.served.url}{path}", fields, verify=self.served.ca, timeout=20, allow_redirects=False
        )

    def submit(self, visitor: Visitor, service: str, username: str, password: str) -> requests.Response:
        page = visitor.step(f"{self.served.url}login", params={"service": service, "renew": "true"})
        form: Any = login_form(page)
        fields = {item["name"]: item.get("value", "") for item in form.find_all("input") if item["type"] == "hidden"}
        self.secrets.learn("execution", fields["execution"])
        fields |= {"username": username, "password": password}
        answer = visitor.http.post(f"{self.served.url}login", fields, allow_redirects=False, timeout=20)
        for cookie in visitor.http.cookies:
            self.secrets.learn(f"cookie {cookie.name}", str(cookie.value))
        return answer

    def ticket(self, visitor: Visitor, service: str) -> str:
        return self.secrets.learn("service ticket", visitor.ticket(self.served.url, service))

    def visit(self) -> None:
        """Sign in, wrongly and rightly, open applications, and sign out."""
        with Visitor(self.served.ca) as visitor:
            assert self.submit(visitor, PORTAL, "ada", WRONG).status_code == 401
            answer = self.submit(visitor, PORTAL, "ada", PASSWORDS["ada"])
            first = self.secrets.learn("service ticket", ticket_in(answer.headers["Location"]))
            self.proxy(first)
            self.refuse(visitor)
            for service in ("https://wiki.example.edu/", f"{self.app.url}/"):
                ticket = self.ticket(visitor, service)
                assert "authenticationSuccess" in self.get("serviceValidate", service=service, ticket=ticket).text
            page = visitor.step(f"{self.served.url}logout")
            assert "<iframe" in page.text
            news = BeautifulSoup(page.text, "html.parser").find(attrs={"data-again": True})
            if news is not None and news["data-again"]:
                key = parse_qs(urlsplit(str(news["data-again"])).query)["key"][0]
                self.get("logout/told", key=self.secrets.learn("key of a sign-out", key))
            eventually(lambda: len(self.app.tickets) == 1)

    def proxy(self, ticket: str) -> None:
        """Get a proxy-granting ticket and use it, rightly and wrongly."""
        self.get("serviceValidate", service=PORTAL, ticket=ticket, pgtUrl=self.portal.callback)
        (iou,) = self.portal.granted
        pgt = self.secrets.learn("proxy-granting ticket", self.portal.granted[iou])
        self.secrets.learn("iou", iou)
        for target in (LIBRARY, "https://closed.example.edu/", f"https://evil.example.com/?{MARK}", "nonsense"):
            answer = self.get("proxy", pgt=pgt, targetService=target)
            if "proxySuccess" in answer.text:
                through = self.secrets.learn("proxy ticket", re.findall(r"PT-[A-Za-z0-9-]+", answer.text)[0])
        for path in ("serviceValidate", "p3/proxyValidate", "proxyValidate"):
            self.get(path, service=LIBRARY, ticket=through, format="JSON")
        second = self.get("proxy", pgt=pgt, targetService=LIBRARY, format="JSON").json()["serviceResponse"]
        good = self.secrets.learn("proxy ticket", second["proxySuccess"]["proxyTicket"])
        assert "ada" in self.get("proxyValidate", service=LIBRARY, ticket=good).text
        for odd in (f"{pgt}x", iou, pgt.replace("PGT", "TGT")):
            self.get("proxy", pgt=odd, targetService=LIBRARY)

    def refuse(self, visitor: Visitor) -> None:
        """Do what is refused, with good tickets in every place of a request."""
        for path in ("validate", "serviceValidate", "p3/proxyValidate"):
            for service in (f"https://archive.example.edu/?token={MARK}", f"{LIBRARY}&token={MARK}", MARK):
                ticket = self.ticket(visitor, LIBRARY)
                self.get(path, service=service, ticket=ticket, pgtUrl=f"https://evil.example.com/{ticket}")
                self.get(path, service=LIBRARY, ticket=f"{ticket}\n")
        for artifact in (self.ticket(visitor, LIBRARY), f"{self.ticket(visitor, LIBRARY)}<x/>"):
            for _ in range(2):
                requests.post(
                    f"{self.served.url}samlValidate?TARGET={quote(LIBRARY, safe='')}",
                    envelope(artifact),
                    headers={"Content-Type": SAML_TYPE},
                    verify=self.served.ca,
                    timeout=20,
                )
        ticket = self.ticket(visitor, LIBRARY)
        for path in (ticket, f"login/{ticket}", f"static/{ticket}", f"duo/callback?state={ticket}&duo_code={ticket}"):
            self.get(path, ticket=ticket, password=PASSWORDS["ada"])
        self.get(f"login?service={ticket}&service={PASSWORDS['ada']}")
        self.get(f"login?service={PASSWORDS['ada']}%FF")

    def program(self) -> None:
        """Use the REST protocol, rightly and wrongly."""
        with requests.Session() as program:
            program.verify, program.trust_env = self.served.ca, False
            program.headers["Authorization"] = f"Bearer {KEY}"
            grace = {"username": "grace", "password": PASSWORDS["grace"]}
            program.post(f"{self.served.url}v1/tickets", {**grace, "password": WRONG}, timeout=20)
            program.post(f"{self.served.url}v1/tickets?password={PASSWORDS['grace']}", timeout=20)
            address = program.post(f"{self.served.url}v1/tickets", grace, timeout=20).headers["Location"]
            session = self.secrets.learn("session of a program", address.rpartition("/")[2])
            assert program.get(address, timeout=20).text == session
            granted = program.post(address, {"service": LIBRARY}, timeout=20).text
            self.secrets.learn("service ticket", granted)
            payroll = {"service": PAYROLL, "passcode": BYPASS_CODE}
            assert program.post(address, payroll, timeout=20).status_code == 200
            assert program.post(address, payroll, timeout=20).status_code == 401
            for path in (f"{address}/x", f"{address}%2Fx", f"{address}x", address.replace("TGT", "PGT")):
                program.get(path, timeout=20)
            program.put(address, timeout=20)
            program.post(address, {"service": f"https://evil.example.com/?{MARK}"}, timeout=20)
            program.get(address, headers={"Authorization": f"Bearer {KEY}x"}, timeout=20)
            program.delete(address, timeout=20)


def test_a_whole_run_at_the_level_debug_writes_no_secret(
    tmp_path: Path,
    own_redis_url: str,
    own_store: Store,
    portal: Portal,
    trusted: LeafFiles,
    duo: DuoSimulator,
    duo_settings: str,
) -> None:
    """CVE-2020-27178 (Apereo): secret keys in addresses, and so in logs. GSS.Authentication.CAS issue 1034: whoever
    reads a ticket in a log can end the session behind it.
    """
    duo.add_user("grace", bypass_codes=[BYPASS_CODE])
    secrets = Secrets()
    secrets.learn("password", PASSWORDS["ada"], PASSWORDS["grace"], WRONG)
    secrets.learn("passcode", BYPASS_CODE)
    secrets.learn("key of a program", KEY)
    secrets.learn("value of an application", MARK)
    secrets.learn("key of the server", "k" * 40)
    secrets.learn("key at Duo", *(each.secret_key for each in duo.applications()))
    settings = REST + trusting(trusted) + duo_settings
    with application(Gauge()) as app:
        registry = registry_with(portal, more=REGISTRY.format(app=app.url))
        with serving(tmp_path, own_redis_url, tls=trusted, registry=registry, settings=settings, worker=True) as served:
            run = Run(served, portal, app, secrets)
            run.visit()
            run.program()
            eventually(lambda: "signout.told" in served.log.read_text())
        log = served.log.read_text()
    seen = set(re.findall(r'"event":"([a-z.]+)"', log))
    assert seen >= {
        "signin.ok", "signin.refused", "signout", "signout.told", "ticket.granted", "ticket.validated",
        "ticket.refused", "ticket.proxied", "rest.answered", "rest.refused", "duo.answered", "request.refused",
        "flow.refused",
    }  # fmt: skip
    for line in log.splitlines():
        assert secrets.within(line) == [], line


def test_a_ticket_in_any_place_of_a_line_is_cut_on_the_way_out() -> None:
    """CVE-2020-27178, as a net below: whatever a line says, it names no ticket whole, escaped ones included."""
    session = new_session_id()
    tickets = [session, *(new_ticket_id(kind, session) for kind in TicketKind), *map(str, new_proxy_granting(session))]
    for ticket in map(str, tickets):
        for line in (
            ticket,
            f"x{ticket}",
            f"a%3Dticket%3D{ticket}%26",
            f'"{ticket}"',
            f"/{ticket}/",
            f"{ticket}-{ticket}",
        ):
            written = _json_line(None, "", {"event": line})
            assert ticket.rpartition("-")[2] not in written
            assert ticket[-4:] in written


def dump(store: Store) -> dict[str, str]:
    """Everything that the store holds, by its keys."""
    reading = {
        "hash": ("HGETALL",),
        "string": ("GET",),
        "zset": ("ZRANGE", 0, -1),
        "list": ("LRANGE", 0, -1),
        "set": ("SMEMBERS",),
        "stream": ("XRANGE", "-", "+"),
    }
    found = {}
    for key in store.command("KEYS", "*"):
        kind = store.command("TYPE", key)
        if kind != "none":
            command, *rest = reading[kind]
            found[key] = repr(store.command(command, key, *rest))
    return found


def test_the_store_holds_no_password_and_no_key_to_a_session(
    build: Build, portal: Portal, trusted: LeafFiles, duo: DuoSimulator, duo_settings: str
) -> None:
    """Apereo 2020-07-24: the password lay beside the ticket. Who reads a copy of the store gets nobody's session,
    no ticket that is still good, and no flow to go on with.
    """
    more = '  - {id: payroll, name: Payroll, url: "https://payroll.example.edu/**", requires_duo: true}\n'
    site = build(registry=registry_with(portal, more=more), settings=REST + trusting(trusted) + duo_settings)
    secrets = Secrets()
    secrets.learn("password", *PASSWORDS.values(), WRONG)
    browser = signed_in(site)
    secrets.learn("session", browser.session)
    page = site.browser().login_page(LIBRARY)
    secrets.learn("key of a form", page.forms["login"]["execution"].value)
    site.browser().fill(site.browser().login_page(LIBRARY), "ada", WRONG)
    secrets.learn("service ticket", ticket_of(browser.login_page(LIBRARY)))
    waiting, prompt = prompt_of(site)
    secrets.learn("key of a flow", parse_qs(urlsplit(duo.visit_prompt(prompt)).query)["state"][0])
    secrets.learn("flow cookie", str(waiting.app.cookies["casduo-flow"]).strip('"'))
    pgt = secrets.learn("proxy-granting ticket", proxy_granting(site, portal))
    secrets.learn("iou", *portal.granted)
    secrets.learn("proxy ticket", proxy_ticket(site, pgt))
    program = Program(site)
    session = secrets.learn("session of a program", program.session())
    secrets.learn("service ticket", text(program.ticket(session)))
    secrets.learn("key of a program", KEY)
    assert not accepted(site.validate(ticket_of(browser.login_page(LIBRARY)), f"{LIBRARY}&token={MARK}"))
    secrets.learn("value of an application", MARK)
    # A session that has ended, and whose services wait to be told of the tickets that they validated.
    ended = signed_in(site, "grace")
    secrets.learn("ended session", ended.session)
    used = ticket_of(ended.login_page(LIBRARY))
    assert accepted(site.validate(used))
    ended.get("/logout")
    site.composed.parts.later.flush()
    held = dump(site.composed.parts.store)
    assert "ada" in "".join(held.values())
    # It is there, in the one place where it must be: the application will be told by this name what has ended.
    assert [key.split(":")[2] for key, value in held.items() if used in value] == ["signout"]
    for key, value in held.items():
        assert secrets.within(f"{key} {value}") == [], key


def test_the_keys_of_the_store_are_made_of_whole_ids() -> None:
    """Apereo 2026-06-06 a: one part of the server hashed names that another used plain. Here one function makes them,
    and an id that differs in one letter, its prefix included, has another one.
    """
    session = new_session_id()
    texts = [
        str(session),
        str(session).replace("TGT", "PGT"),
        str(session)[:-1] + ("a" if str(session)[-1] != "a" else "b"),
    ]
    keys = [found.key for found in map(parse_ticket_id, texts) if found is not None]
    assert len(set(keys)) == 3
    assert all(not any(text[9:] in key for text in texts) for key in keys)
    assert all(
        key.rpartition(":")[2] == hashlib.sha256(text.encode()).hexdigest()
        for key, text in zip(keys, texts, strict=True)
    )


def test_a_malformed_request_is_not_repeated_in_the_log(tmp_path: Path, valkey_url: str) -> None:
    """CVE-2020-27178: what is no HTTP, or too long for it, may hold tickets all the same."""
    ticket = str(new_ticket_id(TicketKind.SERVICE, new_session_id()))
    with serving(tmp_path, valkey_url) as served:
        for request in (
            f"GET /cas/login?ticket={ticket} HTTP/9.9\r\n\r\n",
            f"GET /cas/login?ticket={ticket}\r\n\r\n",
            f"GET /cas/login?ticket={ticket}\x00 HTTP/1.1\r\nHost: x\r\n\r\n",
            f"{ticket}\r\n\r\n",
            f"GET /cas/login HTTP/1.1\r\nHost: x\r\nCookie TGC-casduo={ticket}\r\n\r\n",
            f"GET /cas/login?ticket={ticket}&x={'a' * 100_000} HTTP/1.1\r\nHost: x\r\n\r\n",
            f"POST /cas/login HTTP/1.1\r\nHost: x\r\nContent-Length: x{ticket}\r\n\r\n",
        ):
            exchange(served.address, request.encode("latin-1"), half_close=True)
        exchange(served.address, b"GET /cas/nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        log = served.log.read_text()
    assert "request.refused" in log
    assert ticket[8:] not in log
