"""A server for phones alone: the only handler there is checks PINs, which browsers are not asked for."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from casduo.compose import compose
from casduo.settings import load_settings
from casduo.store import Store
from tests.support.site import LIBRARY, Recorder, SetClock, Site, write_site

USERS = "  - {type: users_file, path: users.yaml, argon2: {memory_kib: 8, time_cost: 1, parallelism: 1}}\n"
REGISTRY = "services: [{id: library, name: Library, url: 'https://library.example.edu/**'}]"
UCM = "ucm: {axl: {servers: 'localhost:9', username: a, password: b}}\n"


@pytest.fixture
def site(tmp_path: Path, valkey_url: str, store: Store) -> Iterator[Site]:
    path = write_site(tmp_path, valkey_url, REGISTRY, settings=UCM, handlers="- {type: ucm_pin}\n")
    path.write_text(path.read_text().replace(USERS, ""))
    clock, journal = SetClock(float(int(time.time()))), Recorder()
    found = Site(compose(load_settings(path, {}), clock=clock, journal=journal, watch=False), clock, journal, path)
    yield found
    found.composed.close()


def test_nobody_signs_in_with_a_pin_in_a_browser(site: Site) -> None:
    browser = site.browser()
    page = browser.fill(browser.login_page(LIBRARY), "ada", "24680")
    assert page.status_int == 503
