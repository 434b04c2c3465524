"""Logins at every step while a Redis dies: each goes on, or ends with a page from which the person begins again.

For each step there is a browser with a person of its own; nobody may come out as somebody else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from webtest.response import TestResponse

from casduo.simulators.duo import DuoSimulator
from tests.support.clusters import Cluster, running_cluster
from tests.support.pushing import press
from tests.support.sentinels import Watched, watched_redis
from tests.support.site import LIBRARY, ORIGIN, PAYROLL, Browser, Build, Site, has_ticket, ticket_of
from tests.support.waiting import until

Step = Callable[[], TestResponse]
VAULT = "https://vault.example.edu/"
REGISTRY = """
services:
  - {id: library, name: Library catalogue, url: "https://library.example.edu/**"}
  - {id: payroll, name: Payroll, url: "https://payroll.example.edu/**", requires_duo: {prompt: universal}}
  - {id: vault, name: Vault, url: "https://vault.example.edu/**", requires_duo: {prompt: push}}
"""


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    with watched_redis(tmp_path / "redis") as found:
        yield found


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with running_cluster(tmp_path / "redis") as found:
        yield found


class Crowd:
    """People who have come to different steps of a login."""

    def __init__(self, site: Site, duo: DuoSimulator) -> None:
        self.site, self.duo = site, duo
        self.form, self.prompt, self.push, self.granted, self.live = (site.browser() for _ in range(5))
        self.form_page = self.form.login_page()
        self.prompt_at = duo.visit_prompt(self.prompt.sign_in("ada", PAYROLL).headers["Location"])
        self.push_page = self.push.sign_in("grace", VAULT)
        assert "/cas/login/step?" in self.push_page.request.url
        self.ticket = ticket_of(self.granted.sign_in("linus"))
        assert has_ticket(self.live.sign_in("alan"))

    def steps(self) -> dict[str, tuple[Browser, str, str, Step]]:
        """Return what each does next: with which browser, who it is, where they want to go, and the step itself."""
        code = self.duo.phone("grace").passcode
        return {
            "the form is sent": (self.form, "alan", LIBRARY, lambda: self.form.fill(self.form_page, "alan")),
            "back from Duo": (self.prompt, "ada", PAYROLL, lambda: self.prompt.get(self.prompt_at)),
            "a code is typed": (self.push, "grace", VAULT, lambda: press(self.push, self.push_page, passcode=code())),
            "another application": (self.live, "alan", LIBRARY, self.live.login_page),
        }

    def catch_up(self) -> None:
        """Go on where everybody stood, or begin again as the page says; everybody comes out as who they are."""
        for name, (browser, person, service, step) in self.steps().items():
            answers: list[TestResponse] = []

            def come(step: Step = step, answers: list[TestResponse] = answers) -> bool:
                answers.append(step())
                return not plainly_away(answers[-1])

            until(come, name)
            if not has_ticket(answers[-1]):
                self._begin_again(browser, answers[-1], person, service)
                continue
            assert self.person_of(answers[-1], service) == person, name

    def _begin_again(self, browser: Browser, page: TestResponse, person: str, service: str) -> None:
        """Take the way that a page shows whose login is lost: its own form, or a link to one."""
        assert page.status_int in (200, 400, 403, 409, 410), page.status
        assert "<h1" in page.text
        if "login" not in page.forms:
            [link] = {a["href"] for a in page.html.select("main a[href*='/cas/login']")}
            page = browser.get(link if link.startswith("http") else ORIGIN + link)
        assert "login" in page.forms
        answer = browser.fill(page, person)
        if answer.status_int == 200 and "execution" not in answer.text:
            # Of a login that is gone nobody knows what it was for: they are signed in, and open the application again.
            answer = browser.follow(browser.login_page(service))
        if service == PAYROLL:
            answer = browser.get(self.duo.visit_prompt(answer.headers["Location"]))
        elif service == VAULT:
            answer = press(browser, answer, passcode=self.duo.phone(person).passcode())
        assert self.person_of(answer, service) == person

    def person_of(self, answer: TestResponse, service: str) -> str:
        """Return whom an application takes the bearer of a redirect for, empty for nobody."""
        text = self.site.validate(ticket_of(answer), service).text
        return text.partition("<cas:user>")[2].partition("<")[0]


def plainly_away(answer: TestResponse) -> bool:
    """Whether a page says that Redis is away, and how to try again."""
    if answer.status_int != 503:
        return False
    assert "<h1" in answer.text
    assert answer.html.select("main a[href]")
    return True


def people(site: Site, duo: DuoSimulator) -> Crowd:
    duo.add_user("grace")
    return Crowd(site, duo)


def test_logins_go_on_after_the_death_of_a_master_whose_replica_had_them(
    cluster: Cluster, build: Build, duo: DuoSimulator, duo_settings: str
) -> None:
    site = build(redis_url=cluster.settings, registry=REGISTRY, settings=duo_settings)
    crowd = people(site, duo)
    for server in cluster.masters():
        cluster.catch_up(server)
    master = cluster.holder(f"casduo:{{{crowd.ticket.split('-')[1]}}}:st:")
    master.kill()
    cluster.await_failover(master)
    assert "<cas:user>linus</cas:user>" in site.validate(crowd.ticket).text
    crowd.catch_up()


def test_logins_that_no_replica_had_begin_again(
    watched: Watched, build: Build, duo: DuoSimulator, duo_settings: str
) -> None:
    """Everything since the link was cut is lost with the master: sessions, tickets, logins that wait. Without
    confirmation, or nobody would have come so far.
    """
    site = build(redis_url=watched.settings + "', confirmed_by: '0", registry=REGISTRY, settings=duo_settings)
    master = watched.master()
    watched.cut_off(master)
    crowd = people(site, duo)
    master.kill()
    watched.await_failover(master)
    crowd.catch_up()
    assert "INVALID_TICKET" in site.validate(crowd.ticket).text


def test_logins_go_on_while_a_master_stands_still_and_when_it_comes_back(
    watched: Watched, build: Build, duo: DuoSimulator, duo_settings: str
) -> None:
    site = build(redis_url=watched.settings, registry=REGISTRY, settings=duo_settings)
    crowd = people(site, duo)
    master = watched.master()
    watched.catch_up(master)
    master.pause()
    # Who asks meanwhile is told so within the time that Redis is given, and loses nothing by it.
    assert plainly_away(crowd.live.login_page())
    watched.await_failover(master)
    master.resume()
    crowd.catch_up()
    assert "<cas:user>linus</cas:user>" in site.validate(crowd.ticket).text
    assert "INVALID_TICKET" in site.validate(crowd.ticket).text
    until(lambda: master.replicas() == -1, "the old master follows the new one")
    assert has_ticket(crowd.live.login_page())
