"""The order in which a ticket is judged, row by row, on every endpoint: what an application is told, and what is gone.

Rows are those of the protocol's order of evaluation: 3 no such ticket, 4 a proxy ticket where none is taken, 5 another
service, 6 not registered, not entitled or not this protocol, 7 the session has ended, 8 not new enough, 9 no Duo, 10
may not proxy, 11 the callback failed, 12 our own fault. Rows 1 and 2 are in ``test_validate_endpoints.py``.
"""

from __future__ import annotations

import pytest

from casduo.simulators.certificates import LeafFiles
from casduo.simulators.duo import DuoSimulator
from casduo.tickets.ids import TicketKind, new_session_id, new_ticket_id, parse_ticket_id
from tests.support.portal import (
    GATEWAY,
    PORTAL,
    Portal,
    proxied,
    proxies_of,
    proxy_granting,
    proxy_ticket,
    registry_with,
    trusting,
)
from tests.support.portal import sign_in as at_the_portal
from tests.support.redis_servers import CountingRelay
from tests.support.site import LIBRARY, Build, Site, ticket_of
from tests.support.wires import (
    LAX,
    NOT_NEW,
    SAML,
    WIRES,
    Wire,
    assert_refused,
    burned,
    change_registry,
    every_wire,
    fresh,
    from_session,
    other_wires,
    proxy_ticket_wires,
    proxying_wires,
    service_ticket_wires,
)

# Row 3


@every_wire
@pytest.mark.parametrize("kind", [TicketKind.SERVICE, TicketKind.PROXY])
def test_row_3_a_ticket_nobody_made(proxying_site: Site, wire: Wire, kind: TicketKind) -> None:
    ticket = str(new_ticket_id(kind, new_session_id()))
    burned(proxying_site, wire, {"service": LIBRARY, "ticket": ticket}, "INVALID_TICKET")


@every_wire
def test_row_3_the_cookie_of_a_session_is_no_ticket(proxying_site: Site, wire: Wire) -> None:
    browser = proxying_site.browser()
    browser.sign_in("ada", "")
    assert_refused(wire, wire.ask(proxying_site, {"service": LIBRARY, "ticket": browser.session}), "INVALID_TICKET")
    assert browser.login_page(LIBRARY).status_int == 302


@every_wire
def test_row_3_neither_a_proxy_granting_ticket_nor_its_iou_is_a_ticket(
    proxying_site: Site, portal: Portal, wire: Wire
) -> None:
    pgt = proxy_granting(proxying_site, portal)
    for each in (pgt, *portal.granted):
        assert_refused(wire, wire.ask(proxying_site, {"service": PORTAL, "ticket": each}), "INVALID_TICKET")
    assert proxy_ticket(proxying_site, pgt).startswith("PT-")


@every_wire
def test_row_3_a_ticket_that_waited_too_long(proxying_site: Site, wire: Wire) -> None:
    asked = fresh(proxying_site)
    expire(proxying_site, asked["ticket"])
    burned(proxying_site, wire, asked, "INVALID_TICKET")


@proxy_ticket_wires
def test_row_3_a_proxy_ticket_that_waited_too_long(proxying_site: Site, portal: Portal, wire: Wire) -> None:
    asked = proxied(proxying_site, portal)
    expire(proxying_site, asked["ticket"])
    burned(proxying_site, wire, asked, "INVALID_TICKET")


def expire(site: Site, ticket: str) -> None:
    known = parse_ticket_id(ticket)
    assert known is not None
    store = site.composed.parts.store
    assert 25_000 < store.command("PTTL", known.key) <= 30_000
    store.command("PEXPIRE", known.key, 0)


@every_wire
def test_row_3_a_service_ticket_spelled_as_a_proxy_ticket_is_not_found(proxying_site: Site, wire: Wire) -> None:
    asked = fresh(proxying_site)
    respelled = asked["ticket"].replace("ST-", "PT-", 1)
    assert_refused(wire, wire.ask(proxying_site, {**asked, "ticket": respelled}), "INVALID_TICKET")
    assert wire.accepts(wire.ask(proxying_site, asked))


# Row 4


@service_ticket_wires
def test_row_4_a_proxy_ticket_where_only_service_tickets_are_taken(
    proxying_site: Site, portal: Portal, wire: Wire
) -> None:
    burned(proxying_site, wire, proxied(proxying_site, portal), "INVALID_TICKET_SPEC")


@service_ticket_wires
def test_row_4_a_proxy_ticket_spelled_as_a_service_ticket_is_not_found(
    proxying_site: Site, portal: Portal, wire: Wire
) -> None:
    asked = proxied(proxying_site, portal)
    respelled = asked["ticket"].replace("PT-", "ST-", 1)
    assert_refused(wire, wire.ask(proxying_site, {**asked, "ticket": respelled}), "INVALID_TICKET")
    assert LAX.accepts(LAX.ask(proxying_site, asked))


@service_ticket_wires
def test_row_4_comes_before_row_5(proxying_site: Site, portal: Portal, wire: Wire) -> None:
    asked = {**proxied(proxying_site, portal), "service": "https://archive.example.edu/"}
    burned(proxying_site, wire, asked, "INVALID_TICKET_SPEC")


@proxy_ticket_wires
def test_row_4_a_proxy_ticket_where_it_belongs(proxying_site: Site, portal: Portal, wire: Wire) -> None:
    answer = wire.ask(proxying_site, proxied(proxying_site, portal))
    assert wire.accepts(answer)
    assert proxies_of(answer) == [portal.callback]
    flag = '"isFromNewLogin":false' if wire.format else "<cas:isFromNewLogin>false<"
    assert flag in answer.body.decode()


@proxy_ticket_wires
def test_row_4_a_service_ticket_is_taken_there_too_and_names_no_proxies(proxying_site: Site, wire: Wire) -> None:
    answer = wire.ask(proxying_site, fresh(proxying_site))
    assert wire.accepts(answer)
    assert b"proxies" not in answer.body
    assert b"proxyGrantingTicket" not in answer.body


# Row 5


@every_wire
@pytest.mark.parametrize("service", ["https://archive.example.edu/", "https://evil.example.com/", LIBRARY + "&q=c"])
def test_row_5_the_ticket_of_another_service(proxying_site: Site, wire: Wire, service: str) -> None:
    burned(proxying_site, wire, {**fresh(proxying_site), "service": service}, "INVALID_SERVICE")


@proxy_ticket_wires
@pytest.mark.parametrize("service", ["https://archive.example.edu/", PORTAL, LIBRARY + "&q=c"])
def test_row_5_the_proxy_ticket_of_another_service(
    proxying_site: Site, portal: Portal, wire: Wire, service: str
) -> None:
    burned(proxying_site, wire, {**proxied(proxying_site, portal), "service": service}, "INVALID_SERVICE")


@every_wire
def test_row_5_comes_before_row_6(proxying_site: Site, wire: Wire) -> None:
    # Whoever caught a ticket learns nothing about the registry from it.
    for service in ("https://closed.example.edu/", "https://unregistered.example.com/"):
        burned(proxying_site, wire, {**fresh(proxying_site), "service": service}, "INVALID_SERVICE")


@every_wire
@pytest.mark.parametrize(
    "service",
    ["HTTPS://Library.Example.EDU:443/catalogue?q=a&q=b", LIBRARY + "#top", LIBRARY.replace("?", ";jsessionid=1f?")],
)
def test_row_5_the_same_service_as_real_clients_spell_it(proxying_site: Site, wire: Wire, service: str) -> None:
    assert wire.accepts(wire.ask(proxying_site, {**fresh(proxying_site), "service": service}))


# Row 6, and what else the registry can say meanwhile

CHANGES = [
    ("url: https://library", "url: https://moved", "UNAUTHORIZED_SERVICE"),
    ("name: Library", "enabled: false\n    name: Library", "UNAUTHORIZED_SERVICE"),
    ("name: Library", "access: {groups: [staff]}\n    name: Library", "UNAUTHORIZED_SERVICE"),
    ("name: Library", "username_attribute: employeeNumber\n    name: Library", "UNAUTHORIZED_SERVICE"),
    ("id: library", "id: books", "INVALID_SERVICE"),
]
CHANGE_NAMES = ["gone", "disabled", "access", "no name", "other entry"]


@every_wire
@pytest.mark.parametrize(("old", "new", "code"), CHANGES, ids=CHANGE_NAMES)
def test_row_6_the_registry_changed_in_between(own_site: Site, wire: Wire, old: str, new: str, code: str) -> None:
    asked = fresh(own_site)
    change_registry(own_site, old, new)
    burned(own_site, wire, asked, code)


@proxy_ticket_wires
@pytest.mark.parametrize(("old", "new", "code"), CHANGES, ids=CHANGE_NAMES)
def test_row_6_the_registry_changed_after_a_proxy_ticket_was_granted(
    own_site: Site, portal: Portal, wire: Wire, old: str, new: str, code: str
) -> None:
    asked = proxied(own_site, portal)
    change_registry(own_site, old, new)
    burned(own_site, wire, asked, code)


@every_wire
def test_row_6_a_protocol_that_the_entry_does_not_allow(own_site: Site, wire: Wire) -> None:
    others = [each for each in ("cas1", "cas2", "cas3", "saml1") if each != wire.protocol]
    change_registry(own_site, "name: Library", f"protocols: [{', '.join(others)}]\n    name: Library")
    burned(own_site, wire, fresh(own_site), "UNAUTHORIZED_SERVICE")
    change_registry(own_site, f"[{', '.join(others)}]", f"[{wire.protocol}]")
    for other in WIRES:
        asked = fresh(own_site)
        assert other.accepts(other.ask(own_site, asked)) is (other.protocol == wire.protocol)


@proxy_ticket_wires
def test_row_6_a_protocol_that_the_entry_does_not_allow_for_proxy_tickets_either(
    own_site: Site, portal: Portal, wire: Wire
) -> None:
    asked = proxied(own_site, portal)
    change_registry(own_site, "name: Library", "protocols: [cas1, saml1]\n    name: Library")
    burned(own_site, wire, asked, "UNAUTHORIZED_SERVICE")


@every_wire
def test_row_6_rules_about_networks_go_by_where_the_ticket_went(proxying_site: Site, wire: Wire) -> None:
    lab = "https://lab.example.edu/"
    browser = proxying_site.browser()
    browser.sign_in("ada", LIBRARY)
    assert browser.login_page(lab).status_int == 403
    browser.app.extra_environ["REMOTE_ADDR"] = "10.1.2.3"
    asked = {"service": lab, "ticket": ticket_of(browser.login_page(lab))}
    # The application's own address is not asked about.
    assert wire.accepts(wire.ask(proxying_site, asked))


# Row 7


@every_wire
def test_row_7_a_session_that_ended_in_between(proxying_site: Site, wire: Wire) -> None:
    browser = proxying_site.browser()
    asked = {"service": LIBRARY, "ticket": ticket_of(browser.sign_in("ada", LIBRARY))}
    browser.get("/logout")
    burned(proxying_site, wire, asked, "INVALID_TICKET")


@proxy_ticket_wires
@pytest.mark.parametrize("end", ["logout", "administrator", "somebody else"])
def test_row_7_a_session_that_ended_before_its_proxy_ticket_was_used(
    proxying_site: Site, portal: Portal, wire: Wire, end: str
) -> None:
    browser = proxying_site.browser()
    ticket = ticket_of(browser.sign_in("ada", PORTAL))
    pgt = proxy_granting(proxying_site, portal, {"service": PORTAL, "ticket": ticket})
    asked = {"service": LIBRARY, "ticket": proxy_ticket(proxying_site, pgt)}
    if end == "logout":
        browser.get("/logout")
    elif end == "administrator":
        proxying_site.composed.parts.tickets.close_sessions_of("ada", "administrator", proxying_site.clock())
    else:
        browser.fill(browser.login_page(LIBRARY, renew="true"), "grace")
    burned(proxying_site, wire, asked, "INVALID_TICKET")


@every_wire
def test_row_7_comes_before_row_8(proxying_site: Site, wire: Wire) -> None:
    browser = proxying_site.browser()
    browser.sign_in("ada", "")
    asked = {"service": LIBRARY, "ticket": ticket_of(browser.login_page()), "renew": "true"}
    browser.get("/logout")
    burned(proxying_site, wire, asked, "INVALID_TICKET")


# Row 8


@every_wire
def test_row_8_renew_takes_the_ticket_of_the_password_only(proxying_site: Site, wire: Wire) -> None:
    assert wire.accepts(wire.ask(proxying_site, {**fresh(proxying_site), "renew": "true"}))
    assert wire.accepts(wire.ask(proxying_site, {**from_session(proxying_site), "renew": "false"}))
    for value in ("true", "1"):
        burned(proxying_site, wire, {**from_session(proxying_site), "renew": value}, "INVALID_TICKET", NOT_NEW)


@proxy_ticket_wires
def test_row_8_no_proxy_ticket_is_from_a_new_login(proxying_site: Site, portal: Portal, wire: Wire) -> None:
    burned(proxying_site, wire, {**proxied(proxying_site, portal), "renew": "true"}, "INVALID_TICKET", NOT_NEW)


@every_wire
@pytest.mark.parametrize("rule", ["single_sign_on: false", "session: {lifetime: 1h}"])
def test_row_8_the_entry_wants_a_newer_session_than_the_tickets(own_site: Site, wire: Wire, rule: str) -> None:
    browser = own_site.browser()
    browser.sign_in("ada", "")
    own_site.clock.advance(3601)
    old = {"service": LIBRARY, "ticket": ticket_of(browser.login_page())}
    primary = fresh(own_site)
    change_registry(own_site, "name: Library", f"{rule}\n    name: Library")
    burned(own_site, wire, old, "INVALID_TICKET", NOT_NEW)
    assert wire.accepts(wire.ask(own_site, primary))


@every_wire
def test_row_8_the_entry_does_not_take_remembered_sessions(build: Build, portal: Portal, wire: Wire) -> None:
    site = build(registry=registry_with(portal), settings="session: {remember_me: {enabled: true}}\n")
    browser = site.browser()
    browser.fill(browser.login_page(""), "ada", rememberMe="true")
    asked = {"service": LIBRARY, "ticket": ticket_of(browser.login_page())}
    ordinary = from_session(site)
    change_registry(site, "name: Library", "accept_remember_me: false\n    name: Library")
    burned(site, wire, asked, "INVALID_TICKET", NOT_NEW)
    assert wire.accepts(wire.ask(site, ordinary))


@proxy_ticket_wires
def test_row_8_a_proxy_ticket_is_held_to_the_same(own_site: Site, portal: Portal, wire: Wire) -> None:
    asked = proxied(own_site, portal)
    change_registry(own_site, "name: Library", "single_sign_on: false\n    name: Library")
    burned(own_site, wire, asked, "INVALID_TICKET", NOT_NEW)


# Row 9


@every_wire
def test_row_9_duo_is_demanded_and_the_session_has_none(
    build: Build, portal: Portal, portal_leaf: LeafFiles, duo_settings: str, wire: Wire
) -> None:
    site = build(registry=registry_with(portal), settings=duo_settings + trusting(portal_leaf))
    asked, old = fresh(site), from_session(site)
    change_registry(site, "name: Library", "requires_duo: true\n    name: Library")
    burned(site, wire, asked, "INVALID_AUTHENTICATION_CONTEXT")
    # Row 8 comes first.
    burned(site, wire, {**old, "renew": "true"}, "INVALID_TICKET", NOT_NEW)


@proxy_ticket_wires
def test_row_9_duo_is_demanded_after_a_proxy_ticket_was_granted(
    build: Build, portal: Portal, portal_leaf: LeafFiles, duo_settings: str, wire: Wire
) -> None:
    site = build(registry=registry_with(portal), settings=duo_settings + trusting(portal_leaf))
    asked = proxied(site, portal)
    change_registry(site, "name: Library", "requires_duo: true\n    name: Library")
    burned(site, wire, asked, "INVALID_AUTHENTICATION_CONTEXT")


@every_wire
def test_row_9_a_bypass_while_duo_was_away_passes_where_the_service_lets_it(
    site: Site, duo: DuoSimulator, wire: Wire
) -> None:
    duo.stop_listening()
    service = "https://timesheets.example.edu/"
    asked = {"service": service, "ticket": ticket_of(site.browser().sign_in("ada", service))}
    assert wire.accepts(wire.ask(site, asked))


# Row 10


@proxying_wires
@pytest.mark.parametrize("callback", ["https://library.example.edu/pgt", "http://127.0.0.1:1/", "nonsense", "own"])
def test_row_10_a_service_that_may_not_proxy(proxying_site: Site, portal: Portal, wire: Wire, callback: str) -> None:
    url = portal.callback if callback == "own" else callback
    burned(proxying_site, wire, {**fresh(proxying_site), "pgtUrl": url}, "UNAUTHORIZED_SERVICE_PROXY")
    assert portal.targets == []


@other_wires
@pytest.mark.parametrize("callback", ["http://127.0.0.1:1/", "nonsense", "own"])
@pytest.mark.parametrize("service", [LIBRARY, PORTAL])
def test_row_10_where_the_protocol_knows_no_proxies_a_callback_means_nothing(
    proxying_site: Site, portal: Portal, wire: Wire, callback: str, service: str
) -> None:
    url = portal.callback if callback == "own" else callback
    answer = wire.ask(proxying_site, {**fresh(proxying_site, service), "pgtUrl": url})
    assert wire.accepts(answer)
    assert b"PGTIOU" not in answer.body
    assert portal.targets == []


@proxying_wires
def test_row_10_an_empty_callback_is_none(proxying_site: Site, portal: Portal, wire: Wire) -> None:
    answer = wire.ask(proxying_site, fresh(proxying_site), "&pgtUrl=")
    assert wire.accepts(answer)
    assert portal.targets == []


# Row 11


@proxying_wires
def test_row_11_a_callback_that_takes_the_ticket(proxying_site: Site, portal: Portal, wire: Wire) -> None:
    answer = wire.ask(proxying_site, {**at_the_portal(proxying_site), "pgtUrl": portal.callback})
    assert wire.accepts(answer)
    ((iou, pgt),) = portal.granted.items()
    told = f'"proxyGrantingTicket":"{iou}"' if wire.format else f"<cas:proxyGrantingTicket>{iou}<"
    assert told in answer.body.decode()
    assert pgt not in answer.body.decode()


@proxying_wires
@pytest.mark.parametrize("how", ["http", "elsewhere", "nonsense", "refuses"])
def test_row_11_a_callback_that_cannot_be_used(proxying_site: Site, portal: Portal, wire: Wire, how: str) -> None:
    url = {
        "http": portal.callback.replace("https", "http"),
        "elsewhere": portal.callback + "/elsewhere",
        "nonsense": "nonsense",
        "refuses": portal.callback,
    }[how]
    portal.status = 404
    asked = {**at_the_portal(proxying_site), "pgtUrl": url}
    burned(proxying_site, wire, asked, "INVALID_PROXY_CALLBACK", service=PORTAL)
    assert len(portal.targets) == (how == "refuses")


@proxy_ticket_wires
def test_row_11_a_callback_that_cannot_be_used_by_the_target_of_a_proxy_ticket(
    proxying_site: Site, portal: Portal, wire: Wire
) -> None:
    asked = proxied(proxying_site, portal, GATEWAY)
    portal.status = 404
    asked["pgtUrl"] = f"{portal.callback}/gateway/x"
    burned(proxying_site, wire, asked, "INVALID_PROXY_CALLBACK", service=GATEWAY)


@proxying_wires
@pytest.mark.parametrize("spoil", ["service", "ticket", "renew", "ended"])
def test_row_11_nobody_is_called_for_a_ticket_that_is_not_good(
    proxying_site: Site, portal: Portal, wire: Wire, spoil: str
) -> None:
    browser = proxying_site.browser()
    browser.sign_in("ada", "")
    asked = {"service": PORTAL, "ticket": ticket_of(browser.login_page(PORTAL)), "pgtUrl": portal.callback}
    if spoil == "ended":
        browser.get("/logout")
    wrong = {
        "service": {"service": f"{PORTAL}elsewhere"},
        "ticket": {"ticket": asked["ticket"][:-4] + "AAAA"},
        "renew": {"renew": "true"},
    }
    answer = wire.ask(proxying_site, {**asked, **wrong.get(spoil, {})})
    assert not wire.accepts(answer)
    assert portal.targets == []


# Row 12


@every_wire
def test_row_12_without_redis_it_is_our_fault_and_the_ticket_stays(
    build: Build, relay: CountingRelay, portal: Portal, wire: Wire
) -> None:
    site = build(redis_url=relay.url, registry=registry_with(portal))
    asked = fresh(site)
    relay.cut()
    assert_refused(wire, wire.ask(site, asked), "INTERNAL_ERROR")
    # What can be seen without Redis is seen without it.
    assert_refused(wire, wire.ask(site, {**asked, "ticket": "ST-1"}), "INVALID_TICKET")
    relay.mend()
    assert wire.accepts(wire.ask(site, asked))


@every_wire
def test_row_12_a_record_that_cannot_be_read_is_our_fault_and_gone(proxying_site: Site, wire: Wire) -> None:
    asked = fresh(proxying_site)
    known = parse_ticket_id(asked["ticket"])
    assert known is not None
    proxying_site.composed.parts.store.command("SET", known.key, "x" * 70)
    burned(proxying_site, wire, asked, "INTERNAL_ERROR")


@proxying_wires
def test_row_12_a_redis_that_goes_away_during_the_callback(
    build: Build, relay: CountingRelay, portal: Portal, portal_leaf: LeafFiles, wire: Wire
) -> None:
    site = build(redis_url=relay.url, registry=registry_with(portal), settings=trusting(portal_leaf))
    asked = {**at_the_portal(site), "pgtUrl": portal.callback}
    portal.meanwhile = relay.cut
    assert_refused(wire, wire.ask(site, asked), "INTERNAL_ERROR")
    relay.mend()
    portal.meanwhile = lambda: None
    assert_refused(wire, wire.ask(site, asked), "INVALID_TICKET")


def test_saml_is_one_of_the_endpoints_of_this_table() -> None:
    assert SAML in WIRES
