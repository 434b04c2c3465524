"""The webhook at Webex is made, found again, activated, corrected, and there is one of it."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import requests

from casduo.signing import fingerprint
from casduo.simulators.webex import Person, WebexSimulator, Webhook
from casduo.store import Store
from casduo.webex import model
from casduo.webex.inbox import Inbox, Upkeep
from casduo.webex.notice import Registration
from casduo.webex.upkeep import Plan, Wanted, plan
from casduo.worker.webex_watch import EVERY, WebexWatch
from tests.webex.press_stage import SECRET, URL, fill, registry, settings_text
from tests.worker.working import Site, Working, eventually, working

TARGET = f"{URL}/webex/webhook"
NAME = f"casduo {URL}"
LEASE_KEY = "casduo:{events}:lease:webhook"
OTHER_SECRET = "another-secret-of-32-characters--"


@dataclass
class Place:
    """Webex with our bot, and the installation whose worker looks after the webhook."""

    site: Site
    webex: WebexSimulator
    bot: Person
    room: str

    def settings(self, text: str = "") -> None:
        self.site.write(registry(), text or settings_text(self.webex, self.bot))

    def look(self) -> Working:
        """Have a worker look, once."""
        before = self.upkeep
        with working(self.site, WebexWatch) as worker:
            eventually(lambda: self.upkeep != before or worker.named("fault") != [])
        return worker

    def settled(self) -> bool:
        return self.upkeep is not None and len(self.ours) == 1

    def calls(self, method: str) -> list[Any]:
        return self.webex.requests(method, "/webhooks")

    @property
    def ours(self) -> list[Webhook]:
        return [hook for hook in self.webex.webhooks if hook.name == NAME]

    @property
    def upkeep(self) -> Upkeep | None:
        return Inbox(self.site.store).upkeep()

    def ask(self, method: str, path: str, **members: Any) -> Any:
        """Call the API with the bot's token, as somebody else might."""
        headers = {"Authorization": f"Bearer {self.bot.token}"}
        answer = requests.request(method, f"{self.webex.base_url}{path}", json=members, headers=headers, timeout=10)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def register(self, **changes: str) -> str:
        members = {
            "name": NAME,
            "targetUrl": TARGET,
            "resource": "attachmentActions",
            "event": "created",
            "secret": SECRET,
        }
        made: str = self.ask("POST", "webhooks", **(members | changes))["id"]
        return made


@pytest.fixture
def place(tmp_path: Path, valkey_url: str, store: Store) -> Iterator[Place]:
    with WebexSimulator() as webex:
        bot, room = fill(webex)
        found = Place(Site(tmp_path, valkey_url, store), webex, bot, room)
        found.settings()
        yield found


def repairs(worker: Working) -> list[str]:
    return [event.repair for event in worker.named("webhook.repaired")]


def test_the_webhook_is_made_where_there_is_none(place: Place) -> None:
    worker = place.look()
    (hook,) = place.ours
    assert (hook.target_url, hook.resource, hook.event, hook.secret) == (TARGET, "attachmentActions", "created", SECRET)
    assert repairs(worker) == ["created"]
    upkeep = place.upkeep
    assert upkeep is not None
    assert upkeep.registration == Registration(hook.id, place.bot.org_id, place.bot.id, place.bot.org_id)
    assert SECRET not in repr(upkeep)
    assert upkeep.repairs == 1


def test_a_second_look_changes_nothing(place: Place) -> None:
    place.look()
    worker = place.look()
    assert repairs(worker) == []
    assert len(place.ours) == 1
    assert len(place.calls("POST")) == 1
    assert len(place.calls("PUT")) == 0


def test_one_that_webex_gave_up_is_activated(place: Place) -> None:
    place.look()
    before = place.ours[0].id
    place.webex.settings.deactivate_after = 1
    card = {"type": "AdaptiveCard", "version": "1.2", "actions": [{"type": "Action.Submit", "title": "Press"}]}
    message = place.webex.post(place.bot.email, place.room, "A card", card=card)
    place.webex.press(message.id, "luke@example.edu", "Press")
    eventually(lambda: not place.ours[0].active)
    assert repairs(place.look()) == ["activated"]
    assert (place.ours[0].id, place.ours[0].active, place.ours[0].secret) == (before, True, SECRET)


def test_one_that_somebody_deleted_is_made_again(place: Place) -> None:
    place.look()
    before = place.ours[0].id
    place.ask("DELETE", f"webhooks/{before}")
    assert repairs(place.look()) == ["created"]
    upkeep = place.upkeep
    assert upkeep is not None
    assert upkeep.registration.webhook == place.ours[0].id != before


def test_further_ones_are_deleted_and_the_one_that_counts_stays(place: Place) -> None:
    place.look()
    kept = place.ours[0].id
    for _ in range(3):
        place.register()
    worker = place.look()
    assert [hook.id for hook in place.ours] == [kept]
    assert repairs(worker) == ["duplicate"] * 3


def test_those_of_others_are_left_alone(place: Place) -> None:
    place.register(name="casduo https://test.example.edu/cas")
    place.register(name="dashboard", resource="messages")
    place.register(resource="messages")
    place.look()
    assert len(place.webex.webhooks) == 4
    assert len(place.calls("DELETE")) == len(place.calls("PUT")) == 0


def test_a_new_secret_is_told_to_webex(place: Place) -> None:
    place.look()
    place.settings(settings_text(place.webex, place.bot).replace(SECRET, OTHER_SECRET))
    assert repairs(place.look()) == ["secret"]
    assert place.ours[0].secret == OTHER_SECRET
    assert repairs(place.look()) == []


def test_one_whose_secret_nobody_knows_gets_ours(place: Place) -> None:
    place.register(secret=OTHER_SECRET)
    assert repairs(place.look()) == ["secret"]
    assert place.ours[0].secret == SECRET


def test_one_that_leads_elsewhere_is_led_here(place: Place) -> None:
    place.look()
    elsewhere = f"webhook: {{url: 'https://gate.example.edu/hook', secret: '{SECRET}'}}"
    place.settings(settings_text(place.webex, place.bot).replace(f"webhook: {{secret: '{SECRET}'}}", elsewhere))
    assert repairs(place.look()) == ["target"]
    assert place.ours[0].target_url == "https://gate.example.edu/hook"


def test_without_a_secret_there_is_none_and_one_that_there_is_stays(place: Place) -> None:
    place.register()
    place.settings(settings_text(place.webex, place.bot).partition(", webhook")[0] + "}\n")
    with working(place.site, WebexWatch):
        pass
    assert len(place.ours) == 1
    assert len(place.webex.requests("GET")) == 0


def test_of_several_workers_one_looks(place: Place) -> None:
    with working(place.site, WebexWatch):
        eventually(place.settled)
        with working(place.site, functools.partial(WebexWatch, every=0.02)) as second:
            eventually(lambda: second.parts.stopping.wait(0.2) or True)
    assert len(place.calls("GET")) == 1
    assert len(place.ours) == 1


def test_where_a_worker_died_over_it_another_looks_soon(place: Place) -> None:
    place.webex.faults.hang("POST /webhooks", done=True)
    with working(place.site, functools.partial(WebexWatch, lease=0.3)) as doomed:
        eventually(lambda: len(place.ours) == 1)
        assert place.upkeep is None
        # It keeps silent from now on, as the dead do.
        left = place.site.store.command("PTTL", LEASE_KEY)
        assert 0 < left <= 300
        with working(place.site, functools.partial(WebexWatch, lease=0.3)) as second:
            eventually(place.settled)
            eventually(lambda: repairs(second) == ["secret"])
        place.webex.faults.release()
        assert repairs(doomed) == []


def test_a_look_that_is_over_is_not_repeated_by_another(place: Place) -> None:
    with working(place.site, functools.partial(WebexWatch, lease=0.3)):
        eventually(place.settled)
        eventually(lambda: place.site.store.command("PTTL", LEASE_KEY) > EVERY * 1000)


def test_presses_by_a_new_webhook_count_though_the_worker_died_over_making_it(place: Place) -> None:
    place.look()
    before = place.upkeep
    assert before is not None
    place.ask("DELETE", f"webhooks/{before.registration.webhook}")
    place.webex.faults.drop("POST /webhooks", done=True)
    with working(place.site, WebexWatch) as worker:
        eventually(lambda: worker.named("fault") != [])
    # Nothing is known of it, so that any that our secret signed counts.
    assert len(place.ours) == 1
    assert Inbox(place.site.store).registration() is None
    place.look()
    after = place.upkeep
    assert after is not None
    assert after.registration.webhook == place.ours[0].id
    assert after.repairs == before.repairs + 1


def test_trouble_is_told_of_once_and_tried_again(place: Place) -> None:
    place.webex.fail("GET /webhooks", 503, times=2)
    with working(place.site, functools.partial(WebexWatch, every=0.05)) as worker:
        eventually(place.settled)
        eventually(lambda: repairs(worker) == ["created"])
    assert [fault.code for fault in worker.named("fault")] == ["WEBEX_UNAVAILABLE"]


def test_a_wrong_token_is_told_of_without_it(place: Place) -> None:
    place.webex.revoke(place.bot.token)
    worker = place.look()
    (fault,) = worker.named("fault")
    assert fault.code == "WEBEX_UNAUTHORIZED"
    assert place.bot.token not in repr(fault)
    assert place.ours == []


def test_one_made_whose_answer_was_lost_is_found_again(place: Place) -> None:
    place.webex.faults.drop("POST /webhooks", done=True)
    with working(place.site, functools.partial(WebexWatch, every=0.05)) as worker:
        eventually(place.settled)
        eventually(lambda: repairs(worker) == ["secret"])
    assert len(place.ours) == 1


WANTED = Wanted(NAME, TARGET, SECRET)
HOOK = model.Webhook("hook", NAME, TARGET, "attachmentActions", "created", True, "home", "bot")
KNOWN = Upkeep(Registration("hook", "home", "bot", "home"), fingerprint(SECRET), 0.0)


@pytest.mark.parametrize(
    ("found", "known", "expected"),
    [
        ([], None, Plan(None)),
        ([], KNOWN, Plan(None)),
        ([HOOK], KNOWN, Plan(HOOK)),
        ([HOOK], None, Plan(HOOK, ("secret",))),
        ([replace(HOOK, active=False)], KNOWN, Plan(replace(HOOK, active=False), ("activated",))),
        ([replace(HOOK, name="x")], KNOWN, Plan(None)),
        ([replace(HOOK, event="all")], KNOWN, Plan(None)),
        # The one that presses are taken from, however it looks; without it one that needs little.
        (
            [replace(HOOK, id="b"), replace(HOOK, active=False)],
            KNOWN,
            Plan(replace(HOOK, active=False), ("activated",), (replace(HOOK, id="b"),)),
        ),
        (
            [replace(HOOK, id="a", target="https://x"), replace(HOOK, id="b", active=False), replace(HOOK, id="c")],
            None,
            Plan(
                replace(HOOK, id="c"),
                ("secret",),
                (replace(HOOK, id="b", active=False), replace(HOOK, id="a", target="https://x")),
            ),
        ),
    ],
)
def test_what_there_is_to_do(found: list[model.Webhook], known: Upkeep | None, expected: Plan) -> None:
    assert plan(found, WANTED, known) == expected


def test_the_secret_is_in_no_text() -> None:
    assert SECRET not in repr(WANTED)
