from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from casduo.errors import Problem, SettingsError
from casduo.yamlfile import Document, load_yaml, parse_yaml, resolve_plain


def problems_of_text(text: str | bytes) -> list[Problem]:
    content = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(SettingsError) as caught:
        parse_yaml(content, "f.yaml")
    return list(caught.value.problems)


def told(text: str | bytes) -> list[tuple[int, int, str]]:
    return [(problem.line, problem.column, problem.message) for problem in problems_of_text(text)]


def test_a_file_becomes_plain_data() -> None:
    data = parse_yaml(b"a: 1\nb: [x, true, null, 2.5]\nc: {d: 'e'}\nf: |\n  two\n  lines\n", "f").data
    assert data == {"a": 1, "b": ["x", True, None, 2.5], "c": {"d": "e"}, "f": "two\nlines\n"}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("no", "no"),
        ("off", "off"),
        ("0777", 777),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2026-01-31", "2026-01-31"),
        ("~", None),
        ("", None),
        ("True", True),
        ("-7", -7),
        (".5", 0.5),
        ("1e3", 1000.0),
        (".inf", ".inf"),
        ("12345678901234567890", "12345678901234567890"),
        ("=", "="),
    ],
)
def test_unquoted_words_follow_yaml_1_2(text: str, value: object) -> None:
    assert resolve_plain(text) == value
    assert type(resolve_plain(text)) is type(value)


def test_quoted_words_stay_text() -> None:
    assert parse_yaml(b"[\"true\", '1', !!str 2, ! 3]", "f").data == ["true", "1", "2", "3"]


def test_keys_are_always_text() -> None:
    assert parse_yaml(b"{1: a, true: b, no: c}", "f").data == {"1": "a", "true": "b", "no": "c"}


def test_every_key_has_its_place() -> None:
    document = parse_yaml(b"services:\n  - id: a\n    url:\n      - x\n      - y\n  - id: b\n", "f")
    assert document.position(("services",)) == (1, 1)
    assert document.position(("services", 0)) == (2, 5)
    assert document.position(("services", 0, "url")) == (3, 5)
    assert document.position(("services", 0, "url", 1)) == (5, 9)
    assert document.position(("services", 1, "id")) == (6, 5)


def test_an_unknown_place_is_that_of_the_nearest_parent() -> None:
    document = parse_yaml(b"a:\n  b: 1\n", "f")
    assert document.position(("a", "missing", 3)) == (1, 1)
    assert document.position(("missing",)) == (1, 1)
    assert Document("f").position(("a",)) == (0, 0)


def test_anchors_and_merge_keys_are_understood() -> None:
    text = (
        b"x-common: &common {a: 1, b: 2}\nx-more: &more {b: 3, c: 4}\nd:\n  <<: [*common, *more]\n  a: 9\ne: *common\n"
    )
    data = parse_yaml(text, "f").data
    assert data["d"] == {"a": 9, "b": 2, "c": 4}
    assert data["e"] == {"a": 1, "b": 2}


def test_a_merged_key_has_the_place_where_it_is_written() -> None:
    document = parse_yaml(b"x: &x\n  a: 1\ny:\n  <<: *x\n", "f")
    assert document.position(("y", "a")) == (2, 3)


def test_a_quoted_merge_key_is_an_ordinary_key() -> None:
    assert parse_yaml(b"'<<': 1", "f").data == {"<<": 1}


def test_characters_escaped_as_in_json_are_put_together() -> None:
    assert parse_yaml(b'{"a": "\\ud83d\\ude00"}', "f").data == {"a": "\U0001f600"}
    assert told('a: "\\ud83d"\n') == [(1, 4, "an escape names half a character")]


def test_an_empty_file_has_no_data() -> None:
    assert parse_yaml(b"", "f").data is None
    assert parse_yaml(b"# only a comment\n", "f").data is None


def test_a_byte_order_mark_is_ignored() -> None:
    assert parse_yaml(b"\xef\xbb\xbfa: 1\n", "f").data == {"a": 1}


@pytest.mark.parametrize(
    ("text", "line", "column", "sentence"),
    [
        ("a: 'x\nb: 2\n", 1, 4, "the quote that opens here is never closed"),
        ("a: 1\nb: [1, 2\n", 2, 4, "the list that opens here"),
        ("a: {b: 1\n", 1, 4, "the mapping that opens here"),
        ("a: 1\n\tb: 2\n", 2, 1, "a tab"),
        ("a: b: c\n", 1, 5, "unexpected ': '"),
        ("a:\n  - b\n c: d\n", 3, 2, "indentation"),
        ("a: 1\nfoo\n", 2, 1, "neither 'key: value'"),
        ("a: @x\n", 1, 4, "cannot begin with @"),
        ('a: "\\q"\n', 1, 6, "escape"),
        ("a: *x\n", 1, 4, "*x is not defined"),
        ("a: &x [*x]\n", 1, 8, "*x stands inside"),
        ("a: 1\n---\nb: 2\n", 2, 1, "second document"),
        ("? [a]\n: b\n", 1, 3, "a key must be plain text"),
        ("<<: 3\n", 1, 1, "must name a mapping"),
        ("a: !python/object:os.system x\n", 1, 4, "tags"),
        ("a: !!int x\n", 1, 4, "tags"),
        ("a: !!omap [x]\n", 1, 4, "tags"),
        ("a: \x07\n", 1, 4, "control character U+0007"),
        ('a: "\\UFFFFFFFF"\n', 1, 1, "cannot be read"),
    ],
)
def test_a_mistake_is_told_in_words_at_its_place(text: str, line: int, column: int, sentence: str) -> None:
    problems = told(text)
    assert [problem[:2] for problem in problems] == [(line, column)]
    assert sentence in problems[0][2]


def test_keys_written_twice_are_all_told() -> None:
    assert told("a: 1\na: 2\nb: {c: 1, c: 2}\n") == [
        (2, 1, "is written twice, first in line 1"),
        (3, 11, "is written twice, first in line 3"),
    ]


def test_mistakes_in_several_entries_are_all_told() -> None:
    text = """\
services:
  - id: ada
    name: 'x
  - id: grace
    url: [1, 2
  - id: linus
    name: a: b
\t- id: dennis
"""
    assert [problem[:2] for problem in told(text)] == [(3, 11), (5, 10), (7, 12), (8, 1)]


def test_a_key_written_twice_is_told_beside_a_syntax_error() -> None:
    assert [problem[0] for problem in told("a: 1\na: 2\nb: 'x\n")] == [2, 3]


def test_bytes_that_are_not_utf_8_are_told_with_their_places() -> None:
    assert told("name: Bücherei\nx: é\n".encode("latin-1")) == [
        (1, 8, "byte 0xFC is not UTF-8; save the file as UTF-8"),
        (2, 4, "byte 0xE9 is not UTF-8; save the file as UTF-8"),
    ]


def test_utf_16_is_named() -> None:
    assert "UTF-16" in told("a: 1".encode("utf-16"))[0][2]


def test_a_large_file_is_refused() -> None:
    assert "larger than 5 MB" in told(b"a: " + b"x" * 5_000_000)[0][2]


def test_more_than_a_hundred_anchors_are_refused() -> None:
    assert told("".join(f"a{n}: &a{n} x\n" for n in range(120)))[0][2] == "more than 100 anchors"
    assert parse_yaml("".join(f"a{n}: &a{n} x\n" for n in range(100)).encode(), "f").data["a99"] == "x"


def test_a_small_file_does_not_unfold_into_a_huge_one() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    assert "a million values" in told("\n".join(lines))[0][2]


@pytest.mark.parametrize("text", ["[" * 10_000, "{a: " * 10_000, "- " * 10_000, "? " * 1000])
def test_deep_nesting_is_refused(text: str) -> None:
    assert "nested deeper" in told(text)[0][2]


def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path) -> None:
    for path in (tmp_path / "missing.yaml", tmp_path, Path("a\0b")):
        with pytest.raises(SettingsError, match="cannot be read"):
            load_yaml(path)


def test_a_file_is_loaded_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "f.yaml"
    path.write_text("a: ü\n", encoding="utf-8")
    assert load_yaml(path).data == {"a": "ü"}
    assert load_yaml(path).file == str(path)


def test_a_problem_names_file_line_and_key() -> None:
    document = parse_yaml(b"services:\n  - requires_duo:\n      fail: never\n", "registry.yaml")
    problem = document.problem(("services", 0, "requires_duo", "fail"), "must be closed or open")
    assert str(problem) == "registry.yaml:3:7: error: services[0].requires_duo.fail: must be closed or open"


@pytest.mark.parametrize("name", ["registry.yaml", "casduo.example.yaml"])
def test_both_parsers_read_the_samples_alike(name: str) -> None:
    content = (Path(__file__).parents[2] / name).read_bytes()
    fast, slow = parse_yaml(content, name), parse_yaml(content, name, pure=True)
    assert fast.data == slow.data
    assert fast._root == slow._root


_yaml_like = st.text(alphabet=st.sampled_from("ab:- \n\t'\"[]{},&*!|>%#?\\<~1.é\x85"), max_size=60)


@settings(max_examples=300, deadline=None)
@given(st.one_of(_yaml_like.map(str.encode), st.binary(max_size=60)))
@example(b"%YAML 3.0\n---\na")
@example(b"%TAG ! tag:x,2000:\n---\n!a b")
@example(b'"\\UFFFFFFFF"')
@example(b"!<\xff>")
@example(b"? a\n? b")
@example(b"a: !!binary x")
@example(b"&a a: *a")
@example(b"<<: *a")
@example(b"a: |9\n b")
@example(b"...\n...")
def test_no_input_makes_reading_fail_otherwise_than_by_problems(content: bytes) -> None:
    data, problems = outcome(content)
    assert json.loads(json.dumps(data)) == data
    assert all(problem.message and problem.line >= 0 for problem in problems)
    assert (data is None) or not problems


def outcome(content: bytes) -> tuple[object, tuple[Problem, ...]]:
    try:
        return parse_yaml(content, "f").data, ()
    except SettingsError as error:
        return None, error.problems


@settings(max_examples=100, deadline=None)
@given(
    st.recursive(
        st.one_of(st.none(), st.booleans(), st.integers(-(10**17), 10**17), st.text(max_size=12)),
        lambda inner: st.one_of(
            st.lists(inner, max_size=4), st.dictionaries(st.text("abc_", min_size=1, max_size=5), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_what_a_yaml_writer_wrote_is_read_back(data: object) -> None:
    class Sink:
        written = b""

        def write(self, chunk: bytes) -> None:
            self.written += chunk

    sink = Sink()
    writer = YAML(typ="safe", pure=True)
    writer.allow_unicode = False
    # What it folds before a space it reads otherwise itself.
    writer.width = 10_000
    writer.dump(data, sink)
    assert parse_yaml(sink.written, "f").data == data
