"""The pages as programs see them: what they hold, who may press keys, and that nothing of it is kept or embedded."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests
from bs4 import BeautifulSoup

from casduo.simulators.certificates import LeafFiles
from casduo.simulators.clock import VirtualClock
from casduo.simulators.phone_page import DeskPhone, phone_page_server
from casduo.simulators.phone_page.desk_phone import SETTLING_SECONDS
from tests.simulators.phone_page.conftest import PEOPLE, RECEPTION
from tests.simulators.phone_page.desk_service import DeskService, Login

TIMEOUT = 10
PHONE = f"/phones/{RECEPTION.device}"


@pytest.fixture
def session(leaf: LeafFiles) -> Iterator[requests.Session]:
    with requests.Session() as session:
        session.trust_env = False
        session.verify = str(leaf.ca)
        yield session


def parsed(page: requests.Response) -> BeautifulSoup:
    return BeautifulSoup(page.text, "html.parser")


def test_all_phones_are_listed_with_who_is_on_them(site: str, session: requests.Session) -> None:
    page = parsed(session.get(site, timeout=TIMEOUT))
    assert [link.get_text() for link in page.select(".phones a")] == ["Reception", "Laboratory", "Reading room"]
    assert [badge.get_text() for badge in page.select(".phones .badge")] == ["Free", "Free", "Free"]
    assert "1815" in page.select_one(".people").get_text()  # type: ignore[union-attr]


def test_the_list_changes_with_a_login(site: str, session: requests.Session, service: DeskService) -> None:
    before = session.get(f"{site}/state", timeout=TIMEOUT).json()["version"]
    service.logins[RECEPTION.device] = Login("ada", "ada-office")
    page = parsed(session.get(site, timeout=TIMEOUT))
    assert [badge.get_text() for badge in page.select(".phones .badge")] == ["ada", "Free", "Free"]
    assert session.get(f"{site}/state", timeout=TIMEOUT).json()["version"] != before


def test_the_way_to_the_phones_that_duo_asks_on_is_shown_where_there_is_one(
    site: str, session: requests.Session, phones: list[DeskPhone], leaf: LeafFiles
) -> None:
    duo = "https://localhost:8447/phone"
    assert parsed(session.get(site + PHONE, timeout=TIMEOUT)).select(".people a") == []
    with phone_page_server(phones, leaf, people=PEOPLE, duo_url=duo) as server:
        links = parsed(session.get(server.url + PHONE, timeout=TIMEOUT)).select(".people a")
    assert [link["href"] for link in links] == [duo]


def test_a_lamp_shows_a_login_on_every_model(
    site: str, session: requests.Session, service: DeskService, phones: list[DeskPhone], clock: VirtualClock
) -> None:
    for phone in phones:
        address = f"{site}/phones/{phone.facts.device}"
        assert parsed(session.get(address, timeout=TIMEOUT)).select(".lines .lit") == []
        service.logins[phone.facts.device] = Login("ada", "ada-office")
        phone.look()
        clock.advance(SETTLING_SECONDS)
        assert len(parsed(session.get(address, timeout=TIMEOUT)).select(".lines .lit")) == 1


def test_a_key_press_leads_back_to_the_phone(site: str, session: requests.Session) -> None:
    answer = session.post(site + PHONE, {"key": "services"}, allow_redirects=False, timeout=TIMEOUT)
    assert (answer.status_code, answer.headers["Location"]) == (303, PHONE)
    page = parsed(session.get(site + PHONE, timeout=TIMEOUT))
    assert [label.get_text() for label in page.select("#display label")] == ["User ID", "PIN"]


def test_the_state_tells_of_a_change_and_the_time(site: str, session: requests.Session) -> None:
    before = session.get(f"{site}{PHONE}/state", timeout=TIMEOUT).json()
    assert parsed(session.get(site + PHONE, timeout=TIMEOUT)).body["data-version"] == before["version"]  # type: ignore[index]
    session.post(site + PHONE, {"key": "services"}, timeout=TIMEOUT)
    after = session.get(f"{site}{PHONE}/state", timeout=TIMEOUT).json()
    assert after["version"] != before["version"]
    assert after["clock"] == before["clock"]


@pytest.mark.parametrize("path", ["/phones/SEP999999999999", "/nothing", "/static/../pages.py", "/static/nothing.css"])
def test_what_is_not_there_is_not_found(site: str, session: requests.Session, path: str) -> None:
    assert session.get(site + path, timeout=TIMEOUT).status_code == 404


def test_nobody_tells_the_state_of_a_phone_that_is_not_there(site: str, session: requests.Session) -> None:
    assert session.get(f"{site}/phones/SEP999999999999/state", timeout=TIMEOUT).status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Host": "evil.example"},
        {"Host": "localhost.evil.example"},
    ],
)
def test_keys_are_not_pressed_from_other_sites(
    site: str, session: requests.Session, service: DeskService, headers: dict[str, str]
) -> None:
    answer = session.post(site + PHONE, {"key": "services"}, headers=headers, timeout=TIMEOUT)
    assert answer.status_code == 403
    assert parsed(session.get(site + PHONE, timeout=TIMEOUT)).select("#display label") == []


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "[::1]"])
def test_this_machine_may_be_addressed_by_each_of_its_names(site: str, session: requests.Session, host: str) -> None:
    port = urlsplit(site).port
    assert session.get(site, headers={"Host": f"{host}:{port}"}, timeout=TIMEOUT).ok


@pytest.mark.parametrize("path", ["/", PHONE, "/nothing"])
def test_every_page_forbids_embedding_keeping_and_inline_scripts(
    site: str, session: requests.Session, path: str
) -> None:
    answer = session.get(site + path, timeout=TIMEOUT)
    policy = answer.headers["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    page = parsed(answer)
    assert [script for script in page.find_all("script") if not script.get("src")] == []
    assert page.find_all(style=True) == []


def test_browsers_without_scripts_look_again_where_something_is_due_and_not_while_somebody_types(
    site: str, session: requests.Session
) -> None:
    def refresh() -> list[str]:
        metas = parsed(session.get(site + PHONE, timeout=TIMEOUT)).select("noscript meta")
        return [str(meta["content"]) for meta in metas]

    assert refresh() == ["10"]
    session.post(site + PHONE, {"key": "services"}, timeout=TIMEOUT)
    assert refresh() == []
    session.post(site + PHONE, {"key": "soft-1", "field-1": "ada", "field-2": "1815"}, timeout=TIMEOUT)
    assert refresh() == ["3"]
