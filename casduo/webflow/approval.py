"""The approval subflow: asking for access to a service that somebody has to approve. What is decided may take hours, so
nothing waits here: who has asked is sent to the page of their request, and comes back when it is open.
"""

from __future__ import annotations

from casduo.webflow.engine import Flow, action, end, view
from casduo.webflow.rows import service_still_there

APPROVAL = Flow(
    "approval",
    (
        action(
            "standingCheck",
            "approval.standing",
            {
                "notNeeded": "granted",
                "open": "granted",
                "waiting": "waiting",
                "early": "waiting",
                "ask": "viewApprovalForm",
                "refused": "refused",
            },
        ),
        view("viewApprovalForm", "approval.view_form", {"proceed": "formServiceCheck"}),
        service_still_there("formServiceCheck", "formCheck"),
        action(
            "formCheck",
            "approval.read_form",
            {"complete": "viewApprovalReview", "incomplete": "viewApprovalForm", "notNeeded": "granted"},
        ),
        # What is about to be sent, once more: it goes to others and cannot be changed.
        view("viewApprovalReview", "approval.view_review", {"proceed": "reviewServiceCheck"}),
        service_still_there("reviewServiceCheck", "send"),
        action(
            "send",
            "approval.send",
            {
                "sent": "waiting",
                "notNeeded": "granted",
                "change": "viewApprovalForm",
                "sessionEnded": "restart",
                "refused": "refused",
            },
        ),
        end("granted"),
        end("waiting"),
        end("refused"),
        end("restart"),
        end("serviceGone"),
        end("serviceDisabled"),
    ),
)
