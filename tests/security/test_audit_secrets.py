"""The audit trail and everything behind it: no secret in any line, record or message, and no line that others wrote."""

from __future__ import annotations

import csv
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import StringIO
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests
from bs4 import BeautifulSoup

from casduo.approvals.events import ApprovalRequested
from casduo.events.audit import AuditTrail, Confirmed
from casduo.events.audit_export import COLUMNS, csv_line, csv_row, one_line
from casduo.events.audit_files import AuditUnwritable
from casduo.events.audit_line import START, read_line, written_line
from casduo.events.journal import LogJournal
from casduo.events.model import SignInRefused, Subject
from casduo.events.record import EventRecord, record_of
from casduo.log import configure_log
from casduo.settings import load_settings
from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.duo import DuoSimulator
from casduo.simulators.webex import WebexSimulator
from casduo.simulators.webex.model import Room
from casduo.store import Store
from casduo.webex.build import build_webex
from casduo.webex.hook import Delivery
from tests.security.test_phone_secrets import OTHERS
from tests.security.test_secrets import Secrets, dump
from tests.support.served import Served, serving
from tests.support.site import PASSWORDS
from tests.support.visitor import Visitor, login_form, ticket_in
from tests.web.asking import ORACLE
from tests.worker.working import eventually

WEBHOOK_SECRET = "webhook-secret-of-32-characters-"
REASON = "Replace-the-full-disk-0815"
COMMENT = "Only-until-the-backup-begins-4711"
WRONG = "Correct-Horse-Battery"
REGISTRY = """
services:
  - id: library
    name: Library catalogue
    url: https://library.example.edu/**
  - id: oracle-b
    name: OracleLinux_SystemB
    url: https://gateway.example.edu/targets/oracle-b
    requires_duo: true
    requires_approval: {approvers: [grace@example.edu], max_duration: 2h}
    target: {host: OracleLinux_SystemB, ip: 172.16.200.53, account: root}
"""
HOSTILE = (
    'x","event":"signin.ok","hash":"' + "0" * 64 + '"}\n{"seq":2,"event":"signout"}',
    "first\r\nsecond\x85third\u2028fourth\x0bfifth",
    "\x1b]0;title\x07\x1b[2J\x9b31m\u202egnp.exe\u2066\x00\x7f",
    "\ud800 and \udfff",
    "=cmd|'/C calc'!A0",
    "+1+1",
    "-1",
    "@SUM(1)",
    "\uff1d1",
    " \t=1",
    "\n=1",
    '"=1',
    "x" * 1_000_000,
    "\\" * 100_000,
    "{{7*7}} %s ${jndi:ldap://x}",
)
"""Texts that end lines, forge them, move cursors, are formulas, are halves of characters, or far too long."""


# -- a whole story -----------------------------------------------------------------------------------------------------


@dataclass
class Story:
    """A served process with a worker, Duo and Webex, and every secret that has passed by."""

    served: Served
    duo: DuoSimulator
    webex: WebexSimulator
    room: Room
    store: Store
    secrets: Secrets

    def sign_in(self, visitor: Visitor, name: str, service: str) -> requests.Response:
        """Give name and password, wrongly first, pass Duo, and return the page behind it, or where it leads."""
        page = visitor.step(f"{self.served.url}login", params={"service": service})
        self.learn(visitor, page)
        self.post(visitor, page, username=name, password=WRONG)
        page = visitor.step(f"{self.served.url}login", params={"service": service})
        answer = self.post(visitor, page, username=name, password=PASSWORDS[name])
        prompt = answer.headers["Location"]
        back = self.duo.visit_prompt(prompt)
        self.secrets.learn("way to Duo and back", *re.findall(r"(?:request|state|duo_code)=([^&]{12,})", prompt + back))
        return self.follow(visitor, back)

    def follow(self, visitor: Visitor, address: str) -> requests.Response:
        """Go on as long as it is at the server itself."""
        answer = visitor.step(address)
        self.learn(visitor, answer)
        location = urljoin(address, answer.headers.get("Location", address))
        if location != address and location.startswith(self.served.url):
            return self.follow(visitor, location)
        return answer

    def post(self, visitor: Visitor, page: requests.Response, **typed: str) -> requests.Response:
        """Send the form of a page, and follow nothing."""
        self.learn(visitor, page)
        form: Any = login_form(page) or BeautifulSoup(page.text, "html.parser").select_one("main form")
        fields = {
            item["name"]: item.get("value", "")
            for item in form.select("input[name]:not([type=checkbox]), textarea[name]")
        }
        answer = visitor.http.post(urljoin(page.url, form["action"]), fields | typed, allow_redirects=False, timeout=20)
        self.learn(visitor, answer)
        return answer

    def learn(self, visitor: Visitor, page: requests.Response) -> None:
        """Note what an answer holds that nobody else may have."""
        html = BeautifulSoup(page.text, "html.parser")
        for name in ("execution", "csrf"):
            self.secrets.learn(name, "-" * 8, *(item["value"] for item in html.find_all("input", {"name": name})))
        self.secrets.kinds.pop("-" * 8)
        for cookie in visitor.http.cookies:
            self.secrets.learn(f"cookie {cookie.name}", str(cookie.value))

    def look(self) -> None:
        """Nothing of it lies in Redis, but for used tickets: a session keeps what it has to tell of its end."""
        for key, value in dump(self.store).items():
            held = [kind for kind in self.secrets.within(f"{key} {value}") if kind != "service ticket"]
            assert held == [], (key, value)


@pytest.fixture
def story(
    tmp_path: Path,
    own_redis_url: str,
    own_store: Store,
    authority: CertificateAuthority,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Story]:
    (tmp_path / "loud").mkdir()
    (tmp_path / "loud" / "sitecustomize.py").write_text(OTHERS, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "loud"))
    leaf, secrets = authority.issue(["localhost"]), Secrets()
    with DuoSimulator(leaf, authority=authority) as duo, WebexSimulator(certificate=leaf) as webex:
        for name in ("ada", "grace"):
            duo.add_user(name)
        bot = webex.add_bot("casduo")
        room = webex.add_room("Requests", [bot, *(webex.add_person(f"{name}@example.edu", name) for name in PASSWORDS)])
        keys = duo.add_application()
        settings = (
            f"outbound: {{ca_file: {leaf.ca}}}\n"
            f"duo: {{api_host: '{duo.api_host}', universal: {{client_id: {keys.integration_key}, "
            f"client_secret: {keys.secret_key}}}}}\n"
            f"webex: {{token: '{bot.token}', base_url: '{webex.base_url}', room: {room.id}, mail_domain: example.edu,\n"
            f"  webhook: {{secret: '{WEBHOOK_SECRET}'}}, per_space: 100, per_token: 100}}\n"
        )
        secrets.learn("password", *PASSWORDS.values(), WRONG)
        secrets.learn("key of Webex", bot.token, WEBHOOK_SECRET)
        secrets.learn("key of Duo", keys.secret_key)
        secrets.learn("key of the server", "k" * 40)
        with serving(tmp_path, own_redis_url, tls=leaf, registry=REGISTRY, settings=settings, worker=True) as served:
            eventually(lambda: bool(own_store.command("EXISTS", "casduo:{events}:webhook")))
            yield Story(served, duo, webex, room, own_store, secrets)


def test_a_whole_story_leaves_no_secret_anywhere(story: Story) -> None:
    """CWE-532 and CWE-312: sign-in, Duo, request, card, press, decision, outcome, access and sign-out, with all that
    every library has to tell: secrets in the log, in the audit trail, in Redis and in what Webex is sent. What people
    wrote about a request is in the records of that request, and in no log line of another part.
    """
    with Visitor(story.served.ca) as ada, Visitor(story.served.ca) as grace:
        _ask_and_be_approved_in_webex(story, ada)
        _be_rejected_on_the_page(story, grace)
        story.look()
        story.follow(ada, f"{story.served.url}login")
        assert "signed out" in ada.step(f"{story.served.url}logout").text
    _in_trouble(story)
    eventually(lambda: '"event":"webhook.refused"' in story.served.log.read_text())
    kinds = {
        "signin.ok",
        "duo.allowed",
        "approval.requested",
        "approval.approved",
        "approval.rejected",
        "target.accessed",
    }
    folder = story.served.log.parent
    eventually(lambda: kinds <= {json.loads(line)["event"] for line in _audit_lines(folder)})
    story.look()
    log = story.served.log.read_text()
    assert "DEBUG:urllib3" in log
    for line in log.splitlines():
        assert story.secrets.within(line) == [], line
        if REASON in line or COMMENT in line:
            assert json.loads(line)["event"] in ("approval.requested", "approval.decided"), line
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != "casduo.yaml"]
    assert any(path.suffix == ".jsonl" for path in files)
    for path in files:
        assert story.secrets.within(path.read_bytes().decode("latin-1")) == [], path
    posted = repr(
        [story.webex.messages_in(story.room.id, deleted=True), story.webex.direct_messages("ada@example.edu")]
    )
    assert REASON in posted
    # The fixture's own bot is in there with its token.
    assert set(story.secrets.within(posted)) <= {"key of Webex"}


def _ask_and_be_approved_in_webex(story: Story, ada: Visitor) -> None:
    form = story.sign_in(ada, "ada", ORACLE)
    review = story.follow(ada, urljoin(form.url, story.post(ada, form, reason=REASON).headers["Location"]))
    waiting = story.follow(ada, urljoin(form.url, story.post(ada, review, send="1").headers["Location"]))
    eventually(lambda: any(message.card for message in story.webex.messages_in(story.room.id)))
    [card] = [message for message in story.webex.messages_in(story.room.id) if message.card]
    story.look()
    story.webex.press(card.id, "grace@example.edu", {"decision": "approve"})
    eventually(lambda: ada.step(f"{waiting.url}/status").json()["stage"] == "open")
    ticket = ticket_in(ada.step(f"{story.served.url}login", params={"service": ORACLE}).headers["Location"])
    story.secrets.learn("service ticket", ticket)
    asked = {"service": ORACLE, "ticket": ticket}
    assert "<cas:user>ada" in ada.step(f"{story.served.url}p3/serviceValidate", params=asked).text
    eventually(lambda: "approved by" in repr(story.webex.direct_messages("ada@example.edu")))


def _be_rejected_on_the_page(story: Story, grace: Visitor) -> None:
    with Visitor(story.served.ca) as alan:
        story.duo.add_user("alan")
        form = story.sign_in(alan, "alan", ORACLE)
        review = story.follow(alan, urljoin(form.url, story.post(alan, form, reason=REASON).headers["Location"]))
        waiting = story.follow(alan, urljoin(form.url, story.post(alan, review, send="1").headers["Location"]))
        address = waiting.url.replace("/requests/", "/approvals/")
        page = story.sign_in(grace, "grace", address)
        assert REASON in page.text
        story.post(grace, page, decision="rejected", comment=COMMENT)
        assert alan.step(f"{waiting.url}/status").json()["stage"] == "rejected"


def _in_trouble(story: Story) -> None:
    """What breaks, and what is sent by people who are careless."""
    base, token = story.served.url, next(iter(kind for kind, name in story.secrets.kinds.items() if "TGC" in name))
    for path in (
        f"requests/{token}",
        f"approvals?password={PASSWORDS['ada']}",
        f"requests/A1b2C3d4?csrf={token}",
        "webex/webhook",
    ):
        requests.get(f"{base}{path}", verify=story.served.ca, timeout=20)
    for headers in ({"X-Spark-Signature": WEBHOOK_SECRET}, {"Authorization": f"Bearer {token}"}, {}):
        body = json.dumps({"secret": WEBHOOK_SECRET, "token": token})
        requests.post(f"{base}webex/webhook", body, headers=headers, verify=story.served.ca, timeout=20)
    story.webex.fail("POST /messages", 503, times=2)
    story.webex.fail("POST /messages", 401)
    with Visitor(story.served.ca) as visitor:
        story.post(visitor, visitor.step(f"{base}login"), username="ada", password=PASSWORDS["ada"])


def _audit_lines(folder: Path) -> list[str]:
    return [line for path in sorted(folder.rglob("audit-*.jsonl")) for line in path.read_text().splitlines()]


def test_no_object_shows_what_it_knows(tmp_path: Path) -> None:
    """CWE-209: secrets in what a programmer prints, and in texts of errors."""
    path = tmp_path / "casduo.yaml"
    path.write_text(
        "server: {url: https://sso.example.edu/cas}\n"
        "webex: {token: token-of-the-bot, "
        f"webhook: {{secret: '{WEBHOOK_SECRET}', previous_secret: '{WEBHOOK_SECRET}'}}}}\n"
    )
    settings = load_settings(path, {})
    client = build_webex(settings, time.time)
    shown = [settings, settings.webex, client, Delivery(b"the body of a delivery")]
    for each in shown:
        for text in (repr(each), str(each), f"{each}"):
            assert "token-of-the-bot" not in text
            assert WEBHOOK_SECRET not in text
            assert "the body" not in text
    path.write_text(path.read_text().replace(WEBHOOK_SECRET, "short-secret"))
    with pytest.raises(Exception, match="secret") as error:
        load_settings(path, {})
    assert "short-secret" not in str(error.value)


# -- lines that others wrote -------------------------------------------------------------------------------------------


def hostile(text: str) -> list[EventRecord]:
    """Events with a text in every place."""
    about = Subject(*[text] * 5)
    return [
        record_of(SignInRefused(about, reason=text, handler=text, detail=text), 1.8e9),
        record_of(ApprovalRequested(about, request=text, start=text, end=text, reason=text), 1.8e9),
    ]


def test_no_text_makes_or_changes_a_line_of_the_trail(tmp_path: Path) -> None:
    """CWE-117: names and reasons that end a line and begin another, in the trail, as it is read, shown and exported; of
    a megabyte and with halves of characters they stop nothing and lose nothing.
    """
    trail = AuditTrail(tmp_path / "audit", rotate_size=1 << 20)
    trail.open(Confirmed())
    records = [record for text in HOSTILE for record in hostile(text)]
    records = [EventRecord.from_json(record.to_json()) for record in records]
    assert trail.append(records) == len(records)
    trail.close()
    lines = [
        line for path in sorted((tmp_path / "audit").glob("*.jsonl")) for line in path.read_bytes().splitlines(True)
    ]
    entries = [read_line(line) for line in lines]
    assert len(entries) == len(records)
    assert entries[0].follows(START)
    assert all(after.follows(before.position) for before, after in pairwise(entries))
    for line, entry, record in zip(lines, entries, records, strict=True):
        assert line.isascii()
        assert line[:-1].decode().isprintable()
        assert entry.record == record
    again = AuditTrail(tmp_path / "audit", rotate_size=1 << 20)
    assert not again.open(Confirmed(last=entries[-1].position)).missing
    again.close()


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_no_text_is_a_formula_or_a_row_of_its_own_in_a_spreadsheet(text: str) -> None:
    """CWE-1236: cells that a spreadsheet carries out, in every column, and rows that a text begins."""
    csv.field_size_limit(1 << 24)
    for record in hostile(text):
        line, _ = written_line(record, START)
        [row] = csv.reader(StringIO(csv_line(csv_row(read_line(line))).decode(), newline=""))
        assert len(row) == len(COLUMNS)
        for cell in row:
            assert not re.match(r"[=+\-@\t\r\n\uff0b\uff0d\uff1d\uff20]", cell.lstrip(" ")), cell[:20]
        assert "\n" not in one_line(read_line(line)).replace(text, "") or "\n" in text


def test_no_text_makes_a_line_of_the_log(capfd: pytest.CaptureFixture[str]) -> None:
    """CWE-117 and CWE-150: the same in the log: one line for an event, which a terminal shows as what it is."""
    configure_log("json", "debug")
    journal = LogJournal()
    for text in HOSTILE:
        about = Subject(*[text] * 5)
        journal.note(ApprovalRequested(about, request=text, start=text, end=text, reason=text))
    lines = capfd.readouterr().err.split("\n")
    assert lines.pop() == ""
    assert len(lines) == len(HOSTILE)
    for line, text in zip(lines, HOSTILE, strict=True):
        assert line.isprintable()
        found = json.loads(line)
        assert (found["event"], found["reason"]) == ("approval.requested", text)


def test_no_link_makes_the_trail_write_elsewhere(tmp_path: Path) -> None:
    """CWE-59 and CWE-732: links in the place of the directory, of the lock, of the next file and of what is set aside,
    and directories that others may write.
    """
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("precious")
    for name in ("audit.lock", "audit-000000000001.jsonl"):
        directory = tmp_path / f"with-{name}"
        directory.mkdir(mode=0o700)
        (directory / name).symlink_to(elsewhere)
        with pytest.raises(AuditUnwritable):
            _write_one(directory)
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    with pytest.raises(AuditUnwritable):
        _write_one(shared)
    link = tmp_path / "link"
    (tmp_path / "real").mkdir(mode=0o700)
    link.symlink_to(tmp_path / "real")
    with pytest.raises(AuditUnwritable):
        _write_one(link)
    assert elsewhere.read_text() == "precious"
    assert list((tmp_path / "real").iterdir()) == []


def _write_one(directory: Path) -> None:
    trail = AuditTrail(directory, rotate_size=1 << 20)
    try:
        trail.open(Confirmed())
        trail.append(hostile("x"))
    finally:
        trail.close()
