"""Entries that ask for an approval: what keeps that from working, and what cannot be meant."""

from __future__ import annotations

from typing import Any

import pytest

from casduo.services.file import read_registry
from casduo.settings import Settings

RULE = "requires_approval: {approvers: luke@example.edu%s}"
SECRET = {"webhook": {"secret": "w" * 40}}
DUO = {
    "api_host": "api-12345678.duosecurity.com",
    "universal": {"client_id": "DI01234567890123456X", "client_secret": "0123456789012345678901234567890123456789"},
}
REST = {"enabled": True, "clients": [{"name": "portal", "key": "k" * 40, "services": ["oracle"]}]}
PAGE_ONLY = (
    "requires_approval",
    "note",
    "requests are decided on the page of this server only, and nobody is told of them",
)


def made(webex: dict[str, Any] | None = None, **sections: Any) -> Settings:
    usual: dict[str, Any] = {"server": {"url": "https://sso.example.edu/cas"}, "duo": DUO, **sections}
    if webex is not None:
        usual["webex"] = {"token": "t", **webex}
    return Settings.model_validate(usual)


def said(*keys: str, settings: Settings | None = None) -> list[tuple[str, str, str]]:
    """What is said about an entry with Duo and these keys: where, how grave, and what."""
    entry = ", ".join(["id: oracle", "name: Oracle", "url: 'https://gateway.example.edu/oracle'", *keys])
    reading = read_registry(f"services:\n  - {{{entry}}}\n".encode(), "registry.yaml", settings, with_lint=True)
    return [(each.path.removeprefix("services[0]").lstrip("."), each.level, each.message) for each in reading.problems]


def with_duo(*keys: str, settings: Settings | None = None) -> list[tuple[str, str, str]]:
    return said("requires_duo: true", *keys, settings=settings)


@pytest.mark.parametrize("settings", [None, made({"room": "R", **SECRET})])
def test_an_entry_as_it_should_be_is_left_alone(settings: Settings | None) -> None:
    assert with_duo(RULE % "", "target: {host: oracle, account: root}", settings=settings) == []
    assert with_duo(RULE % ", room: R2", settings=settings) == []
    assert with_duo(RULE % ", approve_in: portal", settings=settings) == []


def test_without_webex_requests_are_decided_on_the_page() -> None:
    assert with_duo(RULE % "", settings=made()) == [PAGE_ONLY]


def test_without_webex_a_space_has_no_effect() -> None:
    no_effect = ("requires_approval.room", "warning", "has no effect: the settings have no section 'webex'")
    assert with_duo(RULE % ", room: R", settings=made()) == [PAGE_ONLY, no_effect]


def test_without_any_space_nobody_is_told() -> None:
    message = "nobody is told of requests: neither the entry nor the section 'webex' has a room"
    assert with_duo(RULE % "", settings=made(SECRET)) == [("requires_approval", "warning", message)]
    assert with_duo(RULE % ", room: R", settings=made(SECRET)) == []


def test_without_a_webhook_cards_have_no_buttons() -> None:
    message = (
        "requests are decided on the page of this server only: without webex.webhook.secret their cards have no buttons"
    )
    assert with_duo(RULE % "", settings=made({"room": "R"})) == [("requires_approval", "note", message)]
    assert with_duo(RULE % ", approve_in: portal", settings=made({"room": "R"})) == []


def test_without_single_sign_on_people_come_back_to_a_password() -> None:
    message = "people who come back once they are let in are asked for their password again: single_sign_on is false"
    assert with_duo(RULE % "", "single_sign_on: false") == [("requires_approval", "warning", message)]


def test_without_duo_who_asks_is_known_by_a_password() -> None:
    message = "who asks is known by a password alone: the entry has no requires_duo"
    assert said(RULE % "") == [("requires_approval", "note", message)]


def test_a_phone_asks_without_a_form() -> None:
    entry = "{id: em, name: Phones, url: 'https://sso.example.edu/em/**', channel: phone, " + RULE % "" + "}"
    reading = read_registry(f"services:\n  - {entry}\n".encode(), "registry.yaml", None, with_lint=True)
    assert reading.registry is not None
    assert [(each.path, each.level, each.message) for each in reading.problems] == [
        (
            "services[0].requires_approval",
            "note",
            "a phone has no form: it asks for max_duration from that moment on",
        ),
        ("services[0].requires_approval", "note", "who asks is known by a PIN alone: the entry has no requires_duo"),
    ]


def test_a_machine_that_a_password_alone_leads_to() -> None:
    message = "a password alone leads there: the entry has neither requires_duo nor requires_approval"
    assert said("target: {host: oracle}") == [("target", "note", message)]
    assert with_duo("target: {host: oracle}") == []


def test_programs_cannot_ask() -> None:
    message = "programs (portal) get tickets for it while a request is approved, and cannot make one"
    settings = made({"room": "R", **SECRET}, rest=REST)
    assert with_duo(RULE % "", settings=settings) == [("", "note", message)]
    assert with_duo(RULE % "", "protocols: [cas3, rest]", settings=settings) == [("protocols", "note", message)]
    assert with_duo(RULE % "", "protocols: [cas3]", settings=settings) == []


def test_programs_that_may_not_use_it_are_not_spoken_of() -> None:
    clients = [{"name": "portal", "key": "k" * 40, "services": ["wiki"]}]
    settings = made({"room": "R", **SECRET}, rest={"enabled": True, "clients": clients})
    assert with_duo(RULE % "", settings=settings) == []
    assert (
        with_duo(RULE % "", settings=made({"room": "R", **SECRET}, rest={"enabled": False, "clients": clients})) == []
    )


@pytest.mark.parametrize(
    ("services", "told"),
    [
        ("services: []", True),
        ("services: [{id: a, name: A, url: 'https://a.example.edu/**'}]", True),
        ("services: [{id: a, name: A, url: 'https://a.example.edu/**', %s}]" % (RULE % ""), False),
        ("services: [{id: a, name: A, url: 'https://a.example.edu/**', %s, colour: red}]" % (RULE % ""), False),
    ],
)
def test_terms_of_requests_that_nobody_can_make_are_named(services: str, told: bool) -> None:
    message = "no entry has requires_approval: the section 'approvals' of the settings has no effect"

    def noted(settings: Settings) -> bool:
        problems = read_registry(services.encode(), "registry.yaml", settings, with_lint=True).problems
        return ("services", "note", message) in [(each.path, each.level, each.message) for each in problems]

    assert noted(made(approvals={"remind": "2h"})) is told
    assert noted(made()) is False
