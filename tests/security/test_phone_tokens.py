"""Logins on IP phones: who steals the address of one, makes one up, or knows a PIN, gets into nobody's."""

from __future__ import annotations

import pytest

from casduo.signing import Purpose, Signing
from tests.security.handset import (
    ELSEWHERE,
    HERE,
    NOT_OURS,
    STEPS,
    GiveWard,
    Handset,
    pushes,
    tries,
    under_way,
    writes,
)
from tests.support.naming import names
from tests.support.raw import call
from tests.support.site import heading
from tests.support.ward import EXTENSION_MOBILITY, OTHER_PHONE, PHONE, PINS, Ward

# Tokens


def test_a_token_that_was_changed_is_none(ward: Ward) -> None:
    """CWE-347: signatures. Any letter less, more, or other than it was."""
    handset = Handset(ward.site)
    token = handset.submit().token
    heart, _, signature = token.rpartition(".")
    slot, rest = heart[:4], heart[4:]
    flow, version, made = rest.split("-", 2)
    other = {place: "A" if letter != "A" else "B" for place, letter in enumerate(token[:-1])}
    changed = [token[:place] + letter + token[place + 1 :] for place, letter in other.items()]
    changed += [token[:-1], token[1:], f"{token}A", token.upper(), token.lower(), heart, signature, "", "."]
    changed += [f"{slot}{flow}-2-{made}.{signature}", f"{slot}{flow}-{version}-{int(made, 16) + 60:x}.{signature}"]
    changed += [f"r.{slot}.{flow}.{version}", f"{token}.{signature}", f" {token}", f"{token}\n", f"{token}\x00"]
    changed += [Signing([word * 8]).sign(purpose, heart) for word in ("change", "secret") for purpose in Purpose]
    for other in changed:
        for step, fields in STEPS.items():
            if other or step != "logout":
                assert NOT_OURS in handset.get(step, t=other, **fields).text, (step, other)
    assert not ward.site.journal.named("phone.device_refused")
    under_way(ward, handset, token)


def test_a_token_is_no_good_after_its_time(ward: Ward) -> None:
    """CWE-613: a token ends, and with it the login that it names."""
    handset = Handset(ward.site)
    token = handset.submit().token
    ward.pass_time_unseen(181)
    for shown in tries(handset, token):
        assert NOT_OURS in shown.text
    assert writes(ward) == 0
    ward.site.clock.advance(-500)
    assert NOT_OURS in handset.get("wait", t=token).text
    ward.site.clock.advance(500)


def test_an_older_token_does_nothing_twice(ward: Ward) -> None:
    """CWE-294: a page from before shows how the login stands now; what was pressed on it is not pressed again."""
    handset = Handset(ward.site)
    first = handset.submit().token
    way = f"push:{ward.duo.user('ada').devices[0].id}"
    later = handset.get("passcode", t=first, passcode="000000")
    sent = pushes(ward)
    for fields in ({"factor": way}, {"factor": way}):
        assert handset.get("push", t=first, **fields).token
    assert pushes(ward) == sent
    codes = ward.site.journal.named("duo.answered")
    handset.get("passcode", t=first, passcode="000001")
    assert ward.site.journal.named("duo.answered") == codes
    handset.get("cancel", t=first)
    under_way(ward, handset, later.token)


def test_a_token_at_another_phone_ends_its_login_and_is_told_of(ward: Ward) -> None:
    """MFEM 2, 3: a token was good at any phone. Whoever brings it to another one has stolen it."""
    for step, fields in STEPS.items():
        owner = Handset(ward.site)
        token = owner.submit().token
        thief = Handset(ward.site, OTHER_PHONE)
        shown = thief.get(step, t=token, **fields)
        assert "begun on another phone" in shown.text
        assert not shown.token
        assert not shown.cookie
        (told,) = ward.site.journal.named("phone.device_refused")
        assert (told.reason, told.device) == ("wrong_device", OTHER_PHONE)
        ward.site.journal.events.clear()
        # The push was for a login that is no more.
        ward.answer_push("ada")
        assert NOT_OURS in owner.get("wait", t=token).text
        ward.pass_time_unseen(301)
    assert writes(ward) == 0


@pytest.mark.parametrize("device", [PHONE, OTHER_PHONE])
def test_a_stolen_token_does_nothing_at_another_address(ward: Ward, device: str) -> None:
    """CWE-384: an address of a login is in logs of proxies. Whoever read it elsewhere neither goes on nor ends it."""
    owner = Handset(ward.site)
    token = owner.submit().token
    for cookie in ("", owner.cookie, "AAAAAAAAAAAAAAAAAAAAAA"):
        thief = Handset(ward.site, device, ELSEWHERE, cookie=cookie)
        for shown in tries(thief, token):
            assert not shown.token
            assert not names(shown.text, "ada")
            assert NOT_OURS in shown.text
    assert {event.reason for event in ward.site.journal.named("phone.device_refused")} == {"wrong_address"}
    under_way(ward, owner, token)


@pytest.mark.parametrize(
    ("binding", "address", "goes_on"),
    [
        ("exact", "10.0.0.8", False),
        ("exact", "::ffff:10.0.0.7", True),
        ("network", "10.0.0.8", True),
        ("network", "10.0.1.7", False),
        ("network", "::ffff:10.0.0.200", True),
        ("network", "", False),
        ("off", ELSEWHERE, True),
        ("off", "2001:db8::1", True),
    ],
)
def test_a_login_ends_at_an_address_that_the_settings_allow(
    ward_with: GiveWard, binding: str, address: str, goes_on: bool
) -> None:
    """CWE-384: exact, the same network, or anywhere; never another phone."""
    ward = ward_with(settings=f"phones: {{address_binding: '{binding}'}}\n")
    owner = Handset(ward.site)
    token = owner.submit().token
    moved = Handset(ward.site, address=address)
    assert bool(moved.get("wait", t=token).token) is goes_on
    under_way(ward, moved if goes_on else owner, token)
    other = Handset(ward.site, OTHER_PHONE, address)
    ward.ucm.log_out(PHONE)
    ward.pass_time_unseen(301)
    token = owner.submit().token
    assert not other.get("wait", t=token).token


def test_a_cookie_of_another_login_goes_on_with_none(ward: Ward) -> None:
    """CWE-384: where a phone sends a cookie it has to be that of the login; one without any goes on by the address."""
    handset = Handset(ward.site)
    token = handset.submit().token
    other = Handset(ward.site, OTHER_PHONE, "10.0.0.8")
    other.submit("mary")
    assert other.cookie
    assert other.cookie != handset.cookie
    swapped = Handset(ward.site, cookie=other.cookie)
    assert not swapped.get("wait", t=token).token
    second = Handset(ward.site, OTHER_PHONE, "10.0.0.9")
    token = second.submit("alan", "00000").token
    third = Handset(ward.site)
    ward.pass_time_unseen(301)
    token = third.submit().token
    third.cookie = ""
    under_way(ward, Handset(ward.site), token)


def test_a_token_of_somebody_else_at_the_same_phone_is_of_no_use_for_ones_own_login(ward: Ward) -> None:
    """Apereo 2019-11-24: a factor has to belong to its login. The approval of one person logs in nobody else."""
    ada = Handset(ward.site)
    token = ada.submit().token
    mary = Handset(ward.site, address="10.0.0.8")
    other = mary.submit("mary").token
    assert token != other
    assert not Handset(ward.site, address="10.0.0.8").get("wait", t=token).token
    ward.answer_push("ada")
    assert "Approve the request" in mary.get("wait", t=other).text
    assert "logged in as ada" in ada.until(token, "logged in").text


def test_a_token_is_no_key_of_a_browser_and_the_reverse(ward: Ward) -> None:
    """CVE-2024-11209 (Apereo): a key of one flow at the door of another goes on, shows and ends nothing there."""
    handset = Handset(ward.site)
    token = handset.submit().token
    flow, version, _ = token[4:].split("-", 2)
    key = f"r.{token[:4]}.{flow}.{version}"
    marks = [f"em {PHONE} {HERE}", f"em {PHONE} ", "", "x"]
    for execution in (key, token, f"s.{token}"):
        for mark in marks:
            cookies = {"HTTP_COOKIE": f'casduo-flow="{mark}"; casduo-em={handset.cookie}'}
            query = f"execution={execution}&state={execution}&duo_code=x&key={token}"
            for path in (
                "/cas/login/step",
                "/cas/login",
                "/cas/duo/callback",
                "/cas/duo/push/status",
                "/cas/logout/told",
            ):
                answer = call(ward.site, path=path, query=query, **cookies)
                assert not names(answer.body, "ada")
                assert PHONE.encode() not in answer.body
            for path in ("/cas/login", "/cas/logout"):
                answer = call(
                    ward.site, "POST", path, body=query.encode(), kind="application/x-www-form-urlencoded", **cookies
                )
                assert not names(answer.body, "ada")
                assert PHONE.encode() not in answer.body
    browser = ward.site.browser()
    page = browser.login_page("")
    for execution in (page.forms["login"]["execution"].value, browser.session):
        for shown in tries(Handset(ward.site), execution):
            assert NOT_OURS in shown.text or "Logout" in shown.text or "logged in" in shown.text
    under_way(ward, handset, token)


# Whose login


def test_nobody_joins_the_login_of_somebody_else(ward: Ward) -> None:
    """CWE-639: the same phone, at the same address. Another person with their own PIN begins a login of their own."""
    ada = Handset(ward.site)
    token = ada.submit().token
    for user in ("mary", "ADA"):
        thief = Handset(ward.site)
        shown = thief.submit(user, PINS.get(user, "99999"))
        assert shown.token[4:26] != token[4:26]
        assert user != "mary" or not names(shown.text, "ada")


@pytest.mark.parametrize("other", ["ad\u00e1", "\uff41da", "ada\u0301", "a\u00addA"])
def test_a_person_whose_name_looks_like_anothers_joins_nothing(ward: Ward, other: str) -> None:
    """CVE-2019-19844: names that are alike are not the same. Limits count them together, logins must not meet."""
    ward.ucm.add_user(other, pin="55555", mail="other@example.edu", profiles=["other"])
    ada = Handset(ward.site)
    token = ada.submit().token
    thief = Handset(ward.site)
    shown = thief.submit(other, "55555")
    assert shown.token[4:26] != token[4:26]
    ward.answer_push("ada")
    assert "logged in as ada" not in thief.get("wait", t=shown.token).text if shown.token else True


def test_who_knows_a_pin_joins_no_login_by_naming_its_phone(ward: Ward) -> None:
    """CWE-639: the name of a phone can be made up. Another address is another phone, also with the right PIN."""
    ada = Handset(ward.site)
    token = ada.submit().token
    thief = Handset(ward.site, address=ELSEWHERE)
    shown = thief.submit()
    assert "another login" in shown.text
    assert token[4:26] not in shown.answer.body.decode()
    assert not thief.cookie.startswith(ada.cookie)
    assert pushes(ward) == 1
    ward.answer_push("ada")
    for again in tries(thief, shown.token):
        assert "You are logged in" not in again.text
    under_way_after_approval = ada.until(token, "logged in")
    assert "You are logged in as ada" in under_way_after_approval.text
    assert writes(ward) == 1


def test_who_knows_a_pin_and_comes_first_does_not_draw_the_owner_into_it(ward: Ward) -> None:
    """CWE-639: the owner is told of the other request, is shown nothing of it, and ends nothing by pressing keys."""
    thief = Handset(ward.site, address=ELSEWHERE)
    stolen = thief.submit().token
    ada = Handset(ward.site)
    shown = ada.submit()
    assert "another login" in shown.text
    assert shown.token[4:26] != stolen[4:26]
    ward.duo.phone("ada").deny()
    thief.until(stolen, "refused")
    way = f"push:{ward.duo.user('ada').devices[0].id}"
    again = ada.get("push", t=shown.token, factor=way)
    assert "Approve the request" in again.text
    under_way(ward, ada, again.token)
    assert ward.ucm.logins_of("ada")[0].device == PHONE


def test_a_request_for_approval_names_the_phone_and_where_it_is(ward: Ward) -> None:
    """CWE-799: who is asked has to see for which phone, or approves a stranger's."""
    Handset(ward.site, OTHER_PHONE, ELSEWHERE).submit()
    (transaction,) = ward.duo.pending("ada")
    shown = dict(transaction.details.information)
    assert shown["Phone"] == OTHER_PHONE
    assert shown["Address"] == transaction.details.address == ELSEWHERE
    assert shown["Application"] == "Extension Mobility"


def test_a_browser_does_not_take_the_place_of_a_phones_request(ward_with: GiveWard) -> None:
    """CWE-345: the mark of a phone is known to everybody. Who knows a password sends no second push in its place, which
    the person at the phone would approve.
    """
    vault = "  - {id: vault, name: Vault, url: 'https://vault.example.edu/**', requires_duo: {prompt: push}}\n"
    ward = ward_with(registry=vault + EXTENSION_MOBILITY)
    handset = Handset(ward.site)
    token = handset.submit().token
    browser = ward.site.browser()
    browser.app.set_cookie("casduo-flow", f"em {PHONE} {HERE}")
    page = browser.sign_in("ada", "https://vault.example.edu/")
    assert heading(page) == "Answer your other request first"
    assert pushes(ward) == 1
    under_way(ward, handset, token)


def test_an_approval_counts_for_the_login_it_was_asked_for_when_several_wait(ward: Ward) -> None:
    """Apereo 2019-11-24: of five logins of one person at five phones, one is approved, and one is done."""
    handsets = []
    for number in range(5):
        device = f"SEP0000000000B{number}"
        ward.ucm.add_phone(device)
        handsets.append(Handset(ward.site, device, f"10.0.4.{number}"))
    tokens = [handset.submit().token for handset in handsets]
    ward.answer_push("ada")
    assert "You are logged in" in handsets[0].until(tokens[0], "logged in").text
    for handset, token in zip(handsets[1:], tokens[1:], strict=True):
        assert "You are logged in" not in handset.get("wait", t=token).text
    assert [login.device for login in ward.ucm.logins_of("ada")] == [handsets[0].device]


def test_a_report_at_a_phone_is_none(ward: Ward) -> None:
    """CWE-235: fields that a page does not have. With a PIN alone nobody ends the sessions of a person everywhere."""
    browser = ward.site.browser()
    browser.sign_in("ada", "")
    handset = Handset(ward.site)
    token = handset.submit().token
    ward.duo.phone("ada").deny()
    shown = handset.until(token, "refused")
    for step, fields in STEPS.items():
        if step in ("cancel", "logout"):
            continue
        shown = handset.get(step, t=shown.token, **{**fields, "report": "true", "trust": "yes", "cancel": "true"})
        assert shown.token
    assert not ward.site.journal.named("session.ended")
    assert "Signed in" in browser.get("/login").text or browser.get("/login").status_int == 200
    assert [event for event in ward.site.journal.named("duo.answered") if event.outcome == "fraud"] == []
