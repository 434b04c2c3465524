"""The middleware in a PasteDeploy ini file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from paste.deploy import loadapp
from werkzeug.test import Client

from casduo.middleware import CasMiddleware, SettingsError
from casduo.middleware.paste import filter_factory, make_filter, settings_from_text

GOOD = {
    "cas_url": "https://sso.example.edu/cas",
    "service_url": "https://app.example.edu",
    "secret_key": "k" * 32,
}


def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"public"]


def app_factory(global_conf: dict[str, str], **local: str) -> Any:
    return app


INI = """
[pipeline:main]
pipeline = cas app

[filter:cas]
paste.filter_app_factory = casduo.middleware.paste:make_filter
cas_url = https://sso.example.edu/cas
service_url = https://app.example.edu
secret_key_file = %(here)s/secret.key
public_paths = /static/* /healthz
session_lifetime = 8h
cookie_secure = true

[app:app]
paste.app_factory = paste_test_app:app_factory
"""


def test_an_ini_file_wraps_an_application(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret.key").write_text("new-" + "k" * 40 + "\n" + "old-" + "k" * 40 + "\n")
    (tmp_path / "app.ini").write_text(INI)
    (tmp_path / "paste_test_app.py").write_text(
        "def app_factory(global_conf, **local):\n"
        "    def app(environ, start_response):\n"
        "        start_response('200 OK', [('Content-Type', 'text/plain')])\n"
        "        return [b'public']\n"
        "    return app\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    client = Client(loadapp(f"config:{tmp_path}/app.ini"))
    assert client.get("/healthz", base_url=GOOD["service_url"]).text == "public"
    answer = client.get("/", base_url=GOOD["service_url"])
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("https://sso.example.edu/cas/login?service=")


def test_both_kinds_of_factory_work() -> None:
    assert isinstance(make_filter(app, None, **GOOD), CasMiddleware)
    assert isinstance(filter_factory({}, **GOOD)(app), CasMiddleware)


def test_texts_become_values() -> None:
    settings = settings_from_text(
        GOOD
        | {
            "session_lifetime": "1.5h",
            "session_idle": "90",
            "read_timeout": "2 s",
            "cookie_secure": "On",
            "public_paths": " /a  /b/*\n /c",
            "single_logout_from": "10.0.0.0/8 ::1/128",
            "session": "memory",
            "proxy_callback": "/cas/pgt",
            "allowed_proxies": "https://portal.example.edu/pgt https://broker.example.edu/*",
            "logout_path": "none",
            "require_context": "mfa-duo",
        }
    )
    assert settings.session_lifetime == 5400
    assert settings.session_idle == 90
    assert settings.read_timeout == 2
    assert settings.cookie_secure is True
    assert settings.public_paths == ("/a", "/b/*", "/c")
    assert settings.single_logout_from == ("10.0.0.0/8", "::1/128")
    assert settings.logout_path is None
    assert settings.proxy_callback == "/cas/pgt"
    assert settings.allowed_proxies == ("https://portal.example.edu/pgt", "https://broker.example.edu/*")
    assert settings.require_context == "mfa-duo"


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"session_lifetime": "soon"}, "session_lifetime must be a time such as 90, 15m or 8h"),
        ({"cookie_secure": "perhaps"}, "cookie_secure must be true or false"),
        ({"secret_key_file": "/no/such/file"}, "cannot be read (FileNotFoundError)"),
        ({"secret_key_file": "/no/such/file"}, "exclude each other"),
        ({"sesion_idle": "1"}, "did you mean session_idle"),
    ],
)
def test_a_mistake_is_one_sentence(options: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings_from_text(GOOD | options)
    assert any(sentence in problem for problem in caught.value.problems), caught.value.problems


def test_every_converted_option_exists() -> None:
    from casduo.middleware.paste import _CONVERTERS
    from casduo.middleware.settings import Settings

    assert set(_CONVERTERS) - {"secret_key_file"} <= set(Settings.__dataclass_fields__)
    not_text = {
        name
        for name, option in Settings.__dataclass_fields__.items()
        if not str(option.type).startswith("str") and name not in _CONVERTERS
    }
    assert not_text == set()
