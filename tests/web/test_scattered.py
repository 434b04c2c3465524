"""Whoever comes is answered by any node: each request goes to another one than the request before."""

from __future__ import annotations

import pytest

from tests.support.scattered import NODES, Scattered
from tests.support.served import REGISTRY
from tests.support.site import LIBRARY, Build, Site, has_ticket, heading, ticket_of


@pytest.fixture
def scattered(build: Build, monkeypatch: pytest.MonkeyPatch) -> Site:
    """Three nodes."""
    monkeypatch.setenv(NODES, "3")
    site = build(registry=REGISTRY)
    assert isinstance(site.composed, Scattered)
    return site


def test_a_login_its_ticket_and_its_end_may_each_be_at_another_node(scattered: Site) -> None:
    ada = scattered.browser()
    for _ in range(3):
        # Four requests each time: no step stays at the node of the round before.
        answer = ada.sign_in("ada", renew="true")
        ticket = ticket_of(answer)
        assert ">ada<" in scattered.validate(ticket, renew="true").text
        assert "INVALID_TICKET" in scattered.validate(ticket).text
    assert has_ticket(ada.get(f"/login?service={LIBRARY.partition('?')[0]}"))
    page = ada.get("/logout")
    ada.follow(page.forms[0].submit(status="*") if page.forms else page)
    assert heading(ada.login_page()).startswith("Sign in")


def test_a_wrong_password_counts_at_all_nodes_together(scattered: Site) -> None:
    ada = scattered.browser()
    answers = [ada.fill(ada.login_page(), "ada", "wrong") for _ in range(12)]
    assert 429 in [answer.status_int for answer in answers]


def test_a_form_is_taken_once_whichever_node_gets_it(scattered: Site) -> None:
    ada = scattered.browser()
    page = ada.login_page()
    assert has_ticket(ada.fill(page, "ada"))
    # With a session the old form would lead to a ticket all the same, by that session.
    ada.forget_session()
    again = [ada.fill(page, "ada") for _ in range(3)]
    assert not any(has_ticket(answer) for answer in again)


def test_a_changed_registry_is_in_force_at_all_nodes(scattered: Site) -> None:
    services = scattered.composed.parts.services
    services.path.write_text(services.path.read_text().replace("https://library.", "https://books."))
    services.poll()
    found = {scattered.browser().login_page().status_int for _ in range(3)}
    assert found == {403}
