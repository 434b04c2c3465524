"""What every implementation of ``Directory`` must do, on a real server, over each way to reach one."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from casduo.authentication.ldap.directory import Directory
from casduo.authentication.ldap.network import NetworkDirectory
from casduo.authentication.ldap.settings import LdapSettings
from tests.authentication.conftest import ODD_NAMES
from tests.authentication.slapd import PEOPLE, Slapd

ADA = f"uid=ada,{PEOPLE}"


@pytest.fixture(params=["ldaps", "start_tls", "plaintext"])
def directory(
    request: pytest.FixtureRequest, shared_slapd: Slapd, make_settings: Callable[..., LdapSettings]
) -> Iterator[Directory]:
    ways = {
        "ldaps": make_settings(shared_slapd.secure_url),
        "start_tls": make_settings(shared_slapd.url, start_tls=True),
        "plaintext": make_settings(shared_slapd.url, allow_plaintext=True),
    }
    directory: Directory = NetworkDirectory(ways[request.param])
    yield directory
    directory.close()


def test_a_user_is_found_with_the_attributes_asked_for(directory: Directory) -> None:
    (entry,) = directory.search_user("ada")

    assert entry.dn == ADA
    assert entry.attributes == {
        "uid": (b"ada",),
        "mail": (b"ada@example.edu", b"countess@example.edu"),
        "displayname": (b"Ada Lovelace",),
        "memberof": (b"cn=staff,dc=example,dc=edu",),
    }


def test_an_unknown_user_is_not_found(directory: Directory) -> None:
    assert directory.search_user("nobody") == ()


@pytest.mark.parametrize("username", ["*", "a*", "ada)(uid=*", "ada\0", "\\61da", "ada,ou=people", "", ")(|"])
def test_a_name_that_tries_to_be_a_filter_finds_nobody(directory: Directory, username: str) -> None:
    assert directory.search_user(username) == ()


@pytest.mark.parametrize("username", ODD_NAMES)
def test_an_odd_name_is_found_and_can_be_bound(directory: Directory, username: str) -> None:
    (entry,) = directory.search_user(username)

    assert entry.attributes["uid"] == (username.encode(),)
    assert directory.bind_as(entry.dn, f"{username}'s password").code == 0


def test_the_right_password_is_taken_and_others_are_not(directory: Directory) -> None:
    assert directory.bind_as(ADA, "ada's password").code == 0
    assert directory.bind_as(ADA, "ada's passwort").code == 49
    assert directory.bind_as(f"uid=nobody,{PEOPLE}", "ada's password").code == 49


def test_one_persons_login_leaves_nothing_for_the_next(directory: Directory) -> None:
    directory.bind_as(ADA, "ada's password")

    (entry,) = directory.search_user("grace")

    assert entry.attributes["mail"] == (b"grace@example.edu",)
    assert directory.bind_as(entry.dn, "ada's password").code == 49


@pytest.mark.parametrize(("dn", "password"), [(ADA, ""), ("", "ada's password"), ("", "")])
def test_what_a_server_would_take_for_an_anonymous_bind_is_never_sent(
    directory: Directory, shared_slapd: Slapd, dn: str, password: str
) -> None:
    before = shared_slapd.binds()

    with pytest.raises(ValueError, match="name and a password"):
        directory.bind_as(dn, password)

    assert shared_slapd.binds() == before


@pytest.mark.parametrize("password", ["\u00ad", "\u200b", "\ufe00", "\u1806"])
def test_a_password_that_preparation_would_empty_is_just_wrong(directory: Directory, password: str) -> None:
    assert directory.bind_as(ADA, password).code == 49


def test_a_person_can_read_the_own_entry_and_no_other(directory: Directory) -> None:
    answer = directory.bind_as(ADA, "ada's password", read_entry=True)

    assert answer.entry is not None
    assert answer.entry.dn == ADA
    assert answer.entry.attributes["mail"] == (b"ada@example.edu", b"countess@example.edu")
    assert directory.bind_as(ADA, "wrong", read_entry=True).entry is None


@pytest.mark.parametrize(
    ("username", "code", "policy"),
    [("linus", 49, "3003810101"), ("margaret", 0, "3003810102"), ("edsger", 49, "3003810100"), ("ada", 0, "3000")],
)
def test_the_password_policy_control_comes_back(directory: Directory, username: str, code: int, policy: str) -> None:
    answer = directory.bind_as(f"uid={username},{PEOPLE}", f"{username}'s password")

    assert answer.code == code
    assert answer.policy == bytes.fromhex(policy)


def test_it_can_be_used_after_it_was_closed(directory: Directory) -> None:
    directory.search_user("ada")
    directory.close()

    assert len(directory.search_user("ada")) == 1


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=64))
@example("LINUS")
@example(" ada ")
@example("\uff21da")
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_name_whatsoever_breaks_the_conversation(
    shared_slapd: Slapd, make_settings: Callable[..., LdapSettings], username: str
) -> None:
    directory = NetworkDirectory(make_settings(shared_slapd.url, allow_plaintext=True))

    found = directory.search_user(username)
    directory.close()

    # Nobody but the person whose name it is, as the directory compares names: without case, width and style of letters.
    letters = unicodedata.normalize("NFKD", username).casefold()
    name = " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())
    assert [entry.dn for entry in found] in ([], [f"uid={name},ou=people,dc=example,dc=edu"])
