"""What a named client changes for its entry: each row of the table by what comes of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import pytest

from casduo.modelwalk import bare
from casduo.protocol.entitlement import DuoStanding
from casduo.protocol.responses import xml_success
from casduo.protocol.validation import ValidatedTicket
from casduo.services.clients import PROFILES, client_defaults, with_client_defaults
from casduo.services.file import read_registry
from casduo.services.model import RegisteredService
from casduo.services.release import Released
from casduo.tickets.model import TicketGrantingTicket
from tests.support.site import Build, has_ticket

CLIENTS = get_args(bare(RegisteredService.model_fields["client"].annotation))
APP = "https://app.example.edu/"


def entry(**keys: Any) -> RegisteredService:
    return with_client_defaults(
        RegisteredService.model_validate({"id": "app", "name": "App", "url": "https://app.example.edu/**", **keys})
    )


def members(service: RegisteredService) -> list[str]:
    """What an application of this entry reads of the groups staff and faculty."""
    session = TicketGrantingTicket("ada", {}, "local", authenticated_at=1.0)
    released = Released("ada", {"memberOf": ("staff", "faculty")})
    body = xml_success(ValidatedTicket(service, session, released, True, DuoStanding()), with_attributes=True).decode()
    return [part.partition("<")[0] for part in body.split("<cas:memberOf>")[1:]]


def test_there_is_a_profile_for_every_client_that_can_be_named() -> None:
    assert set(PROFILES) == set(CLIENTS)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_profile_only_has_keys_and_values_that_an_entry_may_have(client: str) -> None:
    for default in PROFILES[client]:
        assert getattr(entry(**{default.key: default.value}), default.key) == default.value
        assert getattr(entry(client=client), default.key) == default.value
        # A row that says what holds anyway would help nobody.
        assert RegisteredService.model_fields[default.key].default != default.value


def test_without_a_client_nothing_changes() -> None:
    plain = RegisteredService.model_validate({"id": "app", "name": "App", "url": "https://app.example.edu/**"})
    assert with_client_defaults(plain) is plain


def test_an_entry_keeps_what_it_sets_itself_even_where_that_is_the_default() -> None:
    service = entry(client="rubycas", multivalue="repeat", response_by_request=True)
    assert (service.multivalue, service.response_by_request) == ("repeat", True)
    assert client_defaults(service) == ()


def test_what_comes_from_the_client_does_not_count_as_set_by_the_entry() -> None:
    service = entry(client="rubycas", multivalue="first")
    assert service.model_fields_set == {"id", "name", "url", "client", "multivalue"}
    assert [default.key for default in client_defaults(service)] == ["response_by_request"]


def test_everything_else_stays_and_stays_frozen() -> None:
    keys = {"attributes": {"mail": {"from": "m", "case": "lower"}}, "requires_duo": {"max_age": "8h"}}
    service, plain = entry(client="rubycas", **keys), entry(**keys)
    assert service.release_rules == plain.release_rules
    assert service.duo_rule == plain.duo_rule
    with pytest.raises(ValueError, match="frozen"):
        service.multivalue = "first"  # type: ignore[misc]


def test_a_registry_is_loaded_with_the_values_of_its_clients() -> None:
    text = "services: [{id: app, name: App, url: https://app.example.edu/**, client: rubycas}]"
    reading = read_registry(text.encode(), "registry.yaml", None, with_lint=True)
    assert reading.problems == ()
    assert reading.registry is not None
    assert reading.registry.services[0].multivalue == "join:;"


def test_the_page_about_the_registry_tells_every_row() -> None:
    page = (Path(__file__).parents[2] / "docs" / "registry.md").read_text(encoding="utf-8")
    rows = [
        f"| `{client}` | `{default.key}: {str(default.value).lower()}` | {default.reason} |"
        for client, defaults in PROFILES.items()
        for default in defaults
    ]
    assert [row for row in rows if row not in page] == []


# What comes of the rows


def test_rubycas_gets_several_values_in_one_element_as_it_keeps_the_last_one_only() -> None:
    assert members(entry()) == ["staff", "faculty"]
    assert members(entry(client="rubycas")) == ["staff;faculty"]


@pytest.mark.parametrize("client", ["mod_auth_cas", "phpcas", "dotnet", "rubycas"])
def test_clients_that_look_for_tickets_in_the_address_get_them_there_whatever_a_link_asks_for(
    client: str, build: Build
) -> None:
    keys = "id: app, name: App, url: 'https://app.example.edu/**'"
    asked_otherwise = build(registry=f"services: [{{{keys}}}]").browser().sign_in("ada", APP, method="POST")
    assert not has_ticket(asked_otherwise)
    known = build(registry=f"services: [{{{keys}, client: {client}}}]")
    for method in ("POST", "HEADER"):
        assert has_ticket(known.browser().sign_in("ada", APP, method=method))


def test_java_may_ask_for_a_form(build: Build) -> None:
    keys = "id: app, name: App, url: 'https://app.example.edu/**', client: java"
    page = build(registry=f"services: [{{{keys}}}]").browser().sign_in("ada", APP, method="POST")
    assert page.forms[0].method.upper() == "POST"
