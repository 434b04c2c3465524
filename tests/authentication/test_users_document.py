from __future__ import annotations

import pytest

from casduo.authentication.users_document import is_username, read_users
from casduo.errors import Problem, SettingsError

HASH = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNoaGFzaA"
QUOTED = f"'{HASH}'"
OTHER_HASH = HASH.replace("c2Fs", "c2Ft")


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(SettingsError) as refused:
        read_users(text, "users.yaml")
    return refused.value.problems


def test_a_full_record_is_read() -> None:
    users = read_users(
        f"""\
# the first programmer
ada:
  password: "{HASH}"
  name: Ada Lovelace
  attributes:
    mail: ada@example.edu
    groups: [staff, founders]
  pin: {OTHER_HASH}
  disabled: true
  locked: true
  must_change: true
  expires: 2027-01-31
""",
        "users.yaml",
    )

    ada = users["ada"]
    assert (ada.username, ada.password, ada.name, ada.pin) == ("ada", HASH, "Ada Lovelace", OTHER_HASH)
    assert ada.attributes == {"mail": ("ada@example.edu",), "groups": ("staff", "founders")}
    assert (ada.disabled, ada.locked, ada.must_change) == (True, True, True)
    assert ada.expires == 1801353600.0


def test_a_short_record_is_enough() -> None:
    grace = read_users(f"grace: {{password: {QUOTED}}}", "users.yaml")["grace"]

    assert (grace.name, grace.attributes, grace.pin, grace.expires) == ("", {}, "", None)
    assert not any((grace.disabled, grace.locked, grace.must_change))


@pytest.mark.parametrize("text", ["", "# nobody yet\n", "{}"])
def test_a_file_without_users_is_fine(text: str) -> None:
    assert read_users(text, "users.yaml") == {}


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2027-01-31", 1801353600.0),
        ("2027-01-31 12:00:00", 1801396800.0),
        ("2027-01-31T12:00:00Z", 1801396800.0),
        ("2027-01-31T12:00:00+02:00", 1801389600.0),
    ],
)
def test_expiry_is_a_date_or_a_moment_in_utc_unless_it_says_otherwise(written: str, moment: float) -> None:
    assert read_users(f"ada: {{password: {QUOTED}, expires: {written}}}", "u")["ada"].expires == moment


def test_hashes_show_in_no_representation() -> None:
    ada = read_users(f"ada: {{password: {QUOTED}, pin: {QUOTED}}}", "u")["ada"]

    assert "argon2" not in repr(ada)


def test_every_problem_is_told_with_its_place() -> None:
    found = problems(
        f"""\
ada:
  password: secret-in-plain-text
grace:
  password: {HASH}
  colour: red
  disabled: maybe
Ada Lovelace:
  password: {HASH}
linus: true
margaret:
  name: [Margaret]
  attributes:
    age: 88
barbara:
  password: {HASH}
  expires: soon
  attributes: none
"""
    )

    assert [(problem.line, problem.path) for problem in found] == [
        (2, "ada.password"),
        (5, "grace.colour"),
        (6, "grace.disabled"),
        (7, "Ada Lovelace"),
        (9, "linus"),
        (10, "margaret.password"),
        (11, "margaret.name"),
        (13, "margaret.attributes.age"),
        (17, "barbara.attributes"),
        (16, "barbara.expires"),
    ]
    assert "secret-in-plain-text" not in " ".join(map(str, found))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"ada: {{password: {QUOTED}}}\nada: {{password: {QUOTED}}}\n", 2),
        ("ada: [unclosed\n", 1),
        ("- ada\n- grace\n", 1),
        ("just text", 1),
        (f"ada: {{password: {QUOTED}, expires: 2027-13-45}}", 1),
        ("ada: \x07", 1),
    ],
)
def test_what_is_not_such_a_file_at_all_is_told(text: str, line: int) -> None:
    (problem,) = problems(text)

    assert problem.line == line


def test_names_that_differ_in_case_only_are_refused() -> None:
    (problem,) = problems(f"ada: {{password: {QUOTED}}}\nAda: {{password: {QUOTED}}}\n")

    assert problem.line == 2
    assert "'ada'" in problem.message


@pytest.mark.parametrize("name", ["ada", "ada.lovelace", "ada@example.edu", "a-d+a_1", "7", "a" * 128])
def test_names_that_can_be(name: str) -> None:
    assert is_username(name)


@pytest.mark.parametrize("name", ["", "-ada", ".ada", "ada lovelace", "ada\n", "adä", "ada/x", "a" * 129, "ada:x", "*"])
def test_names_that_cannot_be(name: str) -> None:
    assert not is_username(name)


def test_a_hash_that_somebody_forgot_to_quote_is_not_repeated() -> None:
    found = problems(f"ada: {{password: {HASH}}}")

    assert [problem.path for problem in found] == ["ada.(key)", "ada.(key)", "ada.password"]
    assert "c2FsdHNhbHQ" not in " ".join(map(str, found))


def test_a_problem_of_a_merged_record_has_the_place_where_it_is_written() -> None:
    found = problems(f"ada: &usual\n  password: {HASH}\n  disabled: maybe\ngrace:\n  <<: *usual\n  name: Grace\n")

    assert [(problem.line, problem.path) for problem in found] == [(3, "ada.disabled"), (3, "grace.disabled")]


def test_an_attribute_without_values_is_none() -> None:
    assert read_users(f"ada: {{password: {QUOTED}, attributes: {{groups: []}}}}", "u")["ada"].attributes == {}


def test_a_long_name_is_told() -> None:
    name = "margaret.hamilton@apollo.guidance.example.edu"
    (problem,) = problems(f"{name}: {{password: {QUOTED}, disabled: maybe}}")

    assert problem.path == f"{name}.disabled"


def test_a_name_that_looks_like_a_number_is_a_name() -> None:
    assert list(read_users(f"007: {{password: {QUOTED}}}\n1815-12-10: {{password: {QUOTED}}}", "u")) == [
        "007",
        "1815-12-10",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "ada: {password: *analytical}",
        "ada: &analytical {password: *analytical}",
        # One hash without quotes, twice: what is after its last comma is a key, twice.
        f"ada: {{password: {HASH}, pin: {HASH}}}",
        "ada: [analytical, 'analytical",
        "ada: {password: !analytical x}",
    ],
)
def test_a_secret_that_makes_it_bad_yaml_is_not_repeated(text: str) -> None:
    told = " ".join(map(str, problems(text)))

    assert "analytical" not in told
    assert "c2FsdHNhbHQ" not in told


def test_a_file_of_thousands_of_users_is_larger_than_other_files_may_be() -> None:
    users = "".join(f"person{number}: {{password: {QUOTED}, name: {'x' * 10_000}}}\n" for number in range(600))

    assert len(read_users(users, "users.yaml")) == 600


def test_a_file_that_nobody_writes_is_refused_for_its_size() -> None:
    (problem,) = problems("#" * 50_000_001)

    assert problem.message == "larger than 50 MB"
