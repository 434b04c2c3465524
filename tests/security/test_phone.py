"""Logins on IP phones: what MFEM, the service that this one takes the place of, let through."""

from __future__ import annotations

import re
import threading

import pytest

from casduo.simulators.certificates import LeafFiles
from tests.security.handset import (
    ELSEWHERE,
    HERE,
    NOT_OURS,
    GiveWard,
    Handset,
    Shown,
    approved,
    pushes,
    tries,
    under_way,
    writes,
)
from tests.support.ward import OTHER_PHONE, PHONE, Ward

WRONG_PIN = "User ID or PIN is not right."
ADDRESS_LIMIT = "throttling: {login_address: {failures: 6, window: 10m, pause: 1m, max_pause: 10m}}\n"


def asked(ward: Ward) -> int:
    """How often UCM was asked about a PIN."""
    return ward.ucm.calls("doAuthenticateUser")


# What MFEM let through


@pytest.mark.parametrize("back_end", ["emapi", "axl"])
@pytest.mark.parametrize("no", ["false", "False", "f", "0", "", "no", None])
def test_a_no_of_ucm_is_a_no_however_it_is_spelled(ward_with: GiveWard, back_end: str, no: str | None) -> None:
    """MFEM 1: the text ``false`` was taken for a yes, so that any PIN was right."""
    ward = ward_with(em=back_end == "emapi", worker=False)
    for node in ward.ucm.nodes:
        node.faults.overwrite("doAuthenticateUser", "userAuthenticated", no)
    shown = Handset(ward.site).submit()
    assert "You are" not in shown.text
    assert not shown.token
    assert not ward.site.journal.named("duo.asked")
    assert pushes(ward) == writes(ward) == 0


def test_what_a_phone_names_in_later_steps_changes_neither_person_nor_profile_nor_phone(ward: Ward) -> None:
    """MFEM 2: the choice of a profile took user, profile and device from the address."""
    handset = Handset(ward.site)
    token = handset.submit("mary").token
    ward.answer_push("mary")
    menu = handset.until(token, "Choose a profile")
    assert not re.search("userid|mary|device=|name=", " ".join(menu.urls))
    forged = {"t": menu.token, "userid": "ada", "user": "ada", "device": OTHER_PHONE, "principal": "ada"}
    for profile in ("ada-ward", "99", "-1", "1e0", "0x0", "\u0661", ""):
        again = handset.get("select", **{**forged, "profile": profile})
        assert "Choose a profile" in again.text
        forged["t"] = again.token
    assert writes(ward) == 0
    done = handset.get("select", profile="2", **forged)
    assert "You are logged in as mary" in done.text
    (login,) = ward.ucm.logins_of("mary")
    assert (login.device, login.user) == (PHONE, "mary")
    assert login.profile in ("mary-office", "mary-clinic")
    assert ward.ucm.logins_of("ada") == []
    assert ward.ucm.login_of(OTHER_PHONE) is None


def test_a_login_is_good_for_once(ward: Ward) -> None:
    """MFEM 3: the token was good for as many logins as fit into five minutes."""
    handset = Handset(ward.site)
    first = handset.submit()
    done = approved(ward, handset, first.token)
    ward.ucm.log_out(PHONE)
    for token in {first.token, done.token}:
        for shown in tries(handset, token):
            assert not shown.token or "You are logged in" in shown.text
    assert writes(ward) == 1
    assert ward.ucm.login_of(PHONE) is None
    ward.pass_time(61)
    assert "You are logged in" not in handset.get("wait", t=done.token).text


@pytest.mark.parametrize(
    ("device", "address"),
    [
        ("SEP00112233445", HERE),
        ("SEP001122334455X", HERE),
        ("CSFADA", HERE),
        ("%", HERE),
        ("SEP001122334455,SEP00AABBCCDDEE", HERE),
        ("SEP001122334455 ", HERE),
        ("SEP999999999999", HERE),
        ("SEP001122334455", ELSEWHERE),
        ("SEP001122334455", "::ffff:10.0.9.66"),
        ("SEP001122334455", ""),
    ],
)
def test_no_pin_and_no_push_is_tried_for_a_phone_that_may_not_be(
    ward_with: GiveWard, device: str, address: str
) -> None:
    """MFEM 4: any caller could name any device. What a name can be and where phones are is asked first, what UCM knows
    of it before a form is shown and before anything is written.
    """
    ward = ward_with(settings="phones: {networks: 10.0.0.0/24}\n", worker=False)
    handset = Handset(ward.site, device, address)
    assert "Not possible" in Shown(handset.raw(f"/{device}/")).text
    shown = Shown(handset.raw(f"/{device}/login", form={"userid": "ada", "pin": "00000"}))
    assert not shown.token
    if device != "SEP999999999999":
        assert "Not possible" in shown.text
        assert asked(ward) == 0
        assert ward.site.journal.named("phone.device_refused")
    assert pushes(ward) == writes(ward) == 0


def test_a_phone_that_ucm_does_not_know_or_has_not_enabled_is_logged_in_on_by_nobody(ward: Ward) -> None:
    """MFEM 4, 16: whether Extension Mobility is on at a phone was asked by nobody."""
    ward.ucm.add_phone("SEP0000000000FF", enabled=False)
    for device in ("SEP0000000000FF", "SEP0000000000EE"):
        handset = Handset(ward.site, device)
        handset.submit("alan")
        assert ward.ucm.login_of(device) is None
    assert ward.ucm.logins_of("alan") == []


def test_unknown_people_wrong_pins_and_locked_accounts_look_alike(ward: Ward) -> None:
    """MFEM 5: distinct texts told which user ids exist. Text, size, headers, addresses, and what is asked of UCM."""
    seen = set()
    for user, pin in (("adaa", "13570"), ("mary", "13570"), ("zzzz", "13570"), ("lisp", "31415"), ("mary", "1357O")):
        ward.ucm.policy.lockout_failures = 1
        if user == "lisp":
            ward.ucm.add_user("lisp", pin="31415", profiles=["lisp"])
            Handset(ward.site, OTHER_PHONE, "10.0.0.99").submit("lisp", "99999")
            assert ward.ucm.locked("lisp")
        handset = Handset(ward.site)
        shown = handset.submit(user, pin)
        assert WRONG_PIN in shown.text
        headers = tuple(sorted(header for header in shown.answer.headers if header[0] != "X-Request-ID"))
        seen.add((shown.answer.body.replace(user.encode(), b"user"), headers, shown.token))
    assert len(seen) == 1


def test_a_pin_is_asked_of_ucm_for_people_who_are_not_there_as_well(ward: Ward) -> None:
    """MFEM 5: what takes less time tells as much as another text."""
    for user in ("nobody", "mary"):
        before = [record.operation for record in ward.ucm.requests]
        Handset(ward.site).submit(user, "13570")
        after = [record.operation for record in ward.ucm.requests][len(before) :]
        assert after == ["doAuthenticateUser"]


@pytest.mark.parametrize("spelling", ["ada", "ADA", "Ada ", " ada", "aDa"])
def test_nobody_locks_people_out_of_ucm_from_phones(ward: Ward, spelling: str) -> None:
    """MFEM 5: there was no limit on tries. One short of UCM's own, over all phones, addresses and spellings."""
    names = ["ada", spelling, "ADA", "ada", spelling]
    told = [
        Handset(ward.site, f"SEP0000000000A{number}", f"10.0.{number}.1").submit(name, f"0000{number}").text
        for number, name in enumerate(names)
    ]
    assert asked(ward) == 2
    assert not ward.ucm.locked("ada")
    assert all("Wait" in text or "minute" in text for text in told[2:]), told
    # The right PIN is not tried either, or the limit would be no limit.
    assert not Handset(ward.site).submit().token
    assert asked(ward) == 2


def test_many_pins_at_once_are_no_more_than_one_after_the_other(ward: Ward) -> None:
    """MFEM 5: what is under way counts, so that a hundred requests in the same moment are no way around the limit."""
    handsets = [Handset(ward.site, f"SEP0000000000{number:02X}", f"10.0.1.{number}") for number in range(16)]
    threads = [
        threading.Thread(target=handset.submit, args=("ada", f"111{number:02}"))
        for number, handset in enumerate(handsets)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked(ward) <= 2
    assert not ward.ucm.locked("ada")


def test_one_pin_is_not_tried_with_everybody(ward_with: GiveWard) -> None:
    """CWE-307: one guess for each of many people, at made-up phones, counts where it comes from; together with
    passwords that are guessed in a browser there.
    """
    ward = ward_with(settings=ADDRESS_LIMIT, worker=False)
    for number in range(12):
        Handset(ward.site, f"SEP0000000000{number:02X}", ELSEWHERE).submit(f"user{number}", "12345")
    assert asked(ward) == 6
    assert ward.site.journal.named("signin.throttled")
    browser = ward.site.browser()
    browser.app.extra_environ["REMOTE_ADDR"] = ELSEWHERE
    assert browser.sign_in("ada", "").status_int == 429
    assert "Enter user ID" not in Handset(ward.site, address="10.0.0.8").submit("grace").text


def test_passwords_guessed_in_a_browser_close_the_phones_of_that_address(ward_with: GiveWard) -> None:
    """CWE-307: nobody begins anew at a phone."""
    ward = ward_with(settings=ADDRESS_LIMIT, worker=False)
    browser = ward.site.browser()
    for number in range(6):
        browser.fill(browser.login_page(""), "ada" if number % 2 else "grace", f"wrong-{number}")
    assert not Handset(ward.site, address="192.0.2.7").submit().token
    assert asked(ward) == 0


def test_one_phone_does_not_guess_for_ever(ward_with: GiveWard) -> None:
    """CWE-307: a phone behind an address of many is limited for itself; a right PIN of the guesser forgives nothing."""
    ward = ward_with(settings="phones: {device_failures: 5}\n", worker=False)
    for number in range(5):
        Handset(ward.site, address=f"10.0.2.{number}").submit(f"user{number}", "12345")
        Handset(ward.site, OTHER_PHONE, address=f"10.0.2.{number}").submit("edsger")
    before = asked(ward)
    assert "Wait" in Handset(ward.site).submit("user9", "12345").text or asked(ward) == before
    assert asked(ward) == before


def test_nobody_is_sent_more_pushes_than_the_limit_by_however_many_phones(ward: Ward) -> None:
    """MFEM 5: a push-bombing tool. Who knows a PIN has one push open, and few in all, at however many phones."""
    ward.duo.settings.lockout_threshold = 1000
    for number in range(12):
        device = f"SEP0000000000{number:02X}"
        ward.ucm.add_phone(device)
        handset = Handset(ward.site, device, f"10.0.3.{number}")
        shown = handset.submit()
        if number % 2 == 0:
            for _ in range(3):
                shown = handset.get("push", t=shown.token, factor=f"push:{ward.duo.user('ada').devices[0].id}")
            handset.get("cancel", t=shown.token)
    assert pushes(ward) <= 3
    assert writes(ward) == 0


def test_a_wrong_pin_sends_no_push(ward: Ward) -> None:
    """MFEM 5: nobody's device rings for a guess."""
    Handset(ward.site).submit("ada", "00000")
    assert ward.duo.requests.count("/auth/v2/preauth") == pushes(ward) == 0


def test_a_node_that_is_not_ucm_is_told_no_pin(ward_with: GiveWard, foreign_leaf: LeafFiles) -> None:
    """MFEM 6: certificates were not looked at."""
    ward = ward_with(worker=False)
    for node in ward.ucm.nodes:
        node.show_certificate("untrusted")
    assert not Handset(ward.site).submit().token
    assert asked(ward) == 0


def test_the_cookie_of_a_phone_goes_to_its_service_only_and_is_no_key(ward: Ward) -> None:
    """MFEM 6: a cookie without flags. Browsers' cookies do not come here, and this one not to them."""
    shown = Handset(ward.site).submit()
    header = shown.answer.header("set-cookie")
    assert "Secure" in header
    assert "HttpOnly" in header
    assert "Path=/em" in header
    assert "Domain" not in header
    assert len(header.partition(";")[0]) < 100
    assert shown.cookie not in shown.token
    thief = Handset(ward.site, cookie=shown.cookie)
    assert NOT_OURS in thief.get("wait").text
    assert NOT_OURS in thief.get("wait", t=shown.cookie).text
    browser = ward.site.browser()
    browser.sign_in("ada", "")
    cookies = [cookie for cookie in browser.app.cookiejar if cookie.name == "TGC-casduo"]
    assert [cookie.path for cookie in cookies] == ["/cas"]


@pytest.mark.parametrize(
    "name", ["a&profile=0", "a#b", "100%41", "x?t=y", "a b+c", "<Name>&amp;", "]]>", "\u00fc\u20ac\u4e16", "n" * 120]
)
def test_a_profile_is_chosen_whatever_it_is_called(ward: Ward, name: str) -> None:
    """MFEM 7: names stood in addresses unencoded. They stand in none at all."""
    ward.ucm.add_profile(name)
    ward.ucm.user("mary").profiles[2:] = [name]
    handset = Handset(ward.site)
    token = handset.submit("mary").token
    ward.answer_push("mary")
    menu = handset.until(token, "Choose a profile")
    place = [item.findtext("URL") for item in menu.root.iter("MenuItem")][-1]
    assert re.fullmatch(r"https://[A-Za-z0-9./]+/select\?t=[\w.-]+&profile=2", place)
    assert "You are logged in" in handset.open(place).text
    login = ward.ucm.login_of(PHONE)
    assert login is not None
    assert login.profile == name


def test_where_logins_have_an_interface_of_their_own_axl_needs_to_read_only(ward: Ward) -> None:
    """MFEM 8: the account could write the whole configuration."""
    ward.ucm.add_application_user("axlreader", "axl-secret", roles=["axl-read"])
    handset = Handset(ward.site)
    under_way(ward, handset, handset.submit().token)
    told = handset.get("logout")
    assert "logged out" in handset.open(told.key("Logout")).text
    assert ward.ucm.calls("doDeviceLogin") == ward.ucm.calls("doDeviceLogout") == 0


@pytest.mark.parametrize("operation", ["doAuthenticateUser", "getUser", "deviceUserQuery", "login"])
def test_no_word_of_ucms_own_is_shown_on_a_phone(ward: Ward, operation: str) -> None:
    """MFEM 9: raw fault texts were shown. They may hold names of tables, hosts and people."""
    secret = "informix: select pin from credential where host=10.1.2.3"
    for node in ward.ucm.nodes:
        node.faults.refuse(-239, secret, operation)
    handset = Handset(ward.site)
    told = [handset.get().text, handset.submit("alan").text, handset.get("logout").text]
    assert not re.search("informix|239|10\\.1\\.2|axl|emapi|ucm|cucm", " ".join(told), re.I)


def test_nobody_is_asked_for_approval_who_has_no_name_at_duo(ward_with: GiveWard) -> None:
    """MFEM 15: without a mail address the push went to nobody in particular."""
    ward = ward_with(handlers="- {type: ucm_pin, principal: mailid}\n")
    ward.ucm.user("ada").mail = ""
    shown = Handset(ward.site).submit()
    assert "no name for Duo" in shown.text
    assert not shown.token
    assert len(ward.duo.requests) == writes(ward) == 0
