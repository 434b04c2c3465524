"""Looking people up without a password: the same person as a sign-in finds, and never a sign-in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from casduo.authentication import Authenticated, Credential, Principal
from casduo.authentication.ldap import LdapHandler, LdapSettings
from casduo.authentication.lookup import CannotLookUp, KnownPerson, LookedUp, PrincipalLookup, look_up
from casduo.authentication.passwords import Argon2Settings, Passwords
from casduo.authentication.users_file import UsersFileHandler, UsersFileSettings
from casduo.errors import UpstreamMisconfigured, UpstreamUnavailable
from tests.authentication.slapd import BASE, PEOPLE, READER, Slapd

CHEAP = Argon2Settings(memory_kib=8, time_cost=1, parallelism=1)
NOW = 1_800_000_000.0
Make = Callable[..., LdapSettings]
Start = Callable[..., Slapd]
Open = Callable[[LdapSettings], LdapHandler]


@pytest.fixture
def users_file(tmp_path: Path) -> UsersFileHandler:
    path = tmp_path / "users.yaml"
    encoded = Passwords(CHEAP).hash("analytical engine")
    path.write_text(
        f"ada: {{password: '{encoded}', name: Ada Lovelace, attributes: {{groups: [staff]}}}}\n"
        f"linus: {{password: '{encoded}', locked: true, disabled: true}}\n"
        f"grace: {{password: '{encoded}', expires: 2027-01-15T08:00:00Z, must_change: true}}\n"
        f"barbara: {{password: '{encoded}', disabled: true, must_change: true}}\n"
    )
    path.chmod(0o600)
    return UsersFileHandler(UsersFileSettings(path, "local", CHEAP))


@pytest.fixture
def open_handler() -> Iterator[Open]:
    opened: list[LdapHandler] = []

    def open_one(settings: LdapSettings) -> LdapHandler:
        opened.append(LdapHandler(settings))
        return opened[-1]

    yield open_one
    for handler in opened:
        handler.close()


# -- users file ------------------------------------------------------------------------------------------------------


def test_the_users_file_finds_the_person_of_the_sign_in(users_file: UsersFileHandler) -> None:
    found = users_file.lookup("ada", NOW)

    assert found == KnownPerson(Principal("ada", {"displayName": ("Ada Lovelace",), "groups": ("staff",)}))
    signed_in = users_file.authenticate(Credential("ada", "analytical engine"), NOW)
    assert isinstance(signed_in, Authenticated)
    assert found is not None
    assert found.principal == signed_in.principal


@pytest.mark.parametrize("username", ["alan", "Ada", "", "*"])
def test_nobody_is_found_under_another_name(users_file: UsersFileHandler, username: str) -> None:
    assert users_file.lookup(username, NOW) is None


@pytest.mark.parametrize(
    ("username", "now", "refusal"),
    [
        ("ada", NOW, None),
        ("linus", NOW, "locked"),
        ("barbara", NOW, "disabled"),
        ("grace", NOW, "expired"),
        ("grace", NOW - 1, "must_change"),
    ],
)
def test_the_users_file_says_what_speaks_against_a_person(
    users_file: UsersFileHandler, username: str, now: float, refusal: str | None
) -> None:
    found = users_file.lookup(username, now)

    assert found is not None
    assert (found.refusal, found.judged) == (refusal, True)
    assert "argon2" not in repr(found)


# -- directory -------------------------------------------------------------------------------------------------------


def test_the_directory_finds_the_person_of_the_sign_in(
    shared_slapd: Slapd, make_settings: Make, open_handler: Open
) -> None:
    handler = open_handler(make_settings(shared_slapd.secure_url))

    found = handler.lookup("ADA", NOW)

    signed_in = handler.authenticate(Credential("ada", "ada's password"), NOW)
    assert isinstance(signed_in, Authenticated)
    assert found == KnownPerson(signed_in.principal, judged=False)
    assert found is not None
    assert found.principal.attributes["groups"] == (f"cn=staff,{BASE}",)


def test_a_look_up_binds_as_nobody_but_the_searching_account(
    start_slapd: Start, make_settings: Make, open_handler: Open
) -> None:
    slapd = start_slapd()
    handler = open_handler(make_settings(slapd.secure_url))

    for username in ("ada", "linus", "nobody", "x)(uid=*"):
        handler.lookup(username, NOW)

    assert set(slapd.binds()) == {READER}
    assert slapd.searches() == 4


def test_a_locked_account_is_found_and_not_judged(shared_slapd: Slapd, make_settings: Make, open_handler: Open) -> None:
    found = open_handler(make_settings(shared_slapd.secure_url)).lookup("linus", NOW)

    assert found is not None
    assert (found.principal.id, found.refusal, found.judged) == ("linus", None, False)


@pytest.mark.parametrize("username", ["nobody", "*", "ada)(uid=grace", "ada\\"])
def test_the_directory_finds_nobody_under_another_name(
    shared_slapd: Slapd, make_settings: Make, open_handler: Open, username: str
) -> None:
    assert open_handler(make_settings(shared_slapd.secure_url)).lookup(username, NOW) is None


def test_more_than_one_entry_of_a_name_is_told_with_their_names(
    shared_slapd: Slapd, make_settings: Make, open_handler: Open
) -> None:
    handler = open_handler(make_settings(shared_slapd.secure_url, filter="(employeeNumber={username})"))

    with pytest.raises(CannotLookUp, match="more than one entry") as caught:
        handler.lookup("7", NOW)

    assert caught.value.handler == "ldap"
    assert f"uid=twin-a,{PEOPLE}" in caught.value.detail


def test_a_directory_of_direct_binds_says_that_it_cannot_look_people_up(
    shared_slapd: Slapd, make_settings: Make, open_handler: Open
) -> None:
    handler = open_handler(make_settings(shared_slapd.secure_url, direct_bind_dn=f"uid={{username}},{PEOPLE}"))

    with pytest.raises(CannotLookUp, match="ldap: direct_bind_dn is set"):
        handler.lookup("ada", NOW)


def test_an_entry_without_a_usable_principal_is_a_mistake_of_the_set_up(
    shared_slapd: Slapd, make_settings: Make, open_handler: Open
) -> None:
    handler = open_handler(make_settings(shared_slapd.secure_url, principal_attribute="mail"))

    with pytest.raises(UpstreamMisconfigured, match="exactly one readable mail"):
        handler.lookup("ada", NOW)


# -- chain -----------------------------------------------------------------------------------------------------------


class Store:
    """A store that answers the same to every look-up, or raises it."""

    def __init__(self, name: str, answer: KnownPerson | Exception | None) -> None:
        self.name = name
        self._answer = answer

    def lookup(self, username: str, now: float) -> KnownPerson | None:
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer


ADA = KnownPerson(Principal("ada"))
OTHER_ADA = KnownPerson(Principal("ada", {"groups": ("guests",)}))


def test_both_handlers_have_the_capability(
    users_file: UsersFileHandler, make_settings: Make, open_handler: Open
) -> None:
    assert isinstance(users_file, PrincipalLookup)
    assert isinstance(open_handler(make_settings("ldaps://localhost")), PrincipalLookup)


def test_the_first_store_that_knows_the_name_decides() -> None:
    stores = [Store("guests", OTHER_ADA), Store("campus", ADA), Store("empty", None)]

    assert look_up(stores, ["empty", "campus", "guests"], "ada", NOW) == LookedUp(ADA, "campus", ())
    assert look_up(stores, ["guests"], "ada", NOW) == LookedUp(OTHER_ADA, "guests", ())
    assert look_up(stores, [], "ada", NOW) == LookedUp(None, "", ())


def test_a_store_that_is_down_is_passed_over_and_told() -> None:
    stores = [Store("campus", UpstreamUnavailable("campus", "no server answers")), Store("local", ADA)]

    assert look_up(stores, ["campus", "local"], "ada", NOW) == LookedUp(ADA, "local", ("campus: no server answers",))


def test_a_store_that_answers_and_cannot_say_ends_the_search_as_it_ends_a_sign_in() -> None:
    stores = [Store("campus", CannotLookUp("campus", "two of them")), Store("local", ADA)]

    assert look_up(stores, ["campus", "local"], "ada", NOW) == LookedUp(None, "", ("campus: two of them",))


def test_a_store_without_the_capability_is_told() -> None:
    found = look_up([object(), Store("local", None)], ["pins", "local"], "ada", NOW)

    assert found == LookedUp(None, "", ("pins: handlers of this kind know nobody without the password",))
