"""Requests for access: nobody decides what is not theirs to decide, by whatever they send, and nothing else with it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any
from urllib.parse import urlencode

import pytest
from webtest.response import TestResponse

from casduo.approvals.events import ApprovalDecided
from casduo.approvals.model import ApprovalRequest
from casduo.events.record import EventRecord
from casduo.mfa.strength import DUO_BYPASS, UNAVAILABLE, UNENROLLED, Strength
from casduo.settings.webex import WebexSettings
from casduo.webex.cards import Look
from casduo.webex.routing import messages_for
from tests.security.steps import opened
from tests.security.test_approvals import form_of
from tests.support.raw import FORM, call
from tests.support.rest import REST, Program
from tests.support.site import LIBRARY, Browser, Build, Site, has_ticket, heading, query, words
from tests.support.wires import change_registry
from tests.web.asking import ORACLE, REGISTRY, ask, decide, signed_in, state

HOSTILE = "\"'><script>alert(1)</script>\r\n[click](https://evil.example) \u202eevil\u2066\x1b[31m\x00<@all>{{7*7}}"
"""Markup, a second line, a link and a mention of Webex's, marks that turn text around, what templates carry out."""


@pytest.fixture
def site(build: Build) -> Site:
    """A server with a machine about which Grace and Alan decide, and with programs; no Duo."""
    return build(registry=REGISTRY, settings=REST)


def someone(site: Site, name: str, *mails: str, **more: Any) -> Browser:
    """A browser with the session of somebody with these addresses."""
    return opened(site, name, {"mail": mails, "displayName": (name,)}, **more)


def token_of(browser: Browser) -> str:
    """What forms of this session carry: that for signing out is the same."""
    return str(browser.get("/login").forms[0]["csrf"].value)


def post(browser: Browser, asked: ApprovalRequest, **fields: str) -> TestResponse:
    """Post a decision as the page does, whatever the page would show."""
    return browser.post(f"/approvals/{asked.id}", {"csrf": token_of(browser), "decision": "approved", **fields})


def undecided(site: Site, asked: ApprovalRequest) -> None:
    """Nothing has become of a request."""
    assert state(site, asked) == "pending"
    assert site.journal.named("approval.decided") == []


# -- who ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "mail",
    [
        "gracd@example.edu",
        "xgrace@example.edu",
        "grace+approver@example.edu",
        "grace@example.edu.evil.example",
        "evil.example@example.edu",
        "@example.edu",
        "grace@sub.example.edu",
        "grace@example.edu,grace@evil.example",
        "<grace@example.edu>",
        "mailto:grace@example.edu",
        "gr\u0430ce@example.edu",
        "\uff47race@example.edu",
        "grace\u200b@example.edu",
        "grace@example\u3002edu",
        "gra\u0441e@example.edu",
        "*@example.edu",
        "",
    ],
)
def test_an_address_that_is_like_an_approvers_decides_nothing(site: Site, mail: str) -> None:
    """CWE-863: approvers taken by a part of their address, by its domain, without what follows a plus, by how it looks.
    Who is none is not told that there is such a request.
    """
    asked, browser = ask(site), someone(site, "mallory", *filter(None, [mail]))
    assert browser.get(f"/approvals/{asked.id}").status_int == 404
    assert post(browser, asked).status_int == 404
    assert asked.id not in browser.get("/approvals").text
    undecided(site, asked)


def test_a_letter_that_becomes_another_in_lower_case_is_not_that_letter(build: Build) -> None:
    """CVE-2019-19844 (Django): the Kelvin sign, whose small letter is a plain k."""
    site = build(registry=REGISTRY.replace("Grace@", "Kurt@"))
    asked, browser = ask(site), someone(site, "mallory", "\u212aurt@example.edu")
    assert browser.get(f"/approvals/{asked.id}").status_int == 404
    assert post(browser, asked).status_int == 404
    undecided(site, asked)
    post(someone(site, "kurt", "KURT@example.edu"), asked)
    assert state(site, asked) == "approved"


@pytest.mark.parametrize(
    ("name", "mails"),
    [
        ("grace", ("grace@example.edu",)),
        ("GRACE", ("grace@example.edu",)),
        ("\uff47race", ("alan@example.edu",)),
        ("gr\u00e0ce", ("alan@example.edu",)),
        ("grace-admin", ("Grace@Example.EDU",)),
        ("grace-admin", ("alan@example.edu", "grace@example.edu")),
        ("root2", ("grace@EXAMPLE.edu ",)),
    ],
)
def test_nobody_decides_for_themselves_by_another_account_or_spelling(
    site: Site, name: str, mails: tuple[str, ...]
) -> None:
    """CWE-654: the second pair of eyes is one's own: by the same account, however it is spelled, and by another one
    that has one of the addresses.
    """
    asked, browser = ask(site, "grace"), someone(site, name, *mails)
    assert browser.get(f"/approvals/{asked.id}").html.find("form", class_=False) is None
    assert post(browser, asked).headers["Location"] == f"/cas/approvals/{asked.id}"
    undecided(site, asked)
    assert {event.reason for event in site.journal.named("approval.refused")} == {"oneself"}


def test_the_person_who_works_by_the_account_does_not_decide_about_it(build: Build) -> None:
    """CWE-654: access to an account that is the decider's own."""
    site = build(registry=REGISTRY.replace("account: root", "account: EXAMPLE\\\\grace"))
    asked, grace = ask(site), signed_in(site, "grace")
    post(grace, asked)
    undecided(site, asked)


def test_who_is_no_approver_any_more_decides_nothing_with_what_is_open(site: Site) -> None:
    """CWE-367: the page, the form and the list from before; and where the entry is gone, or needs no approval."""
    asked, grace = ask(site), signed_in(site, "grace")
    page = grace.get(f"/approvals/{asked.id}")
    for old, new in (
        ("Grace@example.edu, ", ""),
        ("requires_approval:", "# requires_approval:"),
        ("oracle-b\n", "b\n"),
    ):
        change_registry(site, old, new)
        form = page.forms[0]
        assert form.submit("decision", value="approved", status="*").status_int in (303, 404)
        assert asked.id not in grace.follow(grace.get("/approvals")).text
    undecided(site, asked)


# -- how ---------------------------------------------------------------------------------------------------------------


def test_nothing_but_a_form_of_ours_posted_from_our_page_decides(site: Site) -> None:
    """CWE-352 and CWE-650: other methods, another origin, without a token, with that of another session, of another
    person, an old one; in the address, twice, as JSON.
    """
    asked, grace, alan = ask(site), signed_in(site, "grace"), signed_in(site, "alan")
    address, path = f"/approvals/{asked.id}", f"/cas/approvals/{asked.id}"
    right = {"decision": "approved", "csrf": token_of(grace)}
    cookie = f"TGC-casduo={grace.session}"
    for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE", "post", "FOO"):
        call(site, method, path, urlencode(right), urlencode(right).encode(), FORM, HTTP_COOKIE=cookie)
    for token in ("", "x", right["csrf"][:-1], right["csrf"] + "x", token_of(alan), token_of(signed_in(site, "grace"))):
        grace.post(address, right | {"csrf": token})
    grace.post(address, {"decision": "approved"})
    grace.post(f"{address}?decision=approved", {"csrf": "x"})
    grace.post(f"{address}?csrf=x", right)
    for kind in ("application/json", "text/plain", "multipart/form-data; boundary=x", ""):
        call(site, "POST", path, "", urlencode(right).encode(), kind, HTTP_COOKIE=cookie)
    for site_header in ("cross-site", "same-site"):
        assert grace.post(address, right, headers={"Sec-Fetch-Site": site_header}).status_int == 403
    for origin in ("https://evil.example", "http://sso.example.edu", "https://sso.example.edu:8443"):
        assert grace.post(address, right, headers={"Origin": origin}).status_int == 403
    undecided(site, asked)
    site.clock.advance(HOURS * 3600.0)
    later = ask(site)
    grace.post(f"/approvals/{later.id}", right)
    undecided(site, later)


HOURS = 13
"""Longer than any form is good for."""


def test_a_session_that_was_put_into_the_browser_decides_nothing_with_the_page_of_another(site: Site) -> None:
    """CWE-384: the page of one session, sent with the cookie of another, or of one that has ended."""
    asked, grace = ask(site), signed_in(site, "grace")
    page = grace.get(f"/approvals/{asked.id}")
    grace.forget_session()
    grace.app.set_cookie("TGC-casduo", signed_in(site, "alan").session)
    page.forms[0].submit("decision", value="approved", status="*")
    undecided(site, asked)
    grace.app.set_cookie("TGC-casduo", signed_in(site, "grace").session)
    assert "Grace" in grace.get("/login").text
    page.forms[0].submit("decision", value="approved", status="*")
    undecided(site, asked)
    other = signed_in(site, "grace")
    page = other.get(f"/approvals/{asked.id}")
    site.composed.parts.tickets.close_sessions_of("grace", "administrator", site.clock())
    assert "/cas/login?" in page.forms[0].submit("decision", value="approved", status="*").headers["Location"]
    undecided(site, asked)


def test_a_decision_changes_nothing_that_was_asked_for(site: Site) -> None:
    """CWE-915: fields that nobody asked for, in the name of the record's own, on both sides."""
    asked, grace = ask(site), signed_in(site, "grace")
    post(grace, asked, **WISHES)
    found = site.composed.parts.approvals.get(asked.id)
    assert found is not None
    assert found.decision is not None
    before, after = asdict(asked), asdict(found)
    for name in ("state", "decision"):
        before.pop(name), after.pop(name)
    assert after == before
    assert (found.state, found.decision.by, found.decision.person) == ("approved", "grace@example.edu", "grace")
    assert found.decision.comment == "Only this"
    assert found.decision.at == site.clock.now


WISHES = {
    **dict.fromkeys(("start", "end", "expires", "created", "at", "max_duration"), "9999999999"),
    **dict.fromkeys(("principal", "by", "decider", "person", "name", "emails", "approvers"), "linus@example.edu"),
    **dict.fromkeys(("id", "nonce", "action", "request", "room", "cards", "account"), "x"),
    **dict.fromkeys(("state", "via", "mine", "own", "late"), "approved"),
    **{"comment": "Only this", "service": LIBRARY, "url": "https://evil.example/", "decision.name": "x"},
}


def test_asking_takes_who_and_what_from_the_login_and_from_nothing_that_is_posted(site: Site) -> None:
    """CWE-915: the form of a request, with the fields of the record, and with other services than the login is for."""
    browser = site.browser()
    page = browser.sign_in("ada", ORACLE)
    for button in ("", "send"):
        form = form_of(page)
        fields = [*form.submit_fields(), *(() if button else [("reason", "The disk")]), (button or "x", "1")]
        named = {name for name, _ in fields}
        fields += [(name, value) for name, value in WISHES.items() if name not in named]
        fields = [(name, LIBRARY if name == "service" else value) for name, value in fields]
        page = browser.follow(browser.post("/login", fields))
    [made] = site.composed.parts.approvals.recent()
    assert (made.principal, made.service, made.url) == ("ada", "oracle-b", ORACLE)
    assert (made.emails, made.room, made.state) == (("ada@example.edu",), "", "pending")
    assert made.target.account == "root"
    assert made.end - made.start <= 7200
    assert made.created == site.clock.now
    assert made.reason == "The disk"


def test_the_time_that_is_reviewed_is_the_time_that_is_asked_for(site: Site) -> None:
    """CWE-472: the page that shows a request once more takes no other time or reason along."""
    browser = site.browser()
    form = form_of(browser.sign_in("ada", ORACLE))
    form["reason"] = "The disk"
    review = form_of(browser.follow(form.submit(status="*")))
    later = {"start_date": "2031-01-01", "end_date": "2031-01-01", "end_time": "23:59", "reason": "Something else"}
    browser.post("/login", [*review.submit_fields(), *later.items(), ("send", "1")])
    for made in site.composed.parts.approvals.recent():
        assert made.reason == "The disk"
        assert made.start <= site.clock.now + 60


def test_of_all_who_press_at_once_one_decides(site: Site) -> None:
    """CWE-362: two who decide, and the one who asked and takes it back, all at the same moment and again."""
    for _ in range(5):
        asked = ask(site)
        people = [signed_in(site, name) for name in ("grace", "alan")]
        pages = [person.get(f"/approvals/{asked.id}").forms[0] for person in people]
        own = signed_in(site).get(f"/requests/{asked.id}").forms[0]
        before = len(site.journal.events)
        sends = [partial(own.submit, status="*")]
        sends += [partial(page.submit, "decision", value=word, status="*") for page in pages for word in WORDS]
        at_once(sends)
        ends = [
            event for event in site.journal.events[before:] if event.name in ("approval.decided", "approval.cancelled")
        ]
        assert len(ends) == 1
        assert ends[0].kind == f"approval.{state(site, asked)}"
        site.composed.parts.store.command("FLUSHALL")


WORDS = ("approved", "rejected")


def at_once(sends: list[Callable[[], object]]) -> None:
    """Do all of these at the same moment."""
    start = threading.Barrier(len(sends))

    def run(send: Callable[[], object]) -> None:
        start.wait()
        send()

    threads = [threading.Thread(target=run, args=(send,)) for send in sends]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_ids_of_requests_cannot_be_guessed_and_no_answer_helps(site: Site) -> None:
    """CWE-340: ids that can be counted. Whatever stands in the address, the page is the same one, and no key of the
    store is reached by it.
    """
    made = [ask(site, f"person{number}").id for number in range(20)]
    assert len(set(made)) == 20
    assert {len(name) for name in made} == {16}
    assert len({name[:4] for name in made}) == 20
    linus, grace = signed_in(site, "linus"), signed_in(site, "grace")
    pages = [linus.get(f"/approvals/{name}") for name in (made[0], "A" * 16, "A" * 64)]
    pages += [linus.get(f"/requests/{name}") for name in (made[0], "A" * 16, "A" * 64)]
    assert len({words(page).partition("Reference")[0] for page in pages}) == 1
    for name in ("waiting", "all00000", "..%2fwaiting", "*", "%00", "of:x", "deadlines", made[0][:8], made[0].lower()):
        assert grace.get(f"/approvals/{name}").status_int == 404


# -- what is written ---------------------------------------------------------------------------------------------------


def test_what_people_write_stays_text_on_pages_in_events_and_in_webex(site: Site) -> None:
    """CWE-79, CWE-117 and CWE-150: reason and comment with markup, lines of their own, links and mentions of Webex's,
    marks that turn text around and what a terminal acts on.
    """
    browser = site.browser()
    form = form_of(browser.sign_in("ada", ORACLE))
    form["reason"] = HOSTILE
    review = browser.follow(form.submit(status="*"))
    waiting = browser.follow(form_of(review).submit("send", status="*"))
    [asked] = site.composed.parts.approvals.recent()
    grace = signed_in(site, "grace")
    page = grace.get(f"/approvals/{asked.id}")
    press = page.forms[0]
    press["comment"] = HOSTILE
    told = grace.follow(press.submit("decision", value="rejected", status="*"))
    again = browser.get(f"/requests/{asked.id}")
    pages = [review, waiting, page, told, again, grace.get("/approvals"), browser.get("/requests")]
    for shown in pages:
        assert "<script>alert" not in shown.text
        assert not set(shown.text) & set("\u202e\u2066\x1b\x00")
    [decided] = [event for event in site.journal.events if isinstance(event, ApprovalDecided)]
    [requested] = site.journal.named("approval.requested")
    for text in (decided.comment, requested.reason):
        assert text.isprintable()
        assert len(text) <= 500
    settings = WebexSettings(token="x", room="room")  # type: ignore[arg-type]
    rows = site.composed.parts.store.command("XRANGE", "casduo:{events}:stream", "-", "+")
    assert rows
    for message in _messages(rows, settings, site):
        assert "\n" not in message
        assert "<@all>" not in message.replace("\\<@all\\>", "")


def _messages(rows: list[Any], settings: WebexSettings, site: Site) -> list[str]:
    records = [EventRecord.from_json(dict(zip(flat[::2], flat[1::2], strict=True))["record"]) for _, flat in rows]
    registry = site.composed.parts.services.current()
    found = [message for record in records for message in messages_for(record, settings, registry, Look())]
    return [str(message.body.get("markdown", "")) for message in found]


# -- pages -------------------------------------------------------------------------------------------------------------


def test_no_page_can_be_framed_kept_or_told_to_others(site: Site) -> None:
    """CWE-1021 and CWE-525: every page about requests, good and bad, for people and for the script."""
    asked, grace, ada = ask(site), signed_in(site, "grace"), signed_in(site)
    answers = [browser.get(path) for browser in (grace, ada, site.browser()) for path in _paths(asked)]
    answers += [post(grace, asked, decision="perhaps"), ada.post(f"/requests/{asked.id}/cancel", {"csrf": "x"})]
    answers += [ada.login_page(ORACLE)]
    for answer in answers:
        assert answer.headers["Cache-Control"] == "no-store", answer.request.url
        if answer.content_type == "text/html" and answer.status_int == 200:
            policy = answer.headers["Content-Security-Policy"]
            assert "frame-ancestors 'none'" in policy
            assert "unsafe" not in policy
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def _paths(asked: ApprovalRequest) -> list[str]:
    rests = ["", "/", f"/{asked.id}", f"/{asked.id}/status", "/A1b2C3d4E5f6", "/x"]
    return [f"/{area}{rest}" for area in ("requests", "approvals") for rest in rests]


@pytest.mark.parametrize(
    "strength",
    [
        Strength(),
        Strength.bypassed(DUO_BYPASS, -3601.0),
        Strength.bypassed(UNAVAILABLE, 0.0),
        Strength.bypassed(UNENROLLED, 0.0),
        Strength.trusted(0.0),
        Strength.duo("push", -3601.0),
        Strength.duo("push", -86_400.0).after_bypass(UNAVAILABLE, 0.0),
    ],
    ids=lambda strength: f"{strength.level}-{strength.why}-{strength.at}-{strength.application}",
)
def test_only_fresh_duo_of_the_person_leads_to_the_pages_of_those_who_decide(
    build: Build, duo_settings: str, strength: Strength
) -> None:
    """CWE-308: deciding with less than a second factor: none, a bypass, an outage, a trusted browser, one long ago."""
    site = build(registry=REGISTRY, settings=duo_settings + REST)
    asked, now = ask(site, begins=7200), site.clock()
    if strength.level != "none":
        strength = Strength(strength.level, strength.factor, now + strength.at, strength.why, strength.application)
    grace = someone(site, "grace", "grace@example.edu", strength=strength)
    for answer in (grace.get("/approvals"), grace.get(f"/approvals/{asked.id}"), post(grace, asked)):
        assert answer.headers["Location"].startswith("/cas/login?"), strength
    undecided(site, asked)
    fresh = someone(site, "grace", "grace@example.edu", strength=Strength.duo("push", now - 1))
    assert fresh.get(f"/approvals/{asked.id}").status_int == 200


def test_a_session_that_a_program_made_decides_nothing(build: Build, duo_settings: str) -> None:
    """CWE-308: the session of the REST protocol, made by a password alone, put into a browser."""
    site = build(registry=REGISTRY, settings=duo_settings + REST)
    asked, grace = ask(site), site.browser()
    made = Program(site).sign_in("grace")
    grace.app.set_cookie("TGC-casduo", made.header("Location").rpartition("/")[2])
    for answer in (grace.get("/approvals"), grace.get(f"/approvals/{asked.id}"), post(grace, asked)):
        assert answer.headers["Location"].startswith("/cas/login?")
    undecided(site, asked)


def test_where_a_request_began_is_no_way_out(site: Site) -> None:
    """CWE-601: the address that was asked for belongs to another service by now, or to none, or the entry is off."""
    asked, ada = ask(site), signed_in(site)
    decide(site, asked)
    path = f"/requests/{asked.id}"
    assert ada.get(path).html.find(id="continue") is not None
    changes: Mapping[str, str] = {
        "targets/oracle-b": "targets/oracle-moved",
        "https://library.example.edu/**": "https://gateway.example.edu/**",
        "- id: oracle-b": "- id: oracle-b\n    enabled: false",
    }
    for old, new in changes.items():
        change_registry(site, old, new)
        page = ada.get(path)
        assert page.html.find(id="continue") is None
        assert "gateway" not in page.text
    for way in ("?next=https://evil.example/", "?service=//evil.example", "?ticket=ST-x&url=https://evil.example/"):
        answer = ada.get(path + way)
        assert answer.headers.get("Location", "/cas/").startswith("/cas/")
        assert "evil" not in answer.headers.get("Location", "")
    assert not has_ticket(ada.get("/login" + query(service="https://sso.example.edu.evil.example/cas/requests")))
    assert heading(ada.get(path)) == "Approved"
