"""What the control interface tells about the simulator, as JSON objects without secrets."""

from __future__ import annotations

import dataclasses

from casduo.simulators.ucm.logins import Login
from casduo.simulators.ucm.model import ApplicationUser, User
from casduo.simulators.ucm.node import Node
from casduo.simulators.ucm.simulator import UcmSimulator


def describe_state(simulator: UcmSimulator) -> dict[str, object]:
    """Return everything there is to see."""
    return {
        "nodes": [describe_node(node) for node in simulator.nodes],
        "policy": dataclasses.asdict(simulator.policy),
        "users": [describe_user(simulator, user) for user in simulator.users()],
        "phones": [
            {**dataclasses.asdict(phone), "login": describe_login(simulator.login_of(phone.name))}
            for phone in simulator.phones()
        ],
        "profiles": [dataclasses.asdict(profile) for profile in simulator.profiles()],
        "application_users": [describe_application_user(each) for each in simulator.application_users()],
        "requests": simulator.calls(),
    }


def describe_node(node: Node) -> dict[str, object]:
    """Return a node; they are counted from 1."""
    return {
        "node": node.number + 1,
        "address": node.address,
        "url": node.url,
        "listening": node.listening,
        "services": sorted(node.services),
    }


def describe_user(simulator: UcmSimulator, user: User) -> dict[str, object]:
    """Return somebody without PIN and password."""
    fields = {each.name: getattr(user, each.name) for each in dataclasses.fields(user)}
    del fields["pin"], fields["password"]
    return {**fields, "failures": user.pin.failures, "locked": simulator.locked(user.userid)}


def describe_application_user(user: ApplicationUser) -> dict[str, object]:
    """Return the account of a program without its password."""
    return {"name": user.name, "roles": sorted(user.roles)}


def describe_login(login: Login | None) -> dict[str, object] | None:
    """Return who is on a phone, null for nobody."""
    return None if login is None else dataclasses.asdict(login)
