from __future__ import annotations

from typing import Any

import pytest

from casduo.mfa.duo.errors import DuoMisconfigured
from casduo.mfa.duo.official import build_gateway
from casduo.mfa.duo.settings import DuoSettings, split_api_host

CLIENT_ID, SECRET = "DICASDUOTESTIKEY0001", "casduoTestSecretKey0123456789ABCDEFabcde"


def settings(**changes: Any) -> DuoSettings:
    values = {
        "api_host": "api-casduo01.duo.test",
        "client_id": CLIENT_ID,
        "client_secret": SECRET,
        "redirect_uri": "https://sso.example.edu/cas/duo/callback",
        **changes,
    }
    return DuoSettings(**values)


@pytest.mark.parametrize(
    ("api_host", "expected"),
    [
        ("api-1234abcd.duosecurity.com", ("api-1234abcd.duosecurity.com", None)),
        ("localhost:8443", ("localhost", 8443)),
        ("127.0.0.1:1", ("127.0.0.1", 1)),
    ],
)
def test_an_api_host_is_split(api_host: str, expected: tuple[str, int | None]) -> None:
    assert split_api_host(api_host) == expected


@pytest.mark.parametrize(
    "api_host",
    [
        "",
        "https://api.example",
        "api.example/",
        "api.example:",
        "api.example:0",
        "api.example:65536",
        "api.example:https",
        "ada@api.example",
        "api example",
        "api.example\n",
        "-api.example",
        "api.example?x",
    ],
)
def test_anything_else_than_a_name_and_a_port_is_refused(api_host: str) -> None:
    with pytest.raises(DuoMisconfigured, match="api_host"):
        split_api_host(api_host)


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"api_host": "https://api.example"}, "api_host"),
        ({"client_id": "DI"}, "client_id"),
        ({"client_secret": SECRET[:-1]}, "client_secret"),
        ({"client_secret": "ö" * 40}, "client_secret"),
        ({"client_secret": SECRET[:-1] + "\n"}, "client_secret"),
        ({"integration_key": "DI", "secret_key": SECRET}, "integration_key"),
        ({"integration_key": CLIENT_ID}, "secret_key"),
        ({"secret_key": SECRET}, "integration_key"),
        ({"redirect_uri": ""}, "redirect_uri"),
        ({"redirect_uri": "/cas/duo/callback"}, "redirect_uri"),
        ({"redirect_uri": "https://sso.example.edu/#here"}, "redirect_uri"),
        ({"ca_file": "/nowhere/ca.pem"}, "ca_file"),
    ],
)
def test_settings_that_cannot_work_are_refused_at_once_and_named(changes: dict[str, str], detail: str) -> None:
    with pytest.raises(DuoMisconfigured) as caught:
        build_gateway(settings(**changes))
    assert caught.value.detail == detail
    assert caught.value.message
    assert SECRET[:-1] not in f"{caught.value!r} {caught.value.message}"


def test_building_a_gateway_asks_nobody() -> None:
    build_gateway(settings())


def test_the_auth_api_has_the_prompts_keys_unless_it_has_its_own() -> None:
    assert settings().auth_api_keys == (CLIENT_ID, SECRET)
    assert settings(integration_key="DIOTHER", secret_key="other").auth_api_keys == ("DIOTHER", "other")


def test_settings_show_no_secret() -> None:
    shown = repr(settings(secret_key="another secret", proxy="http://ada:lovelace@proxy:3128"))
    assert CLIENT_ID in shown
    assert all(secret not in shown for secret in (SECRET, "another secret", "lovelace"))
