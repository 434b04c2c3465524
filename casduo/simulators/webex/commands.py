"""The commands of the control interface: everything a test in the same process can do, by name."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

from casduo.simulators.steering import Arguments, Command, ControlError, words
from casduo.simulators.webex.descriptions import (
    describe_delivery,
    describe_message,
    describe_person,
    describe_state,
    describe_webhook,
)
from casduo.simulators.webex.fault_commands import FAULT_COMMANDS
from casduo.simulators.webex.model import Person
from casduo.simulators.webex.settings import SIGNATURES, Settings
from casduo.simulators.webex.simulator import WebexSimulator

# -- looking ---------------------------------------------------------------------------------------------------------


def _help(simulator: WebexSimulator, arguments: Arguments) -> object:
    return {name: {"takes": command.takes, "does": command.does} for name, command in COMMANDS.items()}


def _state(simulator: WebexSimulator, arguments: Arguments) -> object:
    return describe_state(simulator)


def _messages(simulator: WebexSimulator, arguments: Arguments) -> object:
    deleted = arguments.yes("deleted", False)
    return [describe_message(each) for each in simulator.messages_in(arguments.text("room"), deleted=deleted)]


def _direct_messages(simulator: WebexSimulator, arguments: Arguments) -> object:
    deleted = arguments.yes("deleted", False)
    return [describe_message(each) for each in simulator.direct_messages(arguments.text("email"), deleted=deleted)]


def _deleted(simulator: WebexSimulator, arguments: Arguments) -> object:
    return [describe_message(each) for each in simulator.deleted]


def _actions(simulator: WebexSimulator, arguments: Arguments) -> object:
    return [dataclasses.asdict(each) for each in simulator.actions(arguments.text("message", "") or None)]


def _webhooks(simulator: WebexSimulator, arguments: Arguments) -> object:
    return [describe_webhook(each) for each in simulator.webhooks]


def _requests(simulator: WebexSimulator, arguments: Arguments) -> object:
    method, path = arguments.text("method", "") or None, arguments.text("path", "") or None
    return [dataclasses.asdict(each) for each in simulator.requests(method, path)]


def _clear_requests(simulator: WebexSimulator, arguments: Arguments) -> object:
    simulator.requests.clear()
    return None


# -- people and spaces -----------------------------------------------------------------------------------------------


def _add_person(simulator: WebexSimulator, arguments: Arguments) -> object:
    person = simulator.add_person(
        arguments.text("email"),
        arguments.text("name", ""),
        org=arguments.text("org", "") or None,
        emails=arguments.texts("emails") or (),
        token=arguments.text("token", "") or None,
    )
    return describe_person(person)


def _add_bot(simulator: WebexSimulator, arguments: Arguments) -> object:
    bot = simulator.add_bot(
        arguments.text("name"),
        email=arguments.text("email", "") or None,
        org=arguments.text("org", "") or None,
        token=arguments.text("token", "") or None,
    )
    return describe_person(bot)


def _remove_person(simulator: WebexSimulator, arguments: Arguments) -> object:
    simulator.remove_person(_person(simulator, arguments))
    return None


def _revoke(simulator: WebexSimulator, arguments: Arguments) -> object:
    simulator.revoke(_person(simulator, arguments).token)
    return None


def _renew_token(simulator: WebexSimulator, arguments: Arguments) -> object:
    simulator.renew_token(_person(simulator, arguments), arguments.text("token"))
    return None


def _add_room(simulator: WebexSimulator, arguments: Arguments) -> object:
    emails = arguments.texts("members")
    members = simulator.people() if emails is None else [simulator.person(email) for email in emails]
    room = simulator.add_room(
        arguments.text("title"),
        members,
        announcement_only=arguments.yes("announcement_only", False),
        read_only=arguments.yes("read_only", False),
        moderators=[simulator.person(email) for email in arguments.texts("moderators") or ()],
    )
    return dataclasses.asdict(room)


def _change_room(simulator: WebexSimulator, arguments: Arguments) -> object:
    names = [name for name in ("announcement_only", "read_only") if arguments.has(name)]
    changes: dict[str, Any] = {name: arguments.yes(name) for name in names}
    if arguments.has("title"):
        changes["title"] = arguments.text("title")
    return dataclasses.asdict(simulator.change_room(arguments.text("room"), **changes))


def _remove_room(simulator: WebexSimulator, arguments: Arguments) -> object:
    simulator.remove_room(arguments.text("room"))
    return None


def _add_member(simulator: WebexSimulator, arguments: Arguments) -> object:
    simulator.add_member(arguments.text("room"), _person(simulator, arguments))
    return None


def _remove_member(simulator: WebexSimulator, arguments: Arguments) -> object:
    simulator.remove_member(arguments.text("room"), _person(simulator, arguments))
    return None


def _person(simulator: WebexSimulator, arguments: Arguments) -> Person:
    return simulator.person(arguments.text("email"))


# -- what people do --------------------------------------------------------------------------------------------------


def _post(simulator: WebexSimulator, arguments: Arguments) -> object:
    card = arguments.mapping("card") if arguments.has("card") else None
    parent = arguments.text("parent", "") or None
    message = simulator.post(
        arguments.text("email"), arguments.text("room"), arguments.text("markdown", ""), card=card, parent_id=parent
    )
    return describe_message(message)


def _press(simulator: WebexSimulator, arguments: Arguments) -> object:
    inputs = arguments.mapping("inputs") if arguments.has("inputs") else {}
    if not all(isinstance(value, str) for value in inputs.values()):
        raise ControlError("inputs must be texts")
    return simulator.press(arguments.text("message"), arguments.text("email"), arguments.text("button"), inputs)


def _submit(simulator: WebexSimulator, arguments: Arguments) -> object:
    return simulator.submit(arguments.text("email"), arguments.text("message"), arguments.mapping("inputs"))


# -- deliveries ------------------------------------------------------------------------------------------------------


def _deliveries(simulator: WebexSimulator, arguments: Arguments) -> object:
    return [describe_delivery(each) for each in simulator.deliveries]


def _wait_for_deliveries(simulator: WebexSimulator, arguments: Arguments) -> object:
    simulator.wait_for_deliveries(arguments.number("timeout", 10.0))
    return None


def _release_deliveries(simulator: WebexSimulator, arguments: Arguments) -> object:
    simulator.release_deliveries()
    return None


def _trust(simulator: WebexSimulator, arguments: Arguments) -> object:
    simulator.trust(Path(arguments.text("ca_file")))
    return None


# -- settings, time, and what is kept --------------------------------------------------------------------------------


def _settings(simulator: WebexSimulator, arguments: Arguments) -> object:
    settings = simulator.settings
    changes = {
        field.name: _setting(arguments, field.name, getattr(settings, field.name))
        for field in dataclasses.fields(Settings)
        if arguments.has(field.name)
    }
    for name, value in changes.items():
        setattr(settings, name, value)
    return dataclasses.asdict(settings)


def _setting(arguments: Arguments, name: str, present: object) -> object:
    if isinstance(present, bool):
        return arguments.yes(name)
    if isinstance(present, str):
        return arguments.text(name)
    if isinstance(present, tuple):
        values = arguments.texts(name)
        if values is None or (name == "signatures" and not set(values) <= set(SIGNATURES)):
            raise ControlError(f"{name} must be a list of texts; signatures are {words(SIGNATURES)}")
        return tuple(values)
    number = arguments.number(name)
    if number < 0 or (isinstance(present, int) and not number.is_integer()):
        raise ControlError(f"{name} must be a number from 0, a whole one unless it is seconds")
    return int(number) if isinstance(present, int) else number


def _advance(simulator: WebexSimulator, arguments: Arguments) -> object:
    simulator.advance(arguments.number("seconds"))
    return None


def _save(simulator: WebexSimulator, arguments: Arguments) -> object:
    simulator.save(Path(arguments.text("file")))
    return None


def _load(simulator: WebexSimulator, arguments: Arguments) -> object:
    try:
        simulator.load(Path(arguments.text("file")))
    except OSError as error:
        raise ControlError(f"{error.filename}: {error.strerror}") from error
    return None


COMMANDS: dict[str, Command[WebexSimulator]] = {
    "help": Command(_help, "", "tells what there is, as this list"),
    "state": Command(_state, "", "tells people, spaces, webhooks and settings; so does GET"),
    "add_person": Command(
        _add_person, "email, [name], [org], [emails], [token]", "makes somebody known; a token is made if none is given"
    ),
    "add_bot": Command(_add_bot, "name, [email], [org], [token]", "makes a bot known"),
    "remove_person": Command(_remove_person, "email", "forgets somebody, or a bot"),
    "revoke": Command(_revoke, "email", "has the token of somebody refused"),
    "renew_token": Command(_renew_token, "email, token", "gives somebody another token"),
    "add_room": Command(
        _add_room,
        "title, [members], [announcement_only], [read_only], [moderators]",
        "makes a space; members are addresses, by default everybody",
    ),
    "change_room": Command(_change_room, "room, [title], [announcement_only], [read_only]", "changes a space"),
    "remove_room": Command(_remove_room, "room", "deletes a space with all that was said in it"),
    "add_member": Command(_add_member, "room, email", "lets somebody into a space"),
    "remove_member": Command(_remove_member, "room, email", "takes somebody out of a space"),
    "post": Command(_post, "email, room, [markdown], [card], [parent]", "posts as somebody"),
    "messages": Command(_messages, "room, [deleted]", "tells what was said in a space"),
    "direct_messages": Command(_direct_messages, "email, [deleted]", "tells what was written to somebody alone"),
    "deleted": Command(_deleted, "", "tells what was deleted, in that order"),
    "press": Command(_press, "message, email, button, [inputs]", "presses a button of a card, as a client does"),
    "submit": Command(_submit, "message, email, inputs", "sends any inputs for a card"),
    "actions": Command(_actions, "[message]", "tells what was sent for a card, or for all"),
    "webhooks": Command(_webhooks, "", "tells who is told about what"),
    "deliveries": Command(_deliveries, "", "tells what was delivered, is being or will be"),
    "wait_for_deliveries": Command(_wait_for_deliveries, "[timeout]", "answers when everything due was delivered"),
    "release_deliveries": Command(_release_deliveries, "", "delivers what faults hold back"),
    "trust": Command(_trust, "ca_file", "delivers to receivers whose certificates this authority signed"),
    "settings": Command(
        _settings,
        ", ".join(f"[{field.name}]" for field in dataclasses.fields(Settings)),
        "changes settings and tells all",
    ),
    "advance": Command(_advance, "seconds", "lets time pass at once"),
    "save": Command(_save, "file", "writes all that there is to a file only its owner can read"),
    "load": Command(_load, "file", "puts what was saved in the place of all that there is"),
    **FAULT_COMMANDS,
    "requests": Command(_requests, "[method], [path]", "tells what was asked of the API, without secrets"),
    "clear_requests": Command(_clear_requests, "", "forgets what was asked"),
}
"""Every command by the name that ``do`` takes."""
