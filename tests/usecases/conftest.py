"""One site for the use cases that leave its time alone, and people with browsers."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser

from casduo.simulators.certificates import CertificateAuthority
from tests.demo.approving import Webex
from tests.usecases.person import Person
from tests.usecases.place import APPROVER, SPACE, Place, running_place

SomebodyAt = Callable[[Place, str], Person]
SpacesOf = Callable[[Place, str], Webex]


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory, authority: CertificateAuthority) -> Iterator[Place]:
    with running_place(tmp_path_factory.mktemp("usecases"), authority.issue()) as running:
        yield running


@pytest.fixture
def somebody_at(chromium: Browser) -> Iterator[SomebodyAt]:
    """Somebody without cookies at a site."""
    contexts = []

    def come(place: Place, username: str) -> Person:
        context = chromium.new_context(ignore_https_errors=True)
        contexts.append(context)
        return Person(place, context, context.new_page(), username)

    yield come
    for context in contexts:
        context.close()


@pytest.fixture
def somebody(place: Place, somebody_at: SomebodyAt) -> Callable[[str], Person]:
    """Somebody without cookies at the site."""
    return lambda username: somebody_at(place, username)


@pytest.fixture
def spaces_of(somebody_at: SomebodyAt) -> SpacesOf:
    """The Webex of somebody who is in a space of their own or in the one in which the bot posts, opened there."""

    def look(place: Place, username: str) -> Webex:
        webex = Webex(somebody_at(place, username).page, place.webex.page_url)
        webex.looks_into(username, SPACE if username == APPROVER else "casduo")
        return webex

    return look
