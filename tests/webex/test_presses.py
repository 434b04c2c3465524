"""Buttons of a request's card, pressed by those who may and by those who may not, twice, late, with forged inputs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from casduo.approvals.deciding import GRACE
from casduo.approvals.telling import cancelled_event, expired_event
from casduo.store import Store
from casduo.webex.build import build_webex
from casduo.webex.errors import WebexError, WebexThrottled, WebexUnauthorized, WebexUnavailable
from casduo.webex.text import escape
from tests.webex.hostile import HOSTILE
from tests.webex.press_stage import HOUR, URL, Stage, registry, stage

LUKE, LEIA, HAN, ADA = "luke@example.edu", "leia@example.edu", "han@example.edu", "ada@example.edu"


@pytest.fixture
def desk(tmp_path: Path, valkey_url: str, store: Store) -> Iterator[Stage]:
    with stage(tmp_path, valkey_url, store) as found:
        yield found


def test_an_approver_approves(desk: Stage) -> None:
    asked = desk.ask()
    press = desk.press(asked, LUKE)
    desk.see(press)
    decided = desk.now(asked)
    assert decided.state == "approved"
    decision = decided.decision
    assert decision is not None
    assert (decision.by, decision.name, decision.via, decision.action) == (LUKE, "Luke", "webex", press)
    assert decision.person == desk.webex.person(LUKE).id
    assert decision.at == desk.clock()
    (record,) = desk.decisions()
    assert (record.kind, record.about.principal, record.text("by")) == ("approval.approved", "ada", LUKE)
    assert len(desk.journal.named("approval.decided")) == 1
    assert desk.answers(LUKE) == []


def test_an_approver_rejects_and_says_why(desk: Stage) -> None:
    asked = desk.ask()
    desk.see(desk.press(asked, LEIA, "reject", comment="  Not\u202e today,\nplease.  "))
    decided = desk.now(asked)
    assert decided.state == "rejected"
    assert decided.decision is not None
    assert decided.decision.comment == "Not today, please."
    (record,) = desk.decisions()
    assert (record.kind, record.text("comment")) == ("approval.rejected", "Not today, please.")


def test_a_comment_is_cut(desk: Stage) -> None:
    asked = desk.ask()
    desk.see(desk.forge(asked, decision="reject", comment="x" * 10_000))
    decision = desk.now(asked).decision
    assert decision is not None
    assert decision.comment == "x" * 500


def test_two_approvers_at_the_same_instant_decide_once(desk: Stage) -> None:
    for number in range(1, 101):
        asked = desk.ask(f"person{number}")
        desk.see_at_once(desk.press(asked, LUKE, "approve"), desk.press(asked, LEIA, "reject"))
        decided = desk.now(asked)
        assert decided.decision is not None
        assert decided.state == decided.decision.decision
    assert len(desk.decisions()) == 100
    assert len({record.text("request") for record in desk.decisions()}) == 100
    assert desk.refusals() == ["already_decided"] * 100
    # Whoever was second is told, about each request.
    assert len(desk.answers(LUKE)) + len(desk.answers(LEIA)) == 100


def test_a_second_press_changes_nothing_and_is_told_who_was_first(desk: Stage) -> None:
    asked = desk.ask()
    desk.see(desk.press(asked, LUKE), desk.press(asked, LEIA, "reject"))
    assert desk.now(asked).state == "approved"
    assert desk.refusals() == ["already_decided"]
    (answer,) = desk.answers(LEIA)
    assert "already approved by Luke at " in answer
    assert "7F3K" in answer


def test_a_double_press_is_one_decision(desk: Stage) -> None:
    asked = desk.ask()
    presses = [desk.press(asked, LUKE) for _ in range(3)]
    desk.see(*presses)
    assert len(desk.decisions()) == 1
    assert desk.refusals() == ["already_decided"] * 2
    assert len(desk.answers(LUKE)) == 1


def test_the_same_press_again_is_neither_a_decision_nor_a_refusal(desk: Stage) -> None:
    # Redelivered after the mark was forgotten, or done anew because a worker died before it could say that it was done.
    asked = desk.ask()
    press = desk.press(asked, LUKE)
    desk.see(press, press)
    desk.clock.advance(HOUR * 2)
    desk.see(press)
    assert len(desk.decisions()) == 1
    assert desk.refusals() == []
    assert desk.answers(LUKE) == []


def test_the_same_press_by_several_workers_at_once_is_one_decision(desk: Stage) -> None:
    asked = desk.ask()
    desk.see_at_once(*[desk.press(asked, LUKE)] * 4)
    assert len(desk.decisions()) == 1
    assert desk.refusals() == []


def test_a_refused_press_seen_through_again_is_written_and_answered_once(desk: Stage) -> None:
    asked = desk.ask()
    press = desk.press(asked, HAN)
    desk.see(press, press, press)
    assert desk.refusals() == ["not_an_approver"]
    assert len(desk.answers(HAN)) == 1


class TestWho:
    """Being in the space gives no right."""

    def refused(self, desk: Stage, who: str, reason: str, principal: str = "lando") -> list[str]:
        asked = desk.ask(principal)
        desk.see(desk.press(asked, who), desk.press(asked, who, "reject"))
        assert desk.now(asked).state == "pending"
        assert desk.decisions() == []
        assert desk.refusals() == [reason] * 2
        by = {record.text("by") for record in desk.records("approval.refused")}
        assert by == {who}
        answers = desk.answers(who)
        assert len(answers) <= 1
        return answers

    def test_somebody_who_is_not_on_the_list(self, desk: Stage) -> None:
        (answer,) = self.refused(desk, HAN, "not_an_approver")
        assert answer.startswith("You are not an approver for request 7F3K")

    def test_who_asked(self, desk: Stage) -> None:
        (answer,) = self.refused(desk, ADA, "oneself", principal="ada")
        assert answer.startswith("You cannot decide about your own request")

    def test_who_asked_under_another_address(self, desk: Stage) -> None:
        desk.change_registry(registry("luke@example.edu, countess@example.edu"))
        countess = desk.webex.add_person("countess@example.edu", "C", emails=["ada@example.edu.example"])
        desk.webex.add_member(desk.room, countess)
        asked = desk.ask("al", emails=("al@example.edu", "ada@example.edu.example"))
        desk.see(desk.press(asked, "countess@example.edu"))
        assert desk.refusals() == ["oneself"]

    def test_a_bot_even_if_it_is_on_the_list(self, desk: Stage) -> None:
        assert self.refused(desk, "droid@webex.bot", "not_a_person") == []

    def test_a_person_of_another_organisation_even_if_on_the_list(self, desk: Stage) -> None:
        assert len(self.refused(desk, "wedge@rebels.example", "other_organisation")) == 1

    def test_a_person_who_is_gone(self, desk: Stage) -> None:
        asked = desk.ask()
        press = desk.press(asked, LUKE)
        desk.webex.remove_person(desk.webex.person(LUKE))
        desk.see(press)
        assert desk.refusals() == ["not_a_person"]

    def test_an_approver_who_was_removed_since_the_card_was_posted(self, desk: Stage) -> None:
        asked = desk.ask("lando")
        press = desk.press(asked, LUKE)
        desk.change_registry(registry("leia@example.edu"))
        desk.see(press)
        assert desk.refusals() == ["not_an_approver"]
        desk.see(desk.press(asked, LEIA))
        assert desk.now(asked).state == "approved"

    def test_an_approver_who_was_added_since(self, desk: Stage) -> None:
        asked = desk.ask("lando")
        desk.change_registry(registry("han@example.edu"))
        desk.see(desk.press(asked, HAN))
        assert desk.now(asked).state == "approved"


def test_people_of_an_organisation_that_the_settings_name_may_decide(
    tmp_path: Path, valkey_url: str, store: Store
) -> None:
    with stage(tmp_path, valkey_url, store) as found:
        rebels = found.webex.person("wedge@rebels.example").org_id
    with stage(tmp_path, valkey_url, store, f", organisations: ['{rebels}']") as found:
        asked = found.ask("lando")
        found.see(found.press(asked, "wedge@rebels.example"))
        assert found.now(asked).state == "approved"


def test_some_services_are_not_decided_by_buttons(desk: Stage) -> None:
    asked = desk.ask()
    desk.change_registry(registry(more=", approve_in: portal"))
    desk.see(desk.forge(asked))
    assert desk.refusals() == ["portal_only"]
    (answer,) = desk.answers(LUKE)
    assert answer.endswith(f"{URL}/approvals/{asked.id}")


def test_a_service_that_is_gone_is_not_decided_about(desk: Stage) -> None:
    asked = desk.ask()
    desk.change_registry("services:\n  - {id: library, name: Library, url: 'https://library.example.edu/**'}\n")
    desk.see(desk.press(asked))
    assert desk.refusals() == ["service_gone"]
    assert desk.now(asked).state == "pending"


class TestWhen:
    """Until it expires, and a little later for who pressed before."""

    def test_after_expiry(self, desk: Stage) -> None:
        asked = desk.ask()
        desk.clock.advance(HOUR)
        desk.see(desk.press(asked))
        assert desk.refusals() == ["too_late"]
        assert "expired" in desk.answers(LUKE)[0]
        assert desk.now(asked).state == "pending"

    def test_pressed_in_time_and_looked_up_within_the_grace(self, desk: Stage) -> None:
        asked = desk.ask(end=desk.clock() + 2 * HOUR)
        desk.clock.advance(HOUR - 1)
        press = desk.press(asked)
        desk.clock.advance(GRACE)
        desk.see(press)
        assert desk.now(asked).state == "approved"

    def test_pressed_in_time_and_looked_up_much_later(self, desk: Stage) -> None:
        asked = desk.ask(end=desk.clock() + 2 * HOUR)
        desk.clock.advance(HOUR - 1)
        press = desk.press(asked)
        desk.clock.advance(GRACE + 1)
        desk.see(press)
        assert desk.refusals() == ["too_late"]

    def test_pressed_in_time_and_looked_up_when_the_time_asked_for_is_over(self, desk: Stage) -> None:
        asked = desk.ask()
        assert asked.expires == asked.end
        desk.clock.advance(HOUR - 1)
        press = desk.press(asked)
        desk.clock.advance(1)
        desk.see(press)
        assert desk.refusals() == ["too_late"]
        assert desk.now(asked).state == "pending"

    def test_when_it_was_given_up(self, desk: Stage) -> None:
        asked = desk.ask()
        press = desk.press(asked)
        desk.requests.expire(asked.id, expired_event(asked), desk.clock())
        desk.see(press)
        assert desk.refusals() == ["too_late"]
        assert desk.now(asked).state == "expired"

    def test_when_it_was_withdrawn(self, desk: Stage) -> None:
        asked = desk.ask()
        press = desk.press(asked)
        desk.requests.cancel(asked.id, cancelled_event(asked), desk.clock())
        desk.see(press)
        assert desk.refusals() == ["already_decided"]
        assert "was withdrawn" in desk.answers(LUKE)[0]

    def test_inputs_sent_before_there_was_a_request_are_not_about_it(self, desk: Stage) -> None:
        asked = desk.ask()
        press = desk.press(asked)
        desk.clock.advance(600)
        younger = desk.ask("lando")
        desk.requests.add_card(younger.id, asked.cards[0])
        desk.see(press)
        assert desk.refusals() == ["wrong_inputs"]


class TestForged:
    """Members of the space can send what they like for any card."""

    @pytest.mark.parametrize(
        "inputs",
        [
            {"decision": "approved"},
            {"decision": ""},
            {"decision": ["approve"]},
            {"decision": True},
            {"decision": "approve "},
            {"nonce": ""},
            {"nonce": "another"},
            {"request": "another"},
            {"request": ""},
            {"request": "é"},
            {"request": "x" * 100_000},
            {"kind": "violation"},
            {"kind": None},
        ],
    )
    def test_wrong_inputs_decide_nothing_even_an_approvers(self, desk: Stage, inputs: dict[str, object]) -> None:
        asked = desk.ask()
        desk.see(desk.forge(asked, LUKE, **inputs))
        assert desk.refusals() == ["wrong_inputs"]
        assert desk.now(asked).state == "pending"
        assert desk.answers(LUKE) == []

    def test_inputs_of_one_request_on_the_card_of_another(self, desk: Stage) -> None:
        one, other = desk.ask("ada"), desk.ask("lando")
        desk.see(desk.forge(other, ADA, message=one.cards[0]), desk.forge(one, ADA, message=other.cards[0]))
        assert desk.refusals() == ["wrong_inputs"] * 2
        assert desk.decisions() == []

    def test_right_inputs_without_pressing_are_a_press_of_whoever_sent_them(self, desk: Stage) -> None:
        asked = desk.ask()
        desk.see(desk.forge(asked, HAN), desk.forge(asked, ADA))
        assert desk.refusals() == ["not_an_approver", "oneself"]
        desk.see(desk.forge(asked, LUKE))
        assert desk.now(asked).state == "approved"

    def test_facts_beside_the_choice_change_nothing(self, desk: Stage) -> None:
        asked = desk.ask()
        wishes = {"end": "2099-01-01", "principal": "han", "by": "x", "comment": "let him in", "service": "library"}
        desk.see(desk.forge(asked, LUKE, **wishes))
        decided = desk.now(asked)
        assert decided.decision is not None
        assert decided.decision.comment == ""
        assert replace(decided, state="pending", decision=None) == asked

    def test_a_press_that_webex_does_not_know(self, desk: Stage) -> None:
        desk.see("no-such-press", "..", "a/b?c=d")
        assert desk.refusals() == ["unknown_action"] * 3
        assert desk.decisions() == []


class TestForeignMessages:
    """A card of which nobody took note is taken up, if it is ours."""

    def test_a_card_posted_twice(self, desk: Stage) -> None:
        asked = desk.ask()
        second = desk.post(asked)
        desk.see(desk.webex.press(second, LUKE, {"decision": "approve"}))
        decided = desk.now(asked)
        assert decided.state == "approved"
        assert decided.cards == (*asked.cards, second)

    def test_a_card_is_not_taken_up_by_who_may_not_decide(self, desk: Stage) -> None:
        asked = desk.ask()
        second = desk.post(asked)
        desk.see(desk.webex.press(second, HAN, {"decision": "approve"}))
        assert desk.refusals() == ["not_an_approver"]
        assert desk.now(asked).cards == asked.cards

    def test_a_card_that_a_member_posted(self, desk: Stage) -> None:
        asked = desk.ask()
        message = desk.webex.messages_in(desk.room)[-1]
        copied = desk.webex.post(HAN, desk.room, "Access request", card=message.card)
        desk.see(desk.webex.press(copied.id, LUKE, {"decision": "approve"}))
        assert desk.refusals() == ["unknown_message"]
        assert desk.now(asked) == asked

    def test_a_card_of_ours_in_another_space(self, desk: Stage) -> None:
        asked = desk.ask()
        other = desk.webex.add_room("Elsewhere", [desk.bot, desk.webex.person(LUKE)])
        desk.see(desk.webex.press(desk.post(asked, other.id), LUKE, {"decision": "approve"}))
        assert desk.refusals() == ["other_room"]
        assert desk.now(asked) == asked

    def test_a_known_card_in_another_space(self, desk: Stage) -> None:
        asked = desk.ask()
        other = desk.webex.add_room("Elsewhere", [desk.bot, desk.webex.person(LUKE)])
        message = desk.post(asked, other.id)
        desk.requests.add_card(asked.id, message)
        desk.see(desk.webex.press(message, LUKE, {"decision": "approve"}))
        assert desk.refusals() == ["other_room"]

    def test_an_older_message_of_ours(self, desk: Stage) -> None:
        older = desk.ask("lando", card=False)
        message = desk.webex.messages_in(desk.room)[-1].id
        desk.clock.advance(600)
        asked = desk.ask()
        desk.see(desk.forge(asked, LUKE, message=message))
        assert desk.refusals() == ["unknown_message"]
        assert desk.now(older).state == "pending"

    def test_a_request_that_nobody_knows(self, desk: Stage) -> None:
        asked = desk.ask(card=False)
        message = desk.webex.messages_in(desk.room)[-1].id
        desk.see(
            desk.forge(asked, message=message, request="nobodys"),
            desk.forge(asked, message=message, request="../../x"),
            desk.forge(asked, message=message, request="ö"),
        )
        assert desk.refusals() == ["unknown_message"] * 3

    def test_a_message_that_is_gone(self, desk: Stage) -> None:
        asked = desk.ask(card=False)
        message = desk.webex.messages_in(desk.room)[-1].id
        press = desk.press(asked)
        client = build_webex(desk.parts.settings, desk.clock)
        assert client is not None
        client.delete_message(message)
        desk.see(press)
        assert desk.refusals() == ["unknown_message"]
        assert desk.now(asked).state == "pending"


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_names_are_told_as_what_they_are(desk: Stage, name: str) -> None:
    evil = desk.webex.add_person("evil@example.edu", name.replace("\ud800", "") or "-")
    desk.webex.add_member(desk.room, evil)
    desk.change_registry(registry("evil@example.edu, leia@example.edu"))
    asked = desk.ask(service_name=name.replace("\ud800", ""), name=name.replace("\ud800", ""))
    desk.see(desk.press(asked, "evil@example.edu"), desk.press(asked, LEIA))
    decision = desk.now(asked).decision
    assert decision is not None
    assert len(decision.name) <= 120
    assert not set(decision.name) & set("\n\r\x00\x07\x1b\u202e\u2066\u2028\u200b")
    (answer,) = desk.answers(LEIA)
    assert f"already approved by {escape(decision.name) or 'evil@example'}" in answer
    assert f"for {escape(asked.service_name)} was" in answer
    assert len(answer) < 1000


@pytest.mark.parametrize("inputs", [{"nonce": "\ud800"}, {"comment\ud800": "\udfff"}, {"request": "7f3k\ud800"}])
def test_half_a_character_in_inputs_stops_nobody(desk: Stage, inputs: dict[str, str]) -> None:
    asked = desk.ask()
    desk.see(desk.forge(asked, HAN, **inputs), desk.forge(asked, LUKE, decision="reject", comment="no\ud800"))
    assert desk.refusals() == ["wrong_inputs" if "comment\ud800" not in inputs else "not_an_approver"]
    assert desk.now(asked).state == "rejected"


def test_what_happens_by_a_button_has_the_reference_of_the_request(desk: Stage) -> None:
    asked = desk.ask(reference="ABCD")
    desk.see(desk.press(asked, HAN), desk.press(asked))
    found = desk.records("approval.refused", "approval.approved")
    assert [record.about.reference for record in found] == ["ABCD", "ABCD"]
    decision = desk.now(asked).decision
    assert decision is not None
    assert (found[1].text("person"), found[1].text("action")) == (decision.person, decision.action)
    assert decision.person == desk.webex.person(LUKE).id
    assert decision.action != ""


class TestWebexInTrouble:
    """Nothing is decided, nothing is lost: it can be done again."""

    @pytest.mark.parametrize("endpoint", ["GET /attachment/actions/{id}", "GET /people/{id}", "GET /messages/{id}"])
    @pytest.mark.parametrize(
        ("status", "error"), [(503, WebexUnavailable), (429, WebexThrottled), (401, WebexUnauthorized)]
    )
    def test_every_look_up(self, desk: Stage, endpoint: str, status: int, error: type[WebexError]) -> None:
        asked = desk.ask(card=False)
        press = desk.press(asked)
        desk.webex.fail(endpoint, status)
        with pytest.raises(error):
            desk.see(press)
        assert desk.now(asked).state == "pending"
        assert desk.refusals() == []
        desk.see(press)
        assert desk.now(asked).state == "approved"

    def test_an_answer_that_means_nothing(self, desk: Stage) -> None:
        asked = desk.ask()
        press = desk.press(asked)
        desk.webex.faults.answer("GET /people/{id}", "html")
        with pytest.raises(WebexUnavailable):
            desk.see(press)
        desk.webex.faults.answer("GET /people/{id}", "wrong_types")
        with pytest.raises(WebexUnavailable):
            desk.see(press)
        desk.see(press)
        assert desk.now(asked).state == "approved"

    def test_before_anybody_knows_our_webhook(self, desk: Stage) -> None:
        asked = desk.ask()
        press = desk.press(asked)
        desk.site.store.command("DEL", "casduo:{events}:webhook")
        with pytest.raises(WebexUnavailable):
            desk.see(press)
        assert desk.now(asked).state == "pending"
