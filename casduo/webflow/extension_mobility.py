"""Logging in and out on an IP phone (Cisco Extension Mobility): from "which phone?" to the person's profile on it."""

from __future__ import annotations

from casduo.webflow.engine import Flow, State, action, decision, end, subflow, view
from casduo.webflow.rows import service_still_there

_TROUBLE = {"unavailable": "viewUnavailable", "busy": "viewBusy"}


def _service_check(name: str, goes_on: str) -> State:
    """Which service? Also once more: the registry may have changed while the phone waited."""
    return service_still_there(name, goes_on, gone="viewServiceUnregistered", disabled="viewServiceDisabled")


def _entry(goes_on: str, *, free: str, occupied: str) -> tuple[State, ...]:
    """Which service, which phone, and who is on it: the same for both ways."""
    return (
        _service_check("serviceCheck", "deviceCheck"),
        action(
            "deviceCheck",
            "phone_entry.check",
            {"known": goes_on, "refused": "viewDeviceRefused", "unproved": "viewDeviceUnproved"},
        ),
        action(
            "occupantCheck",
            "phone_entry.occupant",
            {
                "free": free,
                "occupied": occupied,
                "unknown": "viewDeviceUnknown",
                "notEnabled": "viewDeviceNotEnabled",
                "unavailable": "viewUnavailable",
                "busy": "viewAskedAgain",
            },
        ),
    )


_ENDS = (
    end("viewCancelled", "phone_told.cancelled"),
    end("viewServiceDisabled", "phone_told.disabled"),
    end("viewServiceUnregistered", "phone_told.unregistered"),
    end("viewDeviceRefused", "phone_told.device_refused"),
    end("viewDeviceUnproved", "phone_told.device_unproved"),
    end("viewDeviceUnknown", "phone_told.device_unknown"),
    end("viewDeviceNotEnabled", "phone_told.device_not_enabled"),
    end("viewThrottled", "phone_told.throttled"),
    end("viewMustChange", "phone_told.must_change"),
    end("viewNoName", "phone_told.no_name"),
    end("viewRefused", "phone_told.refused"),
    end("viewUnsure", "phone_told.unsure"),
    end("viewUnavailable", "phone_told.unavailable"),
    end("viewBusy", "phone_told.busy"),
)

EXTENSION_MOBILITY = Flow(
    "extension_mobility",
    (
        # Which phone? Who has sent the form is past the question who is on it: that is asked under lock, at the end.
        *_entry("submittedCheck", free="viewLoginForm", occupied="takeOverCheck"),
        decision("takeOverCheck", "phone_entry.wants_form", yes="viewLoginForm", no="viewOccupied"),
        decision("submittedCheck", "phone_entry.submitted", yes="loginFormCheck", no="occupantCheck"),
        # The PIN: limits first, then the form, then UCM.
        action(
            "loginFormCheck",
            "phone_form.check",
            {"accepted": "realSubmit", "incomplete": "viewLoginForm", "throttled": "viewThrottled"},
        ),
        action(
            "realSubmit",
            "phone_form.authenticate",
            {
                "success": "serviceAccessCheck",
                "wrong": "viewLoginForm",
                "locked": "viewLoginForm",
                "busy": "viewLoginForm",
                "mustChange": "viewMustChange",
                "noName": "viewNoName",
                "unavailable": "viewUnavailable",
            },
        ),
        # May this person log in on phones, with what, and is a second factor owed?
        action(
            "serviceAccessCheck",
            "service.access_check",
            {"granted": "profileCheck", "denied": "viewServiceDenied", "noService": "viewServiceUnregistered"},
        ),
        action("profileCheck", "phone_profiles.note", {"some": "openLoginCheck", "none": "viewNoProfile"}),
        action("openLoginCheck", "phone_form.join", {"alone": "phoneCheck", "joined": "viewJoined"}),
        # Nobody is asked by Duo for a phone that does not exist, or that somebody else keeps.
        action(
            "phoneCheck",
            "phone_entry.usable",
            {
                "usable": "duoCheck",
                "occupied": "viewOccupiedByOther",
                "unknown": "viewDeviceUnknown",
                "notEnabled": "viewDeviceNotEnabled",
                **_TROUBLE,
            },
        ),
        action("duoCheck", "duo.owed", {"notOwed": "approvalCheck", "owed": "timeCheck"}),
        decision("timeCheck", "phone_login.in_time", yes="mfa-duo", no="viewMoment"),
        view("viewMoment", "phone_login.view_moment", {"proceed": "duoServiceCheck"}),
        _service_check("duoServiceCheck", "mfa-duo"),
        subflow(
            "mfa-duo",
            "duo",
            {
                "success": "approvalCheck",
                "bypassed": "approvalCheck",
                "unenrolled": "viewUnenrolled",
                "denied": "viewDuoDenied",
                "unavailable": "viewDuoUnavailable",
                "restart": "viewMovedOn",
                "cancelled": "viewCancelled",
                "fraud": "endSessions",
                "serviceGone": "viewServiceUnregistered",
                "serviceDisabled": "viewServiceDisabled",
            },
        ),
        action("endSessions", "session.end_all", {"success": "viewFraud"}),
        # Must somebody approve? A phone has no form for that: it asks for as long as there can be, from now on.
        decision("approvalCheck", "approval.owed", yes="approvalRequest", no="profileChoice"),
        action(
            "approvalRequest",
            "approval.ask_at_phone",
            {
                "open": "profileChoice",
                "sent": "viewApprovalSent",
                "waiting": "viewApprovalWaiting",
                "early": "viewApprovalEarly",
                "refused": "viewApprovalRefused",
            },
        ),
        # Which profile?
        action(
            "profileChoice",
            "phone_profiles.choose",
            {
                "none": "viewNoProfile",
                "one": "loginTimeCheck",
                "several": "viewProfiles",
                "later": "viewProfileMoment",
                **_TROUBLE,
            },
        ),
        view("viewProfileMoment", "phone_login.view_moment", {"proceed": "profileChoice"}),
        view("viewProfiles", "phone_profiles.view", {"proceed": "profilePick"}),
        action(
            "profilePick",
            "phone_profiles.pick",
            {
                "picked": "loginTimeCheck",
                "again": "viewProfiles",
                "cancel": "viewCancelled",
                "gone": "viewProfileGone",
                "later": "viewPickMoment",
                **_TROUBLE,
            },
        ),
        view("viewPickMoment", "phone_login.view_moment", {"proceed": "profilePick"}),
        decision("loginTimeCheck", "phone_login.in_time", yes="loginServiceCheck", no="viewLoginMoment"),
        view("viewLoginMoment", "phone_login.view_moment", {"proceed": "loginServiceCheck"}),
        _service_check("loginServiceCheck", "loginApprovalCheck"),
        decision("loginApprovalCheck", "approval.owed", yes="viewApprovalOver", no="createTicketGrantingTicket"),
        # Nothing is written to UCM before a ticket for this service has been granted and validated.
        action(
            "createTicketGrantingTicket",
            "session.create",
            {
                "created": "generateServiceTicket",
                "upgraded": "generateServiceTicket",
                "kept": "generateServiceTicket",
                "ended": "viewMovedOn",
            },
        ),
        action(
            "generateServiceTicket",
            "ticket.generate_service_ticket",
            {"success": "validateServiceTicket", "sessionEnded": "viewMovedOn", "looping": "viewBusy"},
        ),
        action(
            "validateServiceTicket", "phone_ticket.validate", {"valid": "phoneLock", "invalid": "viewServiceDenied"}
        ),
        # Who is where is looked at and changed under one lock.
        action(
            "phoneLock",
            "phone_login.lock",
            {"taken": "phoneLogin", "later": "viewLockMoment", "busy": "viewBusy"},
        ),
        view("viewLockMoment", "phone_login.view_moment", {"proceed": "lockServiceCheck"}),
        _service_check("lockServiceCheck", "phoneLock"),
        action(
            "phoneLogin",
            "phone_login.write",
            {
                "done": "viewLoggedIn",
                "already": "viewAlready",
                "unsure": "viewFinishing",
                "unknown": "viewDeviceUnknown",
                "notEnabled": "viewDeviceNotEnabled",
                "occupied": "viewOccupiedByOther",
                "elsewhere": "viewElsewhere",
                "refused": "viewRefused",
                "mustChange": "viewMustChange",
                "later": "viewLockMoment",
                **_TROUBLE,
            },
        ),
        # The answer was lost: look before anything is sent again.
        view("viewFinishing", "phone_login.view_moment", {"proceed": "settleServiceCheck"}),
        _service_check("settleServiceCheck", "phoneSettle"),
        action(
            "phoneSettle",
            "phone_login.settle",
            {"done": "viewLoggedIn", "again": "phoneLock", "wait": "viewFinishing", "failed": "viewUnsure"},
        ),
        end("viewAskedAgain", "phone_entry.view_again"),
        end("viewLoginForm", "phone_entry.view_form"),
        end("viewOccupied", "phone_entry.view_occupied"),
        end("viewJoined", "phone_form.joined"),
        end("viewLoggedIn", "phone_told.logged_in"),
        end("viewAlready", "phone_told.already"),
        end("viewServiceDenied", "phone_told.denied"),
        end("viewApprovalSent", "phone_told.approval_sent"),
        end("viewApprovalWaiting", "phone_told.approval_waiting"),
        end("viewApprovalEarly", "phone_told.approval_early"),
        end("viewApprovalRefused", "phone_told.approval_refused"),
        end("viewApprovalOver", "phone_told.approval_over"),
        end("viewNoProfile", "phone_told.no_profile"),
        end("viewProfileGone", "phone_told.profile_gone"),
        end("viewUnenrolled", "phone_told.unenrolled"),
        end("viewDuoDenied", "phone_told.duo_refused"),
        end("viewDuoUnavailable", "phone_told.duo_unavailable"),
        end("viewFraud", "phone_told.fraud"),
        end("viewMovedOn", "phone_told.moved_on"),
        end("viewOccupiedByOther", "phone_told.occupied"),
        end("viewElsewhere", "phone_told.elsewhere"),
        *_ENDS,
    ),
)

EXTENSION_MOBILITY_LOGOUT = Flow(
    "extension_mobility_logout",
    (
        *_entry("occupantCheck", free="viewNobody", occupied="viewLogout"),
        view("viewLogout", "phone_logout.view", {"proceed": "logoutServiceCheck"}),
        _service_check("logoutServiceCheck", "logoutForm"),
        action(
            "logoutForm",
            "phone_logout.read_form",
            {
                "confirmed": "phoneLogout",
                "pin": "pinCheck",
                "again": "viewLogout",
                "throttled": "viewThrottled",
                "cancel": "viewCancelled",
            },
        ),
        action(
            "pinCheck",
            "phone_logout.check_pin",
            {
                "success": "phoneLogout",
                "wrong": "viewLogout",
                "locked": "viewLogout",
                "busy": "viewLogout",
                "mustChange": "viewMustChange",
                "noName": "viewNoName",
                "unavailable": "viewUnavailable",
            },
        ),
        action(
            "phoneLogout",
            "phone_logout.log_out",
            {
                "done": "viewLoggedOut",
                "nobody": "viewNobody",
                "changed": "viewMovedOn",
                "unsure": "viewFinishing",
                "refused": "viewRefused",
                "later": "viewLogoutMoment",
                **_TROUBLE,
            },
        ),
        view("viewLogoutMoment", "phone_login.view_moment", {"proceed": "phoneLogout"}),
        view("viewFinishing", "phone_login.view_moment", {"proceed": "phoneSettle"}),
        action(
            "phoneSettle",
            "phone_logout.settle",
            {"done": "viewLoggedOut", "failed": "viewUnsure", "later": "viewFinishing", **_TROUBLE},
        ),
        end("viewAskedAgain", "phone_logout.view_again"),
        end("viewLoggedOut", "phone_logout.logged_out"),
        end("viewNobody", "phone_told.nobody"),
        end("viewMovedOn", "phone_told.moved_on"),
        *_ENDS,
    ),
)
