"""The Duo subflow for browsers: is Duo there, has the person a device, what does Duo say."""

from __future__ import annotations

from casduo.webflow.engine import Flow, action, end, view

DUO = Flow(
    "duo",
    (
        action(
            "healthCheck",
            "duo.health_check",
            {"success": "enrolmentCheck", "bypass": "bypassed", "unavailable": "unavailable"},
        ),
        action(
            "enrolmentCheck",
            "duo.enrolment_check",
            {
                "auth": "universalPrompt",
                "unenrolled": "unenrolled",
                "allowed": "bypassed",
                "denied": "denied",
                "bypass": "bypassed",
                "unavailable": "unavailable",
            },
        ),
        view("universalPrompt", "duo.universal_prompt", {"return": "returnedServiceCheck"}),
        # The registry may have changed while the person was at Duo, and the pages to come show the service.
        action(
            "returnedServiceCheck",
            "service.check",
            {
                "registered": "universalReturn",
                "disabled": "serviceDisabled",
                "unregistered": "serviceGone",
                "malformed": "serviceGone",
                "noService": "serviceGone",
            },
        ),
        action(
            "universalReturn",
            "duo.universal_return",
            {
                "allowed": "success",
                "denied": "denied",
                "fraud": "fraud",
                "stale": "restart",
                "unavailable": "unavailable",
            },
        ),
        end("success"),
        end("bypassed"),
        end("unenrolled"),
        end("denied"),
        end("unavailable"),
        end("restart"),
        end("fraud"),
        end("serviceGone"),
        end("serviceDisabled"),
    ),
)
