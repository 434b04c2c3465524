"""In a real browser, over TLS: cookies, redirects, headers and policies as Chromium understands them."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from werkzeug.serving import WSGIRequestHandler, make_server

from casduo.middleware import CasMiddleware, notices, pages
from casduo.simulators.certificates import CertificateAuthority
from casduo.simulators.sample_apps import PAYROLL, SAMPLE_APPS, SampleApp
from tests.pages import axe

ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
ATTRIBUTES = {
    "displayName": ["Ada Lovelace"],
    "mail": ["ada.lovelace@mathematics.example.edu"],
    "memberOf": ["staff", "analytical-engine-operators"],
    "authnContextClass": ["mfa-duo"],
}


class QuietHandler(WSGIRequestHandler):
    def log_request(self, *args: Any, **kwargs: Any) -> None:
        pass


@pytest.fixture
def authority(tmp_path: Path) -> CertificateAuthority:
    return CertificateAuthority.create(tmp_path / "ca")


@pytest.fixture
def tls_cas(make_cas: Any, authority: CertificateAuthority) -> Any:
    return make_cas(tls=_context(authority), host="localhost", attributes=dict(ATTRIBUTES))


def _context(authority: CertificateAuthority) -> ssl.SSLContext:
    leaf = authority.issue()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(leaf.cert, leaf.key)
    return context


@pytest.fixture
def sample() -> SampleApp:
    """The application behind the middleware, where a test does not name another."""
    return PAYROLL


@pytest.fixture
def app_url(tls_cas: Any, authority: CertificateAuthority, sample: SampleApp) -> Iterator[str]:
    server = make_server(
        "localhost", 0, _late, threaded=True, ssl_context=_context(authority), request_handler=QuietHandler
    )
    url = f"https://localhost:{server.server_port}"
    server.app = CasMiddleware(
        sample,
        cas_url=tls_cas.url,
        service_url=url,
        secret_key="k" * 40,
        ca_file=str(authority.ca_file),
        help_url="https://help.example.edu/",
        **sample.middleware_options,
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield url
    server.shutdown()
    server.server_close()
    thread.join(5)


def _late(environ: Any, start_response: Any) -> list[bytes]:
    raise AssertionError("replaced before the first request")


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    context = chromium.new_context(ignore_https_errors=True)
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("console", lambda message: complaints.append(message.text))
    yield opened
    context.close()
    assert [text for text in complaints if "Security" in text] == []


def test_signing_in_and_out_with_a_button(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/")
    assert page.url == f"{app_url}/"
    assert page.locator("h1").inner_text() == "Hello, Ada Lovelace"
    assert page.get_by_text("Approved with Duo").is_visible()
    cookies = page.context.cookies()
    assert len(cookies) == 1, "the cookie of the sign-in under way is gone after it"
    assert cookies[0]["name"].startswith("__Host-")
    assert (cookies[0]["secure"], cookies[0]["httpOnly"], cookies[0]["sameSite"]) == (True, True, "Lax")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{app_url}/signed-out")
    assert page.locator("h1").inner_text() == "You are signed out"
    assert page.context.cookies() == []


def test_a_link_on_a_foreign_page_only_asks(page: Page, app_url: str, tls_cas: Any) -> None:
    page.goto(f"{app_url}/")
    page.goto(tls_cas.url)
    page.evaluate(f"document.body.innerHTML = '<a href=\"{app_url}/logout\">Win a prize</a>'")
    page.get_by_text("Win a prize").click()
    assert page.locator("h1").inner_text() == "Do you want to sign out?"
    assert len(page.context.cookies()) == 1
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url(f"{app_url}/signed-out")
    assert page.context.cookies() == []


def test_a_typed_address_signs_out(page: Page, app_url: str) -> None:
    page.goto(f"{app_url}/")
    page.goto(f"{app_url}/logout")
    assert page.url == f"{app_url}/signed-out"


def test_a_link_with_a_ticket_from_elsewhere_works_for_who_is_signed_in(page: Page, app_url: str, tls_cas: Any) -> None:
    page.goto(f"{app_url}/?ticket={tls_cas.issue(f'{app_url}/', 'eve')}")
    assert page.url == f"{app_url}/"
    assert page.locator("code").first.inner_text() == "ada"


def test_the_ticket_is_not_left_in_the_history(page: Page, app_url: str) -> None:
    page.goto("about:blank")
    page.goto(f"{app_url}/")
    page.go_back()
    assert page.url == "about:blank"


def test_a_browser_that_refuses_cookies_gets_a_page(chromium: Browser, app_url: str, tmp_path: Path) -> None:
    profile = tmp_path / "profile" / "Default"
    profile.mkdir(parents=True)
    refuse = {"profile": {"default_content_setting_values": {"cookies": 2}}}
    (profile / "Preferences").write_text(json.dumps(refuse))
    context = chromium.browser_type.launch_persistent_context(
        profile.parent, executable_path="/usr/bin/chromium", args=ARGUMENTS, ignore_https_errors=True
    )
    page = context.new_page()
    page.goto(f"{app_url}/")
    assert page.locator("h1").inner_text() == "Cookies are switched off"
    context.close()


SAMPLES = pytest.mark.parametrize("sample", SAMPLE_APPS, ids=lambda sample: sample.name)


@SAMPLES
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280])
def test_the_sample_pages_are_accessible(chromium: Browser, app_url: str, scheme: Any, width: int) -> None:
    context = chromium.new_context(
        ignore_https_errors=True, color_scheme=scheme, viewport={"width": width, "height": 800}, bypass_csp=True
    )
    page = context.new_page()
    for path in ("/", "/signed-out", "/no-such-page"):
        page.goto(f"{app_url}{path}")
        assert axe.findings(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    context.close()


NOTICES = [
    notices.sign_in_needed("/x", reading=False),
    notices.denied("UNAUTHORIZED_SERVICE", "/x"),
    notices.unavailable("/x"),
    notices.confirm_sign_out("token", "/x"),
]


@pytest.mark.parametrize("notice", NOTICES, ids=lambda notice: notice.title)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_middlewares_pages_are_accessible(chromium: Browser, notice: Any, scheme: Any) -> None:
    context = chromium.new_context(color_scheme=scheme, viewport={"width": 320, "height": 640})
    page = context.new_page()
    page.set_content(
        pages.render(notice, app_name="Library", help_url="https://help.example.edu/", reference="a41f09", now=0.0)
    )
    assert axe.findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 320
    context.close()
