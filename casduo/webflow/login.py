"""The login flow: from "which application?" to a service ticket. One row per state, in the order of things."""

from __future__ import annotations

from casduo.webflow.engine import Flow, action, decision, end, subflow, view

LOGIN = Flow(
    "login",
    (
        # Which application? Before anything else is said or asked.
        action(
            "serviceCheck",
            "service.check",
            {
                "noService": "ticketGrantingTicketCheck",
                "registered": "ticketGrantingTicketCheck",
                "unregistered": "viewServiceUnregistered",
                "disabled": "viewServiceDisabled",
                "malformed": "viewServiceMalformed",
            },
        ),
        # A session already?
        action(
            "ticketGrantingTicketCheck",
            "session.ticket_granting_ticket_check",
            {"notExists": "gatewayRequestCheck", "invalid": "gatewayRequestCheck", "valid": "renewRequestCheck"},
        ),
        decision("gatewayRequestCheck", "session.gateway_requested", yes="redirectWithoutTicket", no="viewLoginForm"),
        # An application that asked not to prompt is not prompted for what its own entry demands either.
        decision(
            "renewRequestCheck", "session.renew_required", yes="gatewayRequestCheck", no="useTicketGrantingTicket"
        ),
        action("useTicketGrantingTicket", "session.use", {"success": "serviceAccessCheck"}),
        # The password.
        view("viewLoginForm", "login_form.view", {"submit": "submittedServiceCheck"}),
        action(
            "submittedServiceCheck",
            "service.check",
            {
                "noService": "loginFormCheck",
                "registered": "loginFormCheck",
                "unregistered": "viewServiceUnregistered",
                "disabled": "viewServiceDisabled",
                "malformed": "viewServiceMalformed",
            },
        ),
        action(
            "loginFormCheck",
            "login_form.check",
            {
                "accepted": "realSubmit",
                "used": "ticketGrantingTicketCheck",
                "throttled": "viewLoginForm",
                "incomplete": "viewLoginForm",
            },
        ),
        action(
            "realSubmit",
            "login_form.authenticate",
            {
                "success": "serviceAccessCheck",
                "authenticationFailure": "viewLoginForm",
                "accountLocked": "viewLoginForm",
                "accountDisabled": "viewLoginForm",
                "mustChangePassword": "viewLoginForm",
                "unavailable": "viewLoginForm",
            },
        ),
        # May this person use this application, and is a second factor owed?
        action(
            "serviceAccessCheck",
            "service.access_check",
            {"noService": "createTicketGrantingTicket", "granted": "duoCheck", "denied": "createTicketGrantingTicket"},
        ),
        action("duoCheck", "duo.owed", {"notOwed": "createTicketGrantingTicket", "owed": "duoGatewayCheck"}),
        decision("duoGatewayCheck", "session.gateway_requested", yes="redirectWithoutTicket", no="mfa-duo"),
        subflow(
            "mfa-duo",
            "duo",
            {
                "success": "createTicketGrantingTicket",
                "bypassed": "createTicketGrantingTicket",
                "unenrolled": "createTicketGrantingTicket",
                "denied": "createTicketGrantingTicket",
                "unavailable": "createTicketGrantingTicket",
                "restart": "createTicketGrantingTicket",
                "cancelled": "redirectAfterCancel",
                "fraud": "endSessions",
                "serviceGone": "viewServiceUnregistered",
                "serviceDisabled": "viewServiceDisabled",
            },
        ),
        action("endSessions", "session.end_all", {"success": "viewDuoFraud"}),
        # The session exists whatever the application's verdict: other applications work.
        action(
            "createTicketGrantingTicket",
            "session.create",
            {
                "created": "verdictCheck",
                "upgraded": "verdictCheck",
                "kept": "verdictCheck",
                "ended": "viewLoginForm",
            },
        ),
        action(
            "verdictCheck",
            "service.verdict",
            {
                "granted": "passwordWarningCheck",
                "denied": "showByGetCheck",
                "duoUnavailable": "showByGetCheck",
                "duoDenied": "showByGetCheck",
                "duoUnenrolled": "showByGetCheck",
                "duoRefused": "showByGetCheck",
                "duoRestart": "showByGetCheck",
            },
        ),
        # A page in answer to a form cannot be come back to, and these are pages people come back to.
        decision("showByGetCheck", "service.show_by_get", yes="redirectToLogin", no="refusalCheck"),
        action(
            "refusalCheck",
            "service.refusal",
            {
                "denied": "deniedGatewayCheck",
                "duoUnavailable": "viewDuoUnavailable",
                "duoDenied": "viewDuoDenied",
                "duoUnenrolled": "viewDuoUnenrolled",
                "duoRefused": "viewDuoRefused",
                "duoRestart": "viewDuoRestart",
            },
        ),
        decision(
            "deniedGatewayCheck", "session.gateway_requested", yes="redirectWithoutTicket", no="viewServiceDenied"
        ),
        decision("passwordWarningCheck", "session.warnings_waiting", yes="viewPasswordWarning", no="hasServiceCheck"),
        view("viewPasswordWarning", "ticket.view_password_warning", {"proceed": "returnedServiceCheck"}),
        decision("hasServiceCheck", "service.requested", yes="approvalCheck", no="showSuccessByGetCheck"),
        decision("showSuccessByGetCheck", "service.show_by_get", yes="redirectToLogin", no="viewGenericLoginSuccess"),
        # Must somebody approve? The session exists by now, for that may take hours.
        decision("approvalCheck", "approval.owed", yes="approvalGatewayCheck", no="warnCheck"),
        decision(
            "approvalGatewayCheck", "session.gateway_requested", yes="redirectWithoutTicket", no="approvalByGetCheck"
        ),
        decision("approvalByGetCheck", "service.show_by_get", yes="redirectToLogin", no="approval"),
        subflow(
            "approval",
            "approval",
            {
                "granted": "warnCheck",
                "waiting": "redirectToRequest",
                "refused": "viewApprovalNotNow",
                "restart": "viewLoginForm",
                "serviceGone": "viewServiceUnregistered",
                "serviceDisabled": "viewServiceDisabled",
            },
        ),
        # Ask first, then make the ticket: one that waits in a page ages.
        decision("warnCheck", "ticket.warn_wanted", yes="viewWarn", no="generateServiceTicket"),
        view("viewWarn", "ticket.view_warn", {"proceed": "returnedServiceCheck"}),
        action(
            "returnedServiceCheck",
            "service.check",
            {
                "noService": "showSuccessByGetCheck",
                "registered": "returnedApprovalCheck",
                "unregistered": "viewServiceUnregistered",
                "disabled": "viewServiceDisabled",
                "malformed": "viewServiceMalformed",
            },
        ),
        decision("returnedApprovalCheck", "approval.owed", yes="approvalGatewayCheck", no="generateServiceTicket"),
        action(
            "generateServiceTicket",
            "ticket.generate_service_ticket",
            {"success": "responseCheck", "sessionEnded": "viewLoginForm", "looping": "viewTicketLoop"},
        ),
        action(
            "responseCheck",
            "ticket.response_type",
            {"redirect": "redirect", "post": "viewPostResponse", "header": "viewHeaderResponse"},
        ),
        end("redirect", "ticket.redirect"),
        end("viewPostResponse", "ticket.post"),
        end("viewHeaderResponse", "ticket.header"),
        end("viewTicketLoop", "ticket.view_loop"),
        end("redirectWithoutTicket", "session.without_ticket"),
        end("redirectToLogin", "session.to_login"),
        end("redirectAfterCancel", "session.after_cancel"),
        end("redirectToRequest", "approval.to_request"),
        end("viewGenericLoginSuccess", "home.signed_in"),
        end("viewServiceUnregistered", "service.unregistered"),
        end("viewServiceDisabled", "service.disabled"),
        end("viewServiceMalformed", "service.malformed"),
        end("viewServiceDenied", "service.denied"),
        end("viewApprovalNotNow", "approval.view_not_now"),
        end("viewDuoUnavailable", "duo.view_unavailable"),
        end("viewDuoDenied", "duo.view_denied"),
        end("viewDuoFraud", "duo.view_fraud"),
        end("viewDuoUnenrolled", "duo.view_unenrolled"),
        end("viewDuoRefused", "duo.view_refused"),
        end("viewDuoRestart", "duo.view_restart"),
    ),
)
