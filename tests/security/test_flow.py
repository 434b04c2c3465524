"""Forms and flows: what travels between two requests is ours, for one use, one browser and one purpose."""

from __future__ import annotations

import base64
import json
import re
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from webtest.response import TestResponse

from casduo.settings import ensure_secret_key, load_settings
from casduo.signing import Purpose
from casduo.simulators.duo import DuoSimulator
from casduo.tickets.ids import parse_session_id
from tests.security.steps import NOW, accepted, prompt_of, signed_in
from tests.support.raw import call
from tests.support.site import (
    LIBRARY,
    PASSWORDS,
    PAYROLL,
    Browser,
    Build,
    Site,
    has_ticket,
    heading,
    query,
    ticket_of,
    write_site,
)


def form_key(page: TestResponse) -> str:
    return str(page.forms["login"]["execution"].value)


def opened_key(key: str) -> list[object]:
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
    keys = [form_key(browser.login_page(LIBRARY)) for _ in range(2)]
    browser.fill(browser.login_page(LIBRARY), "ada", "wrong")
    assert keys[0] != keys[1]
    for key in keys:
        moment, (place, asked, mark, cookie) = opened_key(key)  # type: ignore[misc]
        assert moment == NOW
        assert place == [["login", "viewLoginForm"]]
        assert asked == {"service": LIBRARY}
        assert re.fullmatch(r"[A-Za-z0-9]{22}", str(mark))
        assert re.fullmatch(r"[0-9a-f]{64}", str(cookie))


def test_the_key_of_a_flow_behind_the_password_holds_nothing_at_all(site: Site, duo: DuoSimulator) -> None:
    """CVE-2026-59099: what a flow knows of a person waits at the server, under a name that tells nothing."""
    _, prompt = prompt_of(site)
    state = parse_qs(urlsplit(duo.visit_prompt(prompt)).query)["state"][0]
    assert re.fullmatch(r"r\.[A-Za-z0-9]{4}\.[A-Za-z0-9]{26}\.1", state)


def test_the_step_after_the_password_cannot_be_taken_twice_or_elsewhere(site: Site, duo: DuoSimulator) -> None:
    """CVE-2024-11209 (Apereo): the execution key of a step that was passed could be captured and replayed."""
    browser, prompt = prompt_of(site)
    callback = duo.visit_prompt(prompt)
    thief = site.browser()
    thief.login_page()
    assert not has_ticket(thief.get(callback))
    assert not thief.session
    gate = Barrier(10)
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


def test_no_key_of_a_login_with_duo_signs_in_once_it_is_over(site: Site, duo: DuoSimulator) -> None:
    """CVE-2024-11209: every key that the browser saw, sent again after the sign-out, to each address that takes one."""
    browser = site.browser()
    page = browser.login_page(PAYROLL)
    keys = [form_key(page)]
    prompt = browser.fill(page, "ada").headers["Location"]
    callback = duo.visit_prompt(prompt)
    code, state = (parse_qs(urlsplit(callback).query)[name][0] for name in ("duo_code", "state"))
    keys += [state, state[:-1] + "2", state[:-1] + "0"]
    assert has_ticket(browser.get(callback))
    browser.get("/logout")
    for key in keys:
        for answer in (
            browser.get("/duo/callback" + query(state=key, duo_code=code)),
            browser.post("/login", {"execution": key, "username": "ada", "password": ""}),
            browser.post("/login", {"execution": key}),
            browser.post("/logout", {"execution": key}),
        ):
            assert not has_ticket(answer)
            assert not browser.session


def test_a_step_cannot_be_taken_as_another_one(build: Build) -> None:
    """CVE-2024-11209 and CVE-2023-28862: the key of a page that waits, sent to where another step is taken."""
    registry = "services: [{id: library, name: L, url: 'https://library.example.edu/**', warn: true}]"
    site = build(registry=registry, settings="logout: {confirm: always}\n")
    browser = signed_in(site)
    for send in (
        lambda key: browser.get("/duo/callback" + query(state=key, duo_code="x")),
        lambda key: browser.get("/login" + query(execution=key)),
        lambda key: browser.get("/logout" + query(execution=key)),
        lambda key: browser.post("/logout", {"execution": key}, headers={"Sec-Fetch-Site": "same-origin"}),
    ):
        page = browser.login_page(LIBRARY)
        key = page.forms[0]["execution"].value
        assert key.startswith("r.")
        answer = send(key)
        assert not has_ticket(answer)
        assert browser.session, "nobody was signed out either"
    # A form of the sign-out has no business at the login, nor one of a stranger in a flow of somebody.
    page = browser.get("/logout")
    answer = browser.post("/login", {"execution": page.forms[0]["execution"].value, "csrf": "x"})
    assert heading(answer) == "You are signed in"


def test_a_signature_for_one_purpose_is_none_for_another(plain: Site) -> None:
    """Apereo 2016-04-08 and CVE-2026-29000: one key for everything, and whatever verifies is believed."""
    signing = plain.composed.parts.signing
    browser = signed_in(plain)
    session = parse_session_id(browser.session)
    assert session is not None
    assert accepted(plain.validate(ticket_of(browser.login_page(LIBRARY))))
    value = opened_key(form_key(plain.browser().login_page(LIBRARY)))[1]
    for purpose in Purpose:
        flow_key = signing.dumps(purpose, value, plain.clock())
        if purpose is not Purpose.FLOW_KEY:
            assert heading(browser.post("/login", {"execution": f"s.{flow_key}", "username": "ada", "password": "x"}))
            assert not plain.browser().session
        if purpose is not Purpose.SIGN_OUT:
            told = signing.dumps(purpose, "abcd.xyz", plain.clock())
            assert browser.get("/logout/told" + query(key=told)).status_int == 302
        if purpose is not Purpose.CSRF:
            csrf = signing.dumps(purpose, session.fingerprint, plain.clock())
            parts = plain.composed.parts
            assert not parts.csrf.fits(csrf, session.fingerprint, plain.clock())


@pytest.mark.parametrize("change", ["alg", "unsigned", "swapped", "other key", "later"])
def test_a_key_that_nobody_signed_is_none(plain: Site, change: str) -> None:
    """CVE-2026-29000 (pac4j): a token without a signature was believed. Apereo 2016-04-08: so was one that all could
    make.
    """
    browser = plain.browser()
    page = browser.login_page(LIBRARY)
    head, payload, signature = form_key(page).split(".")
    other = form_key(browser.login_page("https://archive.example.edu/")).split(".")[1]
    later = (
        base64.urlsafe_b64encode(json.dumps([NOW + 30, opened_key(form_key(page))[1]]).encode()).decode().rstrip("=")
    )
    key = {
        "alg": f"{head}.eyJhbGciOiJub25lIn0.{payload}.",
        "unsigned": f"{head}.{payload}.",
        "swapped": f"{head}.{other}.{signature}",
        "other key": f"{head}.{payload}.{'A' * len(signature)}",
        "later": f"{head}.{later}.{signature}",
    }[change]
    fields = {"execution": key, "username": "ada", "password": PASSWORDS["ada"], "service": LIBRARY}
    answer = browser.post("/login", fields)
    assert not has_ticket(answer)
    assert not browser.session


def test_a_form_signs_in_once(plain: Site) -> None:
    """django-cas-server 3.1: the token of a form could be used again."""
    browser = plain.browser()
    page = browser.login_page(LIBRARY)
    assert has_ticket(browser.fill(page, "ada"))
    browser.get("/logout")
    assert not has_ticket(browser.fill(page, "ada"))
    assert not browser.session


def test_a_form_cannot_be_made_new_by_the_letters_of_its_key(plain: Site) -> None:
    """django-cas-server 3.1, once more: Base64 knows many spellings of a key; one use is one use of all of them."""
    browser = plain.browser()
    page = browser.login_page(LIBRARY)
    key = form_key(page)
    fields = {**dict(page.forms["login"].submit_fields()), "username": "ada", "password": PASSWORDS["ada"]}
    assert has_ticket(browser.fill(page, "ada"))
    browser.get("/logout")
    for spelled in (key + "=", key + "!", key.replace(".", "..", 1), key + "\u00e9", f" {key}"):
        assert not has_ticket(browser.post("/login", {**fields, "execution": spelled}))
        assert not browser.session


def own_form(site: Site) -> tuple[Browser, dict[str, str]]:
    """A browser at the form, and what it would send with a right password."""
    browser = site.browser()
    fields = dict(browser.login_page(LIBRARY).forms["login"].submit_fields())
    return browser, {**fields, "username": "ada", "password": PASSWORDS["ada"]}


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example.com"}, {"Origin": "null"}, {}]
)
def test_nobody_is_signed_in_by_a_page_of_somebody_else(plain: Site, headers: dict[str, str]) -> None:
    """CVE-2015-9284 (omniauth): a strange page could start, or finish, a login."""
    _, fields = own_form(plain)
    victim = plain.browser()
    victim.login_page()
    assert not has_ticket(victim.post("/login", fields, headers=headers))
    assert not victim.session
    # Without any cookie, too.
    assert not has_ticket(plain.browser().post("/login", fields, headers=headers))


def test_nobody_is_signed_in_by_a_link(plain: Site) -> None:
    """CVE-2015-9284: what a form may do, an address may not."""
    browser, fields = own_form(plain)
    answer = browser.get("/login" + query(**fields))
    assert not has_ticket(answer)
    assert not browser.session
    assert answer.forms["login"]["username"].value == ""
    assert PASSWORDS["ada"] not in answer.text


def test_a_login_that_somebody_else_began_is_not_finished_here(site: Site, duo: DuoSimulator) -> None:
    """CVE-2015-9284, at the return from Duo: the victim is sent there with the attacker's state and code."""
    _, prompt = prompt_of(site)
    callback = duo.visit_prompt(prompt)
    victim = signed_in(site, "grace")
    session = victim.session
    assert not has_ticket(victim.get(callback))
    assert victim.session == session


def test_every_installation_has_a_key_of_its_own(tmp_path: Path, valkey_url: str) -> None:
    """Apereo 2016-04-08: keys that everybody knew signed the state of flows, which was also unpickled."""
    keys = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        path = write_site(tmp_path / name, valkey_url, "services: []\n")
        path.write_text(re.sub(r"secret_key: .*\n", "", path.read_text()))
        found, _ = ensure_secret_key(load_settings(path, {}))
        keys += [key.text for key in found]
    assert len(set(keys)) == 2
    assert all(len(key) >= 40 for key in keys)


# Text stays text

SCRIPT = "\"'><script>alert(1)</script>"


def test_text_of_a_request_is_text_on_a_page(plain: Site) -> None:
    """leo108/php_cas_server pull 31: a service in the form was markup; CVE-2021-42567 (Apereo): so was a ticket id."""
    browser = plain.browser()
    page = browser.login_page(f"https://library.example.edu/?q={SCRIPT}")
    answers = [
        page,
        browser.fill(page, SCRIPT, SCRIPT),
        browser.get("/" + quote(SCRIPT)),
        browser.get("/login" + query(service=SCRIPT)),
        browser.get("/login" + query(service=f"https://{SCRIPT}/")),
        browser.get("/logout" + query(service=SCRIPT)),
        browser.get("/logout/told" + query(key=SCRIPT)),
        browser.get("/duo/callback" + query(state=SCRIPT, error=SCRIPT, error_description=SCRIPT)),
        browser.post("/login", {"execution": SCRIPT, "username": SCRIPT, "password": SCRIPT, "service": SCRIPT}),
        browser.post("/logout", {"execution": SCRIPT, "csrf": SCRIPT, "service": SCRIPT}),
        plain.validate(SCRIPT),
    ]
    signed = signed_in(plain)
    answers.append(signed.login_page(f"https://library.example.edu/?q={SCRIPT}", method="POST"))
    for answer in answers:
        assert "<script>alert" not in answer.text
        if answer.status_int not in (302, 303):
            assert "'unsafe" not in answer.headers["Content-Security-Policy"]


def test_text_of_a_request_is_never_evaluated(plain: Site) -> None:
    """Apereo 2026-06-06 c: an expression in an address was evaluated; a guard held for one path segment only."""
    for text in ("${7*7}", "{{7*7}}", "{% if 1 %}x{% endif %}", "#{7*7}", "%{7*7}", "{7*7!r}", "%(x)s"):
        browser = plain.browser()
        page = browser.login_page(f"https://library.example.edu/?q={text}")
        assert page.forms["login"]["service"].value.endswith(text)
        assert browser.fill(page, text, "x").forms["login"]["username"].value == text.lower()


@pytest.mark.parametrize(
    "path",
    [
        "/login/x",
        "/login//",
        "/login/",
        "//login",
        "/login;x",
        "/LOGIN",
        "/./login",
        "/x/../login",
        "/logout/told/x",
        "/duo/callback/x",
        "/validate/x",
        "/p3/serviceValidate/x",
        "/proxyValidate/x",
        "/proxy/x",
        "/samlValidate/x",
        "/readyz/x",
        "/static/x/casduo.css",
        "/static/../views/login.html",
        "/static//casduo.css",
        "/v1/tickets/x/y",
        "/v1/users/x",
    ],
)
def test_an_address_is_one_address(plain: Site, path: str) -> None:
    """Apereo 2026-06-06 c: the guard was for one more segment, the handler for any number of them."""
    for method in ("GET", "POST", "DELETE"):
        answer = call(plain, method, path=f"/cas{path}")
        assert (answer.status, answer.header("Location")) == (404, "")
