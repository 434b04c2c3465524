"""The demo's UCM: who has which PIN and profiles there, and the phones on the desks, with the page that shows them."""

from __future__ import annotations

from casduo.simulators.certificates import LeafFiles
from casduo.simulators.demo.addresses import UCM_NODES, Addresses
from casduo.simulators.demo.people import PEOPLE
from casduo.simulators.demo.state import Keys
from casduo.simulators.phone import IpPhone
from casduo.simulators.phone_page import CardHolder, DeskPhone, Line, PhoneFacts, phone_page_server
from casduo.simulators.server import SimulatorServer
from casduo.simulators.ucm import UcmSimulator

AXL_USERNAME = "casduo-axl"
EM_USERNAME = "casduo-em"

PHONES: tuple[PhoneFacts, ...] = (
    PhoneFacts("SEP001122334455", "8845", "Reception", "4100"),
    PhoneFacts("SEP00112233AA41", "7841", "Laboratory", "4101"),
    PhoneFacts("SEP00112233BB65", "7965", "Reading room", "4102"),
)
"""One that sends forms by POST and shows colours, one that does so in grey, and one that can only GET."""


def ucm_simulator(addresses: Addresses, certificate: LeafFiles, keys: Keys) -> UcmSimulator:
    """Return a UCM that knows everybody and every phone, not started yet. Nobody is logged in."""
    simulator = UcmSimulator(certificate, nodes=UCM_NODES, ports=addresses.ucm_ports)
    simulator.add_application_user(AXL_USERNAME, keys.ucm_axl_password, {"axl-read"})
    simulator.add_application_user(EM_USERNAME, keys.ucm_em_password, {"em"})
    for person in PEOPLE:
        first, _, last = person.name.partition(" ")
        simulator.add_user(
            person.username,
            pin=person.pin,
            mail=person.email,
            profiles=[profile.name for profile in person.profiles],
            default_profile=person.default_profile,
            first_name=first,
            last_name=last,
            display_name=person.name,
            telephone=person.profiles[0].number if person.profiles else "",
        )
    for phone in PHONES:
        simulator.add_phone(phone.device, model=f"Cisco {phone.model}", description=phone.place)
    return simulator


def ip_phones_server(addresses: Addresses, certificate: LeafFiles, ucm: UcmSimulator) -> SimulatorServer:
    """Return a server for the page with the phones, not started yet. Each phone trusts the demo's authority only."""
    lines = {profile.name: Line(profile.number, person.name) for person in PEOPLE for profile in person.profiles}
    phones = [
        DeskPhone(
            IpPhone(facts.device, facts.model, service_url=addresses.em_service_url, ca_file=certificate.ca),
            facts,
            ucm.login_of,
            lines,
        )
        for facts in PHONES
    ]
    people = [
        CardHolder(person.username, person.pin, tuple(profile.name for profile in person.profiles)) for person in PEOPLE
    ]
    return phone_page_server(phones, certificate, addresses.ip_phones_port, people, addresses.phones_url)
