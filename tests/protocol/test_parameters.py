"""Reading query and form: one meaning for every request, or none."""

from __future__ import annotations

from urllib.parse import parse_qsl, quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from casduo.errors import BadRequest
from casduo.protocol.parameters import MAX_BYTES, Parameters, parse_parameters

SERVICE = "https://library.example.edu/a?x=1&x=2"


def reason_of(query: str, body: bytes = b"") -> str:
    with pytest.raises(BadRequest) as caught:
        parse_parameters(query, body)
    return caught.value.reason


def test_values_are_decoded_once() -> None:
    found = parse_parameters(f"service={quote(SERVICE, safe='')}&ticket=ST-1&name=a+b%2Bc%252F")
    assert dict(found) == {"service": SERVICE, "ticket": "ST-1", "name": "a b+c%2F"}


def test_names_are_case_sensitive() -> None:
    found = parse_parameters("SERVICE=a&Ticket=b")
    assert "service" not in found
    assert "ticket" not in found


@pytest.mark.parametrize("query", ["service=", "service", "", "&&", "service=&ticket="])
def test_blank_is_absent(query: str) -> None:
    assert dict(parse_parameters(query)) == {}


def test_a_blank_one_beside_a_filled_one_is_no_contradiction() -> None:
    assert parse_parameters("service=&service=x")["service"] == "x"


@pytest.mark.parametrize(
    "name", ["service", "ticket", "TARGET", "SAMLart", "pgt", "targetService", "pgtUrl", "execution", "state"]
)
def test_two_different_values_are_refused_the_same_one_twice_is_fine(name: str) -> None:
    assert reason_of(f"{name}=a&{name}=b") == "repeated"
    assert reason_of(f"{name}=a&x=1&{name}=a%20") == "repeated"
    assert reason_of(f"{name}=a", f"{name}=b".encode()) == "repeated"
    assert parse_parameters(f"{name}=a&{name}=a", f"{name}=a".encode())[name] == "a"


def test_the_query_wins_over_the_body() -> None:
    found = parse_parameters("renew=true&format=XML", b"renew=false&format=JSON&warn=true")
    assert dict(found) == {"renew": "true", "format": "XML", "warn": "true"}


@pytest.mark.parametrize("query", ["service=%FF", "x=%C3", "%C3=1", "x=%ED%A0%80", "service=\u00ff", "x=\u00c3"])
def test_what_is_not_utf8_is_refused(query: str) -> None:
    assert reason_of(query) == "encoding"
    assert reason_of("", query.encode("latin-1")) == "encoding"


def test_utf8_that_nobody_encoded_is_read_as_if_it_had_been() -> None:
    # mod_auth_cas and people at a command line send it raw; a WSGI server hands it over as Latin-1.
    raw = "service=https://library.example.edu/ü&name=Zoë+\U0001f600".encode()
    expected = {"service": "https://library.example.edu/ü", "name": "Zoë \U0001f600"}
    assert dict(parse_parameters(raw.decode("latin-1"))) == expected
    assert dict(parse_parameters("", raw)) == expected


def test_a_query_that_no_server_can_have_received_is_refused() -> None:
    assert reason_of("service=\U0001f600") == "encoding"


@pytest.mark.parametrize("name", ["service", "TARGET", "targetService", "pgtUrl"])
@pytest.mark.parametrize("control", ["\x00", "\t", "\n", "\r", "\x1f", "\x7f"])
def test_control_characters_in_an_address_are_refused(name: str, control: str) -> None:
    assert reason_of(f"{name}=https://library.example.edu/{quote(control)}") == "control"
    assert reason_of("", f"{name}={quote(control)}".encode()) == "control"


def test_control_characters_elsewhere_are_for_others_to_judge() -> None:
    assert parse_parameters("password=%00%0A")["password"] == "\x00\n"


def test_a_broken_escape_stays_as_it_is() -> None:
    assert parse_parameters("name=%zz%2")["name"] == "%zz%2"


def test_too_much_is_refused_before_it_is_read() -> None:
    assert reason_of("a" * (MAX_BYTES + 1)) == "too_long"
    assert reason_of("", b"a" * (MAX_BYTES + 1)) == "too_long"
    assert reason_of("&".join(f"a{number}=1" for number in range(101))) == "too_many"
    assert reason_of("", b"&" * 200) == "too_many"


@pytest.mark.parametrize("value", ["", "false", "FALSE", "0", "no", "off", "Off", "%20false%20"])
def test_a_flag_that_says_no_is_not_set(value: str) -> None:
    assert not parse_parameters(f"renew={value}").flag("renew")


@pytest.mark.parametrize("value", ["true", "TRUE", "1", "yes", "on", "anything"])
def test_any_other_value_sets_a_flag(value: str) -> None:
    assert parse_parameters(f"renew={value}").flag("renew")


def test_an_absent_flag_is_not_set() -> None:
    assert not parse_parameters("").flag("renew")


def test_values_do_not_show_in_a_representation() -> None:
    shown = repr(parse_parameters("ticket=ST-secret&password=hunter2"))
    assert "secret" not in shown
    assert "hunter2" not in shown
    assert "ticket" in shown


TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1)


@given(st.dictionaries(TEXTS, TEXTS, max_size=20))
@settings(deadline=None)
def test_what_a_client_encodes_is_what_is_read(fields: dict[str, str]) -> None:
    encoded = urlencode(fields)
    assert dict(parse_parameters(encoded)) == fields
    assert dict(parse_parameters("", encoded.encode())) == fields


@given(st.text(st.characters(max_codepoint=255)), st.binary())
@settings(deadline=None)
def test_anything_is_read_or_refused(query: str, body: bytes) -> None:
    try:
        found = parse_parameters(query, body)
    except BadRequest as error:
        found, reason = Parameters({}), error.reason
    else:
        reason = ""
    assert reason in {"", "encoding", "repeated", "control", "too_many", "too_long"}
    assert all(found.values())
    "".join(found.values()).encode()


@settings(deadline=None)
@given(st.text(st.sampled_from("abc=&+%24C\x01"), max_size=40))
def test_queries_are_decoded_as_the_standard_library_does(query: str) -> None:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, encoding="utf-8", errors="strict")
        expected: object = {name: value for name, value in reversed(pairs) if value}
    except UnicodeDecodeError:
        expected = "encoding"
    assert _read(query) == expected


def _read(query: str) -> object:
    try:
        return dict(parse_parameters(query, single=()))
    except BadRequest as error:
        return error.reason
