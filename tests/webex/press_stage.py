"""Requests whose cards lie in a simulated space, people who press their buttons, and what a worker makes of it."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from casduo.approvals.asking import requested_event
from casduo.approvals.build import build_requests
from casduo.approvals.model import ApprovalRequest, Target
from casduo.approvals.requests import ApprovalRequests
from casduo.clock import Clock
from casduo.events.model import Subject
from casduo.events.outbox import OUTBOX
from casduo.events.record import EventRecord
from casduo.events.stream import STREAM
from casduo.settings import load_settings
from casduo.simulators.clock import VirtualClock
from casduo.simulators.webex import Person, WebexSimulator
from casduo.store import Store
from casduo.webex.build import build_webex
from casduo.webex.cards import Look, approval_card
from casduo.webex.inbox import Inbox
from casduo.webex.notice import Registration
from casduo.worker.parts import Parts, build_parts
from casduo.worker.press_desk import PressDesk
from tests.support.site import Recorder
from tests.worker.working import Site

SECRET = "webhook-secret-of-32-characters-"
URL = "https://sso.example.edu/cas"
APPROVERS = "luke@example.edu, leia@example.edu, ada@example.edu, droid@webex.bot, wedge@rebels.example"
HOUR = 3600.0


def registry(approvers: str = APPROVERS, more: str = "") -> str:
    return (
        "services:\n"
        "  - id: oracle-b\n"
        "    name: OracleLinux_SystemB\n"
        "    url: https://gateway.example.edu/targets/oracle-b\n"
        f"    requires_approval: {{approvers: [{approvers}], max_duration: 2h{more}}}\n"
        "    target: {host: OracleLinux_SystemB, ip: 172.16.200.53, account: root}\n"
        "  - {id: library, name: Library, url: 'https://library.example.edu/**'}\n"
    )


@dataclass
class Stage:
    """One installation with its bot in one space. Nobody works by itself: tests say when."""

    site: Site
    webex: WebexSimulator
    clock: VirtualClock
    parts: Parts
    journal: Recorder
    bot: Person
    room: str
    requests: ApprovalRequests
    desk: PressDesk
    _others: list[PressDesk] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    # -- what is asked -------------------------------------------------------------------------------------------------

    def ask(self, principal: str = "ada", *, card: bool = True, **changes: Any) -> ApprovalRequest:
        """Ask for access, and post the card. ``card``: whether anybody took note of its message."""
        now, number = self.clock(), next(self._numbers)
        asked = ApprovalRequest(
            id=f"7f3k{number}",
            nonce=f"nonce{number}",
            principal=principal,
            name=principal.title(),
            emails=(f"{principal}@example.edu",),
            service="oracle-b",
            service_name="OracleLinux_SystemB",
            url="https://gateway.example.edu/targets/oracle-b",
            target=Target("OracleLinux_SystemB", "172.16.200.53", "root"),
            start=now,
            end=now + HOUR,
            reason="Patches",
            created=now,
            expires=now + HOUR,
            room=self.room,
        )
        asked = replace(asked, **changes)
        about = Subject(principal=principal, service=asked.service)
        assert self.requests.create(asked, requested_event(asked, about), most_open=5) == "created"
        message = self.post(asked)
        if card:
            assert self.requests.add_card(asked.id, message)
        return self.now(asked)

    def post(self, asked: ApprovalRequest, room: str = "") -> str:
        """Post the card of a request; returns the message."""
        card = approval_card(asked, Look(URL), buttons=True)
        return self.webex.post(self.bot.email, room or self.room, "Access request", card=card).id

    def now(self, asked: ApprovalRequest) -> ApprovalRequest:
        found = self.requests.get(asked.id)
        assert found is not None
        return found

    # -- what is pressed -----------------------------------------------------------------------------------------------

    def press(
        self, asked: ApprovalRequest, who: str = "luke@example.edu", decision: str = "approve", **typed: str
    ) -> str:
        """Press a button of the latest card; returns the press."""
        message = self.webex.messages_in(self.room)[-1].id if not asked.cards else asked.cards[-1]
        return self.webex.press(message, who, {"decision": decision}, typed)

    def forge(self, asked: ApprovalRequest, who: str = "luke@example.edu", message: str = "", **inputs: Any) -> str:
        """Send made-up inputs; those that are not given are the right ones."""
        right = {"casduo": 1, "kind": "approval", "request": asked.id, "nonce": asked.nonce, "decision": "approve"}
        return self.webex.submit(who, message or asked.cards[-1], right | inputs)

    def see(self, *presses: str) -> None:
        """Have presses seen through, one after the other."""
        for press in presses:
            self.desk.see_through(press)

    def see_at_once(self, *presses: str) -> None:
        """Have presses seen through by a worker each, at the same instant."""
        start = threading.Barrier(len(presses))

        def see(desk: PressDesk, press: str) -> None:
            start.wait()
            desk.see_through(press)

        while len(self._others) < len(presses):
            self._others.append(self._another_desk())
        threads = [threading.Thread(target=see, args=pair) for pair in zip(self._others, presses, strict=False)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _another_desk(self) -> PressDesk:
        client = build_webex(self.parts.settings, self.clock)
        assert client is not None
        return PressDesk(self.parts, client)

    def change_registry(self, text: str) -> None:
        self.site.write(text, settings_text(self.webex, self.bot))
        assert self.parts.services.poll()

    # -- what came of it -----------------------------------------------------------------------------------------------

    def records(self, *kinds: str) -> list[EventRecord]:
        """What is in the stream of events, of these kinds."""
        rows = self.site.store.command("XRANGE", STREAM, "-", "+")
        found = [EventRecord.from_json(dict(zip(flat[::2], flat[1::2], strict=True))["record"]) for _, flat in rows]
        return [record for record in found if record.kind in kinds]

    def decisions(self) -> list[EventRecord]:
        return self.records("approval.approved", "approval.rejected")

    def refusals(self) -> list[str]:
        """The reasons of what was refused, in order."""
        return [record.text("reason") for record in self.records("approval.refused")]

    def answers(self, who: str = "luke@example.edu") -> list[str]:
        """What waits to be told to somebody."""
        return waiting_for(self.site.store, self.webex.person(who).id)


def waiting_for(store: Store, person: str) -> list[str]:
    """Return the texts that wait in the outbox for somebody."""
    rows = store.command("XRANGE", f"{OUTBOX}:to:urgent:person:{person}", "-", "+")
    texts = [json.loads(dict(zip(flat[::2], flat[1::2], strict=True))["message"]) for _, flat in rows]
    assert all(text["task"] == "told" and text["body"]["person"] == person for text in texts)
    return [text["body"]["markdown"] for text in texts]


def settings_text(webex: WebexSimulator, bot: Person, more: str = "") -> str:
    return (
        f"server: {{url: '{URL}'}}\n"
        f"webex: {{token: '{bot.token}', base_url: '{webex.base_url}', webhook: {{secret: '{SECRET}'}}{more}}}\n"
    )


def fill(webex: WebexSimulator) -> tuple[Person, str]:
    """Put people and a space into Webex; returns the bot and the space."""
    bot = webex.add_bot("casduo")
    people = [webex.add_person(f"{name}@example.edu", name.title()) for name in ("luke", "leia", "han", "ada", "lando")]
    droid = webex.add_bot("droid")
    wedge = webex.add_person("wedge@rebels.example", "Wedge", org="rebels")
    return bot, webex.add_room("Requests", [bot, *people, droid, wedge]).id


@contextmanager
def stage(directory: Path, redis_url: str, store: Store, more: str = "", clock: Clock | None = None) -> Iterator[Stage]:
    """Set the stage.

    :param more: further keys of the settings' section, with a comma in front
    """
    moving = VirtualClock(float(int(time.time())))
    with WebexSimulator(moving) as webex:
        bot, room = fill(webex)
        site = Site(directory, redis_url, store)
        site.write(registry(), settings_text(webex, bot, more))
        journal = Recorder()
        parts = build_parts(load_settings(site.settings_file, {}), threading.Event(), clock or moving)
        parts = replace(parts, journal=journal)
        client = build_webex(parts.settings, parts.clock)
        assert client is not None
        Inbox(store).remember(Registration("hook", bot.org_id, bot.id, bot.org_id), "", moving(), 0)
        requests = build_requests(parts.settings, store)
        yield Stage(site, webex, moving, parts, journal, bot, room, requests, PressDesk(parts, client))
        parts.store.close()
