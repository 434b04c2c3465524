"""``/proxy``: who gets a proxy ticket for which service, and what everybody else is told."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlencode

import pytest

from casduo.simulators.certificates import LeafFiles
from casduo.simulators.duo import DuoSimulator
from casduo.tickets.ids import new_proxy_granting, new_session_id, parse_ticket_id
from tests.support.portal import (
    PORTAL,
    Portal,
    ask_proxy,
    asked_with,
    proxied,
    proxy_granting,
    proxy_ticket,
    proxy_ticket_of,
    refusal_of,
    registry_with,
    session_at_the_portal,
    sign_in,
    trusting,
)
from tests.support.raw import FORM, Answer, call
from tests.support.site import LIBRARY, Build, Site, ticket_of
from tests.support.wires import LAX, assert_refused, burned, change_registry


def test_a_proxy_granting_ticket_serves_again_and_again(proxying_site: Site, portal: Portal) -> None:
    pgt = proxy_granting(proxying_site, portal)
    tickets = [proxy_ticket(proxying_site, pgt) for _ in range(12)]
    assert len(set(tickets)) == 12
    for ticket in tickets:
        assert len(ticket) == 32
        assert LAX.accepts(LAX.ask(proxying_site, {"service": LIBRARY, "ticket": ticket}))


def test_a_proxy_ticket_is_good_for_one_attempt_and_half_a_minute(proxying_site: Site, portal: Portal) -> None:
    asked = proxied(proxying_site, portal)
    ticket = parse_ticket_id(asked["ticket"])
    assert ticket is not None
    assert 25_000 < proxying_site.composed.parts.store.command("PTTL", ticket.key) <= 30_000
    assert LAX.accepts(LAX.ask(proxying_site, asked))
    assert_refused(LAX, LAX.ask(proxying_site, asked), "INVALID_TICKET")


def test_a_proxy_ticket_is_for_its_target_only(proxying_site: Site, portal: Portal) -> None:
    asked = {**proxied(proxying_site, portal), "service": "https://archive.example.edu/"}
    burned(proxying_site, LAX, asked, "INVALID_SERVICE")


def test_a_target_that_wants_its_url_to_the_byte_gets_it_so(own_site: Site, portal: Portal) -> None:
    change_registry(own_site, "name: Library", "service_match: exact\n    name: Library")
    pgt = proxy_granting(own_site, portal)
    odd = "https://Library.example.edu:443/%63atalogue?x=1"
    assert LAX.accepts(LAX.ask(own_site, {"service": odd, "ticket": proxy_ticket(own_site, pgt, odd)}))
    plain = {"service": "https://library.example.edu/catalogue?x=1", "ticket": proxy_ticket(own_site, pgt, odd)}
    assert_refused(LAX, LAX.ask(own_site, plain), "INVALID_SERVICE")


def test_get_and_post_are_alike(proxying_site: Site, portal: Portal) -> None:
    pgt = proxy_granting(proxying_site, portal)
    for method in ("GET", "POST"):
        assert proxy_ticket_of(ask_proxy(proxying_site, asked_with(pgt), method)).startswith("PT-")
    mixed = call(
        proxying_site,
        "POST",
        "/cas/proxy",
        urlencode({"pgt": pgt}),
        urlencode({"targetService": LIBRARY}).encode(),
        FORM,
    )
    assert proxy_ticket_of(mixed).startswith("PT-")


def test_questions_and_guesses_mint_nothing(own_site: Site, portal: Portal) -> None:
    pgt = proxy_granting(own_site, portal)
    head = ask_proxy(own_site, asked_with(pgt), "HEAD")
    assert (head.status, head.body) == (200, b"")
    for header in ({"HTTP_SEC_PURPOSE": "prefetch"}, {"HTTP_PURPOSE": "prefetch"}):
        assert ask_proxy(own_site, asked_with(pgt), **header).status == 204
    for method in ("OPTIONS", "PUT", "DELETE", "PATCH", "TRACE", "get"):
        answer = ask_proxy(own_site, asked_with(pgt), method)
        assert (answer.status, answer.header("Allow")) == (405, "HEAD, GET, POST")
    assert own_site.composed.parts.store.command("KEYS", "*:pt:*") == []


def test_the_credentials_of_a_browser_mean_nothing_here(proxying_site: Site, portal: Portal) -> None:
    browser, pgt = session_at_the_portal(proxying_site, portal)
    cookie = f"TGC-casduo={browser.session}"
    assert refusal_of(ask_proxy(proxying_site, {"targetService": LIBRARY}, HTTP_COOKIE=cookie)) == "INVALID_REQUEST"
    assert proxy_ticket_of(ask_proxy(proxying_site, asked_with(pgt), HTTP_COOKIE="TGC-casduo=x")).startswith("PT-")


REFUSED = {
    "INVALID_REQUEST": "A required parameter is missing or cannot be read",
    "INVALID_TICKET": "Ticket not recognized",
    "UNAUTHORIZED_SERVICE": "Service is not authorized",
}


def refused(site: Site, fields: dict[str, str], code: str) -> None:
    """``/proxy`` refuses, to the byte, in both formats and by both methods, and grants nothing."""
    xml = (
        '<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">\n'
        f'<cas:proxyFailure code="{code}">{REFUSED[code]}</cas:proxyFailure>\n</cas:serviceResponse>\n'
    )
    told = f'{{"serviceResponse":{{"authenticationFailure":{{"code":"{code}","description":"{REFUSED[code]}"}}}}}}'
    for method in ("GET", "POST"):
        assert_answer(ask_proxy(site, fields, method), "xml", xml)
        assert_answer(ask_proxy(site, {**fields, "format": "json"}, method), "json", told)


def assert_answer(answer: Answer, kind: str, body: str) -> None:
    assert (answer.status, answer.header("Content-Type")) == (200, f"application/{kind}; charset=utf-8")
    assert answer.body.decode() == body


@pytest.mark.parametrize(
    "spoil",
    [
        lambda asked: {},
        lambda asked: {"pgt": asked["pgt"]},
        lambda asked: {"targetService": asked["targetService"]},
        lambda asked: {**asked, "pgt": ""},
        lambda asked: {**asked, "pgt": " "},
        lambda asked: {**asked, "targetService": ""},
        lambda asked: {**asked, "targetService": " "},
        lambda asked: {**asked, "targetService": "library"},
        lambda asked: {**asked, "targetService": "https://library.example.edu@evil.example.com/"},
        lambda asked: {"PGT": asked["pgt"], "targetservice": asked["targetService"]},
        lambda asked: {"pgt": asked["pgt"], "service": asked["targetService"]},
    ],
)
def test_a_request_that_cannot_be_read(
    proxying_site: Site, portal: Portal, spoil: Callable[[dict[str, str]], dict[str, str]]
) -> None:
    asked = asked_with(proxy_granting(proxying_site, portal))
    refused(proxying_site, spoil(asked), "INVALID_REQUEST")
    assert proxy_ticket_of(ask_proxy(proxying_site, asked)).startswith("PT-")


@pytest.mark.parametrize("name", ["pgt", "targetService"])
@pytest.mark.parametrize("format_", ["XML", "JSON"])
def test_two_values_for_one_parameter_are_refused_and_one_twice_is_not(
    proxying_site: Site, portal: Portal, name: str, format_: str
) -> None:
    pairs = list({**asked_with(proxy_granting(proxying_site, portal)), "format": format_}.items())
    other = next(value for key, value in pairs if key == name) + "x"
    for doubled in ([*pairs, (name, other)], [(name, other), *pairs]):
        answer = call(proxying_site, path="/cas/proxy", query=urlencode(doubled))
        assert b"INVALID_REQUEST" in answer.body
        assert answer.header("Content-Type").startswith(f"application/{format_.lower()};")
    answer = call(proxying_site, path="/cas/proxy", query=urlencode([*pairs, *pairs]))
    assert b"PT-" in answer.body


def test_an_unknown_format_is_refused_in_xml(proxying_site: Site, portal: Portal) -> None:
    answer = ask_proxy(proxying_site, asked_with(proxy_granting(proxying_site, portal), format="YAML"))
    assert refusal_of(answer) == "INVALID_REQUEST"


def test_tickets_of_other_kinds_are_not_proxy_granting_tickets(proxying_site: Site, portal: Portal) -> None:
    browser, pgt = session_at_the_portal(proxying_site, portal)
    waiting = ticket_of(browser.login_page(LIBRARY))
    asked = {"service": LIBRARY, "ticket": proxy_ticket(proxying_site, pgt)}
    (iou,) = portal.granted
    others = [waiting, asked["ticket"], browser.session, iou, "x", "PGT-", pgt[:-1], pgt + "A", pgt.lower(), f" {pgt}"]
    others += [
        other.replace(other.partition("-")[0], "PGT", 1) for other in (waiting, asked["ticket"], browser.session)
    ]
    for other in others:
        refused(proxying_site, asked_with(other), "INVALID_TICKET")
    # None of them was used up.
    assert LAX.accepts(LAX.ask(proxying_site, asked))
    assert LAX.accepts(LAX.ask(proxying_site, {"service": LIBRARY, "ticket": waiting}))
    assert browser.login_page(LIBRARY).status_int == 302


def test_a_ticket_nobody_made(proxying_site: Site) -> None:
    refused(proxying_site, asked_with(str(new_proxy_granting(new_session_id())[0])), "INVALID_TICKET")


# Who may be called


@pytest.mark.parametrize(
    "target",
    [
        "https://unregistered.example.com/",
        "https://library.example.edu.evil.com/",
        "http://library.example.edu/",
        "https://closed.example.edu/",
        "https://staff.example.edu/",
        "https://lab.example.edu/",
        "https://solo.example.edu/",
    ],
)
def test_a_target_that_ada_may_not_use(proxying_site: Site, portal: Portal, target: str) -> None:
    refused(proxying_site, asked_with(proxy_granting(proxying_site, portal), target), "UNAUTHORIZED_SERVICE")


def test_who_may_use_it_is_the_persons_question(proxying_site: Site, portal: Portal) -> None:
    pgt = proxy_granting(proxying_site, portal, sign_in(proxying_site, username="grace"))
    ticket = proxy_ticket(proxying_site, pgt, "https://staff.example.edu/")
    answer = LAX.ask(proxying_site, {"service": "https://staff.example.edu/", "ticket": ticket})
    assert b"<cas:user>grace</cas:user>" in answer.body


def test_targets_can_be_listed(own_site: Site, portal: Portal) -> None:
    pgt = proxy_granting(own_site, portal)
    change_registry(own_site, "private_addresses: true", "private_addresses: true, targets: [archive]")
    refused(own_site, asked_with(pgt), "UNAUTHORIZED_SERVICE")
    assert proxy_ticket(own_site, pgt, "https://archive.example.edu/x").startswith("PT-")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("proxy: {allow: true", "proxy: {allow: false"),
        ("name: Portal", "enabled: false\n    name: Portal"),
        ("id: portal", "id: doorway"),
    ],
    ids=["not allowed", "disabled", "another entry"],
)
def test_a_portal_that_may_not_proxy_any_more(own_site: Site, portal: Portal, old: str, new: str) -> None:
    pgt = proxy_granting(own_site, portal)
    change_registry(own_site, old, new)
    refused(own_site, asked_with(pgt), "UNAUTHORIZED_SERVICE")


@pytest.mark.parametrize(
    "rule",
    ["enabled: false", "access: {groups: [staff]}", "single_sign_on: false"],
)
def test_a_target_that_closed_meanwhile(own_site: Site, portal: Portal, rule: str) -> None:
    pgt = proxy_granting(own_site, portal)
    change_registry(own_site, "name: Library", f"{rule}\n    name: Library")
    refused(own_site, asked_with(pgt), "UNAUTHORIZED_SERVICE")


@pytest.mark.parametrize(("rule", "moves"), [("lifetime: 1h", 3601), ("idle: 10m", 601)])
def test_a_target_that_wants_a_newer_session(own_site: Site, portal: Portal, rule: str, moves: int) -> None:
    change_registry(own_site, "name: Library", f"session: {{{rule}}}\n    name: Library")
    pgt = proxy_granting(own_site, portal)
    assert proxy_ticket(own_site, pgt).startswith("PT-")
    own_site.clock.advance(moves)
    refused(own_site, asked_with(pgt), "UNAUTHORIZED_SERVICE")
    assert proxy_ticket(own_site, pgt, "https://archive.example.edu/").startswith("PT-")


def test_a_target_that_takes_no_remembered_session(build: Build, portal: Portal, portal_leaf: LeafFiles) -> None:
    site = build(
        registry=registry_with(portal), settings="session: {remember_me: {enabled: true}}\n" + trusting(portal_leaf)
    )
    change_registry(site, "name: Library", "accept_remember_me: false\n    name: Library")
    browser = site.browser()
    ticket = ticket_of(browser.fill(browser.login_page(PORTAL), "ada", rememberMe="true"))
    pgt = proxy_granting(site, portal, {"service": PORTAL, "ticket": ticket})
    refused(site, asked_with(pgt), "UNAUTHORIZED_SERVICE")
    archive = "https://archive.example.edu/"
    answer = LAX.ask(site, {"service": archive, "ticket": proxy_ticket(site, pgt, archive)})
    assert b"TokenUsed>true<" in answer.body


@pytest.fixture
def duo_site(build: Build, portal: Portal, portal_leaf: LeafFiles, duo_settings: str) -> Site:
    """A server with Duo, where payroll requires it, not older than an hour."""
    more = (
        "  - id: payroll\n    name: Payroll\n    url: https://payroll.example.edu/**\n    requires_duo: {max_age: 1h}\n"
    )
    return build(registry=registry_with(portal, more=more), settings=duo_settings + trusting(portal_leaf))


def test_a_target_that_requires_duo(duo_site: Site, portal: Portal, duo: DuoSimulator) -> None:
    payroll = "https://payroll.example.edu/"
    browser, pgt = session_at_the_portal(duo_site, portal)
    refused(duo_site, asked_with(pgt, payroll), "UNAUTHORIZED_SERVICE")
    # Once the person has answered Duo, for whatever service, the session has it.
    browser.get(duo.visit_prompt(browser.login_page(payroll).headers["Location"]))
    asked = {"service": payroll, "ticket": proxy_ticket(duo_site, pgt, payroll)}
    answer = LAX.ask(duo_site, asked)
    assert b"<cas:authnContextClass>mfa-duo</cas:authnContextClass>" in answer.body
    duo_site.clock.advance(3601)
    refused(duo_site, asked_with(pgt, payroll), "UNAUTHORIZED_SERVICE")


def test_networks_are_those_of_the_browser_that_went_to_the_portal(proxying_site: Site, portal: Portal) -> None:
    browser = proxying_site.browser()
    browser.app.extra_environ["REMOTE_ADDR"] = "10.1.2.3"
    asked = {"service": PORTAL, "ticket": ticket_of(browser.sign_in("ada", PORTAL))}
    pgt = proxy_granting(proxying_site, portal, asked)
    assert proxy_ticket(proxying_site, pgt, "https://lab.example.edu/").startswith("PT-")
