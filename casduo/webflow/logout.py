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
        decision("logoutRedirectCheck", "logout.redirect_wanted", yes="redirect", no="viewSignedOut"),
        end("redirect", "logout.redirect"),
        end("viewSignedOut", "logout.view_signed_out"),
    ),
)
