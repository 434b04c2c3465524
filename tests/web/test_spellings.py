"""People whose directory spells their names with capital letters: what is done to a person is done to them too."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from casduo.cli.sessions import sessions
from tests.authentication.slapd import BASE, READER, READER_PASSWORD, Slapd, person
from tests.support.site import LIBRARY, Browser, Build, Site, has_ticket, heading

PASSWORD = "Looking-Glass"
REGISTRY = """
services:
  - {id: library, name: Library catalogue, url: "https://library.example.edu/**"}
"""


@pytest.fixture
def site(tmp_path: Path, build: Build) -> Iterator[Site]:
    with Slapd(tmp_path / "slapd", [person("Alice.Liddell", PASSWORD)]) as directory:
        ldap = (
            f"- {{type: ldap, servers: ['{directory.url}'], allow_plaintext: true, base: '{BASE}',"
            f" bind_dn: '{READER}', bind_password: {READER_PASSWORD}}}\n"
        )
        settings = "admin: {change: {users: [ada, Alice.Liddell]}, without_duo: true}\n"
        yield build(registry=REGISTRY, handlers=ldap, settings=settings)


def signed_in(site: Site) -> Browser:
    browser = site.browser()
    assert has_ticket(browser.fill(browser.login_page(LIBRARY), "alice.liddell", PASSWORD))
    return browser


@pytest.mark.parametrize("name", ["alice.liddell", "Alice.Liddell", "ALICE.LIDDELL"])
def test_an_order_to_end_the_sessions_of_a_person_finds_them_however_it_spells_the_name(site: Site, name: str) -> None:
    browser, settings = signed_in(site), str(site.settings_file)
    answer = CliRunner().invoke(sessions, ["--config", settings, "end", "--user", name])
    assert answer.exit_code == 0, answer.output
    assert heading(browser.get("/login")) == "Sign in"


def test_an_administrator_is_one_however_the_directory_spells_the_name(site: Site) -> None:
    assert signed_in(site).get("/admin/").status_int == 200


@pytest.mark.parametrize("name", ["alice.liddell", "Alice.Liddell"])
def test_the_page_about_sessions_finds_them_by_the_name_that_it_shows(site: Site, name: str) -> None:
    signed_in(site)
    admin = site.browser()
    admin.sign_in("ada")
    page = admin.get(f"/admin/sessions?user={name}")
    assert page.html.find("a", href="/cas/admin/sessions?user=Alice.Liddell") is not None
