"""A Webex, with every fault that it and the settings about it can have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from casduo.clock import system_clock
from casduo.diagnosis.model import Finding
from casduo.diagnosis.webex import examine_webex
from casduo.settings import Settings
from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from casduo.simulators.webex import WebexSimulator
from casduo.simulators.webex.model import Person, Room
from casduo.webex.build import build_webex
from casduo.webex.client import WebexClient
from tests.diagnosis.clinic import Clinic

TOKEN, SECRET = "token-of-the-bot-1843", "secret-of-the-webhook-1952-and-more"
SERVER = "https://sso.example.edu/cas"
TARGET = f"{SERVER}/webex/webhook"


@dataclass
class Ward:
    """A bot in one space, its webhook registered, and settings that a test can make ill."""

    webex: WebexSimulator
    bot: Person
    room: Room
    section: dict[str, Any]
    registry: Path
    findings: list[Finding] = field(default_factory=list)

    def examine(self, **changes: Any) -> Ward:
        section = {name: value for name, value in {**self.section, **changes}.items() if value is not None}
        settings = Settings.model_validate(
            {"server": {"url": SERVER}, "webex": section, "registry": str(self.registry)}
        )
        self.findings = list(examine_webex(settings, system_clock))
        for each in self.findings:
            assert (each.level == "ok") is (each.cause == "")
            assert TOKEN not in repr(each)
            assert SECRET not in repr(each)
        return self

    def of(self, examined: str) -> Finding:
        return next(each for each in self.findings if each.examined == examined)

    @property
    def unwell(self) -> dict[str, str]:
        return {each.examined: each.detail for each in self.findings if each.level != "ok"}

    def register(self, target: str = TARGET, name: str = f"casduo {SERVER}") -> None:
        with self._client() as client:
            client.create_webhook(
                name=name, target=target, resource="attachmentActions", event="created", secret=SECRET
            )

    def unregister(self, webhook: str) -> None:
        with self._client() as client:
            client.delete_webhook(webhook)

    def _client(self) -> closing[WebexClient]:
        client = build_webex(Settings.model_validate({"webex": self.section}), system_clock)
        assert client is not None
        return closing(client)


@pytest.fixture
def ward(authority: CertificateAuthority, tmp_path: Path) -> Iterator[Ward]:
    with WebexSimulator(certificate=authority.issue(), authority=authority) as webex:
        bot = webex.add_bot("Casduo", token=TOKEN)
        room = webex.add_room("Access", [bot])
        section = {
            "token": TOKEN,
            "base_url": webex.base_url,
            "room": room.id,
            "ca_file": str(webex.ca_file),
            "webhook": {"secret": SECRET},
            "connect_timeout": "10s",
            "read_timeout": "10s",
            "timeout": "20s",
        }
        registry = tmp_path / "registry.yaml"
        registry.write_text("services: []\n")
        found = Ward(webex, bot, room, section, registry)
        found.register()
        yield found


def test_a_webex_that_is_well(ward: Ward) -> None:
    ward.examine()
    assert ward.unwell == {}
    assert [each.examined for each in ward.findings] == [
        "network",
        "certificate",
        "token",
        "space of webex.room",
        "webhook",
    ]
    assert ward.of("token").facts["bot"] == "casduo@webex.bot"
    assert "'Access'" in ward.of("space of webex.room").found
    assert not ward.webex.messages_in(ward.room.id)


def test_without_the_section_there_is_nothing_to_say() -> None:
    assert list(examine_webex(Settings(), system_clock)) == []


def test_nobody_answers(ward: Ward) -> None:
    ward.webex.stop_listening()
    assert ward.examine().unwell == {"network": "refused"}


def test_who_vouches_is_not_trusted(ward: Ward, foreign_leaf: LeafFiles) -> None:
    assert ward.examine(ca_file=str(foreign_leaf.ca)).unwell == {"certificate": "unknown_authority"}
    assert "webex.ca_file" in ward.of("certificate").remedy


@pytest.mark.parametrize(("fault", "detail"), [("expired", "expired"), ("wrong_name", "wrong_name")])
def test_a_certificate_is_wrong(ward: Ward, fault: Any, detail: str) -> None:
    ward.webex.show_certificate(fault)
    assert ward.examine().unwell == {"certificate": detail}


def test_a_file_of_authorities_cannot_be_used(ward: Ward, tmp_path: Path) -> None:
    assert ward.examine(ca_file=str(tmp_path / "none.pem")).unwell == {"certificate": "ca_file"}


def test_the_token_is_refused(ward: Ward) -> None:
    ward.webex.revoke(TOKEN)
    assert ward.examine().unwell == {"token": "token"}
    assert "webex.token" in ward.of("token").remedy


def test_the_token_is_a_persons(ward: Ward) -> None:
    ada = ward.webex.add_person("ada@example.edu", token="token-of-ada")
    ward.webex.add_member(ward.room.id, ada)
    assert ward.examine(token="token-of-ada", webhook={}).unwell == {"token": "not_a_bot"}


@pytest.mark.parametrize(
    ("status", "level", "detail"),
    [(429, "attention", "throttled"), (503, "fault", "unavailable"), (404, "fault", "refused")],
)
def test_webex_does_not_say(ward: Ward, status: int, level: str, detail: str) -> None:
    ward.webex.fail("GET /people/me", status)
    found = ward.examine().of("token")
    assert (found.level, found.detail) == (level, detail)


def test_the_bot_is_not_in_the_space(ward: Ward) -> None:
    ward.webex.remove_member(ward.room.id, ward.bot)
    assert ward.examine().unwell == {"space of webex.room": "not_a_member"}


def test_the_space_does_not_take_messages(ward: Ward) -> None:
    ward.webex.change_room(ward.room.id, announcement_only=True)
    assert ward.examine().unwell == {"space of webex.room": "announcement_only"}
    ward.webex.change_room(ward.room.id, read_only=True, title_unreadable=True)
    assert ward.examine().unwell == {"space of webex.room": "read_only"}


def test_no_space_is_named(ward: Ward) -> None:
    assert ward.examine(room=None).unwell == {"spaces": "no_room"}


def test_spaces_of_routes_and_services_are_looked_at_too(ward: Ward) -> None:
    ward.registry.write_text(
        "services:\n  - {id: oracle, name: Oracle, url: 'https://gateway.example.edu/oracle',\n"
        "     requires_approval: {approvers: luke@example.edu, room: R2}}\n"
    )
    ward.examine(notify={"duo.fraud": {"to": "space", "room": "R1"}})
    assert ward.unwell == {
        "space of webex.notify.duo.fraud": "not_a_member",
        "space of the service oracle": "not_a_member",
    }


def test_a_registry_that_cannot_be_read_is_told_of_elsewhere(ward: Ward) -> None:
    ward.registry.write_text("services: [")
    assert ward.examine().unwell == {}


def test_the_spaces_cannot_be_read(ward: Ward) -> None:
    ward.webex.fail("GET /rooms", 502)
    assert ward.examine().unwell == {"spaces": "unavailable"}


def test_the_webhook_is_not_there(ward: Ward) -> None:
    for hook in list(ward.webex.webhooks):
        ward.unregister(hook.id)
    assert ward.examine().unwell == {"webhook": "not_registered"}
    # Another's that leads here: the worker would not take it for ours either.
    ward.register(name="another")
    assert ward.examine().unwell == {"webhook": "not_registered"}


def test_the_webhook_leads_elsewhere(ward: Ward) -> None:
    other = {"secret": SECRET, "url": "https://other.example.edu/hook"}
    assert ward.examine(webhook=other).unwell == {"webhook": "elsewhere"}
    ward.register("https://other.example.edu/hook")
    assert ward.examine(webhook=other).unwell == {}


def test_webex_has_given_the_webhook_up(ward: Ward) -> None:
    ward.webex.settings.deactivate_after = 1
    card = {"type": "AdaptiveCard", "version": "1.2", "body": [], "actions": [{"type": "Action.Submit", "title": "x"}]}
    posted = ward.webex.post("casduo@webex.bot", ward.room.id, "a card", card=card)
    luke = ward.webex.add_person("luke@example.edu")
    ward.webex.add_member(ward.room.id, luke)
    ward.webex.press(posted.id, "luke@example.edu", "x")
    ward.webex.wait_for_deliveries()
    assert ward.examine().unwell == {"webhook": "inactive"}


def test_without_a_secret_no_webhook_is_wanted(ward: Ward) -> None:
    assert ward.examine(webhook={}).unwell == {}
    assert "not wanted" in ward.of("webhook").found


def test_the_webhooks_cannot_be_read(ward: Ward) -> None:
    ward.webex.fail("GET /webhooks", 403)
    assert ward.examine().unwell == {"webhook": "refused"}


def test_the_doctor_looks_at_webex_last(clinic: Clinic, ward: Ward) -> None:
    clinic.settings["webex"] = ward.section
    clinic.secrets |= {TOKEN, SECRET}
    visit = clinic.examine()
    assert visit.of("token", "Webex")["level"] == "ok"
    assert visit.findings[-1]["part"] == "Webex"
