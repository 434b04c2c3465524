"""What the control interface tells about the simulator, as JSON objects without secrets."""

from __future__ import annotations

import dataclasses

from casduo.simulators.duo.model import Application, User
from casduo.simulators.duo.simulator import DuoSimulator
from casduo.simulators.duo.transactions import Transaction


def describe_state(simulator: DuoSimulator) -> dict[str, object]:
    """Return everything there is to see."""
    return {
        "api_host": simulator.api_host,
        "new_user_policy": simulator.new_user_policy,
        "settings": dataclasses.asdict(simulator.settings),
        "users": [describe_user(user) for user in simulator.users()],
        "applications": [describe_application(each) for each in simulator.applications()],
        "pending": [describe_transaction(transaction) for transaction in simulator.pending()],
        "requests": simulator.requests.count(),
    }


def describe_user(user: User) -> dict[str, object]:
    """Return a user with all devices."""
    return {
        "username": user.username,
        "user_id": user.id,
        "status": user.status,
        "failures": user.failures,
        "script": None if user.script is None else dataclasses.asdict(user.script),
        "devices": [device.describe() for device in user.devices],
    }


def describe_application(application: Application) -> dict[str, object]:
    """Return an application without its secret key."""
    return {
        "integration_key": application.integration_key,
        "type": application.type,
        "name": application.name,
        "redirect_uris": application.redirect_uris,
        "new_user_policy": application.new_user_policy,
        "remembered_devices": application.remembered_devices,
        "verified_push": application.verified_push,
        "trusted_networks": application.trusted_networks,
    }


def describe_transaction(transaction: Transaction) -> dict[str, object]:
    """Return a request on somebody's phone, with the code that the login page shows for it."""
    return {
        "username": transaction.username,
        "factor": transaction.factor,
        "application": transaction.details.application,
        "kind": transaction.details.kind,
        "address": transaction.details.address,
        "information": [list(pair) for pair in transaction.details.information],
        "created": transaction.created,
        "ends": transaction.ends,
        "verification_code": transaction.verification_code,
        "dismissed": transaction.dismissed,
        **transaction.state.describe(),
    }
