"""``casduo sessions`` against the data of a running server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from casduo.cli import main
from casduo.tickets.ledger import Ledger, Telling
from casduo.tickets.model import Visit
from casduo.tickets.signouts import SignOut
from tests.support.served import REGISTRY
from tests.support.site import LIBRARY, Build, Site, heading, ticket_of

Run = Callable[..., Result]


@pytest.fixture
def site(build: Build) -> Site:
    return build(registry=REGISTRY)


@pytest.fixture
def run(site: Site, tmp_path: Path) -> Run:
    settings = tmp_path / "site-0" / "casduo.yaml"

    def call(*words: str) -> Result:
        return CliRunner().invoke(main, ["sessions", "--config", str(settings), *words])

    return call


def named(run: Run, user: str = "ada") -> list[str]:
    return [row["session"] for row in json.loads(run("list", "--user", user, "--json").stdout)]


def test_sessions_are_listed_with_where_and_how(site: Site, run: Run) -> None:
    site.browser().sign_in("ada")
    site.clock.advance(60)
    site.browser().sign_in("ada")
    answer = run("list", "--user", " ADA ")
    assert answer.exit_code == 0
    assert answer.stdout.count("192.0.2.7") == 2
    assert answer.stdout.count("password") == 2
    rows = json.loads(run("list", "--user", "ada", "--json").stdout)
    assert rows[0]["since"] < rows[1]["since"]
    assert {row["handler"] for row in rows} == {"users_file"}


def test_nobody_has_no_sessions(run: Run) -> None:
    answer = run("list", "--user", "grace")
    assert (answer.exit_code, answer.stdout) == (0, "grace has no session\n")


def test_ending_a_persons_sessions_leaves_others_alone_and_tells_the_applications(site: Site, run: Run) -> None:
    ada, grace = site.browser(), site.browser()
    ticket = ticket_of(ada.sign_in("ada"))
    assert "authenticationSuccess" in site.validate(ticket).text
    grace.sign_in("grace")
    answer = run("end", "--user", "ada")
    assert answer.exit_code == 0
    assert "1 session ended, 1 sign-in of applications to be told" in answer.stdout
    assert '"cause":"administrator"' in answer.stderr
    assert heading(ada.login_page()) == "Sign in"
    assert ticket_of(grace.login_page())
    orders = site.composed.parts.store.command("KEYS", "casduo:*:signout:*")
    assert len(orders) == 1


def test_one_session_can_be_ended_by_its_name(site: Site, run: Run) -> None:
    first, second = site.browser(), site.browser()
    first.sign_in("ada")
    site.clock.advance(60)
    second.sign_in("ada")
    assert run("end", "--user", "ada", "--session", named(run)[0]).exit_code == 0
    assert heading(first.login_page()) == "Sign in"
    assert ticket_of(second.login_page())


@pytest.mark.parametrize("more", [(), ("--session", "ffffffff")])
def test_ending_what_is_not_there_is_an_error(run: Run, more: tuple[str, ...]) -> None:
    answer = run("end", "--user", "ada", *more)
    assert answer.exit_code == 1
    assert "has no session" in answer.stderr


def test_what_an_application_was_told_is_listed(site: Site, run: Run) -> None:
    store = site.composed.parts.store
    ticket = ticket_of(site.browser().sign_in("ada"))
    visit = Visit(ticket, LIBRARY, "library")
    batch = store.batch()
    ledger = Ledger(store)
    for telling in (
        Telling("told", 302, "", 31, 1, site.clock()),
        Telling("failed", 0, "refused", 2, 2, site.clock()),
        Telling("unsupported", detail="none", at=site.clock()),
        Telling("browser", at=site.clock()),
    ):
        ledger.write(batch, SignOut("abcd", "x"), visit, telling)
    batch.run()
    answer = run("told", "library")
    assert answer.exit_code == 0
    assert "answered with status 302 in 31 ms" in answer.stdout
    assert "failed: refused after 2 tries" in answer.stdout
    assert ticket not in answer.stdout
    assert [row["state"] for row in json.loads(run("told", "library", "--json").stdout)] == [
        "browser",
        "unsupported",
        "failed",
        "told",
    ]


def test_an_application_nobody_registered_was_told_nothing(run: Run) -> None:
    answer = run("told", "librray")
    assert answer.exit_code == 2
    assert "'librray' is not the id of an entry" in answer.stderr


def test_an_application_that_was_never_told_anything(run: Run) -> None:
    assert "was not told of any sign-out lately" in run("told", "library").stdout


def test_without_a_running_server_there_is_a_sentence(tmp_path: Path) -> None:
    settings = tmp_path / "casduo.yaml"
    settings.write_text(f"server: {{state_directory: {tmp_path}/state}}\n", encoding="utf-8")
    answer = CliRunner().invoke(main, ["sessions", "--config", str(settings), "list", "--user", "ada"])
    assert answer.exit_code == 1
    assert "no casduo runs on the state directory" in answer.stderr
