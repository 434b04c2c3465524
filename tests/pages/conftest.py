"""One browser and one small web server for all page tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.pages.serving import Pages, served


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
