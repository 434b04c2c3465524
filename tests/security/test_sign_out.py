"""Single logout: which addresses the server calls when a session ends, and what it tells there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from casduo.outbound.pinned import Resolve
from casduo.store import Store
from casduo.tickets.ledger import LedgerLine
from casduo.tickets.signouts import SignOut
from casduo.worker.parts import Parts
from casduo.worker.sender import build_sender
from casduo.worker.signouts import SignOuts
from tests.security.steps import CRAFTED, accepted, signed_in
from tests.security.test_proxying import PRIVATE, Names
from tests.support.naming import names
from tests.support.site import Site as Server
from tests.support.site import build_site, ticket_of
from tests.worker.applications import Application, Gauge, application
from tests.worker.working import Site, Visits, eventually, working


@pytest.fixture
def site(tmp_path: Path, own_redis_url: str, own_store: Store) -> Site:
    return Site(tmp_path, own_redis_url, own_store)


@pytest.fixture
def app() -> Iterator[Application]:
    """An application on this machine, where no stranger's name may lead."""
    with application(Gauge()) as running:
        yield running


def by(names: Resolve) -> Callable[[Parts], SignOuts]:
    """The job that tells services, with a resolver that the test answers for."""

    def make(parts: Parts) -> SignOuts:
        job = SignOuts(parts)
        job._sender = build_sender(parts.settings.logout.timeout, None, parts.clock, names)
        return job

    return make


def told(site: Site, names: Resolve, visits: Visits) -> list[LedgerLine]:
    """End a session that led to these services, let a worker tell them, and return what became of it."""
    sign_out: SignOut = site.sign_out(visits)
    with working(site, by(names)):
        return site.settled(sign_out)


def port_of(app: Application) -> str:
    return app.url.rpartition(":")[2]


@pytest.mark.parametrize(
    "pattern", ["http://*.example.edu:{port}/**", "regex:http://[a-z0-9]+\\.example\\.edu:{port}/.*"]
)
def test_a_name_that_somebody_made_up_leads_into_no_network_of_ours(site: Site, app: Application, pattern: str) -> None:
    """Casdoor's unlimited callbacks, for sign-out: the address is the service URL, and where the registry has a star
    whoever asked for the ticket has chosen the name.
    """
    url = pattern.format(port=port_of(app)).replace("\\", "\\\\")
    site.write(f'services: [{{id: star, name: S, url: "{url}"}}]\n')
    book = {f"evil{number}.example.edu": Names(addresses) for number, addresses in enumerate(PRIVATE)}
    lines = told(site, lambda host: book[host](host), [("star", f"http://{host}:{port_of(app)}/") for host in book])
    assert [(line.state, line.telling.detail) for line in lines] == [("failed", "address")] * len(PRIVATE)
    assert all(len(names.asked) == 1 for names in book.values())
    assert app.tickets == []


def test_where_the_registry_says_so_a_star_may_be_private(site: Site, app: Application) -> None:
    """The counterpart, which shows that the application of these tests would have been reached."""
    url = f"http://*.example.edu:{port_of(app)}/**"
    site.write(f'services: [{{id: star, name: S, url: "{url}", logout: {{private_addresses: true}}}}]\n')
    (line,) = told(site, Names("127.0.0.1"), [("star", f"http://good.example.edu:{port_of(app)}/")])
    assert (line.state, line.telling.status) == ("told", 200)
    assert len(app.tickets) == 1


def test_the_address_where_clouds_keep_credentials_is_never_called(site: Site, app: Application) -> None:
    """The address where clouds keep credentials is no application, however the registry was written."""
    url = f"http://metadata.example.edu:{port_of(app)}/**"
    site.write(f'services: [{{id: meta, name: M, url: "{url}", logout: {{private_addresses: true}}}}]\n')
    (line,) = told(site, Names("169.254.169.254"), [("meta", f"http://metadata.example.edu:{port_of(app)}/latest")])
    assert (line.state, line.telling.detail) == ("failed", "address")


def test_a_name_is_asked_for_once_and_what_was_checked_is_what_is_called(site: Site, app: Application) -> None:
    """DNS rebinding, for sign-out: the second answer, if it were asked for, would lead to the application."""
    site.write(f'services: [{{id: star, name: S, url: "http://*.example.edu:{port_of(app)}/**"}}]\n')
    names = Names("10.0.0.1", "127.0.0.1")
    told(site, names, [("star", f"http://evil.example.edu:{port_of(app)}/")])
    assert names.asked == ["evil.example.edu"]
    assert app.tickets == []


def test_nobody_is_called_whom_the_entry_does_not_mean(site: Site, app: Application) -> None:
    """CVE-2026-7504 and its kind, at sign-out: addresses that some part of the server could take for the library's."""
    site.write("services: [{id: library, name: L, url: 'https://library.example.edu/**'}]\n")
    names = Names("127.0.0.1")
    lines = told(site, names, [("library", service) for service in [*CRAFTED, f"{app.url}/"]])
    assert {line.state for line in lines} == {"unsupported"}
    assert {line.telling.detail for line in lines} <= {"unregistered", "no_web_address"}
    assert names.asked == []
    assert app.tickets == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_leads_nowhere(site: Site, app: Application, status: int) -> None:
    """Casdoor's callbacks followed redirects, out of the registry and into our own network."""
    site.write(f"services: [{{id: app, name: A, url: '{app.url}/**'}}]\n")
    (line,) = told(site, Names("127.0.0.1"), [("app", f"{app.url}/status/{status}")])
    assert line.telling.status == status
    assert [request.path for request in app.received] == [f"/status/{status}"]


def test_an_application_is_told_its_own_ticket_and_nothing_else(site: Site) -> None:
    """GSS.Authentication.CAS issue 1034: whoever knows a ticket can end the session behind it, so each application
    hears of its own, of nobody's name, and of no cookie.
    """
    with application(Gauge()) as one, application(Gauge()) as other:
        entries = ", ".join(
            f"{{id: {name}, name: {name}, url: '{at.url}/**'}}" for name, at in (("one", one), ("other", other))
        )
        site.write(f"services: [{entries}]\n")
        sign_out = site.sign_out([("one", f"{one.url}/"), ("other", f"{other.url}/")])
        tickets = site.tickets(sign_out)
        with working(site, by(Names("127.0.0.1"))):
            site.settled(sign_out)
        assert [one.tickets, other.tickets] == [[ticket] for ticket in tickets]
        for request in (*one.received, *other.received):
            assert (request.method, request.path) == ("POST", "/")
            assert not names(request.body, "ada")
            assert not {"Cookie", "Authorization", "Referer"} & set(request.headers)


def test_a_ticket_that_nobody_validated_is_told_to_nobody(
    tmp_path: Path, own_redis_url: str, own_store: Store, app: Application
) -> None:
    """GSS.Authentication.CAS issue 1034: a ticket that is still good is nowhere but in the browser that got it."""
    registry = f"""
    services:
      - {{id: app, name: App, url: "{app.url}/**"}}
      - {{id: library, name: Library, url: "https://library.example.edu/**"}}
    """
    server: Server = build_site(tmp_path, own_redis_url, 1_790_000_000.0, registry)
    browser = signed_in(server)
    unused = ticket_of(browser.login_page(f"{app.url}/unused"))
    refused = ticket_of(browser.login_page(f"{app.url}/refused"))
    assert not accepted(server.validate(refused, "https://library.example.edu/"))
    used = ticket_of(browser.login_page(f"{app.url}/used"))
    assert accepted(server.validate(used, f"{app.url}/used"))
    server.composed.parts.later.flush()
    page = browser.get("/logout")
    for ticket in (unused, refused, used):
        assert ticket not in page.text
    own = Site(tmp_path, own_redis_url, own_store)
    with working(own, by(Names("127.0.0.1"))):
        eventually(lambda: own.orders() == 0)
    server.composed.close()
    assert app.tickets == [used]
