"""Directories and users files for the tests of authentication."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from casduo.authentication.ldap.settings import LdapSettings
from casduo.simulators.certificates import CertificateAuthority
from tests.authentication.slapd import BASE, READER, READER_PASSWORD, Slapd, governed_by, person

JUST_NOW = datetime.now(UTC).strftime("%Y%m%d%H%M%SZ")
LONG_AGO = "20200101000000Z"
ODD_NAMES = (
    "star*",
    "paren(s)",
    "back\\slash",
    "comma,name",
    "plus+name",
    'quote"name',
    "#hash",
    "semi;colon",
    "less<more>",
    "equals=name",
    "two words",
    "żółć",
    "日本",
)

PEOPLE = (
    person(
        "ada",
        "ada's password",
        "displayName: Ada Lovelace",
        "mail: ada@example.edu",
        "mail: countess@example.edu",
        "jpegPhoto:: /9j/4AAQ",
        f"memberOf: cn=staff,{BASE}",
    ),
    person("grace", "grace's password", "mail: grace@example.edu"),
    person("linus", "linus's password", "pwdAccountLockedTime: 000001010000Z"),
    person("margaret", "margaret's password", "pwdReset: TRUE"),
    person("barbara", "barbara's password", governed_by("expiring"), f"pwdChangedTime: {JUST_NOW}"),
    person("edsger", "edsger's password", governed_by("expired"), f"pwdChangedTime: {LONG_AGO}"),
    person("donald", "donald's password", governed_by("grace"), f"pwdChangedTime: {LONG_AGO}"),
    person("frances", "frances's password", governed_by("lockable")),
    person("twin-a", "twin's password", "employeeNumber: 7"),
    person("twin-b", "twin's password", "employeeNumber: 7"),
    person("triplet", "triplet's password", "employeeNumber: 7"),
    *(person(name, f"{name}'s password") for name in ODD_NAMES),
)


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> CertificateAuthority:
    return CertificateAuthority.create(tmp_path_factory.mktemp("authority"), "authority of the directory tests")


@pytest.fixture(scope="session")
def shared_slapd(tmp_path_factory: pytest.TempPathFactory, authority: CertificateAuthority) -> Iterator[Slapd]:
    """One server for all tests that only read, or that change a person of their own."""
    with Slapd(tmp_path_factory.mktemp("slapd") / "shared", PEOPLE, tls=authority.issue()) as slapd:
        yield slapd


@pytest.fixture
def start_slapd(tmp_path: Path, authority: CertificateAuthority) -> Iterator[Callable[..., Slapd]]:
    """Start servers of the test's own; keywords are those of :class:`Slapd`."""
    started: list[Slapd] = []

    def start(**keywords: object) -> Slapd:
        options = {"tls": authority.issue(), **keywords}
        slapd = Slapd(tmp_path / f"slapd-{len(started)}", PEOPLE, **options)  # type: ignore[arg-type]
        started.append(slapd)
        slapd.start()
        return slapd

    yield start
    for slapd in started:
        slapd.stop()


@pytest.fixture
def make_settings(authority: CertificateAuthority) -> Callable[..., LdapSettings]:
    """Make settings for the people above; keywords replace what a test is about."""

    def make(*servers: str, **keywords: object) -> LdapSettings:
        usual: dict[str, object] = {
            "servers": servers,
            "base": BASE,
            "bind_dn": READER,
            "bind_password": READER_PASSWORD,
            "ca_file": authority.ca_file,
            "attributes": {"mail": ("mail",), "displayName": ("displayName", "cn"), "memberOf": ("groups",)},
        }
        return LdapSettings(**(usual | keywords))  # type: ignore[arg-type]

    return make
