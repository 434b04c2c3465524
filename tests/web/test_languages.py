"""In which language pages come, how it is chosen, and that choosing loses nothing of a login."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from webtest.response import TestResponse

from tests.support.raw import FORM, call
from tests.support.site import LIBRARY, Browser, Build, Site, build_site, has_ticket, heading, words

REGISTRY = """
services:
  - id: library
    name: {en: Library catalogue, de: Bibliothek, fr: Bibliothèque}
    description: {en: Books and journals, de: Bücher und Zeitschriften}
    url: https://library.example.edu/**
  - id: wiki
    name: {de: Wissensbasis, en: Wiki}
    url: https://wiki.example.edu/**
    warn: true
  - id: closed
    name: Old system
    url: https://closed.example.edu/**
    enabled: false
    disabled_reason: {en: Replaced by Payroll., es: Sustituido por Nóminas.}
"""
SETTINGS = """
pages:
  organisation: {en: Analytical University, de: Analytische Universität}
  help_text: {en: "Help desk: 4711", de: "Helpdesk: 4711"}
  footer_links:
    - {text: {en: Imprint, de: Impressum}, url: "https://www.example.edu/imprint"}
"""
WIKI = "https://wiki.example.edu/page"
GERMAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.5"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, valkey_url: str) -> Iterator[Site]:
    found = build_site(tmp_path_factory.mktemp("languages"), valkey_url, float(int(time.time())), REGISTRY, SETTINGS)
    yield found
    found.composed.close()


def login_page(browser: Browser, service: str = LIBRARY, **headers: str) -> TestResponse:
    return browser.get("/login?service=" + quote(service, safe=""), headers=headers)


def choose(browser: Browser, page: TestResponse, language: str) -> TestResponse:
    """Press a language in the foot of a page, and go where that leads."""
    form = next(form for form in page.forms.values() if form.action == "/cas/language")
    return browser.follow(form.submit("language", value=language, status="*"))


@pytest.mark.parametrize(
    ("asked", "given"),
    [
        ("de", "de"),
        ("de-CH", "de"),
        ("FR-ca, en;q=0.8", "fr"),
        ("pt-BR, es;q=0.4, en;q=0.3", "es"),
        ("en;q=0.1, de;q=0.2", "de"),
        ("de;q=0, fr;q=0.1", "fr"),
        ("ja, *", "en"),
        ("*", "en"),
        ("", "en"),
        ("de;q=often, ;;=, ,", "en"),
        ("x" * 10_000, "en"),
    ],
)
def test_the_browser_tells_the_language(site: Site, asked: str, given: str) -> None:
    page = login_page(site.browser(), **{"Accept-Language": asked})
    assert page.html.find("html")["lang"] == given
    assert page.headers["Content-Language"] == given
    assert page.headers["Vary"] == "Accept-Language, Cookie"


def test_texts_of_the_site_come_in_the_language_of_the_page(site: Site) -> None:
    german = words(login_page(site.browser(), **GERMAN))
    assert "um Bibliothek zu öffnen" in german
    for told in ("Analytische Universität", "Bücher und Zeitschriften", "Helpdesk: 4711", "Impressum"):
        assert told in german
    french = words(login_page(site.browser(), **{"Accept-Language": "fr"}))
    assert "Bibliothèque" in french
    # What there is no French for comes in the site's own language.
    assert "Books and journals" in french
    assert "Imprint" in french


def test_a_reason_is_told_in_the_language_of_the_page(site: Site) -> None:
    page = login_page(site.browser(), "https://closed.example.edu/", **{"Accept-Language": "es"})
    assert heading(page) == "Old system está desactivada"
    assert "Sustituido por Nóminas." in words(page)


def test_the_foot_of_a_page_offers_all_languages_by_their_own_names(site: Site) -> None:
    form = login_page(site.browser()).html.find("form", class_="languages")
    assert [(one["value"], one["lang"], one.text) for one in form.find_all("button")] == [
        ("de", "de", "Deutsch"),
        ("fr", "fr", "Français"),
        ("es", "es", "Español"),
    ]
    current = form.find(attrs={"aria-current": "true"})
    assert (current["lang"], current.text) == ("en", "English")


def test_a_choice_is_remembered_and_goes_before_what_the_browser_tells(site: Site) -> None:
    browser = site.browser()
    page = choose(browser, login_page(browser), "fr")
    assert heading(page) == "Se connecter"
    assert "pour continuer vers Bibliothèque" in words(page)
    assert heading(login_page(browser, **GERMAN)) == "Se connecter"
    assert has_ticket(browser.fill(page, "ada"))


def test_the_cookie_of_a_choice_lasts_a_year_and_holds_the_language_only(site: Site) -> None:
    browser = site.browser()
    form = next(one for one in login_page(browser).forms.values() if one.action == "/cas/language")
    answer = form.submit("language", value="de", status="*")
    assert answer.status_int == 303
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith("casduo-language=de; ")
    for part in ("Max-Age=31536000", "Path=/cas", "Secure", "HttpOnly", "SameSite=Lax"):
        assert part in cookie
    assert "Domain" not in cookie


def test_a_refused_password_is_told_in_the_language_chosen_afterwards_with_the_service_kept(site: Site) -> None:
    browser = site.browser()
    refused = browser.fill(login_page(browser), "ada", "wrong")
    assert refused.status_int == 401
    page = choose(browser, refused, "de")
    assert heading(page) == "Anmelden"
    assert has_ticket(browser.fill(page, "ada"))


def test_a_login_that_waits_goes_on_in_another_language(site: Site) -> None:
    browser = site.browser()
    waiting = browser.fill(login_page(browser, WIKI), "grace")
    assert heading(waiting) == "Go on to Wiki?"
    page = choose(browser, waiting, "de")
    assert heading(page) == "Weiter zu Wissensbasis?"
    assert heading(choose(browser, page, "es")) == "¿Ir a Wiki?"
    form = next(one for one in page.forms.values() if "execution" in one.fields)
    assert has_ticket(form.submit(status="*"))


def test_applications_ask_for_a_language_by_the_parameter_locale(site: Site) -> None:
    browser = site.browser()
    page = browser.get("/login?locale=de_DE&service=" + quote(LIBRARY, safe=""), headers={"Accept-Language": "fr"})
    assert heading(page) == "Anmelden"
    assert heading(login_page(browser)) == "Anmelden"
    unknown = site.browser().get("/login?locale=tlh")
    assert heading(unknown) == "Sign in"
    assert "casduo-language" not in str(unknown.headers.getall("Set-Cookie"))


def test_signing_out_is_not_done_by_choosing_a_language(site: Site) -> None:
    browser = site.browser()
    browser.sign_in("linus")
    asked = browser.get("/logout", headers={"Sec-Fetch-Site": "cross-site"})
    assert heading(asked) == "Sign out?"
    assert heading(choose(browser, asked, "de")) == "Sie sind angemeldet"
    assert browser.session


def test_choosing_a_language_instead_of_signing_out_opens_no_application(build: Build) -> None:
    registry = 'services:\n  - {id: library, name: Library, url: "https://library.example.edu/**"}\n'
    browser = build(registry=registry, settings="logout: {confirm: always}\n").browser()
    browser.sign_in("linus")
    asked = browser.get("/logout?service=" + quote(LIBRARY, safe=""))
    assert heading(asked) == "Sign out?"
    assert heading(choose(browser, asked, "de")) == "Sie sind angemeldet"


@pytest.mark.parametrize(
    "back",
    [
        "",
        "https://evil.example.com/",
        "//evil.example.com/cas/",
        "/\\evil.example.com",
        "/cas/\\..",
        "/cas/login\r\nX-Evil: 1",
        "/cas/login evil",
        "/cas",
        "/casx/login",
        "/other",
        "javascript:alert(1)",
        "/cas/" + "a" * 5000,
        "/cas/../other",
        "/cas/.%2E//evil.example.com",
        "/cas/login/..",
        "/cas/login#here",
        "/cas/caf\u00e9",
    ],
)
def test_a_choice_leads_to_pages_of_ours_only(site: Site, back: str) -> None:
    answer = call(site, "POST", "/cas/language", body=f"language=de&back={quote(back, safe='')}".encode(), kind=FORM)
    assert (answer.status, answer.header("Location")) == (303, "/cas/login")
    assert "casduo-language=de" in answer.header("Set-Cookie")


@pytest.mark.parametrize("language", ["", "tlh", "de; Domain=example.edu", "DE", "../de", "de\0"])
def test_only_languages_that_are_offered_are_remembered(site: Site, language: str) -> None:
    body = f"language={quote(language, safe='')}&back=%2Fcas%2Frequests".encode()
    answer = call(site, "POST", "/cas/language", body=body, kind=FORM)
    assert (answer.status, answer.header("Location"), answer.header("Set-Cookie")) == (303, "/cas/requests", "")


def test_a_cookie_that_nobody_offered_counts_for_nothing(site: Site) -> None:
    answer = call(site, HTTP_COOKIE="casduo-language=<script>", HTTP_ACCEPT_LANGUAGE="fr")
    assert answer.header("Content-Language") == "fr"


def test_another_site_cannot_choose(site: Site) -> None:
    for headers in ({"HTTP_SEC_FETCH_SITE": "cross-site"}, {"HTTP_ORIGIN": "https://evil.example.com"}):
        answer = call(site, "POST", "/cas/language", body=b"language=de", kind=FORM, **headers)
        assert (answer.status, answer.header("Set-Cookie")) == (403, "")


def test_what_is_good_for_one_use_stands_on_no_page(site: Site) -> None:
    page = site.browser().get("/login?ticket=ST-abcd-0123456789&password=hunter22&service=" + quote(LIBRARY, safe=""))
    form = next(one for one in page.forms.values() if one.action == "/cas/language")
    assert form["back"].value == "/cas/login?service=" + quote(LIBRARY, safe="")
    unknown = site.browser().get("/login?service=https%3A%2F%2Funknown.example.com%2FTGT-1")
    assert "TGT-1" not in unknown.text


def test_machines_are_answered_in_english(site: Site) -> None:
    answer = site.browser().get("/serviceValidate", headers=GERMAN)
    assert "service" in answer.text
    assert "Content-Language" not in answer.headers


def test_pages_of_two_languages_are_kept_apart(site: Site) -> None:
    """The empty form is rendered once in each language and kept; the same service twice has its own name each time."""
    headings = [
        (words(login_page(site.browser(), **{"Accept-Language": language})).split("casduo")[0], language)
        for language in ("de", "en", "de", "fr", "en")
    ]
    assert headings[0] == headings[2]
    assert headings[1] == headings[4]
    assert len({text for text, _ in headings}) == 3


def test_where_one_language_is_offered_there_is_no_choice(tmp_path: Path, valkey_url: str) -> None:
    only = build_site(tmp_path, valkey_url, float(int(time.time())), REGISTRY, "pages: {languages: de}\n")
    try:
        page = only.browser().get("/login", headers={"Accept-Language": "fr"})
        assert heading(page) == "Anmelden"
        assert page.html.find("form", class_="languages") is None
        assert "Vary" not in page.headers
        assert only.composed.parts.services.current().by_id("library").name == "Bibliothek"  # type: ignore[union-attr]
    finally:
        only.composed.close()
