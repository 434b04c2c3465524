"""Phones on desks in front of a small service, on a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from casduo.simulators.certificates import LeafFiles
from casduo.simulators.clock import VirtualClock
from casduo.simulators.phone import IpPhone
from casduo.simulators.phone_page import CardHolder, DeskPhone, Line, PhoneFacts, phone_page_server
from casduo.simulators.server import SimulatorServer
from tests.simulators.phone_page.desk_service import DeskService

RECEPTION = PhoneFacts("SEP001122334455", "8845", "Reception", "4100")
LABORATORY = PhoneFacts("SEP00112233AA41", "7841", "Laboratory", "4101")
READING_ROOM = PhoneFacts("SEP00112233BB65", "7965", "Reading room", "4102")
LINES = {"ada-office": Line("4711", "Ada Lovelace"), "ada-library": Line("4712", "Ada Lovelace")}
PEOPLE = [CardHolder("ada", "1815", ("ada-office", "ada-library")), CardHolder("margaret", "1936", ())]


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock()


@pytest.fixture
def service(leaf: LeafFiles) -> Iterator[DeskService]:
    found = DeskService()
    with SimulatorServer(found, certificate=leaf) as server:
        found.base = server.url
        yield found


@pytest.fixture
def phones(service: DeskService, leaf: LeafFiles, clock: VirtualClock) -> list[DeskPhone]:
    url = f"{service.base}/em/?device=#DEVICENAME#"
    return [
        DeskPhone(
            IpPhone(facts.device, facts.model, service_url=url, ca_file=leaf.ca, clock=clock),
            facts,
            service.logins.get,
            LINES,
            clock,
        )
        for facts in (RECEPTION, LABORATORY, READING_ROOM)
    ]


@pytest.fixture
def reception(phones: list[DeskPhone]) -> DeskPhone:
    return phones[0]


@pytest.fixture
def site(phones: list[DeskPhone], leaf: LeafFiles) -> Iterator[str]:
    """The address of the page."""
    with phone_page_server(phones, leaf, people=PEOPLE) as server:
        yield server.url
