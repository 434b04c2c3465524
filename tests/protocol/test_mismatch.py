"""How the service of a validation differs from that of its ticket: the kinds, and that no value is told."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from casduo.protocol.mismatch import MAX_SHOWN, Mismatch, compare, other_entry, shown
from casduo.services.urls import WEB_SCHEMES, parse_service

SCHEMES = WEB_SCHEMES | {"imaps"}
SECRET = "s3cret"


def mismatch(granted: str, presented: str, schemes: frozenset[str] = SCHEMES) -> Mismatch:
    return compare(granted, parse_service(presented, SCHEMES), "payroll", schemes)


@pytest.mark.parametrize(
    ("granted", "presented", "kind", "difference"),
    [
        ("https://a.example.edu/x", "http://a.example.edu/x", "https_lost", "scheme: https and http"),
        ("http://a.example.edu/x", "https://a.example.edu/x", "https_added", "scheme: http and https"),
        ("imaps://a.example.edu", "https://a.example.edu", "host", "scheme: imaps and https"),
        (
            "https://a.example.edu/x",
            "https://a-01.intern/x",
            "host",
            "host: a.example.edu and a-01.intern",
        ),
        ("https://a.example.edu/x", "https://a.example.edu:8443/x", "port", "port: 443 and 8443"),
        ("https://a.example.edu/x/", "https://a.example.edu/x", "slash", "path: segment 2 is '' and missing"),
        ("https://a.example.edu/X", "https://a.example.edu/x", "case", "path: segment 1 is 'X' and 'x'"),
        ("https://a.example.edu/a%2520b", "https://a.example.edu/a%20b", "encoding", "path: segment 1 is"),
        ("https://a.example.edu/in", "https://a.example.edu/out", "path", "path: segment 1 is 'in' and 'out'"),
        ("https://a.example.edu/?a=1&b=2", "https://a.example.edu/?b=2&a=1", "order", "in another order"),
        ("https://a.example.edu/?q=1&q=2", "https://a.example.edu/?q=2&q=1", "order", "in another order"),
        ("https://a.example.edu/?a=x%2520y", "https://a.example.edu/?a=x%20y", "encoding", "values of 'a' differ"),
        ("https://a.example.edu/?a=1&b=2", "https://a.example.edu/?a=1", "lost_parameter", "'b' at login only"),
        ("https://a.example.edu/", "https://a.example.edu/?b=2", "added_parameter", "'b' at validation only"),
        ("https://a.example.edu/?a=1", "https://a.example.edu/?a=2", "value", "values of 'a' differ"),
        ("https://a.example.edu/?a=1", "https://a.example.edu/?b=1", "parameters", "'a' and 'b' in the same place"),
        ("https://a.example.edu/x", "https://A.example.edu/x", "spelling", "service_match: exact"),
    ],
)
def test_the_kind_and_the_first_difference(granted: str, presented: str, kind: str, difference: str) -> None:
    found = mismatch(granted, presented)
    assert found.kind == kind
    assert difference in found.difference
    assert found.granted_entry == "payroll"


@pytest.mark.parametrize(
    ("granted", "presented", "loosely"),
    [
        ("https://a.example.edu/x/?a=1&b=2", "https://a.example.edu/X?b=2&a=1", True),
        ("https://a.example.edu/?a=x%2520y", "https://a.example.edu/?a=x%20y", True),
        ("https://a.example.edu/?a=1", "https://a.example.edu/?a=2", False),
        ("https://a.example.edu/", "http://a.example.edu/", False),
    ],
)
def test_whether_a_loose_comparison_would_do(granted: str, presented: str, loosely: bool) -> None:
    assert mismatch(granted, presented).loosely_same is loosely


def test_numbers_stand_for_values_the_same_for_the_same() -> None:
    found = mismatch(
        f"https://a.example.edu/x?user=ada&key={SECRET}&who=ada&empty=&{SECRET}0#part",
        "https://a.example.edu/x?user=grace&key=s3cret&who=ada&empty=",
    )
    assert found.granted == "https://a.example.edu/x?user=[1]&key=[2]&who=[1]&empty=&[3]"
    assert found.presented == "https://a.example.edu/x?user=[4]&key=[2]&who=[1]&empty="
    assert SECRET not in f"{found} {found!r}"


def test_a_parameter_without_a_name_is_a_value() -> None:
    found = mismatch(f"https://a.example.edu/?{SECRET}", "https://a.example.edu/")
    assert str(found) == "https://a.example.edu/?[1] is not https://a.example.edu/: query: '[1]' at login only"


def test_of_many_parameters_a_few_are_named() -> None:
    many = "&".join(f"p{number}=1" for number in range(8))
    assert mismatch(f"https://a.example.edu/?{many}", "https://a.example.edu/").difference == (
        "query: 'p0', 'p1', 'p2' and 5 more at login only"
    )


def test_long_services_are_cut() -> None:
    long = "https://a.example.edu/" + "x" * 4000
    found = mismatch(long, f"{long}/?{'n' * 3000}=1")
    assert len(found.granted) == len(found.presented) == MAX_SHOWN
    assert len(found.difference) < 400
    assert len(shown(parse_service(long))) == MAX_SHOWN


def test_a_service_whose_scheme_is_unknown_now_says_so() -> None:
    found = mismatch("imaps://mail.example.edu", "https://mail.example.edu/", WEB_SCHEMES)
    assert (found.kind, found.granted, found.presented) == ("scheme_gone", "", "https://mail.example.edu/")
    assert str(found) == "the service of the ticket cannot be read any more: scheme"


def test_the_right_service_with_another_entry_names_both() -> None:
    found = other_entry(parse_service(f"https://a.example.edu/?k={SECRET}"), "payroll", "wages")
    assert (found.kind, found.granted_entry) == ("entry", "payroll")
    assert str(found) == "granted for entry payroll, presented for wages"
    assert found.presented == "https://a.example.edu/?k=[1]"


_TEXT = st.text("abAB%25 +&=?/é", max_size=12)
_URL = st.builds("{}://{}{}/{}?{}".format, st.sampled_from(["http", "https"]), st.sampled_from(["a.edu", "b.edu"]),
                 st.sampled_from(["", ":8443"]), _TEXT.filter(lambda text: "?" not in text), _TEXT)  # fmt: skip


@given(_URL, _URL)
def test_whatever_differs_there_is_a_kind_and_a_sentence(one: str, other: str) -> None:
    found = mismatch(one, other)
    same = parse_service(one).canonical == parse_service(other).canonical
    assert (found.kind == "spelling") == same
    assert found.difference
    if not same and found.kind not in ("order", "encoding"):
        assert found.granted != found.presented


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(10**8, 10**9)), min_size=1, max_size=5), st.data())
def test_no_value_is_ever_told(pairs: list[tuple[str, int]], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(pairs))
    one = "https://a.example.edu/?" + "&".join(f"{name}={value}" for name, value in pairs)
    other = "https://a.example.edu/?" + "&".join(f"{name}={value}" for name, value in shuffled[1:])
    told = f"{mismatch(one, other)!r}"
    assert not any(str(value) in told for _, value in pairs)
