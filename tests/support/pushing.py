"""The built-in Duo page at work: a worker in threads of the test, and a person who looks and types."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from html import unescape

from webtest.response import TestResponse

from casduo.clock import Clock, system_clock
from casduo.events.journal import Journal
from casduo.settings import load_settings
from casduo.worker.parts import build_parts
from casduo.worker.process import run_jobs
from tests.support.site import ORIGIN, Browser, Site

_PATIENCE = 30.0


@contextmanager
def working(site: Site, *, clock: Clock = system_clock, journal: Journal | None = None) -> Iterator[None]:
    """A worker beside ``site``: the real jobs, as threads of this process."""
    stopping = threading.Event()
    parts = build_parts(load_settings(site.settings_file, {}), stopping, clock)
    parts = replace(parts, journal=journal) if journal is not None else parts
    worker = threading.Thread(target=run_jobs, args=(parts,), daemon=True)
    worker.start()
    store = site.composed.parts.store
    wait_for(lambda: bool(store.command("EXISTS", "casduo:worker:alive")))
    try:
        yield
    finally:
        stopping.set()
        worker.join(_PATIENCE)


def execution_of(page: TestResponse) -> str:
    """Return the key with which the page's forms go on."""
    found = re.search(r'name="execution" value="([^"]+)"', page.text)
    assert found, page.text
    return found[1]


def status_url_of(page: TestResponse) -> str:
    """Return the address that the page's script asks for news; empty for none."""
    found = re.search(r'"(/cas/duo/push/status\?key=[^"]+)"', page.text)
    return ORIGIN + unescape(found[1]) if found else ""


def press(browser: Browser, page: TestResponse, **fields: str) -> TestResponse:
    """Send one of the page's forms, and go where that leads within the server."""
    return browser.follow(browser.post("/login", {"execution": execution_of(page), **fields}))


def look_again(browser: Browser, page: TestResponse) -> TestResponse:
    """Load the page's own address anew, and go where that leads within the server."""
    return browser.follow(browser.get(page.request.url))


def news(browser: Browser, page: TestResponse) -> dict[str, object]:
    """Ask as the page's script does."""
    found: dict[str, object] = browser.get(status_url_of(page)).json
    return found


def settled(browser: Browser, page: TestResponse) -> TestResponse:
    """Wait for news as the page's script does, and follow them."""
    wait_for(lambda: news(browser, page)["state"] not in ("sending", "waiting"))
    return look_again(browser, page)


def wait_for(come: Callable[[], bool], instead: Callable[[], object] = lambda: "") -> None:
    """Wait, not for ever, until something has come; ``instead`` tells what there is if it does not."""
    deadline = time.monotonic() + _PATIENCE
    while not come():
        assert time.monotonic() < deadline, f"nothing came {instead()}"
        time.sleep(0.02)
