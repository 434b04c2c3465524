"""The login page as a browser meets it: forms, keys, cookies, errors."""

from __future__ import annotations

import re

import pytest

from casduo.services.urls import parse_service
from tests.support.site import BASE, LIBRARY, PASSWORDS, PAYROLL, Build, Site, has_ticket, heading, ticket_of, words


def test_the_form_says_where_one_signs_in_and_for_what(site: Site) -> None:
    page = site.browser().login_page(LIBRARY)
    assert page.status_int == 200
    assert "Library catalogue" in words(page)
    assert "library.example.edu" in words(page)
    form = page.forms["login"]
    assert form["service"].value == LIBRARY
    assert form.action == "/cas/login"


def test_signing_in_sends_the_browser_on_with_303_and_the_ticket_last(site: Site) -> None:
    answer = site.browser().sign_in("ada", LIBRARY)
    assert answer.status_int == 303
    assert re.fullmatch(re.escape(LIBRARY) + r"&ticket=ST-[A-Za-z0-9-]{29}", answer.headers["Location"])


def test_a_live_session_is_sent_on_with_302(site: Site) -> None:
    browser = site.browser()
    browser.sign_in()
    assert browser.login_page().status_int == 302


def test_the_session_cookie_is_for_this_host_and_path_only(site: Site) -> None:
    cookie = next(
        value for value in site.browser().sign_in().headers.getall("Set-Cookie") if value.startswith("TGC-casduo=TGT-")
    )
    attributes = {part.strip() for part in cookie.split(";")[1:]}
    assert attributes == {"Secure", "HttpOnly", "Path=/cas", "SameSite=Lax"}


@pytest.mark.parametrize(("username", "password"), [("ada", "wrong"), ("nobody", "wrong"), ("ADA", "wrong")])
def test_wrong_password_and_unknown_user_look_alike(site: Site, username: str, password: str) -> None:
    browser = site.browser()
    page = browser.fill(browser.login_page(), username, password)
    assert page.status_int == 401
    assert "WWW-Authenticate" not in page.headers
    assert "User name or password is not right." in words(page)
    form = page.forms["login"]
    assert form["username"].value == username.lower()
    assert form["password"].value == ""
    assert form["service"].value == LIBRARY
    assert password not in page.text


def test_the_name_is_the_same_person_in_capitals_and_with_spaces_around(site: Site) -> None:
    browser = site.browser()
    answer = browser.fill(browser.login_page(), "  ADA ", "Analytical-Engine")
    assert "<cas:user>ada</cas:user>" in site.validate(ticket_of(answer)).text


def test_after_a_failure_the_next_form_works(site: Site) -> None:
    browser = site.browser()
    page = browser.fill(browser.login_page(), "ada", "wrong")
    assert has_ticket(browser.fill(page, "ada"))


def test_an_empty_password_is_asked_for_again(site: Site) -> None:
    browser = site.browser()
    page = browser.fill(browser.login_page(), "ada", "")
    assert "Enter your user name and your password." in words(page)
    assert page.forms["login"]["username"].value == "ada"


def test_each_sign_in_makes_a_new_session_and_ends_the_old_one(site: Site) -> None:
    browser = site.browser()
    browser.sign_in()
    first = browser.session
    browser.fill(browser.login_page(renew="true"), "ada")
    assert browser.session != first
    stranger = site.browser()
    stranger.app.set_cookie("TGC-casduo", first)
    assert not has_ticket(stranger.login_page())


def test_signing_in_as_somebody_else_never_mixes_two_people(site: Site) -> None:
    browser = site.browser()
    browser.sign_in("ada")
    answer = browser.fill(browser.login_page(renew="true"), "grace")
    assert "<cas:user>grace</cas:user>" in site.validate(ticket_of(answer)).text
    assert "<cas:user>grace</cas:user>" in site.validate(ticket_of(browser.login_page())).text


def test_a_form_sent_twice_signs_in_once_and_goes_on_with_the_session(site: Site) -> None:
    browser = site.browser()
    page = browser.login_page()
    assert has_ticket(browser.fill(page, "ada"))
    session = browser.session
    assert has_ticket(browser.fill(page, "ada"))
    assert browser.session == session
    assert len(site.journal.named("signin.ok")) == 1


def test_a_used_form_without_a_session_gives_a_fresh_form_that_keeps_the_service(site: Site) -> None:
    browser = site.browser()
    page = browser.login_page(PAYROLL)
    browser.fill(page, "ada", "wrong")
    again = browser.fill(page, "ada")
    assert again.status_int == 200
    assert "This page was already sent once." in words(again)
    assert again.forms["login"]["service"].value == PAYROLL
    assert not browser.session


def test_an_old_form_gives_a_fresh_one_with_the_name_kept(site: Site) -> None:
    browser = site.browser()
    page = browser.login_page()
    site.clock.advance(3601)
    again = browser.fill(page, "ada")
    assert again.status_int == 200
    assert "The page was open for long." in words(again)
    assert again.forms["login"]["username"].value == "ada"
    assert again.forms["login"]["service"].value == LIBRARY
    assert has_ticket(browser.fill(again, "ada"))


def test_a_form_of_another_browser_is_worth_nothing(site: Site) -> None:
    browser, other = site.browser(), site.browser()
    page = browser.login_page()
    other.login_page()
    fields = {**dict(page.forms["login"].submit_fields()), "username": "ada", "password": "Analytical-Engine"}
    answer = other.post("/login", fields)
    assert answer.status_int == 200
    assert not other.session


@pytest.mark.parametrize("execution", ["", "s.", "s.tampered", "r.abcd.efgh.1", "r.abcd.efgh", "x", "r...", "s.\u00fc"])
def test_a_made_up_key_gives_a_fresh_form(site: Site, execution: str) -> None:
    browser = site.browser()
    browser.login_page()
    fields = {"execution": execution, "username": "ada", "password": "Analytical-Engine", "service": LIBRARY}
    answer = browser.post("/login", fields)
    assert answer.status_int == 200
    assert answer.forms["login"]["service"].value == LIBRARY
    assert not browser.session


def test_without_cookies_the_page_says_so(site: Site) -> None:
    browser = site.browser()
    page = browser.login_page()
    fields = {**dict(page.forms["login"].submit_fields()), "username": "ada", "password": "Analytical-Engine"}
    answer = site.browser().post("/login", fields)
    assert answer.status_int == 400
    assert "cookie" in words(answer).lower()


def test_the_key_in_the_form_decides_for_which_service_not_the_field(site: Site) -> None:
    browser = site.browser()
    page = browser.login_page(LIBRARY)
    page.forms["login"]["service"].force_value("https://evil.example.com/")
    answer = browser.fill(page, "ada")
    assert answer.headers["Location"].startswith(LIBRARY)


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://evil.example.com"}],
)
def test_a_post_from_another_site_is_refused(site: Site, headers: dict[str, str]) -> None:
    browser = site.browser()
    page = browser.login_page()
    fields = {**dict(page.forms["login"].submit_fields()), "username": "ada", "password": "Analytical-Engine"}
    answer = browser.post("/login", fields, headers=headers)
    assert answer.status_int == 403
    assert not browser.session


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "same-origin", "Origin": "null"}, {"Origin": "https://sso.example.edu"}, {"Origin": "null"}],
)
def test_a_post_from_our_own_page_is_taken(site: Site, headers: dict[str, str]) -> None:
    browser = site.browser()
    page = browser.login_page()
    fields = {**dict(page.forms["login"].submit_fields()), "username": "ada", "password": "Analytical-Engine"}
    assert has_ticket(browser.post("/login", fields, headers=headers))


def test_too_many_failures_close_the_form_for_a_while_and_say_for_how_long(site: Site) -> None:
    browser = site.browser()
    for _ in range(5):
        page = browser.fill(browser.login_page(), "ada", "wrong")
    answer = browser.fill(browser.login_page(), "ada")
    assert answer.status_int == 429
    assert answer.headers["Retry-After"] == "5"
    assert "5 seconds" in words(answer)
    site.clock.advance(6)
    assert has_ticket(browser.fill(answer, "ada"))
    assert page.status_int == 401


def test_throttling_of_one_name_does_not_depend_on_whether_it_exists(site: Site) -> None:
    browser = site.browser()
    for _ in range(5):
        browser.fill(browser.login_page(), "nobody", "wrong")
    assert browser.fill(browser.login_page(), "nobody", "wrong").status_int == 429


def test_signed_in_page_lists_applications_one_may_open_and_signs_out(site: Site) -> None:
    browser = site.browser()
    page = browser.sign_in("ada", "")
    assert heading(page) == "You are signed in"
    links = [link.get("href") for link in page.html.find_all("a")]
    assert "https://library.example.edu/" in links
    assert "https://staff.example.edu/" not in links
    assert "https://closed.example.edu/" not in links
    gone = page.forms[0].submit(status="*")
    assert heading(gone) == "You are signed out"
    assert heading(browser.get("/login")) != "You are signed in"


@pytest.mark.parametrize("service", ["https://evil.example.com/", "https://library.example.edu.evil.com/"])
@pytest.mark.parametrize("gateway", ["", "true"])
def test_an_unregistered_service_is_told_so_and_never_followed(site: Site, service: str, gateway: str) -> None:
    browser = site.browser()
    browser.sign_in("ada")
    answer = browser.login_page(service, gateway=gateway)
    assert answer.status_int == 403
    host = parse_service(service).host
    assert host in words(answer)
    assert all(host not in (link.get("href") or "") for link in answer.html.find_all("a"))


def test_a_disabled_service_says_why(site: Site) -> None:
    answer = site.browser().login_page("https://closed.example.edu/")
    assert answer.status_int == 403
    assert "Replaced by Payroll." in words(answer)


def test_somebody_who_may_not_use_a_service_is_told_which_rule_and_keeps_the_session(site: Site) -> None:
    browser = site.browser()
    answer = browser.sign_in("ada", "https://staff.example.edu/")
    assert answer.status_int == 403
    assert "certain groups" in words(answer)
    assert has_ticket(browser.login_page(LIBRARY))
    assert has_ticket(site.browser().sign_in("grace", "https://staff.example.edu/"))


def test_gateway_never_shows_a_refusal(site: Site) -> None:
    browser = site.browser()
    browser.sign_in("ada")
    answer = browser.login_page("https://staff.example.edu/", gateway="true")
    assert answer.headers["Location"] == "https://staff.example.edu/"


def test_a_service_without_single_sign_on_always_asks(site: Site) -> None:
    browser = site.browser()
    browser.sign_in("ada")
    page = browser.login_page("https://solo.example.edu/")
    assert page.status_int == 200
    answer = browser.fill(page, "ada")
    told = site.validate(ticket_of(answer), "https://solo.example.edu/", renew="true")
    assert "authenticationSuccess" in told.text


def test_a_session_of_another_handler_is_not_enough_where_the_entry_names_who_checks_passwords(build: Build) -> None:
    registry = """
    services:
      - {id: library, name: Library catalogue, url: "https://library.example.edu/**"}
      - {id: payroll, name: Payroll, url: "https://payroll.example.edu/**", authentication: [campus]}
    """
    campus = "- {type: users_file, name: campus, path: users.yaml}\n"
    site = build(registry=registry, handlers=campus)
    browser = site.browser()
    assert has_ticket(browser.sign_in("ada", LIBRARY))
    assert browser.login_page(PAYROLL).status_int == 200
    assert not has_ticket(browser.login_page(PAYROLL, gateway="true"))
    assert has_ticket(browser.sign_in("ada", PAYROLL))
    assert has_ticket(browser.login_page(PAYROLL))


def test_whoever_wants_to_be_asked_is_asked_before_the_ticket_exists(site: Site) -> None:
    browser = site.browser()
    browser.fill(browser.login_page(), "ada", warn="true")
    page = browser.login_page("https://library.example.edu/other")
    assert page.status_int == 200
    assert "ST-" not in page.text
    assert "Library catalogue" in words(page)
    answer = page.forms[0].submit(status="*")
    assert answer.headers["Location"].startswith("https://library.example.edu/other?ticket=")


def test_a_session_that_ended_while_being_asked_is_not_used(site: Site) -> None:
    browser = site.browser()
    browser.fill(browser.login_page(), "ada", warn="true")
    page = browser.login_page(LIBRARY)
    site.composed.parts.tickets.close_sessions_of("ada", "fraud", site.clock())
    answer = page.forms[0].submit(status="*")
    assert answer.status_int == 200
    assert "You were signed out" in words(answer)
    assert has_ticket(browser.fill(answer, "ada"))


def test_method_post_gives_a_form_for_the_service(site: Site) -> None:
    page = site.browser().sign_in("ada", LIBRARY, method="POST")
    form = page.forms[0]
    assert (form.action, form.method.upper()) == (LIBRARY, "POST")
    assert form["ticket"].value.startswith("ST-")
    assert "authenticationSuccess" in site.validate(form["ticket"].value).text


def test_method_header_gives_headers(site: Site) -> None:
    answer = site.browser().sign_in("ada", LIBRARY, method="HEADER")
    assert (answer.status_int, answer.body) == (200, b"")
    assert answer.headers["service"] == LIBRARY
    assert "authenticationSuccess" in site.validate(answer.headers["ticket"]).text


def test_an_unknown_method_is_get(site: Site) -> None:
    assert has_ticket(site.browser().sign_in("ada", LIBRARY, method="TELEPATHY"))


def test_target_travels_back_as_samlart(site: Site) -> None:
    browser = site.browser()
    answer = browser.fill(browser.get(f"/login?TARGET={LIBRARY.replace('&', '%26')}"), "ada")
    assert "&SAMLart=ST-" in answer.headers["Location"]


@pytest.mark.parametrize("flag", ["false", "0", "no", "OFF", ""])
def test_a_flag_that_says_no_means_no(site: Site, flag: str) -> None:
    browser = site.browser()
    browser.sign_in("ada")
    assert has_ticket(browser.get(f"/login?service={LIBRARY.replace('&', '%26')}&renew={flag}"))


def test_head_and_prefetch_make_no_ticket(site: Site) -> None:
    browser = site.browser()
    browser.sign_in("ada")
    before = len(site.journal.named("ticket.granted"))
    head = browser.app.head(f"{BASE}/login?service={LIBRARY.replace('&', '%26')}", status="*")
    assert head.status_int == 200
    assert "Location" not in head.headers
    for header in ("Sec-Purpose", "Purpose"):
        guess = browser.get(f"/login?service={LIBRARY.replace('&', '%26')}", headers={header: "prefetch;prerender"})
        assert guess.status_int == 204
    assert len(site.journal.named("ticket.granted")) == before


def test_pages_are_not_kept_framed_or_guessed_at(site: Site) -> None:
    page = site.browser().login_page()
    assert page.headers["Cache-Control"] == "no-store"
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Strict-Transport-Security"].startswith("max-age=")
    policy = page.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    # Chromium applies form-action to the redirect after the form: it would keep people from their applications.
    assert "form-action" not in policy


def test_the_nonce_of_the_policy_is_the_scripts_and_new_each_time(site: Site) -> None:
    pages = [site.browser().login_page() for _ in range(2)]
    nonces = [re.search(r"'nonce-([^']+)'", page.headers["Content-Security-Policy"]) for page in pages]
    assert nonces[0] is not None
    assert nonces[1] is not None
    assert nonces[0][1] != nonces[1][1]
    assert pages[0].html.find("script")["nonce"] == nonces[0][1]
    assert "<style" not in pages[0].text
    assert "onclick" not in pages[0].text


def test_static_files_carry_their_content_in_their_address(site: Site) -> None:
    browser = site.browser()
    href = browser.login_page().html.find("link", rel="stylesheet")["href"]
    sheet = browser.get("https://sso.example.edu" + href)
    assert sheet.content_type == "text/css"
    assert "immutable" in sheet.headers["Cache-Control"]
    again = browser.get("https://sso.example.edu" + href, headers={"If-None-Match": sheet.headers["ETag"]})
    assert again.status_int == 304


def test_the_change_password_address_of_password_managers_leads_to_the_setting(build: Build) -> None:
    site = build(settings="login: {change_password_url: 'https://id.example.edu/password'}\n", registry=_NO_DUO)
    answer = site.browser().get("https://sso.example.edu/.well-known/change-password")
    assert answer.headers["Location"] == "https://id.example.edu/password"


_NO_DUO = """
services:
  - {id: library, name: Library, url: "https://library.example.edu/**"}
"""


def test_pictures_come_from_here_and_from_where_the_registry_says(build: Build) -> None:
    site = build(
        registry=_NO_DUO
        + '  - {id: m, name: Maps, url: "https://m.example.edu/**", logo: "https://i.example.edu/m.png"}\n'
    )
    browser = site.browser()
    assert "img-src 'self' data:;" in browser.login_page(LIBRARY).headers["Content-Security-Policy"]
    policy = browser.login_page("https://m.example.edu/").headers["Content-Security-Policy"]
    assert "img-src 'self' data: https://i.example.edu;" in policy


@pytest.mark.parametrize(("username", "service"), [("ada", ""), ("ada", "https://staff.example.edu/")])
def test_a_page_after_the_password_is_shown_by_a_request_one_can_come_back_to(
    site: Site, username: str, service: str
) -> None:
    browser = site.browser()
    form = browser.login_page(service).forms["login"]
    form["username"], form["password"] = username, PASSWORDS[username]
    answer = form.submit(status="*")
    assert answer.status_int == 303
    assert answer.headers["Location"].startswith("/cas/login")
    assert browser.session
    page = browser.follow(answer)
    assert heading(page) == heading(browser.get("https://sso.example.edu" + answer.headers["Location"]))


def test_where_every_visit_asks_for_the_password_a_refusal_is_shown_at_once(build: Build) -> None:
    registry = """
    services:
      - {id: exam, name: Exam, url: "https://exam.example.edu/**", single_sign_on: false, access: {groups: [staff]}}
    """
    answer = build(registry=registry).browser().sign_in("ada", "https://exam.example.edu/")
    assert answer.status_int == 403
    assert "certain groups" in words(answer)


def test_a_server_on_localhost_promises_nothing_for_the_whole_machine(build: Build) -> None:
    site = build(registry=_NO_DUO, url="https://localhost:8443/cas")
    page = site.browser().get("https://localhost:8443/cas/login")
    assert "Strict-Transport-Security" not in page.headers


def test_an_endless_name_is_refused_and_cut_in_the_log(site: Site) -> None:
    browser = site.browser()
    page = browser.fill(browser.login_page(), "a" * 30_000, "wrong")
    assert page.status_int == 401
    assert all(len(event.principal) <= 257 for event in site.journal.events)
