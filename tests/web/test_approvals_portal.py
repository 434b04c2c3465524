"""The pages of those who decide about requests: whom they let in, what they show to whom, and decisions taken there."""

from __future__ import annotations

import pytest
from webtest.response import TestResponse

from casduo.approvals.events import ApprovalDecided
from casduo.simulators.duo import DuoSimulator
from tests.support.naming import names
from tests.support.site import Browser, Build, Site, has_ticket, heading, words
from tests.web.asking import REGISTRY, ask, decide, signed_in, state


@pytest.fixture
def site(build: Build) -> Site:
    """A server with a machine about which Grace and Alan decide, and no Duo."""
    return build(registry=REGISTRY)


def press(page: TestResponse, verdict: str, comment: str = "") -> TestResponse:
    """Press a button of the page on which a request is decided."""
    form = page.forms[0]
    form["comment"] = comment
    return form.submit("decision", value=verdict, status="*")


# -- who gets in -------------------------------------------------------------------------------------------------------


def test_the_pages_want_somebody_who_is_signed_in(site: Site) -> None:
    asked, browser = ask(site), site.browser()
    for path in ("/approvals", f"/approvals/{asked.id}"):
        answer = browser.get(path)
        assert answer.headers["Location"].startswith("/cas/login?service=https%3A%2F%2Fsso.example.edu%2Fcas%2Fapprov")
    back = browser.fill(browser.follow(answer), "grace")
    assert has_ticket(back)
    assert (
        heading(browser.follow(browser.get(back.headers["Location"]))) == "Ada L asks for access to OracleLinux_SystemB"
    )


def test_rules_of_access_of_the_settings_hold(build: Build) -> None:
    site = build(registry=REGISTRY, settings="approvals: {access: {groups: [staff], reason: Staff only.}}\n")
    asked = ask(site)
    assert signed_in(site, "grace").get(f"/approvals/{asked.id}").status_int == 200
    alan = signed_in(site, "alan")
    refused = alan.follow(alan.get(f"/approvals/{asked.id}"))
    assert refused.status_int == 403
    assert "Staff only." in words(refused)
    assert not names(refused.text, "Ada")


def test_a_session_that_is_not_fresh_enough_for_the_operator_s_own_entry_is_asked_for_again(build: Build) -> None:
    own = "  - {id: approvals, name: Ours, url: 'https://sso.example.edu/cas/approvals/**', session: {lifetime: 5m}}\n"
    site = build(registry=REGISTRY + own)
    asked, grace = ask(site), signed_in(site, "grace")
    assert grace.get(f"/approvals/{asked.id}").status_int == 200
    site.clock.advance(301)
    assert grace.get(f"/approvals/{asked.id}").status_int == 302


# -- what is shown to whom ---------------------------------------------------------------------------------------------


def test_who_decides_sees_all_facts_and_what_to_look_at_twice(site: Site) -> None:
    asked = ask(site)
    page = words(signed_in(site, "grace").get(f"/approvals/{asked.id}"))
    for fact in (
        "Ada L",
        "ada@example.edu",
        "OracleLinux_SystemB",
        "172.16.200.53",
        "root",
        "The disk is full.",
        "1 hour",
    ):
        assert fact in page
    assert "Ada L was not given access to OracleLinux_SystemB before" in page


def test_earlier_refusals_are_shown(site: Site) -> None:
    decide(site, ask(site), "rejected")
    asked = ask(site)
    page = words(signed_in(site, "grace").get(f"/approvals/{asked.id}"))
    assert "1 earlier request of the same person for OracleLinux_SystemB was rejected." in page
    assert "Rejected by Alan L" in page


@pytest.mark.parametrize("who", ["linus", "ada"])
def test_who_does_not_decide_about_a_service_learns_nothing_of_its_requests(site: Site, who: str) -> None:
    asked, browser = ask(site), signed_in(site, who)
    answer = browser.get(f"/approvals/{asked.id}")
    assert answer.status_int == 404
    assert answer.text.count("Oracle") == 0
    listed = browser.get("/approvals")
    assert "Nothing waits for you." in words(listed)
    assert asked.id not in listed.text


def test_what_does_not_exist_looks_as_what_is_not_one_s_own(site: Site) -> None:
    asked, browser = ask(site), signed_in(site, "linus")
    pages = [browser.get(f"/approvals/{name}") for name in (asked.id, "k3Jq9sLxA0vB7dQe")]
    assert [page.status_int for page in pages] == [404, 404]
    assert len({words(page).partition("Reference")[0] for page in pages}) == 1


def test_who_decides_is_read_from_the_registry_each_time(site: Site) -> None:
    asked, grace = ask(site), signed_in(site, "grace")
    page = grace.get(f"/approvals/{asked.id}")
    registry = site.settings_file.parent / "registry.yaml"
    registry.write_text(registry.read_text().replace("Grace@example.edu, ", ""))
    assert site.composed.parts.services.poll() or site.composed.parts.services.poll()
    assert grace.get(f"/approvals/{asked.id}").status_int == 404
    assert press(page, "approved").status_int == 404
    assert state(site, asked) == "pending"
    assert [event.reason for event in site.journal.named("approval.refused")] == ["not_an_approver"]


def test_the_list_has_what_waits_and_what_was_decided(site: Site) -> None:
    decided = ask(site, "linus")
    decide(site, decided, "rejected")
    waiting, own = ask(site, lasts=1800), ask(site, "grace")
    page = signed_in(site, "grace").get("/approvals")
    tables = page.html.find_all("table")
    assert [[link["href"].rpartition("/")[2] for link in table.find_all("a")] for table in tables] == [
        [waiting.id, own.id],
        [decided.id],
    ]
    assert "Your own request: somebody else has to decide it" in words(page)
    assert "Rejected by Alan L" in words(page)


def test_what_expired_a_moment_ago_waits_no_longer(site: Site) -> None:
    ask(site)
    grace = signed_in(site, "grace")
    site.clock.advance(3600)
    page = grace.get("/approvals")
    assert "Nothing waits for you." in words(page)
    assert "Expired" in words(page)


# -- deciding ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", ["approved", "rejected"])
def test_a_decision_is_taken_once_and_told_by_a_page_of_its_own(site: Site, verdict: str) -> None:
    asked, grace = ask(site), signed_in(site, "grace")
    answer = press(grace.get(f"/approvals/{asked.id}"), verdict, "Only until\r\nthe backup begins.")
    assert (answer.status_int, answer.headers["Location"]) == (303, f"/cas/approvals/{asked.id}")
    assert f"You {verdict} this request on" in words(grace.follow(answer))
    kept = site.composed.parts.approvals.get(asked.id)
    assert kept is not None
    assert kept.state == verdict
    assert kept.decision is not None
    decision = kept.decision
    assert (decision.by, decision.name, decision.person) == ("grace@example.edu", "Grace L", "grace")
    assert (decision.via, decision.comment, decision.at) == ("portal", "Only until the backup begins.", site.clock.now)
    (event,) = [event for event in site.journal.events if isinstance(event, ApprovalDecided)]
    assert (event.kind, event.request, event.principal) == (f"approval.{verdict}", asked.id, "ada")
    assert "Only until the backup begins." in words(signed_in(site).get(f"/requests/{asked.id}"))


def test_opening_the_page_decides_nothing_whatever_the_address_says(site: Site) -> None:
    asked, grace = ask(site), signed_in(site, "grace")
    token = grace.get(f"/approvals/{asked.id}").forms[0]["csrf"].value
    grace.get(f"/approvals/{asked.id}?decision=approved&csrf={token}")
    assert state(site, asked) == "pending"


def test_who_comes_second_learns_who_was_first(site: Site) -> None:
    asked, grace = ask(site), signed_in(site, "grace")
    page = grace.get(f"/approvals/{asked.id}")
    decide(site, asked, "rejected")
    answer = press(page, "approved")
    assert answer.headers["Location"] == f"/cas/approvals/{asked.id}?late=1"
    told = grace.follow(answer)
    assert told.html.find(id="problem").h2.text == "Your decision came too late"
    assert "Alan L rejected this request on" in words(told)
    assert state(site, asked) == "rejected"
    (event,) = site.journal.named("approval.refused")
    assert (event.reason, event.by, event.via) == ("already_decided", "grace@example.edu", "portal")


def test_pressing_twice_tells_the_winner_no_lie(site: Site) -> None:
    asked, grace = ask(site), signed_in(site, "grace")
    page = grace.get(f"/approvals/{asked.id}")
    press(page, "approved")
    told = grace.follow(press(page, "rejected"))
    assert "You approved this request on" in words(told)
    assert "too late" not in words(told)
    assert len([event for event in site.journal.events if isinstance(event, ApprovalDecided)]) == 1


def test_after_its_time_a_request_is_not_decided(site: Site) -> None:
    asked, grace = ask(site, begins=7200), signed_in(site, "grace")
    page = grace.get(f"/approvals/{asked.id}")
    site.clock.advance(3600)
    told = grace.follow(press(page, "approved"))
    assert "Nobody decided in time." in words(told)
    assert state(site, asked) == "pending"
    assert [event.reason for event in site.journal.named("approval.refused")] == ["too_late"]


def test_one_s_own_request_is_for_somebody_else(site: Site) -> None:
    asked, grace = ask(site, "grace"), signed_in(site, "grace")
    page = grace.get(f"/approvals/{asked.id}")
    assert "This is your own request. Somebody else has to decide it." in words(page)
    assert page.html.find("form", class_=False) is None
    token = grace.get(f"/approvals/{ask(site).id}").forms[0]["csrf"].value
    answer = grace.post(f"/approvals/{asked.id}", {"csrf": token, "decision": "approved"})
    assert answer.headers["Location"] == f"/cas/approvals/{asked.id}"
    assert state(site, asked) == "pending"
    assert [event.reason for event in site.journal.named("approval.refused")] == ["oneself"]


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"csrf": "made-up"}, "The page was open for long, and nothing was decided."),
        ({"decision": "perhaps"}, "Nothing was decided. Press Approve or Reject."),
        ({"decision": ""}, "Nothing was decided. Press Approve or Reject."),
        ({"comment": "long " * 101}, "The comment is too long, and nothing was decided."),
    ],
)
def test_a_form_that_does_not_do_comes_again_with_what_was_typed(
    site: Site, fields: dict[str, str], sentence: str
) -> None:
    asked, grace = ask(site), signed_in(site, "grace")
    token = grace.get(f"/approvals/{asked.id}").forms[0]["csrf"].value
    sent = {"csrf": token, "decision": "approved", "comment": "Only until the backup begins."} | fields
    page = grace.post(f"/approvals/{asked.id}", sent)
    assert page.status_int == 200
    assert sentence in words(page)
    assert page.html.title.text.startswith("Error: ")
    assert page.forms[0]["comment"].value.strip() == sent["comment"].strip()
    assert state(site, asked) == "pending"
    assert grace.follow(press(page, "approved", "Short.")).status_int == 200
    assert state(site, asked) == "approved"


def test_another_site_cannot_post_a_decision(site: Site) -> None:
    asked, grace = ask(site), signed_in(site, "grace")
    token = grace.get(f"/approvals/{asked.id}").forms[0]["csrf"].value
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example.net"}):
        answer = grace.post(f"/approvals/{asked.id}", {"csrf": token, "decision": "approved"}, headers=headers)
        assert answer.status_int == 403
    assert state(site, asked) == "pending"


def test_who_does_not_decide_posts_in_vain_and_it_is_noted(site: Site) -> None:
    asked, linus = ask(site), signed_in(site, "linus")
    assert linus.post(f"/approvals/{asked.id}", {"decision": "approved"}).status_int == 404
    assert linus.post("/approvals/k3Jq9sLxA0vB7dQe", {"decision": "approved"}).status_int == 404
    (event,) = site.journal.named("approval.refused")
    assert (event.reason, event.by, event.request) == ("not_an_approver", "linus@example.edu", asked.id)
    assert state(site, asked) == "pending"


def test_hostile_texts_of_a_request_stay_texts(site: Site) -> None:
    attributes = {"mail": ("ada@example.edu",), "displayName": ("<b>Ada</b> \u202eecnarG\u202c",)}
    asked = ask(site, attributes=attributes)
    for path in ("/approvals", f"/approvals/{asked.id}"):
        page = signed_in(site, "grace").get(path)
        assert "<b>Ada" not in page.text
        assert "\u202e" not in page.text


# -- Duo ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def duo_site(build: Build, duo_settings: str) -> Site:
    """The same with Duo, where Ada decides, for she has a phone."""
    return build(registry=REGISTRY.replace("Grace@", "ada@"), settings=duo_settings)


def confirm(browser: Browser, duo: DuoSimulator, answer: TestResponse) -> TestResponse:
    """Go where the answer leads, pass Duo there, and come back."""
    asked = browser.follow(answer)
    assert asked.headers["Location"].startswith(f"https://{duo.api_host}/")
    back = browser.get(duo.visit_prompt(asked.headers["Location"]))
    return browser.follow(browser.get(browser.follow(back).headers["Location"]))


def test_a_password_alone_does_not_get_to_the_pages(duo_site: Site, duo: DuoSimulator) -> None:
    asked, ada = ask(duo_site, "linus"), signed_in(duo_site)
    answer = ada.get(f"/approvals/{asked.id}")
    assert answer.headers["Location"].startswith("/cas/login?service=")
    page = confirm(ada, duo, answer)
    assert heading(page) == "Linus L asks for access to OracleLinux_SystemB"
    assert "You approved this request on" in words(ada.follow(press(page, "approved")))


def test_a_password_alone_decides_nothing(duo_site: Site) -> None:
    asked, ada = ask(duo_site, "linus"), signed_in(duo_site)
    assert ada.post(f"/approvals/{asked.id}", {"decision": "approved"}).headers["Location"].startswith("/cas/login?")
    assert state(duo_site, asked) == "pending"


def test_duo_of_long_ago_is_asked_for_again(duo_site: Site, duo: DuoSimulator) -> None:
    asked, ada = ask(duo_site, "linus", begins=7200), signed_in(duo_site)
    page = confirm(ada, duo, ada.get(f"/approvals/{asked.id}"))
    duo_site.clock.advance(3599)
    assert ada.get(f"/approvals/{asked.id}").status_int == 200
    duo_site.clock.advance(2)
    for answer in (ada.get("/approvals"), press(page, "approved")):
        assert answer.headers["Location"].startswith("/cas/login?service=")
    assert ada.follow(answer).headers["Location"].startswith(f"https://{duo.api_host}/")
    assert state(duo_site, asked) == "pending"


def test_one_s_own_requests_are_seen_without_duo(duo_site: Site) -> None:
    assert signed_in(duo_site).get(f"/requests/{ask(duo_site).id}").status_int == 200
