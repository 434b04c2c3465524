"""Options are checked as a whole, and a mistake is answered by a sentence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from casduo.middleware import CasMiddleware, CookieSessions, Limits, MemoryRevocations, Settings, SettingsError
from casduo.middleware.signing import Signer

GOOD: dict[str, Any] = {
    "cas_url": "https://sso.example.edu/cas",
    "service_url": "https://app.example.edu",
    "secret_key": "k" * 32,
}
PROXY: dict[str, Any] = {"session": "memory", "proxy_callback": "/pgt"}
COOKIES = CookieSessions(Signer(["k" * 32], "app"), Limits(1, 1), MemoryRevocations())


def problems(**options: Any) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        Settings.of({name: value for name, value in (GOOD | options).items() if value is not ...})
    return caught.value.problems


def test_three_options_are_enough() -> None:
    settings = Settings.of(GOOD)
    assert settings.cookie.startswith("__Host-casduo-")
    assert settings.secure


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"cas_url": ...}, "cas_url is missing"),
        ({"secret_key": ...}, "secret_key is missing"),
        ({"service_url": ...}, "service_url is missing"),
        ({"servic_url": "x"}, "did you mean service_url"),
        ({"cas_url": "http://sso.example.edu/cas"}, "cas_url must be https"),
        ({"cas_back_channel_url": "http://10.0.0.1/cas"}, "cas_back_channel_url must be https"),
        ({"cas_url": "sso.example.edu"}, "cas_url must be an address"),
        ({"cas_url": "https://sso.example.edu:x/cas"}, "cas_url is not an address"),
        ({"cas_url": "https://a@sso.example.edu/cas"}, "cas_url must hold neither"),
        ({"cas_url": "https://sso.example.edu/cas?x=1"}, "cas_url must hold neither"),
        ({"service_url": "http://app.example.edu"}, "service_url must be https"),
        ({"allowed_hosts": ["app.example.edu"]}, "exclude each other"),
        ({"service_url": None, "allowed_hosts": "app.example.edu"}, "allowed_hosts must be a list"),
        ({"secret_key": "short"}, "at least 32"),
        ({"secret_key": ["k" * 32, "short"]}, "at least 32"),
        ({"secret_key": []}, "secret_key is empty"),
        ({"public_paths": "/static/*"}, "public_paths must be a list"),
        ({"public_paths": ["static/*"]}, "public_paths: the pattern 'static/*'"),
        ({"renew_paths": ["/a*"]}, "renew_paths: the pattern '/a*'"),
        ({"gateway_paths": ["/*"]}, "the pattern '/*' is in both gateway_paths and protected_paths"),
        ({"public_paths": ["/a"], "renew_paths": ["/a"]}, "the pattern '/a' is in both public_paths and renew_paths"),
        ({"logout_path": "logout"}, "logout_path must be a path"),
        ({"after_logout": "https://evil.example"}, "after_logout must be a path"),
        ({"single_logout_from": ["10.0.0.1/8"]}, "is not a network"),
        ({"single_logout_from": "10.0.0.0/8"}, "single_logout_from must be a list"),
        ({"session_lifetime": 0}, "session_lifetime must be more than 0"),
        ({"session": "memcached://x"}, "session must be 'cookie'"),
        ({"session": "redis://x", "revocations": "redis://x"}, "revocations is for cookie sessions"),
        ({"revocations": "file"}, "revocations must be 'memory'"),
        ({"session": "redis://host:notaport"}, "session is not a Redis address"),
        ({"ca_file": "/no/such/file"}, "ca_file /no/such/file is not a file"),
        ({"cookie_name": "a;b"}, "cookie_name must consist"),
        ({"cookie_name": "__Host-a", "cookie_path": "/app"}, "__Host-"),
        ({"cookie_name": "__Secure-a", "cookie_secure": False}, "__Secure-"),
        ({"help_url": "javascript:alert(1)"}, "help_url must be"),
        ({"header_prefix": "X_CAS_"}, "header_prefix must begin with HTTP_"),
        ({"session": "memory", "revocations": "redis://x"}, "revocations is for cookie sessions"),
        ({"proxy_callback": "/pgt"}, "proxy_callback needs sessions on the server's side"),
        ({"proxy_callback": "/pgt", "session": COOKIES}, "proxy_callback needs sessions on the server's side"),
        ({"proxy_callback": "/pgt", "session": object()}, "proxy_grants must be set when proxy_callback is"),
        (PROXY | {"proxy_callback": "http://app.example.edu/pgt"}, "proxy_callback must be https"),
        (PROXY | {"proxy_callback": "http://localhost/pgt"}, "proxy_callback must be https"),
        (PROXY | {"proxy_callback": "pgt"}, "proxy_callback must be an address"),
        (PROXY | {"proxy_callback": "https://app.example.edu/pgt?a=1"}, "proxy_callback must hold neither"),
        (PROXY | {"proxy_callback": "https://app.example.edu"}, "proxy_callback must have a path of its own"),
        (PROXY | {"proxy_callback": "https://app.example.edu/"}, "proxy_callback must have a path of its own"),
        (PROXY | {"proxy_callback": "/"}, "proxy_callback must have a path of its own"),
        (PROXY | {"proxy_callback": "/p%67t"}, "proxy_callback must have a path of its own"),
        (PROXY | {"proxy_callback": "/pgt/*"}, "proxy_callback must have a path of its own"),
        (PROXY | {"proxy_callback": "/logout"}, "proxy_callback must not be the logout_path"),
        (PROXY | {"service_url": None, "allowed_hosts": ["a"]}, "proxy_callback must be a whole https address"),
        (PROXY | {"service_url": "http://localhost:8080"}, "proxy_callback must be a whole https address"),
        (PROXY | {"proxy_grants": "file"}, "proxy_grants must be 'memory'"),
        (PROXY | {"proxy_grants": "redis://host:notaport"}, "proxy_grants is not a Redis address"),
        ({"proxy_grants": "memory"}, "proxy_grants is of no use without proxy_callback"),
        ({"allowed_proxies": "https://portal.example.edu/pgt"}, "allowed_proxies must be a list"),
        ({"allowed_proxies": ["https://*.example.edu/pgt"]}, "allowed_proxies: the pattern"),
        ({"allowed_proxies": ["http://portal.example.edu/pgt"]}, "allowed_proxies: the pattern"),
    ],
)
def test_a_mistake_is_named(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        CasMiddleware(lambda environ, start_response: [], **{k: v for k, v in (GOOD | options).items() if v is not ...})
    assert any(sentence in problem for problem in caught.value.problems), caught.value.problems


def test_all_mistakes_are_named_at_once() -> None:
    assert len(problems(cas_url="http://sso.example.edu", secret_key="x", public_paths=["x"], session_idle=-1)) == 4


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:8080"])
def test_plain_http_is_for_loopback(host: str) -> None:
    settings = Settings.of(GOOD | {"cas_url": f"http://{host}/cas", "service_url": f"http://{host}"})
    assert not settings.secure
    assert not settings.cookie.startswith("__Host-")


def test_plain_http_elsewhere_must_be_wanted() -> None:
    assert Settings.of(GOOD | {"service_url": "http://app.intranet", "cookie_secure": False})


def test_no_secret_is_shown() -> None:
    settings = Settings.of(GOOD | {"session": "redis://:a-password@host"})
    assert "a-password" not in repr(settings)
    assert "k" * 32 not in repr(settings)


def test_applications_on_one_host_have_cookies_of_their_own() -> None:
    library = Settings.of(GOOD | {"service_url": "https://localhost:8001"})
    payroll = Settings.of(GOOD | {"service_url": "https://localhost:8002"})
    assert library.cookie != payroll.cookie
    assert library.audience != payroll.audience


@pytest.mark.parametrize(
    ("options", "url", "path"),
    [
        ({}, "https://app.example.edu/pgt", "/pgt"),
        ({"service_url": "https://app.example.edu/portal/"}, "https://app.example.edu/portal/pgt", "/pgt"),
        (
            {"service_url": "https://app.example.edu/portal", "proxy_callback": "https://app.example.edu/portal/pgt"},
            "https://app.example.edu/portal/pgt",
            "/pgt",
        ),
        ({"proxy_callback": "https://inner.example.edu:8443/a/pgt"}, "https://inner.example.edu:8443/a/pgt", "/a/pgt"),
        (
            {"service_url": "http://localhost:8080", "proxy_callback": "https://localhost:8443/pgt"},
            "https://localhost:8443/pgt",
            "/pgt",
        ),
    ],
)
def test_the_callback_has_an_address_outside_and_a_path_inside(options: dict[str, Any], url: str, path: str) -> None:
    settings = Settings.of(GOOD | PROXY | options)
    assert (settings.callback_url, settings.callback_path) == (url, path)


@pytest.mark.parametrize("session", ["memory", "redis://host/0", "unix:///run/redis.sock"])
def test_a_proxy_keeps_its_sessions_where_no_browser_sees_them(session: str) -> None:
    assert Settings.of(GOOD | PROXY | {"session": session}).callback_url == "https://app.example.edu/pgt"
    assert Settings.of(GOOD | PROXY | {"session": object(), "proxy_grants": session})


def test_settings_and_options_do_not_mix() -> None:
    with pytest.raises(SettingsError, match="not both"):
        CasMiddleware(lambda environ, start_response: [], Settings.of(GOOD), cas_url="https://x")


def test_a_certificate_file_that_exists_is_taken(tmp_path: Path) -> None:
    file = tmp_path / "ca.pem"
    file.write_text("x")
    assert Settings.of(GOOD | {"ca_file": str(file)}).ca_file == str(file)
