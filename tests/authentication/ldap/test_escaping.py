from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.authentication.ldap.escaping import escape_dn, escape_filter, fill_dn, fill_filter, same_dn


@pytest.mark.parametrize(
    ("value", "escaped"),
    [
        ("ada", "ada"),
        ("ada.lovelace@example.edu", "ada.lovelace@example.edu"),
        ("*", r"\2a"),
        ("a(b)c", r"a\28b\29c"),
        ("back\\slash", r"back\5cslash"),
        ("nul\0", r"nul\00"),
        (" ada ", r"\20ada\20"),
        ("a&b|c!d=e", r"a\26b\7cc\21d\3de"),
        ("é", r"\c3\a9"),
    ],
)
def test_a_filter_value_stays_a_value(value: str, escaped: str) -> None:
    assert escape_filter(value) == escaped


@pytest.mark.parametrize(
    ("value", "escaped"),
    [
        ("ada", "ada"),
        ("a,b", r"a\,b"),
        ("a+b", r"a\+b"),
        ('a"b', r"a\"b"),
        ("a\\b", r"a\\b"),
        ("a<b>c", r"a\<b\>c"),
        ("a;b", r"a\;b"),
        ("a=b", r"a\=b"),
        ("#ada", r"\23ada"),
        ("a#da", "a#da"),
        (" ada ", r"\20ada\20"),
        (" ", r"\20"),
        ("two words", "two words"),
        ("nul\0", r"nul\00"),
        ("line\nbreak", r"line\0abreak"),
        ("żółć", "żółć"),
    ],
)
def test_a_name_value_stays_a_value(value: str, escaped: str) -> None:
    assert escape_dn(value) == escaped


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_filter_value_can_be_read_back_and_holds_nothing_special(value: str) -> None:
    escaped = escape_filter(value)

    assert not set(escaped) & set("*()\0 &|!=<>~")
    octets = re.sub(rb"\\([0-9a-f]{2})", lambda found: bytes([int(found[1], 16)]), escaped.encode())
    assert octets.decode() == value


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_every_name_value_can_be_read_back(value: str) -> None:
    escaped = escape_dn(value)

    assert not re.search(r'(?<!\\)(?:\\\\)*[+,;<>"=\0]', escaped)
    assert escaped == escaped.strip(" ")
    plain = re.sub(
        r"\\([0-9a-f]{2}|.)", lambda found: found[1] if len(found[1]) == 1 else chr(int(found[1], 16)), escaped
    )
    assert plain == value


def test_every_place_of_a_template_is_filled_and_nothing_else_is_read_into_it() -> None:
    assert fill_filter("(|(uid={username})(mail={username}))", "a*") == r"(|(uid=a\2a)(mail=a\2a))"
    assert fill_filter("(uid={username})", "{username}") == r"(uid=\7busername\7d)"
    assert fill_dn("uid={username},ou={other},dc=example", "a,b") == r"uid=a\,b,ou={other},dc=example"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("uid=ada,ou=people,dc=example,dc=edu", "UID=Ada, OU=People,DC=example , DC=edu"),
        (r"cn=Lovelace\, Ada,dc=example", r"cn=Lovelace\2C Ada,dc=example"),
        (r"uid=\c5\bc\c3\b3\c5\82\c4\87,dc=example", "uid=żółć,dc=example"),
        ("uid=two words,dc=example", "userid=two  words,dc=example"),
        ("uid=a+mail=a@example.edu,dc=example", "uid=a + mail=A@example.edu,dc=example"),
    ],
)
def test_a_name_is_the_same_however_it_is_spelled(one: str, other: str) -> None:
    assert same_dn(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("uid=ada,ou=people,dc=example", "uid=grace,ou=people,dc=example"),
        ("uid=ada,ou=people,dc=example", "uid=ada,ou=guests,dc=example"),
        ("uid=ada,ou=people,dc=example", "uid=ada,dc=example"),
        (r"uid=ada\,ou=people,dc=example", "uid=ada,ou=people,dc=example"),
        ("uid=ada,dc=example", ""),
    ],
)
def test_another_name_is_another(one: str, other: str) -> None:
    assert not same_dn(one, other)


@given(st.text(min_size=1))
def test_any_name_is_the_same_as_itself_with_every_octet_escaped(value: str) -> None:
    try:
        octets = value.encode()
    except UnicodeEncodeError:
        return
    escaped = "".join(f"\\{octet:02x}" for octet in octets)
    assert same_dn(fill_dn("uid={username},dc=example", value), f"uid={escaped},dc=example")
