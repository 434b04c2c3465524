"""Entries that mean this server's own pages: what is said of them, and that they have no effect there."""

from __future__ import annotations

import pytest

from casduo.services.builtin import ADMIN, with_builtin
from casduo.services.file import read_registry
from casduo.services.urls import parse_service
from casduo.settings import Settings

SETTINGS = Settings.model_validate(
    {
        "server": {"url": "https://sso.example.edu/cas"},
        "admin": {"without_duo": True, "view": {"groups": ["staff"]}, "change": {"groups": ["operators"]}},
    }
)
PAGE = parse_service("https://sso.example.edu/cas/admin/services")
NOTHING_BUT = "matches nothing but pages of this server ({}), on which it has no effect: their entries come first"
ALSO = "also matches pages of this server ({}), on which it has no effect: their entries come first"


@pytest.mark.parametrize(
    ("url", "level", "message"),
    [
        ("https://sso.example.edu/cas/admin/**", "warning", NOTHING_BUT.format("casduo-admin")),
        ("https://sso.example.edu/cas/admin", "warning", NOTHING_BUT.format("casduo-admin")),
        ("https://sso.example.edu/cas/admin/services", "warning", NOTHING_BUT.format("casduo-admin")),
        ("https://sso.example.edu/**", "note", ALSO.format("casduo-account, casduo-admin")),
        ("https://*.example.edu/**", "note", ALSO.format("casduo-account, casduo-admin")),
        ("https://sso.example.edu/cas/a*/services", "note", ALSO.format("casduo-account, casduo-admin")),
        ("regex:https://sso\\.example\\.edu/cas/admin/.*", "note", ALSO.format("casduo-admin")),
        ("https://library.example.edu/**", "", ""),
        ("https://sso.example.edu/wiki/**", "", ""),
        ("https://sso.example.edu:8443/cas/admin/**", "", ""),
    ],
)
@pytest.mark.parametrize("keys", ["", "enabled: false", "access: {groups: [nobody]}", "single_sign_on: false"])
def test_an_entry_that_means_our_pages_is_told_so_and_has_no_effect_there(
    url: str, level: str, message: str, keys: str
) -> None:
    text = f"services:\n- {{id: mine, name: Mine, url: '{url}'{', ' * bool(keys)}{keys}}}\n"
    reading = read_registry(text.encode(), "registry.yaml", SETTINGS, with_lint=True)
    said = [(one.level, one.message) for one in reading.problems if "this server" in one.message]
    assert said == ([(level, message)] if level else [])
    assert reading.registry is not None
    found = with_builtin(reading.registry, SETTINGS).find(PAGE)
    assert found is not None
    assert (found.id, found.enabled, found.access.groups) == (ADMIN, True, ("staff", "operators"))


def test_without_settings_nobody_knows_our_pages() -> None:
    text = b"services:\n- {id: mine, name: Mine, url: 'https://sso.example.edu/**'}\n"
    assert not [one for one in read_registry(text, "r", None, with_lint=True).problems if "this server" in one.message]
