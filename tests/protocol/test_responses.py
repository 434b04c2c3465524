"""The answers to the byte, and read as the clients read them that are picky about each detail."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest
from cas import CASClientV2, CASClientV3
from hypothesis import given, settings
from hypothesis import strategies as st

from casduo.mfa.strength import DUO_BYPASS, UNAVAILABLE, UNENROLLED, Strength
from casduo.protocol import errors
from casduo.protocol.entitlement import DuoStanding
from casduo.protocol.errors import ProtocolError
from casduo.protocol.responses import (
    cas1_failure,
    cas1_success,
    json_failure,
    json_success,
    proxy_failure_json,
    proxy_failure_xml,
    proxy_success_json,
    proxy_success_xml,
    xml_failure,
    xml_success,
)
from casduo.protocol.validation import ValidatedTicket
from casduo.services.model import RegisteredService
from casduo.services.names import SERVER_NAMES
from casduo.services.release import Released
from casduo.tickets.model import TicketGrantingTicket

LIBRARY = RegisteredService.model_validate(
    {"id": "library", "name": "Library", "url": "https://library.example.edu/**"}
)
NO_DUO = DuoStanding()
CONFIRMED = DuoStanding(required=True, confirmed=True)
NAMESPACE = "{http://www.yale.edu/tp/cas}"
FAILURES = sorted(
    ProtocolError.__subclasses__() + errors.InvalidTicket.__subclasses__(), key=lambda kind: kind.__name__
)


def validated(
    attributes: dict[str, tuple[str, ...]] | None = None,
    user: str = "ada",
    *,
    strength: Strength | None = None,
    primary: bool = True,
    duo: DuoStanding = NO_DUO,
    remembered: bool = False,
    iou: str = "",
    proxies: tuple[str, ...] = (),
    **keys: str,
) -> ValidatedTicket:
    session = TicketGrantingTicket(
        "ada",
        {},
        "users_file",
        authenticated_at=1_772_600_767.9,
        strength=strength or Strength(),
        remembered=remembered,
    )
    service = LIBRARY.model_copy(update=keys)
    return ValidatedTicket(service, session, Released(user, attributes or {}), primary, duo, proxies=proxies, iou=iou)


REMEMBERED = "<cas:longTermAuthenticationRequestTokenUsed>true</cas:longTermAuthenticationRequestTokenUsed>\n"
NOT_REMEMBERED = REMEMBERED.replace("true", "false")
STANDARD = (
    "<cas:authenticationDate>2026-03-04T05:06:07Z</cas:authenticationDate>\n"
    f"{NOT_REMEMBERED}"
    "<cas:isFromNewLogin>true</cas:isFromNewLogin>\n"
)
IOU = "PGTIOU-4cA1-zYx9"
CALLBACKS = ("https://portal.example.edu/pgt?a=1&b=2", "https://mail.example.edu/pgt")


def xml(inner: str) -> bytes:
    return (f'<cas:serviceResponse xmlns:cas="http://www.yale.edu/tp/cas">\n{inner}\n</cas:serviceResponse>\n').encode()


# CAS 1.0


def test_cas1_success_is_yes_and_the_name_each_on_a_line_of_its_own() -> None:
    assert cas1_success("ada") == b"yes\nada\n"
    assert cas1_success("zoë") == "yes\nzoë\n".encode()


def test_cas1_failure_is_no_and_an_empty_line() -> None:
    assert cas1_failure() == b"no\n\n"


# XML, success


def test_xml_success_to_the_byte() -> None:
    ticket = validated({"mail": ("ada@example.edu",), "memberOf": ("staff", "faculty")})
    assert xml_success(ticket, with_attributes=True) == xml(
        "<cas:authenticationSuccess>\n<cas:user>ada</cas:user>\n<cas:attributes>\n"
        f"{STANDARD}"
        "<cas:mail>ada@example.edu</cas:mail>\n"
        "<cas:memberOf>staff</cas:memberOf>\n<cas:memberOf>faculty</cas:memberOf>\n"
        "</cas:attributes>\n</cas:authenticationSuccess>"
    )


def test_xml_success_without_attributes_to_the_byte() -> None:
    assert xml_success(validated({"mail": ("ada@example.edu",)}), with_attributes=False) == xml(
        "<cas:authenticationSuccess>\n<cas:user>ada</cas:user>\n</cas:authenticationSuccess>"
    )


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ("Research & Development", "Research &amp; Development"),
        ("<b>", "&lt;b&gt;"),
        ('"it\'s"', "&quot;it&apos;s&quot;"),
        ("]]>", "]]&gt;"),
        ("two\nlines", "two&#10;lines"),
        ("a\r\nb\tc", "a&#13;&#10;b&#9;c"),
        ("nul\0here", "nulhere"),
        ("bell\x07, escape\x1b", "bell, escape"),
        ("Zoë", "Zo&#235;"),
        ("\U0001f600", "&#128512;"),
        ("\ud800lone", "lone"),
        ("\ufffe\uffff", ""),
        ("\x7f\x85\u2028", "&#127;&#133;&#8232;"),
        (" spaces stay ", " spaces stay "),
        ("&amp;", "&amp;amp;"),
    ],
)
def test_values_are_escaped_to_plain_ascii_on_one_line(value: str, written: str) -> None:
    body = xml_success(validated({"note": (value,)}, user=f"u{value}"), with_attributes=True).decode("ascii")
    assert f"<cas:note>{written}</cas:note>\n" in body
    assert f"<cas:user>u{written}</cas:user>\n" in body


def test_several_values_stand_next_to_each_other_in_the_order_given() -> None:
    body = xml_success(validated({"a": ("1", "2"), "b": ("x",), "c": ("3", "4")}), with_attributes=True).decode()
    names = re.findall(r"<cas:([abc])>(\w)<", body)
    assert names == [("a", "1"), ("a", "2"), ("b", "x"), ("c", "3"), ("c", "4")]


def test_there_is_nothing_in_it_that_a_parser_would_resolve() -> None:
    body = xml_success(validated({"a": ("1",)}), with_attributes=True)
    assert b"<!" not in body
    assert b"<?" not in body


# What the server itself says


@pytest.mark.parametrize("name", sorted(SERVER_NAMES))
def test_a_directory_does_not_speak_for_the_server(name: str) -> None:
    ticket = validated({name: ("forged",), "mail": ("ada@example.edu",)})
    for body in (xml_success(ticket, with_attributes=True), json_success(ticket, with_attributes=True)):
        assert b"forged" not in body
        assert b"ada@example.edu" in body


def context(ticket: ValidatedTicket) -> dict[str, object]:
    found = json.loads(json_success(ticket, with_attributes=True))["serviceResponse"]["authenticationSuccess"]
    standard = {"authenticationDate", "longTermAuthenticationRequestTokenUsed", "isFromNewLogin"}
    return {name: value for name, value in found["attributes"].items() if name not in standard}


@pytest.mark.parametrize("required", [True, False])
def test_duo_is_stated_when_duo_said_yes(required: bool) -> None:
    assert context(validated(strength=Strength.duo("push", 1.0), duo=DuoStanding(required, confirmed=True))) == {
        "authnContextClass": "mfa-duo"
    }


@pytest.mark.parametrize("why", [DUO_BYPASS, UNAVAILABLE, UNENROLLED])
def test_a_required_duo_that_was_skipped_is_stated_as_that_with_its_reason_and_never_as_duo(why: str) -> None:
    skipped = DuoStanding(required=True, why=why)
    assert context(validated(strength=Strength.bypassed(why, 1.0), duo=skipped)) == {
        "bypassMultifactorAuthentication": "true",
        "bypassedMultifactorAuthenticationProviderId": "mfa-duo",
        "bypassedMultifactorAuthenticationReason": why,
    }


def test_a_skipped_duo_whose_reason_nobody_knows_is_stated_without_one() -> None:
    assert context(validated(duo=DuoStanding(required=True))) == {
        "bypassMultifactorAuthentication": "true",
        "bypassedMultifactorAuthenticationProviderId": "mfa-duo",
    }


AUDITOR = RegisteredService.model_validate(
    {
        "id": "auditor",
        "name": "Auditor",
        "url": "https://auditor.example.edu/**",
        "attributes": ["mfaFactor", "mfaTime", "clientIpAddress"],
    }
)


def told_to_auditor(strength: Strength, duo: DuoStanding) -> dict[str, object]:
    session = TicketGrantingTicket("ada", {}, "ldap", 1.0, strength, address="192.0.2.7", agent="Netscape")
    return context(ValidatedTicket(AUDITOR, session, Released("ada", {}), True, duo))


def test_what_an_entry_lists_about_the_login_is_told_and_nothing_else() -> None:
    assert told_to_auditor(Strength.duo("duo_push", 1_772_600_767.0), CONFIRMED) == {
        "authnContextClass": "mfa-duo",
        "mfaFactor": "duo_push",
        "mfaTime": "2026-03-04T05:06:07Z",
        "clientIpAddress": "192.0.2.7",
    }


def test_a_trusted_browser_is_told_as_one_with_the_moment_of_duos_yes() -> None:
    assert told_to_auditor(Strength.trusted(1_772_600_767.0), CONFIRMED) == {
        "authnContextClass": "mfa-duo",
        "mfaFactor": "trusted_browser",
        "mfaTime": "2026-03-04T05:06:07Z",
        "clientIpAddress": "192.0.2.7",
    }


@pytest.mark.parametrize(
    ("strength", "duo"),
    [
        (Strength(), NO_DUO),
        (Strength.bypassed(UNAVAILABLE, 1.0), NO_DUO),
        (Strength.trusted(1.0), NO_DUO),
        (Strength.duo("push", 1.0, "hr"), NO_DUO),
    ],
)
def test_where_duo_is_not_required_what_is_not_good_enough_is_not_mentioned(
    strength: Strength, duo: DuoStanding
) -> None:
    assert context(validated(strength=strength, duo=duo)) == {}
    assert told_to_auditor(strength, duo) == {"clientIpAddress": "192.0.2.7"}


def test_an_older_duo_beside_a_bypass_is_not_told_as_the_factor_of_this_login() -> None:
    told = told_to_auditor(Strength.duo("push", 1.0), DuoStanding(required=True, why=UNAVAILABLE))
    assert not {"authnContextClass", "mfaFactor", "mfaTime"} & set(told)
    assert told["bypassedMultifactorAuthenticationReason"] == "unavailable"


def test_only_the_ticket_of_the_password_is_from_a_new_login() -> None:
    assert b"<cas:isFromNewLogin>false<" in xml_success(validated(primary=False), with_attributes=True)
    assert b'"isFromNewLogin":true' in json_success(validated(primary=True), with_attributes=True)


# JSON


def test_json_success_to_the_byte() -> None:
    ticket = validated({"mail": ("ada@example.edu",), "memberOf": ("staff", "faculty"), "sn": ("Zoë\n",)})
    assert json_success(ticket, with_attributes=True) == (
        b'{"serviceResponse":{"authenticationSuccess":{"user":"ada","attributes":{'
        b'"authenticationDate":"2026-03-04T05:06:07Z","longTermAuthenticationRequestTokenUsed":false,'
        b'"isFromNewLogin":true,"mail":"ada@example.edu","memberOf":["staff","faculty"],"sn":"Zo\\u00eb\\n"}}}}'
    )


def test_json_keeps_attributes_even_when_there_are_none() -> None:
    assert json_success(validated({"a": ("1",)}), with_attributes=False) == (
        b'{"serviceResponse":{"authenticationSuccess":{"user":"ada","attributes":{}}}}'
    )


# Several values

SEVERAL = {"mail": ("ada@example.edu",), "memberOf": ("staff", "faculty", "<b>")}


@pytest.mark.parametrize(
    ("style", "written"),
    [
        (
            "repeat",
            "<cas:memberOf>staff</cas:memberOf>\n<cas:memberOf>faculty</cas:memberOf>\n"
            "<cas:memberOf>&lt;b&gt;</cas:memberOf>\n",
        ),
        ("first", "<cas:memberOf>staff</cas:memberOf>\n"),
        ("join:;", "<cas:memberOf>staff;faculty;&lt;b&gt;</cas:memberOf>\n"),
        ("join: & ", "<cas:memberOf>staff &amp; faculty &amp; &lt;b&gt;</cas:memberOf>\n"),
    ],
)
def test_several_values_are_written_as_the_entry_says(style: str, written: str) -> None:
    assert xml_success(validated(SEVERAL, multivalue=style), with_attributes=True) == xml(
        "<cas:authenticationSuccess>\n<cas:user>ada</cas:user>\n<cas:attributes>\n"
        f"{STANDARD}<cas:mail>ada@example.edu</cas:mail>\n{written}"
        "</cas:attributes>\n</cas:authenticationSuccess>"
    )


@pytest.mark.parametrize("style", ["first", "join:;"])
def test_json_can_say_several_values_and_says_them(style: str) -> None:
    assert json_success(validated(SEVERAL, multivalue=style), with_attributes=True) == json_success(
        validated(SEVERAL), with_attributes=True
    )


def test_json_is_all_lists_where_the_entry_wants_them() -> None:
    assert json_success(validated(SEVERAL, json_values="list"), with_attributes=True) == (
        b'{"serviceResponse":{"authenticationSuccess":{"user":"ada","attributes":{'
        b'"authenticationDate":["2026-03-04T05:06:07Z"],"longTermAuthenticationRequestTokenUsed":[false],'
        b'"isFromNewLogin":[true],"mail":["ada@example.edu"],"memberOf":["staff","faculty","<b>"]}}}}'
    )


# Remembered sessions


def test_every_answer_tells_of_a_remembered_session() -> None:
    told = xml_success(validated(remembered=True, primary=False), with_attributes=True)
    assert STANDARD.replace(NOT_REMEMBERED, REMEMBERED).replace("isFromNewLogin>true", "isFromNewLogin>false") in (
        told.decode()
    )
    assert b'"longTermAuthenticationRequestTokenUsed":true' in json_success(
        validated(remembered=True), with_attributes=True
    )


def test_even_the_bare_answer_of_cas_2_tells_of_a_remembered_session_and_of_nothing_else() -> None:
    ticket = validated({"mail": ("ada@example.edu",)}, remembered=True)
    assert xml_success(ticket, with_attributes=False) == xml(
        f"<cas:authenticationSuccess>\n<cas:user>ada</cas:user>\n<cas:attributes>\n{REMEMBERED}</cas:attributes>\n"
        "</cas:authenticationSuccess>"
    )
    assert json_success(ticket, with_attributes=False) == (
        b'{"serviceResponse":{"authenticationSuccess":{"user":"ada","attributes":{'
        b'"longTermAuthenticationRequestTokenUsed":true}}}}'
    )


# Proxies


def test_proxies_come_last_in_the_order_of_the_schema() -> None:
    ticket = validated(iou=IOU, proxies=CALLBACKS)
    assert xml_success(ticket, with_attributes=True) == xml(
        f"<cas:authenticationSuccess>\n<cas:user>ada</cas:user>\n<cas:attributes>\n{STANDARD}</cas:attributes>\n"
        f"<cas:proxyGrantingTicket>{IOU}</cas:proxyGrantingTicket>\n"
        "<cas:proxies>\n"
        "<cas:proxy>https://portal.example.edu/pgt?a=1&amp;b=2</cas:proxy>\n"
        "<cas:proxy>https://mail.example.edu/pgt</cas:proxy>\n"
        "</cas:proxies>\n</cas:authenticationSuccess>"
    )


def test_proxies_need_no_attributes() -> None:
    assert xml_success(validated(iou=IOU, proxies=CALLBACKS[1:]), with_attributes=False) == xml(
        "<cas:authenticationSuccess>\n<cas:user>ada</cas:user>\n"
        f"<cas:proxyGrantingTicket>{IOU}</cas:proxyGrantingTicket>\n"
        "<cas:proxies>\n<cas:proxy>https://mail.example.edu/pgt</cas:proxy>\n</cas:proxies>\n"
        "</cas:authenticationSuccess>"
    )


def test_json_has_the_same_proxies() -> None:
    assert json_success(validated(iou=IOU, proxies=CALLBACKS), with_attributes=False) == (
        b'{"serviceResponse":{"authenticationSuccess":{"user":"ada","attributes":{},'
        b'"proxyGrantingTicket":"PGTIOU-4cA1-zYx9",'
        b'"proxies":["https://portal.example.edu/pgt?a=1&b=2","https://mail.example.edu/pgt"]}}}'
    )


def test_what_there_is_not_is_left_out() -> None:
    ticket = validated()
    for body in (xml_success(ticket, with_attributes=True), json_success(ticket, with_attributes=True)):
        assert b"prox" not in body


@pytest.mark.parametrize("client", [CASClientV2, CASClientV3])
def test_python_cas_finds_the_iou(client: type[CASClientV2]) -> None:
    user, attributes, iou = client.verify_response(
        xml_success(validated(iou=IOU, proxies=CALLBACKS), with_attributes=True)
    )
    assert (user, iou) == ("ada", IOU)
    assert attributes["isFromNewLogin"] == "true"


def test_a_proxy_ticket_to_the_byte() -> None:
    assert proxy_success_xml("PT-4cA1-zYx9") == xml(
        "<cas:proxySuccess>\n<cas:proxyTicket>PT-4cA1-zYx9</cas:proxyTicket>\n</cas:proxySuccess>"
    )
    assert proxy_success_json("PT-4cA1-zYx9") == (
        b'{"serviceResponse":{"proxySuccess":{"proxyTicket":"PT-4cA1-zYx9"}}}'
    )


@pytest.mark.parametrize("kind", FAILURES)
def test_a_refused_proxy_ticket_is_a_proxy_failure_in_xml_and_a_failure_like_others_in_json(
    kind: type[ProtocolError],
) -> None:
    failure = kind("PGT-1\nyes\nmallory\n\n <secret>")
    assert proxy_failure_xml(failure) == xml(
        f'<cas:proxyFailure code="{failure.code}">{failure.text}</cas:proxyFailure>'
    )
    assert proxy_failure_json(failure) == json_failure(failure)


# Failures


@pytest.mark.parametrize("kind", FAILURES)
def test_every_failure_has_a_code_a_fixed_text_and_says_nothing_of_why(kind: type[ProtocolError]) -> None:
    failure = kind("ST-1\nyes\nmallory\n\n <secret>")
    assert re.fullmatch(r"[A-Z_]+", failure.code)
    assert failure.text.strip()
    assert xml_failure(failure) == xml(
        f'<cas:authenticationFailure code="{failure.code}">{failure.text}</cas:authenticationFailure>'
    )
    told = f'{{"code":"{failure.code}","description":"{failure.text}"}}'
    assert json_failure(failure) == f'{{"serviceResponse":{{"authenticationFailure":{told}}}}}'.encode()


def test_there_is_a_failure_for_every_code_of_the_table() -> None:
    assert {kind.code for kind in FAILURES} == {
        "INVALID_REQUEST",
        "INVALID_TICKET",
        "INVALID_TICKET_SPEC",
        "INVALID_SERVICE",
        "UNAUTHORIZED_SERVICE",
        "INVALID_AUTHENTICATION_CONTEXT",
        "UNAUTHORIZED_SERVICE_PROXY",
        "INVALID_PROXY_CALLBACK",
        "INTERNAL_ERROR",
    }


# As clients read it

VALUES = st.text(min_size=1, max_size=30)
NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9._-]{0,12}", fullmatch=True).filter(lambda name: name not in SERVER_NAMES)
ATTRIBUTES = st.dictionaries(NAMES, st.lists(VALUES, min_size=1, max_size=3, unique=True).map(tuple), max_size=5)


def in_xml(text: str) -> str:
    """What of a text XML 1.0 can carry at all."""
    return re.sub("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "", text)


@given(VALUES, ATTRIBUTES)
@settings(deadline=None)
def test_a_strict_parser_finds_what_was_said_and_nothing_else(
    user: str, attributes: dict[str, tuple[str, ...]]
) -> None:
    body = xml_success(validated(attributes, user), with_attributes=True)
    body.decode("ascii")

    root = ElementTree.fromstring(body)  # noqa: S314

    # The outcome is the first and only child, the user comes first in it (rubycas-client, python-cas, phpCAS).
    assert (root.tag, len(root)) == (f"{NAMESPACE}serviceResponse", 1)
    assert [child.tag for child in root[0]] == [f"{NAMESPACE}user", f"{NAMESPACE}attributes"]
    assert (root[0][0].text or "") == in_xml(user)
    flat = [element for element in root[0][1] if element.tag.removeprefix(NAMESPACE) not in SERVER_NAMES]
    # Nothing nested and no XML attributes (mod_auth_cas flattens, rubycas-client changes its style).
    assert not any(len(element) for element in root[0][1])
    assert not any(element.attrib for element in root.iter())
    expected = [(name, in_xml(value)) for name, values in attributes.items() for value in values]
    assert [(element.tag.removeprefix(NAMESPACE), element.text or "") for element in flat] == expected


@given(VALUES, ATTRIBUTES)
@settings(deadline=None)
def test_phpcas_and_rubycas_find_the_prefix_and_no_line_that_looks_like_cas_1(
    user: str, attributes: dict[str, tuple[str, ...]]
) -> None:
    body = xml_success(validated(attributes, user), with_attributes=True).decode("ascii")
    assert re.fullmatch(r"(?:<[^<>]*>[^<>]*)+", body)
    assert not re.search(r"(?m)^(?:yes|no)\r?$", body)
    assert all(tag.startswith("cas:") for tag in re.findall(r"</?([^\s<>/]+)", body))
    assert "\r" not in body
    assert "\n\n" not in body


@given(VALUES, ATTRIBUTES)
@settings(deadline=None)
def test_json_is_strict_and_has_no_keys_but_the_known_ones(user: str, attributes: dict[str, tuple[str, ...]]) -> None:
    body = json_success(validated(attributes, user), with_attributes=True)
    found = json.loads(body.decode("ascii"))
    assert found.keys() == {"serviceResponse"}
    assert found["serviceResponse"].keys() == {"authenticationSuccess"}
    success = found["serviceResponse"]["authenticationSuccess"]
    assert success.keys() == {"user", "attributes"}
    assert success["user"] == user
    for name, values in attributes.items():
        assert success["attributes"][name] == (values[0] if len(values) == 1 else list(values))


@pytest.mark.parametrize("client", [CASClientV2, CASClientV3])
def test_python_cas_reads_one_value_as_text_and_several_as_a_list(client: type[CASClientV2]) -> None:
    ticket = validated({"mail": ("ada@example.edu",), "memberOf": ("staff & co", "faculty\nof arts")})
    user, attributes, iou = client.verify_response(xml_success(ticket, with_attributes=True))
    assert (user, iou) == ("ada", None)
    assert attributes["mail"] == "ada@example.edu"
    assert attributes["memberOf"] == ["staff & co", "faculty\nof arts"]
    assert attributes["isFromNewLogin"] == "true"


@pytest.mark.parametrize("client", [CASClientV2, CASClientV3])
@pytest.mark.parametrize("kind", FAILURES)
def test_python_cas_reads_a_failure_as_nobody(client: type[CASClientV2], kind: type[ProtocolError]) -> None:
    user, attributes, iou = client.verify_response(xml_failure(kind()))
    assert (user, attributes or None, iou) == (None, None, None)
