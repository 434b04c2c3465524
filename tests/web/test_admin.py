"""The administration pages: what each shows, and what is changed there."""

from __future__ import annotations

import json
import re

import pytest

from casduo.approvals.model import ApprovalRequest
from casduo.endpoints.admin.routes import PAGES
from casduo.events.messages import Message
from casduo.events.outbox import Outbox
from casduo.protocol.failures import Failure
from casduo.tickets import finding
from casduo.tickets.ledger import Telling
from casduo.tickets.model import Visit
from casduo.tickets.signouts import new_sign_out
from tests.events.outboxes import Hand
from tests.events.trails import record, sign_ins, write_trail
from tests.support.site import Site, heading, words
from tests.web import admins
from tests.web.admins import address, admin, lives, opened, post, session_of
from tests.web.asking import ask, state

shared, site = admins.shared, admins.site

NAME = "/admin/sessions"


# -- the frame ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["ada", "grace"])
def test_every_page_can_be_looked_at_by_both_roles_and_is_written_down(site: Site, who: str) -> None:
    browser, asked = admin(site, who), ask(site)
    listed = [page.path for page in PAGES if page.title]
    for page in opened():
        path = address(page, asked.id) + ("?user=alan" if page.path == "/admin/sessions/end" else "")
        answer = browser.get(path)
        assert answer.status_int == 200, path
        assert answer.text.count('aria-current="page"') == 1, path
        assert [f'href="/cas{one}"' in answer.text for one in listed] == [True] * len(listed)
        assert ("may view and change." in answer.text) == (who == "ada")
    seen = site.journal.named("admin.viewed")
    assert [event.page for event in seen] == [page.path for page in opened()]
    assert {(event.principal, event.role) for event in seen} == {(who, "change" if who == "ada" else "view")}


def test_who_looks_sees_no_form_that_changes_anything(site: Site) -> None:
    browser, asked = admin(site, "grace"), ask(site)
    session_of(site, "alan")
    for page in opened():
        if page.post == "ask":
            continue
        answer = browser.get(address(page, asked.id) + ("?user=alan" if page.path.startswith(NAME) else ""))
        posting = re.findall(r'<form [^>]*method="post"[^>]*', answer.text)
        # The choice of a language stands on every page.
        assert all('action="/cas/language"' in form for form in posting), page.path


def test_the_pages_are_listed_for_administrators_alone(site: Site) -> None:
    for who, listed in (("ada", True), ("grace", True), ("linus", False)):
        assert ('href="https://sso.example.edu/cas/admin/"' in admin(site, who).get("/login").text) == listed


def test_a_login_on_the_way_comes_back_to_the_page_with_what_was_searched(site: Site) -> None:
    browser = site.browser()
    asked = browser.get("/admin/sessions?user=alan&service=")
    back = browser.fill(browser.follow(asked), "grace")
    assert back.headers["Location"].startswith("https://sso.example.edu/cas/admin/sessions?user=alan&ticket=ST-")
    arrived = browser.follow(browser.get(back.headers["Location"]))
    assert "ticket" not in arrived.request.url
    assert arrived.request.params["user"] == "alan"


def test_the_address_without_its_slash_leads_there(site: Site) -> None:
    assert site.browser().get("/admin").headers["Location"] == "/cas/admin/"


# -- sessions ----------------------------------------------------------------------------------------------------------


def found(site: Site, query: str, who: str = "grace") -> list[str]:
    """Return whose sessions a search finds."""
    page = admin(site, who).get(f"{NAME}?{query}")
    assert page.status_int == 200, words(page)
    return [cell.a.text.strip() for cell in page.html.find_all("th", scope="row")]


def test_sessions_are_found_by_user_address_network_and_service(site: Site) -> None:
    session_of(site, "alan", ("library",), address="198.51.100.9")
    session_of(site, "linus", ("library", "payroll"), address="198.51.100.77")
    session_of(site, "linus", (), address="2001:db8::7")
    assert found(site, "user=Alan") == ["alan"]
    assert sorted(found(site, "user=linus")) == ["linus", "linus"]
    assert found(site, "address=198.51.100.9") == ["alan"]
    assert sorted(found(site, "address=198.51.100.0/25")) == ["alan", "linus"]
    assert sorted(found(site, "address=198.51.0.0/16")) == ["alan", "linus"]
    assert found(site, "address=2001:db8::/64") == ["linus"]
    assert found(site, "service=payroll") == ["linus"]
    assert found(site, "service=library&address=198.51.100.77") == ["linus"]
    assert found(site, "user=linus&service=payroll&address=2001:db8::7") == []


def test_a_session_is_shown_with_what_it_has(site: Site) -> None:
    session_of(site, "alan", ("library", "payroll", "library"))
    page = words(admin(site).get(f"{NAME}?user=alan"))
    for fact in ("Firefox on Linux", "198.51.100.9", "Password and Duo (approved on a device)", "users_file"):
        assert fact in page
    assert "Library catalogue Payroll" in page


def test_a_long_list_comes_in_pages(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casduo.admin.sessions.SHOWN", 2)
    monkeypatch.setattr("casduo.endpoints.admin.sessions.SHOWN", 2)
    opened = {session_of(site, "alan").id.fingerprint[:8] for _ in range(5)}
    browser, seen, query = admin(site), set(), "?user=alan"
    for number in ("Page 1 of 3", "Page 2 of 3", "Page 3 of 3"):
        page = browser.get(f"{NAME}{query}")
        assert number in words(page)
        shown = {found.text for found in page.html.select("tbody .reference")}
        assert not seen & shown
        seen |= shown
        after = page.html.find("a", rel="next")
        query = after["href"].removeprefix("/cas/admin/sessions") if after is not None else ""
    assert (seen, query) == (opened, "")
    for wrong in ("0", "-1", "x", "9" * 30):
        assert browser.get(f"{NAME}?user=alan&page={wrong}").status_int == 200


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("address=yesterday", "This is not an address or a network."),
        ("address=10.0.0.0/8", "too large to look for alone"),
        ("service=nowhere", "No application of the registry has this id."),
    ],
)
def test_what_cannot_be_looked_for_is_said_and_kept(site: Site, query: str, said: str) -> None:
    page = admin(site).get(f"{NAME}?{query}")
    assert page.status_int == 422
    assert said in words(page)
    assert page.forms[0][query.partition("=")[0]].value == query.partition("=")[2]


def test_nothing_is_ended_by_looking_at_what_would_be(site: Site) -> None:
    sessions = [session_of(site, "alan"), session_of(site, "alan")]
    page = admin(site).get(f"{NAME}/end?user=alan")
    assert heading(page) == "End 2 sign-ins?"
    assert all(lives(site, session) for session in sessions)


def test_one_session_is_ended_and_the_others_go_on(site: Site) -> None:
    one, other = session_of(site, "alan", ("library",)), session_of(site, "alan")
    browser = admin(site)
    page = browser.get(f"{NAME}/end?user=alan&session={one.id.fingerprint[:8]}")
    form = page.forms[0]
    form["reason"] = "A stolen\nlaptop"
    done = browser.follow(form.submit(status="*"))
    assert "1 sign-in was ended." in words(done)
    assert (lives(site, one), lives(site, other)) == (False, True)
    (changed,) = site.journal.named("admin.changed")
    assert (changed.principal, changed.action, changed.reason) == ("ada", "sessions.ended", "A stolen laptop")
    (ended,) = site.journal.named("signout")
    assert (ended.principal, ended.cause, ended.sessions, ended.by) == ("alan", "administrator", 1, "ada")
    assert site.composed.parts.store.command("XLEN", "casduo:{signouts}:orders") == 1


def test_all_of_a_user_end_and_logins_under_way_as_well(site: Site) -> None:
    sessions = [session_of(site, "alan"), session_of(site, "alan")]
    done = post(site, admin(site), f"{NAME}/end", user="alan")
    assert done.headers["Location"] == "/cas/admin/sessions?user=alan&ended=2"
    assert not any(lives(site, session) for session in sessions)
    assert site.composed.parts.tickets.all_ended_since("alan", site.clock(), site.clock())


def test_what_another_administrator_has_ended_already_is_not_ended_twice(site: Site) -> None:
    session_of(site, "alan", ("payroll",))
    one, other = admin(site), admin(site)
    review = other.get(f"{NAME}/end?service=payroll")
    post(site, one, f"{NAME}/end", service="payroll")
    said = words(other.follow(review.forms[0].submit(status="*")))
    assert "There was no sign-in left to end." in said
    changed = [(event.action, event.object) for event in site.journal.named("admin.changed")]
    assert changed == [("sessions.ended", "service:payroll; ended: 1")]
    assert [event.sessions for event in site.journal.named("signout")] == [1]


def test_all_of_a_person_end_also_those_that_were_not_counted(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "MOST", 1)
    sessions = [session_of(site, "alan"), session_of(site, "alan")]
    browser = admin(site)
    review = browser.get(f"{NAME}/end?user=alan")
    assert "There are more of this person; all of them end." in words(review)
    review.forms[0].submit(status="*")
    assert not any(lives(site, session) for session in sessions)
    assert [event.object for event in site.journal.named("admin.changed")] == ["user:alan; ended: 2"]


def test_all_of_a_service_end_with_the_names_of_whom_it_was(site: Site) -> None:
    gone = [session_of(site, who, ("payroll",)) for who in ("alan", "alan", "linus")]
    stays = session_of(site, "alan", ("library",))
    browser = admin(site)
    review = words(browser.get(f"{NAME}/end?service=payroll"))
    assert "End 3 sign-ins? 2 people have to sign in again." in review
    post(site, browser, f"{NAME}/end", service="payroll")
    assert not any(lives(site, session) for session in gone)
    assert lives(site, stays)
    told = {event.principal: event.sessions for event in site.journal.named("signout")}
    assert told == {"alan": 2, "linus": 1}


def test_one_s_own_session_among_them_is_said_before_it_ends(site: Site) -> None:
    browser = admin(site)
    assert "Your own sign-in is among them" in words(browser.get(f"{NAME}/end?user=ada"))
    done = post(site, browser, f"{NAME}/end", user="ada")
    assert browser.get(done.headers["Location"].removeprefix("/cas")).headers["Location"].startswith("/cas/login?")


def test_a_form_without_anything_to_look_for_ends_nothing(site: Site) -> None:
    session = session_of(site, "alan")
    browser = admin(site)
    for fields in ({}, {"session": session.id.fingerprint[:8]}, {"address": "0.0.0.0/0"}, {"user": "", "service": "x"}):
        assert post(site, browser, f"{NAME}/end", **fields).status_int == 303
    assert lives(site, session)
    assert site.journal.named("admin.changed") == []


# -- requests for access -----------------------------------------------------------------------------------------------


def test_a_request_that_waits_is_cancelled_by_name(site: Site) -> None:
    asked: ApprovalRequest = ask(site, "alan")
    browser = admin(site)
    assert "Alan L" in words(browser.get("/admin/approvals"))
    form = browser.get(f"/admin/approvals/{asked.id}").forms[0]
    form["reason"] = "asked by phone"
    after = browser.follow(form.submit(status="*"))
    assert "Withdrawn" in words(after)
    assert state(site, asked) == "cancelled"
    assert [event.by for event in site.journal.named("approval.cancelled")] == ["administrator"]
    assert [event.reason for event in site.journal.named("admin.changed")] == ["asked by phone"]
    late = browser.follow(post(site, browser, f"/admin/approvals/{asked.id}"))
    assert "It could not be cancelled" in words(late)
    assert len(site.journal.named("admin.changed")) == 1


# -- messages ----------------------------------------------------------------------------------------------------------


def dead_letters(site: Site, *names: str) -> None:
    """Put messages into the outbox, and let none of them be sent."""
    store = site.composed.parts.store
    batch = store.batch()
    messages = [Message(name, f"room:{name}", "event", {"text": "between ada and alan"}) for name in names]
    Outbox(store).enqueue(batch, messages)
    batch.run()
    hand = Hand(store)
    for token in hand.tokens():
        hand.bury(hand.begun(token))


def letters(site: Site) -> list[str]:
    """Return the ids of the dead letters."""
    server = site.composed.application.server
    assert server.admin is not None
    return [letter.message.id for letter in server.admin.outbox.letters(10)]


def test_dead_letters_are_sent_again_or_dropped_with_a_reason(site: Site) -> None:
    dead_letters(site, "m1", "m2", "m3", "m4")
    browser = admin(site)
    page = browser.get("/admin/outbox")
    assert "4 messages could not be sent" in words(page)
    assert "between ada and alan" not in page.text
    assert "It will be sent again." in words(
        browser.follow(post(site, browser, "/admin/outbox", id="m1", do="retry", reason="the room is back"))
    )
    assert "It was dropped." in words(browser.follow(post(site, browser, "/admin/outbox", id="m2", do="drop")))
    assert letters(site) == ["m3", "m4"]
    post(site, browser, "/admin/outbox", do="retry_all")
    assert letters(site) == []
    changed = [(event.action, event.object, event.reason) for event in site.journal.named("admin.changed")]
    assert changed == [
        ("outbox.retried", "m1", "the room is back"),
        ("outbox.dropped", "m2", ""),
        ("outbox.retried", "2 messages", ""),
    ]
    assert [event.by for event in site.journal.named("message.redriven")] == ["ada"] * 3


@pytest.mark.parametrize("fields", [{"id": "m9", "do": "drop"}, {"id": "m1", "do": "burn"}, {"do": "retry"}, {}])
def test_what_is_not_there_is_not_changed_and_said(site: Site, fields: dict[str, str]) -> None:
    dead_letters(site, "m1")
    browser = admin(site)
    said = browser.follow(post(site, browser, "/admin/outbox", **fields))
    assert "Nothing was changed" in words(said)
    assert letters(site) == ["m1"]


# -- what applications were told, and what failed ----------------------------------------------------------------------


def test_the_ledger_of_an_application_is_shown_with_masked_tickets(site: Site) -> None:
    session = session_of(site, "alan", ("library",))
    visit = Visit("ST-Ab1c-0123456789abcdefghijABCDEFGHIJ", "https://library.example.edu/", "library")
    batch = site.composed.parts.store.batch()
    site.composed.application.server.admin.ledger.write(  # type: ignore[union-attr]
        batch, new_sign_out(session.id.tag), visit, Telling("failed", 500, "refused", 40, 2, site.clock())
    )
    batch.run()
    page = admin(site).get("/admin/signouts?service=library")
    assert "It did not answer, or refused 500 refused" in words(page)
    assert visit.ticket not in page.text


def test_failed_validations_are_explained(site: Site) -> None:
    failure = Failure(site.clock(), "payroll", "p3/serviceValidate", "INVALID_TICKET", "unknown", "not known")
    text = f"{int(failure.at)} {json.dumps({name: getattr(failure, name) for name in failure.__slots__})}"
    site.composed.parts.store.command("LPUSH", "casduo:{failures:payroll}", text)
    page = words(admin(site).get("/admin/failures?service=payroll"))
    assert "The ticket was not known: used before, too old, or never granted here." in page
    assert admin(site).get("/admin/failures?service=nowhere").status_int == 422
    assert "No validation has failed lately." in words(admin(site).get("/admin/failures?service=library"))


# -- the audit trail ---------------------------------------------------------------------------------------------------


def test_the_audit_trail_is_searched_from_its_end(site: Site) -> None:
    directory = site.settings_file.parent / "state" / "audit"
    write_trail(directory, [*sign_ins(120), record("last")])
    browser = admin(site)
    page = browser.get("/admin/audit?user=ada&kind=signin.*")
    assert "The 20 lines that were read are as they were written" in words(page)
    rows = page.html.find_all("th", scope="row")
    assert len(rows) == 20
    assert "Line 121" in rows[0].text
    older = browser.get(page.html.find("a", string="Go on with older entries")["href"].removeprefix("/cas"))
    assert "Line 101" in older.html.find("th", scope="row").text
    assert "Nothing was found" in words(browser.get("/admin/audit?user=nobody"))
    assert older.request.GET["user"] == "ada"
    assert older.request.GET["kind"] == "signin.*"
    wrong = browser.get("/admin/audit?kind=nothing&from=yesterday&until=%3Cb%3E")
    assert wrong.status_int == 422
    for name, typed in (("kind", "nothing"), ("from", "yesterday"), ("until", "<b>")):
        field = wrong.html.find(id=name)
        assert (field["value"], field["aria-invalid"]) == (typed, "true")
        assert f"{name}-problem" in field["aria-describedby"].split()
        assert wrong.html.find(id=f"{name}-problem").text
    assert browser.get("/admin/audit?before=yesterday").status_int == 422


def test_a_trail_that_cannot_be_read_is_said_and_logged(site: Site) -> None:
    directory = site.settings_file.parent / "state" / "audit"
    in_the_way = directory / "audit-999999999999.jsonl"
    in_the_way.mkdir(parents=True)
    try:
        assert "cannot be read from here" in words(admin(site).get("/admin/audit"))
        assert [event.code for event in site.journal.named("fault")] == ["AUDIT_UNREADABLE"]
    finally:
        in_the_way.rmdir()


# -- the server itself -------------------------------------------------------------------------------------------------


def test_the_first_page_and_health_say_that_the_registry_file_was_rejected(site: Site) -> None:
    registry = site.settings_file.parent / "registry.yaml"
    before, source = registry.read_text(), site.composed.parts.services
    try:
        registry.write_text(before + "  - id: library\n")
        source.poll()
        browser = admin(site)
        assert "has 3 mistakes" in words(browser.get("/admin/"))
        assert "is used twice" in words(browser.get("/admin/health"))
    finally:
        registry.write_text(before)
        source.poll()
