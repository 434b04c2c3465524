"""What the settings of each Duo application are called, so that a remedy names the right one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from casduo.diagnosis.applications import Application, admin_keys, applications_of, own_authorities
from casduo.settings import Settings


def pair(letter: str) -> dict[str, str]:
    return {"integration_key": f"DI{letter * 18}", "secret_key": letter * 40}


def universal(letter: str) -> dict[str, str]:
    return {"client_id": f"DI{letter * 18}", "client_secret": letter * 40}


def settings_with(**duo: Any) -> Settings:
    return Settings.model_validate({"duo": {"api_host": "api.example.edu", "universal": universal("A"), **duo}})


def application(name: str = "", **duo: Any) -> Application:
    settings = settings_with(**duo)
    assert settings.duo is not None
    return next(each for each in applications_of(settings, settings.duo) if each.name == name)


def test_the_main_application_has_the_keys_of_the_section() -> None:
    main = application(auth_api=pair("B"))
    assert (main.prompt.identifier, main.prompt.secret) == ("duo.universal.client_id", "duo.universal.client_secret")
    assert (main.auth.identifier, main.auth.borrowed) == ("duo.auth_api.integration_key", False)
    assert main.auth.host == "duo.api_host"
    assert main.part.facts == {"application": ""}
    assert admin_keys(main).identifier == "duo.admin_api.integration_key"


def test_keys_that_are_not_there_are_borrowed_from_the_prompt() -> None:
    main = application()
    assert (main.auth.identifier, main.auth.borrowed) == ("duo.universal.client_id", True)
    assert (main.auth.kind, main.auth.own) == ("Auth API", "duo.auth_api")


@pytest.mark.parametrize(
    ("main", "own", "auth", "borrowed"),
    [
        ({"auth_api": pair("B")}, {}, "duo.auth_api.integration_key", False),
        ({}, {}, "duo.universal.client_id", True),
        ({}, {"auth_api": pair("C")}, "duo.applications.payroll.auth_api.integration_key", False),
        ({"auth_api": pair("B")}, {"universal": universal("C")}, "duo.applications.payroll.universal.client_id", True),
    ],
)
def test_keys_of_another_application_are_followed_to_where_they_stand(
    main: dict[str, Any], own: dict[str, Any], auth: str, borrowed: bool
) -> None:
    payroll = application("payroll", applications={"payroll": own}, **main)
    assert (payroll.auth.identifier, payroll.auth.borrowed) == (auth, borrowed)
    # What is named is what is used.
    key, _ = payroll.duo.auth_keys
    letter = {"duo.auth_api": "B", "duo.universal": "A"}.get(auth.rpartition(".")[0], "C")
    assert key == f"DI{letter * 18}"


def test_an_application_at_another_host() -> None:
    payroll = application(
        "pay roll", applications={"pay roll": {"api_host": "api2.example.edu:8443", "universal": universal("C")}}
    )
    assert payroll.way.destination.first_hop == ("api2.example.edu", 8443)
    assert payroll.way.host_setting == "duo.applications['pay roll'].api_host"
    assert payroll.part.name == "Duo, application pay roll"


def test_the_proxy_is_on_the_way_and_not_in_the_open() -> None:
    main = application(proxy="http://ada:lovelace@proxy.example.edu:3128")
    assert main.way.destination.first_hop == ("proxy.example.edu", 3128)
    assert "lovelace" not in repr(main)


def test_the_file_of_authorities_is_duos_own_or_that_of_all_calls(tmp_path: Path) -> None:
    assert own_authorities(settings_with()) == ("duo.ca_file", "")
    assert own_authorities(settings_with(ca_file="/etc/duo.pem")) == ("duo.ca_file", "/etc/duo.pem")
    both = Settings.model_validate({"outbound": {"ca_file": "/etc/all.pem"}})
    assert own_authorities(both) == ("outbound.ca_file", "/etc/all.pem")
