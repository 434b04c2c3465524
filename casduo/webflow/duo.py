"""The Duo subflow: is Duo there, has the person a device, what does Duo say; by Duo's own page or by ours."""

from __future__ import annotations

from casduo.webflow.engine import Flow, State, action, decision, end, view
from casduo.webflow.rows import service_still_there


def _enrolment_check(name: str, goes_on: str) -> State:
    """Preauth is asked before anything is offered, and before each push: lock-out and enrolment show at once."""
    return action(
        name,
        "duo.enrolment_check",
        {
            "auth": goes_on,
            "unenrolled": "unenrolled",
            "allowed": "bypassed",
            "denied": "denied",
            "bypass": "bypassed",
            "unavailable": "unavailable",
        },
    )


DUO = Flow(
    "duo",
    (
        action(
            "healthCheck",
            "duo.health_check",
            {"success": "enrolmentCheck", "bypass": "bypassed", "unavailable": "unavailable"},
        ),
        _enrolment_check("enrolmentCheck", "pageCheck"),
        decision("pageCheck", "duo.page_is_universal", yes="universalPrompt", no="pushStart"),
        # Duo's own page.
        view("universalPrompt", "duo.universal_prompt", {"return": "returnedServiceCheck"}),
        service_still_there("returnedServiceCheck", "universalReturn"),
        action(
            "universalReturn",
            "duo.universal_return",
            {
                "allowed": "trustCheck",
                "bypassed": "bypassed",
                "denied": "denied",
                "fraud": "fraud",
                "stale": "restart",
                "unavailable": "unavailable",
            },
        ),
        # Ours: a push goes out by itself, the field for codes is on the same page, the first success wins.
        action("pushStart", "duo_push.start", {"send": "pushSend", "wait": "viewPush"}),
        action(
            "pushSend",
            "duo_push.send",
            {"sent": "viewPush", "notSent": "viewPush", "unenrolled": "unenrolled", "unavailable": "unavailable"},
        ),
        view("viewPush", "duo_page.view", {"proceed": "pushServiceCheck"}),
        service_still_there("pushServiceCheck", "pushForm"),
        action(
            "pushForm",
            "duo_push.read_form",
            {
                "settled": "pushOutcome",
                "factor": "pushEnrolmentCheck",
                "passcode": "passcodeCheck",
                "again": "viewPush",
                "cancel": "pushCancel",
                "reported": "pushReport",
            },
        ),
        _enrolment_check("pushEnrolmentCheck", "pushSend"),
        action(
            "pushOutcome",
            "duo_push.outcome",
            {
                "waiting": "viewPush",
                "allowed": "trustCheck",
                "refused": "passwordSession",
                "fraud": "fraud",
                "lockedOut": "denied",
                "unavailable": "unavailable",
            },
        ),
        action(
            "passcodeCheck",
            "duo_push.check_passcode",
            {
                "allowed": "trustCheck",
                "refused": "passwordSession",
                "lockedOut": "denied",
                "unenrolled": "unenrolled",
                "unavailable": "unavailable",
            },
        ),
        # Who is refused may try again right here, and other applications work meanwhile.
        action(
            "passwordSession",
            "session.create_early",
            {"created": "viewPush", "upgraded": "viewPush", "kept": "viewPush", "ended": "restart"},
        ),
        action("pushCancel", "duo_push.cancel", {"success": "cancelled"}),
        action("pushReport", "duo_push.report", {"success": "fraud"}),
        # Duo said yes.
        decision("trustCheck", "duo_page.trust_offered", yes="viewTrust", no="success"),
        view("viewTrust", "duo_page.view_trust", {"proceed": "trustServiceCheck"}),
        service_still_there("trustServiceCheck", "trust"),
        action("trust", "duo_page.trust", {"success": "success"}),
        end("success"),
        end("bypassed"),
        end("unenrolled"),
        end("denied"),
        end("unavailable"),
        end("restart"),
        end("cancelled"),
        end("fraud"),
        end("serviceGone"),
        end("serviceDisabled"),
    ),
)
