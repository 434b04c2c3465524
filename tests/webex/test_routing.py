"""Which messages an event makes: by the settings, by built-in routes, and for requests for access."""

from __future__ import annotations

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given

from casduo.events.catalogue import KINDS
from casduo.events.messages import Message
from casduo.events.model import Subject
from casduo.events.record import EventRecord
from casduo.services.index import Registry
from casduo.services.model import RegisteredService
from casduo.settings.webex import WebexSettings
from casduo.webex.cards import Look
from casduo.webex.placeholders import PLACEHOLDERS
from casduo.webex.routing import address_of, messages_for, route_of
from casduo.webex.templates import DEFAULT_WAYS, DIGESTIBLE, TEMPLATES
from casduo.webex.text import LONGEST_MESSAGE
from tests.webex.desk import NOON, SERVER
from tests.webex.hostile import texts
from tests.webex.test_text import inline_of

LOOK = Look(SERVER, ZoneInfo("Europe/Berlin"))
WIKI = {"id": "wiki", "name": "Wiki", "url": "https://wiki.example.edu/**"}
ORACLE = {
    "id": "oracle-b",
    "name": "OracleLinux_SystemB",
    "url": "https://gateway.example.edu/targets/oracle-b",
    "requires_approval": {"approvers": "luke@example.edu", "room": "APPROVERS", "expires": "2h"},
}
ADA = Subject("R-7Q2", "192.0.2.7", "ada", "wiki", "duo")


def made(**webex: Any) -> WebexSettings:
    return WebexSettings.model_validate({"token": "t", "room": "ROOM", **webex})


def registry(*services: dict[str, Any]) -> Registry:
    return Registry([RegisteredService.model_validate(service) for service in services or (WIKI, ORACLE)], "v1")


def record(kind: str, about: Subject = ADA, **facts: Any) -> EventRecord:
    return EventRecord("E1", NOON, kind, "info", about, facts)


def messages(
    event: EventRecord, settings: WebexSettings | None = None, services: Registry | None = None
) -> tuple[Message, ...]:
    return messages_for(event, settings or made(), services or registry(), LOOK)


def only(event: EventRecord, settings: WebexSettings | None = None) -> Message:
    (message,) = messages(event, settings)
    return message


# -- notifications ---------------------------------------------------------------------------------------------------


def test_a_sign_in_is_one_line_in_the_space() -> None:
    message = only(record("signin.ok"))
    assert (message.id, message.to, message.task, message.urgent) == ("E1:event", "room:ROOM", "event", False)
    assert (message.created, message.expires) == (NOON, 0.0)
    assert message.body == {
        "kind": "signin.ok",
        "markdown": r"**ada** signed in to Wiki from 192.0.2.7, 2026-08-01 12:00 UTC \(14:00 Europe/Berlin\) (R-7Q2)",
    }


def test_remote_access_names_the_machine() -> None:
    about = Subject("R-7Q2", "192.0.2.7", "ada", "oracle-b")
    target = {"host": "OracleLinux_SystemB", "ip": "172.16.200.53", "account": "root", "request": "7f3kQmVwX2"}
    text = only(record("target.accessed", about, **target)).body["markdown"]
    assert r"root at OracleLinux\_SystemB (172.16.200.53)" in text
    assert "request 7f3kQmVwX2" in text


def test_a_violation_is_an_urgent_card() -> None:
    about = Subject("R-7Q2", "192.0.2.7", "ada", "oracle-b")
    message = only(record("policy.violation", about, rule="fraud", detail="by the phone"))
    assert (message.id, message.task, message.urgent) == ("E1:violation", "violation", True)
    assert message.body["card"]["type"] == "AdaptiveCard"
    assert message.body["markdown"].startswith(r"**Policy violation**: **ada** at OracleLinux\_SystemB")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_by_themselves_few_kinds_are_posted(kind: str) -> None:
    found = [message for message in messages(record(kind)) if message.task in ("event", "violation")]
    posted = ("policy.violation", "signin.ok", "signout", "signout.administrator", "target.accessed")
    assert len(found) == (kind in posted)


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_can_be_posted_and_none_says_nothing(kind: str) -> None:
    (message,) = (each for each in messages(record(kind), made(notify={kind: "space"})) if "kind" in each.body)
    assert message.body["markdown"]
    assert "{" not in message.body["markdown"]


def test_built_in_routes_and_texts_are_about_kinds_that_there_are() -> None:
    assert set(DEFAULT_WAYS) <= set(KINDS)
    assert set(TEMPLATES) <= set(KINDS)
    assert set(DEFAULT_WAYS) >= DIGESTIBLE


def test_the_settings_can_switch_a_kind_off_and_on() -> None:
    settings = made(notify={"signin.ok": "none", "duo.fraud": "space"})
    assert messages(record("signin.ok"), settings) == ()
    assert only(record("duo.fraud"), settings).to == "room:ROOM"
    assert route_of("signout", settings).to == "space"


def test_a_kind_can_have_a_space_of_its_own() -> None:
    settings = made(notify={"duo.fraud": {"to": "space", "room": "SECURITY"}})
    assert only(record("duo.fraud"), settings).to == "room:SECURITY"


def test_without_a_space_nothing_is_posted() -> None:
    assert messages(record("signin.ok"), made(room=None)) == ()


def test_a_text_of_ones_own() -> None:
    template = "{event}/{user}/{service}/{service_id}/{address}/{strength}/{reference}/{host}/{detail}"
    settings = made(notify={"duo.fraud": {"to": "space", "template": template}})
    text = only(record("duo.fraud", detail="by the phone"), settings).body["markdown"]
    assert text == "duo.fraud/ada/Wiki/wiki/192.0.2.7/password and Duo/R-7Q2/—/by the phone"


@pytest.mark.parametrize(
    ("strength", "words"),
    [("none", "password"), ("bypassed", "password, without Duo"), ("duo", "password and Duo"), ("", "—")],
)
def test_strength_is_told_in_words(strength: str, words: str) -> None:
    settings = made(notify={"signin.ok": {"to": "space", "template": "{strength}"}})
    assert only(record("signin.ok", Subject(strength=strength)), settings).body["markdown"] == words


def test_who_signs_in_without_a_service_signs_in_here() -> None:
    assert " signed in to casduo from " in only(record("signin.ok", Subject("R", "a", "ada"))).body["markdown"]


def test_a_service_that_is_gone_has_its_id() -> None:
    assert " to old from " in only(record("signin.ok", Subject("R", "a", "ada", "old"))).body["markdown"]


@given(texts, texts, texts)
def test_no_value_makes_more_of_a_line_than_it_is(user: str, service: str, detail: str) -> None:
    template = " · ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    for own in (template, None):
        settings = made(notify={"duo.fraud": {"to": "space", "template": own}})
        event = record("duo.fraud", Subject(user, detail, user, service, detail), detail=detail, host=user)
        text = only(event, settings).body["markdown"]
        assert len(text.encode()) <= LONGEST_MESSAGE
        kinds = {token.type for token in inline_of(text)}
        assert kinds <= {"text", "text_special", "strong_open", "strong_close"}


def test_a_long_template_is_cut() -> None:
    settings = made(notify={"signin.ok": {"to": "space", "template": "é{user}" * 3000}})
    assert len(only(record("signin.ok"), settings).body["markdown"].encode()) <= LONGEST_MESSAGE


@pytest.mark.parametrize(
    ("principal", "domain", "address"),
    [
        ("ada", "example.edu", "ada@example.edu"),
        ("ada", None, ""),
        ("ada@example.edu", None, "ada@example.edu"),
        ("ada@example.edu", "other.example", "ada@example.edu"),
        ("ada@host", "example.edu", ""),
        ("ada@b@example.edu", "example.edu", ""),
        ("@example.edu", "example.edu", ""),
        ("", "example.edu", ""),
        ("ada lovelace", "example.edu", ""),
        ("ada\u202e", "example.edu", ""),
    ],
)
def test_whom_an_event_is_written_to(principal: str, domain: str | None, address: str) -> None:
    settings = made(mail_domain=domain, notify={"phone.logged_in": "person"})
    assert address_of(principal, settings) == address
    found = messages(record("phone.logged_in", Subject(principal=principal)), settings)
    assert [message.to for message in found] == ([f"person:{address}"] if address else [])


# -- requests for access ---------------------------------------------------------------------------------------------


def of_request(kind: str, service: str = "oracle-b") -> EventRecord:
    return record(kind, Subject("R-7Q2", "192.0.2.7", "ada", service), request="7f3kQmVwX2")


def summary(found: tuple[Message, ...]) -> list[tuple[str, str, str]]:
    assert all(message.urgent and message.body == {"request": "7f3kQmVwX2"} for message in found)
    return [(message.id, message.to, message.task) for message in found]


def test_a_request_is_posted_where_its_service_says() -> None:
    found = messages(of_request("approval.requested"))
    assert summary(found) == [("E1:approval.card", "room:APPROVERS", "approval.card")]
    assert found[0].expires == NOON + 7200


@pytest.mark.parametrize("kind", ["approval.approved", "approval.rejected", "approval.expired", "approval.cancelled"])
def test_its_end_is_told_to_the_space_and_to_who_asked(kind: str) -> None:
    assert summary(messages(of_request(kind))) == [
        ("E1:approval.outcome", "room:APPROVERS", "approval.outcome"),
        ("E1:approval.told", "person:ada", "approval.told"),
    ]


def test_a_request_that_waits_is_brought_to_mind() -> None:
    assert summary(messages(of_request("approval.reminded"))) == [
        ("E1:approval.reminder", "room:APPROVERS", "approval.reminder")
    ]


def test_a_service_without_a_space_of_its_own_uses_the_common_one() -> None:
    rule = {"approvers": "luke@example.edu"}
    services = registry({**ORACLE, "requires_approval": rule})
    assert messages(of_request("approval.requested"), services=services)[0].to == "room:ROOM"


def test_where_the_service_is_gone_the_request_still_ends() -> None:
    found = messages(of_request("approval.cancelled", "gone"), made(room=None))
    assert [message.to for message in found] == ["room:of:7f3kQmVwX2", "person:ada"]


def test_what_requests_need_does_not_go_by_the_settings() -> None:
    settings = made(notify={"approval.requested": "none", "approval.approved": {"to": "space", "room": "COPIES"}})
    assert [message.task for message in messages(of_request("approval.requested"), settings)] == ["approval.card"]
    found = messages(of_request("approval.approved"), settings)
    assert [(message.task, message.to) for message in found][-1] == ("event", "room:COPIES")


def test_a_press_that_was_refused_makes_nothing_by_itself() -> None:
    assert messages(of_request("approval.refused")) == ()


def test_the_same_event_makes_the_same_messages() -> None:
    assert messages(of_request("approval.approved")) == messages(of_request("approval.approved"))
