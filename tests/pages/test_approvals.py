"""The pages about requests for access: what each says, whom it offers which way on, and that texts stay texts."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import html5lib
import pytest

from casduo.approvals.asking import PROBLEMS
from casduo.approvals.wording import LONGEST_COMMENT, LONGEST_REASON
from casduo.messages import ENGLISH
from tests.pages.approval_states import (
    NOW,
    PAGES,
    approval_form,
    approval_not_now,
    approval_page,
    approval_review,
    at,
    data,
    decision,
    problem,
    request_for,
    request_page,
)
from tests.pages.rendering import render
from tests.pages.states import DATABASE, FLOW, remote_access, signed_in

HOSTILE = "<script>alert(1)</script> \"quoted\" 'too' & \u202eturned\u2066 \x00 {{ 7 * 7 }} " + "x" * 10_000


def tree_of(html: str) -> Any:
    parser = html5lib.HTMLParser(strict=True, tree=html5lib.getTreeBuilder("etree"), namespaceHTMLElements=False)
    return parser.parse(html)


def words(view: str, page: dict[str, Any]) -> str:
    return " ".join(" ".join(tree_of(render(view, page)).find("body").itertext()).split())


def test_the_form_says_its_limits_and_the_zone_before_anything_is_typed() -> None:
    html = render("approval_form.html", approval_form(DATABASE, FLOW))
    shown = html.partition("<input id=")[0]
    for sentence in (
        "Access lasts 2 hours at most.",
        "It has to begin within 30 days.",
        "Your request waits 1 hour for a decision, then it expires.",
        "All fields are required.",
        "Times are those of the time zone Europe/Berlin.",
        "For example 2026-03-04 and 14:30.",
    ):
        assert sentence in shown


def test_the_form_has_a_date_and_a_time_for_both_ends_and_a_reason() -> None:
    tree = tree_of(render("approval_form.html", approval_form(DATABASE, FLOW)))
    fields = {field.attrib["id"]: field.attrib for field in tree.iter("input") if "id" in field.attrib}
    assert [(name, field["type"]) for name, field in fields.items()] == [
        ("start_date", "date"),
        ("start_time", "time"),
        ("end_date", "date"),
        ("end_time", "time"),
    ]
    assert (fields["start_date"]["min"], fields["start_date"]["max"]) == ("2026-03-04", "2026-04-03")
    assert all("required" in field and field["name"] == name for name, field in fields.items())
    assert tree.find(".//textarea").attrib["maxlength"] == str(LONGEST_REASON)
    legends = [legend.text for legend in tree.iter("legend")]
    assert legends == ["Access begins", "Access ends"]


@pytest.mark.parametrize("name", PROBLEMS)
def test_what_is_wrong_is_told_at_the_top_and_at_the_field_and_what_was_typed_stays(name: str) -> None:
    assert name in ENGLISH.messages
    wrong = problem(name.rpartition(".")[2])
    values = dict(start_date="4.3.", start_time="2 pm", end_date="", end_time="11:22", reason="<The> disk")
    tree = tree_of(render("approval_form.html", approval_form(DATABASE, FLOW, problems=[wrong], values=values)))
    assert tree.findtext(".//title").startswith("Error: ")
    alert = tree.find(".//main")[0]
    assert (alert.attrib["role"], alert.attrib["tabindex"], "autofocus" in alert.attrib) == ("alert", "-1", True)
    (link,) = alert.iter("a")
    fields = [field for field in tree.iter() if field.attrib.get("aria-invalid") == "true"]
    assert link.attrib["href"] == f"#{fields[0].attrib['id']}"
    for field in fields:
        assert field.attrib["id"].partition("_")[0] == wrong["field"]
        described = field.attrib["aria-describedby"].split()[0]
        assert tree.find(f".//p[@id='{described}']").text == ENGLISH.text(wrong["message"], **wrong["facts"])
    kept = {field.attrib["id"]: field.attrib["value"] for field in tree.iter("input") if "id" in field.attrib}
    assert {**kept, "reason": tree.find(".//textarea").text.removeprefix("\n")} == values


def test_the_review_sends_or_changes() -> None:
    tree = tree_of(render("approval_review.html", approval_review(DATABASE, FLOW)))
    assert [(button.attrib["name"], button.text.strip()) for button in tree.iter("button")] == [
        ("send", "Send the request"),
        ("change", "Change it"),
    ]
    assert "4 March 2026, 14:00 UTC+01:00" in words("approval_review.html", approval_review(DATABASE, FLOW))


def test_why_there_can_be_no_request_comes_with_what_to_do() -> None:
    waiting = words("approval_not_now.html", approval_not_now(DATABASE, "open_requests"))
    assert "Withdraw one that you no longer need" in waiting
    until = approval_not_now(DATABASE, "refusals", until="2026-03-05T10:22:00+01:00")
    assert "You can ask again from 5 March 2026, 10:22 UTC+01:00 on." in words("approval_not_now.html", until)


def test_refresh_is_for_those_without_scripts_and_only_while_something_may_change() -> None:
    html = render("request.html", request_page(request_for()))
    assert html.count("http-equiv") == 1
    assert re.search(r'<noscript><meta http-equiv="refresh" content="10; url=/cas/requests/\w+"></noscript>', html)
    for page in (
        request_page(request_for(), still=True),
        request_page(request_for("rejected")),
        request_page(request_for("approved"), at("wed 14:10")),
    ):
        assert "http-equiv" not in render("request.html", page)


@pytest.mark.parametrize(
    ("page", "heading"),
    [
        (request_page(request_for()), "Waiting for a decision"),
        (request_page(request_for("approved")), "Opens on 4 March 2026, 14:00 UTC+01:00"),
        (request_page(request_for("approved"), at("wed 14:10")), "Approved"),
        (request_page(request_for("approved"), at("wed 16:00")), "Access is over"),
        (request_page(request_for("rejected")), "Not approved"),
        (request_page(request_for(), at("wed 12:00")), "Expired"),
        (request_page(request_for("cancelled")), "Withdrawn"),
    ],
)
def test_the_heading_says_how_a_request_stands(page: dict[str, Any], heading: str) -> None:
    tree = tree_of(render("request.html", page))
    assert tree.findtext(".//h1") == heading
    region = tree.find(".//*[@id='news']")
    assert (region.attrib["role"], region.attrib["aria-live"], region.text) == ("status", "polite", None)


def test_a_page_that_can_be_left_says_so() -> None:
    sentence = "You can close this page. It is listed under My requests."
    assert sentence in words("request.html", request_page(request_for()))
    assert sentence in words("request.html", request_page(request_for("approved")))
    assert sentence not in words("request.html", request_page(request_for("rejected")))


def test_the_comment_of_who_decided_is_shown_to_who_asked() -> None:
    asked = request_for("rejected", decision=decision("rejected", comment="Not during the exams."))
    shown = words("request.html", request_page(asked))
    assert "Grace Hopper did not approve it. Comment Not during the exams." in shown


def test_each_risk_is_told_to_who_decides_and_none_is_told_too() -> None:
    early = request_for(start=at("sat 06:00"), end=at("sat 07:00"))
    shown = words("approval.html", approval_page(early))
    assert "The time lies outside 07:00 to 19:00, at least in part. The time includes a Saturday" in shown
    before = request_for("approved", id="before0000000000", created=at("mon 09:00"))
    plain = words("approval.html", approval_page(request_for(), earlier=(before,)))
    assert "Nothing about the time or about earlier requests is out of the ordinary." in plain


def test_both_buttons_say_what_they_do_and_the_comment_has_its_limit() -> None:
    tree = tree_of(render("approval.html", approval_page(request_for())))
    assert [(button.attrib["value"], button.text) for button in tree.iter("button")] == [
        ("approved", "Approve"),
        ("rejected", "Reject"),
    ]
    assert tree.find(".//textarea").attrib["maxlength"] == str(LONGEST_COMMENT)


def test_tables_keep_their_roles_when_they_become_cards() -> None:
    html = render("approvals.html", data(PAGES.approvals((request_for(),), (), frozenset(), NOW)))
    tree = tree_of(html)
    roles = {"table": "table", "tr": "row", "td": "cell", "thead": "rowgroup", "tbody": "rowgroup"}
    for tag, role in roles.items():
        assert {element.attrib.get("role") for element in tree.iter(tag)} == {role}
    assert {element.attrib["role"] for element in tree.iter("th")} == {"columnheader", "rowheader"}
    labels = [element for element in tree.iter("span") if element.attrib.get("class") == "label"]
    assert [label.text for label in labels] == ["From", "Until", "Decide by"]
    assert {label.attrib["aria-hidden"] for label in labels} == {"true"}


def test_machines_are_listed_with_their_state_in_words_and_the_way_there() -> None:
    tree = tree_of(render("signed_in.html", signed_in(**remote_access())))
    rows = [" ".join("".join(row.itertext()).split()) for row in tree.findall(".//ul[@class='targets']/li")]
    assert rows[0] == (
        "OracleLinux_SystemB open.example.edu · 172.16.200.53 · root "
        "Open until 4 March 2026, 15:30 UTC+01:00 See the request for OracleLinux_SystemB"
    )
    assert rows[3].endswith("Somebody has to approve it first")
    links = {"".join(link.itertext()): link.attrib["href"] for link in tree.iter("a")}
    assert links["My requests"] == "/cas/requests"
    assert links["Access requests"] == "/cas/approvals"


def test_without_machines_there_is_nothing_of_them() -> None:
    html = render("signed_in.html", signed_in())
    assert "Remote access" not in html
    assert "/cas/requests" not in html


def hostile() -> list[tuple[str, dict[str, Any]]]:
    """Return every page that shows something from outside, with the worst of it."""
    service = replace(DATABASE, name=HOSTILE, host=HOSTILE, description=HOSTILE)
    machine = {"host": HOSTILE, "ip": HOSTILE, "account": HOSTILE}
    values = {name: HOSTILE for name in ("start_date", "start_time", "end_date", "end_time", "reason")}
    verdict = decision("rejected", name=HOSTILE, comment=HOSTILE)
    asked = request_for(name=HOSTILE, principal=HOSTILE, emails=(HOSTILE,), service_name=HOSTILE, reason=HOSTILE)
    asked = replace(asked, target=type(asked.target)(HOSTILE, HOSTILE, HOSTILE), address=HOSTILE)
    decided = replace(asked, state="rejected", decision=verdict)
    listed = [{"name": HOSTILE, "url": "https://gateway.example.edu/?\"'<>", "state": "open", **machine}]
    access = {"targets": [one | {"at": None, "state": "none", "request_url": "/cas/\"'<>"} for one in listed]}
    return [
        ("approval_form.html", approval_form(service, FLOW, target=machine, values=values, zone=HOSTILE, refused=2)),
        ("approval_review.html", approval_review(service, FLOW, target=machine, reason=HOSTILE, zone=HOSTILE)),
        ("approval_not_now.html", approval_not_now(service, "refusals", target=machine)),
        ("request.html", request_page(asked)),
        ("request.html", request_page(decided)),
        ("requests.html", data(PAGES.requests((asked, decided), NOW))),
        ("approval.html", approval_page(asked, earlier=(replace(decided, id="other"),))),
        ("approval.html", approval_page(asked, problem="approval.error.comment", comment=HOSTILE)),
        ("approval.html", approval_page(decided, late=True)),
        ("approvals.html", data(PAGES.approvals((asked,), (decided,), frozenset(), NOW))),
        ("signed_in.html", signed_in(**access)),
    ]


@pytest.mark.parametrize(("view", "page"), hostile())
def test_hostile_texts_stay_texts(view: str, page: dict[str, Any]) -> None:
    html = render(view, page)
    # What was typed comes back as it was, in the field where it was typed.
    shown = re.sub(r"(?s)(<textarea[^>]*>).*?</textarea>", r"\1</textarea>", html)
    assert "<script>alert" not in html
    assert "49" not in re.findall(r">([^<]*)<", html)
    assert "x" * 1000 not in shown
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00]", shown)
    assert [script for script in tree_of(shown).iter("script") if "src" not in script.attrib] == []
