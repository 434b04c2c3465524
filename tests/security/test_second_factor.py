"""The second factor: no way leads around it, and nobody's counts for anybody else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from casduo.mfa.strength import Strength
from casduo.simulators.duo import DuoSimulator
from tests.authentication.slapd import BASE as DIRECTORY
from tests.authentication.slapd import READER, READER_PASSWORD, Slapd, person
from tests.security.steps import opened, prompt_of, session_of, signed_in, tells_nobody
from tests.support.desk import Desk
from tests.support.portal import ask_proxy, refusal_of
from tests.support.rest import REST, Program
from tests.support.site import LIBRARY, PASSWORDS, PAYROLL, Build, Site, has_ticket, query, ticket_of
from tests.support.wires import LAX, WIRES, change_registry


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


def test_no_protocol_leads_around_duo(build: Build, duo_settings: str, duo: DuoSimulator) -> None:
    """Apereo 2018-09-26, for tickets that were never at the sign-in form: by a program, by a proxy, from before the
    registry demanded Duo.
    """
    site = build(settings=duo_settings + REST)
    program, browser = Program(site), signed_in(site)
    assert program.ticket(browser.session, PAYROLL).status == 403
    assert program.sign_in("ada", service=PAYROLL).status == 403
    assert program.renew(browser.session, "ada", PAYROLL).status == 403
    assert program.post("/v1/users", username="ada", password=PASSWORDS["ada"], service=PAYROLL).status == 403
    # Wherever the program says that the person is, and even while Duo is down, for what fails open to people.
    duo.stop_listening()
    assert program.ticket(browser.session, "https://timesheets.example.edu/").status == 403
    duo.listen_again()
    tickets = site.composed.parts.tickets
    for wire in WIRES:
        session = session_of(site, "ada")
        batch = site.composed.parts.store.batch()
        granting = tickets.grant_service_ticket(batch, session, PAYROLL, "payroll", primary=True, now=site.clock())
        batch.run()
        answer = wire.ask(site, {"service": PAYROLL, "ticket": str(granting.id)})
        assert tells_nobody(wire, answer)
        assert wire.told(answer) == wire.failure("INVALID_AUTHENTICATION_CONTEXT")


def test_a_proxy_does_not_lead_around_duo(build: Build, duo_settings: str, duo: DuoSimulator) -> None:
    """Apereo 2018-09-26: a portal that may proxy gets no ticket in the name of somebody whose session has no Duo."""
    registry = """
    services:
      - id: portal
        name: Portal
        url: https://portal.example.edu/**
        proxy: {allow: true, callback: "https://portal.example.edu/pgt"}
      - {id: payroll, name: Payroll, url: "https://payroll.example.edu/**", requires_duo: true}
    """
    site = build(registry=registry, settings=duo_settings)
    desk = Desk(site.composed.parts.tickets, site.composed.parts.store)
    weak, strong = session_of(site, "ada"), session_of(site, "ada", strength=Strength.duo("push", site.clock()))
    asked = {"targetService": PAYROLL}
    assert refusal_of(ask_proxy(site, {"pgt": str(desk.proxy_granting(weak)), **asked})) == "UNAUTHORIZED_SERVICE"
    assert refusal_of(ask_proxy(site, {"pgt": str(desk.proxy_granting(strong)), **asked})) == ""


def test_a_session_from_before_duo_was_demanded_owes_it(build: Build, duo_settings: str, duo: DuoSimulator) -> None:
    """Apereo 2018-09-26: the policy is asked each time a ticket is made, and once more when it is validated."""
    registry = "services: [{id: payroll, name: P, url: 'https://payroll.example.edu/**'}]"
    site = build(registry=registry, settings=duo_settings)
    browser = signed_in(site)
    waiting = {"service": PAYROLL, "ticket": ticket_of(browser.login_page(PAYROLL))}
    change_registry(site, "name: P", "name: P, requires_duo: true")
    assert browser.login_page(PAYROLL).headers["Location"].startswith(duo.base_url)
    assert b"INVALID_AUTHENTICATION_CONTEXT" in LAX.ask(site, waiting).body


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


def test_between_password_and_duo_there_is_no_session(site: Site, duo: DuoSimulator) -> None:
    """CVE-2023-28862: store the session after the last "no". A password without its Duo opens nothing, anywhere."""
    browser, prompt = prompt_of(site)
    assert browser.session == ""
    assert not has_ticket(browser.login_page(LIBRARY, gateway="true"))
    assert site.composed.parts.store.command("KEYS", "*:tgt:*") == []
    duo.visit_prompt(prompt)
    assert not has_ticket(browser.login_page(LIBRARY, gateway="true"))


# Whose factor


def test_a_name_in_other_letters_has_the_same_second_factor(site: Site, duo: DuoSimulator) -> None:
    """Apereo 2021-02-13: devices were looked up by exact spelling, people were not: ``Alice`` had no second factor."""
    for name in ("ADA", "Ada", " aDa "):
        browser = site.browser()
        answer = browser.fill(browser.login_page(PAYROLL), name, PASSWORDS["ada"])
        assert answer.headers["Location"].startswith(duo.base_url)
        back = browser.get(duo.visit_prompt(answer.headers["Location"]))
        assert "<cas:user>ada</cas:user>" in site.validate(ticket_of(back), PAYROLL).text


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Slapd]:
    with Slapd(tmp_path / "slapd", [person("alice", "Looking-Glass", "mail: alice@example.edu")]) as slapd:
        yield slapd


@pytest.mark.parametrize("case", ["keep", "lower"])
def test_a_directory_says_who_it_was_however_the_name_was_spelled(
    build: Build, directory: Slapd, duo_settings: str, duo: DuoSimulator, case: str
) -> None:
    """Apereo 2021-02-13 with a real directory, to which ``Alice`` in any letters is alice: Duo is asked for the person
    that the directory names, and a service with names of its own knows one person and not several.
    """
    duo.add_user("alice")
    registry = """
    services:
      - {id: payroll, name: P, url: "https://payroll.example.edu/**", requires_duo: true}
      - {id: library, name: L, url: "https://library.example.edu/**", pairwise_id: true}
    """
    ldap = (
        f"  - {{type: ldap, servers: ['{directory.url}'], allow_plaintext: true, base: '{DIRECTORY}',\n"
        f"     bind_dn: '{READER}', bind_password: {READER_PASSWORD}, attributes: {{mail: mail}}}}\n"
    )
    site = build(registry=registry, settings=f"{ldap}login: {{username_case: {case}}}\n{duo_settings}")
    known = set()
    for name in ("alice", "ALICE", "Alice", "\uff21lice", "\U0001d41alice"):
        browser = site.browser()
        answer = browser.fill(browser.login_page(PAYROLL), name, "Looking-Glass")
        assert answer.headers["Location"].startswith(duo.base_url), name
        back = browser.get(duo.visit_prompt(answer.headers["Location"]))
        assert "<cas:user>alice</cas:user>" in site.validate(ticket_of(back), PAYROLL).text
        told = site.validate(ticket_of(browser.login_page(LIBRARY))).text
        known.add(told.partition("<cas:user>")[2].partition("<")[0])
    assert len(known) == 1
    assert "alice" not in known
    # The server keeps its connections to a directory until the process ends.
    site.composed.parts.authenticator._handlers[-1].close()


def test_two_services_cannot_tell_that_they_know_the_same_person(build: Build) -> None:
    """Apereo 2023-07-21 and its kind, for names: one person's pairwise ids have nothing in common."""
    registry = """
    services:
      - {id: library, name: L, url: "https://library.example.edu/**", pairwise_id: true}
      - {id: archive, name: A, url: "https://archive.example.edu/**", pairwise_id: true}
    """
    site = build(registry=registry)
    told = set()
    for service in (LIBRARY, "https://archive.example.edu/"):
        for name in ("ada", "grace"):
            answer = site.validate(ticket_of(opened(site, name).login_page(service)), service).text
            assert name not in answer
            told.add(answer.partition("<cas:user>")[2].partition("<")[0])
    assert len(told) == 4


@pytest.mark.parametrize("headers", [{}, {"X-Forwarded-For": "192.0.2.7"}, {"X-Real-Ip": "127.0.0.1"}])
def test_an_address_is_no_second_factor(site: Site, duo: DuoSimulator, headers: dict[str, str]) -> None:
    """CVE-2023-4612 (Apereo): a device was trusted for its address, and the address was what the client said."""
    browser, prompt = prompt_of(site)
    assert has_ticket(browser.get(duo.visit_prompt(prompt)))
    other = site.browser()
    page = other.login_page(PAYROLL)
    fields = {**dict(page.forms["login"].submit_fields()), "username": "ada", "password": PASSWORDS["ada"]}
    assert other.post("/login", fields, headers=headers).headers["Location"].startswith(duo.base_url)
    assert site.journal.named("signin.ok")[-1].about.address == "192.0.2.7"


def test_an_address_that_somebody_makes_up_opens_no_network(build: Build, duo_settings: str, duo: DuoSimulator) -> None:
    """CVE-2023-4612, for rules about networks: who may use a service, and from where Duo is not asked for."""
    registry = """
    services:
      - {id: lab, name: Lab, url: "https://lab.example.edu/**", access: {networks: [10.0.0.0/8]}}
    """
    site = build(registry=registry)
    browser = signed_in(site)
    for name in ("X-Forwarded-For", "X-Real-Ip", "Forwarded", "Client-Ip", "True-Client-Ip"):
        value = "for=10.1.2.3" if name == "Forwarded" else "10.1.2.3"
        answer = browser.get("/login" + query(service="https://lab.example.edu/"), headers={name: value})
        assert answer.status_int == 403


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


def test_a_passcode_of_one_person_is_worth_nothing_to_another(
    build: Build, duo_settings: str, duo: DuoSimulator
) -> None:
    """Apereo 2019-11-24 and 2025-08-19, for passcodes; and 2026-06-06 b: one that was used is used up."""
    duo.add_user("grace")
    duo.add_user("alan")
    site = build(settings=duo_settings + REST)
    program = Program(site)
    grace = program.session("grace")
    code = duo.phone("ada").passcode()
    assert program.ticket(grace, PAYROLL, passcode=code).status == 401
    assert program.ticket(grace, PAYROLL, passcode=code, username="ada").status == 401
    ada = program.session("ada")
    assert program.ticket(ada, PAYROLL, passcode=code).status == 200
    again = program.session("ada")
    assert program.ticket(again, PAYROLL, passcode=code).status == 401
    assert program.ticket(again, PAYROLL).status == 403


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


def test_a_program_cannot_wash_the_count_of_wrong_passcodes(build: Build, duo_settings: str, duo: DuoSimulator) -> None:
    """Apereo 2018-09-26 by patience: whoever has the password guesses at six digits as often as the limits allow."""
    site = build(settings=duo_settings + REST)
    program = Program(site)
    told = []
    for number in range(12):
        told.append(program.ticket(program.session("ada"), PAYROLL, passcode=f"{number:06d}").status)
    assert told[0] == 401
    assert told[-1] == 429
