"""The logout flow."""

from __future__ import annotations

from casduo.webflow.engine import Flow, action, decision, end, view

LOGOUT = Flow(
    "logout",
    (
        action("logoutServiceCheck", "logout.find_service", {"success": "confirmLogoutCheck"}),
        decision("confirmLogoutCheck", "logout.confirmation_needed", yes="viewConfirmLogout", no="terminateSession"),
        view("viewConfirmLogout", "logout.view_confirm", {"submit": "confirmedServiceCheck"}),
        action("confirmedServiceCheck", "logout.find_service", {"success": "terminateSession"}),
        action("terminateSession", "logout.terminate", {"success": "logoutRedirectCheck"}),
        # Services that are told by the browser need a page to be told from.
        decision("logoutRedirectCheck", "logout.redirect_wanted", yes="redirect", no="awaitAnswers"),
        action("awaitAnswers", "logout.await_answers", {"success": "viewSignedOut"}),
        end("redirect", "logout.redirect"),
        end("viewSignedOut", "logout.view_signed_out"),
    ),
)
