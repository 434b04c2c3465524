"""Services that are part of the server itself: registered like any other, by the settings instead of the file."""

from __future__ import annotations

from collections.abc import Sequence

from casduo.services.index import Registry
from casduo.services.model import RegisteredService
from casduo.settings import Settings

ENROLL = "enroll"
"""The entry of the enrolment pages. An entry of this id in the operator's file takes its place."""
REQUESTS = "requests"
"""The entry of the pages of people who ask for access; likewise."""
APPROVALS = "approvals"
"""The entry of the pages of those who decide about it; likewise."""
ACCOUNT = "casduo-account"
"""The entry of the pages on which people see and end what is theirs; likewise."""
ADMIN = "casduo-admin"
"""The entry of the administration pages. No entry of a file can take its place: what protects them is not for editing
on them.
"""

OWN_SERVICES = frozenset({ENROLL, REQUESTS, APPROVALS, ACCOUNT, ADMIN})
"""Ids of the entries whose application is this server. Their sessions hang on the single sign-on session itself."""


def with_builtin(registry: Registry, settings: Settings | None) -> Registry:
    """Return ``registry`` with the entries of the server's own services, which it does not have itself.

    They stand in front: a wide pattern of the file, such as one for all hosts of the organisation, must not give our
    pages the rules of another application.

    :param settings: what they are made of; ``None`` makes none
    """
    entries = own_entries(registry.services, settings)
    return Registry((*entries, *registry.services), registry.version) if entries else registry


def own_entries(services: Sequence[RegisteredService], settings: Settings | None) -> tuple[RegisteredService, ...]:
    """Return the entries of the server's own services that stand in front of ``services``, those of a file."""
    found = builtin_services(settings) + account_services(settings) + admin_services(settings)
    if any(entry.requires_approval is not None for entry in services):
        found += approval_services(settings)
    taken = {entry.id for entry in services}
    return tuple(entry for entry in found if entry.id not in taken)


def builtin_services(settings: Settings | None) -> tuple[RegisteredService, ...]:
    """Return the entries of the server's own services that ``settings`` switch on."""
    if settings is None or settings.server.url is None or settings.duo is None or not settings.enrollment.enabled:
        return ()
    enrollment = settings.enrollment
    entry = {
        "id": ENROLL,
        "name": enrollment.name,
        "url": f"{settings.server.url.rstrip('/')}/enroll/**",
        # Whoever has a device confirms with it before another one is added, in a trusted browser too: else a stolen
        # password would be all that it takes to register the thief's.
        "requires_duo": {"mode": "optional", "fail": "closed", "trusted_browser": False},
        "access": enrollment.access,
        "session": {"lifetime": enrollment.password_age},
        "protocols": ["cas3"],
        # Its sessions stand on the single sign-on session and end with it: there is nobody to tell.
        "logout": {"type": "none"},
    }
    return (RegisteredService.model_validate(entry),)


def approval_services(settings: Settings | None) -> tuple[RegisteredService, ...]:
    """Return the entries of the pages about requests for access, which registries have with a service that somebody has
    to approve.
    """
    if settings is None or settings.server.url is None:
        return ()
    base, approvals = settings.server.url.rstrip("/"), settings.approvals
    # No application ever validates a ticket of these: their pages look at the single sign-on session itself.
    common = {"protocols": ["cas3"], "logout": {"type": "none"}}
    asking = {
        "id": REQUESTS,
        "name": "My requests",
        "url": [f"{base}/requests", f"{base}/requests/**"],
        **common,
    }
    deciding = {
        "id": APPROVALS,
        "name": approvals.name,
        "url": [f"{base}/approvals", f"{base}/approvals/**"],
        "access": approvals.access,
        **common,
    }
    if settings.duo is not None:
        # Whoever decides who gets in has just shown who they are, in a trusted browser and in an outage too.
        deciding["requires_duo"] = {"max_age": approvals.duo_age, "fail": "closed", "trusted_browser": False}
    return tuple(RegisteredService.model_validate(entry) for entry in (asking, deciding))


def account_services(settings: Settings | None) -> tuple[RegisteredService, ...]:
    """Return the entry of people's own pages. Nobody is kept from them who can sign in: who has just found that
    somebody else is signed in under their name must not be asked for a device first.
    """
    if settings is None or settings.server.url is None:
        return ()
    base = settings.server.url.rstrip("/")
    entry = {
        "id": ACCOUNT,
        "name": "My account",
        "url": f"{base}/account/**",
        "protocols": ["cas3"],
        "logout": {"type": "none"},
    }
    return (RegisteredService.model_validate(entry),)


def admin_services(settings: Settings | None) -> tuple[RegisteredService, ...]:
    """Return the entry of the administration pages, where the settings name administrators."""
    if settings is None or settings.server.url is None or not settings.admin.enabled:
        return ()
    admin, base = settings.admin, settings.server.url.rstrip("/")
    # Where people are named one by one the pages alone can tell who may come; where groups are, the login does as well.
    named = bool(admin.view.users or admin.change.users)
    entry: dict[str, object] = {
        "id": ADMIN,
        "name": admin.name,
        "url": [f"{base}/admin/**", f"{base}/admin"],
        "access": {
            "groups": () if named else (*admin.view.groups, *admin.change.groups),
            "networks": [str(network) for network in admin.networks],
        },
        "accept_remember_me": False,
        "protocols": ["cas3"],
        "logout": {"type": "none"},
    }
    if settings.duo is not None:
        # In a trusted browser and in an outage too: the commands of the server's own machine are there for outages.
        entry["requires_duo"] = {"max_age": admin.duo_age, "fail": "closed", "trusted_browser": False}
    elif admin.without_duo:
        entry["session"] = {"lifetime": admin.duo_age}
    else:
        return ()
    return (RegisteredService.model_validate(entry),)
