"""The server's own services: when there are any, what their entries say, and that an operator's entry rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from casduo.services.builtin import (
    ACCOUNT,
    APPROVALS,
    ENROLL,
    REQUESTS,
    account_services,
    approval_services,
    builtin_services,
    with_builtin,
)
from casduo.services.file import load_registry
from casduo.services.index import Registry
from casduo.services.urls import parse_service
from casduo.services.watch import RegistrySource
from casduo.settings import Settings

DUO = {
    "api_host": "api-casduo01.duo.test",
    "universal": {"client_id": "DI" + "0" * 18, "client_secret": "s" * 40},
}
SERVER = {"url": "https://sso.example.edu/cas"}
PAGE = "https://sso.example.edu/cas/enroll/?state=abc"
EMPTY = Registry((), "v1")


def made(**sections: Any) -> Settings:
    return Settings.model_validate({"server": SERVER, "duo": DUO, **sections})


def test_the_enrolment_pages_are_a_service_like_any_other() -> None:
    (entry,) = builtin_services(made())
    assert (entry.id, entry.name) == (ENROLL, "Your devices")
    assert entry.duo_rule is not None
    assert entry.duo_rule.mode_at(0.0) == "optional"
    assert (entry.duo_rule.fail, entry.duo_rule.trusted_browser) == ("closed", 0.0)
    assert (entry.session.lifetime, entry.logout.type, entry.protocols) == (600.0, "none", ("cas3",))
    assert entry.access.is_open


def test_the_settings_say_how_they_are_called_who_may_and_how_old_a_password_may_be() -> None:
    section = {"name": "Phones", "access": {"groups": ["staff"], "reason": "Staff only."}, "password_age": "5m"}
    (entry,) = builtin_services(made(enrollment=section))
    assert (entry.name, entry.access.groups, entry.access.reason) == ("Phones", ("staff",), "Staff only.")
    assert entry.session.lifetime == 300.0


@pytest.mark.parametrize(
    "settings",
    [
        None,
        made(duo=None),
        made(enrollment={"enabled": False}),
        made(server={}),
    ],
)
def test_without_duo_or_where_they_are_switched_off_there_is_none(settings: Settings | None) -> None:
    assert builtin_services(settings) == ()
    assert with_builtin(EMPTY, settings).by_id(ENROLL) is None


def test_without_an_address_of_the_server_nothing_is_added() -> None:
    for settings in (None, made(server={})):
        assert with_builtin(EMPTY, settings) is EMPTY


def test_peoples_own_pages_are_a_service_for_everybody_and_ask_for_no_device() -> None:
    (entry,) = account_services(made())
    assert (entry.id, entry.duo_rule, entry.access.is_open) == (ACCOUNT, None, True)
    registry = with_builtin(EMPTY, made())
    for path in ("/account/", "/account/sign-ins/0123456789abcdef"):
        assert registry.find(parse_service(f"https://sso.example.edu/cas{path}")) is registry.by_id(ACCOUNT)
    assert registry.find(parse_service("https://sso.example.edu/cas/accounting")) is None


@pytest.mark.parametrize(
    ("server", "page", "other"),
    [
        ("https://sso.example.edu/cas", PAGE, "https://sso.example.edu/cas/login"),
        ("https://sso.example.edu/cas/", PAGE, "https://sso.example.edu/cas/enrolled"),
        ("https://sso.example.edu", "https://sso.example.edu/enroll/?state=a", "https://sso.example.edu/"),
        ("https://localhost:8443/cas", "https://localhost:8443/cas/enroll/", "https://localhost/cas/enroll/"),
    ],
)
def test_its_addresses_are_those_below_enroll_on_this_server(server: str, page: str, other: str) -> None:
    registry = with_builtin(EMPTY, made(server={"url": server}))
    found = registry.find(parse_service(page))
    assert found is not None
    assert found.id == ENROLL
    assert registry.find(parse_service(other)) is None


def _file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "registry.yaml"
    path.write_text(text, encoding="utf-8")
    return path


WIDE = "services:\n  - {id: everything, name: All, url: 'https://*.example.edu/**'}\n"


def test_a_wide_pattern_of_the_file_does_not_take_our_pages(tmp_path: Path) -> None:
    registry = with_builtin(load_registry(_file(tmp_path, WIDE), None), made())
    assert [service.id for service in registry.services] == [ENROLL, ACCOUNT, "everything"]
    assert registry.find(parse_service(PAGE)) is registry.by_id(ENROLL)


OWN = "services:\n  - {id: enroll, name: Ours, url: 'https://sso.example.edu/cas/enroll/**', enabled: false}\n"


def test_an_entry_of_the_operator_takes_its_place(tmp_path: Path) -> None:
    loaded = load_registry(_file(tmp_path, OWN), None)
    registry = with_builtin(loaded, made())
    assert registry.by_id(ENROLL) is loaded.by_id(ENROLL)
    assert [service.name for service in registry.services] == ["My account", "Ours"]


def test_the_registry_of_a_running_server_has_it_also_after_a_change(tmp_path: Path) -> None:
    path = _file(tmp_path, "services: []\n")
    source = RegistrySource(path, made(), settle=0)
    assert [service.id for service in source.current().services] == [ENROLL, ACCOUNT]
    path.write_text(WIDE, encoding="utf-8")
    assert source.poll()
    assert [service.id for service in source.current().services] == [ENROLL, ACCOUNT, "everything"]
    path.write_text(OWN, encoding="utf-8")
    assert source.poll()
    assert [service.name for service in source.current().services] == ["My account", "Ours"]
    assert not source.problems


def test_the_state_of_the_file_keeps_its_name(tmp_path: Path) -> None:
    loaded = load_registry(_file(tmp_path, WIDE), None)
    assert with_builtin(loaded, made()).version == loaded.version


APPROVED = """
services:
  - {id: everything, name: All, url: 'https://*.example.edu/**', requires_approval: {approvers: [grace@example.edu]}}
"""
BELOW = "https://sso.example.edu/cas"


def test_the_pages_about_requests_are_services_where_something_needs_an_approval(tmp_path: Path) -> None:
    registry = with_builtin(load_registry(_file(tmp_path, APPROVED), None), made())
    assert [service.id for service in registry.services] == [ENROLL, ACCOUNT, REQUESTS, APPROVALS, "everything"]
    for area in (REQUESTS, APPROVALS):
        for path in (area, f"{area}/k3Jq9sLxA0vB7dQe"):
            assert registry.find(parse_service(f"{BELOW}/{path}")) is registry.by_id(area)
    other = registry.find(parse_service(f"{BELOW}/requestsomething"))
    assert other is not None
    assert other.id == "everything"


def test_without_such_a_service_there_are_none_and_a_change_of_the_file_brings_them(tmp_path: Path) -> None:
    path = _file(tmp_path, WIDE)
    source = RegistrySource(path, made(duo=None), settle=0)
    assert [service.id for service in source.current().services] == [ACCOUNT, "everything"]
    path.write_text(APPROVED, encoding="utf-8")
    assert source.poll()
    assert [service.id for service in source.current().services] == [ACCOUNT, REQUESTS, APPROVALS, "everything"]


def test_who_decides_passes_duo_first_and_lately_enough(tmp_path: Path) -> None:
    section = {"name": "Who may what", "access": {"groups": ["staff"]}, "duo_age": "10m"}
    asking, deciding = approval_services(made(approvals=section))
    assert asking.duo_rule is None
    assert asking.access.is_open
    assert (deciding.name, deciding.access.groups) == ("Who may what", ("staff",))
    rule = deciding.duo_rule
    assert rule is not None
    assert (rule.max_age, rule.fail, rule.trusted_browser, rule.mode_at(0.0)) == (600.0, "closed", 0.0, "required")
    assert {entry.logout.type for entry in (asking, deciding)} == {"none"}


def test_without_duo_a_password_is_enough() -> None:
    assert [entry.duo_rule for entry in approval_services(made(duo=None))] == [None, None]


@pytest.mark.parametrize("settings", [None, made(server={})])
def test_without_an_address_of_the_server_there_are_no_such_pages(settings: Settings | None) -> None:
    assert approval_services(settings) == ()


def test_an_entry_of_the_operator_takes_the_place_of_these_too(tmp_path: Path) -> None:
    own = APPROVED + "  - {id: approvals, name: Ours, url: 'https://sso.example.edu/cas/approvals/**'}\n"
    registry = with_builtin(load_registry(_file(tmp_path, own), None), made(duo=None))
    assert [service.name for service in registry.services] == ["My account", "My requests", "All", "Ours"]
