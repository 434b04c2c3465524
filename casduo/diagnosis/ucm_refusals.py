"""What a failure of a UCM node means for the settings and for whoever keeps the UCM, in words. Pure.

Statuses and versions are those of the AXL Developer Guide, codes those of the Extension Mobility API Developer Guide.
Menus and roles are called as Cisco's administration pages call them. Which setting to look at is named, never its
secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Literal

from casduo.diagnosis.model import Explained
from casduo.ucm.errors import UcmBusy, UcmMisconfigured, UcmUnavailable

Failure = UcmUnavailable | UcmBusy | UcmMisconfigured

_USER_PAGE = "Cisco Unified CM Administration, User Management, Application User"
_GROUP_PAGE = "Cisco Unified CM Administration, User Management, User Settings, Access Control Group"
_SERVICE_PAGE = "Cisco Unified Serviceability, Tools, Service Activation"
_PARAMETER_PAGE = "Cisco Unified CM Administration, System, Service Parameters, Cisco Extension Mobility"


@dataclass(frozen=True, slots=True)
class Interface:
    """One of the interfaces of a node, and the settings about it.

    :param name: as findings call it.
    :param section: such as ``ucm.axl``.
    :param username: the application user, which is no secret.
    :param service: as Cisco calls what must run on the node.
    :param right: what the application user must have, and where it comes from.
    """

    name: Literal["AXL", "EM API", "RIS"]
    section: str
    username: str
    service: str
    right: str


def axl_of(section: str, username: str, *, writes: bool) -> Interface:
    """Return AXL and its settings.

    :param writes: whether logins are written by it too.
    """
    role = "the role 'Standard AXL API Access'"
    right = role if writes else f"{role}, or 'Standard AXL Read Only API Access'"
    return Interface("AXL", section, username, "Cisco AXL Web Service", right)


def em_of(section: str, username: str) -> Interface:
    """Return the Extension Mobility API and its settings."""
    right = "the access control group 'Standard EM Authentication Proxy Rights'"
    return Interface("EM API", section, username, "Cisco Extension Mobility", right)


def ris_of(section: str, username: str) -> Interface:
    """Return the real-time information service and its settings."""
    right = "the access control group 'Standard CCM Server Monitoring'"
    return Interface("RIS", section, username, "Cisco RIS Data Collector", right)


def refuses_account(failure: Failure) -> bool:
    """Say whether a node does not take name and password. It counts that, and so would every other node."""
    return _MEANINGS.get(failure.detail) == "account"


def explain(failure: Failure, interface: Interface) -> Explained:
    """Return what ``failure`` of one node means."""
    template = _EXPLANATIONS[_meaning(failure)]
    words = {**asdict(interface), "shown": _shown(failure.detail)}
    return replace(
        template,
        found=template.found.format(**words),
        cause=template.cause.format(**words),
        remedy=template.remedy.format(**words),
    )


def wrong_version(version: str, offered: str) -> Explained:
    """Return that a node does not offer the AXL schema of the settings.

    :param offered: the newest version that it does offer; empty where none that casduo knows is.
    """
    if offered:
        remedy = f"set ucm.version: '{offered}', the newest that it does offer"
    else:
        remedy = "set ucm.version to the first two numbers of the UCM's own version"
    cause = "a UCM speaks the schema of its own release and those of the two before, and no others"
    return Explained(f"does not offer version {version} of AXL", "version", cause, remedy)


def _meaning(failure: Failure) -> str:
    detail = failure.detail
    if detail in _MEANINGS:
        return _MEANINGS[detail]
    if isinstance(failure, UcmBusy):
        return "busy"
    if isinstance(failure, UcmMisconfigured):
        return "misconfigured"
    if detail in _EXPLANATIONS:
        return detail
    return "failing" if detail.startswith(("axl ", "em ")) else "no_answer"


def _shown(detail: str) -> str:
    """Return how UCM puts it."""
    kind, _, number = detail.replace("http_", "status ").partition(" ")
    if kind.isdigit():
        return f"status {kind}"
    return {"axl": f"fault {number}", "em": f"code {number}"}.get(kind, f"{kind} {number}".strip())


_MEANINGS: Mapping[str, str] = {
    "401": "account",
    "403": "rights",
    "http_404": "no_service",
    "status 404": "no_service",
    "status 503": "no_service",
    "em 1": "request",
    "em 2": "account",
    "em 3": "account",
    "em 8": "request",
    "em 10": "rights",
    "em 28": "address",
    "em 30": "proxy_off",
    "too_large": "request",
    "deadline": "timeout",
}
"""What the details of :mod:`casduo.ucm.errors` stand for, where there is more to say than that no answer came."""

_EXPLANATIONS: Mapping[str, Explained] = {
    each.detail: each
    for each in (
        Explained(
            "refuses the application user {username} ({shown})",
            "account",
            "there is none of this name, or {section}.password is not its password, or it is locked after wrong ones",
            "compare {section}.username and {section}.password with "
            f"{_USER_PAGE}; a lock is lifted there under Edit Credential",
        ),
        Explained(
            "takes the application user {username} and forbids this ({shown})",
            "rights",
            "it lacks {right}, or its rank is too low",
            f"give it that: {_GROUP_PAGE}",
        ),
        Explained(
            "lets nobody log in others ({shown})",
            "proxy_off",
            "a service parameter switches that off",
            f"allow it: {_PARAMETER_PAGE}",
        ),
        Explained(
            "does not take requests from this machine ({shown})",
            "address",
            "the address that this machine comes from is not among those that it trusts",
            f"add it there: {_PARAMETER_PAGE}",
        ),
        Explained(
            "has no {name} ({shown})",
            "no_service",
            "the service {service} does not run there, or {section}.servers names something else than a node",
            f"activate it ({_SERVICE_PAGE}), or take the node out of {{section}}.servers",
        ),
        Explained(
            "does not understand what casduo asks ({shown})",
            "request",
            "it is of a release that speaks otherwise than the guides say",
            "tell the developers of casduo the release of the UCM and this code",
        ),
        Explained(
            "has too much to do ({shown})",
            "busy",
            "UCM defends itself: many changes wait for its database, or many questions are under way",
            "look again in a minute; if it stays so, lower ucm.max_in_flight and ask what else uses the UCM so much",
            "attention",
        ),
        Explained(
            "cannot be asked ({shown})",
            "misconfigured",
            "something in the section {section} is not as it should be",
            "compare the section {section}",
        ),
        Explained(
            "takes the question and does not answer in time",
            "timeout",
            "it has too much to do, or ucm.read_timeout is too short for it",
            "look at the node's load; give it more time in ucm.read_timeout",
        ),
        Explained(
            "hangs up before it answers",
            "reset",
            "it is being restarted, or something in between cuts connections",
            "look at the service {service} of the node",
        ),
        Explained(
            "answers something else than it should",
            "unreadable",
            "a page for people, of the UCM itself or of something in between, comes in place of an answer",
            "look at the service {service} of the node; compare {section}.servers",
        ),
        Explained(
            "fails at this ({shown})",
            "failing",
            "something within the UCM does not work: its database, its replication, its directory",
            "look at the node's services and its replication (Cisco Unified Reporting, Unified CM Database Status)",
        ),
        Explained(
            "gives no answer ({shown})",
            "no_answer",
            "there is a fault at the other end, or something in between",
            "look at the service {service} of the node; compare {section}.servers",
        ),
    )
}
