"""A demo that runs: what the ready file says is true, and a script can sign in with nothing else."""

from __future__ import annotations

import re
import socket
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
import redis
import requests
from bs4 import BeautifulSoup

from tests.demo.running import DemoProcess, running

TIMEOUT = 10


@pytest.fixture
def script(demo: DemoProcess) -> Iterator[requests.Session]:
    """A program with a cookie jar that trusts the demo's authority and nobody else."""
    with requests.Session() as session:
        # Else variables of this machine may name other authorities.
        session.trust_env = False
        session.verify = demo.ca_file
        yield session


def sign_in(session: requests.Session, demo: DemoProcess, app: str, username: str) -> requests.Response:
    """Open an application, fill in the form it leads to, and return where that ends."""
    page = session.get(demo.app(app), timeout=TIMEOUT)
    form = BeautifulSoup(page.text, "html.parser").find("form", id="login")
    assert form is not None, page.text
    fields = {str(each["name"]): str(each.get("value", "")) for each in form.find_all("input", type="hidden")}
    fields |= {"username": username, "password": demo.password(username)}
    return session.post(urljoin(page.url, str(form["action"])), fields, timeout=TIMEOUT)


def heading(page: requests.Response) -> str:
    found = BeautifulSoup(page.text, "html.parser").find("h1")
    return " ".join(found.get_text().split()) if found else ""


def test_the_ready_file_says_what_a_script_needs(demo: DemoProcess) -> None:
    ready = demo.ready
    assert [app["name"] for app in ready["apps"]] == ["Library", "Payroll", "Timesheets", "Database server"]
    assert [app["requires_duo"] for app in ready["apps"]] == [False, True, True, True]
    assert {user["duo"] for user in ready["users"]} == {"enrolled", "unenrolled", "deny", "bypass", "locked"}
    assert all(user.keys() == {"username", "password", "pin", "duo", "profiles"} for user in ready["users"])
    assert all(phone.keys() == {"device", "model", "name"} for phone in ready["phones"])
    assert stat.S_IMODE(demo.ready_file.stat().st_mode) == 0o600


def test_what_is_printed_names_all_of_it(demo: DemoProcess) -> None:
    named = [demo.cas_url, demo.ca_file, demo.phones_url, *(app["url"] for app in demo.ready["apps"])]
    named += [*demo.ready["log_files"], demo.ready["registry_file"], demo.ready["duo_control_url"]]
    named += [demo.ready["settings_file"], demo.ready["phone_url"], demo.ready["ucm_control_url"]]
    named += [demo.ready["webex_url"], demo.ready["webex_space"], f"{demo.cas_url}/approvals"]
    named += [demo.ready["admin_url"]]
    assert [each for each in named if each not in demo.output] == []
    for user in demo.ready["users"]:
        profiles = ", ".join(user["profiles"]) or "none"
        row = rf"{user['username']} +{user['password']} +{user['pin']} +{user['duo']}.* {profiles}\n"
        assert re.search(row, demo.output), demo.output
    assert max(map(len, demo.output.splitlines())) <= 140 + len(str(demo.state))


def test_once_it_is_ready_a_push_goes_out_at_once(tmp_path: Path) -> None:
    with running(tmp_path) as fresh, requests.Session() as session:
        session.trust_env = False
        session.verify = fresh.ca_file
        assert heading(sign_in(session, fresh, "Timesheets", "ada")) == "Check your device"


def test_redis_answers_where_the_file_says(demo: DemoProcess) -> None:
    with redis.Redis.from_url(demo.ready["redis_url"]) as client:
        assert client.ping()


def test_all_servers_show_one_certificate_that_is_good_for_localhost(demo: DemoProcess) -> None:
    assert len(demo.tls_ports) == 10
    assert len(demo.certificates()) == 1


def test_nothing_listens_on_other_addresses(demo: DemoProcess) -> None:
    controls = [urlsplit(demo.ready[key]).port for key in ("duo_control_url", "ucm_control_url", "webex_control_url")]
    for port in [*demo.tls_ports, *controls]:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.2", port), timeout=TIMEOUT)


def test_the_phones_are_there_and_nobody_is_logged_in(demo: DemoProcess, script: requests.Session) -> None:
    page = BeautifulSoup(script.get(demo.ready["phone_url"], timeout=TIMEOUT).text, "html.parser")
    links = {str(link["href"]): link.get_text() for link in page.select(".phones a")}
    assert links == {f"/phones/{phone['device']}": phone["name"] for phone in demo.ready["phones"]}
    state = demo.ucm(do="state")
    assert [phone["name"] for phone in state["phones"]] == [phone["device"] for phone in demo.ready["phones"]]
    assert {user["userid"] for user in state["users"]} == {user["username"] for user in demo.ready["users"]}


def test_a_script_signs_in_where_a_password_is_enough(demo: DemoProcess, script: requests.Session) -> None:
    page = sign_in(script, demo, "Library", "ada")
    assert page.url == demo.app("Library")
    assert heading(page) == "Hello, Ada Lovelace"


def test_a_script_signs_in_with_duo(demo: DemoProcess, script: requests.Session) -> None:
    prompt = sign_in(script, demo, "Payroll", "ada")
    assert urlsplit(prompt.url).netloc == urlsplit(demo.phones_url).netloc
    demo.duo(do="reply", username="ada", reply="approve")
    page = script.get(prompt.url, timeout=TIMEOUT)
    assert page.url == demo.app("Payroll")
    assert "Approved with Duo" in page.text


def test_the_services_can_be_changed_while_it_runs(demo: DemoProcess, script: requests.Session) -> None:
    registry = demo.state / "registry.yaml"
    written = registry.read_text(encoding="utf-8")
    registry.write_text(written.replace("name: Library", "name: Library of Babel"), encoding="utf-8")
    try:
        deadline = time.monotonic() + 20
        while "Library of Babel" not in script.get(demo.app("Library"), timeout=TIMEOUT).text:
            assert time.monotonic() < deadline
    finally:
        registry.write_text(written, encoding="utf-8")
