"""What the Extension Mobility API is sent, and what is made of the many ways in which it answers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, quote_plus, unquote, unquote_plus
from xml.etree.ElementTree import Element, SubElement, tostring

import defusedxml.ElementTree
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casduo.errors import CasduoError
from casduo.ucm.emapi_documents import (
    Caller,
    device_user_query,
    login_request,
    logout_request,
    read_device_user,
    read_outcome,
    read_user_devices,
    user_devices_query,
)
from casduo.ucm.errors import UcmBusy, UcmMisconfigured, UcmRefused, UcmUnavailable

CALLER = Caller("casduo", "s3cret & <more>")
PHONE = "SEP001122334455"
WRITTEN = CALLER.certificate.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
INFO = f"<appInfo><appID>casduo</appID><appCertificate>{WRITTEN}</appCertificate></appInfo>"

names = st.text(
    st.characters(exclude_categories=("Cc", "Cs"), exclude_characters="\ufffe\uffff", max_codepoint=0x1FFFD), min_size=1
).filter(lambda name: name == name.strip() and name.isprintable())


def outcome(body: str | bytes) -> None:
    read_outcome(body.encode() if isinstance(body, str) else body, "ucm em a")


def on_phone(body: str) -> str | None:
    return read_device_user(body.encode(), PHONE, "ucm em a")


def phones_of_ada(body: str) -> tuple[str, ...]:
    return read_user_devices(body.encode(), "ada@example.edu", "ucm em a")


READERS: list[Callable[[str], object]] = [outcome, on_phone, phones_of_ada]


def device(content: str, name: str = PHONE) -> str:
    return f'<response><deviceUserResults><device name="{name}">{content}</device></deviceUserResults></response>'


def user(content: str, userid: str = "ada%40example.edu") -> str:
    return f'<response><userDevicesResults><user id="{userid}">{content}</user></userDevicesResults></response>'


# -- what is sent ------------------------------------------------------------------------------------------------------


def test_a_login_holds_everything_in_the_order_of_the_dtd() -> None:
    assert login_request(CALLER, PHONE, "ada", "ada-ward", 3600.0) == (
        f"<request>{INFO}<login><deviceName>{PHONE}</deviceName><userID>ada</userID>"
        "<deviceProfile>ada-ward</deviceProfile><exclusiveDuration><time>60</time></exclusiveDuration></login></request>"
    )


def test_without_a_profile_the_choice_is_left_to_ucm() -> None:
    assert "deviceProfile" not in login_request(CALLER, PHONE, "ada", "", 0.0)


@pytest.mark.parametrize(
    ("seconds", "duration"),
    [
        (0.0, "<indefinite />"),
        (0.5, "<time>1</time>"),
        (60.0, "<time>1</time>"),
        (60.1, "<time>2</time>"),
        (28_800.0, "<time>480</time>"),
    ],
)
def test_durations_are_whole_minutes_and_never_too_short(seconds: float, duration: str) -> None:
    document = login_request(CALLER, PHONE, "ada", "", seconds)
    assert f"<exclusiveDuration>{duration}</exclusiveDuration>" in document


def test_a_logout_names_the_phone_only() -> None:
    document = f"<request>{INFO}<logout><deviceName>{PHONE}</deviceName></logout></request>"
    assert logout_request(CALLER, PHONE) == document


def test_queries_begin_with_the_caller_too() -> None:
    phone = f"<query>{INFO}<deviceUserQuery><deviceName>{PHONE}</deviceName></deviceUserQuery></query>"
    assert device_user_query(CALLER, PHONE) == phone
    person = f"<query>{INFO}<userDevicesQuery><userID>ada</userID></userDevicesQuery></query>"
    assert user_devices_query(CALLER, "ada") == person


@settings(deadline=None)
@given(userid=names, profile=names, certificate=names)
def test_names_arrive_as_they_are_whatever_they_hold(userid: str, profile: str, certificate: str) -> None:
    document = login_request(Caller("casduo", certificate), PHONE, userid, profile, 60.0)
    assert document.isascii()
    root = defusedxml.ElementTree.fromstring(document, forbid_dtd=True)
    assert root.findtext("appInfo/appCertificate") == certificate
    assert root.findtext("login/deviceProfile") == profile
    assert [child.tag for child in root.find("login")] == [
        "deviceName",
        "userID",
        "deviceProfile",
        "exclusiveDuration",
    ]


@settings(deadline=None)
@given(userid=names)
def test_a_user_id_is_the_same_after_ucm_undid_its_encoding(userid: str) -> None:
    root = defusedxml.ElementTree.fromstring(user_devices_query(CALLER, userid))
    sent = root.findtext("userDevicesQuery/userID")
    assert unquote(sent) == unquote_plus(sent) == userid


@pytest.mark.parametrize("name", ["a\x00", "a\nb", "\x1b[2J", "\x85", "\ud800", "\uffff"])
def test_what_xml_cannot_carry_is_refused_without_being_quoted(name: str) -> None:
    makers: list[Callable[[], str]] = [
        lambda: login_request(CALLER, PHONE, name, "", 0.0),
        lambda: login_request(CALLER, PHONE, "ada", name, 0.0),
        lambda: logout_request(CALLER, name),
        lambda: device_user_query(CALLER, name),
        lambda: user_devices_query(CALLER, name),
    ]
    for make in makers:
        with pytest.raises(UcmRefused) as caught:
            make()
        assert caught.value.detail.startswith("unwritable ")
        assert name not in caught.value.detail


def test_nobody_sees_the_callers_password() -> None:
    assert "s3cret" not in repr(CALLER)


# -- login and logout --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "body",
    [
        "<response><success/></response>",
        "<response><success></success></response>",
        "\r\n<?xml version='1.0' encoding='UTF-8'?>\n<response>\n  <success/>\n</response>\n",
        "<results><success/></results>",
        "<Response><Success/></Response>",
        '<r:response xmlns:r="urn:em"><r:success/></r:response>',
        "<response><unheard/><success/></response>",
    ],
)
def test_success_is_success_in_every_spelling(body: str) -> None:
    outcome(body)


def test_success_in_another_encoding() -> None:
    outcome("<?xml version='1.0' encoding='ISO-8859-1'?><response><!-- ä --><success/></response>".encode("latin-1"))


FAILURES = [
    '<response><failure><error code="{}">told &lt;s3cret&gt;</error></failure></response>',
    '<response><failure><errorMessage code="{}">told s3cret</errorMessage></failure></response>',
    '<results><failure><error code=" {} "/></failure></results>',
    '<results><error code="{}">told s3cret</error></results>',
    '<response><failure code="{}">told s3cret</failure></response>',
    "<response><failure><error><code>{}</code><text>told s3cret</text></error></failure></response>",
    '<response><Failure><Error Code="{}">told s3cret</Error></Failure></response>',
    '<r:response xmlns:r="urn:em"><r:failure><r:error code="{}"/></r:failure></r:response>',
]
CODES: list[tuple[int, type[CasduoError], str]] = [
    (0, UcmUnavailable, ""),
    (1, UcmMisconfigured, ""),
    (2, UcmMisconfigured, ""),
    (3, UcmMisconfigured, ""),
    (4, UcmRefused, "policy"),
    (5, UcmRefused, "not_enabled"),
    (6, UcmUnavailable, ""),
    (7, UcmUnavailable, ""),
    (8, UcmMisconfigured, ""),
    (9, UcmUnavailable, ""),
    (10, UcmMisconfigured, ""),
    (11, UcmRefused, "no_device"),
    (12, UcmRefused, "no_profile"),
    (18, UcmRefused, "occupied"),
    (19, UcmRefused, "nobody"),
    (20, UcmUnavailable, ""),
    (21, UcmUnavailable, ""),
    (22, UcmRefused, "not_enabled"),
    (23, UcmRefused, "no_user"),
    (25, UcmRefused, "elsewhere"),
    (26, UcmBusy, ""),
    (27, UcmRefused, "password_change"),
    (28, UcmMisconfigured, ""),
    (29, UcmUnavailable, ""),
    (30, UcmMisconfigured, ""),
    (13, UcmRefused, "other"),
    (201, UcmRefused, "other"),
]


@pytest.mark.parametrize(("code", "error", "kind"), CODES)
@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("read", READERS)
def test_every_code_means_something(
    code: int, error: type[CasduoError], kind: str, failure: str, read: Callable[[str], object]
) -> None:
    with pytest.raises(error) as caught:
        read(failure.format(code))
    assert type(caught.value) is error
    assert getattr(caught.value, "kind", "") == kind
    assert getattr(caught.value, "detail", "") == f"em {code}"
    assert "s3cret" not in f"{caught.value} {caught.value!r}"
    assert getattr(caught.value, "sent", True)


@pytest.mark.parametrize("code", ["", "x", "-1", "٣", "99999", "2 5"])
@pytest.mark.parametrize("read", READERS)
def test_a_failure_without_a_number_is_a_no(read: Callable[[str], object], code: str) -> None:
    with pytest.raises(UcmRefused) as caught:
        read(f'<response><failure><error code="{code}">no</error></failure></response>')
    assert (caught.value.kind, caught.value.detail) == ("other", "em failure")


def test_success_beside_a_failure_is_a_failure() -> None:
    with pytest.raises(UcmRefused):
        outcome('<response><success/><failure><error code="18"/></failure></response>')


UNREADABLE = [
    "",
    "   ",
    "OK",
    "<html><body><success/></body></html>",
    "<!DOCTYPE html><html><body><p>Down for maintenance</p></body></html>",
    "<response>",
    "<response><succ",
    "<response/>",
    "<response><unheard/></response>",
    "<?xml version='1.0' encoding='klingon'?><response><success/></response>",
    '<!DOCTYPE response [<!ENTITY a "b">]><response><success/></response>',
    '<!DOCTYPE response SYSTEM "http://example.org/em.dtd"><response><success/></response>',
    "\x00\x01\x02",
]


@pytest.mark.parametrize("body", UNREADABLE)
@pytest.mark.parametrize("read", READERS)
def test_what_nobody_can_read_leaves_everything_open(read: Callable[[str], object], body: str) -> None:
    with pytest.raises(UcmUnavailable) as caught:
        read(body)
    assert (caught.value.detail, caught.value.sent) == ("unreadable", True)
    assert caught.value.__context__ is None


@settings(deadline=None)
@given(st.binary() | st.text().map(str.encode))
def test_no_answer_whatever_ends_in_anything_but_errors_of_ours(body: bytes) -> None:
    readers: list[Callable[[], Any]] = [
        lambda: read_outcome(body, "a"),
        lambda: read_device_user(body, PHONE, "a"),
        lambda: read_user_devices(body, "ada", "a"),
    ]
    for read in readers:
        with pytest.raises(UcmUnavailable):
            read()


# -- who is on the phone -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("<userID>ada</userID>", "ada"),
        ("<userID> ada%40example.edu </userID>", "ada@example.edu"),
        ("<userID>ada</userID><lastlogin>grace</lastlogin><emccDevice>no</emccDevice>", "ada"),
        ("<lastlogin>grace</lastlogin><userID>ada</userID>", "ada"),
        ("<userID>one</userID><none/>", "one"),
        ("<userid>ada</userid>", "ada"),
        ("<userID>zo%C3%AB</userID>", "zoë"),
        ("<userID>ada+lovelace</userID>", "ada lovelace"),
        ("<userID>%2B4912345</userID>", "+4912345"),
        ("<none/>", ""),
        ("<none/><lastlogin>grace</lastlogin><emccDevice>no</emccDevice>", ""),
        ("<lastlogin>grace</lastlogin>", ""),
        ("<lastlogin/>", ""),
        ("<userID/>", ""),
        ("<doesNotExist/>", None),
        ("<unheard>of</unheard><none/>", ""),
    ],
)
def test_who_is_on_the_phone(content: str, expected: str | None) -> None:
    assert on_phone(device(content)) == expected
    assert on_phone(device(content).replace("response>", "results>")) == expected
    assert on_phone(device(content, PHONE.lower())) == expected


def test_the_phone_that_was_asked_for_is_found_among_others() -> None:
    body = device(f'<userID>grace</userID></device><device name="{PHONE}"><userID>ada</userID>', "SEP000000000000")
    assert on_phone(body) == "ada"


@pytest.mark.parametrize(
    "body",
    [
        device("<userID>grace</userID>", "SEP000000000000"),
        device(""),
        device("<unheard/>"),
        "<response><success/></response>",
        user("<none/>"),
    ],
)
def test_an_answer_about_something_else_is_none(body: str) -> None:
    with pytest.raises(UcmUnavailable):
        on_phone(body)


# -- where a user is ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (f"<deviceName>{PHONE}</deviceName>", (PHONE,)),
        (f"<deviceName> {PHONE} </deviceName><devicename>SEP1</devicename>", (PHONE, "SEP1")),
        ("<none/>", ()),
        ("<doesNotExist/>", ()),
        (f"<none/><deviceName>{PHONE}</deviceName>", (PHONE,)),
    ],
)
@pytest.mark.parametrize("userid", ["ada%40example.edu", "ada@example.edu", "Ada%40Example.edu", "ADA%40EXAMPLE.EDU"])
def test_where_a_user_is(content: str, expected: tuple[str, ...], userid: str) -> None:
    assert phones_of_ada(user(content, userid)) == expected
    assert phones_of_ada(user(content, userid).replace("response>", "results>")) == expected


@pytest.mark.parametrize(
    "body",
    [user("<none/>", "grace"), user(""), user("<deviceName/>"), "<response><success/></response>", device("<none/>")],
)
def test_an_answer_about_somebody_else_is_none(body: str) -> None:
    with pytest.raises(UcmUnavailable):
        phones_of_ada(body)


@settings(deadline=None)
@given(userid=names, devices=st.lists(st.from_regex(r"SEP[0-9A-F]{12}", fullmatch=True), min_size=1))
def test_users_are_recognised_however_ucm_encodes_them(userid: str, devices: list[str]) -> None:
    for encode in (lambda name: quote(name, safe=""), quote_plus):
        root = Element("response")
        entry = SubElement(SubElement(root, "userDevicesResults"), "user", id=encode(userid))
        for name in devices:
            SubElement(entry, "deviceName").text = name
        assert read_user_devices(tostring(root), userid, "a") == tuple(devices)
        root = Element("response")
        phone = SubElement(SubElement(root, "deviceUserResults"), "device", name=PHONE)
        SubElement(phone, "userID").text = encode(userid)
        assert read_device_user(tostring(root), PHONE, "a") == userid
