"""Services that somebody has to approve: no way in without an approval, by another one, or outside its time."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from webtest.response import TestResponse

from casduo.approvals.asking import Window, new_request, requested_event
from casduo.approvals.model import ApprovalRequest
from casduo.approvals.telling import cancelled_event
from casduo.events.model import Subject
from casduo.simulators.certificates import LeafFiles
from tests.security.steps import opened
from tests.support.portal import (
    PORTAL,
    Portal,
    ask_proxy,
    asked_with,
    proxy_granting,
    proxy_ticket_of,
    refusal_of,
    trusting,
)
from tests.support.rest import REST, Program
from tests.support.site import LIBRARY, PASSWORDS, Browser, Build, Site, has_ticket, heading, query, ticket_of
from tests.support.ward import Ward, entry
from tests.support.wires import LAX, Wire, change_registry, every_wire
from tests.web.asking import ORACLE, REGISTRY, ask, decide, signed_in, state

ASKING = "Ask for access to OracleLinux_SystemB"
HOUR = 3600.0
OTHER_SERVICE = """
  - id: oracle-c
    name: OracleLinux_SystemC
    url: https://gateway.example.edu/targets/oracle-c
    requires_approval: {approvers: [grace@example.edu], max_duration: 2h}
"""
PROXIES = """
  - id: {name}
    name: {name}
    url: {url}
    proxy: {{allow: true, callback: '{callback}', private_addresses: true}}
"""
PEOPLE = (
    "ada",
    "Ada",
    "ADA",
    "\u00e0da",
    "ad\u00e2",
    "\uff41da",
    "\u0430da",
    "ad\u200ba",
    "ada.",
    "ada ",
    "\u212bda",
    "ada\u0301",
)
"""One person, and others whose names some directory or other takes for hers."""


@pytest.fixture
def site(build: Build) -> Site:
    """A server with a machine that somebody has to approve, and with programs; no Duo."""
    return build(registry=REGISTRY + OTHER_SERVICE, settings=REST)


def form_of(page: TestResponse) -> Any:
    """The form of a login that waits."""
    return next(form for form in page.forms.values() if "execution" in form.fields)


def ways_in(browser: Browser, service: str = ORACLE) -> list[TestResponse]:
    """What a browser gets by each way there is to ask for a ticket on a session, and by those that there are not."""
    addresses = (
        query(service=service),
        query(service=service, gateway="true"),
        query(service=service, method="POST"),
        query(service=service, method="HEADER"),
        query(service=service, warn="true"),
        query(TARGET=service),
        query(service=service.replace("https://gateway", "HTTPS://GATEWAY")),
        query(service=service + "?approved=true"),
        query(service=service) + "&request=approved&permit=1&approval.owed=no&_eventId=granted",
    )
    return [browser.follow(browser.get("/login" + address)) for address in addresses]


def stays_out(site: Site, browser: Browser, service: str = ORACLE) -> None:
    """Nobody gets in by any of them."""
    before = len(site.journal.named("ticket.granted"))
    for answer in ways_in(browser, service):
        assert not has_ticket(answer), answer.request.url
        assert "ticket" not in answer.headers
        assert not re.search(r"\bST-", answer.text)
    assert len(site.journal.named("ticket.granted")) == before


# -- no approval that counts -------------------------------------------------------------------------------------------


def nothing(site: Site) -> None:
    """Nobody has asked."""


def waiting(site: Site) -> None:
    ask(site)


def rejected(site: Site) -> None:
    decide(site, ask(site), "rejected")


def cancelled(site: Site) -> None:
    asked = ask(site)
    site.composed.parts.approvals.cancel(asked.id, cancelled_event(asked), site.clock())


def expired(site: Site) -> None:
    ask(site)
    site.clock.advance(HOUR)


def early(site: Site) -> None:
    decide(site, ask(site, begins=600))


def over(site: Site) -> None:
    decide(site, ask(site, lasts=600))
    site.clock.advance(600)


def somebody_else(site: Site) -> None:
    decide(site, ask(site, "linus"))


def something_else(site: Site) -> None:
    asked_for(site, "oracle-c")


NO_LEAVE = [nothing, waiting, rejected, cancelled, expired, early, over, somebody_else, something_else]


def asked_for(site: Site, service: str, principal: str = "ada") -> ApprovalRequest:
    """An approved request of somebody for any service, for an hour from now."""
    parts = site.composed.parts
    entry = parts.services.current().by_id(service)
    assert entry is not None
    assert entry.requires_approval is not None
    window = Window(site.clock.now, site.clock.now + HOUR, "Patches")
    terms = {"principal": principal, "attributes": {}, "url": ORACLE, "room": "", "now": site.clock.now}
    made = new_request(entry, entry.requires_approval, window, **terms)  # type: ignore[arg-type]
    assert parts.approvals.create(made, requested_event(made, Subject(principal=principal)), 50) == "created"
    decide(site, made)
    return made


@pytest.mark.parametrize("leave", NO_LEAVE, ids=lambda leave: leave.__name__)
def test_without_an_approval_that_counts_no_way_leads_in(site: Site, leave: Callable[[Site], None]) -> None:
    """CWE-862: a check of the form that another way in does not have. By browser on a session, with the password typed
    anew, and by programs with a session, a password, and the session of a browser.
    """
    leave(site)
    browser = signed_in(site)
    stays_out(site, browser)
    renewed = site.browser()
    assert not has_ticket(renewed.fill(renewed.login_page(ORACLE, renew="true"), "ada"))
    program = Program(site)
    assert program.ticket(browser.session, ORACLE).status == 403
    assert program.renew(browser.session, "ada", ORACLE).status == 403
    assert program.sign_in("ada", service=ORACLE).status == 403
    assert program.post("/v1/users", username="ada", password=PASSWORDS["ada"], service=ORACLE).status == 403
    assert {event.service for event in site.journal.named("ticket.granted")} <= {"library"}


@pytest.mark.parametrize("other", PEOPLE[1:])
def test_the_approval_of_a_name_that_looks_alike_is_somebody_elses(site: Site, other: str) -> None:
    """CVE-2019-19844 (Django): names that fold to the same are taken for one person. What was approved for one opens
    nothing to the other; nor does the other see it, withdraw it, or learn that there is one.
    """
    asked = ask(site, other)
    own = opened(site, "ada", {"mail": ("ada@example.edu",)})
    page = own.get(f"/requests/{asked.id}")
    assert page.status_int == 404
    assert own.get(f"/requests/{asked.id}/status").json == {"stage": "gone", "again": 0}
    assert asked.id not in own.get("/requests").text
    mine = ask(site)
    token = own.get(f"/requests/{mine.id}").forms[0]["csrf"].value
    assert own.post(f"/requests/{asked.id}/cancel", {"csrf": token}).status_int == 404
    assert state(site, asked) == "pending"
    own.get(f"/requests/{mine.id}").forms[0].submit(status="*")
    decide(site, asked)
    stays_out(site, own)
    assert Program(site).ticket(own.session, ORACLE).status == 403
    assert has_ticket(opened(site, other).get("/login" + query(service=ORACLE)))


def test_a_name_that_looks_alike_does_not_use_up_what_one_may_ask_for(site: Site) -> None:
    """CVE-2019-19844 (Django), the other way round: who is refused under a name that looks like another shuts nobody
    else out, and their request that waits is in nobody's way.
    """
    for _ in range(3):
        decide(site, ask(site, "\u00e0da"), "rejected")
    ask(site, "\uff41da")
    assert heading(site.browser().sign_in("ada", ORACLE)) == ASKING


# -- tickets that are out ----------------------------------------------------------------------------------------------


@every_wire
def test_a_ticket_does_not_outlive_the_approval_by_any_protocol(site: Site, wire: Wire) -> None:
    """CWE-613: tickets that outlast what they were granted by. Validated a moment before the end it is good, at the
    end it is not.
    """
    asked = ask(site, lasts=600)
    decide(site, asked)
    browser = signed_in(site)
    site.clock.now = asked.end - 1
    early, late = (ticket_of(browser.login_page(ORACLE)) for _ in range(2))
    assert wire.accepts(wire.ask(site, {"service": ORACLE, "ticket": early}))
    site.clock.now = asked.end
    assert not wire.accepts(wire.ask(site, {"service": ORACLE, "ticket": late}))
    stays_out(site, browser)


@every_wire
def test_a_ticket_from_before_the_registry_demanded_an_approval_is_none(build: Build, wire: Wire) -> None:
    """CWE-367: what was checked under other rules. A ticket that is out when an entry gets ``requires_approval`` is of
    no use, and neither is the session.
    """
    rule = "    requires_approval: {approvers: [Grace@example.edu, alan@example.edu], max_duration: 2h}\n"
    site = build(registry=REGISTRY.replace(rule, ""))
    browser = site.browser()
    ticket = ticket_of(browser.sign_in("ada", ORACLE))
    change_registry(site, "    target:", f"{rule}    target:")
    assert not wire.accepts(wire.ask(site, {"service": ORACLE, "ticket": ticket}))
    stays_out(site, browser)


def test_an_approval_is_for_the_entry_that_was_asked_for(site: Site) -> None:
    """CWE-863: the right for one thing used for another. An entry that gets another id asks anew, and a ticket that is
    out for the one is none for the other; another that takes over the id's address has nothing of it either.
    """
    decide(site, ask(site))
    browser = signed_in(site)
    ticket = ticket_of(browser.login_page(ORACLE))
    change_registry(site, "- id: oracle-b", "- id: oracle-new")
    assert not LAX.accepts(LAX.ask(site, {"service": ORACLE, "ticket": ticket}))
    stays_out(site, browser)
    change_registry(site, "targets/oracle-b", "targets/old")
    change_registry(site, "targets/oracle-c", "targets/oracle-b")
    stays_out(site, browser)


def test_the_ticket_for_one_machine_is_none_for_another(site: Site) -> None:
    """CWE-863: by validating it as another service's, of the same application."""
    decide(site, ask(site))
    for other in ("https://gateway.example.edu/targets/oracle-c", ORACLE + "/../oracle-c", ORACLE.upper()):
        ticket = ticket_of(signed_in(site).login_page(ORACLE))
        assert not LAX.accepts(LAX.ask(site, {"service": other, "ticket": ticket}))


# -- while a page is open ----------------------------------------------------------------------------------------------


def test_an_approval_that_ends_while_a_page_asks_first_is_over(build: Build) -> None:
    """CWE-367: the page that asks before an application learns who somebody is. What ended while it was open is over;
    what is still open leads to a ticket that ends with it.
    """
    site = build(registry=REGISTRY.replace("    target:", "    warn: true\n    target:"))
    asked = ask(site, lasts=600)
    decide(site, asked)
    browser = signed_in(site)
    pages = [browser.login_page(ORACLE) for _ in range(2)]
    assert [heading(page) for page in pages] == ["Go on to OracleLinux_SystemB?"] * 2
    site.clock.now = asked.end - 1
    ticket = ticket_of(browser.follow(form_of(pages[0]).submit(status="*")))
    site.clock.now = asked.end
    assert heading(browser.follow(form_of(pages[1]).submit(status="*"))) == ASKING
    assert not LAX.accepts(LAX.ask(site, {"service": ORACLE, "ticket": ticket}))


def test_a_page_from_before_the_registry_demanded_an_approval_leads_no_further(build: Build) -> None:
    """CWE-367: the rules change while the password form and the page that asks first are open."""
    rule = "    requires_approval: {approvers: [Grace@example.edu, alan@example.edu], max_duration: 2h}\n"
    site = build(registry=REGISTRY.replace(rule, "    warn: true\n"))
    browser, other = signed_in(site), site.browser()
    warned, form = browser.login_page(ORACLE), other.login_page(ORACLE)
    change_registry(site, "    warn: true\n", f"{rule}    warn: true\n")
    assert heading(browser.follow(form_of(warned).submit(status="*"))) == ASKING
    assert heading(other.fill(form, "ada")) == ASKING
    assert site.journal.named("ticket.granted") == [site.journal.named("ticket.granted")[0]]


@pytest.mark.parametrize("page", ["form", "review"])
@pytest.mark.parametrize("to", ["", "    enabled: false\n"])
def test_a_registry_that_changes_while_the_form_is_open_sends_nobody_round_for_ever(
    site: Site, page: str, to: str
) -> None:
    """CWE-835: a page that sends the browser back to itself. Where the service needs no approval any more, the login
    goes on; where it is switched off, that is said.
    """
    browser = site.browser()
    shown = browser.sign_in("ada", ORACLE)
    form = form_of(shown)
    form["reason"] = "The disk is full"
    if page == "review":
        shown = browser.follow(form.submit(status="*"))
        form = form_of(shown)
    rule = "    requires_approval: {approvers: [Grace@example.edu, alan@example.edu], max_duration: 2h}\n"
    change_registry(site, rule, to)
    answers = browser.get(shown.request.url), form.submit("send" if page == "review" else None, status="*")
    for answer in answers:
        for _ in range(5):
            if answer.headers.get("Location", "").startswith("/cas/"):
                answer = browser.follow(browser.get(answer.headers["Location"].removeprefix("/cas")))
        assert has_ticket(answer) or (to and heading(answer) == "OracleLinux_SystemB is switched off"), answer
    assert site.composed.parts.approvals.recent() == []


def test_of_two_windows_the_one_left_open_asks_anew_when_it_is_over(site: Site) -> None:
    """CWE-367: a form that lies in another window since the approval was there."""
    asked = ask(site, lasts=600)
    browser = site.browser()
    left = browser.login_page(ORACLE)
    browser.sign_in("ada", "")
    decide(site, asked)
    assert has_ticket(browser.login_page(ORACLE))
    site.clock.now = asked.end
    assert not has_ticket(browser.fill(left, "ada"))
    stays_out(site, browser)


# -- proxies -----------------------------------------------------------------------------------------------------------


def test_no_proxy_stays_in_after_the_end(build: Build, portal: Portal, trusted: LeafFiles) -> None:
    """CWE-613: the proxy-granting ticket of a session that goes on. Of an application that was entered by an approval,
    and to a target that needs one.
    """
    more = PROXIES.format(name="portal", url="https://portal.example.edu/**", callback=portal.callback)
    registry = REGISTRY + more
    registry = registry.replace(
        "    target:",
        f"    proxy: {{allow: true, callback: '{portal.callback}', private_addresses: true}}\n    target:",
    )
    site = build(registry=registry, settings=trusting(trusted))
    asked = ask(site, lasts=600)
    browser = signed_in(site)
    outside = proxy_granting(site, portal, {"service": PORTAL, "ticket": ticket_of(browser.login_page(PORTAL))})
    assert refusal_of(ask_proxy(site, asked_with(outside, ORACLE))) == "UNAUTHORIZED_SERVICE"
    decide(site, asked)
    inside = proxy_granting(site, portal, {"service": ORACLE, "ticket": ticket_of(browser.login_page(ORACLE))})
    site.clock.now = asked.end - 1
    late = proxy_ticket_of(ask_proxy(site, asked_with(outside, ORACLE)))
    assert refusal_of(ask_proxy(site, asked_with(inside))) == ""
    site.clock.now = asked.end
    assert not LAX.accepts(LAX.ask(site, {"service": ORACLE, "ticket": late}))
    for pgt, target in ((outside, ORACLE), (inside, LIBRARY), (inside, ORACLE)):
        assert refusal_of(ask_proxy(site, asked_with(pgt, target))) == "UNAUTHORIZED_SERVICE"


# -- phones ------------------------------------------------------------------------------------------------------------


def test_no_phone_leads_in_by_somebody_elses_approval(ward_with: Callable[..., Ward]) -> None:
    """CWE-862: at a phone, by the approval of another person, and by one of a name that looks alike."""
    ward = ward_with(registry=entry(requires_approval="{approvers: [grace@example.edu], max_duration: 1h}"))
    for other in ("grace", "\uff41lan", "ALAN"):
        asked_for(ward.site, "extension-mobility", other)
    assert "We have asked for you" in str(ward.submitted("alan").screen)
    assert ward.login_writes() == 0


def test_no_phone_leads_in_once_an_approval_is_over(ward_with: Callable[..., Ward]) -> None:
    """CWE-613: one that ends while the menu of profiles is on the screen."""
    rule = "{approvers: [grace@example.edu], max_duration: 1h}"
    ward = ward_with(registry=entry(requires_duo="false", requires_approval=rule))
    asked_for(ward.site, "extension-mobility", "mary")
    ward.site.clock.advance(HOUR - 30.0)
    phone = ward.submitted("mary")
    ward.site.clock.advance(31.0)
    phone.press("Select")
    assert "The time that was approved is over" in str(phone.screen)
    assert ward.login_writes() == 0
