"""Weaknesses that other CAS servers and clients have had, one test each, so that this server does not repeat them.

The docstring of a test names the public report. What cannot apply here, and why:

========================================  ============================================================================
report                                    why there is no test
========================================  ============================================================================
Apereo 2025-08-19 (colliding MFA codes)   There are no codes of our own; keys of flows are 26 random characters.
Apereo 2024-05-18 (cookie pinning)        A session is not tied to an address or a browser in the first place.
Apereo 2026-05-20 (JWT as ticket)         Tickets are opaque ids; nothing in them is ever read.
Apereo 2023-02-20 (X.509, LDAP URL)       There is no login by certificate.
Apereo 2026-06-06 b (scratch codes)       There are none; what is used up here is deleted or marked in its own record.
Apereo pull 1440, mod_auth_cas issue 79   The server reads no XML.
java-cas-client issue 191 (XXE)           The same; that it sends no DTD is tested.
django-cas-server 3.1 (PGT over http)     There are no proxy-granting tickets; any ``pgtUrl`` is refused, see below.
spring-security 2907 (proxy tickets)      The same: no proxy ticket is ever made.
CVE-2012-1104, CVE-2012-5583 (proxies)    The same; certificates of those whom the server calls are tested with Duo.
Apereo 2025-04-11 (webfinger pattern)     There is no webfinger; patterns of services have tests of their own.
========================================  ============================================================================
"""

from __future__ import annotations

import base64
import json
import random
import re
import socket
import threading
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pytest
from webtest.response import TestResponse

from casduo.settings import ensure_secret_key, load_settings
from casduo.simulators.duo import DuoSimulator
from casduo.tickets.ids import TicketKind, new_session_id, new_ticket_id, parse_ticket_id
from casduo.tickets.model import ServiceTicket, service_ticket_text
from tests.support.raw import call
from tests.support.site import (
    LIBRARY,
    PASSWORDS,
    PAYROLL,
    Browser,
    Build,
    Site,
    build_site,
    has_ticket,
    heading,
    query,
    ticket_of,
    words,
    write_site,
)

REGISTRY = """
services:
  - {id: library, name: Library, url: "https://library.example.edu/**", attributes: [mail]}
  - {id: archive, name: Archive, url: "https://archive.example.edu/**"}
  - {id: admin, name: Administration, url: "https://app.example.edu/admin/**", access: {groups: [staff]}}
  - {id: app, name: Application, url: "https://app.example.edu/**"}
  - {id: local, name: Local, url: "http://localhost:8000/**"}
  - {id: closed, name: Closed, url: "https://closed.example.edu/**", enabled: false}
"""
MACHINES = ["/validate", "/serviceValidate", "/p3/serviceValidate"]


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory, valkey_url: str) -> Iterator[Site]:
    """A server without Duo that the tests of this file share."""
    site = build_site(tmp_path_factory.mktemp("plain"), valkey_url, 1_790_000_000.0, REGISTRY)
    yield site
    site.composed.close()


def signed_in(site: Site, name: str = "ada") -> Browser:
    browser = site.browser()
    browser.sign_in(name, "")
    assert browser.session
    return browser


def accepted(answer: TestResponse) -> bool:
    return answer.text.startswith("yes\n") or "authenticationSuccess" in answer.text


def prompt_of(site: Site, name: str = "ada", service: str = PAYROLL) -> tuple[Browser, str]:
    """A browser that has given its password and is sent to Duo, and where exactly."""
    browser = site.browser()
    return browser, browser.sign_in(name, service).headers["Location"]


# Addresses of applications

CRAFTED = [
    "https://evil.example.com/",
    "https://library.example.edu.evil.com/",
    "https://evil.example.com/https://library.example.edu/",
    "https://evil.example.com/?https://library.example.edu/",
    "https://evil.example.com/#https://library.example.edu/",
    "https://library.example.edu@evil.example.com/",
    "https://library.example.edu:x@evil.example.com/",
    "https://a@b@library.example.edu@evil.example.com/",
    "https://evil.example.com\\@library.example.edu/",
    "https://evil.example.com\\library.example.edu/",
    "https://library.example.edu\\.evil.example.com/",
    "https://library.example.edu%00.evil.example.com/",
    "https://library.example.edu%2f.evil.example.com/",
    "https://library\u3002example\u3002edu.evil.example.com/",
    "https://library.example.edu/..;/..;/evil",
    "https:evil.example.com",
    "http:www.evil.example.com",
    "https:/evil.example.com",
    "//evil.example.com/",
    "/\\evil.example.com/",
    "\\\\evil.example.com/",
    "\thttps://evil.example.com/",
    "javascript://library.example.edu/%0aalert(1)",
    "https://localhost:8000/",
    "http://localhost:9000/",
    "http://127.0.0.1:8000/",
    "http://localhost:8000@evil.example.com/",
]


@pytest.mark.parametrize("service", CRAFTED)
def test_a_crafted_address_is_no_way_out_of_login_and_logout(plain: Site, service: str) -> None:
    """Apereo 2026-08-18, 2022-07-01, 2022-08-03; CVE-2026-7504, CVE-2026-3872 and CVE-2024-8883 (Keycloak),
    CVE-2019-3877 and CVE-2019-13038 (mellon): one part of the server matches an address, a browser reads another.
    """
    browser = signed_in(plain)
    for parameter in ("service", "TARGET", "url"):
        for extra in ({}, {"gateway": "true"}, {"method": "POST"}, {"method": "HEADER"}):
            for path in ("/login", "/logout"):
                answer = browser.get(path + query(**{parameter: service}, **extra))
                assert "Location" not in answer.headers
                assert "service" not in answer.headers
                links = [item.get("href") or item.get("action") for item in answer.html.find_all(["a", "form"])]
                # The page of somebody who is signed in lists registered applications.
                assert not any(link.startswith(("//", "\\", "javascript")) or "evil" in link for link in links)
        browser = signed_in(plain)


@pytest.mark.parametrize("service", CRAFTED)
def test_no_ticket_is_made_for_an_application_nobody_registered(plain: Site, service: str) -> None:
    """Apereo 2022-06-23: a crafted address got a service ticket."""
    browser = signed_in(plain)
    before = len(plain.journal.named("ticket.granted"))
    assert browser.login_page(service).status_int in (400, 403)
    assert len(plain.journal.named("ticket.granted")) == before


def test_the_servers_own_addresses_are_no_registered_service(plain: Site) -> None:
    """Apereo 2025-09-25: the callback of the server itself was a registered service, matched too widely."""
    browser = signed_in(plain)
    for service in (
        "https://sso.example.edu/cas/duo/callback",
        "https://sso.example.edu/cas/login",
        "https://sso.example.edu/",
    ):
        assert browser.login_page(service).status_int == 403


def test_a_rule_for_a_part_of_an_application_holds_in_every_spelling(plain: Site) -> None:
    """CVE-2020-24660 (LemonLDAP::NG): rules were compared with an address that had not been normalised."""
    browser = signed_in(plain)
    for path in ("admin/x", "%61dmin/x", "%61%64%6D%69%6e/x", "admin/x?y", "admin/%2f"):
        assert browser.login_page(f"https://app.example.edu/{path}").status_int == 403
    for path in ("./admin/x", "x/../admin/x", "%2e/admin/x", "x/..;/admin", "admin/../x"):
        assert browser.login_page(f"https://app.example.edu/{path}").status_int == 400
    for host in ("APP.example.edu", "app.example.edu:443"):
        assert browser.login_page(f"HTTPS://{host}/admin/x").status_int == 403
    assert has_ticket(browser.login_page("https://app.example.edu/public"))


def test_without_registered_services_there_is_no_service(build: Build) -> None:
    """django-mama-cas pull 9 and 78, rubycas-server issue 183, LemonLDAP::NG's default: no list meant everybody."""
    site = build(registry="services: []\n")
    browser = signed_in(site)
    for service in (LIBRARY, "https://sso.example.edu/cas/login", "http://localhost/"):
        assert browser.login_page(service).status_int == 403
        assert "Location" not in browser.get("/logout" + query(service=service)).headers
        browser = signed_in(site)


def test_strictness_leaves_an_applications_own_parameters_alone(plain: Site) -> None:
    """CVE-2026-9689 and keycloak-protocol-cas issue 197: a fix against doubled parameters refused innocent services."""
    service = "https://library.example.edu/cb?state=a&state=b&code=c&service=d&execution=e&ticket=ST-old&gateway=true"
    location = plain.browser().sign_in("ada", service).headers["Location"]
    assert location.startswith(service + "&ticket=ST-")
    assert accepted(plain.validate(location.rpartition("=")[2], service))


def test_what_a_flow_remembers_is_checked_again_when_it_goes_on(build: Build) -> None:
    """Apereo 2026-05-27: stored parameters of a request were trusted later without having been checked."""
    site = build(registry="services: [{id: library, name: L, url: 'https://library.example.edu/**'}]")
    browser = site.browser()
    page = browser.login_page(LIBRARY)
    source = site.composed.parts.services
    source.path.write_text(source.path.read_text().replace("name: L", "name: L, enabled: false"))
    assert source.poll()
    assert browser.fill(page, "ada").status_int == 403
    assert not site.journal.named("signin.ok")


# Tickets and validation


@pytest.mark.parametrize("path", MACHINES)
def test_one_ticket_is_good_for_one_of_many_who_ask_at_once(plain: Site, path: str) -> None:
    """django-cas-server 3.1: read, then delete; several validations of one ticket succeeded."""
    ticket = ticket_of(plain.browser().sign_in("ada", LIBRARY))
    gate = threading.Barrier(20)

    def ask(number: int) -> bool:
        gate.wait()
        return accepted(plain.validate(ticket, path=path))

    with ThreadPoolExecutor(20) as pool:
        assert list(pool.map(ask, range(20))).count(True) == 1


@pytest.mark.parametrize("path", MACHINES)
@pytest.mark.parametrize(
    "presented",
    [
        "https://archive.example.edu/",
        LIBRARY + "x",
        LIBRARY + "&x=1",
        LIBRARY.partition("?")[0],
        "https://library.example.edu/",
        quote(LIBRARY, safe=":/"),
        LIBRARY.replace("library", "archive"),
    ],
)
def test_the_service_is_compared_as_a_whole_and_a_wrong_one_ends_it(plain: Site, path: str, presented: str) -> None:
    """Casdoor: compared by prefix and after a second decoding, and went on after the error. django-cas-provider issue
    7: /validate did not compare at all. CVE-2022-39369 (phpCAS): a ticket of one site was used at another.
    """
    ticket = ticket_of(plain.browser().sign_in("ada", LIBRARY))
    refusal = plain.validate(ticket, presented, path)
    assert not accepted(refusal)
    assert "ada" not in refusal.text
    assert not accepted(plain.validate(ticket, LIBRARY, path))


@pytest.mark.parametrize("path", MACHINES)
def test_a_proxy_ticket_is_none_where_service_tickets_are_asked_for(plain: Site, path: str) -> None:
    """Casdoor issue 2286; CVE-2014-3527 (Spring Security)."""
    session = parse_ticket_id(signed_in(plain).session)
    assert session is not None
    ticket = new_ticket_id(TicketKind.PROXY, session)
    record = service_ticket_text(ServiceTicket(LIBRARY, "library", False, session.fingerprint))
    plain.composed.parts.store.command("SET", ticket.key, record)
    assert not accepted(plain.validate(str(ticket), path=path))
    assert not plain.composed.parts.store.command("EXISTS", ticket.key)


@pytest.mark.parametrize("prefix", ["PGT", "TGT", "PT", "PGTIOU", "st", ""])
def test_a_ticket_under_another_prefix_is_another_ticket(plain: Site, prefix: str) -> None:
    """Keycloak CAS plug-in, review of pull 105: would "ST-" turned into "PGT-" pass?"""
    ticket = ticket_of(plain.browser().sign_in("ada", LIBRARY))
    assert not accepted(plain.validate(prefix + ticket.removeprefix("ST")))
    assert accepted(plain.validate(ticket))


@pytest.mark.parametrize("path", MACHINES)
def test_a_ticket_cannot_bring_a_second_service_along(plain: Site, path: str) -> None:
    """CVE-2014-4172 (Java, .NET, phpCAS): a ticket that was not escaped named another service in the validation URL."""
    stolen = ticket_of(plain.browser().sign_in("ada", LIBRARY))
    for smuggled in (
        f"service=https://archive.example.edu/&ticket={stolen}%26service%3D{quote(LIBRARY, safe='')}",
        f"service=https://archive.example.edu/&ticket={stolen}&service={quote(LIBRARY, safe='')}",
        f"service={quote(LIBRARY, safe='')}&ticket={stolen}&ticket=ST-x",
        f"service=https://archive.example.edu/&ticket={stolen}%23&service={quote(LIBRARY, safe='')}",
    ):
        answer = call(plain, path=f"/cas{path}", query=smuggled)
        assert b"ada" not in answer.body
    assert accepted(plain.validate(stolen, path=path))


@pytest.mark.parametrize("path", MACHINES)
@pytest.mark.parametrize(
    "ticket",
    [
        "ST-1</cas:authenticationFailure><cas:authenticationSuccess><cas:user>mallory</cas:user>",
        "ST-1\nyes\nmallory\n\n",
        "ST-1\r\n\r\nyes\r\nmallory",
        'ST-1","authenticationSuccess":{"user":"mallory"}',
    ],
)
def test_a_failure_repeats_nothing_of_the_request(plain: Site, path: str, ticket: str) -> None:
    """CVE-2017-1000071 (phpCAS): the ticket came back raw in the failure, and the client found a success in it."""
    for format_ in ("", "JSON"):
        answer = plain.validate(ticket, path=path, format=format_)
        assert "mallory" not in answer.text
        assert not accepted(answer)


@pytest.mark.parametrize("path", MACHINES)
def test_a_callback_is_never_called(plain: Site, path: str) -> None:
    """Casdoor: any ``pgtUrl`` was fetched, redirects followed, without a time-out."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(0.05)
        port = listener.getsockname()[1]
        ticket = ticket_of(plain.browser().sign_in("ada", LIBRARY))
        answer = plain.validate(ticket, path=path, pgtUrl=f"https://127.0.0.1:{port}/")
        assert not accepted(answer)
        with pytest.raises(TimeoutError):
            listener.accept()


def test_a_ticket_that_does_not_exist_costs_no_search(plain: Site) -> None:
    """Apereo 2022-03-06: an invalid code made the server go through all tickets."""
    store = plain.composed.parts.store
    for _ in range(20):
        signed_in(plain)
    store.command("CONFIG", "RESETSTAT")
    for _ in range(5):
        plain.validate(str(new_ticket_id(TicketKind.SERVICE, new_session_id())))
        plain.browser().get("/logout", headers={"Cookie": f"TGC-casduo={new_session_id()}"})
    used = set(re.findall(r"cmdstat_([a-z|]+):", str(store.command("INFO", "commandstats"))))
    assert used.isdisjoint({"scan", "keys", "hscan", "sscan", "zscan", "smembers", "randomkey", "sort"})


def test_answers_carry_no_document_type(plain: Site) -> None:
    """java-cas-client issue 191: clients resolved entities of what they read."""
    ticket = ticket_of(plain.browser().sign_in("ada", LIBRARY))
    for _ in range(2):
        assert "<!" not in plain.validate(ticket).text


def test_a_service_learns_what_its_entry_lists_and_no_more(plain: Site) -> None:
    """Apereo 2023-07-21, 2023-09-14, 2024-06-26: rules of release were skipped on some way."""
    for format_ in ("", "JSON"):
        for path in MACHINES:
            told = plain.validate(ticket_of(plain.browser().sign_in("ada", LIBRARY)), path=path, format=format_)
            assert accepted(told)
            assert ("ada@example.edu" in told.text) == (path != "/validate")
            assert "students" not in told.text
            archive = "https://archive.example.edu/"
            told = plain.validate(ticket_of(plain.browser().sign_in("ada", archive)), archive, path, format=format_)
            assert accepted(told)
            assert "ada@example.edu" not in told.text


def test_ids_are_of_letters_digits_and_hyphens_and_long_enough() -> None:
    """CVE-2010-3690 to 3692 (phpCAS) put ids into pages and file names; CVE-2023-28862 (LemonLDAP::NG): weak ids."""
    for kind in TicketKind:
        ticket = str(new_ticket_id(kind, new_session_id()))
        assert re.fullmatch(r"[A-Z]+-[A-Za-z0-9]{4}-[A-Za-z0-9]{22,}", ticket)


def test_ids_do_not_come_from_a_generator_that_can_be_foretold() -> None:
    """CVE-2019-10754 and 10755 (Apereo): ids and codes from a generator that is not cryptographic."""
    made = set()
    for _ in range(2):
        random.seed(1)
        made |= {str(new_session_id()), str(new_ticket_id(TicketKind.SERVICE, new_session_id()))}
    assert len(made) == 4


def test_a_ticket_lives_for_seconds(plain: Site) -> None:
    """LemonLDAP::NG's default: a ticket lives as long as its session."""
    ticket = parse_ticket_id(ticket_of(plain.browser().sign_in("ada", LIBRARY)))
    assert ticket is not None
    assert 0 < plain.composed.parts.store.command("PTTL", ticket.key) <= 30_000


# Sessions and cookies


def test_signing_in_makes_a_new_session_whatever_the_browser_brought(plain: Site) -> None:
    """django-cas-server 3.1: the id of the session stayed the same over a sign-in."""
    for planted in (str(new_session_id()), signed_in(plain, "grace").session):
        browser = plain.browser()
        browser.app.set_cookie("TGC-casduo", planted)
        browser.fill(browser.login_page("", renew="true"), "ada")
        assert browser.session != planted
        thief = plain.browser()
        thief.app.set_cookie("TGC-casduo", planted)
        assert not has_ticket(thief.login_page(LIBRARY))


def test_nothing_but_a_session_is_taken_for_one(site: Site, duo: DuoSimulator) -> None:
    """CVE-2026-19349 (LemonLDAP::NG): the id of an anonymous state, used as the cookie, signed its bearer in."""
    browser, prompt = prompt_of(site)
    state = parse_qs(urlsplit(duo.visit_prompt(prompt)).query)["state"][0]
    form = site.browser().login_page()
    signed = signed_in(site)
    ticket = ticket_of(signed.login_page(LIBRARY))
    flow = str(browser.app.cookies["casduo-flow"]).strip('"')
    session = parse_ticket_id(signed.session)
    assert session is not None
    for value in (
        state,
        state.split(".")[2],
        form.forms["login"]["execution"].value,
        ticket,
        flow,
        session.fingerprint,
    ):
        for name in (value, f"TGT-{value}", ticket.replace("ST-", "TGT-")):
            thief = site.browser()
            thief.app.set_cookie("TGC-casduo", name)
            assert not has_ticket(thief.login_page(LIBRARY))


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(plain: Site) -> None:
    """Apereo issue 2524: the cookie lacked HttpOnly."""
    for cookie in plain.browser().sign_in("ada", "").headers.getall("Set-Cookie"):
        attributes = {part.strip() for part in cookie.split(";")[1:]}
        assert {"Secure", "HttpOnly", "SameSite=Lax"} <= attributes
        assert not any(attribute.startswith("Domain") for attribute in attributes)


def test_the_way_back_from_duo_sets_one_session_cookie_or_none(site: Site, duo: DuoSimulator) -> None:
    """Apereo pull 5522 and others: the return from Duo overwrote or lost the session cookie."""
    browser, prompt = prompt_of(site)
    answer = browser.get(duo.visit_prompt(prompt))
    assert len([cookie for cookie in answer.headers.getall("Set-Cookie") if cookie.startswith("TGC-")]) == 1
    assert has_ticket(browser.login_page(LIBRARY))
    stepping_up = signed_in(site)
    session = stepping_up.session
    answer = stepping_up.get(duo.visit_prompt(stepping_up.login_page(PAYROLL).headers["Location"]))
    assert not answer.headers.getall("Set-Cookie")
    assert stepping_up.session == session
    assert has_ticket(stepping_up.login_page(PAYROLL))


def test_many_people_at_once_stay_themselves(plain: Site) -> None:
    """Apereo 2017-08-31 and 2023-08-30, CVE-2021-35472 (LemonLDAP::NG): under load people became other people, or got
    the attributes of others, because something was shared between requests.
    """

    def live(name: str) -> bool:
        browser = plain.browser()
        for _ in range(3):
            browser.fill(browser.login_page(LIBRARY, renew="true"), name)
            for _ in range(4):
                told = plain.validate(ticket_of(browser.login_page(LIBRARY))).text
                if f"<cas:user>{name}</cas:user>" not in told or f"<cas:mail>{name}@example.edu</cas:mail>" not in told:
                    return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(live, list(PASSWORDS) * 2))


def test_answers_are_for_nobody_elses_cache(plain: Site) -> None:
    """Apereo 2017-08-31: a proxy in front kept pages and handed them to others."""
    browser = signed_in(plain)
    for answer in (browser.get("/login"), browser.login_page(LIBRARY), plain.validate("x"), browser.get("/logout")):
        assert answer.headers["Cache-Control"] == "no-store"


def test_a_session_ended_on_one_node_is_ended_on_all(build: Build) -> None:
    """Apereo 2026-06-06 a: nodes kept tickets of their own and told each other under other names; sessions lived on."""
    registry = "services: [{id: library, name: L, url: 'https://library.example.edu/**'}]"
    here, there = build(registry=registry), build(registry=registry)
    browser, elsewhere = signed_in(here), there.browser()
    elsewhere.app.set_cookie("TGC-casduo", browser.session)
    ticket = ticket_of(elsewhere.login_page(LIBRARY))
    browser.get("/logout")
    assert not has_ticket(elsewhere.login_page(LIBRARY))
    assert not accepted(there.validate(ticket))


def test_logout_goes_to_registered_addresses_only(plain: Site) -> None:
    """web2py pull 2591 and 2653: the check was added to the login in May and to the logout in July; django-cas-server
    3.1 the same.
    """
    assert signed_in(plain).get("/logout" + query(service=LIBRARY)).headers["Location"] == LIBRARY
    for service in ("https://evil.example.com/", "https://closed.example.edu/"):
        assert "Location" not in signed_in(plain).get("/logout" + query(service=service)).headers


def test_the_store_holds_no_password_and_no_key_to_a_session(plain: Site) -> None:
    """Apereo 2020-07-24: the password lay beside the ticket."""
    browser = signed_in(plain)
    ticket = ticket_of(browser.login_page(LIBRARY))
    store, whole = plain.composed.parts.store, ""
    for key in store.command("KEYS", "*"):
        kind = store.command("TYPE", key)
        read = {"hash": ("HGETALL", key), "zset": ("ZRANGE", key, 0, -1), "string": ("GET", key)}[kind]
        whole += f"{key} {store.command(*read)}\n"
    assert "ada" in whole
    for secret in (PASSWORDS["ada"], browser.session, ticket, ticket.rpartition("-")[2]):
        assert secret not in whole


# Forms and flows


def opened(key: str) -> list[object]:
    """What a signed key tells whoever holds it."""
    payload = key.split(".")[1:-1]
    packed = payload[0] == ""
    text = payload[1] if packed else payload[0]
    data = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    found: list[object] = json.loads(zlib.decompress(data) if packed else data)
    return found


def test_the_key_of_a_form_hides_nothing_because_it_holds_nothing(plain: Site) -> None:
    """CVE-2026-59099 (Apereo): the state of flows travelled encrypted with one key stream for all, thus readable."""
    browser = plain.browser()
    keys = [browser.login_page(LIBRARY).forms["login"]["execution"].value for _ in range(2)]
    browser.fill(browser.login_page(LIBRARY), "ada", "wrong")
    assert keys[0] != keys[1]
    for key in keys:
        moment, (place, asked, mark, cookie) = opened(key)  # type: ignore[misc]
        assert moment == 1_790_000_000
        assert place == [["login", "viewLoginForm"]]
        assert asked == {"service": LIBRARY}
        assert re.fullmatch(r"[A-Za-z0-9]{22}", str(mark))
        assert re.fullmatch(r"[0-9a-f]{64}", str(cookie))


def test_the_step_after_the_password_cannot_be_taken_twice_or_elsewhere(site: Site, duo: DuoSimulator) -> None:
    """CVE-2024-11209 (Apereo): the execution key of a step that was passed could be captured and replayed."""
    browser, prompt = prompt_of(site)
    callback = duo.visit_prompt(prompt)
    thief = site.browser()
    thief.login_page()
    assert not has_ticket(thief.get(callback))
    assert not thief.session
    gate = threading.Barrier(10)
    cookies = "; ".join(f"{name}={value}" for name, value in browser.app.cookies.items())
    parts = urlsplit(callback)

    def replay(number: int) -> bool:
        gate.wait()
        answer = call(site, path=parts.path, query=parts.query, HTTP_COOKIE=cookies)
        return "ticket=" in answer.header("Location")

    with ThreadPoolExecutor(10) as pool:
        assert list(pool.map(replay, range(10))).count(True) == 1
    assert duo.requests.count("/oauth/v1/token") == 1
    assert not has_ticket(browser.get(callback))


def test_a_form_signs_in_once(plain: Site) -> None:
    """django-cas-server 3.1: the token of a form could be used again."""
    browser = plain.browser()
    page = browser.login_page(LIBRARY)
    assert has_ticket(browser.fill(page, "ada"))
    browser.get("/logout")
    assert not has_ticket(browser.fill(page, "ada"))
    assert not browser.session


def test_nobody_is_signed_in_by_a_page_of_somebody_else(plain: Site) -> None:
    """CVE-2015-9284 (omniauth): a strange page could start, or finish, a login."""
    own = plain.browser()
    fields = {
        **dict(own.login_page(LIBRARY).forms["login"].submit_fields()),
        "username": "ada",
        "password": PASSWORDS["ada"],
    }
    victim = plain.browser()
    victim.login_page()
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example.com"}, {"Origin": "null"}, {}):
        assert not has_ticket(victim.post("/login", fields, headers=headers))
        assert not victim.session


def test_every_installation_has_a_key_of_its_own(tmp_path: Path, valkey_url: str) -> None:
    """Apereo 2016-04-08: keys that everybody knew signed the state of flows, which was also unpickled."""
    keys = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        path = write_site(tmp_path / name, valkey_url, REGISTRY)
        path.write_text(re.sub(r"secret_key: .*\n", "", path.read_text()))
        found, _ = ensure_secret_key(load_settings(path, {}))
        keys += found
    assert len(set(keys)) == 2
    assert all(len(key) >= 40 for key in keys)


def test_text_of_a_request_is_text_on_a_page(plain: Site) -> None:
    """leo108/php_cas_server pull 31: a service in the form was markup; CVE-2021-42567 (Apereo): so was a ticket id."""
    script = "\"'><script>alert(1)</script>"
    browser = plain.browser()
    page = browser.login_page(f"https://library.example.edu/?q={script}")
    answers = [
        page,
        browser.fill(page, script, script),
        browser.get("/v1/tickets/" + quote(script)),
        plain.validate(script),
    ]
    answers.append(browser.get("/login" + query(service=script)))
    for answer in answers:
        assert "<script>alert" not in answer.text
        assert "'unsafe" not in answer.headers["Content-Security-Policy"]


def test_text_of_a_request_is_never_evaluated(plain: Site) -> None:
    """Apereo 2026-06-06 c: an expression in an address was evaluated; a guard held for one path segment only."""
    for text in ("${7*7}", "{{7*7}}", "{% if 1 %}x{% endif %}", "#{7*7}", "%{7*7}", "{7*7!r}", "%(x)s"):
        browser = plain.browser()
        page = browser.login_page(f"https://library.example.edu/?q={text}")
        assert page.forms["login"]["service"].value.endswith(text)
        assert browser.fill(page, text, "x").forms["login"]["username"].value == text.lower()
    for path in ("/login/x", "/validate/x", "/readyz/x", "/static/x/casduo.css", "/duo/callback/x", "/login//"):
        assert call(plain, path=f"/cas{path}").status == 404


# The second factor


def test_no_way_to_a_service_that_demands_duo_leads_around_it(site: Site, duo: DuoSimulator) -> None:
    """Apereo 2018-09-26: the second factor was skipped although the policy asked for it."""
    browser = signed_in(site)
    for address in (
        query(service=PAYROLL),
        query(service=PAYROLL, gateway="true"),
        query(service=PAYROLL, method="POST"),
        query(service=PAYROLL, method="HEADER"),
        query(TARGET=PAYROLL),
        query(service=PAYROLL.upper().replace("/SLIPS", "/slips")),
        query(service=PAYROLL + "?authn_method=none&acr_values="),
        query(service=PAYROLL) + "&authn_method=mfa-none&warn=true&fail=open",
    ):
        answer = browser.get("/login" + address)
        assert not has_ticket(answer)
        assert "ticket" not in answer.headers
        assert "ST-" not in answer.text
    assert not site.journal.named("ticket.granted")
    for renew in ("true", "false"):
        other = site.browser()
        answer = other.fill(other.login_page(PAYROLL, renew=renew), "ada", warn="true")
        assert answer.headers["Location"].startswith(duo.base_url)


def test_a_no_from_duo_is_a_no_however_often_one_asks(site: Site, duo: DuoSimulator) -> None:
    """CVE-2023-28862 (LemonLDAP::NG): a step that denied after the session was stored did not deny."""
    duo.faults.id_token = "result_deny"
    browser, prompt = prompt_of(site)
    assert browser.get(duo.visit_prompt(prompt)).status_int == 403
    duo.faults.clear()
    again = browser.login_page(PAYROLL)
    assert again.headers["Location"].startswith(duo.base_url)
    assert not site.journal.named("ticket.granted")
    assert has_ticket(browser.login_page(LIBRARY))


def test_a_name_in_other_letters_has_the_same_second_factor(site: Site, duo: DuoSimulator) -> None:
    """Apereo 2021-02-13: devices were looked up by exact spelling, people were not: ``Alice`` had no second factor."""
    for name in ("ADA", "Ada", " aDa "):
        browser = site.browser()
        answer = browser.fill(browser.login_page(PAYROLL), name, PASSWORDS["ada"])
        assert answer.headers["Location"].startswith(duo.base_url)
        back = browser.get(duo.visit_prompt(answer.headers["Location"]))
        assert "<cas:user>ada</cas:user>" in site.validate(ticket_of(back), PAYROLL).text


def test_an_address_is_no_second_factor(site: Site, duo: DuoSimulator) -> None:
    """CVE-2023-4612 (Apereo): a device was trusted for its address, and the address was what the client said."""
    browser, prompt = prompt_of(site)
    assert has_ticket(browser.get(duo.visit_prompt(prompt)))
    for headers in ({}, {"X-Forwarded-For": "192.0.2.7"}, {"X-Real-Ip": "127.0.0.1"}):
        other = site.browser()
        page = other.login_page(PAYROLL)
        fields = {**dict(page.forms["login"].submit_fields()), "username": "ada", "password": PASSWORDS["ada"]}
        assert other.post("/login", fields, headers=headers).headers["Location"].startswith(duo.base_url)
        assert site.journal.named("signin.ok")[-1].about.address == "192.0.2.7"


def test_a_result_of_one_person_is_worth_nothing_to_another(site: Site, duo: DuoSimulator) -> None:
    """Apereo 2019-11-24: a token was not tied to its user, so anybody's would do."""
    duo.add_user("alan")
    _, prompt = prompt_of(site, "ada")
    result = parse_qs(urlsplit(duo.visit_prompt(prompt)).query)
    alan, prompt = prompt_of(site, "alan")
    state = parse_qs(urlsplit(duo.visit_prompt(prompt)).query)["state"][0]
    swapped = urlencode({"state": state, "duo_code": result["duo_code"][0]})
    assert not has_ticket(alan.get(f"/duo/callback?{swapped}"))
    assert not has_ticket(alan.login_page(PAYROLL))


def test_who_came_back_from_duo_is_not_what_the_request_says(site: Site, duo: DuoSimulator) -> None:
    """Apereo 2025-04-11: at a registration the name was taken from the request instead of the session."""
    browser, prompt = prompt_of(site)
    forged = "&username=grace&principal=grace&service=https%3A%2F%2Flibrary.example.edu%2F&TARGET=x"
    back = browser.get(duo.visit_prompt(prompt) + forged)
    assert back.headers["Location"].startswith(PAYROLL)
    assert "<cas:user>ada</cas:user>" in site.validate(ticket_of(back), PAYROLL).text


@pytest.mark.parametrize("fault", ["wrong_algorithm", "wrong_signature"])
def test_a_result_that_nobody_signed_is_none(site: Site, duo: DuoSimulator, fault: str) -> None:
    """CVE-2026-29000 (pac4j): a token without a signature was believed."""
    duo.faults.id_token = fault  # type: ignore[assignment]
    browser, prompt = prompt_of(site)
    assert not has_ticket(browser.get(duo.visit_prompt(prompt)))


# What is told


@pytest.mark.parametrize(
    "path",
    [
        "/statistics",
        "/status",
        "/status/health",
        "/ssoSessions",
        "/actuator",
        "/actuator/env",
        "/configserver",
        "/metrics",
    ],
)
def test_there_are_no_pages_about_the_inside(plain: Site, path: str) -> None:
    """Apereo 2016-10-24 and 2017-03-06: pages for administrators were open to everybody."""
    assert signed_in(plain).get(path).status_int == 404


def test_probes_say_whether_and_nothing_else(plain: Site) -> None:
    """Apereo 2017-03-06: the page that says whether the server is well said more."""
    for path in ("/healthz", "/readyz"):
        assert plain.browser().get(path).body == b"ok\n"


def test_no_address_of_ours_holds_a_key(plain: Site) -> None:
    """CVE-2020-27178 (Apereo): keys stood in addresses, and so in logs. Akunzai issue 1034: whoever learns a ticket can
    end a session elsewhere, so no page tells where it was called from.
    """
    browser = plain.browser()
    pages = [browser.login_page(LIBRARY), browser.fill(browser.login_page(""), "ada"), browser.get("/login")]
    pages += [browser.get("/logout", headers={"Sec-Fetch-Site": "cross-site"}), browser.get("/logout")]
    for page in pages:
        addresses = [
            item.get("href") or item.get("src") or item.get("action") or "" for item in page.html.find_all(True)
        ]
        assert not any(re.search(r"execution|csrf|TGT-|ST-|[rs]\.[A-Za-z0-9]{8}", address) for address in addresses)
        assert page.headers["Referrer-Policy"] == "no-referrer"
    assert heading(pages[-1]) == "You are signed out"


def test_a_wrong_name_and_a_wrong_password_cannot_be_told_apart(plain: Site) -> None:
    """The usual first step of guessing; also that what was typed does not come back."""
    told = []
    for name in ("ada", "nobody"):
        browser = plain.browser()
        answer = browser.fill(browser.login_page(LIBRARY), name, "Guessed-Password")
        assert "Guessed-Password" not in answer.text
        told.append((answer.status_int, words(answer)))
    assert told[0] == told[1]
