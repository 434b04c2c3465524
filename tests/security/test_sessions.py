"""Sessions: what opens one, what ends one, which cookie carries it, and that everybody has their own."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
from webtest.response import TestResponse

from casduo.simulators.duo import DuoSimulator
from casduo.tickets.ids import new_session_id, parse_ticket_id
from tests.security.steps import TELLER, accepted, good, opened, prompt_of, signed_in
from tests.support.portal import Portal, ask_proxy, iou_of, proxy_granting, proxy_ticket, refusal_of, sign_in
from tests.support.raw import call
from tests.support.rest import REST, Program, text
from tests.support.site import (
    LIBRARY,
    PASSWORDS,
    PAYROLL,
    Browser,
    Build,
    Site,
    has_ticket,
    query,
    ticket_of,
)
from tests.support.wires import LAX, SAML, Wire, wires

# What opens a session


def test_signing_in_makes_a_new_session_whatever_the_browser_brought(plain: Site) -> None:
    """django-cas-server 3.1: the id of the session stayed the same over a sign-in."""
    for planted in (str(new_session_id()), signed_in(plain, "grace").session, signed_in(plain).session):
        browser = plain.browser()
        browser.app.set_cookie("TGC-casduo", planted)
        browser.fill(browser.login_page("", renew="true"), "ada")
        assert browser.session != planted
        thief = plain.browser()
        thief.app.set_cookie("TGC-casduo", planted)
        assert not has_ticket(thief.login_page(LIBRARY))


def test_nothing_but_a_session_is_taken_for_one(build: Build, duo: DuoSimulator, duo_settings: str) -> None:
    """CVE-2026-19349 (LemonLDAP::NG): the id of an anonymous state, used as the cookie, signed its bearer in."""
    site = build(settings=duo_settings + REST)
    browser, prompt = prompt_of(site)
    state = parse_qs(urlsplit(duo.visit_prompt(prompt)).query)["state"][0]
    signed = signed_in(site)
    ticket = ticket_of(signed.login_page(LIBRARY))
    session = parse_ticket_id(signed.session)
    assert session is not None
    assert accepted(site.validate(ticket_of(signed.login_page(LIBRARY))))
    news = _told_key(signed_in_and_out(site))
    values = {
        "state": state,
        "flow": state.split(".")[2],
        "form": site.browser().login_page().forms["login"]["execution"].value,
        "ticket": ticket,
        "flow cookie": str(browser.app.cookies["casduo-flow"]).strip('"'),
        "fingerprint": session.fingerprint,
        "name": session.name.text,
        "key": session.key,
        "csrf": signed.get("/login").forms[0]["csrf"].value,
        "news": news,
        "tag": session.tag,
    }
    program = Program(site)
    for kind, value in values.items():
        for disguised in (
            value,
            f"TGT-{value}",
            f"TGT-{session.tag}-{value}"[:52].ljust(52, "x"),
            ticket.replace("ST-", "TGT-"),
        ):
            thief = site.browser()
            thief.app.set_cookie("TGC-casduo", disguised)
            assert not has_ticket(thief.login_page(LIBRARY)), kind
            assert program.call("GET", f"/v1/tickets/{disguised}").status == (200 if disguised == ticket else 404), kind


def signed_in_and_out(site: Site) -> TestResponse:
    """The page of a sign-out that tells somebody."""
    browser = signed_in(site)
    assert accepted(site.validate(ticket_of(browser.login_page(LIBRARY))))
    return browser.get("/logout")


def _told_key(page: TestResponse) -> str:
    return parse_qs(urlsplit(page.html.find(attrs={"data-again": True})["data-again"]).query)["key"][0]


# The cookie


class Strict(Browser):
    """A browser that minds what it is told about cookies, on every step."""

    def get(self, path: str, **options: object) -> TestResponse:
        return self._minded(super().get(path, **options))

    def post(self, path: str, fields: object, **options: object) -> TestResponse:
        return self._minded(super().post(path, fields, **options))

    def fill(self, page: TestResponse, username: str, password: str | None = None, **fields: object) -> TestResponse:
        form = page.forms["login"]
        given = {**dict(form.submit_fields()), "username": username, "password": password or PASSWORDS[username]}
        return self.follow(self.post("/login", {**given, **fields}))

    @staticmethod
    def _minded(answer: TestResponse) -> TestResponse:
        cookies = answer.headers.getall("Set-Cookie")
        names = Counter(cookie.partition("=")[0] for cookie in cookies)
        assert set(names) <= {"TGC-casduo", "casduo-flow"}
        assert all(times == 1 for times in names.values()), cookies
        for cookie in cookies:
            attributes = {part.strip() for part in cookie.split(";")[1:]}
            assert {"Secure", "HttpOnly", "SameSite=Lax", "Path=/cas"} <= attributes
            assert not any(attribute.startswith("Domain") for attribute in attributes)
        return answer


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(
    build: Build, duo: DuoSimulator, duo_settings: str
) -> None:
    """Apereo issue 2524: the cookie lacked HttpOnly. Apereo pull 5522: two cookies of one name, and one won. On every
    leg of every way through the server there is one of a name at most.
    """
    site = build(settings=duo_settings + "session: {remember_me: {enabled: true}}\n")
    browser = Strict(site)
    browser.fill(browser.login_page(""), "ada", warn="true")
    browser.fill(browser.login_page("", renew="true"), "ada", rememberMe="true")
    browser.fill(browser.login_page(LIBRARY, renew="true"), "ada", "wrong")
    assert has_ticket(browser.fill(browser.login_page(LIBRARY, renew="true"), "grace"))
    assert has_ticket(browser.fill(browser.login_page(LIBRARY, renew="true"), "ada"))
    for extra in ({}, {"method": "POST"}, {"method": "HEADER"}, {"gateway": "true"}):
        browser.login_page(LIBRARY, **extra)
    browser.login_page("https://evil.example.com/")
    browser.login_page("https://staff.example.edu/")
    assert has_ticket(browser.get(duo.visit_prompt(browser.login_page(PAYROLL).headers["Location"])))
    prompt = browser.fill(browser.login_page(PAYROLL, renew="true"), "ada").headers["Location"]
    assert has_ticket(browser.get(duo.visit_prompt(prompt)))
    browser.get("/duo/callback?state=r.abcd.x.1&duo_code=x")
    browser.get("/logout", headers={"Sec-Fetch-Site": "cross-site"})
    for _ in range(2):
        browser.get("/logout")
    browser.login_page(LIBRARY)


def test_the_way_back_from_duo_sets_one_session_cookie_or_none(site: Site, duo: DuoSimulator) -> None:
    """Apereo pull 5522, 3482 and 3488: the return from Duo overwrote or lost the session cookie."""
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


@pytest.mark.parametrize("verdict", ["result_deny", "wrong_signature"])
def test_a_session_outlives_a_step_up_that_failed(site: Site, duo: DuoSimulator, verdict: str) -> None:
    """Apereo pull 5522: whatever Duo says of one application, the session for the others stays the one it was."""
    browser = signed_in(site)
    session = browser.session
    duo.faults.id_token = verdict  # type: ignore[assignment]
    answer = browser.get(duo.visit_prompt(browser.login_page(PAYROLL).headers["Location"]))
    assert not has_ticket(answer)
    assert browser.session == session
    assert has_ticket(browser.login_page(LIBRARY))


def test_machines_get_no_cookie_and_need_none(plain: Site, portal: Portal) -> None:
    """Apereo 2017-08-31: what is handed to one application must not carry the session of whoever asks."""
    browser = signed_in(plain, "grace")
    cookie = f"TGC-casduo={browser.session}"
    for wire in (LAX, SAML, Wire("/validate")):
        answer = wire.ask(plain, sign_in(plain, LIBRARY), HTTP_COOKIE=cookie)
        assert wire.accepts(answer)
        assert b"grace" not in answer.body
        assert answer.header("Set-Cookie") == ""
    pgt = proxy_granting(plain, portal)
    assert b"PT-" in call(plain, path="/cas/proxy", query=f"pgt={pgt}&targetService={LIBRARY}", HTTP_COOKIE=cookie).body


# Everybody has their own


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


@wires(LAX, Wire("/serviceValidate", "JSON"), SAML)
def test_many_validations_at_once_tell_each_of_one_person(plain: Site, wire: Wire) -> None:
    """Apereo 2023-08-30: one validator for all, and the attributes of one person in the answer about another."""
    people = [f"person{number}" for number in range(40)]

    def asked_of(person: str) -> dict[str, str]:
        attributes = {name: (f"{name} of {person}",) for name in ("mail", "displayName", "note")}
        return {"service": TELLER, "ticket": ticket_of(opened(plain, person, attributes).login_page(TELLER))}

    tickets = [(person, asked_of(person)) for person in people for _ in range(5)]

    def tell(pair: tuple[str, dict[str, str]]) -> bool:
        person, asked = pair
        body = wire.ask(plain, asked).body.decode()
        others = any(f"of {other}<" in body or f'of {other}"' in body for other in people if other != person)
        return not others and all(f"{name} of {person}" in body for name in ("mail", "displayName", "note"))

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(tell, tickets))


def test_proxies_of_many_people_at_once_keep_them_apart(plain: Site, portal: Portal) -> None:
    """Apereo 2023-08-30, for proxy-granting tickets: each is that of the person whose ticket was validated."""

    def live(name: str) -> bool:
        for _ in range(5):
            iou = iou_of(LAX.ask(plain, {**sign_in(plain, username=name), "pgtUrl": portal.callback}))
            ticket = proxy_ticket(plain, portal.granted[iou])
            if f">{name}<".encode() not in LAX.ask(plain, {"service": LIBRARY, "ticket": ticket}).body:
                return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(live, list(PASSWORDS) * 2))


def test_pages_of_many_people_at_once_are_their_own(plain: Site) -> None:
    """CVE-2021-35472 (LemonLDAP::NG) and Apereo 2017-08-31: pages that are kept ready for all show nobody's facts."""

    def look(number: int) -> bool:
        name = list(PASSWORDS)[number % len(PASSWORDS)]
        service = f"https://library.example.edu/{number}?of={name}"
        page = plain.browser().login_page(service)
        own = page.forms["login"]["service"].value == service
        return own and name in signed_in(plain, name).get("/login").text

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(look, range(64)))


def test_answers_are_for_nobody_elses_cache(plain: Site, portal: Portal) -> None:
    """Apereo 2017-08-31: a proxy in front kept pages and handed them to others."""
    browser = signed_in(plain)
    for answer in (
        browser.get("/login"),
        browser.login_page(LIBRARY),
        browser.login_page(LIBRARY, method="POST"),
        browser.login_page("https://evil.example.com/"),
        plain.validate("x"),
        browser.get("/logout"),
        browser.get("/nothing"),
        browser.get("/readyz"),
    ):
        assert answer.headers["Cache-Control"] == "no-store"
    program = Program(plain)
    machines = [
        SAML.ask(plain, sign_in(plain, LIBRARY)),
        ask_proxy(plain, {"pgt": proxy_granting(plain, portal), "targetService": LIBRARY}),
        program.sign_in(),
        program.ticket(program.session()),
        program.post("/v1/users", username="ada", password=PASSWORDS["ada"]),
    ]
    assert all(answer.header("Cache-Control") == "no-store" for answer in machines)


# What ends one


def test_a_session_ended_on_one_node_is_ended_on_all(build: Build) -> None:
    """Apereo 2026-06-06 a: nodes kept tickets of their own and told each other under other names; sessions lived on."""
    registry = "services: [{id: library, name: L, url: 'https://library.example.edu/**'}]"
    here, there = build(registry=registry, settings=REST), build(registry=registry, settings=REST)
    browser, elsewhere, program = signed_in(here), there.browser(), Program(there)
    elsewhere.app.set_cookie("TGC-casduo", browser.session)
    asked = {"service": LIBRARY, "ticket": ticket_of(elsewhere.login_page(LIBRARY))}
    session = browser.session
    assert program.look(session) == 200
    browser.get("/logout")
    assert not has_ticket(elsewhere.login_page(LIBRARY))
    assert not good(there, asked)
    assert program.look(session) == 404
    assert program.ticket(session).status == 404


def test_a_session_ended_by_a_program_is_ended_in_the_browser(plain: Site, portal: Portal) -> None:
    """Apereo 2026-06-06 a, by every other way that a session ends, and for everything that hangs on one."""
    for end in (
        lambda browser, _: Program(plain).call("DELETE", f"/v1/tickets/{browser.session}"),
        lambda browser, _: browser.fill(browser.login_page("", renew="true"), "grace"),
        lambda browser, _: browser.get("/logout"),
        lambda _, session: plain.composed.parts.tickets.close_sessions_of("ada", "administrator", plain.clock()),
    ):
        browser = signed_in(plain)
        session = browser.session
        pgt = proxy_granting(plain, portal, {"service": _PORTAL, "ticket": ticket_of(browser.login_page(_PORTAL))})
        waiting = {"service": LIBRARY, "ticket": ticket_of(browser.login_page(LIBRARY))}
        through = {"service": LIBRARY, "ticket": proxy_ticket(plain, pgt)}
        by_program = {"service": LIBRARY, "ticket": text(Program(plain).ticket(session))}
        end(browser, session)
        thief = plain.browser()
        thief.app.set_cookie("TGC-casduo", session)
        assert not has_ticket(thief.get("/login" + query(service=LIBRARY)))
        assert not any(good(plain, asked) for asked in (waiting, through, by_program))
        assert refusal_of(ask_proxy(plain, {"pgt": pgt, "targetService": LIBRARY})) == "INVALID_TICKET"


_PORTAL = "https://portal.example.edu/"


def test_a_sign_out_while_a_ticket_is_granted_leaves_no_ticket(plain: Site) -> None:
    """Apereo 2026-06-06 a, as a race: tickets granted beside a sign-out are worth nothing behind it."""
    for _ in range(10):
        browser = signed_in(plain)
        cookies = f"TGC-casduo={browser.session}"

        def grant(number: int, cookies: str = cookies) -> str:
            if number == 4:
                call(plain, path="/cas/logout", HTTP_COOKIE=cookies)
                return ""
            answer = call(plain, path="/cas/login", query="service=https://archive.example.edu/", HTTP_COOKIE=cookies)
            return answer.header("Location").partition("ticket=")[2]

        with ThreadPoolExecutor(8) as pool:
            tickets = [ticket for ticket in pool.map(grant, range(8)) if ticket]
        assert not any(good(plain, {"service": "https://archive.example.edu/", "ticket": each}) for each in tickets)
