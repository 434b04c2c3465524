"""The demo's Webex: the bot of the sign-in server, everybody's account, and a space for news and requests."""

from __future__ import annotations

import secrets
from contextlib import suppress

from casduo.simulators.certificates import LeafFiles
from casduo.simulators.demo.addresses import Addresses
from casduo.simulators.demo.people import PEOPLE
from casduo.simulators.demo.state import Keys, State
from casduo.simulators.webex import WebexSimulator
from casduo.simulators.webex.model import Room
from casduo.simulators.webex.snapshot import SnapshotUnreadable

SPACE = "Security operations"
_BOT = "casduo"
_MEMBERS = "staff"
"""Group of the people who are in the space. Of them, those whom the registry names can decide."""


def webex_simulator(addresses: Addresses, certificate: LeafFiles, keys: Keys, state: State) -> WebexSimulator:
    """Return a Webex that knows everybody, not started yet, with what was said in earlier runs."""
    # A seed of its own for each run: ids that an earlier one gave and could not save are never given again, and the
    # sign-in server may remember them.
    simulator = WebexSimulator(certificate=certificate, port=addresses.webex_port, seed=secrets.token_hex())
    with suppress(FileNotFoundError, SnapshotUnreadable):
        simulator.load(state.webex_file)
    known = {person.email: person for person in simulator.people()}
    bot = next((person for person in known.values() if person.type == "bot"), None)
    if bot is None:
        bot = simulator.add_bot(_BOT, token=keys.webex_token)
    elif bot.token != keys.webex_token:
        simulator.renew_token(bot, keys.webex_token)
    for person in PEOPLE:
        if person.email not in known:
            known[person.email] = simulator.add_person(person.email, person.name)
    if not any(room.title == SPACE for room in simulator.rooms()):
        simulator.add_room(SPACE, [bot, *(known[each.email] for each in PEOPLE if _MEMBERS in each.groups)])
    return simulator


def space(simulator: WebexSimulator) -> Room:
    """Return the space in which the bot posts."""
    return next(room for room in simulator.rooms() if room.title == SPACE)
