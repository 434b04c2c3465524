"""A chain of applications that ask one another in people's names: each a server of its own, over TLS, by python-cas."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests
from cas import CASError

from casduo.middleware import CasMiddleware
from casduo.simulators.certificates import CertificateAuthority, LeafFiles
from casduo.simulators.server import SimulatorServer
from tests.clients.applications import Application, Entered, running
from tests.support.served import Served, serving_alone
from tests.support.visitor import Visitor, login_form

REGISTRY = """
services:
  - id: portal
    name: Portal
    url: https://localhost:*/portal/**
    attributes: [displayName]
    proxy: {allow: true, callback: 'https://localhost:*/portal/pgt', private_addresses: true, targets: [loans]}
  - id: loans
    name: Loans
    url: https://localhost:*/loans/**
    attributes: [mail]
    proxy: {allow: true, callback: 'https://localhost:*/loans/pgt', private_addresses: true, targets: [stacks]}
  - id: stacks
    name: Stacks
    url: https://localhost:*/stacks/**
    proxy: {allow: true, callback: 'https://localhost:*/stacks/pgt', private_addresses: true, targets: [archive]}
  - id: archive
    name: Archive
    url: https://localhost:*/archive/**
    attributes: [groups]
"""
MIDDLEWARE_KEY = "k" * 40
BROWSER = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}


@dataclass(frozen=True)
class Chain:
    """Four applications, each of which asks the next one."""

    portal: Application
    loans: Application
    stacks: Application
    archive: Application

    @property
    def links(self) -> tuple[Application, ...]:
        """All of them, in their order."""
        return self.portal, self.loans, self.stacks, self.archive

    @property
    def callbacks(self) -> list[str]:
        """The addresses of those that ask, the last one first, as the archive is told of them."""
        return [link.callback for link in (self.stacks, self.loans, self.portal)]

    def tickets(self, user: str) -> list[str]:
        """Return the ticket by which a person entered each of the applications."""
        return [next(entered.ticket for entered in link.entered if entered.user == user) for link in self.links]


@pytest.fixture(scope="module")
def cas(tmp_path_factory: pytest.TempPathFactory, authority: CertificateAuthority) -> Iterator[Served]:
    directory = tmp_path_factory.mktemp("cas")
    settings = f"outbound: {{ca_file: '{authority.ca_file}'}}\nlogout: {{wait: 1ms}}\n"
    tls = authority.issue()
    with serving_alone(directory, tls=tls, registry=REGISTRY, settings=settings, worker=True) as found:
        yield found


@contextmanager
def chained(cas: Served, tls: LeafFiles, version: int = 3) -> Iterator[Chain]:
    archive = Application("archive", cas, version=version, proxied=True)
    stacks = Application("stacks", cas, version=version, proxied=True, next_app=archive)
    loans = Application("loans", cas, version=version, proxied=True, next_app=stacks)
    portal = Application("portal", cas, version=version, next_app=loans)
    with running(tls, portal, loans, stacks, archive):
        yield Chain(portal, loans, stacks, archive)


@pytest.fixture
def chain(cas: Served, authority: CertificateAuthority) -> Iterator[Chain]:
    with chained(cas, authority.issue()) as found:
        yield found


def shown_at_each(page: requests.Response) -> list[dict[str, Any]]:
    """Return what each application of a chain showed, the one that the browser is at first."""
    shown = [page.json()]
    while "next" in shown[-1]:
        shown.append(shown[-1].pop("next"))
    return shown


@pytest.mark.parametrize("version", [2, 3])
def test_the_last_service_sees_the_person_and_the_whole_chain_newest_first(
    cas: Served, authority: CertificateAuthority, ada: Visitor, version: int
) -> None:
    with chained(cas, authority.issue(), version) as chain:
        shown = shown_at_each(ada.sign_in(ada.visit(chain.portal.url)))
    assert [each["user"] for each in shown] == ["ada"] * 4
    assert [each["proxies"] for each in shown] == [[], chain.callbacks[2:], chain.callbacks[1:], chain.callbacks]
    assert [each["attributes"]["isFromNewLogin"] for each in shown] == ["true", "false", "false", "false"]


def test_each_service_learns_what_is_for_it_and_nothing_that_is_for_the_one_before(chain: Chain, ada: Visitor) -> None:
    told = [each["attributes"] for each in shown_at_each(ada.sign_in(ada.visit(chain.portal.url)))]
    own = [{name: each[name] for name in ("displayName", "mail", "groups") if name in each} for each in told]
    assert own == [{"displayName": "Ada L"}, {"mail": "ada@example.edu"}, {}, {"groups": "students"}]
    assert len({each["authenticationDate"] for each in told}) == 1


def test_a_second_look_needs_no_new_ticket_of_the_person(chain: Chain, ada: Visitor) -> None:
    ada.sign_in(ada.visit(chain.portal.url))
    shown = shown_at_each(ada.visit(chain.portal.url))
    assert ada.path == [chain.portal.url]
    assert shown[-1]["user"] == "ada"
    assert len(chain.portal.entered) == 1
    assert len({entered.ticket for entered in chain.archive.entered}) == 2


def test_people_at_the_same_time_are_not_mixed_up(cas: Served, chain: Chain) -> None:
    def enter(username: str) -> list[str]:
        with Visitor(cas.ca) as visitor:
            page = visitor.sign_in(visitor.visit(chain.portal.url), username)
            return [each["user"] for each in shown_at_each(page)]

    people = ["ada", "grace", "linus", "alan"] * 2
    with ThreadPoolExecutor(len(people)) as pool:
        assert list(pool.map(enter, people)) == [[username] * 4 for username in people]


def test_no_link_can_be_left_out(chain: Chain, ada: Visitor) -> None:
    ada.sign_in(ada.visit(chain.portal.url))
    (at_portal,), (at_loans,) = chain.portal.entered, chain.loans.entered
    for link, entered, beyond in [
        (chain.portal, at_portal, chain.stacks),
        (chain.portal, at_portal, chain.archive),
        (chain.loans, at_loans, chain.archive),
        (chain.loans, at_loans, chain.portal),
    ]:
        with pytest.raises(CASError):
            link.buy(entered, beyond.url)


def test_after_the_sign_out_no_link_gets_tickets_any_more(cas: Served, chain: Chain, ada: Visitor) -> None:
    ada.sign_in(ada.visit(chain.portal.url))
    asking = list(zip(chain.links[:-1], chain.links[1:], strict=True))
    bought = [link.buy(link.entered[0], after.url) for link, after in asking]
    ada.step(f"{cas.url}logout")
    for (link, after), ticket in zip(asking, bought, strict=True):
        assert after.client().verify_ticket(ticket)[0] is None
        with pytest.raises(CASError):
            link.buy(link.entered[0], after.url)


def test_after_the_sign_out_every_application_that_validated_is_told(cas: Served, chain: Chain, ada: Visitor) -> None:
    ada.sign_in(ada.visit(chain.portal.url))
    tickets = chain.tickets("ada")
    assert [ticket[:3] for ticket in tickets] == ["ST-", "PT-", "PT-", "PT-"]
    ada.step(f"{cas.url}logout")
    for link, ticket in zip(chain.links, tickets, strict=True):
        link.wait_until_told(ticket)
    assert login_form(ada.visit(chain.portal.url)) is not None


def test_the_sign_out_of_one_person_leaves_the_chain_of_another(
    cas: Served, chain: Chain, ada: Visitor, grace: Visitor
) -> None:
    ada.sign_in(ada.visit(chain.portal.url))
    grace.sign_in(grace.visit(chain.portal.url), "grace")
    ada.step(f"{cas.url}logout")
    for link, ticket in zip(chain.links, chain.tickets("ada"), strict=True):
        link.wait_until_told(ticket)
    shown = shown_at_each(grace.visit(chain.portal.url))
    assert grace.path == [chain.portal.url]
    assert [each["user"] for each in shown] == ["grace"] * 4


def test_a_link_that_is_cut_off_takes_the_rest_of_the_chain_with_it(
    cas: Served, authority: CertificateAuthority, ada: Visitor
) -> None:
    """A service that asks for no proxy-granting ticket has nothing to ask the next one with."""
    archive = Application("archive", cas, proxied=True)
    stacks = Application("stacks", cas, proxied=True)
    portal = Application("portal", cas, next_app=Application("loans", cas, proxied=True, next_app=stacks))
    assert portal.next_app is not None
    with running(authority.issue(), portal, portal.next_app, stacks, archive):
        ada.sign_in(ada.visit(portal.url))
        (entered,) = stacks.entered
        assert entered.pgt == ""
        with pytest.raises(CASError):
            stacks.buy(entered, archive.url)


@dataclass
class Guarded:
    """An application behind the middleware. ``told`` is set when something was posted to it and had been dealt with."""

    url: str = ""
    told: threading.Event = field(default_factory=threading.Event)


@contextmanager
def guarded(
    tls: LeafFiles, cas: Served, path: str, page: Callable[[dict[str, Any]], str], **options: Any
) -> Iterator[Guarded]:
    """Serve an application at ``path`` behind the middleware.

    :param page: makes the text of every page
    """

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        text = page(environ)
        start_response("200 OK", [("Content-Type", "application/json")])
        return [text.encode()]

    def outside(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        answer = list(behind[0](environ, start_response))
        if environ["REQUEST_METHOD"] == "POST":
            found.told.set()
        return answer

    found = Guarded()
    behind: list[CasMiddleware] = []
    with SimulatorServer(outside, certificate=tls) as server:
        found.url = f"{server.url}{path}"
        behind.append(
            CasMiddleware(
                application,
                cas_url=cas.url,
                service_url=server.url,
                secret_key=MIDDLEWARE_KEY,
                ca_file=cas.ca,
                session="memory",
                **options,
            )
        )
        yield found


def asking(loans: Application, ca: str) -> Callable[[dict[str, Any]], str]:
    """Return a page that shows what the loans say when they are asked in the person's name."""

    def page(environ: dict[str, Any]) -> str:
        ticket = environ["casduo.proxy"].proxy_ticket(loans.url)
        with requests.get(loans.url, params={"ticket": ticket}, verify=ca, timeout=20) as answer:
            return json.dumps({"user": environ["REMOTE_USER"], "next": answer.json()})

    return page


def telling(environ: dict[str, Any]) -> str:
    session = environ["casduo.session"]
    return json.dumps({"user": environ["REMOTE_USER"], "proxies": session.proxies})


def test_the_middleware_begins_a_chain(
    cas: Served, authority: CertificateAuthority, chain: Chain, ada: Visitor
) -> None:
    ada.http.headers.update(BROWSER)
    page = asking(chain.loans, cas.ca)
    with guarded(authority.issue(), cas, "/portal/", page, proxy_callback="/portal/pgt") as portal:
        shown = shown_at_each(ada.sign_in(ada.visit(portal.url)))
        assert [each["user"] for each in shown] == ["ada"] * 4
        assert shown[-1]["proxies"] == [*chain.callbacks[:2], f"{portal.url}pgt"]
        ada.step(f"{cas.url}logout")
        assert portal.told.wait(15)
        for link in chain.links[1:]:
            link.wait_until_told(link.entered[0].ticket)
        assert login_form(ada.visit(portal.url)) is not None


@pytest.mark.parametrize("trusted", [True, False])
def test_the_middleware_ends_a_chain_whose_every_link_it_trusts(
    cas: Served, authority: CertificateAuthority, ada: Visitor, trusted: bool
) -> None:
    tls = authority.issue()
    stacks = Application("stacks", cas, proxied=True, proxy=True)
    loans = Application("loans", cas, proxied=True, next_app=stacks)
    portal = Application("portal", cas, next_app=loans)
    with running(tls, portal, loans, stacks):
        ada.sign_in(ada.visit(portal.url))
        (entered,) = stacks.entered
        allowed = [link.callback for link in (portal, stacks, *([loans] if trusted else []))]
        with guarded(tls, cas, "/archive/", telling, allowed_proxies=allowed) as archive:
            answer = asked_with(stacks, entered, archive.url, cas.ca)
            if trusted:
                assert answer.json() == {"user": "ada", "proxies": [stacks.callback, loans.callback, portal.callback]}
                ada.step(f"{cas.url}logout")
                assert archive.told.wait(15)
            else:
                assert answer.status_code == 403


def asked_with(link: Application, entered: Entered, address: str, ca: str) -> requests.Response:
    """Return what an address answers when an application asks it in somebody's name."""
    with requests.get(address, params={"ticket": link.buy(entered, address)}, verify=ca, timeout=20) as answer:
        return answer
