"""A disk that is full: the state of the embedded Valkey, the audit trail, the log and the registry lie on it."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.parse import quote, urljoin

import requests
from bs4 import BeautifulSoup

from tests.events.disks import small_disk
from tests.faults.conftest import Sound
from tests.faults.stage import on_stage
from tests.faults.stream import LONGEST, Stream, ask, send_form
from tests.support.ports import free_ports
from tests.support.site import PASSWORDS

ADMINS = "admin: {change: {users: [ada]}, without_duo: true}\n"


def test_logins_are_refused_while_the_disk_is_full_and_whole_again_once_there_is_room(
    tmp_path: Path, rounds: range, sound: Sound
) -> None:
    with (
        small_disk(tmp_path / "disk", 16 * 1024 * 1024) as disk,
        on_stage(disk.directory / "stage", "") as stage,
        Stream(stage.bases) as stream,
    ):
        for _ in rounds:
            stream.flows(4)
            disk.fill()
            try:
                stream.tells(4)
            finally:
                disk.free()
            stream.recovers(time.monotonic())
        sound(stream, stage)


class Editor:
    """An administrator who changes an entry of the registry in a browser, at a node (its base)."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._browser = requests.Session()
        page = ask(self._browser, "GET", f"{base}login?service={quote(f'{base}admin/services', safe='')}")
        send_form(self._browser, page, username="ada", password=PASSWORDS["ada"])

    def looks_at(self, name: str) -> requests.Response:
        """Call the library by another name, and look at the change."""
        entry = self._browser.get(f"{self._base}admin/services/entry/library", timeout=LONGEST)
        text = f"- id: library\n  name: {name}\n  url: https://library.example.edu/**\n"
        return self._send(entry, "textarea[name=text]", do="yaml", text=text)

    def saves(self, look: requests.Response) -> tuple[int, str]:
        """Save it. Returns the answer's status and the words of its page."""
        answer = self._send(look, "[name=reason]", reason="because")
        return answer.status_code, " ".join(BeautifulSoup(answer.text, "html.parser").get_text(" ").split())

    def history(self) -> str:
        """The words of the page of all changes."""
        page = self._browser.get(f"{self._base}admin/services/history", timeout=LONGEST)
        return " ".join(BeautifulSoup(page.text, "html.parser").get_text(" ").split())

    def _send(self, page: requests.Response, field: str, **fields: str) -> requests.Response:
        found = BeautifulSoup(page.text, "html.parser").select_one(field)
        form = None if found is None else found.find_parent("form")
        assert form is not None, page.text
        hidden = {one["name"]: one["value"] for one in form.find_all("input", type="hidden")}
        address = urljoin(page.url, str(form["action"]))
        return self._browser.post(address, hidden | fields, allow_redirects=False, timeout=LONGEST)


def test_a_change_of_the_registry_is_not_made_while_the_disk_is_full_and_can_be_afterwards(
    tmp_path: Path, redis_url: str, rounds: range, sound: Sound
) -> None:
    """The log and the audit trail lie there too: nobody who signs in notices, and nothing is lost."""
    [port] = free_ports(1)
    url = f"http://localhost:{port}/cas"
    with (
        small_disk(tmp_path / "disk", 4 * 1024 * 1024) as disk,
        on_stage(disk.directory / "stage", redis_url, ports=[port], url=url, settings=ADMINS) as stage,
        Stream(stage.bases) as stream,
    ):
        registry = stage.nodes[0].log.with_name("registry.yaml")
        editor = Editor(stage.bases[0])
        for number in rounds:
            stream.flows(4)
            look, before = editor.looks_at(f"Library {number}"), registry.read_bytes()
            changes = editor.history().count("because")
            disk.fill()
            try:
                status, words = editor.saves(look)
                assert (status, registry.read_bytes()) == (422, before), words
                assert "Nothing was changed" in words
                assert editor.history().count("because") == changes
                stream.flows(4)
            finally:
                disk.free()
            assert editor.saves(look)[0] == 303
            assert registry.read_bytes() != before
            assert f"name: Library {number}" in registry.read_text(encoding="utf-8")
            assert editor.history().count("because") == changes + 1
            assert {path.name for path in registry.parent.iterdir() if path.name.startswith(".")} == set()
            stream.recovers()
        sound(stream, stage)
    assert (stream.tally.clear, stream.tally.cut) == ({}, 0)
