"""An entry of the registry in a browser, at a real server: checked while somebody types, kept, and saved."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Dialog, Page, expect
from werkzeug.serving import WSGIRequestHandler, make_server

from casduo.store import Store
from casduo.store.store import client_for
from tests.support.ports import free_port
from tests.support.site import PASSWORDS, build_site

NOW = 1_800_000_000.0
REGISTRY = """\
services:
  - id: library   # stable
    name: Library
    url: https://library.example.edu/**
"""
SETTINGS = "admin: {without_duo: true, change: {users: [ada]}}\n"


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, valkey_url: str) -> Iterator[tuple[str, Path]]:
    """A server on a port of this machine, and its registry file."""
    store = Store(client_for(valkey_url, "", 5.0, 64, ""))
    store.command("FLUSHALL")
    store.close()
    directory, port = tmp_path_factory.mktemp("site"), free_port()
    url = f"http://localhost:{port}/cas"
    site = build_site(directory, valkey_url, NOW, REGISTRY, SETTINGS, f"{url}, insecure_http: true")
    server = make_server("127.0.0.1", port, site.composed.wsgi, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield url, directory / "registry.yaml"
    server.shutdown()
    thread.join()
    server.server_close()
    site.composed.close()


@pytest.fixture
def page(chromium: Browser, served: tuple[str, Path]) -> Iterator[Page]:
    """The page of an entry, opened by somebody who may change it."""
    url, path = served
    path.write_text(REGISTRY)
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{url}/login")
    page.fill("#username", "ada")
    page.fill("#password", PASSWORDS["ada"])
    with page.expect_navigation():
        page.keyboard.press("Enter")
    page.goto(f"{url}/admin/services/entry/library")
    yield page
    context.close()


def test_an_entry_is_checked_while_somebody_types(page: Page) -> None:
    text = page.locator("#yaml")
    text.fill(text.input_value().replace("name:", "nmae:"))
    expect(page.locator("#lint")).to_contain_text("Line 2, nmae: unknown key, did you mean 'name'?")
    expect(text).to_have_attribute("aria-invalid", "true")
    text.fill(text.input_value().replace("nmae:", "name:"))
    expect(page.locator("#lint")).to_have_text("No mistakes.")
    expect(text).not_to_have_attribute("aria-invalid", "true")


def test_leaving_with_something_typed_asks_first_and_saving_does_not(page: Page, served: tuple[str, Path]) -> None:
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.once("dialog", stay)
    page.locator("#f-name").press("End")
    page.locator("#f-name").press_sequentially("!")
    page.get_by_role("link", name="All services").click()
    expect(page.locator("#f-name")).to_have_value("Library!")
    assert asked == ["beforeunload"]
    page.locator("#f-name").press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Change Library")
    page.fill("#reason", "it is loud")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").first).to_contain_text("Saved as change")
    assert served[1].read_text() == REGISTRY.replace("name: Library", "name: Library!")
    assert asked == ["beforeunload"]
