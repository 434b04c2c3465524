"""``casduo sessions`` against the data of a running server."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from casduo.cli import main
from casduo.events.stream import STREAM
from casduo.machineaccount import account
from casduo.mfa.strength import Strength
from casduo.mfa.trust import TrustedBrowsers
from casduo.signing import Signing
from casduo.tickets.ledger import Ledger, Telling
from casduo.tickets.model import TicketGrantingTicket, Visit
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


def told(site: Site) -> list[str]:
    """Return the records in the stream of events."""
    rows = site.composed.parts.store.command("XRANGE", STREAM, "-", "+")
    return [row[1][1] for row in rows]


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
    assert {(row["user"], row["handler"]) for row in rows} == {("ada", "users_file")}
    assert all(row["ends"] > row["used"] for row in rows)


def test_what_a_browser_says_of_itself_does_nothing_to_the_terminal(site: Site, run: Run) -> None:
    parts = site.composed.parts
    batch, now = parts.store.batch(), site.clock()
    ticket = TicketGrantingTicket(
        "ada", {}, "users_file", now, Strength.bypassed("duo_bypass", now), agent="\x9b2J\u202e"
    )
    session = parts.tickets.open_session(batch, ticket, now)
    granting = parts.tickets.grant_service_ticket(batch, session.id, LIBRARY, "library", primary=False, now=now)
    batch.run()
    parts.tickets.take(granting.id)
    listed = run("list", "--user", "ada").stdout
    assert "\\x9b2J\\u202e" in listed
    assert "let pass without Duo" in listed
    assert listed.endswith("led to library\n")


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


def test_that_an_administrator_ended_sessions_is_told_like_every_event(site: Site, run: Run) -> None:
    site.browser().sign_in("ada")
    before = set(told(site))
    assert run("end", "--user", "ada", "--reason", "left\nus").exit_code == 0
    changed, ended = [line for line in told(site) if line not in before]
    assert '"event":"admin.changed"' in changed
    assert '"object":"user:ada; ended: 1","reason":"left us"' in changed
    assert '"event":"signout.administrator"' in ended
    assert '"principal":"ada"' in ended
    assert f'"principal":"{account()}"' in changed
    assert f'"by":"{account()}"' in ended


def test_a_login_that_waits_for_its_second_factor_ends_with_the_sessions_of_its_person(site: Site, run: Run) -> None:
    began = site.clock()
    site.browser().sign_in("ada")
    assert run("end", "--user", "ada", "--session", named(run)[0]).exit_code == 0
    assert not site.composed.parts.tickets.all_ended_since("ada", began, site.clock())
    assert run("end", "--user", "ada").exit_code == 1
    assert site.composed.parts.tickets.all_ended_since("ada", began, site.clock())


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


# Trusted browsers


def trust(site: Site, user: str = "ada", agent: str = "Firefox", *, application: str = "", ago: float = 0.0) -> str:
    store = site.composed.parts.store
    batch = store.batch()
    cookie = TrustedBrowsers(store, Signing(["key"])).trust(
        batch,
        user,
        application=application,
        agent=agent,
        address="198.51.100.9",
        at=site.clock() - ago,
        lifetime=30 * 86400.0,
    )
    batch.run()
    return cookie


def is_trusted(site: Site, cookie: str, user: str = "ada") -> bool:
    return TrustedBrowsers(site.composed.parts.store, Signing(["key"])).look(cookie, user, site.clock()) is not None


def trusted(run: Run, user: str = "ada") -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads(run("list", "--user", user, "--trusted", "--json").stdout)
    return rows


def test_trusted_browsers_are_listed_after_the_sessions(site: Site, run: Run) -> None:
    site.browser().sign_in("ada")
    trust(site, agent="Firefox", ago=60)
    trust(site, agent="Safari", application="finance")
    trust(site, "grace", "Konqueror")
    lines = run("list", "--user", "ADA").stdout.splitlines()
    assert len(lines) == 6
    assert "password" in lines[0]
    assert "trusted since" in lines[2]
    assert lines[3].split() == ["198.51.100.9", "Firefox"]
    assert lines[4].endswith("for finance")
    assert lines[5].split() == ["198.51.100.9", "Safari"]


def test_somebody_without_a_session_may_have_trusted_browsers(site: Site, run: Run) -> None:
    trust(site)
    answer = run("list", "--user", "ada")
    assert answer.stdout.startswith("ada has no session\n")
    assert "Firefox" in answer.stdout


def test_trusted_browsers_are_listed_alone_for_programs(site: Site, run: Run) -> None:
    site.browser().sign_in("ada")
    trust(site, agent="Firefox", application="finance")
    assert len(named(run)) == 1
    rows = trusted(run)
    assert [(row["agent"], row["address"], row["application"]) for row in rows] == [
        ("Firefox", "198.51.100.9", "finance")
    ]
    assert rows[0]["since"] < rows[0]["until"]
    assert "password" not in run("list", "--user", "ada", "--trusted").stdout
    assert run("list", "--user", "grace", "--trusted").stdout == "grace has no trusted browser\n"


def test_a_session_that_a_trusted_browser_began_is_listed_as_such(site: Site, run: Run) -> None:
    parts = site.composed.parts
    batch = parts.store.batch()
    strength = Strength.trusted(site.clock())
    ticket = TicketGrantingTicket("ada", {}, "users_file", site.clock(), strength)
    parts.tickets.open_session(batch, ticket, site.clock())
    batch.run()
    assert run("list", "--user", "ada").stdout.splitlines()[0].endswith("trusted browser")


def test_ending_everything_forgets_trusted_browsers_too(site: Site, run: Run) -> None:
    site.browser().sign_in("ada")
    cookies = [trust(site), trust(site)]
    other = trust(site, "grace")
    answer = run("end", "--user", "ada")
    assert answer.exit_code == 0
    assert "1 session ended" in answer.stdout
    assert "2 trusted browsers forgotten" in answer.stdout
    assert [is_trusted(site, cookie) for cookie in cookies] == [False, False]
    assert is_trusted(site, other, "grace")


def test_trusted_browsers_are_forgotten_where_there_is_no_session(site: Site, run: Run) -> None:
    cookie = trust(site)
    answer = run("end", "--user", "ada")
    assert answer.exit_code == 0
    assert "0 sessions ended" in answer.stdout
    assert "1 trusted browser forgotten" in answer.stdout
    assert not is_trusted(site, cookie)
    assert run("end", "--user", "ada").exit_code == 1


@pytest.mark.parametrize("name", ["", "ffffffff"])
def test_ending_one_session_leaves_trusted_browsers_alone(site: Site, run: Run, name: str) -> None:
    site.browser().sign_in("ada")
    cookie = trust(site)
    assert run("end", "--user", "ada", "--session", name).exit_code == 1
    assert run("end", "--user", "ada", "--session", named(run)[0]).exit_code == 0
    assert is_trusted(site, cookie)


def test_one_trusted_browser_can_be_forgotten_by_its_name(site: Site, run: Run) -> None:
    ada = site.browser()
    ada.sign_in("ada")
    lost, kept = trust(site, agent="lost", ago=60), trust(site, agent="kept")
    name = trusted(run)[0]["browser"]
    answer = run("end", "--user", "ada", "--browser", name)
    assert (answer.exit_code, answer.stdout) == (0, "1 trusted browser forgotten\n")
    assert (is_trusted(site, lost), is_trusted(site, kept)) == (False, True)
    assert ticket_of(ada.login_page())
    again = run("end", "--user", "ada", "--browser", name)
    assert again.exit_code == 1
    assert f"ada has no trusted browser {name}" in again.stderr


def test_a_session_and_a_browser_are_not_ended_in_one_go(run: Run) -> None:
    assert run("end", "--user", "ada", "--session", "1", "--browser", "2").exit_code == 2


def test_sessions_are_found_by_address_and_application(site: Site, run: Run) -> None:
    ticket = ticket_of(site.browser().sign_in("ada"))
    assert "authenticationSuccess" in site.validate(ticket).text
    site.browser().sign_in("grace", "")
    by_address = json.loads(run("list", "--address", "192.0.2.0/24", "--json").stdout)
    assert sorted(row["user"] for row in by_address) == ["ada", "grace"]
    by_service = json.loads(run("list", "--service", "library", "--json").stdout)
    assert [(row["user"], row["services"]) for row in by_service] == [("ada", ["library"])]
    told = run("list", "--service", "library", "--user", "ada", "--address", "192.0.2.7").stdout
    assert told.startswith("ada\n  ")
    assert told.endswith("led to library\n")
    assert run("list", "--address", "192.0.2.8").stdout == "there is no such session\n"


def test_all_sessions_of_an_application_end_and_those_of_others_go_on(site: Site, run: Run) -> None:
    for who in ("ada", "ada", "grace"):
        assert "authenticationSuccess" in site.validate(ticket_of(site.browser().sign_in(who))).text
    site.browser().sign_in("linus", "")
    answer = run("end", "--service", "library")
    assert "3 sessions of 2 people ended, 3 sign-ins of applications to be told\n" in answer.stdout
    assert [len(named(run, who)) for who in ("ada", "grace", "linus")] == [0, 0, 1]
    assert sum("signout.administrator" in line for line in told(site)) == 2
    again = run("end", "--service", "library")
    assert (again.exit_code, "there is no such session" in again.stderr) == (1, True)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("list",), "--user, --address or --service"),
        (("end",), "--user, --address or --service"),
        (("end", "--address", "10.0.0.0/8"), "too wide"),
        (("list", "--address", "here"), "here"),
        (("list", "--service", "nowhere"), "nowhere"),
        (("end", "--service", "library", "--session", "5add143d"), "--user alone"),
        (("list", "--service", "library", "--trusted"), "--user alone"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_nothing_is_ended(
    site: Site, run: Run, words: tuple[str, ...], said: str
) -> None:
    site.browser().sign_in("ada")
    answer = run(*words)
    assert (answer.exit_code, said in answer.stderr) == (2, True), answer.stderr
    assert len(named(run)) == 1
