"""An explanation as an administrator reads it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from casduo.explanation import Person, as_text, explain
from casduo.services.clients import with_client_defaults
from casduo.services.index import Registry
from casduo.services.model import RegisteredService
from casduo.settings import Settings

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC).timestamp()
GRACE = Person("grace", {"mail": ("grace@example.edu",), "memberOf": ("cn=staff,ou=groups,dc=example",)}, "campus")
SETTINGS = Settings.model_validate(
    {
        "authentication": [{"type": "users_file", "name": "local", "path": "users.yaml"}],
        "duo": {
            "api_host": "api-12345678.duosecurity.com",
            "universal": {"client_id": "D" * 20, "client_secret": "s" * 40},
        },
    }
)


def written(url: str = "https://app.example.edu/", *, person: Person | None = None, **keys: Any) -> str:
    service = RegisteredService.model_validate(
        {"id": "app", "name": "App", "url": "https://app.example.edu/**", **keys}
    )
    return as_text(explain(url, Registry([service], "v1"), SETTINGS, NOON, person=person))


def section(text: str, title: str) -> list[str]:
    """Return the lines below a title; exactly one title must begin so."""
    (found,) = [part for part in text.split("\n\n") if part.startswith(title)]
    return found.splitlines()[1:]


def test_the_verdict_is_the_first_line() -> None:
    assert written(person=GRACE).splitlines()[0] == "grace gets into App with the password alone."
    assert written("https://other.example.edu/").splitlines()[0].startswith("No entry of the registry has this URL")


def test_the_sections_come_in_the_order_of_a_sign_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casduo.services.lint.NOT_YET_IN_FORCE", ("warn",))
    text = written(person=GRACE, requires_duo=True, warn=True)
    assert [part.splitlines()[0] for part in text.split("\n\n")] == [
        "grace gets into App with the password and Duo.",
        "URL",
        "Registry, state v1",
        "Person",
        "Sign-in",
        "Access: granted",
        "Duo: required",
        "How Duo is asked",
        "The application is told",
        "How it is answered",
        "Proxying: not allowed",
        "Sign-out",
        "Answer of /p3/serviceValidate before Duo, when no ticket is made yet",
        "Answer of /p3/serviceValidate after Duo",
        "Answer of /p3/serviceValidate for somebody whom Duo lets pass",
        "Written in the entry, without effect yet",
    ]


def test_columns_are_aligned_and_a_long_cell_shifts_its_own_row_only() -> None:
    group = "x" * 80
    text = written(person=GRACE, access={"until": "2027-01-01", "groups": [group], "reason": "Staff only."})
    assert section(text, "Access") == [
        "  met         it must be before 2027-01-01 00:00 UTC  it is 2026-06-01 12:00 UTC",
        f"  not met     the person must be in {group}  grace is in cn=staff,ou=groups,dc=example, staff",
        "  if refused  people read: Staff only.",
    ]


def test_who_is_refused_before_duo_is_not_asked_and_the_title_says_so() -> None:
    text = written(person=GRACE, requires_duo=True, access={"groups": ["nobody"]})
    assert "\nDuo: required; not asked for, as people are refused before\n" in text


def test_what_it_depends_on_stands_in_the_title_with_the_option_that_gives_it() -> None:
    text = written(requires_duo={"when": {"networks": "10.0.0.0/8"}}, access={"groups": ["staff"]})
    assert "\nAccess: depends on the person\n" in text
    assert "\nDuo: depends on the address\n" in text
    assert "Answer of the validation: depends on the person (--user) and the address (--address)\n" in text


@pytest.mark.parametrize(
    ("keys", "why"),
    [
        ({"protocols": ["saml1"]}, "no CAS protocol is allowed"),
        ({"pairwise_id": True}, "depends on the key of pairwise ids"),
    ],
)
def test_why_there_is_no_answer_is_told(keys: dict[str, Any], why: str) -> None:
    assert f"\nAnswer of the validation: {why}\n" in written(person=GRACE, **keys)


def test_a_person_of_a_directory_comes_with_what_it_cannot_tell() -> None:
    unjudged = Person("grace", {}, "campus", judged=False)
    assert section(written(person=unjudged), "Person") == [
        "  user name  grace  known to campus; whether the account is locked or expired shows only at a sign-in"
    ]


def test_group_names_that_rules_may_use_are_told_where_the_directory_writes_others() -> None:
    assert section(written(person=GRACE), "Person") == [
        "  user name      grace  known to campus",
        "  mail           grace@example.edu",
        "  memberOf       cn=staff,ou=groups,dc=example",
        "  rules may say  staff",
    ]


def test_a_made_up_person_is_called_that() -> None:
    assert section(written(person=Person("somebody")), "Person") == [
        "  user name  somebody  made up: nobody was looked up"
    ]


def test_a_value_without_effect_says_so_where_somebody_wrote_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("casduo.explanation.dealings.NOT_YET_IN_FORCE", ("response", "multivalue"))
    lines = section(written(response="post"), "How it is answered")
    rows = [re.split(" {2,}", line.strip()) for line in lines]
    assert ["response", "post", "from the entry", "without effect yet: the ticket travels in a form"] in rows
    assert ["multivalue", "repeat", "default", "in XML an element for each value"] in rows


@pytest.mark.parametrize(
    ("mode", "title", "first"),
    [
        ("required", "Duo: required", "grace gets into App with the password and Duo."),
        (
            "optional",
            "Duo: required of people who have a device",
            "grace gets into App with the password, and Duo if there is a device.",
        ),
        (
            "report",
            "Duo: not asked for, only reported",
            "grace gets into App with the password alone; that Duo would be required is only reported.",
        ),
    ],
)
def test_each_mode_has_its_words(mode: str, title: str, first: str) -> None:
    text = written(person=GRACE, requires_duo={"mode": mode})
    assert text.splitlines()[0] == first
    assert f"\n{title}\n" in text
    assert "Modes of the rule" not in text


def test_modes_by_date_are_listed_with_the_one_in_force() -> None:
    mode = {"report": "2026-05-01", "optional": "2026-06-01", "required": "2026-07-01T08:00"}
    assert section(written(requires_duo={"mode": mode}), "Modes of the rule") == [
        "  over      report    from 2026-05-01 00:00 UTC",
        "  in force  optional  from 2026-06-01 00:00 UTC",
        "  to come   required  from 2026-07-01 08:00 UTC",
    ]


def test_nothing_from_outside_moves_the_terminal() -> None:
    person = Person("grace", {"mail": ("\x1b[2Jgrace\r\u202e",)})
    text = written("https://app.example.edu/?q=\x1b[31m", person=person) + written(person=person, attributes=["mail"])
    assert "\\x1b[2Jgrace\\r\\u202e" in text
    assert text.replace("\n", "").isprintable()


def test_sign_in_says_whether_a_session_is_enough_and_who_is_asked_first() -> None:
    assert section(written(), "Sign-in") == ["  password  checked by local", "  session   a live one is enough"]
    assert section(written(single_sign_on=False, warn=True), "Sign-in") == [
        "  password  checked by local",
        "  session   not enough: the password is asked each time",
        "  warning   people are asked before they are sent on",
    ]


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"accept_remember_me": False}, "a live one is enough, if it is not a remembered one"),
        ({"authentication": ["local"]}, "a live one is enough, if one of them has checked the password"),
        (
            {"session": {"lifetime": "4h", "idle": "30m"}},
            "a live one is enough, if the password was given no more than 4h ago and it was used no more than 30m ago",
        ),
        ({"accept_remember_me": False, "single_sign_on": False}, "not enough: the password is asked each time"),
    ],
)
def test_what_a_session_must_be_like_is_told(keys: dict[str, Any], sentence: str) -> None:
    assert section(written(**keys), "Sign-in")[1] == f"  session   {sentence}"


def test_what_is_done_to_values_stands_beside_them() -> None:
    attributes = {
        "account": {"from": "mail", "match": "(.+)@.+", "replace": r"\1", "case": "upper"},
        "staff": {"from": "memberOf", "match": "cn=staff,.*"},
        "phone": "telephoneNumber",
        "none": {"from": "mail", "match": "x"},
        "org": {"static": "EDU"},
    }
    assert section(written(person=GRACE, attributes=attributes), "The application is told") == [
        "  user     grace                          the user name of the sign-in",
        r"  account  GRACE                          attribute mail, only what matches (.+)@.+, as \1, in upper case",
        "  staff    cn=staff,ou=groups,dc=example  attribute memberOf, only what matches cn=staff,.*",
        "  phone    -                              the person has no attribute telephoneNumber",
        "  none     -                              only what matches x; none of the values of mail is left: "
        "grace@example.edu",
        "  org      EDU                            the same for everybody",
    ]


def test_values_that_are_left_out_stand_behind_what_leaves_them_out() -> None:
    person = Person("grace", {"mail": ("grace@a.edu", "grace@b.edu")})
    text = written(person=person, attributes={"mail": {"match": ".*@a.*"}})
    assert section(text, "The application is told")[1] == (
        "  mail  grace@a.edu  attribute mail, only what matches .*@a.*; left out: grace@b.edu"
    )


def test_values_of_the_client_are_told_as_such() -> None:
    service = with_client_defaults(
        RegisteredService.model_validate(
            {"id": "app", "name": "App", "url": "https://app.example.edu/**", "client": "phpcas"}
        )
    )
    text = as_text(explain("https://app.example.edu/", Registry([service], "v1"), SETTINGS, NOON))
    rows = [re.split(" {2,}", line.strip()) for line in section(text, "How it is answered")]
    assert ["client", "phpcas", "from the entry", "its values are taken where the entry has none"] in rows
    assert [
        "response_by_request",
        "no",
        "from the client",
        "whatever a request asks for: it looks for the ticket in the query only and would send people back to sign in",
    ] in rows


def test_proxying_says_whom_and_where() -> None:
    rule = {"allow": True, "callback": "https://app.example.edu/pgt", "accept_status": [200, 302]}
    assert section(written(proxy=rule), "Proxying: allowed") == [
        "  callbacks  https://app.example.edu/pgt",
        "  accepted   status 200, 302",
        "  targets    every service of the registry",
    ]
    narrow = {**rule, "private_addresses": True, "targets": ["mail", "files"]}
    assert section(written(proxy=narrow), "Proxying: allowed") == [
        "  callbacks  https://app.example.edu/pgt, on private addresses, too",
        "  accepted   status 200, 302",
        "  targets    mail, files",
    ]


@pytest.mark.parametrize(
    ("rule", "lines"),
    [
        ({}, ["  channel  from server to server", "  address  the URL that the ticket was for"]),
        (
            {"type": "front_channel", "url": "https://app.example.edu/out"},
            ["  channel  by the browser, on the sign-out page", "  address  https://app.example.edu/out"],
        ),
        ({"type": "none"}, ["  channel  the application is not told"]),
    ],
)
def test_sign_out_says_how_and_where(rule: dict[str, str], lines: list[str]) -> None:
    assert section(written(logout=rule), "Sign-out") == lines
