"""Requests for access, as people make them."""

from __future__ import annotations

from typing import Any

from casduo.approvals.model import ApprovalRequest, Decision, Target

NOON = 1_785_585_600.0


def request(**changes: Any) -> ApprovalRequest:
    """Ada's request for two hours of root, made at noon."""
    usual: dict[str, Any] = {
        "id": "7f3kQmVwX2",
        "nonce": "n0nce",
        "principal": "ada",
        "name": "Ada Lovelace",
        "emails": ("ada@example.edu", "lovelace@example.edu"),
        "service": "oracle-b",
        "service_name": "OracleLinux_SystemB",
        "url": "https://gateway.example.edu/targets/oracle-b",
        "target": Target("OracleLinux_SystemB", "172.16.200.53", "root"),
        "start": NOON + 3600,
        "end": NOON + 3 * 3600,
        "reason": "Patches",
        "created": NOON,
        "expires": NOON + 3600,
        "room": "ROOM",
        "address": "192.0.2.7",
        "reference": "R-7Q2",
    }
    return ApprovalRequest(**(usual | changes))


def decision(kind: Any = "approved", **changes: Any) -> Decision:
    """Luke's decision, a minute later."""
    usual: dict[str, Any] = {"by": "luke@example.edu", "name": "Luke", "person": "P", "via": "webex", "at": NOON + 60}
    return Decision(kind, **(usual | changes))


def decided(kind: Any = "approved", comment: str = "", **changes: Any) -> ApprovalRequest:
    """Ada's request, decided by Luke."""
    return request(**({"state": kind, "decision": decision(kind, comment=comment)} | changes))
