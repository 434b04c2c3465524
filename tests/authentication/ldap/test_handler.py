from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from casduo.authentication import (
    Authenticated,
    Authenticator,
    Credential,
    ExpiresIn,
    GraceLogins,
    Principal,
    Reason,
    Rejected,
)
from casduo.authentication.ldap import LdapHandler, LdapSettings
from casduo.authentication.ldap.directory import BindAnswer, Entry
from casduo.errors import UpstreamMisconfigured, UpstreamUnavailable
from tests.authentication.slapd import BASE, PEOPLE, READER, Slapd
from tests.authentication.tcp import canned_ldap, server

NOW = 1_800_000_000.0
DIRECT = f"uid={{username}},{PEOPLE}"
Make = Callable[..., LdapSettings]
Start = Callable[..., Slapd]
Open = Callable[[LdapSettings], LdapHandler]


@pytest.fixture
def open_handler() -> Iterator[Open]:
    opened: list[LdapHandler] = []

    def open_one(settings: LdapSettings) -> LdapHandler:
        opened.append(LdapHandler(settings))
        return opened[-1]

    yield open_one
    for handler in opened:
        handler.close()


@pytest.fixture(params=["search, then bind", "direct bind"])
def handler(
    request: pytest.FixtureRequest, shared_slapd: Slapd, make_settings: Make, open_handler: Open
) -> LdapHandler:
    direct = {"direct_bind_dn": DIRECT} if request.param == "direct bind" else {}
    return open_handler(make_settings(shared_slapd.secure_url, **direct))


def login(handler: LdapHandler, username: str, password: str | None = None) -> Authenticated | Rejected:
    return handler.authenticate(Credential(username, password or f"{username}'s password"), NOW)


def test_the_right_password_gives_the_principal_with_mapped_attributes(handler: LdapHandler) -> None:
    assert login(handler, "ada") == Authenticated(
        Principal(
            "ada",
            {
                "mail": ("ada@example.edu", "countess@example.edu"),
                "displayName": ("Ada Lovelace",),
                "cn": ("Ada Lovelace",),
                "groups": (f"cn=staff,{BASE}",),
            },
        ),
        "ldap",
    )


def test_the_principal_is_spelled_as_the_directory_spells_it(handler: LdapHandler) -> None:
    for typed in ("ADA", "Ada", "ada"):
        outcome = login(handler, typed, "ada's password")
        assert isinstance(outcome, Authenticated)
        assert outcome.principal.id == "ada"


def test_a_wrong_password_is_wrong(handler: LdapHandler) -> None:
    assert login(handler, "ada", "engine") == Rejected("wrong", "ldap", "result 49")


@pytest.mark.parametrize(
    ("username", "reason", "proved"),
    [("linus", "locked", False), ("margaret", "must_change", True), ("edsger", "expired", True)],
)
def test_the_password_policy_decides_after_the_right_password(
    handler: LdapHandler, username: str, reason: Reason, proved: bool
) -> None:
    outcome = login(handler, username)

    assert isinstance(outcome, Rejected)
    assert (outcome.reason, outcome.proved) == (reason, proved)


@pytest.mark.parametrize("username", ["linus", "margaret", "edsger"])
def test_a_wrong_password_proves_nothing(handler: LdapHandler, username: str) -> None:
    outcome = login(handler, username, "a guess")

    assert isinstance(outcome, Rejected)
    assert outcome.reason in ("wrong", "locked")
    assert not outcome.proved


def test_a_password_about_to_expire_comes_with_a_warning(handler: LdapHandler) -> None:
    outcome = login(handler, "barbara")

    assert isinstance(outcome, Authenticated)
    (warning,) = outcome.warnings
    assert isinstance(warning, ExpiresIn)
    assert 0 < warning.seconds <= 86400


def test_grace_logins_are_counted_down_and_then_it_is_over(
    start_slapd: Start, make_settings: Make, open_handler: Open
) -> None:
    handler = open_handler(make_settings(start_slapd().secure_url))

    outcomes = [login(handler, "donald") for _ in range(4)]

    assert [outcome.warnings for outcome in outcomes[:3] if isinstance(outcome, Authenticated)] == [
        (GraceLogins(2),),
        (GraceLogins(1),),
        (GraceLogins(0),),
    ]
    assert outcomes[3] == Rejected("expired", "ldap", "passwordExpired", proved=True)


def test_an_account_guessed_at_is_locked_even_for_the_right_password(
    start_slapd: Start, make_settings: Make, open_handler: Open
) -> None:
    handler = open_handler(make_settings(start_slapd().secure_url))

    guesses = [login(handler, "frances", f"guess {number}") for number in range(3)]
    outcome = login(handler, "frances")

    assert [guess.reason for guess in guesses if isinstance(guess, Rejected)] == ["wrong"] * 3
    assert outcome == Rejected("locked", "ldap", "accountLocked")


def test_without_the_policy_an_expired_password_is_just_wrong(
    shared_slapd: Slapd, make_settings: Make, open_handler: Open
) -> None:
    handler = open_handler(make_settings(shared_slapd.secure_url, password_policy=False))

    assert login(handler, "edsger") == Rejected("wrong", "ldap", "result 49")


def test_an_unknown_user_is_unknown_where_the_directory_is_searched(
    shared_slapd: Slapd, make_settings: Make, open_handler: Open
) -> None:
    searching = open_handler(make_settings(shared_slapd.secure_url))
    direct = open_handler(make_settings(shared_slapd.secure_url, direct_bind_dn=DIRECT))

    assert login(searching, "nobody") == Rejected("unknown", "ldap")
    assert login(direct, "nobody") == Rejected("wrong", "ldap", "result 49")


def test_a_name_cannot_leave_its_place_in_a_direct_bind(
    shared_slapd: Slapd, make_settings: Make, open_handler: Open
) -> None:
    handler = open_handler(make_settings(shared_slapd.secure_url, direct_bind_dn=f"uid={{username}},ou=other,{BASE}"))

    assert isinstance(login(handler, f"ada,{PEOPLE}", "ada's password"), Rejected)


def test_more_than_one_entry_for_a_name_is_refused_and_told(
    shared_slapd: Slapd, make_settings: Make, open_handler: Open
) -> None:
    handler = open_handler(make_settings(shared_slapd.secure_url, filter="(employeeNumber={username})"))

    with capture_logs() as logs:
        outcome = login(handler, "7", "twin's password")

    assert outcome == Rejected("wrong", "ldap", "more than one entry")
    assert logs[0]["event"] == "ldap_user_ambiguous"


@pytest.mark.parametrize("attribute", ["employeeNumber", "mail", "jpegPhoto"])
def test_an_entry_without_exactly_one_readable_principal_lets_nobody_in(
    shared_slapd: Slapd, make_settings: Make, open_handler: Open, attribute: str
) -> None:
    handler = open_handler(make_settings(shared_slapd.secure_url, principal_attribute=attribute))

    with pytest.raises(UpstreamMisconfigured, match="exactly one readable"):
        login(handler, "ada")


def test_an_attribute_that_is_no_text_is_told_once(
    shared_slapd: Slapd, make_settings: Make, open_handler: Open
) -> None:
    handler = open_handler(make_settings(shared_slapd.secure_url, attributes={"jpegPhoto": ("photo",)}))

    with capture_logs() as logs:
        outcomes = [login(handler, "ada") for _ in range(2)]

    assert outcomes == [Authenticated(Principal("ada"), "ldap")] * 2
    assert [entry["event"] for entry in logs] == ["ldap_attribute_not_text"]


# -- equal cost ------------------------------------------------------------------------------------------------------


def spent(slapd: Slapd, handler: LdapHandler, username: str) -> tuple[int, int]:
    """Return how many searches and how many binds, the searching account's left out, one refused login costs."""
    chain = Authenticator([handler], limit=4)
    searches, binds = slapd.searches(), len(slapd.binds())
    outcome = chain.authenticate(Credential(username, "a guess"), NOW)
    assert isinstance(outcome, Rejected)
    assert not outcome.proved
    return slapd.searches() - searches, sum(1 for dn in slapd.binds()[binds:] if dn != READER)


@pytest.mark.parametrize(("direct", "cost"), [(False, (1, 1)), (True, (0, 1))])
def test_every_refused_login_costs_the_same_searches_and_binds(
    start_slapd: Start, make_settings: Make, open_handler: Open, direct: bool, cost: tuple[int, int]
) -> None:
    slapd = start_slapd()
    handler = open_handler(make_settings(slapd.secure_url, direct_bind_dn=DIRECT if direct else ""))

    costs = {name: spent(slapd, handler, name) for name in ("ada", "linus", "edsger", "nobody", "*", "x,y")}

    assert costs == dict.fromkeys(costs, cost)


def test_an_ambiguous_name_costs_the_same(start_slapd: Start, make_settings: Make, open_handler: Open) -> None:
    slapd = start_slapd()
    handler = open_handler(make_settings(slapd.secure_url, filter="(|(uid={username})(employeeNumber={username}))"))

    assert spent(slapd, handler, "7") == spent(slapd, handler, "ada") == (1, 1)


def test_a_user_of_an_earlier_store_costs_the_directory_the_same(
    start_slapd: Start, make_settings: Make, open_handler: Open
) -> None:
    slapd = start_slapd()
    handler = open_handler(make_settings(slapd.secure_url))

    handler.spend(Credential("ada", "a guess"), NOW, asked=False)

    assert slapd.searches() == 1
    assert [dn for dn in slapd.binds() if dn != READER] != [f"uid=ada,{PEOPLE}"]
    assert len(slapd.binds()) == 2


def test_the_decoy_is_a_name_nobody_can_guess_or_lock(
    start_slapd: Start, make_settings: Make, open_handler: Open
) -> None:
    slapd = start_slapd()
    handler = open_handler(make_settings(slapd.secure_url))

    for _ in range(4):
        handler.spend(Credential("nobody", "x"), NOW, asked=True)

    names = Counter(slapd.binds())
    assert len(names) == 4
    assert not any(name in (READER, f"uid=nobody,{PEOPLE}") for name in names)
    assert all(name.endswith(f",{BASE}") for name in names)


def test_a_decoy_of_the_directorys_own_can_be_set(start_slapd: Start, make_settings: Make, open_handler: Open) -> None:
    slapd = start_slapd()
    decoy = f"uid=grace,{PEOPLE}"
    handler = open_handler(make_settings(slapd.secure_url, decoy_dn=decoy))

    handler.spend(Credential("nobody", "x"), NOW, asked=True)

    assert slapd.binds() == [decoy]


# -- Active Directory, which cannot be had here ----------------------------------------------------------------------


class CannedDirectory:
    """A directory that finds everybody and answers every bind the same."""

    def __init__(self, answer: BindAnswer) -> None:
        self.binds = 0
        self._answer = answer

    def search_user(self, username: str) -> tuple[Entry, ...]:
        return (Entry(f"CN={username},CN=Users,DC=example,DC=edu", {"samaccountname": (username.encode(),)}),)

    def bind_as(self, dn: str, password: str, *, read_entry: bool = False) -> BindAnswer:
        self.binds += 1
        return self._answer

    def close(self) -> None:
        """Nothing is open."""


ACTIVE_DIRECTORY = LdapSettings(
    ("ldaps://dc.example.edu",),
    "DC=example,DC=edu",
    name="ad",
    vendor="active_directory",
    filter="(sAMAccountName={username})",
    principal_attribute="sAMAccountName",
)


def diagnostic(data: str) -> str:
    return f"80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data {data}, v3839"


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        ("52e", Rejected("wrong", "ad", "data 52e")),
        ("533", Rejected("disabled", "ad", "data 533", proved=True)),
        ("775", Rejected("locked", "ad", "data 775")),
    ],
)
def test_active_directorys_reasons_arrive_as_outcomes(data: str, outcome: Rejected) -> None:
    directory = CannedDirectory(BindAnswer(49, diagnostic(data)))

    assert LdapHandler(ACTIVE_DIRECTORY, directory).authenticate(Credential("ada", "x"), NOW) == outcome


def test_active_directorys_reason_is_read_off_the_wire(make_settings: Make, open_handler: Open) -> None:
    with server(canned_ldap(bind=49, diagnostic=diagnostic("533"))) as url:
        handler = open_handler(make_settings(url, allow_plaintext=True, direct_bind_dn=DIRECT))

        assert login(handler, "ada") == Rejected("disabled", "ldap", "data 533", proved=True)


def test_an_unknown_user_of_a_direct_bind_costs_that_bind_only() -> None:
    directory = CannedDirectory(BindAnswer(49, diagnostic("525")))
    settings = replace(ACTIVE_DIRECTORY, direct_bind_dn="CN={username},CN=Users,DC=example,DC=edu")

    outcome = Authenticator([LdapHandler(settings, directory)], limit=4).authenticate(Credential("ada", "x"), NOW)

    assert outcome == Rejected("unknown", "ad", "data 525")
    assert directory.binds == 1


def test_a_successful_login_reads_the_principal_of_the_entry_found() -> None:
    directory = CannedDirectory(BindAnswer(0))

    outcome = LdapHandler(ACTIVE_DIRECTORY, directory).authenticate(Credential("ada", "x"), NOW)

    assert outcome == Authenticated(Principal("ada"), "ad")


def test_a_person_who_may_not_read_the_own_entry_is_a_mistake_of_the_set_up() -> None:
    settings = LdapSettings(("ldaps://ldap.example.edu",), BASE, direct_bind_dn=DIRECT)

    with pytest.raises(UpstreamMisconfigured, match="own entries"):
        LdapHandler(settings, CannedDirectory(BindAnswer(0))).authenticate(Credential("ada", "x"), NOW)


def test_nobody_signs_in_by_the_entry_of_somebody_else() -> None:
    settings = LdapSettings(("ldaps://ldap.example.edu",), BASE, direct_bind_dn=DIRECT)
    grace = Entry(f"uid=grace,{PEOPLE}", {"uid": (b"grace",)})

    with pytest.raises(UpstreamMisconfigured, match="the directory gives uid=grace"):
        LdapHandler(settings, CannedDirectory(BindAnswer(0, entry=grace))).authenticate(Credential("ada", "x"), NOW)


def test_a_directory_that_is_down_is_unavailable_in_the_chain(make_settings: Make) -> None:
    class DownDirectory(CannedDirectory):
        def search_user(self, username: str) -> tuple[Entry, ...]:
            raise UpstreamUnavailable("ldap", "no server answers")

    handler = LdapHandler(make_settings("ldaps://localhost"), DownDirectory(BindAnswer(0)))

    outcome = Authenticator([handler], limit=4).authenticate(Credential("ada", "x"), NOW)

    assert outcome == Rejected("unavailable", "ldap", "UPSTREAM_UNAVAILABLE")
