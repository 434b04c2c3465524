"""One browser and one small web server for all page tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.pages.serving import Pages, served
from tests.pages.watching import COUNT, LISTEN, Watched


@pytest.fixture(scope="session")
def browser(chromium: Browser) -> Browser:
    """Return the system's Chromium, started once."""
    return chromium


@pytest.fixture(scope="session")
def pages() -> Iterator[Pages]:
    """Return the server that hands out rendered pages."""
    with served() as running:
        yield running


@pytest.fixture
def open_page(browser: Browser, pages: Pages) -> Iterator[Callable[..., Page]]:
    """Return a function that opens ``html`` in a fresh browser profile; keywords are Playwright context options."""
    contexts = []

    def opened(html: str, **options: Any) -> Page:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.goto(pages.add("/opened", html))
        return page

    pages.posted.clear()
    yield opened
    for context in contexts:
        context.close()


@pytest.fixture
def watched(browser: Browser, pages: Pages) -> Iterator[Watched]:
    """Return a fresh browser profile with a clock that stands still."""
    context = browser.new_context()
    context.set_default_timeout(10_000)
    context.add_init_script(LISTEN + COUNT)
    made = Watched(context.new_page(), pages)
    made.page.clock.install(time=0)
    made.page.clock.pause_at(60)
    pages.posted.clear()
    pages.asked.clear()
    made.news()
    yield made
    context.close()
    pages.news.clear()
    assert [text for text in made.complaints if "status of 503" not in text and "ERR_FAILED" not in text] == []
