"""Where browsers are sent: to registered applications, and nowhere else."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from webtest.response import TestResponse

from casduo.errors import MalformedService
from casduo.services.urls import append_ticket, location, parse_service
from casduo.simulators.duo import DuoSimulator
from casduo.tickets.ids import TicketKind, new_session_id, new_ticket_id
from tests.security.steps import CRAFTED, accepted, prompt_of, signed_in
from tests.support.raw import call
from tests.support.rest import KEY
from tests.support.site import BASE, LIBRARY, ORIGIN, PASSWORDS, PAYROLL, Build, Site, has_ticket, query, ticket_of
from tests.support.wires import change_registry

OWN = [
    "https://sso.example.edu/cas/duo/callback",
    "https://sso.example.edu/cas/login",
    "https://sso.example.edu/cas/logout/told",
    "https://sso.example.edu/",
]


def stays_here(answer: TestResponse) -> bool:
    """Whether an answer leads nowhere but to the server's own pages and to applications that it lists."""
    places = [answer.headers.get("Location", "/cas/"), answer.headers.get("Refresh", "/cas/")]
    if answer.content_type == "text/html":
        for item in answer.html.find_all(True):
            places += [item[name] for name in ("href", "action", "src", "data-again") if item.get(name)]
            if item.get("http-equiv", "").lower() == "refresh":
                places.append(item["content"].partition("url=")[2])
    # The page of somebody who is signed in lists registered applications.
    own = re.compile(
        r"(/cas/|https://(library|archive|portal|teller|shuttle|app)\.example\.edu/|http://localhost:8000/)"
    )
    return "service" not in answer.headers and all(own.match(place) for place in places)


@pytest.mark.parametrize("service", CRAFTED)
def test_a_crafted_address_is_no_way_out_of_login_and_logout(plain: Site, service: str) -> None:
    """Apereo 2026-08-18, 2022-07-01, 2022-08-03; CVE-2026-7504, CVE-2026-3872 and CVE-2024-8883 (Keycloak),
    CVE-2019-3877 and CVE-2019-13038 (mellon): one part of the server matches an address, a browser reads another.
    """
    browser = signed_in(plain)
    for parameter in ("service", "TARGET", "url", "targetService", "destination"):
        for extra in ({}, {"gateway": "true"}, {"method": "POST"}, {"method": "HEADER"}, {"renew": "true"}):
            for path in ("/login", "/logout"):
                answer = browser.get(path + query(**{parameter: service}, **extra))
                assert stays_here(answer), (parameter, extra, path)
        browser = signed_in(plain)


@pytest.mark.parametrize("service", CRAFTED)
def test_a_crafted_address_is_no_way_out_of_a_form(plain: Site, service: str) -> None:
    """The same reports, for an address that is put into the form of a login that began with a registered one."""
    browser = plain.browser()
    page = browser.login_page(LIBRARY)
    fields = {**dict(page.forms["login"].submit_fields()), "username": "ada", "password": PASSWORDS["ada"]}
    answer = browser.post("/login", {**fields, "service": service, "TARGET": service, "url": service})
    # What the signed key says counts; an address that cannot even be read ends the request.
    assert has_ticket(answer) == (answer.status_int != 400)
    assert answer.headers.get("Location", LIBRARY).startswith(LIBRARY)


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
    for service in OWN:
        assert browser.login_page(service).status_int == 403


def test_a_rule_for_a_part_of_an_application_holds_in_every_spelling(plain: Site) -> None:
    """CVE-2020-24660 (LemonLDAP::NG): rules were compared with an address that had not been normalised."""
    browser = signed_in(plain)
    for path in ("admin/x", "%61dmin/x", "%61%64%6D%69%6e/x", "admin/x?y", "admin/%2f", "admin#/public"):
        assert browser.login_page(f"https://app.example.edu/{path}").status_int == 403
    for path in ("./admin/x", "x/../admin/x", "%2e/admin/x", "x/..;/admin", "admin/../x", "x/%2E%2e/admin"):
        assert browser.login_page(f"https://app.example.edu/{path}").status_int == 400
    for host in ("APP.example.edu", "app.example.edu:443", "app.example.edu:0443"):
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


def test_a_registry_that_breaks_keeps_the_rules_there_were(build: Build) -> None:
    """django-mama-cas pull 78: a list that could not be read fell back to "everybody"."""
    site = build(registry="services: [{id: library, name: L, url: 'https://library.example.edu/**'}]")
    source = site.composed.parts.services
    source.path.write_text("services: [{id: library")
    source.poll()
    browser = signed_in(site)
    assert has_ticket(browser.login_page(LIBRARY))
    assert browser.login_page("https://evil.example.com/").status_int == 403


def test_strictness_leaves_an_applications_own_parameters_alone(plain: Site) -> None:
    """CVE-2026-9689 and keycloak-protocol-cas issue 197: a fix against doubled parameters refused innocent services."""
    service = "https://library.example.edu/cb?state=a&state=b&code=c&service=d&execution=e&ticket=ST-old&gateway=true"
    back = plain.browser().sign_in("ada", service).headers["Location"]
    assert back.startswith(service + "&ticket=ST-")
    assert accepted(plain.validate(back.rpartition("=")[2], service))


def test_what_a_flow_remembers_is_checked_again_when_it_goes_on(build: Build) -> None:
    """Apereo 2026-05-27: stored parameters of a request were trusted later without having been checked."""
    site = build(registry="services: [{id: library, name: L, url: 'https://library.example.edu/**'}]")
    browser = site.browser()
    page = browser.login_page(LIBRARY)
    change_registry(site, "name: L", "name: L, enabled: false")
    assert browser.fill(page, "ada").status_int == 403
    assert not site.journal.named("signin.ok")


def test_what_a_confirmed_sign_out_goes_on_to_is_checked_again(build: Build) -> None:
    """Apereo 2026-05-27, at the question whether to sign out."""
    site = build(
        registry="services: [{id: library, name: L, url: 'https://library.example.edu/**'}]",
        settings="logout: {confirm: always}\n",
    )
    browser = signed_in(site)
    page = browser.get("/logout" + query(service=LIBRARY))
    change_registry(site, "name: L", "name: L, enabled: false")
    assert stays_here(page.forms[0].submit(status="*"))


def test_logout_goes_to_registered_addresses_only(plain: Site) -> None:
    """web2py pull 2591 and 2653: the check was added to the login in May and to the logout in July; django-cas-server
    3.1 the same.
    """
    assert signed_in(plain).get("/logout" + query(service=LIBRARY)).headers["Location"] == LIBRARY
    for service in ("https://evil.example.com/", "https://closed.example.edu/"):
        assert "Location" not in signed_in(plain).get("/logout" + query(service=service)).headers


def test_other_names_for_the_address_are_checked_at_logout_too(build: Build) -> None:
    """web2py pull 2653: other parameters for the same thing, without the check of the first."""
    registry = "services: [{id: library, name: L, url: 'https://library.example.edu/**'}]"
    site = build(registry=registry, settings="logout: {legacy_url: as_service}\n")
    for name in ("url", "destination"):
        assert signed_in(site).get("/logout" + query(**{name: LIBRARY})).headers["Location"] == LIBRARY
        for address in CRAFTED:
            assert stays_here(signed_in(site).get("/logout" + query(**{name: address})))


def test_the_way_back_from_duo_is_no_way_out(site: Site, duo: DuoSimulator) -> None:
    """Apereo 2025-09-25 and 2026-08-18: the service comes from the waiting flow, never from the callback's address."""
    browser, prompt = prompt_of(site)
    callback = duo.visit_prompt(prompt)
    for service in CRAFTED:
        stranger = site.browser()
        for address in (
            "/duo/callback" + query(service=service, TARGET=service, url=service),
            "/duo/callback" + query(state="r.abcd.x.1", duo_code="x", service=service),
            f"{callback}&{urlsplit(query(service=service)).query}",
        ):
            answer = stranger.get(address)
            assert answer.status_int == 400
            assert stays_here(answer)
    forged = "&service=https%3A%2F%2Fevil.example.com%2F&TARGET=https%3A%2F%2Fevil.example.com%2F&method=HEADER"
    assert browser.get(callback + forged).headers["Location"].startswith(f"{PAYROLL}?ticket=ST-")


def test_the_news_of_a_sign_out_lead_nowhere(plain: Site) -> None:
    """Apereo 2026-08-18: the page that asks for news of a sign-out repeats its own key, and nothing else."""
    browser = signed_in(plain)
    assert accepted(plain.validate(ticket_of(browser.login_page(LIBRARY))))
    page = browser.get("/logout")
    key = parse_qs(urlsplit(page.html.find(attrs={"data-again": True})["data-again"]).query)["key"][0]
    tails = (
        "",
        '"><script>alert(1)</script>',
        "&url=https://evil.example.com/",
        "#",
        "; url=https://evil.example.com/",
    )
    for tail in (*tails, "\r\nLocation: https://evil.example.com/", "//evil.example.com", "\u2028"):
        # Characters that are none of Base64 do not make a signature wrong, so a key may bring such along.
        answer = plain.browser().get("/logout/told" + query(key=key + tail, service="https://evil.example.com/"))
        assert stays_here(answer), tail
        assert "<script>alert" not in answer.text
    for key in ("", "x", "//evil.example.com", *CRAFTED):
        assert plain.browser().get("/logout/told" + query(key=key)).headers["Location"] == "/cas/login"


def test_what_a_browser_is_told_to_call_at_sign_out_is_registered(build: Build) -> None:
    """Apereo 2022-07-01: sign-out by the browser, once the entry means the address of the ticket no longer."""
    registry = """
    services:
      - {id: wiki, name: Wiki, url: "https://wiki.example.edu/**", logout: {type: front_channel}}
      - {id: blog, name: Blog, url: "https://blog.example.edu/**", logout: {type: front_channel}}
    """
    site = build(registry=registry)
    browser = signed_in(site)
    for service in ('https://wiki.example.edu/?a="><script>alert(1)</script>', "https://blog.example.edu/x"):
        assert accepted(site.validate(ticket_of(browser.login_page(service)), service))
    change_registry(site, "https://blog.example.edu/**", "https://blog.example.edu/other")
    page = browser.get("/logout")
    (frame,) = page.html.find_all("iframe")
    assert frame["src"].startswith("https://wiki.example.edu/?a=")
    assert "<script>alert" not in page.text
    assert "frame-src https://wiki.example.edu;" in page.headers["Content-Security-Policy"]


def test_the_server_knows_its_own_address_and_believes_no_header(plain: Site) -> None:
    """CVE-2022-39369 (phpCAS), seen from the other side: addresses were built from the request's Host header."""
    lies = {
        "HTTP_HOST": "evil.example.com",
        "HTTP_X_FORWARDED_HOST": "evil.example.com",
        "HTTP_X_FORWARDED_PROTO": "http",
        "HTTP_X_FORWARDED_PREFIX": "//evil.example.com",
        "HTTP_FORWARDED": "host=evil.example.com;proto=http",
        "HTTP_X_ORIGINAL_URL": "//evil.example.com/",
        "wsgi.url_scheme": "http",
        "SERVER_NAME": "evil.example.com",
    }
    for path in (
        "/",
        "/cas",
        "/cas/",
        "/cas/login",
        "/cas/logout",
        "/cas/nothing",
        "/cas/logout/told",
        "/cas/duo/callback",
    ):
        answer = call(plain, path=path, query="key=x" if "told" in path else "", **lies)
        assert b"evil.example.com" not in answer.body
        assert not any("evil" in value for _, value in answer.headers)
    credentials = f"username=ada&password={quote(PASSWORDS['ada'])}".encode()
    lies |= {"HTTP_AUTHORIZATION": f"Bearer {KEY}"}
    kind = "application/x-www-form-urlencoded"
    answer = call(plain, "POST", "/cas/v1/tickets", body=credentials, kind=kind, **lies)
    assert answer.header("Location").startswith(f"{BASE}/v1/tickets/TGT-")
    assert f'action="{BASE}/v1/tickets/TGT-'.encode() in answer.body
    cookies = call(plain, path="/cas/login", **lies)
    assert all("Secure" in value for name, value in cookies.headers if name == "Set-Cookie")


# What is appended

_ODD = st.one_of(
    st.sampled_from(["%", "%2", "%%32%65", "%2%65", "?", "&", "#", "%3", "%3F", "/", ";", "=", "+", " ", "ticket="]),
    st.characters(exclude_categories=["Cs", "Cc"]),
)


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.lists(_ODD, max_size=12).map("".join), st.sampled_from(["ticket", "SAMLart"]))
def test_a_ticket_stands_alone_whatever_the_address_ends_with(rest: str, name: str) -> None:
    """CVE-2026-3872 (Keycloak) and its kind: a percent sign that begins no escape goes out as it came; nothing that the
    server appends completes it, and what browsers then visit is what was matched.
    """
    service = f"https://library.example.edu/{rest}"
    try:
        asked = parse_service(service)
    except MalformedService:
        assume(False)
    ticket = str(new_ticket_id(TicketKind.SERVICE, new_session_id()))
    sent = location(append_ticket(service, name, ticket))  # type: ignore[arg-type]
    before_fragment = sent.partition("#")[0]
    assert re.search(rf"[?&]{name}={ticket}\Z", before_fragment)
    visited = parse_service(sent)
    assert (visited.canonical, visited.host) == (asked.canonical, "library.example.edu")


def test_pages_without_a_service_lead_to_the_sign_in(plain: Site) -> None:
    """Apereo 2026-08-18: "if you simply run CAS": the addresses that redirect by themselves lead to one place."""
    for path in ("", "/", "/logout/told"):
        answer = plain.browser().get(f"{BASE}{path}")
        assert answer.headers["Location"] == "/cas/login"
    assert plain.browser().get(f"{ORIGIN}/").headers["Location"] == "/cas/login"
    for path in ("//evil.example.com", "/cas//evil.example.com", "/cas/%2f%2fevil.example.com", "/cas\\evil"):
        answer = call(plain, path=path)
        assert (answer.status, answer.header("Location")) == (404, "")
